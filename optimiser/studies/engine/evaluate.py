"""Runs cases one after the other in a process, each with warm starts from those before it."""

from __future__ import annotations

import functools
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimiser.explaining.shortages import why_infeasible
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.engine import pays
from optimiser.solving.highs import ProgramSolution, Unbounded, polished
from optimiser.solving.program import Floats, Program
from optimiser.solving.search_options import Options, SolverError, allowance, relative_gap
from optimiser.solving.solve import KnownPlan, Outcome, scenario_tree, solve
from optimiser.solving.standard_form import Label
from optimiser.solving.structure import ScenarioTree
from optimiser.studies.engine import plan_checks
from optimiser.studies.engine.case import (
    AUDITED,
    DECISIONS,
    UNLIKE,
    Case,
    CaseResult,
    Commit,
    Figure,
    Status,
)
from optimiser.studies.engine.certify import MOST_KNOWN, Certifier, Proof, WarmStart
from optimiser.studies.engine.compiled import (
    COMPILED,
    Compiled,
    Programs,
    compile_model,
    compile_program,
)
from optimiser.studies.engine.drawdown import answers, read_back
from optimiser.studies.engine.embargo import (
    figures_of_all,
    path_of_year,
    planned_figures,
    questions,
)
from optimiser.studies.engine.held_decisions import decided, hold
from optimiser.studies.engine.performing import Performing
from optimiser.studies.engine.plan_figures import figures
from optimiser.studies.engine.shocks import struck
from optimiser.studies.engine.turning_case import TURN, Runs, turning
from optimiser.studies.engine.views import (
    AS_IT_IS,
    ASSESSED,
    HELD,
    NO_MEAN,
    VIEWS,
    WITHOUT,
    decide,
    folded,
    mean,
)
from optimiser.studies.stress.rule_of_thumb import BY_THUMB, MOVED, WISHED, follow
from optimiser.system.errors import Fault
from optimiser.system.interrupts import Interrupt
from stockpile_model import changes
from stockpile_model.block import Tally, tallies
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.objective import RISK
from stockpile_model.build import build, check
from stockpile_model.formulation import Formulation
from stockpile_model.name_lists import list_of
from stockpile_model.scenarios import unfold
from stockpile_model.spelling import alike
from stockpile_model.stockpile import Stockpile

MOST_CERTIFIERS = 24  # structures of programs that are kept
SAMPLE = 40  # of so many cases with a plan, the plan of the first is audited, in each process
MOST_SAID = 3  # reasons why there is no plan that a result names
LEAST_SECONDS = 1.0  # for a search, however long its program took to compile
SLACK = 1e-6  # by how much a limit may be missed, relatively and absolutely, as in the solver
Key = tuple[str, ...]  # what programs have in common that one certifier proves


@dataclass(frozen=True, eq=False)
class SharedStart:
    """A warm start of one case, and the programs that it serves."""

    key: Key
    warm_start: WarmStart


@dataclass(frozen=True, eq=False)
class StudyJob:
    """Describe what all cases of a study share; it goes to every process once.

    `known`: a plan of the stockpile as it is.
    """

    stockpile: Stockpile
    options: Options
    known: KnownPlan | None = None

    def evaluator(self) -> CaseEvaluator:
        """Return what evaluates the cases in a process."""
        return CaseEvaluator(self)


