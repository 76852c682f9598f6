"""Orders under offers: dates, sizes, breaks, what arrives and what is paid."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from optimiser.audit.case import Brought, Case
from optimiser.audit.findings import NOISE
from optimiser.audit.sheets import Line


def deliveries(case: Case) -> None:
    """What offers and contracts bring, as the sheet `deliveries` tells; who pays for it follows from the site."""
    tables = {table: case.inputs.keyed(table) for table in ("offers", "contracts")}
    record, sites = case.record, case.inputs.sites
    for line in case.sheets["deliveries"]:
        t, table, name = case.when(line), line["kind"], line["name"]
        if record.fails(table in tables):
            record.refuse(line.at("kind"), f"{table!r} is neither offers nor contracts")
            continue
        row = case.known(line, "name", table, tables[table])
        if t is None or row is None or not case.placed(line):
            continue
        record.term(line, "material", row.material, (row, "material"))
        record.term(line, "supplier", row.supplier, (row, "supplier"))
        record.term(line, "buyer", sites[line["site"]].buyer, (sites[line["site"]], "buyer"))
        record.least(line, "quantity", 0.0)
        record.figure(line, "paid", line["price"] * line["quantity"], case.cent)
        if table == "offers" and row.site is not None:
            record.term(line, "site", row.site, (row, "site"))
        case.arriving.setdefault((table, name, t), defaultdict(float))[line["site"]] += line["quantity"]
        case.brought.append(Brought(t, table, name, row.material, line["site"], line["quantity"]))


def prices(case: Case) -> None:
    """A delivery's price is what its order or contract pays, with the adder."""
    for line in case.sheets["deliveries"]:
        expected = case.unit_price.get((line["kind"], line["name"], case.inputs.period(line["date"])))
        if expected is not None:
            case.record.figure(line, "price", expected, 1e-6 * expected)


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
        line = last[name, t]
        if record.above(offers[name].capacity, quantity):
            record.add(line.at("ordered"), line.told("ordered"), offers[name].capacity, quantity, "most", (offers[name], "capacity"))
    for name, quantity in totals.items():
        record.within("orders", f"total ordered under {name}", offers[name].total, quantity, cell=(offers[name], "total"))
    came = {(t, name): sum(sites.values()) for (table, name, t), sites in case.arriving.items() if table == "offers"}
    case.match("deliveries", "what arrives under an offer", due, came)


def _terms(case: Case, line: Line, offer: Any, t: int) -> None:
    """When and how much may be ordered."""
    inputs, record = case.inputs, case.record
    record.term(line, "supplier", offer.supplier, (offer, "supplier"))
    record.term(line, "material", offer.material, (offer, "material"))
    case.within(line, "date", offer, "from_", "to", "and it can be ordered")
    case.staged(line, "offer", offer.supplier)
    if record.fails(t >= inputs.ships(offer.supplier)):
        said = f"{line.told('date')} is {line['date']}, before {offer.supplier} ships"
        record.refuse(line.at("date"), said, (inputs.suppliers[offer.supplier], "start"))
    if offer.project is not None and record.fails(t >= case.ready(offer.project)):
        said = f"{line.told('date')} is {line['date']}, and project {offer.project} is not ready"
        record.refuse(line.at("date"), said, (offer, "project"))
    relaxed = not inputs.firm(t)
    record.term(line, "relaxed", relaxed, (inputs.settings, "firm_periods"))
    record.least(line, "ordered", 0.0 if relaxed else offer.minimum_order, cell=(offer, "minimum_order"))
    if offer.lot_size is None or relaxed:
        record.term(line, "lots", None, (offer, "lot_size"))
    else:
        whole = round(line["ordered"] / offer.lot_size)
        what = f"{line.told('ordered')}, in whole lots of {offer.lot_size:g},"
        record.equal(line.at("ordered"), what, whole * offer.lot_size, line["ordered"], cell=(offer, "lot_size"))
        record.figure(line, "lots", whole, cell=(offer, "lot_size"))
    arrival = t + inputs.whole(offer.lead_time_months)
    if record.fails(arrival < inputs.periods):
        record.refuse(line.at("arrives"), f"{line.told('ordered')} arrives past the horizon", (offer, "lead_time_months"))
    else:
        record.term(line, "arrives", inputs.begins[arrival], (offer, "lead_time_months"))
    record.figure(line, "arriving", offer.availability * line["ordered"], NOISE, (offer, "availability"))


class Step(NamedTuple):
    """A price of an offer [money/quantity], and the quantity of an order from which it holds."""

    begin: float
    price: float


def ladder(case: Case, offer: Any, breaks: list[Any], t: int) -> list[Step]:
    """The prices of an offer in a period, without adder: its own, and that of each break."""

    def price(row: Any) -> float:
        if row.price is not None:
            return float(row.price)
        return case.inputs.price(offer.price_index, t) * (1 + (row.premium or 0.0))

    return [Step(0.0, price(offer)), *(Step(row.from_quantity, price(row)) for row in breaks)]


def near(quantity: float) -> float:
    """So near to a break either price may be paid [quantity]."""
    return 2e-5 + 1e-6 * quantity


def averages(steps: list[Step], kind: str, quantity: float) -> list[float]:
    """The average prices that an order may pay: one, or at the foot of a break of all units two [money/quantity]."""
    if len(steps) == 1 or quantity <= 0:
        return [steps[0].price]
    if kind == "all_units":
        reached = max(k for k, step in enumerate(steps) if step.begin <= quantity + near(quantity))
        beyond = reached == 0 or steps[reached].begin < quantity - near(quantity)
        return [steps[reached].price] if beyond else [steps[reached].price, steps[reached - 1].price]
    ends = [step.begin for step in steps[1:]] + [quantity]
    return [sum(max(0.0, min(end, quantity) - step.begin) * step.price for step, end in zip(steps, ends, strict=True)) / quantity]


