"""What a solver's tolerance may leave of a figure, as shares of the sizes that the input gives:
nothing is a number in the user's unit.

The noise of a quantity is a small share of what is typically asked of its material, and stays below
the least decision about it; that of money is this quantity at the dearest price that a unit of the
material can have. So a book in other units has the same noise, in those units, and a material that
is held in grams has its own where another is held in tonnes.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optimiser.auditing.inputs import Rows
from stockpile_model.schema import columns, get

OF_TYPICAL = 1e-6  # of what is typically asked of a material
OF_LEAST = 0.1  # of the least decision about it
FINEST = 1e-9  # of what is typical, and
FINEST_OF_ALL = 1e-11  # of what is typical of the largest material: finer than this no solver is

NEEDS = (
    ("demand", "quantity"),
    ("targets", "quantity"),
    ("opening_stock", "quantity"),
    ("floors", "annual_quantity"),
)
DECISIONS = (("offers", "minimum_order"), ("offers", "lot_size"), ("price_breaks", "from_quantity"))
LIMITS = (("offers", "capacity"), ("offers", "total"), ("outlets", "capacity"))
PENALTIES = {
    "shortage": "shortage_cost",
    "below_target": "below_target_cost",
}  # headings of money whose price is paid to nobody


class Noise:
    """The noise of figures, by material; of a figure over all materials it is that of all of them."""

    def __init__(self, variants: Iterable[Rows], months: int) -> None:
        variants = list(variants)
        needs, decisions, limits = (
            _sizes(variants, columns, months) for columns in (NEEDS, DECISIONS, LIMITS)
        )
        asked = {
            name: sizes
            for name in variants[0].materials
            if (sizes := needs[name] or decisions[name] or limits[name])
        }
        typical = {name: statistics.median(sizes) for name, sizes in asked.items()}
        found = {}
        for name, size in typical.items():
            least = min((*needs[name], *decisions[name]), default=size)
            found[name] = max(
                FINEST * size,
                FINEST_OF_ALL * max(typical.values()),
                min(OF_TYPICAL * size, OF_LEAST * least),
            )
        most = max(
            found.values(), default=0.0
        )  # of a material of which the input gives no size: it is made of another
        self._quantity = {name: found.get(name, most) for name in variants[0].materials}
        lumps = [abs(value) for value in _lumps(variants) if value]
        self._lump = FINEST * statistics.median(lumps) if lumps else 0.0
        dearest: dict[str, float] = defaultdict(float)
        for row in _unique(variants, "prices"):
            for index, value in row.values.items():
                dearest[index] = max(dearest[index], abs(value))
        self._rates = {
            heading: _rates(variants, penalty, dearest)
            for heading, penalty in {**PENALTIES, "": ""}.items()
        }

    def quantity(self, material: str | None = None) -> float:
        """The noise of a quantity of a material [quantity]."""
        return self._quantity.get(material, 0.0) if material else sum(self._quantity.values())

    def money(self, material: str | None = None, heading: str = "") -> float:
        """The noise of what is paid for a material, under a heading of money [money]."""
        rates = self._rates.get(heading, self._rates[""])
        names = [material] if material in self._quantity else [*self._quantity]
        return self._lump + sum(self._quantity[name] * rates[name] for name in names)


def _unique(variants: Iterable[Rows], table: str) -> Iterator[Any]:
    """The rows of a table in all its variants, each once."""
    yield from {id(row): row for rows in variants for row in rows.rows(table)}.values()


def _materials(variants: list[Rows], table: str) -> Iterator[tuple[str, Any]]:
    """The rows of a table with the material of each."""
    owner = {"floors": "contracts", "price_breaks": "offers"}.get(table)
    for row in _unique(variants, table):
        yield (
            (variants[0].keyed(owner)[get(row, owner.rstrip("s"))] if owner else row).material,
            row,
        )


def _sizes(
    variants: list[Rows], wanted: tuple[tuple[str, str], ...], months: int
) -> dict[str, list[float]]:
    """What columns say of each material, where it is above zero [quantity]; what is of a year
    counts for a period.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for table, column in wanted:
        for material, row in _materials(variants, table):
            if size := get(row, column):
                found[material].append(size * (months / 12 if column == "annual_quantity" else 1.0))
    return found


def _lumps(variants: list[Rows]) -> Iterator[float | None]:
    """What is paid in one sum, or appropriated [money]."""
    for table in {table for rows in variants for table in rows.tables}:
        for row in _unique(variants, table):
            yield from (
                getattr(row, each.field) for each in columns(type(row)) if each.unit == "money"
            )


def _rates(variants: list[Rows], penalty: str, dearest: Mapping[str, float]) -> dict[str, float]:
    """The dearest that a unit of each material can be: by a penalty, or by all other prices;
    `dearest` is each index at its highest [money/quantity].
    """
    found: dict[str, float] = defaultdict(float)
    of_all = max(
        (rate for row in _unique(variants, "sites") for rate in _prices(row, dearest)), default=0.0
    )
    for table in (
        ("materials",)
        if penalty
        else ("materials", "offers", "price_breaks", "contracts", "floors", "outlets")
    ):
        for material, row in _materials(variants, table):
            rates = [abs(get(row, penalty) or 0.0)] if penalty else [of_all, *_prices(row, dearest)]
            found[material] = max(found[material], *rates)
    return found


def _prices(row: Any, dearest: Mapping[str, float]) -> Iterator[float]:
    """The prices of a unit that a row tells, or refers to."""
    for each in columns(type(row)):
        value = getattr(row, each.field)
        if value is None or each.name in PENALTIES.values():
            continue
        if each.refers == "prices":
            yield dearest.get(value, 0.0)
        elif each.unit.startswith("money/quantity"):
            yield abs(value)
