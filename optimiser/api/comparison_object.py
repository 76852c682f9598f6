"""Plans side by side as one object, for JSON."""

from __future__ import annotations

import math

from optimiser.api.comparing import SideBySide


def as_object(comparison: SideBySide) -> dict[str, object]:
    """Return a comparison as one object. What a plan does not have is None."""
    units = comparison.units
    return {
        "plans": [
            {
                "name": each.name,
                "path": None if each.source is None else str(each.source),
                "input": each.input,
                "changes": each.changes,
                "planned_now": each.now,
                "stale": each.stale is not None,
            }
            for each in comparison.sides
        ],
        "opening": comparison.opening,
        "units": units,
        "rows": [
            {
                "part": row.part,
                "what": row.what,
                "of": row.of,
                "unit": units.get(row.unit, row.unit),
                "values": [_plain(value) for value in row.values],
                "differs": row.differs,
            }
            for row in comparison.rows
        ],
    }


def _plain(value: object) -> float | str | None:
    """Return a value as JSON holds it."""
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    return None if value is None else str(value)
