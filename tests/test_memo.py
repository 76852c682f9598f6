"""The memo of decision: what it says of a plan by hand, what it doubts, and both its formats."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.opc.constants import CONTENT_TYPE
from docx.oxml.ns import qn
from docx.shared import Mm

import optimiser as so
from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureSeries,
    TableFigure,
    TextFigure,
)
from optimiser.figures.of_memo import memo_of, to_sign
from optimiser.figures.of_memo.memo_content import MemoAudit, MemoGround
from optimiser.figures.of_memo.signed_steps import every_step, net, steps_now
from optimiser.html.figure_data import figure_data
from optimiser.html.memo_charts import svg
from optimiser.html.memo_document import SMALL as SMALL_TYPE
from optimiser.html.memo_document import composed, widths
from optimiser.html.memo_page import memo_text
from optimiser.plan.action_rows import Action
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.shocks import Shock
from optimiser.studies.stress.stress_events import StressEvent
from optimiser.studies.stress.stress_rows import StressedPlan
from optimiser.studies.stress.stress_sentences import gravest
from optimiser.studies.what_ifs.adequacy import YearAssessed
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.scale import Scale
from tests.support.browser import browser
from tests.support.commands import run
from tests.support.office import pages, pages_of
from tests.support.pages import HOSTILE, PAGED, paged_plan
from tests.test_reasons import BOOK, planned

SMALL = "inputs/small.xlsx"
AGREES = MemoAudit("agrees with the input")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of the small book, with its memo as a document and its JSON beside it."""
    target = tmp_path_factory.mktemp("memo") / "plan.xlsx"
    result = so.solve(SMALL, gap=0.0, output=target, memo=target.with_name("memo.docx"))
    assert result.memo == target.with_name("memo.docx")
    assert result.as_object()["memo"] == str(result.memo)
    return target


@pytest.fixture(scope="module")
def memo(path: Path) -> so.DecisionMemo:
    return so.memo(path)


def part(memo: so.DecisionMemo, title: str) -> tuple[list[str], list[list[Any]]]:
    """The sentences of a part, and the lines of its tables."""
    figures = next(each for each in memo.content.parts if each.title == title).figures
    said = [one for each in figures if isinstance(each, TextFigure) for one in each.paragraphs]
    lines = [
        list(line.known) for each in figures if isinstance(each, TableFigure) for line in each.lines
    ]
    return said, lines


def of(plan: so.Plan, **ground: Any) -> so.DecisionMemo:
    content = memo_of(MemoGround(plan, ground.pop("audit", AGREES), **ground))
    return so.DecisionMemo(content, True)


# --- What it says ---------------------------------------------------------------------------------


def test_it_says_what_to_sign_by_hand(memo: so.DecisionMemo) -> None:
    said = "To decide from 2030-01-01 to 2030-03-31 (90 days): 3 actions that cost 660 USD in all."
    assert memo.content.lead == (said,)
    _, lines = part(memo, "Sign and order now")
    assert [line[:7] for line in lines] == [
        [
            "2030-01-31",
            "S2030-01/1 signature: offtake, level low",
            "new_plant",
            "120 kg/year",
            8,
            250,
            "treasury 2030-01",
        ],
        ["2030-01-31", "O2030-01/1 order: spot", "trader", "10 kg", 12, 140, "treasury 2030-01"],
        [
            "2030-03-31",
            "O2030-03/1 order: framework",
            "smelter",
            "30 kg",
            9,
            270,
            "treasury 2030-01",
        ],
    ]
    assert all(line[7] for line in lines), "every action has a reason"


