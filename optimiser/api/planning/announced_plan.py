"""A plan that was announced: what it decides, at the nodes of the workbook that is planned now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from optimiser.api.saved_plan import SavedPlan, load_plan
from optimiser.auditing import AnnouncedSheets
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.system.errors import Fault, InputError
from stockpile_model.block import announceable, results
from stockpile_model.name_lists import names_in
from stockpile_model.names import identity
from stockpile_model.nearness import DeedKey, members, nothing_of, value_of
from stockpile_model.schema import DeedColumns, Result
from stockpile_model.solved_plan import counted
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL, BASE

Announced = Plan | SavedPlan | str | Path
"""A plan that was announced: in memory, read before, or the path of its file."""


@dataclass(frozen=True)
class ShownDecision:
    """A decision of a plan as one of its rows shows it.

    `scenarios` are those it holds for; None: all. `amount` is a quantity, or how often.
    """

    kind: str
    name: str
    level: str | None
    date: dt.date
    scenarios: frozenset[str] | None
    amount: float


@dataclass(frozen=True)
class AnnouncedPlan:
    """Describe what was announced, as far as the horizon of the workbook that is planned now covers
    it.

    `amounts` are by decision and node, in the names of that workbook where it has them; `ends` is
    the day from which nothing was announced, `file` the name of the file.
    """

    plan: Plan
    file: str
    amounts: Mapping[DeedKey, float]
    ends: dt.date

    def value(self, stockpile: Stockpile, key: DeedKey) -> float:
        """Return what a unit of a decision moves that is not possible any more: as the workbook
        now has it, else as the announced one had it [money/quantity, or money].
        """
        if (key.name, key.level) in set(members(stockpile, announceable()[key.kind])):
            return value_of(stockpile, key)
        was = self.plan.stockpile
        period = was.calendar.period(stockpile.date(key.node))
        node = next(iter(was.tree.at.get(period, (0,))))
        return value_of(was, key._replace(node=node))


def read_announced(plan: Announced) -> tuple[Plan, str]:
    """Return a plan that was announced, and the name of its file.

    Raises InputError for what is no plan.
    """
    if isinstance(plan, Plan):
        return plan, "a plan in memory"
    saved = load_plan(plan) if isinstance(plan, (str, Path)) else plan
    return saved.plan, saved.source


def announced_plan(plan: Plan, file: str, stockpile: Stockpile) -> AnnouncedPlan:
    """Return what a plan announced for the nodes of an unfolded stockpile.

    Raises InputError where the two have nothing in common.
    """
    ends = ends_of(plan)
    _refuse_others(plan, file, stockpile, ends)
    shown = list(_shown(plan))
    kept = [each for each in shown if stockpile.settings.start <= each.date < ends]
    known = _spellings(stockpile)
    names = {_called(each, known)[:2] for each in kept}
    there = {
        (kind, name)
        for kind, deed in announceable().items()
        for name in stockpile.names(deed.table)
    }
    if names and not names & there:
        first = kept[0]
        message = (
            f"none of its decisions from {stockpile.settings.start} on is one of this workbook"
            f" (the first is {first.kind} {first.name}): name a plan of the same stockpile"
        )
        raise InputError([Fault(file, message)])
    return AnnouncedPlan(plan, file, _by_node(plan, kept, known, stockpile), ends)


def ends_of(plan: Plan) -> dt.date:
    """Return the day from which a plan says nothing."""
    calendar = plan.stockpile.calendar
    return calendar.begin(calendar.periods) if plan.until is None else plan.until


def announced_sheets(plan: Plan) -> AnnouncedSheets:
    """Return a plan that was announced as the audit of a plan near it reads it."""
    return AnnouncedSheets(plan.stockpile, as_sheets(plan), ends_of(plan))


def _refuse_others(plan: Plan, file: str, stockpile: Stockpile, ends: dt.date) -> None:
    """Raise InputError for a plan in other units, of other materials or of another time."""
    settings = stockpile.settings
    for what, has, asked in (
        ("quantities", plan.unit, settings.quantity_unit),
        ("money", plan.currency, settings.currency),
    ):
        if has != asked:
            message = f"has {what} in {has}, the workbook in {asked}: no plan can stay near it"
            raise InputError([Fault(file, message)])
    both = (stockpile, plan.stockpile)
    own, other = ({identity(name) for name in of.names("materials")} for of in both)
    if not own & other:
        message = (
            f"is about {', '.join(plan.stockpile.names('materials'))}, the workbook about"
            f" {', '.join(stockpile.names('materials'))}: no plan can stay near it"
        )
        raise InputError([Fault(file, message)])
    start, end = settings.start, stockpile.calendar.begin(settings.periods)
    if ends <= start or plan.stockpile.settings.start >= end:
        message = (
            f"is of {plan.stockpile.settings.start} to {ends}, the workbook of {start} to {end}: it"
            " announces nothing for that time"
        )
        raise InputError([Fault(file, message)])


def _shown(plan: Plan) -> Iterator[ShownDecision]:
    """Yield the decisions that the rows of a plan show."""
    for kind in results():
        if kind.DEED is not None:
            for row in plan.of(kind):
                if (found := _of_row(row, kind.DEED)) is not None:
                    yield found
    for kind_name, deed in announceable().items():
        for each in deed.shown(plan):
            yield ShownDecision(
                kind_name, each.name, None, each.date, _listed(each.scenarios), each.amount
            )


def _of_row(row: Result, by: DeedColumns) -> ShownDecision | None:
    """Return the decision of a row; None where it shows none."""
    name, date = getattr(row, by.name), getattr(row, by.date)
    if name is None or date is None:
        return None
    scenarios = _listed(getattr(row, "scenarios", ALL) or ALL)
    level = getattr(row, by.level) if by.level else None
    amount = float(getattr(row, by.quantity)) if by.quantity else 1.0
    return ShownDecision(by.kind, name, level, date, scenarios, amount)


def _listed(scenarios: str) -> frozenset[str] | None:
    """Return the scenarios that a row lists; None: all."""
    return None if scenarios == ALL else frozenset(map(identity, names_in(scenarios)))


Spelt = Mapping[tuple[str, str, str | None], tuple[str, str | None]]


def _spellings(stockpile: Stockpile) -> Spelt:
    """Return names and levels as the workbook spells them, by kind and what they are alike."""
    return {
        (kind, identity(name), None if level is None else identity(level)): (name, level)
        for kind, deed in announceable().items()
        for name, level in members(stockpile, deed)
    }


def _called(each: ShownDecision, known: Spelt) -> tuple[str, str, str | None]:
    """Return the kind of a decision with its name and level, as the workbook spells them."""
    level = None if each.level is None else identity(each.level)
    name = known.get((each.kind, identity(each.name), level), (each.name, each.level))
    return each.kind, *name


def _by_node(
    plan: Plan, shown: Iterable[ShownDecision], known: Spelt, stockpile: Stockpile
) -> dict[DeedKey, float]:
    """Return what is announced at each node: that of the announced path of its scenario.

    The base of a workbook that was rolled forward is the scenario that has come. It is that of the
    base, or the likeliest, where the announced plan has no such scenario.
    """
    calendar, tree, metal = (
        stockpile.calendar,
        stockpile.tree,
        {kind: deed.metal for kind, deed in announceable().items()},
    )
    at: dict[int, list[ShownDecision]] = defaultdict(list)
    for each in shown:
        at[calendar.period(each.date)].append(each)
    paths = {identity(name) for name in plan.stockpile.scenarios}
    base = _base(plan, stockpile)
    other = identity(counted(plan.stockpile)) if base == BASE and paths else base
    found: dict[DeedKey, float] = defaultdict(float)
    for n in tree.nodes:
        scenario = _scenario(stockpile, n, paths, base, other)
        for each in at.get(tree.period[n], ()):
            if each.scenarios is None or scenario in each.scenarios:
                found[DeedKey(*_called(each, known), n)] += each.amount
    return {
        key: amount if metal[key.kind] else 1.0
        for key, amount in found.items()
        if amount > nothing_of(stockpile, key.kind)
    }


def _base(plan: Plan, stockpile: Stockpile) -> str:
    """Return the announced scenario that the base of a workbook is.

    It is the one that has come since the plan, where that announced it; else the base.
    """
    came, before = (
        identity(of.settings.realised_scenario or BASE) for of in (stockpile, plan.stockpile)
    )
    announced = {identity(name) for name in plan.stockpile.scenarios}
    return came if came in announced and came != before else BASE


def _scenario(stockpile: Stockpile, node: int, paths: set[str], base: str, other: str) -> str:
    """Return the announced scenario on whose path a node is: the likeliest that passes it."""
    leaves, probability = stockpile.scenarios, stockpile.tree.probability
    if BASE in stockpile.holds[node] and base in paths:
        return base
    passing = [name for name in stockpile.holds[node] if identity(name) in paths]
    if not passing:
        return other
    return identity(max(passing, key=lambda name: probability[leaves[name]]))
