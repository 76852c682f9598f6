"""Many scenarios, planned in both ways that `stockpile solve` has for them, at equal limits of
processor time: all in one model, and in bundles.

    python -m tests.benchmarks.thousand [--scenarios 1000] [--bundles N] [--without-ages] [--known MONTHS]
        [--months MONTHS] [--workbook FILE] [--gap GAP] [--limit SECONDS] [--ways WAY ...]

The book of a thousand scenarios: 60 months, 20 offers, 4 contracts with 6 floors each, metal that
lives a year, orders whole in the first year, after which the scenarios part. Linux only: processor
time and memory are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.show import ROOT, table, verdict
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book

WANTED_GAP, WANTED_MEMORY, WANTED_TIME = 0.01, 16.0, 7200.0  # 1, GiB, s
EACH = 10  # scenarios of a bundle
WORKERS = 2
PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
GRACE = 1.25  # times the limit, after which a search that was interrupted is killed

WAYS = ("one model", "bundles")


@dataclass(frozen=True)
class Ended:
    """How a way ended: with a plan or none, after so many seconds of the processor."""

    found: dict[str, Any] | None
    processor: float  # [s]
    clock: float  # [s]
    peak: float  # [GiB]


class _Family:
    """A process and all that descend from it, looked at each half second: their memory at its most
    [GiB] and their processor time [s]. Beyond `limit` seconds they are interrupted, as by Ctrl-C,
    and later killed.
    """

    def __init__(self, process: subprocess.Popen[str], limit: float) -> None:
        self.process, self.limit = process, limit
        self.peak, self.interrupted, self.running = 0.0, False, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.running = False
        self._thread.join()

    def _watch(self) -> None:
        while self.running:
            pids = _descendants(self.process.pid)
            self.peak = max(self.peak, sum(map(_resident, pids)))
            used = sum(map(_processor, pids))
            if used > self.limit and not self.interrupted:
                self.interrupted = True
                self.process.send_signal(signal.SIGINT)
            if used > GRACE * self.limit:
                os.killpg(self.process.pid, signal.SIGKILL)
                return
            time.sleep(0.5)


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


def _processor(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def plan(way: str, source: Path, target: Path, count: int, gap: float, limit: float) -> Ended:
    """Plan a workbook in a way. Raises RuntimeError for an unexpected exit status."""
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
    command = [
        *(sys.executable, "-m", "optimiser", "solve", str(source)),
        *("-o", str(target), "--force", "--json"),
        *("--gap", str(gap), "--time-limit", str(10 * limit)),
        *(("--bundles", str(count), "--workers", str(WORKERS)) if way == "bundles" else ()),
    ]
    began, before = time.perf_counter(), os.times()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | paths,
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        family = _Family(process, limit)
        output, _ = process.communicate()
        family.stop()
        errors.seek(0)
        if process.returncode and not family.interrupted:
            raise RuntimeError(f"{way} ended with {process.returncode}:\n{errors.read()}")
    used = os.times()
    processor = (used.children_user + used.children_system) - (
        before.children_user + before.children_system
    )
    return Ended(
        json.loads(output) if process.returncode == 0 else None,
        processor,
        time.perf_counter() - began,
        family.peak,
    )


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description="Benchmark of ways to plan many scenarios.")
    parser.add_argument("--scenarios", type=int, default=1000)
    parser.add_argument("--bundles", type=int, help=f"by default one for {EACH} scenarios")
    parser.add_argument("--without-ages", action="store_true", help="nothing depends on age")
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--known", type=int, default=12, help="months before the scenarios part")
    parser.add_argument("--workbook", type=Path, help="instead of the synthetic book")
    parser.add_argument("--gap", type=float, default=WANTED_GAP)
    parser.add_argument("--limit", type=float, default=WANTED_TIME, help="processor seconds")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["bundles"])
    asked = parser.parse_args(arguments)
    count = asked.bundles or max(1, asked.scenarios // EACH)
    rows, ends = [], dict[str, Ended]()
    with tempfile.TemporaryDirectory() as folder:
        source = asked.workbook or book(
            Path(folder) / "many",
            scenario_tree(asked.scenarios, asked.months, asked.known, ages=not asked.without_ages),
        )
        for way in asked.ways:
            ended = ends[way] = plan(
                way, source, Path(folder) / "plan.xlsx", count, asked.gap, asked.limit
            )
            found = ended.found or {}
            rows.append(
                [
                    way,
                    *(found.get(each, "none") for each in ("objective", "bound")),
                    100 * found["gap"] if found.get("gap") is not None else "none",
                    ended.processor,
                    ended.clock,
                    ended.peak,
                ]
            )
            print(rows[-1], file=sys.stderr, flush=True)
    what = asked.workbook.name if asked.workbook else f"{asked.scenarios:,} scenarios"
    table(
        f"{what}, bundles: {count:,}, gap wanted {asked.gap:.1%}, at most {asked.limit:g} processor"
        " seconds",
        ["", "objective", "bound", "gap [%]", "processor [s]", "clock [s]", "peak [GiB]"],
        rows,
    )
    if "bundles" in ends and asked.workbook is None:
        ended = ends["bundles"]
        gap = ended.found["gap"] if ended.found else float("inf")
        verdict("proven gap of bundles", 100 * gap, 100 * WANTED_GAP, " %")
        verdict("peak memory of bundles", ended.peak, WANTED_MEMORY, " GiB")
        verdict("time of bundles", ended.clock, WANTED_TIME, " s")


if __name__ == "__main__":
    main(sys.argv[1:])
