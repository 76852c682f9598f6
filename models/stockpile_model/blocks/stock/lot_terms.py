"""Opening lots, ages, and which ages may be one class."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.block import Renewal
from stockpile_model.giving import FACT, Give, Gives
from stockpile_model.lots import Lot
from stockpile_model.names import identity
from stockpile_model.passed import Passed
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

SHORTEST = 4  # ages in a class: fewer take no more columns of their own


@dataclass(frozen=True, kw_only=True)
class OpeningLot(Row):
    """A lot on hand before the first period."""

    TABLE = "opening_stock"
    PURPOSE = "Lots on hand before the first period."
    STEP = "basis"
    GIVES: ClassVar[Gives] = {
        "quantity": Give("more", FACT),
        "made": Give("later", FACT),
    }
    lot: str = column("name of the lot", required=True, key=True)
    material: str = column("material", required=True, refers="materials")
    site: str | None = column("where it lies; blank = the only site", refers="sites")
    quantity: float = column("quantity", "quantity", required=True, least=0, outlier="above")
    made: dt.date = column("date the shelf life runs from", required=True, age="begins")
    requalified: int = column(
        "how often it was tested again and given more life; each outlet of form requalify takes it "
        "up to its `times` in all",
        "times",
        default=0,
        least=0,
    )
    failed: bool = column(
        "whether it has failed a test: then it may only be reworked or thrown away", default=False
    )
    tested_by: str | None = column(
        "of what is out for a test: the outlet of form requalify that gives it back to its site",
        names=lambda row: "outlets",
    )
    moved_by: str | None = column(
        "of what is under way between sites: the move that brings it where it leads",
        names=lambda row: "moves",
    )
    left: dt.date | None = column(
        "of what is out for a test or under way: date on which it left, before the start",
        certain=True,
    )


TimesTested = Mapping[tuple[str, str, dt.date], int | None]
"""How often lots were requalified, by name, material and date; None: one has failed a test."""


def is_out(lot: OpeningLot) -> bool:
    """Return whether a lot is out for a test or under way, and not on hand before the start."""
    return lot.tested_by is not None or lot.moved_by is not None


def out_at(stockpile: Stockpile, number: int, period: int) -> Iterator[tuple[int, OpeningLot]]:
    """Yield the nodes of a period, each with a lot by its row as it was known at the start."""
    for n in stockpile.tree.at.get(period, ()):
        yield n, stockpile.at(stockpile.tree.paths[n][0]).rows(OpeningLot)[number]


TESTED, HELD = "requalified", "lots"
"""The sheets of lots that were tested again, and of what is held."""


def tests_of(passed: Passed) -> TimesTested:
    """Return how often the lots of a plan were requalified, where they were tested at all."""
    rows, shown = passed.rows(OpeningLot), [*passed.shown(TESTED)]
    before = {(row.lot, row.material, row.made): row for row in rows}
    known = {key: None if row.failed else row.requalified for key, row in before.items()}
    return known | {
        (row["lot"], row["material"], row["made"]): row["times"] if row["passed"] else None
        for row in shown
    }


def names_held(passed: Passed) -> set[str]:
    """Return the names of the lots on hand when the first periods are over, folded."""
    last = passed.calendar.begin(passed.gone - 1)
    return {identity(row["lot"]) for row in passed.shown(HELD) if row["date"] == last}


def unused(name: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, and take it."""
    found, number = name, 2
    while identity(found) in taken:
        found, number = f"{name} ({number})", number + 1
    taken.add(identity(found))
    return found


def age_at_start(stockpile: Stockpile, lot: OpeningLot) -> int:
    """Return the age of an opening lot in period 0 [periods].

    Made in the period before, it is 1 period old.
    """
    return max(0, -stockpile.calendar.period(lot.made))


def times_at_start(stockpile: Stockpile, lot: OpeningLot) -> int | None:
    """Return how often an opening lot was requalified, as far as any outlet asks.

    None: it has failed a test.
    """
    standings = stockpile.standings.get(lot.material)
    if lot.failed:
        return None
    return 0 if standings is None else min(lot.requalified, standings.times)


def renews(stockpile: Stockpile) -> Iterator[Renewal]:
    """Yield a test that is over for each lot that has failed one: it stands apart."""
    for row in stockpile.rows(OpeningLot):
        if row.failed:
            yield Renewal(row.material, 0, 1.0)


def place_of(stockpile: Stockpile, lot: OpeningLot) -> str:
    """Return the site where an opening lot lies."""
    return lot.site or next(iter(stockpile.sites))


def held_ages(stockpile: Stockpile, material: str, node: int) -> list[int]:
    """Return the ages at which metal can be on hand at period end.

    That is one class without a shelf life, else all ages but the last.
    """
    life, ages = stockpile.at(node).life(material), stockpile.first_ages(material, node)
    return [a for a in ages if life is None or stockpile.standing(material, a).age < life - 1]


def remaining_life(stockpile: Stockpile, lot: Lot, age: int) -> float | None:
    """Return the life left to a lot that moves at an age [months]; None = unlimited.

    One that has failed a test has none.
    """
    life = 0 if lot.times is None else stockpile.shelf_life(lot.material)
    return None if life is None else max(0, life - age) * stockpile.calendar.months


def counting(stockpile: Stockpile, material: str, left: float, day: dt.date) -> int:
    """Return at how many period ends from a date on metal would count if it were kept.

    At each it must have some life, and at least `count_life_months`. It has `left` months on that
    date; period ends after the horizon are not counted.
    """
    calendar = stockpile.calendar
    least = max(calendar.months, stockpile.keyed(Material)[material].count_life_months)
    ends = math.floor((left - least) / calendar.months + 1e-9)
    return max(0, min(ends, calendar.periods - calendar.period(day)))


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return how many of the ages at which metal is received an age has reached.

    So what is received begins a class of ages.
    """
    return sum(age >= begin for begin in stockpile.received(material))


def classes(marks: Sequence[object]) -> tuple[range, ...]:
    """Return ages 0, 1, … with these marks, in classes of consecutive ones marked alike."""
    found: list[range] = []
    for age, mark in enumerate(marks):
        if age and mark == marks[age - 1]:
            found[-1] = range(found[-1].start, age + 1)
        else:
            found.append(range(age, age + 1))
    alone = (
        [ages] if len(ages) >= SHORTEST else [range(age, age + 1) for age in ages] for ages in found
    )
    return tuple(part for parts in alone for part in parts)


def lives(stockpile: Stockpile) -> Iterator[tuple[Row, str]]:
    """Yield the shelf lives: the row of each material that has one, and the column."""
    for row in stockpile.rows(Material):
        if row.shelf_life_months is not None:
            yield row, "shelf_life_months"
