"""What a plan buys: stock in spec by date against its target, days of cover, what is missed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.figures.of_memo.memo_text import named
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import bought, missed
from optimiser.studies.engine.embargo import MOST_COVER, PathEmbargo, pools, stock_cover
from stockpile_model.amounts import count
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.solved_plan import by_scenario, counted
from stockpile_model.tree import BASE

NAME = "bought"
MOST = 8  # lines of the table
MOST_SENTENCES = 4
LONGER = f"over {count(MOST_COVER // 12, 'year')}"
COVER = "Cover [days]"
COVERS = "Cover: for how long all stock in spec meets the demand that follows, with nothing due."
LARGE = 1000.0  # from here on quantities are shown without decimals


@dataclass(frozen=True)
class _Held:
    """Describe what is held at the end of a fiscal year; None: there is no target.

    `pool`: whose stock all of it is; blank where it is that of one buyer alone.
    """

    period: int
    of: str
    pool: str
    stock: float
    target: float | None = None
    below: float | None = None


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield what is done and missed in sentences, and the stock at the end of fiscal years."""
    plan, cover = ground.plan, _StockCover(ground.plan)
    held = [*_targets(plan)] or [*_stocks(plan)]
    if held:
        yield _table(plan, held, cover)
    yield TextFigure("missed", "", tuple(missed(plan)))
    said = [*bought(plan)]
    more = len(said) - MOST_SENTENCES
    rest = (
        [f"And {count(more, 'sentence')} more on what is done: see the summary."]
        if more > 0
        else []
    )
    yield TextFigure("done", "", (*said[:MOST_SENTENCES], *rest))
    if held:
        yield TextFigure("cover", "", tuple(_covers(plan, cover, held)))


class _StockCover:
    """For how long stock lasts, on the path that is counted."""

    def __init__(self, plan: Plan) -> None:
        stockpile = plan.stockpile
        scenario = counted(stockpile) if stockpile.scenarios else BASE
        self._embargo = PathEmbargo(plan, scenario)
        self.pools = pools(stockpile)

    def at(self, pool: str, period: int) -> float | str | None:
        """Return for how many days stock at the end of a period meets the demand that follows.

        None: none follows, or the metal serves a demand together with other metal.
        """
        if pool not in self.pools:
            return None
        found = stock_cover(self._embargo, pool, period)
        return LONGER if found.asked and found.days is None else found.days


def _covers(plan: Plan, cover: _StockCover, held: Sequence[_Held]) -> Iterator[str]:
    """Yield the cover at the end of metal that has no line of its own, and whether there is any
    demand to cover."""
    shown, last = {each.pool for each in held}, max(each.period for each in held)
    found = {pool: cover.at(pool, last) for pool in cover.pools}
    if all(each is None for each in found.values()):
        yield "The workbook states no demand after these dates: nothing to count days of cover by."
    for pool, each in found.items():
        if pool not in shown and each is not None:
            days = each if isinstance(each, str) else count(round(each), "day")
            end = plan.stockpile.calendar.end(last)
            yield f"All stock of {named(pool)} on {end} covers {days} of the demand that follows."


def _ends(plan: Plan) -> set[int]:
    """Return the last period of each fiscal year in the horizon."""
    calendar = plan.stockpile.calendar
    years = {calendar.fiscal_year(t): t for t in range(calendar.periods)}
    return {*years.values()}


def _targets(plan: Plan) -> Iterator[_Held]:
    """Yield the stock that counts at the end of each fiscal year, on the path that is counted."""
    calendar, ends = plan.stockpile.calendar, _ends(plan)
    rows: Sequence[TargetMet] = next(iter(by_scenario(plan, TargetMet).values()))
    for each in rows:
        period = calendar.period(each.date)
        if period in ends:
            of = f"{each.material} of {each.buyer}" if each.buyer else each.material
            pool = "" if each.buyer else each.material
            yield _Held(period, of, pool, each.stock, each.target, each.below)


def _stocks(plan: Plan) -> Iterator[_Held]:
    """Yield the stock of each material, where there are no targets."""
    calendar, ends = plan.stockpile.calendar, _ends(plan)
    rows: Sequence[LotStock] = next(iter(by_scenario(plan, LotStock).values()))
    found: dict[tuple[int, str], list[float]] = {}
    for each in rows:
        period = calendar.period(each.date)
        if period in ends:
            found.setdefault((period, each.material), []).append(each.quantity)
    for (period, material), quantities in sorted(found.items()):
        yield _Held(period, material, material, math.fsum(quantities))


def _table(plan: Plan, held: Sequence[_Held], cover: _StockCover) -> TableFigure:
    """Return a line for each date and material, the last dates where there are many."""
    calendar = plan.stockpile.calendar
    rows = sorted(held, key=lambda each: (each.period, each.of))
    caption = ""
    if len(rows) > MOST:
        caption = f"The last {MOST} of {len(rows):,} dates and materials: see the sheet targets."
        rows = rows[-MOST:]
    stocks = [each.stock for each in rows]
    large = max(map(abs, stocks), default=0.0) >= LARGE
    quantity = Precision("quantity", stocks, places=0 if large else None)
    titles: list[tuple[str, Sequence[float | str | None], Precision]] = [
        (f"In spec [{plan.unit}]", [each.stock for each in rows], quantity),
        (f"Target [{plan.unit}]", [each.target for each in rows], quantity),
        (f"Missing [{plan.unit}]", [each.below for each in rows], quantity),
        (COVER, [cover.at(each.pool, each.period) for each in rows], Precision(places=0)),
    ]
    shown = [each for each in titles if any(value is not None for value in each[1])]
    if any(title == COVER for title, _, _ in shown):
        caption = f"{caption} {COVERS}".strip()
    several = len({each.of for each in rows}) > 1
    return TableFigure(
        NAME,
        "",
        (
            FigureColumn("At the end of"),
            *((FigureColumn("Of"),) if several else ()),
            *(FigureColumn(title, precision) for title, _, precision in shown),
        ),
        tuple(
            FigureLine(
                (
                    f"{calendar.end(each.period)}",
                    *((named(each.of),) if several else ()),
                    *(values[k] for _, values, _ in shown),
                )
            )
            for k, each in enumerate(rows)
        ),
        caption,
    )
