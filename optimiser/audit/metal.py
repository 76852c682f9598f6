"""Metal by lot and age: what comes in and goes out, what is left, what expires, and what sites and outlets can take."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from optimiser.audit.case import Case
from optimiser.audit.findings import NOISE
from optimiser.audit.sheets import Line

IN, OUT = ("opening", "arrival", "return"), ("demand", "rotation", "expired")


class Lot(NamedTuple):
    lot: str
    material: str
    site: str
    made: dt.date


@dataclass
class Moved:
    """What the sheet `movements` tells, summed [quantity; above zero]."""

    lots: dict[Lot, dict[int, float]] = field(default_factory=dict)  # change of each period
    arrivals: dict[tuple[int, str, str, str, str], float] = field(default_factory=lambda: defaultdict(float))  # and lot, name, …
    returns: dict[tuple[int, str, str, str], float] = field(default_factory=lambda: defaultdict(float))  # outlet, material, site
    openings: dict[Lot, float] = field(default_factory=lambda: defaultdict(float))
    used: dict[tuple[int, str, str | None], float] = field(default_factory=lambda: defaultdict(float))  # material, buyer
    rotated: dict[tuple[int, Lot, str], float] = field(default_factory=lambda: defaultdict(float))  # outlet
    expired: dict[tuple[int, Lot], float] = field(default_factory=lambda: defaultdict(float))


def metal(case: Case) -> Moved:
    moved = _movements(case)
    _arrivals(case, moved)
    _openings(case, moved)
    _lots(case, moved)
    _sites(case)
    rotation(case, moved)
    return moved


def lot_of(line: Line) -> Lot:
    return Lot(line["lot"], line["material"], line["site"], line["made"])


def _aged(case: Case, line: Line, t: int, held: bool = False) -> tuple[int, int | None]:
    """The age of a lot [periods] and its life; both must be told as they are. Stock at period end has one period less left."""
    inputs, material = case.inputs, line["material"]
    age, life = t - inputs.period(line["made"]), inputs.life(material)
    cell = "" if life is None else inputs.cell(inputs.materials[material], "shelf_life_months")
    case.record.figure(line, "age", age * inputs.months)
    left = None if life is None else max(0, life - age - held) * inputs.months
    case.record.figure(line, "remaining_life", left, cell=cell)
    return age, life


def _movements(case: Case) -> Moved:
    """Each movement is of its kind, at an age at which it can be."""
    moved, record, inputs = Moved(), case.record, case.inputs
    outlets = inputs.keyed("outlets")
    for line in case.sheets["movements"]:
        t, kind, quantity, name = case.when(line), line["kind"], line["quantity"], line["name"] or ""
        if not record.holds(kind in IN or kind in OUT, line.at("kind"), f"{kind!r} is no kind of movement") or t is None or not case.placed(line):
            continue
        lot, size = lot_of(line), abs(quantity)
        record.holds((quantity > 0) == (kind in IN), line.at("quantity"), f"{line.told('quantity')} has the wrong sign for {kind}", amount=size)
        age, life = _aged(case, line, t)
        changes = moved.lots.setdefault(lot, defaultdict(float))
        changes[t] += quantity
        if kind == "opening":
            record.holds(t == 0, line.at("date"), f"{line.told('date')}: opening stock stands before the first period")
            moved.openings[lot] += quantity
            continue
        record.holds(age >= 0, line.at("date"), f"{line.told('date')}: moves before it is made", amount=-age * inputs.months)
        site = inputs.sites[lot.site]
        if kind in ("arrival", "return"):
            record.holds(age == 0, line.at("made"), f"{line.told('made')}: what comes in is made in that period", amount=age * inputs.months)
            case.pay(t, "handling", site.handling_in * quantity, lot.material, lot.site, site.buyer)
            if kind == "arrival":
                moved.arrivals[t, lot.lot, name, lot.material, lot.site] += quantity
            else:
                moved.returns[t, name, lot.material, lot.site] += quantity
            continue
        if kind == "expired":
            moved.expired[t, lot] += size
            continue
        if life is not None:
            cell = inputs.cell(inputs.materials[lot.material], "shelf_life_months")
            over = max(0, age - life + 1) * inputs.months
            record.holds(age < life, line.at("age"), f"{line.told('age')}: {kind} beyond its shelf life of {life * inputs.months} months", cell, over)
        case.pay(t, "handling", site.handling_out * size, lot.material, lot.site, site.buyer)
        if kind == "demand":
            moved.used[t, lot.material, name or None] += size
            said = f"{line.told('site')}: {lot.site} does not serve {name}"
            record.holds(inputs.serves(lot.site, name), line.at("site"), said, inputs.cell(site, "buyer"), size)
        elif case.known(line, "name", "outlets", outlets) is not None:
            moved.rotated[t, lot, name] += size
            case.out[t, name] += size
    return moved


def _arrivals(case: Case, moved: Moved) -> None:
    """Every delivery is the arrival of a lot, and every arrival is delivered."""
    came: dict[tuple[int, str, str, str, str], float] = defaultdict(float)
    for line in case.sheets["deliveries"]:
        came[case.inputs.period(line["date"]), line["lot"], line["name"], line["material"], line["site"]] += line["quantity"]
    case.differ("movements: arrival", came, moved.arrivals)


def _openings(case: Case, moved: Moved) -> None:
    """Opening stock is that of the input."""
    only = next(iter(case.inputs.sites))
    for row in case.inputs.rows("opening_stock"):
        lot = Lot(row.lot, row.material, row.site or only, row.made)
        found = moved.openings.pop(lot, 0.0)
        case.record.equal("movements", f"opening lot {row.lot}", row.quantity, found, cell=case.inputs.cell(row, "quantity"))
    for lot, quantity in moved.openings.items():
        case.record.equal("movements", f"opening lot {lot.lot} ({lot.material}, {lot.site}, made {lot.made})", 0.0, quantity)


def _lots(case: Case, moved: Moved) -> None:
    """What came into a lot and did not go out is left of it at every period end, until its life is over; then it is waste."""
    inputs, record = case.inputs, case.record
    shown: dict[tuple[int, Lot], tuple[float, Line]] = {}
    for line in case.sheets["lots"]:
        t = case.when(line)
        if t is not None and case.placed(line):
            _aged(case, line, t, held=True)
            key = (t, lot_of(line))
            shown[key] = shown.get(key, (0.0, line))[0] + line["quantity"], line
    for lot, changes in moved.lots.items():
        life, made = inputs.life(lot.material), inputs.period(lot.made)
        cell = "" if life is None else inputs.cell(inputs.materials[lot.material], "shelf_life_months")
        # A lot that is older than its life when the horizon begins expires in the first period.
        end = None if life is None else max(0, made + life - 1)
        left = 0.0
        for t in range(min(changes), inputs.periods):
            wasted = moved.expired.get((t, lot), 0.0)
            left += changes.get(t, 0.0)
            where = f"lot {lot.lot} ({lot.material}, {lot.site}) at the end of {inputs.begins[t]}"
            if end is not None and t >= end:
                if t == end or wasted:
                    due = left + wasted if t == end else 0.0
                    record.equal("movements", f"{where}, where its life is over, expires", max(0.0, due), wasted, cell=cell)
                    case.waste += max(0.0, due)
                    left = 0.0
            else:
                record.equal("movements", f"{where}, before its life is over, expires", 0.0, wasted, cell=cell)
                case.held[t, lot.material, lot.site, t - made] += max(0.0, left)
            record.least("movements", f"{where}, what is left", 0.0, left)
            found, line = shown.pop((t, lot), (0.0, None))
            record.equal("lots" if line is None else line.at("quantity"), f"{where}, stock", max(0.0, left), found)
            if end is not None and t >= end and left <= NOISE and max(changes) <= t:
                break
    for (_, lot), (quantity, line) in shown.items():
        told = f"stock of lot {lot.lot} ({lot.material}, {lot.site}, made {lot.made}) in {line['date']}"
        record.equal(line.at("quantity"), told, 0.0, quantity)


def _sites(case: Case) -> None:
    """Sites hold no more than their capacity; what they hold is charged."""
    inputs = case.inputs
    by_site: dict[tuple[int, str], float] = defaultdict(float)
    by_material: dict[tuple[int, str, str], float] = defaultdict(float)
    for (t, material, site, _), quantity in case.held.items():
        by_site[t, site] += quantity
        by_material[t, material, site] += quantity
    for (t, name), quantity in by_site.items():
        row = inputs.sites[name]
        if row.capacity is not None:
            what = f"stock at site {name} at the end of {inputs.begins[t]}"
            case.record.most("lots", what, row.capacity, quantity, cell=inputs.cell(row, "capacity"))
    for (t, material, name), quantity in by_material.items():
        row = inputs.sites[name]
        rate = (row.cost + inputs.materials[material].holding_cost) * inputs.months
        case.pay(t, "storage", rate * quantity, material, name, row.buyer)


def rotation(case: Case, moved: Moved) -> None:
    """What is rotated or expires has left its lot; an outlet takes what its terms let it take, at its price; what is exchanged
    or reworked comes back."""
    inputs, record, outlets = case.inputs, case.record, case.inputs.keyed("outlets")
    shown: dict[tuple[int, str, str, str, dt.date, str], float] = defaultdict(float)
    back: dict[tuple[int, str, str, str], float] = defaultdict(float)
    for line in case.sheets["rotation"]:
        t = case.when(line)
        outlet = None if line["outlet"] is None else case.known(line, "outlet", "outlets", outlets)
        if t is None or not case.placed(line) or (outlet is None and line["outlet"] is not None):
            continue
        lot, quantity = lot_of(line), line["quantity"]
        shown[t, *lot, line["outlet"] or ""] += quantity
        age, life = _aged(case, line, t)
        _terms(case, line, outlet, lot, t, age, life)
        if outlet is not None and outlet.form in ("exchange", "rework"):
            due = t + inputs.whole(outlet.lead_time_months)
            material = outlet.to_material or outlet.material
            back[due, outlet.outlet, material, lot.site] += outlet.yield_ * quantity
            past = f"{line.told('returns')} would be past the horizon"
            record.holds(due < inputs.periods, line.at("returns"), past, inputs.cell(outlet, "lead_time_months"), quantity)
            record.term(line, "returns", inputs.begin(due), inputs.cell(outlet, "lead_time_months"))
            record.figure(line, "returned", outlet.yield_ * quantity, NOISE, inputs.cell(outlet, "yield"))
            record.term(line, "to_material", material, inputs.cell(outlet, "to_material"))
        else:
            for column in ("returns", "returned", "to_material"):
                record.term(line, column, None)
    left = {(t, *lot, name): quantity for (t, lot, name), quantity in moved.rotated.items()}
    left |= {(t, *lot, ""): quantity for (t, lot), quantity in moved.expired.items()}
    case.differ("rotation: what leaves lot", left, shown)
    case.differ("movements: what comes back from", {key: q for key, q in back.items() if key[0] < inputs.periods}, moved.returns)
    for (t, name), quantity in case.out.items():
        outlet = outlets[name]
        if outlet.capacity is not None:
            what = f"what outlet {name} takes in {inputs.begins[t]}"
            record.most("rotation", what, outlet.capacity, quantity, cell=inputs.cell(outlet, "capacity"))


def _terms(case: Case, line: Line, outlet: Any, lot: Lot, t: int, age: int, life: int | None) -> None:
    """One row of the rotation: whether the outlet may take it, what it earns and costs."""
    inputs, record, quantity = case.inputs, case.record, line["quantity"]
    material, buyer = inputs.materials[lot.material], inputs.sites[lot.site].buyer
    record.least(line.at("quantity"), line.told("quantity"), 0.0, quantity)
    if outlet is None:
        record.term(line, "form", "expired")
        record.figure(line, "price", 0.0)
        record.figure(line, "proceeds", 0.0)
        record.figure(line, "cost", material.disposal_cost * quantity, case.cent, inputs.cell(material, "disposal_cost"))
        case.pay(t, "disposal", material.disposal_cost * quantity, lot.material, lot.site, buyer)
        return
    record.term(line, "form", outlet.form, inputs.cell(outlet, "form"))
    record.term(line, "material", outlet.material, inputs.cell(outlet, "material"))
    case.within(line, "date", outlet, "from_", "to", f"and {outlet.outlet} takes metal")
    if life is not None:
        left, what = max(0, life - age) * inputs.months, f"life left to lot {lot.lot} in {line['date']} when {outlet.outlet} takes it"
        record.least(line.at("remaining_life"), what, outlet.minimum_life_months, left, cell=inputs.cell(outlet, "minimum_life_months"))
    price = 0.0
    if outlet.form == "sale":
        full = outlet.price if outlet.price is not None else inputs.price(outlet.price_index, t) * outlet.price_factor
        price = full * max(0.0, 1 - outlet.age_discount * age * inputs.months)
    cell = inputs.cell(outlet, "price" if outlet.price is not None else "price_index") if outlet.form == "sale" else ""
    record.figure(line, "price", price, cell=cell)
    record.figure(line, "proceeds", price * quantity, case.cent)
    thrown = material.disposal_cost if outlet.form == "dispose" else 0.0
    record.figure(line, "cost", (outlet.cost + thrown) * quantity, case.cent, inputs.cell(outlet, "cost"))
    case.book(t, "sales", -price * quantity, lot.material, outlet.outlet)
    case.pay(t, "rotation", outlet.cost * quantity, lot.material, outlet.outlet, buyer)
    case.pay(t, "disposal", thrown * quantity, lot.material, outlet.outlet, buyer)
