"""How a cell can give way where no plan exists: in which direction, and how hard that is.

Each table says it of its own columns (`Row.GIVES`). A weight is what it counts to move a cell by
its own size; to move a date or a duration by a year, or to set another choice, counts one weight
too. So weights compare cells in any units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Way = Literal["more", "less", "either", "earlier", "later", "default", "priced"]
"""In which direction a cell gives: `default` is the value of a blank cell; `priced` is a price in
the place of a blank one."""


class Give(NamedTuple):
    """In which way a cell gives, and the weight of moving it by its own size [1].

    `grows`: the further it gives, the larger the model, by far.
    """

    way: Way
    weight: float
    grows: bool = False


Gives = Mapping[str, Give]
"""The cells of a row that can give, by column."""

MONEY = 1.0  # an appropriation, and when it may be spent: what an officer asks for first
POLICY = 1.5  # rules and preferences of the officer's own making
TARGET = 2.0  # stock that is wanted
NEED = 4.0  # demand, and what a decision already taken binds to
TERM = 5.0  # what a supplier, taker or site owner would have to agree to
FACT = 10.0  # what is so: lead times, plants, prices, lives, stock, what a scenario brings
"""Weights, from what is in the officer's hands to what is in nobody's."""
