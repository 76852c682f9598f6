"""What targets ask: in-spec stock, or days of cover, by material and buyer, at each node."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from stockpile_model.blocks.demand import cover
from stockpile_model.giving import TARGET, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class Target(Row):
    """Stock that a buyer asks for from a date on."""

    TABLE = "targets"
    PURPOSE = "In-spec stock that must be there at period end."
    STEP = "need"
    GIVES: ClassVar[Gives] = {
        "quantity": Give("less", TARGET),
        "days": Give("less", TARGET),
        "hard": Give("default", TARGET),
        "probability": Give("less", TARGET),
        "from": Give("later", TARGET),
        "path": Give("default", TARGET),
    }
    material: str = column(
        "material, or group of materials, whose stock counts together",
        required=True,
        refers="materials",
        grouped="group",
    )
    buyer: str | None = column("whose stock counts; blank = all sites", owner=True)
    from_: dt.date = column(
        "date from which it holds, until the material's next row", required=True
    )
    quantity: float | None = column(
        "in-spec stock at period end; blank where `days` says it",
        "quantity",
        need=True,
        least=0,
        outlier="either",
    )
    days: float | None = column(
        "or days of cover: the demand of so many days after the period end; after the horizon "
        "demand goes on as in its last period",
        "days",
        least=0,
        most=36_500,
    )
    path: str = column(
        "`step`: from this date; `ramp`: linear from the row before",
        default="step",
        choices=("step", "ramp"),
    )
    hard: bool = column("whether it must be met", default=False)
    probability: float | None = column(
        "with scenarios: it must hold, in all its periods, in scenarios of at least this "
        "probability together; blank = as `hard` says in each",
        "1",
        above=0,
        most=1,
    )

    @classmethod
    def beyond(cls, rows: Sequence[Target], end: dt.date) -> Iterator[Target]:
        """Yield the steps that come later, and the ramps that begin later, at the row before."""
        before: dict[tuple[str, str | None], dt.date] = {}
        for row in sorted(rows, key=lambda row: row.from_):
            begun = row.from_ if row.path == "step" else before.get((row.material, row.buyer))
            if begun is not None and begun > end:
                yield row
            before[row.material, row.buyer] = row.from_

    @property
    def certain(self) -> bool:
        """Return whether it must be met in every scenario."""
        return self.hard and self.probability is None

    @property
    def stated(self) -> str:
        """Return the column that says how much it asks."""
        return "quantity" if self.days is None else "days"


class Requirement(NamedTuple):
    """A target at a node, with the row that sets it."""

    quantity: float
    row: Target

    @property
    def hard(self) -> bool:
        """Return whether it must be met in every scenario."""
        return self.row.certain


Asks = Mapping[tuple[str, str, int], Requirement]
"""The target of each material or group, buyer and node."""


@functools.lru_cache(maxsize=4096)
def required(stockpile: Stockpile, node: int) -> dict[tuple[str, str], Requirement]:
    """Return the target at a node by material or group and by buyer [quantity]."""
    calendar = stockpile.calendar
    series: dict[tuple[str, str], list[tuple[int, Target]]] = {}
    for row in stockpile.at(node).rows(Target):
        point = (calendar.period(row.from_), row)
        series.setdefault((row.material, row.buyer or ""), []).append(point)
    found = {key: _asked(stockpile, node, points) for key, points in series.items()}
    return {key: asked for key, asked in found.items() if asked is not None and asked.quantity > 0}


def level(stockpile: Stockpile, row: Target, node: int) -> float:
    """Return what a row asks for at the end of a node's period [quantity]."""
    if row.days is None:
        return row.quantity or 0.0
    return cover(stockpile, node, row.material, row.buyer or "", row.days)


def _asked(stockpile: Stockpile, node: int, points: list[tuple[int, Target]]) -> Requirement | None:
    """Return the target of a series of rows at a node; None before the first.

    A ramp is linear in periods, as hard as the row it leads to; the first one rises from 0 at the
    start of the horizon.
    """
    period = stockpile.tree.period[node]
    points.sort(key=lambda point: point[0])
    before = next(((p, row) for p, row in reversed(points) if p <= period), None)
    after = next(((p, row) for p, row in points if p > period), None)
    if after is not None and after[1].path == "ramp" and (before is None or before[0] < period):
        begin, low = (before[0], level(stockpile, before[1], node)) if before else (0, 0.0)
        high = level(stockpile, after[1], node)
        return Requirement(low + (high - low) * (period - begin) / (after[0] - begin), after[1])
    return None if before is None else Requirement(level(stockpile, before[1], node), before[1])


def counts(stockpile: Stockpile, material: str, age: int) -> bool:
    """Return whether end-of-period stock of an age counts.

    It has `life - 1 - age` periods left, must have some, and at least count_life_months (workbook
    contract, meaning of time).
    """
    life = stockpile.life(material)
    if life is None:
        return True
    left, least = life - 1 - age, stockpile.keyed(Material)[material].count_life_months
    return left > 0 and left * stockpile.calendar.months >= least - 1e-9
