"""Money: which appropriation pays what, and what lapses."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks import rolled_budget
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.funds import Fund
from stockpile_model.giving import MONEY, Give, Gives
from stockpile_model.ledger import Ledger, Money
from stockpile_model.scale import NOISE
from stockpile_model.schema import Dated, Problem, Result, Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Budget(Row):
    """An appropriation: money of a fund for some years."""

    TABLE = "budgets"
    PURPOSE = "Appropriations. Annual, two-year and no-year money are rows of this table."
    STEP = "parties"
    GIVES: ClassVar[Gives] = {
        "amount": Give("more", MONEY),
        "from": Give("earlier", MONEY),
        "expires": Give("later", MONEY),
    }
    fund: str = column("fund it belongs to", required=True, refers="funds")
    from_: dt.date | None = column("date it can first be spent; blank = from the start")
    expires: dt.date | None = column("last date it can be spent; blank = available until spent")
    amount: float = column(
        "amount of the appropriation",
        "money",
        required=True,
        least=0,
        endowed="fund",
        limit="most",
        stress="cut",
    )


@dataclass(frozen=True, kw_only=True)
class BudgetUse(Result):
    """What becomes of an appropriation, or of the receipts that a fund keeps."""

    SHEET = "budget"
    ABOUT = "each appropriation: spent, lapsed, left"
    PLACE = 60
    MEANS = ("appropriation",)
    NAMED = ("appropriation",)
    appropriation: str = column("fund and first date, or `receipts` kept by a fund")
    fund: str = column("fund")
    from_: dt.date | None = column("date it can first be spent")
    expires: dt.date | None = column("last date; blank = available until spent")
    amount: float = column("appropriated, or received; expected", "money")
    spent: float = column("spent within the horizon, expected", "money")
    lapsed: float = column("unspent at `expires`, expected", "money", alarm=True)
    left: float = column("unspent and still available at the end of the horizon, expected", "money")


@dataclass(frozen=True, kw_only=True)
class Payment(Dated):
    """What an appropriation pays in a period."""

    SHEET = "payments"
    ABOUT = "which appropriation pays what"
    PLACE = 61
    FOR_PROGRAMS = True
    MEANS = ("date", "appropriation", "use", "material", "buyer")
    NAMED = ("appropriation", "material", "date")
    date: dt.date = column("first day of the period")
    appropriation: str = column("appropriation that pays")
    fund: str = column("fund")
    use: str = column("what it pays, as in the column uses of funds")
    material: str | None = column("material")
    buyer: str | None = column("for whom; blank = for all")
    amount: float = column("paid, undiscounted", "money")


Outlay = tuple[str, str, str, str, int]
"""Use, material, buyer, the fund that alone may pay, node; blank for any."""
Moves = Mapping[tuple[int, int], Sequence[Any]]
"""Amounts of money by appropriation and node."""


def label(stockpile: Stockpile, b: int) -> str:
    """Return the name of an appropriation in a plan: its fund and first date.

    Receipts of a fund stand behind the last row.
    """
    rows = stockpile.rows(Budget)
    if b >= len(rows):
        return f"{_keepers(stockpile)[b - len(rows)]} receipts"
    names = [f"{row.fund} {row.from_ or stockpile.settings.start:%Y-%m}" for row in rows]
    twins = [k for k, name in enumerate(names) if name == names[b]]
    return names[b] + (f" ({twins.index(b) + 1})" if len(twins) > 1 else "")


def _keepers(stockpile: Stockpile) -> list[str]:
    """Return the funds that keep their receipts."""
    return [fund.fund for fund in stockpile.rows(Fund) if fund.keeps_receipts]


def _owners(stockpile: Stockpile) -> list[str]:
    """Return the fund of each appropriation."""
    return [*(row.fund for row in stockpile.rows(Budget)), *_keepers(stockpile)]


def may_pay(fund: Fund, money: Money) -> bool:
    """Return whether a fund may pay an outlay.

    Its uses, materials and buyer allow it, and no other fund alone may pay it.
    """
    return (
        money.payer in (None, fund.fund)
        and (not fund.uses or money.use in fund.uses)
        and (not fund.materials or money.material in fund.materials)
        and (fund.buyer is None or money.buyer in (None, fund.buyer))
    )


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the dates of appropriations, and where there are no funds."""
    for row in stockpile.rows(Budget):
        yield from ordered(row, "from", "expires")
        twisted = row.from_ and row.expires and row.expires < row.from_
        if not overlap(stockpile.calendar, row.from_, row.expires) and not twisted:
            message = "the appropriation cannot be spent within the horizon"
            yield Problem(row.TABLE, row.line, "from", message, warning=True)
    if stockpile.given(Budget) and not stockpile.given(Fund):
        message = "needs the sheet funds, which says what each fund may pay"
        yield Problem("budgets", 0, "", message)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what each appropriation pays; without the table `funds` money is unlimited."""
    if not stockpile.given(Fund):
        return
    outlays = _outlays(ledger)
    add_pay(m, stockpile, outlays)
    balance_outlay(m, outlays)
    limit_outlay(m, ledger)
    paid = _paid(m)
    cap_budget(m, stockpile, paid)
    limit_budget(m, stockpile, ledger)
    balance_receipts(m, stockpile, _receipts(stockpile, ledger), paid)


def _outlays(ledger: Ledger) -> dict[Outlay, list[Money]]:
    """Return the outlays, those together that are alike to a fund."""
    found: dict[Outlay, list[Money]] = {}
    for money in ledger.outlays():
        about = (str(money.use), money.material or "", money.buyer or "", money.payer or "")
        found.setdefault((*about, money.node), []).append(money)
    return found


def _paid(m: pyo.ConcreteModel) -> Moves:
    """Return what each appropriation pays at each node."""
    found: dict[tuple[int, int], list[Any]] = {}
    for (b, *_, n), pay in m.pay.items():
        found.setdefault((b, n), []).append(pay)
    return found


def _receipts(stockpile: Stockpile, ledger: Ledger) -> Moves:
    """Return the receipts that funds keep; they stand in the ledger below zero."""
    first, keepers = len(stockpile.rows(Budget)), _keepers(stockpile)
    found: dict[tuple[int, int], list[Any]] = {}
    for money in ledger.money:
        if money.fund in keepers:
            key = (first + keepers.index(str(money.fund)), money.node)
            found.setdefault(key, []).append(money.amount)
    return found


def add_pay(m: pyo.ConcreteModel, stockpile: Stockpile, outlays: Mapping[Outlay, Any]) -> None:
    """Add pay[b,u,i,q,f,n]: what appropriation b pays of an outlay.

    It is one of use u, material i and buyer q, or that fund f alone may pay.
    """
    m.OUTLAYS = pyo.Set(
        dimen=5, initialize=list(outlays), doc="use, material, buyer, only fund, node of an outlay"
    )
    payers = _Payers(stockpile)
    m.PAYMENTS = pyo.Set(
        dimen=6,
        initialize=[
            (b, *key) for key, (money, *_) in outlays.items() for b in payers.able(key[-1], money)
        ],
        doc="appropriation, use, material, buyer, only fund, node it may pay",
    )
    m.pay = pyo.Var(
        m.PAYMENTS, domain=pyo.NonNegativeReals, doc="what an appropriation pays [money]"
    )


class _Payers:
    """The appropriations that may pay an outlay."""

    def __init__(self, stockpile: Stockpile) -> None:
        self.tree, self.funds = stockpile.tree, stockpile.keyed(Fund)
        self.budgets, self.owners = len(stockpile.rows(Budget)), _owners(stockpile)
        self.spendable = functools.cache(functools.partial(_spendable, stockpile))

    def able(self, node: int, money: Money) -> list[int]:
        """Return the appropriations that may pay an outlay at a node."""
        period = self.tree.period[node]
        return [
            b
            for b, fund in enumerate(self.owners)
            if (b >= self.budgets or period in self.spendable(b, node))
            and may_pay(self.funds[fund], money)
        ]


def _spendable(stockpile: Stockpile, b: int, node: int) -> range:
    """Return the periods in which an appropriation can be spent, as it is at a node."""
    row = stockpile.at(node).rows(Budget)[b]
    return overlap(stockpile.calendar, row.from_, row.expires)


def balance_outlay(m: pyo.ConcreteModel, outlays: Mapping[Outlay, Sequence[Money]]) -> None:
    """Require Σ_b pay[b,u,i,q,f,n] = outlay[u,i,q,f,n]."""
    payers: dict[Outlay, list[Any]] = {key: [] for key in outlays}
    for key, pay in m.pay.items():
        payers[key[1:]].append(pay)
    m.balance_outlay = pyo.Constraint(
        m.OUTLAYS,
        rule=lambda m, *key: summed(payers[key]) == summed([each.amount for each in outlays[key]]),
        doc="every outlay is paid by appropriations that may [money]",
    )


def outlay_rows(formulation: Formulation) -> dict[tuple[int, str, str], Any]:
    """Return the constraint that pays what the ledger posts, by node, heading and name.

    There are none where money is unlimited. What several outlays pay for several buyers has none.
    """
    m, found = formulation.m, dict[tuple[int, str, str], Any]()
    rows = m.component("balance_outlay")
    for key, posted in _outlays(formulation.ledger).items() if rows is not None else ():
        for money in posted:
            if key in rows:
                found[money.node, money.heading, money.name] = rows[key]
    return found


def limit_outlay(m: pyo.ConcreteModel, ledger: Ledger) -> None:
    """Post that each outlay needs money that may pay for it."""
    for key in m.OUTLAYS:
        use, material, buyer, only, n = key
        what = f"money{f' of {only}' if only else ''} that may pay for {use}"
        what += (f" of {material}" if material else "") + (f" for {buyer}" if buyer else "")
        ledger.limit(m.balance_outlay[key], "least", 0.0, "money", what, None, "", n)


def cap_budget(m: pyo.ConcreteModel, stockpile: Stockpile, paid: Moves) -> None:
    """Require Σ of what an appropriation pays in its window along each path ≤ its amount.

    The last node of its window on each path says what it amounts to.
    """
    paths = stockpile.tree.paths

    def rule(m: pyo.ConcreteModel, b: int, n: int) -> object:
        spent = [each for s in paths[n] for each in paid.get((b, s), ())]
        return summed(spent) <= stockpile.at(n).rows(Budget)[b].amount

    m.cap_budget = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(_ends(stockpile, paid))),
        rule=rule,
        doc="an appropriation pays no more than its amount [money]",
    )


def _ends(stockpile: Stockpile, paid: Moves) -> set[tuple[int, int]]:
    """Return each appropriation that pays anything with the last node of its window."""
    tree, spendable = stockpile.tree, functools.cache(functools.partial(_spendable, stockpile))
    found = set()
    for b in range(len(stockpile.rows(Budget))):
        for path in (tree.paths[leaf] for leaf in tree.leaves):
            if any((b, s) in paid for s in path):
                window = (s for s in reversed(path) if tree.period[s] in spendable(b, s))
                last = next(window, None)
                if last is not None:
                    found.add((b, last))
    return found


def limit_budget(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post the amount of each appropriation with its cell."""
    for b, n in m.cap_budget:
        row, what = stockpile.at(n).rows(Budget)[b], f"appropriation {label(stockpile, b)}"
        ledger.limit(m.cap_budget[b, n], "most", row.amount, "money", what, row, "amount", n)


