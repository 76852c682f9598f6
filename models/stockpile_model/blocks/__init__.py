"""The table of contents: which blocks there are, in the order in which they read each other."""

from stockpile_model.block import BLOCKS
from stockpile_model.blocks import (
    budget,
    commitments,
    demand,
    horizon,
    objective,
    policy,
    price_breaks,
    price_floors,
    projects,
    purchases,
    rotation,
    stock,
    targets,
)

BLOCKS[:] = [
    horizon.BLOCK,
    projects.BLOCK,
    price_breaks.BLOCK,
    purchases.BLOCK,
    price_floors.BLOCK,
    demand.BLOCK,
    rotation.BLOCK,
    stock.BLOCK,
    targets.BLOCK,
    policy.BLOCK,
    commitments.BLOCK,
    budget.BLOCK,
    objective.BLOCK,
]
