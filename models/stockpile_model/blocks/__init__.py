"""The table of contents: which blocks there are, in the order in which they read each other."""

from stockpile_model.block import BLOCKS
from stockpile_model.blocks import (
    budget,
    commitments,
    demand,
    horizon,
    objective,
    offers,
    policy,
    price_floors,
    projects,
    rotation,
    stock,
    targets,
)

BLOCKS[:] = [
    horizon.BLOCK,
    projects.BLOCK,
    offers.BLOCK,
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
