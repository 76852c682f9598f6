"""What is requested of a plan, and how its search is limited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from optimiser.api.book import Book
from optimiser.solving.search_options import Options
from optimiser.studies.what_ifs import WHAT_IFS, WhatIf
from optimiser.system.errors import Fault, InputError
from stockpile_model.schema import nearest


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is requested of a plan of all scenarios in one model.

    `what_ifs` are the kinds of the what-ifs that it answers too, `whole_orders`: the bound on the
    cost of relaxed orders too. `workers` are the processes that plan them: 0 is this one, None one
    for each core. `record` keeps their runs. `force`: replace any file at `output`, `page` and
    `model_file`, not only what this program wrote.
    """

    solver: str | None = None
    what_ifs: tuple[str, ...] = ()
    whole_orders: bool = False
    workers: int | None = 0
    output: Path | None = None
    page: Path | None = None
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
