"""Metal by lot and age: what comes in and goes out, what is left, what expires, and what sites can
hold.
"""

from __future__ import annotations

from collections import defaultdict

from optimiser.auditing.findings import Cell
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.path_audit import AuditedLot, PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    DISPOSAL,
    AuditedChoice,
    AuditedHeading,
    AuditedMovement,
    AuditedTotal,
    Done,
    Size,
    Twin,
)


def metal(path: PathAudit) -> None:
    """Compare what comes in and goes out, what is left, what expires, and what sites hold."""
    _movements(path)
    _arrivals(path)
    _openings(path)
    _lots(path)
    _sites(path)


def lot_of(line: Line) -> AuditedLot:
    """Return the lot that a line names."""
    return AuditedLot(line["lot"], line["material"], line["site"], line["made"])


def age_and_life(inputs: Inputs, line: Line, t: int) -> tuple[int, int | None]:
    """Return the age of a lot and its life [periods]; None = unlimited."""
    return t - inputs.period(line["made"]), inputs.life(line["material"], t)


def compare_age(
    path: PathAudit, line: Line, t: int, held: bool = False, site: str | None = None
) -> None:
    """Compare the age of a lot, and what is left of its life.

    Stock at period end has one period less left. `site`: where it is; None: at that of the line.
    """
    inputs, material = path.inputs, line["material"]
    age, life = age_and_life(inputs, line, t)
    path.record.figure(line, "age", age * inputs.months)
    left = None if life is None else max(0, life - age - held) * inputs.months
    lot = AuditedLot(line["lot"], material, site or line["site"], line["made"])
    if path.tested_times(lot) is None:
        left = 0
    path.record.figure(
        line, "remaining_life", left, cell=(inputs.at(t).materials[material], "shelf_life_months")
    )


def _movements(path: PathAudit) -> None:
    """Compare each movement with its kind and with the age at which it can be."""
    record, kinds = path.record, path.twins.movements
    for line in path.sheets["movements"]:
        t, kind, quantity = path.when(line), line["kind"], line["quantity"]
        if record.fails(kind in kinds):
            record.refuse(line.at("kind"), f"{kind!r} is no kind of movement")
            continue
        if t is None or not path.placed(line):
            continue
        enters, size = kinds[kind].enters, abs(quantity)
        if record.fails((quantity > 0) == enters):
            record.refuse(
                line.at("quantity"),
                f"{line.words('quantity')} has the wrong sign for {kind}",
                amount=size,
            )
        compare_age(path, line, t)
        move = t, lot_of(line), line["name"] or ""
        path.moves.add(kind, move, quantity, quantity if enters else size)
        kinds[kind].check(path, line, t)


def _opens(path: PathAudit, line: Line, t: int) -> None:
    """Compare opening stock: it comes in at the start, under the name of its lot.

    What was under way to another site comes in when it is there.
    """
    due = {lot.lot: t for t, lot, _ in path.inputs.moving()}
    if path.record.fails(t == due.get(line["lot"], 0)):
        path.record.refuse(
            line.at("date"),
            f"{line.words('date')}: opening stock comes in later than the first period",
        )
    path.record.term(line, "name", line["lot"])


def comes_back(path: PathAudit, line: Line, t: int) -> None:
    """Compare what comes back, and charge its handling.

    It is made in that period, unless it comes back from a test.
    """
    age, _ = age_and_life(path.inputs, line, t)
    if path.record.fails(age == 0 or lot_of(line) in path.tested):
        path.record.refuse(
            line.at("made"),
            f"{line.words('made')}: what comes back is not made in that period",
            amount=age * path.inputs.months,
        )
    _comes_in(path, line, t)


def _comes_in(path: PathAudit, line: Line, t: int) -> None:
    """Charge the handling of what comes in."""
    site = path.inputs.at(t).sites[line["site"]]
    cost = site.handling_in * line["quantity"]
    path.pay(t, "handling", cost, line["material"], line["site"], site.buyer)


