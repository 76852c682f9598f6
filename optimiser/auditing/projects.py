"""Projects: which go ahead, when, by a grant or carried by the floor of a contract."""

from __future__ import annotations

from typing import Any

from optimiser.auditing.findings import apart
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    AuditedAct,
    AuditedChoice,
    AuditedDeed,
    AuditedHeading,
    AuditedInstruction,
    AuditedSheet,
    Done,
    Twin,
)
from stockpile_model.names import identity


def projects(path: PathAudit) -> None:
    """Compare each project with its terms: it goes ahead at most once.

    That is by a grant within its window, or by a contract signed then at a floor at or above its
    break-even, or by what both bring towards its capital. It is ready `ready_lag_months` later.
    """
    rows, record = path.inputs.keyed("projects"), path.record
    by_project: dict[str, list[Line]] = {name: [] for name in rows}
    for line in path.sheets["projects"]:
        if path.known(line, "project", "projects", rows) is not None:
            by_project[line["project"]].append(line)
    for name, project in rows.items():
        lines = by_project[name]
        for line in lines:
            for column in ("decision", "decided", "ready", "grant"):
                record.term(line, column, lines[0][column])
            record.term(line, "supplier", project.supplier, (project, "supplier"))
            _plant(path, line, project)
        if lines:
            _ahead(path, lines[0], name)


def _plant(path: PathAudit, line: Line, project: Any) -> None:
    """Compare what is known of a plant."""
    record, supplier = path.record, path.inputs.base.suppliers[project.supplier]
    record.term(line, "stage", supplier.stage, (supplier, "stage"))
    record.term(line, "start", supplier.start, (supplier, "start"))
    record.term(line, "permits", project.permits, (project, "permits"))
    record.figure(line, "output", project.output, cell=(project, "output"))


def _ahead(path: PathAudit, line: Line, name: str) -> None:
    """Compare when a project goes ahead, and what the buyer pays."""
    inputs, record, decision = path.inputs, path.record, line["decision"]
    if earlier := inputs.earlier("project", name):
        gone = path.ahead[name] = inputs.period(earlier[0].date)
        record.term(line, "decision", "before", (earlier[0], "date"))
        record.term(line, "decided", inputs.begin(gone), (earlier[0], "date"))
        record.term(line, "ready", inputs.begin(path.ready(name)))
        record.figure(line, "grant", 0.0)
        return
    if record.fails(decision in ("grant", "carried", "both", "no")):
        record.refuse(line.at("decision"), f"{decision!r} is neither grant, carried, both nor no")
        return
    if decision == "no":
        record.term(line, "decided", None)
        record.term(line, "ready", None)
        record.figure(line, "grant", 0.0)
        return
    t = path.when(line, "decided")
    if t is None:
        return
    path.ahead[name] = t
    project = inputs.at(t).keyed("projects")[name]
    path.staged(line, "decision", project.supplier)
    record.term(
        line,
        "ready",
        inputs.begin(t + inputs.whole(project.ready_lag_months)),
        (project, "ready_lag_months"),
    )
    if decision == "carried":
        record.figure(line, "grant", 0.0)
        return
    path.within(line, "decided", project, "decide_from", "decide_to", "and a grant can be decided")
    if record.fails(project.cost is not None):
        record.refuse(
            line.at("decision"),
            f"project {project.project} has no cost and cannot be granted",
            (project, "cost"),
        )
    grant, cent = (project.cost or 0.0) * project.match, path.cent(material_of(path, name))
    if financed(project):
        record.most(line, "grant", grant, cent, (project, "cost"))
        grant = line["grant"]
    record.figure(line, "grant", grant, cell=(project, "cost"))
    path.pay(t, "grants", grant, material_of(path, project.project), project.project)


def carried(path: PathAudit) -> None:
    """Compare projects that a contract carries with the floors of contracts signed then."""
    contracts = path.inputs.keyed("contracts")
    for line in path.sheets["projects"]:
        t = path.ahead.get(line["project"])
        if line["decision"] == "no" or t is None or t < 0:
            continue
        rows = path.inputs.at(t)
        project = rows.keyed("projects")[line["project"]]
        signed = [
            rows.floor(k, f)
            for k, f, s in path.called
            if s == t and contracts[k].project == project.project
        ]
        if financed(project):
            _together(path, line, project, signed, t)
            continue
        if line["decision"] != "carried":
            path.record.term(line, "decision", "grant")
            continue
        if path.record.fails(any(carries(path, project, floor, t) for floor in signed)):
            message = (
                f"no contract signed in {path.inputs.begins[t]} has a floor at or above the"
                f" break-even of {project.project}"
            )
            path.record.refuse(line.at("decision"), message, (project, "breakeven_floor"))


