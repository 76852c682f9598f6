"""Orders under offers: dates, sizes, breaks, what arrives and what is paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from optimiser.auditing.findings import EXACT, RELATIVE
from optimiser.auditing.path_audit import IN_PARTS, Brought, PathAudit, Since
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import (
    DUTY,
    FREIGHT,
    AuditedAct,
    AuditedChoice,
    AuditedDeed,
    AuditedHeading,
    AuditedInstruction,
    AuditedSheet,
    AuditedTotal,
    Done,
    Size,
    Twin,
)
from stockpile_model.names import identity
from stockpile_model.schema import get, keys


def deliveries(path: PathAudit) -> None:
    """Read what offers and contracts bring from the sheet `deliveries`; the site says who pays."""
    tables = {table: path.inputs.keyed(table) for table in path.twins.sources}
    record, sites = path.record, path.inputs.base.sites
    for line in path.sheets["deliveries"]:
        t, table, name = path.when(line), line["kind"], line["name"]
        if record.fails(table in tables):
            record.refuse(line.at("kind"), f"{table!r} is no table whose rows bring metal")
            continue
        row = path.known(line, "name", table, tables[table])
        if t is None or row is None or not path.placed(line):
            continue
        record.term(line, "material", row.material, (row, "material"))
        record.term(line, "supplier", row.supplier, (row, "supplier"))
        record.term(line, "buyer", sites[line["site"]].buyer, (sites[line["site"]], "buyer"))
        record.least(line, "quantity", 0.0, path.noise(row.material))
        record.figure(line, "paid", line["price"] * line["quantity"])
        _received(path, line, row, table, t)
        site = None if line["in_transit"] else getattr(row, "site", None)
        if site is not None:
            record.term(line, "site", site, (row, "site"))
        path.brought.append(Brought(t, table, name, row.material, line["site"], line["quantity"]))
        if line["in_transit"]:
            path.landed.append((table, name, line))
            continue
        came = path.arriving.setdefault((table, name, t), defaultdict(float))
        came[line["site"]] += line["quantity"]
        path.shown[table, name, t] = line["price"]


def _received(path: PathAudit, line: Line, known: Any, table: str, t: int) -> None:
    """Compare when what arrives was made, by the life that it must have left."""
    inputs, row = path.inputs, path.inputs.at(t).keyed(table)[get(known, keys(type(known))[0])]
    life, months = inputs.life(row.material, t), row.life_on_receipt_months
    left = life if life is None or months is None else min(life, inputs.whole(months))
    age, cell = (life or 0) - (left or 0), (row, "life_on_receipt_months")
    path.record.term(line, "made", inputs.begin(t - age), cell)
    path.record.figure(
        line, "remaining_life", None if left is None else left * inputs.months, cell=cell
    )


def prices(path: PathAudit) -> None:
    """Compare a delivery's price with what its orders or contract pay, with the adder."""
    for line in (each for each in path.sheets["deliveries"] if not each["in_transit"]):
        paid, quantity = path.price.get(
            (line["kind"], line["name"], path.inputs.period(line["date"])), (0.0, 0.0)
        )
        if quantity > 0:
            path.record.figure(line, "price", paid / quantity, RELATIVE * abs(paid / quantity))


class Bill(NamedTuple):
    """Describe what an order pays for metal in a period, without adder.

    `price` is the average of its quantity, `dearest` the highest of its offer, `charged` the part
    for which freight is paid [1]. It was `placed` in a period, which obligates all of it; what of
    that fails is worth `failing`, at the least and the most [money].
    """

    line: Line
    placed: int
    arrival: int
    quantity: float
    price: float
    dearest: float
    charged: float
    failing: tuple[float, float]


