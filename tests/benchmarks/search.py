"""The search of this project against HiGHS alone, SCIP and CBC on the same model at the same gap,
in processor seconds of one core: `python -m tests.benchmarks.search [MODEL ...] [--limit SECONDS]`.
Takes an hour or more with all models.

`--seeds N` searches the models at N prices that differ by a few per cent: the engine chooses
nothing at random, so these take the place of seeds. `--growth` shows how the time of the engine
grows with the size of made-up books.

SCIP is the package pyscipopt, CBC the command `cbc`. The project needs neither, and what is not
installed is left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.search_models import MODELS, sizes
from tests.benchmarks.search_solvers import INSTALLED, SOLVERS, Search
from tests.benchmarks.show import ROOT, python, table, verdict

ENGINE, HIGHS = "engine", "HiGHS"
FIRST_WANTED = 0.1  # the first plan, in times of HiGHS's own first
SEEDS_WANTED = 0.2  # the worst of the seeds, in times of the best other solver
ONE_CORE = {
    "OPENBLAS_NUM_THREADS": "1"
}  # threads of BLAS spin while they wait, which looks like work
CENTRE = {"periods": 36, "offers": 12, "contracts": 4, "scenarios": 8}
GROWTH = {
    "periods": (24, 36, 48, 72),
    "offers": (6, 12, 24, 48),
    "contracts": (2, 4, 8, 16),
    "scenarios": (4, 8, 16, 32),
}
GROWTH_SEEDS = (1, 2, 3)
GROWTH_GAP = 0.005
# relatively, by how much bounds and plans of two solvers may contradict each other: their own
# tolerances
AGREEMENT = 1e-5
HEADER = ("", "first plan [s]", "seconds", "cost", "gap [%]", "load")


@dataclass(frozen=True)
class Prepared:
    """A model in a folder of its own."""

    folder: Path
    columns: int
    rows: int
    integers: int
    gap: float

    @classmethod
    def of(cls, name: str, seed: int, folder: str) -> Prepared:
        made = python(
            "-m", "tests.benchmarks.search_models", name, str(seed), folder
        ).output.split()
        return cls(Path(folder), *map(int, made[:3]), float(made[3]))

    def search(self, solver: str, gap: float, limit: float, seed: int = 1) -> Search:
        told = python(
            "-m",
            "tests.benchmarks.search_solvers",
            solver,
            str(self.folder),
            str(gap),
            str(limit),
            str(seed),
            **ONE_CORE,
        ).output.splitlines()
        return Search(**json.loads(told[-1]))


@dataclass(frozen=True)
class Compared:
    """How the solvers ended on one model.

    Where the best of the others was cut off, the ratio is at most what it says.
    """

    searches: Mapping[str, Search]

    @property
    def best(self) -> str:
        """Who of the others was first to prove its plan, or if none did the one that was cut off
        first.
        """
        others = {name: each for name, each in self.searches.items() if name != ENGINE}
        return min(others, key=lambda name: (not others[name].finished, others[name].seconds))

    @property
    def ratio(self) -> float:
        ours = self.searches[ENGINE]
        return ours.seconds / self.searches[self.best].seconds if ours.finished else math.inf

    @property
    def first(self) -> float:
        """The engine's first plan in times of HiGHS's own."""
        ours, its = self.searches[ENGINE].first, self.searches[HIGHS]
        return (
            math.inf if ours is None else ours / (its.seconds if its.first is None else its.first)
        )

    def contradiction(self) -> str:
        """Which solver's bound is above which one's plan, if one is: one of the two is wrong."""
        for (prover, proof), (planner, plan) in itertools.product(self.searches.items(), repeat=2):
            if proof.bound is None or plan.objective is None:
                continue
            if proof.bound > plan.objective + AGREEMENT * abs(plan.objective):
                return (
                    f"the bound of {prover}, {proof.bound:,.0f}, is above the plan of {planner},"
                    f" {plan.objective:,.0f}"
                )
        return ""


def measured(
    name: str, solvers: Sequence[str], limit: float, seed: int = 0
) -> tuple[Prepared, Compared]:
    """Let each solver search a model."""
    with tempfile.TemporaryDirectory() as folder:
        made = Prepared.of(name, seed, folder)
        return made, Compared(
            {each: made.search(each, made.gap, limit, seed or 1) for each in solvers}
        )


def _told(name: str, search: Search) -> list[object]:
    gap = math.inf if search.gap is None else 100 * search.gap
    first, cost = (("-" if each is None else each) for each in (search.first, search.objective))
    return [
        name,
        first,
        search.seconds if search.finished else f"> {search.seconds:,.0f}",
        cost,
        gap,
        search.load,
    ]


def compare(name: str, solvers: Sequence[str], limit: float) -> None:
    """Print how the solvers do on a model, and the whole command where a time is wanted of it."""
    model = MODELS[name]
    made, found = measured(name, solvers, limit)
    rows = [_told(each, search) for each, search in found.searches.items()]
    said = f"{name}{' (' * bool(model.note)}{model.note}{')' * bool(model.note)}"
    table(
        f"{said}: {made.columns:,} columns, {made.rows:,} rows, {made.integers:,} integers, gap"
        f" {made.gap:.2%}",
        HEADER,
        rows,
    )
    if found.contradiction():
        print(f"  CONTRADICTION: {found.contradiction()}")
    if ENGINE in solvers and len(solvers) > 1:
        most = "" if found.searches[found.best].finished else ", which was cut off: at most"
        verdict(f"search, in times of {found.best}{most}", found.ratio, model.wanted)
    if {ENGINE, HIGHS} <= {*solvers}:
        verdict("first plan, in times of HiGHS's own first", found.first, FIRST_WANTED)
    if model.command is not None:
        workbook = str(ROOT / "inputs" / f"{model.workbook}.xlsx")
        with tempfile.TemporaryDirectory() as folder:
            changes = [part for change in model.changes for part in ("--set", change)]
            ran = python(
                "-m",
                "optimiser",
                "solve",
                workbook,
                *changes,
                "-o",
                str(Path(folder) / "plan.xlsx"),
                "--threads",
                "1",
                **ONE_CORE,
            )
        verdict("the whole command", ran.seconds, model.command, " s")


def repeat(name: str, solvers: Sequence[str], limit: float, seeds: int) -> None:
    """Print how the solvers do on a model at other prices, with other seeds."""
    found = [measured(name, solvers, limit, seed)[1] for seed in range(1, seeds + 1)]
    rows = []
    for solver in solvers:
        searches = [each.searches[solver] for each in found]
        taken, first = (
            [each.seconds for each in searches],
            [math.inf if each.first is None else each.first for each in searches],
        )
        unproven = sum(not each.finished for each in searches)
        rows.append(
            [
                solver,
                statistics.median(first),
                max(first),
                min(taken),
                statistics.median(taken),
                max(taken),
                unproven,
            ]
        )
    header = ["", "first plan, median", "most", "least", "median", "most", "unproven"]
    table(f"{name} at the prices of {seeds} seeds (seconds)", header, rows)
    for seed, each in enumerate(found, 1):
        if each.contradiction():
            print(f"  CONTRADICTION at seed {seed}: {each.contradiction()}")
    if ENGINE in solvers and len(solvers) > 1:
        verdict(
            "the worst, in times of the best other at the same prices",
            max(each.ratio for each in found),
            SEEDS_WANTED,
        )


def grow(limit: float) -> None:
    """Print the time of the engine on made-up books of several sizes, and the power to which it
    grows in each dimension.
    """
    powers = []
    for dimension, lengths in GROWTH.items():
        rows = [[length, *_sized(CENTRE | {dimension: length}, limit)] for length in lengths]
        header = [
            dimension,
            "columns",
            "rows",
            "integers",
            *(f"seconds {k}" for k in GROWTH_SEEDS),
            "unproven",
        ]
        table(
            f"Growth with {dimension}, else {_said(CENTRE, dimension)}; gap {GROWTH_GAP:.1%}",
            header,
            rows,
        )
        taken = [(row[0], seconds) for row in rows for seconds in row[4:-1]]
        powers.append([dimension, float(np.polyfit(*np.log(np.array(taken, dtype=float)).T, 1)[0])])
    table("The time of the engine grows with the power of", ["", "power"], powers)


def _sized(of: Mapping[str, int], limit: float) -> Iterator[float]:
    """The size of a book, the seconds at each seed, and how many were cut off: these are shown at
    the limit, and grow faster.
    """
    unproven = 0
    for k in GROWTH_SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            made = Prepared.of(sizes(**of), k, folder)
            search = made.search(ENGINE, GROWTH_GAP, limit)
        if k == GROWTH_SEEDS[0]:
            yield from (made.columns, made.rows, made.integers)
        yield search.seconds
        unproven += not search.finished
    yield unproven


def _said(of: Mapping[str, int], but: str) -> str:
    return ", ".join(f"{length} {name}" for name, length in of.items() if name != but)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description="Benchmark of the search against other solvers.")
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"by default all: {', '.join(MODELS)}"
    )
    parser.add_argument(
        "--limit", type=float, default=300.0, help="of each search, of the processor [s]"
    )
    parser.add_argument("--solvers", default=",".join(SOLVERS), help="by default %(default)s")
    parser.add_argument(
        "--seeds",
        type=int,
        default=0,
        metavar="N",
        help="repeat at the prices of N seeds, by default gallium",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="of the engine with the size of made-up books, and no model",
    )
    asked = parser.parse_args(arguments)
    if unknown := {*asked.models} - {*MODELS} or {*asked.solvers.split(",")} - {*SOLVERS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    solvers = [each for each in asked.solvers.split(",") if INSTALLED.get(each, True)]
    for each in {*asked.solvers.split(",")} - {*solvers}:
        print(f"{each}: not installed")
    if asked.growth:
        grow(asked.limit)
    elif asked.seeds:
        for name in asked.models or ["gallium"]:
            repeat(name, solvers, asked.limit, asked.seeds)
    else:
        for name in asked.models or MODELS:
            compare(name, solvers, asked.limit)


if __name__ == "__main__":
    main(sys.argv[1:])