def test_it_says_what_that_buys_and_costs(memo: so.DecisionMemo, path: Path) -> None:
    said, lines = part(memo, "What it buys")
    assert lines == [["2030-04-30", 20, 20, 0, 61]]  # 10 kg in May, 10 kg in June
    assert "Every target is met." in said
    costs, _ = part(memo, "What it costs, and what could go wrong")
    assert "Pay 680 USD: 680 from treasury." in costs
    assert 'Stress test: not run. "stockpile stress small.xlsx" runs it.' in costs
    _, facts = part(memo, "Proof")
    known = {str(name): value for name, value in facts}
    assert known["Cost, bound, gap"].startswith("630 USD; no plan costs less than 630 USD")
    assert known["Audit"].startswith("agrees with the input")
    assert {f"sha256 of workbook {Path(SMALL).name}", f"sha256 of plan {path.name}"} <= {*known}


def test_cover_is_that_of_an_assessment() -> None:
    plan = so.solve(SMALL, gap=0.0, what_ifs=("adequacy",)).plan
    assert plan is not None
    (row,) = (each for each in plan.of(YearAssessed) if each.fiscal_year == "FY2030")
    _, lines = part(of(plan), "What it buys")
    assert lines[-1][-1] == row.days_of_cover == 61


def test_cover_says_where_there_is_none() -> None:
    sure = {name: rows for name, rows in PAGED.items() if name not in ("scenarios", "events")}
    two = so.solve(so.from_tables({**sure, "demand": PAGED["demand"][2:]})).plan
    none = so.solve(so.from_tables({name: sure[name] for name in sure if name != "demand"})).plan
    assert two is not None
    assert none is not None
    said, _ = part(of(two), "What it buys")
    assert "All stock of indium on 2027-04-30 covers 0 days of the demand that follows." in said
    assert not any("gallium on" in each for each in said)
    said, _ = part(of(none), "What it buys")
    assert said[-1].startswith("The workbook states no demand")


def charts(memo: so.DecisionMemo) -> dict[str, ChartFigure]:
    figures = (one for each in memo.content.parts for one in each.figures)
    return {each.name: each for each in figures if isinstance(each, ChartFigure)}


def test_charts_show_the_stock_and_the_cash_of_the_plan() -> None:
    plan = paged_plan()
    found = charts(of(plan))
    held, asked = found["stock against target"].series
    on_base = [
        each for each in plan.of(TargetMet) if "base" in each.scenarios or each.scenarios == "all"
    ]
    assert [each for each in held.values if each is not None] == [each.stock for each in on_base]
    assert asked.values == (None, None, 10, 10)
    (paid,) = found["cash over time"].series
    assert sum(each for each in paid.values if each is not None) == pytest.approx(1617)


def test_of_several_targets_the_most_missed_is_drawn() -> None:
    plan = paged_plan()
    row = next(iter(plan.of(TargetMet)))
    rows = (replace(row, material="gold", buyer=None, below=1.0), *plan.of(TargetMet))
    chart = charts(of(replace(plan, rows={**plan.rows, TargetMet: rows})))["stock against target"]
    assert chart.caption.startswith("gold, one of 2 targets")


def test_columns_below_zero_stand_on_each_other() -> None:
    values = {"paid": (4.0, 2.0, None), "received": (-1.0, None, -3.0)}
    series = tuple(FigureSeries(name, each) for name, each in values.items())
    axis = FigureAxis("year")
    chart = ChartFigure("c", "t", "", axis, axis, ("a", "b", "c"), series, stacked=True)
    drawn = svg(figure_data(chart))
    zero, unit = drawn["zero"], drawn["bars"][1]["height"] / 2
    assert [(each["said"], each["y"] < zero) for each in drawn["bars"]] == [
        ("paid, a: 4", True),
        ("paid, b: 2", True),
        ("received, a: -1", False),
        ("received, c: -3", False),
    ]
    assert [round(each["height"] / unit, 2) for each in drawn["bars"]] == [4, 2, 1, 3]
    ticks = [text for _, text in drawn["ticks"]]
    assert ticks == ["-4", "-2", "0", "2", "4"]


def test_a_plan_that_is_read_again_has_its_own_warnings(tmp_path: Path) -> None:
    plan = replace(paged_plan(), warnings=("one", "two"))
    again = so.load_plan(plan.save(tmp_path / "p.xlsx")).plan
    assert again.warnings == plan.warnings


