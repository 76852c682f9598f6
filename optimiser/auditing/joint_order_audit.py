"""What is ordered together from a supplier with terms of its own, in each period."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from optimiser.auditing.findings import RELATIVE
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.purchases import averages, ladder, near
from optimiser.auditing.twin import AuditedInstruction, AuditedSheet, Twin


class OrderWorth(NamedTuple):
    """Describe what orders are worth as they are placed: price and adder, at the least and the
    most."""

    quantity: float
    low: float
    high: float


def joint_orders(path: PathAudit) -> None:
    """Compare what is ordered from each supplier in a period with its terms.

    Whether freight is paid for the orders follows.
    """
    inputs, record = path.inputs, path.record
    terms, orders = inputs.keyed("order_terms"), _orders(path)
    shown: dict[tuple[str, int], Line] = {}
    for line in path.sheets["joint_orders"]:
        t, row = path.when(line), path.known(line, "supplier", "order_terms", terms)
        if t is None or row is None:
            continue
        if record.fails((row.supplier, t) in orders and (row.supplier, t) not in shown):
            record.refuse(line.where, f"{line.words('supplier')} is of no order, or stands twice")
        shown[row.supplier, t] = line
    for (supplier, t), lines in orders.items():
        if record.fails((supplier, t) in shown):
            message = f"what is ordered from {supplier} in {inputs.begins[t]} is not on the sheet"
            record.refuse("joint_orders", message)
        else:
            _kept(path, shown[supplier, t], lines, supplier, t)


def _orders(path: PathAudit) -> dict[tuple[str, int], list[Line]]:
    """Return the orders of each supplier with terms, by period."""
    offers, terms = path.inputs.keyed("offers"), path.inputs.keyed("order_terms")
    found: dict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in path.sheets["orders"]:
        offer = offers.get(line["offer"])
        if offer is not None and offer.supplier in terms:
            found[offer.supplier, path.inputs.period(line["date"])].append(line)
    return found


def _kept(path: PathAudit, line: Line, orders: list[Line], supplier: str, t: int) -> None:
    """Compare one row of the sheet: its orders, its value, and what follows from that."""
    record, firm = path.record, path.inputs.firm(t)
    row = path.inputs.at(t).keyed("order_terms")[supplier]
    parts = [_worth(path, each, t) for each in orders]
    low, high = sum(each.low for each in parts), sum(each.high for each in parts)
    cent = path.cent(None) + RELATIVE * high
    record.term(line, "offers", ", ".join(sorted(each["offer"] for each in orders)))
    record.figure(line, "ordered", sum(each.quantity for each in parts))
    record.figure(line, "value", min(max(line["value"], low), high), cent)
    for column in ("minimum_value", "free_freight_from"):
        record.figure(line, column, getattr(row, column), cell=(row, column))
    record.term(line, "relaxed", not firm, (path.inputs.settings, "firm_periods"))
    cost = row.order_cost
    if firm:
        record.least(line, "value", row.minimum_value, cent, (row, "minimum_value"))
        _free(path, line, row, cent)
    else:
        cost = min(max(line["order_cost"], _part(path, orders, t) * cost), cost)
    record.figure(line, "order_cost", cost, cell=(row, "order_cost"))
    path.pay(t, "order_costs", cost, _material(path, supplier), supplier, table="suppliers")
    for each in orders:
        path.freighted[each["offer"], t] = not line["freight_free"] if firm else None


def _free(path: PathAudit, line: Line, row: Any, cent: float) -> None:
    """Compare whether freight is free; at the very value it may be either."""
    begin, value = row.free_freight_from, line["value"]
    if begin is None or abs(value - begin) > cent:
        free = begin is not None and value > begin
        path.record.term(line, "freight_free", free, (row, "free_freight_from"))


def _worth(path: PathAudit, line: Line, t: int) -> OrderWorth:
    """Return what an order is worth; beyond `firm_periods` its price is a mix of its breaks."""
    offer, ordered = path.inputs.at(t).keyed("offers")[line["offer"]], line["ordered"]
    breaks = [row for row in path.inputs.at(t).rows("price_breaks") if row.offer == offer.offer]
    steps = ladder(path, offer, sorted(row.from_quantity for row in breaks), t)
    rates = [step.price for step in steps]
    if path.inputs.firm(t):
        kind = breaks[0].kind if breaks else ""
        rates = averages(steps, kind, ordered, near(path, offer, ordered))
    low, high = min(rates) + offer.adder, max(rates) + offer.adder
    return OrderWorth(ordered, low * ordered, high * ordered)


def _part(path: PathAudit, orders: list[Line], t: int) -> float:
    """Return how far at least anything is ordered, beyond `firm_periods` [1]."""
    offers = path.inputs.at(t).keyed("offers")
    able = [(each["ordered"], offers[each["offer"]].capacity) for each in orders]
    return max((ordered / capacity for ordered, capacity in able if capacity), default=0.0)


def _material(path: PathAudit, supplier: str) -> str | None:
    """Return the one material of a supplier's offers; None where there are several."""
    found = {row.material for row in path.inputs.rows("offers") if row.supplier == supplier}
    return found.pop() if len(found) == 1 else None


TWIN = Twin(
    sheets=(
        AuditedSheet(
            name="joint_orders",
            instruction=AuditedInstruction(("supplier",), ("value",), ("date",)),
        ),
    ),
    read=(joint_orders,),
)
