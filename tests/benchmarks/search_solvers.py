"""One search in a process of its own, in processor seconds: `python -m
tests.benchmarks.search_solvers SOLVER FOLDER GAP LIMIT SEED` prints how it ended, on its last line.

The engine and HiGHS take the program as this project makes it; SCIP (the package pyscipopt) and CBC
(the command `cbc`) take the MPS file of the same model, where they are installed. To read it is not
counted.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimiser.solving import engine, highs
from optimiser.solving.search_options import ABSOLUTE_GAP, Options, relative_gap
from optimiser.system.interrupts import Interrupt

# how much more than its limit CBC may take [s]: it looks only now and then, at times not for
# minutes
LATE = 5
FOUND = re.compile(r"Integer solution of .* \(([\d.]+) seconds\)")
ENDED = re.compile("Result - (Optimal solution found|Problem proven infeasible)")
CBC_NUMBER = r"^{}:\s+(-?[\d.]+(?:e[+-]?\d+)?)"


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a search ended; `first` is when it had its first plan.

    All seconds are the processor's; money is the model's.
    """

    finished: bool
    seconds: float
    first: float | None = None
    objective: float | None = None
    bound: float | None = None
    load: float = 0.0  # of the machine, in processes, over the last minute

    @property
    def gap(self) -> float | None:
        """Proven relative gap."""
        return relative_gap(self.objective, self.bound)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of a search."""

    folder: Path
    gap: float
    limit: float  # [s] of the processor
    seed: int

    @property
    def model(self) -> Path:
        return self.folder / "model.mps"


class Since:
    """The processor seconds since it was made, and those at which the first plan came."""

    def __init__(self) -> None:
        self.begun = time.process_time()
        self.first: float | None = None

    @property
    def seconds(self) -> float:
        return time.process_time() - self.begun

    def plan(self) -> None:
        self.first = self.seconds if self.first is None else self.first


def by_engine(task: Task) -> Search:
    """Let this project's engine search."""
    return _ours(task, engine.optimise)


def by_highs(task: Task) -> Search:
    """Let HiGHS alone search."""
    return _ours(
        task,
        lambda program, _, options, interrupt, watch: highs.optimise(
            program, options, interrupt, watch
        ),
    )


def _ours(task: Task, optimise: Any) -> Search:
    program, shape, size = pickle.loads((task.folder / "program.pickle").read_bytes())
    interrupt = Interrupt()
    # Limits of this project are those of the clock: this one ends by the processor's.
    options = Options(gap=task.gap, time_limit=100 * task.limit, threads=1, seed=task.seed)
    since = Since()
    _hear(engine.Engine, "_take", since)
    _hear(highs._Progress, "keep", since)

    def watch(_: highs.Snapshot) -> None:
        interrupt.requested |= since.seconds > task.limit

    try:
        found = optimise(program, shape, options, interrupt, watch)
    except highs.Stuck:
        found = highs.ProgramSolution("no_plan")
    objective, bound = (
        None if each is None else each * size for each in (found.objective, found.bound)
    )
    finished = found.status in ("optimal", "infeasible")
    return Search(
        finished=finished,
        seconds=since.seconds,
        first=since.first,
        objective=objective,
        bound=bound,
    )


def _hear(owner: type, name: str, since: Since) -> None:
    """Note the first call of a method that is given a plan."""
    method = getattr(owner, name)

    def heard(self: Any, found: Any) -> None:
        if found is not None:
            since.plan()
        method(self, found)

    setattr(owner, name, heard)


def by_scip(task: Task) -> Search:
    """Let SCIP search."""
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr, Model

    class Plans(Eventhdlr):  # type: ignore[misc]
        def eventinit(self) -> None:
            self.model.catchEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)

        def eventexec(self, _: Any) -> None:
            since.plan()

    m = Model()
    m.hideOutput()
    m.readProblem(str(task.model))
    asked = {
        "timing/clocktype": 1,
        "limits/time": task.limit,
        "limits/gap": task.gap,
        "limits/absgap": ABSOLUTE_GAP,
    }
    m.setParams({**asked, "randomization/randomseedshift": task.seed})
    m.includeEventhdlr(Plans(), "plans", "hears of plans")
    since = Since()
    m.optimize()
    objective, bound = m.getPrimalbound(), m.getDualbound()
    objective, bound = (None if abs(each) >= m.infinity() else each for each in (objective, bound))
    finished = m.getStatus() in ("optimal", "gaplimit", "infeasible")
    return Search(
        finished=finished,
        seconds=since.seconds,
        first=since.first,
        objective=objective,
        bound=bound,
    )


def by_cbc(task: Task) -> Search:
    """Let CBC search."""
    asked = {
        "-ratioGap": task.gap,
        "-allowableGap": ABSOLUTE_GAP,
        "-timeMode": "cpu",
        "-seconds": task.limit,
        "-randomCbcSeed": task.seed,
    }
    command = [
        "cbc",
        str(task.model),
        *(str(each) for pair in asked.items() for each in pair),
        "-solve",
    ]
    most = int(task.limit) + LATE
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (most, most + LATE)),
    )
    if ran.returncode not in (0, -signal.SIGXCPU):
        raise RuntimeError(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stderr}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    objective, bound = (
        re.search(CBC_NUMBER.format(name), ran.stdout, re.MULTILINE)
        for name in ("Objective value", "Lower bound")
    )
    first, finished = FOUND.search(ran.stdout), bool(ENDED.search(ran.stdout))
    best = None if objective is None else float(objective[1])
    return Search(
        finished=finished,
        seconds=used.ru_utime + used.ru_stime,
        first=None if first is None else float(first[1]),
        objective=best,
        bound=float(bound[1]) if bound is not None else best if finished else None,
    )


SOLVERS = {"engine": by_engine, "HiGHS": by_highs, "SCIP": by_scip, "CBC": by_cbc}
INSTALLED = {
    "SCIP": importlib.util.find_spec("pyscipopt") is not None,
    "CBC": shutil.which("cbc") is not None,
}


if __name__ == "__main__":
    solver, folder, *numbers = sys.argv[1:]
    gap, limit, seed = map(float, numbers)
    search = SOLVERS[solver](Task(folder=Path(folder), gap=gap, limit=limit, seed=int(seed)))
    print("\n" + json.dumps({**asdict(search), "load": os.getloadavg()[0]}), flush=True)
    os._exit(0)  # a search that did not hear that it is to end may run still
