"""Funds: who pays, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.block import uses_of_money
from stockpile_model.giving import MONEY, Give, Gives
from stockpile_model.schema import Row, column


@dataclass(frozen=True, kw_only=True)
class Fund(Row):
    """A fund: who pays, and for what."""

    TABLE = "funds"
    PURPOSE = "Who pays, and for what. Without this table money is unlimited."
    STEP = "parties"
    CERTAIN = True
    GIVES: ClassVar[Gives] = {
        "uses": Give("default", MONEY),
        "materials": Give("default", MONEY),
        "keeps_receipts": Give("default", MONEY),
        "buyer": Give("default", MONEY),
    }
    fund: str = column("name of the fund", required=True, key=True)
    buyer: str | None = column("whose fund; blank = pays for all", owner=True)
    uses: tuple[str, ...] = column(
        "what it may pay; blank = all", default=(), choices=uses_of_money
    )
    materials: tuple[str, ...] = column(
        "for which materials; blank = all", default=(), refers="materials"
    )
    keeps_receipts: bool = column(
        "whether it may spend the receipts of the outlets that name it", default=False
    )
    receipts_left: float = column(
        "of a fund that keeps its receipts: what is left of those that it has received before the "
        "start",
        "money",
        default=0.0,
        least=0,
        endowed="fund",
    )
