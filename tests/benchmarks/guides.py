"""The lines of a guide under *What to try*, run as they are written, next to the costs that the guide
states: `python -m tests.benchmarks.guides [CASE ...] [--only WORD]`.

A line is one or several changes in code spans, and the cost behind them. Changes with no end of a
sentence between them are made together. The process ends with 1 where a stated cost is another one.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import optimiser as so
from tests.benchmarks.show import ROOT, table

HEADING = "## What to try"
SPAN = re.compile(r"`([^`]+)`")
CHANGE = re.compile(r"\w+\[.+\](\.\w+)? (set|scale|add) ")
SENTENCE_ENDS = re.compile(r"[.:?] ")
COST = re.compile(r"(\d+(?:\.\d+)?) m USD")
ALONE = {
    "gallium": ("scenarios[*].probability set 0",),
    "indium": ("scenarios[*].probability set 0",),
}
"""What the guide of a case leaves out in these lines."""
GAPS = {"gallium": 0.001}
LONGEST = 3600.0  # [s] of the clock, so that a busy machine cuts nothing off
HEADER = (
    *("", "cost [m]", "stated [m]", "gap [%]", "bought", "periods below", "most below"),
    *("signed", "seconds", ""),
)


@dataclass(frozen=True)
class Line:
    """Changes that are made together, and the cost that the guide states for them, as written."""

    changes: tuple[str, ...]
    stated: str | None


def lines(guide: str) -> Iterator[Line]:
    """Yield the lines of a guide under *What to try*."""
    section = guide.split(HEADING, 1)[1].split("\n## ", 1)[0]
    for item in re.split(r"\n- ", section)[1:]:
        text = " ".join(item.split())
        spans = [each for each in SPAN.finditer(text) if CHANGE.match(each[1])]
        groups: list[list[re.Match[str]]] = []
        for span in spans:
            if groups and not SENTENCE_ENDS.search(text[groups[-1][-1].end() : span.start()]):
                groups[-1].append(span)
            else:
                groups.append([span])
        ends = [*(group[0].start() for group in groups[1:]), len(text)]
        for group, end in zip(groups, ends, strict=True):
            cost = COST.search(text, group[-1].end(), end)
            yield Line(tuple(each[1] for each in group), cost and cost[1])


def agrees(objective: float, stated: str) -> bool:
    """Return whether a cost in money is the stated one in millions, as far as that is written."""
    decimals = len(stated.partition(".")[2])
    return abs(objective / 1e6 - float(stated)) <= 0.5001 * 10**-decimals


def row(case: str, line: Line) -> list[object]:
    """Solve the case of a guide with a line's changes, and return a row of the table."""
    begun = time.process_time()
    book = so.read(ROOT / "inputs" / f"{case}.xlsx").change(*ALONE.get(case, ()), *line.changes)
    found = so.solve(book, gap=GAPS.get(case), time_limit=LONGEST)
    name, seconds = "; ".join(line.changes) or "as it is", time.process_time() - begun
    if found.plan is None:
        return [name, found.status, line.stated or "-", *["-"] * 5, seconds, "DIFFERS"]
    plan = found.plan
    below = plan["targets"]["below"]
    signed = plan["contracts"].query("decision == 'sign'")
    levels = ", ".join(f"{row.contract} {row.level}" for row in signed.itertuples())
    cost, gap = plan.objective / 1e6, 100 * (plan.gap or 0.0)
    differs = line.stated is not None and not agrees(plan.objective, line.stated)
    return [
        *(name, cost, line.stated or "-", gap, float(plan["deliveries"]["quantity"].sum())),
        *(int((below > 0).sum()), float(below.max()), levels, seconds, "DIFFERS" * differs),
    ]


def main(arguments: Sequence[str] = ()) -> int:
    """Print a table for each case; return how the process ends."""
    parser = argparse.ArgumentParser(description="Runs what guides say that one may try.")
    parser.add_argument("cases", nargs="*", default=["gallium", "portfolio", "indium"])
    parser.add_argument("--only", default="", help="lines with this word in their changes")
    asked = parser.parse_args(arguments)
    differs = False
    for case in asked.cases:
        guide = Path(ROOT / "inputs" / case / "guide.md").read_text(encoding="utf-8")
        rows = []
        for line in [Line((), None), *lines(guide)]:
            if asked.only in " ".join(line.changes):
                rows.append(row(case, line))
                print(*rows[-1], flush=True, file=sys.stderr)
        table(f"What the guide of {case} says to try", HEADER, rows)
        differs |= any(each[-1] for each in rows)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
