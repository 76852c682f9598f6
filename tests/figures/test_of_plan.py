"""The figures of plans by hand, against numbers worked out on paper."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from optimiser.figures.figure import ChartFigure, Figured, TableFigure, TextFigure
from optimiser.figures.of_plan import BRIEF, PLAN, brief_of, chapters_of, figures_of
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.figures.origins import AGREES, DIFFERS, known
from optimiser.plan.plan import Plan
from stockpile_model.blocks.budget import BudgetUse
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock import Delivery, LotStock
from stockpile_model.blocks.targets import TargetMet
from tests.support.accept import book, material
from tests.support.plans import full_plan, shared_plan, uncertain_plan
from tests.workbook.test_write import cash, empty_plan, held, order

JANUARY, FEBRUARY = dt.date(2027, 1, 1), dt.date(2027, 2, 1)


def delivery(supplier: str, quantity: float, day: dt.date = JANUARY) -> Delivery:
    """A delivery of gallium."""
    given: dict[str, Any] = {"lot": "l", "kind": "offers", "name": "o", "material": "ga"}
    return Delivery(
        date=day, supplier=supplier, quantity=quantity, site="depot", buyer=None, price=1.0,
        paid=quantity, **given,
    )  # fmt: skip


def use(amount: float, spent: float, lapsed: float) -> BudgetUse:
    """An appropriation; what is neither spent nor lapsed is left."""
    return BudgetUse(
        appropriation=f"nds {amount:g}", fund="nds", fiscal_year=JANUARY.year, from_=JANUARY,
        expires=None, amount=amount, obligated=spent, spent=spent, released=0.0, lapsed=lapsed,
        left=amount - spent - lapsed,
    )  # fmt: skip


def table(plan: Plan, name: str) -> dict[object, tuple[object, ...]]:
    """The values of a table by the labels of its lines."""
    figure = figures_of(PlanRows(plan))[name]
    assert isinstance(figure, TableFigure)
    return {line.values[0]: tuple(map(known, line.values[1:])) for line in figure.lines}


def chart(plan: Plan, name: str) -> tuple[ChartFigure, dict[str, tuple[float | None, ...]]]:
    """A chart, and its series by name."""
    figure = figures_of(PlanRows(plan))[name]
    assert isinstance(figure, ChartFigure)
    return figure, {each.name: each.values for each in figure.series}


def test_a_target_of_a_buyer_is_no_more_than_that_of_all() -> None:
    """20 for all, of them 10 for the army: the line is at 20, not at 30."""

    def target(quantity: float, buyer: str | None) -> TargetMet:
        return TargetMet(
            date=JANUARY, material="ga", buyer=buyer, target=quantity, hard=False, stock=quantity,
            below=0.0, cost=0.0,
        )  # fmt: skip

    rows = {TargetMet: (target(20.0, None), target(4.0, "navy"), target(10.0, "army"))}
    _, series = chart(empty_plan({**rows, LotStock: (held(20.0),)}), "stock of ga")
    assert series["target"][0] == 20.0


def test_a_calendar_over_scenarios_says_so() -> None:
    for plan, over in (
        (full_plan(), " are due, each"),
        (uncertain_plan(), " over all scenarios, "),
    ):
        chapters = chapters_of(PlanRows(plan))
        figures = [each for _, made in chapters for each in made if each.name == "calendar"]
        (calendar,) = figures
        assert isinstance(calendar, TableFigure)
        assert over in calendar.caption


# --- Tables ---------------------------------------------------------------------------------------


def test_costs_by_heading_are_summed() -> None:
    flows = (
        cash(amount=50.0, discounted=48.0),
        cash(amount=30.0, discounted=27.0),
        cash(heading="storage", amount=4.0, discounted=3.5),
    )
    assert table(empty_plan({CashFlow: flows}), "costs") == {
        "purchases": (75.0, 80.0),
        "storage": (3.5, 4.0),
        "Total": (78.5, 84.0),
    }


def test_the_sums_of_costs_are_checked_against_the_objective() -> None:
    rows = {CashFlow: (cash(),)}
    label = "Headings sum to the expected cost"
    assert table(empty_plan(rows, objective=50.0), "checks")[label] == (AGREES,)
    assert table(empty_plan(rows, objective=50.1), "checks")[label] == (DIFFERS,)


def test_shortfall_is_unmet_demand_and_what_is_below_targets() -> None:
    unmet = DemandMet(
        date=JANUARY, material="ga", buyer=None, required=10.0, met=7.0, unmet=3.0, cost=0.0
    )
    below = TargetMet(
        date=JANUARY, material="ga", buyer=None, target=5.0, hard=False, stock=1.0, below=4.0,
        cost=0.0,
    )  # fmt: skip
    found = table(empty_plan({DemandMet: (unmet,), TargetMet: (below, below)}), "quantities")
    assert (found["Used by demand"], found["Unmet demand"]) == ((7.0,), (3.0,))
    assert (found["Below targets"], found["Shortfall"]) == ((8.0,), (11.0,))


def test_suppliers_are_ranked_by_what_they_bring() -> None:
    rows = (delivery("a", 2.0), delivery("b", 5.0), delivery("b", 1.0, FEBRUARY))
    assert table(empty_plan({Delivery: rows}), "suppliers") == {
        "b": (6.0, 0.75),
        "a": (2.0, 0.25),
        "Number of suppliers": (2.0,),
        "Largest share": (0.75,),
    }


def test_appropriations_are_summed_and_drawn_in_a_unit_that_reads_well() -> None:
    plan = empty_plan({BudgetUse: (use(5e6, 3e6, 1e6), use(1e6, 1e6, 0.0))})
    assert table(plan, "appropriations")["Total"] == (6e6, 4e6, 1e6, 1e6, 4e6)
    figure, parts = chart(plan, "appropriation parts")
    assert figure.y.label == "amount [million USD]"
    assert parts == {"spent": (3.0, 1.0), "lapsed": (1.0, 0.0), "left": (1.0, 0.0)}


def test_what_is_obligated_again_says_so() -> None:
    """Only where more is obligated than there is."""
    plain, twice = use(5e6, 3e6, 1e6), replace(use(1e6, 1e6, 0.0), appropriation="again")
    again = replace(twice, obligated=1.5e6, released=0.5e6)
    once, found = (
        figures_of(PlanRows(empty_plan({BudgetUse: (plain, each)})))["appropriations"]
        for each in (twice, again)
    )
    assert isinstance(once, TableFigure)
    assert isinstance(found, TableFigure)
    assert once.caption == ""
    assert "than there is of again: 500,000 USD" in found.caption
    assert plain.appropriation not in found.caption


def test_sums_over_scenarios_are_expected() -> None:
    plan = uncertain_plan()
    expected = sum(each.probability * each.ordered for each in plan.of(Order))
    assert expected != pytest.approx(sum(each.ordered for each in plan.of(Order)))
    assert table(plan, "quantities")["Ordered"] == (pytest.approx(expected),)
    assert table(plan, "costs")["Total"][0] == pytest.approx(plan.expected_cost)


def test_what_buyers_pay_is_split_up_whole() -> None:
    found = table(shared_plan(), "buyers")
    paid = [float(str(values[1])) for values in found.values()]
    assert len(paid) > 2
    assert sum(paid) == pytest.approx(shared_plan().objective)


def test_in_brief_headings_without_cost_are_left_out() -> None:
    plan = empty_plan(costs={"purchases": 50.0, "storage": 0.0, "sales": -4.0}, objective=46.0)
    (figure,) = brief_of(PlanRows(plan)).values()
    assert isinstance(figure, TableFigure)
    assert [line.values for line in figure.lines] == [
        ("purchases", 50.0),
        ("sales", -4.0),
        ("objective", 46.0),
    ]


def test_the_first_steps_are_those_of_half_a_year() -> None:
    said = (
        (dt.date(2026, 12, 1), "2026-12: ordered before the start, so nothing to do"),
        (dt.date(2027, 6, 30), "2027-06: order"),
        (JANUARY, "2027-01: order"),
        (dt.date(2027, 7, 1), "2027-07: order"),
    )
    rows = {Order: tuple(order(date=day, instruction=text) for day, text in said)}
    steps = figures_of(PlanRows(empty_plan(rows)))["first steps"]
    assert isinstance(steps, TextFigure)
    assert steps.title == "To do first, before 2027-07"
    assert steps.paragraphs == ("2027-01: order", "2027-06: order")
    assert steps.aside == "… and 1 more on the sheet orders."


# --- Charts ---------------------------------------------------------------------------------------


def test_stock_is_parted_where_it_begins_to_count() -> None:
    lots = (
        held(4.0, remaining_life=5.0),
        held(1.0, remaining_life=0.5),
        held(2.0, remaining_life=1.0, date=FEBRUARY),
    )
    asked = TargetMet(
        date=FEBRUARY, material="ga", buyer=None, target=3.0, hard=False, stock=2.0, below=1.0,
        cost=0.0,
    )  # fmt: skip
    figure, series = chart(empty_plan({LotStock: lots, TargetMet: (asked,)}), "stock of ga")
    assert figure.labels == ("2027-01", "2027-02")
    assert figure.y.label == "stock [kg]"
    assert series["0 to 1 months left (does not count)"] == (1.0, 0.0)
    assert series["1 to 2 months left"] == (0.0, 2.0)
    assert series["4 to 6 months left"] == (4.0, 0.0)
    assert series["target"] == (None, 3.0)
    assert {each.name: each.role for each in figure.series}["target"] == "aim"


def test_stock_of_a_group_with_a_target_is_parted_by_material() -> None:
    grades = (
        material("4N", group="gallium", shelf_life_months=6, count_life_months=2),
        material("6N", group="gallium"),
    )
    lots = (
        held(4.0, material="4N", remaining_life=5.0),
        held(1.0, material="4N", remaining_life=1.0),
        held(2.0, material="6N", remaining_life=None, date=FEBRUARY),
    )
    asked = TargetMet(
        date=FEBRUARY, material="gallium", buyer=None, target=3.0, hard=False, stock=2.0,
        below=1.0, cost=0.0,
    )  # fmt: skip
    rows = {LotStock: lots, TargetMet: (asked,)}
    figure, series = chart(empty_plan(rows, stockpile=book(*grades)), "stock of gallium")
    assert figure.title == "Stock of gallium at period end by material, against target"
    assert series == {
        "4N": (4.0, 0.0),
        "6N": (0.0, 2.0),
        "4N (does not count)": (1.0, 0.0),
        "target": (None, 3.0),
    }
    roles = {each.name: each.role for each in figure.series}
    assert (roles["6N"], roles["4N (does not count)"]) == ("counting", "not counting")


def test_the_running_sum_of_cash_leaves_out_what_is_no_cash() -> None:
    flows = (
        cash(amount=60.0),
        cash(amount=-25.0, heading="closing_stock", date=FEBRUARY),
        cash(amount=99.0, heading="shortage", cash=False),
    )
    figure, series = chart(empty_plan({CashFlow: flows}), "cash flow")
    assert series == {
        "purchases": (60.0, 0.0),
        "closing stock": (0.0, -25.0),
        "running sum (right)": (60.0, 35.0),
    }
    assert figure.right is not None
    assert figure.right.label == "running sum [USD]"


def test_of_many_periods_the_years_are_shown() -> None:
    rows = (
        delivery("a", 2.0),
        delivery("a", 3.0, FEBRUARY),
        delivery("a", 5.0, dt.date(2028, 6, 1)),
    )
    monthly, _ = chart(empty_plan({Delivery: rows[:2]}, {"periods": 24}), "purchases")
    assert (len(monthly.labels), monthly.x.title) == (24, "period")
    yearly, series = chart(empty_plan({Delivery: rows}, {"periods": 36}), "purchases")
    assert yearly.labels == ("FY2027", "FY2028", "FY2029", "FY2030")
    assert yearly.x.title == "fiscal year"
    assert series["a"] == (5.0, 5.0, 0.0, 0.0)


def test_the_dearest_scenario_stands_first() -> None:
    def outcome(scenario: str, cost: float, short: float) -> ScenarioOutcome:
        return ScenarioOutcome(
            scenario=scenario, probability=0.5, follows=None, revealed=None, cost=cost,
            shortfall=short, waste=0.0,
        )  # fmt: skip

    rows = {ScenarioOutcome: (outcome("calm", 4_000.0, 0.0), outcome("storm", 9_000.0, 7.0))}
    figure, series = chart(empty_plan(rows), "scenario costs")
    assert figure.labels == ("storm", "calm")
    assert series == {"cost": (9.0, 4.0), "shortfall (right)": (7.0, 0.0)}
    assert figure.y.label == "discounted cost [thousand USD]"
    for metals, title in (("a",), "shortfall"), (("a", "b"), "shortfall, all metals together"):
        plan = replace(empty_plan(rows), stockpile=book(*map(material, metals)))
        figure, _ = chart(plan, "scenario costs")
        assert figure.right is not None
        assert figure.right.title == title


# --- The registry ---------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [empty_plan, full_plan, shared_plan, uncertain_plan])
def test_no_two_figures_have_one_name(plan: Any) -> None:
    rows, made = PlanRows(plan()), dict[str, Figured]()
    names = []
    for figures in (*(each.figures for each in PLAN), *BRIEF):
        for each in figures(rows, made):
            names.append(each.name)
            made[each.name] = each
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("plan", [empty_plan, full_plan, shared_plan, uncertain_plan])
def test_a_part_of_the_summary_begins_as_its_figures_say(plan: Any) -> None:
    """By that a summary is read again: its first word, and whether its columns have titles."""
    rows, made = PlanRows(plan()), dict[str, Figured]()
    for part in PLAN:
        for each in part.figures(rows, made):
            made[each.name] = each
            if part.title and not isinstance(each, ChartFigure):
                headed = isinstance(each, TableFigure) and bool(each.columns[1].title)
                assert each.title.startswith(part.title)
                assert part.headed == headed


@pytest.mark.parametrize("plan", [empty_plan, full_plan, shared_plan, uncertain_plan])
def test_every_line_has_a_value_for_each_column_and_every_series_one_for_each_label(
    plan: Any,
) -> None:
    rows = PlanRows(plan())
    for figure in (*figures_of(rows).values(), *brief_of(rows).values()):
        if isinstance(figure, TableFigure):
            assert all(len(line.values) <= len(figure.columns) for line in figure.lines)
        elif isinstance(figure, ChartFigure):
            assert {len(each.values) for each in figure.series} == {len(figure.labels)}


def test_a_group_of_which_nothing_is_held_is_drawn_against_its_target() -> None:
    """A target of 3 at a price of 1, where a unit costs 9: none is bought."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 1},
        "materials": [{"material": "4N", "group": "ga", "below_target_cost": 1}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{"offer": "spot", "supplier": "plant", "material": "4N", "price": 9}],
        "targets": [{"material": "ga", "from": "2027-01-01", "quantity": 3}],
    }
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    (chart,) = (each for name, each in so.figures_of(plan).items() if name.endswith(" of ga"))
    assert isinstance(chart, ChartFigure)
    assert [each.values for each in chart.series] == [(0.0,), (3.0,)]
