"""Moves: how stock goes from site to site, lot by lot."""

from __future__ import annotations

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.moves import move_checks, move_terms, moved_lots, moving, rolled_moves
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.moves.moved_lots import MovedLot
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what leaves a site for another, what that costs, and what arrives there."""
    moving.add_moved(m, stockpile)
    moving.send(m, stockpile, ledger)
    moving.bring_earlier(stockpile, ledger)
    moving.pay_moves(m, stockpile, ledger)
    moving.cap_move(m, stockpile, ledger)


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
    rolls=rolled_moves.rolls,
)
