"""Solve a Pyomo model: every objective in turn, by HiGHS directly or by a solver that Pyomo runs.

The values of the variables are left in the Pyomo model; the `Outcome` reports how the search ended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimiser.solving import engine, highs
from optimiser.solving.engine import StageContext
from optimiser.solving.highs import ProgramSolution, Snapshot, Unbounded
from optimiser.solving.program import Floats, Program
from optimiser.solving.pyomo_solvers import solve_by_name
from optimiser.solving.search_options import (
    Options,
    Progress,
    Report,
    SolverError,
    SolverUnavailable,
    Stage,
    Status,
    UnboundedError,
    allowance,
    relative_gap,
)
from optimiser.solving.standard_form import Label, StandardForm, main, standard_form
from optimiser.solving.structure import CHAIN, ScenarioTree, Structure, structure
from optimiser.system.interrupts import Interrupt
from stockpile_model.formulation import Formulation

__all__ = [
    "Options",
    "Outcome",
    "Progress",
    "Report",
    "SolverError",
    "SolverUnavailable",
    "Stage",
    "Status",
    "UnboundedError",
    "scenario_tree",
    "solve",
]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Describe how a solve ended, with one `Stage` for each objective, in the order in which they
    were minimised.

    A plan is judged by the objective that is named cost, else by the last. One that follows it only
    chooses between plans that are equally good. `optimal`: every stage up to it is proven within
    the gap. `feasible`: there is a plan, without that proof. `infeasible`: it is proven that there
    is no plan. `no_plan`: the search found none in time. `interrupted`: the user ended the search.
    `form` is None for a solver that Pyomo ran.
    """

    stages: tuple[Stage, ...]
    seconds: float
    interrupted: bool
    solver: str
    form: StandardForm | None = None

    @property
    def main(self) -> int:
        """Return the number of the stage that the plan is judged by."""
        return main([each.name for each in self.stages])

    @property
    def status(self) -> Status:
        """Return the status of the plan."""
        statuses = {each.status for each in self.stages[: self.main + 1]}
        for status in ("infeasible", "no_plan", "feasible"):
            if status in statuses:
                return status
        return "optimal"

    @property
    def objective(self) -> float | None:
        """Return the objective that the plan is judged by; None without a plan."""
        return self.stages[self.main].objective

    @property
    def bound(self) -> float | None:
        """Return the proven bound: no plan costs less.

        Of two objectives: no plan that is as good by the first costs less.
        """
        return self.stages[self.main].bound

    @property
    def gap(self) -> float | None:
        """Return the relative gap between objective and bound [1]."""
        return self.stages[self.main].gap

    @property
    def nodes(self) -> int:
        """Return the nodes of branching of all stages."""
        return sum(each.nodes for each in self.stages)

    def judged(self, objective: float) -> Outcome:
        """Return the outcome with another value of the objective that the plan is judged by, and no
        bound.
        """
        stages = [*self.stages]
        stages[self.main] = replace(stages[self.main], objective=objective, bound=None, gap=None)
        return replace(self, stages=tuple(stages))

    def dual(self, constraint: Any, stage: int | None = None) -> float | None:
        """Return the change of a stage's objective for one more unit of a constraint's bound.

        The bound is the right-hand side of Pyomo's `body`; integers are held. It is 0 for a
        constraint that is no row, None where duals are not known.
        """
        at = self.main if stage is None else stage
        return self._marginal(
            self.form.row(constraint) if self.form else None, self.stages[at].row_dual
        )

    def reduced_cost(self, variable: Any, stage: int | None = None) -> float | None:
        """Return the change of a stage's objective for one more unit of a variable's binding bound;
        None where duals are not known.
        """
        at = self.main if stage is None else stage
        return self._marginal(
            self.form.column(variable) if self.form else None, self.stages[at].column_dual
        )

    @staticmethod
    def _marginal(position: int | None, duals: Floats | None) -> float | None:
        if duals is None:
            return None
        return float(duals[position]) if position is not None else 0.0


@dataclass(frozen=True, eq=False)
class KnownPlan:
    """A plan to begin another search with: its whole decisions that are not 0, by the names of
    their columns, and the bound of its own search [objective].
    """

    whole: Mapping[Label, float]
    bound: float | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> KnownPlan | None:
        """Return the plan that an outcome left in its model; None without a plan or a form."""
        form = outcome.form
        if form is None or outcome.objective is None:
            return None
        integer, labels = form.program.integer, form.labels
        found = ((labels[j], form.variables[j].value) for j in np.flatnonzero(integer).tolist())
        return cls({label: float(round(value)) for label, value in found if value}, outcome.bound)

    def point(self, form: StandardForm) -> Floats | None:
        """Return a point of a program that has the same whole decisions; None where none has."""
        if not form.program.integer.any():
            return None
        labels = form.labels
        columns = np.flatnonzero(form.program.integer).tolist()
        whole = np.array([self.whole.get(labels[j], 0.0) for j in columns])
        try:
            found = highs.optimise(form.program.fixed(whole), Options(), Interrupt())
        except (SolverError, Unbounded):
            return None
        return found.x


