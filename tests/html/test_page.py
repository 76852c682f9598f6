"""Pages without a browser: what stands in them, what is escaped, which files they replace."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import optimiser as so
from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.html.figure_data import MOST_LINES, figure_data
from optimiser.html.number_text import written
from optimiser.html.page import figure_page
from optimiser.html.plan_page import plan_page
from optimiser.html.rendering import embedded, hash_of, rendered
from optimiser.html.row_data import tables
from tests.support.commands import run
from tests.support.pages import HOSTILE, PAGED, paged_plan


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[tuple[str, str]] = []
        self.within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.within = tag if tag in ("script", "style") else ""

    def handle_data(self, data: str) -> None:
        if self.within:
            self.inline.append((self.within, data))

    def handle_endtag(self, tag: str) -> None:
        self.within = ""


@pytest.fixture(scope="module")
def page() -> str:
    return rendered(plan_page(paged_plan()))


def test_only_its_own_scripts_and_styles_may_run(page: str) -> None:
    parsed = Parsed(page)
    policy = next(
        each["content"]
        for _, each in parsed.elements
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert not any("unsafe" in each or "http" in each for each in rules.values())
    scripts = [
        text
        for (_, attributes), (_, text) in zip(
            [each for each in parsed.elements if each[0] in ("script", "style")],
            parsed.inline,
            strict=True,
        )
        if "type" not in attributes and text
    ]
    for text in scripts:
        assert hash_of(text) in policy
    packed = next(
        text for name, text in parsed.inline if name == "script" and text.startswith("H4sI")
    )
    library = gzip.decompress(base64.b64decode(packed)).decode()
    assert hash_of(library) in rules["script-src"]
    assert "plotly.js" in library[:100]


def test_nothing_is_fetched(page: str) -> None:
    for name, attributes in Parsed(page).elements:
        assert "src" not in attributes
        assert name not in ("link", "iframe", "img", "object")
        assert not any(each.startswith("on") for each in attributes)
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]


def test_what_a_workbook_says_is_text(page: str) -> None:
    body = page[: page.index('<script type="application/json"')]
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "<title>Two metals &lt;/title&gt; &amp; two buyers" in page


@pytest.mark.parametrize("text", ["</script><script>", "<!--", "\u2028", "&amp;", "\ud800"])
def test_no_text_ends_the_data(text: str) -> None:
    data = embedded({"x": text})
    assert "<" not in data
    assert ">" not in data
    assert json.loads(data) == {"x": text}


def test_lone_surrogates_are_written_all_the_same(tmp_path: Path) -> None:
    plan = replace(paged_plan(), title="odd \ud800 name")
    assert b"odd \\ud800 name" in plan.save(tmp_path / "plan.html").read_bytes()


def views(plan: so.Plan) -> dict[str, list[str]]:
    """The names of the figures of each view of a page."""
    found = plan_page(plan).views
    return {
        name: [each["name"] for figures in chapters if figures for each in figures]
        for name, chapters in found.items()
    }


def test_every_choice_has_its_figures() -> None:
    found = views(paged_plan())
    assert len(found) == 4 * 3 * 3 - 1  # scenarios, materials and buyers, and none of each
    assert "lots of gallium" in found["2|1|1"]
    assert "lots of gallium" not in found["2|2|0"]


def test_scenarios_that_cannot_be_chosen_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimiser.html.plan_page.MOST_SCENARIOS", 2)
    page = plan_page(paged_plan())
    assert [*page.choices[0].names] == ["base", "ban"]
    assert page.about["left"] == 1


def test_many_rows_are_cut_and_said() -> None:
    lines = tuple(FigureLine((f"{k}", k)) for k in range(MOST_LINES + 5))
    figure = TableFigure("t", "T", (FigureColumn("a"), FigureColumn("b")), lines, "All.")
    data = figure_data(figure)
    assert len(data["lines"]) == MOST_LINES
    assert data["caption"] == "All. The first 2,000 of 2,005 lines are shown."


def test_rows_hold_every_value_of_the_plan() -> None:
    from optimiser.figures.of_plan.plan_rows import PlanRows

    plan = paged_plan()
    for table in tables(PlanRows(plan)):
        frame = plan[table["name"]]
        assert table["height"] == len(frame)
        for column in table["columns"]:
            if column["sort"] != "text":
                expected = sorted(frame[column["name"]].dropna().astype(float))
                shown = sorted(each for each in column["values"] if each is not None)
                assert shown == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (1234.5, Precision("money", [1234.5]), "1,234"),
        (12.345, Precision("quantity", [12.345]), "12.35"),
        (-1e-9, Precision("quantity", [12.345]), "0.00"),
        (0.1234, Precision("1"), "12.3 %"),
        (3, Precision("count"), "3"),
        (0.00012, Precision("money/quantity", [0.00012]), "0.000120"),
        (float("inf"), Precision("quantity"), "unlimited"),
        (True, Precision(), "yes"),
        (None, Precision(), ""),
        (12_345_678.0, Precision(), "12,345,680"),
        (1.2e-6, Precision(), "0.0000012"),
        (2.5, Precision(), "2.5"),
    ],
)
def test_numbers_are_written_as_people_read_them(
    value: Any, precision: Precision, text: str
) -> None:
    assert written(value, precision) == text


def test_any_figures_make_a_page() -> None:
    page = figure_page("T", "Kind", ["Lead."], {"A": [TextFigure("x", "X", ("said",))], "None": []})
    text = rendered(page)
    assert [each.title for each in page.chapters] == ["A"]
    assert "said" in text
    assert 'id="library"' not in text  # nothing is drawn


# --- Files ----------------------------------------------------------------------------------------


def test_a_page_that_was_edited_or_is_foreign_stays(tmp_path: Path) -> None:
    path = tmp_path / "plan.html"
    plan = paged_plan()
    plan.save(path)
    plan.save(path)
    path.write_bytes(path.read_bytes().replace(b"gallium", b"gall1um", 1))
    with pytest.raises(so.OutputError, match="is not a page as this program wrote it"):
        plan.save(path)
    plan.save(path, force=True)
    path.write_text("<html>mine</html>")
    with pytest.raises(so.OutputError):
        plan.save(path)
    assert path.read_text() == "<html>mine</html>"


def test_the_seal_is_the_hash_of_all_before_it(tmp_path: Path) -> None:
    content = paged_plan().save(tmp_path / "plan.html").read_bytes()
    body, seal = content[:-81], content[-81:]
    assert re.fullmatch(rb"<!-- sha256 (.{64}) -->\n", seal)
    assert hashlib.sha256(body).hexdigest().encode() in seal


def same(path: Path, plan: so.Plan) -> so.Plan:
    """The plan of a file, which has the rows, the workbook and the verdict of a plan."""
    found = so.load_plan(path).plan
    assert found.verdict == plan.verdict
    assert (found.status, found.unit, found.currency) == (plan.status, plan.unit, plan.currency)
    assert found.objective == pytest.approx(plan.objective)
    assert {kind.SHEET for kind in found.rows} >= {kind.SHEET for kind in plan.rows}
    for kind in plan.rows:
        assert len(found.of(kind)) == len(plan.of(kind))
    own, other = (each.stockpile for each in (plan, found))
    assert other.scenarios == own.scenarios
    assert other.holds == own.holds
    for kind, rows in own.tables.items():
        assert len(other.rows(kind)) == len(rows)
    return found


def alike(one: Any, two: Any) -> bool:
    """Whether data is the same but for the last digits of numbers."""
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(alike(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(alike, one, two))
    if isinstance(one, float) or isinstance(two, float):
        return bool(two == pytest.approx(one, rel=1e-9, abs=1e-9))
    return bool(one == two)


@pytest.mark.parametrize("name", ["plan.xlsx", "plan.json"])
def test_a_plan_that_is_read_has_the_page_of_the_plan(name: str, tmp_path: Path) -> None:
    plan = paged_plan()
    found = same(plan.save(tmp_path / name), plan)
    own, other = plan_page(plan), plan_page(found)
    assert alike(other.views, own.views)
    for one, two in zip(other.chapters[1:-1], own.chapters[1:-1], strict=True):
        assert alike(one.figures, two.figures)
    warned = [each for each in found.warnings if "read from JSON" in each]
    assert len(warned) == (name == "plan.json")


def test_a_plan_that_was_edited_is_not_shown_as_proven(tmp_path: Path) -> None:
    path = paged_plan().save(tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(path)
    book["orders"].cell(2, 5).value = 1.0
    book.save(path)
    saved = so.load_plan(path)
    assert saved.edited
    page = plan_page(saved.plan)
    assert "neither its proof nor its audit holds" in page.warning
    assert "It is proven" not in " ".join(page.lead)
    assert dict(page.facts)["No plan can cost less than"] == "not known"
    assert dict(page.facts)["Status"] == "edited"


def test_assumptions_that_are_no_workbook_are_one_line(tmp_path: Path) -> None:
    path = paged_plan().save(tmp_path / "plan.json")
    stored = json.loads(path.read_text())
    stored["rows"]["assumptions"] = stored["rows"]["assumptions"][:3]
    path.write_text(json.dumps(stored))
    with pytest.raises(so.InputError, match="plan the workbook again") as error:
        so.load_plan(path).save(tmp_path / "plan.html")
    assert len(error.value.faults) == 1
    assert not (tmp_path / "plan.html").exists()


def test_a_plan_that_is_read_is_saved_as_a_page_only(tmp_path: Path) -> None:
    saved = so.load_plan(paged_plan().save(tmp_path / "plan.json"))
    with pytest.raises(so.OutputError, match=r"saved as \.html"):
        saved.save(tmp_path / "other.xlsx")


# --- Commands -------------------------------------------------------------------------------------


def test_report_writes_the_page_of_a_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = paged_plan().save(tmp_path / "plan.xlsx")
    ran = run(capsys, "report", str(path))
    assert (ran.status, ran.err) == (0, "")
    assert (tmp_path / "plan.html").is_file()
    ran = run(capsys, "report", str(path), "-o", str(tmp_path / "no" / "plan.html"))
    assert ran.status == 2
    assert "there is no folder" in ran.err
    ran = run(capsys, "report", "inputs/small.xlsx", "-o", str(tmp_path / "x.html"))
    assert ran.status == 1
    assert "is no plan" in ran.err


def test_solve_writes_the_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "solve", "inputs/small.xlsx", "-o", str(tmp_path / "p.xlsx"), "--html")
    assert ran.status == 0
    assert f"Its page is in {tmp_path / 'p.html'}" in ran.out
    assert "630 USD" in (tmp_path / "p.html").read_text()


def test_where_there_is_no_plan_the_page_says_why(tmp_path: Path) -> None:
    book = so.read("inputs/small.xlsx", "offers[*].capacity = 0")
    found = so.solve(book, page=tmp_path / "why.html")
    assert found.status == "infeasible"
    assert "Short in FY" in (tmp_path / "why.html").read_text()


@pytest.mark.parametrize("name", ["c.html", "c.HTML"])
def test_a_comparison_is_a_page_by_its_name(name: str, tmp_path: Path) -> None:
    plan = paged_plan()
    text = so.compare(plan, plan, names=("a", "b"), output=tmp_path / name)
    assert text.differing == ()
    assert "No decision changes." in (tmp_path / name).read_text()


def test_a_comparison_begins_with_what_differs(tmp_path: Path) -> None:
    book = so.read("inputs/small.xlsx")
    plans = so.solve(book).plan, so.solve(book.change("offers[spot].price = 11")).plan
    found = so.compare(*plans, names=("today", "cheap"), output=tmp_path / "c.html")
    decisions = sum(row.part == "decisions" for row in found.differing)
    text = (tmp_path / "c.html").read_text()
    lead = re.findall(r"<p>(.*?)</p>", text[: text.index("</header>")])
    others = len(found.differing) - decisions
    assert lead[0] == (
        "No decision changes." if not decisions else f"{decisions} decisions differ from today."
    )
    assert lead[1] == f"{others} figures differ."
    table = text[text.index('<h2 id="title-1">Figures</h2>') :]
    classes = re.findall(
        r'<tr(?: class="(\w+)")?>\s*<th scope="row">', table[: table.index("</table>")]
    )
    assert classes == sorted(classes, reverse=True)
    assert classes[0] == "differs"


def test_other_endings_are_refused(tmp_path: Path) -> None:
    plan = paged_plan()
    with pytest.raises(so.OutputError, match=r"a comparison is written as \.xlsx or \.html"):
        so.compare(plan, plan, output=tmp_path / "c.pdf")
    with pytest.raises(so.OutputError, match=r"a study is written as \.xlsx or \.html"):
        so.run_studies(so.from_tables(PAGED), everything=True, output=tmp_path / "s.csv")


def test_a_page_is_refused_before_the_search(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text("mine")
    with pytest.raises(so.OutputError, match="is not a page"):
        so.solve(so.from_tables(PAGED), page=tmp_path / "p.html")


def test_bundles_have_a_page(tmp_path: Path) -> None:
    book = so.from_tables(PAGED)
    plan = so.solve_in_bundles(book, 2, output=tmp_path / "p.xlsx", page=tmp_path / "p.html").plan
    assert plan is not None
    assert plan_page(plan).choices[0].name == "material"  # the scenarios part later
    found = so.load_plan(tmp_path / "p.xlsx").plan
    assert found.until == plan.until
    assert found.verdict.splitlines()[:3] == plan.verdict.splitlines()[:3]


def test_an_explanation_is_written_as_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "why.html"
    ran = run(
        capsys, "explain", "inputs/small.xlsx", "--set", "budgets[*].amount scale 0.3", "-o", target
    )
    assert ran.status == 3
    body = target.read_text(encoding="utf-8")
    assert "No plan keeps every limit of this workbook." in body
    assert "budgets[treasury].amount = 670" in body
    assert '<td class="number">670</td>' in body
    with pytest.raises(so.OutputError, match="an explanation is saved as"):
        so.Diagnosis("feasible").save(tmp_path / "why.docx")


def test_other_answers_are_saved_as_pages_only(tmp_path: Path) -> None:
    solution = so.Solution("no_plan", None, None, 0.0)
    with pytest.raises(so.StockpileError, match="there is no plan"):
        so.Adequacy(solution).save(tmp_path / "a.html")
    with pytest.raises(so.OutputError, match="an assessment is saved as"):
        so.Adequacy(solution).save(tmp_path / "a.xlsx")
    assert not [*tmp_path.iterdir()]