def _together(path: PathAudit, line: Line, project: Any, signed: list[Any], t: int) -> None:
    """Compare what grant and floors bring with the capital of a plant that they carry together."""
    record = path.record
    backed = sum(backing(path.inputs, project, floor, t) for floor in signed)
    how = ("both" if signed else "grant") if line["grant"] else "carried"
    record.term(line, "decision", how)
    cent = path.cent(material_of(path, project.project))
    what = f"what grant and floors bring towards the capital of {project.project}"
    found = line["grant"] + backed
    record.reaches(line.at("grant"), what, project.capex, found, cent, (project, "capex"))


def brought(path: PathAudit) -> None:
    """Compare what each project brings from its going ahead on, expected."""
    for line in path.sheets["projects"]:
        t = path.ahead.get(line["project"])
        came = [
            each.amount
            for each in path.brought
            if path.inputs.keyed(each.table)[each.name].project == line["project"]
            and t is not None
            and each.t >= t
        ]
        path.mean(line, "brought", sum(came), path.noise(material_of(path, line["project"])))


def material_of(path: PathAudit, project: str) -> str | None:
    """Return the material of a project's offers and contracts; None where it is not one."""
    rows = (row for table in path.twins.sources for row in path.inputs.rows(table))
    found = {row.material for row in rows if row.project == project}
    return found.pop() if len(found) == 1 else None


def breakeven(project: Any, annual: float, grant: float = 0.0) -> float | None:
    """Return the least constant price at which a yearly quantity returns the capital, less a grant.

    It is given, or computed [money/quantity]. It is None where the workbook does not say, or
    nothing is committed to return it.
    """
    computed = project.capex is not None and project.life_years is not None
    if project.breakeven_floor is not None and not (computed and grant > 0):
        return float(project.breakeven_floor)
    if not computed:
        return None
    capital = max(0.0, project.capex - grant)
    if capital == 0:
        return float(project.opex)
    return float(project.opex + capital / (annual * annuity(project))) if annual > 0 else None


def financed(project: Any) -> bool:
    """Return whether grant and floors carry a plant together, up to its capital."""
    return project.capex is not None and project.life_years is not None


def backing(inputs: Inputs, project: Any, floor: Any, t: int) -> float:
    """Return what a level signed in a period brings towards a plant's capital [money]."""
    price = level_at(inputs, floor, t)
    if project.breakeven_floor is not None and reaches(price, project.breakeven_floor):
        return float(project.capex)
    return float(annuity(project) * floor.annual_quantity * (price - project.opex))


def annuity(project: Any) -> float:
    """Return the present worth of 1 in each year of a plant's life [1]."""
    rate, life = project.rate, project.life_years
    return float(life if rate == 0 else (1 - (1 + rate) ** -life) / rate)


def carries(path: PathAudit, project: Any, floor: Any, t: int) -> bool:
    """Return whether a level, signed in a period, makes a project go ahead."""
    least = breakeven(project, floor.annual_quantity)
    return least is not None and reaches(level_at(path.inputs, floor, t), least)


def reaches(floor: float, least: float) -> bool:
    """Return whether a floor is at or above a break-even."""
    return floor >= least or not apart(floor, least)


def level_at(inputs: Inputs, floor: Any, t: int) -> float:
    """Return a floor in a period, before escalation [money/quantity].

    Before the start it is that of the first period.
    """
    if floor.floor_index is None:
        return float(floor.floor)
    return inputs.price(floor.floor_index, max(0, t)) * (
        1.0 if floor.floor_factor is None else floor.floor_factor
    )


def _planned(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return how often a project goes ahead, in a period or over the horizon."""
    return float(sum(identity(each) == name and t in (None, s) for each, s in path.ahead.items()))


def _helped(path: PathAudit, name: str, level: str | None, t: int) -> float:
    """Return the grant of a project in a period, else its capital cost [money]."""
    row = path.inputs.at(t).keyed("projects")[name]
    grant = 0.0 if row.cost is None else row.cost * row.match
    return float(grant or row.capex or 0.0)


def _done(path: PathAudit) -> Done:
    """Return where each project goes ahead."""
    return {(name, None, t): 1.0 for name, t in path.ahead.items()}


TWIN = Twin(
    headings=(AuditedHeading("grants", "project", payer="projects"),),
    sheets=(
        AuditedSheet(
            name="projects",
            date="decided",
            member="project",
            instruction=AuditedInstruction(("project",), ("grant",), ("decided", "ready")),
            act=AuditedAct(
                table="projects",
                name="project",
                date="decided",
                supplier="supplier",
                decisions=("grant", "carried", "both"),
                cost="grant",
                invoice="grant",
                due="decided",
                until="decide_to",
                always=False,
                deed="project",
                metal=False,
            ),
        ),
    ),
    deeds=(AuditedDeed("project", "projects", _planned, _helped, metal=False),),
    choices=(AuditedChoice("project", _done),),
    decide=(projects,),
    follow=(carried, brought),
)
