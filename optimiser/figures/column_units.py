"""The units of columns as people read them."""

from __future__ import annotations

import re


def unit_of(unit: str, quantity: str, currency: str) -> str:
    """Return a column's unit for people: `money/quantity` is USD/kg; a pure number has none."""
    names = {"quantity": quantity, "money": currency}
    return (
        "" if unit == "1" else re.sub(r"\b(quantity|money)\b", lambda found: names[found[0]], unit)
    )
