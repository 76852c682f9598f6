"""The case of `synthetic.scenario_tree` in plain Pyomo, as a modeller writes it down from the
formulation: stock age by age, one rule for each constraint. It shares the rows and the tree with
the project and none of its blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.environ as pyo

from stockpile_model.scenarios import unfold
from stockpile_model.schema import get, keys
from stockpile_model.stockpile import Stockpile

USES = ("purchase", "contract", "storage", "rotation")


def plain(stockpile: Stockpile) -> pyo.ConcreteModel:
    """Minimise `m.cost`, the expected discounted cost [money].

    Orders are paid on delivery, every contract that is signed delivers first at its `deliver_from`,
    and there is one site and one buyer: other workbooks are not understood.
    """
    stockpile = unfold(stockpile)
    tree, calendar, periods = stockpile.tree, stockpile.calendar, stockpile.settings.periods
    period, back = tree.period, tree.back
    views = {id(view): _rows(view) for view in stockpile.variants}
    here = [views[id(stockpile.at(n))] for n in tree.nodes]
    root = here[0]
    offers, contracts, materials, outlets = (
        root[name] for name in ("offers", "contracts", "materials", "outlets")
    )
    budgets, funds = list(root["budgets"].values()), root["funds"]
    life = {i: calendar.count(row.shelf_life_months) for i, row in materials.items()}
    lead = {o: calendar.count(row.lead_time_months) for o, row in offers.items()}
    index = {
        (name, n): stockpile.price(name, n)
        for name in stockpile.names("prices")
        for n in tree.nodes
    }
    weight = [tree.probability[n] * stockpile.discount(period[n]) for n in tree.nodes]

    def window(begin: Any, end: Any) -> range:
        return range(
            0 if begin is None else calendar.period(begin),
            min(periods, periods if end is None else calendar.period(end) + 1),
        )

    first = {k: calendar.period(row.deliver_from) for k, row in contracts.items()}
    last = {
        k: min(periods, first[k] + calendar.count(row.term_months)) - 1
        for k, row in contracts.items()
    }
    menu = {k: [row for row in root["floors"].values() if row.contract == k] for k in contracts}
    quantity = {
        (k, row.level): row.annual_quantity * calendar.months / 12
        for k in contracts
        for row in menu[k]
    }
    floor = {(k, row.level): row.floor for k in contracts for row in menu[k]}
    demand = {
        (i, n): sum(
            row.quantity
            for row in here[n]["demand"].values()
            if row.material == i and period[n] in window(row.from_, row.to)
        )
        for i in materials
        for n in tree.nodes
    }
    target = {
        (i, n): _target(
            calendar, [row for row in here[n]["targets"].values() if row.material == i], period[n]
        )
        for i in materials
        for n in tree.nodes
    }

    m = pyo.ConcreteModel()
    m.NODES = pyo.Set(initialize=list(tree.nodes))
    m.MATERIALS = pyo.Set(initialize=list(materials))
    m.ORDERS = pyo.Set(
        dimen=2,
        initialize=[(o, n) for o in offers for n in tree.nodes if period[n] + lead[o] < periods],
    )
    m.PLACINGS = pyo.Set(
        dimen=2,
        initialize=[
            (o, n) for o, n in m.ORDERS if offers[o].order_cost > 0 or offers[o].minimum_order > 0
        ],
    )
    m.LOT_ORDERS = pyo.Set(dimen=2, initialize=[(o, n) for o, n in m.ORDERS if offers[o].lot_size])
    m.LEVELS = pyo.Set(dimen=2, initialize=list(quantity))
    signable = {k: window(row.sign_from, row.sign_to) for k, row in contracts.items()}
    m.SIGNINGS = pyo.Set(
        dimen=3,
        initialize=[(k, f, n) for k, f in m.LEVELS for n in m.NODES if period[n] in signable[k]],
    )
    m.TAKES = pyo.Set(
        dimen=3,
        initialize=[
            (k, f, n) for k, f in m.LEVELS for n in m.NODES if first[k] <= period[n] <= last[k]
        ],
    )
    m.DEFICITS = pyo.Set(
        dimen=3,
        initialize=[
            (k, f, n)
            for k, f, n in m.TAKES
            if period[n] == last[k] or (period[n] - first[k] + 1) % 12 == 0
        ],
    )
    m.AGES = pyo.Set(
        dimen=3, initialize=[(i, a, n) for i in materials for a in range(life[i]) for n in m.NODES]
    )
    m.STOCKS = pyo.Set(dimen=3, initialize=[(i, a, n) for i, a, n in m.AGES if a < life[i] - 1])
    m.OUTS = pyo.Set(
        dimen=3,
        initialize=[
            (r, a, n)
            for r, row in outlets.items()
            for a in range(life[row.material])
            for n in m.NODES
        ],
    )
    m.PAYMENTS = pyo.Set(
        dimen=3,
        initialize=[
            (b, u, n)
            for b, row in enumerate(budgets)
            for u in funds[row.fund].uses or USES
            for n in m.NODES
            if period[n] in window(row.from_, row.expires)
        ],
    )

    m.buy = pyo.Var(m.ORDERS, domain=pyo.NonNegativeReals)
    m.place = pyo.Var(
        m.PLACINGS, domain=lambda m, o, n: pyo.Binary if stockpile.firm(n) else pyo.UnitInterval
    )
    m.lots = pyo.Var(
        m.LOT_ORDERS,
        domain=lambda m, o, n: (
            pyo.NonNegativeIntegers if stockpile.firm(n) else pyo.NonNegativeReals
        ),
    )
    m.sign = pyo.Var(m.SIGNINGS, domain=pyo.Binary)
    m.take = pyo.Var(m.TAKES, domain=pyo.NonNegativeReals)
    m.deficit = pyo.Var(m.DEFICITS, domain=pyo.NonNegativeReals)
    m.stock = pyo.Var(m.STOCKS, domain=pyo.NonNegativeReals)
    m.use = pyo.Var(m.AGES, domain=pyo.NonNegativeReals)
    m.out = pyo.Var(m.OUTS, domain=pyo.NonNegativeReals)
    m.expired = pyo.Var(m.MATERIALS, m.NODES, domain=pyo.NonNegativeReals)
    m.unmet = pyo.Var(m.MATERIALS, m.NODES, domain=pyo.NonNegativeReals)
    m.below = pyo.Var(m.MATERIALS, m.NODES, domain=pyo.NonNegativeReals)
    m.pay = pyo.Var(m.PAYMENTS, domain=pyo.NonNegativeReals)

    # Purchases
    m.cap_order = pyo.Constraint(
        m.ORDERS,
        rule=lambda m, o, n: (
            m.buy[o, n]
            <= here[n]["offers"][o].capacity * (m.place[o, n] if (o, n) in m.PLACINGS else 1)
        ),
    )
    m.hold_minimum_order = pyo.Constraint(
        m.PLACINGS,
        rule=lambda m, o, n: m.buy[o, n] >= here[n]["offers"][o].minimum_order * m.place[o, n],
    )
    m.hold_lots = pyo.Constraint(
        m.LOT_ORDERS,
        rule=lambda m, o, n: m.buy[o, n] == here[n]["offers"][o].lot_size * m.lots[o, n],
    )

    def ordered(o: str, n: int) -> int | None:
        """The node at which what arrives at a node was ordered."""
        return back(n, lead[o])

    def arrives(o: str, n: int) -> Any:
        return here[n]["offers"][o].availability * m.buy[o, ordered(o, n)]

    def unit_price(o: str, n: int) -> float:
        row = here[n]["offers"][o]
        return float(index[row.price_index, n] * (1 + row.premium) * (1 + row.duty) + row.freight)

    # Contracts
    def active(k: str, f: str, n: int) -> Any:
        return sum(m.sign[k, f, s] for s in tree.paths[n] if (k, f, s) in m.SIGNINGS)

    def contract_price(k: str, f: str, n: int) -> float:
        return float(
            max(floor[k, f], index[contracts[k].price_index, n] * (1 - contracts[k].discount))
        )

    def forbid_second_signing(m: Any, k: str, leaf: int) -> Any:
        return (
            sum(
                m.sign[k, row.level, s]
                for row in menu[k]
                for s in tree.paths[leaf]
                if (k, row.level, s) in m.SIGNINGS
            )
            <= 1
        )

    m.forbid_second_signing = pyo.Constraint(
        list(contracts), list(tree.leaves), rule=forbid_second_signing
    )
    m.cap_take = pyo.Constraint(
        m.TAKES,
        rule=lambda m, k, f, n: (
            m.take[k, f, n] <= contracts[k].flex * quantity[k, f] * active(k, f, n)
        ),
    )

    def hold_take_or_pay(m: Any, k: str, f: str, n: int) -> Any:
        months = (period[n] - first[k]) % 12 + 1
        taken = sum(m.take[k, f, s] for s in tree.paths[n][-months:])
        return taken + m.deficit[k, f, n] >= contracts[k].take_or_pay * quantity[
            k, f
        ] * months * active(k, f, n)

    m.hold_take_or_pay = pyo.Constraint(m.DEFICITS, rule=hold_take_or_pay)

    # Stock by age
    def change(i: str, a: int, n: int) -> list[Any]:
        """What brings metal of an age to a node and takes it away."""
        found = [
            -m.use[i, a, n],
            *(-m.out[r, a, n] for r, row in outlets.items() if row.material == i),
        ]
        if a == 0:
            found += [
                arrives(o, n)
                for o, row in offers.items()
                if row.material == i and ordered(o, n) is not None
            ]
            for k, f in m.LEVELS:
                if contracts[k].material == i and (k, f, n) in m.TAKES:
                    found.append(m.take[k, f, n])
        if tree.parent[n] is None:
            lots = root["opening_stock"].values()
            found.append(
                sum(
                    row.quantity
                    for row in lots
                    if row.material == i and -calendar.period(row.made) == a
                )
            )
        elif a > 0:
            found.append(m.stock[i, a - 1, tree.parent[n]])
        return found

    m.balance_stock = pyo.Constraint(
        m.STOCKS, rule=lambda m, i, a, n: m.stock[i, a, n] == sum(change(i, a, n))
    )
    m.balance_expiry = pyo.Constraint(
        m.MATERIALS, m.NODES, rule=lambda m, i, n: m.expired[i, n] == sum(change(i, life[i] - 1, n))
    )
    m.cap_out = pyo.Constraint(
        list(outlets),
        m.NODES,
        rule=lambda m, r, n: (
            sum(m.out[r, a, n] for a in range(life[outlets[r].material]))
            <= here[n]["outlets"][r].capacity
        ),
    )

    # Demand and targets
    m.balance_demand = pyo.Constraint(
        m.MATERIALS,
        m.NODES,
        rule=lambda m, i, n: (
            sum(m.use[i, a, n] for a in range(life[i])) + m.unmet[i, n] == demand[i, n]
        ),
    )
    counting = {
        i: [
            a
            for a in range(life[i] - 1)
            if (life[i] - 1 - a) * calendar.months >= row.count_life_months
        ]
        for i, row in materials.items()
    }
    m.hold_target = pyo.Constraint(
        m.MATERIALS,
        m.NODES,
        rule=lambda m, i, n: (
            sum(m.stock[i, a, n] for a in counting[i]) + m.below[i, n] >= target[i, n]
        ),
    )

    # Money
    def outlay(m: Any, u: str, n: int) -> Any:
        now = here[n]
        if u == "purchase":
            metal = sum(
                unit_price(o, n) * arrives(o, n) for o in offers if ordered(o, n) is not None
            )
            return metal + sum(
                now["offers"][o].order_cost * m.place[o, n] for o in offers if (o, n) in m.PLACINGS
            )
        if u == "contract":
            taken = sum(
                contract_price(k, f, n) * m.take[k, f, n]
                for k, f in m.LEVELS
                if (k, f, n) in m.TAKES
            )
            due = sum(
                contract_price(k, f, n) * m.deficit[k, f, n]
                for k, f in m.LEVELS
                if (k, f, n) in m.DEFICITS
            )
            return (
                taken
                + due
                + sum(
                    contracts[k].signing_cost * m.sign[k, f, n]
                    for k, f in m.LEVELS
                    if (k, f, n) in m.SIGNINGS
                )
            )
        if u == "storage":
            return sum(
                materials[i].holding_cost * calendar.months * m.stock[i, a, n]
                for i in materials
                for a in range(life[i] - 1)
            )
        return sum(materials[i].disposal_cost * m.expired[i, n] for i in materials)

    m.outlay = pyo.Expression(USES, m.NODES, rule=outlay)
    m.balance_outlay = pyo.Constraint(
        USES,
        m.NODES,
        rule=lambda m, u, n: (
            sum(m.pay[b, u, n] for b in range(len(budgets)) if (b, u, n) in m.PAYMENTS)
            == m.outlay[u, n]
        ),
    )
    m.BUDGET_ENDS = pyo.Set(
        dimen=2,
        initialize=[
            (b, n)
            for b, row in enumerate(budgets)
            for n in m.NODES
            if period[n] == window(row.from_, row.expires)[-1]
        ],
    )
    m.cap_budget = pyo.Constraint(
        m.BUDGET_ENDS,
        rule=lambda m, b, n: (
            sum(m.pay[b, u, s] for s in tree.paths[n] for u in USES if (b, u, s) in m.PAYMENTS)
            <= budgets[b].amount
        ),
    )

    def received(n: int) -> Any:
        return sum(
            index[row.price_index, n]
            * row.price_factor
            * max(0.0, 1 - row.age_discount * a * calendar.months)
            * m.out[r, a, n]
            for r, row in here[n]["outlets"].items()
            for a in range(life[row.material])
        )

    def penalty(n: int) -> Any:
        return sum(
            row.shortage_cost * m.unmet[i, n] + row.below_target_cost * m.below[i, n]
            for i, row in materials.items()
        )

    m.cost = pyo.Objective(
        expr=sum(
            weight[n] * (sum(m.outlay[u, n] for u in USES) + penalty(n) - received(n))
            for n in m.NODES
        )
    )
    return m


def _rows(stockpile: Stockpile) -> Mapping[str, Mapping[Any, Any]]:
    """The rows of each table by their key; by their place where they have no single one."""
    found = {}
    for kind, rows in stockpile.tables.items():
        names = keys(kind)
        found[kind.TABLE] = {
            get(row, names[0]) if len(names) == 1 else place: row for place, row in enumerate(rows)
        }
    return found


def _target(calendar: Any, rows: list[Any], period: int) -> float:
    """The one target, to which stock ramps from 0 at the start of the horizon [quantity]."""
    (row,) = rows
    return float(row.quantity * min(1.0, period / calendar.period(row.from_)))
