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
from optimiser.studies.what_ifs.adequacy import YearAssessed
from stockpile_model.amounts import count
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.solved_plan import by_scenario, counted
from stockpile_model.tree import BASE

NAME = "bought"
MOST = 8  # lines of the table
MOST_SENTENCES = 6
LARGE = 1000.0  # from here on quantities are shown without decimals


@dataclass(frozen=True)
class _Held:
    """What is held at the end of a fiscal year; None: there is no target, or no cover is known."""

    period: int
    of: str
    stock: float
    target: float | None = None
    below: float | None = None
    cover: float | None = None


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield what is done and missed in sentences, and the stock at the end of fiscal years."""
    plan = ground.plan
    held = [*_targets(plan)] or [*_stocks(plan)]
    if held:
        yield _table(plan, held)
    yield TextFigure("missed", "", tuple(missed(plan)))
    said = [*bought(plan)]
    more = len(said) - MOST_SENTENCES
    rest = (
        [f"And {count(more, 'sentence')} more on what is done: see the summary."]
        if more > 0
        else []
    )
    yield TextFigure("done", "", (*said[:MOST_SENTENCES], *rest))
    if not plan.of(YearAssessed) and any(each.required for each in plan.of(DemandMet)):
        yield TextFigure(
            "no cover", "", ('Days of cover were not assessed: "stockpile solve --adequacy" does.',)
        )


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
            cover = None if each.buyer else _cover(plan, each.material, period)
            yield _Held(period, of, each.stock, each.target, each.below, cover)


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
        cover = _cover(plan, material, period)
        yield _Held(period, material, math.fsum(quantities), cover=cover)


def _cover(plan: Plan, material: str, period: int) -> float | None:
    """Return for how many days stock meets the demand that follows; None where none is known."""
    stockpile = plan.stockpile
    scenario = counted(stockpile) if stockpile.scenarios else BASE
    year = f"FY{stockpile.calendar.fiscal_year(period)}"
    return next(
        (
            each.days_of_cover
            for each in plan.of(YearAssessed)
            if (each.material, each.scenario, each.fiscal_year) == (material, scenario, year)
        ),
        None,
    )


def _table(plan: Plan, held: Sequence[_Held]) -> TableFigure:
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
    titles: list[tuple[str, Sequence[float | None], Precision]] = [
        (f"In spec [{plan.unit}]", [each.stock for each in rows], quantity),
        (f"Target [{plan.unit}]", [each.target for each in rows], quantity),
        (f"Missing [{plan.unit}]", [each.below for each in rows], quantity),
        ("Cover [days]", [each.cover for each in rows], Precision(places=0)),
    ]
    shown = [each for each in titles if any(value is not None for value in each[1])]
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
