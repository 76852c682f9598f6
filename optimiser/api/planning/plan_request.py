"""What is requested of a plan, and how its search is limited."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from optimiser.api.book import Book
from optimiser.api.planning.announced_plan import Announced
from optimiser.solving.search_options import Options
from optimiser.studies.what_ifs import WHAT_IFS, WhatIf
from optimiser.system.errors import Fault, InputError
from stockpile_model.schema import nearest


@dataclass(frozen=True, kw_only=True)
class Request:
    """Describe what is requested of a plan of all scenarios in one model.

    `what_ifs` are the kinds of the what-ifs that it answers too, `whole_orders`: the bound on the
    cost of relaxed orders too. `near` is a plan that was announced, `change_cost` what a change to
    it costs, as a share of its value. `workers` are the processes that plan them: 0 is this one,
    None one for each core. `record` keeps their runs. `force`: replace any file at `output`,
    `page`, `memo` and `model_file`, not only what this program wrote.
    """

    solver: str | None = None
    what_ifs: tuple[str, ...] = ()
    near: Announced | None = None
    change_cost: float | None = None
    whole_orders: bool = False
    workers: int | None = 0
    output: Path | None = None
    page: Path | None = None
    memo: Path | None = None
    model_file: Path | None = None
    record: Path | None = None
    force: bool = False

    @property
    def wanted(self) -> list[WhatIf]:
        """Return the what-ifs. Raises InputError for a kind that there is not."""
        kinds = [each.kind for each in WHAT_IFS]
        if unknown := [each for each in self.what_ifs if each not in kinds]:
            raise InputError(
                Fault(
                    "what_ifs",
                    f"there is no what-if {each!r}{nearest(each, kinds)}; there are"
                    f" {', '.join(kinds)}",
                )
                for each in unknown
            )
        return [each for each in WHAT_IFS if each.kind in self.what_ifs]

    def check_near(self) -> None:
        """Raise InputError where staying near a plan is asked for in a way that cannot be."""
        if self.change_cost is not None and self.near is None:
            message = "prices changes to an announced plan: name that plan with --near"
            raise InputError([Fault("--change-cost", message)])
        if self.near is None:
            return
        price = self.change_cost
        if price is not None and not (math.isfinite(price) and price >= 0):
            message = f"must be a finite share of at least 0, found {price:g}; 0.05 is 5 %"
            raise InputError([Fault("--change-cost", message)])
        if self.solver is not None:
            message = f"searches with HiGHS alone: it cannot go with --solver {self.solver}"
            raise InputError([Fault("--near", message)])
        if unfit := [each.kind for each in self.wanted if each.compares]:
            message = (
                f"cannot go with the what-if {unfit[0].replace('_', ' ')}, which compares the"
                " cheapest plans: ask for one at a time"
            )
            raise InputError([Fault("--near", message)])


def options_of(
    book: Book, gap: float | None, time_limit: float | None, threads: int | None
) -> Options:
    """Return the options of the search, with the settings of the workbook for what is None."""
    settings = book.stockpile.settings
    return Options(
        gap=settings.mip_gap if gap is None else gap,
        time_limit=settings.time_limit_seconds if time_limit is None else time_limit,
        threads=settings.threads if threads is None else threads,
        seed=settings.seed,
    )
