"""The figures of sampled scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimiser.figures.figure import Figured
from optimiser.figures.of_scenarios import price_paths, sampled_risks
from optimiser.scenarios.sampling.make import Made

ScenarioMaker = Callable[[Made], Iterator[Figured]]

SCENARIOS: Sequence[ScenarioMaker] = (sampled_risks.figures, price_paths.figures)
"""The figures of sampled scenarios in the order in which they are read."""


def figures_of(made: Made) -> dict[str, Figured]:
    """Return the figures of sampled scenarios by name."""
    return {each.name: each for figures in SCENARIOS for each in figures(made)}
