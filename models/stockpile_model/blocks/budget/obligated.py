"""What is obligated where: the outlays of a ledger, and what fails to arrive, by their obligation.

Mostly the node of an obligation is known before anything is solved. Where a contract may be signed
at several nodes, or orders of several buyers arrive together, it is decided by the plan: there an
amount is split, unless the same appropriations may pay it either way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyomo.environ as pyo

from stockpile_model.block import sources
from stockpile_model.blocks.budget.budget_terms import About, Appropriations, accounts
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import summed
from stockpile_model.ledger import Binding, Ledger, Money
from stockpile_model.stockpile import Stockpile


class OwedMoney(NamedTuple):
    """Money that is obligated at one node, and paid or (what fails) released at another.

    `bound`: the node of the obligation; below zero it was before the start. `name`: what it is for,
    a row of `table`.
    `open`: where it may be obligated, where that is for the plan to say and makes no difference.
    `heading`: under which it stands; blank for what fails, and for what is split over several nodes
    until there is a plan.
    """

    about: About
    bound: int
    node: int
    amount: Any
    name: str
    table: str
    open: Binding | None = None
    heading: str = ""


class Pending(NamedTuple):
    """Money of one name at a node that is obligated at one of several nodes.

    `headings` are those of its amounts.
    """

    about: About
    node: int
    name: str
    table: str
    obligation: Binding
    amounts: list[Any]
    headings: list[str]


@dataclass
class Obligations:
    """All that is paid, and all that fails; and what of either is split over several nodes."""

    paid: list[OwedMoney] = field(default_factory=list)
    failing: list[OwedMoney] = field(default_factory=list)
    split_paid: list[Pending] = field(default_factory=list)
    split_failing: list[Pending] = field(default_factory=list)

    @property
    def split(self) -> list[Pending]:
        """Return what is split: what is paid, then what fails."""
        return [*self.split_paid, *self.split_failing]

    def fails(self, k: int) -> bool:
        """Return whether what is split as number k fails to arrive."""
        return k >= len(self.split_paid)


def about(money: Money) -> About:
    """Return what money is for, as far as funds ask."""
    return About(str(money.use), money.material or "", money.buyer or "", money.payer or "")


def table_of(money: Money) -> str:
    """Return the table of the row for which money is due."""
    brings = {use: table for table, use in sources().items()}
    return money.table or brings.get(str(money.use), "")


def ordered_before(ledger: Ledger) -> list[Any]:
    """Return the days of the obligations before the start, each once; None where one is blank."""
    known = (each.obligation for each in ledger.outlays())
    return list(dict.fromkeys(o.day for o in known if o is not None and not o.nodes))


def collect(
    stockpile: Stockpile, ledger: Ledger
) -> tuple[Appropriations, Obligations, frozenset[int]]:
    """Return who may pay, what is obligated where, and what something failing may bind.

    Of those appropriations it matters when each outlay was obligated.
    """
    found, days = Obligations(), ordered_before(ledger)
    able = Appropriations(stockpile, days)
    together = accounts(able, _watched(ledger, able))
    if together:
        able = Appropriations(stockpile, days, together)
    watched = _watched(ledger, able)
    found.paid = _sorted(ledger.outlays(), able, watched, found.split_paid)
    found.failing = _sorted(ledger.failing, able, watched, found.split_failing)
    return able, found, watched


def _watched(ledger: Ledger, able: Appropriations) -> frozenset[int]:
    """Return the appropriations that something failing may bind."""
    found = set[int]()
    for each in ledger.failing:
        for s in _nodes(each, able):
            found.update(able.able(about(each), s, each.node))
    return frozenset(found)


def _nodes(money: Money, able: Appropriations) -> tuple[int, ...]:
    """Return the nodes at which money may be obligated."""
    bound = money.obligation
    if bound is None:
        return (money.node,)
    return bound.nodes or (able.bound(bound.day),)


def _sorted(
    monies: Iterable[Money],
    able: Appropriations,
    watched: Collection[int],
    split: list[Pending],
) -> list[OwedMoney]:
    """Return money with its node of obligation; add what is to be split over several."""
    found, pending = list[OwedMoney](), dict[tuple[object, ...], Pending]()
    for each in monies:
        nodes, what = _nodes(each, able), about(each)
        bound, paid = each.obligation, (each.node, each.amount, each.name, table_of(each))
        if len(nodes) == 1 or bound is None:
            found.append(OwedMoney(what, nodes[0], *paid, heading=each.heading))
            continue
        payers = {able.able(what, s, each.node) for s in nodes}
        if len(payers) == 1 and not any(b in watched for b in next(iter(payers))):
            found.append(OwedMoney(what, nodes[-1], *paid, bound, each.heading))
            continue
        key = (what, each.node, bound.source)
        if key not in pending:
            pending[key] = Pending(what, each.node, each.name, table_of(each), bound, [], [])
        pending[key].amounts.append(each.amount)
        pending[key].headings.append(each.heading)
    split += pending.values()
    return found


def add_bindings(m: pyo.ConcreteModel, found: Obligations) -> None:
    """Add binding[k,s,n]: what of outlay k, paid or released at node n, is obligated at s."""
    m.BINDINGS = pyo.Set(
        dimen=3,
        initialize=[
            (k, s, each.node) for k, each in enumerate(found.split) for s in each.obligation.nodes
        ],
        doc="number of an outlay, node at which it may be obligated, node at which it is paid",
    )
    m.binding = pyo.Var(
        m.BINDINGS,
        domain=pyo.NonNegativeReals,
        doc="what of an outlay is obligated at a node [money]",
    )


def balance_binding(m: pyo.ConcreteModel, found: Obligations) -> None:
    """Require Σ_s binding[k,s,n] = the outlay."""
    split = found.split
    m.balance_binding = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[(k, each.node) for k, each in enumerate(split)]),
        rule=lambda m, k, n: (
            summed(m.binding[k, s, n] for s in split[k].obligation.nodes)
            == summed(split[k].amounts)
        ),
        doc="an outlay is obligated as a whole [money]",
    )


def cap_binding(m: pyo.ConcreteModel, found: Obligations) -> None:
    """Require Σ_k binding[k,s,n] ≤ the most that is due at n under what is obligated at s."""
    split, groups = found.split, dict[tuple[object, ...], list[int]]()
    for k, each in enumerate(split):
        groups.setdefault((found.fails(k), each.node, *each.obligation.source), []).append(k)
    keys = {
        (members[0], s, split[members[0]].node): members
        for members in groups.values()
        for s in split[members[0]].obligation.nodes
    }
    m.cap_binding = pyo.Constraint(
        pyo.Set(dimen=3, initialize=list(keys)),
        rule=lambda m, k, s, n: (
            summed(m.binding[each, s, n] for each in keys[k, s, n]) <= split[k].obligation.most[s]
        ),
        doc="no more is obligated at a node than what is signed or ordered there costs [money]",
    )


def settle_by_heading(m: pyo.ConcreteModel, found: Obligations) -> None:
    """Add what is split to what is paid, heading by heading, and to what fails, once the model
    holds a solution."""
    for k, each in enumerate(found.split):
        amounts = map(evaluate, each.amounts)
        queue = net(zip(each.headings, amounts, strict=True))
        for s in each.obligation.nodes:
            rest = evaluate(m.binding[k, s, each.node])
            about = each.about, s, each.node
            if found.fails(k):
                found.failing.append(OwedMoney(*about, rest, each.name, each.table))
                continue
            # a node at which nothing is obligated belongs to its class too
            for heading, amount in [*taken(queue, rest)] or [(each.headings[0], 0.0)]:
                owed = OwedMoney(*about, amount, each.name, each.table, heading=heading)
                found.paid.append(owed)


def net(amounts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return what is to be paid under each heading, less the credits, the first heading first.

    A credit is an amount below zero: no appropriation pays it, so it is taken off the others.
    """
    sums: dict[str, float] = {}
    for heading, amount in amounts:
        sums[heading] = sums.get(heading, 0.0) + amount
    credit = -sum(each for each in sums.values() if each < 0)
    found = {}
    for heading, amount in sorted(sums.items()):
        part = min(max(0.0, amount), credit)
        found[heading], credit = max(0.0, amount) - part, credit - part
    return found


def taken(queue: dict[str, float], amount: float) -> Iterator[tuple[str, float]]:
    """Yield what an amount pays under each heading; the queue keeps what is left of each."""
    for heading in [*queue]:
        part = min(amount, queue[heading])
        if part > 0:
            yield heading, part
        amount -= part
        queue[heading] -= part


def settle(m: pyo.ConcreteModel, found: Obligations) -> None:
    """Add what is split to what is paid and to what fails."""
    split = found.split
    for k, s, n in m.BINDINGS:
        owed = OwedMoney(split[k].about, s, n, m.binding[k, s, n], split[k].name, split[k].table)
        (found.failing if found.fails(k) else found.paid).append(owed)
