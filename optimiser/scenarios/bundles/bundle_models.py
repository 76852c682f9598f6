"""The models of bundles as mpi-sppy needs them, tied together by the decisions of the trunk."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from optimiser.execution.mpi_ranks import Ranks
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner
from stockpile_model.block import decisions
from stockpile_model.build import build
from stockpile_model.formulation import Formulation


class BundleModels:
    """Builds the model of a bundle as mpi-sppy needs it: all have the trunk's decisions in common.

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
    """Return the variables of what is done in the trunk."""
    acts = decisions()
    return {
        (name, key): each
        for name, key, each in bundles.decided(formulation, range(periods))
        if name in acts
    }
