"""What can move between which sites, when, and at which age it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.giving import FACT, TERM, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.standing import Standing
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class SiteMove(Row):
    """A way in which stock can be moved from a site to another."""

    TABLE = "moves"
    PURPOSE = (
        "Ways in which stock can be moved between sites. A lot keeps its name, its age and its "
        "tests. On the way it is not stock. It moves once in a period at most. Between sites of "
        "two buyers only the metal moves, no money."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "capacity": Give("more", TERM),
        "lead_time_months": Give("less", FACT),
        "cost": Give("less", FACT),
    }
    move: str = column("name of the move", required=True, key=True)
    from_site: str = column("site that the metal leaves", required=True, refers="sites")
    to_site: str = column("site where it arrives", required=True, refers="sites")
    material: str | None = column("material that can be moved; blank = all", refers="materials")
    cost: float = column(
        "cost of what is moved, paid for the buyer of from_site as it leaves, in place of handling",
        "money/quantity",
        default=0.0,
        least=0,
    )
    lead_time_months: float = column(
        "time until it arrives", "months", default=0.0, least=0, whole_periods=True
    )
    capacity: float | None = column(
        "most that is moved in a period, all materials together; blank = unlimited",
        "quantity/period",
        least=0,
        limit="most",
        outlier="above",
    )


def lead(stockpile: Stockpile, move: SiteMove) -> int:
    """Return the periods until what is moved arrives."""
    return stockpile.calendar.count(move.lead_time_months)


class UnderWay(NamedTuple):
    """A lot that left before the start, by the number of its row, and the period of its arrival."""

    number: int
    lot: OpeningLot
    move: SiteMove
    due: int


def under_way(stockpile: Stockpile) -> list[UnderWay]:
    """Return the lots that are under way between sites at the start.

    The lead time is that without events, which were not known then.
    """
    moves, found = stockpile.keyed(SiteMove), list[UnderWay]()
    for number, row in enumerate(stockpile.rows(OpeningLot)):
        move = moves.get(row.moved_by or "")
        if move is not None and row.left is not None:
            due = stockpile.calendar.period(row.left) + lead(stockpile, move)
            found.append(UnderWay(number, row, move, due))
    return found


def movable(stockpile: Stockpile, move: SiteMove) -> list[str]:
    """Return the materials that can be moved."""
    return [move.material] if move.material else list(stockpile.keyed(Material))


def leaving_ages(stockpile: Stockpile, move: SiteMove, material: str, node: int) -> Iterator[int]:
    """Yield the ages at which metal can be moved at a node.

    It arrives within the horizon, and within its life as it is known at the node.
    """
    tree, now, lag = stockpile.tree, stockpile.at(node), lead(stockpile, move)
    if tree.period[node] + lag >= stockpile.calendar.periods:
        return
    life = now.life(material)
    for age in stockpile.first_ages(material, node):
        if life is None or stockpile.standing(material, age).age + lag < life:
            yield age


def arriving_age(stockpile: Stockpile, material: str, age: int, lag: int, node: int) -> int:
    """Return the age at which metal arrives at a node that left at an age some periods before.

    It keeps its tests. Where life is unlimited no age is kept.
    """
    before = stockpile.standing(material, age)
    limited = stockpile.at(node).life(material) is not None
    after = Standing(before.age + lag if limited else 0, before.times)
    standings = stockpile.standings.get(material)
    return after.age if standings is None else standings.index(after)


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return an age itself where the material can be moved: it is the same at the other site."""
    moved = any(material in movable(stockpile, row) for row in stockpile.rows(SiteMove))
    return age if moved else 0
