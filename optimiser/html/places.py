"""Where countries are: coarse outlines of the continents, and the middle of each country.

The outlines are drawn by hand, good enough to see where a country lies. Names are those that people
write, and the codes of ISO 3166.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from optimiser.html.figure_data import Data
from stockpile_model.names import identity


def places_of(figures: Iterable[Data]) -> Data | None:
    """Return the outlines, and the longitude and latitude [degrees] of each label that is a
    country, of figures that draw sizes at places; None where none does."""
    labels = {
        label
        for each in figures
        for series in each.get("series", ())
        if series["mark"] == "place"
        for label in each["labels"]
    }
    if not labels:
        return None
    world = _world()
    known = {identity(name): place for name, place in world["places"].items()}
    found = {label: known[identity(label)] for label in sorted(labels) if identity(label) in known}
    return {"outlines": world["outlines"], "at": found}


@cache
def _world() -> Any:
    place = files("optimiser.html").joinpath("static", "world.json")
    return json.loads(place.read_text(encoding="utf-8"))