class CaseEvaluator(Performing):
    """Evaluates the cases of one job."""

    def __init__(self, job: StudyJob) -> None:
        self.job = replace(
            job, stockpile=job.stockpile.anchored()
        )  # so that all cases are in the same units
        self.programs = Programs()
        self.planned = 0  # cases that ended with a plan
        self.certifiers: dict[Key, Certifier] = {}
        self.shared: deque[SharedStart] = deque(maxlen=MOST_KNOWN)
        self.plans: dict[tuple[Any, ...], Plan | CaseResult] = {}  # of which years are assessed
        self.deadline = math.inf  # of the case that is run, on the clock of time.perf_counter [s]
        self.base: CaseResult | None = None  # the best plan of the stockpile as it is
        self.relaxed: Certifier | None = None  # that solved its relaxation

    def share(self, warm_starts: Iterable[SharedStart]) -> None:
        """Learn from cases that other processes ran."""
        for shared in warm_starts:
            self.shared.append(shared)
            if shared.key in self.certifiers:
                self.certifiers[shared.key].take(shared.warm_start)
            elif shared.warm_start.named is not None:
                for certifier in self.certifiers.values():
                    certifier.seed(shared.warm_start.named)

    # --- Cases

    def run(self, case: Case) -> tuple[CaseResult, list[SharedStart]]:
        """Return how a case ends, and warm starts for others."""
        began = time.perf_counter()
        self.deadline = began + min(case.seconds, self.job.options.time_limit)
        try:
            result, new = self._run(case)
        except Unbounded:
            result, new = (
                CaseResult(
                    "refused",
                    message=(
                        "the cost falls without limit: something can be bought and sold without end"
                    ),
                ),
                [],
            )
        except SolverError as reason:
            result, new = CaseResult("failed", message=str(reason)), []
        if result.plan is not None:
            self.planned += 1
            if self.planned % SAMPLE == 1:
                result = self.audit(case, result)
        return replace(result, seconds=time.perf_counter() - began), new

    def audit(self, case: Case, result: CaseResult) -> CaseResult:
        """Return the result of a case after its plan was audited as `solve` audits plans.

        It has failed where the plan does not agree with the input.
        """
        changed = self._changed(case)
        if isinstance(changed, CaseResult):
            return changed
        cost, bound = (result.objective, result.bound) if case.aim == "cost" else (None, None)
        if _meant(case):
            changed = replace(changed, settings=replace(changed.settings, risk_weight=0.0))
        said = plan_checks.audit(
            changed,
            result.plan,
            "optimal" if result.status == "optimal" else "feasible",
            cost,
            bound,
        )
        if said:
            return CaseResult(
                "failed", how=f"{result.how}{AUDITED}", message=f"the plan fails its audit: {said}"
            )
        return replace(result, how=f"{result.how}{AUDITED}", plan=None)

    def _run(self, case: Case) -> tuple[CaseResult, list[SharedStart]]:
        """Return how a case ends, and warm starts for others."""
        if case.drawn:
            return self._drawn(case), []
        changed = self._changed(case)
        if isinstance(changed, CaseResult):
            return changed, []
        if case.view[:1] == (ASSESSED,):
            return self._assessed(case, changed), []
        if case.view and case.view[0] == TURN:
            runs = Runs(self._turned, lambda each: self._program(each)[0])
            return turning(changed, case.view, runs), []
        in_order = changed.settings.objective == "shortfall_first"
        if case.view[:1] == (WITHOUT,):
            if in_order:
                return self._planned(build(changed), True, self.job.known), []
            return self._certified(case, changed, compile_program(changed), COMPILED, "")
        if case.view:
            return self._viewed(changed, case), []
        if in_order and case.aim == "cost" and case.limit is None:
            return self._solved(changed), []
        return self._proven(case, changed)

    def _turned(self, case: Case) -> CaseResult:
        """Return how a step of the search for a price ends; the plan as it is is made once.

        A plan that is not proven to be the best says nothing: the best turns at another price.
        """
        if case == Case() and self.base is not None:
            return self.base
        if time.perf_counter() > self.deadline:
            return CaseResult("no_plan")
        result, _ = self._run(case)
        if result.status == "feasible":
            return CaseResult("no_plan", how=result.how)
        if case == Case() and result.planned:
            self.base = result
        return result

    def _proven(self, case: Case, changed: Stockpile) -> tuple[CaseResult, list[SharedStart]]:
        """Return what a certifier proves of a case, and warm starts for others."""
        return self._certified(case, changed, *self._program(case))

    def _certified(
        self, case: Case, changed: Stockpile, compiled: Compiled, origin: str, why: str
    ) -> tuple[CaseResult, list[SharedStart]]:
        """Return what a certifier proves of the program of a case, and warm starts for others."""
        key = (compiled.signature, case.aim, *(case.limit[:1] if case.limit else ()))
        if self.job.known is not None and key not in self.certifiers and not _meant(case):
            self._relax()
        certifier = self._certifier(key, compiled, changed)
        options = replace(self.job.options, time_limit=self._left())
        if case.aim == "distance":  # how unlike a plan is need not be known to the last
            options = replace(options, gap=max(options.gap, UNLIKE))
        asked = _asked(compiled, case)
        proof = certifier.prove(asked, options, _point(case), self._bound(case, compiled))
        shared = [] if proof.warm_start is None else [SharedStart(key, proof.warm_start)]
        how = f"{proof.how}, {origin}"
        if proof.x is None or proof.objective is None:
            bound = None if proof.bound is None else proof.bound * compiled.unit(case.aim)
            return CaseResult(proof.status, bound=bound, how=how, message=why), shared
        x = (
            proof.x
            if case.aim == "cost"
            else _cheapest(compiled, asked, proof.x, proof.objective, options)
        )
        if fault := plan_checks.broken(asked, x):
            message = f"the plan violates its program: {fault}"
            return CaseResult("failed", how=how, message=message), []
        result = _reported(case, compiled, changed, proof, x)
        gap = result.gap
        status: Status = (
            "optimal" if gap is not None and gap <= self.job.options.gap else "feasible"
        )
        return replace(result, status=status, how=how, message=why), shared

    def _bound(self, case: Case, compiled: Compiled) -> float:
        """Return what no plan of a case can cost less than: that of the known plan, where a case
        only requires more.
        """
        known = self.job.known
        if known is None or known.bound is None or case.changes or case.view or _meant(case):
            return -math.inf
        return known.bound / compiled.unit(case.aim)

    def _left(self) -> float:
        """Return what is left of the time of a case after its program was compiled [s].

        It is a moment in any case, in which much is proven.
        """
        return max(LEAST_SECONDS, self.deadline - time.perf_counter())

    def _changed(self, case: Case) -> Stockpile | CaseResult:
        """Return the changed stockpile, or why there is none."""
        try:
            stockpile = self._made(case)
        except ValueError as reason:
            return CaseResult("refused", message=str(reason))
        faults = [problem for problem in check(stockpile) if not problem.warning]
        if faults:
            return CaseResult("refused", message=str(Fault(*stockpile.located(faults[0]))))
        if case.view[:1] == (WITHOUT,):
            return VIEWS[WITHOUT].make(unfold(stockpile), *case.view[1:])
        return stockpile

    def _made(self, case: Case, values: Mapping[int, Any] | None = None) -> Stockpile:
        """Return the stockpile with a case's changes and decisions.

        `values` take the place of some of theirs. Raises ValueError where a cell cannot be so.
        """
        stockpile = self.job.stockpile
        if case.changes:  # the rows at the nodes of a tree are those of cells as they were
            stockpile = folded(stockpile)
        for k, change in enumerate(case.changes):
            stockpile = changes.apply(
                stockpile, replace(change, value=values[k]) if values and k in values else change
            )
        for each in case.commits:
            stockpile = _committed(stockpile, each)
        return stockpile if case.shock is None else struck(stockpile, case.shock)

    def _program(self, case: Case) -> tuple[Compiled, str, str]:
        """Return the program of a case, how it was made, and where it was compiled why."""
        numbers = [
            k
            for k, each in enumerate(case.changes)
            if isinstance(each.value, (int, float)) and not isinstance(each.value, bool)
        ]
        cells = tuple(
            replace(each, value="") if k in numbers else each for k, each in enumerate(case.changes)
        )
        tail = "cvar" in (case.aim, *(case.limit or ())[:1])
        values = [float(case.changes[k].value) for k in numbers]  # type: ignore[arg-type]

        def make(given: Sequence[Any]) -> Stockpile:
            return self._made(case, dict(zip(numbers, given, strict=True)))

        return self.programs.of((cells, case.commits, tail), values, make, tail)

    def _relax(self) -> None:
        """Solve the relaxation of the stockpile as it is once, where a plan of it is known: that
        plan proves little, but the relaxation of every case is near.
        """
        if self.relaxed is None:
            base, _, _ = self._program(Case())
            self.relaxed = self._certifier((base.signature, Case.aim), base, self.job.stockpile)
            if pays(base.program, self.relaxed.shape):
                self.relaxed.relax(base.program, self.job.options)

    def _certifier(self, key: Key, compiled: Compiled, changed: Stockpile) -> Certifier:
        if key not in self.certifiers:
            tree = unfold(changed).tree
            made = Certifier(compiled, ScenarioTree(tree.parent, tree.probability))
            for other in [*self.certifiers.values()][-3:]:
                for pattern in other.patterns[:4]:
                    made.seed(other.named(pattern.whole))
            if self.relaxed is not None and key[1:] == (Case.aim,):
                made.adopt(self.relaxed)
            for shared in self.shared:
                if shared.key == key:
                    made.take(shared.warm_start)
                elif shared.warm_start.named is not None:
                    made.seed(shared.warm_start.named)
            if self.job.known is not None:
                made.seed(self.job.known.whole)
            self.certifiers[key] = made
            while len(self.certifiers) > MOST_CERTIFIERS:
                self.certifiers.pop(next(iter(self.certifiers)))
        return self.certifiers[key]

    def _viewed(self, changed: Stockpile, case: Case) -> CaseResult:
        """Return how a view of the stockpile ends, by a fresh solve; a plan is audited, and reports
        the figures that are compared.
        """
        unfolded = unfold(changed)
        name, *of = case.view
        if name == BY_THUMB:
            return self._by_thumb(build(replace(unfolded, classes={})))
        if name != HELD:
            made = VIEWS[name].make(unfolded, *of)
            if case.shock is None:
                return self._planned(build(made), VIEWS[name].has_rows)
            return self._shocked(build(replace(made, classes={})), case)
        # Age by age: the two may distinguish other ages, and the decisions of one fix the other.
        meant, kept = (build(replace(each, classes={})) for each in (mean(unfolded), unfolded))
        if (found := self._outcome(meant)).objective is None:
            said = NO_MEAN if found.status == "infeasible" else ""
            return CaseResult(found.status, how="solved", message=said)
        decide(kept, meant)
        found = self._outcome(kept)
        return CaseResult(found.status, found.objective, found.bound, found.gap, how="solved")

    def _drawn(self, case: Case) -> CaseResult:
        """Return what metal that a plan holds could meet."""
        options = replace(self.job.options, threads=1)
        found = answers(read_back(case.drawn), options)
        return CaseResult("optimal", how="solved", figures=found)

    def _assessed(self, case: Case, changed: Stockpile) -> CaseResult:
        """Return the figures of a fiscal year in a scenario, or of all, of a plan made once."""
        _, supply, *place = case.view
        key = (supply, case.changes, case.commits)
        if key not in self.plans:
            formulation = build(VIEWS[supply].make(unfold(changed)))
            outcome = self._outcome(formulation)
            self.plans = {
                **{known: plan for known, plan in self.plans.items() if known[1:] == key[1:]},
                key: CaseResult(outcome.status, bound=outcome.bound, how="solved")
                if outcome.objective is None
                else audited(make_plan(formulation, outcome)),
            }
        if isinstance(plan := self.plans[key], CaseResult):
            return plan
        how, of = f"solved{AUDITED}", (plan.objective, plan.bound, plan.gap)
        if not place:
            return CaseResult(plan_status(plan), *of, how=how, figures=figures_of_all(plan))
        embargo, span = path_of_year(plan, *place)
        found = planned_figures(embargo, span)
        if supply == AS_IT_IS:
            found |= answers(questions(embargo, span), replace(self.job.options, threads=1))
        return CaseResult(plan_status(plan), *of, how=how, figures=found)

    def _shocked(self, formulation: Formulation, case: Case) -> CaseResult:
        """Return how a plan ends that something befalls; where there is none, what is short."""
        impossible = [] if case.held is None else hold(formulation, case.held)
        if impossible:
            said = f"what was decided can no longer be done: {'; '.join(impossible[:MOST_SAID])}"
            return CaseResult("infeasible", how="solved", message=said)
        result = self._planned(formulation, has_rows=True)
        if result.status == "infeasible":
            options = replace(self.job.options, time_limit=self._left(), threads=1)
            why = why_infeasible(formulation, options)
            said = "; ".join(map(str, (why.wanted or why.needed)[:MOST_SAID]))
            return replace(result, message=said)
        if not (result.planned and case.decides):
            return result
        text = decided(formulation, case.decides)
        return replace(result, figures={**result.figures, DECISIONS: text})

    def _by_thumb(self, formulation: Formulation) -> CaseResult:
        """Return the plan by the rule of thumb; what departs from the rule is a figure."""
        options = replace(self.job.options, time_limit=self._left(), threads=1)
        followed = follow(formulation, options)
        if followed is None:
            return CaseResult("no_plan", how="solved", message="no plan near the rule was found")
        result = self._planned(formulation, has_rows=True)
        if not result.planned:
            return result
        share = followed.moved / followed.wished if followed.wished else 0.0
        return replace(result, figures={**result.figures, WISHED: followed.wished, MOVED: share})

    def _planned(
        self, formulation: Formulation, has_rows: bool, known: KnownPlan | None = None
    ) -> CaseResult:
        """Return how a formulation ends, whose search begins with a plan that is known."""
        outcome = self._outcome(formulation, known)
        if outcome.objective is None or not has_rows:
            return CaseResult(
                outcome.status, outcome.objective, outcome.bound, outcome.gap, how="solved"
            )
        plan = audited(make_plan(formulation, outcome))
        return CaseResult(
            outcome.status,
            plan.objective,
            plan.bound,
            plan.gap,
            how=f"solved{AUDITED}",
            figures=figures(plan),
        )

    def _outcome(self, formulation: Formulation, known: KnownPlan | None = None) -> Outcome:
        options = replace(self.job.options, time_limit=self._left(), threads=1)
        return solve(formulation.m, options, tree=scenario_tree(formulation), known=known)

    def _solved(self, changed: Stockpile) -> CaseResult:
        """Return how a stockpile ends by a fresh solve.

        Of two objectives the second can only be compared at the best of the first.
        """
        formulation = build(changed)
        outcome = solve(
            formulation.m,
            replace(self.job.options, time_limit=self._left(), threads=1),
            tree=scenario_tree(formulation),
        )
        if outcome.objective is None or outcome.form is None:
            return CaseResult(outcome.status, bound=outcome.bound, how="solved")
        x = np.array([each.value for each in outcome.form.variables], dtype=np.float64)
        figures, stock = _figures(
            compile_model(formulation.m, formulation.stockpile.scale), x, changed
        )
        return CaseResult(
            outcome.status,
            outcome.objective,
            outcome.bound,
            outcome.gap,
            0.0,
            "solved",
            "",
            figures,
            stock,
            x,
        )


