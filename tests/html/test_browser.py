"""Pages in a browser, opened from disk with the network off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import optimiser as so
from optimiser.html.other_pages import explanation_page
from optimiser.html.saving import write_page
from optimiser.plan.action_rows import Action
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock.lot_outcomes import Delivery, Movement
from tests.support.browser import Opened, browser
from tests.support.pages import HOSTILE, MARKED, STUDIED, paged_plan

pytestmark = pytest.mark.browser
SEVERE = ("serious", "critical")
SMALL = {"width": 390, "height": 800}
CHARTS = {
    "study": 1,
    "comparison": 1,
    "explanation": 0,
    "stress": 1,
    "adequacy": 2,
    "diagnosis": 0,
}
"""How many charts each page has, besides that of a plan."""
PAPER = 688  # pixels of A4 between its margins
BEYOND = f"""() => [
  ...[...document.querySelectorAll('.chart .main-svg')].filter((each) =>
    each.clientHeight > each.closest('.chart').clientHeight).map(() => 'a chart'),
  ...[...document.querySelectorAll('.wide table')].filter((each) =>
    each.clientWidth > {PAPER}).map((each) => each.closest('.wide').ariaLabel)]"""
"""What does not fit its place on paper."""


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    """A browser."""
    with browser() as each:
        yield each


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the plan."""
    return paged_plan().save(tmp_path_factory.mktemp("pages") / "plan.html")


@pytest.fixture(scope="module")
def page_opened(started: Any, path: Path) -> Opened:
    """The page as it was opened."""
    return Opened(started, path)


@pytest.fixture
def opened(page_opened: Opened) -> Iterator[Opened]:
    """The page, without a choice before and after each test."""
    yield page_opened
    page_opened.reset()


def number(text: str) -> float:
    """The number of a cell."""
    return float(text.replace(",", ""))


def faults(page: Any, *rules: str, within: str = "html") -> list[str]:
    """The severe faults within elements against the guidelines of accessibility: against some
    rules, or all.
    """
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": [*rules]} if rules else {}
    around = {
        "include": [[within]],
        "exclude": [[".plot-container"]],
    }  # a chart is one image, with a name
    found = Axe().run(page, context=around, options=options).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in SEVERE
    ]


def drawn(page: Any) -> None:
    """Bring every chart into view, and wait until all are drawn."""
    page.evaluate(
        "() => document.querySelectorAll('.chart').forEach((each) => each.scrollIntoView())"
    )
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.chart')].every((each) => each.querySelector('svg'))"
    )


def test_it_asks_for_nothing_and_says_nothing(opened: Opened, path: Path) -> None:
    drawn(opened.page)
    assert opened.page.locator(".chart").count() > 12
    assert opened.requests == [path.as_uri()]
    assert opened.said == []
    assert opened.page.title().startswith("Two metals </title> & two buyers")


def test_a_hostile_name_is_text(opened: Opened) -> None:
    names = opened.figure("suppliers").locator("th[scope=row]").all_inner_texts()
    assert HOSTILE in names
    drawn(opened.page)
    chart = opened.figure("concentration of gallium by supplier, drawn").locator(".ytick")
    assert {HOSTILE, MARKED} <= {*chart.all_text_contents()}
    assert opened.page.locator("script:text('alert')").count() == 0


def test_numbers_equal_those_of_the_plan(opened: Opened) -> None:
    plan = paged_plan()
    for heading, amount in plan.costs.items():
        if amount:
            discounted = opened.cells("costs", heading.replace("_", " "))[0]
            assert number(discounted) == pytest.approx(amount, abs=0.51)
    titles = opened.figure("costs").locator("thead th").all_inner_texts()
    assert titles[1:3] == ["Discounted, expected", "Undiscounted, expected"]
    delivered = sum(each.probability * each.quantity for each in plan.of(Delivery))
    shown = number(opened.cells("quantities", "Delivered")[0])
    assert shown == pytest.approx(delivered, abs=0.01)


