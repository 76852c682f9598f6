"""Extensions: once, at its time, a contract that is signed may go on after its term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.contracts.schedule import Schedule, extended
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Ledger


def add_extend(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add extend[k,f,d,n]: whether at node n contract k goes on at level f after its term."""
    m.EXTENSIONS = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in schedule.options for f in schedule.levels[k]],
        doc="contract, level, first delivery, node at which its extension is decided",
    )
    m.extend = pyo.Var(
        m.EXTENSIONS, domain=pyo.Binary, doc="whether the term of a contract is extended [1]"
    )
    m.priority[m.extend] = 1


def link_extend(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require extend[k,f,d,n] ≤ active: only a contract that is signed is extended."""

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        return m.extend[k, f, d, n] <= signed(m, k, f, schedule.active[k, d, n])

    m.link_extend = pyo.Constraint(
        m.EXTENSIONS, rule=rule, doc="a contract is extended under the level signed [1]"
    )


def pay_extensions(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post option_price · extend at the node of the decision."""
    for k, f, d, n in m.EXTENSIONS:
        price = schedule.contract(k, n).option_price
        if price > 0:
            amount, material = price * m.extend[k, f, d, n], schedule.contracts[k].material
            ledger.pay(n, "extensions", amount, "contract", material, name=k)


def extension_keys(
    m: pyo.ConcreteModel, k: str, f: str, covered: Mapping[int, int]
) -> Iterator[tuple[str, str, int, int]]:
    """Yield the decisions to extend among the nodes of a term, each with its first delivery."""
    yield from ((k, f, d, n) for n, d in covered.items() if (k, f, d, n) in m.EXTENSIONS)


def longer(formulation: Formulation, k: str, f: str, covered: Mapping[int, int]) -> dict[int, int]:
    """Return the nodes of delivery of a contract as it is extended, with its first delivery."""
    m, stockpile = formulation.m, formulation.stockpile
    row, found = stockpile.keyed(Contract)[k], dict(covered)
    for key in extension_keys(m, k, f, covered):
        if evaluate(m.extend[key]) > 0.5:
            found.update(dict.fromkeys(extended(stockpile, row, *key[2:]), key[2]))
    return found
