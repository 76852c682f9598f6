"""The stock of each material by what is left of its life, against its target."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.figures.of_plan.periods import label, labels, pivoted, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.tables import Material

NAME = "stock"
MOST_MATERIALS = 4
UNCOUNTED = " (does not count)"
Amounts = list[tuple[dt.date, float]]


@dataclass(frozen=True)
class LifeClasses:
    """Classes of remaining life, from old to fresh: their names, where each begins [months], and
    how many of them do not count towards a target."""

    names: list[str]
    edges: list[float]
    uncounted: int = 0

    def of(self, life: float | None) -> str:
        """Return the class of a remaining life; what keeps for ever is in the first."""
        return self.names[bisect.bisect_right(self.edges, life or 0.0) - 1]


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the stock of each material that is held or required: at most the four largest."""
    lives = rows.column(LotStock, "remaining_life")
    held: dict[str, list[tuple[dt.date, float | None, float]]] = {}
    pairs = zip(weighed(rows, LotStock, "material", "quantity"), lives, strict=True)
    for (day, material, quantity), life in pairs:
        held.setdefault(material, []).append((day, life, quantity))
    asked: dict[str, Amounts] = {}
    for day, material, target in weighed(rows, TargetMet, "material", "target"):
        asked.setdefault(material, []).append((day, target))
    stock = {name: [(day, amount) for day, _, amount in each] for name, each in held.items()}
    for name in _largest(stock, asked):
        yield _stock(rows, name, held.get(name, []), asked.get(name, []))


def _largest(held: dict[str, Amounts], asked: dict[str, Amounts]) -> list[str]:
    """Return the materials with the largest stock or target, the largest first."""
    peaks: dict[str, float] = {}
    for material, amounts in held.items():
        at: dict[str, float] = {}
        for day, amount in amounts:
            at[label(day)] = at.get(label(day), 0.0) + amount
        peaks[material] = max(0.0, *at.values())
    for material, amounts in asked.items():
        peaks[material] = max(peaks.get(material, 0.0), *(amount for _, amount in amounts))
    names = [name for name in sorted(peaks) if peaks[name] > 0]
    return sorted(names, key=lambda name: -peaks[name])[:MOST_MATERIALS]


def _stock(
    rows: PlanRows,
    material: str,
    held: Sequence[tuple[dt.date, float | None, float]],
    asked: Amounts,
) -> ChartFigure:
    """Return the stock of a material at the end of each period, the freshest at the bottom."""
    plan, x, classes = rows.plan, labels(rows.plan), _classes(rows, material)
    cells = ((label(day), classes.of(life), amount) for day, life, amount in held)
    names = classes.names[::-1]
    columns = pivoted(x.labels, cells, names)
    counted = len(names) - classes.uncounted
    series = [
        FigureSeries(name, tuple(columns[name]), role="counting" if k < counted else "not counting")
        for k, name in enumerate(names)
    ]
    if asked:
        sums = pivoted(x.labels, ((label(day), "target", amount) for day, amount in asked))
        at = {label(day) for day, _ in asked}
        pairs = zip(x.labels, sums["target"], strict=True)
        aim = tuple(amount if period in at else None for period, amount in pairs)
        series.append(FigureSeries("target", aim, "line", "aim", marks=len(asked) == 1))
    return ChartFigure(
        f"{NAME} of {material}",
        ("Expected stock" if rows.scenarios else "Stock")
        + f" of {material} at period end"
        + " by remaining life" * (len(names) > 1)
        + ", against target" * bool(asked),
        f"stock of {material} by remaining life [{plan.unit}]",
        FigureAxis("period", every=x.every),
        FigureAxis("stock", plan.unit, least=0),
        tuple(x.labels),
        tuple(series),
        stacked=True,
    )


def _classes(rows: PlanRows, material: str) -> LifeClasses:
    """Return four or five classes of remaining life, parted where stock begins to count towards a
    target."""
    row = rows.plan.stockpile.keyed(Material)[material]
    if row.shelf_life_months is None:
        return LifeClasses(["stock"], [0.0])
    months, life = rows.plan.stockpile.calendar.months, row.shelf_life_months
    width = months * max(1, -(-int(life // months) // 4))
    parts = (float(edge) for edge in range(width, int(life), width))
    edges = sorted({0.0, *parts, row.count_life_months})
    edges = [edge for edge in edges if edge < life]
    names, uncounted = [], 0
    for begin, end in zip(edges, [*edges[1:], life], strict=True):
        counts = begin >= row.count_life_months
        names.append(f"{begin:g} to {end:g} months left" + UNCOUNTED * (not counts))
        uncounted += not counts
    return LifeClasses(names, edges, uncounted)
