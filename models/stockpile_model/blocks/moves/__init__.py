"""Moves: how stock goes from site to site, lot by lot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.moves import move_checks, move_terms, moved_lots, moving
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.moves.moved_lots import MovedLot
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what leaves a site for another, what that costs, and what arrives there."""
    moving.add_moved(m, stockpile)
    moving.send(m, stockpile, ledger)
    moving.pay_moves(m, stockpile, ledger)
    moving.cap_move(m, stockpile, ledger)


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield nothing; say what is between two sites, which no workbook can hold."""
    for row in passed.done(MovedLot.SHEET):
        if not passed.over(row["arrives"]):
            passed.stuck.append(
                f"{row['lot']} is between {row['from_site']} and {row['to_site']} until "
                f"{row['arrives']}: go on from a later date"
            )
    yield from ()


BLOCK = Block(
    tables=(SiteMove,),
    results=(MovedLot,),
    pays=("storage",),
    headings=(Heading("moves", "moves between sites"),),
    exits=(moving.MOVE,),
    decisions=("moved",),
    tallies=(Tally("moved", "move", alike=True),),
    check=move_checks.check,
    add=add,
    report=moved_lots.report,
    tells_apart=move_terms.tells_apart,
    rolls=rolls,
)
