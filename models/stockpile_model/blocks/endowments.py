"""Endowments: what a buyer could get alone of an offer, contract or fund.

They change no plan. They say what a group of buyers plans with, where a pooled purchase is shared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stockpile_model.amounts import listed
from stockpile_model.block import Block, tables
from stockpile_model.schema import Column, Problem, Row, column, columns, get, nearest
from stockpile_model.spelling import ENDOWED
from stockpile_model.stockpile import Stockpile

ROUNDING = 1e-9
"""What rounding may add to shares such as three times a third [1]."""


@dataclass(frozen=True, kw_only=True)
class Endowment(Row):
    """Describe what a buyer could get alone of an offer, contract or fund."""

    TABLE = "endowments"
    PURPOSE = (
        "What a buyer could get alone, for the sharing of a pooled purchase. What has no row here,"
        " every group of buyers could have all of."
    )
    STEP = "limits"
    CERTAIN = True
    name: str = column(
        "offer, contract or fund", required=True, key=True, names=lambda row: ENDOWED
    )
    buyer: str = column("who could get it", required=True, key=True, owner=True)
    share: float = column(
        "part of its capacity, totals, annual quantity or money; a buyer without a row has none",
        "1",
        required=True,
        least=0,
        most=1,
    )


def endowed(stockpile: Stockpile) -> Iterator[tuple[Row, Column]]:
    """Yield what endowments speak of: each row of a table with such amounts, and its column."""
    for kind in tables():
        for each in columns(kind):
            if each.endowed:
                for row in stockpile.rows(kind):
                    yield row, each


def limited(stockpile: Stockpile) -> list[str]:
    """Return the offers, contracts and funds of which there is only so much, in order."""
    return list(
        dict.fromkeys(
            get(row, each.endowed)
            for row, each in endowed(stockpile)
            if get(row, each.name) is not None
        )
    )


def alone(stockpile: Stockpile, group: Collection[str]) -> Stockpile:
    """Return the stockpile with what a group of buyers could get without the others."""
    part: dict[str, float] = {}
    for row in stockpile.rows(Endowment):
        part[row.name] = part.get(row.name, 0.0) + (row.share if row.buyer in group else 0.0)
    left = {
        kind: tuple(_scaled(row, part) for row in rows) for kind, rows in stockpile.tables.items()
    }
    return replace(stockpile, tables=left | {Endowment: ()})


def _scaled(row: Row, part: Mapping[str, float]) -> Row:
    changed: dict[str, Any] = {}
    for each in columns(type(row)):
        name = each.endowed or each.lessens
        if name and (share := part.get(get(row, name))) is not None:
            amount = get(row, each.name)
            if amount is not None:
                changed[each.field] = amount * min(1.0, share)
    return replace(row, **changed) if changed else row


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield names that are none or several, and parts that are more than the whole or less."""
    known: dict[str, dict[str, None]] = defaultdict(dict)
    for one, each in endowed(stockpile):
        known[get(one, each.endowed)][each.endowed] = None
    rows = defaultdict(list)
    for row in stockpile.rows(Endowment):
        rows[row.name].append(row)
        if row.name not in known:
            message = (
                f"{row.name!r} is no offer, contract, or fund with appropriations"
                f"{nearest(row.name, known)}"
            )
            yield Problem(row.TABLE, row.line, "name", message)
        elif len(known[row.name]) > 1:
            names = listed([f"the {each} {row.name}" for each in known[row.name]])
            message = f"{row.name!r} may be {names}: give one of them another name"
            yield Problem(row.TABLE, row.line, "name", message)
    for name, own in rows.items():
        whole, last = sum(row.share for row in own), own[-1]
        if whole > 1 + ROUNDING:
            message = f"the shares of {name} add up to {whole:.12g}, more than all of it; lower one"
            yield Problem(last.TABLE, last.line, "share", message)
        elif whole < 1 - ROUNDING:
            message = (
                f"the shares of {name} add up to {whole:.12g}: the rest belongs to no buyer until"
                " all buy together"
            )
            yield Problem(last.TABLE, last.line, "share", message, warning=True)


BLOCK = Block(tables=(Endowment,), check=check, alone=alone)
