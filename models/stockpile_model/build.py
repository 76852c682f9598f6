"""The table of contents: which blocks there are, in the order in which they read each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from stockpile_model.amounts import about
from stockpile_model.block import blocks, headings, problems, renewals
from stockpile_model.blocks.stock.lot_terms import classes
from stockpile_model.changes import matches
from stockpile_model.folding import fold, realised
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Ledger
from stockpile_model.names import identity
from stockpile_model.passed import Passed, merged
from stockpile_model.scenarios import Event, EventError, change, unfold
from stockpile_model.schema import Problem, Result, Row, columns, get
from stockpile_model.standing import Standings
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

FAR = 1e13  # units of the scale [1]: a solver sees no other figure next to a larger one
# times: parts of a need that is further below the largest are none to a solver; or all of a lot
APART, LOST = 1e7, 1e8


class _Size(NamedTuple):
    """A quantity, and the cell that holds it."""

    size: float
    row: Row
    column: str


def check(stockpile: Stockpile, sound: bool = True) -> list[Problem]:
    """Return what is wrong between cells, block by block; a cell is checked by its `Column`.

    `sound` says that every single cell is in order. Where all rows are, the blocks also review them
    together: what can never be used, what nothing bounds.
    """
    found = [*problems("check", stockpile)]
    if sound:
        found += [*_beyond(stockpile), *_beneath(stockpile)]
    if sound and all(problem.warning for problem in found):
        try:
            unfolded = unfold(stockpile)
        except EventError as error:
            return [*found, *_impossible(error)]
        found += _changed(unfolded)
        if all(problem.warning for problem in found):
            found += problems("review", unfolded)
    return found


def _beyond(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the figures next to which a solver would see no other.

    A limit from above does no harm: beyond all needs it is cut to them.
    """
    for kind, rows in stockpile.tables.items():
        for each in columns(kind):
            measured = each.unit.partition("/")[0] in ("quantity", "money")
            if not measured or each.limit == "most":
                continue
            most = FAR * stockpile.scale.of(each.unit)
            for row in rows:
                if (value := getattr(row, each.field) or 0.0) > most:
                    message = (
                        "is too large to be planned together with the other figures, found"
                        f" {about(value)}, where {about(most)} is the most; see its unit, or leave"
                        " it blank where there is none"
                    )
                    yield Problem(row.TABLE, row.line, each.name, message)


