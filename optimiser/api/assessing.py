"""Assess the adequacy of the supply that a plan brings, by fiscal year and scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api.book import Say, Source, path_of
from optimiser.api.output_files import page_at
from optimiser.api.planning.plan_object import plain_rows
from optimiser.api.planning.planner import check_page_of, solve
from optimiser.api.planning.solution import Solution
from optimiser.api.saved_plan import NO_PLAN
from optimiser.plan.frames import Shown, frame
from optimiser.solving.solve import Progress
from optimiser.studies.what_ifs.adequacy import ADEQUACY, EmbargoAssessed, YearAssessed, sentences
from optimiser.system.errors import StockpileError
from stockpile_model.schema import Result

if TYPE_CHECKING:
    import pandas as pd

    from optimiser.figures.figure import TableFigure


LASTS = "settings.embargo_months"
"""The cell that says how long an embargo lasts, as `--set` names it."""


@dataclass(frozen=True, repr=False)
class Adequacy(Shown):
    """The assessment of the supply that a plan brings.

    `solution` holds the plan, or the reason why there is none. Where the search was interrupted
    before the assessment, `years` and `embargoes` are empty.

    >>> import optimiser as so
    >>> found = so.adequacy("inputs/small.xlsx")
    >>> isinstance(found, so.Adequacy), found.years["stock"].tolist()
    (True, [20.0])
    """

    solution: Solution

    @property
    def years(self) -> pd.DataFrame:
        """Return a row for each fiscal year, scenario and material: sheet `adequacy`."""
        return frame(YearAssessed, self._of(YearAssessed))

    @property
    def embargoes(self) -> pd.DataFrame:
        """Return a row for each month from which an embargo is asked about: sheet `embargo`."""
        return frame(EmbargoAssessed, self._of(EmbargoAssessed))

    @property
    def complete(self) -> bool:
        """Return whether there is a plan that was assessed."""
        return bool(self._of(YearAssessed))

    @property
    def said(self) -> tuple[str, ...]:
        """Return the assessment in sentences."""
        plan = self.solution.plan
        rows = (*self._of(YearAssessed), *self._of(EmbargoAssessed))
        return tuple(sentences(plan.stockpile, rows)) if plan is not None and rows else ()

    @property
    def figures(self) -> dict[str, TableFigure]:
        """Return the tables of the assessment in brief, by name: a line for each fiscal year of the
        scenario that is counted. There are none before the assessment.

        >>> import optimiser as so
        >>> [len(each.lines) for each in so.adequacy("inputs/small.xlsx").figures.values()]
        [1, 1]
        """
        from optimiser.figures.of_plan import supply_adequacy
        from optimiser.figures.of_plan.plan_rows import PlanRows

        plan = self.solution.plan
        found = () if plan is None else supply_adequacy.brief(PlanRows(plan), {})
        return {each.name: each for each in found}

    def _of(self, kind: type[Result]) -> tuple[Result, ...]:
        return () if self.solution.plan is None else self.solution.plan.of(kind)

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the assessment as a page (.html).

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError, and StockpileError where there is no plan; then nothing has
        changed.
        """
        from optimiser.figures.of_plan import supply_adequacy
        from optimiser.figures.of_plan.plan_rows import PlanRows
        from optimiser.html.other_pages import adequacy_page
        from optimiser.html.saving import write_page

        target, plan = page_at(path, "an assessment"), self.solution.plan
        if plan is None or not self.complete:
            raise StockpileError(NO_PLAN)
        rows = PlanRows(plan)
        counted = supply_adequacy.figures(rows, {})
        every = supply_adequacy.every_row(rows) if rows.scenarios else ()
        title = plan.title or "Stockpile"
        write_page(adequacy_page(title, counted, every, self.said), target, force)
        return target

    def as_object(self) -> dict[str, object]:
        """Return the assessment as one object, as `stockpile adequacy --json` prints it.

        >>> import optimiser as so
        >>> so.adequacy("inputs/small.xlsx").as_object()["adequacy"][0]["fiscal_year"]
        'FY2030'
        """
        outcome = self.solution.as_object()
        named = ("status", "objective", "bound", "gap", "plan", "seconds", "explanation")
        found: dict[str, object] = {name: outcome[name] for name in named if name in outcome}
        if self.complete:
            found["said"] = list(self.said)
            for kind in (YearAssessed, EmbargoAssessed):
                found[kind.SHEET] = plain_rows(self._of(kind))
        return found

    def _title(self) -> str:
        plan = self.solution.plan
        return f"Adequacy {plan.title}".strip() if plan else "No plan to assess"

    def _facts(self) -> Mapping[str, object]:
        if self.solution.plan is None:
            return {"status": self.solution.status, "reasons": "; ".join(self.solution.reasons)}
        return {"status": self.solution.status, "assessment": " ".join(self.said)}


def adequacy(
    source: Source,
    *,
    changes: Sequence[str] = (),
    months: float | None = None,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    workers: int | None = 0,
    output: str | Path | None = None,
    page: str | Path | None = None,
    record: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Adequacy:
    """Plan a workbook, and assess the supply of each fiscal year in each scenario.

    `months` is how long an embargo lasts, a whole number of periods; by default it is what
    `settings.embargo_months` says, a year where it says nothing. The options, the record, what is
    written and what is raised are those of `solve`: the plan of the workbook `output` has the
    sheets `adequacy` and `embargo` too. `page` (.html) is where the page of the assessment is
    written.

    >>> import optimiser as so
    >>> so.adequacy("inputs/small.xlsx").embargoes["unmet"].tolist()
    [120.0, 90.0, 100.0, 90.0]
    >>> so.adequacy("inputs/small.xlsx", months=3).embargoes["unmet"].tolist()
    [30.0, 0.0, 10.0, 0.0]
    """
    if page is not None:
        check_page_of(page_at(page, "an assessment"), path_of(source), force)
    found = Adequacy(
        solve(
            source,
            changes=(*changes, *(() if months is None else (f"{LASTS} = {months:g}",))),
            gap=gap,
            time_limit=time_limit,
            threads=threads,
            what_ifs=(ADEQUACY.kind,),
            workers=workers,
            output=output,
            record=record,
            force=force,
            on_message=on_message,
            on_progress=on_progress,
        )
    )
    if page is not None and found.complete:
        found.save(page, force)
    return found
