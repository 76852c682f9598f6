"""The figures of studies: what a chart shows of a table, and how runs ended."""

from __future__ import annotations

import datetime as dt
import io
import math

import openpyxl
import pytest

from optimiser.figures.of_study import answers_of, figures_of, stress_figures
from optimiser.figures.of_study.study_answers import MOST_BARS, AnswerFigures
from optimiser.html.number_text import written
from optimiser.studies.answered import Answered
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.runner import Ran
from optimiser.studies.kinds.asked import AnswerTable
from optimiser.workbook.write import study_book
from optimiser.workbook.write.styles import decimals, drawn_format
from stockpile_model.tables import Settings

SETTINGS = Settings(start=dt.date(2027, 1, 1), periods=2)


def answer(table: AnswerTable) -> AnswerFigures:
    """The figures of one answer."""
    (found,) = answers_of(Answered("mine", "kind", [table], [], []))
    return found


def test_a_tornado_has_a_bar_for_each_end_of_the_longest() -> None:
    rows = [(f"in {k}", 1, 2, -100.0 + k, 50.0) for k in range(30)]
    header = ("input", "low", "high", "cost at low", "cost at high")
    found = answer(AnswerTable("tornado", "a moves most.", header, rows, "tornado", (3, 4), "cost"))
    assert found.table.caption == "mine: a moves most."
    assert [each.title for each in found.table.columns][:2] == ["Input", "Low"]
    assert len(found.table.lines) == 30
    assert found.chart is not None
    low, high = found.chart.series
    assert (low.role, low.column, low.values[:2]) == ("low", 3, (-100.0, -99.0))
    assert (high.role, high.column, len(high.values)) == ("high", 4, MOST_BARS)
    assert len(found.chart.labels) == MOST_BARS
    assert found.chart.y.largest == 100.0


def test_bands_are_as_wide_as_quantiles_are_apart() -> None:
    row = (dt.date(2027, 1, 1), 1.0, 3.0, 4.0, 8.0, 9.0)
    header = ("period", "5 %", "25 %", "50 %", "75 %", "95 %")
    found = answer(AnswerTable("stock fan", "", header, [row], "fan", axis="stock [kg]")).chart
    assert found is not None
    assert [(each.name, each.values) for each in found.series] == [
        ("below", (1.0,)),
        ("5 % to 25 %", (2.0,)),
        ("25 % to 50 %", (1.0,)),
        ("50 % to 75 %", (4.0,)),
        ("75 % to 95 %", (1.0,)),
        ("50 %", (4.0,)),
    ]
    assert found.y.least == 0


def test_the_widths_of_bands_are_shown_in_any_unit() -> None:
    """Of a stock in a large unit every width was shown as 0."""
    header, values = ("period", "5 %", "50 %", "95 %"), (1.25e-7, 3e-7, 9e-7)
    table = AnswerTable("stock fan", "", header, [(dt.date(2027, 1, 1), *values)], "fan")
    answered = Answered("mine", "kind", [table], [], [])
    file = study_book.compose([answered], lambda key: None, {}, SETTINGS)  # type: ignore[arg-type,return-value]
    sheet = openpyxl.load_workbook(io.BytesIO(file))["1 stock fan"]
    widths = [each for each in sheet[3][4:] if isinstance(each.value, float)]
    assert [each.value for each in widths] == pytest.approx([1.25e-7, 1.75e-7, 6e-7])
    assert all(decimals(each.number_format) >= 8 for each in widths)


def test_a_format_of_drawn_numbers_has_six_digits_of_the_largest() -> None:
    assert drawn_format([]) == drawn_format([3, None, -1e9]) == "#,##0"
    assert drawn_format([1234.5, -2.0, math.inf]) == "#,##0.00"
    assert drawn_format([0.05932, 0.0]) == "#,##0.0000000"


def test_points_of_a_frontier_that_bring_nothing_are_faint() -> None:
    rows = [(1.0, 9.0, 8.0, 0.0, "", "optimal"), (2.0, 9.0, 8.0, 0.0, "dominated", "optimal")]
    rows.append((3.0, None, None, None, "", "infeasible"))  # type: ignore[arg-type]
    header = ("limit", "cost", "bound", "shortfall", "remark", "status")
    found = answer(AnswerTable("frontier", "", header, rows, "frontier")).chart
    assert found is not None
    (cost,) = found.series
    assert cost.values == (9.0, 9.0, None)
    assert cost.faint == {1}


