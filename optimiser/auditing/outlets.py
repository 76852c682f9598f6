"""Rotation: what outlets take and what expires, what that earns and costs, and what comes back."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from optimiser.auditing import retests
from optimiser.auditing.findings import EXACT
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.metal import age_and_life, comes_back, compare_age, goes_out, lot_of
from optimiser.auditing.path_audit import AuditedLot, PathAudit, Released
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    DISPOSAL,
    AuditedAct,
    AuditedChoice,
    AuditedDeed,
    AuditedHeading,
    AuditedInstruction,
    AuditedMovement,
    AuditedSheet,
    AuditedTotal,
    Done,
    Size,
    Twin,
)
from stockpile_model.names import identity

BACK = ("exchange", "rework", "requalify", "loan")  # the forms that give metal back
Left = dict[tuple[int, AuditedLot, str], float]
Back = dict[tuple[int, str, str, str], float]


def _takes(path: PathAudit, line: Line, t: int) -> None:
    """Compare what goes out through an outlet: it is usable, and the outlet is one of the input."""
    goes_out(path, line, t)
    path.known(line, "name", "outlets", path.inputs.keyed("outlets"))


def rotation(path: PathAudit) -> None:
    """Compare what is rotated or expires with the lots it leaves, its terms and what comes back."""
    shown: Left = defaultdict(float)
    back: Back = defaultdict(float)
    for line in path.sheets["rotation"]:
        _line(path, line, shown, back)
    _went_out_before(path, back)
    outlets = path.inputs.keyed("outlets")
    left = path.moves.sums("rotation", lambda t, lot, name: (t, lot, name))
    left = {key: quantity for key, quantity in left.items() if key[2] in outlets}
    left |= path.moves.sums("expired", lambda t, lot, name: (t, lot, ""))
    path.match("rotation", "what leaves", left, shown, lambda key: path.noise(key[1].material))
    came = path.moves.sums("return", lambda t, lot, name: (t, name, lot.material, lot.site))
    path.match("movements", "what comes back from", back, came, lambda key: path.noise(key[2]))
    retests.compare(path)
    _capacities(path)


def _went_out_before(path: PathAudit, back: Back) -> None:
    """Add what must come back of what went out before the start."""
    outlets = path.inputs.keyed("outlets")
    for due, name, row in out_before(path.inputs):
        outlet, site = outlets[name], row.site
        if 0 <= due < path.inputs.periods and outlet.yield_ * row.quantity > 0:
            material = outlet.to_material or outlet.material
            where = next(iter(path.inputs.base.sites)) if site is None else site
            back[due, name, material, where] += outlet.yield_ * row.quantity
    for due, name, lot, quantity in retests.earlier(path):
        back[due, name, lot.material, lot.site] += quantity


def out_before(inputs: Inputs) -> Iterator[tuple[int, str, Any]]:
    """Yield what went out before the start: when it is back, through which outlet, and the row."""
    for row in inputs.earlier("rotate"):
        outlets = inputs.keyed("outlets").values()
        outlet = next(each for each in outlets if identity(each.outlet) == identity(row.name))
        lasts = outlet.months if outlet.form == "loan" else outlet.lead_time_months
        yield inputs.period(row.date) + inputs.whole(lasts), outlet.outlet, row


def _line(path: PathAudit, line: Line, shown: Left, back: Back) -> None:
    """Compare one row, and add what it takes and brings back."""
    inputs, record = path.inputs, path.record
    t, name = path.when(line), line["outlet"]
    known = name is None or path.known(line, "outlet", "outlets", inputs.keyed("outlets"))
    if t is None or not path.placed(line) or known is None:
        return
    lot, quantity = lot_of(line), line["quantity"]
    outlet = None if name is None else inputs.at(t).keyed("outlets")[name]
    shown[t, lot, name or ""] += quantity
    record.least(line, "quantity", 0.0, path.noise(lot.material))
    compare_age(path, line, t)
    if outlet is None:
        _expired(path, line, lot, t)
    else:
        _terms(path, line, outlet, lot, t)
        retests.may_leave(path, line, outlet, lot)
        path.released.append(Released(t, "outlets", outlet.outlet, lot.material, quantity))
    if outlet is not None and outlet.form in BACK:
        _comes_back(path, line, outlet, t, back)
    else:
        for column in ("returns", "returned", "to_material"):
            record.term(line, column, None)


def _comes_back(path: PathAudit, line: Line, outlet: Any, t: int, back: Back) -> None:
    """Compare what comes back, and when."""
    inputs, record, quantity = path.inputs, path.record, line["quantity"]
    lasts = "months" if outlet.form == "loan" else "lead_time_months"
    due = t + inputs.whole(getattr(outlet, lasts))
    material = outlet.to_material or outlet.material
    if record.fails(due < inputs.periods):
        record.refuse(
            line.at("returns"),
            f"{line.words('returns')} is past the horizon",
            (outlet, lasts),
            quantity,
        )
    elif outlet.form == "requalify":
        back[due, outlet.outlet, material, line["site"]] += quantity
        retests.expect(path, line, outlet, due)
    else:
        back[due, outlet.outlet, material, line["site"]] += outlet.yield_ * quantity
    record.term(line, "returns", inputs.begin(due), (outlet, lasts))
    record.figure(line, "returned", outlet.yield_ * quantity, 0.0, (outlet, "yield"))
    record.term(line, "to_material", material, (outlet, "to_material"))


def _taken(path: PathAudit) -> dict[tuple[str, int], float]:
    """Return what each outlet takes in each period [quantity]."""
    outlets = path.inputs.keyed("outlets")
    taken = path.moves.sums("rotation", lambda t, lot, name: (name, t))
    return {(name, t): quantity for (name, t), quantity in taken.items() if name in outlets}


def _capacities(path: PathAudit) -> None:
    """Compare what outlets take with their capacities."""
    for (name, t), quantity in _taken(path).items():
        outlet = path.inputs.at(t).keyed("outlets")[name]
        what = f"what outlet {name} takes in {path.inputs.begins[t]}"
        noise = path.noise(outlet.material)
        path.record.within("rotation", what, outlet.capacity, quantity, noise, (outlet, "capacity"))


def dispatches(path: PathAudit) -> None:
    """Compare each dispatch with what leaves in its period, its minimum, its lots and its cost."""
    inputs, record, taken = path.inputs, path.record, _taken(path)
    shown: dict[tuple[int, str, str], float] = defaultdict(float)
    for line in path.sheets["dispatches"]:
        t, known = path.when(line), path.known(line, "outlet", "outlets", inputs.keyed("outlets"))
        if t is None or known is None:
            continue
        outlet = inputs.at(t).keyed("outlets")[known.outlet]
        shown[t, outlet.outlet, outlet.material] += line["quantity"]
        for column in ("form", "country", "material"):
            record.term(line, column, getattr(outlet, column), (outlet, column))
        _dispatched(path, line, outlet, t)
    due = {
        (t, name, row.material): quantity
        for (name, t), quantity in taken.items()
        if _together(row := inputs.at(t).keyed("outlets")[name], inputs.settings.order_step)
    }
    path.match(
        "dispatches", "what leaves through an outlet", due, shown, lambda key: path.noise(key[2])
    )


def _together(outlet: Any, step: float | None) -> bool:
    """Return whether what leaves through an outlet in a period has a minimum, lots or a cost."""
    lots = outlet.lot_size or (step and outlet.form == "sale")
    return bool(outlet.minimum_order > 0 or lots or outlet.order_cost > 0)


def _dispatched(path: PathAudit, line: Line, outlet: Any, t: int) -> None:
    """Compare a dispatch with its minimum, its lots and its cost, and charge it."""
    record, quantity, noise = path.record, line["quantity"], path.noise(outlet.material)
    relaxed = not path.inputs.firm(t)
    record.term(line, "relaxed", relaxed, (path.inputs.settings, "firm_periods"))
    least = 0.0 if relaxed else outlet.minimum_order
    record.least(line, "quantity", least, noise, (outlet, "minimum_order"))
    path.in_lots(line, "quantity", outlet, "lot_size", free=outlet.form == "sale")
    cost = outlet.order_cost
    if relaxed:  # at least the part of the cost that the dispatch is of the capacity
        part = quantity / outlet.capacity if outlet.capacity else 0.0
        cost = min(max(line["order_cost"], part * cost), cost)
    record.figure(line, "order_cost", cost, cell=(outlet, "order_cost"))
    path.pay(t, "rotation", cost, outlet.material, outlet.outlet)


def _planned(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return what an outlet takes, in a period or over the horizon [quantity]."""
    return sum(
        quantity
        for (each, s), quantity in _taken(path).items()
        if identity(each) == name and t in (None, s)
    )