@pytest.mark.parametrize("scenario", ["base", "ban", "flood"])
def test_a_scenario_shows_what_is_done_in_it(opened: Opened, scenario: str) -> None:
    plan = paged_plan()
    outcome = next(each for each in plan.of(ScenarioOutcome) if each.scenario == scenario)
    holds = [
        each for each in plan.of(Order) if scenario in each.scenarios or each.scenarios == "all"
    ]
    opened.choose("scenario", scenario)
    assert scenario in opened.page.locator("#chosen").inner_text()
    total = opened.cells("costs", "Total")
    assert number(total[0]) == pytest.approx(outcome.cost, abs=0.51)
    titles = opened.figure("costs").locator("thead th").all_inner_texts()
    assert titles[1:3] == ["Discounted", "Undiscounted"]
    ordered = number(opened.cells("quantities", "Ordered")[0])
    assert ordered == pytest.approx(sum(each.ordered for each in holds), abs=0.01)
    with opened.rows("orders") as rows:
        assert rows.locator("tbody tr").count() == len(holds)


def test_an_expected_column_of_rows_is_that_of_the_scenario_chosen(opened: Opened) -> None:
    plan = paged_plan()
    with opened.rows("cash_flow") as rows:
        heads = rows.locator("thead th").all_inner_texts()
        column = next(k for k, each in enumerate(heads) if each.startswith("Discounted"))
        assert heads[column] == "Discounted [USD] × probability"
        opened.choose("scenario", "ban")
        assert rows.locator("thead th").all_inner_texts()[column] == "Discounted [USD]"
        found: list[float] = []
        while True:
            found += [
                number(each)
                for each in rows.locator(f"td:nth-child({column + 1})").all_inner_texts()
            ]
            if rows.locator(".on").is_disabled():
                break
            rows.locator(".on").click()
    flows = [
        each for each in plan.of(CashFlow) if "ban" in each.scenarios or each.scenarios == "all"
    ]
    assert len(found) == len(flows)
    ban = next(each for each in plan.of(ScenarioOutcome) if each.scenario == "ban")
    assert sum(found) == pytest.approx(ban.cost, abs=0.01 * len(found))


def test_materials_and_buyers_filter_figures_and_rows(opened: Opened) -> None:
    plan = paged_plan()
    opened.choose("material", "indium")
    opened.choose("buyer", "navy")
    indium = [
        each for each in plan.of(Delivery) if each.material == "indium" and each.buyer == "navy"
    ]
    expected = sum(each.probability * each.quantity for each in indium)
    assert number(opened.cells("quantities", "Delivered")[0]) == pytest.approx(expected, abs=0.01)
    names = opened.figure("suppliers").locator("th[scope=row]").all_inner_texts()
    assert MARKED in names
    assert HOSTILE not in names
    with opened.rows("deliveries") as rows:
        assert rows.locator("output").inner_text() == f"Rows 1 to {len(indium)} of {len(indium)}."
        assert "gallium" not in rows.locator("tbody").inner_text()
    assert "of the whole plan" in opened.figure("appropriations").inner_text()


def test_rows_are_searched_and_sorted(opened: Opened) -> None:
    orders = paged_plan().of(Order)
    with opened.rows("orders") as rows:
        rows.locator("input").fill("<SCRIPT")
        assert rows.locator("tbody tr").count() == sum(each.supplier == HOSTILE for each in orders)
        rows.locator("input").fill("")
        press = rows.locator("thead button", has_text="Ordered")
        press.click()
        press.click()
        assert rows.locator("th[aria-sort=descending]").inner_text().startswith("Ordered")
        heads = rows.locator("thead th").all_inner_texts()
        column = next(k for k, each in enumerate(heads) if each.startswith("Ordered"))
        first = rows.locator("tbody tr").first.locator("td").nth(column).inner_text()
        assert number(first) == pytest.approx(max(each.ordered for each in orders))


@pytest.mark.parametrize("sheet", ["deliveries", "reasons"])
def test_blanks_stand_last_whichever_way_rows_are_sorted(opened: Opened, sheet: str) -> None:
    sorted_ = 0
    with opened.rows(sheet) as rows:
        for column in range(rows.locator("thead button").count()):
            for _ in range(2):
                rows.locator("thead button").nth(column).click()
                lines = rows.locator("tbody tr").all()
                blank = [not each.locator("td").nth(column).inner_text().strip() for each in lines]
                assert blank == sorted(blank)
                sorted_ += len(set(blank)) == 2
    assert sorted_ > 0


