"""What targets ask for together: metal that counts for one of all stock counts for one of a buyer,
or of a group, too.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from stockpile_model.blocks.targets import TargetMet

K = TypeVar("K", bound=Hashable)


@dataclass
class TargetSums(Generic[K]):
    """Describe amounts of targets by key: those of buyers add up, and so do those of one name of
    metal; of sums for the same metal the largest holds."""

    _sums: dict[K, dict[tuple[str, bool], float]] = field(default_factory=dict)

    def add(self, key: K, row: TargetMet, amount: float) -> None:
        """Add an amount of the row of a target."""
        sums, kind = self._sums.setdefault(key, {}), (row.material, row.buyer is None)
        sums[kind] = sums.get(kind, 0.0) + amount

    def largest(self) -> dict[K, float]:
        """Return the largest sum of each key."""
        return {key: max(sums.values()) for key, sums in self._sums.items()}
