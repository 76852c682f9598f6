"""Runs cases on a crew: what the record holds is not run again, what ends is recorded as it ends.

A study that is interrupted ends with what it has: of the cases that have not ended each result says `not run`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimiser.interrupts import Interrupt
from optimiser.solver.standard_form import Floats
from optimiser.studies import compiled
from optimiser.studies.case import FAILED, Case, Result
from optimiser.studies.crew import Crew, Done, Task
from optimiser.studies.evaluate import LEARNT
from optimiser.studies.record import Record
from optimiser.studies.tables import Input

TRIES = 2  # of a case whose process dies
MOST_WHOLE = 500  # of more results only what every kind needs stays in memory; the whole stands in the record
PROBE = -1  # the number of the first compilation to learn from; those of others lie below
WORTH = 2  # times as many cases as compilations to learn from make it worth to learn


@dataclass(frozen=True)
class Progress:
    """How far a study is: runs that ended, of those that are asked for so far; `kept` of them stood in the record. `seconds` since its
    start."""

    study: str
    ended: int
    asked: int
    kept: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Runs a second, those of the record left out."""
        made = self.ended - self.kept
        return made / self.seconds if made and self.seconds else None

    @property
    def left(self) -> float | None:
        """Time until what is asked for has ended [s]."""
        return (self.asked - self.ended) / self.rate if self.rate else None


@dataclass(frozen=True)
class Ran:
    """A run of a study: what it was for, what it changed, what it minimised (`aim`) under which limit (`asked`, in words), the value of
    each input that it moved by the input's name, and its key in the record."""

    note: str
    changes: str
    key: str
    aim: str = "cost"
    asked: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(eq=False)
class _Work:
    """The cases of one round, by their numbers: those that are `missing`, how many are `running` and ever `began`, how they ended.
    `twins`: the numbers of the cases with each key."""

    crew: Crew
    cases: Sequence[Case]
    keys: Sequence[str]
    missing: deque[int]
    twins: dict[str, list[int]]
    found: list[Result | None]
    tries: dict[int, int] = field(default_factory=dict)
    running: int = 0
    began: int = 0
    doubted: bool = False

    def send(self) -> None:
        number = self.missing.popleft()
        self.crew.send(Task(number, self.cases[number]))
        self.running += 1
        self.began += 1


