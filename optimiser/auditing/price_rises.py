"""Supply curves: what own buying adds to prices, by window, from the orders and the input alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import AuditedHeading, Twin


def price_rises(path: PathAudit) -> None:
    """Compare what is bought under each curve in each window, and what is paid on top for it."""
    record, inputs = path.record, path.inputs
    shown: dict[tuple[str, str], Line] = {}
    for line in path.sheets["price_rises"]:
        key = line["index"], line["window"]
        if record.fails(key not in shown):
            record.refuse(line.where, f"{line.words('rise')} stands twice")
        shown[key] = line
    quantities = _bought(path)
    for index, rows in _curves(inputs.rows("supply_curves")).items():
        offers = [row for row in inputs.rows("offers") if row.price_index == index]
        for window, periods in _windows(path, rows[0].window):
            quantity = sum(quantities[row.offer, t] for row in offers for t in periods)
            if rows[0].window == "fiscal_year" and 0 in periods:
                quantity += sum(row.bought_before for row in rows)
            line_or_none = shown.pop((index, window), None)
            if line_or_none is None:
                noise = path.noise(offers[0].material) if offers else 0.0
                if record.above(0.0, quantity, noise):
                    message = f"{index} in {window} is not on the sheet"
                    record.refuse("price_rises", message, (rows[0], "index"), quantity)
            else:
                record.term(line_or_none, "material", offers[0].material if offers else None)
                _rise(path, line_or_none, index, periods, quantity)
    for line in shown.values():
        record.refuse(line.where, f"{line.words('rise')} is of no curve and window of the input")


def _bought(path: PathAudit) -> dict[tuple[str, int], float]:
    """Return what is paid for under each offer in each period [quantity]."""
    inputs, found = path.inputs, defaultdict[tuple[str, int], float](float)
    for (name, t), ordered in path.ordered.items():
        offer = inputs.at(t).keyed("offers")[name]
        arrival = t + inputs.whole(offer.lead_time_months)
        if offer.payment == "order":
            found[name, t] += ordered
        elif arrival < inputs.periods:
            found[name, arrival] += inputs.at(arrival).keyed("offers")[name].availability * ordered
    return found


def _curves(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the rows of each index, the smallest quantity first."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.from_quantity):
        found[row.index].append(row)
    return found


def _windows(path: PathAudit, window: str) -> list[tuple[str, list[int]]]:
    """Return the windows of a curve by name, with their periods."""
    inputs = path.inputs
    if window == "period":
        return [(f"{inputs.begins[t]:%Y-%m}", [t]) for t in range(inputs.periods)]
    years = groupby(range(inputs.periods), key=inputs.fiscal_year)
    return [(f"FY{year}", [*periods]) for year, periods in years]


def _rise(path: PathAudit, line: Line, index: str, periods: Sequence[int], quantity: float) -> None:
    """Compare one row of the sheet, and pay its rise in the last period of its window.

    The index and the rows of its curve are those of the first.
    """
    record, inputs, first, last = path.record, path.inputs, periods[0], periods[-1]
    material, noise = line["material"], path.noise(line["material"])
    rows = _curves(inputs.at(first).rows("supply_curves"))[index]
    price, rate, paid = inputs.price(index, first), 0.0, 0.0
    for currency in {row.currency for row in inputs.rows("offers") if row.price_index == index}:
        price *= 1.0 if currency is None else inputs.price(currency, first)
    began = [row.index_before for row in rows if row.index_before is not None]
    if first == 0 and began and rows[0].window == "fiscal_year":
        price = began[0]
    for row in rows:
        beyond = max(0.0, quantity - row.from_quantity)
        paid += (row.rise - rate) * price * beyond
        rate = row.rise
    cell, cent = (rows[-1], "rise"), path.cent(material, "price_rise")
    if path.idle:
        record.least(line, "rise", paid, cent, cell)
        paid = max(paid, line["rise"])
    record.term(line, "date", inputs.begins[last])
    record.figure(line, "bought", quantity, noise)
    beyond = max(0.0, quantity - rows[0].from_quantity)
    record.figure(line, "beyond", beyond, noise, (rows[0], "from_quantity"))
    record.figure(line, "rise", paid, cent, cell)
    if quantity > 0:
        record.figure(line, "average_rise", paid / quantity, cent / quantity, cell)
    path.pay(last, "price_rise", paid, material, index)


TWIN = Twin(
    headings=(AuditedHeading("price_rise", "purchase"),),
    follow=(price_rises,),
)
