"""A thousand scenarios planned by bundles: proven gap, memory and time of `stockpile solve
--bundles`.

`python -m tests.benchmarks.thousand [SCENARIOS [BUNDLES]]`, by default 1,000 in 100. The book: 60
months, 20 offers, 4 contracts with 6 floors each, metal that lives a year, orders whole in the
first year, after which the scenarios part.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.benchmarks.show import ROOT, table, verdict
from tests.benchmarks.synthetic import Tables, scenario_tree
from tests.support.books import book

WANTED_GAP, WANTED_MEMORY, WANTED_TIME = 0.01, 16.0, 7200.0  # 1, GiB, s
EACH = 10  # scenarios of a bundle
WORKERS = 2
PAGE = os.sysconf("SC_PAGE_SIZE")


def tables(scenarios: int) -> Tables:
    """The tree of the other benchmarks, of which age matters, at the gap that is wanted."""
    found = scenario_tree(scenarios, ages=True)
    found["settings"]["mip_gap"] = WANTED_GAP
    return found


class _Family:
    """Memory of a process and all that descend from it: the most of their sum [GiB], looked at each
    second.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.running = pid, 0.0, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self.running = False
        self._thread.join()
        return self.peak

    def _watch(self) -> None:
        while self.running:
            self.peak = max(self.peak, sum(map(_resident, _descendants(self.pid))))
            time.sleep(1)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it has ended meanwhile
                continue
    return found


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**30
    except OSError:
        return 0.0


def main(scenarios: int = 1000, count: int | None = None) -> None:
    """Linux only: memory is read from /proc."""
    count = max(1, scenarios // EACH) if count is None else count
    with tempfile.TemporaryDirectory() as folder:
        source, plan = book(Path(folder) / "many", tables(scenarios)), Path(folder) / "plan.xlsx"
        paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
        command = [
            "-m",
            "optimiser",
            "solve",
            str(source),
            "-o",
            str(plan),
            "--bundles",
            str(count),
            "--workers",
            str(WORKERS),
            "--json",
        ]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            env=os.environ | paths,
            cwd=ROOT,
            text=True,
        )
        family = _Family(process.pid)
        output, _ = process.communicate()
        seconds, peak = time.perf_counter() - began, family.stop()
        used = os.times()
        if process.returncode:
            raise RuntimeError(f"stockpile solve ended with {process.returncode}")
        found = json.loads(output)
    table(
        f"{scenarios:,} scenarios in {count:,} bundles, {WORKERS} workers",
        ["", ""],
        [
            ["objective", found["objective"]],
            ["proven bound", found["bound"]],
            ["gap [%]", 100 * found["gap"]],
            ["time [s]", seconds],
            ["processor [s]", used.children_user + used.children_system],
            ["peak memory of all processes [GiB]", peak],
        ],
    )
    verdict("proven gap", 100 * found["gap"], 100 * WANTED_GAP, " %")
    verdict("peak memory", peak, WANTED_MEMORY, " GiB")
    verdict("time", seconds, WANTED_TIME, " s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
