"""What the figures of a workbook alone show, before any solver."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.checks import check, rule_clashes
from stockpile_model import amounts
from stockpile_model.schema import columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

_PROVEN = "no plan exists"


def sums(stockpile: Stockpile) -> tuple[str, ...]:
    """Return what cannot be, a line each, with its numbers and its cell.

    Demand and hard targets stand against what can arrive in time, money against the least that it
    must pay, the life that is asked for against that which metal has, and shares and counts of
    rules against the whole.
    """
    return tuple(dict.fromkeys((*_supply(stockpile), *_lives(stockpile))))


def _supply(stockpile: Stockpile) -> Iterator[str]:
    """Yield what is more than could arrive or be paid, and rules that let nothing arrive."""
    clashes = rule_clashes.clashes(stockpile)
    rules = {each.problem(proven).message for each in clashes for proven in (False, True)}
    for problem in check(stockpile):
        if _PROVEN in problem.message or problem.message in rules:
            place, sentence, _ = stockpile.located(problem)
            yield f"{place}: {sentence}"


def _lives(stockpile: Stockpile) -> Iterator[str]:
    """Yield where more life is asked for than metal has on the day it is made.

    What counts at the end of a period has lived for that period.
    """
    lives = {row.material: row.shelf_life_months for row in stockpile.rows(Material)}
    for kind, rows in stockpile.tables.items():
        for column in (each for each in columns(kind) if each.age == "left"):
            for row in rows:
                name, asked = getattr(row, "material", None), get(row, column.name)
                life = lives.get(str(name))
                if life is None or not asked:
                    continue
                most = life - (stockpile.calendar.months if kind is Material else 0.0)
                if asked > most:
                    yield (
                        f"{stockpile.cell(row, column.name)}: {column.name} asks for"
                        f" {amounts.quantity(asked)} months of life of {name}, which has"
                        f" {amounts.quantity(most)} at most"
                    )
