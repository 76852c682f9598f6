"""The sheets that say what is uncertain: `uncertainty`, and `price_history` to calibrate prices by.

They are read and checked like every other sheet. The planner passes over them: only `stockpile
scenarios` draws from them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stockpile_model.names import identity
from stockpile_model.schema import Problem, Row, column, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Supplier
from stockpile_model.values import normal


@dataclass(frozen=True, kw_only=True)
class Uncertainty(Row):
    """One thing that is uncertain: a price, a delay, an outage or an embargo."""

    TABLE = "uncertainty"
    PURPOSE = (
        "What is uncertain, for `stockpile scenarios`, which samples it and writes `scenarios` and"
        " `events`. A plan does not read it."
    )
    STEP = "studies"
    name: str = column("name of what is uncertain", required=True, key=True)
    kind: str = column(
        "`price`: the path of an index; `delay`: when a plant first ships; `outage`: a plant ships"
        " nothing for a while; `embargo`: all plants of a country (or one supplier) ship nothing"
        " for a while, together",
        required=True,
        choices=("price", "delay", "outage", "embargo"),
    )
    of: str | None = column(
        "what value names; blank = index for a price, country for an embargo, else supplier",
        choices=("index", "supplier", "country", "stage"),
    )
    value: str | None = column(
        "index, supplier, country or stage; blank = each that no other row of the kind names (not"
        " for an embargo)",
        names=lambda row: {"index": "prices", "supplier": "suppliers"}.get(about(row), about(row)),
    )
    process: str = column(
        "of a price: `mean_reverting` returns to its long-run path, `geometric` does not",
        default="mean_reverting",
        choices=("mean_reverting", "geometric"),
    )
    volatility: float | None = column(
        "standard deviation of the log price; blank = from price_history", "1/sqrt(year)", least=0
    )
    reversion: float | None = column(
        "speed of return of a mean_reverting price; blank = from price_history", "1/year", above=0
    )
    level: float | None = column(
        "long-run price to return to; blank = the path in prices is the mean",
        "money/quantity",
        above=0,
    )
    per_year: float | None = column(
        "how often an outage, embargo or jump of its own begins, expected number a year",
        "1/year",
        least=0,
    )
    duration_months: float | None = column(
        "how long it lasts (with a low and a high: triangular); blank for a jump = to the end",
        "months",
        above=0,
    )
    delay_months: float | None = column(
        "how much later the plant first ships (with a low and a high: triangular)", "months"
    )
    jump_factor: float | None = column(
        "price during a jump as a multiple of what it would be (with a low and a high: triangular)",
        above=0,
    )
    jumps_with: str | None = column(
        "embargo during which the price jumps; blank = it jumps by itself, per_year",
        names=lambda row: "uncertainty",
    )
    correlates_with: str | None = column(
        "price row with which it moves; two that move with a third share the product of both"
        " correlations",
        names=lambda row: "uncertainty",
    )
    correlation: float | None = column("correlation of the two", least=-1, most=1)


@dataclass(frozen=True, kw_only=True)
class PriceHistory(Row):
    """A date and the prices of indices on it; blank where none is known.

    Volatility, reversion and correlation come from it.
    """

    TABLE = "price_history"
    PURPOSE = (
        "Past prices: a date, then a column for each index of `prices`. `stockpile scenarios`"
        " takes volatility, reversion and correlation from it where it has twelve points or "
        "more; no plan reads it."
    )
    STEP = "studies"
    OPEN = "index"
    date: dt.date = column("date of the values", required=True, key=True)
    values: Mapping[str, float] = field(default_factory=dict)


TABLES: tuple[type[Row], ...] = (Uncertainty, PriceHistory)

SPREAD = (
    "duration_months",
    "delay_months",
    "jump_factor",
)  # drawn from a triangle where they have a low and a high
_OF = {
    "price": ("index",),
    "embargo": ("country", "supplier"),
    "delay": ("supplier", "stage", "country"),
}
_OF["outage"] = _OF["delay"]
_NEEDED = {
    "price": (),
    "delay": ("delay_months",),
    "outage": ("per_year", "duration_months"),
    "embargo": ("per_year", "duration_months"),
}
_PRICE_ONLY = (
    "volatility",
    "reversion",
    "level",
    "jump_factor",
    "jumps_with",
    "correlates_with",
    "correlation",
)
_PRECISE = {"supplier": 3, "country": 2, "stage": 1, "index": 1}


def about(row: Uncertainty) -> str:
    """Return what the value of a row names."""
    return row.of or _OF[row.kind][0]


def triangle(row: Uncertainty, name: str) -> tuple[float, float, float]:
    """Return low, most likely and high of a column that is drawn.

    An end that the row does not give is the most likely.
    """
    mode = getattr(row, name)
    low, high = row.ranges.get(name, (None, None))
    return (mode if low is None else low, mode, mode if high is None else high)


def indices(stockpile: Stockpile) -> dict[str, Uncertainty]:
    """Return the indices that are uncertain, in the order of `prices`, each with its row:
    the one that names it, or the one that names none.
    """
    rows = [row for row in stockpile.rows(Uncertainty) if row.kind == "price"]
    named = {normal(row.value): row for row in reversed(rows) if row.value}
    rest = next((row for row in rows if not row.value), None)
    found = {index: named.get(normal(index), rest) for index in stockpile.names(Price.TABLE)}
    return {index: row for index, row in found.items() if row is not None}


def suppliers(stockpile: Stockpile, kind: str) -> dict[str, Uncertainty]:
    """Return the suppliers that a delay or an outage may befall, each with the row that names
    it most precisely: of the supplier, its country, its stage, or of all.
    """
    rows = [row for row in stockpile.rows(Uncertainty) if row.kind == kind]
    found: dict[str, Uncertainty] = {}
    for name, supplier in stockpile.keyed(Supplier).items():
        speaking = [row for row in rows if not row.value or name in named(stockpile, row)]
        speaking.sort(key=lambda row: -_PRECISE[about(row)] if row.value else 0)
        if speaking and stockpile.counts(supplier.supplier):
            found[name] = speaking[0]
    return found


def embargoes(stockpile: Stockpile) -> dict[str, tuple[Uncertainty, tuple[str, ...]]]:
    """Return the embargoes by name, each with its row and the suppliers that it stops."""
    rows = [row for row in stockpile.rows(Uncertainty) if row.kind == "embargo"]
    return {
        row.name: (row, tuple(name for name in named(stockpile, row) if stockpile.counts(name)))
        for row in rows
    }


def named(stockpile: Stockpile, row: Uncertainty) -> list[str]:
    """Return the suppliers that a row names."""
    value = identity(row.value or "")
    return [
        name
        for name, each in stockpile.keyed(Supplier).items()
        if value and identity(getattr(each, about(row)) or "") == value
    ]


def correlated(stockpile: Stockpile) -> dict[str, tuple[str, float]]:
    """Return the index with which each index moves, and their correlation.

    It is the index of the row that its own row names.
    """
    found, rows = {}, indices(stockpile)
    for index, row in rows.items():
        if row.correlates_with is not None and row.correlation is not None:
            other = identity(row.correlates_with)
            partner = next(
                (
                    each
                    for each, its in rows.items()
                    if identity(its.name) == other and each != index
                ),
                None,
            )
            if partner is not None:
                found[index] = (partner, row.correlation)
    return found


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with what is uncertain, beyond a single cell."""
    rows = stockpile.rows(Uncertainty)
    history = {normal(index) for row in stockpile.rows(PriceHistory) for index in row.values}
    jumping = {identity(row.jumps_with or "") for row in rows}
    spoken: dict[tuple[str, str, str], Uncertainty] = {}
    for row in rows:
        yield from _check_row(stockpile, row, history, jumping)
        key = (row.kind, about(row) if row.value else "", normal(row.value or ""))
        first = spoken.setdefault(key, row)
        if first is not row and row.kind != "embargo":
            yield Problem(
                row.TABLE,
                row.line,
                "value",
                f"{row.name} names the same as row {first.line}, {first.name}: one row for each",
            )
    yield from _check_partners(rows)
    for point in stockpile.rows(PriceHistory):
        for index, price in point.values.items():
            if price <= 0:
                yield Problem(
                    point.TABLE,
                    point.line,
                    index,
                    f"{index} must be above 0 to have a logarithm, found {price:g}",
                )


