"""Rules that count: members that bring their share of a window, or that bring anything.

With f the `count_from` of a rule and `arriving` all arrivals of the window:

    Σ arrivals of a member ≥ f·arriving - f·(bound of others)·(1 - counted)
    Σ arrivals of a member ≥ a token·counted
    each arrival of a member ≤ its bound·present
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.policy import rule_terms as terms
from stockpile_model.blocks.policy.rule_terms import Share
from stockpile_model.blocks.policy.weighing import Weighing
from stockpile_model.formulation import summed

TOKEN = 1e-2  # what a member that counts brings where nothing else arrives [units of the scale]


@dataclass(frozen=True, eq=False)
class Count:
    """Describe what arrives in the windows of rules that count.

    `own`: of a rule, member and node at which a window ends what the member brings. `total`: of a
    rule and node all that arrives.
    """

    weighing: Weighing
    own: Mapping[tuple[str, str, int], Sequence[Share]]
    total: Mapping[tuple[str, int], Sequence[Share]]

    def limited(self, r: str, n: int, sense: str) -> bool:
        """Return whether a rule has a least or most at a node."""
        return self.weighing.limit(r, n, sense) is not None


def count(weighing: Weighing) -> Count:
    """Return what arrives in the windows of rules that count."""
    own: dict[tuple[str, str, int], list[Share]] = {}
    total: dict[tuple[str, int], list[Share]] = {}
    stockpile = weighing.stockpile
    for r, n in weighing.of("count"):
        of, names = terms.members(stockpile, weighing.rules[r])
        parts = total[r, n] = weighing.parts(r, n)
        for name in names if parts else ():
            own[r, name, n] = [e for e in parts if terms.weight(stockpile, of, name, e)]
    return Count(weighing, own, total)


def _bounded(parts: Sequence[Share]) -> dict[tuple[str, str, int], list[Share]]:
    """Return arrivals by what brings them, and when: all sites share one bound."""
    found: dict[tuple[str, str, int], list[Share]] = {}
    for each in parts:
        found.setdefault((each.table, each.lot or each.name, each.node), []).append(each)
    return found


def _most(parts: Sequence[Share]) -> float:
    """Return the most that arrivals may come to [quantity]."""
    return sum((each[0].most or 0.0) for each in _bounded(parts).values())


def balance_arriving(m: pyo.ConcreteModel, count: Count) -> None:
    """Require arriving[r,n] = Σ arrivals of the window of rule r that ends at n."""
    m.COUNTINGS = pyo.Set(
        dimen=2,
        initialize=[key for key, p in count.total.items() if p and count.limited(*key, "least")],
        doc="rule that counts at least so many, node at which a window of it ends",
    )
    m.arriving = pyo.Var(
        m.COUNTINGS, domain=pyo.NonNegativeReals, doc="all that arrives in a window [quantity]"
    )
    m.balance_arriving = pyo.Constraint(
        m.COUNTINGS,
        rule=lambda m, r, n: summed(each.amount for each in count.total[r, n]) == m.arriving[r, n],
        doc="what arrives in a window adds up [quantity]",
    )


def add_counted(m: pyo.ConcreteModel, count: Count) -> None:
    """Add counted[r,v,n]: whether member v brings enough to count."""
    m.COUNTED = pyo.Set(
        dimen=3,
        initialize=[key for key in count.own if (key[0], key[2]) in m.COUNTINGS],
        doc="rule that counts at least so many, member, node at which a window of it ends",
    )
    m.counted = pyo.Var(
        m.COUNTED,
        domain=pyo.Binary,
        doc="whether a member brings enough in a window to count [1]",
    )


def hold_counted(m: pyo.ConcreteModel, count: Count) -> None:
    """Require Σ arrivals of v ≥ f·arriving - f·(bound of others)·(1 - counted[r,v,n])."""

    def rule(m: pyo.ConcreteModel, r: str, v: str, n: int) -> object:
        share, own = count.weighing.at(r, n).count_from, count.own[r, v, n]
        missing = share * (_most(count.total[r, n]) - _most(own))
        brought = summed([each.amount for each in own])
        return brought - share * m.arriving[r, n] >= -missing * (1 - m.counted[r, v, n])

    m.hold_counted = pyo.Constraint(
        m.COUNTED, rule=rule, doc="a member counts when it brings its share of all [quantity]"
    )


def hold_present(m: pyo.ConcreteModel, count: Count) -> None:
    """Require Σ arrivals of v ≥ token·counted[r,v,n]."""
    token = TOKEN * count.weighing.stockpile.scale.quantity
    m.hold_present = pyo.Constraint(
        m.COUNTED,
        rule=lambda m, r, v, n: (
            summed([each.amount for each in count.own[r, v, n]]) >= token * m.counted[r, v, n]
        ),
        doc="a member counts when it brings something, also where nothing else arrives [quantity]",
    )


def cap_present(m: pyo.ConcreteModel, count: Count) -> None:
    """Require each arrival of v ≤ its bound·present[r,v,n]."""
    m.PRESENT = pyo.Set(
        dimen=3,
        initialize=[
            (r, v, n) for (r, v, n), p in count.own.items() if p and count.limited(r, n, "most")
        ],
        doc="rule that counts at most so many, member, node at which a window of it ends",
    )
    m.present = pyo.Var(
        m.PRESENT, domain=pyo.Binary, doc="whether a member brings anything in a window [1]"
    )
    whole = {
        (*key, *at): parts for key in m.PRESENT for at, parts in _bounded(count.own[key]).items()
    }

    def rule(m: pyo.ConcreteModel, r: str, v: str, n: int, t: str, o: str, d: int) -> object:
        parts = whole[r, v, n, t, o, d]
        return summed(each.amount for each in parts) <= parts[0].most * m.present[r, v, n]

    m.cap_present = pyo.Constraint(
        pyo.Set(dimen=6, initialize=list(whole)),
        rule=rule,
        doc="a member that is not there brings nothing [quantity]",
    )


def marked(m: pyo.ConcreteModel) -> dict[tuple[str, str, int], list[Any]]:
    """Return by sense, rule and node the variables that say which members count."""
    found: dict[tuple[str, str, int], list[Any]] = {}
    for sense, chosen in (("least", m.counted), ("most", m.present)):
        for (r, _, n), each in chosen.items():
            found.setdefault((sense, r, n), []).append(each)
    return found
