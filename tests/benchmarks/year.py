"""A year of gallium planned again each month, as a table: metal, money, and what planning took.

`python -m tests.benchmarks.year` lets the plant be late; `--scenario base` lets nothing happen.
What must add up each month is checked on the way.
"""

from __future__ import annotations

import argparse

import optimiser as so
from tests.benchmarks.show import ROOT, table
from tests.support.year import Month, nothing_is_lost, on_hand, signed, unspent, year

HEADER = (
    "month", "scenarios", "opening", "arrived", "came back", "used", "rotated", "expired", "closing",
    "spent", "left", "under contract", "cost ahead", "gap", "seconds",
)  # fmt: skip
KINDS = ("arrival", "return", "demand", "rotation", "expired")


def line(month: Month) -> list[object]:
    """The row of a month."""
    moved = {
        kind: sum(row["quantity"] for row in month.rows("movements") if row["kind"] == kind)
        for kind in KINDS
    }
    plan = month.plan
    return [
        f"{month.begin:%Y-%m}",
        len(plan.stockpile.scenarios) or 1,
        on_hand(month.book.stockpile).total(),
        *moved.values(),
        on_hand(month.following.stockpile).total(),
        sum(row["amount"] for row in month.rows("payments")),
        unspent(month).total(),
        len(signed(month.following.stockpile)),
        plan.objective,
        plan.gap,
        month.seconds,
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="metlen_late")
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--gap", type=float, default=0.05)
    asked = parser.parse_args()
    rows = []
    book = so.read(ROOT / "inputs" / "gallium.xlsx")
    for month in year(book, asked.scenario, asked.months, asked.gap, time_limit=3600):
        nothing_is_lost(month)
        rows.append(line(month))
        print(*rows[-1], flush=True)
        for said in (*month.following.folded, *month.following.remarks):
            print(f"    {said}")
    table("A year of gallium", HEADER, rows)
    seconds = sum(float(str(row[-1])) for row in rows)
    print(f"  {seconds:.0f} s of the processor; no kilogram, dollar or order appeared or vanished")


if __name__ == "__main__":
    main()