class Trace:
    """Rows that are followed by the buttons in their cells."""

    def __init__(self, opened: Opened, sheet: str) -> None:
        self.opened, self.sheets = opened, [sheet]
        self.place = opened.page.locator(f"[data-table='{sheet}']")
        self.place.evaluate("(each) => { each.open = true; }")
        self.place.locator(".held table").wait_for()

    def press(self, title: str, row: int = 0) -> str:
        """Press the button of a row in a column; return the word that the next sheet is searched
        for."""
        heads = self.place.locator("thead th").all_inner_texts()
        column = next(k for k, each in enumerate(heads) if each.startswith(title))
        button = self.place.locator("tbody tr").nth(row).locator("td").nth(column).locator("button")
        sheet, word = button.get_attribute("title").removeprefix("Rows of ").split(" with ")
        button.click()
        self.sheets.append(sheet)
        self.place = self.opened.page.locator(f"[data-table='{sheet}']")
        assert self.place.locator("input").input_value() == word
        return str(word)

    def count(self) -> int:
        """How many rows the sheet shows."""
        return int(self.place.locator("output").inner_text().split(" of ")[1].split(".")[0])

    def close(self) -> None:
        """Forget what was searched for."""
        for sheet in dict.fromkeys(self.sheets):
            place = self.opened.page.locator(f"[data-table='{sheet}']")
            place.locator("input").fill("")
            place.evaluate("(each) => { each.open = false; }")


@pytest.fixture
def traced(opened: Opened) -> Iterator[Callable[[str], Trace]]:
    """Begins a trace at a sheet."""
    begun: list[Trace] = []

    def begin(sheet: str) -> Trace:
        begun.append(Trace(opened, sheet))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def test_clicks_lead_from_an_order_to_its_lot_and_to_what_uses_it(traced: Any) -> None:
    plan, trace = paged_plan(), traced("orders")
    lot = trace.press("Becomes")
    assert trace.sheets[-1] == "movements"
    uses = [each for each in plan.of(Movement) if each.lot == lot]
    assert uses
    assert trace.count() == len(uses)
    names = trace.place.locator("tbody tr").all_inner_texts()
    demand = next(k for k, each in enumerate(names) if "army" in each or "navy" in each)
    buyer = trace.press("Name", demand)
    assert trace.sheets[-1] == "demand"
    assert trace.count() == sum(each.buyer == buyer for each in plan.of(DemandMet))


def test_clicks_lead_from_an_appropriation_to_its_payments_and_their_order(traced: Any) -> None:
    plan, trace = paged_plan(), traced("budget")
    appropriation = trace.press("Spent")
    assert trace.sheets[-1] == "payments"
    paid = [each for each in plan.of(Payment) if each.appropriation == appropriation]
    assert trace.count() == len(paid)
    rows = trace.place.locator("tbody tr").all_inner_texts()
    number = trace.press("Number", next(k for k, each in enumerate(rows) if "O2027" in each))
    assert trace.sheets[-1] == "actions"
    assert trace.count() == sum(each.number == number for each in plan.of(Action))
    order = trace.press("Number")
    assert (trace.sheets[-1], order) == ("orders", number)
    assert trace.count() == sum(each.number == number for each in plan.of(Order))
    assert trace.press("Paid") == number
    assert trace.count() == sum(each.number == number for each in plan.of(Payment))


def test_it_is_accessible_in_light_and_dark(opened: Opened) -> None:
    with opened.rows("orders"):
        assert faults(opened.page) == []
        opened.page.emulate_media(color_scheme="dark")
    for part in ("header", "#choices", "#chapter-0", "footer"):
        assert faults(opened.page, "color-contrast", within=part) == []
    opened.page.emulate_media(color_scheme="light")


def test_the_keyboard_reaches_all(opened: Opened) -> None:
    page = opened.page
    first = page.locator("a, button, select, input, summary, [tabindex]").first
    assert first.get_attribute("class") == "skip"
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    page.locator("select[name=scenario]").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.selectedIndex") == 1
    assert "scenario base" in page.locator("#chosen").inner_text()
    page.keyboard.press("ArrowUp")


