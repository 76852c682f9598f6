"""Plans near one that was announced: what stays, what changes, at which cost, and why."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan_changes import CHEAPEST, KEPT, LEAST_CHANGES, MOVED, PlanChange
from optimiser.solving.staying import StayingSearch
from stockpile_model.block import announceable
from stockpile_model.nearness import DeedKey, value_of
from stockpile_model.scenarios import unfold
from tests.support.books import book as workbook
from tests.support.commands import run
from tests.support.plans import SHARED

BOOK: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0},
    "materials": [{"material": "ga", "shortage_cost": 1000, "holding_cost": 1}],
    "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
    "offers": [
        {"offer": "left", "supplier": "a", "material": "ga", "price": 10, "lot_size": 5,
         "capacity": 50},
        {"offer": "right", "supplier": "b", "material": "ga", "price": 10.02, "lot_size": 5},
    ],
    "demand": [{"material": "ga", "from": "2027-02-01", "to": "2027-04-01", "quantity": 10}],
}  # fmt: skip
"""30 kg in three orders from `left`, which is cheaper by 0.02."""
RUSH: dict[str, Any] = {
    "scenarios": [{"scenario": "rush", "probability": 0.4, "revealed": "2027-03-01"}],
    "events": [
        {"scenario": "rush", "table": "demand", "row": "ga", "column": "quantity",
         "from": "2027-03-01", "how": "scale", "value": 2},
    ],
}  # fmt: skip
FLIPS = "offers[left].price = 10.03"  # 0.01 a unit dearer than `right`: 0.30 of 300.60


@pytest.fixture(scope="module")
def book() -> so.Book:
    return so.from_tables(BOOK)


@pytest.fixture(scope="module")
def announced(book: so.Book) -> so.Plan:
    return planned(book)


def planned(book: so.Book, **options: Any) -> so.Plan:
    plan = so.solve(book, **{"gap": 0.0, **options}).plan
    assert plan is not None
    return plan


def sources(plan: so.Plan) -> dict[str, float]:
    found: dict[str, float] = plan["orders"].groupby("offer")["ordered"].sum().to_dict()
    return found


def changed(plan: so.Plan) -> list[PlanChange]:
    return [each for each in plan.of(PlanChange) if each.changed]


# --- What stays -----------------------------------------------------------------------------------


def test_within_the_gap_the_announced_plan_stays(book: so.Book, announced: so.Plan) -> None:
    """`right` is cheaper by 0.1 %: without --near the plan flips, with it and a gap of 1 % not."""
    now = book.change(FLIPS)
    assert sources(planned(now, gap=0.01)) in ({"right": 30}, {"left": 30})
    assert sources(planned(now)) == {"right": 30}
    near = planned(now, gap=0.01, near=announced)
    assert sources(near) == {"left": 30}
    assert changed(near) == []
    assert near.status == "optimal"
    assert near.gap is not None
    assert 0 <= near.gap <= 0.01
    assert {each.reason for each in near.of(PlanChange)} == {"as announced"}
    assert "3 of 3 decisions are unchanged." in near.verdict


def test_without_a_gap_staying_near_costs_nothing(book: so.Book, announced: so.Plan) -> None:
    """The plan changes as far as it must, and the sheet says so to the kilogram."""
    now = book.change(FLIPS)
    near = planned(now, near=announced)
    assert near.objective == pytest.approx(planned(now).objective)
    assert near.bound == pytest.approx(near.objective)
    rows = {(each.name, each.date.month): each for each in near.of(PlanChange)}
    assert set(rows) == {(name, month) for name in ("left", "right") for month in (2, 3, 4)}
    left, right = rows["left", 2], rows["right", 2]
    assert (left.announced, left.now, left.difference, left.change) == (10, 0, -10, "dropped")
    assert (right.announced, right.now, right.difference, right.change) == (0, 10, 10, "new")
    assert (left.unit_value, left.value) == pytest.approx((10.03, 100.3))
    assert near.run[LEAST_CHANGES] == pytest.approx(3 * (100.3 + 100.2))
    assert "Proven: no plan within the gap changes less." in near.verdict
    assert "Staying near costs nothing" in near.verdict


def test_of_equally_cheap_plans_the_one_that_changes_least_is_taken(announced: so.Plan) -> None:
    """At one price either supplier would do, month by month: all stays where it was."""
    same = so.from_tables(BOOK).change("offers[right].price = 10")
    near = planned(same, near=announced)
    assert (sources(near), changed(near)) == ({"left": 30}, [])


def test_what_must_change_is_all_that_changes(book: so.Book, announced: so.Plan) -> None:
    """`left` can bring 5 a month: the other 5 come from `right`, and 5 of each month stay."""
    near = planned(book.change("offers[left].capacity = 5"), near=announced)
    left = [each for each in near.of(PlanChange) if each.name == "left" and each.announced]
    assert [(each.now, each.change) for each in left] == [(5, "less")] * 3
    first = left[0]
    assert (first.cell, first.before, first.after) == ("offers!F2", "50", "5")
    assert first.reason.startswith("capacity of left is now 5, was 50 (offers!F2)")
    assert first.keeping is None
    assert first.reason.endswith("; no plan with the other whole decisions keeps it")


def test_what_there_was_no_time_to_ask_says_so(
    book: so.Book, announced: so.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first program keeps needs no time: `right` is not needed for 10 from `left`."""
    monkeypatch.setattr(StayingSearch, "_until", lambda *_: 0.0)
    near = planned(book.change("offers[left].price = 20"), near=announced)
    by = {each.name: each for each in changed(near)}
    assert by["left"].keeping is None
    assert by["left"].reason.endswith("; what keeping it would cost was not asked: time")