def orders(path: PathAudit) -> None:
    """Compare every order with the terms of its offer, with what arrives and with what is paid."""
    inputs = path.inputs
    due: dict[tuple[int, str], float] = defaultdict(float)
    bills: dict[tuple[str, int], list[Bill]] = defaultdict(list)
    last: dict[tuple[str, int], Line] = {}
    for line in path.sheets["orders"]:
        t, known = path.when(line), path.known(line, "offer", "offers", inputs.keyed("offers"))
        if known is None or t is None:
            continue
        offer = inputs.at(t).keyed("offers")[known.offer]
        path.ordered[offer.offer, t] += line["ordered"]
        last[offer.offer, t] = line
        _terms(path, line, offer, t)
        arrival = t + inputs.whole(offer.lead_time_months)
        if arrival < inputs.periods:
            there = inputs.at(arrival).keyed("offers")[offer.offer]
            due[arrival, offer.offer] += there.availability * line["ordered"]
            path.mean(
                line, "arriving", there.availability * line["ordered"], 0.0, (there, "availability")
            )
            paid_at = t if offer.payment == "order" else arrival
            bills[offer.offer, paid_at].append(_price(path, line, offer, there, t, arrival))
    for (name, paid_at), found in bills.items():
        _settle(path, inputs.at(paid_at).keyed("offers")[name], paid_at, found)
    _capacities(path, last)
    _totals(path)
    came = {
        (t, name): sum(sites.values())
        for (table, name, t), sites in path.arriving.items()
        if table == "offers"
    }
    path.match(
        "deliveries",
        "what arrives under an offer",
        due,
        came,
        lambda key: path.noise(inputs.keyed("offers")[key[1]].material),
    )


def _capacities(path: PathAudit, last: dict[tuple[str, int], Line]) -> None:
    """Compare what is ordered in each period with the capacity; `last` is a line of it."""
    for (name, t), quantity in path.ordered.items():
        line, offer = last[name, t], path.inputs.at(t).keyed("offers")[name]
        if path.record.above(offer.capacity, quantity, path.noise(offer.material)):
            where, what = line.at("ordered"), line.words("ordered")
            cell = (offer, "capacity")
            path.record.add(where, what, offer.capacity, quantity, "most", cell)


def _totals(path: PathAudit) -> None:
    """Compare what is ordered over the horizon with the total of each offer."""
    totals: dict[str, float] = defaultdict(float)
    for (name, _), quantity in path.ordered.items():
        totals[name] += quantity
    for table, name, line in path.landed:
        if table == "offers":
            totals[name] += line["quantity"]
    for name, quantity in totals.items():
        offer = path.inputs.at(path.inputs.periods).keyed("offers")[name]
        what, noise = f"total ordered under {name}", path.noise(offer.material)
        path.record.within("orders", what, offer.total, quantity, noise, (offer, "total"))


def _terms(path: PathAudit, line: Line, offer: Any, t: int) -> None:
    """Compare when and how much is ordered with the terms of the offer."""
    inputs, record = path.inputs, path.record
    record.term(line, "supplier", offer.supplier, (offer, "supplier"))
    record.term(line, "material", offer.material, (offer, "material"))
    life = (offer, "life_on_receipt_months")
    record.figure(line, "life_on_receipt", offer.life_on_receipt_months, cell=life)
    path.within(line, "date", offer, "from_", "to", "and it can be ordered")
    path.staged(line, "offer", offer.supplier)
    if record.fails(inputs.ships(offer.supplier, t)):
        message = f"{line.words('date')} is {line['date']}, before {offer.supplier} ships"
        record.refuse(line.at("date"), message, (inputs.at(t).suppliers[offer.supplier], "start"))
    if offer.project is not None and record.fails(t >= path.ready(offer.project)):
        message = (
            f"{line.words('date')} is {line['date']}, and project {offer.project} is not ready"
        )
        record.refuse(line.at("date"), message, (offer, "project"))
    relaxed = not inputs.firm(t)
    record.term(line, "relaxed", relaxed, (inputs.settings, "firm_periods"))
    record.least(
        line,
        "ordered",
        0.0 if relaxed else offer.minimum_order,
        path.noise(offer.material),
        (offer, "minimum_order"),
    )
    path.in_lots(line, "ordered", offer, "lot_size", free=True)
    arrival = t + inputs.whole(offer.lead_time_months)
    if record.fails(arrival < inputs.periods):
        record.refuse(
            line.at("arrives"),
            f"{line.words('ordered')} arrives past the horizon",
            (offer, "lead_time_months"),
        )
    else:
        record.term(line, "arrives", inputs.begins[arrival], (offer, "lead_time_months"))


class Step(NamedTuple):
    """A price of an offer [money/quantity], and the quantity of an order from which it holds."""

    begin: float
    price: float


def ladder(path: PathAudit, offer: Any, begins: list[float], t: int) -> list[Step]:
    """Return the prices of an offer in a period, without adder: its own, and that of each break."""

    def price(row: Any) -> float:
        """Return the price of an offer or a break, without adder."""
        if row.price is not None:
            return float(row.price)
        return path.inputs.price(offer.price_index, t) * (1 + (row.premium or 0.0))

    steps = zip(begins, _breaks(path, offer.offer, t), strict=False)
    return [Step(0.0, price(offer)), *(Step(begin, price(row)) for begin, row in steps)]