def plan_status(plan: Plan) -> Status:
    """Return the status of a plan as that of a run."""
    return "optimal" if plan.status == "optimal" else "feasible"


def _point(case: Case) -> Floats | None:
    """Return the values of all inputs of a case; None where one is not known."""
    if not case.point or None in case.point:
        return None
    return np.array(case.point, dtype=np.float64)


def _reported(
    case: Case, compiled: Compiled, changed: Stockpile, proof: Proof, x: Floats
) -> CaseResult:
    """Return the figures of the plan x, in the units of the workbook."""
    assert proof.objective is not None
    unit, values = compiled.unit(case.aim), compiled.values(x)
    figures, stock = _figures(compiled, values, changed)
    if case.aim != "cost":
        figures["cost"] = compiled.program.objective(x) * compiled.scale.money
    columns = (
        [j for j, (name, _) in enumerate(compiled.labels) if name not in RISK]
        if _meant(case)
        else slice(None)
    )
    return CaseResult(
        "feasible",
        proof.objective * unit,
        None if proof.bound is None else proof.bound * unit,
        relative_gap(proof.objective, proof.bound),
        figures=figures,
        stock=stock,
        plan=values[columns],
    )


def _committed(stockpile: Stockpile, each: Commit) -> Stockpile:
    row = Commitment(
        kind=each.kind, name=each.name, level=each.level, how=each.how, quantity=each.quantity
    )
    return alike(
        replace(
            stockpile, tables={**stockpile.tables, Commitment: (*stockpile.rows(Commitment), row)}
        )
    )


