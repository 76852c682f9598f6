"""Figures that look like a slip: another unit, per cent for a fraction, a floor above any price."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from optimiser.checks.series import floor, index, reference
from stockpile_model.amounts import about, quantity
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.currencies import converted, foreign
from stockpile_model.schema import Column, Problem, Row, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price, Site

_APART = 100  # times: prices of one material that are further apart are in other units
_FAR_APART = 10_000  # times: the same of quantities, which differ more
_MOST_SHARE, _MOST_FACTOR, _MOST_RATE = (
    2.0,
    10.0,
    0.5,
)  # above it a share, a factor of an index, a rate per year looks like per cent


class MaterialFigure(NamedTuple):
    """A figure and the cell in which it stands.

    `low` says whether it may also be too small.
    """

    row: Row
    column: str
    amount: float
    low: bool = True


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the figures that look like a slip."""
    yield from _slips_of_indices(stockpile)
    in_book_money = converted(stockpile, 0) if foreign(stockpile) else stockpile
    prices = _gathered(in_book_money, _is_price)
    quantities = _gathered(stockpile, lambda column: not _is_price(column))
    currency, unit = stockpile.settings.currency, stockpile.settings.quantity_unit
    for material in stockpile.keyed(Material):
        odd = list(
            _outliers(material, prices.get(material, []), _APART, f"{currency}/{unit}", "prices")
        )
        yield from odd
        if not odd:
            yield from _floors(stockpile, material, prices.get(material, []))
        yield from _outliers(material, quantities.get(material, []), _FAR_APART, unit, "quantities")
    for group, members in stockpile.groups.items():
        others = [each for name in members for each in quantities.get(name, [])]
        own = quantities.get(group, [])
        yield from _outliers(group, own, _FAR_APART, unit, "quantities", others)
    yield from _dear_storage(stockpile, prices)
    yield from _shares(stockpile)
    yield from _ranges(stockpile)


def _gathered(
    stockpile: Stockpile, of: Callable[[Column], bool]
) -> Mapping[str, list[MaterialFigure]]:
    """Return the figures of some columns that are above zero, by their material.

    They are those of which a large one looks like a slip. Of an index it is the mean.
    """
    found: dict[str, list[MaterialFigure]] = {}
    for kind, rows in stockpile.tables.items():
        chosen = [each for each in columns(kind) if each.outlier and of(each)]
        if not chosen or not rows:
            continue
        material = _materials(stockpile, kind)
        for row, each in itertools.product(rows, chosen):
            if (amount := _amount(stockpile, row, each)) > 0:
                figure = MaterialFigure(row, each.name, amount, each.outlier == "either")
                found.setdefault(material(row), []).append(figure)
    return found


def _materials(stockpile: Stockpile, kind: type[Row]) -> Callable[[Row], str]:
    """Return how to find the material of a row: its own, or that of the row it first refers to."""
    names = {each.name: each.refers for each in columns(kind)}
    if "material" in names:
        return lambda row: str(get(row, "material"))
    name, table = next((name, table) for name, table in names.items() if table)
    (other,) = (each for each in stockpile.tables if table == each.TABLE)
    rows, material = stockpile.keyed(other), _materials(stockpile, other)
    return lambda row: material(rows[get(row, name)])


def _amount(stockpile: Stockpile, row: Row, column: Column) -> float:
    """Return a figure; 0 where there is none."""
    value = get(row, column.name)
    if value is None:
        return 0.0
    return float(index(stockpile, value).mean()) if column.refers else float(value)


def _is_price(column: Column) -> bool:
    """Return whether a column is a price, or names an index of prices."""
    return column.refers == Price.TABLE or column.unit.startswith("money")


def _outliers(
    material: str,
    figures: list[MaterialFigure],
    times: float,
    unit: str,
    what: str,
    others: Sequence[MaterialFigure] = (),
) -> Iterator[Problem]:
    """Yield the figures that are far from the middle of all of them, one line for each column.

    `others` are those of the materials of a group: they are compared with, and not yielded.
    """
    if len(figures) + len(others) < 2:
        return
    middle = statistics.median_low(figure.amount for figure in (*figures, *others))
    shown: dict[tuple[str, str], list[MaterialFigure]] = {}
    for figure in figures:
        ratio = figure.amount / middle
        if ratio >= times or (figure.low and ratio <= 1 / times):
            shown.setdefault((figure.row.TABLE, figure.column), []).append(figure)
    for found in shown.values():
        row, column, amount, _ = found[0]
        more = f" (and {len(found) - 1} more of this column)" if len(found) > 1 else ""
        message = (
            f"is {about(amount)} {unit}{more}, where other {what} of {material} are about"
            f" {about(middle)}: another unit, as per t instead of per kg, or a slip?"
        )
        yield Problem(row.TABLE, row.line, column, message, warning=True)


