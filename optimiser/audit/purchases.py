"""Orders under offers: dates, sizes, breaks, what arrives and what is paid."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimiser.audit.case import Brought, Case
from optimiser.audit.findings import NOISE
from optimiser.audit.sheets import Line

AT_BREAK = 1e-6  # of a break's quantity: so near to it either price may be paid


def deliveries(case: Case) -> None:
    """What offers and contracts bring, as the sheet `deliveries` tells; who pays for it follows from the site."""
    tables = {table: case.inputs.keyed(table) for table in ("offers", "contracts")}
    for line in case.sheets["deliveries"]:
        t, table, name = case.when(line), line["kind"], line["name"]
        if not case.record.holds(table in tables, line.at("kind"), f"{table!r} is neither offers nor contracts"):
            continue
        row = case.known(line, "name", table, tables[table])
        if t is None or row is None or not case.placed(line):
            continue
        site = case.inputs.sites[line["site"]]
        case.record.term(line, "material", row.material, case.inputs.cell(row, "material"))
        case.record.term(line, "supplier", row.supplier, case.inputs.cell(row, "supplier"))
        case.record.term(line, "buyer", site.buyer, case.inputs.cell(site, "buyer"))
        case.record.least(line.at("quantity"), line.told("quantity"), 0.0, line["quantity"])
        if table == "offers" and row.site is not None:
            case.record.term(line, "site", row.site, case.inputs.cell(row, "site"))
        case.arriving.setdefault((table, name, t), defaultdict(float))[line["site"]] += line["quantity"]
        case.brought.append(Brought(t, table, name, row.material, line["site"], line["quantity"]))


def orders(case: Case) -> None:
    """Every order keeps the terms of its offer, what is ordered arrives, and is paid at the offer's price."""
    offers, record = case.inputs.keyed("offers"), case.record
    breaks: dict[str, list[Any]] = defaultdict(list)
    for row in sorted(case.inputs.rows("price_breaks"), key=lambda row: row.from_quantity):
        breaks[row.offer].append(row)
    due: dict[tuple[int, str], float] = defaultdict(float)
    last: dict[tuple[str, int], Line] = {}
    for line in case.sheets["orders"]:
        offer, t = case.known(line, "offer", "offers", offers), case.when(line)
        if offer is None or t is None:
            continue
        case.ordered[offer.offer, t] += line["ordered"]
        last[offer.offer, t] = line
        _terms(case, line, offer, t)
        arrival = t + case.inputs.whole(offer.lead_time_months)
        if arrival < case.inputs.periods:
            due[arrival, offer.offer] += offer.availability * line["ordered"]
        _price(case, line, offer, breaks[offer.offer], t, arrival)
    totals: dict[str, float] = defaultdict(float)
    for (name, t), quantity in case.ordered.items():
        totals[name] += quantity
        cell = case.inputs.cell(offers[name], "capacity")
        record.most(last[name, t].at("ordered"), last[name, t].told("ordered"), offers[name].capacity, quantity, cell=cell)
    for name, quantity in totals.items():
        record.most("orders", f"total ordered under {name}", offers[name].total, quantity, cell=case.inputs.cell(offers[name], "total"))
    came = {(t, name): sum(sites.values()) for (table, name, t), sites in case.arriving.items() if table == "offers"}
    case.differ("deliveries: what arrives under", due, came)


def _terms(case: Case, line: Line, offer: Any, t: int) -> None:
    """When and how much may be ordered."""
    inputs, record = case.inputs, case.record
    supplier = inputs.suppliers[offer.supplier]
    record.term(line, "supplier", offer.supplier, inputs.cell(offer, "supplier"))
    record.term(line, "material", offer.material, inputs.cell(offer, "material"))
    case.within(line, "date", offer, "from_", "to", "and it can be ordered")
    said = f"{line.told('date')} is {line['date']}, before {offer.supplier} ships"
    record.holds(t >= inputs.ships(offer.supplier), line.at("date"), said, inputs.cell(supplier, "start"))
    case.staged(line, "offer", offer.supplier)
    if offer.project is not None:
        ready = case.ready(offer.project)
        record.holds(t >= ready, line.at("date"), f"{line.told('date')}: project {offer.project} is not ready", inputs.cell(offer, "project"))
    record.least(line.at("ordered"), line.told("ordered"), 0.0, line["ordered"])
    record.least(line.at("ordered"), line.told("ordered"), offer.minimum_order, line["ordered"], cell=inputs.cell(offer, "minimum_order"))
    if offer.lot_size is None:
        record.term(line, "lots", None, inputs.cell(offer, "lot_size"))
    else:
        whole = round(line["ordered"] / offer.lot_size)
        what = f"{line.told('ordered')} in whole lots of {offer.lot_size:g}"
        record.equal(line.at("ordered"), what, whole * offer.lot_size, line["ordered"], cell=inputs.cell(offer, "lot_size"))
        record.figure(line, "lots", whole, cell=inputs.cell(offer, "lot_size"))
    arrival = t + inputs.whole(offer.lead_time_months)
    past = f"{line.told('ordered')} arrives past the horizon"
    if record.holds(arrival < inputs.periods, line.at("arrives"), past, inputs.cell(offer, "lead_time_months")):
        record.term(line, "arrives", inputs.begins[arrival], inputs.cell(offer, "lead_time_months"))
    record.figure(line, "arriving", offer.availability * line["ordered"], NOISE, inputs.cell(offer, "availability"))


