"""Put plans side by side: plans in memory, plan workbooks, and workbooks that are planned now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api.book import Say
from optimiser.api.compared_plans import Comparable, PlannedNow, Side, side_of, sources_of
from optimiser.api.output_files import check_output_file, is_page
from optimiser.comparison.compared import DECISIONS, Compared
from optimiser.comparison.compared import compare as rows_of
from optimiser.figures import of_comparison
from optimiser.figures.of_comparison.side_by_side import ComparisonPart
from optimiser.html.other_pages import comparison_page
from optimiser.html.saving import write_page
from optimiser.plan.frames import Shown, of_lines
from optimiser.solving.search_options import Progress
from optimiser.system.errors import Fault, InputError, OutputError
from optimiser.workbook.write.compare_book import PlanColumn, write
from optimiser.workbook.write.ownership import Kind, same_file
from stockpile_model.amounts import count, summed

if TYPE_CHECKING:
    import pandas as pd

MOST_OPENING = 3  # decisions that the first line of a comparison names


@dataclass(frozen=True, repr=False)
class SideBySide(Shown):
    """Plans side by side.

    A row has the value of each plan; `differing` are the rows in which a plan differs from the
    first. `notes` are remarks on the plans, a line each.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> same = so.compare(plan, plan)
    >>> isinstance(same, so.SideBySide), same.differing
    (True, ())
    """

    sides: tuple[Side, ...]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the plans."""
        return tuple(each.name for each in self.sides)

    @property
    def differing(self) -> tuple[Compared, ...]:
        """Return the rows in which a plan differs from the first."""
        return tuple(row for row in self.rows if row.differs)

    @property
    def opening(self) -> str:
        """Return whether a decision changes, and the first that do."""
        changed = [each for each in self.differing if each.part == DECISIONS]
        if not changed:
            return "No decision changes."
        said = "; ".join(map(self._said, changed[:MOST_OPENING]))
        more = len(changed) - MOST_OPENING
        return (
            f"{count(len(changed), 'decision changes', 'decisions change')}: {said}"
            + (f"; and {more:,} more" if more > 0 else "")
            + "."
        )

    def _said(self, row: Compared) -> str:
        """Return how a decision changes from the first plan to the others."""
        words = [
            f"{summed(each)} {self.units['quantity']}"
            if isinstance(each, (int, float))
            else "nothing"
            if each is None
            else str(each)
            for each in row.values
        ]
        return f"{row.what} {row.of}".strip() + f" {' -> '.join(words)}"

    @property
    def units(self) -> dict[str, str]:
        """Return the units of amounts; a plan that does not state its own has that of another."""
        money, quantity = (
            next(filter(None, stated), "")
            for stated in zip(*((each.currency, each.unit) for each in self.sides), strict=True)
        )
        return {"money": money or "money", "quantity": quantity or "quantity"}

    @property
    def frame(self) -> pd.DataFrame:
        """Return all rows as a frame: part, what, of, unit, and a column for each plan."""
        columns = ("part", "what", "of", "unit", *self.names)
        return of_lines(
            columns,
            (
                {
                    "part": row.part,
                    "what": row.what,
                    "of": row.of,
                    "unit": row.unit,
                    **dict(zip(self.names, row.values, strict=True)),
                }
                for row in self.rows
            ),
        )

    @cached_property
    def figures(self) -> dict[str, ComparisonPart]:
        """Return the figures of the comparison by name.

        >>> import optimiser as so
        >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
        >>> [*so.compare(plan, plan).figures]
        ['figures', 'appropriations', 'scenarios', 'decisions']
        """
        return of_comparison.figures_of(self.names, self.rows, self.units)

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the comparison as a workbook (.xlsx) or as a page (.html).

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError; then nothing has changed.
        """
        target = Path(path)
        check_output_file(target, Kind.COMPARISON, force)
        columns = [_column(each) for each in self.sides]
        if is_page(target):
            about = {each.name: each.about for each in columns}
            charts = of_comparison.charts_of(self.names, self.rows, self.units)
            of = (self.names, self.figures.values(), charts, about, self.notes)
            write_page(comparison_page(*of), target, force)
        else:
            write(columns, self.figures, (self.opening, *self.notes), target)
        return target

    def as_object(self) -> dict[str, object]:
        """Return the comparison as one object, as `stockpile compare --json` prints it.

        >>> import optimiser as so
        >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
        >>> so.compare(plan, plan).as_object()["units"]
        {'money': 'USD', 'quantity': 'kg'}
        """
        from optimiser.api.comparison_object import as_object

        return as_object(self)

    def _title(self) -> str:
        return f"{' and '.join(self.names)}: {len(self.differing)} of {len(self.rows)} rows differ"

    def _facts(self) -> Mapping[str, object]:
        return {
            f"{row.what} {row.of}".strip(): ", ".join(map(str, row.values))
            for row in self.differing
        }


def compare(
    *plans: Comparable,
    names: Sequence[str] = (),
    changes: Sequence[str] = (),
    gap: float | None = None,
    time_limit: float | None = None,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> SideBySide:
    """Put plans side by side: figures, scenarios and decisions, and what differs from the first.

    A plan is in memory, or the path of a plan workbook. A book, or the path of an input workbook,
    is planned now, in memory: after `changes`, to the proven `gap` and within `time_limit` seconds.
    Plans are named by `names`, or else after their files. A plan workbook is stale where its
    workbook, among the plans or in its folder, has changed since.

    `output` (.xlsx or .html) is where the comparison is written; it is checked before anything is
    planned.
    `on_message` gets warnings while it runs, a line each, `on_progress` how far each search is.

    Raises InputError for a file that cannot be read and for plans in different units, OutputError,
    NoPlanError where a workbook has no plan, and what `solve` raises.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> dear = book.change("offers[spot].price = 11")
    >>> prices = so.compare(so.solve(book).plan, dear, names=("base", "dear"))
    >>> prices.names, [row.what for row in prices.differing][0]
    (('base', 'dear'), 'objective')
    """
    target = None if output is None else Path(output)
    if target is not None:
        _check_place(target, plans, force)
    sources = sources_of(plans, names)
    # All plans are read before the first workbook is planned.
    read = [each if each.later else side_of(each, sources) for each in sources]
    planner = PlannedNow(changes, gap, time_limit, on_message, on_progress)
    sides = tuple(each if isinstance(each, Side) else planner.side(each) for each in read)
    _refuse_other_units(sides)
    until = min((each.until for each in sides if each.until is not None), default=None)
    rows = tuple(rows_of([each.sheets for each in sides], until))
    comparison = SideBySide(
        sides, rows, tuple(note for each in sides for note in _notes(each, sides))
    )
    if target is not None:
        comparison.save(target, force)
    return comparison


def _check_place(target: Path, plans: Sequence[Comparable], force: bool) -> None:
    """Raise OutputError where the comparison cannot be written."""
    for each in plans:
        if isinstance(each, (str, Path)) and same_file(target, Path(each)):
            raise OutputError(
                f"{target}: is one of the workbooks to compare, which are never written to; choose"
                " another name"
            )
    check_output_file(target, Kind.COMPARISON, force)


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
                    f"has {what} in {unit}, {sides[first].place} in {units[first]}: they cannot be"
                    " compared"
                )
                raise InputError([Fault(side.place, message)])


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
    """Return the column of a plan in the workbook of a comparison."""
    about = {
        "file": "" if side.source is None else side.source.name,
        "planned from": side.input,
        "sha256 of that": side.sha256,
        "changes": side.changes,
        "planned at": side.run.get("planned at", ""),
        "stale": f"yes: made from another version of {side.stale.name}" if side.stale else "",
    }
    return PlanColumn(side.name, about)