def _slips_of_indices(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield a value of an index that is far from the one before it."""
    for name in stockpile.names(Price.TABLE):
        rows = sorted(
            (row for row in stockpile.rows(Price) if row.values.get(name)), key=lambda row: row.date
        )
        for before, row in itertools.pairwise(rows):
            old, new = before.values[name], row.values[name]
            if max(old, new) >= _APART * min(old, new):
                message = (
                    f"{name} goes from {about(old)} in row {before.line} to {about(new)}: another"
                    " unit, or a slip?"
                )
                yield Problem(row.TABLE, row.line, name, message, warning=True)
                break


def _floors(stockpile: Stockpile, material: str, prices: list[MaterialFigure]) -> Iterator[Problem]:
    """Yield a floor that no price of its material reaches, its own reference among them."""
    contracts = stockpile.keyed(Contract)
    tops = [figure.amount for figure in prices if figure.column == "price"]
    names = {
        getattr(figure.row, figure.column) for figure in prices if figure.column == "price_index"
    }
    tops += [float(index(stockpile, name).max()) for name in names]
    top = max(tops, default=0.0)
    for row in stockpile.rows(Floor):
        contract = contracts[row.contract]
        if contract.material != material or reference(stockpile, contract) is None:
            continue
        least = float(floor(stockpile, row).min())
        if least > top > 0:
            unit = f"{stockpile.settings.currency}/{stockpile.settings.quantity_unit}"
            column = "floor" if row.floor_index is None else "floor_index"
            message = (
                f"the floor {row.level} of {row.contract}, {about(least)} {unit}, is above every"
                f" price of {material} in the horizon, {about(top)} at most: it is what is always"
                " paid; a slip?"
            )
            yield Problem(row.TABLE, row.line, column, message, warning=True)


def _dear_storage(
    stockpile: Stockpile, prices: Mapping[str, list[MaterialFigure]]
) -> Iterator[Problem]:
    """Yield sites where holding metal for one month costs more than the metal."""
    tops = {
        material: max(figure.amount for figure in figures) for material, figures in prices.items()
    }
    rates: list[tuple[Row, str, float, float]] = [
        *(
            (row, "holding_cost", row.holding_cost, tops.get(row.material, 0.0))
            for row in stockpile.rows(Material)
        ),
        *((row, "cost", row.cost, max(tops.values(), default=0.0)) for row in stockpile.rows(Site)),
    ]
    for row, column, rate, top in rates:
        if rate > top > 0:
            message = (
                f"is {about(rate)} for a unit and month, above every price of the metal,"
                f" {about(top)} at most: a slip?"
            )
            yield Problem(row.TABLE, row.line, column, message, warning=True)


def _shares(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield a share or rate so large that it looks like per cent."""
    kinds: tuple[type[Row], ...] = tuple(stockpile.tables)
    rows = [stockpile.settings, *(row for kind in kinds for row in stockpile.rows(kind))]
    limits = {"1": _MOST_SHARE, "1/year": _MOST_RATE}

    def most(name: str, unit: str) -> float:
        return _MOST_FACTOR if name.endswith("factor") else limits[unit]

    names = {
        type(row): [
            (each.name, each.field, most(each.name, each.unit))
            for each in columns(type(row))
            if each.unit in limits and not each.many
        ]
        for row in rows
    }
    for row in rows:
        for name, attribute, limit in names[type(row)]:
            value = getattr(row, attribute)
            if value is not None and value > limit:
                message = (
                    f"is {quantity(value)}, which is {quantity(value)} times 100 %: shares and"
                    " rates are fractions, 0.25 is 25 %"
                )
                yield Problem(row.TABLE, row.line, name, message, warning=True)


def _ranges(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield a value that lies outside its range."""
    for row in (stockpile.settings, *(row for rows in stockpile.tables.values() for row in rows)):
        for name, (low, high) in row.ranges.items():
            value = row.values.get(name) if isinstance(row, Price) else get(row, name)
            if value is not None and not (value if low is None else low) <= value <= (
                value if high is None else high
            ):
                shown = (
                    f"{'…' if low is None else f'{quantity(low)}'} to"
                    f" {'…' if high is None else f'{quantity(high)}'}"
                )
                yield Problem(
                    row.TABLE,
                    row.line,
                    name,
                    f"is {quantity(value)}, outside its range, {shown}",
                    warning=True,
                )
