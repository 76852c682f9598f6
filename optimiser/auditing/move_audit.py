"""Moves between sites: what leaves one arrives at the other, as the same lot and in its life."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimiser.auditing.metal import age_and_life, compare_age, usable
from optimiser.auditing.path_audit import AuditedLot, PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    AuditedAct,
    AuditedHeading,
    AuditedInstruction,
    AuditedMovement,
    AuditedSheet,
    Size,
    Twin,
)

OUT, IN = "move out", "move in"
Legs = dict[tuple[int, AuditedLot, str], float]
"""What leaves or arrives of a lot in a period by a move [quantity]."""


def _row(path: PathAudit, name: str, t: int) -> Any:
    """Return a move as it stands in a period."""
    return path.inputs.at(t).keyed("moves")[name]


def _lot(line: Line, site: str) -> AuditedLot:
    """Return the lot that a line names, at a site."""
    return AuditedLot(line["lot"], line["material"], site, line["made"])


def _named(path: PathAudit, line: Line) -> tuple[int, Any] | None:
    """Return the period of a line and its move; None where it names none, or no material."""
    inputs = path.inputs
    t, known = path.when(line), path.known(line, "move", "moves", inputs.keyed("moves"))
    material = path.known(line, "material", "materials", inputs.base.materials)
    if t is None or known is None or material is None:
        return None
    return t, _row(path, known.move, t)


def _leaves(path: PathAudit, line: Line, t: int) -> None:
    """Compare what leaves for another site: it is usable, by a move of the input."""
    usable(path, line, t)
    path.known(line, "name", "moves", path.inputs.keyed("moves"))


def _comes(path: PathAudit, line: Line, t: int) -> None:
    """Compare what comes from another site: it does by a move of the input."""
    path.known(line, "name", "moves", path.inputs.keyed("moves"))


def keep_tests(path: PathAudit) -> None:
    """Read which lots were tested before they moved: they are so at the other site."""
    for line in sorted(path.sheets["moves"], key=lambda line: str(line["date"])):
        before = path.tested.get(_lot(line, line["from_site"]))
        if before is not None:
            path.tested[_lot(line, line["to_site"])] = before


def moves(path: PathAudit) -> None:
    """Compare what is moved with its terms, and with what leaves one site and reaches the other."""
    shown: Legs = defaultdict(float)
    due: Legs = defaultdict(float)
    taken: dict[tuple[str, int], float] = defaultdict(float)
    noise: dict[tuple[str, int], float] = defaultdict(float)
    for line in path.sheets["moves"]:
        found = _named(path, line)
        if found is not None:
            t, move = found
            _terms(path, line, move, t)
            before, after = _lot(line, move.from_site), _lot(line, move.to_site)
            shown[t, before, move.move] += line["quantity"]
            due[t + path.inputs.whole(move.lead_time_months), after, move.move] += line["quantity"]
            taken[move.move, t] += line["quantity"]
            noise[move.move, t] += path.noise(line["material"])
    for kind, expected in ((OUT, shown), (IN, due)):
        moved = path.moves.sums(kind, lambda t, lot, name: (t, lot, name))
        path.match("movements", kind, expected, moved, lambda key: path.noise(key[1].material))
    for (name, t), quantity in taken.items():
        move = _row(path, name, t)
        what = f"what is moved by {name} in {path.inputs.begins[t]}"
        cell = move, "capacity"
        path.record.within("moves", what, move.capacity, quantity, noise[name, t], cell)
    _once(path)


def _terms(path: PathAudit, line: Line, move: Any, t: int) -> None:
    """Compare a line with the terms of its move, and pay it."""
    inputs, record, quantity = path.inputs, path.record, line["quantity"]
    record.least(line, "quantity", 0.0, path.noise(line["material"]))
    for column in ("from_site", "to_site"):
        record.term(line, column, getattr(move, column), (move, column))
    if move.material is not None:
        record.term(line, "material", move.material, (move, "material"))
    lag, (age, life) = inputs.whole(move.lead_time_months), age_and_life(inputs, line, t)
    compare_age(path, line, t, site=move.from_site)
    if life is not None and record.fails(age + lag < life):
        message = f"{line.words('age')}: its life is over before it arrives"
        record.refuse(line.at("age"), message, (move, "lead_time_months"), quantity)
    if record.fails(t + lag < inputs.periods):
        message = f"{line.words('arrives')} is past the horizon"
        record.refuse(line.at("arrives"), message, (move, "lead_time_months"), quantity)
    record.term(line, "arrives", inputs.begin(t + lag), (move, "lead_time_months"))
    record.figure(line, "cost", move.cost * quantity, 0.0, (move, "cost"))
    buyer = inputs.base.sites[move.from_site].buyer
    path.pay(t, "moves", move.cost * quantity, line["material"], move.move, buyer)


def _once(path: PathAudit) -> None:
    """Compare what moves of a lot with what was at its site before anything moved there."""
    left = path.moves.sums(OUT, lambda t, lot, name: (t, lot))
    at_once: dict[tuple[int, AuditedLot], float] = defaultdict(float)
    for (t, lot, name), quantity in path.moves.sums(IN, lambda *key: key).items():
        if name in path.inputs.keyed("moves") and not _row(path, name, t).lead_time_months:
            at_once[t, lot] += quantity
    entered: dict[tuple[int, AuditedLot], float] = defaultdict(float)
    for kind in (each.name for each in path.twins.movements.values() if each.enters):
        for key, quantity in path.moves.sums(kind, lambda t, lot, name: (t, lot)).items():
            entered[key] += quantity
    for (t, lot), quantity in left.items():
        before = sum(change for s, change in path.moves.changes[lot].items() if s < t)
        there = before + entered[t, lot] - at_once[t, lot]
        what = f"what moves of {lot} in {path.inputs.begins[t]}, having moved once in it at most,"
        path.record.within("movements", what, there, quantity, path.noise(lot.material))


TWIN = Twin(
    headings=(AuditedHeading("moves", "storage"),),
    movements=(AuditedMovement(IN, True, _comes), AuditedMovement(OUT, False, _leaves)),
    sheets=(
        AuditedSheet(
            name="moves",
            instruction=AuditedInstruction(
                ("lot", "material", "from_site", "to_site", "move"),
                ("quantity",),
                ("date", "arrives"),
            ),
            act=AuditedAct(
                table="moves",
                name="move",
                quantity="quantity",
                expected="quantity",
                adds=True,
                cost="cost",
                invoice="cost",
                due="date",
            ),
        ),
    ),
    limits=(Size("moves", "capacity"),),
    read=(keep_tests,),
    follow=(moves,),
)