def test_an_order_is_kept_with_the_contracts_that_the_plan_signs(shared: so.Plan) -> None:
    """Their signatures are decisions of their own: of the integers only those of what changes give."""
    seen: list[set[str]] = []
    keeping = StayingSearch.keeping

    def watched(self: StayingSearch, plan: Any, freed: Any, *rest: Any) -> Any:
        seen.append({self.form.labels[j][0] for j in freed})
        return keeping(self, plan, freed, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StayingSearch, "keeping", watched)
        now = so.from_tables(SHARED).change("demand[*].quantity scale 1.2")
        near = planned(now, near=shared)
    assert "sign" not in {each.what for each in changed(near)}
    assert all("sign" not in each for each in seen)


def test_a_price_that_doubles_is_the_reason(book: so.Book, announced: so.Plan) -> None:
    near = planned(book.change("offers[left].price = 20"), near=announced)
    assert sources(near) == {"right": 30}
    by = {each.name: each for each in changed(near)}
    assert "price of left is now 20, was 10 (offers!D2)" in by["left"].reason
    assert by["left"].keeping == pytest.approx(10 * (20 - 10.02))
    assert by["right"].reason.startswith("none of its own cells changed, but price of left")
    assert {each.cell for each in changed(near)} == {"offers!D2"}


def test_what_is_not_possible_any_more_says_so(
    book: so.Book, announced: so.Plan, moved: so.Plan
) -> None:
    for change, said in (
        ("offers[left].from = 2027-03-01", "no longer possible: left cannot be done in 2027-02"),
        ("offers[left].lead_time_months = 12", "no longer possible: left cannot be done"),
    ):
        near = planned(book.change(change), near=announced)
        gone = next(each for each in near.of(PlanChange) if each.name == "left")
        assert gone.change == "dropped"
        assert gone.reason.startswith(said)
    without = {**BOOK, "offers": BOOK["offers"][1:]}
    near = planned(so.from_tables(without), near=moved)
    gone = next(each for each in near.of(PlanChange) if each.name == "left")
    assert gone.reason.startswith("no longer possible: the workbook has no left (sheet offers)")
    assert (gone.announced, gone.unit_value, gone.value) == (5, 10, 50)


# --- What a change costs --------------------------------------------------------------------------


