"""What-ifs: questions about a plan, each a kind of study too."""

from __future__ import annotations

from optimiser.studies.what_ifs.adequacy import ADEQUACY
from optimiser.studies.what_ifs.cost_shares import COST_SHARES
from optimiser.studies.what_ifs.firm_supply import FIRM_SUPPLY
from optimiser.studies.what_ifs.floor_levels import FLOOR_LEVELS
from optimiser.studies.what_ifs.information import INFORMATION
from optimiser.studies.what_ifs.reason_prices import REASON_PRICES
from optimiser.studies.what_ifs.what_if import WhatIf

__all__ = [
    "ADEQUACY",
    "COST_SHARES",
    "FIRM_SUPPLY",
    "FLOOR_LEVELS",
    "INFORMATION",
    "REASON_PRICES",
    "WHAT_IFS",
    "WhatIf",
]

WHAT_IFS: tuple[WhatIf, ...] = (
    FIRM_SUPPLY,
    COST_SHARES,
    FLOOR_LEVELS,
    INFORMATION,
    ADEQUACY,
    REASON_PRICES,
)
"""In the order in which a plan answers them."""
