"""Projects: which go ahead, when, by a grant or carried by the floor of a contract."""

from __future__ import annotations

import math
from typing import Any

from optimiser.auditing.case import Case
from optimiser.auditing.findings import apart
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.sheets import Line


def projects(case: Case) -> None:
    """Every project goes ahead at most once: by a grant within its window, or by a contract signed
    in the same period at a level whose floor is at or above its break-even; then it is ready
    `ready_lag_months` later.
    """
    rows, record = case.inputs.keyed("projects"), case.record
    by_project: dict[str, list[Line]] = {name: [] for name in rows}
    for line in case.sheets["projects"]:
        if case.known(line, "project", "projects", rows) is not None:
            by_project[line["project"]].append(line)
    for name, project in rows.items():
        lines = by_project[name]
        for line in lines:
            for column in ("decision", "decided", "ready", "grant"):
                record.term(line, column, lines[0][column])
            record.term(line, "supplier", project.supplier, (project, "supplier"))
        if lines:
            _ahead(case, lines[0], name)


def _ahead(case: Case, line: Line, name: str) -> None:
    """When a project goes ahead, and what the buyer pays."""
    inputs, record, decision = case.inputs, case.record, line["decision"]
    if record.fails(decision in ("grant", "carried", "no")):
        record.refuse(line.at("decision"), f"{decision!r} is neither grant, carried nor no")
        return
    if decision == "no":
        record.term(line, "decided", None)
        record.term(line, "ready", None)
        record.figure(line, "grant", 0.0)
        return
    t = case.when(line, "decided")
    if t is None:
        return
    case.ahead[name] = t
    project = inputs.at(t).keyed("projects")[name]
    case.staged(line, "decision", project.supplier)
    record.term(
        line,
        "ready",
        inputs.begin(t + inputs.whole(project.ready_lag_months)),
        (project, "ready_lag_months"),
    )
    if decision == "carried":
        record.figure(line, "grant", 0.0)
        return
    case.within(line, "decided", project, "decide_from", "decide_to", "and a grant can be decided")
    if record.fails(project.cost is not None):
        record.refuse(
            line.at("decision"),
            f"project {project.project} has no cost and cannot be granted",
            (project, "cost"),
        )
    grant = (project.cost or 0.0) * project.match
    record.figure(line, "grant", grant, cell=(project, "cost"))
    case.pay(t, "grants", grant, material_of(case, project.project), project.project)


def carried(case: Case) -> None:
    """A project that a contract carries: the contract is signed in that period at a floor at or
    above the break-even.
    """
    contracts = case.inputs.keyed("contracts")
    for line in case.sheets["projects"]:
        t = case.ahead.get(line["project"])
        if line["decision"] != "carried" or t is None:
            continue
        rows = case.inputs.at(t)
        project = rows.keyed("projects")[line["project"]]
        signed = (
            rows.floor(k, f)
            for k, f, s in case.called
            if s == t and contracts[k].project == project.project
        )
        if case.record.fails(any(carries(case, project, floor, t) for floor in signed)):
            said = (
                f"no contract signed in {case.inputs.begins[t]} has a floor at or above the"
                f" break-even of {project.project}"
            )
            case.record.refuse(line.at("decision"), said, (project, "breakeven_floor"))


def material_of(case: Case, project: str) -> str | None:
    """The material of a project's offers and contracts, where it is one."""
    rows = (*case.inputs.rows("offers"), *case.inputs.rows("contracts"))
    found = {row.material for row in rows if row.project == project}
    return found.pop() if len(found) == 1 else None


def breakeven(project: Any, annual: float, grant: float = 0.0) -> float | None:
    """The least constant price at which a yearly quantity returns the capital, less a grant: the
    one given, or computed; infinite where nothing is committed, None where the workbook does not
    say [money/quantity].
    """
    computed = project.capex is not None and project.life_years is not None
    if project.breakeven_floor is not None and not (computed and grant > 0):
        return float(project.breakeven_floor)
    if not computed:
        return None
    capital, rate, life = max(0.0, project.capex - grant), project.rate, project.life_years
    if capital == 0:
        return float(project.opex)
    annuity = life if rate == 0 else (1 - (1 + rate) ** -life) / rate
    return float(project.opex + capital / (annual * annuity)) if annual > 0 else math.inf


def carries(case: Case, project: Any, floor: Any, t: int) -> bool:
    """Whether a level, signed in a period, makes a project go ahead."""
    least = breakeven(project, floor.annual_quantity)
    return least is not None and reaches(level_at(case.inputs, floor, t), least)


def reaches(floor: float, least: float) -> bool:
    """Whether a floor is at or above a break-even."""
    return floor >= least or not apart(floor, least)


def level_at(inputs: Inputs, floor: Any, t: int) -> float:
    """A floor in a period, before escalation [money/quantity]."""
    if floor.floor_index is None:
        return float(floor.floor)
    return inputs.price(floor.floor_index, t) * (
        1.0 if floor.floor_factor is None else floor.floor_factor
    )