def _meant(case: Case) -> bool:
    """Return whether a case minimises or bounds something else than the objective of the workbook.

    The risk in that is not kept track of.
    """
    return case.aim != "cost" or (case.limit is not None and case.limit[0] == "cvar")


def _asked(compiled: Compiled, case: Case) -> Program:
    """Return the program with the case's limit as one more row, and its aim as the cost."""
    program = compiled.program
    if case.limit is not None:
        measure, most = case.limit
        cost = compiled.measure(measure)
        at = cost.nonzero()[0]
        room = most / compiled.unit(measure) - (program.offset if measure == "cost" else 0.0)
        room += SLACK * max(1.0, abs(room)) if measure != "cost" else 0.0
        program = program.extended(
            row_lower=[-math.inf],
            row_upper=[room],
            row=[program.rows] * len(at),
            column=at.tolist(),
            value=cost[at],
        )
    if case.aim == "distance":
        return replace(program, cost=_overlap(compiled, dict(case.avoid)), offset=0.0)
    return (
        program
        if case.aim == "cost"
        else replace(program, cost=compiled.measure(case.aim), offset=0.0)
    )


def _cheapest(
    compiled: Compiled, asked: Program, x: Floats, best: float, options: Options
) -> Floats:
    """Return the plan with the least mean cost among those as good by another aim.

    They have its integers. What the other aim does not see would be left as it comes, such as stock
    below a target in a scenario outside of the tail.
    """
    at = asked.cost.nonzero()[0]
    held = replace(asked, cost=compiled.program.cost, offset=compiled.program.offset).extended(
        row_lower=[-math.inf],
        row_upper=[allowance(best) - asked.offset],
        row=[asked.rows] * len(at),
        column=at.tolist(),
        value=asked.cost[at],
    )
    better = polished(held, ProgramSolution("feasible", x, held.objective(x)), options, Interrupt())
    return x if better is None or better.x is None else better.x


