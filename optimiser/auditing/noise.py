"""The noise of figures: what a solver's tolerance may leave of them.

It is a share of the sizes that the input gives; nothing is a number in the user's unit. The noise
of a quantity is a small share of what is typically required of its material, and stays below the
least decision about it. That of money is this quantity at the dearest price that a unit of the
material can have. So a workbook in other units has the same noise, in those units, and a material
that is held in grams has its own where another is held in tonnes.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from optimiser.auditing.inputs import Rows
from optimiser.auditing.twin import Size, Twins
from stockpile_model.schema import columns, get

OF_TYPICAL = 1e-6  # of what is typically required of a material
OF_LEAST = 0.1  # of the least decision about it
FINEST = 1e-9  # of what is typical, and
FINEST_OF_ALL = 1e-11  # of what is typical of the largest material: finer than this no solver is


class Noise:
    """The noise of figures by material.

    A figure over all materials has that of all of them; one of a group that of its materials.
    """

    def __init__(self, variants: Iterable[Rows], months: int, twins: Twins) -> None:
        variants = list(variants)
        penalties = {each.name: each.penalty for each in twins.headings.values() if each.penalty}
        needs, decisions, limits = (
            _sizes(variants, sizes, months)
            for sizes in (twins.needs, twins.decisions, twins.limits)
        )
        sized = {
            name: sizes
            for name in variants[0].materials
            if (sizes := needs[name] or decisions[name] or limits[name])
        }
        typical = {name: statistics.median(sizes) for name, sizes in sized.items()}
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
        self._groups = variants[0].groups
        lumps = [abs(value) for value in _lumps(variants) if value]
        self._lump = FINEST * statistics.median(lumps) if lumps else 0.0
        dearest: dict[str, float] = defaultdict(float)
        for row in _unique(variants, "prices"):
            for index, value in row.values.items():
                dearest[index] = max(dearest[index], abs(value))
        self._rates = {
            heading: _rates(variants, penalty, {*penalties.values()}, dearest)
            for heading, penalty in {**penalties, "": ""}.items()
        }

    def quantity(self, material: str | None = None) -> float:
        """Return the noise of a quantity of a material [quantity]."""
        return sum(self._quantity.get(name, 0.0) for name in self._named(material))

    def money(self, material: str | None = None, heading: str = "") -> float:
        """Return the noise of what is paid for a material, under a heading of money [money]."""
        rates = self._rates.get(heading, self._rates[""])
        names = {*self._named(material)} & self._quantity.keys() or self._quantity.keys()
        return self._lump + sum(self._quantity[name] * rates[name] for name in sorted(names))

    def _named(self, material: str | None) -> Collection[str]:
        """Return the materials for which a name stands; all where it is blank."""
        return self._groups.get(material, [material]) if material else self._quantity.keys()


def _unique(variants: Iterable[Rows], table: str) -> Iterator[Any]:
    """Yield the rows of a table in all its variants, each once."""
    yield from {id(row): row for rows in variants for row in rows.rows(table)}.values()


def _tables(variants: list[Rows]) -> list[str]:
    """Return the tables of all variants, in the order of the input."""
    return [*dict.fromkeys(table for rows in variants for table in rows.tables)]


def _materials(variants: list[Rows], table: str) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a table, each with its material or that of the row to which it belongs.

    One that is of a group comes with each of its materials.
    """
    for row in _unique(variants, table):
        if (owner := _owner(variants[0], row)) is not None and owner.material is not None:
            yield from ((name, row) for name in variants[0].members(owner.material))


def _owner(rows: Rows, row: Any) -> Any:
    """Return the row that has the material of a row; None where none has."""
    if hasattr(row, "material"):
        return row
    refers = (
        rows.keyed(each.refers).get(get(row, each.name))
        for each in columns(type(row))
        if each.key and each.refers and rows.rows(each.refers)
    )
    return next((found for found in refers if hasattr(found, "material")), None)


def _sizes(variants: list[Rows], sizes: Iterable[Size], months: int) -> dict[str, list[float]]:
    """Return the values of columns above zero, by material [quantity].

    Those of a year are counted for a period.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for table, column in sizes:
        for material, row in _materials(variants, table):
            if size := get(row, column):
                unit = next(each.unit for each in columns(type(row)) if each.name == column)
                found[material].append(size * (months / 12 if unit == "quantity/year" else 1.0))
    return found


def _lumps(variants: list[Rows]) -> Iterator[float | None]:
    """Yield what is paid in one sum, or appropriated [money]."""
    for table in _tables(variants):
        for row in _unique(variants, table):
            yield from (
                getattr(row, each.field) for each in columns(type(row)) if each.unit == "money"
            )


def _rates(
    variants: list[Rows], penalty: str, penalties: Collection[str], dearest: Mapping[str, float]
) -> dict[str, float]:
    """Return the dearest that a unit of each material can be: by a penalty, or by all other prices.

    `dearest` is each index at its highest [money/quantity].
    """
    found: dict[str, float] = defaultdict(float)
    if penalty:
        for material, row in _materials(variants, "materials"):
            found[material] = max(found[material], abs(get(row, penalty) or 0.0))
        return found
    sites = _unique(variants, "sites")
    of_all = max((rate for row in sites for rate in _prices(row, penalties, dearest)), default=0.0)
    for table in _tables(variants):
        for material, row in _materials(variants, table):
            found[material] = max(found[material], of_all, *_prices(row, penalties, dearest))
    return found


def _prices(row: Any, penalties: Collection[str], dearest: Mapping[str, float]) -> Iterator[float]:
    """Yield the prices of a unit that a row holds, or refers to, without penalties."""
    for each in columns(type(row)):
        value = getattr(row, each.field)
        if value is None or each.name in penalties:
            continue
        if each.refers == "prices":
            yield dearest.get(value, 0.0)
        elif each.unit.startswith("money/quantity"):
            yield abs(value)
