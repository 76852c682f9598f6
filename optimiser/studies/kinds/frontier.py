"""Frontier: the least cost at each limit of shortfall or CVaR, or at each value of a cell that is a limit (a rule's `most`: how much
may come from one supplier). Limits are evenly spaced (the ε-constraint method: Haimes, Lasdon, Wismer 1971)."""

from __future__ import annotations

from optimiser.studies.case import Case, Result
from optimiser.studies.kinds.asked import Asked, Rounds, Table
from optimiser.studies.kinds.sweep import STEPS, grid
from stockpile_model.names import identity
from stockpile_model.values import normal

SAME = 1e-9
AT_LEAST = (("rules", "least"), ("targets", "quantity"), ("demand", "quantity"), ("offers", "minimum_order"))
"""Cells of which more is stricter: what must be reached, and not what may be."""


def rounds(asked: Asked) -> Rounds:
    steps = asked.study.steps or STEPS
    if asked.inputs:
        (limit,) = asked.inputs
        values = grid(limit.low, limit.high, steps)
        found = yield [asked.case(value) for value in values]
        return [_table(asked, limit.name, "", [*zip(values, found, strict=True)])]
    measure = identity(str(asked.study.column))
    cheapest, least = yield [Case(note="least cost", limit=(measure, 1e15)), Case(note=f"least {measure}", aim=measure)]
    if cheapest.objective is None or least.objective is None:
        said = f"There is no plan at an end of the frontier: {cheapest.status} at least cost, {least.status} at least {measure}."
        return [Table("frontier", said, ("limit",), [])]
    bottom = asked.study.low if asked.study.low is not None else least.objective
    # At the least cost the measure may be anything up to what that plan happens to have: of two plans that cost the same, less of it.
    top = asked.study.high
    if top is None:
        allowed = cheapest.objective * (1 + 1e-6 * (1 if cheapest.objective >= 0 else -1))
        (tidy,) = yield [Case(note=f"least {measure} at least cost", aim=measure, limit=("cost", allowed))]
        top = tidy.objective if tidy.objective is not None else bottom
    values = [*dict.fromkeys(grid(min(bottom, top), max(bottom, top), steps))]
    found = yield [Case(note=f"{measure} at most {value:.6g}", limit=(measure, value)) for value in values]
    return [_table(asked, measure, asked.money if measure == "cvar" else asked.unit, [*zip(values, found, strict=True)])]


def _table(asked: Asked, name: str, unit: str, points: list[tuple[float, Result]]) -> Table:
    """The points in the order of their limits. One is dominated where a stricter limit costs no more: a lower one, or a higher one of
    what must be reached at least."""
    strict = -1 if any((each.table, normal(each.column)) in AT_LEAST for each in asked.inputs) else 1
    rows: list[tuple[object, ...]] = []
    for value, each in points:
        cost = each.objective
        stricter = [one.objective for other, one in points if strict * other < strict * value and one.objective is not None]
        beaten = cost is not None and any(other <= cost + SAME * abs(cost) for other in stricter)
        rows.append((value, cost, each.bound, each.number("shortfall"), "dominated" if beaten else "", each.status))
    header = (f"{name} [{unit}]" if unit else name, f"cost [{asked.money}]", f"bound [{asked.money}]")
    said = f"The least cost at each limit of {name}; a point is dominated where a stricter limit costs no more."
    return Table("frontier", said, (*header, f"shortfall [{asked.unit}]", "dominated", "status"), rows, "frontier")