def _overlap(compiled: Compiled, weights: Mapping[str, float]) -> Floats:
    """Return how much a plan does of what other plans did, each decision by its weight."""
    cost = np.zeros(compiled.program.columns)
    alike = {tally.variable for tally in tallies() if tally.alike}
    for j, (name, key) in enumerate(compiled.labels):
        if name in alike:
            cost[j] = weights.get(f"{name} {key[0]}", 0.0)
    return cost if compiled.size is None else cost * compiled.size


@functools.lru_cache(maxsize=32)
def _columns(labels: tuple[Label, ...]) -> Mapping[str, list[tuple[int, tuple[Any, ...]]]]:
    """Return the columns of the variables that figures are made of, by variable."""
    followed = {tally.variable for tally in tallies()}
    found: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
    for j, (name, key) in enumerate(labels):
        if name in followed:
            found.setdefault(name, []).append((j, key))
    return found


def _figures(
    compiled: Compiled, x: Floats, stockpile: Stockpile
) -> tuple[dict[str, Figure], tuple[float, ...]]:
    """Return the figures of a plan, whose variables have the values x, and its expected stock at
    the end of each period.
    """
    tree, values, of = unfold(stockpile).tree, x.tolist(), _columns(compiled.labels)
    nothing = stockpile.scale.nothing
    found: dict[str, Figure] = {"shortfall": _clean(_shortfall(compiled, x), nothing)}
    held = [0.0] * stockpile.settings.periods
    for tally in tallies():
        columns = [(key, values[j]) for j, key in of.get(tally.variable, ())]
        if tally.how == "held":
            for key, value in columns:
                held[tree.period[key[-1]]] += tree.probability[key[-1]] * value
        else:
            members = stockpile.names(tally.members) if tally.members else ()
            noise = 0.0 if tally.how == "ever" else nothing  # that counts what is done, no metal
            found.update(
                (name, _clean(value, noise))
                for name, value in _tallied(tally, columns, members, tree.probability, found)
            )
    return found, tuple(value if abs(value) > nothing else 0.0 for value in held)