def _check_row(
    stockpile: Stockpile, row: Uncertainty, history: set[str], jumping: set[str]
) -> Iterator[Problem]:
    def problem(name: str, message: str, warning: bool = False) -> Problem:
        return Problem(row.TABLE, row.line, name, message, warning)

    if about(row) not in _OF[row.kind]:
        yield problem(
            "of", f"must be {' or '.join(_OF[row.kind])} for {row.kind}, found {row.of!r}"
        )
        return
    for name in _NEEDED[row.kind]:
        if getattr(row, name) is None:
            yield problem(name, f"is required for {row.kind}")
    for name in SPREAD:
        if getattr(row, name) is not None:
            low, mode, high = triangle(row, name)
            if not low <= mode <= high:
                yield problem(
                    name,
                    f"must lie between its low and its high, found {mode:g} outside {low:g} to"
                    f" {high:g}",
                )
    if row.kind == "price":
        yield from _check_price(stockpile, row, history)
        return
    if given := [name for name in _PRICE_ONLY if getattr(row, name) is not None]:
        yield problem(given[0], f"has no effect on {row.kind}: it is for a price", warning=True)
    if row.value is None:
        if row.kind == "embargo":
            yield problem("value", f"is required for an embargo: which {about(row)}")
    elif not named(stockpile, row) and identity(row.name) not in jumping:
        names = {
            str(getattr(each, about(row)))
            for each in stockpile.rows(Supplier)
            if getattr(each, about(row))
        }
        yield problem(
            "value",
            f"{row.value!r} is the {about(row)} of no row in the sheet"
            f" suppliers{nearest(row.value, names)}",
        )


