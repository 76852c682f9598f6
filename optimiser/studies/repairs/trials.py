"""Try workbooks whose cells are changed: is there a plan, and what does it cost?"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optimiser.auditing import AuditError
from optimiser.plan.audited import audited
from optimiser.plan.plan_maker import make_plan
from optimiser.solving import highs
from optimiser.solving.program import INFINITY
from optimiser.solving.search_options import Options, SolverError, Status, UnboundedError
from optimiser.solving.solve import scenario_tree, solve
from optimiser.solving.standard_form import standard_form
from optimiser.studies.repairs.elastic import moved
from optimiser.studies.repairs.levers import GivingCell
from optimiser.system.interrupts import Interrupt
from stockpile_model.build import build, check
from stockpile_model.changes import apply, parse
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile

TIMES = 4.0  # so many times what solving the repaired workbook takes, an explanation may take
ALWAYS = 0.1  # what it may take in any case [s]
ATTEMPT = 1.0  # what one search for a plan may take in any case [s]
SHARE = 0.15  # of the time limit, for a search while nothing is known of how long one takes
LONGER = 3.0  # times as long as another repaired workbook took
WIDENING = (0.125, 0.25, 0.5, 1.0)  # of what cells can give that make the model larger
GROWING = 3.0  # times as long as the one before it, a trial of the next larger model may take
_CORRECTIONS = 8  # of a group of cells of which some cannot move together


@dataclass(eq=False)
class Pace:
    """The time that an explanation takes, measured by what solving the repaired workbook takes.

    It is time of the processor, so that what else runs on the machine changes nothing. `limit` is
    the time limit of the user [s], `one` what it took to solve a repaired workbook; None: none is
    yet.
    """

    limit: float
    begun: float = field(default_factory=time.process_time)
    clock: float = field(default_factory=time.perf_counter)
    one: float | None = None

    @property
    def spent(self) -> float:
        """Return the time that is gone [s]."""
        return time.process_time() - self.begun

    @property
    def left(self) -> float:
        """Return the time that is left [s]."""
        most = self.limit if self.one is None else max(ALWAYS, TIMES * self.one)
        return min(most - self.spent, self.limit - (time.perf_counter() - self.clock))

    @property
    def attempt(self) -> float:
        """Return the time that one search for a plan may take [s].

        While nothing is known of how long one takes, it may take as long as all before it: so what
        is in vain costs no more than what is not.
        """
        if self.one is None:
            share = min(SHARE * self.limit, self.spent, self.limit - self.spent)
        else:
            share = min(LONGER * self.one, self.left)
        return self.wall(max(ATTEMPT, share))

    def wall(self, spent: float) -> float:
        """Return the time by the clock in which so much time of the processor is spent [s], as it
        was so far.
        """
        passed = time.perf_counter() - self.clock
        return spent * max(1.0, passed / self.spent if self.spent > 0 else 1.0)

    def allows(self, solves: float = 0.0) -> bool:
        """Return whether there is time, and for solving so many repaired workbooks besides."""
        return self.left > solves * (self.one or 0.0)


@dataclass(eq=False)
class Trials:
    """Tries changed workbooks. `whole`: whole numbers count too, not their relaxation alone."""

    stockpile: Stockpile
    options: Options
    interrupt: Interrupt
    pace: Pace
    whole: bool = False
    last: Formulation | None = None  # that of the last trial with a plan

    def changed(self, changes: Iterable[str]) -> Stockpile | None:
        """Return the workbook after changes in the words of `--set`; None where it is wrong."""
        found = self.stockpile
        try:
            for each in changes:
                found = apply(found, parse(each))
            sound = all(problem.warning for problem in check(found))
        except (ValueError, ArithmeticError):
            return None
        return found if sound else None

    def feasible(self, stockpile: Stockpile) -> bool:
        """Return whether a workbook is proven to have a plan: by its relaxation, or as a whole."""
        try:
            if any(not problem.warning for problem in check(stockpile)):
                return False
            formulation = build(stockpile)
            form = standard_form(formulation.m)
            # With its own cost it may take sixty times as long to see that there is none.
            found = highs.has_point(form.program, self.limited(), self.interrupt)
            if found and self.whole:
                options = replace(self.limited(), gap=1.0, target=INFINITY)
                tree = scenario_tree(formulation)
                found = solve(formulation.m, options, None, None, tree).objective is not None
        except (SolverError, ValueError, ArithmeticError):
            return False
        if found:
            self.last = formulation
        return found

    def solved(
        self, changes: Sequence[str], any_plan: bool = False, patient: bool = False
    ) -> tuple[Status, float | None]:
        """Return how the search for a plan after some changes ends, and what the plan costs.

        `any_plan`: the first plan that is found is enough. Any other is audited as `solve` does it.
        A repair whose plan takes long to find is none, as another may be proven in that time;
        `patient`: it may take all that is left.
        """
        begun = time.process_time()
        found = self.changed(changes)
        if found is None:
            return "infeasible", None
        try:
            formulation = self._built(found)
            longest = self.pace.left if any_plan or patient else self.pace.attempt
            options = replace(self.options, time_limit=longest)
            if any_plan:
                options = replace(options, gap=1.0, target=INFINITY)
            outcome = solve(formulation.m, options, None, None, scenario_tree(formulation))
            if outcome.objective is not None and not any_plan:
                audited(make_plan(formulation, outcome))
        except (SolverError, UnboundedError, AuditError):  # `solve` would not write that plan
            return "no_plan", None
        if outcome.objective is not None:
            self.pace.one = max(self.pace.one or 0.0, time.process_time() - begun)
        return outcome.status, outcome.objective

    def _built(self, stockpile: Stockpile) -> Formulation:
        """Return the model of a workbook, which is that of the last trial where its rows are."""
        last, self.last = self.last, None
        if last is not None and _rows(last.stockpile) == _rows(stockpile):
            return last
        return build(stockpile)

    def limited(self) -> Options:
        """Return the options of a search that takes no longer than there is time."""
        return replace(self.options, time_limit=max(0.1, self.pace.left))


def _rows(stockpile: Stockpile) -> tuple[Any, ...]:
    """Return all that a workbook says."""
    return stockpile.settings, dict(stockpile.tables)


def fewest(
    trials: Trials,
    levers: Sequence[GivingCell],
    chosen: Collection[int],
    large: bool,
    most: int | None = None,
) -> dict[int, Any] | None:
    """Return a smallest set of cells that make a plan where they give all they can, of light cells
    where it can be; None where not all of them together do, there is no time, or it is seen to have
    more cells than `most`.

    The last cell of the shortest beginning that makes a plan, the light cells first, is needed; so
    it goes on with those before it (U. Junker, QuickXplain, AAAI 2004). `large`: the model is; then
    what makes it larger gives by itself, little at first.
    """
    order = sorted(chosen, key=lambda j: (levers[j].give.weight, j))
    for growing, share in _stages(levers, order, large):
        begun, given = time.process_time(), [*levers]
        for j in growing:
            given[j] = replace(levers[j], extreme=levers[j].part_way(share))
        among = [j for j in order if j in growing or not levers[j].give.grows]
        left = _together(trials, given, among)
        if left is not None:
            needed = growing if large and len(growing) == 1 else []
            rest = [j for j in left if j not in needed]
            return _fewest_of(trials, given, rest, needed, most)
        if GROWING * (time.process_time() - begun) > trials.pace.left:
            break
    return None


def _stages(
    levers: Sequence[GivingCell], order: Sequence[int], large: bool
) -> Iterator[tuple[list[int], float]]:
    """Yield the cells that make the model larger and that may give, and the share by which they do:
    of a large model none at first, then those of one column, the fewest first.
    """
    growing = [j for j in order if levers[j].give.grows]
    if not (large and growing):
        yield growing, 1.0
        return
    yield [], 1.0
    columns = dict[tuple[str, str], list[int]]()
    for j in growing:
        columns.setdefault((levers[j].row.TABLE, levers[j].column.name), []).append(j)
    for share in WIDENING:
        for found in sorted(columns.values(), key=len):
            yield found, share


def _fewest_of(
    trials: Trials,
    levers: Sequence[GivingCell],
    left: list[int],
    needed: list[int],
    most: int | None,
) -> dict[int, Any] | None:
    """Return a smallest set of some cells that together make a plan, with those that are needed;
    None where it has more than `most`.
    """
    while left and trials.pace.allows(0.5):
        if needed and trials.feasible(_extreme(trials.stockpile, levers, needed)):
            return {j: levers[j].extreme for j in needed}
        if most is not None and len(needed) >= most:
            return None
        short, long = 0, len(left)  # so many make none, and a plan
        while long - short > 1 and trials.pace.allows(0.5):
            middle = (short + long) // 2
            if trials.feasible(_extreme(trials.stockpile, levers, needed + left[:middle])):
                long = middle
            else:
                short = middle
        left = left[:long]
        if long - short == 1:
            needed.append(left.pop())
    return {j: levers[j].extreme for j in needed + left}


def _extreme(
    stockpile: Stockpile, levers: Sequence[GivingCell], chosen: Sequence[int]
) -> Stockpile:
    found = [levers[j] for j in chosen]
    return moved(stockpile, found, [each.extreme for each in found])


def _together(trials: Trials, levers: Sequence[GivingCell], order: list[int]) -> list[int] | None:
    """Return the cells without those that cannot move together; None where there is no plan."""
    kept = order
    for _ in range(_CORRECTIONS):
        if not kept:
            return None
        stockpile = _extreme(trials.stockpile, levers, kept)
        try:
            wrong = [each for each in check(stockpile) if not each.warning]
        except (ValueError, ArithmeticError):
            return None
        if not wrong:
            return kept if trials.feasible(stockpile) else None
        kept = _without(levers, kept, wrong)
    return None


def _without(levers: Sequence[GivingCell], kept: list[int], wrong: Sequence[Problem]) -> list[int]:
    """Return the cells without those that a problem names: that cell, else all of its column, else
    all of its row, else all of its table.
    """
    marks: tuple[Callable[[str, int, str], tuple[object, ...]], ...] = (
        lambda table, line, column: (table, line, column),
        lambda table, line, column: (table, column),
        lambda table, line, column: (table, line),
        lambda table, line, column: (table,),
    )
    for mark in marks:
        named = {mark(each.table, each.line, each.column) for each in wrong}
        of = {j: (levers[j].row.TABLE, levers[j].row.line, levers[j].column.name) for j in kept}
        fewer = [j for j in kept if mark(*of[j]) not in named]
        if len(fewer) < len(kept):
            return fewer
    return []


def nearest_value(
    works: Callable[[Any], bool], values: Sequence[Any], enough: Callable[[], bool]
) -> Any:
    """Return the first of some values that works, where the last does and all after the first;
    as near to it as there is time for.
    """
    low, high = -1, len(values) - 1
    while high - low > 1 and enough():
        middle = (low + high) // 2
        if works(values[middle]):
            high = middle
        else:
            low = middle
    return values[high]
