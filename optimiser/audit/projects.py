"""Projects: which go ahead, when, by a grant or carried by the floor of a contract."""

from __future__ import annotations

import math
from typing import Any

from optimiser.audit.case import Case
from optimiser.audit.findings import EXACT
from optimiser.audit.sheets import Line


def projects(case: Case) -> None:
    """Every project goes ahead at most once: by a grant within its window, or by a contract signed in the same period at a
    level whose floor is at or above its break-even; then it is ready `ready_lag_months` later."""
    rows, inputs, record = case.inputs.keyed("projects"), case.inputs, case.record
    by_project: dict[str, list[Line]] = {name: [] for name in rows}
    for line in case.sheets["projects"]:
        if case.known(line, "project", "projects", rows) is not None:
            by_project[line["project"]].append(line)
    for name, project in rows.items():
        lines = by_project[name]
        if not record.holds(bool(lines), "projects", f"project {name} is not on the sheet", inputs.cell(project, "project")):
            continue
        for line in lines:
            for column in ("decision", "decided", "ready", "grant"):
                record.term(line, column, lines[0][column])
            record.term(line, "supplier", project.supplier, inputs.cell(project, "supplier"))
            _breakeven(case, line, project)
        _ahead(case, lines[0], project)


def _ahead(case: Case, line: Line, project: Any) -> None:
    inputs, record, decision = case.inputs, case.record, line["decision"]
    if not record.holds(decision in ("grant", "carried", "no"), line.at("decision"), f"{decision!r} is neither grant, carried nor no"):
        return
    t = None if decision == "no" else case.when(line, "decided")
    if t is None:
        if decision == "no":
            record.term(line, "decided", None)
            record.figure(line, "grant", 0.0)
        return
    case.ahead[project.project] = t
    case.staged(line, "decision", project.supplier)
    ready = t + inputs.whole(project.ready_lag_months)
    record.term(line, "ready", inputs.begin(ready), inputs.cell(project, "ready_lag_months"))
    if decision == "carried":
        record.figure(line, "grant", 0.0)
        return
    case.within(line, "decided", project, "decide_from", "decide_to", "and a grant can be decided")
    said = f"project {project.project} has no cost and cannot be granted"
    record.holds(project.cost is not None, line.at("decision"), said, inputs.cell(project, "cost"))
    grant = (project.cost or 0.0) * project.match
    record.figure(line, "grant", grant, cell=inputs.cell(project, "cost"))
    case.pay(t, "grants", grant, material_of(case, project.project), project.project)


def carried(case: Case) -> None:
    """A project that a contract carries: the contract is signed in that period at a floor at or above the break-even."""
    rows, contracts = case.inputs.keyed("projects"), case.inputs.keyed("contracts")
    floors = {(row.contract, row.level): row for row in case.inputs.rows("floors")}
    for line in case.sheets["projects"]:
        t = case.ahead.get(line["project"])
        if line["decision"] != "carried" or t is None:
            continue
        project = rows[line["project"]]
        able = [
            (k, f)
            for (k, f, s), count in case.called.items()
            if count and s == t and contracts[k].project == project.project and carries(case, project, floors[k, f], t)
        ]
        said = f"no contract signed in {case.inputs.begins[t]} carries {project.project}"
        case.record.holds(bool(able), line.at("decision"), said, case.inputs.cell(project, "breakeven_floor"))


def material_of(case: Case, project: str) -> str | None:
    """The material of a project's offers and contracts, where it is one."""
    rows = (*case.inputs.rows("offers"), *case.inputs.rows("contracts"))
    found = {row.material for row in rows if row.project == project}
    return found.pop() if len(found) == 1 else None


def breakeven(project: Any, annual: float, grant: float = 0.0) -> float | None:
    """The least constant price at which a level's quantity returns the capital; None where the workbook does not say."""
    if project.breakeven_floor is not None:
        return float(project.breakeven_floor)
    if project.capex is None or project.life_years is None:
        return None
    if annual <= 0:
        return math.inf
    rate, life = project.rate, project.life_years
    annuity = life if rate == 0 else (1 - (1 + rate) ** -life) / rate
    return float(project.opex + (project.capex - grant) / (annual * annuity))


def carries(case: Case, project: Any, floor: Any, t: int) -> bool:
    """Whether a level, signed in a period, makes a project go ahead."""
    least = breakeven(project, floor.annual_quantity)
    return least is not None and level_at(case, floor, t) >= least - EXACT * max(1.0, least)


def level_at(case: Case, floor: Any, t: int) -> float:
    """A floor in a period, before escalation [money/quantity]."""
    if floor.floor_index is None:
        return float(floor.floor)
    factor = 1.0 if floor.floor_factor is None else floor.floor_factor
    return case.inputs.price(floor.floor_index, t) * factor


def _breakeven(case: Case, line: Line, project: Any) -> None:
    if line["contract"] is None:
        return
    floors = {(row.contract, row.level): row for row in case.inputs.rows("floors")}
    floor = floors.get((line["contract"], line["level"]))
    said = f"{line['contract']} has no level {line['level']!r}"
    if case.record.holds(floor is not None, line.at("level"), said) and floor is not None:
        least = breakeven(project, floor.annual_quantity)
        case.record.figure(line, "annual_quantity", floor.annual_quantity, cell=case.inputs.cell(floor, "annual_quantity"))
        case.record.figure(line, "breakeven", None if least is None or math.isinf(least) else least)