def _breaks(path: PathAudit, offer: str, t: int) -> list[Any]:
    """Return the breaks of an offer in a period, by quantity."""
    found = [row for row in path.inputs.at(t).rows("price_breaks") if row.offer == offer]
    return sorted(found, key=lambda row: row.from_quantity)


def near(path: PathAudit, offer: Any, quantity: float) -> float:
    """Return how near to a break an order may pay either price [quantity]."""
    return path.noise(offer.material) + RELATIVE * quantity


def averages(steps: list[Step], kind: str, quantity: float, slack: float) -> list[float]:
    """Return the average prices that an order may pay [money/quantity].

    There is one; within a slack of the foot of a break of all units there are two.
    """
    if len(steps) == 1 or quantity <= 0:
        return [steps[0].price]
    if kind == "all_units":
        reached = max(k for k, step in enumerate(steps) if step.begin <= quantity + slack)
        beyond = reached == 0 or steps[reached].begin < quantity - slack
        return (
            [steps[reached].price] if beyond else [steps[reached].price, steps[reached - 1].price]
        )
    ends = [step.begin for step in steps[1:]] + [quantity]
    return [
        sum(
            max(0.0, min(end, quantity) - step.begin) * step.price
            for step, end in zip(steps, ends, strict=True)
        )
        / quantity
    ]


def mean_price(path: PathAudit, offer: Any, t: int, quantity: float) -> float:
    """Return the average price of an order that is paid in a period, without adder."""
    breaks = _breaks(path, offer.offer, t)
    steps = ladder(path, offer, [row.from_quantity for row in breaks], t)
    kind = breaks[0].kind if breaks else ""
    return averages(steps, kind, quantity, path.noise(offer.material))[0]


def _price(path: PathAudit, line: Line, offer: Any, there: Any, t: int, arrival: int) -> Bill:
    """Compare what the order costs, and when.

    The price is that of the period of payment; what is paid is what was ordered, or what arrives.
    `there` is the offer when it arrives.
    """
    record, ordered = path.record, line["ordered"]
    paid_at, terms, quantity = (
        (t, offer, ordered)
        if offer.payment == "order"
        else (arrival, there, there.availability * ordered)
    )
    breaks = _breaks(path, offer.offer, t)
    steps = ladder(path, terms, [row.from_quantity for row in breaks], paid_at)
    kind = breaks[0].kind if breaks else ""
    cell = (terms, "price" if terms.price is not None else "price_index")
    shown = _shown(path, line, offer.offer, arrival) - terms.adder
    if path.inputs.firm(t):
        base, cost = (
            min(
                averages(steps, kind, ordered, near(path, offer, ordered)),
                key=lambda each: abs(each - shown),
            ),
            offer.order_cost,
        )
        record.figure(line, "order_cost", cost, cell=(offer, "order_cost"))
        _bought_up(path, line, terms, steps, kind, base)
    else:
        base, cost = _relaxed(path, line, offer, steps, shown)
    weight = (
        quantity or EXACT * ordered
    )  # where nothing arrives the price of nothing counts for next to nothing
    path.mean(line, "price", base + terms.adder, cell=cell, weight=weight)
    charged = _charged(path, offer.offer, t, terms, paid_at, quantity)
    delivered = base * (1 + terms.duty) + terms.adder + charged * terms.freight
    path.mean(line, "delivered_price", delivered, cell=cell, weight=weight)
    path.mean(line, "paid", delivered * quantity + cost)
    record.term(line, "paid_on", path.inputs.begins[paid_at], (offer, "payment"))
    paid, brought = path.price.get(("offers", offer.offer, arrival), (0.0, 0.0))
    path.price["offers", offer.offer, arrival] = (
        paid + (base + terms.adder) * ordered,
        brought + ordered,
    )
    path.pay(t, "order_costs", cost, offer.material, offer.offer, table="offers")
    dearest, lost = max(step.price for step in steps), ordered - quantity
    rates = [base, base]
    if quantity == 0 and not path.inputs.firm(t):  # what would have been paid is not shown
        rates = [min(step.price for step in steps), dearest]
    parts = [charged, charged]
    if quantity == 0 and path.freighted.get((offer.offer, t), True) is None:
        parts = [0.0, 1.0]
    least, most = (
        lost * (rate * (1 + terms.duty) + terms.adder + part * terms.freight)
        for rate, part in zip(rates, parts, strict=True)
    )
    at_once = cost if offer.payment == "order" else 0.0
    _invoice(path, line, terms, zip(rates, parts, strict=True), at_once)
    return Bill(line, t, arrival, quantity, base, dearest, charged, (least, most))


