"""A stress test by hand: what is held, what each event costs, and what it would have cost to know.

The books last four months. Metal is bought at 10, keeps for ever at 0.5 a month, and 10 are used in
each month. The decisions of the first two months are held: 10 are bought in each of them.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings

import optimiser as so
from optimiser.solving.search_options import Options
from optimiser.studies.answered import conduct
from optimiser.studies.engine.case import DECISIONS, Case, CaseResult, HeldDecisions
from optimiser.studies.engine.evaluate import CaseEvaluator, StudyJob
from optimiser.studies.engine.held_decisions import hold
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.engine.runner import Runner
from optimiser.studies.engine.shocks import Shock, struck
from optimiser.studies.stress.rule_of_thumb import BY_THUMB, MOVED
from optimiser.studies.stress.stress_events import StressEvents
from optimiser.studies.stress.stress_rounds import StressAsked, held_periods, rounds
from optimiser.studies.study_sheet.study_table import Study
from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read
from stockpile_model.block import tables as block_tables
from stockpile_model.build import build, check
from stockpile_model.changes import parse
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    budget,
    contract,
    demand,
    event,
    floor,
    fund,
    least_cost,
    material,
    offer,
    price_break,
    prices,
    project,
    rule,
    scenario,
    supplier,
    target,
)
from tests.support.books import book as write
from tests.support.commands import run
from tests.support.oracle import optimum
from tests.support.small_books import small_books
from tests.support.studied import Here

OPTIONS = Options(gap=0.0, time_limit=30.0, threads=1)


def book_of(tables: Mapping[str, Any]) -> Stockpile:
    """The stockpile of plain tables."""
    with TemporaryDirectory() as folder:
        return read(write(Path(folder) / "book", tables)).stockpile


KEPT = material(holding_cost=0.5)
AS_IT_IS = ("as it is",)


def four(*rows: Row, **changed: Any) -> Stockpile:
    """Four months in which 10 are used in each."""
    return book(*rows, demand(10, 0, 3), **{"periods": 4} | changed)


def evaluator(stockpile: Stockpile) -> CaseEvaluator:
    return StudyJob(stockpile, OPTIONS).evaluator()


def asked(stockpile: Stockpile, **about: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table of a stress test, each by the titles without their units."""
    runs = evaluator(stockpile)
    question = StressAsked(Study(study="s", kind="stress"), (), stockpile, 0.0, **about)
    tables = conduct(rounds(question), Runner("s", MemoryRecord(), "", lambda: Here(runs)))
    return {
        table.name: [
            {title.partition(" [")[0]: cell for title, cell in zip(table.header, row, strict=True)}
            for row in table.rows
        ]
        for table in tables
    }


def events(stockpile: Stockpile, **about: Any) -> dict[str, dict[str, Any]]:
    """The events of a stress test by what happens."""
    return {each["event"]: each for each in asked(stockpile, **about)["stress"]}


