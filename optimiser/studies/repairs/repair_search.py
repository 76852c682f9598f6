"""Search for the least changes of cells that make a plan, and prove each by solving again.

First all cells give together, at the least weight; then each cell alone that could make a plan by
itself, such as a price too, which stands in the entries of the program; then what the rest can do
without the cells that were named; then dates, lead times, lives, least orders and lots, which no
linear program moves: all at once, and ever fewer of them. Each repair is rounded so that what is
typed works, and solved with it alone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from optimiser.solving.engine import LARGE
from optimiser.solving.search_options import Options, Status
from optimiser.solving.standard_form import standard_form
from optimiser.studies.repairs.clashes import smallest
from optimiser.studies.repairs.diagnosis import NO_TIME, ClashingRules, Diagnosis, Repair
from optimiser.studies.repairs.elastic import ElasticProgram, Gift, effects, form_and_effects, moved
from optimiser.studies.repairs.levers import FAR, GivingCell, levers, rounded
from optimiser.studies.repairs.sums import sums
from optimiser.studies.repairs.trials import Pace, Trials, fewest, nearest_value
from optimiser.studies.repairs.where import Places
from optimiser.system.interrupts import Interrupt
from stockpile_model.build import build
from stockpile_model.calendar import add_months
from stockpile_model.stockpile import Stockpile

MOST = 5  # repairs that are offered
MOST_CELLS = 6  # cells of a repair, where there is another
SAFE = 1e-6  # by so much of a cell's size more than what is needed
DIGITS = 5  # that are typed
ROUNDED = 1e-3  # share of a change by which it is rounded at most
PLAIN = 4  # digits of a figure that people write
NEAR = 0.02  # gap of what whole numbers need more
ROOM = 1.05  # times a change that leaves a large model room for whole numbers
WIDER = (2.0, 10.0)  # times a change that whole numbers may need more than once
STEPS = 7  # between a number and what it can give
SEARCH = 0.2  # of the time limit, for a search over whole numbers
PULLED = 6  # cells that are tried alone by what they move to first order
POWER = 10.0  # by which a cell is moved where that would do of which there is too little
LATE = 0.4  # share of the time limit after which a repair that had no time gets all that is left
TIMES_FIRST = (1.001, 1.25, 2.0, 8.0)  # what a cell is moved, of what would do to first order


def diagnose(
    stockpile: Stockpile,
    options: Options,
    proven: bool = False,
    held: Collection[tuple[str, str]] = (),
) -> Diagnosis:
    """Return why a workbook has no plan, and its repairs; `proven`: that it has none is known.

    `held`: columns whose cells do not give, by table and name. Raises SolverError.
    """
    with Interrupt(keeps=False) as interrupt:
        return RepairSearch(stockpile, options, interrupt, held).run(proven)


Candidate = tuple[Mapping[int, Any], tuple[int, ...]]
"""Values of cells that may make a plan, with the limits that bind."""


@dataclass(eq=False)
class RepairSearch:
    """The search for repairs of one workbook.

    `later`: changes of several cells that were no plan as they are; None: single cells were tried.
    `vain`: of what cells no plan was found in time; `refuted`: changes that are proven to make no
    plan; `short`: cells that are too little alone; `pulled`: those tried by what they move to first
    order; `asked`: what it took to see what all cells give together [s].
    """

    stockpile: Stockpile
    options: Options
    interrupt: Interrupt
    held: Collection[tuple[str, str]] = ()
    repairs: list[Repair] = field(default_factory=list)
    tried: set[frozenset[int]] = field(default_factory=set)
    yielded: set[int] = field(default_factory=set)
    short: set[int] = field(default_factory=set)
    pulled: set[int] = field(default_factory=set)
    refuted: set[tuple[str, ...]] = field(default_factory=set)
    vain: dict[frozenset[int], list[Mapping[int, Any]]] = field(default_factory=dict)
    later: dict[frozenset[int], Candidate] | None = field(default_factory=dict)
    asked: float = 0.0

    def __post_init__(self) -> None:
        self.pace = Pace(self.options.time_limit)
        self.trials = Trials(self.stockpile, self.options, self.interrupt, self.pace)
        self.levers: list[GivingCell] = [
            each
            for each in levers(self.stockpile)
            if (each.row.TABLE, each.column.name) not in self.held
        ]
        self.formulation = build(self.stockpile.anchored())
        self.form = standard_form(self.formulation.m)
        self.trials.last = self.formulation
        self.places = Places(self.formulation, self.form)
        self.program = self._elastic()

    def _elastic(self, whole: bool = False) -> ElasticProgram:
        if not whole:
            self.effects = effects(self.stockpile.anchored(), self.levers, self.form)
        return ElasticProgram(self.form, self.levers, self.effects, whole)

    def run(self, proven: bool) -> Diagnosis:
        """Return the diagnosis."""
        begun = time.process_time()
        first = self.program.least(self.program.given, self._limited(), self.interrupt)
        self.asked = time.process_time() - begun
        unproven = first.status == "infeasible" or (first.values and first.status != "optimal")
        if unproven and not (proven or self._has_none()):
            return self._diagnosis("no_plan", ClashingRules())
        if first.status != "infeasible" and not first.values:
            # The relaxation has a plan: only whole numbers can stand in its way.
            known = False if proven else self._has_plan()
            if known or known is None:
                status = "feasible" if known else "no_plan"
                return self._diagnosis(status, ClashingRules())
            self.trials.whole = True
            self.program = self._elastic(whole=True)
            first = self.program.least(self.program.given, self._limited(SEARCH), self.interrupt)
        for values, rows in self._candidates(first):
            self._offer(values, rows)
            if len(self.repairs) >= MOST or not self.pace.allows(1.0) or self._late:
                break
        if not self.repairs:
            self._offer_vain(first.places)
        touched = self.program.touched(first)
        clash = self._clash(touched) if first.values else ClashingRules()
        return self._diagnosis("infeasible", clash)

    def _diagnosis(self, status: Any, clash: ClashingRules) -> Diagnosis:
        found = sorted(self.repairs, key=lambda each: (each.weight, len(each.changes)))
        short = [each for each in found if len(each.changes) <= MOST_CELLS] or found[:1]
        return Diagnosis(
            status,
            sums(self.stockpile) if status == "infeasible" else (),
            tuple(short),
            clash,
            self.stockpile.settings.currency,
            self.pace.spent,
            "" if self.pace.allows() or status == "feasible" else NO_TIME,
        )

    def _has_none(self) -> bool:
        """Return whether it is proven in time that the workbook has no plan as it is."""
        return self.program.possible((), self._limited(), self.interrupt, proven=True) is False

    def _has_plan(self) -> bool | None:
        """Return whether the workbook has a plan; None where that is not proven in time."""
        status, _ = self.trials.solved((), any_plan=True)
        self.pace.one = None
        return {"infeasible": False, "no_plan": None}.get(status, True)

    @property
    def large(self) -> bool:
        """Return whether the model is large."""
        return self.form.program.rows + self.form.program.columns >= LARGE

    # --- Candidates

    def _candidates(self, first: Gift) -> Iterator[Candidate]:
        """Yield values of cells that may make a plan, with the limits that bind."""
        pulls = self.program.pull(first) if first.values else {}
        idle = {j for j, pull in pulls.items() if not pull}
        if self.trials.whole:  # least orders and lots are the likely reason
            lumps = self.effects.lumpy()
            if first.values and all(first.weight < self.levers[j].give.weight for j in lumps):
                yield first.values, first.places
            yield from self._fewest_of(lumps, first.places)
        if first.values:
            alone, several = self._alone(first), len(first.values)
            if several > 1 and self.large:  # a proof is dear, and a mistake likelier in one cell
                yield from itertools.islice(alone, 1)
                yield from self._pulling(first, pulls, several * first.weight)
            yield first.values, first.places
            if several > 1 and not self.large:
                yield from itertools.islice(alone, 1)
            yield from self._fewest_of(self._lighter() - idle, first.places)
            yield from alone
            yield from self._pulling(first, pulls)
        later, self.later = self.later or {}, None
        yield from later.values()
        used = set(first.values)
        if len(self.repairs) < 2:
            rest = self.program.least(self.program.given - used, self._limited(), self.interrupt)
            if rest.values:
                yield rest.values, rest.places
        yield from self._others(first.places, idle)
        if not self.repairs:
            yield from self._whole()

    def _whole(self) -> Iterator[Candidate]:
        """Yield the least that all cells give together where whole numbers count."""
        found = self._elastic(whole=True).least(
            self.program.given, self._limited(SEARCH, NEAR), self.interrupt
        )
        if found.values:
            self.tried.discard(frozenset(found.values))
            yield found.values, found.places

    def _lighter(self) -> set[int]:
        """Return the cells that may be lighter than the lightest repair so far."""
        least = min((each.weight for each in self.repairs), default=0.0)
        return {j for j, each in enumerate(self.levers) if each.give.weight < least}

    def _alone(self, first: Gift) -> Iterator[Candidate]:
        """Yield the cells that make a plan alone, the lightest first."""
        least = self.program.alone(first)
        while least and self.pace.allows(1.0):
            j = min(least, key=lambda j: (least[j], j))
            del least[j]
            if {j} == set(first.values):
                continue
            begun = time.process_time()
            found = self.program.least([j], self._limited(SEARCH), self.interrupt)
            if found.values:
                yield found.values, found.places
            elif found.status == "infeasible":
                self.short.add(j)
                # All others one by one would take longer than to ask once what is missing.
                if len(least) * (time.process_time() - begun) > self.asked:
                    least = self._without(j, least)

    def _without(self, j: int, least: Mapping[int, float]) -> dict[int, float]:
        """Return the cells that may make a plan alone, with what they weigh at least: each must do
        also what is missing where a cell that is too little gives freely.
        """
        missing = self.program.least(
            self.program.given, self._limited(SEARCH), self.interrupt, freely=[j]
        )
        if missing.dual is None or missing.weight <= 0:
            return dict(least)
        also = self.program.alone(missing)
        return {k: max(weight, also[k]) for k, weight in least.items() if k in also}

    def _pulling(
        self, first: Gift, pulls: Mapping[int, float], below: float = math.inf
    ) -> Iterator[Candidate]:
        """Yield the cells that make a plan alone and of which no linear program shows it, those
        first that would weigh least to first order; only such as weigh less than `below`.
        """
        steps = dict[int, float]()
        for j, pull in pulls.items():
            sign = 1 if pull < 0 else -1
            if pull and sign in self.levers[j].signs and frozenset([j]) not in self.tried:
                steps[j] = -first.weight / pull
        # What only sets bounds the linear program is mostly right about.
        bounding = self.program.bounding & steps.keys()
        short = self.short | {j for j in bounding if not self.levers[j].reaches(steps[j])}

        def weight(j: int) -> float:
            lever = self.levers[j]
            last = lever.weight(lever.farthest(1 if steps[j] > 0 else -1))
            return min(lever.give.weight * abs(steps[j]) / lever.size, last)

        for j in sorted(steps, key=lambda j: (j in short, weight(j), j))[:PULLED]:
            if not self.pace.allows(1.0):
                return
            if j in self.pulled or weight(j) >= below:
                continue
            self.pulled.add(j)
            values = self._towards(self.levers[j], steps[j])

            def works(value: Any, j: int = j) -> bool:
                return self.trials.feasible(moved(self.stockpile, [self.levers[j]], [value]))

            if works(values[-1]):
                value = nearest_value(works, values, lambda: self.pace.allows(1.0))
                yield {j: value}, first.places

    def _towards(self, lever: GivingCell, step: float) -> list[float]:
        """Return values of a cell, ever further on the way of a step, as far as it can give; by
        powers of ten where the step goes beyond that.
        """
        last = lever.farthest(1 if step > 0 else -1)
        values = [lever.value + times * step for times in TIMES_FIRST]
        if not lever.reaches(step):
            values = [lever.value * (POWER if step > 0 else 1 / POWER) ** k for k in (1, 2, 3)]
        return [*(each for each in values if (last - each) * (each - lever.value) > 0), last]

    def _others(self, places: tuple[int, ...], idle: Collection[int]) -> Iterator[Candidate]:
        """Yield the fewest of the cells that no linear program moves, until they make no plan;
        `idle` are such as move nothing.
        """
        every = set(range(len(self.levers))) - set(idle)
        while found := [*self._fewest_of(every, places)]:
            yield from found

    def _fewest_of(self, group: Collection[int], places: tuple[int, ...]) -> Iterator[Candidate]:
        """Yield the fewest cells of a group that no linear program moves, where they make a plan;
        none of those that were yielded before.
        """
        chosen = [j for j in group if j not in self.program.bounding | self.yielded]
        if chosen and self.pace.allows(1.0):
            most = MOST_CELLS if self.repairs else None
            found = fewest(self.trials, self.levers, chosen, self.large, most)
            if found:
                self.yielded |= found.keys()
                yield self._least_of(found), places

    def _least_of(self, found: Mapping[int, Any]) -> Mapping[int, Any]:
        """Return cells that need give no more than this, one after the other."""
        values = dict(found)
        for j, most in found.items():
            steps = self._steps(replace(self.levers[j], extreme=most))

            def works(value: Any, j: int = j) -> bool:
                given = {**values, j: value}
                return self.trials.feasible(
                    moved(self.stockpile, [self.levers[k] for k in given], given.values())
                )

            if steps:
                values[j] = nearest_value(works, steps, lambda: self.pace.allows(1.0))
        return values

    def _steps(self, lever: GivingCell) -> list[Any]:
        """Return the values between that of a cell and its extreme, the nearest first."""
        old, extreme, calendar = lever.value, lever.extreme, self.stockpile.calendar
        length, periods = calendar.months, self.stockpile.settings.periods
        sign = 1 if lever.give.way in ("more", "later") else -1
        if isinstance(old, dt.date):
            far = [add_months(calendar.begin(0), length * k) for k in range(periods)]
            between = [day for day in far if (day - old).days * sign > 0]
            return [*sorted(between, reverse=sign < 0), extreme]
        if lever.column.unit == "months" and not isinstance(old, bool):
            months = range(length, min(int(abs(extreme - old)), periods * length) + 1, length)
            return [*(type(old)(old + sign * k) for k in months), extreme]
        if isinstance(old, (int, float)) and not isinstance(old, bool) and old:
            if sign < 0 if extreme is None else extreme < old:
                return [*(rounded(old * 0.5**k, -1, old, 2) for k in range(1, STEPS)), extreme]
            limit = lever.column.most
            grown = [rounded(old * 2.0**k, 1, old, 2) for k in range(1, STEPS)]
            return [*(each for each in grown if limit is None or each < limit), extreme]
        return []

    # --- Proofs

    def _offer(self, values: Mapping[int, Any], rows: tuple[int, ...]) -> None:
        """Solve the workbook with some cells changed alone, and keep what makes a plan."""
        cells = frozenset(values)
        if cells in self.tried or (self.repairs and len(cells) > MOST_CELLS):
            return
        later = self.later if len(cells) > 1 else None  # a mistake is likelier in a single cell
        if later is None:
            self.tried.add(cells)
        before = set(self.refuted)
        vain = self.vain.setdefault(cells, [])
        for typed in self._attempts(values) if later is None else self._written(values):
            changes = self._texts(typed)
            if changes in before or any(self._alike(typed, each) for each in vain):
                continue
            before.add(changes)
            status, objective = self.trials.solved(changes)
            if objective is not None:
                self.repairs.append(self._repair(typed, objective, status, rows))
                self.tried.add(cells)
                return
            if status == "no_plan":
                vain.append(typed)
            elif status == "infeasible":  # nor does what gave less make a plan
                vain.clear()
                self.refuted.add(changes)
            if not self.pace.allows(1.0):
                return
        if later is not None:
            later[cells] = values, rows

    @property
    def _late(self) -> bool:
        """Return whether it is time to give one repair, for which there was none, all that is left:
        a plan that is hard to find is worth more than many that are not looked for.
        """
        gone = self.pace.spent > LATE * self.options.time_limit
        return gone and not self.repairs and any(self.vain.values())

    def _offer_vain(self, rows: tuple[int, ...]) -> None:
        """Solve the workbook with the fewest and lightest cells of which no plan was found in time,
        where they give the most that was tried, for as long as there is time.
        """
        vain = [found[-1] for found in self.vain.values() if found]
        for typed in sorted(vain, key=lambda each: (len(each), self._weight(each)))[:1]:
            status, objective = self.trials.solved(self._texts(typed), patient=True)
            if objective is not None:
                self.repairs.append(self._repair(typed, objective, status, rows))

    def _alike(self, one: Mapping[int, Any], other: Mapping[int, Any]) -> bool:
        """Return whether values are the same but for how they are rounded."""
        return one.keys() == other.keys() and all(
            value == other[j]
            or (
                self.levers[j].numeric
                and abs(value - other[j]) <= ROUNDED * abs(value - self.levers[j].value)
            )
            for j, value in one.items()
        )

    def _attempts(self, values: Mapping[int, Any]) -> Iterator[Mapping[int, Any]]:
        """Yield values to type: what is needed by the relaxation; then, where whole numbers need
        more, the least of a generous amount.
        """
        yield from self._written(values)
        if not set(values) <= self.program.given:
            yield self._wider(values, WIDER[0])
            yield {j: self._far(self.levers[j], value) for j, value in values.items()}
            return
        before: Mapping[int, Any] = {}
        for wider in WIDER:
            generous = self._wider(values, wider)
            if generous == before:  # they give all that they can
                return
            before = generous
            if self.vain.get(frozenset(values)):  # a plan is found sooner where there is more room
                yield generous
                continue
            status, tight = self._tightened(generous)
            if tight:
                yield from self._written(tight)
                yield generous
                return
            if status != "infeasible":  # whether it is enough is seen sooner than how little is
                yield generous
            if not self.pace.allows(1.0):
                return

    def _written(self, values: Mapping[int, Any]) -> Iterator[Mapping[int, Any]]:
        """Yield what is typed for values that are just enough: first the figures that people write
        where these are the same but for a solver's noise, 3 instead of 2.9999.

        In a large model a little more is typed than just enough, but for such figures: a plan that
        has no room is hardly found.
        """
        typed = self._wider(values, 1.0)
        plain, odd = dict(typed), False
        for j, value in values.items():
            if self.levers[j].numeric and isinstance(value, float):
                noise = SAFE * self.levers[j].size
                short = float(f"{value:.{PLAIN}g}") if abs(value) > noise else 0.0
                if abs(short - value) <= noise:
                    plain[j] = short
                else:
                    odd = True
        if odd and self.large:
            yield self._wider(values, ROOM)
            return
        if plain != typed:
            yield plain
        yield typed

    def _tightened(self, typed: Mapping[int, Any]) -> tuple[Status, dict[int, Any] | None]:
        """Return values that are just enough where some are more than enough, after how the search
        for them ended; None where these are not enough either.

        The model is built with the generous values, so that all that follows from them, such as
        what can be ordered at most, is no tighter than it will be; then they give back.
        """
        # A limit of nothing is left out of the model, and could give nothing back. That a little
        # of it is not enough is no proof.
        exact = all(typed.values())
        typed = {j: value or self.levers[j].value / FAR for j, value in typed.items()}
        changed = self.trials.changed(self._texts(typed))
        if changed is None:
            return "no_plan", None
        changed = replace(changed, anchor=self.formulation.stockpile.anchor)
        now = [self._returning(j, typed[j]) for j in typed]
        form, moves = form_and_effects(changed, now)
        program = ElasticProgram(form, now, moves, whole=True)
        found = program.most(self._limited(SEARCH, NEAR), self.interrupt)
        if found.status in ("infeasible", "no_plan"):
            return found.status if exact else "no_plan", None
        tight = {j: found.values.get(k, typed[j]) for k, j in enumerate(typed)}
        return found.status, {j: value for j, value in tight.items() if self._moves(j, value)}

    def _moves(self, j: int, value: float) -> bool:
        """Return whether a value is another than that of the cell, but for a solver's noise."""
        lever = self.levers[j]
        return abs(value - float(lever.value)) > SAFE * lever.size

    def _far(self, lever: GivingCell, value: Any) -> Any:
        """Return all that a cell can give in the direction of a value."""
        return lever.farthest(1 if value > lever.value else -1) if lever.numeric else lever.extreme

    def _returning(self, j: int, value: float) -> GivingCell:
        """Return a lever at a generous value, which it can give back."""
        lever = self.levers[j]
        sign = -1 if value > lever.value else 1
        room = abs(value - lever.value) / lever.size
        return replace(lever, value=float(value), signs=(sign,), room=room)

    def _texts(self, typed: Mapping[int, Any]) -> tuple[str, ...]:
        return tuple(self.levers[j].set_to(value) for j, value in typed.items())

    def _wider(self, values: Mapping[int, Any], times: float) -> dict[int, Any]:
        return {j: self._typed(self.levers[j], value, times) for j, value in values.items()}

    def _typed(self, lever: GivingCell, value: Any, wider: float) -> Any:
        """Return a value that is typed with few digits, on the safe side of what is needed."""
        old = lever.value
        if not lever.numeric or value is None or value in (lever.extreme, old):
            return value
        direction = 1 if value > old else -1
        wanted = old + (value - old) * wider + direction * SAFE * lever.size
        if getattr(lever.row, "measure", "") == "count" and float(old).is_integer():
            near = wanted - direction * 2 * SAFE * lever.size
            found = float(math.ceil(near) if direction > 0 else math.floor(near))
        else:
            found = rounded(wanted, direction, lever.size, DIGITS)
        last = lever.farthest(direction)
        return min(found, last) if direction > 0 else max(found, last)

    def _weight(self, typed: Mapping[int, Any]) -> float:
        return sum(self.levers[j].weight(value) for j, value in typed.items())

    def _repair(
        self, typed: Mapping[int, Any], objective: float, status: Status, rows: tuple[int, ...]
    ) -> Repair:
        """Return a repair in words."""
        parts = [self.levers[j].said(value) for j, value in typed.items()]
        said = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
        when = self.places.short(rows)
        return Repair(
            self._texts(typed),
            tuple(self.levers[j].cell for j in typed),
            f"{when}: {said}" if when else said[:1].upper() + said[1:],
            self._weight(typed),
            objective,
            status == "optimal",
        )

    def _clash(self, touched: Collection[int]) -> ClashingRules:
        """Return the rules that cannot all be kept."""
        chosen, proven = smallest(self.program, [*touched], self.trials)
        return ClashingRules(tuple(self.places.clashing(self.levers[j]) for j in chosen), proven)

    def _limited(self, share: float = 1.0, gap: float | None = None) -> Options:
        longest = max(1.0, min(share * self.options.time_limit, self.pace.left))
        if share < 1:  # no longer than all before it
            longest = min(longest, self.pace.attempt)
        return replace(self.options, time_limit=longest, gap=gap or self.options.gap)