def scenario_tree(formulation: Formulation) -> ScenarioTree:
    """Return the scenario tree of a formulation, as the search takes it."""
    tree = formulation.stockpile.tree
    return ScenarioTree(tree.parent, tree.probability)


def solve(
    m: Any,
    options: Options | None = None,
    report: Report | None = None,
    solver: str | None = None,
    tree: ScenarioTree = CHAIN,
    known: KnownPlan | None = None,
) -> Outcome:
    """Minimise the active objectives of a linear Pyomo model, in the order of their declaration,
    each at no more of the ones before it, and leave the values in the model.

    `report` is called at most once a second in the thread of the caller. Ctrl-C ends the search and
    keeps the best plan so far; a second one is KeyboardInterrupt. `solver` names a solver that
    Pyomo runs; without it HiGHS runs directly. `tree` is the scenario tree of the model: the last
    part of a variable's index is its node. `known` is a plan of a model much like this one, with
    which the search begins where it is one here too. Raises ValueError for a model that is not
    linear, UnboundedError, SolverUnavailable and SolverError.
    """
    options = options or Options()
    begun = time.perf_counter()
    if solver is not None:
        stages = solve_by_name(m, solver, options)
        return Outcome(
            stages, time.perf_counter() - begun, interrupted=False, solver=f"{solver} through Pyomo"
        )
    with Interrupt(keeps=False):  # of nothing yet
        form = standard_form(m)
    if not form.objectives:
        raise ValueError("the model has no active objective")
    shape = structure(form.program, form.labels, form.priority, tree)
    with Interrupt() as interrupt:
        start = None if known is None else known.point(form)
        stages, x = LexicographicSearch(form, options, interrupt, report, shape).run(start)
    if x is not None:
        values = form.sizes.values(x) + 0.0  # no -0.0 in a plan
        for variable, value in zip(form.variables, values.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)
    return Outcome(stages, time.perf_counter() - begun, interrupt.requested, highs.version(), form)


def restated(outcome: Outcome, asked: float) -> tuple[Outcome, float]:
    """Return the outcome with another plan in its place, which stands in its model, and the least
    cost with the whole decisions of that plan.

    The bound stays: no plan costs less. `asked` is the gap up to which the plan is optimal.
    """
    form, stage = outcome.form, outcome.stages[outcome.main]
    assert form is not None
    values = np.array([each.value for each in form.variables], dtype=np.float64)
    x, program = values / form.sizes.column, form.program
    for each in form.objectives[: outcome.main]:
        program = _held(replace(program, cost=each.cost, offset=each.offset), each.at(x))
    judged = form.objectives[outcome.main]
    program = replace(program, cost=judged.cost, offset=judged.offset)
    size = form.sizes.objective[judged.name]
    objective = form.stated[outcome.main].at(values)
    bound = None if stage.bound is None else min(stage.bound, objective)
    gap = relative_gap(objective, bound, size)
    found = highs.optimise(program.fixed(np.round(x[program.integer])), Options(), Interrupt())
    row_dual, column_dual = _duals(form, judged.name, found)
    stages = [*outcome.stages]
    stages[outcome.main] = replace(
        stage,
        status="optimal" if gap is not None and gap <= asked else "feasible",
        objective=objective,
        bound=bound,
        gap=gap,
        row_dual=row_dual,
        column_dual=column_dual,
    )
    least = objective if found.objective is None else found.objective * size
    return replace(outcome, stages=tuple(stages)), least


