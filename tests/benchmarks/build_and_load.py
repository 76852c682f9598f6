"""From a checked workbook to a model inside HiGHS: this project's adapter against Pyomo's own two
interfaces, the building of the Pyomo model included on all sides.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from optimiser.solving import highs
from optimiser.solving.standard_form import standard_form
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from tests.benchmarks.show import table, verdict
from tests.benchmarks.synthetic import tables
from tests.support.books import book

WANTED = 0.4
REPEATS = 3


def ours(m: Any) -> None:
    highs.load(standard_form(m).program)


def pyomos(name: str) -> Callable[[Any], None]:
    return lambda m: pyo.SolverFactory(name).set_instance(m)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stockpile = read(
            book(Path(folder) / "large.xlsx", tables(periods=120, materials=6, offers=40, life=36))
        ).stockpile
    ways = {
        "this adapter": ours,
        "Pyomo, appsi_highs": pyomos("appsi_highs"),
        "Pyomo, highs": pyomos("highs"),
    }
    building: list[float] = []
    loading: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, load in ways.items():
            gc.collect()
            began = time.process_time()
            m = build(stockpile).m
            built = time.process_time()
            load(m)
            building.append(built - began)
            loading[name].append(time.process_time() - built)
            size = f"{m.nvariables():,} columns, {m.nconstraints():,} rows"
            del m
    build_time = min(building)
    total = {name: build_time + min(loading[name]) for name in ways}
    pyomo = min(total[name] for name in ways if name != "this adapter")
    table(
        f"Build and load ({size}; processor seconds, best of {REPEATS})",
        ["", "build", "load", "together", "of Pyomo's best"],
        [[name, build_time, min(loading[name]), total[name], total[name] / pyomo] for name in ways],
    )
    verdict("build and load, as a share of Pyomo's own", total["this adapter"] / pyomo, WANTED)


if __name__ == "__main__":
    main()
