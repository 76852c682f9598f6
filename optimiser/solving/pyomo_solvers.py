"""Any solver that Pyomo knows, by its name and at Pyomo's own pace."""

from __future__ import annotations

import logging
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import pyomo.environ as pyo
from pyomo.common.fileutils import Executable, find_executable
from pyomo.common.modeling import unique_component_name
from pyomo.opt import TerminationCondition as Ended
from pyomo.opt.base.solvers import UnknownSolver

from optimiser.solving.highs import LOOSE, Unbounded, optimise
from optimiser.solving.program import INFINITY
from optimiser.solving.search_options import (
    Options,
    SolverError,
    SolverUnavailable,
    Stage,
    Status,
    UnboundedError,
    allowance,
    relative_gap,
)
from optimiser.solving.standard_form import standard_form
from optimiser.system.interrupts import Interrupt

NAME = re.compile(r"[A-Za-z0-9_+-]+(:[A-Za-z0-9_+-]+)?")  # `cbc`, `asl:ipopt`
WHOLE = 1e-5  # how far from whole a solver may leave an integer


class Names(NamedTuple):
    """Describe what a solver calls an option; None where its interface has none."""

    gap: str
    threads: str | None
    seed: str | None
    whole: str | None = None  # where its own would prove what is false


# By family: `appsi_gurobi`, `gurobi_direct` and `gurobi_persistent` are gurobi.
OPTIONS = {
    "highs": Names("mip_rel_gap", "threads", "random_seed", "mip_feasibility_tolerance"),
    "glpk": Names("mipgap", None, None),
    "cbc": Names("ratioGap", "threads", "randomSeed"),
    "scip": Names("limits/gap", None, "randomization/randomseedshift"),
    "gurobi": Names("MIPGap", "Threads", "Seed"),
    "cplex": Names("mip_tolerances_mipgap", "threads", "randomseed"),
}
PROVEN = {Ended.optimal, Ended.globallyOptimal}
STOPPED = {
    Ended.feasible,
    Ended.maxTimeLimit,
    Ended.maxIterations,
    Ended.maxEvaluations,
    Ended.noSolution,
    Ended.userInterrupt,
    Ended.resourceInterrupt,
    Ended.intermediateNonInteger,
}


def solve_by_name(m: Any, name: str, options: Options) -> tuple[Stage, ...]:
    """Minimise the active objectives in turn and leave the values in the model.

    Gap, threads and seed are passed to the solvers in `OPTIONS`, the time limit to all. A bound
    that the solver does not report is None. The solver gets a copy of the model, scaled by its
    suffix `scaling_factor`.

    Raises ValueError for a model without objective, SolverUnavailable, UnboundedError and
    SolverError.
    """
    factors = m.component("scaling_factor")
    if factors is None:
        return _in_turn(m, name, options)
    scaling = pyo.TransformationFactory("core.scale_model")
    scaled = scaling.create_using(m, rename=False)
    try:
        stages = _in_turn(scaled, name, options)
    except UnboundedError as error:
        raise UnboundedError(
            tuple(m.find_component(each.name) for each in error.variables)
        ) from None
    if stages[-1].objective is not None:
        scaling.propagate_solution(scaled, m)
    return tuple(_unscaled(each, 1 / factors.get(m.component(each.name), 1.0)) for each in stages)


def _unscaled(stage: Stage, size: float) -> Stage:
    objective, bound = (
        None if each is None else each * size for each in (stage.objective, stage.bound)
    )
    return replace(stage, objective=objective, bound=bound)


def _in_turn(m: Any, name: str, options: Options) -> tuple[Stage, ...]:
    objectives = list(m.component_data_objects(pyo.Objective, active=True))
    if not objectives:
        raise ValueError("the model has no active objective")
    held: list[Any] = []
    stages: list[Stage] = []
    deadline = time.perf_counter() + options.time_limit
    try:
        for k, objective in enumerate(objectives):
            for each in objectives:
                each.deactivate()
            objective.activate()
            left = max(1.0, (deadline - time.perf_counter()) / (len(objectives) - k))
            stages.append(_solve_stage(m, name, objective, replace(options, time_limit=left)))
            best = stages[-1].objective
            if best is None:
                break
            if objective is not objectives[-1]:
                held.append(pyo.Constraint(expr=objective.expr <= allowance(best)))
                m.add_component(unique_component_name(m, "hold_objective"), held[-1])
    finally:
        for each in held:
            m.del_component(each)
        for each in objectives:
            each.activate()
    return tuple(stages)


