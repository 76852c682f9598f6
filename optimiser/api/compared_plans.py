"""The plans of a comparison: read from files, taken from memory, or planned now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optimiser.api.book import Book, Say
from optimiser.api.planning.planner import solve
from optimiser.api.saved_plan import NO_PLAN, SavedPlan, load_plan
from optimiser.auditing import Sheets
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Progress
from optimiser.system.errors import Fault, InputError, NoPlanError, StockpileError
from optimiser.workbook.read.input_reader import fingerprint
from optimiser.workbook.read.plan_reader import is_plan

Comparable = Plan | SavedPlan | Book | str | Path | None
"""A plan, or a workbook that is planned now; in memory, or the path of one."""


@dataclass(frozen=True)
class Side:
    """A plan as it is compared.

    `run` says how it was made. `source` is its file. `now`: its workbook is planned now. `until`:
    it holds what is done before that date. `stale`: the workbook that has changed since the plan
    was made.
    """

    name: str
    sheets: Sheets
    currency: str
    unit: str
    run: Mapping[str, str]
    source: Path | None = None
    now: bool = False
    until: dt.date | None = None
    stale: Path | None = None

    @property
    def input(self) -> str:
        """Return the name of its workbook."""
        return self.run.get("input", "")

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its workbook."""
        return self.run.get("input sha256", "")

    @property
    def changes(self) -> str:
        """Return the changes to its workbook that it was made with."""
        return self.run.get("changes", "")

    @property
    def place(self) -> str:
        """Return the file of the plan, or else its name."""
        return self.name if self.source is None else str(self.source)


@dataclass(frozen=True)
class PlanSource:
    """A plan to compare, or a workbook that is planned `later`, once all plans have been read."""

    plan: Plan | SavedPlan | Book | Path
    name: str
    later: bool

    @property
    def path(self) -> Path | None:
        """Return its file; None in memory."""
        return self.plan if isinstance(self.plan, Path) else None


def sources_of(plans: Sequence[Comparable], names: Sequence[str] = ()) -> list[PlanSource]:
    """Return the plans with their names: those given, or those of their files; their paths where
    two are alike, and of plans in memory their numbers.

    Raises StockpileError where there is no plan, and InputError for a file that cannot be read.
    """
    given = [_given(each) for each in plans]
    stems = [_stem(each) for each in given]
    sources = []
    for number, (each, stem) in enumerate(zip(given, stems, strict=True), start=1):
        later = isinstance(each, Book) or (isinstance(each, Path) and not is_plan(each))
        name = f"plan {number}" if not stem else stem if stems.count(stem) == 1 else str(each)
        sources.append(PlanSource(each, f"{name}, planned now" if later else name, later))
    if not names:
        return sources
    return [replace(each, name=name) for each, name in zip(sources, names, strict=True)]


def _given(plan: Comparable) -> Plan | SavedPlan | Book | Path:
    if plan is None:
        raise StockpileError(NO_PLAN)
    return Path(plan) if isinstance(plan, str) else plan


def _stem(plan: object) -> str:
    """Return the name of the file of a plan without its ending; an empty text in memory."""
    if not isinstance(plan, Path):
        return ""
    return plan.stem if plan.is_file() else plan.resolve().name


def side_of(source: PlanSource, sources: Sequence[PlanSource]) -> Side:
    """Return a plan as it is compared. Raises InputError that names its file."""
    plan = source.plan
    if isinstance(plan, Path):
        side = replace(_of_saved(_read(plan), source.name), source=plan)
        inputs = [each.path for each in sources if each.later and each.path is not None]
        return replace(side, stale=_changed(side, plan, inputs))
    if isinstance(plan, SavedPlan):
        return _of_saved(plan, source.name)
    assert isinstance(plan, Plan)  # a book is planned now
    return _of_plan(plan, source.name)


def _of_saved(saved: SavedPlan, name: str) -> Side:
    reading, settings = saved.reading, saved.reading.settings
    money, quantity = settings.get("currency", ""), settings.get("quantity_unit", "")
    return Side(name, reading.sheets, money, quantity, reading.run, until=saved.until)


def _of_plan(plan: Plan, name: str) -> Side:
    run = {key: str(value) for key, value in plan.run.items()}
    return Side(name, as_sheets(plan), plan.currency, plan.unit, run, until=plan.until)


def _read(path: Path) -> SavedPlan:
    """Read a plan workbook. Raises InputError that names the file."""
    try:
        return load_plan(path)
    except InputError as error:
        first, more = error.faults[0], len(error.faults) - 1
        where = first.where if first.where == str(path) else f"{path}: {first.where}"
        raise InputError(
            [Fault(where, first.message + (f" (and {more} more)" if more else ""))]
        ) from error


def _changed(side: Side, path: Path, inputs: Sequence[Path]) -> Path | None:
    """Return the workbook of a plan, given or in its folder, where it has changed since."""
    if not side.input or not side.sha256:
        return None
    name = Path(side.input).name
    given = [each for each in inputs if each.resolve().name == name] or [path.with_name(name)]
    return next(
        (each for each in given if each.exists() and fingerprint(each) != side.sha256), None
    )


@dataclass(frozen=True)
class PlannedNow:
    """Describe how workbooks are planned for a comparison."""

    changes: Sequence[str]
    gap: float | None
    time_limit: float | None
    say: Say | None
    progress: Callable[[Progress], None] | None

    def side(self, source: PlanSource) -> Side:
        """Plan a workbook. Raises InputError that names its file, and NoPlanError."""
        assert isinstance(source.plan, (Book, Path))
        place = source.name if source.path is None else str(source.path)
        try:
            solution = solve(
                source.plan,
                changes=self.changes,
                gap=self.gap,
                time_limit=self.time_limit,
                on_message=self.say,
                on_progress=self.progress,
            )
        except InputError as error:
            raise InputError(_placed(error.faults, place)) from error
        if solution.plan is None:
            message = f"{place}: " + "\n".join(solution.reasons)
            raise NoPlanError(message, solution.status, solution.interrupted)
        return replace(_of_plan(solution.plan, source.name), source=source.path, now=True)


def _placed(faults: Iterable[Fault], place: str) -> Iterator[Fault]:
    """Yield faults that name the file of each cell."""
    for each in faults:
        yield Fault(each.where if each.where == place else f"{place}: {each.where}", each.message)
