"""Studies as tests run them, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from optimiser.studies.answered import conduct
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Runner
from optimiser.studies.kinds import ROUNDS, AnswerTable, Asked
from optimiser.studies.study_sheet.study_inputs import Input
from optimiser.studies.study_sheet.study_table import Study
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book


def inputs(count: int, low: float = 0.0, high: float = 1.0) -> tuple[Input, ...]:
    return tuple(Input("offers", f"x{k}", "price", "set", low, high) for k in range(count))


class Here:
    """A executor of nobody: tasks are done when they are waited for."""

    size = 1

    def __init__(self, evaluator: Any) -> None:
        self.evaluator, self.tasks = evaluator, list[Any]()

    def idle(self) -> int:
        return 1 - len(self.tasks)

    def send(self, task: Any) -> None:
        self.tasks.append(task)

    def wait(self) -> list[Any]:
        from optimiser.execution.executor import perform

        return [perform(self.evaluator, self.tasks.pop())]

    def close(self) -> None: ...


def studied(
    kind: str,
    evaluator: Any,
    moved: tuple[Input, ...],
    path: Path,
    stockpile: Stockpile | None = None,
    **cells: Any,
) -> list[AnswerTable]:
    """The answers of one study, run here."""
    asked = Asked(Study(study="s", kind=kind, **cells), moved, stockpile or book(), 0.0)
    with Record(path) as record:
        return conduct(ROUNDS[kind](asked), Runner("s", record, "", lambda: Here(evaluator)))
