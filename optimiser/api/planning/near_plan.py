"""Plan near what was announced: the plan that changes least, or the best with changes priced.

First the plan is searched as ever, which gives the bound: no plan costs less. Then, with nothing
changed of what was announced, the rest is decided. Where that is within the gap that was asked for,
it is the plan. Else the search goes on: for the least changes of the plans within that gap, or for
the least sum of cost and priced changes. Neither touches the bound.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimiser.api.planning.announced_plan import AnnouncedPlan, announced_sheets
from optimiser.api.planning.changed_inputs import ChangedCell, behind, changed_inputs
from optimiser.auditing import AnnouncedSheets
from optimiser.explaining.bounded_solve import Watch
from optimiser.plan.plan_changes import (
    CHANGE_COST,
    CHEAPEST,
    KEPT,
    LEAST_CHANGES,
    LEAST_SUM,
    MOVED,
    NONE,
    STAYS_NEAR,
    PlanChange,
    kind_of,
)
from optimiser.solving.highs import Snapshot
from optimiser.solving.search_options import Options, Progress
from optimiser.solving.solve import Outcome, restated, scenario_tree
from optimiser.solving.standard_form import StandardForm, standard_form
from optimiser.solving.staying import NearPlan, StayingSearch
from optimiser.system.interrupts import Interrupt
from stockpile_model import amounts
from stockpile_model.block import announceable
from stockpile_model.formulation import Formulation
from stockpile_model.nearness import (
    Decided,
    DeedKey,
    add_nearness,
    decided,
    members,
    nothing_of,
    parts,
    remove_nearness,
)
from stockpile_model.stockpile import Stockpile

LEAST_SECONDS = 10.0  # of the search for a plan near the announced one [s]
MOST_NAMED = 3  # cells that a reason names
CAREFUL = 0.999  # what part of the gap is used: rounding may cost the rest
KEPT_SHARE, ASKED_SHARE = 0.4, 1.0
"""Of the time: for the plan that changes nothing, and on top for what keeping decisions costs."""


@dataclass(frozen=True)
class NearOutcome:
    """A plan near the announced one, which stands in its model: how its search ended, each decision
    with its change, and what the sheet `run` records.

    `cheapest`: no plan with the same whole decisions costs less, so that its linear program says
    what would change it. `announced`: the sheets with which its audit compares the changes.
    """

    outcome: Outcome
    rows: tuple[PlanChange, ...]
    run: Mapping[str, object]
    cheapest: bool
    announced: AnnouncedSheets


def near_plan(
    formulation: Formulation,
    outcome: Outcome,
    announced: AnnouncedPlan,
    change_cost: float | None,
    options: Options,
    progress: Watch = None,
) -> NearOutcome:
    """Return the plan near the announced one, from a solved formulation.

    `change_cost`: what a change costs, as a share of its value. None: of the plans within the gap
    that was asked for it is the one that changes least; where the solved plan is not within it, of
    those that cost no more than that.
    """
    begun = time.perf_counter()
    stockpile = formulation.stockpile
    decisions = decided(formulation, announced.amounts, _within(stockpile, announced))
    add_nearness(formulation, decisions)
    try:
        form = _compiled(formulation)
        x = np.array([each.value for each in form.variables], dtype=np.float64)
        with Interrupt() as interrupt:
            search = StayingSearch(
                form,
                x / form.sizes.column,
                options,
                interrupt,
                scenario_tree(formulation),
                _watch(progress),
            )
            budget = min(options.time_limit, max(LEAST_SECONDS, outcome.seconds))
            worth = _worth(stockpile, decisions)
            chosen = _chosen(search, outcome, worth, change_cost, options.gap, budget)
            if chosen.x is not search.x:
                _set(form, chosen)
            keeping = _keeping(search, chosen, decisions, formulation, ASKED_SHARE * budget)
        if chosen.x is search.x:  # it is as it was
            final, least = outcome, float(outcome.objective or 0.0)
        else:
            final, least = restated(outcome, options.gap)
        enough = options.gap * abs(float(final.objective or 0.0))
        rows = tuple(ChangeRows(stockpile, announced, keeping, enough).rows(decisions))
    finally:
        remove_nearness(formulation)
    cost = float(final.objective or 0.0)
    gone = _gone(announced, stockpile, decisions)
    run = {
        STAYS_NEAR: announced.file,
        CHANGE_COST: NONE if change_cost is None else change_cost,
        CHEAPEST: outcome.objective,
        MOVED: search.known.changed + gone,
        **_proven_of(chosen, change_cost, gone),
        "seconds staying near": round(time.perf_counter() - begun, 3),
    }
    noise = amounts.NOISE * max(abs(cost), stockpile.scale.money)
    sheets, cheapest = announced_sheets(announced.plan), cost - least <= noise
    return NearOutcome(final, rows, run, cheapest, sheets)


def _gone(announced: AnnouncedPlan, stockpile: Stockpile, decisions: Sequence[Decided]) -> float:
    """Return the expected value of what was announced and is not possible any more [money]."""
    known, probability = {d.key for d in decisions}, stockpile.tree.probability
    return math.fsum(
        probability[key.node] * amount * announced.value(stockpile, key)
        for key, amount in announced.amounts.items()
        if key not in known
    )


def _proven_of(chosen: NearPlan, change_cost: float | None, gone: float) -> dict[str, object]:
    """Return what the search near the announced plan proves, as the run records it."""
    if chosen.bound is None:
        return {}
    if change_cost is None:
        least = max(0.0, chosen.bound) + gone
        trivial = least <= amounts.NOISE * (chosen.changed + gone)
        return {} if trivial and chosen.changed else {LEAST_CHANGES: least}
    return {LEAST_SUM: chosen.bound + change_cost * gone}


def _compiled(formulation: Formulation) -> StandardForm:
    """Return the program with what is changed as its last objective."""
    formulation.m.changed.activate()
    try:
        return standard_form(formulation.m)
    finally:
        formulation.m.changed.deactivate()


def _within(stockpile: Stockpile, announced: AnnouncedPlan) -> Callable[[int], bool]:
    """Return whether the announced plan says what is done at a node."""
    first = announced.plan.stockpile.settings.start
    return lambda n: (
        first <= stockpile.calendar.end(stockpile.tree.period[n])
        and (stockpile.date(n) < announced.ends)
    )


def _worth(stockpile: Stockpile, decisions: Sequence[Decided]) -> float:
    """Return the expected value of what was announced and is possible [money]."""
    probability = stockpile.tree.probability
    return math.fsum(probability[d.key.node] * d.value * d.announced for d in decisions)


# --- The search -----------------------------------------------------------------------------------


def _chosen(
    search: StayingSearch,
    outcome: Outcome,
    worth: float,
    change_cost: float | None,
    asked: float,
    budget: float,
) -> NearPlan:
    """Return the plan near the announced one."""
    plain, begun = search.known, time.perf_counter()
    if change_cost == 0 or search.interrupt.requested:
        return plain
    kept = search.kept(worth, KEPT_SHARE * budget)
    left = budget - (time.perf_counter() - begun)
    if change_cost is None:
        most = _most(plain.cost, outcome, asked)
        if kept is not None and kept.cost <= most:
            return replace(kept, bound=0.0)
        return search.least_changed(most, plain, left)
    weight = change_cost
    known = [each for each in (plain, kept) if each is not None]
    start = min(known, key=lambda each: each.cost + weight * each.changed)
    return search.priced(weight, start, left)


def _most(cost: float, outcome: Outcome, asked: float) -> float:
    """Return what a plan may cost that is within the gap; no less than the one that is solved."""
    bound = outcome.bound
    if bound is None or asked >= 1:
        return cost
    # (cost - bound) / |cost| is the gap.
    within = bound / (1 - CAREFUL * asked) if bound > 0 else bound / (1 + CAREFUL * asked)
    return max(cost, within)


def _set(form: StandardForm, plan: NearPlan) -> None:
    """Leave a plan in its model."""
    values = form.sizes.values(plan.x) + 0.0
    for variable, value in zip(form.variables, values.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)


def _watch(progress: Watch) -> Callable[[Snapshot], None] | None:
    """Return what reports the progress of the search near the announced plan."""
    if progress is None:
        return None

    def watch(seen: Snapshot) -> None:
        progress(
            Progress(
                stage=1,
                stages=1,
                objective="changes",
                seconds=seen.seconds,
                nodes=seen.nodes,
                incumbent=None,
                bound=None,
                phase="staying near the announced plan",
            )
        )

    return watch


def _keeping(
    search: StayingSearch,
    plan: NearPlan,
    decisions: Sequence[Decided],
    formulation: Formulation,
    seconds: float,
) -> dict[DeedKey, float | None]:
    """Return what keeping changed decisions would cost, the weightiest first [money].

    Infinite where no plan with the other whole decisions keeps it, None where there was no time. A
    whole one that can be done in several ways is left out.
    """
    form, kinds = search.form, {d.key: change_of(formulation.stockpile, d) for d in decisions}
    changed = [d for d in decisions if kinds[d.key] != KEPT]
    if not changed:
        return {}
    changed.sort(key=lambda d: -abs(d.now - d.announced) * d.value)
    names = {d.key.name for d in changed}
    others = {j for d in decisions if kinds[d.key] == KEPT for j in _columns(form, d.done)}
    freed = [
        int(j)
        for j in np.flatnonzero(form.program.integer)
        if not names.isdisjoint(map(str, form.labels[j][1])) and j not in others
    ]
    asked = {d.key: _columns(form, parts(formulation.m, d)) for d in changed}
    asked = {key: columns for key, columns in asked.items() if columns}
    found = search.keeping(plan, freed, [*asked.values()], seconds)
    return dict(zip(asked, found, strict=True))


def _columns(form: StandardForm, of: Sequence[Any]) -> list[int]:
    """Return the columns of variables that the program has."""
    return [j for each in of if (j := form.column(each)) is not None]


# --- The rows -------------------------------------------------------------------------------------


def change_of(stockpile: Stockpile, each: Decided) -> str:
    """Return what has become of a decision."""
    return kind_of(each.announced, each.now, nothing_of(stockpile, each.key.kind))


@dataclass
class ChangeRows:
    """The rows of what has become of each decision.

    `keeping`: what keeping a changed decision would cost [money]: infinite where no plan with the
    other whole decisions does, None where there was no time; without a whole one that can be done
    in several ways. `enough`: the cost that is within the gap that was asked for [money].
    """

    stockpile: Stockpile
    announced: AnnouncedPlan
    keeping: Mapping[DeedKey, float | None]
    enough: float

    def __post_init__(self) -> None:
        self.inputs = changed_inputs(self.announced.plan, self.stockpile)

    def rows(self, decisions: Sequence[Decided]) -> Iterator[PlanChange]:
        """Yield the rows by date; those of what is not possible any more too."""
        every = {each.key: each for each in decisions}
        lost = {key for key in self.announced.amounts if key not in every}
        for key in lost:
            value = self.announced.value(self.stockpile, key)
            every[key] = Decided(key, self.announced.amounts[key], value, ())
        shown = [
            d
            for d in every.values()
            if d.announced > 0 or d.now > nothing_of(self.stockpile, d.key.kind)
        ]
        changed = [d.key for d in shown if change_of(self.stockpile, d) != KEPT]
        own = {key: behind(key, self.stockpile, self.inputs) for key in sorted(changed, key=str)}
        # Of the cells of others those come first that another changed decision rests on.
        of_others = [*dict.fromkeys([*(cell for of in own.values() for cell in of), *self.inputs])]
        for each in sorted(shown, key=self._place):
            mine = own.get(each.key, [])
            yield self._row(each, each.key in lost, mine, [] if mine else of_others)

    def _place(self, each: Decided) -> tuple[object, ...]:
        key, order = each.key, [*announceable()]
        return (
            self.stockpile.tree.period[key.node],
            order.index(key.kind),
            key.name,
            key.level or "",
            key.node,
        )

    def _row(
        self,
        each: Decided,
        lost: bool,
        own: Sequence[ChangedCell],
        others: Sequence[ChangedCell],
    ) -> PlanChange:
        """Return the row of a decision, with the cells behind it."""
        key, nothing = each.key, nothing_of(self.stockpile, each.key.kind)
        now = amounts.clean(each.now) if each.now > nothing else 0.0
        then = amounts.clean(each.announced)
        change = kind_of(then, now, nothing)
        if change == KEPT:
            now = then
        first = None if change == KEPT else next(iter((*own, *others)), None)
        cost = None if change == KEPT else self.keeping.get(key)
        cost = None if cost is None or math.isinf(cost) else float(f"{max(0.0, cost):.6g}")
        return PlanChange(
            **self.stockpile.where(key.node),
            date=self.stockpile.date(key.node),
            what=key.kind,
            name=key.name,
            level=key.level,
            change=change,
            announced=then,
            now=now,
            difference=now - then,
            measure="quantity" if announceable()[key.kind].metal else "times",
            unit_value=each.value,
            value=abs(now - then) * each.value,
            keeping=cost,
            cell=None if first is None else first.cell,
            before=None if first is None else first.before,
            after=None if first is None else first.after,
            reason=self._reason(each, change, lost, own, others),
        )

    def _reason(
        self,
        each: Decided,
        change: str,
        lost: bool,
        own: Sequence[ChangedCell],
        others: Sequence[ChangedCell],
    ) -> str:
        """Return why a decision changes, as one sentence of facts."""
        if change == KEPT:
            return KEPT
        said = [self._gone(each.key)] if lost else []
        if own:
            said.append(_named(own))
        elif others:
            said.append(f"none of its own cells changed, but {_named(others, 1)}")
        elif not lost:
            said.append("no cell of the workbook changed")
        if not lost:
            said.append(self._kept(each))
        return "; ".join(said)

    def _gone(self, key: DeedKey) -> str:
        """Return why a decision is not possible any more."""
        table, called = (
            announceable()[key.kind].table,
            " ".join(filter(None, (key.name, key.level))),
        )
        when = amounts.month(self.stockpile.date(key.node))
        if (key.name, key.level) not in set(members(self.stockpile, announceable()[key.kind])):
            return f"no longer possible: the workbook has no {called} (sheet {table})"
        return f"no longer possible: {called} cannot be done in {when}"

    def _kept(self, each: Decided) -> str:
        """Return what keeping a decision as announced would cost, by the linear program."""
        keeping = "keeping it" if each.announced else "doing without it"
        if each.key not in self.keeping:
            return f"what {keeping} would cost takes a plan of its own"
        cost = self.keeping[each.key]
        if cost is None:
            return f"what {keeping} would cost was not asked: time"
        if math.isinf(cost):
            does = "keeps it" if each.announced else "does without it"
            return f"no plan with the other whole decisions {does}"
        currency = self.stockpile.settings.currency
        if cost <= amounts.NOISE * max(each.value * each.announced, self.stockpile.scale.money):
            return f"by the linear program {keeping} alone would cost nothing"
        most = f"{amounts.rounded(cost)} {currency}"
        said = f"by the linear program {keeping} alone would cost {most}"
        return f"{said}, which is within the gap" if cost <= self.enough else said


def _named(cells: Sequence[ChangedCell], most: int = MOST_NAMED) -> str:
    """Return the first of some cells in words, and how many more there are."""
    said = amounts.listed([str(each) for each in cells[:most]])
    more = len(cells) - most
    return said if more <= 0 else f"{said}, and {amounts.count(more, 'more cell')} changed"