def _worth(path: PathAudit, name: str, level: str | None, t: int) -> float:
    """Return the price of a unit that is sold new, else its index price, else what the outlet
    costs [money/quantity].
    """
    rows = path.inputs.at(t)
    outlet = rows.keyed("outlets")[name]
    index = rows.materials[outlet.material].price_index
    if outlet.form != "sale":
        return float(outlet.cost if index is None else path.inputs.price(index, t))
    if outlet.price is not None:
        return float(outlet.price)
    return float(path.inputs.price(outlet.price_index, t) * outlet.price_factor)


def _done(path: PathAudit) -> Done:
    """Return what each outlet takes in each period [quantity]."""
    return {(name, None, t): quantity for (name, t), quantity in _taken(path).items()}


def _expired(path: PathAudit, line: Line, lot: AuditedLot, t: int) -> None:
    """Compare what reaches the end of its life: it earns nothing and is disposed of."""
    material, record = path.inputs.at(t).materials[lot.material], path.record
    record.term(line, "form", "expired")
    for column in ("price", "proceeds"):
        record.figure(line, column, 0.0)
    cost = material.disposal_cost * line["quantity"]
    record.figure(line, "cost", cost, 0.0, (material, "disposal_cost"))
    path.pay(t, "disposal", cost, lot.material, lot.site, path.inputs.base.sites[lot.site].buyer)