def _check_price(stockpile: Stockpile, row: Uncertainty, history: set[str]) -> Iterator[Problem]:
    def problem(name: str, message: str) -> Problem:
        return Problem(row.TABLE, row.line, name, message)

    known = stockpile.names(Price.TABLE)
    if not known:
        yield problem(
            "kind", "is price, but the sheet prices has no index: there is no price that could move"
        )
    elif row.value is not None and normal(row.value) not in map(normal, known):
        yield problem(
            "value",
            f"{row.value!r} is no column of the sheet prices{nearest(normal(row.value), known)}",
        )
    else:
        spoken = [row.value] if row.value else known
        for name in ("volatility", *(["reversion"] if row.process == "mean_reverting" else [])):
            if getattr(row, name) is None and not all(normal(each) in history for each in spoken):
                yield problem(name, "is required for a price of which price_history holds nothing")
    if row.level is not None and row.process == "geometric":
        yield problem("level", "must be blank for a geometric price: it returns to no level")
    if row.jump_factor is None and (row.per_year is not None or row.jumps_with is not None):
        yield problem("jump_factor", "is required for a price that jumps")
    if row.jump_factor is not None and (row.per_year is None) == (row.jumps_with is None):
        yield problem(
            "jumps_with",
            "needs an embargo, or per_year how often it jumps by itself; exactly one of the two",
        )
    if (row.correlates_with is None) != (row.correlation is None):
        yield problem(
            "correlation",
            "needs correlates_with in the same row, and the reverse: how much, and with which row",
        )


def _check_partners(rows: tuple[Uncertainty, ...]) -> Iterator[Problem]:
    """Yield what is wrong with references between rows.

    These are the embargo of a jump and the price of a correlation.
    """
    prices = {identity(row.name): row for row in rows if row.kind == "price"}
    stops = {identity(row.name): row for row in rows if row.kind == "embargo"}
    for row in prices.values():
        for name, known, what in (
            ("jumps_with", stops, "an embargo"),
            ("correlates_with", prices, "a price"),
        ):
            other = getattr(row, name)
            if other is not None and identity(other) not in known:
                hint = nearest(other, [each.name for each in known.values()])
                yield Problem(
                    row.TABLE,
                    row.line,
                    name,
                    f"{name} {other!r} is no row of this sheet that is {what}{hint}",
                )
        passed = [identity(row.name)]
        while (
            passed[-1] in prices
            and (after := prices[passed[-1]].correlates_with) is not None
            and passed.count(passed[-1]) == 1
        ):
            passed.append(identity(after))
        if len(passed) > 1 and passed[-1] == passed[0] == min(passed):  # reported once
            circle = " with ".join(prices[name].name for name in passed)
            yield Problem(
                row.TABLE,
                row.line,
                "correlates_with",
                f"must not lead back to the row itself: {circle}",
            )