def test_changes_that_cost_nothing_leave_the_plan_as_it_is(
    book: so.Book, announced: so.Plan
) -> None:
    now = book.change(FLIPS)
    near = planned(now, near=announced, change_cost=0)
    assert near.objective == pytest.approx(planned(now).objective)
    assert sources(near) == {"right": 30}


def test_the_dearer_changes_are_the_fewer_and_the_dearer_the_plan(
    book: so.Book, announced: so.Plan
) -> None:
    """Cost rises and changes fall with their price; all of it above the bound, which stays."""
    now = book.change(FLIPS, "offers[left].capacity = 10", "demand[*].quantity = 15")
    plans = [planned(now, near=announced, change_cost=price) for price in (0, 1e-5, 0.01, 100)]
    costs = [plan.objective for plan in plans]
    moved = [sum(each.value for each in plan.of(PlanChange)) for plan in plans]
    assert costs == sorted(costs)
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > moved[-1]
    bound = plans[0].bound
    assert bound is not None
    assert [plan.bound for plan in plans] == pytest.approx([bound] * 4)
    assert all(plan.objective >= bound - 1e-6 for plan in plans)


def test_what_a_price_keeps_is_no_cost_of_the_plan_and_its_gap_is_shown(
    book: so.Book, announced: so.Plan
) -> None:
    """10.03 a unit instead of 10.02: 0.30 above the bound, and it says why."""
    near = planned(book.change(FLIPS), near=announced, change_cost=0.05)
    assert sources(near) == {"left": 30}
    assert near.objective == pytest.approx(300.9)
    assert sum(near.costs.values()) == pytest.approx(300.9)
    assert near.bound == pytest.approx(300.6)
    assert near.status == "feasible"
    assert near.gap == pytest.approx(0.3 / 300.9)
    assert near.run[CHEAPEST] == pytest.approx(300.6)
    assert near.run[MOVED] == pytest.approx(3 * (100.3 + 100.2))
    assert "The search stopped" not in near.verdict
    assert "that price takes it beyond the gap that was asked for." in near.verdict
    assert "at most 0.30 USD, 0.30 USD more than the cheapest plan found." in near.verdict


# --- Time and scenarios ---------------------------------------------------------------------------


def test_when_time_passes_and_nothing_happens_nothing_changes(
    book: so.Book, announced: so.Plan
) -> None:
    later = so.roll(announced, dt.date(2027, 3, 1))
    near = planned(later, near=announced)
    assert changed(near) == []
    assert {each.date for each in near.of(PlanChange)} == {dt.date(2027, 3, 1), dt.date(2027, 4, 1)}


def test_each_scenario_stays_near_its_own(book: so.Book) -> None:
    """From March on more is needed in `rush`: each path is compared with the announced one."""
    parted = so.from_tables({**BOOK, **RUSH})
    announced = planned(parted)
    assert changed(planned(parted, near=announced)) == []
    less = planned(parted.change("offers[left].capacity = 15"), near=announced)
    rows = changed(less)
    assert {each.scenarios for each in rows} == {"rush"}
    assert {(each.name, each.announced, each.now) for each in rows} == {
        ("left", 20, 15),
        ("right", 0, 5),
    }
    assert [each.probability for each in rows] == pytest.approx([0.4] * len(rows))
    alone = planned(book, near=announced)  # the base of the announced plan, where nothing parts
    assert changed(alone) == []


def test_the_base_of_a_rolled_workbook_is_the_scenario_that_has_come() -> None:
    """The rush has come: what was announced for it stays, in the file of the next month too."""
    rush = {**RUSH, "scenarios": [RUSH["scenarios"][0] | {"revealed": "2027-02-01"}]}
    announced = planned(so.from_tables({**BOOK, **rush}))
    early = so.roll(announced, dt.date(2027, 2, 1), scenario="rush")  # which nobody knows yet
    assert early.stockpile.settings.realised_scenario is None
    assert changed(planned(early, near=announced)) == []
    later = so.roll(announced, dt.date(2027, 3, 1), scenario="rush")
    assert "scenarios" not in later.tables
    near = planned(later, near=announced)
    assert changed(near) == []
    assert {(each.date.month, each.announced) for each in near.of(PlanChange)} == {(3, 20), (4, 20)}
    last = so.roll(near, dt.date(2027, 4, 1))
    assert changed(planned(last, near=announced)) == []
    again = planned(last, near=near)  # to which the rush is its base already
    assert [(each.announced, each.change) for each in again.of(PlanChange)] == [(20, KEPT)]


