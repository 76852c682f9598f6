"""The whole of `stockpile solve`, against HiGHS alone on the MPS file of the same model and the
import of the packages.

The gap is wide, so that the search is short and its noise does not drown what is measured: all that
is not searching.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.show import ROOT, python, table, verdict

WANTED = 2.0
REPEATS = 5
GAP = 0.3
BASE_ALONE = ("--set", "scenarios[*].probability set 0")  # one search, of seconds
PACKAGES = "pyomo.environ, highspy, numpy, openpyxl, defusedxml, xlsxwriter, click, rich"
ALONE = """
import sys, time
import highspy
h = highspy.Highs()
h.silent()
began = time.process_time()
h.readModel(sys.argv[1])
for name, value in (("mip_rel_gap", float(sys.argv[2])), ("random_seed", 1)):
    h.setOptionValue(name, value)
h.run()
print(time.process_time() - began)
"""


def main() -> None:
    workbook = ROOT / "inputs" / "gallium.xlsx"
    with tempfile.TemporaryDirectory() as folder:
        plan, model = str(Path(folder) / "plan.xlsx"), str(Path(folder) / "model.mps")
        solve = [
            "-m",
            "optimiser",
            "solve",
            str(workbook),
            "-o",
            plan,
            "--gap",
            str(GAP),
            *BASE_ALONE,
        ]
        python(*solve, "--write-model", model)
        whole, alone, imports, start = [], [], [], []
        for _ in range(REPEATS):
            whole.append(python(*solve).seconds)
            alone.append(
                float(python("-c", ALONE, model, str(GAP)).output.splitlines()[-1])
            )  # HiGHS may print its name first
            imports.append(python("-c", f"import {PACKAGES}").seconds)
            start.append(python("-c", "pass").seconds)
    rest = min(whole) - min(alone)
    table(
        f"The whole command on {workbook.name}, gap {GAP:.0%} (best of {REPEATS})",
        ["", "processor [s]"],
        [
            ["stockpile solve", min(whole)],
            ["HiGHS alone on the MPS file", min(alone)],
            ["what is not solving", rest],
            ["import of the packages", min(imports)],
            ["  of it the start of Python", min(start)],
        ],
    )
    verdict("what is not solving, in times of the import", rest / min(imports), WANTED)


if __name__ == "__main__":
    main()