def _solve_stage(m: Any, name: str, objective: Any, options: Options) -> Stage:
    begun = time.perf_counter()
    with _quiet():
        solver = _solver(name, options)
        try:
            with Interrupt(keeps=False):  # Pyomo hands over no plan before the end
                results = solver.solve(
                    m, load_solutions=False, timelimit=math.ceil(options.time_limit)
                )  # GLPK takes whole seconds only
        except Exception as error:
            raise SolverError(f"solver {name!r} failed: {error}") from error
        ended = results.solver.termination_condition
        if ended not in PROVEN | STOPPED:
            verdict = _second_opinion(m, options)
            if verdict != "infeasible" and not (verdict == "no_plan" and ended == Ended.infeasible):
                raise SolverError(
                    f"solver {name!r} ended with the condition {str(ended)!r}:"
                    f" {results.solver.message}"
                )
            return Stage(
                name=objective.name, status="infeasible", seconds=time.perf_counter() - begun
            )
        if not len(results.solution):
            return Stage(name=objective.name, status="no_plan", seconds=time.perf_counter() - begun)
        m.solutions.load_from(results)
    whole = _make_whole(m, name)
    value = float(pyo.value(objective))
    bound = _finite(results.problem.lower_bound)
    if bound is None and ended in PROVEN and not whole:
        bound = value
    gap = relative_gap(value, bound)
    proven = ended in PROVEN and (gap is None or gap <= options.gap)
    return Stage(
        name=objective.name,
        status="optimal" if proven else "feasible",
        objective=value,
        bound=bound,
        gap=gap,
        seconds=time.perf_counter() - begun,
    )


def _second_opinion(m: Any, options: Options) -> Status:
    """Return the status of a model without an optimum; raise UnboundedError where its cost falls
    without limit.

    Solvers confuse the two (CBC calls an unbounded model infeasible, GLPK reports neither), so
    HiGHS decides.
    """
    form = standard_form(m)
    try:
        return optimise(form.program, replace(options, gap=INFINITY), Interrupt()).status
    except Unbounded as ray:
        raise UnboundedError(form.at(ray.columns)) from None


def _solver(name: str, options: Options) -> Any:
    if not NAME.fullmatch(name):
        raise SolverUnavailable(
            f"solver {name!r} is no name of a solver; name no path: its program is looked for in"
            " PATH"
        )
    Executable._manager._find = _on_path
    Executable.rehash()
    solver = pyo.SolverFactory(name)
    if isinstance(solver, UnknownSolver):
        raise SolverUnavailable(f"solver {name!r} is not known to Pyomo")
    if not solver.available(exception_flag=False):
        raise SolverUnavailable(f"solver {name!r} is known to Pyomo, but is not installed here")
    names = OPTIONS.get(name.removeprefix("appsi_").split("_")[0])
    if names is not None:
        asked = {
            names.gap: options.gap,
            names.threads: options.threads or None,
            names.seed: options.seed,
            names.whole: LOOSE,
        }
        for option, wanted in asked.items():
            if option is not None and wanted is not None:
                solver.options[option] = wanted
    return solver


def _on_path(program: str, **_: Any) -> str | None:
    """Find a program in the absolute folders of PATH alone: Pyomo would begin with the current
    folder, where anyone may have put one.
    """
    folders = [
        each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(each)
    ]
    found: str | None = find_executable(program, cwd=False, include_PATH=False, pathlist=folders)
    return found


def _make_whole(m: Any, name: str) -> bool:
    """Round the integers, which a solver leaves within its tolerance; whether there are any."""
    integers = [
        each
        for each in m.component_data_objects(pyo.Var)
        if each.value is not None and not each.fixed and not each.is_continuous()
    ]
    for each in integers:
        if abs(each.value - round(each.value)) > WHOLE:
            raise SolverError(
                f"solver {name!r} does not keep whole numbers: {each.name} = {each.value:g}"
            )
        each.set_value(round(each.value), skip_validation=True)
    return bool(integers)


def _finite(bound: Any) -> float | None:
    try:
        number = float(bound)
    except (TypeError, ValueError):  # None, or a result's field that was never set
        return None
    return number if math.isfinite(number) else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the log of Pyomo: exceptions and statuses report a missing solver or an infeasible
    model.
    """
    logger = logging.getLogger("pyomo")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