@pytest.mark.parametrize(
    "changes",
    [
        ("settings.firm_periods = 2", "settings.order_step = 2.5"),
        ("settings.objective = shortfall_first", "demand[*].quantity = 60"),
        ("settings.risk_weight = 1", "settings.risk_tail = 0.5"),
    ],
    ids=["relaxed", "shortfall first", "risk"],
)
def test_all_that_can_be_minimised_stays_near(changes: tuple[str, ...]) -> None:
    """`left` is as dear as `right` now: what was announced stays, whatever is minimised."""
    parted = so.from_tables({**BOOK, **RUSH})
    announced = planned(parted.change(*changes))
    now = parted.change(*changes, "offers[right].price = 10")
    near, cheap = planned(now, near=announced), planned(now)
    assert changed(near) == []
    assert near.objective == pytest.approx(cheap.objective)
    assert near.shortfall == pytest.approx(cheap.shortfall)
    assert near.expected_cost == pytest.approx(cheap.expected_cost)


# --- Every kind of decision -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> so.Plan:
    return planned(so.from_tables(SHARED))


def test_all_kinds_of_decisions_are_compared(shared: so.Plan) -> None:
    near = planned(so.from_tables(SHARED), near=shared)
    rows = near.of(PlanChange)
    assert {each.what for each in rows} >= {"order", "sign"}
    assert changed(near) == []
    ordered = sum(each.now for each in rows if each.what == "order")
    assert ordered == pytest.approx(near["orders"]["ordered"].sum())


def test_the_plan_costs_no_more_than_the_one_that_is_only_cheap(shared: so.Plan) -> None:
    """Over a book with contracts, a project, funds and outlets of which cells change."""
    now = so.from_tables(SHARED).change("offers[*].price scale 1.3", "demand[*].quantity scale 1.2")
    near = planned(now, near=shared)
    assert near.objective <= float(str(near.run[CHEAPEST])) * (1 + 1e-6)
    assert near.status == "optimal"
    assert changed(near)
    moved = sum(each.probability * each.value for each in near.of(PlanChange))
    assert moved <= float(str(near.run[MOVED])) * (1 + 1e-6)


CALLS: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0},
    "materials": [{"material": "ga", "shortage_cost": 1000, "holding_cost": 1}],
    "suppliers": [{"supplier": "a"}],
    "contracts": [{"contract": "k", "supplier": "a", "material": "ga", "take_or_pay": 0.25, "flex": 2,
                   "availability": 0.8, "duty": 0.1, "freight": 1, "sign_to": "2027-01-31"}],
    "floors": [{"contract": "k", "level": "low", "floor": 10, "annual_quantity": 120}],
    "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-04-01", "quantity": 12}],
}  # fmt: skip
"""Of up to 20 a month what is needed is called off: 15, of which 12 arrive."""


@pytest.mark.parametrize("terms", [{}, {"call_off_cost": 1}, {"call_off_lot": 5, "flex": 1.5}])
def test_what_is_called_off_is_compared_where_its_size_is_free(terms: dict[str, Any]) -> None:
    """At what it costs landed: 10 with 10 % duty and 1 freight."""
    book = so.from_tables({**CALLS, "contracts": [CALLS["contracts"][0] | terms]})
    announced = planned(book)
    rows = [
        each for each in planned(book, near=announced).of(PlanChange) if each.what == "call_off"
    ]
    assert [(each.date.month, each.now) for each in rows] == [(t, 15) for t in (1, 2, 3, 4)]
    assert rows[0].unit_value == pytest.approx(12)
    fewer = planned(book.change("demand[*].quantity = 8"), near=announced)
    found = {(each.announced, each.now, each.change) for each in changed(fewer)}
    assert found == {(15, 10, "less")}
    # A unit that is not called off saves 12: at 13.2 for the change it is called off all the same.
    priced = planned(book.change("demand[*].quantity = 8"), near=announced, change_cost=1.1)
    assert changed(priced) == []


