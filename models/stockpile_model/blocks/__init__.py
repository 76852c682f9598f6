"""The table of contents: which blocks there are, in the order in which they read each other."""

from stockpile_model.block import BLOCKS
from stockpile_model.blocks import (
    budget,
    commitments,
    contracts,
    demand,
    endowments,
    horizon,
    in_transit,
    moves,
    objective,
    offers,
    policy,
    projects,
    release,
    rotation,
    stock,
    supply_curves,
    targets,
)

BLOCKS[:] = [
    horizon.BLOCK,
    projects.BLOCK,
    offers.BLOCK,
    supply_curves.BLOCK,
    contracts.BLOCK,
    in_transit.BLOCK,
    demand.BLOCK,
    rotation.BLOCK,
    moves.BLOCK,
    stock.BLOCK,
    targets.BLOCK,
    release.BLOCK,
    policy.BLOCK,
    commitments.BLOCK,
    budget.BLOCK,
    endowments.BLOCK,
    objective.BLOCK,
]