def test_a_plan_in_memory_and_its_file_have_one_memo(memo: so.DecisionMemo, path: Path) -> None:
    plan = so.load_plan(path).plan
    again = so.memo(plan).content
    assert again.parts[:-1] == memo.content.parts[:-1]
    assert so.memo(so.load_plan(path)).content.lead == again.lead


def test_actions_add_up_to_the_orders_of_the_plan() -> None:
    plan = paged_plan()
    for scenario in plan.stockpile.scenarios:
        steps = [each for each in every_step(plan, scenario) if each.sheet == Order.SHEET]
        paid = sum(
            each.paid
            for each in plan.of(Order)
            if each.scenarios == "all" or scenario in each.scenarios.split(", ")
        )
        assert sum(net(each) or 0.0 for each in steps) == pytest.approx(paid)


def test_the_limit_of_an_action_is_said_in_words_with_its_cell() -> None:
    _, lines = part(of(planned(BOOK)), "Sign and order now")
    whys = [line[-1] for line in lines if "order: cheap" in line[1]]
    assert whys
    assert all(each.endswith("; limit: capacity (offers!E2)") for each in whys)


def test_sentences_of_the_memo_stand_alone(memo: so.DecisionMemo) -> None:
    left, _ = part(memo, "What was not chosen, and why")
    said = "Not chosen: 1 other level of contracts that are signed: see the sheet reasons."
    assert left == [said]
    carried, _ = part(memo, "The assumptions that carry it")
    assert '"stockpile study --everything" shows which price' in carried[-1]


def test_costs_say_where_they_are_expected(memo: so.DecisionMemo) -> None:
    mean = "paid for it in the horizon, expected over the scenarios."
    for found, expected in ((of(paged_plan()), True), (memo, False)):
        figures = found.content.parts[0].figures
        (table,) = (each for each in figures if isinstance(each, TableFigure))
        assert (mean in table.caption) == expected


def test_a_scenario_that_is_known_early_is_named() -> None:
    said, _ = part(of(paged_plan()), "Sign and order now")
    early = [each for each in said if "Should" in each]
    assert len(early) == 2
    assert all(any(name in each for each in early) for name in ("ban", "flood"))


def test_of_many_actions_those_with_most_money_are_shown() -> None:
    plan = paged_plan()
    first = next(
        each for each in plan.of(Action) if each.scenarios == "all" and each.sheet == Order.SHEET
    )
    many = tuple(replace(first, number=f"O{k}", cost=float(k)) for k in range(1, 41))
    busy = replace(plan, rows={Action: many})
    said, lines = part(of(busy), "Sign and order now")
    assert len(lines) == to_sign.MOST
    assert {line[5] for line in lines} == {float(k) for k in range(31, 41)}
    rest = sum(range(1, 31))
    assert f"And more: 30 actions that cost {rest} USD in all. See the sheet orders." in said
    assert sum(net(each) or 0.0 for each in steps_now(busy)) == sum(range(1, 41))


def test_nothing_to_do_now_names_the_first_action(path: Path) -> None:
    plan = so.load_plan(path).plan
    later = tuple(
        replace(each, date=each.date.replace(month=4))
        for each in plan.of(Action)
        if each.sheet == Order.SHEET
    )
    memo = of(replace(plan, rows={Action: later}))
    assert memo.content.lead[0].startswith("Nothing is to be signed or ordered from 2030-01-01")
    said, lines = part(memo, "Sign and order now")
    assert lines == []
    assert said[0].startswith("The first action: 2030-03: order 30 kg")


# --- What stands against signing ------------------------------------------------------------------


def test_a_plan_that_is_not_proven_says_so_first(path: Path) -> None:
    plan = replace(so.load_plan(path).plan, status="feasible", bound=600.0, gap=30 / 630)
    memo = of(plan)
    assert memo.doubts[0].startswith("This plan is not proven to be the best. The search stopped")
    assert "30" in memo.doubts[0]
    text = memo_text(memo.content)
    assert text.index(memo.doubts[0][:40]) < text.index("Sign and order now")


