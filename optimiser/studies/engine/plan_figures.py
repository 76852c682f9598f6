"""The figures of a plan that runs of a study report, by name."""

from __future__ import annotations

from optimiser.plan.plan import Plan
from optimiser.studies.engine.case import Figure
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.stock.lot_outcomes import Delivery

COST, DELIVERED, FLOOR = "cost", "delivered", "floor signed"
"""The first words of the figures of a heading, a supplier and a contract."""


def figures(plan: Plan) -> dict[str, Figure]:
    """Return the figures of a plan that are compared: bound, cost by heading, shortfall, waste,
    deliveries by supplier, floors.
    """
    found: dict[str, Figure] = {
        f"{COST} {heading}": amount for heading, amount in plan.costs.items()
    }
    found |= {"shortfall": plan.shortfall, "waste": plan.waste}
    for each in plan.of(Delivery):
        key = f"{DELIVERED} {each.supplier}"
        found[key] = float(found.get(key, 0.0)) + each.probability * each.quantity
    floors = {f"{FLOOR} {each.contract}": each.floor for each in plan.of(ContractOutcome)}
    return found | {name: floor for name, floor in floors.items() if floor is not None}
