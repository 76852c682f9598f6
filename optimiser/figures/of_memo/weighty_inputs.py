"""The assumptions that carry a plan: limits that weigh most, and how well inputs are founded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.figures.of_memo.memo_text import legible
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.marginal_values import MarginalValue
from optimiser.plan.plan import Plan
from stockpile_model import amounts

NAME = "assumptions"
MOST, LONGEST = 5, 90  # lines; characters of a limit and of a source
MOST_GRADES = 4


@dataclass
class _Weight:
    """Describe what a limit that is one per cent looser saves, by its cells."""

    limit: str
    by_cell: dict[str, float] = field(default_factory=dict)

    @property
    def saved(self) -> float:
        """Return what all its cells save, each looser by one per cent [money]."""
        return math.fsum(self.by_cell.values())

    @property
    def weightiest(self) -> str:
        """Return the cell that weighs most."""
        return max(self.by_cell, key=lambda cell: abs(self.by_cell[cell]))

    @property
    def cells(self) -> str:
        """Return the cell that weighs most, and how many others there are."""
        more = len(self.by_cell) - 1
        return self.weightiest + (f" and {more:,} more" if more else "")


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield the limits that weigh most, each with its source, and the evidence of all inputs."""
    plan = ground.plan
    given = [each for each in plan.of(Assumption) if each.given]
    weights = _weights(plan)
    if weights:
        yield _table(plan, weights, {each.cell: each for each in given})
    if given:
        sourced = sum(bool(each.source) for each in given)
        grades = Counter(each.confidence for each in given if each.confidence)
        stated = grades.most_common(MOST_GRADES)
        known = ", ".join(f"{number:,} {legible(grade, 20)}" for grade, number in stated)
        yield TextFigure(
            "evidence",
            "",
            (
                f"Of {len(given):,} cells that the workbook gives"
                f" {amounts.percent(sourced / len(given))} name a source; stated confidence:"
                f" {known or 'none'}.",
                '"stockpile study --everything" shows which price or quantity moves the cost most.',
            ),
        )


def _weights(plan: Plan) -> list[_Weight]:
    """Return the limits that weigh most, with what each saves, looser by one per cent.

    Marginal values of a limit add up over periods: they hold for small changes.
    """
    found: dict[str, _Weight] = {}
    for each in plan.of(MarginalValue):
        if each.cell and each.worth:
            cells = found.setdefault(each.limit, _Weight(each.limit)).by_cell
            cells[each.cell] = cells.get(each.cell, 0.0) + each.worth * each.amount / 100
    nothing = plan.stockpile.scale.no_money
    ranked = sorted(found.values(), key=lambda each: -abs(each.saved))
    return [each for each in ranked[:MOST] if abs(each.saved) > nothing]


def _table(plan: Plan, weights: Sequence[_Weight], inputs: Mapping[str, Assumption]) -> TableFigure:
    saved = Precision("money", [each.saved for each in weights])
    lines = []
    for each in weights:
        about = inputs.get(each.weightiest)
        source = "" if about is None or not about.source else legible(about.source, LONGEST)
        if about is not None and about.confidence:
            source += f" ({legible(about.confidence, 20)})"
        limit = legible(each.limit, LONGEST)
        lines.append(FigureLine((limit, each.cells, each.saved, source or "no source")))
    return TableFigure(
        NAME,
        "",
        (
            FigureColumn("Limit"),
            FigureColumn("Cell"),
            FigureColumn(f"1 % looser saves [{plan.currency}]", saved),
            FigureColumn("Source (confidence)"),
        ),
        tuple(lines),
        "For small changes, with orders placed and levels signed kept.",
    )
