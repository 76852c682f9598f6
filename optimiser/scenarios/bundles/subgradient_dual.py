"""The subgradient method of mpi-sppy with this program's solver.

This module needs the extra `cluster`, and is imported only where it is used.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from mpisppy.opt.subgradient import Subgradient

from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_models import BundleModels
from optimiser.solving.search_options import Options
from optimiser.solving.solve import Outcome, solve

STEP = 0.002
"""The share of the cost of all that to move a decision by its size weighs in the first iteration.

Later ones weigh less.
"""


class SubgradientDual(Subgradient):  # type: ignore[misc]
    """The dual over the bundles of this rank.

    `most`: the best bound so far [money]; `outcomes`: the last search of each bundle.
    """

    def __init__(
        self, search: Options, options: dict[str, Any], creator: BundleModels, periods: int
    ) -> None:
        self.search, self.creator, self.periods = search, creator, periods
        self.outcomes: dict[str, Outcome] = {}
        self.most = float("-inf")
        super().__init__(options, creator.names, creator, rho_setter=lambda _: [])

    def _create_solvers(self, presolve: bool = True) -> None:
        for each in self.local_scenarios.values():
            each._solver_plugin = None

    def solve_one(self, solver_options: object, k: str, s: Any, **_: object) -> float:
        """Search the plan of a bundle at its prices.

        The bound is what the search has proven; mpi-sppy would take what a solver's interface calls
        one.
        """
        began = time.perf_counter()
        outcome = self.outcomes[k] = solve(s, self.search)
        s._mpisppy_data.solution_available = outcome.objective is not None
        s._mpisppy_data.outer_bound = float("-inf") if outcome.bound is None else outcome.bound
        s._mpisppy_data.inner_bound = outcome.objective
        return time.perf_counter() - began

    def solve_loop(self, **options: Any) -> None:
        """Search the plans of all bundles, and keep the best bound."""
        super().solve_loop(**options)
        self.most = max(self.most, float(self.Ebound()))

    def _use_rho_setter(self, verbose: bool) -> None:
        """Set the step, one for all bundles, or the prices would not sum to 0.

        To move a decision by its size weighs STEP.
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
        """Move the prices, and shorten the step."""
        super().Update_W(verbose)
        shorter = self._PHIter / (self._PHIter + 1)
        for s in self.local_scenarios.values():
            for at in s._mpisppy_data.nonant_indices:
                s._mpisppy_model.rho[at] = shorter * s._mpisppy_model.rho[at].value

    def decided(self) -> dict[str, bundles.Decisions]:
        """Return what the bundles of this rank do in the trunk."""
        return {
            name: bundles.decisions(self.creator.built[name], range(self.periods))
            for name in self.local_scenarios
        }
