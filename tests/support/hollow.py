"""What the tests of studies run in spawned processes: models with known answers, and ways to come
to grief.

Each process imports this: it imports no more than it needs.
"""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.performing import Performing


def values(case: Case) -> list[float]:
    return [float(str(each.value)) for each in case.changes]


class Plain(Performing):
    """Costs the sum of its inputs."""

    def run(self, case: Case) -> tuple[CaseResult, list[Any]]:
        return (
            CaseResult(
                "optimal", self.cost(values(case)), self.cost(values(case)), 0.0, stock=(1.0, 2.0)
            ),
            [],
        )

    def cost(self, x: list[float]) -> float:
        return sum(x)

    def share(self, warm_starts: list[Any]) -> None: ...


class Ishigami(Plain):
    """sin x₁ + 7 sin² x₂ + 0.1 x₃⁴ sin x₁ on [-π, π]³: S = 0.3139, 0.4424, 0; ST = 0.5576, 0.4424,
    0.2437 (Ishigami, Homma 1990).
    """

    def cost(self, x: list[float]) -> float:
        return math.sin(x[0]) + 7 * math.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * math.sin(x[0])


class Telling(Plain):
    """Each case teaches more than a pipe holds; its result says how many other cases it was told
    of.
    """

    def __init__(self) -> None:
        self.heard = 0

    def run(self, case: Case) -> tuple[CaseResult, list[Any]]:
        result, _ = super().run(case)
        figures = {"heard": float(self.heard), "process": str(os.getpid())}
        return replace(result, figures=figures), [bytes(2**20)]

    def share(self, warm_starts: list[Any]) -> None:
        self.heard += len(warm_starts)


class Linear(Plain):
    """10 x₁ + 2 x₂ + 0 x₃: elementary effects of 10, 2 and 0, the same everywhere."""

    def cost(self, x: list[float]) -> float:
        return 10 * x[0] + 2 * x[1]


@dataclass(frozen=True)
class Hollow:
    """A job for a executor: `model` by name; what `befalls` a case whose first value is above 0.5;
    `log` counts who ran.
    """

    model: str = "Plain"
    befalls: str = ""
    log: Path | None = None
    pause: float = 0.0

    def evaluator(self) -> Any:
        return _Struck(self)


class _Struck(Plain):
    def __init__(self, job: Hollow) -> None:
        self.job = job
        self.inner: Plain = {
            "Plain": Plain,
            "Ishigami": Ishigami,
            "Linear": Linear,
            "Telling": Telling,
        }[job.model]()

    def run(self, case: Case) -> tuple[CaseResult, list[Any]]:
        time.sleep(self.job.pause)
        if self.job.log is not None:
            with self.job.log.open("a") as file:
                file.write(f"{os.getpid()}\n")
        if self.job.befalls == "fail":
            return CaseResult("failed", message="no luck"), []
        if case.changes and values(case)[0] > 0.5:
            match self.job.befalls:
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "raise":
                    raise ZeroDivisionError("an error nobody thought of")
                case "infeasible":
                    return CaseResult("infeasible"), []
                case "hang":
                    time.sleep(60)
        return self.inner.run(case)

    def share(self, warm_starts: list[Any]) -> None:
        self.inner.share(warm_starts)