def test_what_is_called_off_while_nothing_is_available_is_no_decision() -> None:
    """It counts towards take or pay. Half of the paths have nothing from March on."""
    terms = {"call_off_lot": 5, "take_or_pay": 1, "least_per_period": 0.5, "flex": 1.5}
    outage = {
        "scenarios": [{"scenario": "outage", "probability": 0.5, "revealed": "2027-03-01"}],
        "events": [
            {"scenario": "outage", "table": "contracts", "row": "k", "column": "availability",
             "from": "2027-03-01", "how": "set", "value": 0},
        ],
    }  # fmt: skip
    book = so.from_tables({**CALLS, "contracts": [CALLS["contracts"][0] | terms], **outage})
    announced = planned(book)
    calls = announced["call_offs"]
    assert (calls["called_off"] > 0).all()
    assert (calls["arriving"] == 0).any()
    near = planned(book, near=announced)
    assert so.audit(book, near, near=announced).findings == ()
    compared = {
        (each.date, each.scenarios) for each in near.of(PlanChange) if each.what == "call_off"
    }
    arriving = calls[calls["arriving"] > 0]
    assert compared == {*zip(arriving["date"], arriving["scenarios"], strict=True)}


def test_a_contract_that_delivers_evenly_leaves_nothing_to_call_off() -> None:
    even = [CALLS["contracts"][0] | {"take_or_pay": 1, "flex": 1}]
    announced = planned(so.from_tables({**CALLS, "contracts": even}))
    near = planned(so.from_tables({**CALLS, "contracts": even}), near=announced)
    assert {each.what for each in near.of(PlanChange)} == {"sign"}


def test_no_change_is_free() -> None:
    """Each deed has a value of its own, but for a plant that needs no grant: it has the scale's."""
    stockpile = unfold(so.from_tables(SHARED).stockpile)
    for deed in announceable().values():
        for name in stockpile.names(deed.table):
            level = None if deed.levels is None else next(iter(deed.levels(stockpile, name)))
            for node in [*deed.possible(stockpile, name)][:1]:
                own = deed.value(stockpile, name, level, node)
                assert own > 0 or deed.kind == "project"
                key = DeedKey(deed.kind, name, level, node)
                assert value_of(stockpile, key) == (own or stockpile.scale.money)


# --- What is refused ------------------------------------------------------------------------------


def refused(book: so.Book, near: Any, **options: Any) -> str:
    with pytest.raises(so.InputError) as raised:
        so.solve(book, near=near, **options)
    (fault,) = raised.value.faults
    return str(fault)


def test_a_plan_that_cannot_be_stayed_near_is_refused_in_one_line(
    tmp_path: Path, book: so.Book, announced: so.Plan
) -> None:
    other = so.from_tables(json.loads(json.dumps(BOOK).replace('"ga"', '"ge"')))
    assert "is about ga, the workbook about ge" in refused(other, announced)
    for name, value, said in (
        ("quantity_unit", "t", "has quantities in kg, the workbook in t"),
        ("currency", "EUR", "has money in USD, the workbook in EUR"),
        ("start", "2031-01-01", "announces nothing for that time"),
    ):
        settings = {**BOOK["settings"], name: value}
        late = [{**BOOK["demand"][0], "from": "2031-02-01", "to": "2031-04-01"}]
        tables = {**BOOK, "settings": settings, **({"demand": late} if name == "start" else {})}
        assert said in refused(so.from_tables(tables), announced)
    offers = [{**each, "offer": f"{each['offer']} 2"} for each in BOOK["offers"]]
    assert "none of its decisions" in refused(so.from_tables({**BOOK, "offers": offers}), announced)
    file = workbook(tmp_path / "input.xlsx", BOOK)
    assert "has no sheet 'summary', so it is no plan" in refused(book, file)