def figures(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an event costs more than the plan, the regret, its cost, and what it costs when known."""
    names = ("costs more than the plan", "regret", "cost", "cost if known from the start")
    return tuple(found[name] for name in names)


# --- Events by hand


def test_a_price_rises_after_the_first_months() -> None:
    """Of 40 at 10 the last 20 cost 12. Who knew it bought 30 in February: 20 and 10 in stock."""
    found = events(four(offer("spot", 10), KEPT))["price of spot 20 % higher"]
    assert figures(found) == pytest.approx((40, 25, 440, 415))
    assert found["known from"] == dt.date(2027, 3, 1)
    assert (found["regret at least"], found["regret at most"]) == pytest.approx((25, 25))


def test_a_price_falls_after_the_first_months() -> None:
    found = events(four(offer("spot", 10), KEPT))["price of spot 20 % lower"]
    assert figures(found) == pytest.approx((-40, 0, 360, 360))


def test_an_index_moves_and_with_it_all_that_is_priced_by_it() -> None:
    rows = (offer("spot", None, price_index="market"), *prices(10), KEPT)
    found = events(four(*rows))
    assert figures(found["market 20 % higher"]) == pytest.approx((40, 25, 440, 415))
    assert "price of spot 20 % higher" not in found


def test_the_breaks_of_an_offer_move_with_its_price() -> None:
    """20 in January and in March at 8, and 10 in stock in January: 80 + 80 a pair, and 5 to keep."""
    rows = (offer("spot", 10), price_break(20, 8), KEPT)
    found = events(four(*rows))["price of spot 20 % higher"]
    assert found["changes"] == "offers[spot].price scale 1.2; price_breaks[spot].price scale 1.2"
    assert found["costs more than the plan"] == pytest.approx(20 * 1.6)


def test_a_supplier_is_gone_with_what_was_ordered_and_has_not_arrived() -> None:
    """The offer takes a month: what is ordered in February for March is lost, and is not paid."""
    rows = (
        supplier("a"),
        supplier("b"),
        offer("slow", 10, supplier="a", lead_time_months=1),
        offer("dear", 30, supplier="b"),
        KEPT,
    )
    found = events(four(*rows))
    plan = 300 + 3 * 100
    assert found["a gone"]["cost"] == pytest.approx(300 + 100 + 300 + 300)
    assert found["a gone"]["costs more than the plan"] == pytest.approx(1000 - plan)
    known = 300 + 300 + 2 * 5 + 5  # 30 are ordered in January, and kept
    assert found["a gone"]["cost if known from the start"] == pytest.approx(known)
    assert found["b gone"]["costs more than the plan"] == pytest.approx(0)


def test_a_plant_is_late() -> None:
    """It ships in March at 5: late by half a year it does not ship within the horizon."""
    rows = (
        supplier("plant"),
        supplier("new", stage="building", start=dt.date(2027, 3, 1)),
        offer("spot", 10),
        offer("cheap", 5, supplier="new"),
        KEPT,
    )
    found = events(four(*rows))["new late by 6 months"]
    assert figures(found) == pytest.approx((100, 0, 400, 400))
    assert found["changes"] == "suppliers[new].start add 6"
    assert "plant late by 6 months" not in events(four(*rows))


def test_a_plant_that_is_due_in_the_held_months_is_known_to_be_late_when_it_is_due() -> None:
    """It is due in February: what the plan orders from it then is decided again."""
    rows = (
        supplier("plant"),
        supplier("new", stage="building", start=dt.date(2027, 2, 1)),
        offer("spot", 10),
        offer("cheap", 5, supplier="new"),
        KEPT,
    )
    found = events(four(*rows))["new late by 6 months"]
    assert found["known from"] == dt.date(2027, 2, 1)
    assert figures(found) == pytest.approx((150, 0, 400, 400))


def test_a_plant_without_a_date_is_late_from_the_start() -> None:
    rows = (
        supplier("plant"),
        supplier("new", stage="announced"),
        offer("spot", 10),
        offer("cheap", 5, supplier="new"),
    )
    found = events(four(*rows))["new late by 12 months"]
    assert found["changes"] == "suppliers[new].start set 2028-01-01"
    assert figures(found) == pytest.approx((200, 0, 400, 400))


def test_a_project_is_late_too() -> None:
    """Granted in January it is ready in March; half a year later it brings nothing."""
    rows = (
        supplier("plant"),
        supplier("new", stage="announced", start=dt.date(2027, 1, 1)),
        project("works", supplier="new", cost=10, ready_lag_months=2),
        offer("spot", 10),
        offer("cheap", 5, supplier="new", project="works"),
    )
    found = events(four(*rows))["new late by 6 months"]
    assert found["changes"] == (
        "suppliers[new].start add 6; projects[works].ready_lag_months add 6"
    )
    # What was granted in January is lost: who knew it granted nothing.
    assert figures(found) == pytest.approx((410 - 310, 10, 410, 400))


def test_an_appropriation_is_cut() -> None:
    """Of 400 a fifth goes: 8 are short at 50 each. In March and April 120 are left to spend."""
    rows = (offer("spot", 10), material(shortage_cost=50, holding_cost=0.5), fund(), budget(400))
    found = events(four(*rows))["appropriation nds 2027-01 cut by a fifth"]
    assert figures(found) == pytest.approx((320, 0, 720, 720))
    assert (found["shortfall"], found["more shortfall than the plan"]) == pytest.approx((8, 8))


def test_a_life_is_a_quarter_shorter() -> None:
    """50 to order, for each order: one of 40 in January; at a life of 3 months 10 of it are lost."""
    rows = (offer("spot", 10, order_cost=50), material(shelf_life_months=4))
    found = events(four(*rows))["life of ga 3 months instead of 4"]
    assert figures(found) == pytest.approx((150, 100, 600, 500))


def test_what_is_impossible_is_said_with_its_cell() -> None:
    rows = (offer("spot", 10), KEPT, fund(), budget(400))
    row = events(four(*rows))["appropriation nds 2027-01 cut by a fifth"]
    assert (row["cost"], row["regret"]) == (None, None)
    said = row["what is impossible"]
    assert said.startswith("no plan keeps every limit: demand.quantity: demand for ga (10), 2027-0")
    assert said.endswith("short by 8 kg. Known from the start there is none either")


def test_an_event_that_only_the_first_decisions_make_impossible_says_so() -> None:
    """Gone in March, the plant could have filled the stock in February."""
    found = events(four(offer("spot", 10), KEPT))["plant gone"]
    assert found["what is impossible"].endswith("Known from the start there is a plan")
    assert found["cost if known from the start"] == pytest.approx(415)
    assert found["regret"] is None


def test_without_a_plan_there_is_no_stress_test() -> None:
    (row,) = asked(four(offer("spot", 10, capacity=1))).values()
    assert row == []


def test_shortfall_comes_first_where_the_workbook_says_so() -> None:
    """With one shortfall costs compare; with another there is no regret in money."""
    rows = (offer("spot", 10), material(shortage_cost=1, holding_cost=0.5), fund(), budget(400))
    found = events(four(*rows, objective="shortfall_first"))
    cut = found["appropriation nds 2027-01 cut by a fifth"]
    assert (cut["rank"], cut["costs more than the plan"]) == (2, None)
    assert cut["shortfall"] == pytest.approx(8)
    assert found["plant gone"]["shortfall"] == pytest.approx(20)
    higher = found["price of spot 20 % higher"]
    assert higher["shortfall"] == pytest.approx(20 - 200 / 12)


# --- Which cells


def test_the_columns_that_an_event_changes() -> None:
    flagged = {
        (kind.TABLE, column.name): column.stress
        for kind in block_tables()
        for column in columns(kind)
        if column.stress
    }
    assert flagged == {
        ("materials", "shelf_life_months"): "shorter",
        ("suppliers", "start"): "late",
        ("projects", "ready_lag_months"): "late",
        ("offers", "price"): "price",
        ("price_breaks", "price"): "price",
        ("outlets", "price"): "price",
        ("budgets", "amount"): "cut",
    }


def test_what_no_event_changes_is_listed_with_the_reason() -> None:
    rows = (
        supplier("plant"),
        supplier("idle"),
        supplier("far", stage="announced", start=dt.date(2030, 1, 1)),
        offer("spot", 10),
        offer("later", 1, supplier="far"),
        *prices(10),
        fund(),
        budget(100, expires=1),
        budget(9000),
        material(shelf_life_months=1),
    )
    left = {each.cell: each.why for each in StressEvents(four(*rows), 2).left_out}
    assert set(left.values()) == {
        "far ships only after the horizon",
        "no metal comes from idle",
        "nothing has the price of market",
        "nds 2027-01 has lapsed by then, or is nothing",
        "three quarters of the life of ga are less than a period",
    }


def test_a_delay_that_is_no_whole_number_of_periods_is_left_out() -> None:
    rows = (
        supplier("plant"),
        supplier("new", stage="building"),
        offer("spot", 10),
        offer("cheap", 5, supplier="new"),
    )
    found = StressEvents(book(*rows, demand(10, 0, 3), periods=4, period_months=12), 1)
    assert [each.what for each in found.events if "late" in each.what] == ["new late by 12 months"]
    assert [each.why for each in found.left_out] == [
        "6 months are no whole number of periods: new cannot be so late"
    ]


@pytest.mark.parametrize(
    ("periods", "months", "held"), [(60, 1, 12), (12, 1, 6), (4, 1, 2), (20, 3, 4), (4, 12, 1)]
)
def test_the_first_twelve_months_are_held_or_half_of_a_short_horizon(
    periods: int, months: int, held: int
) -> None:
    assert held_periods(book(periods=periods, period_months=months), None) == held


@pytest.mark.parametrize("hold", [0.5, 4, 5, 0])
def test_months_that_cannot_be_held_are_refused(hold: float) -> None:
    with pytest.raises(InputError, match=r"hold: must be a whole number of periods of 1 month"):
        held_periods(four(), hold)


def test_a_horizon_of_one_period_is_refused() -> None:
    with pytest.raises(InputError, match=r"settings\.periods: a horizon of one period leaves"):
        held_periods(book(periods=1), None)


# --- Scenarios

WAR = (scenario(probability=0.5), event("offers.price", "scale", 2, 3, row="spot"))


def test_the_base_path_is_stressed_unless_all_scenarios_are_asked_for() -> None:
    """In war April costs 20 a unit: known in April, it is bought in March in any case."""
    rows = (offer("spot", 10), KEPT, *WAR)
    alone, all_of_them = events(four(*rows)), events(four(*rows), scenarios=True)
    assert alone["price of spot 20 % higher"]["cost"] == pytest.approx(440)
    # 20 bought in March at 12, and 10 of them kept for a month.
    assert all_of_them["price of spot 20 % higher"]["cost"] == pytest.approx(445)


@pytest.mark.parametrize("known", [1, 2, 3])
def test_no_event_at_all_leaves_the_scenarios_as_they_are(known: int) -> None:
    late = (
        scenario("flood", 0.25, follows="war", known=3),
        event("demand.quantity", "scale", 3, 3, name="flood"),
    )
    war = scenario(probability=0.5, known=known), event("offers.price", "scale", 2, 1, row="spot")
    stockpile = four(offer("spot", 10), KEPT, *war, *late)
    shock = Shock(stockpile.calendar.begin(2), (), everywhere=True)
    changed = struck(stockpile, shock)
    assert [each for each in check(changed) if not each.warning] == []
    assert least_cost(replace(changed, classes={})) == pytest.approx(least_cost(stockpile))


def test_an_event_holds_in_every_scenario() -> None:
    """War, known in February, doubles the price from then on; the event adds a fifth from March."""
    war = scenario(probability=0.5, known=1), event("offers.price", "scale", 2, 1, row="spot")
    stockpile = four(offer("spot", 10, capacity=10), KEPT, *war)
    found = events(stockpile, scenarios=True)["price of spot 20 % higher"]
    assert found["cost"] == pytest.approx(0.5 * (200 + 240) + 0.5 * (100 + 200 + 480))


# --- What is held, against the oracle


def oracle_book(**changed: Any) -> dict[str, Any]:
    """Orders with a cost and a minimum, an index that falls: ordering ahead pays."""
    day = lambda t: dt.date(2027, t, 1)  # noqa: E731
    return {
        "settings": {"start": day(1), "periods": 4, "currency": "USD"},
        "materials": [{"material": "ga", "holding_cost": 1}],
        "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
        "prices": [{"date": day(1), "market": 10}, {"date": day(4), "market": 16}],
        "offers": [
            {"offer": "spot", "supplier": "a", "material": "ga", "price_index": "market", "order_cost": 15},
            {"offer": "bulk", "supplier": "b", "material": "ga", "price": 9, "minimum_order": 8, "capacity": 12},
        ],
        "demand": [{"material": "ga", "from": day(1), "to": day(4), "quantity": 7}],
        **changed,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    ["prices[*].market scale 1.2", "prices[*].market scale 0.8", "offers[bulk].availability set 0"],
)
def test_a_plan_with_held_orders_costs_what_the_oracle_says_of_them(change: str) -> None:
    """The same orders as commitments, the same event as a scenario that is certain."""
    stockpile = book_of(oracle_book())
    runs, since = evaluator(stockpile), dt.date(2027, 3, 1)
    plan, _ = runs.run(Case(view=AS_IT_IS, shock=Shock(since), decides=2))
    assert plan.objective == pytest.approx(float(optimum(oracle_book()).objective))
    text = str(plan.figures[DECISIONS])
    shock = Shock(since, (parse(change),))
    held, _ = runs.run(Case(view=AS_IT_IS, shock=shock, held=HeldDecisions(2, text)))
    ordered = {
        (i[0], t): round(value, 6) for name, i, t, _, value in json.loads(text) if name == "buy"
    }
    commitments = [
        {"kind": "order", "name": name, "date": dt.date(2027, 1 + t, 1), "quantity": ordered.get((name, t), 0)}
        for name in ("spot", "bulk")
        for t in (0, 1)
    ]  # fmt: skip
    made = parse(change)
    told = {
        "scenario": "s",
        "table": made.table,
        "column": made.column,
        "from": since,
        "how": made.how,
        "value": made.value,
    }
    if made.row != "*":
        told["row"] = made.row
    tables = oracle_book(
        commitments=commitments,
        scenarios=[{"scenario": "s", "probability": 1, "revealed": since}],
        events=[told],
    )
    assert held.objective == pytest.approx(float(optimum(tables).objective))
    known, _ = runs.run(Case(view=AS_IT_IS, shock=shock))
    del tables["commitments"]
    assert known.objective == pytest.approx(float(optimum(tables).objective))


@settings(max_examples=6)
@given(small_books())
def test_holding_costs_nothing_while_nothing_happens_and_never_pays(tables: dict[str, Any]) -> None:
    """On random workbooks: with no event the held plan is the plan; with one it costs no less than
    a plan that knew it.
    """
    stockpile = book_of(tables)
    if stockpile.settings.periods < 2:
        return
    until = held_periods(stockpile, None)
    runs, since = evaluator(stockpile), stockpile.calendar.begin(until)
    plan, _ = runs.run(Case(view=AS_IT_IS, shock=Shock(since), decides=until))
    if not plan.planned or plan.objective is None:
        return
    text = str(plan.figures[DECISIONS])
    same, _ = runs.run(Case(view=AS_IT_IS, shock=Shock(since), held=HeldDecisions(until, text)))
    near = 1e-6 * max(1.0, abs(plan.objective))
    assert same.objective == pytest.approx(plan.objective, abs=near)
    for each in StressEvents(stockpile, until).events[::5]:
        held = HeldDecisions(each.until, text) if each.until else None
        one, _ = runs.run(Case(view=AS_IT_IS, shock=each.shock, held=held))
        other, _ = runs.run(Case(view=AS_IT_IS, shock=each.shock))
        assert "failed" not in (one.status, other.status), (one.message, other.message)
        if one.objective is not None:
            assert other.objective is not None
            assert one.objective >= other.objective - near


# --- The rule of thumb


def by_thumb(stockpile: Stockpile) -> CaseResult:
    shock = Shock(stockpile.calendar.begin(stockpile.settings.periods // 2))
    found, _ = evaluator(stockpile).run(Case(view=(BY_THUMB,), shock=shock))
    return found


def test_the_rule_of_thumb_buys_evenly_and_the_cheapest_first() -> None:
    """40 are asked for in April: 10 a month at 4, 5, 6 and 7; the plan buys all at 4."""
    rows = (
        supplier("plant"),
        offer("rising", None, price_index="market"),
        offer("dear", 9),
        *prices(4, 5, 6, 7),
        target(40, 3, hard=True),
    )
    stockpile = book(*rows, periods=4)
    found = by_thumb(stockpile)
    assert (found.objective, found.number(MOVED)) == pytest.approx((220, 0))
    saved = asked(stockpile)["rule of thumb"][0]
    assert (saved["plan"], saved["rule of thumb"], saved["saved by the plan"]) == pytest.approx(
        (160, 220, 60)
    )


def test_the_rule_of_thumb_takes_the_next_source_where_a_limit_stops_the_first() -> None:
    """The cheap offer is capped by the money of its fund, which the rule does not see."""
    rows = (
        offer("cheap", 4, capacity=6),
        offer("dear", 9),
        demand(10, 0, 1),
    )
    found = by_thumb(book(*rows))
    assert found.objective == pytest.approx(2 * (24 + 36))


def test_the_rule_of_thumb_gives_way_to_a_limit_by_the_least() -> None:
    """Policy allows 5 of the cheap metal: 5 of the 20 that the rule asks for stay."""
    rows = (
        supplier("plant"),
        supplier("other"),
        offer("cheap", 4),
        offer("dear", 9, supplier="other"),
        demand(10, 0, 1),
        rule("supplier", "plant", measure="quantity", window="horizon", most=5.0),
    )
    found = by_thumb(book(*rows))
    assert (found.objective, found.number(MOVED)) == pytest.approx((5 * 4 + 15 * 9, 0.75))


def test_the_rule_of_thumb_serves_demand_before_targets() -> None:
    """10 come each month: they are handed out, though 1 a unit is all that a shortage costs."""
    rows = (offer("spot", 10, capacity=10), material(shortage_cost=1), target(20, 0))
    found = by_thumb(four(*rows))
    assert found.figures["cost shortage"] == 0
    assert found.number("shortfall") == pytest.approx(4 * 20)


def test_the_rule_of_thumb_signs_the_lowest_floor() -> None:
    """120 a year at 8, against 12 on the spot: it is signed at 8, not at 10 for twice as much."""
    rows = (
        offer("spot", 12),
        contract(term_months=None),
        floor(8, 120, "low"),
        floor(10, 240, "high"),
        demand(20, 0, 3),
    )
    found = by_thumb(book(*rows, periods=4))
    assert found.figures["floor signed offtake"] == 8
    assert found.objective == pytest.approx(4 * (80 + 120))


@settings(max_examples=5)
@given(small_books())
def test_the_rule_of_thumb_never_beats_the_plan(tables: dict[str, Any]) -> None:
    stockpile = book_of(tables)
    shock = Shock(stockpile.settings.start)
    runs = evaluator(stockpile)
    plan, _ = runs.run(Case(view=AS_IT_IS, shock=shock))
    thumb, _ = runs.run(Case(view=(BY_THUMB,), shock=shock))
    assert thumb.status != "failed", thumb.message
    if thumb.objective is not None and stockpile.settings.objective == "cost":
        assert plan.bound is not None
        assert thumb.objective >= plan.bound - 1e-6 * max(1.0, abs(plan.bound))


# --- Files


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[so.StressResult, dict[str, Any]]:
    """A stress test of two offers, and where it is written."""
    folder = tmp_path_factory.mktemp("stress")
    where: dict[str, Any] = {"output": folder / "s.xlsx", "record": folder / "s.sqlite"}
    return so.stress(Path("inputs/small.xlsx"), changes=CERTAIN, hold=2, **where), where


CERTAIN = ("offers[spot].order_cost = 0",)


def test_it_goes_on_from_the_record(first: tuple[so.StressResult, dict[str, Any]]) -> None:
    found, where = first
    again = so.stress(Path("inputs/small.xlsx"), changes=CERTAIN, hold=2, **where)
    assert (found.kept, again.kept) == (0, len(again.runs))
    assert found["stress"].equals(again["stress"])


def test_its_workbook_links_to_the_cells(
    first: tuple[so.StressResult, dict[str, Any]],
) -> None:
    found, where = first
    sheet = openpyxl.load_workbook(where["output"])["1 stress"]
    links = [each.hyperlink for row in sheet.iter_rows() for each in row if each.hyperlink]
    assert len(links) == len(found["stress"])
    assert links[0].location == "'budgets'!C2"
    assert links[0].target.replace("\\", "/").endswith("small.xlsx")


def test_its_object(first: tuple[so.StressResult, dict[str, Any]]) -> None:
    found: Any = first[0].as_object()
    keys = [
        "status",
        "summary",
        "events",
        "rule_of_thumb",
        "left_out",
        "failed",
        "interrupted",
        "seconds",
    ]
    assert [*found] == keys
    gravest, next_ = found["events"][:2]
    assert gravest["what_is_impossible"].startswith(
        "no plan keeps every limit: targets!C2: target for metal (20), 2030-04"
    )
    assert next_["known_from"] == "2030-01-01"
    assert found["rule_of_thumb"][0]["figure"] == "objective"
    assert json.loads(json.dumps(found)) == found


def test_the_command_prints_the_gravest_events_and_what_is_impossible(
    first: tuple[so.StressResult, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(so, "stress", lambda *_, **__: first[0])
    ran = run(capsys, "stress", "inputs/small.xlsx")
    assert (ran.status, ran.err) == (0, "")
    assert "What it decides in its first 2 months (2030-01 to 2030-02) is held" in ran.out
    assert (
        "1 appropriation treasury 2030-01 cut by a fifth: no plan keeps every limit: targets!C2: target for"
        in ran.out
    )
    assert " more (proven)." in ran.out  # not twice the figure, as its range
    assert "To have known of one of them from the start would save nothing." in ran.out
    assert not re.search(r"\d\.\d{7}", ran.out)  # what is short has no noise
    assert re.search(r"short by \d\.\d{3,5} kg", ran.out)
    monkeypatch.setenv("COLUMNS", "60")
    assert "…" not in run(capsys, "stress", "inputs/small.xlsx").out
    as_json = run(capsys, "stress", "inputs/small.xlsx", "--json")
    assert json.loads(as_json.out)["status"] == "optimal"


def test_the_command_refuses_months_that_cannot_be_held(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ran = run(capsys, "stress", "inputs/small.xlsx", "-o", str(tmp_path / "s.xlsx"), "--hold", "4")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("hold: must be a whole number of periods of 1 month, at least one")
    assert not (tmp_path / "s.xlsx").exists()


def test_the_command_says_that_there_is_no_plan(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = so.stress(Path("inputs/small.xlsx"), changes=["demand[*].quantity scale 9"])
    assert (found.status, len(found.tables[0].rows)) == ("infeasible", 0)
    assert found.answers[0].startswith("There is no plan to be put under stress: no plan keeps")
    monkeypatch.setattr(so, "stress", lambda *_, **__: found)
    assert run(capsys, "stress", "inputs/small.xlsx").status == 3


def test_a_held_value_above_its_bound_by_a_rounding_is_held_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    formulation = build(book(offer(capacity=25), demand(25)))
    decisions = json.dumps([["buy", ["spot"], 0, "base", 25.00000000001]])
    pyomo = logging.getLogger("pyomo")  # it hands nothing on
    pyomo.addHandler(caplog.handler)
    assert hold(formulation, HeldDecisions(1, decisions)) == []
    pyomo.removeHandler(caplog.handler)
    assert formulation.m.buy["spot", 0].value == pytest.approx(25)
    assert not caplog.records


def test_a_whole_decision_that_cannot_be_held_is_said_in_any_unit() -> None:
    """Of 5e10 what is up to 50 is none; a signature is one all the same."""
    formulation = build(book(offer(), demand(5e10)))
    decisions = json.dumps(
        [["place", ["gone"], 0, "base", 1.0], ["buy", ["gone"], 0, "base", 25.0]]
    )
    assert hold(formulation, HeldDecisions(1, decisions)) == ["place gone in 2027-01"]
