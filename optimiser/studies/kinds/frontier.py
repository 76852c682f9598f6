"""Frontier: the least cost at each limit of shortfall or CVaR, or at each value of a cell that is a
limit (a rule's `most`: how much may come from one supplier). Limits are evenly spaced (the
ε-constraint method: Haimes, Lasdon, Wismer 1971).

A plan that keeps a strict limit keeps every looser one, and what no plan can cost less than at a
loose limit none can at a stricter one: so each point has the best plan and the best bound of all.
Only plans of cells that cost nothing by themselves are shared so: their column is a `limit`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimiser.solving.search_options import relative_gap
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.kinds.screened import missed
from optimiser.studies.kinds.sweep import STEPS, grid
from optimiser.studies.study_sheet.study_inputs import Input
from stockpile_model import amounts
from stockpile_model.block import tables
from stockpile_model.schema import Column, columns
from stockpile_model.values import normal

SAME = 1e-9
Points = list[tuple[float, CaseResult]]


def rounds(asked: Asked) -> Rounds:
    """Plan at each limit of a cell, or of a measure of the plan."""
    steps = asked.study.steps or STEPS
    return (yield from (_over_cell if asked.inputs else _over_measure)(asked, steps))


def _over_cell(asked: Asked, steps: int) -> Rounds:
    """Plan at each value of a cell."""
    (limit,) = asked.inputs
    values = grid(limit, steps)
    found = yield [asked.case(value) for value in values]
    column, points = _column(limit), [*zip(values, found, strict=True)]
    more_is_stricter = column is not None and (column.need or column.limit == "least")
    strict = -1 if more_is_stricter else 1
    if column is not None and column.limit:
        points = _shared(points, [], strict, asked.gap, asked.stockpile.scale.money)
    return [_table(asked, limit.name, limit.unit, strict, points)]


def _column(cell: Input) -> Column | None:
    """Return the column of a cell; None for a setting or an index of prices."""
    found = (each for kind in tables() if cell.table == kind.TABLE for each in columns(kind))
    return next((each for each in found if each.name == normal(cell.column)), None)


def _over_measure(asked: Asked, steps: int) -> Rounds:
    """Plan at each limit of shortfall or CVaR, from the least to that of the cheapest plan."""
    measure = normal(str(asked.study.column))
    name, unit = ("CVaR", asked.money) if measure == "cvar" else (measure, asked.unit)
    cheapest, least = yield [
        Case(note="least cost", limit=(measure, math.inf)),
        Case(note=f"least {measure}", aim=measure),
    ]
    if cheapest.objective is None or least.objective is None:
        ends = (("least cost", cheapest), (f"least {measure}", least))
        why = "; ".join(f"{note}: {each.ended}" for note, each in ends if not each.planned)
        said = f"An end of the frontier was not found: {why}."
        return [AnswerTable("frontier", said, (name, "status"), [])]
    bottom = asked.study.low if asked.study.low is not None else least.objective
    # At the least cost the measure may be anything up to what that plan happens to have: of two
    # plans that cost the same, less of it.
    top, known = asked.study.high, [(least.objective, _priced(least))]
    if top is None:
        allowed = cheapest.objective * (1 + 1e-6 * (1 if cheapest.objective >= 0 else -1))
        (tidy,) = yield [
            Case(note=f"least {measure} at least cost", aim=measure, limit=("cost", allowed))
        ]
        top = tidy.objective if tidy.objective is not None else bottom
        known += [(top, _priced(tidy))] if tidy.objective is not None else []
    values = [
        *dict.fromkeys(
            float(each) for each in np.linspace(min(bottom, top), max(bottom, top), steps)
        )
    ]
    found = yield [
        Case(note=f"{measure} at most {value:.6g}", limit=(measure, value)) for value in values
    ]
    known.append((math.inf, replace(cheapest, objective=None)))  # its bound is one everywhere
    money = asked.stockpile.scale.money
    points = _shared([*zip(values, found, strict=True)], known, 1, asked.gap, money)
    return [_table(asked, name, unit, 1, points)]


def _priced(result: CaseResult) -> CaseResult:
    """Return a plan of another aim by its cost, of which nothing is proven."""
    return replace(result, objective=result.number("cost"), bound=None)


def _shared(points: Points, known: Points, strict: int, gap: float, money: float = 1.0) -> Points:
    """Return the points, each with the cheapest plan and the highest bound of its limit.

    `known` are more plans and bounds, by their limits; `money` is one scaled unit of it.
    """

    def at(value: float) -> CaseResult:
        own = next(each for limit, each in points if limit == value)
        everywhere = [*points, *known]
        plans = [
            each
            for limit, each in everywhere
            if strict * limit <= strict * value and each.objective is not None
        ]
        bounds = [
            each.bound
            for limit, each in everywhere
            if strict * limit >= strict * value and each.bound is not None
        ]
        best = min(plans, key=lambda each: each.objective or 0.0, default=own)
        if best.objective is None:
            return own
        if own.objective is not None and own.objective <= best.objective:
            best = own
        bound = min(max(bounds), best.objective) if bounds and best.objective is not None else None
        found = relative_gap(best.objective, bound, money)
        proven = (best is own and own.status == "optimal") or (found is not None and found <= gap)
        return replace(best, status="optimal" if proven else "feasible", bound=bound, gap=found)

    return [(value, at(value)) for value, _ in points]


def _table(asked: Asked, name: str, unit: str, strict: int, points: Points) -> AnswerTable:
    """Return the points in the order of their limits.

    One is dominated where it is proven that a stricter limit costs no more.
    """
    rows: list[tuple[object, ...]] = []
    for value, each in points:
        stricter = [
            (one.objective, other)
            for other, one in points
            if strict * other < strict * value and one.objective is not None
        ]
        remark = ""
        if each.objective is not None and stricter:
            cost, limit = min(stricter)
            if each.bound is not None and cost <= each.bound + SAME * abs(each.bound):
                remark = "dominated"
            elif cost <= each.objective + SAME * abs(each.objective):
                remark = f"within the gap: no plan is known that is cheaper than at {limit:.6g}"
        rows.append(
            (
                value,
                each.objective,
                each.bound,
                each.number("shortfall"),
                remark,
                each.status if each.planned else each.ended,
            )
        )
    label = f"{name} [{unit}]" if unit else name
    header = (
        label,
        f"cost [{asked.money}]",
        f"bound [{asked.money}]",
        f"shortfall [{asked.unit}]",
        "remark",
        "status",
    )
    said = _answer(asked, name, unit, strict, points, rows)
    return AnswerTable(
        "frontier", said, header, rows, "frontier", axis=f"{asked.least} [{asked.money}]"
    )


def _answer(
    asked: Asked,
    name: str,
    unit: str,
    strict: int,
    points: Points,
    rows: Sequence[Sequence[object]],
) -> str:
    """Say what the limit costs at its strictest, and where loosening it saves most."""
    planned = sorted(
        (strict * value, each.objective) for value, each in points if each.objective is not None
    )
    without = [each for _, each in points if not each.planned]
    if not planned:
        return f"No point has a plan: {missed(without)}."
    (tight, dear), (loose, cheap) = planned[0], planned[-1]

    def at(value: float) -> str:
        limit = strict * value + 0.0
        if unit == asked.money:
            return asked.paid(limit)
        return f"{amounts.about(float(f'{limit:.5g}'))} {unit}".strip()  # it holds a tolerance

    if dear - cheap <= asked.gap * abs(dear):
        said = (
            f"The limit of {name} does not move the cost beyond the gap: {asked.paid(cheap)} from"
            f" {at(tight)} to {at(loose)}."
        )
    else:
        steps = [((c - d) / (b - a), a, b) for (a, c), (b, d) in itertools.pairwise(planned)]
        worth, low, high = max(steps)
        said = (
            f"The least cost goes from {asked.paid(dear)} at {name} {at(tight)} to"
            f" {asked.paid(cheap)} at {at(loose)}; a looser limit "
        )
        said += (
            f"saves most between {at(low)} and {at(high)}, {asked.paid(worth)} for each"
            f" {unit or 'unit'}."
        )
    if idle := sum(bool(row[4]) for row in rows):
        said += f" {idle} of {len(rows)} points bring nothing that a stricter limit does not."
    return said + (f" {len(without)} points have no plan: {missed(without)}." if without else "")