def test_a_map_and_an_answer_without_rows_have_no_chart() -> None:
    header = ("price", "0", "1")
    found = answer(AnswerTable("sweep", "", header, [(1.0, 2.0, 3.0)], "heat"))
    assert found.table.map
    assert found.chart is None
    assert answer(AnswerTable("sweep", "", header, [], "line")).chart is None


def test_amounts_are_written_without_noise() -> None:
    header = ("input", "more [USD]", "price [USD/kg]", "plain")
    rows = [("a", 1_146_893.4, 1444.75, 0.8), ("b", -9.3e-10, 0.5, 1.2e-17)]
    table = answer(AnswerTable("tornado", "", header, rows)).table
    shown = [
        [written(value, table.precision(line, c)) for c, value in enumerate(line.values)][1:]
        for line in table.lines
    ]
    assert shown == [["1,146,893", "1,444.75", "0.8"], ["0", "0.50", "0"]]


def stressed(*events: tuple[str, float | None, str]) -> AnswerTable:
    """The events of a stress test: each with what it costs more and why it is impossible, the
    columns in an order of their own."""
    header = ("what is impossible", "costs more than the plan [USD]", "event", *OTHERS)
    rows = [(why, more, event, *(0.0 for _ in OTHERS)) for event, more, why in events]
    return AnswerTable("stress", "", header, rows)


OTHERS = (
    *("rank", "cell", "known from", "at least [USD]", "at most [USD]", "shortfall [kg]"),
    *("more shortfall than the plan [kg]", "regret [USD]", "regret at least [USD]"),
    *("regret at most [USD]", "cost [USD]", "proven bound [USD]"),
    *("cost if known from the start [USD]", "its proven bound [USD]", "changes"),
)


def test_events_are_read_by_the_titles_of_their_columns() -> None:
    table = stressed(("x gone", None, "short"), ("y late", 2.0, ""), ("z dear", 5.0, ""))
    (bars,) = stress_figures.bars(table)
    assert bars.labels == ("z dear", "y late")
    assert bars.series[0].values == (5.0, 2.0)
    assert "1 more event" in bars.caption
    read, proof = stress_figures.tables(table)
    assert [each.values[0] for each in read.lines] == ["x gone", "y late", "z dear"]
    assert [each.note for each in read.lines] == ["short", "", ""]
    titles = [each.title for each in (*read.columns, *proof.columns)]
    assert "Shortfall [kg]" not in titles  # it is 0 throughout
    assert {"Costs more than the plan [USD]", "Proven bound [USD]"} <= {*titles}
    assert [*stress_figures.bars(stressed(("x gone", None, "short")))] == []


def test_runs_are_counted_by_how_they_ended() -> None:
    results = {
        "a": CaseResult("optimal", 7.0, 7.0, 0.0, figures={"shortfall": 2.0, "order x": 3.0})
    }
    noted, inputs = ["shortfall", "order x", "sign y"], {"p": "price [USD/kg]"}
    runs = [Ran("as it is", "", "a"), Ran("low", "p set 1", "b", values={"p": 1.0})]
    answered = Answered("mine", "tornado", [], runs, noted, inputs, kept=1)
    found = figures_of([answered], results.get, SETTINGS)
    (study,) = found["studies"].lines
    assert study.values == ("mine", "tornado", 2, 1, "1 optimal, 1 not run")
    titles = [each.title for each in found["runs"].columns]
    assert titles[-3:] == ["price [USD/kg]", "sign y", "order x"]
    first, second = (dict(zip(titles, line.values, strict=True)) for line in found["runs"].lines)
    assert (first["Least found"], first["Shortfall [kg]"], first["order x"]) == (7.0, 2.0, 3.0)
    assert (second["Status"], second["price [USD/kg]"]) == ("not run", 1.0)
    assert second["Minimised"] == "cost [USD]"
