"""The largest and the smallest of numbers, also of those that record what is done with them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def larger(first: float, *others: float) -> float:
    """Return the largest of some numbers.

    Among those that record what is done with them it is an operation, whichever is larger.
    """
    return functools.reduce(lambda one, other: _chosen(max, "larger", one, other), others, first)


def smaller(first: float, *others: float) -> float:
    """Return the smallest of some numbers, recorded likewise."""
    return functools.reduce(lambda one, other: _chosen(min, "smaller", one, other), others, first)


def _chosen(
    plain: Callable[[float, float], float], recorded: str, one: float, other: float
) -> float:
    choose: Any = getattr(one, recorded, None) or getattr(other, recorded, plain)
    found: float = choose(one, other)
    return found
