"""What is wrong with the sheet `studies`, beyond a single cell."""

from __future__ import annotations

from collections.abc import Container, Iterator

from optimiser.studies.study_sheet.study_inputs import Input, input_of
from optimiser.studies.study_sheet.study_table import (
    DISCRETE,
    MEASURES,
    SAMPLED,
    TARGET,
    Study,
    by_name,
    decision,
)
from stockpile_model import changes
from stockpile_model.block import deeds
from stockpile_model.names import identity
from stockpile_model.schema import Problem, get, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import normal, text


def check(stockpile: Stockpile, doubtful: Container[str] = ()) -> Iterator[Problem]:
    """Yield what is wrong with the studies, beyond a single cell.

    `doubtful`: tables that have faults of their own; what studies say of their cells is judged when
    these are fixed.
    """
    for rows in by_name(stockpile).values():
        yield from _check_study(stockpile, rows)
        for row in rows:
            yield from _check_row(stockpile, row, normal(row.table or "") in doubtful)


def _check_study(stockpile: Stockpile, rows: tuple[Study, ...]) -> Iterator[Problem]:
    """Yield what is wrong with a study as a whole."""
    first = rows[0]
    for row in rows[1:]:
        if row.kind != first.kind:
            yield Problem(
                row.TABLE,
                row.line,
                "kind",
                f"must be {first.kind} as in row {first.line}: one study has one kind",
            )
    most = {"sweep": 2, "frontier": 1, "threshold": 1, "alternatives": 1}.get(first.kind)
    if most and len(rows) > most:
        said = (
            f"has {len(rows)} rows: a {first.kind} has {most} at most; give the others another name"
        )
        yield Problem(first.TABLE, rows[most].line, "study", said)
    if first.kind == "alternatives" and stockpile.settings.objective == "shortfall_first":
        said = (
            "alternatives are judged by cost: they need the objective cost, found shortfall_first"
        )
        yield Problem(first.TABLE, first.line, "kind", said)
    if first.kind in ("morris", "sobol") and len(rows) < 2:
        yield Problem(
            first.TABLE,
            first.line,
            "study",
            f"needs two inputs or more for {first.kind}: add rows of the same name",
        )


def _check_row(stockpile: Stockpile, row: Study, doubtful: bool) -> Iterator[Problem]:
    """Yield what is wrong with a row."""
    if row.kind == "alternatives":
        if row.high is not None and row.high <= 0:
            yield _problem(
                row,
                "high",
                f"must be above 0: the share by which a plan may cost more, found {row.high:g}",
            )
        return
    if row.kind == "frontier" and not row.table:
        yield from _check_measure(stockpile, row)
        return
    for name in ("table", "column"):
        if not get(row, name):
            yield _problem(row, name, "is required: which cell is changed")
    if row.kind == "threshold":
        yield from _check_decision(stockpile, row)
    elif row.decision is not None:
        yield Problem(
            row.TABLE,
            row.line,
            "decision",
            f"has no effect on {row.kind}: it is for a threshold",
            warning=True,
        )
    if not doubtful and row.table and row.column:
        yield from _check_cells(stockpile, row)


def _problem(row: Study, name: str, message: str) -> Problem:
    """Return what is wrong with a cell of a row."""
    return Problem(row.TABLE, row.line, name, message)


def _check_measure(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    """Yield what is wrong with a frontier of a measure of the plan."""
    measure = normal(row.column or "")
    if measure not in MEASURES:
        yield _problem(
            row,
            "column",
            f"must be {' or '.join(MEASURES)} where table is blank, found {row.column!r}",
        )
    elif measure == "cvar" and not _uncertain(stockpile):
        yield _problem(
            row, "column", "is cvar, but the workbook has no scenarios: nothing is at risk"
        )


def _check_cells(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    """Yield why the cells of a row cannot be moved."""
    try:
        moved = input_of(stockpile, row)
    except changes.UnknownError as reason:
        yield _problem(row, reason.part, f"{reason}")
        return
    except ValueError as reason:
        message = str(reason)
        column = "high" if "low" in message else "how" if "how" in message else "column"
        yield _problem(row, column, message)
        return
    for name, value in (("low", moved.low), ("high", moved.high)):
        try:
            changes.apply(stockpile, moved.change(value))
        except ValueError as reason:
            yield _problem(row, name, f"cannot be {value:g}: {reason}")
    if row.kind in SAMPLED:
        yield from _check_distribution(row, moved)


def _check_distribution(row: Study, moved: Input) -> Iterator[Problem]:
    """Yield why the values of an input cannot be drawn."""
    if row.distribution == "lognormal" and moved.low <= 0:
        yield _problem(row, "low", f"must be above 0 for lognormal, found {moved.low:g}")
    if moved.step is None and row.distribution == DISCRETE:
        yield _problem(
            row,
            "distribution",
            f"must not be {DISCRETE}: {row.column} is no date, duration or whole number",
        )
    elif moved.step is not None and row.distribution != DISCRETE:
        whole = moved.step == 1 and moved.unit != "months"
        what = "a whole number" if whole else "moved by whole periods"
        yield _problem(
            row,
            "distribution",
            f"must be {DISCRETE}: {row.column} is {what}, found {row.distribution}",
        )


def _check_decision(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    """Yield what is wrong with the decision of a threshold."""
    kind, name, _ = decision(row)
    if kind == TARGET and not name:
        return
    if stockpile.settings.objective == "shortfall_first":
        said = (
            f"{row.decision!r} is judged by cost: it needs the objective cost, found"
            f" shortfall_first; {TARGET} needs no cost"
        )
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    known = deeds()
    if kind not in known:
        said = (
            f"must be {TARGET}, or {', '.join(known)} with a name, as in 'sign metlen', found"
            f" {row.decision!r}"
        )
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    table = known[kind].table
    names = [text(each) for each in stockpile.names(table)]
    if identity(name) not in map(identity, names):
        yield Problem(
            row.TABLE,
            row.line,
            "decision",
            f"{name!r} has no row in the sheet {table}{nearest(name, names)}",
        )


def _uncertain(stockpile: Stockpile) -> bool:
    """Return whether a stockpile has scenarios."""
    return any(kind.TABLE == "scenarios" and rows for kind, rows in stockpile.tables.items())
