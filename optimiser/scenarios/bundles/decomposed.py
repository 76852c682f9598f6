"""Bundles decomposed by mpi-sppy, over the ranks of an MPI run or on one: a bound, and first
decisions to try.

B. Knueven, D. Mildebrath, C. Muir, J. D. Siirola, J.-P. Watson, D. L. Woodruff: A parallel
hub-and-spoke system for large-scale scenario-based optimization under uncertainty, Math. Program.
Comput. 15, 2023. The models are those of every other plan, and so is the solver: what a subproblem
is said to be bounded by is the dual bound of its own search. This module needs the extra `cluster`,
and is imported only when it is asked for.
"""

from __future__ import annotations

import time
from typing import Any, Literal

import numpy as np
import pyomo.environ as pyo

from optimiser.execution.mpi_ranks import ClusterUnavailable, Ranks, quietly
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_planner import ALONE, BundlePlanner
from optimiser.scenarios.bundles.bundle_tasks import bundle_plan
from optimiser.solving.solve import Options, Outcome, solve
from stockpile_model.amounts import count
from stockpile_model.block import decisions
from stockpile_model.build import build
from stockpile_model.formulation import Formulation

Way = Literal["lagrangian", "ef"]

ITERATIONS = 10  # of the subgradient method
# of the cost of all, that to move a decision by its size weighs in the first iteration; later ones
# weigh less
STEP = 0.002


def check(planner: BundlePlanner, ranks: Ranks, way: Way) -> None:
    """Raises ClusterUnavailable, on all ranks, where they have no work."""
    if way == "ef" and ranks.size > 1:
        raise ClusterUnavailable(
            "--decompose ef is one model on one rank: start it without mpiexec, or decompose by"
            " lagrangian"
        )
    if ranks.size > len(planner.parts):
        share = (
            f"{count(ranks.size, 'rank')} {'has' if ranks.size == 1 else 'have'}"
            f" {count(len(planner.parts), 'bundle')} to share"
        )
        raise ClusterUnavailable(f"{share}: start fewer, or ask for more --bundles")


def decompose(planner: BundlePlanner, ranks: Ranks, way: Way) -> tuple[str, ...]:
    """Bound the cost of a planner's stockpile, and leave it first decisions to try; the scenarios
    that have no plan, if any.
    """
    if planner.split.periods == 0:  # nothing ties the bundles together
        return planner.search()
    if way == "ef":
        return _extensive_form(planner, ranks)
    return _lagrangian(planner, ranks)


class _Creator:
    """Builds the model of a bundle as mpi-sppy wants it: with the trunk's decisions as what all
    have in common.

    They are those that the first bundle has. One that another lacks is 0 there; what only another
    has need not agree, which leaves the bound a bound.
    """

    def __init__(self, planner: BundlePlanner, ranks: Ranks) -> None:
        self.planner, self.built = planner, dict[str, Formulation]()
        first = build(planner.parts[0]) if ranks.rank == 0 else None
        keys = None if first is None else [*_decisions(first, planner.split.periods)]
        self.keys: list[tuple[str, Any]] = (
            keys if keys is not None and ranks.size == 1 else ranks.comm.bcast(keys, root=0)
        )
        if first is not None:
            self.built["0"] = first
        self.names = [str(k) for k in range(len(planner.parts))]

    def __call__(self, name: str, **_: object) -> Any:
        from mpisppy.scenario_tree import ScenarioNode

        k = int(name)
        formulation = self.built[name] = self.built.get(name) or build(self.planner.parts[k])
        m, own = formulation.m, _decisions(formulation, self.planner.split.periods)
        missing = [key for key in self.keys if key not in own]
        m.mean.deactivate()  # one objective alone: what it bounds is the cost
        m.elsewhere = pyo.Var(
            range(len(missing)),
            bounds=(0, 0),
            doc="decisions of the trunk that only other bundles have [1]",
        )
        own |= {key: m.elsewhere[number] for number, key in enumerate(missing)}
        common = [own[key] for key in self.keys]
        if (
            all(len(each) > 1 for each in self.planner.names)
            and m.find_component("at_risk") is not None
        ):
            common.append(m.at_risk)
        m._mpisppy_probability = self.planner.weights[k]
        m._mpisppy_node_list = [ScenarioNode("ROOT", 1.0, 1, 0.0, common, m)]
        return m


def _decisions(formulation: Formulation, periods: int) -> dict[tuple[str, Any], Any]:
    """The variables of what is done in the trunk."""
    acts = decisions()
    return {
        (name, key): each
        for name, key, each in bundles.decided(formulation, range(periods))
        if name in acts
    }


def _extensive_form(planner: BundlePlanner, ranks: Ranks) -> tuple[str, ...]:
    """All bundles in one model, tied together in the trunk."""
    from mpisppy.opt.ef import ExtensiveForm

    creator = _Creator(planner, ranks)
    with quietly():
        form = ExtensiveForm(
            {"solver": "appsi_highs", "toc": False, "turn_off_names_check": True},
            creator.names,
            creator,
        )
    outcome = solve(form.ef, planner.inner)
    if outcome.status == "infeasible":
        return tuple(planner.split.probability)
    decided = (
        None
        if outcome.objective is None
        else bundles.decisions(creator.built["0"], range(planner.split.periods))
    )
    planner.raise_bound(outcome.bound)
    planner.proof = ALONE
    planner.offer([decided] if decided else [])
    return ()


