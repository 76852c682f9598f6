"""The key of what all runs of a workbook have in common."""

from __future__ import annotations

import hashlib

from optimiser.solving.highs import version
from optimiser.solving.search_options import Options
from optimiser.system.versions import installed
from stockpile_model.stockpile import Stockpile


def common(stockpile: Stockpile, options: Options) -> str:
    """Return a key of what all runs of a workbook have in common: input, options and versions."""
    found = hashlib.sha256()
    for part in (
        stockpile.settings,
        *(row for rows in stockpile.tables.values() for row in rows),
        options,
        version(),
        installed("stockpile-optimiser"),
    ):
        found.update(repr(part).encode())
    return found.hexdigest()
