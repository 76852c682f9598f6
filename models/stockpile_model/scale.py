"""The size of a workbook's figures: the units of quantity and money in which its plan is searched.

A solver has absolute tolerances, and a plan does not depend on whether its workbook counts grams or
tonnes. So both units follow the figures: with all quantities times s the one is s times as large,
with all money times s the other. Every threshold is a number of these units.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

QUANTITY, PRICE = 1e3, 10.0  # what the largest need and a typical price come to in these units
CHEAP, DEAR = 1e-3, 1e5  # the least that any price of metal comes to, and the most while that holds
NOISE = 1e-6  # up to this a quantity or amount of money is rounding [units of the scale]
VISIBLE = 1e-3  # the least order that differs from none [units of the scale]


class Scale(NamedTuple):
    """One unit of quantity [quantity] and one of money [money]."""

    quantity: float = 1.0
    money: float = 1.0

    def of(self, unit: str) -> float:
        """Return one unit of what a column or component is measured in.

        The unit may be a ratio such as `quantity/period` or `money/quantity`.
        """
        sizes = self._asdict()
        head, *below = (sizes.get(each, 1.0) for each in unit.split("/"))
        for each in below:
            head /= each
        return float(head)

    @property
    def largest(self) -> float:
        """Return the largest need [quantity]."""
        return QUANTITY * self.quantity

    @property
    def nothing(self) -> float:
        """Return a quantity up to which there is none [quantity]."""
        return NOISE * self.quantity

    @property
    def no_money(self) -> float:
        """Return an amount up to which nothing is paid [money]."""
        return NOISE * self.money

    @property
    def visible(self) -> float:
        """Return the least order that differs from none [quantity]."""
        return VISIBLE * self.quantity


class Figure(NamedTuple):
    """A number of a table: its unit, its rank and its size.

    The rank says how well it shows how large quantities are: 0: a need; 1: what a row must state;
    2: another. `priced`: it is the price of metal.
    """

    unit: str
    rank: int
    size: float
    priced: bool = False


def scale_of(figures: Iterable[Figure]) -> Scale:
    """Return the scale of a workbook from all its figures.

    The unit of quantity follows the largest need, or else the largest quantity that a row must
    state (stock, what a contract commits), or else a typical one; that of money the median price,
    or else a rate or the largest amount.
    """
    needs, stated, others = list[float](), list[float](), list[float]()
    prices, rates, money, paid = list[float](), list[float](), list[float](), list[float]()
    for unit, rank, size, priced in figures:
        if priced and size > 0:
            paid.append(size)
        head, *below = unit.split("/")
        if size > 0 and head == "quantity":
            (needs, stated, others)[rank].append(size)
        elif size > 0 and head == "money":
            (money if "quantity" not in below else prices if len(below) == 1 else rates).append(
                size
            )
    largest = max(needs or stated, default=0.0) or (
        statistics.median_low(others) if others else QUANTITY
    )
    quantity = largest / QUANTITY
    if prices or rates:
        typical = statistics.median_low(prices or rates)
        if paid:
            typical = min(max(typical, max(paid) * PRICE / DEAR), min(paid) * PRICE / CHEAP)
        return Scale(quantity, quantity * typical / PRICE)
    return Scale(quantity, max(money, default=QUANTITY * PRICE) / (QUANTITY * PRICE))
