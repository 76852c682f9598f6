"""Sizes of call-offs: what is called off under a contract in a period, where that is free.

No commitment names such a size. A plan that stays near an announced one compares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import pyomo.environ as pyo

from stockpile_model.block import Announcement, Deed
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.solved_plan import SolvedPlan
from stockpile_model.stockpile import Stockpile

Parts = Mapping[tuple[str, int], list[Any]]
"""What is called off at all levels together, by contract and node: its variables."""

_PARTS: WeakKeyDictionary[pyo.ConcreteModel, Parts] = WeakKeyDictionary()


def sized(stockpile: Stockpile, contract: Contract) -> bool:
    """Return whether a plan decides how much each period calls off under a contract."""
    free = contract.form == "purchase" and terms.free(contract)
    return free or terms.calls_off(stockpile, contract)


def _possible(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which something can be called off; without availability nothing comes."""
    contract = stockpile.keyed(Contract)[name]
    if stockpile.counts(contract.supplier) and sized(stockpile, contract):
        for n in stockpile.tree.nodes:
            if stockpile.at(n).keyed(Contract)[name].availability > 0:
                yield n


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return what is called off under a contract at a node, by level and first delivery."""
    if m not in _PARTS:
        found: dict[tuple[str, int], list[Any]] = {}
        for (k, _, _, n), take in m.take.items():
            found.setdefault((k, n), []).append(take)
        _PARTS[m] = found
    return _PARTS[m].get((name, node), [])


def _value(stockpile: Stockpile, name: str, level: str | None, node: int) -> float:
    """Return what a unit called off at a node costs landed [money/quantity].

    It is that of the level signed before the start, else of the first of the menu, both without
    escalation.
    """
    now, row = stockpile.at(node), terms.signed_before(stockpile, name)
    contract, levels = now.keyed(Contract)[name], terms.menu(now)[name]
    signed = None if row is None else levels.get(terms.signed_level(stockpile, row))
    floor = signed or next(iter(levels.values()))
    price = terms.price(stockpile, contract, floor, stockpile.tree.period[node], node)
    return price * (1 + contract.duty) + contract.freight


def _shown(plan: SolvedPlan) -> Iterator[Announcement]:
    """Yield what a plan calls off: as the sheet of call-offs says, else by what is delivered.

    What is called off while nothing is available only counts towards what is due.
    """
    listed = set[tuple[str, object, str]]()
    for row in plan.of(CallOff):
        listed.add((row.contract, row.date, row.scenarios))
        if row.arriving > 0:
            yield Announcement(row.contract, row.date, row.scenarios, row.called_off)
    stockpile = plan.stockpile
    period, nodes = stockpile.calendar.period, dict[tuple[int, str], int]()
    for n in stockpile.tree.nodes:
        nodes[stockpile.tree.period[n], stockpile.where(n)["scenarios"]] = n
    for each in plan.of(Delivery):
        name, node = each.name, nodes.get((period(each.date), each.scenarios))
        comes = each.kind == Contract.TABLE and not each.in_transit and node is not None
        if not comes or (name, each.date, each.scenarios) in listed:
            continue
        contract = stockpile.at(node or 0).keyed(Contract)[name]
        if contract.availability > 0 and sized(stockpile, stockpile.keyed(Contract)[name]):
            quantity = each.quantity / contract.availability
            yield Announcement(name, each.date, each.scenarios, quantity)


DEED = Deed(
    "call_off",
    Contract.TABLE,
    metal=True,
    possible=_possible,
    done=_done,
    value=_value,
    shown=_shown,
)
