"""The assessment of a plan's supply: a line for each fiscal year, stock against its target, and
what an embargo would leave unmet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureColumn,
    Figured,
    FigureLine,
    FigureSeries,
    Precision,
    TableFigure,
)
from optimiser.figures.of_plan.periods import MOST_LABELS, label
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.studies.what_ifs.adequacy import EmbargoAssessed, YearAssessed
from stockpile_model import amounts
from stockpile_model.solved_plan import counted
from stockpile_model.tree import BASE

YEARS, SUPPLY = "adequacy", "supply by fiscal year"
CAPTIONS = {
    YEARS: (
        "Stock in spec at the end of each fiscal year, its target and the probability of meeting"
        " it, days of cover, and the demand that the worst embargo leaves unmet."
    ),
    SUPPLY: (
        "What arrives, of it from plants that operate, the share that looks through to the"
        " restricted country, and what a plan with the plants alone that operate has."
    ),
}
"""What each table answers."""
STOCK, UNMET = "stock against target", "unmet in an embargo"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[Figured]:
    """Yield the tables and the charts, of the scenario that is counted, for each material."""
    yield from brief(rows, earlier)
    for material in _materials(rows):
        years, months = _rows(rows, YearAssessed, material), _rows(rows, EmbargoAssessed, material)
        if any(each.stock or each.target for each in years):
            yield _stock(rows, material, years)
        if any(each.demand for each in months):
            yield _unmet(rows, material, months)


def brief(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield a line for each fiscal year of each material, in the scenario that is counted: what
    stock is for, and whose metal arrives.
    """
    found = [each for name in _materials(rows) for each in _rows(rows, YearAssessed, name)]
    if not found:
        return
    unit, where = rows.plan.unit, _where(rows)
    quantity, share, days = Precision("quantity"), Precision("1"), Precision(places=0)
    yield _table(
        rows,
        found,
        (YEARS, f"Adequacy of supply{where}"),
        (
            (f"Stock [{unit}]", "stock", quantity),
            (f"Target [{unit}]", "target", quantity),
            ("Probability met", "met_probability", share),
            ("Cover [days]", "days_of_cover", days),
            (f"Worst unmet [{unit}]", "worst_unmet", quantity),
        ),
    )
    yield _table(
        rows,
        found,
        (SUPPLY, f"Sources of supply{where}"),
        (
            (f"Arrives [{unit}]", "supply", quantity),
            (f"From operating plants [{unit}]", "operating_supply", quantity),
            ("From restricted country", "restricted_share", share),
            (f"Operating plants alone: arrives [{unit}]", "only_operating_supply", quantity),
            (f"Operating plants alone: stock [{unit}]", "only_operating_stock", quantity),
        ),
    )


def every_row(rows: PlanRows) -> Iterator[TableFigure]:
    """Yield a line for each fiscal year, scenario and material."""
    found: Sequence[YearAssessed] = rows.of(YearAssessed)
    unit = rows.plan.unit
    quantity, share, days = Precision("quantity"), Precision("1"), Precision(places=0)
    shown = (
        ("Probability", "probability", share),
        (f"Stock [{unit}]", "stock", quantity),
        (f"Target [{unit}]", "target", quantity),
        ("Cover [days]", "days_of_cover", days),
        (f"Worst unmet [{unit}]", "worst_unmet", quantity),
        ("From restricted country", "restricted_share", share),
    )
    columns = [FigureColumn("Fiscal year"), FigureColumn("Scenario"), FigureColumn("Material")]
    for title, name, precision in shown:
        among = [x for each in found if (x := getattr(each, name)) is not None]
        columns.append(FigureColumn(title, replace(precision, among=among)))
    lines = tuple(
        FigureLine(
            (
                each.fiscal_year,
                each.scenario,
                each.material,
                *(getattr(each, name) for _, name, _ in shown),
            )
        )
        for each in found
    )
    yield TableFigure("every year", "Each scenario by fiscal year", tuple(columns), lines)


def _table(
    rows: PlanRows,
    found: Sequence[YearAssessed],
    name: tuple[str, str],
    shown: Sequence[tuple[str, str, Precision]],
) -> TableFigure:
    """Return columns of the sheet as a table: their titles, names and precisions."""
    several = len(_materials(rows)) > 1
    columns = [FigureColumn("Fiscal year")]
    for title, field, precision in shown:
        among = [x for each in found if (x := getattr(each, field)) is not None]
        columns.append(FigureColumn(title, replace(precision, among=among)))
    lines = tuple(
        FigureLine(
            (
                f"{each.fiscal_year} {each.material}" if several else each.fiscal_year,
                *(getattr(each, field) for _, field, _ in shown),
            )
        )
        for each in found
    )
    return TableFigure(*name, tuple(columns), lines, CAPTIONS[name[0]])


def _materials(rows: PlanRows) -> list[str]:
    return list(dict.fromkeys(rows.column(YearAssessed, "material")))


def _counted(rows: PlanRows) -> str:
    stockpile = rows.plan.stockpile
    return counted(stockpile) if stockpile.scenarios else BASE


def _where(rows: PlanRows) -> str:
    """Return the scenario of the figures in words; blank without scenarios."""
    return f", {_counted(rows)}" if rows.scenarios else ""


def _rows(rows: PlanRows, kind: type, material: str) -> list[Any]:
    name = _counted(rows)
    return [x for x in rows.of(kind) if (x.material, x.scenario) == (material, name)]


def _stock(rows: PlanRows, material: str, years: Sequence[YearAssessed]) -> ChartFigure:
    """Return stock at the end of each fiscal year against the target, and with operating plants
    alone.
    """
    unit = rows.plan.unit
    series = [
        FigureSeries("in-spec stock", tuple(each.stock for each in years), role="counting"),
        FigureSeries(
            "with operating plants alone",
            tuple(each.only_operating_stock for each in years),
            role="not counting",
        ),
        FigureSeries("target", tuple(each.target for each in years), "line", "aim", marks=True),
    ]
    return ChartFigure(
        f"{STOCK} {material}",
        f"Stock of {material} at the end of each fiscal year{_where(rows)}",
        f"stock of {material} and target by fiscal year [{unit}]",
        FigureAxis("fiscal year"),
        FigureAxis("stock", unit, least=0),
        tuple(each.fiscal_year for each in years),
        tuple(each for each in series if any(x is not None for x in each.values)),
        spacing=50,
    )


def _unmet(rows: PlanRows, material: str, months: Sequence[EmbargoAssessed]) -> ChartFigure:
    """Return what an embargo would leave unmet, by the month in which it begins."""
    unit, lasts = rows.plan.unit, amounts.count(months[0].months, "month")
    return ChartFigure(
        f"{UNMET} {material}",
        f"Demand for {material} unmet in {lasts} of embargo, by its first month{_where(rows)}",
        f"unmet and all demand for {material} in an embargo, by its first month [{unit}]",
        FigureAxis("first month of the embargo", every=-(-len(months) // MOST_LABELS)),
        FigureAxis(f"demand of {lasts}", unit, least=0),
        tuple(label(each.begins) for each in months),
        (
            FigureSeries("unmet", tuple(each.unmet for each in months), role="lost"),
            FigureSeries("demand", tuple(each.demand for each in months), "line", "sum"),
        ),
        spacing=20,
    )
