"""The appropriations from which the next plan goes on: less what they have paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from stockpile_model.blocks.budget.budget_terms import Budget, keepers, label
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.funds import Fund
from stockpile_model.passed import Passed
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the appropriations less what they have paid, and what funds have kept of receipts."""
    stockpile, paid, rows = passed.stockpile, dict[str, float](), passed.rows(Budget)
    for row in passed.done("payments"):
        paid[row["appropriation"]] = paid.get(row["appropriation"], 0.0) + row["amount"]
    if rows:
        yield (
            Budget,
            [
                replace(row, amount=max(0.0, row.amount - paid.get(label(stockpile, b), 0.0)))
                for b, row in enumerate(rows)
                if not passed.over(row.pay_by or row.expires)
            ],
        )
    kept = {
        fund: _received(passed, fund) - paid.get(label(stockpile, b), 0.0)
        for b, fund in enumerate(keepers(stockpile), len(rows))
    }
    if kept:
        yield Fund, [_with_receipts(passed, row, kept) for row in passed.rows(Fund)]


def _with_receipts(passed: Passed, row: Fund, kept: Mapping[str, float]) -> Fund:
    """Return a fund with what is left of the receipts that it has kept."""
    left = row.receipts_left + kept.get(row.fund, 0.0)
    return replace(row, receipts_left=left if left > passed.stockpile.scale.no_money else 0.0)


def _received(passed: Passed, fund: str) -> float:
    """Return what a fund has received of the outlets that name it [money]."""
    of = {row.outlet for row in passed.rows(Outlet) if row.fund == fund}
    return float(sum(row["proceeds"] for row in passed.done("rotation") if row["outlet"] in of))
