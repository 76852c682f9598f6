"""A study with its answers and its runs, and how it is conducted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optimiser.studies.engine.runner import Ran, Runner
from optimiser.studies.kinds.asked import AnswerTable, Rounds


@dataclass(frozen=True)
class Answered:
    """A study with its answers and runs.

    `noted` are the figures that are not 0 in some run; `inputs` are the titles of its inputs by
    their names; `kept` is how many runs came from the record.
    """

    name: str
    kind: str
    tables: Sequence[AnswerTable]
    runs: Sequence[Ran]
    noted: Sequence[str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    kept: int = 0


def conduct(rounds: Rounds, runner: Runner) -> list[AnswerTable]:
    """Run the cases of each round of a study, and hand the results to the next."""
    try:
        cases = next(rounds)
        while True:
            cases = rounds.send(runner.run(cases))
    except StopIteration as end:
        return list(end.value)