def balance_receipts(
    m: pyo.ConcreteModel, stockpile: Stockpile, receipts: Moves, paid: Moves
) -> None:
    """Require receipts_left[b,n] = receipts_left[b,p] + receipts - pay, never below zero.

    Receipts that a fund keeps are one more appropriation: along each path what is spent of them up
    to n is at most what arrived up to n. Summed along each path from the root, the rows would be
    dense.
    """
    tree, first = stockpile.tree, len(stockpile.rows(Budget))
    owners = range(first, first + len(_keepers(stockpile)))
    m.RECEIPTS = pyo.Set(
        dimen=2,
        initialize=[(b, n) for b in owners for n in tree.nodes],
        doc="fund that keeps its receipts, node",
    )
    m.receipts_left = pyo.Var(
        m.RECEIPTS, domain=pyo.NonNegativeReals, doc="receipts kept and not yet spent [money]"
    )

    def rule(m: pyo.ConcreteModel, b: int, n: int) -> object:
        parent, now = tree.parent[n], m.receipts_left[b, n]
        before = [] if parent is None else [m.receipts_left[b, parent]]
        moved = [-each for each in (*receipts.get((b, n), ()), *paid.get((b, n), ()), now)]
        return summed([*before, *moved]) == 0

    m.balance_receipts = pyo.Constraint(
        m.RECEIPTS, rule=rule, doc="receipts are spent only once they have arrived [money]"
    )


