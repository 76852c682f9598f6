"""The assessment of supply: by hand, against lots that are simulated first in first out, by laws,
and its audit.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import optimiser as so
from optimiser.auditing import audit
from optimiser.auditing.adequacy_audit import Allotment
from optimiser.figures.figure import ChartFigure
from optimiser.figures.of_plan import supply_adequacy
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine import drawdown, views
from optimiser.studies.engine.drawdown import Drawdown
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.plan_what_ifs import answered
from optimiser.studies.what_ifs import ADEQUACY
from optimiser.studies.what_ifs.adequacy import EmbargoAssessed, YearAssessed
from stockpile_model import restricted
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    commitment,
    contract,
    demand,
    event,
    floor,
    in_transit,
    lot,
    material,
    month,
    move,
    offer,
    outlet,
    rule,
    scenario,
    site,
    supplier,
    target,
)
from tests.support.plans import asked_beside, plan_for, plan_of, shared_plan
from tests.support.small_books import small_books

OPTIONS = Options(gap=0.0)
CHINA = {"country": "China", "bloc": "other", "foreign_feedstock": 1.0}


def assessed(stockpile: Stockpile) -> Plan:
    """The plan of a stockpile with its assessment, which its audit bears out."""
    plan = plan_for(stockpile)
    assert plan is not None
    return audited(asked_beside(ADEQUACY, plan))


def audited(plan: Plan) -> Plan:
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()
    return plan


def embargoes(plan: Plan, scenario: str = "base") -> list[EmbargoAssessed]:
    return [each for each in plan.of(EmbargoAssessed) if each.scenario == scenario]


def years(plan: Plan, scenario: str = "base") -> list[YearAssessed]:
    return [each for each in plan.of(YearAssessed) if each.scenario == scenario]


def stocked(*rows: Row, periods: int = 12, **cells: Any) -> Stockpile:
    """A lot of 30 made in January, 10 wanted each month, and nothing that can be ordered."""
    priced = material(shortage_cost=100, **cells)
    return book(
        priced,
        demand(10, 0, periods - 1),
        *(rows or (lot(30, 0),)),
        periods=periods,
        fiscal_year_start=1,
        discount_rate=0.1,  # so that the plan meets demand as soon as it can
    )


# --- By hand --------------------------------------------------------------------------------------


def test_stock_that_keeps_is_used_until_there_is_none() -> None:
    """From January 30 of 120 are met, from March 10 are left; from April on there is nothing."""
    plan = assessed(stocked())
    found = embargoes(plan)
    assert [each.on_hand for each in found[:4]] == pytest.approx([30, 20, 10, 0])
    assert [each.unmet for each in found[:4]] == pytest.approx([90, 100, 110, 120])
    assert [each.demand for each in found] == pytest.approx([120] * 12)
    (year,) = years(plan)
    assert (year.worst_month, year.worst_unmet) == (month(3), pytest.approx(120))
    assert year.mean_unmet == pytest.approx((90 + 100 + 110 + 9 * 120) / 12)
    assert (year.stock, year.days_of_cover) == (0, 0)


def test_after_the_horizon_demand_goes_on_and_the_months_are_counted() -> None:
    found = embargoes(assessed(stocked(lot(30, 0), periods=3)))
    assert [each.after_horizon for each in found] == [9, 10, 11]
    assert [each.unmet for each in found] == pytest.approx([90, 100, 110])
    assert [each.unmet_in_horizon for each in found] == [0, 0, 0]


def test_what_expires_meets_nothing() -> None:
    """A lot of 30 made in January that keeps two months meets 20. Of 12, and 5 that expire a month
    before, all are used where the old ones go first.
    """
    (first, *_) = embargoes(assessed(stocked(shelf_life_months=2)))
    assert first.unmet == pytest.approx(100)
    (first, *_) = embargoes(assessed(stocked(lot(12, 0), lot(5, -1, "old"), shelf_life_months=2)))
    assert (first.on_hand, first.unmet) == (pytest.approx(17), pytest.approx(103))


def test_metal_with_too_little_life_left_meets_nothing() -> None:
    """Of four months of life three must be left: they are in January and in February."""
    rows = lot(30, 0), demand(5, 0, 1, minimum_life_months=3)
    (first, *_) = embargoes(assessed(book(*rows, material(shelf_life_months=4, shortage_cost=9), fiscal_year_start=1)))  # fmt: skip
    assert (first.demand, first.unmet) == (pytest.approx(60), pytest.approx(50))


def test_cover_ends_with_the_stock_or_with_its_life() -> None:
    """At the end of December 25 are left: of the third month, March, half is met. With two months
    of life left all of two months is met and no more. February has 29 days.
    """
    rows = lot(145, 0), target(25, 11, hard=True)
    (year,) = years(assessed(stocked(*rows)))
    assert (year.stock, year.target, year.met) == (pytest.approx(25), 25, True)
    assert year.days_of_cover == pytest.approx(31 + 29 + 31 / 2)
    (year,) = years(assessed(stocked(*rows, shelf_life_months=14)))
    assert year.days_of_cover == pytest.approx(31 + 29)


def test_cover_is_blank_where_no_demand_follows() -> None:
    plan = assessed(book(lot(5, 0), target(5), fiscal_year_start=1))
    (year,) = years(plan)
    assert (year.days_of_cover, year.worst_unmet, year.mean_unmet) == (None, None, None)
    assert "The workbook states no demand" in plan.verdict


def ordered(*rows: Row, **cells: Any) -> Stockpile:
    """20 wanted in April to June, ordered three months ahead from a plant."""
    return book(
        offer(lead_time_months=3, **cells),
        demand(20, 3, 5),
        *rows,
        periods=6,
        fiscal_year_start=1,
    )


def test_what_is_ordered_before_comes_and_nothing_is_ordered_after() -> None:
    """Orders of January to March bring April to June. In an embargo from February on the one of
    January comes. June's demand goes on after the horizon, for seven months from January's view.
    """
    found = embargoes(assessed(ordered()))
    assert [each.due for each in found] == pytest.approx([0, 20, 40, 60, 40, 20])
    assert [each.demand - each.unmet for each in found] == pytest.approx([0, 20, 40, 60, 40, 20])
    assert [each.demand for each in found] == pytest.approx([180, 200, 220, 240, 240, 240])


def test_what_looks_through_to_the_restricted_country_does_not_come() -> None:
    plants = supplier("trader", **CHINA), supplier("recycler", foreign_feedstock=0.4)
    mixed = [
        offer("dear", 11, lead_time_months=3, supplier="recycler", capacity=10),
        offer("cheap", 10, lead_time_months=3, supplier="trader", capacity=10),
    ]
    stockpile = book(*plants, *mixed, demand(20, 3, 5), periods=6, fiscal_year_start=1)
    plan = assessed(stockpile)
    fourth = embargoes(plan)[3]
    assert (fourth.due, fourth.held_back) == (pytest.approx(3 * 6), pytest.approx(3 * 14))
    (year,) = years(plan)
    assert (year.supply, year.restricted_share) == (pytest.approx(60), pytest.approx(0.7))
    assert "metal that looks through to China does not come" in plan.verdict


def test_what_is_in_transit_and_what_was_signed_are_due() -> None:
    """10 a month from an offtake signed in January; 8 that were ordered before the start."""
    rows = offer(capacity=0), in_transit(8, 1), contract(term_months=12), floor(5, 120)
    plan = assessed(
        book(material(shortage_cost=100), demand(11, 0, 11), *rows, periods=12, fiscal_year_start=1)
    )
    first, second, *_ = embargoes(plan)
    assert (first.due, first.unmet) == (pytest.approx(8), pytest.approx(12 * 11 - 8))
    left = 11 * 10 + 8
    assert second.due == pytest.approx(left)
    assert second.unmet == pytest.approx(12 * 11 - left - second.on_hand)


def test_an_extension_is_due_once_it_is_decided() -> None:
    terms = {"term_months": 3, "option_from": month(2), "option_months": 3}
    rows = contract(**terms), floor(5, 120), demand(10, 0, 5), material(shortage_cost=100)
    plan = assessed(book(*rows, periods=6, fiscal_year_start=1))
    due = [each.due for each in embargoes(plan)]
    assert due == pytest.approx([0, 20, 10, 30, 20, 10])


def test_what_was_sent_out_comes_back_but_not_from_the_restricted_country() -> None:
    out = outlet("swap", "exchange", lead_time_months=2, country="Japan", to=month(0))
    rows = [
        supplier("trader", **CHINA),
        lot(10, -3),
        out,
        commitment("rotate", "swap", 10, 0),
        demand(10, 5),
        material(shelf_life_months=4, shortage_cost=100),
    ]
    stockpile = book(*rows, periods=6, fiscal_year_start=1)
    assert [each.due for each in embargoes(assessed(stockpile))] == [0, 10, 10, 0, 0, 0]
    there = [replace(out, country="China") if each is out else each for each in rows]
    second = embargoes(assessed(book(*there, periods=6, fiscal_year_start=1)))[1]
    assert (second.due, second.held_back) == (0, 10)


def test_metal_may_be_moved_to_where_it_is_wanted() -> None:
    """It takes two months, so demand of the first two months is met from the other site alone."""
    sites = site("a", buyer="army"), site("b", buyer="navy")
    rows = [lot(50, 0, site="a"), lot(5, 0, "M", site="b"), demand(10, 0, 5, buyer="navy")]
    priced = material(shortage_cost=100)
    with_road = book(
        *sites, *rows, priced, move(lead_time_months=2), periods=6, fiscal_year_start=1
    )
    (first, *_) = embargoes(assessed(with_road))
    assert first.demand - first.unmet == pytest.approx(5 + 50)
    (first, *_) = embargoes(assessed(book(*sites, *rows, priced, periods=6, fiscal_year_start=1)))
    assert first.demand - first.unmet == pytest.approx(5)


def test_grades_of_a_group_are_one_pool() -> None:
    grades = material("4N", group="metal", shortage_cost=9), material("6N", group="metal", shortage_cost=9)  # fmt: skip
    rows = lot(10, 0, material="4N"), lot(10, 0, "M", material="6N")
    wants = demand(5, 0, 1, material="6N"), demand(5, 0, 1, material="metal")
    plan = assessed(book(*grades, *rows, *wants, fiscal_year_start=1))
    assert {each.material for each in plan.of(EmbargoAssessed)} == {"metal"}
    first, second = embargoes(plan)
    # After the horizon 6N is wanted for ten more months, of which one month's is left.
    assert (first.on_hand, first.unmet) == (20, pytest.approx(120 - 20))
    assert second.unmet == pytest.approx(120 - second.on_hand)


def test_plants_that_operate_are_shown_alone() -> None:
    """Half of the metal comes from a plant that is only announced; without it 10 a month are
    missed, where a hard target and a share rule would leave no plan.
    """
    plants = supplier("dream", stage="announced"), supplier("mill")
    rows = [
        offer("cheap", 4, supplier="dream", capacity=10),
        offer("dear", 9, supplier="mill", capacity=10),
        demand(10, 0, 2),
        target(20, 2, hard=True),
        rule("supplier", most=0.6),
    ]
    plan = assessed(book(*plants, *rows, periods=3, fiscal_year_start=1))
    (year,) = years(plan)
    assert (year.supply, year.stock, year.met_probability) == (pytest.approx(50), 20, 1)
    assert year.operating_supply == pytest.approx(30, abs=10)
    assert (year.only_operating_supply, year.only_operating_stock) == (pytest.approx(30), 0)


def test_a_commitment_to_a_plant_that_does_not_operate_leaves_no_plan_to_show() -> None:
    plants = supplier("dream", stage="announced"), supplier("mill")
    rows = offer("cheap", 4, supplier="dream"), commitment("order", "cheap", 5, 0), demand(5)
    plan = assessed(book(*plants, *rows, fiscal_year_start=1))
    (year,) = years(plan)
    assert (year.only_operating_supply, year.only_operating_stock) == (None, None)
    assert "With the plants alone that operate there is nothing to show: no plan" in plan.verdict


# --- Scenarios ------------------------------------------------------------------------------------


def test_each_scenario_has_its_own_demand_supply_and_chance() -> None:
    """In war, 1 in 4, ten times as much is wanted from March on, and a soft target is missed."""
    war = scenario(probability=0.25), event("demand.quantity", "scale", 10, 2)
    rows = lot(50, 0), demand(10, 0, 3), target(10, 3), material(shortage_cost=9, below_target_cost=1)  # fmt: skip
    plan = assessed(book(*rows, *war, periods=4, fiscal_year_start=1))
    peace, fight = embargoes(plan), embargoes(plan, "war")
    assert [each.demand for each in (peace[0], fight[0])] == pytest.approx([120, 20 + 10 * 100])
    assert [each.unmet for each in (peace[0], fight[0])] == pytest.approx([70, 970])
    assert [each.met for each in (*years(plan), *years(plan, "war"))] == [True, False]
    assert {each.met_probability for each in plan.of(YearAssessed)} == {0.75}
    assert {each.probability for each in years(plan, "war")} == {0.25}


# --- The restricted country -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plants", "countries", "shares"),
    [
        ((supplier("a", **CHINA), supplier("b", country="China", bloc="other")), ("China",), (1, 1)),
        ((supplier("a", **CHINA), supplier("b", country="Kazakhstan", bloc="other")), ("China",), (1, 0)),
        ((supplier("a", country="Peru", bloc="other"), supplier("b", country="Japan", bloc="allied")), ("Peru",), (1, 0)),
        ((supplier("a", bloc="other"), supplier("b")), (), (1, 0)),
        ((supplier("a", country="Japan", bloc="allied", foreign_feedstock=0.6), supplier("b")), (), (0.6, 0)),
        ((supplier("a", country="Japan", bloc="allied", foreign_feedstock=1), supplier("b")), (), (1, 0)),
        ((supplier("a", **CHINA), supplier("b", country=" china ", bloc="allied")), ("China",), (1, 1)),
    ],
)  # fmt: skip
def test_the_suppliers_say_which_country_is_restricted(
    plants: tuple[Row, ...], countries: tuple[str, ...], shares: tuple[float, float]
) -> None:
    stockpile = book(*plants)
    assert restricted.countries(stockpile) == countries
    assert (restricted.share(stockpile, "a"), restricted.share(stockpile, "b")) == shares


# --- Lots that are simulated first in first out ---------------------------------------------------


def simulated(plan: Plan, first: int, life: int | None) -> float:
    """What stays unmet in 12 months from a month on, by lots that are used up oldest first.

    For a book of one material, one site and one buyer that buys under offers alone.
    """
    calendar, stockpile = plan.stockpile.calendar, plan.stockpile
    lots: list[
        list[float]
    ] = [  # month in which it was made, month from which it is there, quantity
        [calendar.period(each.made), first, each.quantity]
        for each in plan.of(LotStock)
        if calendar.period(each.date) == first - 1
    ]
    if first == 0:
        rows = next(
            rows for kind, rows in stockpile.tables.items() if kind.TABLE == "opening_stock"
        )
        lots = [[calendar.period(each.made), 0, each.quantity] for each in rows]  # type: ignore[attr-defined]
    early = {
        (each.offer, each.arrives) for each in plan.of(Order) if calendar.period(each.date) < first
    }
    for each in plan.of(Delivery):
        there = calendar.period(each.date)
        if first <= there < first + 12 and (each.name, each.date) in early:
            plant = next(row for row in stockpile.rows(type(supplier())) if row.supplier == each.supplier)  # fmt: skip
            lots.append([calendar.period(each.made), there, each.quantity * (1 - plant.foreign_feedstock)])  # fmt: skip
    (row,) = (row for row in stockpile.rows(type(demand(1))))
    unmet = 0.0
    for t in range(first, first + 12):
        wanted = row.quantity
        for each in sorted(lots):
            if each[1] <= t and (life is None or t - each[0] < life):
                used = min(wanted, each[2])
                wanted, each[2] = wanted - used, each[2] - used
        unmet += wanted
    return unmet


@pytest.mark.parametrize("seed", range(4))
def test_unmet_is_what_lots_used_oldest_first_leave(seed: int) -> None:
    draw = random.Random(seed)
    life = draw.choice([None, 3, 5, 8])
    periods = 8
    rows = [
        material(shelf_life_months=life, shortage_cost=80),
        supplier("near"),
        supplier("far", country="China", bloc="other", foreign_feedstock=1),
        supplier("half", foreign_feedstock=0.5),
        lot(draw.randint(5, 40), -1),
        lot(draw.randint(1, 9), 0, "M"),
        demand(draw.randint(6, 12), 0, periods - 1),
        target(draw.randint(10, 40), 4, hard=True),
        offer("a", 10, supplier="near", capacity=draw.randint(1, 6), lead_time_months=2),
        offer("b", 9, supplier="far", capacity=draw.randint(1, 6), lead_time_months=1),
        offer("c", 8, supplier="half", capacity=draw.randint(1, 6), lead_time_months=3),
        offer("d", 60, supplier="near", lead_time_months=1),
    ]
    plan = assessed(book(*rows, periods=periods, fiscal_year_start=1))
    found = [each.unmet for each in embargoes(plan)]
    assert found == pytest.approx([simulated(plan, t, life) for t in range(periods)], abs=1e-6)
    assert any(0 < each.unmet < each.demand for each in embargoes(plan))


# --- The linear program: another algorithm, and laws ----------------------------------------------


@st.composite
def drawdowns(draw: Any) -> Drawdown:
    """Needs of a few periods, and batches that can meet any of them."""
    sizes = st.integers(0, 9).map(float)
    needs = draw(st.lists(sizes, min_size=1, max_size=6))
    when = sorted(draw(st.lists(st.integers(0, 3), min_size=len(needs), max_size=len(needs))))
    some = st.sets(st.integers(0, len(needs) - 1), min_size=1).map(lambda each: tuple(sorted(each)))
    batches = draw(st.dictionaries(some, st.integers(1, 9).map(float), max_size=5))
    return Drawdown(tuple(needs), tuple(when), batches, 2, (30,) * 4)


@settings(max_examples=40)
@given(drawdowns())
def test_two_algorithms_meet_the_same_of_each_need_in_time(asked: Drawdown) -> None:
    met = drawdown.met(asked, OPTIONS)
    batches = [*asked.batches.items()]
    may = [[b for b, (needs, _) in enumerate(batches) if k in needs] for k in range(len(asked.needs))]  # fmt: skip
    other = Allotment(may, [quantity for _, quantity in batches], [*asked.needs])
    other.meet()
    for last in set(asked.when):  # as much as any use could meet up to each period
        known = [k for k, t in enumerate(asked.when) if t <= last]
        short = sum(asked.needs[k] - met[k] for k in known)
        assert short == pytest.approx(sum(other.short[k] for k in known), abs=1e-6)


@settings(max_examples=30)
@given(drawdowns(), st.integers(1, 5))
def test_more_metal_never_leaves_more_unmet_and_more_need_never_less(
    asked: Drawdown, more: int
) -> None:
    least = drawdown.unmet(asked, OPTIONS)
    batches = {**asked.batches, (0,): asked.batches.get((0,), 0.0) + more}
    fuller = drawdown.unmet(replace(asked, batches=batches), OPTIONS)
    assert least - more - 1e-6 <= fuller <= least + 1e-6
    needier = replace(asked, needs=(asked.needs[0] + more, *asked.needs[1:]))
    assert least - 1e-6 <= drawdown.unmet(needier, OPTIONS) <= least + more + 1e-6
    cover, longer = (
        drawdown.days_of_cover(each, OPTIONS) for each in (asked, replace(asked, batches=batches))
    )
    assert cover is None or longer is None or longer >= cover - 1e-6
    assert cover is not None or longer is None


@settings(max_examples=40)
@given(drawdowns(), st.floats(1e-6, 1e6))
def test_the_unit_of_quantity_changes_nothing(asked: Drawdown, factor: float) -> None:
    other = replace(
        asked,
        needs=tuple(factor * each for each in asked.needs),
        batches={needs: factor * each for needs, each in asked.batches.items()},
    )
    assert drawdown.unmet(other, OPTIONS) == pytest.approx(
        factor * drawdown.unmet(asked, OPTIONS), abs=1e-7 * factor
    )


def test_a_question_survives_being_written() -> None:
    asked = {
        "unmet ga 01": Drawdown((1.0, 2.5), (0, 1), {(0,): 0.1 + 0.2, (0, 1): 3.0}, 1, (31, 28))
    }
    assert drawdown.read_back(drawdown.written(asked)) == asked


# --- Books of many kinds: the audit recomputes them without a linear program ----------------------


@settings(max_examples=8, phases=[Phase.generate])
@given(st.one_of(*map(small_books, ("moves", "requalify", "in_transit", "demand_life", "groups"))))
def test_any_book_is_assessed_as_its_audit_recomputes_it(tables: dict[str, Any]) -> None:
    plan = plan_of(tables)
    if plan is not None:
        audited(asked_beside(ADEQUACY, plan))


def rich_book(quantity: float = 1.0, money: float = 1.0) -> Stockpile:
    """Scenarios, restricted metal, a target that is missed, and shortages; in other units."""
    price = money / quantity
    return book(
        supplier("trader", **CHINA),
        supplier("mill"),
        material(shelf_life_months=6, shortage_cost=90 * price, below_target_cost=price),
        lot(20 * quantity, 0),
        demand(10 * quantity, 0, 7),
        target(45 * quantity, 6),
        offer("cheap", 4 * price, supplier="trader", lead_time_months=1, capacity=4 * quantity),
        offer("dear", 9 * price, supplier="mill", lead_time_months=2, capacity=6 * quantity),
        scenario(probability=0.25),
        event("demand.quantity", "scale", 2, 4),
        periods=8,
        fiscal_year_start=1,
    )


@functools.cache
def rich() -> Plan:
    return assessed(rich_book())


@pytest.mark.parametrize(("quantity", "money"), [(1e-6, 1.0), (1e6, 1e-6)])
def test_the_units_of_a_workbook_change_nothing(quantity: float, money: float) -> None:
    found = assessed(rich_book(quantity, money))
    for kind in (YearAssessed, EmbargoAssessed):
        for one, other in zip(rich().of(kind), found.of(kind), strict=True):
            for each in columns(kind):
                value, scaled = (getattr(row, each.field) for row in (one, other))
                if isinstance(value, float) and each.unit == "quantity":
                    assert scaled == pytest.approx(value * quantity, abs=1e-6 * quantity)
                elif isinstance(value, float):
                    assert scaled == pytest.approx(value)
                else:
                    assert scaled == value


def test_two_buyers_and_quarters_are_assessed() -> None:
    found = audited(asked_beside(ADEQUACY, shared_plan())).of(EmbargoAssessed)
    assert {each.after_horizon for each in found} == {0, 3, 6, 9}


NUMBERS = [
    (kind, each)
    for kind in (YearAssessed, EmbargoAssessed)
    for each in columns(kind)
    if each.name not in ("only_operating_supply", "only_operating_stock")
]


@pytest.mark.parametrize(("kind", "each"), NUMBERS, ids=lambda each: getattr(each, "name", ""))
def test_a_planted_error_is_found_at_its_cell(kind: Any, each: Any) -> None:
    plan = rich()
    rows = plan.of(kind)
    row = next(row for row in rows if getattr(row, each.field) is not None)
    value = getattr(row, each.field)
    wrong: Any = f"{value} too"
    if isinstance(value, bool):
        wrong = not value
    elif isinstance(value, (int, float)):
        wrong = value + 1
    elif isinstance(value, dt.date):
        wrong = value + dt.timedelta(days=95)
    changed = tuple(replace(x, **{each.field: wrong}) if x is row else x for x in rows)
    found = audit(plan.stockpile, as_sheets(replace(plan, rows={**plan.rows, kind: changed})))
    assert any(line.where.startswith((kind.SHEET, "adequacy")) for line in found.findings)


# --- Ways to ask for it ---------------------------------------------------------------------------


def test_a_study_of_the_workbook_says_the_same() -> None:
    small = so.read("inputs/small.xlsx")
    found, asked = so.adequacy(small), so.study(small, "adequacy", gap=0.0)
    assert asked["embargo"]["unmet [kg]"].tolist() == found.embargoes["unmet"].tolist()
    assert asked["adequacy"]["supply [kg]"].tolist() == found.years["supply"].tolist()
    assert asked.answers[0] == " ".join(found.said)


def test_a_workbook_without_a_plan_says_so() -> None:
    small = so.read("inputs/small.xlsx").change("demand[*].quantity = 1000")
    found = so.adequacy(small)
    assert (found.solution.plan, found.complete, found.said) == (None, False, ())
    assert found.as_object()["status"] == "infeasible"
    assert "adequacy" not in found.as_object()
    assert "infeasible" in repr(found)
    said = so.study(small, "adequacy").answers
    assert said == ("As it is there is no plan to assess: no plan keeps every limit.",)


def test_its_runs_are_kept_in_the_record_and_found_again() -> None:
    plan, record = plan_for(stocked()), MemoryRecord()
    assert plan is not None
    first = answered(plan, [ADEQUACY], OPTIONS, record, "test")
    seen = list[so.StudyProgress]()
    again = answered(plan, [ADEQUACY], OPTIONS, record, "test", watch=seen.append)
    assert again.of(EmbargoAssessed) == first.of(EmbargoAssessed)
    assert seen[-1].kept == seen[-1].asked > 1


def test_the_plan_is_written_read_and_audited_with_its_assessment(tmp_path: Path) -> None:
    for name in ("plan.xlsx", "plan.json"):
        found = so.adequacy("inputs/small.xlsx")
        plan = found.solution.plan
        assert plan is not None
        path = plan.save(tmp_path / name)
        assert so.audit("inputs/small.xlsx", path).findings == ()
        assert so.load_plan(path)["embargo"]["unmet"].tolist() == found.embargoes["unmet"].tolist()


def test_the_assessment_as_an_object_is_json() -> None:
    found = json.loads(json.dumps(so.adequacy("inputs/small.xlsx").as_object()))
    assert found["embargo"][0]["begins"] == "2030-01-01"
    assert found["said"][0].startswith("In an embargo nothing new can be ordered")


def test_figures_show_stock_against_target_and_unmet_by_month() -> None:
    plan = rich()
    figures = so.figures_of(plan)
    chart = figures[f"{supply_adequacy.UNMET} ga"]
    assert isinstance(chart, ChartFigure)
    assert list(chart.series[0].values) == [each.unmet for each in embargoes(plan)]
    chart = figures[f"{supply_adequacy.STOCK} ga"]
    assert isinstance(chart, ChartFigure)
    assert "target" in {each.name for each in chart.series}
    assert supply_adequacy.YEARS in so.figures_of(plan, brief=True)


def test_a_plan_that_was_not_assessed_shows_nothing_of_it() -> None:
    plan = so.solve("inputs/small.xlsx").plan
    assert plan is not None
    assert not {"adequacy", "embargo"} & {*plan.sheets}
    assert supply_adequacy.YEARS not in so.figures_of(plan)


def test_what_must_be_met_may_be_missed_by_the_plants_that_operate() -> None:
    rows = target(9, hard=True), rule("country", least=2, measure="count"), rule("bloc", most=0.5)
    eased = views.operating(book(*rows))
    assert [row.hard for row in eased.rows(type(rows[0]))] == [False]
    assert [(row.least, row.most) for row in eased.rows(type(rows[1]))] == [(0, None), (None, 1)]
    assert all(row.shortage_cost and row.below_target_cost for row in eased.rows(type(material())))


def test_an_embargo_lasts_as_long_as_is_asked() -> None:
    """10 a month are asked for. By hand: 10 on hand and 10 that come in February of an order from
    before the start meet two months of three, and both of two.
    """
    rows = (demand(10, 0, 5), lot(10, 0), in_transit(10, 1), offer(capacity=99))
    for months, unmet in ((3, 10), (2, 0), (1, 0)):
        plan = assessed(book(*rows, periods=6, embargo_months=months))
        first, *_ = plan.of(EmbargoAssessed)
        assert (first.months, first.unmet, first.demand) == (months, unmet, 10 * months)
    small = so.adequacy("inputs/small.xlsx", months=3)
    assert small.embargoes["unmet"].tolist() == [30, 0, 10, 0]
    assert "Of 3 months of it that begin" in " ".join(small.said)
    with pytest.raises(so.InputError, match=r"must be a whole number of periods of 1 month"):
        so.adequacy("inputs/small.xlsx", months=1.5)


def test_what_is_out_through_an_outlet_is_due() -> None:
    """9 of 10 that went out in December are back in February: they meet it, and no more.

    The one that is missing can be bought in February alone: nothing is on hand as it begins.
    """
    swap = outlet("swap", "exchange", None, **{"yield_": 0.9, "lead_time_months": 2})
    gone = commitment("rotate", "swap", 10, -1)
    plan = assessed(book(swap, gone, demand(10, 1), offer(from_=month(1)), periods=2))
    january, february = plan.of(EmbargoAssessed)
    assert (january.due, january.unmet) == (9, 1 + 10 * 10)
    assert (february.due, february.on_hand) == (9, 0)


def test_rows_say_from_which_cell_they_come() -> None:
    """A year that ends with a target names it, by the column that states it; else its demand."""
    plan = rich()
    for row in plan.of(YearAssessed):
        assert row.cell is not None
        assert row.cell.startswith("targets" if row.target else "demand")
    for embargo in plan.of(EmbargoAssessed):
        assert (embargo.cell is None) == (embargo.demand == 0)
    small = so.adequacy("inputs/small.xlsx")
    assert {*small.embargoes["cell"]} == {"demand!D2"}


def test_the_target_of_a_buyer_is_part_of_that_of_all() -> None:
    sites = site("a", buyer="army"), site("b", buyer="navy")
    rows = [
        lot(50, 0, site="a"),
        demand(1, 0, 5, buyer="army"),
        target(20),
        target(10, buyer="army"),
    ]
    plan = assessed(book(material(shelf_life_months=None), *sites, *rows, periods=6))
    assert {each.target for each in plan.of(YearAssessed)} == {20}


def test_a_lot_that_has_failed_a_test_is_not_on_hand() -> None:
    failed = replace(lot(5, 0), failed=True)
    life = material(shelf_life_months=6)
    plan = assessed(book(life, failed, demand(3, 0), offer(), periods=1))
    (january,) = plan.of(EmbargoAssessed)
    assert (january.on_hand, january.unmet) == (0, 3 * 12)