def _lagrangian(planner: BundlePlanner, ranks: Ranks) -> tuple[str, ...]:
    """The Lagrangian dual over the bundles, by subgradients: each pays a price for every decision
    of the trunk, and is paid for it by others. The prices sum to 0 over the bundles, so their least
    costs sum to a bound, at whatever prices (C. C. Carøe, R. Schultz, Dual decomposition in
    stochastic integer programming, Oper. Res. Lett. 24, 1999).
    """
    creator = _Creator(planner, ranks)
    options = {
        "solver_name": "appsi_highs", "PHIterLimit": ITERATIONS, "defaultPHrho": 1.0, "convthresh": 1e-9, "verbose": False,
        "display_progress": False, "toc": False, "turn_off_names_check": True,
    }  # fmt: skip
    with quietly():
        dual = _dual()(planner.inner, options, creator, planner.split.periods)
        dual.PH_Prep(attach_prox=False)
        try:
            dual.Iter0()
        except RuntimeError:
            without = ranks.gathered(
                [name for name, each in dual.outcomes.items() if each.status == "infeasible"]
            )
            if not without:
                raise
            return planner.names[int(min(without, key=int))]
        alone = ranks.gathered(
            [
                (int(name), bundle_plan(dual.outcomes[name], each))
                for name, each in dual.decided().items()
            ]
        )
        dual.iterk_loop()
    planner.raise_bound(dual.most)
    several = (
        f"{len(planner.parts)} bundles of them, at Lagrangian prices for what they have in common,"
        " prove"
    )
    planner.proof = several if len(planner.parts) > 1 else ALONE
    planner.searched = dict(sorted(alone, key=lambda pair: pair[0]))
    priced = ranks.gathered([(int(name), each) for name, each in dual.decided().items()])
    planner.offer(each for _, each in sorted(priced, key=lambda pair: pair[0]))
    return ()


def _dual() -> Any:
    """The subgradient method of mpi-sppy with this program's solver.

    A class of what may not be installed.
    """
    from mpisppy.opt.subgradient import Subgradient

    class Dual(Subgradient):  # type: ignore[misc]
        """`most`: the best bound so far [money]; `outcomes`: the last search of each bundle of this
        rank.
        """

        def __init__(
            self, search: Options, options: dict[str, Any], creator: _Creator, periods: int
        ) -> None:
            self.search, self.creator, self.periods = search, creator, periods
            self.outcomes: dict[str, Outcome] = {}
            self.most = float("-inf")
            super().__init__(options, creator.names, creator, rho_setter=lambda _: [])

        def _create_solvers(self, presolve: bool = True) -> None:
            for each in self.local_scenarios.values():
                each._solver_plugin = None

        def solve_one(self, solver_options: object, k: str, s: Any, **_: object) -> float:
            """The bound is what the search has proven; mpi-sppy would take what a solver's
            interface calls one.
            """
            began = time.perf_counter()
            outcome = self.outcomes[k] = solve(s, self.search)
            s._mpisppy_data.solution_available = outcome.objective is not None
            s._mpisppy_data.outer_bound = float("-inf") if outcome.bound is None else outcome.bound
            s._mpisppy_data.inner_bound = outcome.objective
            return time.perf_counter() - began

        def solve_loop(self, **options: Any) -> None:
            super().solve_loop(**options)
            self.most = max(self.most, float(self.Ebound()))

        def _use_rho_setter(self, verbose: bool) -> None:
            """The step is one for all bundles, or the prices would not sum to 0: to move a decision
            by its size weighs STEP.
            """
            sizes = [
                [abs(each.value) for each in s._mpisppy_data.nonant_indices.values()]
                for s in self.local_scenarios.values()
            ]
            mine = np.max(np.array(sizes, dtype=float), axis=0)
            size = np.array(self.mpicomm.allgather(mine)).max(axis=0) if self.n_proc > 1 else mine
            weight = STEP * max(1.0, abs(self.trivial_bound)) / np.maximum(1.0, size) ** 2
            for s in self.local_scenarios.values():
                for at, rho in zip(s._mpisppy_data.nonant_indices, weight.tolist(), strict=True):
                    s._mpisppy_model.rho[at] = rho

        def Update_W(self, verbose: bool) -> None:
            super().Update_W(verbose)
            shorter = self._PHIter / (self._PHIter + 1)
            for s in self.local_scenarios.values():
                for at in s._mpisppy_data.nonant_indices:
                    s._mpisppy_model.rho[at] = shorter * s._mpisppy_model.rho[at].value

        def decided(self) -> dict[str, bundles.Decisions]:
            """What the bundles of this rank do in the trunk."""
            return {
                name: bundles.decisions(self.creator.built[name], range(self.periods))
                for name in self.local_scenarios
            }

    return Dual
