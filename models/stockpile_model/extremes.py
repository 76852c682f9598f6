"""The largest and the smallest of numbers, and how many fit into one, also of those that record
what is done with them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

ROUNDING = 1e-9  # share of a number by which its quotient may miss a whole one


def larger(first: float, *others: float) -> float:
    """Return the largest of some numbers.

    Among those that record what is done with them it is an operation, whichever is larger.
    """
    return functools.reduce(lambda one, other: _chosen(max, "larger", one, other), others, first)


def smaller(first: float, *others: float) -> float:
    """Return the smallest of some numbers, recorded likewise."""
    return functools.reduce(lambda one, other: _chosen(min, "smaller", one, other), others, first)


def whole_below(number: float, size: float) -> int:
    """Return how many whole sizes fit into a number.

    Numbers that record what is done with them cannot be rounded: it is found by comparisons.
    """
    return _whole(lambda many: many * size <= number * (1 + ROUNDING))


def whole_above(number: float, size: float) -> int:
    """Return how many whole sizes reach a number."""
    return _whole(lambda many: (many - 1) * size < number * (1 - ROUNDING))


def _whole(holds: Callable[[int], bool]) -> int:
    """Return the largest whole number for which something holds, as it does for all below it."""
    low, high = 0, 1
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _chosen(
    plain: Callable[[float, float], float], recorded: str, one: float, other: float
) -> float:
    choose: Any = getattr(one, recorded, None) or getattr(other, recorded, plain)
    found: float = choose(one, other)
    return found