def _price(case: Case, line: Line, offer: Any, breaks: list[Any], t: int, arrival: int) -> None:
    """What the order costs, and when. The price is that of the period of payment; what is paid is what was ordered, or
    what arrives."""
    record, on_order, ordered = case.record, offer.payment == "order", line["ordered"]
    paid_at, quantity = (t, ordered) if on_order else (arrival, offer.availability * ordered)
    steps = ladder(case, offer, breaks, paid_at)
    kind = breaks[0].kind if breaks else ""
    cell = (offer, "price" if offer.price is not None else "price_index")
    if case.inputs.firm(t):
        base, cost = min(averages(steps, kind, ordered), key=lambda each: abs(each + offer.adder - line["price"])), offer.order_cost
        record.figure(line, "order_cost", cost, cell=(offer, "order_cost"))
        _bought_up(case, line, offer, steps, kind, base)
    else:
        base, cost = _relaxed(case, line, offer, steps)
    record.figure(line, "price", base + offer.adder, cell=cell)
    delivered = base * (1 + offer.duty) + offer.adder + offer.freight
    record.figure(line, "delivered_price", delivered, cell=cell)
    record.figure(line, "paid", delivered * quantity + cost, case.cent)
    record.term(line, "paid_on", case.inputs.begins[paid_at], (offer, "payment"))
    case.unit_price["offers", offer.offer, arrival] = base + offer.adder

    case.pay(t, "order_costs", cost, offer.material, offer.offer, table="offers")
    shares = case.shares("offers", offer.offer, arrival)
    metal = {buyer: share * base * quantity for buyer, share in shares.items()}
    if breaks and len(shares) > 1:
        metal = _split(case, line, offer, paid_at, shares, quantity, base, max(step.price for step in steps))
    for buyer, amount in metal.items():
        part = shares.get(buyer, 0.0) * quantity
        case.pay(paid_at, "purchases", amount + offer.adder * part, offer.material, offer.offer, buyer, "offers")
        case.pay(paid_at, "duty", offer.duty * amount, offer.material, offer.offer, buyer, "offers")
        case.pay(paid_at, "freight", offer.freight * part, offer.material, offer.offer, buyer, "offers")


def _relaxed(case: Case, line: Line, offer: Any, steps: list[Step]) -> tuple[float, float]:
    """The price and the order cost of an order beyond `firm_periods`: a mix of the prices of its breaks, and at least the part of
    the cost that the order is of the offer's capacity."""
    record, most = case.record, max(step.price for step in steps)
    base = min(max(line["price"] - offer.adder, min(step.price for step in steps)), most)
    part = line["ordered"] / offer.capacity if offer.capacity else 0.0
    cost = min(max(line["order_cost"], part * offer.order_cost), offer.order_cost)
    record.figure(line, "order_cost", cost, cell=(offer, "order_cost"))
    for column in ("price_break", "cheaper_from"):
        record.figure(line, column, None)
    return base, cost


def _bought_up(case: Case, line: Line, offer: Any, steps: list[Step], kind: str, base: float) -> None:
    """The break that an order reaches, and where it stands at its foot the quantity from which that costs less."""
    quantity, record = line["ordered"], case.record
    able = [max(step for step in steps if step.begin <= max(0.0, quantity + slack)) for slack in (near(quantity), -near(quantity))]
    begins = [step.begin or None for step in able if kind != "all_units" or step.price == base]
    reached = line["price_break"] if line["price_break"] in begins else begins[0]
    record.figure(line, "price_break", reached)
    cheaper = None
    if reached is not None and kind == "all_units" and abs(quantity - reached) <= near(quantity):
        rates = [step.price * (1 + offer.duty) + offer.adder + offer.freight for step in steps]
        total = quantity * next(rate for step, rate in zip(steps, rates, strict=True) if step.begin == reached)
        ends = [step.begin for step in steps[1:]]
        cheaper = min(
            (
                max(step.begin, total / rate)
                for step, rate, end in zip(steps, rates, ends, strict=False)
                if end <= reached and rate > 0 and total / rate < end
            ),
            default=None,
        )
        if line["cheaper_from"] is None and abs(quantity - reached) > near(quantity) / 4:
            cheaper = None
    record.figure(line, "cheaper_from", cheaper, near(quantity))


def _split(
    case: Case, line: Line, offer: Any, t: int, shares: dict[str | None, float], quantity: float, base: float, dearest: float
) -> dict[str | None, float]:
    """What each buyer pays for metal under a broken price: their own choice, in sum the price of the order, and for none
    more than the price without breaks (or, where a break is dearer, than that)."""
    found: dict[str | None, float] = dict.fromkeys(shares, 0.0)
    for each in case.sheets["cash_flow"]:
        if each["heading"] == "purchases" and each["name"] == offer.offer and case.inputs.period(each["date"]) == t:
            found[each["buyer"]] = found.get(each["buyer"], 0.0) + each["amount"]
    metal = {buyer: amount - offer.adder * shares.get(buyer, 0.0) * quantity for buyer, amount in found.items()}
    for buyer, amount in metal.items():
        what = f"what {buyer or 'nobody'} pays for metal under {offer.offer} in {case.inputs.begins[t]}"
        most = dearest * shares.get(buyer, 0.0) * quantity
        case.record.within("cash_flow", what, most, amount, 10 * case.cent, (offer, "price"))
        case.record.reaches("cash_flow", what, 0.0, amount, 10 * case.cent)
    what = f"what the buyers pay in sum for metal under {offer.offer}"
    case.record.equal(line.at("paid"), what, base * quantity, sum(metal.values()), 10 * case.cent)
    return metal