def _invoice(
    path: PathAudit, line: Line, terms: Any, rates: Iterable[tuple[float, float]], at_once: float
) -> None:
    """Note what is to be paid at once for an order: of all that is ordered, should it arrive."""
    bills = (
        line["ordered"] * (rate * (1 + terms.duty) + terms.adder + part * terms.freight) + at_once
        for rate, part in rates
    )
    path.together.invoiced(line, *bills)


def _charged(
    path: PathAudit, name: str, t: int, terms: Any, paid_at: int, quantity: float
) -> float:
    """Return the part of an order for which freight is paid [1].

    Beyond `firm_periods` it is what the cash flow shows; `terms`: the offer where it is paid.
    """
    paid = path.freighted.get((name, t), True)
    if paid is not None:
        return float(paid)
    whole = terms.freight * quantity
    return min(sum(_shown_freight(path, name, paid_at).values()) / whole, 1.0) if whole else 1.0


def _shown_freight(path: PathAudit, name: str, t: int) -> dict[str | None, float]:
    """Return the freight that the cash flow shows under an offer in a period, by buyer [money]."""
    found: dict[str | None, float] = defaultdict(float)
    for each in path.sheets["cash_flow"]:
        if (each["heading"], each["name"]) == ("freight", name) and path.inputs.period(
            each["date"]
        ) == t:
            found[each["buyer"]] += each["amount"]
    return found


def _shown(path: PathAudit, line: Line, offer: str, arrival: int) -> float:
    """Return the price with adder that the plan shows of an order on this path.

    It is that of what arrives, or where nothing does that of the order.
    """
    alone = len(path.together.futures) == 1
    return float(
        line["price"] if alone else path.shown.get(("offers", offer, arrival), line["price"])
    )


def _settle(path: PathAudit, offer: Any, t: int, bills: list[Bill]) -> None:
    """Pay under an offer in a period, by each buyer for what arrives at its sites.

    Each order obligates what is paid for it, and what of it fails, when it is placed.
    """
    for each in bills:
        amount = each.quantity * (
            each.price * (1 + offer.duty) + offer.adder + each.charged * offer.freight
        )
        since = Since(path.inputs.begins[each.placed])
        path.owe(t, "purchase", offer.material, offer.offer, since, amount)
        path.fail(t, "purchase", offer.material, offer.offer, each.placed, *each.failing)
    quantity, metal = (
        sum(each.quantity for each in bills),
        sum(each.quantity * each.price for each in bills),
    )
    if quantity <= 0:
        return
    shares = _shares(path, offer, t, bills, metal + offer.adder * quantity)
    parts = {buyer: share * metal for buyer, share in shares.items()}
    if len(shares) > 1 and any(
        row.offer == offer.offer for row in path.inputs.at(t).rows("price_breaks")
    ):
        parts = _split(
            path,
            bills[0].line,
            offer,
            t,
            shares,
            quantity,
            metal,
            max(each.dearest for each in bills),
        )
    for buyer, amount in parts.items():
        part = shares.get(buyer, 0.0) * quantity
        path.pay(
            t,
            "purchases",
            amount + offer.adder * part,
            offer.material,
            offer.offer,
            buyer,
            "offers",
            IN_PARTS,
        )
        due = offer.duty * amount
        path.pay(t, "duty", due, offer.material, offer.offer, buyer, "offers", IN_PARTS)
    for buyer, amount in _freight(path, offer, t, bills, shares).items():
        path.pay(t, "freight", amount, offer.material, offer.offer, buyer, "offers", IN_PARTS)


