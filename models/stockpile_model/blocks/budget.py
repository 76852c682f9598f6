"""Money: which appropriation pays what, and what lapses."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model.data import Dated, Problem, Result, Row, Stockpile, column, ordered, overlap
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import USES, Ledger, Money
from stockpile_model.scale import NOISE


@dataclass(frozen=True, kw_only=True)
class Fund(Row):
    TABLE = "funds"
    fund: str = column("name of the fund", required=True, key=True)
    buyer: str | None = column("whose fund; blank = pays for all")
    uses: tuple[str, ...] = column("what it may pay; blank = all", default=(), choices=USES)
    materials: tuple[str, ...] = column("for which materials; blank = all", default=(), refers="materials")
    keeps_receipts: bool = column("whether it may spend the receipts of the outlets that name it", default=False)


@dataclass(frozen=True, kw_only=True)
class Budget(Row):
    TABLE = "budgets"
    fund: str = column("fund it belongs to", required=True, refers="funds")
    from_: dt.date | None = column("date it can first be spent; blank = from the start")
    expires: dt.date | None = column("last date it can be spent; blank = available until spent")
    amount: float = column("amount of the appropriation", "money", required=True, least=0)


@dataclass(frozen=True, kw_only=True)
class BudgetUse(Result):
    SHEET = "budget"
    appropriation: str = column("fund and first date, or `receipts` kept by a fund")
    fund: str = column("fund")
    from_: dt.date | None = column("date it can first be spent")
    expires: dt.date | None = column("last date; blank = available until spent")
    amount: float = column("appropriated, or received; expected", "money")
    spent: float = column("spent within the horizon, expected", "money")
    lapsed: float = column("unspent at `expires`, expected", "money")
    left: float = column("unspent and still available at the end of the horizon, expected", "money")


@dataclass(frozen=True, kw_only=True)
class Payment(Dated):
    SHEET = "payments"
    date: dt.date = column("first day of the period")
    appropriation: str = column("appropriation that pays")
    fund: str = column("fund")
    use: str = column("purchase, contract, storage, rotation or project")
    material: str | None = column("material")
    buyer: str | None = column("for whom; blank = for all")
    amount: float = column("paid, undiscounted", "money")


TABLES: tuple[type[Row], ...] = (Fund, Budget)

Outlay = tuple[str, str, str, str, int]  # use, material, buyer, fund that alone may pay, node; blank for any


def label(stockpile: Stockpile, b: int) -> str:
    """How the plan calls an appropriation: its fund and first date. Receipts of a fund stand behind the last row."""
    rows = stockpile.rows(Budget)
    if b >= len(rows):
        return f"{_keepers(stockpile)[b - len(rows)]} receipts"
    names = [f"{row.fund} {row.from_ or stockpile.settings.start:%Y-%m}" for row in rows]
    twins = [k for k, name in enumerate(names) if name == names[b]]
    return names[b] + (f" ({twins.index(b) + 1})" if len(twins) > 1 else "")


def _keepers(stockpile: Stockpile) -> list[str]:
    """The funds that keep their receipts."""
    return [fund.fund for fund in stockpile.rows(Fund) if fund.keeps_receipts]


def may_pay(fund: Fund, money: Money) -> bool:
    """Whether a fund's uses, materials and buyer allow an outlay, and no other fund alone may pay it."""
    return (
        money.payer in (None, fund.fund)
        and (not fund.uses or money.use in fund.uses)
        and (not fund.materials or money.material in fund.materials)
        and (fund.buyer is None or money.buyer in (None, fund.buyer))
    )


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Budget):
        yield from ordered(row, "from", "expires")
        if not overlap(stockpile.calendar, row.from_, row.expires) and not (row.from_ and row.expires and row.expires < row.from_):
            yield Problem(row.TABLE, row.line, "from", "the appropriation cannot be spent within the horizon", warning=True)
    if stockpile.given(Budget) and not stockpile.given(Fund):
        yield Problem("budgets", 0, "", "needs the sheet funds, which says what each fund may pay")


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ_b pay[b,u,i,q,f,n] = outlay[u,i,q,f,n] of buyer q, or that fund f alone may pay;

    Σ over an appropriation's window along each path ≤ amount.

    Receipts that a fund keeps are one more appropriation: along each path what is spent of them up to n is at most what
    arrived up to n. Without the table `funds` money is unlimited.
    """
    if not stockpile.given(Fund):
        return
    tree, funds, budgets = stockpile.tree, stockpile.keyed(Fund), stockpile.rows(Budget)
    keepers = _keepers(stockpile)
    outlays: dict[Outlay, list[Money]] = {}
    for money in ledger.outlays():
        key = (str(money.use), money.material or "", money.buyer or "", money.payer or "", money.node)
        outlays.setdefault(key, []).append(money)
    owners = [*(row.fund for row in budgets), *keepers]

    @functools.cache
    def spendable(b: int, n: int) -> range:
        row = stockpile.at(n).rows(Budget)[b]
        return overlap(stockpile.calendar, row.from_, row.expires)

    payers: dict[Outlay, list[int]] = {}
    for key, (money, *_) in outlays.items():  # to a fund all parts of an outlay are alike
        period = tree.period[key[-1]]
        payers[key] = [
            b
            for b, fund in enumerate(owners)
            if (b >= len(budgets) or period in spendable(b, key[-1])) and may_pay(funds[fund], money)
        ]  # fmt: skip

    m.OUTLAYS = pyo.Set(dimen=5, initialize=list(outlays), doc="use, material, buyer, only fund, node of an outlay")
    m.PAYMENTS = pyo.Set(
        dimen=6,
        initialize=[(b, *key) for key, able in payers.items() for b in able],
        doc="appropriation, use, material, buyer, only fund, node it may pay",
    )
    m.pay = pyo.Var(m.PAYMENTS, domain=pyo.NonNegativeReals, doc="what an appropriation pays [money]")
    m.balance_outlay = pyo.Constraint(
        m.OUTLAYS,
        rule=lambda m, *key: summed([m.pay[b, key] for b in payers[key]]) == summed([money.amount for money in outlays[key]]),
        doc="every outlay is paid by appropriations that may [money]",
    )
    for key in outlays:
        use, material, buyer, only, n = key
        what = f"money{f' of {only}' if only else ''} that may pay for {use}{f' of {material}' if material else ''}"
        what += f" for {buyer}" if buyer else ""
        ledger.limit(m.balance_outlay[key], "least", 0.0, "money", what, None, "", n)

    paid: dict[tuple[int, int], list[object]] = {}
    for (b, *_, n), pay in m.pay.items():
        paid.setdefault((b, n), []).append(pay)

    def spent(b: int, n: int) -> list[object]:
        """What an appropriation has paid on the path to a node."""
        return [each for s in tree.paths[n] for each in paid.get((b, s), ())]

    # The last node of its window on each path says what an appropriation amounts to.
    ends = {
        (b, last)
        for b in range(len(budgets))
        for leaf in tree.leaves
        if any((b, s) in paid for s in tree.paths[leaf])
        and (last := max((s for s in tree.paths[leaf] if tree.period[s] in spendable(b, s)), default=-1)) >= 0
    }
    m.cap_budget = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, b, n: summed(spent(b, n)) <= stockpile.at(n).rows(Budget)[b].amount,
        doc="an appropriation pays no more than its amount [money]",
    )
    for b, n in m.cap_budget:
        row = stockpile.at(n).rows(Budget)[b]
        ledger.limit(m.cap_budget[b, n], "most", row.amount, "money", f"appropriation {label(stockpile, b)}", row, "amount", n)

    kept: dict[tuple[int, int], list[object]] = {}
    for money in ledger.money:
        if money.fund in keepers:
            kept.setdefault((len(budgets) + keepers.index(str(money.fund)), money.node), []).append(money.amount)

    # A running balance: summed along each path from the root, the same rows would be dense.
    m.RECEIPTS = pyo.Set(
        dimen=2, initialize=[(b, n) for b in range(len(budgets), len(owners)) for n in tree.nodes], doc="fund that keeps its receipts, node"
    )
    m.receipts_left = pyo.Var(m.RECEIPTS, domain=pyo.NonNegativeReals, doc="receipts kept and not yet spent [money]")

    def balance_receipts(m: pyo.ConcreteModel, b: int, n: int) -> object:
        parent = tree.parent[n]
        before = [] if parent is None else [m.receipts_left[b, parent]]
        # A receipt stands in the ledger below zero.
        moved = [-each for each in (*kept.get((b, n), ()), *paid.get((b, n), ()), m.receipts_left[b, n])]
        return summed([*before, *moved]) == 0

    m.balance_receipts = pyo.Constraint(m.RECEIPTS, rule=balance_receipts, doc="receipts are spent only once they have arrived [money]")


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    if not stockpile.given(Fund):
        return
    tree, calendar, budgets = stockpile.tree, stockpile.calendar, stockpile.rows(Budget)
    spent: dict[int, float] = {}
    at: dict[tuple[int, int], float] = {}
    for (b, use, material, buyer, _, n), pay in m.pay.items():
        if (amount := evaluate(pay)) > stockpile.scale.no_money:
            spent[b] = spent.get(b, 0.0) + tree.probability[n] * amount
            at[b, n] = at.get((b, n), 0.0) + amount
            fund = budgets[b].fund if b < len(budgets) else _keepers(stockpile)[b - len(budgets)]
            date = calendar.begin(tree.period[n])
            yield Payment(
                **stockpile.where(n),
                date=date,
                appropriation=label(stockpile, b),
                fund=fund,
                use=use,
                material=material or None,
                buyer=buyer or None,
                amount=amount,
            )
    for b, row in enumerate(budgets):
        amount = lapsed = left = 0.0
        for leaf in tree.leaves:
            path, chance = tree.paths[leaf], tree.probability[leaf]
            last = _last(stockpile, b, leaf)
            rest = chance * _rest(stockpile, last.amount, sum(at.get((b, n), 0.0) for n in path))
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
            spent=spent.get(b, 0.0),
            lapsed=lapsed,
            left=left,
        )
    for b, keeper in enumerate(_keepers(stockpile), start=len(budgets)):
        received = 0.0 - sum(tree.probability[each.node] * amount for each, amount in formulation.money if each.fund == keeper)
        yield BudgetUse(
            appropriation=label(stockpile, b),
            fund=keeper,
            from_=None,
            expires=None,
            amount=received,
            spent=spent.get(b, 0.0),
            lapsed=0.0,
            left=_rest(stockpile, received, spent.get(b, 0.0)),
        )


def _last(stockpile: Stockpile, b: int, leaf: int) -> Budget:
    """An appropriation at the last node of the path to a leaf at which it can be spent; where there is none, at the leaf."""
    for n in reversed(stockpile.tree.paths[leaf]):
        row = stockpile.at(n).rows(Budget)[b]
        if stockpile.tree.period[n] in overlap(stockpile.calendar, row.from_, row.expires):
            return row
    return stockpile.at(leaf).rows(Budget)[b]


def _rest(stockpile: Stockpile, amount: float, spent: float) -> float:
    """What is left of an amount; nothing where only the solver's noise is."""
    return amount - spent if amount - spent > NOISE * max(stockpile.scale.money, amount) else 0.0