def goes_out(path: PathAudit, line: Line, t: int) -> None:
    """Compare what goes out: it has life left, and its handling is charged."""
    usable(path, line, t)
    site = path.inputs.at(t).sites[line["site"]]
    cost = site.handling_out * abs(line["quantity"])
    path.pay(t, "handling", cost, line["material"], line["site"], site.buyer)


def _expires(path: PathAudit, line: Line, t: int) -> None:
    """Compare what expires: it goes nowhere."""
    if path.record.fails(not line["name"]):
        path.record.refuse(line.at("name"), f"{line.words('name')}: what expires goes nowhere")


def usable(path: PathAudit, line: Line, t: int) -> None:
    """Compare an age with the life: metal serves from when it is made until its life is over."""
    months, record, kind = path.inputs.months, path.record, line["kind"]
    age, life = age_and_life(path.inputs, line, t)
    if record.fails(age >= 0):
        record.refuse(
            line.at("date"), f"{line.words('date')}: {kind} before it is made", amount=age * months
        )
    if life is not None and record.fails(age < life):
        message = (
            f"{line.words('age')}: {kind} at {age * months} months, beyond a shelf life of"
            f" {life * months} months"
        )
        record.refuse(
            line.at("age"),
            message,
            (path.inputs.at(t).materials[line["material"]], "shelf_life_months"),
            (age - life + 1) * months,
        )


def _arrivals(path: PathAudit) -> None:
    """Compare deliveries with arrivals of lots."""
    came: dict[tuple[int, str, str, str, str, str], float] = defaultdict(float)
    for line in path.sheets["deliveries"]:
        came[
            path.inputs.period(line["date"]),
            line["lot"],
            line["name"],
            line["material"],
            line["site"],
            f"made {line['made']}",
        ] += line["quantity"]
    shown = path.moves.sums(
        "arrival",
        lambda t, lot, name: (t, lot.lot, name, lot.material, lot.site, f"made {lot.made}"),
    )
    path.match("movements", "arrival", came, shown, lambda key: path.noise(key[3]))


def _openings(path: PathAudit) -> None:
    """Compare opening stock with the input."""
    only = next(iter(path.inputs.base.sites))
    left = path.moves.sums("opening", lambda t, lot, name: lot)
    rows = path.inputs.at(0).rows("opening_stock")
    there = [(row, row.site or only) for row in rows if not (row.tested_by or row.moved_by)]
    came = [(row, move.to_site) for t, row, move in path.inputs.moving() if t < path.inputs.periods]
    for row, site in (*there, *came):
        lot = AuditedLot(row.lot, row.material, site, row.made)
        path.record.equal(
            "movements",
            f"opening {lot}",
            row.quantity,
            left.pop(lot, 0.0),
            path.noise(row.material),
            (row, "quantity"),
        )
    for lot, quantity in left.items():
        path.record.equal("movements", f"opening {lot}", 0.0, quantity, path.noise(lot.material))


def _lots(path: PathAudit) -> None:
    """Compare what is left of each lot at every period end with what came in and went out.

    When its life is over the rest is waste.
    """
    shown: dict[tuple[int, AuditedLot], float] = defaultdict(float)
    lines: dict[tuple[int, AuditedLot], Line] = {}
    for line in path.sheets["lots"]:
        t = path.when(line)
        if t is not None and path.placed(line):
            compare_age(path, line, t, held=True)
            lot = lot_of(line)
            shown[t, lot] += line["quantity"]
            lines[t, lot] = line
    expired = path.moves.sums("expired", lambda t, lot, name: (t, lot))
    for lot, changes in path.moves.changes.items():
        _follow(path, lot, changes, expired, shown, lines)
    for (t, lot), quantity in shown.items():
        where, what = (
            lines[t, lot].at("quantity"),
            f"stock of {lot} at the end of {path.inputs.begins[t]}",
        )
        path.record.equal(where, what, 0.0, quantity, path.noise(lot.material))


