"""Plans beside the plan: with firm supply only, and for each group of buyers alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from optimiser.errors import Fault, InputError
from optimiser.plan import Plan
from stockpile_model import part
from stockpile_model.blocks.price_floors import ContractOutcome
from stockpile_model.blocks.stock import Delivery
from stockpile_model.schema import Result, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

FIRM = ("operating", "commissioning", "building")
MOST_BUYERS = 6  # of n buyers there are 2^n - 2 groups to plan for


@dataclass(frozen=True, kw_only=True)
class Compared(Result):
    """One figure of the plan, beside the same of the plan that counts on no plant that is merely announced."""

    SHEET = "firm_supply"
    figure: str = column("what is compared")
    of: str | None = column("supplier or contract")
    unit: str = column("unit of the figure")
    planned: float | None = column("in this plan; blank = nothing, or not signed", "quantity, money or 1")
    firm: float | None = column("with firm supply only: no plant that is merely announced", "quantity, money or 1")
    difference: float | None = column("firm less planned", "quantity, money or 1")


@dataclass(frozen=True, kw_only=True)
class Share(Result):
    """What a buyer would pay alone and, by Shapley's rule, as its part of the plan for all: the average, over every order in which
    the buyers could have joined, of what its joining adds (L. S. Shapley, A value for n-person games, 1953)."""

    SHEET = "shares"
    buyer: str = column("buyer")
    alone: float | None = column(
        "cost of a plan for this buyer alone, with all offers, outlets and shared funds to itself; blank = it has none", "money"
    )
    share: float | None = column("fair part of the cost of the plan for all; blank = a group of buyers has no plan", "money")
    saving: float | None = column("what buying together saves it", "money")


def firm_only(stockpile: Stockpile) -> Stockpile:
    """The stockpile with the suppliers that are at least being built, of those that count. Raises InputError where none counts."""
    stages = tuple(stage for stage in stockpile.settings.supply_stages or FIRM if stage in FIRM)
    if not stages:
        cell = stockpile.address(Settings.TABLE, 0, "supply_stages")
        raise InputError([Fault(cell, f"counts no firm stage, so there is no firm supply to compare with: add one of {', '.join(FIRM)}")])
    return _everywhere(stockpile, lambda view: replace(view, settings=replace(view.settings, supply_stages=stages)))


def whole(stockpile: Stockpile) -> Stockpile:
    """The stockpile whose orders are whole in every period."""
    return _everywhere(stockpile, lambda view: replace(view, settings=replace(view.settings, firm_periods=None)))


def _everywhere(stockpile: Stockpile, change: Callable[[Stockpile], Stockpile]) -> Stockpile:
    """The stockpile after a change, made to the rows at each node of its tree too."""
    views = {id(view): view for view in stockpile.views}
    made = {key: change(view) for key, view in views.items()}
    return replace(change(stockpile), views=tuple(made[id(view)] for view in stockpile.views))


def compare(plan: Plan, firm: Plan | None) -> Iterator[Compared]:
    """The figures of a plan beside those with firm supply only; None where that has no plan."""

    def row(figure: str, unit: str, planned: float | None, other: float | None, of: str | None = None) -> Compared:
        difference = None if firm is None else (other or 0.0) - (planned or 0.0)
        return Compared(figure=figure, of=of, unit=unit, planned=planned, firm=None if firm is None else other, difference=difference)

    yield row("objective", "money", plan.objective, firm.objective if firm else None)
    yield row("proven bound", "money", plan.bound, firm.bound if firm else None)
    for heading, amount in plan.costs.items():
        other = firm.costs[heading] if firm else 0.0
        if amount or other:
            yield row(heading.replace("_", " "), "money", amount, other)
    yield row("shortfall", "quantity", plan.shortfall, firm.shortfall if firm else None)
    yield row("waste", "quantity", plan.waste, firm.waste if firm else None)
    brought, instead = _brought(plan), _brought(firm)
    for supplier in sorted(brought.keys() | instead.keys()):
        yield row("delivered", "quantity", brought.get(supplier, 0.0), instead.get(supplier, 0.0), supplier)
    floors, others = _floors(plan), _floors(firm)
    for contract, floor in floors.items():
        both = floor is not None and others.get(contract) is not None
        found = row("floor signed", "money/quantity", floor, others.get(contract), contract)
        yield found if both else replace(found, difference=None)


def _brought(plan: Plan | None) -> dict[str, float]:
    """What each supplier delivers, expected [quantity]."""
    found: dict[str, float] = {}
    for each in plan.of(Delivery) if plan else ():
        found[each.supplier] = found.get(each.supplier, 0.0) + each.probability * each.quantity
    return found


def _floors(plan: Plan | None) -> dict[str, float | None]:
    """The floor at which each contract is signed, None where it is not [money/quantity]."""
    return {each.contract: each.floor for each in plan.of(ContractOutcome)} if plan else {}


# --- Groups of buyers ---------------------------------------------------------------------------------------------------


def buyers(stockpile: Stockpile) -> list[str]:
    """The owners of sites, by name."""
    return sorted(buyer for buyer in stockpile.owners if buyer is not None)


def groups(stockpile: Stockpile) -> list[frozenset[str]]:
    """Every group of buyers but none and all."""
    names = buyers(stockpile)
    return [frozenset(each) for size in range(1, len(names)) for each in itertools.combinations(names, size)]


def alone(stockpile: Stockpile, group: Collection[str]) -> Stockpile:
    """The stockpile for some of its buyers alone, at each node of its tree."""
    return _everywhere(stockpile, lambda view: part.alone(view, group))


def shares(plan: Plan, costs: Mapping[frozenset[str], float | None]) -> Iterator[Share]:
    """A row for each buyer. `costs` of every group of `groups`, None where it has no plan."""
    names = buyers(plan.stockpile)
    everybody = frozenset(names)
    cost: dict[frozenset[str], float | None] = {**costs, frozenset(): 0.0, everybody: plan.objective}
    parts = _shapley(names, {group: amount for group, amount in cost.items() if amount is not None}) if None not in cost.values() else {}
    for name in names:
        own, part = cost[frozenset([name])], parts.get(name)
        yield Share(buyer=name, alone=own, share=part, saving=None if own is None or part is None else own - part)


def _shapley(names: list[str], cost: Mapping[frozenset[str], float]) -> dict[str, float]:
    """The Shapley value of a game in which a group costs `cost` [money]."""
    found, many = dict.fromkeys(names, 0.0), math.factorial(len(names))
    for group, amount in cost.items():
        for name in names:
            if name not in group:
                weight = math.factorial(len(group)) * math.factorial(len(names) - len(group) - 1) / many
                found[name] += weight * (cost[group | {name}] - amount)
    return found