def test_prices_and_questions_that_do_not_fit_are_refused(
    book: so.Book, announced: so.Plan
) -> None:
    for price in (-0.1, float("nan"), float("inf")):
        assert "finite share of at least 0" in refused(book, announced, change_cost=price)
    assert "name that plan with --near" in refused(book, None, change_cost=0.1)
    assert "--solver cbc" in refused(book, announced, solver="cbc")
    assert "what-if reasons" in refused(book, announced, what_ifs=["reasons"])
    assessed = so.solve(book, near=announced, what_ifs=["adequacy"]).plan
    assert assessed is not None
    assert "adequacy" in assessed.sheets


# --- The sheet, the audit, the command ------------------------------------------------------------


@pytest.fixture(scope="module")
def moved(book: so.Book, announced: so.Plan) -> so.Plan:
    return planned(book.change("offers[left].capacity = 5"), near=announced)


def findings(plan: so.Plan, **values: Any) -> Iterator[str]:
    """What the audit finds where the first row of the changes has other values."""
    rows = list(plan.of(PlanChange))
    rows[0] = replace(rows[0], **values)
    wrong = replace(plan, rows={**plan.rows, PlanChange: tuple(rows)})
    yield from map(str, audit(plan.stockpile, as_sheets(wrong)).findings)


def test_the_audit_finds_a_change_that_is_not_so(moved: so.Plan) -> None:
    assert [*findings(moved)] == []
    assert any("now" in each for each in findings(moved, now=7.0))
    assert any("difference" in each for each in findings(moved, difference=1.0))
    assert any("value" in each for each in findings(moved, value=1.0))
    assert any("change" in each for each in findings(moved, change="new"))
    assert any("no decision of a plan" in each for each in findings(moved, what="hope"))
    rows = [each for each in moved.of(PlanChange) if each.name != "right"]
    few = replace(moved, rows={**moved.rows, PlanChange: tuple(rows)})
    said = [*map(str, audit(moved.stockpile, as_sheets(few)).findings)]
    assert len(said) == 3
    assert all("order right of 2027-0" in each for each in said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"announced": 9.0, "difference": -4.0, "value": 40.0}, "announced"),
        ({"unit_value": 11.0, "value": 55.0}, "unit value"),
        ({"cell": "offers!D2"}, "it did not become 5 from 50"),
        ({"before": "49"}, "it did not become 5 from 49"),
        ({"after": "6"}, "it did not become 6 from 50"),
        ({"cell": None}, "it did not become 5 from 50"),
    ],
)
def test_the_audit_with_the_announced_plan_finds_what_was_not_announced(
    announced: so.Plan, moved: so.Plan, values: dict[str, Any], said: str
) -> None:
    """Each of these adds up, so without the announced plan nobody sees it."""
    rows = list(moved.of(PlanChange))
    assert rows[0].cell is not None
    rows[0] = replace(rows[0], **values)
    wrong = replace(moved, rows={**moved.rows, PlanChange: tuple(rows)})
    book = so.from_tables(BOOK).change("offers[left].capacity = 5")
    assert so.audit(book, moved, near=announced).findings == ()
    assert so.audit(book, wrong).findings == ()
    (found,) = so.audit(book, wrong, near=announced).findings
    assert said in str(found)


def test_the_audit_with_the_announced_plan_finds_what_the_sheet_leaves_out(
    announced: so.Plan,
) -> None:
    """`left` closes: nothing of the plan shows any more that it was announced."""
    book = so.from_tables(BOOK).change("offers[left].to = 2027-01-31")
    near = planned(book, near=announced)
    rows = tuple(each for each in near.of(PlanChange) if each.name == "right")
    assert 0 < len(rows) < len(near.of(PlanChange))
    few = replace(near, rows={**near.rows, PlanChange: rows})
    assert so.audit(book, few).findings == ()
    found = [*map(str, so.audit(book, few, near=announced).findings)]
    assert len(found) == 3
    assert all("order left of 2027-0" in each and "is not on the sheet" in each for each in found)


