"""The charts of a memo: stock that counts against its target, and cash, over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, Role, scaled
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.figures.of_memo.memo_text import named
from optimiser.figures.of_plan.periods import PeriodLabels, label, labels
from optimiser.plan.plan import Plan
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.solved_plan import by_scenario, counted, parts

STOCK, CASH = "stock against target", "cash over time"
MOST_LABELS = 5  # that are shown: a chart is half as wide as the page


def figures(ground: MemoGround) -> Iterator[ChartFigure]:
    """Yield the charts, both on the path that is counted."""
    yield from _stock(ground.plan)
    yield from _cash(ground.plan)


def _stock(plan: Plan) -> Iterator[ChartFigure]:
    """Yield the stock of each period against the target; of several targets it is the one that is
    missed most, as a share of what it asks."""
    asked: dict[tuple[str, str], list[TargetMet]] = {}
    for each in next(iter(by_scenario(plan, TargetMet).values())):
        asked.setdefault((each.material, each.buyer or ""), []).append(each)
    if not asked:
        return
    material, buyer = max(asked, key=lambda key: _missed(asked[key]))
    rows = {label(each.date): each for each in asked[material, buyer]}
    x = labels(plan, MOST_LABELS)
    found = [rows.get(each) for each in x.labels]
    of = named(f"{material} of {buyer}" if buyer else material)
    more = f", one of {len(asked):,} targets" if len(asked) > 1 else ""
    yield ChartFigure(
        STOCK,
        f"Stock that counts against its target [{plan.unit}]",
        f"{of}{more}, at the end of each period{_where(plan)}",
        FigureAxis("period", every=x.every),
        FigureAxis("stock", plan.unit, least=0),
        tuple(x.labels),
        (
            FigureSeries(
                "counts",
                tuple(None if each is None else each.stock for each in found),
                role="counting",
            ),
            FigureSeries(
                "target",
                tuple(None if each is None else each.target for each in found),
                "line",
                "aim",
            ),
        ),
        spacing=20,
    )


def _missed(rows: Sequence[TargetMet]) -> float:
    """Return the share of what a target asks for that is missed [1]."""
    asked = math.fsum(each.target for each in rows)
    return math.fsum(each.below for each in rows) / asked if asked else 0.0


def _cash(plan: Plan) -> Iterator[ChartFigure]:
    """Yield what is paid and received by fiscal year, undiscounted; of one year by period."""
    rows = [each for each in next(iter(by_scenario(plan, CashFlow).values())) if each.cash]
    if not rows:
        return
    calendar, spans = plan.stockpile.calendar, _spans(plan)
    years = spans.labels[0].startswith("FY")
    found: dict[tuple[str, bool], list[float]] = {}
    for each in rows:
        year = calendar.fiscal_year(calendar.period(each.date))
        span = f"FY{year}" if years else label(each.date)
        found.setdefault((span, each.amount < 0), []).append(each.amount)
    paid, received = (
        [math.fsum(found.get((span, below), ())) for span in spans.labels]
        for below in (False, True)
    )
    scale, unit = scaled((*paid, *received), plan.currency)
    both: tuple[tuple[str, list[float], Role], ...] = (
        ("paid", paid, "part"),
        ("received", received, "counting"),
    )
    yield ChartFigure(
        CASH,
        f"Cash by {'fiscal year' if years else 'period'} [{unit}]",
        f"undiscounted{_where(plan)}",
        FigureAxis("fiscal year" if years else "period", every=spans.every),
        FigureAxis("cash", unit),
        tuple(spans.labels),
        tuple(
            FigureSeries(name, tuple(each / scale for each in flow), role=role)
            for name, flow, role in both
            if any(flow)
        ),
        stacked=True,
        spacing=60,
    )


def _spans(plan: Plan) -> PeriodLabels:
    """Return the fiscal years of the horizon; where there is one alone its periods."""
    calendar = plan.stockpile.calendar
    years = [*dict.fromkeys(f"FY{calendar.fiscal_year(t)}" for t in range(calendar.periods))]
    if len(years) < 2:
        return labels(plan, MOST_LABELS)
    return PeriodLabels(years, -(-len(years) // MOST_LABELS))


def _where(plan: Plan) -> str:
    """Return whose path it is, where the plan has several."""
    return f", scenario {named(counted(plan.stockpile))}" if parts(plan) else ""