def _freight(
    path: PathAudit, offer: Any, t: int, bills: list[Bill], shares: dict[str | None, float]
) -> dict[str | None, float]:
    """Return the freight that each buyer pays.

    Where it is free for a part of what several buyers pay at once, the split is their own choice;
    none pays more than the freight of its own part.
    """
    whole = offer.freight * sum(each.quantity * each.charged for each in bills)
    if len(shares) == 1 or {each.charged for each in bills} in ({0.0}, {1.0}):
        return {buyer: share * whole for buyer, share in shares.items()}
    found, cent = _shown_freight(path, offer.offer, t), path.cent(offer.material)
    what = f"freight under {offer.offer} in {path.inputs.begins[t]}"
    path.record.equal("cash_flow", what, whole, sum(found.values()), cent)
    most = offer.freight * sum(each.quantity for each in bills)
    for buyer, amount in found.items():
        own = f"{what} that {buyer or 'nobody'} pays"
        path.record.within("cash_flow", own, shares.get(buyer, 0.0) * most, amount, cent)
        path.record.reaches("cash_flow", own, 0.0, amount, cent)
    return found


def _shares(
    path: PathAudit, offer: Any, t: int, bills: list[Bill], due: float
) -> dict[str | None, float]:
    """Return the buyers for whom what is paid in a period arrives, with their shares of it [1].

    Of what was paid when it was ordered nothing may arrive, or it may arrive with another order:
    then the shares are those of the money.
    """
    sites, arrival = path.inputs.base.sites, bills[0].arrival
    owners = {site.buyer for name, site in sites.items() if offer.site in (None, name)}
    if len(owners) == 1:
        return {owners.pop(): 1.0}
    others = [
        s for name, s in path.ordered if name == offer.offer and s != t and offer.payment == "order"
    ]
    alone = not any(_arrives(path, offer.offer, s) == arrival for s in others)
    if (
        sum(path.arriving.get(("offers", offer.offer, arrival), {}).values())
        > path.noise(offer.material)
        and alone
    ):
        return path.shares("offers", offer.offer, arrival)
    paid: dict[str | None, float] = defaultdict(float)
    for each in path.sheets["cash_flow"]:
        if (each["heading"], each["name"]) == ("purchases", offer.offer) and path.inputs.period(
            each["date"]
        ) == t:
            paid[each["buyer"]] += each["amount"]
    return (
        {buyer: amount / due for buyer, amount in paid.items()} if due > 0 and paid else {None: 1.0}
    )


def _arrives(path: PathAudit, offer: str, t: int) -> int:
    """Return the period in which an order that is placed in a period arrives."""
    return t + path.inputs.whole(path.inputs.at(t).keyed("offers")[offer].lead_time_months)


def _relaxed(
    path: PathAudit, line: Line, offer: Any, steps: list[Step], shown: float
) -> tuple[float, float]:
    """Return the price and the order cost of an order beyond `firm_periods`.

    The price is a mix of those of its breaks. The cost is at least the part of it that the order is
    of the offer's capacity.
    """
    record, most = path.record, max(step.price for step in steps)
    base = min(max(shown, min(step.price for step in steps)), most)
    part = line["ordered"] / offer.capacity if offer.capacity else 0.0
    cost = min(max(line["order_cost"], part * offer.order_cost), offer.order_cost)
    record.figure(line, "order_cost", cost, cell=(offer, "order_cost"))
    for column in ("price_break", "cheaper_from"):
        record.figure(line, column, None)
    return base, cost


def _bought_up(
    path: PathAudit, line: Line, offer: Any, steps: list[Step], kind: str, base: float
) -> None:
    """Compare the break that an order reaches.

    Where the order stands at the foot of a break, compare the quantity from which that costs less.
    """
    quantity = line["ordered"]
    close = near(path, offer, quantity)
    able = [
        max(step for step in steps if step.begin <= max(0.0, quantity + slack))
        for slack in (close, -close)
    ]
    begins = [step.begin or None for step in able if kind != "all_units" or step.price == base]
    reached = line["price_break"] if line["price_break"] in begins else begins[0]
    path.either(line, "price_break", reached)
    cheaper = None
    if reached is not None and kind == "all_units" and abs(quantity - reached) <= close:
        cheaper = _cheaper_from(offer, steps, reached, quantity)
        if line["cheaper_from"] is None and quantity != reached:
            cheaper = None  # a little beyond the foot it may stand at it or not
    path.either(line, "cheaper_from", cheaper, close)


