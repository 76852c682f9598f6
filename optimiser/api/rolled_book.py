"""Roll a plan forward: the workbook from which the next plan goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimiser.api import actual_events
from optimiser.api.book import Book, Say, from_tables
from optimiser.api.saved_plan import SavedPlan, load_plan, sheets_of
from optimiser.auditing import Sheets
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.plan import Plan
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.drafts import write_row
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign
from stockpile_model import build
from stockpile_model.block import tables as block_tables
from stockpile_model.passed import Passed
from stockpile_model.scenarios import unfold
from stockpile_model.schema import PROVENANCE, Row, columns, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Settings
from stockpile_model.tree import BASE
from stockpile_model.values import text


@dataclass(frozen=True, eq=False, repr=False)
class RolledBook(Book):
    """A workbook that goes on from a plan.

    `remarks` say what it does not know any more, `folded` what became of the events of the scenario
    that has come.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> book = so.roll(plan, "2030-04-01")
    >>> isinstance(book, so.RolledBook), book.remarks
    (True, ())
    """

    remarks: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()


def roll(
    plan: Plan | SavedPlan | str | Path,
    to: dt.date | str,
    *,
    scenario: str = BASE,
    actuals: str | Path | Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
) -> RolledBook:
    """Return the workbook from which the next plan goes on, once the periods before `to` are over.

    It has the lots that are then on hand, what is in transit, the contracts that are signed, the
    plants that went ahead, the appropriations less what they have paid, and the same end. `to` is
    the first day of a period. `scenario` is what has come: what is known of it then becomes values
    of the rows, and what did not come is left out.
    `actuals` are sheets of the plan (a workbook, or tables): what they show before `to` replaces
    what was planned; `prices` in them are added to the table. `output` (.xlsx) is where the
    workbook is written; a file there that this program did not write is replaced by `force` only.
    Raises InputError with all that cannot be carried on, and OutputError.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> book = so.roll(plan, "2030-04-01")
    >>> book["commitments"]["name"].tolist()
    ['framework', 'offtake']
    """
    given = plan if isinstance(plan, (Plan, SavedPlan)) else load_plan(plan)
    if output is not None:
        check_target(Path(output), Kind.NEXT)
        refuse_foreign(Path(output), Kind.NEXT, force)
    sheets = sheets_of(given)
    stockpile = _stockpile(sheets)
    day = to if isinstance(to, dt.date) else dt.date.fromisoformat(to)
    gone, came = _gone(stockpile, day), _came(stockpile, scenario)
    passed = Passed(unfold(stockpile), dict(sheets.rows), gone, came)
    happened, prices = ({}, []) if actuals is None else actual_events.read(actuals)
    passed = replace(passed, sheets=actual_events.replaced(passed, happened))
    rolled = build.roll(passed)
    passed.remarks.extend(_left_out(sheets))
    if passed.stuck:
        raise InputError([Fault("plan", each) for each in passed.stuck])
    if on_message is not None:
        for remark in passed.remarks:
            on_message(f"warning: {remark}")
        for each in passed.folded:
            on_message(each)
    tables = _tables(rolled)
    _price(tables, prices)
    book = from_tables(tables)
    if output is not None:
        from optimiser.workbook.write.next_book import write

        guide = [*_guide(given, day, came, actuals, passed)]
        write(book.stockpile, guide, Path(output))
    return RolledBook(book.reading, remarks=tuple(passed.remarks), folded=tuple(passed.folded))


def _price(tables: dict[str, list[dict[str, Any]]], prices: Sequence[Mapping[str, Any]]) -> None:
    """Put prices into the table; those of a date that is there take the place of the old."""
    for row in prices:
        date = text(row["date"])
        rows = tables.setdefault(Price.TABLE, [])
        known = next((each for each in rows if each["date"] == date), None)
        if known is None:
            rows.append(known := {})
        known |= {name: _cell(value) for name, value in row.items() if value is not None}
        known["date"] = date


def _guide(
    plan: Plan | SavedPlan,
    to: dt.date,
    scenario: str,
    actuals: object,
    passed: Passed,
) -> Iterator[str]:
    """Yield the paragraphs that say where a workbook comes from."""
    yield f"# Planning again from {to}"
    source = plan.source if isinstance(plan, SavedPlan) else "a plan"
    came = "" if scenario == BASE else f", scenario {scenario} having come"
    happened = "what was planned" if actuals is None else "what really happened"
    yield (
        f"This workbook goes on from {source}{came}: what it holds follows from {happened} before "
        f"{to}. Lots are those on hand; orders under way, signed contracts and plants that went "
        "ahead are commitments; appropriations are what is left of them."
    )
    yield from (f"- It does not know: {each}." for each in passed.remarks)
    if passed.folded:
        yield (
            "What is known of the scenario that has come is part of this workbook, and its base. "
            "What did not come is left out. The probabilities of what may still come are those "
            "that follow from that."
        )
    yield from (f"- {each}." for each in passed.folded)


def _gone(stockpile: Stockpile, to: dt.date) -> int:
    """Return how many periods are over on a date, which must be the first day of another."""
    calendar, period = stockpile.calendar, stockpile.calendar.period(to)
    if not 0 < period < calendar.periods or calendar.begin(period) != to:
        first, last = calendar.begin(1), calendar.begin(calendar.periods - 1)
        message = f"must be the first day of a period, from {first} to {last}, found {to}"
        raise InputError([Fault("to", message)])
    return period


def _came(stockpile: Stockpile, scenario: str) -> str:
    """Return the scenario that has come. Raises InputError where it cannot."""
    names = tuple(unfold(stockpile).scenarios) or (BASE,)
    if scenario not in names:
        message = f"{scenario!r} is no scenario that may come{nearest(scenario, names)}"
        raise InputError([Fault("scenario", f"{message}; there are {', '.join(names)}")])
    return scenario


def _stockpile(sheets: Sheets) -> Stockpile:
    """Return the rows that a plan rests on, from its sheet of assumptions.

    Raises InputError where they are not whole.
    """
    kinds = {kind.TABLE: kind for kind in block_tables()}
    tables: dict[str, list[dict[str, Any]]] = {}
    before: tuple[str, str] = ("", "")
    for line in sheets[Assumption.SHEET]:
        table, key, name = line["table"], line["row"] or "", line["column"]
        if table == Settings.TABLE:
            tables.setdefault(table, []).append({"name": name, "value": _cell(line["value"])})
            continue
        rows = tables.setdefault(table, [])
        if (table, key) != before or not rows or name in rows[-1]:
            rows.append({})
        before = table, key
        row = rows[-1]
        row[name] = _cell(line["value"])
        row |= {f"{name}_{side}": line[side] for side in ("low", "high") if line[side] is not None}
        row |= {each: line[each] for each in PROVENANCE if line[each] is not None}
    return from_tables({name: rows for name, rows in tables.items() if name in kinds}).stockpile


def _left_out(sheets: Sheets) -> list[str]:
    """Return what is said of tables that are no part of a plan: they are not carried on."""
    kinds = {Settings.TABLE, *(kind.TABLE for kind in block_tables())}
    others = dict.fromkeys(line["table"] for line in sheets[Assumption.SHEET])
    return [f"the sheet {name} is not carried on: copy it" for name in others if name not in kinds]


def _cell(value: object) -> object:
    """Return a value as a table in memory holds it.

    Numbers stay numbers: as text some read otherwise in another country.
    """
    plain = isinstance(value, (bool, int, float, dt.date))
    return value if plain else text(value)  # type: ignore[arg-type]


def _tables(stockpile: Stockpile) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a stockpile: numbers, and all else as text."""
    found = {kind.TABLE: [_cells(row) for row in rows] for kind, rows in stockpile.tables.items()}
    settings = _cells(stockpile.settings)
    found[Settings.TABLE] = [{"name": name, "value": value} for name, value in settings.items()]
    return found


def _cells(row: Row) -> dict[str, Any]:
    """Return the cells of a row that differ from their defaults."""
    numbers: dict[str, Any] = {
        each.name: getattr(row, each.field)
        for each in columns(type(row))
        if each.kind in ("number", "whole") and not each.many
    }
    numbers |= getattr(row, "values", {})
    for name, (low, high) in row.ranges.items():
        numbers |= {f"{name}_low": low, f"{name}_high": high}
    return {name: numbers.get(name, written) for name, written in write_row(row).items()}
