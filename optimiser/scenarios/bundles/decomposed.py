"""Bundles decomposed by mpi-sppy, over the ranks of an MPI run or on one: a bound, and first
decisions to try.

B. Knueven, D. Mildebrath, C. Muir, J. D. Siirola, J.-P. Watson, D. L. Woodruff: A parallel
hub-and-spoke system for large-scale scenario-based optimization under uncertainty, Math. Program.
Comput. 15, 2023. The models are those of every other plan, and so is the solver: what a subproblem
is bounded by is the dual bound of its own search. This module needs the extra `cluster`,
and is imported only where it is used.
"""

from __future__ import annotations

from typing import Literal

from optimiser.execution.mpi_ranks import ClusterUnavailable, Ranks, quietly
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_models import BundleModels
from optimiser.scenarios.bundles.bundle_planner import ALONE, BundlePlanner
from optimiser.scenarios.bundles.bundle_tasks import bundle_plan
from optimiser.solving.solve import solve
from stockpile_model.amounts import count

Way = Literal["lagrangian", "ef"]

ITERATIONS = 10  # of the subgradient method


def check(planner: BundlePlanner, ranks: Ranks, way: Way) -> None:
    """Raise ClusterUnavailable, on all ranks, where they have no work."""
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
    """Bound the cost of a planner's stockpile, and leave it first decisions to try.

    Returns the scenarios that have no plan together, if any.
    """
    if planner.split.periods == 0:  # nothing ties the bundles together
        return planner.search()
    if way == "ef":
        return _extensive_form(planner, ranks)
    return _lagrangian(planner, ranks)


def _extensive_form(planner: BundlePlanner, ranks: Ranks) -> tuple[str, ...]:
    """Solve all bundles in one model, tied together in the trunk."""
    from mpisppy.opt.ef import ExtensiveForm

    creator = BundleModels(planner, ranks)
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
    """Bound the cost by the Lagrangian dual over the bundles, by subgradients.

    Each bundle pays a price for every decision of the trunk, and is paid for it by others. The
    prices sum to 0 over the bundles, so their least costs sum to a bound, at whatever prices (C. C.
    Carøe, R. Schultz, Dual decomposition in stochastic integer programming, Oper. Res. Lett. 24,
    1999).
    """
    from optimiser.scenarios.bundles.subgradient_dual import SubgradientDual

    creator = BundleModels(planner, ranks)
    options = {
        "solver_name": "appsi_highs",
        "PHIterLimit": ITERATIONS,
        "defaultPHrho": 1.0,
        "convthresh": 1e-9,
        "verbose": False,
        "display_progress": False,
        "toc": False,
        "turn_off_names_check": True,
    }
    with quietly():
        dual = SubgradientDual(planner.inner, options, creator, planner.split.periods)
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
