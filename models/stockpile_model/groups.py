"""Groups of materials: what missing them costs, and what may be wrong with them.

A need of a group is met by any of its materials. So a unit of it that is missing costs what it does
of the material of which it costs least.
"""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.amounts import about
from stockpile_model.extremes import smaller
from stockpile_model.names import identity
from stockpile_model.schema import Problem, Row, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def price(stockpile: Stockpile, name: str, column: str) -> float | None:
    """Return what a missing unit costs of a material, or the least of those of a group.

    `column` of the materials holds it [money/quantity]. None: it is blank.
    """
    materials = stockpile.keyed(Material)
    stated = [get(materials[each], column) for each in stockpile.members(name)]
    prices: list[float] = [each for each in stated if each is not None]
    return smaller(*prices) if prices else None


def unmistakable(stockpile: Stockpile, row: Material) -> Iterator[Problem]:
    """Yield a problem where a group has the name of a material."""
    if row.group is not None:
        named = identity(row.group)
        other = next((m for m in stockpile.rows(Material) if identity(m.material) == named), None)
        if other is not None:
            message = (
                f"must not be the name of a material, found {row.group!r}, which is the material in"
                f" row {other.line}; name the group otherwise"
            )
            yield Problem(row.TABLE, row.line, "group", message)


def priced(stockpile: Stockpile, row: Row, column: str) -> Iterator[Problem]:
    """Yield what is odd about the prices of a group that a row needs.

    Where only some materials have one, it is not known whether the need must be met.
    """
    name, materials = get(row, "material"), stockpile.keyed(Material)
    members = [materials[each] for each in stockpile.members(name) if each in materials]
    stated = {each.material: get(each, column) for each in members}
    without = [each for each in members if stated[each.material] is None]
    prices = [each for each in stated.values() if each is not None]
    if without and prices:
        message = (
            f"is blank for {without[0].material} and not for all of the group {name}, of which the"
            f" sheet {row.TABLE} speaks: give it for all its materials or for none"
        )
        yield Problem(Material.TABLE, without[0].line, column, message)
    elif prices and min(prices) < max(prices):
        cheapest = next(each for each in members if stated[each.material] == min(prices))
        message = (
            f"is {about(min(prices))} for {cheapest.material} and up to {about(max(prices))} for"
            f" others of the group {name}: what is missing of the group costs {about(min(prices))}"
        )
        yield Problem(Material.TABLE, cheapest.line, column, message, warning=True)
