"""Runs cases on an executor: what the record holds is not run again, and every end is recorded.

A study that is interrupted ends with what it has: of the cases that have not ended each result says
`not run`.
"""

from __future__ import annotations

import functools
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from optimiser.execution.executor import Done, Executor, Task
from optimiser.studies.engine.case import DECISIONS, FAILED, NO_TIME, Case, CaseResult
from optimiser.studies.study_sheet.study_inputs import Input
from optimiser.system.interrupts import Interrupt

TRIES = 2  # of a case whose process dies
OPEN = ("no_plan", "feasible")  # how a case ends that more time may end otherwise
# of more results only what every kind needs stays in memory; the whole stands in the record
MOST_WHOLE = 500


@dataclass(frozen=True)
class StudyProgress:
    """Describe how far a study is: runs that ended, of those that are known so far.

    `kept` of them stood in the record. `seconds` have passed since its start.

    >>> import optimiser as so
    >>> seen, prices = list[so.StudyProgress](), {"offers[spot].price": (11, 13)}
    >>> book = so.read("inputs/small.xlsx")
    >>> found = so.study(book, "sweep", prices, steps=2, on_progress=seen.append)
    >>> seen[-1].ended, seen[-1].asked
    (2, 2)
    """

    study: str
    ended: int
    asked: int
    kept: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Return the runs a second, those of the record left out."""
        made = self.ended - self.kept
        return made / self.seconds if made and self.seconds else None

    @property
    def left(self) -> float | None:
        """Return the time until all known runs have ended [s]."""
        return (self.asked - self.ended) / self.rate if self.rate else None


class Keeper(Protocol):
    """Keeps the runs of studies, each by its key.

    `earlier` counts the runs that an earlier study had kept.
    """

    earlier: int

    def find(self, key: str) -> CaseResult | None:
        """Return the result of a run that need not be made again."""

    def keep(self, key: str, study: str, case: Case, result: CaseResult) -> None:
        """Keep a run of a study."""


@dataclass(frozen=True)
class Ran:
    """A run of a study.

    `note` says what it was for, `changes` what it changed, `aim` what it minimised and `asked`
    under which limit, in words. `values` are those of the inputs that it moved, by the input's
    name; `key` is its key in the record.
    """

    note: str
    changes: str
    key: str
    aim: str = "cost"
    asked: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SharedTime:
    """The time that all cases of a run take together: `limit` of it, from `begun` on the clock of
    time.monotonic [s].

    A case gets an equal share of what is left. One of which a bound alone is no answer gets `least`
    where that is more: with less hardly any would end. So what is quick leaves its time to those
    after it, and the last may not be asked.
    """

    limit: float
    least: float = 0.0
    begun: float = field(default_factory=time.monotonic)

    def share(self, cases: int, at_once: int, partial: bool = False) -> float:
        """Return the time of the next of so many cases, of which some run at once; 0 where none is
        left.
        """
        left = max(0.0, self.begun + self.limit - time.monotonic())
        return min(left, max(0.0 if partial else self.least, left * at_once / cases))


@dataclass(eq=False)
class _Work:
    """The cases of one round, by their numbers.

    They are `missing` or `running`; `found` is how they ended. `twins`: the numbers of the cases
    with each key; `plans`: results with their plans, of what is `named` so far and not audited.
    """

    start: Callable[[], Executor]
    cases: Sequence[Case]
    keys: Sequence[str]
    missing: deque[int]
    twins: dict[str, list[int]]
    found: list[CaseResult | None]
    tries: dict[int, int] = field(default_factory=dict)
    running: int = 0
    plans: dict[int, CaseResult] = field(default_factory=dict)
    named: dict[str, tuple[float, int]] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)  # which run again for their plans
    shared: SharedTime | None = None

    @functools.cached_property
    def executor(self) -> Executor:
        return self.start()

    def send(self) -> None:
        """Send the next case, or its plan to be audited; where there is no time, let none run."""
        case = self.cases[self.missing[0]]
        if self.shared is not None:
            seconds = self.shared.share(len(self.missing), self.executor.size, case.partial)
            if not seconds:
                self.missing.clear()
                return
            case = replace(case, seconds=seconds)
        number = self.missing.popleft()
        self.executor.send(Task(number, case, self.plans.pop(number, None)))
        self.running += 1

    def note(self, number: int, result: CaseResult) -> None:
        """Keep the plans of those that answers name: of the first case, the cheapest and the
        dearest.
        """
        if not result.planned or result.objective is None or result.audited:
            return
        for name, rank in (
            ("first", number),
            ("least", result.objective),
            ("most", -result.objective),
        ):
            if (rank, number) < self.named.get(name, (math.inf, 0)):
                self.named[name] = (rank, number)
        self.plans[number] = result
        kept = self.asked.union(number for _, number in self.named.values())
        self.plans = {number: known for number, known in self.plans.items() if number in kept}

    def unaudited(self) -> bool:
        """Ask for the audit of what answers name, where its plan is no longer known for another run
        of the case; whether there is any.
        """
        costs = {
            n: each.objective
            for n, each in enumerate(self.found)
            if each and each.planned and each.objective is not None
        }
        for number in dict.fromkeys(
            [
                next(iter(costs)),
                min(costs, key=costs.__getitem__),
                max(costs, key=costs.__getitem__),
            ]
            if costs
            else ()
        ):
            known = self.found[number]
            if known and not known.audited and (number in self.plans or number not in self.asked):
                self.asked.add(number)
                self.missing.append(number)
        return bool(self.missing)


@dataclass
class Runner:
    """Runs the cases of one study.

    `of` says what its runs have in common, for their keys; `start` gives the executor when it is
    first needed. `audits`: whether the plans of the first case of each round, its cheapest and its
    dearest are audited. `shared`: the time of all cases together; what ends without an answer is
    not recorded then, as it could have had more time.
    """

    study: str
    record: Keeper
    of: str
    start: Callable[[], Executor]
    watch: Callable[[StudyProgress], None] = lambda _: None
    inputs: Sequence[Input] = ()
    interrupt: Interrupt = field(default_factory=Interrupt)
    audits: bool = False
    shared: SharedTime | None = None
    noted: dict[str, None] = field(default_factory=dict)  # figures that are not 0 in some run
    ran: list[Ran] = field(default_factory=list)
    ended: int = 0
    asked: int = 0
    kept: int = 0
    earlier: int = 0  # of these, made before this start
    failed: int = 0
    began: float = field(default_factory=time.monotonic)

    def run(self, cases: Sequence[Case]) -> list[CaseResult]:
        """Return the results of the cases, in their order; each is recorded as it ends."""
        self.asked += len(cases)
        keys = [case.key(self.of) for case in cases]
        self.ran += [self._ran(case, key) for case, key in zip(cases, keys, strict=True)]
        found: list[CaseResult | None] = [None] * len(cases)
        missing: deque[int] = deque()
        twins: dict[str, list[int]] = {}
        before = self.record.earlier
        for number, key in enumerate(keys):
            if (kept := self.record.find(key)) is not None:
                found[number] = self._seen(kept, len(cases) > MOST_WHOLE)
                twins.setdefault(key, []).append(number)
                self.kept += 1
            elif key in twins:
                twins[key].append(number)
            else:
                twins[key] = [number]
                missing.append(number)
        self.earlier += self.record.earlier - before
        self._report()
        work = _Work(self.start, cases, keys, missing, twins, found, shared=self.shared)
        while not self.interrupt.requested and (
            work.missing or work.running or (self.audits and work.unaudited())
        ):
            while work.missing and work.executor.idle():
                work.send()
            if work.missing or work.running:
                for done in work.executor.wait():
                    self._ended(work, done)
        why = "" if self.interrupt.requested else NO_TIME
        return [CaseResult("not run", message=why) if each is None else each for each in found]

    def _ran(self, case: Case, key: str) -> Ran:
        moved = {
            (each.table, each.row, each.column, each.how): float(str(each.value))
            for each in case.changes
        }
        values = {
            each.name: moved[at]
            for each in self.inputs
            if (at := (each.table, each.row, each.column, each.how)) in moved
        }
        return Ran(case.note, case.said, key, case.aim, case.asked, values)

    def _ended(self, work: _Work, done: Done) -> None:
        """Record how a case ended; send one again whose process died."""
        work.running -= 1
        work.tries[done.number] = work.tries.get(done.number, 0) + 1
        if done.died and not done.late and work.tries[done.number] < TRIES:
            work.missing.append(done.number)
            return
        work.tries.pop(done.number)
        result = (
            CaseResult("no_plan" if done.late else "crashed", message=done.died)
            if done.died
            else done.result
        )
        if self.audits:
            work.note(done.number, result)
        result, key = replace(result, plan=None), work.keys[done.number]
        if self.shared is None or result.status not in OPEN:
            self.record.keep(key, self.study, work.cases[done.number], result)
        for number in work.twins[key]:
            self.ended -= work.found[number] is not None  # it ended before, and was audited now
            work.found[number] = self._seen(result, len(work.cases) > MOST_WHOLE)
        self._report()

    def _seen(self, result: CaseResult, slim: bool) -> CaseResult:
        self.ended += 1
        self.failed += result.status in FAILED
        self.noted.update(
            dict.fromkeys(
                name for name, value in result.figures.items() if value and name != DECISIONS
            )
        )
        return result.slim() if slim else result

    def _report(self) -> None:
        self.watch(
            StudyProgress(
                self.study, self.ended, self.asked, self.kept, time.monotonic() - self.began
            )
        )