def test_only_a_plan_that_stays_near_another_is_audited_with_it(
    book: so.Book, announced: so.Plan
) -> None:
    with pytest.raises(so.InputError, match="stays near none"):
        so.audit(book, announced, near=announced)


def test_the_sheet_is_read_again_from_both_formats(
    tmp_path: Path, announced: so.Plan, moved: so.Plan
) -> None:
    for name in ("plan.xlsx", "plan.json"):
        saved = so.load_plan(moved.save(tmp_path / name))
        assert saved["changes"]["reason"].tolist() == sorted_reasons(moved)
        book = so.from_tables(BOOK).change("offers[left].capacity = 5")
        assert so.audit(book, saved).findings == ()
        assert "announced" in str(so.audit(book, saved).unchecked)
        report = so.audit(book, saved, near=announced)
        assert (report.findings, "changes (keeping, reason)" in report.unchecked) == ((), True)
        assert "This plan stays near the announced one" in saved.plan.verdict
        assert saved.plan.verdict == moved.verdict


def sorted_reasons(plan: so.Plan) -> list[str]:
    return [each.reason for each in sorted(plan.of(PlanChange), key=lambda each: each.date)]


def test_the_command_shows_each_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], announced: so.Plan
) -> None:
    path = workbook(tmp_path / "mine.xlsx", BOOK)
    plan = announced.save(tmp_path / "announced.xlsx")
    to = ("-o", tmp_path / "plan.xlsx")
    near = ("solve", path, "--near", plan, "--set", "offers[left].capacity = 5")
    ran = run(capsys, *near, *to)
    assert ran.status == 0
    assert "Changes of the announced plan" in ran.out
    assert "offers!F2" in ran.out
    audited = run(capsys, "audit", path, tmp_path / "plan.xlsx", "--near", plan)
    assert "agrees with" in audited.out
    assert "changes (keeping, reason)" in audited.err
    found = json.loads(run(capsys, *near, *to, "--json", "--change-cost", "0.05").out)["changes"]
    assert (found["announced"], found["unchanged"], found["new"]) == (3, 0, 3)
    assert found["change_cost"] == 0.05
    assert found["value"] == pytest.approx(3 * (50 + 50.1))
    assert {row["cell"] for row in found["rows"]} == {"offers!F2"}
    for wrong, status, said in (
        (("--change-cost", "0.1"), 2, "--near"),
        (("--near", plan, "--change-cost", "-1"), 2, "--change-cost"),
        (("--near", plan, "--change-cost", "nan"), 2, "finite"),
        (("--near", plan, "--bundles", "2"), 2, "--bundles"),
        (("--near", path), 1, "it is no plan"),
        (("--near", plan, "-o", plan), 2, "is the announced plan"),
    ):
        end = run(capsys, "solve", path, *wrong)
        assert end.status == status, end.err
        assert said in end.err
        assert "Traceback" not in end.err


@pytest.mark.parametrize("size", [1.0, 1e10])
def test_a_signature_that_is_dropped_is_a_change_in_any_unit(size: float) -> None:
    """Of 5e10 what is up to 50 is none; a signature is one all the same."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 2, "mip_gap": 0},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 4}],
        "contracts": [{"contract": "offtake", "supplier": "mill", "material": "ga", "sign_to": "2027-01-31",
                       "term_months": 2}],
        "floors": [{"contract": "offtake", "level": "low", "floor": 3, "annual_quantity": 60 * size}],
        "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-02-01", "quantity": 5 * size}],
    }  # fmt: skip
    book = so.from_tables(tables)
    announced = so.solve(book).plan
    now = so.solve(book.change("floors[offtake/low].floor = 9"), near=announced).plan
    assert now is not None
    rows = now["changes"].set_index("what")
    assert rows.loc["sign", "change"] == "dropped"
    assert rows.loc["sign", "now"] == 0