def averages(case: Case, offer: Any, breaks: list[Any], t: int, quantity: float) -> list[float]:
    """The average prices that an order of a quantity may pay, without adder: one, or at a break of all units two [money/quantity]."""

    def price(row: Any, premium: float | None) -> float:
        if row.price is not None:
            return float(row.price)
        return case.inputs.price(offer.price_index, t) * (1 + (premium or 0.0))

    steps = [(0.0, price(offer, offer.premium)), *((row.from_quantity, price(row, row.premium)) for row in breaks)]
    if len(steps) == 1 or quantity <= 0:
        return [steps[0][1]]
    near = AT_BREAK * max(1.0, quantity)
    if breaks[0].kind == "all_units":
        reached = max(k for k, (begin, _) in enumerate(steps) if begin <= quantity + near)
        beyond = steps[reached][0] < quantity - near
        return [steps[k][1] for k in ({reached} if beyond else {reached, reached - 1})]
    ends = [begin for begin, _ in steps[1:]] + [quantity]
    return [sum(max(0.0, min(end, quantity) - begin) * each for (begin, each), end in zip(steps, ends, strict=True)) / quantity]


def _price(case: Case, line: Line, offer: Any, breaks: list[Any], t: int, arrival: int) -> None:
    """What the order costs, and when. The price is that of the period of payment; what is paid is what was ordered, or
    what arrives."""
    inputs, record, on_order = case.inputs, case.record, offer.payment == "order"
    if arrival >= inputs.periods:
        return
    paid_at, quantity = (t, line["ordered"]) if on_order else (arrival, offer.availability * line["ordered"])
    able = averages(case, offer, breaks, paid_at, line["ordered"])
    base = min(able, key=lambda each: abs(each + offer.adder - line["price"]))
    cell = inputs.cell(offer, "price" if offer.price is not None else "price_index")
    record.figure(line, "price", base + offer.adder, cell=cell)
    delivered = base * (1 + offer.duty) + offer.adder + offer.freight
    record.figure(line, "delivered_price", delivered, cell=cell)
    record.figure(line, "order_cost", offer.order_cost, cell=inputs.cell(offer, "order_cost"))
    record.figure(line, "paid", delivered * quantity + offer.order_cost, case.cent)
    record.term(line, "paid_on", inputs.begins[paid_at], inputs.cell(offer, "payment"))
    reached = max((row.from_quantity for row in breaks if row.from_quantity <= line["ordered"] + AT_BREAK * line["ordered"]), default=None)
    record.figure(line, "price_break", reached)

    case.pay(t, "order_costs", offer.order_cost, offer.material, offer.offer, table="offers")
    shares = case.shares("offers", offer.offer, arrival)
    metal = {buyer: share * base * quantity for buyer, share in shares.items()}
    if breaks and len(shares) > 1:
        metal = _split(case, line, offer, paid_at, shares, quantity, base, averages(case, offer, [], paid_at, quantity)[0])
    for buyer, amount in metal.items():
        part = shares.get(buyer, 0.0) * quantity
        key = (offer.material, offer.offer, buyer, "offers")
        case.pay(paid_at, "purchases", amount + offer.adder * part, *key)
        case.pay(paid_at, "duty", offer.duty * amount, *key)
        case.pay(paid_at, "freight", offer.freight * part, *key)


def _split(
    case: Case, line: Line, offer: Any, t: int, shares: dict[str | None, float], quantity: float, base: float, unbroken: float
) -> dict[str | None, float]:
    """What each buyer pays for metal under a broken price: their own choice, in sum the price of the order, and for none
    more than the price without breaks."""
    found: dict[str | None, float] = dict.fromkeys(shares, 0.0)
    for each in case.sheets["cash_flow"]:
        if each["heading"] == "purchases" and each["name"] == offer.offer and case.inputs.period(each["date"]) == t:
            found[each["buyer"]] = found.get(each["buyer"], 0.0) + each["amount"]
    for buyer in found:
        part = shares.get(buyer, 0.0) * quantity
        found[buyer] -= offer.adder * part
        what = f"what {buyer or 'nobody'} pays for metal under {offer.offer} in {case.inputs.begins[t]}"
        case.record.most("cash_flow", what, unbroken * part, found[buyer], case.cent, case.inputs.cell(offer, "price"))
        case.record.least("cash_flow", what, 0.0, found[buyer], case.cent)
    what = f"what the buyers pay in sum for metal under {offer.offer}"
    case.record.equal(line.at("paid"), what, base * quantity, sum(found.values()), 10 * case.cent)
    return found