@dataclass
class Spending:
    """What appropriations pay: by appropriation and node, and expected by appropriation [money]."""

    at: dict[tuple[int, int], float] = field(default_factory=dict)
    expected: dict[int, float] = field(default_factory=dict)

    def add(self, b: int, n: int, amount: float, probability: float) -> None:
        """Add a payment at a node."""
        self.at[b, n] = self.at.get((b, n), 0.0) + amount
        self.expected[b] = self.expected.get(b, 0.0) + probability * amount


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what each appropriation pays, and what becomes of it."""
    if not formulation.stockpile.given(Fund):
        return
    spent = Spending()
    yield from _payments(formulation, spent)
    yield from _uses(formulation.stockpile, spent)
    yield from _kept(formulation, spent)


def _payments(formulation: Formulation, spent: Spending) -> Iterator[Payment]:
    """Yield the payments, and add each to what is spent."""
    m, stockpile = formulation.m, formulation.stockpile
    owners = _owners(stockpile)
    for (b, use, material, buyer, _, n), pay in m.pay.items():
        if (amount := evaluate(pay)) > stockpile.scale.no_money:
            spent.add(b, n, amount, stockpile.tree.probability[n])
            yield Payment(
                **stockpile.where(n),
                date=stockpile.date(n),
                appropriation=label(stockpile, b),
                fund=owners[b],
                use=use,
                material=material or None,
                buyer=buyer or None,
                amount=amount,
            )


def _uses(stockpile: Stockpile, spent: Spending) -> Iterator[BudgetUse]:
    """Yield what is spent, lapses and is left of each appropriation, expected over the leaves."""
    tree, calendar = stockpile.tree, stockpile.calendar
    for b, row in enumerate(stockpile.rows(Budget)):
        amount = lapsed = left = 0.0
        for leaf in tree.leaves:
            path, chance = tree.paths[leaf], tree.probability[leaf]
            last = _last(stockpile, b, leaf)
            paid = sum(spent.at.get((b, n), 0.0) for n in path)
            rest = chance * _rest(stockpile, last.amount, paid)
            amount += chance * last.amount
            if last.expires is not None and calendar.period(last.expires) < calendar.periods:
                lapsed += rest
            else:
                left += rest
        yield BudgetUse(
            appropriation=label(stockpile, b),
            fund=row.fund,
            from_=row.from_,
            expires=row.expires,
            amount=amount,
            spent=spent.expected.get(b, 0.0),
            lapsed=lapsed,
            left=left,
        )


def _kept(formulation: Formulation, spent: Spending) -> Iterator[BudgetUse]:
    """Yield what is spent and left of the receipts that each fund keeps."""
    stockpile, probability = formulation.stockpile, formulation.stockpile.tree.probability
    for b, keeper in enumerate(_keepers(stockpile), start=len(stockpile.rows(Budget))):
        own = ((each, amount) for each, amount in formulation.money if each.fund == keeper)
        received = 0.0 - sum(probability[each.node] * amount for each, amount in own)
        paid = spent.expected.get(b, 0.0)
        yield BudgetUse(
            appropriation=label(stockpile, b),
            fund=keeper,
            from_=None,
            expires=None,
            amount=received,
            spent=paid,
            lapsed=0.0,
            left=_rest(stockpile, received, paid),
        )


def _last(stockpile: Stockpile, b: int, leaf: int) -> Budget:
    """Return an appropriation at the last node on the path to a leaf at which it can be spent.

    Where there is none, it is as it stands at the leaf.
    """
    for n in reversed(stockpile.tree.paths[leaf]):
        if stockpile.tree.period[n] in _spendable(stockpile, b, n):
            return stockpile.at(n).rows(Budget)[b]
    return stockpile.at(leaf).rows(Budget)[b]


def _rest(stockpile: Stockpile, amount: float, spent: float) -> float:
    """Return what is left of an amount; nothing where only the solver's noise is."""
    noise = NOISE * max(stockpile.scale.money, amount)
    return amount - spent if amount - spent > noise else 0.0


def affords(stockpile: Stockpile, cheapest: float) -> float:
    """Return what all appropriations together could buy at the lowest price [quantity].

    It is infinite without funds, and where one keeps its receipts.
    """
    keeps = any(fund.keeps_receipts for fund in stockpile.rows(Fund))
    if not stockpile.given(Fund) or cheapest <= 0 or keeps:
        return math.inf
    together = zip(*(view.rows(Budget) for view in stockpile.variants), strict=True)
    amount: float = sum(max(row.amount for row in rows) for rows in together)
    return amount / cheapest


BLOCK = Block(
    tables=(Fund, Budget),
    results=(BudgetUse, Payment),
    check=check,
    add=add,
    report=report,
    affords=affords,
    rolls=rolled_budget.rolls,
)
