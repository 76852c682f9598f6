"""Every figure of the registry is drawn, also one that was added in one file and one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import optimiser as so
from optimiser.cli.solve_command import show_plan
from optimiser.figures import of_plan
from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureColumn,
    Figured,
    FigureLine,
    FigureSeries,
    Mark,
    Precision,
    TableFigure,
    TextFigure,
)
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Above
from optimiser.html.plan_page import plan_page
from optimiser.workbook.write.plan_book import compose
from stockpile_model.blocks.offers.order_report import Order
from tests.support.plans import full_plan, shared_plan, uncertain_plan
from tests.workbook.test_write import empty_plan, opened, order, parts


def texts(sheet: Any) -> set[str]:
    """The texts of a sheet."""
    cells = (value for row in sheet.iter_rows(values_only=True) for value in row)
    return {value for value in cells if isinstance(value, str)}


@pytest.mark.parametrize("plan", [empty_plan, full_plan, shared_plan, uncertain_plan])
def test_every_figure_of_a_plan_is_drawn(plan: Any) -> None:
    found, content = of_plan.figures_of(PlanRows(plan())), compose(plan())
    book = opened(content, data_only=True)
    summary, data = texts(book["summary"]), texts(book["chart_data"])
    charts = [each for each in found.values() if isinstance(each, ChartFigure)]
    assert len(parts(content, r"xl/charts/chart\d+\.xml")) >= len(charts)
    for figure in found.values():
        if isinstance(figure, TableFigure):
            assert {figure.title, *(str(line.values[0]) for line in figure.lines)} <= summary
        elif isinstance(figure, TextFigure):
            assert {figure.title, *figure.paragraphs} <= summary
        else:
            assert {figure.caption, *(each.name for each in figure.series)} <= data


def added(rows: PlanRows, earlier: Earlier) -> Iterator[Figured]:
    """A figure of each sort: the suppliers by what is ordered from them."""
    total = rows.total_of(Order, "ordered", "supplier", "plant")
    quantity = Precision("quantity", rows.column(Order, "ordered"))
    columns = (FigureColumn("Supplier"), FigureColumn("Ordered [kg]", quantity))
    lines = (
        FigureLine(("plant", total)),
        FigureLine(("All of them", Above("sum", 1, 1, total.value)), total=True),
    )
    yield TableFigure("ordered from", "Ordered from whom", columns, lines)
    yield TextFigure("said", "What is said of it", ("All comes from one plant.",))
    marks: tuple[Mark, ...] = ("column", "line", "point")
    series = tuple(FigureSeries(f"by {mark}", (total.value,), mark) for mark in marks)
    x, y = FigureAxis("supplier"), FigureAxis("ordered", "kg", least=0)
    yield ChartFigure("chart", "Ordered", "ordered from whom [kg]", x, y, ("plant",), series)


def test_a_figure_that_is_added_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(of_plan, "PLAN", (*of_plan.PLAN, of_plan.SummaryPart(added)))
    monkeypatch.setattr(of_plan, "BRIEF", (*of_plan.BRIEF, added))
    plan = empty_plan({Order: (order(), order(ordered=2.5), order(ordered=9.0, supplier="mill"))})
    content = compose(plan)
    rows = {row[0].value: row[1].value for row in opened(content)["summary"].iter_rows(max_col=2)}
    assert rows["plant"].startswith("=SUMPRODUCT((orders!")
    assert rows["All of them"].startswith("=SUM(B")
    values = opened(content, data_only=True)
    assert {row[0]: row[1] for row in values["summary"].values}["All of them"] == 12.5
    assert "All comes from one plant." in rows
    assert {"ordered from whom [kg]", "by column", "by line", "by point"} <= texts(
        values["chart_data"]
    )
    assert "by point" in parts(content, r"xl/charts/chart1\.xml")[0]
    chapter = of_plan.Chapter("Of its own", "What is added.", (added,))
    monkeypatch.setattr(of_plan, "CHAPTERS", (*of_plan.CHAPTERS, chapter))
    shown = plan_page(plan).chapters[-1]
    assert [each["name"] for each in shown.figures] == ["ordered from", "said", "chart"]
    show_plan(so.Solution("optimal", plan, None, 1.0), True)
    said = capsys.readouterr().out
    assert "Ordered from whom" in said
    assert "12.5" in said
