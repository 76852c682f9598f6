"""Rotation: how stock is taken out before its life is over."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.rotation import outlet_checks, rotated, rotating
from stockpile_model.blocks.rotation import outlet_terms as terms
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.ledger import DISPOSAL, Heading, Ledger
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what leaves through outlets, and what comes back."""
    rotating.add_out(m, stockpile)
    rotating.take_out(m, stockpile, ledger)
    rotating.cap_outlet(m, stockpile, ledger)


def orphan(row: Row, column: str) -> Row | None:
    """Keep an outlet whose fund is left out: its receipts go to nobody's fund."""
    return replace(row, fund=None) if isinstance(row, Outlet) and column == "fund" else None


BLOCK = Block(
    tables=(Outlet,),
    results=(Rotated,),
    pays=("rotation",),
    headings=(
        Heading("rotation", "costs of outlets"),
        DISPOSAL,
        Heading("sales", "receipts from outlets"),
    ),
    exits=(rotating.ROTATION,),
    decisions=("out",),
    tallies=(Tally("out", "rotate", alike=True),),
    deeds=(rotating.DEED,),
    check=outlet_checks.check,
    add=add,
    report=rotated.report,
    tells_apart=terms.tells_apart,
    uses=terms.uses,
    turns=terms.turns,
    orphan=orphan,
)
