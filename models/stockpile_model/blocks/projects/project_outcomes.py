"""What becomes of each project in a plan, and which level of a contract could carry it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.blocks.contracts import contract_terms as contracts
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.projects.project_terms import grant, ready, yearly
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import ComparedChoice, Dated, Result, column
from stockpile_model.solved_plan import SolvedPlan
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


@dataclass(frozen=True, kw_only=True)
class ProjectOutcome(Dated):
    """A project and a level of a contract that could carry it; one row where none names it."""

    SHEET = "projects"
    ABOUT = "which plants to help, and the floor at which each pays for itself"
    PLACE = 30
    MEANS = ("project", "decided", "contract", "level")
    DECIDED = "decided"
    RANK = 1
    NAMED = ("contract", "project")
    COMPARED = (ComparedChoice("project", "project", "decision", "decided", "no"),)
    project: str = column("project")
    supplier: str = column("supplier")
    decision: str = column("`grant`, `carried` by a contract, or `no`")
    decided: dt.date | None = column("first day of the period in which it goes ahead")
    ready: dt.date | None = column("first day of the period from which it is ready")
    grant: float = column("paid as a grant, undiscounted", "money")
    contract: str | None = column("contract that could carry it")
    level: str | None = column("level of that contract")
    annual_quantity: float | None = column(
        "quantity committed at that level", "quantity/year", given=True
    )
    floor: float | None = column(
        "floor at that level, at the first date it can be signed", "money/quantity", given=True
    )
    breakeven: float | None = column(
        "least constant price at which the plant pays for itself; blank = not known",
        "money/quantity",
        given=True,
    )
    breakeven_granted: float | None = column(
        "the same, when the grant pays part of the capital", "money/quantity", given=True
    )
    carries: bool = column("whether that level makes the plant go ahead")
    instruction: str = column("what to do", sentence=True)

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield which projects get a grant, and which are carried by contracts."""
        helped = {each.project: each for each in plan.of(cls) if each.decision != "no"}
        for decision, begin in (("grant", "Grant"), ("carried", "Carried by contracts:")):
            if names := sorted(name for name, each in helped.items() if each.decision == decision):
                paid = sum(helped[name].grant for name in names)
                grant = f" ({amounts.money(paid)} {plan.currency})" if paid else ""
                yield f"{begin} {amounts.listed(names)}{grant}."


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what becomes of each project, for each node at which it goes ahead."""
    m, stockpile = formulation.m, formulation.stockpile
    for g, row in stockpile.keyed(Project).items():
        granted = [n for gg, n in m.GRANTS if gg == g and evaluate(m.grant[gg, n]) > 0.5]
        carried = [n for gg, n in m.CARRIAGES if gg == g and evaluate(m.carry[gg, n]) > 0.5]
        for at in (*granted, *carried) or (None,):
            yield from _outcomes(stockpile, row, at, at in granted)


def _outcomes(
    stockpile: Stockpile, row: Project, at: int | None, granted: bool
) -> Iterator[ProjectOutcome]:
    """Yield the outcome of a project that goes ahead at a node (None: it does not), by level."""
    calendar, tree, g = stockpile.calendar, stockpile.tree, row.project
    decided = None if at is None else calendar.begin(tree.period[at])
    opened = None if at is None else calendar.begin(ready(stockpile, g, at))
    paid = 0.0
    if at is not None and granted:
        paid = grant(stockpile.at(at).keyed(Project)[g]) or 0.0
    instruction = _instruction(stockpile, row, decided, opened, paid if granted else None)
    for contract, level in _levels(stockpile, g):
        node = next(iter(contracts.signable(stockpile, contract)), 0) if contract else 0
        now = stockpile.at(node)
        plant, floor = now.keyed(Project)[g], None
        if contract and level:
            floor = contracts.menu(now)[contract.contract][level]
        quantity = floor.annual_quantity if floor else yearly(now, g)
        least, granted_least = _breakevens(plant, quantity)
        yield ProjectOutcome(
            **({} if at is None else stockpile.where(at)),
            project=g,
            supplier=row.supplier,
            decision="no" if at is None else "grant" if granted else "carried",
            decided=decided,
            ready=opened,
            grant=paid if paid > stockpile.scale.no_money else 0.0,
            contract=contract.contract if contract else None,
            level=level,
            annual_quantity=quantity,
            floor=contracts.floor_value(stockpile, floor, node) if floor else None,
            breakeven=least,
            breakeven_granted=granted_least,
            carries=bool(
                contract and floor and contracts.carries(stockpile, contract, floor, node)
            ),
            instruction=instruction,
        )


def _levels(stockpile: Stockpile, project: str) -> list[tuple[Contract | None, str | None]]:
    """Return the contracts of a project and their levels; (None, None) where it has none."""
    menu = contracts.menu(stockpile)
    found: list[tuple[Contract | None, str | None]] = [
        (row, f)
        for row in stockpile.rows(Contract)
        if row.project == project
        for f in menu[row.contract]
    ]
    return found or [(None, None)]


def _breakevens(plant: Project, quantity: float | None) -> tuple[float | None, float | None]:
    """Return the break-even at a quantity, without a grant and with one; None where not known."""
    if quantity is None:
        return None, None
    given = grant(plant)
    granted = None if given is None else contracts.breakeven(plant, quantity, given)
    return contracts.breakeven(plant, quantity), granted


def _instruction(
    stockpile: Stockpile,
    row: Project,
    decided: dt.date | None,
    opened: dt.date | None,
    paid: float | None,
) -> str:
    """Return the sentence that says what to do; `paid` as a grant, None where it is carried."""
    if decided is None or opened is None:
        return f"do not help {row.project}"
    how = (
        "carried by a contract"
        if paid is None
        else f"for a grant of {amounts.money(paid)} {stockpile.settings.currency}"
    )
    when, opens = amounts.month(decided), amounts.month(opened)
    return f"{when}: {row.supplier} builds {row.project}, ready {opens}, {how}"
