"""Peak memory of `stockpile solve` on 120 periods, 3 materials and 40 offers for each of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.show import python, table, verdict
from tests.benchmarks.synthetic import tables
from tests.support.books import book

WANTED = 2.0  # GiB
TIME_LIMIT = 120  # s
PLANNED, NO_PLAN = 0, 4  # exit statuses; the search may well be cut off


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = book(
            Path(folder) / "large.xlsx", tables(periods=120, materials=3, offers=120, life=24)
        )
        ran = python(
            "-m",
            "optimiser",
            "solve",
            str(source),
            "--time-limit",
            str(TIME_LIMIT),
            expected=(PLANNED, NO_PLAN),
        )
    table(
        f"Memory: 120 periods, 3 materials, 40 offers each, {TIME_LIMIT} s of search",
        ["", "peak [GiB]", "exit status"],
        [["stockpile solve", ran.peak, ran.status]],
    )
    verdict("peak memory", ran.peak, WANTED, " GiB")


if __name__ == "__main__":
    main()