def edited(path: Path, target: Path, column: str, factor: float) -> Path:
    """The plan with the first order's column multiplied, as a person edits it."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["orders"]
    heads = [str(each.value) for each in sheet[1]]
    at = next(k for k, each in enumerate(heads, 1) if each.casefold().startswith(column))
    sheet.cell(2, at).value = sheet.cell(2, at).value * factor  # type: ignore[operator]
    workbook.save(target)
    return target


def test_a_plan_that_fails_its_audit_is_not_to_be_signed(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = edited(path, tmp_path / "wrong.xlsx", "ordered", 2)
    ran = run(capsys, "memo", wrong)
    assert ran.status == 1
    assert ran.out.startswith("Do not sign: the plan fails its audit")
    assert "is not to be signed" in ran.err
    found = so.memo(wrong)
    assert not found.agrees
    assert found.content.signatures == ()
    assert found.doubts[1] == (
        "This plan was changed after it was written: nothing is proven of it."
    )
    texts = [each.text for each in docx.Document(str(tmp_path / "wrong-memo.docx")).paragraphs]
    assert any(each.startswith("Do not sign") for each in texts)
    assert "Signatures" not in texts


def test_an_edit_that_changes_nothing_keeps_the_signatures(path: Path, tmp_path: Path) -> None:
    found = so.memo(edited(path, tmp_path / "same.xlsx", "ordered", 1))
    assert found.agrees
    assert found.content.signatures
    assert found.doubts == ("This plan was changed after it was written: nothing is proven of it.",)


def test_a_plan_that_is_no_plan_gives_one_line(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        ((tmp_path / "none.xlsx",), "there is no such file"),
        ((path, "-o", tmp_path / "memo.pdf"), "a memo is written as .docx or .html"),
        ((path, "--stress", path, "-o", tmp_path / "m.docx"), "is no stress test"),
    ):
        ran = run(capsys, "memo", *arguments)
        assert ran.status in (1, 2)
        assert said in ran.err
        assert ran.err.count("\n") == 1
    with pytest.raises(so.StockpileError, match="there is no plan here"):
        so.memo(None)


def test_a_memo_takes_no_place_of_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "p.xlsx"
    ran = run(capsys, "solve", SMALL, "-o", plan, "--html", "--memo", tmp_path / "p.html")
    assert ran.status == 2
    assert "is another file of this run" in ran.err
    assert not plan.exists()


# --- A stress test --------------------------------------------------------------------------------

HEADER = (
    "event",
    "rank",
    "costs more than the plan [USD]",
    "more shortfall than the plan [kg]",
    "what is impossible",
)
ROWS = (
    ("plant gone", 1, None, None, "no plan keeps every limit: short by 3"),
    ("price 20 % higher", 2, 50.0, 0.0, None),
    ("plant late", 3, -5.0, 2.5, None),
    ("nothing", 4, 0.0, 0.0, None),
)


def stress_book(path: Path, digest: str) -> Path:
    """A workbook of a stress test as `stockpile stress` lays it out."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "1 stress"
    for line in (("The answer.",), [each[:1].upper() + each[1:] for each in HEADER], *ROWS):
        sheet.append(list(line))
    run_ = workbook.create_sheet("run")
    for pair in (("Name", "Value"), ("input sha256", digest), ("made at", "2030-01-01")):
        run_.append(pair)
    workbook.save(path)
    return path


def test_the_gravest_events_stand_in_it(path: Path, tmp_path: Path) -> None:
    digest = so.load_plan(path).reading.run["input sha256"]
    own = so.memo(path, stress=stress_book(tmp_path / "own.xlsx", digest))
    said, _ = part(own, "What it costs, and what could go wrong")
    assert [each for each in said if each.startswith("Under stress")] == [
        "Under stress: plant gone: no plan keeps every limit: short by 3.",
        "Under stress: price 20 % higher: costs 50 USD more.",
        "Under stress: plant late: costs 5 USD less, 2.5 kg more are missing.",
    ]
    assert not any("another workbook" in each for each in said)
    other = so.memo(path, stress=stress_book(tmp_path / "other.xlsx", "0" * 64))
    said, _ = part(other, "What it costs, and what could go wrong")
    assert any("another workbook" in each for each in said)


