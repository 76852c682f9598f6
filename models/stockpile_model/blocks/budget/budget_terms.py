"""Appropriations: what each may pay, by when it lives and by when it must have paid.

It holds no variable.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from stockpile_model.calendar import overlap
from stockpile_model.funds import Fund
from stockpile_model.giving import MONEY, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Budget(Row):
    """An appropriation: money of a fund for some years."""

    TABLE = "budgets"
    PURPOSE = (
        "Appropriations. Annual, two-year and no-year money are rows of this table. An order is "
        "obligated in full when it is placed; what a contract asks for in a fiscal year "
        "(deliveries, call-off costs, deficits, top-ups) at the start of that year, or at signing "
        "or extension if that is later; all else when it is paid; what was in transit at the start "
        "by what lived when it was ordered, or else at the start. What does not arrive is "
        "released, and may be obligated again while its appropriation lives; what should arrive "
        "in the period of its order only in the next, as all of it may be due."
    )
    STEP = "parties"
    GIVES: ClassVar[Gives] = {
        "amount": Give("more", MONEY),
        "from": Give("earlier", MONEY),
        "expires": Give("later", MONEY),
        "pay_by": Give("later", MONEY),
    }
    fund: str = column("fund it belongs to", required=True, refers="funds")
    from_: dt.date | None = column("date it can first be obligated; blank = from the start")
    expires: dt.date | None = column(
        "last date on which it can be obligated: an order is placed, a contract signed, a grant "
        "decided, a service used; blank = available until spent"
    )
    pay_by: dt.date | None = column(
        "last date on which what was obligated may be paid; blank = `expires`"
    )
    amount: float = column(
        "amount of the appropriation",
        "money",
        required=True,
        least=0,
        endowed="fund",
        limit="most",
        stress="cut",
    )


class About(NamedTuple):
    """Describe what money is for, as far as funds ask; blank for any.

    `only`: the fund that alone may pay.
    """

    use: str
    material: str
    buyer: str
    only: str


def keepers(stockpile: Stockpile) -> list[str]:
    """Return the funds that keep their receipts."""
    return [fund.fund for fund in stockpile.rows(Fund) if fund.keeps_receipts]


def owners(stockpile: Stockpile) -> list[str]:
    """Return the fund of each appropriation; receipts of funds stand behind the last row."""
    return [*(row.fund for row in stockpile.rows(Budget)), *keepers(stockpile)]


def label(stockpile: Stockpile, b: int) -> str:
    """Return the name of an appropriation in a plan: its fund and first date.

    Receipts of a fund stand behind the last row.
    """
    rows = stockpile.rows(Budget)
    if b >= len(rows):
        return f"{keepers(stockpile)[b - len(rows)]} receipts"
    names = [f"{row.fund} {row.from_ or stockpile.settings.start:%Y-%m}" for row in rows]
    twins = [k for k, name in enumerate(names) if name == names[b]]
    return names[b] + (f" ({twins.index(b) + 1})" if len(twins) > 1 else "")


def may_pay(fund: Fund, about: About) -> bool:
    """Return whether a fund may pay an outlay.

    Its uses, materials and buyer allow it, and no other fund alone may pay it.
    """
    return (
        about.only in ("", fund.fund)
        and (not fund.uses or about.use in fund.uses)
        and (not fund.materials or about.material in fund.materials)
        and (fund.buyer is None or about.buyer in ("", fund.buyer))
    )


class Appropriations:
    """Describe when each appropriation can be obligated and pay, as it stands at a node.

    `days`: the dates of orders before the start; an obligation of the k-th of them stands as
    node -1 - k. `accounts`: appropriations that stand together as one, the first of them, which
    grows as the others come (see `accounts`).
    """

    def __init__(
        self,
        stockpile: Stockpile,
        days: Sequence[dt.date | None] = (),
        accounts: Sequence[Sequence[int]] = (),
    ) -> None:
        self.stockpile, self.days = stockpile, tuple(days)
        self.accounts = {each[0]: tuple(each) for each in accounts}
        self._account = {b: each[0] for each in accounts for b in each}
        self.owners, self.number = owners(stockpile), len(stockpile.rows(Budget))
        self.able = functools.cache(self._together)
        self.window = functools.cache(self._window)
        self._allowed = functools.cache(self._may)

    def row(self, b: int, node: int) -> Budget:
        """Return an appropriation as it stands at a node."""
        return self.stockpile.at(node).rows(Budget)[b]

    def last(self, b: int, leaf: int) -> int | None:
        """Return the last node on the path to a leaf at which it can be obligated."""
        tree = self.stockpile.tree
        path = reversed(tree.paths[leaf])
        return next((n for n in path if tree.period[n] in self.window(b, n)), None)

    def bound(self, day: dt.date | None) -> int:
        """Return the node that stands for an obligation on a day before the start."""
        return -1 - self.days.index(day)

    def date(self, bound: int) -> dt.date | None:
        """Return when an obligation was, or is, entered into; None where that is not known."""
        return self.days[-1 - bound] if bound < 0 else self.stockpile.date(bound)

    def _window(self, b: int, node: int) -> range:
        row = self.row(b, node)
        return overlap(self.stockpile.calendar, row.from_, row.expires)

    def _may(self, about: About) -> list[int]:
        funds = self.stockpile.keyed(Fund)
        return [b for b, fund in enumerate(self.owners) if may_pay(funds[fund], about)]

    def opens(self, b: int) -> int:
        """Return the period in which an appropriation can first be obligated."""
        return self.window(b, 0).start

    def _together(self, about: About, bound: int, node: int) -> tuple[int, ...]:
        """Return what may pay, appropriations of one account as one."""
        able = self._able(about, bound, node)
        return tuple(dict.fromkeys(self._account.get(b, b) for b in able))

    def _able(self, about: About, bound: int, node: int) -> tuple[int, ...]:
        """Return the appropriations that may pay at a node what is obligated at another.

        Its fund may, it lives when that is obligated, and still pays. Receipts that a fund keeps
        have no dates.
        """
        allowed = [b for b in self._allowed(about) if b >= self.number or self._pays(b, node)]
        if bound < 0:
            root = self.stockpile.tree.paths[node][0]
            return self.able_before(about, self.days[-1 - bound], root, node)
        period = self.stockpile.tree.period[bound]
        return tuple(b for b in allowed if b >= self.number or period in self.window(b, bound))

    def _pays(self, b: int, node: int) -> bool:
        """Return whether an appropriation may still pay at a node."""
        row, calendar = self.row(b, node), self.stockpile.calendar
        until = row.pay_by or row.expires
        return until is None or self.stockpile.tree.period[node] <= calendar.period(until)

    def able_before(
        self, about: About, day: dt.date | None, root: int, node: int
    ) -> tuple[int, ...]:
        """Return what may pay at a node what was obligated on a day before the first node, a root.

        It is what lived then, or else at the root.
        """
        allowed = [b for b in self._allowed(about) if b >= self.number or self._pays(b, node)]
        rows = {b: self.row(b, root) for b in allowed if b < self.number}
        alive = [
            b
            for b, row in rows.items()
            if day is not None
            and (row.from_ is None or row.from_ <= day)
            and (row.expires is None or day <= row.expires)
        ] or [b for b in rows if self.stockpile.tree.period[root] in self.window(b, root)]
        return (*alive, *(b for b in allowed if b >= self.number))


def accounts(able: Appropriations, watched: Collection[int]) -> list[list[int]]:
    """Return the appropriations of a fund that can stand together as one account, the first first.

    They are available until spent, change in no scenario, and something failing may bind them.
    What one of them may pay, those that came before may too. So they can pay what is charged to
    them if, at any time, all that is charged is at most all that has come: whatever is charged
    takes what is free, and never has to give way. One account has fewer columns and rows.
    """
    stockpile = able.stockpile
    found: dict[str, list[int]] = {}
    for b, row in enumerate(stockpile.rows(Budget)):
        steady = all(view.rows(Budget)[b] is row for view in stockpile.variants)
        endless = row.expires is None and row.pay_by is None and able.window(b, 0)
        if steady and endless and b in watched and not able.days:
            found.setdefault(row.fund, []).append(b)
    several = (each for each in found.values() if len(each) > 1)
    return [sorted(each, key=lambda b: (able.opens(b), b)) for each in several]
