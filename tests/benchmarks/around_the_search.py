"""All of `stockpile solve` but the search, phase by phase, against the start of the command: the
workbooks of `inputs/` and a tree of a hundred scenarios.

Each workbook is planned once, to a wide gap, and the values of its plan are kept: each measurement
is a process of its own that puts them into a model that it has built. `python -m
tests.benchmarks.around_the_search --quick` leaves the tree out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.show import ROOT, python, table, verdict
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book

WANTED = 2.0
REPEATS = 3
GAP = 0.05
PHASES = ("import", "read", "build", "arrays", "load", "report", "audit", "write")
SEARCH = """
import pickle, sys
from dataclasses import replace
from pathlib import Path
from optimiser.solving.solve import Options, scenario_tree, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
formulation = build(read(Path(sys.argv[1])).stockpile)
outcome = solve(formulation.m, Options(gap=float(sys.argv[2]), time_limit=3600.0), tree=scenario_tree(formulation))
values = [each.value for each in outcome.form.variables]
Path(sys.argv[3]).write_bytes(pickle.dumps((replace(outcome, form=None), values)))
"""
AROUND = """
import gc, pickle, sys, time
marks = []
def mark():
    marks.append(time.process_time())
import optimiser.__main__, optimiser.cli.main, optimiser.api.planning.planner
mark()
gc.disable()  # as the command does
from dataclasses import replace
from pathlib import Path
from optimiser.plan.audited import audited
from optimiser.plan.plan_maker import make_plan
from optimiser.solving import highs
from optimiser.solving.standard_form import standard_form
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.write.plan_book import write
from stockpile_model.build import build
reading = read(Path(sys.argv[1]))
mark()
formulation = build(reading.stockpile)
mark()
form = standard_form(formulation.m)
mark()
highs.load(form.program)
mark()
outcome, values = pickle.loads(Path(sys.argv[2]).read_bytes())
for variable, value in zip(form.variables, values, strict=True):
    variable.set_value(value, skip_validation=True)
left_out = time.process_time() - marks[-1]
plan = make_plan(formulation, replace(outcome, form=form), map(str, reading.warnings))
mark()
plan = audited(plan)
mark()
write(plan, Path(sys.argv[3]))
mark()
taken = [after - before for before, after in zip([0.0, *marks], marks)]
taken[5] -= left_out
print(*taken)
"""


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description="Benchmark of all but the search.")
    parser.add_argument("--quick", action="store_true", help="the workbooks of inputs/ alone")
    asked = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workbooks = sorted((ROOT / "inputs").glob("*.xlsx"))
        if not asked.quick:
            workbooks.append(book(folder / "tree.xlsx", scenario_tree(100, ages=True)))
        for workbook in workbooks:
            values = str(folder / "values.pickle")
            python("-c", SEARCH, str(workbook), str(GAP), values)
            ran = [
                python("-c", AROUND, str(workbook), values, str(folder / "plan.xlsx")).output
                for _ in range(REPEATS)
            ]
            start, *rest = (
                min(each)
                for each in zip(*(map(float, output.split()) for output in ran), strict=True)
            )
            rows.append([workbook.stem, start, *rest, sum(rest), sum(rest) / start])
    table(
        f"All but the search (processor seconds, best of {REPEATS})",
        ["", *PHASES, "after the import", "in times of it"],
        rows,
    )
    for row in rows:
        verdict(
            f"what is not solving of {row[0]}, in times of the import", float(str(row[-1])), WANTED
        )


if __name__ == "__main__":
    main(sys.argv[1:])
