"""From plan workbooks, and workbooks to be planned, to their comparison.

The command line and a program both call it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from optimiser.auditing import Sheets
from optimiser.comparison.compared import Compared, compare
from optimiser.desk.bounded_solve import Watch
from optimiser.desk.plan_request import Answer, Request
from optimiser.desk.planner import plan_now
from optimiser.figures import of_comparison
from optimiser.figures.of_comparison.side_by_side import ComparisonPart
from optimiser.plan.audited import as_sheets
from optimiser.scenarios.bundles.trunk_plan import DECIDED
from optimiser.system.errors import Fault, InputError, OutputError, StockpileError
from optimiser.workbook.read.input_reader import fingerprint
from optimiser.workbook.read.plan_reader import is_plan, read_plan
from optimiser.workbook.write.compare_book import PlanColumn, write
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from stockpile_model.changes import Change


@dataclass(frozen=True, kw_only=True)
class ComparisonRequest:
    """The plans to compare.

    `changes`, `gap` and `time_limit` are for the workbooks that are planned now.
    """

    sources: Sequence[Path]
    output: Path | None = None
    changes: Sequence[Change] = ()
    gap: float | None = None
    time_limit: float | None = None
    force: bool = False  # replace any file at `output`


@dataclass(frozen=True)
class Side:
    """A plan as it is compared.

    `until`: it holds what is done before that date; `stale`: the workbook that has changed since
    the plan was made.
    """

    source: Path
    name: str
    sheets: Sheets
    currency: str
    unit: str
    input: str
    sha256: str
    changes: str
    planned_at: str
    now: bool
    until: dt.date | None = None
    stale: Path | None = None


@dataclass(frozen=True)
class Comparison:
    """Plans side by side: a row has a value for each side. `notes` are a line each."""

    sides: tuple[Side, ...]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...]

    @property
    def units(self) -> dict[str, str]:
        """Return the units of amounts; a plan that does not state its own has that of another."""
        money, quantity = (
            next(filter(None, found), "")
            for found in zip(*((each.currency, each.unit) for each in self.sides), strict=True)
        )
        return {"money": money or "money", "quantity": quantity or "quantity"}

    @cached_property
    def figures(self) -> dict[str, ComparisonPart]:
        """Return the figures of the comparison by name."""
        return of_comparison.figures_of([each.name for each in self.sides], self.rows, self.units)


class NoPlanError(StockpileError):
    """A workbook to compare has no plan."""

    def __init__(self, source: Path, answer: Answer) -> None:
        self.answer = answer
        why = (
            answer.explanation.lines()
            if answer.explanation
            else ["No plan was found within the time limit."]
        )
        super().__init__(f"{source}: " + "\n".join(why))


def make_comparison(
    request: ComparisonRequest, say: Callable[[str], None], progress: Watch = None
) -> Comparison:
    """Compare plans, and write the comparison where the request names an output.

    `say` gets messages, a line each.

    Raises InputError for a file that cannot be read and for plans in different units, OutputError,
    NoPlanError, and what solving raises.
    """
    if request.output is not None:
        if any(same_file(request.output, source) for source in request.sources):
            raise OutputError(
                f"{request.output}: is one of the workbooks to compare, which are never written to;"
                " choose another name"
            )
        check_target(request.output, Kind.COMPARISON)
        refuse_foreign(request.output, Kind.COMPARISON, request.force)
    planned = [is_plan(source) for source in request.sources]
    inputs = [source for source, is_one in zip(request.sources, planned, strict=True) if not is_one]
    names = _names(request.sources, planned)
    pairs = zip(request.sources, names, planned, strict=True)
    # All plans are read before the first workbook is planned.
    read = [
        _read(source, name, inputs) if is_one else _Later(source, name)
        for source, name, is_one in pairs
    ]
    sides = tuple(
        each if isinstance(each, Side) else _now(each, request, say, progress) for each in read
    )
    _refuse_other_units(sides)
    until = min((each.until for each in sides if each.until is not None), default=None)
    rows = tuple(compare([each.sheets for each in sides], until))
    notes = tuple(note for each in sides for note in _notes(each, sides))
    comparison = Comparison(sides, rows, notes)
    if request.output is not None:
        write([_column(each) for each in sides], comparison.figures, notes, request.output)
    return comparison


@dataclass(frozen=True)
class _Later:
    """A workbook that is planned once all plans have been read."""

    source: Path
    name: str


def _names(sources: Sequence[Path], planned: Sequence[bool]) -> list[str]:
    """Return the names of the plans: of their files, or their paths where two are alike."""
    stems = [source.stem if source.is_file() else source.resolve().name for source in sources]
    names = [
        stem if stems.count(stem) == 1 else str(source)
        for stem, source in zip(stems, sources, strict=True)
    ]
    return [
        name if is_one else f"{name}, planned now"
        for name, is_one in zip(names, planned, strict=True)
    ]


def _read(source: Path, name: str, inputs: Sequence[Path]) -> Side:
    """Read a plan workbook. Raises InputError that names the file."""
    try:
        saved = read_plan(source)
    except InputError as error:
        first, more = error.faults[0], len(error.faults) - 1
        where = first.where if first.where == str(source) else f"{source}: {first.where}"
        raise InputError(
            [Fault(where, first.message + (f" (and {more} more)" if more else ""))]
        ) from error
    run, settings = saved.run, saved.settings
    side = Side(
        source=source,
        name=name,
        sheets=saved.sheets,
        currency=settings.get("currency", ""),
        unit=settings.get("quantity_unit", ""),
        input=run.get("input", ""),
        sha256=run.get("input sha256", ""),
        changes=run.get("changes", ""),
        planned_at=run.get("planned at", ""),
        now=False,
    )
    until = run.get(DECIDED)
    return replace(
        side, until=dt.date.fromisoformat(until) if until else None, stale=_changed(side, inputs)
    )


def _changed(side: Side, inputs: Sequence[Path]) -> Path | None:
    """Return the workbook of a plan, given or in its folder, where it has changed since."""
    if not side.input or not side.sha256:
        return None
    name = Path(side.input).name
    given = [path for path in inputs if path.resolve().name == name] or [
        side.source.with_name(name)
    ]
    return next(
        (path for path in given if path.exists() and fingerprint(path) != side.sha256), None
    )


def _now(
    later: _Later, wanted: ComparisonRequest, say: Callable[[str], None], progress: Watch
) -> Side:
    request = Request(
        source=later.source, changes=wanted.changes, gap=wanted.gap, time_limit=wanted.time_limit
    )
    try:
        answer = plan_now(request, say, progress)
    except InputError as error:
        places = (
            each.where if each.where == str(later.source) else f"{later.source}: {each.where}"
            for each in error.faults
        )
        raise InputError(
            Fault(where, each.message) for where, each in zip(places, error.faults, strict=True)
        ) from error
    plan = answer.plan
    if plan is None:
        raise NoPlanError(later.source, answer)
    run = {name: str(value) for name, value in plan.run.items()}
    return Side(
        later.source, later.name, as_sheets(plan), plan.currency, plan.unit,
        run["input"], run["input sha256"], run["changes"], run["planned at"], now=True,
    )  # fmt: skip


def _refuse_other_units(sides: Sequence[Side]) -> None:
    """Raise InputError where two plans are in different units; one may state none."""
    for what, units in (
        ("money", [side.currency for side in sides]),
        ("quantities", [side.unit for side in sides]),
    ):
        first = next((k for k, unit in enumerate(units) if unit), 0)
        for side, unit in zip(sides, units, strict=True):
            if unit and unit != units[first]:
                message = (
                    f"has {what} in {unit}, {sides[first].source} in {units[first]}: they cannot be"
                    " compared"
                )
                raise InputError([Fault(str(side.source), message)])


def _notes(side: Side, all_sides: Sequence[Side]) -> list[str]:
    """Return the notes on a plan, a line each."""
    notes = (
        [f"{side.name}: is stale, made from another version of {side.stale}"] if side.stale else []
    )
    if side.changes:
        notes.append(f"{side.name}: is planned with {side.changes}")
    name = Path(side.input).name
    for other in all_sides if side.now else ():
        if (
            not other.now
            and Path(other.input).name == name
            and other.changes not in ("", side.changes)
        ):
            notes.append(
                f"{side.name}: is planned without what {other.name} is planned with; --set gives it"
                " the same changes"
            )
    if side.until:
        notes.append(
            f"{side.name}: holds what is done before {side.until}, so of all plans no later"
            " decisions are compared"
        )
    return notes


def _column(side: Side) -> PlanColumn:
    about = {
        "file": side.source.name,
        "planned from": side.input,
        "sha256 of that": side.sha256,
        "changes": side.changes,
        "planned at": side.planned_at,
        "stale": f"yes: made from another version of {side.stale.name}" if side.stale else "",
    }
    return PlanColumn(side.name, about)
