"""Let appropriations pay: each outlay by those that lived when it was obligated.

Along each path all that an appropriation has obligated, less what was released as it did not
arrive, is at most its amount. What it pays in the end says so for what arrives; for the rest it is
held from the order to the day on which it should have arrived. What is ordered and should arrive in
one period is obligated in full in it, as all of it may arrive and be due. Which appropriation was
charged is settled with the payment, on each path for itself: an adjustment is charged to the
account of the obligation (31 USC 1553(a)); none is obligated beyond its amount at any time (31 USC
1341).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyomo.environ as pyo

from stockpile_model.blocks.budget.budget_terms import About, Appropriations, Budget, label
from stockpile_model.blocks.budget.obligated import OwedMoney
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.stockpile import Stockpile

Outlay = tuple[str, str, str, str, int, int]
"""Use, material, buyer, only fund; the last node at which it is obligated; node of payment."""


class BudgetCharge(NamedTuple):
    """Describe what an appropriation pays, or holds, of what is obligated at one node until
    another."""

    bound: int
    node: int
    amount: Any

    def holds(self, n: int) -> bool:
        """Return whether it is held at a node of its path, as what is obligated there adds up.

        What is released there of an earlier obligation may be obligated again; what is obligated
        and released there may not, as it is due should it arrive.
        """
        return self.bound <= n < self.node or self.bound == n == self.node


@dataclass(frozen=True)
class Charges:
    """Describe what may be charged to appropriations, by appropriation and node of payment or
    release.

    `watched`: those that something failing may bind; of them it is known when each was obligated.
    """

    stockpile: Stockpile
    able: Appropriations
    watched: frozenset[int]
    paid: dict[tuple[int, int], list[BudgetCharge]] = field(default_factory=dict)
    held: dict[tuple[int, int], list[BudgetCharge]] = field(default_factory=dict)

    def on(
        self, which: Mapping[tuple[int, int], list[BudgetCharge]], b: int, path: Iterable[int]
    ) -> Iterator[BudgetCharge]:
        """Yield what may be charged to an appropriation at the nodes of a path."""
        for n in path:
            yield from which.get((b, n), ())


class BudgetRow(NamedTuple):
    """A row of an appropriation: `node`, by which all is obligated; `end`, at which it is known.

    `outstanding`: what is obligated by the node and paid or released later, or released there but
    not from before. `budget`: the appropriation as it stands when it can last be obligated.
    """

    node: int
    end: int
    outstanding: Sequence[BudgetCharge]
    budget: Budget


def group(
    owed: Iterable[OwedMoney], able: Appropriations, watched: frozenset[int]
) -> dict[Outlay, list[OwedMoney]]:
    """Return outlays together that are alike to all appropriations.

    They are those of one node that the same may pay; where something fails, of one obligation.
    """
    found: dict[tuple[object, ...], list[OwedMoney]] = {}
    for each in owed:
        payers = able.able(each.about, each.bound, each.node)
        by = payers if watched.isdisjoint(payers) else each.bound
        found.setdefault((each.about, by, each.node), []).append(each)
    return {
        (*parts[0].about, max(each.bound for each in parts), parts[0].node): parts
        for parts in found.values()
    }


def add_pay(m: pyo.ConcreteModel, able: Appropriations, outlays: Iterable[Outlay]) -> None:
    """Add pay[b,u,i,q,f,s,n]: what appropriation b pays at n of what is obligated up to s.

    It is an outlay of use u, material i and buyer q, or that fund f alone may pay.
    """
    keys = list(outlays)
    m.OUTLAYS = pyo.Set(
        dimen=6,
        initialize=keys,
        doc="use, material, buyer, only fund, last node of obligation, node of an outlay",
    )
    m.PAYMENTS = pyo.Set(
        dimen=7,
        initialize=list(_payers(able, keys)),
        doc="appropriation, use, material, buyer, only fund, node of obligation, node it may pay",
    )
    m.pay = pyo.Var(
        m.PAYMENTS, domain=pyo.NonNegativeReals, doc="what an appropriation pays [money]"
    )


def add_reserved(m: pyo.ConcreteModel, able: Appropriations, failing: Iterable[Outlay]) -> None:
    """Add reserved[b,u,i,q,f,s,n]: what appropriation b has obligated at s and gets back at n.

    It is for what does not arrive.
    """
    keys = list(failing)
    m.FAILING = pyo.Set(
        dimen=6,
        initialize=keys,
        doc="use, material, buyer, only fund, node of obligation, node of release of what fails",
    )
    m.HOLDINGS = pyo.Set(
        dimen=7,
        initialize=list(_payers(able, keys)),
        doc="appropriation, use, material, buyer, only fund, node of obligation, node of release",
    )
    m.reserved = pyo.Var(
        m.HOLDINGS,
        domain=pyo.NonNegativeReals,
        doc="what an appropriation has obligated for what does not arrive [money]",
    )


def _payers(able: Appropriations, outlays: Iterable[Outlay]) -> Iterator[tuple[Any, ...]]:
    """Yield each outlay behind each appropriation that may pay it."""
    for *about, s, n in outlays:
        for b in able.able(About(*about), s, n):
            yield (b, *about, s, n)


def balance_outlay(m: pyo.ConcreteModel, outlays: Mapping[Outlay, Sequence[OwedMoney]]) -> None:
    """Require Σ_b pay[b,u,i,q,f,s,n] = outlay[u,i,q,f,s,n]."""
    payers = _by_outlay(m.pay, outlays)
    m.balance_outlay = pyo.Constraint(
        m.OUTLAYS,
        rule=lambda m, *key: summed(payers[key]) == summed([each.amount for each in outlays[key]]),
        doc="every outlay is paid by appropriations that may [money]",
    )


def balance_reserved(m: pyo.ConcreteModel, failing: Mapping[Outlay, Sequence[OwedMoney]]) -> None:
    """Require Σ_b reserved[b,u,i,q,f,s,n] = what fails at n of what is obligated at s."""
    payers = _by_outlay(m.reserved, failing)
    m.balance_reserved = pyo.Constraint(
        m.FAILING,
        rule=lambda m, *key: summed(payers[key]) == summed([each.amount for each in failing[key]]),
        doc="what does not arrive is obligated by appropriations that may pay for it [money]",
    )


def _by_outlay(charged: Any, outlays: Iterable[Outlay]) -> dict[Outlay, list[Any]]:
    """Return the variables of each outlay."""
    found: dict[Outlay, list[Any]] = {key: [] for key in outlays}
    for key, each in charged.items():
        found[key[1:]].append(each)
    return found


def charges(m: pyo.ConcreteModel, able: Appropriations, watched: frozenset[int]) -> Charges:
    """Return what may be charged to each appropriation."""
    found = Charges(able.stockpile, able, watched)
    for to, charged in ((found.paid, m.pay), (found.held, m.reserved)):
        for (b, *_, s, n), each in charged.items():
            to.setdefault((b, n), []).append(BudgetCharge(s, n, each))
    return found


def limit_outlay(m: pyo.ConcreteModel, ledger: Ledger) -> None:
    """Post that each outlay needs money that may pay for it."""
    for key in m.OUTLAYS:
        use, material, buyer, only, _, n = key
        what = f"money{f' of {only}' if only else ''} that may pay for {use}"
        what += (f" of {material}" if material else "") + (f" for {buyer}" if buyer else "")
        ledger.limit(m.balance_outlay[key], "least", 0.0, "money", what, None, "", n)


def full_rows(found: Charges) -> dict[tuple[int, int], BudgetRow]:
    """Return the row of each appropriation over all its window, on each path, by its end.

    Where it may be paid, or release, only after its window, the path goes on to there.
    """
    tree, rows = found.stockpile.tree, dict[tuple[int, int], BudgetRow]()
    for b in range(found.able.number):
        for leaf in tree.leaves:
            path, last = tree.paths[leaf], found.able.last(b, leaf)
            paid = [each.node for each in found.on(found.paid, b, path)]
            if paid and last is None:  # it lived before the start, and pays what was ordered then
                rows[b, leaf] = BudgetRow(leaf, leaf, [], found.able.row(b, leaf))
            elif last is not None:
                held = [c for c in found.on(found.held, b, path) if c.holds(last)]
                if not paid and not held:
                    continue
                end = max(last, *paid, *(each.node for each in held))
                rows[b, end] = BudgetRow(last, end, held, found.able.row(b, last))
    return dict(sorted(rows.items()))


def interim_rows(found: Charges) -> dict[tuple[int, int, int], BudgetRow]:
    """Return the rows before the end, each just before something is released, or money comes.

    Up to there what was obligated is at most the amount too; what is released later may be
    obligated again. What is obligated and released in one period has a row of its own there. Where
    nothing is released in between a later row says more.
    """
    tree, seen = found.stockpile.tree, set[tuple[int, int, int, int]]()
    rows: dict[tuple[int, int, int], BudgetRow] = {}
    for b, leaf in itertools.product(sorted(found.watched), tree.leaves):
        path, last = tree.paths[leaf], None
        if b < found.able.number:
            last = found.able.last(b, leaf)
        if last is None:
            continue
        held, budget = [*found.on(found.held, b, path)], found.able.row(b, last)
        charges = [*found.on(found.paid, b, path), *held]
        for n in _before_more_is_free(found, b, path, held, last):
            if not any(each.bound <= n for each in charges):
                continue
            later = [each for each in charges if each.bound <= n < each.node]
            later += [each for each in held if each.bound == n == each.node]
            row = BudgetRow(n, max([n, *(each.node for each in later)]), later, budget)
            if (b, n, row.end, id(budget)) not in seen:
                seen.add((b, n, row.end, id(budget)))
                end = row.end if (b, n, row.end) not in rows else max(row.end, last)
                rows[b, n, end] = row
    return rows


def _before_more_is_free(
    found: Charges, b: int, path: Sequence[int], held: Iterable[BudgetCharge], last: int
) -> list[int]:
    """Return the nodes of a path after which an appropriation may obligate more."""
    at_once = {each.node for each in held if each.bound == each.node}
    changes = {each.node for each in held if each.bound < each.node <= last}
    changes |= {path[found.able.opens(k)] for k in found.able.accounts.get(b, ())[1:]}
    before = {found.stockpile.tree.parent[n] for n in changes} | (at_once - {last})
    return sorted(n for n in before if n is not None)


def add_paid(
    m: pyo.ConcreteModel,
    found: Charges,
    full: Iterable[tuple[int, int]],
    interim: Iterable[tuple[int, int, int]],
) -> None:
    """Add paid_so_far[b,n]: paid by an appropriation up to node n, where something may fail."""
    tree = found.stockpile.tree
    needed = {(b, n) for b, n, _ in interim} | {(b, n) for b, n in full if b in found.watched}
    nodes = {(b, s) for b, n in needed for s in tree.paths[n]}
    m.PAID = pyo.Set(dimen=2, initialize=sorted(nodes), doc="appropriation, node")
    m.paid_so_far = pyo.Var(
        m.PAID, domain=pyo.NonNegativeReals, doc="what an appropriation has paid so far [money]"
    )


def balance_paid(m: pyo.ConcreteModel, found: Charges) -> None:
    """Require paid_so_far[b,n] = paid_so_far[b,p(n)] + Σ pay.

    Summed along each path, the rows that use it would be dense.
    """
    tree = found.stockpile.tree

    def rule(m: pyo.ConcreteModel, b: int, n: int) -> object:
        parent = tree.parent[n]
        before = [] if parent is None else [m.paid_so_far[b, parent]]
        paid = [each.amount for each in found.paid.get((b, n), ())]
        return summed([*before, *paid, -m.paid_so_far[b, n]]) == 0

    m.balance_paid = pyo.Constraint(
        m.PAID, rule=rule, doc="what an appropriation pays adds up along a path [money]"
    )


def add_appropriated(m: pyo.ConcreteModel, able: Appropriations) -> None:
    """Add appropriated[b,n]: what comes with appropriation b of an account, at most its amount."""
    m.APPROPRIATED = pyo.Set(
        dimen=2,
        initialize=[
            (b, n)
            for members in able.accounts.values()
            for b in members
            for n in able.stockpile.tree.at[able.opens(b)]
        ],
        doc="appropriation of an account, node at which it can first be obligated",
    )
    m.appropriated = pyo.Var(
        m.APPROPRIATED,
        bounds=lambda m, b, n: (0, able.row(b, n).amount),
        doc="what an appropriation adds to an account [money]",
    )


def _granted(m: pyo.ConcreteModel, found: Charges, b: int, row: BudgetRow) -> Any:
    """Return what may be obligated by the node of a row: an amount, or what has come so far."""
    able, path = found.able, found.stockpile.tree.paths[row.node]
    if b not in able.accounts:
        return row.budget.amount
    opened = {k: able.opens(k) for k in able.accounts[b]}
    return summed(m.appropriated[k, path[t]] for k, t in opened.items() if t < len(path))


def cap_budget(
    m: pyo.ConcreteModel, found: Charges, full: Mapping[tuple[int, int], BudgetRow]
) -> None:
    """Require Σ of what an appropriation has obligated along each path ≤ its amount.

    The last node of its window on each path says what it amounts to.
    """
    paths = found.stockpile.tree.paths

    def rule(m: pyo.ConcreteModel, b: int, n: int) -> object:
        row = full[b, n]
        paid = [each.amount for each in found.on(found.paid, b, paths[n])]
        if (b, n) in m.PAID:
            paid = [m.paid_so_far[b, n]]
        held = [each.amount for each in row.outstanding]
        return summed([*paid, *held]) <= _granted(m, found, b, row)

    m.cap_budget = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(full)),
        rule=rule,
        doc="an appropriation pays no more than its amount [money]",
    )


def cap_obligated(
    m: pyo.ConcreteModel, found: Charges, interim: Mapping[tuple[int, int, int], BudgetRow]
) -> None:
    """Require paid_so_far[b,n] + what is obligated by n and paid or released later ≤ amount."""

    def rule(m: pyo.ConcreteModel, b: int, n: int, end: int) -> object:
        row = interim[b, n, end]
        later = [each.amount for each in row.outstanding]
        return summed([m.paid_so_far[b, n], *later]) <= _granted(m, found, b, row)

    m.cap_obligated = pyo.Constraint(
        pyo.Set(dimen=3, initialize=list(interim)),
        rule=rule,
        doc="no more is obligated at any time than an appropriation has [money]",
    )


def limit_budget(
    m: pyo.ConcreteModel,
    able: Appropriations,
    ledger: Ledger,
    full: Mapping[tuple[int, int], BudgetRow],
    interim: Mapping[tuple[int, int, int], BudgetRow],
) -> None:
    """Post the amount of each appropriation with its cell."""
    rows = [(m.cap_budget[key], key[0], key[-1], row.budget) for key, row in full.items()]
    rows += [(m.cap_obligated[key], key[0], key[-1], row.budget) for key, row in interim.items()]
    rows = [each for each in rows if each[1] not in able.accounts]
    rows += [(m.appropriated[b, n], b, n, able.row(b, n)) for b, n in m.APPROPRIATED]
    for data, b, n, budget in rows:
        what, amount = f"appropriation {label(able.stockpile, b)}", budget.amount
        ledger.limit(data, "most", amount, "money", what, budget, "amount", n)
