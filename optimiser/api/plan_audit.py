"""Audit a plan against its workbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from optimiser.api.book import Book, Source, book_of
from optimiser.api.edited_plan import EditedPlan, edited_plan
from optimiser.api.planning.announced_plan import Announced, announced_sheets, read_announced
from optimiser.api.saved_plan import SavedPlan, load_plan, sheets_of
from optimiser.auditing import AnnouncedSheets, Finding
from optimiser.auditing import audit as recompute
from optimiser.plan.frames import Shown
from optimiser.plan.plan import Plan
from optimiser.plan.plan_changes import STAYS_NEAR
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.plan_reader import spelt_alike


@dataclass(frozen=True, repr=False)
class AuditReport(Shown):
    """The result of an audit.

    `figures` is how many were recomputed, `findings` are those that do not agree. `unchecked` is
    what could not be compared, `notes` are remarks on the plan, a line each. `edited` is what edits
    by hand come to, where the plan has some.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> report = so.audit(book, so.solve(book).plan)
    >>> isinstance(report, so.AuditReport), report.figures > 100
    (True, True)
    """

    figures: int
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    edited: EditedPlan | None = None

    def _title(self) -> str:
        return f"Audit: {len(self.findings):,} of {self.figures:,} figures do not agree"

    def _facts(self) -> Mapping[str, object]:
        lines = (*map(str, self.findings), *(f"not checked: {each}" for each in self.unchecked))
        return {f"{number}": line for number, line in enumerate(lines, start=1)}


def audit(
    source: Source,
    plan: Plan | SavedPlan | str | Path | None,
    *,
    changes: Sequence[str] = (),
    near: Announced | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> AuditReport:
    """Recompute a plan from its workbook, without model and solver.

    Both may be in memory, or the path of a file. A workbook that is read gets the changes that the
    plan was made with, then `changes`. `near` is the announced plan to which it stays near: then
    what was announced, its unit values and the changed cells of the sheet `changes` are recomputed
    too. `on_phase` gets what is done, in words. Raises InputError for a file that cannot be read,
    for a plan that holds first decisions only, and for one that stays near no plan where `near` is
    given.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> announced = so.solve(book).plan
    >>> so.audit(book, announced).findings
    ()
    >>> plan = so.solve(book, near=announced).plan
    >>> so.audit(book, plan, near=announced).findings
    ()
    """
    now = on_phase or (lambda _: None)
    now("reading the plan")
    given = load_plan(plan) if isinstance(plan, (str, Path)) else plan
    sheets = sheets_of(given)
    _refuse_first_decisions(given, plan)
    saved = given if isinstance(given, SavedPlan) else None
    made_with = saved.changes if saved and not isinstance(source, Book) else ()
    now("reading the workbook")
    book = book_of(source, (*made_with, *changes))
    if saved:
        spelt_alike(sheets, book.stockpile)
    now("recomputing the plan")
    recomputed = recompute(book.stockpile, sheets, _announced(given, near))
    notes = (
        *(saved.reading.notes if saved else ()),
        *(f"the plan was made with {change}: so it is audited" for change in made_with),
        *_other_file(source, book, saved),
    )
    edited = edited_plan(sheets, recomputed.findings, book.stockpile.settings.currency)
    return AuditReport(recomputed.figures, recomputed.findings, recomputed.unchecked, notes, edited)


def _announced(given: Plan | SavedPlan | None, near: Announced | None) -> AnnouncedSheets | None:
    """Return the sheets of an announced plan. Raises InputError where a plan stays near none."""
    if near is None:
        return None
    announced, file = read_announced(near)
    run = given.run if isinstance(given, Plan) else given.reading.run if given else {}
    if STAYS_NEAR not in run:
        message = "was announced, and the plan that is audited stays near none: leave --near out"
        raise InputError([Fault(file, message)])
    return announced_sheets(announced)


def _refuse_first_decisions(given: Plan | SavedPlan | None, plan: object) -> None:
    """Raise InputError for a plan whose later decisions are not known."""
    if given is not None and given.until is not None:
        message = (
            f"holds what is done before {given.until}, when the first scenario is known: what"
            " follows was audited when it was made, and cannot be recomputed from the workbook"
            " alone"
        )
        where = str(plan) if isinstance(plan, (str, Path)) else "plan"
        raise InputError([Fault(where, message)])


def _other_file(source: Source, book: Book, saved: SavedPlan | None) -> tuple[str, ...]:
    """Return the note that a plan was made from another file; nothing where that is not known."""
    made_from = saved.reading.run.get("input sha256", "") if saved else ""
    if "" in (made_from, book.sha256) or made_from == book.sha256:
        return ()
    name = book.source if isinstance(source, Book) else source
    return (
        f"{name} is not, or no longer, the file that the plan was made from: its sha256 differs",
    )
