"""Lot by lot, a bar from its arrival to its way out, by what is left of its life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.of_plan.remaining_life import LifeClasses, life_classes
from stockpile_model import amounts
from stockpile_model.blocks.stock.lot_outcomes import LotStock, Movement
from stockpile_model.calendar import add_months
from stockpile_model.solved_plan import by_scenario, counted, parts

NAME = "lots"
MOST_LOTS = 80  # of a material
MOST_WAYS = 8  # out of a lot that its bar names


@dataclass
class LotLife:
    """Describe what becomes of a lot: its stock at the end of each period with the life that is
    left, and its ways out [quantity]."""

    held: dict[dt.date, tuple[float | None, float]] = field(default_factory=dict)
    out: dict[tuple[str, str], tuple[dt.date, float]] = field(default_factory=dict)

    @property
    def most(self) -> float:
        """Return the most that is held of it [quantity]."""
        return max(quantity for _, quantity in self.held.values())


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the lots of each material that are held; under scenarios those of one, which the title
    names."""
    lots: dict[str, dict[str, LotLife]] = {}
    plan = rows.plan
    scenario = counted(plan.stockpile) if parts(plan) else None
    paths = (
        (by_scenario(plan, LotStock)[scenario], by_scenario(plan, Movement)[scenario])
        if scenario is not None
        else (plan.of(LotStock), plan.of(Movement))
    )
    for held in paths[0]:
        life = lots.setdefault(held.material, {}).setdefault(held.lot, LotLife())
        before = life.held.get(held.date, (None, 0.0))[1]
        life.held[held.date] = (held.remaining_life, before + held.quantity)
    for moved in paths[1]:
        found = lots.get(moved.material, {}).get(moved.lot)
        if moved.quantity < 0 and found is not None:
            way = (moved.kind, moved.name)
            out = found.out.get(way, (moved.date, 0.0))[1] - moved.quantity
            found.out[way] = (moved.date, out)
    for material in sorted(lots):
        yield _lots(rows, material, lots[material], scenario)


def _lots(
    rows: PlanRows, material: str, lots: dict[str, LotLife], scenario: str | None
) -> ChartFigure:
    """Return the bars of the largest lots, in the order of their arrival."""
    of, months = life_classes(rows, material), rows.plan.stockpile.calendar.months
    largest = sorted(lots, key=lambda name: -lots[name].most)[:MOST_LOTS]
    names = sorted(largest, key=lambda name: (min(lots[name].held), name))
    spans = {each: [_span(lots[name], of, each, months) for name in names] for each in of.names}
    notes = tuple(_note(rows, lots[name]) for name in names)
    left = len(lots) - len(names)
    some = f" The {len(names)} largest of {len(lots):,} lots are shown." if left else ""
    where = f", in scenario {scenario}" if scenario else ""
    return ChartFigure(
        f"{NAME} of {material}",
        f"Lots of {material} from arrival to way out{where}",
        "A bar for each lot, from the first period in which it is held to the end of the last, by"
        f" what is left of its life at period end.{some}",
        FigureAxis("lot"),
        FigureAxis("date", dates=True),
        tuple(names),
        tuple(
            FigureSeries(
                name,
                tuple(end for _, end in spans[name]),
                "span",
                "not counting" if k < of.uncounted else "counting",
                begins=tuple(begin for begin, _ in spans[name]),
                notes=notes if name == of.names[-1] else (),
            )
            for k, name in reversed([*enumerate(of.names)])
        ),
        stacked=True,
    )


def _span(
    lot: LotLife, of: LifeClasses, name: str, months: int
) -> tuple[float | None, float | None]:
    """Return from when to when a lot is in a class of remaining life [days]; None: never."""
    days = [day for day, (life, _) in lot.held.items() if of.of(life) == name]
    if not days:
        return None, None
    return float(min(days).toordinal()), float(add_months(max(days), months).toordinal())


def _note(rows: PlanRows, lot: LotLife) -> str:
    """Return how much comes of a lot, and where it goes."""
    unit = rows.plan.unit
    ways = [
        f"{amounts.quantity(amounts.clean(quantity))} {unit} {kind.replace('_', ' ')} {name}"
        f" by {amounts.month(day)}"
        for (kind, name), (day, quantity) in lot.out.items()
    ]
    more = len(ways) - MOST_WAYS
    shown = ways[:MOST_WAYS] + ([f"{amounts.count(more, 'more way')} out"] if more > 0 else [])
    return "; ".join([f"up to {amounts.quantity(amounts.clean(lot.most))} {unit} held", *shown])
