"""Runs cases on a crew: what the record holds is not run again, what ends is recorded as it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimiser.solver.standard_form import Floats
from optimiser.studies import compiled
from optimiser.studies.case import Case, Result
from optimiser.studies.crew import Crew, Done, Task
from optimiser.studies.evaluate import LEARNT
from optimiser.studies.record import Record
from optimiser.studies.tables import Input

TRIES = 2  # of a case whose process dies
MOST_WHOLE = 500  # of more results only what every kind needs stays in memory; the whole stands in the record
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
    noted: dict[str, None] = field(default_factory=dict)  # figures that are not nothing in some run
    ran: list[tuple[str, str, str]] = field(default_factory=list)  # note, changes and key of each case
    ended: int = 0
    asked: int = 0
    kept: int = 0
    began: float = field(default_factory=time.monotonic)
    taught: bool = False

    def run(self, cases: Sequence[Case]) -> list[Result]:
        """The results of the cases, in their order; each is recorded as it ends."""
        self.asked += len(cases)
        keys = [case.key(self.of) for case in cases]
        self.ran += [(case.note, case.said, key) for case, key in zip(cases, keys, strict=True)]
        found: list[Result | None] = [None] * len(cases)
        missing: deque[int] = deque()
        twins: dict[str, list[int]] = {}
        for number, key in enumerate(keys):
            if (kept := self.record.find(key)) is not None:
                found[number] = self._seen(kept, len(cases) > MOST_WHOLE)
                self.kept += 1
            elif key in twins:
                twins[key].append(number)
            else:
                twins[key] = [number]
                missing.append(number)
        self._tell()
        if missing:
            crew = self.hire()
            if not self.taught:
                self.taught = True
                crew.teach(None)  # of the study before
                if self.inputs and self._worth(cases, missing):
                    self._learn(crew)
            self._run(crew, cases, keys, missing, twins, found)
        return [each for each in found if each is not None]

    def _run(
        self,
        crew: Crew,
        cases: Sequence[Case],
        keys: Sequence[str],
        missing: deque[int],
        twins: dict[str, list[int]],
        found: list[Result | None],
    ) -> None:
        tries: dict[int, int] = {}
        running, doubted = 0, False
        while missing or running:
            while missing and crew.idle():
                crew.send(Task(missing[0], cases[missing[0]]))
                missing.popleft()
                running += 1
            for done in crew.wait():
                running -= 1
                tries[done.number] = tries.get(done.number, 0) + 1
                if done.died and tries[done.number] < TRIES:
                    missing.append(done.number)
                    continue
                tries.pop(done.number)
                result = Result("crashed", message=done.died) if done.died else done.found
                if done.doubt and not doubted:
                    doubted = True
                    crew.teach(None)
                    missing += self._forget(keys, twins, found)
                if doubted and result.how.endswith(LEARNT):  # it was under way
                    missing.append(done.number)
                    continue
                self.record.keep(keys[done.number], cases[done.number].said, result)
                for number in twins[keys[done.number]]:
                    found[number] = self._seen(result, len(cases) > MOST_WHOLE)
                self._tell()

    def _forget(self, keys: Sequence[str], twins: dict[str, list[int]], found: list[Result | None]) -> list[int]:
        """Take back the runs whose program was learnt and not compiled; the first of each key, to be run again."""
        again: dict[str, list[int]] = {}
        for number, result in enumerate(found):
            if result is not None and result.how.endswith(LEARNT):
                again.setdefault(keys[number], []).append(number)
                found[number] = None
                self.ended -= 1
        for key in again:
            self.record.forget(key)
        twins |= again
        return [numbers[0] for numbers in again.values()]

    def _seen(self, result: Result, slim: bool) -> Result:
        self.ended += 1
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

    def _learn(self, crew: Crew) -> None:
        """Compile at the probes, on all of the crew, until what they say is understood or there are enough of them."""
        low, high = self._range()
        found: dict[int, compiled.Compiled] = {}
        for joint in compiled.JOINT:
            points = compiled.probes(low, high, joint)
            cases = [Case(tuple(i.change(v) for i, v in zip(self.inputs, point, strict=True))) for point in points]
            waiting, running = deque(Task(number, case, probe=True) for number, case in enumerate(cases) if number not in found), 0
            while waiting or running:
                while waiting and crew.idle():
                    crew.send(waiting.popleft())
                    running += 1
                for done in crew.wait():
                    running -= 1
                    if not self._took(done, found):
                        return self._drain(crew, running)
            learnt = compiled.learn(points, [found[number] for number in range(len(points))], low, high)
            if learnt is not None:
                crew.teach(learnt)
                return None
            if len({each.signature for each in found.values()}) > 1:
                return None  # no more compilations mend that
        return None

    @staticmethod
    def _took(done: Done, found: dict[int, compiled.Compiled]) -> bool:
        if done.died or not isinstance(done.found, compiled.Compiled):
            return False
        found[done.number] = done.found
        return True

    @staticmethod
    def _drain(crew: Crew, running: int) -> None:
        while running:
            running -= len(crew.wait())
