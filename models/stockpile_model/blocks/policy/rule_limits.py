"""The limits of rules: `least` and `most` of what their groups bring, cost or count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyomo.environ as pyo

from stockpile_model.blocks.policy.counting import marked
from stockpile_model.blocks.policy.rule_terms import UNITS
from stockpile_model.blocks.policy.weighing import Weighing
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger

Sense = Literal["least", "most"]
_IN = {"share": "quantity", "quantity": "quantity", "spend": "money", "count": "1"}
"""What the row of a rule is measured in."""
Totals = Mapping[tuple[str, int], Any]
"""All that arrives in a window, by rule on shares and node."""


def balance_total(m: pyo.ConcreteModel, weighing: Weighing) -> Totals:
    """Require total[r,n] = Σ arrivals of the window that ends at n, where several rows of shares
    need that sum; return the sum for each rule on shares and node.

    Rules that weigh the same share one sum, under the name of the first of them. So its entries
    stand in one row, not in those of every supplier and rule.
    """
    rows: dict[tuple[str, int], int] = {}
    for sense in ("least", "most"):
        for r, _, n in weighing.limited(sense):
            if (r, n) in weighing.totals and weighing.limit(r, n, sense):
                key = (weighing.alike[r], n)
                rows[key] = rows.get(key, 0) + 1
    m.TOTALS = pyo.Set(
        dimen=2,
        initialize=[key for key, many in rows.items() if many > 1],
        doc="first rule on shares of those that weigh the same, node at which a window of it ends",
    )
    m.total = pyo.Var(
        m.TOTALS, domain=pyo.NonNegativeReals, doc="all that shares of a window are of [quantity]"
    )
    m.balance_total = pyo.Constraint(
        m.TOTALS,
        rule=lambda m, r, n: weighing.totals[r, n] == m.total[r, n],
        doc="what shares of a window are of adds up [quantity]",
    )
    return {
        (r, n): m.total[key] if (key := (weighing.alike[r], n)) in m.TOTALS else found
        for (r, n), found in weighing.totals.items()
    }


def hold_rules(m: pyo.ConcreteModel, weighing: Weighing, totals: Totals, sense: Sense) -> None:
    """Require over each window, along each path:

    share:             least·Σ arrivals ≤ Σ_group arrivals ≤ most·Σ arrivals
    quantity, spend:   least ≤ Σ_group ≤ most
    count:             least ≤ Σ_members counted,  Σ_members present ≤ most
    """
    members = marked(m)

    def rule(m: pyo.ConcreteModel, r: str, v: str, n: int) -> object:
        limit = weighing.limit(r, n, sense) or 0.0
        bound = 0.0 if weighing.rules[r].measure == "share" else limit
        found = _body(m, weighing, totals, members, (r, v, n), sense, limit)
        if found is not None:
            return found >= bound if sense == "least" else found <= bound
        if sense == "least" and bound > 0:
            return summed([]) >= bound
        return pyo.Constraint.Feasible

    rows = pyo.Constraint(
        pyo.Set(dimen=3, initialize=weighing.limited(sense)),
        rule=rule,
        doc=f"a rule's group has at {sense} its {sense} value [quantity, money or 1]",
    )
    m.add_component(f"hold_rule_{sense}", rows)
    for (r, _, _), row in rows.items():
        unit = _IN[weighing.rules[r].measure]
        m.scaling_factor[row] = 1 / weighing.stockpile.scale.of(unit)


def _body(
    m: pyo.ConcreteModel,
    weighing: Weighing,
    totals: Totals,
    members: Mapping[tuple[str, str, int], Sequence[Any]],
    key: tuple[str, str, int],
    sense: Sense,
    limit: float,
) -> Any:
    """Return what a rule compares with its limit; None where there is nothing."""
    (r, _, n), rule = key, weighing.rules[key[0]]
    if rule.measure == "count":
        counted = members.get((sense, r, n), [])
        return summed(counted) if counted or (r, n) in m.COUNTINGS else None
    found = weighing.groups.get(key, [])
    if (r, n) in totals and limit:
        found = [-limit * totals[r, n], *found]
    return summed(found) if found else None


def post_limits(m: pyo.ConcreteModel, weighing: Weighing, ledger: Ledger, sense: Sense) -> None:
    """Post each limit with its cell. A share moves its row by all that the window brings."""
    rows = m.component(f"hold_rule_{sense}")
    for r, value, n in weighing.limited(sense):
        if (r, value, n) in rows:
            rule = weighing.rules[r]
            name = f"rule {r}" + (f" for {value}" if value else "")
            what, unit = f"{name}, {weighing.spans[r][n][0]}", UNITS[rule.measure]
            limit, factor = weighing.limit(r, n, sense) or 0.0, weighing.totals.get((r, n), 1.0)
            row = rows[r, value, n]
            ledger.limit(row, sense, limit, unit, what, rule, sense, n, factor=factor)
