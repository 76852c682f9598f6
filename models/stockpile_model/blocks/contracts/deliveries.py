"""Deliveries: what is called off, where it arrives, and which buyer pays for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.delivery_obligations import obligation
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.formulation import summed
from stockpile_model.ledger import Arrival, Binding, Ledger
from stockpile_model.stockpile import Stockpile


def add_take(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add take[k,f,d,n]: called off at level f at node n, when the first delivery is in d."""
    m.TAKES = pyo.Set(
        dimen=4,
        initialize=schedule.takes,
        doc="contract, level, period of first delivery, node of delivery",
    )
    m.take = pyo.Var(
        m.TAKES, domain=pyo.NonNegativeReals, doc="called off under a contract [quantity]"
    )


def cap_take(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require take[k,f,d,n] ≤ flex·Q_f·months/12·active; in lots, as many as fit into it.

    `active` is Σ of the signatures on the path to n that deliver first in d.
    """

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        covered = signed(m, k, f, schedule.active[k, d, n])
        return m.take[k, f, d, n] <= schedule.most_called(k, f, n) * covered

    m.cap_take = pyo.Constraint(
        m.TAKES,
        rule=rule,
        doc="a period's delivery is within flex and only under the level signed [quantity]",
    )


def hold_least_take(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require take[k,f,d,n] ≥ least_per_period·Q_f·months/12·active; in lots, those reaching it."""
    keys = [(k, f, d, n) for k, f, d, n in schedule.takes if schedule.least(k, f, n) > 0]

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        covered = signed(m, k, f, schedule.active[k, d, n])
        return m.take[k, f, d, n] >= schedule.least_called(k, f, n) * covered

    m.hold_least_take = pyo.Constraint(
        pyo.Set(dimen=4, initialize=keys),
        rule=rule,
        doc="a period takes at least the share of the even rate that is agreed [quantity]",
    )


def add_deliver(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add deliver[k,w,n]: what arrives at site w, where there are several."""
    sites = schedule.stockpile.sites
    m.DELIVERIES = pyo.Set(
        dimen=3,
        initialize=[(k, w, n) for k, n in _split(schedule) for w in sites],
        doc="contract, site, node of a delivery that may be split",
    )
    m.deliver = pyo.Var(
        m.DELIVERIES,
        domain=pyo.NonNegativeReals,
        doc="what a contract delivers to a site [quantity]",
    )


def add_call(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add call[k,f,d,b,n]: what arrives for buyer b at a level, where there are several buyers."""
    buyers = buyer_sites(schedule.stockpile)
    m.CALLS = pyo.Set(
        dimen=5,
        initialize=(
            [(k, f, d, b, n) for k, f, d, n in schedule.takes for b in buyers]
            if len(buyers) > 1
            else []
        ),
        doc="contract, level, first delivery, buyer, node of a delivery that buyers share",
    )
    m.call = pyo.Var(
        m.CALLS, domain=pyo.NonNegativeReals, doc="what arrives for a buyer at a level [quantity]"
    )


def balance_call(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_b call[k,f,d,b,n] = availability·take[k,f,d,n]."""
    buyers = buyer_sites(schedule.stockpile)
    m.balance_call = pyo.Constraint(
        m.TAKES if len(buyers) > 1 else pyo.Set(dimen=4, initialize=[]),
        rule=lambda m, k, f, d, n: (
            summed(m.call[k, f, d, b, n] for b in buyers) == arrives(m, schedule, k, f, d, n)
        ),
        doc="the buyers' parts are what arrives under a contract [quantity]",
    )


def balance_delivery(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_{w of b} deliver[k,w,n] = Σ_{f,d} call[k,f,d,b,n].

    Where there is one buyer, availability·take stands for its call.
    """
    owners = buyer_sites(schedule.stockpile)

    def rule(m: pyo.ConcreteModel, k: str, b: str, n: int) -> Any:
        called = summed(
            m.call[k, f, d, b, n] if len(owners) > 1 else arrives(m, schedule, k, f, d, n)
            for f, d in schedule.parts[k, n]
        )
        return summed(m.deliver[k, w, n] for w in owners[b]) == called

    m.balance_delivery = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[(k, b, n) for k, n in _split(schedule) for b in owners]),
        rule=rule,
        doc="what is delivered to a buyer is split over its sites [quantity]",
    )


def post_deliveries(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post what arrives at each site, and its price, duty and freight.

    Each buyer pays for what it receives.
    """
    for (k, n), parts in schedule.parts.items():
        arriving = {(f, d): arrives(m, schedule, k, f, d, n) for f, d in parts}
        _pay(m, schedule, ledger, k, n, arriving)
        _bring(m, schedule, ledger, k, n, arriving)


def buyer_sites(stockpile: Stockpile) -> Mapping[str, tuple[str, ...]]:
    """Return the sites of each buyer; blank where they serve all."""
    return {buyer or "": names for buyer, names in stockpile.owners.items()}


def arrives(m: pyo.ConcreteModel, schedule: Schedule, k: str, f: str, d: int, n: int) -> Any:
    """Return availability·take: what arrives of a delivery [quantity]."""
    return schedule.contract(k, n).availability * m.take[k, f, d, n]


Arriving = Mapping[tuple[str, int], Any]
"""What arrives of a contract at a node, by level and first delivery [quantity]."""


def _pay(
    m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger, k: str, n: int, arriving: Arriving
) -> None:
    """Post price, duty and freight of what arrives for each buyer, and release what fails of it.

    It is obligated in full. A buyer bears what fails in proportion to what it receives; where
    nothing arrives any buyer may.
    """
    row, buyers = schedule.contract(k, n), buyer_sites(schedule.stockpile)
    several, bound = len(buyers) > 1, due(m, schedule, k, n, row.availability)
    for b in buyers:
        own = {(f, d): m.call[k, f, d, b, n] for f, d in arriving} if several else arriving
        for heading, paid in _worth(schedule, k, n, own).items():
            ledger.pay(n, heading, paid, "contract", row.material, b or None, k, obligation=bound)
    if bound is not None and row.availability < 1:
        _release(m, schedule, ledger, k, n)


def due(m: pyo.ConcreteModel, schedule: Schedule, k: str, n: int, share: float) -> Binding:
    """Return where a share of what a contract delivers at a node is obligated."""
    starts = {d for _, d in schedule.parts[k, n]}
    most = (
        (f, d, share * schedule.most(k, f, n) * sum(_worth(schedule, k, n, {(f, d): 1.0}).values()))
        for f, d in schedule.parts[k, n]
    )
    return obligation(m, schedule, k, n, starts, most, ("deliveries",))


def _worth(schedule: Schedule, k: str, n: int, amounts: Arriving) -> dict[str, Any]:
    """Return price, duty and freight of amounts by heading [money]."""
    row = schedule.contract(k, n)
    prices = {(f, d): schedule.prices[k, f, d, n] for f, d in amounts}
    worth = [price * amounts[key] for key, price in prices.items() if price != 0]
    parts = (
        ("offtakes", 1.0, worth),
        ("duty", row.duty, worth),
        ("freight", row.freight, [*amounts.values()]),
    )
    return {heading: rate * summed(each) for heading, rate, each in parts if rate != 0 and each}


def _release(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger, k: str, n: int) -> None:
    """Release what is called off at a node and does not arrive."""
    row, buyers = schedule.contract(k, n), buyer_sites(schedule.stockpile)
    share = row.availability
    bound = due(m, schedule, k, n, 1 - share)
    shared = len(buyers) > 1 and share > 0
    for b in buyers if shared else [""]:
        lost = {
            (f, d): (1 - share) / share * m.call[k, f, d, b, n]
            if shared
            else (1 - share) * m.take[k, f, d, n]
            for f, d in schedule.parts[k, n]
        }
        amount = summed(_worth(schedule, k, n, lost).values())
        buyer = b if shared else next(iter(buyers)) if len(buyers) == 1 else ""
        ledger.release(n, amount, "contract", row.material, buyer or None, k, bound)


def _bring(
    m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger, k: str, n: int, arriving: Arriving
) -> None:
    """Post what arrives at each site, at the price of its one part or the mean of its parts."""
    row, sites = schedule.contract(k, n), schedule.stockpile.sites
    whole = summed([*arriving.values()])
    prices = [schedule.prices[k, f, d, n] for f, d in arriving]
    paid = [price * amount for price, amount in zip(prices, arriving.values(), strict=True)]
    price = prices[0] if len(prices) == 1 else (summed(paid), whole)
    most = row.flex * row.availability * max(schedule.even(k, f, n) for f, _ in arriving)
    age = schedule.stockpile.at(n).age_received(row.material, row.life_on_receipt_months)
    for w in sites:
        amount = m.deliver[k, w, n] if len(sites) > 1 else whole
        what = amount, "contracts", k, row.supplier, price, most
        ledger.bring(Arrival(n, row.material, w, age, *what))


def _split(schedule: Schedule) -> list[tuple[str, int]]:
    """Return the contracts and nodes of which deliveries are split over sites."""
    return list(schedule.parts) if len(schedule.stockpile.sites) > 1 else []