def _follow(
    path: PathAudit,
    lot: AuditedLot,
    changes: dict[int, float],
    expired: dict[tuple[int, AuditedLot], float],
    shown: dict[tuple[int, AuditedLot], float],
    lines: dict[tuple[int, AuditedLot], Line],
) -> None:
    """Follow one lot from its arrival to its end, and compare what is left and what expires.

    It expires in the period in which it reaches its life, as long as that is then.
    """
    inputs, record = path.inputs, path.record
    made, last, gone = inputs.period(lot.made), max(changes), False
    left, noise = 0.0, path.noise(lot.material)
    for t in range(min(changes), inputs.periods):
        if gone and t > last:
            break
        life = inputs.life(lot.material, t)
        cell: Cell = (inputs.at(t).materials[lot.material], "shelf_life_months")
        wasted = expired.get((t, lot), 0.0)
        left += changes.get(t, 0.0)
        if life is not None and t - made >= life - 1:
            left, due = 0.0, max(0.0, left + wasted)
            gone = True
            path.outcome.waste += due
        elif path.tested_times(lot) is None:
            due = 0.0
            path.spoilt[t, lot.material, lot.site] += max(0.0, left)
        else:
            due = 0.0
            path.held[t, lot.material, lot.site, t - made] += max(0.0, left)
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


def _sites(path: PathAudit) -> None:
    """Compare what sites hold with their capacity, and charge it."""
    inputs = path.inputs
    by_site: dict[tuple[int, str], float] = defaultdict(float)
    by_material: dict[tuple[int, str, str], float] = defaultdict(float)
    noise: dict[tuple[int, str], float] = defaultdict(float)
    lots = [((t, i, site), quantity) for (t, i, site, _), quantity in path.held.items()]
    for (t, material, site), quantity in (*lots, *path.spoilt.items()):
        by_site[t, site] += quantity
        by_material[t, material, site] += quantity
    for t, material, name in by_material:
        noise[t, name] += path.noise(material)
    for (t, name), quantity in by_site.items():
        row = inputs.at(t).sites[name]
        what = f"stock at site {name} at the end of {inputs.begins[t]}"
        path.record.within("lots", what, row.capacity, quantity, noise[t, name], (row, "capacity"))
    for (t, material, name), quantity in by_material.items():
        row = inputs.at(t).sites[name]
        rate = (row.cost + inputs.at(t).materials[material].holding_cost) * inputs.months
        path.pay(t, "storage", rate * quantity, material, name, row.buyer)


def _done(path: PathAudit) -> Done:
    """Return what each site holds at the end of each period [quantity]."""
    found: dict[tuple[str, str | None, int], float] = {}
    for (t, _, site, _), quantity in path.held.items():
        found[site, None, t] = found.get((site, None, t), 0.0) + quantity
    for (t, _, site), quantity in path.spoilt.items():
        found[site, None, t] = found.get((site, None, t), 0.0) + quantity
    return found


TWIN = Twin(
    choices=(AuditedChoice("site", _done),),
    headings=(
        AuditedHeading("storage", "storage"),
        AuditedHeading("handling", "storage"),
        DISPOSAL,
    ),
    movements=(
        AuditedMovement("opening", True, _opens),
        AuditedMovement("arrival", True, _comes_in),
        AuditedMovement("expired", False, _expires),
    ),
    totals=(
        AuditedTotal("Opening stock", "movements", "quantity", {"kind": "opening"}, side="in"),
        AuditedTotal("Delivered", "deliveries", "quantity", side="in"),
        AuditedTotal("Returned", "movements", "quantity", {"kind": "return"}, side="in"),
        AuditedTotal("Stock at the end", "lots", "quantity", last=True, side="held"),
    ),
    needs=(Size("opening_stock", "quantity"),),
    follow=(metal,),
)
