"""Studies against a loop that solves every changed workbook afresh; two processes against one; the
second start; memory.

    python -m tests.benchmarks.studies [runs of the loop, of 200]

The loop is measured on the first runs and stands for all: it takes seconds for each. Rates are in
processor time but for the two processes against one, which are in time on the clock: measure those
on a computer that does nothing else.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.show import ROOT, python, table

RUNS, GAP, SPREAD = 200, 0.01, 0.1
LOOPED = 12
CELLS = (
    ("materials", "gallium", "closing_value"),
    ("materials", "gallium", "below_target_cost"),
    ("sites", "depot", "cost"),
    ("prices", "2027-01-01", "rotterdam"),
    ("offers", "neo_framework", "premium"),
    ("offers", "neo_framework", "capacity"),
    ("contracts", "pavlodar_offtake", "discount"),
    ("outlets", "us_refiners", "price_factor"),
    ("demand", "gallium", "quantity"),
    ("budgets", "nds", "amount"),
)
PACKAGES = "pyomo.environ, highspy, numpy, openpyxl, defusedxml, xlsxwriter, click, rich"
LOOP = """
import sys, time
from optimiser.solving.solve import Options, scenario_tree, solve
from optimiser.studies.kinds import Asked
from optimiser.studies.study_sheet.study_table import by_name
from optimiser.studies.study_sheet.study_inputs import input_of
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
import numpy as np

source, count, gap = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
stockpile = read(source).stockpile
(rows,) = by_name(stockpile).values()
asked = Asked(rows[0], tuple(input_of(stockpile, row) for row in rows), stockpile, gap)
shares = np.random.default_rng(1).random((count, len(rows)))
began = time.process_time()
for row in shares.tolist():
    case = asked.case(*(each.at(share) for each, share in zip(asked.inputs, row, strict=True)))
    formulation = build(read(source, case.changes).stockpile)
    solve(formulation.m, Options(gap=gap, threads=1), tree=scenario_tree(formulation))
print((time.process_time() - began) / count)
"""


def folder(path: Path, source: str, cells: tuple[tuple[str, str, str], ...], samples: int) -> Path:
    """A sample workbook as a folder, with a Monte Carlo over some cells, each 10 % up and down."""
    shutil.copytree(ROOT / "inputs" / source, path)
    with (path / "studies.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("study", "kind", "table", "row", "column", "how", "low", "high", "samples")
        )
        for cell in cells:
            writer.writerow(("mc", "monte_carlo", *cell, "scale", 1 - SPREAD, 1 + SPREAD, samples))
    return path


def study(source: Path, output: Path, workers: int) -> list[str]:
    return [
        "-m",
        "optimiser",
        "study",
        str(source),
        "-o",
        str(output),
        "--workers",
        str(workers),
        "--gap",
        str(GAP),
    ]


def wanted(what: str, measured: float, least: float) -> None:
    print(
        f"  {what}: {measured:.2f}, at least {least:g} wanted:"
        f" {'reached' if measured >= least else 'NOT REACHED'}",
        flush=True,
    )


def main() -> None:
    looped = int(sys.argv[1]) if len(sys.argv) > 1 else LOOPED
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(temporary)
        source = folder(where / "gallium", "gallium", CELLS, RUNS)
        loop = float(python("-c", LOOP, str(source), str(looped), str(GAP)).output)
        clock = time.perf_counter()
        one = python(*study(source, where / "one.xlsx", 1))
        of_one = time.perf_counter() - clock
        clock = time.perf_counter()
        two = python(*study(source, where / "two.xlsx", 2))
        of_two = time.perf_counter() - clock
        again = python(*study(source, where / "one.xlsx", 1)).seconds
        imports = python("-c", f"import {PACKAGES}").seconds
        small = (("offers", "spot", "price"), ("outlets", "resale", "price"))
        free = [
            "--set",
            "offers[spot].order_cost set 0",
            "--set",
            "offers[framework].minimum_order set 1",
        ]  # nothing to search for
        peaks = []
        for samples in (100, 10_000):
            many = folder(where / f"small{samples}", "small", small, samples)
            peaks.append(python(*study(many, where / f"small{samples}.xlsx", 1), *free).peak)
    table(
        f"A Monte Carlo of {RUNS} runs over {len(CELLS)} inputs of gallium, each ±{SPREAD:.0%}, gap"
        f" {GAP:.0%}",
        ["", "processor [s]", "a run [s]"],
        [
            [f"a loop of read, build, solve ({looped} runs measured)", loop * RUNS, loop],
            ["stockpile study, one process, all in", one.seconds, one.seconds / RUNS],
            ["stockpile study, two processes, all in", two.seconds, two.seconds / RUNS],
            ["one process, started again when finished", again, again / RUNS],
            ["import of the packages", imports, 0.0],
        ],
    )
    wanted("study over loop, in rate", loop * RUNS / one.seconds, 20)
    wanted("two processes over one, in time on the clock", of_one / of_two, 1.8)
    print(f"  second start beyond imports: {again - imports:.2f} s, at most 2 s wanted")
    print(
        f"  peak memory of 10,000 runs over that of 100: {peaks[1] / peaks[0]:.2f}, at most 1.5"
        f" wanted ({peaks[1]:.2f} GiB)"
    )


if __name__ == "__main__":
    main()
