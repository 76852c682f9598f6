"""What to plan and how, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from optimiser.explaining.shortages import Explanation
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.workbook.read.input_reader import Reading
from stockpile_model.changes import Change


@dataclass(frozen=True, kw_only=True)
class Request:
    """A workbook to plan, and how. None means: as the settings of the workbook say.

    `firm`: plan with firm supply only too, and compare. `shares`: plan for every group of buyers
    too, and split the cost. `value`: plan for each scenario alone and for their mean too. `floors`:
    plan with each other level of each contract too. `whole_orders`: plan with whole orders beyond
    firm_periods too. `bundles`: plan the scenarios in so many bundles, none of whose models holds
    all. `workers`: processes that plan bundles; 0 is one for each core. `decompose`: how mpi-sppy
    bounds the bundles, over the ranks of an MPI run. `force`: replace any file at `output` and
    `model_file`, not only what this program wrote.
    """

    source: Path
    output: Path | None = None
    changes: Sequence[Change] = ()
    gap: float | None = None
    time_limit: float | None = None
    threads: int | None = None
    solver: str | None = None
    model_file: Path | None = None
    firm: bool = False
    shares: bool = False
    value: bool = False
    floors: bool = False
    whole_orders: bool = False
    bundles: int | None = None
    workers: int = 0
    decompose: Literal["lagrangian", "ef"] | None = None
    force: bool = False

    @property
    def target(self) -> Path:
        """Return the path of the plan: by default `gallium-plan.xlsx` next to `gallium.xlsx`."""
        if self.output is not None:
            return self.output
        source = self.source.resolve()
        return source.with_name(f"{source.stem if source.is_file() else source.name}-plan.xlsx")

    def options(self, reading: Reading) -> Options:
        """Return the options of the search, with the settings of the workbook for what is None."""
        settings = reading.stockpile.settings
        limit, threads = self.time_limit, self.threads
        return Options(
            gap=settings.mip_gap if self.gap is None else self.gap,
            time_limit=settings.time_limit_seconds if limit is None else limit,
            threads=settings.threads if threads is None else threads,
            seed=settings.seed,
        )


@dataclass(frozen=True)
class Answer:
    """How it ended: a status of the contract, the plan and where it was written, or why there is
    none.
    """

    status: str
    seconds: float
    plan: Plan | None = None
    path: Path | None = None
    explanation: Explanation | None = None
    interrupted: bool = False
