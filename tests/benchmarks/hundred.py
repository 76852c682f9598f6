"""A tree of 100 scenarios: build and load against plain Pyomo, the whole against HiGHS alone on the
MPS file of the plain model (stock age by age), its growth with the number of scenarios, and its
peak memory.

`python -m tests.benchmarks.hundred --quick` takes a tenth of the scenarios.
"""

from __future__ import annotations

import argparse
import gc
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from optimiser.solving import highs
from optimiser.solving.solve import Options, solve
from optimiser.solving.solve import scenario_tree as tree_of
from optimiser.solving.standard_form import standard_form
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from stockpile_model.stockpile import Stockpile
from tests.benchmarks.plain import plain
from tests.benchmarks.show import python, table, verdict
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book

BUILD_AND_LOAD, WHOLE, WHOLE_WITH_AGES, GROWTH, MEMORY = (
    0.25,
    0.5,
    1.0,
    5.0,
    4.0,
)  # wanted; the last [GiB]
GAP = 0.001
REPEATS = 2
VARIANTS = {"nothing depends on age": False, "age matters": True}
OURS = (
    "import sys; from tests.benchmarks import hundred; hundred.whole(int(sys.argv[1]), sys.argv[2]"
    " == 'True', float(sys.argv[3]))"
)
ALONE = """
import sys, time
import highspy
h = highspy.Highs()
h.silent()
began = time.process_time()
h.readModel(sys.argv[1])
for name, value in (("mip_rel_gap", float(sys.argv[2])), ("random_seed", 1), ("time_limit", float(sys.argv[3]))):
    h.setOptionValue(name, value)
h.run()
print(time.process_time() - began, h.getInfo().mip_gap, h.getInfo().objective_function_value)
"""


@dataclass(frozen=True)
class Search:
    """How a search ended."""

    seconds: float  # of the processor
    gap: float
    cost: float  # [money]
    peak: float = 0.0  # memory [GiB]

    def over(self, other: Search) -> float:
        """Its time in times of another's; infinite where it was cut off before the gap."""
        return self.seconds / other.seconds if self.gap <= GAP else math.inf


def case(scenarios: int, ages: bool) -> Stockpile:
    """A fresh copy of the checked case: nothing is remembered of it."""
    with tempfile.TemporaryDirectory() as folder:
        return replace(
            read(book(Path(folder) / "tree.xlsx", scenario_tree(scenarios, ages=ages))).stockpile
        )


def whole(scenarios: int, ages: bool, limit: float) -> None:
    """Build, load, search and polish; prints seconds, gap and cost."""
    gc.disable()  # as the command does
    stockpile = case(scenarios, ages)
    began = time.process_time()
    formulation = build(stockpile)
    outcome = solve(formulation.m, Options(gap=GAP, time_limit=limit), tree=tree_of(formulation))
    gap, cost = (math.inf if each is None else each for each in (outcome.gap, outcome.objective))
    print(time.process_time() - began, gap, cost)


def build_and_load(scenarios: int, ages: bool) -> float:
    """This project as a share of plain Pyomo with the faster of its two interfaces."""
    ways: dict[str, tuple[Callable[[Stockpile], Any], Callable[[Any], object]]] = {
        "this project": (
            lambda stockpile: build(stockpile).m,
            lambda m: highs.load(standard_form(m).program),
        ),
        "plain Pyomo, appsi_highs": (
            plain,
            lambda m: pyo.SolverFactory("appsi_highs").set_instance(m),
        ),
        "plain Pyomo, highs": (plain, lambda m: pyo.SolverFactory("highs").set_instance(m)),
    }
    stockpile, rows = case(scenarios, ages), []
    for name, (make, load) in ways.items():
        taken = []
        for _ in range(REPEATS):
            gc.collect()
            fresh = replace(stockpile)
            began = time.process_time()
            m = make(fresh)
            built = time.process_time()
            load(m)
            taken.append((time.process_time() - began, built - began))
            size = m.nvariables(), m.nconstraints()
            del m
        together, building = min(taken)
        rows.append(
            [name, *(f"{each:,}" for each in size), building, together - building, together]
        )
    best = min(row[-1] for row in rows[1:])
    table(
        f"Build and load of {scenarios} scenarios (processor seconds, best of {REPEATS})",
        ["", "columns", "rows", "build", "load", "together", "of Pyomo's best"],
        [[*row, row[-1] / best] for row in rows],
    )
    return float(rows[0][-1] / best)


def search(scenarios: int, ages: bool, limit: float) -> tuple[Search, Search]:
    """The whole of this project, and HiGHS alone on the MPS file of the plain model; each in a
    process of its own.
    """
    ran = python("-c", OURS, str(scenarios), str(ages), str(limit))
    ours = Search(*(float(each) for each in ran.output.split()), peak=ran.peak)
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "plain.mps")
        highs.load(standard_form(plain(case(scenarios, ages))).program).writeModel(model)
        gc.collect()
        ran = python("-c", ALONE, model, str(GAP), str(limit))
    return ours, Search(
        *(float(each) for each in ran.output.splitlines()[-1].split()), peak=ran.peak
    )  # HiGHS may print its name first


def _told(search: Search) -> list[float]:
    return [search.seconds, 100 * search.gap, search.cost]


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description="Benchmark of a scenario tree.")
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument(
        "--fewer", type=int, default=25, help="scenarios with which the search is compared"
    )
    parser.add_argument("--time-limit", type=float, default=900, help="of one search [s]")
    parser.add_argument("--build-only", action="store_true", help="build and load, no search")
    parser.add_argument("--quick", action="store_true", help="a tenth of the scenarios")
    asked = parser.parse_args(arguments)
    many, few = (
        max(2, each // (10 if asked.quick else 1)) for each in (asked.scenarios, asked.fewer)
    )
    ratios = {name: build_and_load(many, ages) for name, ages in VARIANTS.items()}
    for name, ratio in ratios.items():
        verdict(f"build and load where {name}, as a share of plain Pyomo's", ratio, BUILD_AND_LOAD)
    if asked.build_only:
        return
    for (name, ages), most in zip(VARIANTS.items(), (WHOLE, WHOLE_WITH_AGES), strict=True):
        found = {scenarios: search(scenarios, ages, asked.time_limit) for scenarios in (few, many)}
        table(
            f"The whole to a gap of {GAP:.1%} where {name} (processor seconds, {asked.time_limit:g}"
            " s at most for a search)",
            [
                "scenarios",
                "build to polish",
                "gap [%]",
                "cost",
                "HiGHS alone",
                "gap [%]",
                "cost",
                "ratio",
                "peak [GiB]",
            ],
            [
                [scenarios, *_told(ours), *_told(alone), ours.seconds / alone.seconds, ours.peak]
                for scenarios, (ours, alone) in found.items()
            ],
        )
        ours, alone = found[few]
        verdict(
            f"the whole with {few} scenarios, in times of HiGHS alone on the plain model",
            ours.over(alone),
            most,
        )
        verdict(
            f"growth of the whole from {few} to {many} scenarios", found[many][0].over(ours), GROWTH
        )
        verdict(f"peak memory with {many} scenarios", found[many][0].peak, MEMORY, " GiB")


if __name__ == "__main__":
    main(sys.argv[1:])
