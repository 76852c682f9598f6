"""The stock of each material by what is left of its life, against its target.

That of a group with a target is the stock of each of its materials.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.figures.of_plan.periods import label, labels, pivoted, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.target_sums import TargetSums
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.tables import Material

NAME = "stock"
MOST_MATERIALS = 4
UNCOUNTED = " (does not count)"
Amounts = list[tuple[dt.date, float]]
Held = dict[str, list[tuple[dt.date, float | None, float]]]
"""Of each material a day, the life that is left [months] and the stock [quantity]."""


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
    held: Held = {}
    pairs = zip(weighed(rows, LotStock, "material", "quantity"), lives, strict=True)
    for (day, material, quantity), life in pairs:
        held.setdefault(material, []).append((day, life, quantity))
    targets = TargetSums[tuple[str, dt.date]]()
    for row, target in zip(rows.of(TargetMet), rows.expected(TargetMet, "target"), strict=True):
        targets.add((row.material, row.date), row, target)
    asked: dict[str, Amounts] = {}
    for (material, day), target in targets.largest().items():
        asked.setdefault(material, []).append((day, target))
    stock = {name: [(day, amount) for day, _, amount in each] for name, each in held.items()}
    for group in asked.keys() & rows.plan.stockpile.groups.keys():
        members = rows.plan.stockpile.members(group)
        stock[group] = [each for name in members for each in stock.get(name, [])]
    for name in _largest(stock, asked):
        shown = _group if name in rows.plan.stockpile.groups else _material
        yield _stock(rows, name, shown(rows, name, held), asked.get(name, []))


def _largest(held: dict[str, Amounts], asked: dict[str, Amounts]) -> list[str]:
    """Return the materials with the largest stock or target, the largest first."""
    peaks: dict[str, float] = {}
    for material, amounts in held.items():
        at: dict[str, float] = {}
        for day, amount in amounts:
            at[label(day)] = at.get(label(day), 0.0) + amount
        peaks[material] = max((0.0, *at.values()))
    for material, amounts in asked.items():
        peaks[material] = max((peaks.get(material, 0.0), *(amount for _, amount in amounts)))
    names = [name for name in sorted(peaks) if peaks[name] > 0]
    return sorted(names, key=lambda name: -peaks[name])[:MOST_MATERIALS]


@dataclass(frozen=True)
class StockParts:
    """The parts of a stock from the bottom up: their names, how many count, what they differ by.

    `cells`: the label of a period, a part and its stock [quantity].
    """

    names: list[str]
    counted: int
    by: str
    cells: list[tuple[str, str, float]]


def _material(rows: PlanRows, material: str, held: Held) -> StockParts:
    """Return the stock of a material by remaining life, the freshest at the bottom."""
    classes = life_classes(rows, material)
    cells = [(label(day), classes.of(life), amount) for day, life, amount in held.get(material, [])]
    names = classes.names[::-1]
    return StockParts(names, len(names) - classes.uncounted, "remaining life", cells)


def _group(rows: PlanRows, group: str, held: Held) -> StockParts:
    """Return the stock of a group by material, that which counts at the bottom."""
    materials, members = rows.plan.stockpile.keyed(Material), rows.plan.stockpile.members(group)
    cells = [
        (
            label(day),
            name + UNCOUNTED * (life is not None and life < materials[name].count_life_months),
            amount,
        )
        for name in members
        for day, life, amount in held.get(name, [])
    ]
    seen = {name for _, name, _ in cells}
    others = [each for name in members if (each := name + UNCOUNTED) in seen]
    return StockParts([*members, *others], len(members), "material", cells)


def _stock(rows: PlanRows, material: str, stock: StockParts, asked: Amounts) -> ChartFigure:
    """Return the stock of a material or group at the end of each period."""
    plan, x, names = rows.plan, labels(rows.plan), stock.names
    columns = pivoted(x.labels, stock.cells, names)
    series = [
        FigureSeries(
            name, tuple(columns[name]), role="counting" if k < stock.counted else "not counting"
        )
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
        + f" by {stock.by}" * (len(names) > 1)
        + ", against target" * bool(asked),
        f"stock of {material} by {stock.by} [{plan.unit}]",
        FigureAxis("period", every=x.every),
        FigureAxis("stock", plan.unit, least=0),
        tuple(x.labels),
        tuple(series),
        stacked=True,
        expected=rows.scenarios,
    )


def life_classes(rows: PlanRows, material: str) -> LifeClasses:
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
