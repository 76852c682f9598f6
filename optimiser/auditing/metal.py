"""Metal by lot and age: what comes in and goes out, what is left, what expires, and what sites and
outlets can take.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from optimiser.auditing.case import Case
from optimiser.auditing.findings import EXACT, Cell
from optimiser.auditing.sheets import Line

IN, OUT = ("opening", "arrival", "return"), ("demand", "rotation", "expired")


class Lot(NamedTuple):
    lot: str
    material: str
    site: str
    made: dt.date

    def __str__(self) -> str:
        return f"lot {self.lot} ({self.material}, {self.site}, made {self.made})"


Sums = dict[Any, float]


def _sums() -> Sums:
    return defaultdict(float)


@dataclass
class Moved:
    """What the sheet `movements` tells, summed, above zero [quantity]; keys begin with the period."""

    lots: dict[Lot, dict[int, float]] = field(default_factory=dict)  # change of each period
    arrivals: Sums = field(default_factory=_sums)  # lot, offer or contract, material, site
    returns: Sums = field(default_factory=_sums)  # outlet, material, site
    used: Sums = field(default_factory=_sums)  # material, buyer
    rotated: Sums = field(default_factory=_sums)  # lot, outlet
    expired: Sums = field(default_factory=_sums)  # lot
    openings: Sums = field(default_factory=_sums)  # by lot, without a period


def metal(case: Case) -> Moved:
    moved = _movements(case)
    _arrivals(case, moved)
    _openings(case, moved)
    _lots(case, moved)
    _sites(case)
    _rotation(case, moved)
    return moved


def _lot(line: Line) -> Lot:
    return Lot(line["lot"], line["material"], line["site"], line["made"])


def _aged(case: Case, line: Line, t: int, held: bool = False) -> tuple[int, int | None]:
    """The age of a lot [periods] and its life; both must be told as they are.

    Stock at period end has one period less left.
    """
    inputs, material = case.inputs, line["material"]
    age, life = t - inputs.period(line["made"]), inputs.life(material, t)
    case.record.figure(line, "age", age * inputs.months)
    left = None if life is None else max(0, life - age - held) * inputs.months
    case.record.figure(
        line, "remaining_life", left, cell=(inputs.at(t).materials[material], "shelf_life_months")
    )
    return age, life


def _movements(case: Case) -> Moved:
    """Each movement is of its kind, at an age at which it can be."""
    moved, record, inputs = Moved(), case.record, case.inputs
    outlets = inputs.keyed("outlets")
    for line in case.sheets["movements"]:
        t, kind, quantity, name = (
            case.when(line),
            line["kind"],
            line["quantity"],
            line["name"] or "",
        )
        if record.fails(kind in IN or kind in OUT):
            record.refuse(line.at("kind"), f"{kind!r} is no kind of movement")
            continue
        if t is None or not case.placed(line):
            continue
        lot, size, site = _lot(line), abs(quantity), inputs.at(t).sites[line["site"]]
        if record.fails((quantity > 0) == (kind in IN)):
            record.refuse(
                line.at("quantity"),
                f"{line.told('quantity')} has the wrong sign for {kind}",
                amount=size,
            )
        age, life = _aged(case, line, t)
        moved.lots.setdefault(lot, defaultdict(float))[t] += quantity
        if kind == "opening":
            if record.fails(t == 0):
                record.refuse(
                    line.at("date"),
                    f"{line.told('date')}: opening stock comes in later than the first period",
                )
            record.term(line, "name", lot.lot)
            moved.openings[lot] += quantity
        elif kind in ("arrival", "return"):
            if record.fails(age == 0):
                record.refuse(
                    line.at("made"),
                    f"{line.told('made')}: what comes in is not made in that period",
                    amount=age * inputs.months,
                )
            case.pay(t, "handling", site.handling_in * quantity, lot.material, lot.site, site.buyer)
            if kind == "arrival":
                moved.arrivals[t, lot.lot, name, lot.material, lot.site] += quantity
            else:
                moved.returns[t, name, lot.material, lot.site] += quantity
        elif kind == "expired":
            if record.fails(not name):
                record.refuse(line.at("name"), f"{line.told('name')}: what expires goes nowhere")
            moved.expired[t, lot] += size
        else:
            _usable(case, line, t, age, life)
            case.pay(t, "handling", site.handling_out * size, lot.material, lot.site, site.buyer)
            if kind == "demand":
                moved.used[t, lot.material, name or None] += size
                if record.fails(inputs.serves(lot.site, name)):
                    record.refuse(
                        line.at("site"),
                        f"{line.told('site')}: {lot.site} does not serve {name}",
                        (site, "buyer"),
                        size,
                    )
            elif case.known(line, "name", "outlets", outlets) is not None:
                moved.rotated[t, lot, name] += size
                case.out[name, t] += size
    return moved


def _usable(case: Case, line: Line, t: int, age: int, life: int | None) -> None:
    """Metal serves in the period in which it is made and until its life is over."""
    months, record, kind = case.inputs.months, case.record, line["kind"]
    if record.fails(age >= 0):
        record.refuse(
            line.at("date"), f"{line.told('date')}: {kind} before it is made", amount=age * months
        )
    if life is not None and record.fails(age < life):
        said = (
            f"{line.told('age')}: {kind} at {age * months} months, beyond a shelf life of"
            f" {life * months} months"
        )
        record.refuse(
            line.at("age"),
            said,
            (case.inputs.at(t).materials[line["material"]], "shelf_life_months"),
            (age - life + 1) * months,
        )


def _arrivals(case: Case, moved: Moved) -> None:
    """Every delivery is the arrival of a lot, and every arrival is delivered."""
    came: dict[tuple[int, str, str, str, str], float] = defaultdict(float)
    for line in case.sheets["deliveries"]:
        came[
            case.inputs.period(line["date"]),
            line["lot"],
            line["name"],
            line["material"],
            line["site"],
        ] += line["quantity"]
    case.match("movements", "arrival", came, moved.arrivals, lambda key: case.noise(key[3]))


def _openings(case: Case, moved: Moved) -> None:
    """Opening stock is that of the input."""
    only = next(iter(case.inputs.base.sites))
    left = dict(moved.openings)
    for row in case.inputs.at(0).rows("opening_stock"):
        lot = Lot(row.lot, row.material, row.site or only, row.made)
        case.record.equal(
            "movements",
            f"opening {lot}",
            row.quantity,
            left.pop(lot, 0.0),
            case.noise(row.material),
            (row, "quantity"),
        )
    for lot, quantity in left.items():
        case.record.equal("movements", f"opening {lot}", 0.0, quantity, case.noise(lot.material))


def _lots(case: Case, moved: Moved) -> None:
    """What came into a lot and did not go out is left of it at every period end, until its life is
    over; then it is waste.
    """
    shown: dict[tuple[int, Lot], float] = defaultdict(float)
    lines: dict[tuple[int, Lot], Line] = {}
    for line in case.sheets["lots"]:
        t = case.when(line)
        if t is not None and case.placed(line):
            _aged(case, line, t, held=True)
            lot = _lot(line)
            shown[t, lot] += line["quantity"]
            lines[t, lot] = line
    for lot, changes in moved.lots.items():
        _follow(case, lot, changes, moved.expired, shown, lines)
    for (t, lot), quantity in shown.items():
        where, what = (
            lines[t, lot].at("quantity"),
            f"stock of {lot} at the end of {case.inputs.begins[t]}",
        )
        case.record.equal(where, what, 0.0, quantity, case.noise(lot.material))


def _follow(
    case: Case,
    lot: Lot,
    changes: dict[int, float],
    expired: dict[tuple[int, Lot], float],
    shown: dict[tuple[int, Lot], float],
    lines: dict[tuple[int, Lot], Line],
) -> None:
    """One lot from its arrival to its end: it expires in the period in which it reaches its life,
    as long as that is then.
    """
    inputs, record = case.inputs, case.record
    made, last, gone = inputs.period(lot.made), max(changes), False
    left, noise = 0.0, case.noise(lot.material)
    for t in range(min(changes), inputs.periods):
        if gone and t > last:
            break
        life = inputs.life(lot.material, t)
        cell: Cell = (inputs.at(t).materials[lot.material], "shelf_life_months")
        wasted = expired.get((t, lot), 0.0)
        left += changes.get(t, 0.0)
        over = life is not None and t - made >= life - 1
        if over or gone:
            left, due = 0.0, 0.0 if gone else max(0.0, left + wasted)
            gone = True
            case.outcome.waste += due
        else:
            due = 0.0
            case.held[t, lot.material, lot.site, t - made] += max(0.0, left)
        if record.differs(due, wasted, noise):
            record.add(
                "movements",
                f"what expires of {lot} at the end of {inputs.begins[t]}",
                due,
                wasted,
                cell=cell,
            )
        if record.below(0.0, left, noise):
            record.add(
                "movements",
                f"what is left of {lot} at the end of {inputs.begins[t]}",
                0.0,
                left,
                "least",
            )
        found = shown.pop((t, lot), 0.0)
        if record.differs(max(0.0, left), found, noise):
            where = lines[t, lot].at("quantity") if (t, lot) in lines else "lots"
            record.add(
                where,
                f"stock of {lot} at the end of {inputs.begins[t]}",
                max(0.0, left),
                found,
                cell=cell if gone else None,
            )


def _sites(case: Case) -> None:
    """Sites hold no more than their capacity; what they hold is charged."""
    inputs = case.inputs
    by_site: dict[tuple[int, str], float] = defaultdict(float)
    by_material: dict[tuple[int, str, str], float] = defaultdict(float)
    noise: dict[tuple[int, str], float] = defaultdict(float)
    for (t, material, site, _), quantity in case.held.items():
        by_site[t, site] += quantity
        by_material[t, material, site] += quantity
    for t, material, name in by_material:
        noise[t, name] += case.noise(material)
    for (t, name), quantity in by_site.items():
        row = inputs.at(t).sites[name]
        what = f"stock at site {name} at the end of {inputs.begins[t]}"
        case.record.within("lots", what, row.capacity, quantity, noise[t, name], (row, "capacity"))
    for (t, material, name), quantity in by_material.items():
        row = inputs.at(t).sites[name]
        rate = (row.cost + inputs.at(t).materials[material].holding_cost) * inputs.months
        case.pay(t, "storage", rate * quantity, material, name, row.buyer)


def _rotation(case: Case, moved: Moved) -> None:
    """What is rotated or expires has left its lot; an outlet takes what its terms let it take, at
    its price; what is exchanged or reworked comes back.
    """
    inputs, record, outlets = case.inputs, case.record, case.inputs.keyed("outlets")
    shown: dict[tuple[int, Lot, str], float] = defaultdict(float)
    back: dict[tuple[int, str, str, str], float] = defaultdict(float)
    for line in case.sheets["rotation"]:
        t = case.when(line)
        outlet = None if line["outlet"] is None else case.known(line, "outlet", "outlets", outlets)
        if t is None or not case.placed(line) or (outlet is None and line["outlet"] is not None):
            continue
        lot, quantity = _lot(line), line["quantity"]
        outlet = None if outlet is None else inputs.at(t).keyed("outlets")[outlet.outlet]
        shown[t, lot, line["outlet"] or ""] += quantity
        record.least(line, "quantity", 0.0, case.noise(lot.material))
        if outlet is None:
            _aged(case, line, t)
            _expired(case, line, lot, t)
        else:
            _terms(case, line, outlet, lot, t)
        if outlet is not None and outlet.form in ("exchange", "rework"):
            due = t + inputs.whole(outlet.lead_time_months)
            material = outlet.to_material or outlet.material
            if record.fails(due < inputs.periods):
                record.refuse(
                    line.at("returns"),
                    f"{line.told('returns')} is past the horizon",
                    (outlet, "lead_time_months"),
                    quantity,
                )
            else:
                back[due, outlet.outlet, material, lot.site] += outlet.yield_ * quantity
            record.term(line, "returns", inputs.begin(due), (outlet, "lead_time_months"))
            record.figure(line, "returned", outlet.yield_ * quantity, 0.0, (outlet, "yield"))
            record.term(line, "to_material", material, (outlet, "to_material"))
        else:
            for column in ("returns", "returned", "to_material"):
                record.term(line, column, None)
    left = moved.rotated | {(t, lot, ""): quantity for (t, lot), quantity in moved.expired.items()}
    case.match("rotation", "what leaves", left, shown, lambda key: case.noise(key[1].material))
    case.match(
        "movements", "what comes back from", back, moved.returns, lambda key: case.noise(key[2])
    )
    for (name, t), quantity in case.out.items():
        what, outlet = (
            f"what outlet {name} takes in {inputs.begins[t]}",
            inputs.at(t).keyed("outlets")[name],
        )
        record.within(
            "rotation",
            what,
            outlet.capacity,
            quantity,
            case.noise(outlet.material),
            (outlet, "capacity"),
        )


def _expired(case: Case, line: Line, lot: Lot, t: int) -> None:
    """What reaches the end of its life earns nothing and is disposed of."""
    material, record = case.inputs.at(t).materials[lot.material], case.record
    record.term(line, "form", "expired")
    for column in ("price", "proceeds"):
        record.figure(line, column, 0.0)
    cost = material.disposal_cost * line["quantity"]
    record.figure(line, "cost", cost, 0.0, (material, "disposal_cost"))
    case.pay(t, "disposal", cost, lot.material, lot.site, case.inputs.base.sites[lot.site].buyer)


def _terms(case: Case, line: Line, outlet: Any, lot: Lot, t: int) -> None:
    """Whether an outlet may take what it takes, what that earns and costs."""
    inputs, record, quantity = case.inputs, case.record, line["quantity"]
    age, life = _aged(case, line, t)
    buyer = inputs.base.sites[lot.site].buyer
    record.term(line, "form", outlet.form, (outlet, "form"))
    record.term(line, "material", outlet.material, (outlet, "material"))
    case.within(line, "date", outlet, "from_", "to", f"and {outlet.outlet} takes metal")
    if life is not None:
        left = max(0, life - age) * inputs.months
        if record.below(outlet.minimum_life_months, left, 1e-9):
            what = f"life left to lot {lot.lot} in {line['date']} when {outlet.outlet} takes it"
            record.add(
                line.at("remaining_life"),
                what,
                outlet.minimum_life_months,
                left,
                "least",
                (outlet, "minimum_life_months"),
            )
    price, full, cell = 0.0, 0.0, None
    if outlet.form == "sale":
        full = (
            outlet.price
            if outlet.price is not None
            else inputs.price(outlet.price_index, t) * outlet.price_factor
        )
        price = full * max(0.0, 1 - outlet.age_discount * age * inputs.months)
        cell = (outlet, "price" if outlet.price is not None else "price_index")
    record.figure(line, "price", price, EXACT * full, cell)
    record.figure(line, "proceeds", price * quantity, EXACT * full * quantity)
    thrown = inputs.at(t).materials[lot.material].disposal_cost if outlet.form == "dispose" else 0.0
    record.figure(line, "cost", (outlet.cost + thrown) * quantity, 0.0, (outlet, "cost"))
    case.book(t, "sales", -price * quantity, lot.material, outlet.outlet, buyer)
    case.pay(t, "rotation", outlet.cost * quantity, lot.material, outlet.outlet, buyer)
    case.pay(t, "disposal", thrown * quantity, lot.material, outlet.outlet, buyer)