@dataclass
class Runner:
    """Runs the cases of one study. `of` says what its runs have in common, for their keys; `hire` gives the crew when it is first
    needed."""

    study: str
    record: Record
    of: str
    hire: Callable[[], Crew]
    watch: Callable[[Progress], None] = lambda _: None
    inputs: Sequence[Input] = ()
    interrupt: Interrupt = field(default_factory=Interrupt)
    noted: dict[str, None] = field(default_factory=dict)  # figures that are not nothing in some run
    ran: list[Ran] = field(default_factory=list)
    ended: int = 0
    asked: int = 0
    kept: int = 0
    earlier: int = 0  # of these, made before this start
    failed: int = 0
    began: float = field(default_factory=time.monotonic)
    taught: bool = False

    def run(self, cases: Sequence[Case]) -> list[Result]:
        """The results of the cases, in their order; each is recorded as it ends."""
        self.asked += len(cases)
        keys = [case.key(self.of) for case in cases]
        self.ran += [self._ran(case, key) for case, key in zip(cases, keys, strict=True)]
        found: list[Result | None] = [None] * len(cases)
        missing: deque[int] = deque()
        twins: dict[str, list[int]] = {}
        before = self.record.earlier
        for number, key in enumerate(keys):
            if (kept := self.record.find(key)) is not None:
                found[number] = self._seen(kept, len(cases) > MOST_WHOLE)
                self.kept += 1
            elif key in twins:
                twins[key].append(number)
            else:
                twins[key] = [number]
                missing.append(number)
        self.earlier += self.record.earlier - before
        self._tell()
        if missing and not self.interrupt.requested:
            crew = self.hire()
            work = _Work(crew, cases, keys, missing, twins, found)
            if not self.taught:
                self.taught = True
                crew.teach(None)  # of the study before
                if self.inputs and self._worth(cases, missing):
                    self._learn(work)
            while (work.missing or work.running) and not self.interrupt.requested:
                while work.missing and crew.idle():
                    work.send()
                for done in crew.wait():
                    self._ended(work, done)
        return [Result("not run") if each is None else each for each in found]

    def _ran(self, case: Case, key: str) -> Ran:
        moved = {(each.table, each.row, each.column, each.how): float(str(each.value)) for each in case.changes}
        values = {each.name: moved[at] for each in self.inputs if (at := (each.table, each.row, each.column, each.how)) in moved}
        return Ran(case.note, case.said, key, case.aim, case.asked, values)

    def _ended(self, work: _Work, done: Done) -> None:
        """Record how a case ended; send one again whose process died."""
        work.running -= 1
        work.tries[done.number] = work.tries.get(done.number, 0) + 1
        if done.died and not done.late and work.tries[done.number] < TRIES:
            work.missing.append(done.number)
            return
        work.tries.pop(done.number)
        result = Result("no_plan" if done.late else "crashed", message=done.died) if done.died else done.found
        if done.doubt and not work.doubted:
            work.doubted = True
            work.crew.teach(None)
            work.missing += self._forget(work)
        if work.doubted and result.how.endswith(LEARNT):  # it was under way
            work.missing.append(done.number)
            return
        key = work.keys[done.number]
        self.record.keep(key, self.study, work.cases[done.number], result)
        for number in work.twins[key]:
            work.found[number] = self._seen(result, len(work.cases) > MOST_WHOLE)
        self._tell()

    def _forget(self, work: _Work) -> list[int]:
        """Take back the runs whose program was learnt and not compiled; the first of each key, to be run again."""
        again: dict[str, list[int]] = {}
        for number, result in enumerate(work.found):
            if result is not None and result.how.endswith(LEARNT):
                again.setdefault(work.keys[number], []).append(number)
                work.found[number] = None
                self.ended -= 1
        for key in again:
            self.record.forget(key)
        work.twins |= again
        return [numbers[0] for numbers in again.values()]

    def _seen(self, result: Result, slim: bool) -> Result:
        self.ended += 1
        self.failed += result.status in FAILED
        self.noted.update(dict.fromkeys(name for name, value in result.figures.items() if value))
        return result.slim() if slim else result

    def _tell(self) -> None:
        self.watch(Progress(self.study, self.ended, self.asked, self.kept, time.monotonic() - self.began))

    # --- Learning

    def _range(self) -> tuple[Floats, Floats]:
        low, high = zip(*(each.reach for each in self.inputs), strict=True)
        return np.array(low), np.array(high)

    def _worth(self, cases: Sequence[Case], missing: Sequence[int]) -> bool:
        """Whether to learn from compilations costs less than it saves: for cases that move all inputs within their ranges."""
        low, high = self._range()
        if len(low) > compiled.MOST_INPUTS:
            return False
        points = [cases[number].point for number in missing if not cases[number].commits]
        whole = [np.array(each, dtype=np.float64) for each in points if len(each) == len(low) and None not in each]
        inside = sum(bool(((point >= low) & (point <= high)).all()) for point in whole)
        return inside >= WORTH * len(compiled.probes(low, high))

    def _learn(self, work: _Work) -> None:
        """Compile at the probes, on all of the crew, until what they say is understood or there are enough of them. One of the crew
        begins with the first case meanwhile: there is nothing yet that it could be quickened by."""
        low, high = self._range()
        crew, found = work.crew, dict[int, compiled.Compiled]()
        for joint in compiled.JOINT:
            points = compiled.probes(low, high, joint)
            cases = [Case(tuple(i.change(v) for i, v in zip(self.inputs, point, strict=True))) for point in points]
            waiting = deque(Task(PROBE - number, case, probe=True) for number, case in enumerate(cases) if number not in found)
            running, refused = 0, False
            while (waiting or running) and not self.interrupt.requested:
                while waiting and crew.idle():
                    if work.began == 0 and crew.size > 1:
                        work.send()
                        continue
                    crew.send(waiting.popleft())
                    running += 1
                for done in crew.wait():
                    if done.number >= 0:
                        self._ended(work, done)
                        continue
                    running -= 1
                    if done.died or not isinstance(done.found, compiled.Compiled):
                        refused = True
                        waiting.clear()
                    else:
                        found[PROBE - done.number] = done.found
            if refused or self.interrupt.requested:
                return
            learnt = compiled.learn(points, [found[number] for number in range(len(points))], low, high)
            if learnt is not None:
                crew.teach(learnt)
                return
            if len({each.signature for each in found.values()}) > 1:
                return  # no more compilations mend that