def test_it_fits_a_phone_and_a_sheet_of_paper(opened: Opened) -> None:
    page, wide = opened.page, opened.page.viewport_size
    page.set_viewport_size(SMALL)
    drawn(page)
    page.wait_for_function(f"() => document.documentElement.scrollWidth === {SMALL['width']}")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    widths = (
        "() => [...document.querySelectorAll('.chart .main-svg')].map((each) => each.clientWidth)"
    )
    assert max(page.evaluate(widths)) <= PAPER
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".trimmed, .beyond").count() == 0
    page.set_viewport_size(wide)
    assert opened.said == []


def test_a_long_list_in_a_cell_shows_its_beginning_until_it_is_opened(
    opened: Opened, tmp_path: Path
) -> None:
    lots = ", ".join(
        f"offtake 20{year}-{month:02}" for year in range(27, 32) for month in range(1, 13)
    )
    plan = paged_plan()
    actions = [replace(each, lots=lots) for each in plan.of(Action)]
    path = replace(plan, rows={**plan.rows, Action: tuple(actions)}).save(tmp_path / "plan.html")
    page = opened.page.context.browser.new_page()
    page.goto(path.as_uri())
    row = page.locator("table", has_text="Signed quantity").first.locator("tbody tr").first
    cell = row.locator("td", has_text="offtake 2027-01").last
    assert row.bounding_box()["height"] < 150
    assert "offtake 2031-12" not in cell.inner_text()
    cell.locator("summary").click()
    assert "offtake 2031-12" in cell.inner_text()
    page.close()


def test_on_paper_no_chart_covers_what_follows_and_no_table_is_cut(opened: Opened) -> None:
    page = opened.page
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate(BEYOND) == []
    said = page.locator(".trimmed").all_inner_texts()
    assert any(" more columns are on screen: from " in each for each in said)
    assert opened.figure("run").locator(".beyond").count() == 0  # its texts wrap
    page.emulate_media(media="screen")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".trimmed, .beyond").count() == 0
    assert opened.said == []


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of a study, a comparison, a stress test, an assessment, and why there is no plan."""
    folder, book = tmp_path_factory.mktemp("others"), so.read("inputs/small.xlsx")
    pages = {name: folder / f"{name}.html" for name in CHARTS}
    plain = book.without("outlets", "budgets", "funds", "contracts", "floors", "prices")
    replace(so.stress(plain, gap=0.1), title=HOSTILE).save(pages["stress"])
    assessed = so.adequacy(plain).solution
    assert assessed.plan is not None
    named = replace(assessed, plan=replace(assessed.plan, title=HOSTILE))
    so.Adequacy(named).save(pages["adequacy"])
    poor = so.explain(book.change("budgets[*].amount scale 0.3"))
    replace(poor, title=HOSTILE).save(pages["diagnosis"])
    cheaper = so.solve(book.change("offers[spot].price = 11")).plan
    so.compare(so.solve(book).plan, cheaper, names=(HOSTILE, "b")).save(pages["comparison"])
    write_page(explanation_page(HOSTILE, ["No plan.", "  short of metal"]), pages["explanation"])
    so.run_studies(so.from_tables(STUDIED), output=pages["study"], gap=0.1)
    return pages


@pytest.mark.parametrize("name", CHARTS)
def test_other_pages_are_sound(started: Any, others: dict[str, Path], name: str) -> None:
    other = Opened(started, others[name])
    drawn(other.page)
    assert other.page.locator(".chart").count() == CHARTS[name]
    assert HOSTILE in other.page.locator("body").inner_text()
    assert faults(other.page) == []
    assert other.said == []
    assert other.requests == [others[name].as_uri()]
    other.context.close()


def test_a_script_that_is_injected_does_not_run(started: Any, others: dict[str, Path]) -> None:
    other = Opened(started, others["explanation"])
    other.page.evaluate(
        "() => { const each = document.createElement('script'); each.textContent = 'window.ran = 1';"
        " document.body.append(each); document.body.setAttribute('onclick', 'window.ran = 2');"
        " document.body.click(); }"
    )
    assert other.page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in each for each in other.said)
    other.context.close()