def test_an_event_that_time_did_not_answer_is_not_called_impossible() -> None:
    late = CaseResult("no_plan")
    base, shock = CaseResult("optimal", 1.0, 1.0), Shock(dt.date(2027, 1, 1))
    event = StressEvent("plant gone", "suppliers!A2", shock, 1)
    row = StressedPlan(event, dt.date(2027, 1, 1), base, late, late, Scale())
    said = "no plan was found within the time limit"
    assert row.impossible == said
    rows = [("plant gone", 1, None, None, row.impossible)]
    assert [*gravest(HEADER, rows)] == [f"plant gone: {said}."]


def test_an_answer_without_events_has_no_sentences() -> None:
    assert [*gravest(("event",), [("x",)])] == []


# --- Hostile text ---------------------------------------------------------------------------------

NASTY = "=cmd() \x00\x0b\x1b[31m\u202egnirts\u2066 \ud800 <script>alert(1)</script> ]]> שלום"


def test_hostile_text_is_text_in_both_formats(tmp_path: Path) -> None:
    plan = replace(paged_plan(), title=NASTY, warnings=(NASTY, HOSTILE * 40))
    memo = of(plan, stress=(NASTY,), stressed=NASTY)
    page = memo.save(tmp_path / "memo.html").read_text(encoding="utf-8")
    document = memo.save(tmp_path / "memo.docx")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    found = docx.Document(str(document))
    texts = "\n".join(each.text for each in found.paragraphs)
    cells = "\n".join(
        cell.text for table in found.tables for row in table.rows for cell in row.cells
    )
    for text in (page, texts, cells, found.core_properties.title):
        assert not {*text} & {*"\x00\x0b\x1b\u202e\u2066\ud800"}
    assert "שלום" in texts
    assert "=cmd()" in texts
    assert HOSTILE in cells


def test_the_page_runs_and_fetches_nothing(memo: so.DecisionMemo) -> None:
    text = memo_text(memo.content)
    policy = text.partition('Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src &#39;none&#39;") or policy.startswith(
        "default-src 'none'"
    )
    assert "unsafe" not in policy
    assert "<script" not in text
    assert "src=" not in text.replace("-src", "")
    assert "http:" not in text


# --- The document ---------------------------------------------------------------------------------


def test_the_document_is_for_paper(path: Path) -> None:
    document = docx.Document(str(path.with_name("memo.docx")))
    section = document.sections[0]
    assert (round(section.page_width / Mm(1)), round(section.page_height / Mm(1))) == (210, 297)
    drawn = document.element.findall(f".//{qn('c:chart')}")
    kinds = [document.part.related_parts[each.get(qn("r:id"))].content_type for each in drawn]
    assert kinds == [CONTENT_TYPE.DML_CHART] * 2
    framed = [each for each in document.tables if each._tbl.findall(f".//{qn('c:chart')}")]
    heads = [
        each.rows[0]._tr.trPr
        for each in document.tables
        if each._tbl not in [one._tbl for one in framed]
    ]
    assert heads
    assert all(each is not None and each.find(qn("w:tblHeader")) is not None for each in heads)
    fields = section.footer._element.findall(f".//{qn('w:fldSimple')}")
    assert [each.get(qn("w:instr")) for each in fields] == ["PAGE", "NUMPAGES"]
    about = document.core_properties
    assert (about.author, about.subject) == ("stockpile-optimiser", "Decision memo")
    titles = [each.text for each in document.paragraphs if each.style.name == "Heading 1"]
    assert titles[0] == "1. Sign and order now"
    assert titles[-1] == "Signatures"
    *kept, _ = document.tables[-1].rows
    assert all(row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in kept)
    assert [row.cells[0].text for row in document.tables[-1].rows][1:] == [
        "Prepared by",
        "Checked by",
        "Approved by",
    ]