def _tallied(
    tally: Tally,
    columns: Sequence[tuple[tuple[Any, ...], float]],
    members: Iterable[str],
    probability: Sequence[float],
    found: Mapping[str, Figure],
) -> Iterator[tuple[str, Figure]]:
    """Yield the figures of a tally: for each member, or one for all."""
    if tally.how == "total":
        yield tally.figure, sum(probability[key[-1]] * value for key, value in columns)
        return
    sums: dict[str, float] = {}
    chosen: dict[str, list[str]] = {str(name): [] for name in members}
    for key, value in columns:
        name = str(key[0])
        if tally.how == "chosen" and value > 0.5 and str(key[1]) not in chosen.setdefault(name, []):
            chosen[name].append(str(key[1]))
        elif tally.how == "ever":
            sums[name] = max(sums.get(name, 0.0), float(round(value)))
        elif tally.how == "sum":
            sums[name] = sums.get(name, 0.0) + probability[key[-1]] * value
    if tally.how == "chosen":
        yield from ((f"{tally.figure} {name}", list_of(levels)) for name, levels in chosen.items())
    for name, value in sums.items():
        before = found.get(f"{tally.figure} {name}", 0.0)
        yield f"{tally.figure} {name}", max(value, float(before)) if tally.how == "ever" else value


def _clean(value: Figure, nothing: float) -> Figure:
    """Return a figure without the solver's noise."""
    return value if isinstance(value, str) or abs(value) > nothing else 0.0


def _shortfall(compiled: Compiled, x: Floats) -> float:
    """Return the expected shortfall of a plan whose variables have the values x [quantity]."""
    scaled = x if compiled.size is None else x / compiled.size
    return float(compiled.shortfall @ scaled) * compiled.scale.quantity
