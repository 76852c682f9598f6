"""The rules from which the next plan goes on: limits on quantities less what they have counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from stockpile_model.amounts import clean
from stockpile_model.blocks.policy.rule_terms import LEAVING, Rule, Share, concerns, group, values
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.names import identity
from stockpile_model.passed import Passed
from stockpile_model.scenarios import Event
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the rules; say which of them begin anew, for they do not know what has come before."""
    rows = passed.rows(Rule)
    if rows:
        yield Rule, [each for row in rows for each in _left(passed, row)]


def _left(passed: Passed, row: Rule) -> Iterator[Rule]:
    """Yield what is left of a rule: itself, or a row for each value that it limits."""
    found = [*_less(passed, row)] if _carried(passed, row) else []
    names = [identity(each.rule) for each in found]
    taken = {identity(each.rule) for each in passed.rows(Rule) if each is not row}
    if _carried(passed, row) and len(taken.union(names)) == len(taken) + len(names):
        yield from found
        return
    yield row
    if _goes_on(passed, row):
        span = "horizon" if row.window == "horizon" else "fiscal year"
        passed.remarks.append(
            f"rule {row.rule} counts from {passed.start} on: it does not know what came in the "
            f"same {span} before"
        )


def _goes_on(passed: Passed, row: Rule) -> bool:
    """Return whether the window of a rule has begun and is not over."""
    year = passed.calendar.fiscal_year
    same = row.window == "fiscal_year" and year(passed.gone - 1) == year(passed.gone)
    return row.window == "horizon" or same


def _carried(passed: Passed, row: Rule) -> bool:
    """Return whether lower limits say all: of quantities, where the window is the only one left."""
    year, last = passed.calendar.fiscal_year, passed.calendar.periods - 1
    only = row.window == "horizon" or year(passed.gone) == year(last)
    changed = any(identity(each.table) == Rule.TABLE for each in passed.rows(Event))
    return row.measure == "quantity" and only and _goes_on(passed, row) and not changed


def _less(passed: Passed, row: Rule) -> Iterator[Rule]:
    """Yield a rule less what its group has brought; a row for each value where any has."""
    done = _done(passed, row)
    several = row.value is None and row.of != "foreign_feedstock"
    if not any(done.values()):
        yield row
        return
    for value in values(passed.stockpile, row):
        least, most = (_rest(passed, each, done.get(value, 0.0)) for each in (row.least, row.most))
        least = least or None
        if least is None and most is None:
            continue
        rest = replace(row, least=least, most=most)
        yield replace(rest, rule=f"{row.rule} {value}", value=value, line=0) if several else rest


def _rest(passed: Passed, limit: float | None, came: float) -> float | None:
    """Return what is left of a limit; nothing where only the solver's noise is."""
    if limit is None:
        return None
    return clean(limit - came) if limit - came > passed.stockpile.scale.nothing else 0.0


def _done(passed: Passed, row: Rule) -> Mapping[str, float]:
    """Return what each group of a rule has brought, or taken, in the window that goes on."""
    calendar, found = passed.calendar, dict[str, float]()
    year, of_year = calendar.fiscal_year(passed.gone), row.window == "fiscal_year"
    for line in passed.done("rotation" if row.of in LEAVING else "deliveries"):
        period = calendar.period(line["date"])
        if of_year and calendar.fiscal_year(period) != year:
            continue
        if row.of in LEAVING:
            table, name, supplier = Outlet.TABLE, line["outlet"], ""
        else:
            table, name, supplier = line["kind"], line["name"], line["supplier"]
        if name is None or not concerns(passed.stockpile, row, line["material"]):
            continue
        of = (line["material"], table, name, supplier, line["quantity"])
        value, weighs = group(passed.stockpile, row.of, Share(passed.nodes[period], *of))
        found[value] = found.get(value, 0.0) + weighs * line["quantity"]
    return found