def test_only_its_own_document_is_replaced(memo: so.DecisionMemo, tmp_path: Path) -> None:
    target = tmp_path / "memo.docx"
    memo.save(target)
    memo.save(target)
    document = docx.Document(str(target))
    document.add_paragraph("A note by hand.")
    document.save(str(target))
    with pytest.raises(so.OutputError, match="is not a memo as this program wrote it"):
        memo.save(target)
    memo.save(target, force=True)
    assert "A note by hand." not in [each.text for each in docx.Document(str(target)).paragraphs]
    for content in (b"", b"PK\x05\x06" + bytes(18), b"no document"):
        other = tmp_path / "other.docx"
        other.write_bytes(content)
        if content:
            with pytest.raises(so.OutputError):
                memo.save(other)
        else:
            memo.save(other)


def test_a_document_names_no_time_but_its_own(memo: so.DecisionMemo) -> None:
    from io import BytesIO

    with zipfile.ZipFile(BytesIO(composed(memo.content))) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_json_has_the_whole_memo(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, "memo", path, "-o", tmp_path / "m.html", "--json")
    found = json.loads(ran.out)
    assert found["agrees"] is True
    assert found["memo"] == str(tmp_path / "m.html")
    assert [each["title"] for each in found["parts"]] == list(so.memo(path).parts)
    first = found["parts"][0]["tables"][0]
    assert first["columns"][:2] == ["Sign by", "Action"]
    assert first["rows"][0][1] == "S2030-01/1 signature: offtake, level low"


def crowded() -> so.DecisionMemo:
    """A memo as full as one can be: many actions, scenarios and warnings, all names long."""
    plan = paged_plan()
    long = "a_very_long_name_of_an_offer_and_its_supplier " * 3
    first = next(each for each in plan.of(Action) if each.scenarios == "all")
    paid = ", ".join(f"appropriation 2027-{k:02}" for k in range(1, 10))
    busy_action = replace(first, appropriation=paid)
    actions = tuple(
        replace(busy_action, number=f"{k}", what=f"{k} {long}", supplier=f"{long} {k}")
        for k in range(60)
    )
    warnings = tuple(f"{k}: {long * 3}" for k in range(9))
    busy = replace(plan, title=long, rows={**plan.rows, Action: actions}, warnings=warnings)
    return of(busy, stress=tuple(f"{long} {k}" for k in range(3)), stressed=long)


@pytest.mark.browser
@pytest.mark.parametrize("made", [lambda: of(paged_plan()), crowded])
def test_the_page_prints_on_two_sheets(made: Any, tmp_path: Path) -> None:
    page = made().save(tmp_path / "memo.html")
    with browser() as started:
        opened = started.new_page()
        opened.goto(page.as_uri())
        printed = opened.pdf(prefer_css_page_size=True)
    assert pages_of(printed) <= 2


def test_a_column_holds_its_title_in_bold_letters() -> None:
    """No value is longer than the second title, whose column then got none of what is left."""
    found = widths(("Should this come", "Known from", "Cost"), [("war", "2027-01-01", "1")])
    assert found[1] >= 0.575 * SMALL_TYPE * len("Known from")  # how wide a bold letter is


def test_a_short_table_stands_on_one_page(path: Path) -> None:
    tables = docx.Document(str(path.with_name("memo.docx"))).tables
    assert len(tables) > 4
    for table in tables:
        kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in table.rows]
        assert all(kept[:-1])
        assert not kept[-1]


@pytest.mark.office
@pytest.mark.parametrize("made", [lambda: of(paged_plan()), crowded])
def test_the_document_prints_on_two_sheets(made: Any, tmp_path: Path) -> None:
    assert pages(made().save(tmp_path / "memo.docx")) <= 2
