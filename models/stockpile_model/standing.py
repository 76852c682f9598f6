"""How metal stands: how old it is, how often it was requalified, whether it has failed a test.

The age of metal is its shelf life less what is left of it: a lot that gains life is younger by it.
Where metal can be requalified an index of stock names its standing: the ages without a test come
first, then those after one, two … tests, last those of metal that has failed one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Standing(NamedTuple):
    """An age [periods], and how often metal was requalified; None: it has failed a test."""

    age: int
    times: int | None = 0

    @property
    def in_spec(self) -> bool:
        """Return whether metal may serve any use; what has failed may not."""
        return self.times is not None


@dataclass(frozen=True)
class Standings:
    """The standings of a material that can be requalified up to some times, as indices of stock.

    `span`: indices for each number of times; more than there are ages, so that none follows on from
    the last age before.
    """

    times: int
    span: int

    def index(self, standing: Standing) -> int:
        """Return the index of a standing."""
        times = self.times + 1 if standing.times is None else standing.times
        return times * self.span + standing.age

    def standing(self, index: int) -> Standing:
        """Return the standing of an index."""
        times, age = divmod(index, self.span)
        return Standing(age, times if times <= self.times else None)

    def indices(self, life: int) -> list[int]:
        """Return all indices, where metal has a life [periods]."""
        parts = range(self.times + 2)
        return [part * self.span + age for part in parts for age in range(life)]
