"""Plans side by side: a table for each part of a comparison, with what differs from the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimiser.comparison.compared import (
    APPROPRIATIONS,
    DECISIONS,
    FIGURES,
    SCENARIOS,
    Compared,
    Value,
    change,
)
from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.origins import RowDifference
from stockpile_model.block import results

PARTS = {
    FIGURES: "red: costs or misses more than the first plan; green: less; yellow: other",
    APPROPRIATIONS: "yellow: other than in the first plan; expected over the scenarios",
    SCENARIOS: "red: costs or misses more than in the first plan; green: less; yellow: other",
    DECISIONS: (
        "yellow: other than in the first plan. Amounts are what is expected over the scenarios"
    ),
}
"""The parts in their order, and what their colours mean."""

FIRST = 4  # the column of the first plan


@dataclass(frozen=True)
class ComparedLine(FigureLine):
    """A line with a value for each plan, all of one precision. More of what is `costly` is worse;
    amounts that differ by no more than `noise` are one. `changes`: by how much each plan differs
    from the first; None where it does not, NaN where the two are not both amounts.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> line = so.compare(plan, plan).figures["figures"].lines[0]
    >>> isinstance(line, so.ComparedLine), line.of_plans
    (True, (630.0, 630.0))
    """

    differs: bool = False
    costly: bool = False
    noise: float = 0.0
    changes: tuple[float | None, ...] = ()

    @property
    def of_plans(self) -> tuple[object, ...]:
        """Return the value of each plan."""
        return self.values[FIRST : FIRST + len(self.changes)]


@dataclass(frozen=True)
class ComparisonPart(TableFigure):
    """A part of a comparison: what a line is of, then the plans, then their differences.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> part = so.compare(plan, plan, names=("a", "b")).figures["decisions"]
    >>> isinstance(part, so.ComparisonPart), part.plans
    (True, ('a', 'b'))
    """

    lines: tuple[ComparedLine, ...]
    plans: tuple[str, ...] = ()


def figures(
    plans: Sequence[str], rows: Sequence[Compared], units: Mapping[str, str]
) -> Iterator[ComparisonPart]:
    """Yield the parts of a comparison of plans with names; `units` are those of amounts."""
    for part in PARTS:
        chosen = [row for row in rows if row.part == part]
        lines = tuple(_line(row, units.get(row.unit, "")) for row in chosen)
        columns = tuple(_columns(part, plans))
        yield ComparisonPart(part, part.capitalize(), columns, lines, plans=tuple(plans))


def _columns(part: str, plans: Sequence[str]) -> Iterator[FigureColumn]:
    *names, last = dict.fromkeys(
        ["heading", "scenario", *(each.of for kind in results() for each in kind.COMPARED)]
    )
    yield FigureColumn("What", meaning="what is compared")
    yield FigureColumn("Of", meaning=f"{', '.join(names)} or {last}")
    yield FigureColumn("Unit", meaning="unit of the amounts")
    yield FigureColumn("Differs", meaning="whether a plan differs from the first")
    for name in plans:
        yield FigureColumn(name, meaning=f"{name}. {PARTS[part]}")
    for name in plans[1:]:
        yield FigureColumn(f"{name} minus {plans[0]}", meaning=f"{name} minus {plans[0]}")


def _line(row: Compared, unit: str) -> ComparedLine:
    first, *others = row.values
    differences = (_difference(k, first, other) for k, other in enumerate(others, FIRST + 1))
    amounts = [each for each in row.values if isinstance(each, (int, float))]
    precision = Precision(row.unit, amounts, places=3 if row.unit == "1" else None)
    return ComparedLine(
        (row.what, row.of, unit, "yes" if row.differs else "no", *row.values, *differences),
        precisions=(precision,),
        differs=row.differs,
        costly=row.costly,
        noise=row.noise,
        changes=tuple(change(first, each, row.noise) for each in row.values),
    )


def _difference(column: int, first: Value, other: Value) -> RowDifference | None:
    if not isinstance(first, (int, float)) or not isinstance(other, (int, float)):
        return None
    return RowDifference(column, FIRST, other - first)
