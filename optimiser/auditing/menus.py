"""What each level of each contract is worth as an option, and whether it could carry its project.

It is worth what it pays at the even rate, over the scenarios, as it is signed or first could be.
"""

from __future__ import annotations

from typing import Any

from optimiser.auditing.contracts import Signed, begin
from optimiser.auditing.extension_audit import saving
from optimiser.auditing.findings import EXACT, apart
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.projects import backing, breakeven, financed, level_at, reaches
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedSheet, Twin


def options(together: Together) -> None:
    """Compare every level that is signed, or could be, with what it is worth."""
    record = together.record
    shown = {(line["contract"], line["level"]): line for line in together.sheets["floors"]}
    if not together.sheets["floors"] and "floors" not in together.sheets.rows:
        return
    for row in together.base.rows("floors"):
        key = row.contract, row.level
        signed = {
            name: Signed(together.inputs[name], *key, t, first)
            for name, (t, first) in together.begun.get(key, {}).items()
        }
        found = signed or _could(together, *key)
        line = shown.pop(key, None)
        if record.fails((line is not None) == bool(found)):
            message = "is not on the sheet" if found else "can never be signed"
            record.refuse(
                "floors" if line is None else line.where,
                f"level {row.level} of {row.contract} {message}",
                (row, "level"),
            )
        if line is not None and found:
            record.term(line, "signed", bool(signed))
            _level(together, line, found)
    for line in shown.values():
        record.refuse(line.where, f"{line['contract']} {line['level']} is no level of the input")


def _level(together: Together, line: Line, signed: dict[str, Signed]) -> None:
    """Compare a level that is signed apart in several scenarios.

    Its terms are those of one signature, what it is worth that of all.
    """
    worth = _worth(together, signed) | _extension(together, signed)
    terms = [_terms(signed, at) | worth for at in _nodes(together, signed)]
    expected = next(
        (each for each in terms if all(_near(each[column], line[column]) for column in each)),
        terms[0],
    )
    # What a floor pays above the reference is a difference, which may be next to nothing of either.
    rate = EXACT * (expected["floor"] or 0.0)
    fine = {"option_per_unit": rate} | dict.fromkeys(
        ("expected_topup", "option_value", "extension_value", "waiting_value"),
        rate * (expected["expected_quantity"] or 0.0),
    )
    for column, figure in expected.items():
        if figure != line[column]:  # both may be infinite
            together.record.figure(line, column, figure, fine.get(column, 0.0))


def menus(together: Together) -> None:
    """Compare the sheet of projects with each level that could carry one.

    A level stands there as it is when it first could be signed; a project without contracts as it
    is when the horizon begins.
    """
    record = together.record
    for line in together.sheets["projects"]:
        name, contract, level = line["project"], line["contract"], line["level"]
        if name not in together.base.keyed("projects"):
            continue
        if contract is None:
            record.term(line, "level", None)
        if record.fails(contract is None or together.base.floor(contract, level) is not None):
            record.refuse(
                line.at("level"), f"{contract} has no level {level!r} in the sheet floors"
            )
            continue
        first = {} if contract is None else _could(together, contract, level)
        times = (
            {each.name: 0 for each in together.futures}
            if not first
            else {each: signed.t for each, signed in first.items()}
        )
        found = [_menu(together.inputs[each], line, t) for each, t in times.items()]
        best = next(
            (each for each in found if all(_near(each[column], line[column]) for column in each)),
            found[0],
        )
        for column, expected in best.items():
            if expected != line[column]:
                record.figure(line, column, expected)


def _menu(inputs: Inputs, line: Line, t: int) -> dict[str, float | None]:
    """Return the figures of a level and its project in a period."""
    plant, name = inputs.at(t).keyed("projects")[line["project"]], line["project"]
    if line["contract"] is None:
        floor, able = (
            None,
            [row.capacity for row in inputs.at(t).rows("offers") if row.project == name],
        )
        annual = None if None in able or not able else sum(able) * 12 / inputs.months
    else:
        floor = inputs.at(t).floor(line["contract"], line["level"])
        annual = float(floor.annual_quantity)
    value = None if floor is None else level_at(inputs, floor, t)
    least = breakeven(plant, annual or 0.0)
    carries = value is not None and least is not None and reaches(value, least)
    needed = None if plant.cost is None else plant.cost * plant.match
    if carries:
        needed = 0.0
    elif needed is not None and financed(plant):
        lacking = plant.capex - (0.0 if floor is None else backing(inputs, plant, floor, t))
        needed = lacking if lacking <= needed else None
    return {
        "annual_quantity": annual,
        "floor": value,
        "breakeven": least,
        "breakeven_granted": (
            None
            if plant.cost is None
            else breakeven(plant, annual or 0.0, plant.cost * plant.match)
        ),
        "carries": carries,
        "grant_needed": needed,
    }


