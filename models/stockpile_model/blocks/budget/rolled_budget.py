"""The appropriations from which the next plan goes on: less what they have paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stockpile_model.blocks.budget.budget_terms import Budget, label
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.funds import Fund
from stockpile_model.passed import Passed
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the appropriations less what they have paid, and the receipts that funds have kept."""
    stockpile, paid, rows = passed.stockpile, dict[str, float](), passed.rows(Budget)
    for row in passed.done("payments"):
        paid[row["appropriation"]] = paid.get(row["appropriation"], 0.0) + row["amount"]
    left = [
        replace(row, amount=max(0.0, row.amount - paid.get(label(stockpile, b), 0.0)))
        for b, row in enumerate(rows)
        if not passed.over(row.pay_by or row.expires)
    ]
    keepers = [fund.fund for fund in passed.rows(Fund) if fund.keeps_receipts]
    for b, fund in enumerate(keepers, len(rows)):
        kept = _received(passed, fund) - paid.get(label(stockpile, b), 0.0)
        if kept > stockpile.scale.no_money:
            left = [*_with_receipts(left, fund, kept)]
            if _held_by_receipts(passed, label(stockpile, b)):
                passed.remarks.append(
                    f"{fund}: receipts that it has kept are an appropriation from now on, so what "
                    "they are to pay, or hold for what may fail to arrive, is obligated against "
                    "them at once; the plan needs them when they pay"
                )
    if rows or left:
        yield Budget, left


KEPT = "receipts that the fund has kept"
"""The note of a row that holds such receipts."""


def _with_receipts(rows: Sequence[Budget], fund: str, kept: float) -> Iterator[Budget]:
    """Yield appropriations with receipts that a fund has kept, in the one row of such."""
    old = next((row for row in rows if row.fund == fund and row.note == KEPT), None)
    for row in rows:
        yield replace(row, amount=row.amount + kept) if row is old else row
    if old is None:
        yield Budget(fund=fund, amount=kept, note=KEPT)


def _held_by_receipts(passed: Passed, name: str) -> bool:
    """Return whether receipts pay, or hold, what is bound before they are paid out."""
    return any(
        row["released"] > 0 or row["obligated"] != row["date"]
        for row in passed.shown("payments")
        if row["appropriation"] == name and not passed.over(row["date"])
    )


def _received(passed: Passed, fund: str) -> float:
    """Return what a fund has received of the outlets that name it [money]."""
    of = {row.outlet for row in passed.rows(Outlet) if row.fund == fund}
    return float(sum(row["proceeds"] for row in passed.done("rotation") if row["outlet"] in of))
