"""Projects: plants that exist only if helped, by a grant or by a contract whose floor carries them."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block, Deed, Tally
from stockpile_model.blocks import price_floors
from stockpile_model.blocks.breakeven import breakeven
from stockpile_model.blocks.price_floors import Contract
from stockpile_model.blocks.price_floors import ready as ready_from
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered, whole_periods
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.schema import Dated, Problem, Result, Row, column, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


@dataclass(frozen=True, kw_only=True)
class ProjectOutcome(Dated):
    """One row for each project and level of a contract that could carry it; one row where no contract names it."""

    SHEET = "projects"
    ABOUT = "which plants to help, and the floor at which each pays for itself"
    PLACE = 30
    MEANS = ("project", "decided", "contract", "level")
    DECIDED = "decided"
    project: str = column("project")
    supplier: str = column("supplier")
    decision: str = column("`grant`, `carried` by a contract, or `no`")
    decided: dt.date | None = column("first day of the period in which it goes ahead")
    ready: dt.date | None = column("first day of the period from which it is ready")
    grant: float = column("paid as a grant, undiscounted", "money")
    contract: str | None = column("contract that could carry it")
    level: str | None = column("level of that contract")
    annual_quantity: float | None = column("quantity committed at that level", "quantity/year", given=True)
    floor: float | None = column("floor at that level, at the first date it can be signed", "money/quantity", given=True)
    breakeven: float | None = column(
        "least constant price at which the plant pays for itself; blank = not known", "money/quantity", given=True
    )
    breakeven_granted: float | None = column("the same, when the grant pays part of the capital", "money/quantity", given=True)
    carries: bool = column("whether that level makes the plant go ahead")
    instruction: str = column("what to do", sentence=True)


def grant(project: Project) -> float | None:
    """What the buyer pays if it grants [money]; None where it cannot."""
    return None if project.cost is None else project.cost * project.match


def members(stockpile: Stockpile, project: str) -> list[Row]:
    """The offers and contracts that wait for a project."""
    found = (row for kind, rows in stockpile.tables.items() if any(each.refers == "projects" for each in columns(kind)) for row in rows)
    return [row for row in found if get(row, "project") == project]


@functools.lru_cache(maxsize=256)
def grantable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """The nodes at which a project can be granted; it may be ready after the horizon, where the officer has committed to it."""
    found = []
    for n in stockpile.tree.nodes:
        row = stockpile.at(n).keyed(Project)[project]
        window = overlap(stockpile.calendar, row.decide_from, row.decide_to)
        if grant(row) is not None and stockpile.counts(row.supplier) and stockpile.tree.period[n] in window:
            found.append(n)
    return tuple(found)


@functools.lru_cache(maxsize=256)
def carriable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """The nodes at which the signing of a contract can make a project go ahead and be ready within the horizon."""
    if not stockpile.counts(stockpile.keyed(Project)[project].supplier):
        return ()
    found = {
        n
        for row in stockpile.rows(Contract)
        if row.project == project and stockpile.counts(row.supplier)
        for n in price_floors.signable(stockpile, row)
        if ready_from(stockpile, project, n) < stockpile.calendar.periods
        and any(price_floors.carries(stockpile, row, floor, n) for floor in price_floors.menu(stockpile.at(n))[row.contract].values())
    }
    return tuple(sorted(found))


def earliest(stockpile: Stockpile, project: str) -> int:
    """The first period in which a project can be ready; past the horizon where it never can."""
    decided = (*grantable(stockpile, project), *carriable(stockpile, project))
    return min((ready_from(stockpile, project, n) for n in decided), default=stockpile.calendar.periods)


def ready(m: pyo.ConcreteModel, stockpile: Stockpile, project: str, node: int) -> Any:
    """Whether a project is ready at a node: Σ of the ways to go ahead at least its lag before, on the path [1]."""
    path, period = stockpile.tree.paths[node], stockpile.tree.period[node]
    return summed([each for n in path if ready_from(stockpile, project, n) <= period for each in going(m, project, n)])


def going(m: pyo.ConcreteModel, project: str, node: int) -> list[Any]:
    """The ways in which a project goes ahead at a node."""
    ways = ((m.GRANTS, m.grant), (m.CARRIAGES, m.carry))
    return [variable[project, node] for keys, variable in ways if (project, node) in keys]


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Project):
        yield from ordered(row, "decide_from", "decide_to")
        yield from whole_periods(stockpile, row, "ready_lag_months")
        if (row.capex is None) != (row.life_years is None):
            name, other = ("capex", "life_years") if row.capex is None else ("life_years", "capex")
            yield Problem(row.TABLE, row.line, name, f"is required beside {other}: the break-even follows from both")
        for each in members(stockpile, row.project):
            if get(each, "supplier") != row.supplier:
                message = f"is not the supplier of project {row.project}, {row.supplier}: found {get(each, 'supplier')}"
                yield Problem(each.TABLE, each.line, "supplier", message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Project):
        if not members(stockpile, row.project):
            yield Problem(row.TABLE, row.line, "project", f"no offer and no contract waits for {row.project}: it changes nothing", True)
        elif stockpile.counts(row.supplier) and earliest(stockpile, row.project) >= stockpile.calendar.periods:
            message = (
                f"{row.project} can never go ahead within the horizon: give a cost that a grant shares, or a level of one of its contracts "
                "at or above the break-even; see its dates and ready_lag_months"
            )
            yield Problem(row.TABLE, row.line, "project", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """A project goes ahead once at most on a path, granted (cost × match is paid) or carried by a contract:

    Σ_path (grant + carry) ≤ 1.

    `price_floors` lets it be carried by a signature at or above its break-even only.
    """
    projects, tree = stockpile.keyed(Project), stockpile.tree
    m.GRANTS = pyo.Set(dimen=2, initialize=[(g, n) for g in projects for n in grantable(stockpile, g)], doc="project, node of a grant")
    m.CARRIAGES = pyo.Set(
        dimen=2,
        initialize=[(g, n) for g in projects for n in carriable(stockpile, g)],
        doc="project, node at which a contract can carry it",
    )
    m.grant = pyo.Var(m.GRANTS, domain=pyo.Binary, doc="whether a project is granted and goes ahead [1]")
    m.priority[m.grant] = 1
    m.carry = pyo.Var(m.CARRIAGES, domain=pyo.Binary, doc="whether a project goes ahead by the signing of a contract [1]")
    m.priority[m.carry] = 1

    decided = {g: {*grantable(stockpile, g), *carriable(stockpile, g)} for g in projects}
    ends = {(g, max(nodes)) for g in projects for leaf in tree.leaves if (nodes := decided[g].intersection(tree.paths[leaf]))}
    m.forbid_second_go = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, g, n: summed(each for s in tree.paths[n] for each in going(m, g, s)) <= 1,
        doc="a project goes ahead once at most on every path [1]",
    )
    for g, n in m.GRANTS:
        row = stockpile.at(n).keyed(Project)[g]
        if amount := grant(row):
            ledger.pay(n, "grants", amount * m.grant[g, n], "project", _material(stockpile, g), name=g, payer=row.fund)


def _material(stockpile: Stockpile, project: str) -> str | None:
    """The one material that a project brings; None where there are several."""
    found = {str(get(row, "material")) for row in members(stockpile, project)}
    return next(iter(found)) if len(found) == 1 else None


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    for g, row in stockpile.keyed(Project).items():
        granted = [n for gg, n in m.GRANTS if gg == g and evaluate(m.grant[gg, n]) > 0.5]
        carried = [n for gg, n in m.CARRIAGES if gg == g and evaluate(m.carry[gg, n]) > 0.5]
        for at in (*granted, *carried) or (None,):
            yield from _outcomes(stockpile, g, row, at, at in granted)


def _outcomes(stockpile: Stockpile, g: str, row: Project, at: int | None, granted: bool) -> Iterator[ProjectOutcome]:
    """What becomes of a project that goes ahead at a node (None: it does not), for each level that could carry it."""
    calendar, tree, levels = stockpile.calendar, stockpile.tree, price_floors.menu(stockpile)
    decision = "no" if at is None else "grant" if granted else "carried"
    date = None if at is None else calendar.begin(tree.period[at])
    opened = None if at is None else calendar.begin(ready_from(stockpile, g, at))
    paid = (grant(stockpile.at(at).keyed(Project)[g]) or 0.0) if at is not None and granted else 0.0
    told = (
        f"do not help {g}"
        if date is None or opened is None
        else f"{amounts.month(date)}: {row.supplier} builds {g}, ready {amounts.month(opened)}, "
        + (f"for a grant of {amounts.money(paid)} {stockpile.settings.currency}" if granted else "carried by a contract")
    )
    menus = [(each, f) for each in stockpile.rows(Contract) if each.project == g for f in levels[each.contract]]
    pairs: list[tuple[Contract | None, str | None]] = [*menus] or [(None, None)]
    for contract, f in pairs:
        node = next(iter(price_floors.signable(stockpile, contract)), 0) if contract else 0
        now = stockpile.at(node)
        plant, floor = now.keyed(Project)[g], price_floors.menu(now)[contract.contract][f] if contract and f else None
        quantity = floor.annual_quantity if floor else _yearly(now, g)
        yield ProjectOutcome(
            **({} if at is None else stockpile.where(at)),
            project=g,
            supplier=row.supplier,
            decision=decision,
            decided=date,
            ready=opened,
            grant=paid if paid > stockpile.scale.no_money else 0.0,
            contract=contract.contract if contract else None,
            level=f,
            annual_quantity=quantity,
            floor=price_floors.floor_value(stockpile, floor, node) if floor else None,
            breakeven=None if quantity is None else breakeven(plant, quantity),
            breakeven_granted=None if quantity is None or grant(plant) is None else breakeven(plant, quantity, grant(plant) or 0.0),
            carries=bool(contract and floor and price_floors.carries(stockpile, contract, floor, node)),
            instruction=told,
        )


def _yearly(stockpile: Stockpile, project: str) -> float | None:
    """What the offers of a project bring in a year at most [quantity/year]; None where nothing says it."""
    found = [get(row, "capacity") for row in members(stockpile, project) if row.TABLE == "offers"]
    return None if None in found else sum(found) * 12 / stockpile.calendar.months


def orphan(row: Row, column: str) -> Row | None:
    """Keep a project whose fund is left out: then nobody may pay its grant."""
    return replace(row, fund=None, cost=None) if isinstance(row, Project) and column == "fund" else None


def _can_go(stockpile: Stockpile, name: str) -> tuple[int, ...]:
    """Return the nodes at which a project can go ahead."""
    return (*grantable(stockpile, name), *carriable(stockpile, name))


def _gone(m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int) -> list[Any]:
    """Return the ways in which a project goes ahead at a node."""
    return going(m, name, node)


DEED = Deed("project", Project.TABLE, metal=False, possible=_can_go, done=_gone)


BLOCK = Block(
    tables=(Project,),
    results=(ProjectOutcome,),
    headings=(Heading("grants", "the buyer's share of a project"),),
    decisions=("grant", "carry"),
    tallies=(Tally("grant", "project", "ever"), Tally("carry", "project", "ever")),
    deeds=(DEED,),
    check=check,
    review=review,
    add=add,
    report=report,
    orphan=orphan,
)