def _terms(path: PathAudit, line: Line, outlet: Any, lot: AuditedLot, t: int) -> None:
    """Compare what an outlet takes with its terms, and with what that earns and costs."""
    inputs, record, quantity = path.inputs, path.record, line["quantity"]
    age, life = age_and_life(inputs, line, t)
    buyer = inputs.base.sites[lot.site].buyer
    record.term(line, "form", outlet.form, (outlet, "form"))
    record.term(line, "material", outlet.material, (outlet, "material"))
    path.within(line, "date", outlet, "from_", "to", f"and {outlet.outlet} takes metal")
    if record.below(outlet.minimum_age_months, age * inputs.months, 1e-9):
        what = f"age of lot {lot.lot} in {line['date']} when {outlet.outlet} takes it"
        least, found = outlet.minimum_age_months, age * inputs.months
        cell = outlet, "minimum_age_months"
        record.add(line.at("age"), what, least, found, "least", cell)
    left = math.inf if life is None else max(0, life - age) * inputs.months
    if record.below(outlet.minimum_life_months, left, 1e-9):
        what = f"life left to lot {lot.lot} in {line['date']} when {outlet.outlet} takes it"
        least, cell = outlet.minimum_life_months, (outlet, "minimum_life_months")
        record.add(line.at("remaining_life"), what, least, left, "least", cell)
    price, full, priced = 0.0, 0.0, None
    if outlet.form == "sale":
        full = (
            outlet.price
            if outlet.price is not None
            else inputs.price(outlet.price_index, t) * outlet.price_factor
        )
        price = full * max(0.0, 1 - outlet.age_discount * age * inputs.months)
        priced = (outlet, "price" if outlet.price is not None else "price_index")
    elif outlet.form == "loan":
        price = full = outlet.price or 0.0
        priced = (outlet, "price")
    path.received.append(Released(t, "outlets", outlet.outlet, lot.material, price * quantity))
    record.figure(line, "price", price, EXACT * full, priced)
    record.figure(line, "proceeds", price * quantity, EXACT * full * quantity)
    thrown = inputs.at(t).materials[lot.material].disposal_cost if outlet.form == "dispose" else 0.0
    record.figure(line, "cost", (outlet.cost + thrown) * quantity, 0.0, (outlet, "cost"))
    path.book(t, "sales", -price * quantity, lot.material, outlet.outlet, buyer)
    path.pay(t, "rotation", outlet.cost * quantity, lot.material, outlet.outlet, buyer)
    path.pay(t, "disposal", thrown * quantity, lot.material, outlet.outlet, buyer)


TWIN = Twin(
    headings=(
        AuditedHeading("rotation", "rotation"),
        DISPOSAL,
        AuditedHeading("sales", receiver="outlets"),
    ),
    movements=(
        AuditedMovement("return", True, comes_back),
        AuditedMovement("rotation", False, _takes),
    ),
    sheets=(
        AuditedSheet(
            name="rotation",
            instruction=AuditedInstruction(
                ("lot", "material", "site", "outlet"), ("quantity",), ("date", "returns")
            ),
            act=AuditedAct(
                table="outlets",
                name="outlet",
                quantity="quantity",
                expected="returned",
                adds=True,
                price="price",
                cost="cost",
                invoice="cost",
                receipt="proceeds",
                due="date",
                until="to",
                deed="rotate",
                relaxed=True,
            ),
            solved=("why",),
        ),
    ),
    deeds=(AuditedDeed("rotate", "outlets", _planned, _worth),),
    choices=(AuditedChoice("outlet", _done),),
    totals=(
        AuditedTotal("Rotated out", "rotation", "quantity", but={"form": "expired"}, side="out"),
        AuditedTotal("Waste", "rotation", "quantity", {"form": "expired"}, side="waste"),
    ),
    decisions=(Size("outlets", "minimum_order"), Size("outlets", "lot_size")),
    limits=(Size("outlets", "capacity"),),
    read=(retests.read,),
    follow=(rotation, dispatches),
)