def _beneath(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the largest need of each material, or without any its largest lot, that is lost in a
    solver's tolerance next to the largest need of all."""
    needs, stated = dict[str, list[_Size]](), dict[str, list[_Size]]()
    for kind, rows in stockpile.tables.items():
        names = {each.name for each in columns(kind)}
        for each in columns(kind) if "material" in names else ():
            if each.need or (each.required and each.unit == "quantity"):
                for row in rows:
                    size, of = getattr(row, each.field) or 0.0, get(row, "material")
                    for material in stockpile.members(of) if size > 0 else ():
                        found = needs if each.need else stated
                        found.setdefault(material, []).append(_Size(size, row, each.name))
    largest = stockpile.scale.largest
    for sizes, what, times in (needs, "need", APART), (stated, "quantity", LOST):
        for material, own in sizes.items():
            size, row, name = max(own, key=lambda each: each.size)
            if size * times < largest and (sizes is needs or material not in needs):
                message = (
                    f"is too small to be planned together with a need of {about(largest)}, found"
                    f" {about(size)}, the largest {what} of {material}; see its unit, or plan"
                    f" {material} in a workbook of its own"
                )
                yield Problem(row.TABLE, row.line, name, message)


def _impossible(error: EventError) -> Iterator[Problem]:
    """Yield the events each of which could happen alone, and cannot after those before it."""
    for event, reason in error.reasons:
        message = f"cannot be, after the events before it: {reason}"
        yield Problem(event.TABLE, event.line, "value", message)


def _changed(stockpile: Stockpile) -> list[Problem]:
    """Return what events make wrong between cells that were in order before."""
    nodes = {id(view): n for n, view in reversed([*enumerate(stockpile.views)])}
    found: dict[tuple[str, int, str, str], Problem] = {}
    for n in nodes.values():
        for problem in (*problems("check", stockpile.at(n)), *_beyond(stockpile.at(n))):
            if not problem.warning:
                message = f"in scenario {stockpile.holds[n][0]}: {problem.sentence}"
                found.setdefault(
                    (problem.table, problem.line, problem.column, problem.message),
                    replace(problem, message=message),
                )
    return [*found.values()]


def _with_classes(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with ages in classes, by what the blocks distinguish them by.

    It stays as it is where it has them. Where a scenario changes a life every age stands for
    itself.
    """
    if stockpile.classes is not None:
        return stockpile
    tells = [block.tells_apart for block in blocks() if block.tells_apart is not None]
    found = {}
    for material in stockpile.keyed(Material):
        life, *others = {view.life(material) for view in stockpile.variants}
        if life is not None and not others and material not in stockpile.standings:
            marks = [
                [tell(view, material, age) for tell in tells for view in stockpile.variants]
                for age in range(life)
            ]
            if len(ages := classes(marks)) < life:
                found[material] = ages
    return replace(stockpile, classes=found)


def _with_standings(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with the standings of the materials that can be requalified."""
    times: dict[str, int] = {}
    for each in renewals(stockpile):
        times[each.material] = max(times.get(each.material, 0), each.times)
    found = {}
    for material, most in times.items():
        lives = (view.life(material) for view in stockpile.variants)
        found[material] = Standings(most, max(life or 1 for life in lives) + 1)
    return replace(stockpile, standings=found)


def build(stockpile: Stockpile) -> Formulation:
    """Build the model of a stockpile whose rows have passed `check`.

    The active objective is `m.cost`; with `shortfall_first` also `m.shortfall`, to be minimised
    first, and with a risk weight of 1 also `m.mean`, to be minimised last. Values are in the units
    of the workbook; Pyomo's suffix `scaling_factor` says by what a solver may multiply each
    component so that nothing depends on them.
    """
    stockpile = _with_classes(_with_standings(unfold(stockpile))).anchored()
    m, ledger = pyo.ConcreteModel(name=stockpile.settings.title or "stockpile"), Ledger(headings())
    # Building makes millions of small objects and no cycles: to collect them is lost time.
    with PauseGC():
        m.scaling_factor = pyo.Suffix(
            direction=pyo.Suffix.LOCAL, doc="what a solver multiplies each component by"
        )
        m.priority = pyo.Suffix(
            direction=pyo.Suffix.LOCAL,
            doc="what a search decides first: what moves a plan most; what is below 0 last",
        )
        for block in blocks():
            if block.add is not None:
                block.add(m, stockpile, ledger)
        for part in (
            each
            for kind in (pyo.Var, pyo.Constraint, pyo.Objective)
            for each in m.component_objects(kind)
        ):
            m.scaling_factor[part] = 1 / stockpile.scale.of(units(part)[0])
    return Formulation(m, stockpile, ledger)


def units(component: Any) -> list[str]:
    """Return what the rows of a component are measured in: `quantity`, `money`, `lots` or `1`.

    It stands at the end of its doc. Of several units the first is that of the component; rows in
    another have a `scaling_factor` of their own.
    """
    return re.split(", | or ", str(component.doc).rpartition("[")[2].rstrip("]"))


def roll(passed: Passed) -> Stockpile:
    """Return the stockpile from which the next plan goes on, when the first periods are over.

    What has come is folded into the rows first. An event that names a row by its number follows it;
    one whose rows are over is left out.
    """
    passed = fold(passed)
    old, settings = passed.left or passed.stockpile, passed.stockpile.settings
    found = (pair for block in blocks() for pair in block.rolls(passed))
    tables = merged(old.tables, found)
    periods, came = settings.periods - passed.gone, realised(passed)
    left = replace(settings, start=passed.start, periods=periods, realised_scenario=came)
    lines = {
        kind.TABLE: {row.line: line for line, row in enumerate(rows, 2) if row.line}
        for kind, rows in tables.items()
    }
    new = Stockpile(left, {kind: rows for kind, rows in tables.items() if rows})
    kept = [each for each in new.rows(Event) if matches(new, change(each))]
    tables[Event] = tuple(_follows(event, lines) for event in kept)
    for kind, rows in tables.items():
        passed.remarks.extend(_shifted(old.rows(kind), rows, kept))
    return Stockpile(left, {kind: rows for kind, rows in tables.items() if rows})


def _shifted(old: Sequence[Row], new: Sequence[Row], events: Iterable[Any]) -> Iterator[str]:
    """Yield which events now act on what is left of a number, and not on all of it."""
    before = {row.line: row for row in old if row.line}
    pairs = [(before[row.line], row) for row in new if row.line in before]
    for column in columns(type(new[0])) if pairs else ():
        name = column.name
        if column.kind == "number" and any(get(a, name) != get(b, name) for a, b in pairs):
            for event in events:
                of = identity(event.table) == new[0].TABLE and event.column in (name, "*")
                if of and event.how != "add":
                    yield (
                        f"scenario {event.scenario} would {event.how} {event.table}.{name}, which "
                        "now holds only what is left of it: check its events"
                    )


def _follows(event: Any, lines: Mapping[str, Mapping[int, int]]) -> Any:
    """Return an event with the number of its row as it is now."""
    word, _, number = (event.row or "").strip().partition(" ")
    if identity(word) != "row" or not number.isdigit():
        return event
    return replace(event, row=f"row {lines[identity(event.table)][int(number)]}")


def report(formulation: Formulation) -> Iterator[Result]:
    """Return the solved values as rows of the plan, block by block."""
    return (row for block in blocks() for row in block.report(formulation))