def _cheaper_from(offer: Any, steps: list[Step], reached: float, quantity: float) -> float | None:
    """Return the quantity from which the price at the foot of a break costs less than below it."""
    rates = [step.price * (1 + offer.duty) + offer.adder + offer.freight for step in steps]
    total = quantity * next(
        rate for step, rate in zip(steps, rates, strict=True) if step.begin == reached
    )
    ends = [step.begin for step in steps[1:]]
    return min(
        (
            max(step.begin, total / rate)
            for step, rate, end in zip(steps, rates, ends, strict=False)
            if end <= reached and rate > 0 and total / rate < end
        ),
        default=None,
    )


def _split(
    path: PathAudit,
    line: Line,
    offer: Any,
    t: int,
    shares: dict[str | None, float],
    quantity: float,
    due: float,
    dearest: float,
) -> dict[str | None, float]:
    """Return what each buyer pays for metal under a broken price, and compare the sum.

    The split is their own choice. None pays more than the price without breaks (or, where a break
    is dearer, than that).
    """
    found: dict[str | None, float] = dict.fromkeys(shares, 0.0)
    for each in path.sheets["cash_flow"]:
        if (
            each["heading"] == "purchases"
            and each["name"] == offer.offer
            and path.inputs.period(each["date"]) == t
        ):
            found[each["buyer"]] = found.get(each["buyer"], 0.0) + each["amount"]
    cent = path.cent(offer.material)
    metal = {
        buyer: amount - offer.adder * shares.get(buyer, 0.0) * quantity
        for buyer, amount in found.items()
    }
    for buyer, amount in metal.items():
        what = (
            f"what {buyer or 'nobody'} pays for metal under {offer.offer} in"
            f" {path.inputs.begins[t]}"
        )
        most = dearest * shares.get(buyer, 0.0) * quantity
        path.record.within("cash_flow", what, most, amount, cent, (offer, "price"))
        path.record.reaches("cash_flow", what, 0.0, amount, cent)
    what = f"what the buyers pay in sum for metal under {offer.offer}"
    path.record.equal(line.at("paid"), what, due, sum(metal.values()), cent)
    return metal


def invoices(together: Together) -> None:
    """Compare the largest invoice of each order with the dearest bill over its scenarios.

    A bill follows from the order: one that differs is no limit that the plan breaks.
    """
    for line, least, most in together.invoices.values():
        shown = line["invoice"]
        bounds = (least, most) if shown is None else (max(shown, least), min(shown, most))
        for bound in bounds:
            together.record.figure(line, "invoice", bound, RELATIVE * abs(bound))


def _planned(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return what is ordered under an offer, in a period or over the horizon [quantity]."""
    return sum(
        quantity
        for (each, s), quantity in path.ordered.items()
        if identity(each) == name and t in (None, s)
    )


def _landed(path: PathAudit, name: str, level: str | None, t: int) -> float:
    """Return what a unit under an offer costs landed in a period, before any break
    [money/quantity].
    """
    offer = path.inputs.at(t).keyed("offers")[name]
    (step,) = ladder(path, offer, [], t)
    return float(step.price * (1 + offer.duty) + offer.adder + offer.freight)


def _done(path: PathAudit) -> Done:
    """Return what is ordered under each offer in each period [quantity]."""
    return {(name, None, t): quantity for (name, t), quantity in path.ordered.items()}


TWIN = Twin(
    headings=(
        AuditedHeading("purchases", "purchase"),
        AuditedHeading("order_costs", "purchase"),
        FREIGHT,
        DUTY,
    ),
    sheets=(
        AuditedSheet(
            name="orders",
            instruction=AuditedInstruction(
                ("offer", "supplier", "material"),
                ("ordered", "paid", "life_on_receipt"),
                ("date", "arrives"),
            ),
            act=AuditedAct(
                table="offers",
                name="offer",
                supplier="supplier",
                comes="arrives",
                quantity="ordered",
                expected="arriving",
                price="delivered_price",
                cost="paid",
                invoice="invoice",
                due="paid_on",
                until="to",
                deed="order",
                relaxed=True,
            ),
            solved=("why",),
        ),
    ),
    deeds=(AuditedDeed("order", "offers", _planned, _landed),),
    choices=(AuditedChoice("offer", _done),),
    totals=(AuditedTotal("Ordered", "orders", "ordered"),),
    sources={"offers": "purchase"},
    decisions=(
        Size("offers", "minimum_order"),
        Size("offers", "lot_size"),
        Size("price_breaks", "from_quantity"),
    ),
    limits=(Size("offers", "capacity"), Size("offers", "total")),
    read=(deliveries,),
    decide=(orders,),
    follow=(prices,),
    conclude=(invoices,),
)
