"""The audit of a plan and all writing of it, against the import of the packages, in one process for
each of the two.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.show import ROOT, python, table, verdict
from tests.benchmarks.whole_command import PACKAGES

WANTED = 1.0
REPEATS = 5
IMPORT = f"""
import time
began = time.process_time()
import {PACKAGES}
print(time.process_time() - began)
"""
AUDIT_AND_WRITE = """
import gc, sys, time
from pathlib import Path
gc.disable()  # as the command does
from optimiser.plan.audited import as_sheets
from optimiser.auditing import audit
from optimiser.workbook.write.plan_book import write
from tests.support.plans import plan_of
plan = plan_of(Path(sys.argv[1]), gap=0.3)
began = time.process_time()
found = audit(plan.stockpile, as_sheets(plan))
audited = time.process_time()
write(plan, Path(sys.argv[2]))
written = time.process_time()
assert not found.findings
print(audited - began, written - audited, found.figures)
"""


def main() -> None:
    rows = []
    worst = 0.0
    imports = min(float(python("-c", IMPORT).output) for _ in range(REPEATS))
    with tempfile.TemporaryDirectory() as folder:
        for workbook in sorted((ROOT / "inputs").glob("*.xlsx")):
            ran = [
                python("-c", AUDIT_AND_WRITE, str(workbook), str(Path(folder) / "plan.xlsx")).output
                for _ in range(REPEATS)
            ]
            times = [
                [float(each) for each in line.split()]
                for output in ran
                for line in output.splitlines()[-1:]
            ]
            audit, write, figures = min(times, key=lambda each: each[0] + each[1])
            worst = max(worst, (audit + write) / imports)
            rows.append([workbook.name, f"{figures:,.0f}", audit, write, (audit + write) / imports])
    table(
        f"Audit and writing of a plan (processor seconds, best of {REPEATS}; import of the packages"
        f" {imports:.3f})",
        ["", "figures", "audit", "writing", "of the import"],
        rows,
    )
    verdict("audit and writing, in times of the import", worst, WANTED)


if __name__ == "__main__":
    main()
