"""Check appropriations: their dates, and that there are funds."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.blocks.budget.budget_terms import Budget
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered
from stockpile_model.funds import Fund
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the dates of appropriations, and where there are no funds."""
    for row in stockpile.rows(Budget):
        yield from _check_dates(row)
        until = row.pay_by or row.expires  # what was in transit may still be paid
        twisted = row.from_ and row.expires and row.expires < row.from_
        if not overlap(stockpile.calendar, row.from_, until) and not twisted:
            message = "the appropriation cannot be spent within the horizon"
            yield Problem(row.TABLE, row.line, "from", message, warning=True)
    for fund in stockpile.rows(Fund):
        if fund.receipts_left and not fund.keeps_receipts:
            message = (
                f"{fund.fund} keeps no receipts: write yes in keeps_receipts, or give what is left "
                "as an appropriation in the sheet budgets"
            )
            yield Problem(fund.TABLE, fund.line, "receipts_left", message)
    if stockpile.given(Budget) and not stockpile.given(Fund):
        message = "needs the sheet funds, which says what each fund may pay"
        yield Problem("budgets", 0, "", message)


def _check_dates(row: Budget) -> Iterator[Problem]:
    """Yield what is wrong between the dates of an appropriation."""
    yield from ordered(row, "from", "expires")
    yield from ordered(row, "expires", "pay_by")
    if row.pay_by is not None and row.expires is None:
        message = (
            "needs expires: money that is available until spent is paid at any time; write the "
            "last date on which it can be obligated, or leave pay_by blank"
        )
        yield Problem(row.TABLE, row.line, "pay_by", message)