@dataclass(eq=False)
class LexicographicSearch:
    """The objectives of a form, minimised one after another, each at no more of those before it.

    Plans are judged by one of them (`main`). What follows it only chooses between plans that are
    equally good by it, and needs no structure.
    """

    form: StandardForm
    options: Options
    interrupt: Interrupt
    report: Report | None
    shape: Structure

    def run(self, start: Floats | None = None) -> tuple[tuple[Stage, ...], Floats | None]:
        """Return a stage for each objective, and the columns of the plan; None without a plan.

        `start` is a feasible point to begin with.
        """
        form, program, x, root = self.form, self.form.program, start, None
        judged, judged_at = main([each.name for each in form.objectives]), None
        stages: list[Stage] = []
        deadline = time.perf_counter() + self.options.time_limit
        for k, objective in enumerate(form.objectives):
            begun = time.perf_counter()
            program = replace(program, cost=objective.cost, offset=objective.offset)
            then = form.objectives[judged].cost if k < judged else None
            context = StageContext(then, max(0.0, deadline - begun), root)
            found = self._minimised(k, program, x, self.shape if k <= judged else None, context)
            stages.append(_stage(form, k, found, time.perf_counter() - begun))
            x = found.x
            if x is None or found.objective is None:
                break
            if k == judged:
                judged_at = (program, x)
            root = None if found.basis is None else found.basis.with_row(program.rows)
            program = _held(program, found.objective)
        if x is not None and judged_at is not None:
            of = (*judged_at, x, stages[judged], self.options, self.interrupt)
            stages[judged] = _repriced(form, *of)
        return tuple(stages), x

    def _minimised(
        self,
        k: int,
        program: Program,
        x: Floats | None,
        shape: Structure | None,
        context: StageContext,
    ) -> ProgramSolution:
        """Minimise an objective, from a plan of those before it; that plan stays where there is no
        better one.
        """
        if x is not None and self.interrupt.requested:
            return ProgramSolution("feasible", x, program.objective(x))
        # A stage leaves at least an equal share of the time to those after it.
        share = context.longest / (len(self.form.objectives) - k)
        options = replace(self.options, time_limit=share)
        watch = _watch(self.report, self.form, k, share)
        try:
            if shape is None:
                found = highs.optimise(program, options, self.interrupt, watch, x)
            else:
                of = (program, shape, options, self.interrupt, watch, x, context)
                found = engine.optimise(*of)
        except Unbounded as ray:
            raise UnboundedError(self.form.at(ray.columns)) from None
        except highs.Stuck:
            if x is None:
                raise
            found = ProgramSolution("no_plan")
        if found.x is None and x is not None:
            return replace(found, status="feasible", x=x, objective=program.objective(x))
        return found


def _stage(form: StandardForm, k: int, found: ProgramSolution, seconds: float) -> Stage:
    """Return how an objective ended, in the units of the model."""
    name = form.objectives[k].name
    row_dual, column_dual = _duals(form, name, found)
    best = None if found.x is None else form.stated[k].at(form.sizes.values(found.x))
    bound = None if found.bound is None else found.bound * form.sizes.objective[name]
    if bound is not None and best is not None:
        bound = min(bound, best)
    return Stage(
        name=name,
        status=found.status,
        objective=best,
        bound=bound,
        gap=relative_gap(found.objective, found.bound),
        nodes=found.nodes,
        seconds=seconds,
        row_dual=row_dual,
        column_dual=column_dual,
    )


def _repriced(
    form: StandardForm,
    program: Program,
    before: Floats,
    x: Floats,
    stage: Stage,
    options: Options,
    interrupt: Interrupt,
) -> Stage:
    """Return the stage that a plan is judged by, with the duals for the integers of the plan.

    A later stage may have chosen other integers than that stage.
    """
    whole = np.round(x[program.integer])
    if np.array_equal(whole, np.round(before[program.integer])):
        return stage
    found = highs.optimise(program.fixed(whole), options, interrupt)
    row_dual, column_dual = _duals(form, stage.name, found)
    return replace(stage, row_dual=row_dual, column_dual=column_dual)


def _duals(
    form: StandardForm, objective: str, found: ProgramSolution
) -> tuple[Floats | None, Floats | None]:
    """Return the duals of the rows and columns, in the units of the model."""
    size = form.sizes.objective[objective]
    row = (
        None
        if found.row_dual is None
        else found.row_dual[: len(form.constraints)] * (size / form.sizes.row)
    )
    return row, (
        None if found.column_dual is None else found.column_dual * (size / form.sizes.column)
    )


def _held(program: Program, best: float) -> Program:
    """Return the program with one more row: its objective stays at the best value."""
    entries = program.cost.nonzero()[0]
    return program.extended(
        row_lower=[-float("inf")],
        row_upper=[allowance(best) - program.offset],
        row=[program.rows] * len(entries),
        column=entries.tolist(),
        value=program.cost[entries],
    )


def _watch(
    report: Report | None, form: StandardForm, stage: int, limit: float
) -> highs.Watch | None:
    """Return what reports the progress of a stage, in the units of the model."""
    if report is None:
        return None
    name = form.objectives[stage].name
    size = form.sizes.objective[name]

    def watch(seen: Snapshot) -> None:
        report(
            Progress(
                stage=stage + 1,
                stages=len(form.objectives),
                objective=name,
                seconds=seen.seconds,
                nodes=seen.nodes,
                incumbent=None if seen.incumbent is None else seen.incumbent * size,
                bound=None if seen.bound is None else seen.bound * size,
                gap=relative_gap(seen.incumbent, seen.bound),
                phase=seen.phase,
                limit=limit,
            )
        )

    return watch
