"""What becomes of each project in a plan, and which level of a contract could carry it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, Act
from stockpile_model.blocks.commitments.commitment_terms import gone_before, ready_before
from stockpile_model.blocks.contracts import contract_terms as contracts
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.projects.project_terms import grant, members, ready, yearly
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import (
    ComparedChoice,
    Dated,
    DeedColumns,
    Result,
    column,
    columns,
    get,
    keys,
)
from stockpile_model.solved_plan import SolvedPlan, averaged, by_certainty
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project, Supplier


@dataclass(frozen=True, kw_only=True)
class ProjectOutcome(Dated):
    """A project and a level of a contract that could carry it; one row where none names it."""

    SHEET = "projects"
    ABOUT = "the pipeline of plants: which to help, and what each needs to exist"
    PLACE = 30
    MEANS = ("project", "decided", "contract", "level")
    DECIDED = "decided"
    RANK = 1
    LETTER = "P"
    DEED = DeedColumns("project", "project", "decided")
    NAMED = ("contract", "project")
    COMPARED = (ComparedChoice("project", "project", "decision", "decided", "no"),)
    ONE_ACROSS = True
    project: str = column("project")
    supplier: str = column("supplier")
    stage: str = column("how far the plant is", given=True)
    permits: str | None = column("permits that it has, and those that it lacks")
    output: float | None = column("whole output of the plant", "quantity/year", given=True)
    start: dt.date | None = column("date its supplier can first ship; blank = it ships")
    decision: str = column(
        "`grant`, `carried` by a contract, `both` together, `no`, or `before` the start"
    )
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
        "least constant price at which the plant pays for itself; blank = not known, as nothing "
        "says what it brings in a year, or what it costs",
        "money/quantity",
        given=True,
    )
    brought: float = column(
        "what the plan takes of it, expected; 0 = not used", "quantity", over="rest"
    )
    breakeven_granted: float | None = column(
        "the same, when the grant pays part of the capital", "money/quantity", given=True
    )
    grant_needed: float | None = column(
        "least grant with which that level carries the plant; blank = none does",
        "money",
        given=True,
    )
    carries: bool = column("whether that level makes the plant go ahead")
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))

    def act(self, now: Stockpile) -> Act | None:
        """Return the grant, or that the plant goes ahead; None where neither is decided."""
        if self.decision in ("no", "before") or self.decided is None:
            return None
        return Act(
            "go-ahead" if self.decision == "carried" else "grant",
            self.decided,
            Project.TABLE,
            self.project,
            supplier=self.supplier,
            deed="project",
            times=True,
            cost=self.grant or None,
            invoice=self.grant or None,
            due=self.decided,
            until=now.keyed(Project)[self.project].decide_to if self.grant else None,
        )

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield which projects get a grant, which are carried by contracts, and which by both.

        A grant of some scenarios is what is expected to be paid.
        """
        ways = {
            "grant": "Grant",
            "carried": "Carried by contracts:",
            "both": "Carried by a grant and contracts together:",
        }
        for decision, way in ways.items():
            # A row for each level of its contract: one is enough.
            rows = {(r.project, r.scenarios): r for r in plan.of(cls) if r.decision == decision}
            likely, paid = defaultdict[str, float](float), defaultdict[str, float](float)
            for (name, _), row in sorted(rows.items()):
                likely[name] += row.probability
                paid[name] += row.probability * row.grant
            for begin, names in by_certainty(plan, likely):
                money = sum(paid[name] for name in names)
                grant = (
                    f" ({amounts.rounded(money)} {plan.currency}{averaged(plan)})" if money else ""
                )
                words = f"{begin}{way.lower()}" if begin else way
                yield f"{words} {amounts.listed(names)}{grant}."


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what becomes of each project, for each node at which it goes ahead."""
    m, stockpile = formulation.m, formulation.stockpile
    for g, row in _by_stage(stockpile):
        granted = [n for gg, n in m.GRANTS if gg == g and evaluate(m.grant[gg, n]) > 0.5]
        carried = [n for gg, n in m.CARRIAGES if gg == g and evaluate(m.carry[gg, n]) > 0.5]
        for at in (*granted, *carried):
            yield from _outcomes(formulation, row, _going(formulation, g, at, at in granted))
        if gone_before(stockpile, g) is not None:
            for root in stockpile.tree.at[0]:
                yield from _outcomes(formulation, row, _Going(root, 0.0, "before"))
        elif not granted and not carried:
            yield from _outcomes(formulation, row, None)


def _by_stage(stockpile: Stockpile) -> list[tuple[str, Project]]:
    """Return the projects, those first whose plant is furthest."""
    stages = next(each.choices for each in columns(Supplier) if each.name == "stage")
    suppliers = stockpile.keyed(Supplier)
    return sorted(
        stockpile.keyed(Project).items(),
        key=lambda each: stages.index(suppliers[each[1].supplier].stage),
    )


@dataclass(frozen=True)
class _Going:
    """Describe how a project goes ahead at a node: for a grant [money] that is paid there, and by
    what."""

    node: int
    paid: float
    decision: str


def _going(formulation: Formulation, project: str, at: int, granted: bool) -> _Going:
    """Return how a project goes ahead at a node."""
    m, stockpile = formulation.m, formulation.stockpile
    if granted:
        paid = grant(stockpile.at(at).keyed(Project)[project]) or 0.0
        return _Going(at, paid, "grant")
    paid = evaluate(m.aid[project, at]) if (project, at) in m.AIDS else 0.0
    if paid <= stockpile.scale.no_money:
        return _Going(at, 0.0, "carried")
    signed = any(
        (k, f, at, n) in m.BEGINS and evaluate(m.begin[k, f, at, n]) > 0.5
        for k, f, n in m.SIGNINGS
        if n == at and stockpile.keyed(Contract)[k].project == project
    )
    return _Going(at, paid, "both" if signed else "grant")


def _brought(formulation: Formulation, project: str, at: int) -> float:
    """Return what a project that goes ahead at a node brings from then on, expected [quantity]."""
    stockpile = formulation.stockpile
    tree = stockpile.tree
    names = {(each.TABLE, get(each, keys(type(each))[0])) for each in members(stockpile, project)}
    below = frozenset(tree.below[at])
    found = sum(
        tree.probability[each.node] * evaluate(each.amount)
        for each in formulation.ledger.arrivals
        if (each.table, each.name) in names and each.node in below
    )
    found /= tree.probability[at]
    return found if found > stockpile.scale.nothing else 0.0


def _outcomes(
    formulation: Formulation, row: Project, going: _Going | None
) -> Iterator[ProjectOutcome]:
    """Yield the outcome of a project that goes ahead (None: it does not), by level."""
    stockpile, g = formulation.stockpile, row.project
    calendar, tree = stockpile.calendar, stockpile.tree
    supplier = stockpile.keyed(Supplier)[row.supplier]
    at = None if going is None else going.node
    decided = None if at is None else calendar.begin(tree.period[at])
    opened = None if at is None else calendar.begin(ready(stockpile, g, at))
    if (gone := gone_before(stockpile, g)) is not None:
        decided = calendar.begin(gone)
        opened = calendar.begin(ready_before(stockpile, g) or 0)
    instruction = _instruction(stockpile, row, decided, opened, going)
    brought = 0.0 if at is None else _brought(formulation, g, at)
    for contract, level in _levels(stockpile, g):
        node = next(iter(contracts.signable(stockpile, contract)), 0) if contract else 0
        now = stockpile.at(node)
        plant, floor = now.keyed(Project)[g], None
        if contract and level:
            floor = contracts.menu(now)[contract.contract][level]
        quantity = floor.annual_quantity if floor else yearly(now, g)
        least, granted_least = _breakevens(plant, quantity)
        carries = bool(contract and floor and contracts.carries(stockpile, contract, floor, node))
        yield ProjectOutcome(
            **({} if at is None else stockpile.where(at)),
            project=g,
            supplier=row.supplier,
            stage=supplier.stage,
            permits=row.permits,
            output=row.output,
            start=supplier.start,
            decision="no" if going is None else going.decision,
            decided=decided,
            ready=opened,
            grant=0.0 if going is None else going.paid,
            contract=contract.contract if contract else None,
            level=level,
            annual_quantity=quantity,
            floor=contracts.floor_value(stockpile, floor, node) if floor else None,
            breakeven=least,
            breakeven_granted=granted_least,
            grant_needed=_grant_needed(stockpile, plant, floor, node, carries),
            carries=carries,
            brought=brought,
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


def _grant_needed(
    stockpile: Stockpile, plant: Project, floor: Floor | None, node: int, carries: bool
) -> float | None:
    """Return the least grant with which a level (None: no contract) carries a plant [money].

    None where no grant does.
    """
    most = grant(plant)
    if carries or most is None or not contracts.financed(plant):
        return 0.0 if carries else most
    backed = 0.0 if floor is None else contracts.backing(stockpile, plant, floor, node)
    lacking = (plant.capex or 0.0) - backed
    return lacking if lacking <= most else None


def _breakevens(plant: Project, quantity: float | None) -> tuple[float | None, float | None]:
    """Return the break-even at a quantity, without a grant and with one; None where not known."""
    annual, given = quantity or 0.0, grant(plant)
    granted = None if given is None else contracts.breakeven(plant, annual, given)
    return contracts.breakeven(plant, annual), granted


def _instruction(
    stockpile: Stockpile,
    row: Project,
    decided: dt.date | None,
    opened: dt.date | None,
    going: _Going | None,
) -> str:
    """Return the sentence that says what to do."""
    if going is None or decided is None or opened is None:
        return f"do not help {row.project}"
    if going.decision == "before":
        opens = amounts.month(opened)
        return (
            f"{amounts.month(decided)}: {row.project} went ahead with {row.supplier}, ready {opens}"
        )
    granted = f"for a grant of {amounts.money(going.paid)} {stockpile.settings.currency}"
    carried = "carried by a contract"
    how = {"grant": granted, "carried": carried, "both": f"{granted} and {carried}"}[going.decision]
    when, opens = amounts.month(decided), amounts.month(opened)
    return f"{when}: {row.supplier} builds {row.project}, ready {opens}, {how}"