def _near(expected: float | None, found: float | None) -> bool:
    return expected == found or (
        expected is not None and found is not None and not apart(expected, found)
    )


def _nodes(together: Together, signed: dict[str, Signed]) -> list[frozenset[str]]:
    """Return the scenarios that share each signature."""
    nodes = together.nodes
    return [*dict.fromkeys(nodes[max(0, each.t)][name] for name, each in signed.items())]


def _could(together: Together, contract: str, level: str) -> dict[str, Signed]:
    """Return, for each scenario, the contract as signed when it first could be.

    It then delivers on some path that is still the same, and its project goes ahead then.
    """
    found = {}
    for name, inputs in together.inputs.items():
        for t in range(0 if inputs.earlier("sign", contract) else inputs.periods):
            row = inputs.at(t).keyed("contracts")[contract]
            gone = _gone(inputs, row.project)
            if t in inputs.spans(row.sign_from, row.sign_to) and any(
                begin(together.inputs[each], row, t, gone or 0) is not None
                for each in together.nodes[t][name]
            ):
                waits = row.project is not None and gone is None
                plant = inputs.at(t).keyed("projects")[row.project] if waits else None
                ready = gone or 0 if plant is None else t + inputs.whole(plant.ready_lag_months)
                found[name] = Signed(inputs, contract, level, t, begin(inputs, row, t, ready))
                break
    return found


def _gone(inputs: Inputs, project: str | None) -> int | None:
    """Return when a project is ready that went ahead before the start; None: it did not."""
    if project is None or not (rows := inputs.earlier("project", project)):
        return None
    lag = inputs.keyed("projects")[project].ready_lag_months
    return inputs.period(rows[0].date) + inputs.whole(lag)


def _worth(together: Together, signed: dict[str, Signed]) -> dict[str, float | None]:
    """Return what a level is worth over the paths on which it is signed."""
    quantity = paid = binding = above = discounted = 0.0
    for name, each in signed.items():
        for t in each.span:
            row, market, least = each.row(t), each.reference(t), each.floor_at(t)
            rate = (
                together.probability[name]
                * each.rate(t)
                * (1.0 if row.form == "cfd" else row.availability)
            )
            over = 0.0 if market is None else max(0.0, least - market)
            quantity += rate
            paid += rate * (over if row.form == "cfd" else each.price(t))
            binding += rate * (market is not None and market < least)
            above += rate * over
            discounted += rate * over * each.inputs.factor(t)
    tied = any(each.row(each.t).price_index is not None for each in signed.values())
    return {
        "expected_quantity": quantity,
        "expected_price": paid / quantity if quantity else 0.0,
        "binds": binding / quantity if quantity and tied else None,
        "expected_topup": above,
        "option_value": discounted,
        "option_per_unit": discounted / quantity if quantity else 0.0,
    }


def _extension(together: Together, signed: dict[str, Signed]) -> dict[str, float | None]:
    """Return what the option to extend is worth where it is decided, and what waiting is of it."""
    nodes: dict[tuple[int, frozenset[str]], float] = {}
    for name, each in signed.items():
        if each.extension and (saved := saving(each)) is not None:
            node = each.deciding, together.nodes[each.deciding][name]
            nodes[node] = nodes.get(node, 0.0) + together.probability[name] * saved
    value = sum(max(0.0, each) for each in nodes.values())
    return {
        "extension_value": value if nodes else None,
        "waiting_value": value - max(0.0, sum(nodes.values())) if nodes else None,
    }


def _terms(signed: dict[str, Signed], at: frozenset[str]) -> dict[str, float | None]:
    """Return the terms of a level as they stand at one of its signatures."""
    first = next(each for name, each in signed.items() if name in at)
    row, floor, inputs = first.row(first.t), first.floor(first.t), first.inputs
    value, tied = level_at(inputs, floor, first.t), row.price_index is not None
    reached = value / (1 - row.discount) if tied and row.discount < 1 else None
    rate = first.exchange_rate(max(0, first.t))
    quoted = value / rate if tied and rate > 0 else None
    plant: Any = None if row.project is None else inputs.at(first.t).keyed("projects")[row.project]
    return {
        "floor": value,
        "annual_quantity": floor.annual_quantity,
        "producer_index": reached,
        "buyer_index": reached if row.form == "cfd" else quoted,
        "breakeven": None if plant is None else breakeven(plant, floor.annual_quantity),
    }


TWIN = Twin(
    sheets=(
        AuditedSheet(name="floors", solved=("cost_difference", "difference_at_least", "to_change")),
    ),
    conclude=(options, menus),
)
