"""Planning again: a plan that is rolled forward goes on as it would have."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, reject, seed, settings
from hypothesis import strategies as st

import optimiser as so
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.rotation.requalified import Requalified
from stockpile_model.blocks.stock.lot_outcomes import Movement
from stockpile_model.blocks.stock.lot_terms import OpeningLot, is_out
from tests.support.books import book
from tests.support.commands import stockpile
from tests.support.out_books import out_books
from tests.support.small_books import Tables, small_books


def month(t: int, day: int = 1) -> dt.date:
    return dt.date(2027 + t // 12, t % 12 + 1, day)


BOOK: dict[str, Any] = {
    "settings": {"title": "Half a year", "start": month(0), "periods": 6, "discount_rate": 0.05,
                 "fiscal_year_start": 1},
    "materials": [{"material": "ga", "shelf_life_months": 3, "shortage_cost": 90, "holding_cost": 1,
                   "below_target_cost": 5, "disposal_cost": 1}],
    "suppliers": [{"supplier": "mill"}, {"supplier": "plant", "start": month(1)}],
    "offers": [
        {"offer": "spot", "supplier": "mill", "material": "ga", "price_index": "market", "order_cost": 20,
         "lead_time_months": 1, "availability": 0.9, "total": 60},
        {"offer": "dear", "supplier": "mill", "material": "ga", "price": 30},
    ],
    "contracts": [
        {"contract": "offtake", "supplier": "plant", "material": "ga", "price_index": "market", "sign_to": month(1),
         "term_months": 12, "take_or_pay": 0.9, "flex": 1.5, "signing_cost": 9, "prepayment": 40, "credit": 2,
         "upside_share": 0.5, "upside_trigger": 11, "upside_cap": 60},
    ],
    "floors": [{"contract": "offtake", "level": "low", "floor": 9, "annual_quantity": 72, "escalation": 0.1}],
    "prices": [{"date": month(0), "market": 10}, {"date": month(5), "market": 16}],
    "opening_stock": [{"lot": "old", "material": "ga", "quantity": 8, "made": month(-1)}],
    "in_transit": [{"name": "spot", "arrives": month(1), "quantity": 3, "unpaid": 6}],
    "demand": [{"material": "ga", "from": month(0), "to": month(5), "quantity": 9}],
    "targets": [{"material": "ga", "from": month(4), "quantity": 6, "path": "ramp"}],
    "outlets": [{"outlet": "sale", "material": "ga", "form": "sale", "price": 4, "fund": "nds"}],
    "funds": [{"fund": "nds", "keeps_receipts": "yes"}],
    "budgets": [{"fund": "nds", "amount": 500, "expires": month(5, 28)}, {"fund": "nds", "amount": 400, "from": month(3)}],
}  # fmt: skip


def planned(book: so.Book) -> so.Plan:
    """The plan of a book, which is audited, to a gap of 0."""
    plan = so.solve(book, gap=0.0).plan
    assert isinstance(plan, so.Plan)
    return plan


def after(plan: so.Plan, day: dt.date, of: tuple[str, ...] = ()) -> float:
    """What a plan costs from a day on, discounted, in some scenarios (none: all)."""
    rows = plan["cash_flow"].to_dict("records")
    names = ("all", *of)
    return sum(
        row["discounted"]
        for row in rows
        if str(row["date"])[:10] >= day.isoformat()
        and (not of or str(row.get("scenarios", "all")).split(", ")[0] in names)
    )


def test_each_month_goes_on_as_the_first_plan_would() -> None:
    """Planned again each month, the plans cost together what the first one does; none can do
    better, and no lot, kilogram or dollar appears or vanishes.
    """
    now = so.from_tables(BOOK)
    first = plan = planned(now)
    for t in range(1, 6):
        begin = plan.stockpile.settings.start
        rest = after(plan, month(t))
        held = [
            row["quantity"]
            for row in plan["lots"].to_dict("records")
            if str(row["date"])[:10] == begin.isoformat()
        ]
        rolled = so.roll(plan, month(t))
        assert rolled.remarks == ()
        lots = rolled["opening_stock"] if "opening_stock" in rolled.tables else None
        assert sum(held) == pytest.approx(0.0 if lots is None else lots["quantity"].sum())
        paid = sum(
            row["amount"]
            for row in plan["payments"].to_dict("records")
            if str(row["date"])[:10] == begin.isoformat()
        )
        sold = sum(
            row["proceeds"]
            for row in plan["rotation"].to_dict("records")
            if str(row["date"])[:10] == begin.isoformat()
        )
        assert money(now, month(t)) + sold - paid == pytest.approx(money(rolled, month(t)))
        plan = planned(rolled)
        assert plan.objective * now.stockpile.discount(1) == pytest.approx(rest, rel=1e-6)
        now = rolled
    assert first.objective > 0
    assert plan.stockpile.settings.periods == 1


def money(book: so.Book, day: dt.date) -> float:
    """What the appropriations hold that may still pay on a day."""
    rows = book.stockpile.rows(Budget)
    return sum(row.amount for row in rows if row.expires is None or row.expires >= day)


def what_is_left(plan: so.Plan, gone: int, scenario: str) -> float:
    """What is left of a plan costs once some periods are over, expected by what is known then."""
    stockpile = plan.stockpile
    begin = stockpile.calendar.begin(gone)
    if not stockpile.scenarios:
        return after(plan, begin)
    tree = stockpile.tree
    here = tree.paths[stockpile.scenarios[scenario]][gone - 1]
    still = tuple(name for name, leaf in stockpile.scenarios.items() if here in tree.paths[leaf])
    return after(plan, begin, still) / tree.probability[here]


FEATURES = (
    None,
    "prepayment",
    "option",
    "upside_cap",
    "signed_before",
    "keeps_receipts",
    "scenarios",
    "requalify",
    "moves",
)


def carried(plan: so.Plan, day: dt.date, scenario: str) -> so.RolledBook | None:
    """The next workbook; None where something is out on terms that have changed since."""
    try:
        return so.roll(plan, day, scenario=scenario)
    except so.InputError as error:
        if "now cannot say: go on from a later date" in str(error):
            return None
        raise


@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_rolled_forward_costs_what_was_left(feature: str | None) -> None:
    """The rest of a best plan is a best plan of the rest, in whichever scenario has come."""

    @seed(3)
    @settings(max_examples=4, phases=[Phase.generate])
    @given(small_books(feature), st.integers(0, 9))
    def check(tables: Tables, pick: int) -> None:
        if any(row.get("probability") for row in tables.get("targets", ())):
            reject()  # it holds over all scenarios together
        book = so.from_tables(tables)
        plan, calendar = so.solve(book, gap=0.0).plan, book.stockpile.calendar
        if not isinstance(plan, so.Plan) or tables["settings"].get("risk_weight"):
            reject()
        gone, names = 1 + pick % (calendar.periods - 1), [*plan.stockpile.scenarios] or ["base"]
        rolled = carried(plan, calendar.begin(gone), names[pick % len(names)])
        if rolled is None or rolled.remarks:
            reject()
        left = what_is_left(plan, gone, names[pick % len(names)])
        cost = planned(rolled).objective * book.stockpile.discount(gone)
        assert cost == pytest.approx(left, rel=1e-5, abs=1e-3)

    check()


def out_at(plan: so.Plan) -> list[tuple[int, str]]:
    """After how many periods, and in which scenario, something is under way or out for a test."""
    calendar, names = plan.stockpile.calendar, [*plan.stockpile.scenarios] or ["base"]
    rows = (
        [(row, row["arrives"]) for row in plan["moves"].to_dict("records")]
        if "moves" in plan.sheets
        else []
    )
    rows += [
        (row, row["returns"])
        for row in plan["rotation"].to_dict("records")
        if row["form"] == "requalify"
    ]
    return [
        (gone, name)
        for gone in range(1, calendar.periods)
        for name in names
        if any(
            str(row["date"])[:10] < str(calendar.begin(gone)) <= str(back)[:10]
            and (row["scenarios"] == "all" or name in row["scenarios"].split(", "))
            for row, back in rows
        )
    ]  # fmt: skip


def test_metal_under_way_or_out_for_a_test_is_carried_on() -> None:
    """None of it appears or vanishes, nor any money, also when it is still out a month later."""
    seen = set[str]()

    @seed(2)
    @settings(max_examples=12, phases=[Phase.generate])
    @given(out_books(), st.integers(0, 9))
    def check(tables: Tables, pick: int) -> None:
        plan = planned(so.from_tables(tables))
        found = out_at(plan) if "rotation" in plan.sheets or "moves" in plan.sheets else []
        if not found:
            reject()
        gone, name = found[pick % len(found)]
        rolled = carried(plan, plan.stockpile.calendar.begin(gone), name)
        if rolled is None:
            reject()
        assert rolled.remarks == ()
        again = planned(rolled)
        left = what_is_left(plan, gone, name)
        cost = again.objective * plan.stockpile.discount(gone)
        assert cost == pytest.approx(left, rel=1e-6, abs=1e-6)
        lots = rolled.stockpile.rows(OpeningLot)
        seen.update(
            word
            for lot in lots
            for word in ("tested_by", "moved_by", "failed")
            if getattr(lot, word)
        )
        if (
            is_out(lots[-1])
            and again.stockpile.calendar.periods > 1
            and not again.stockpile.scenarios
        ):
            more = planned(so.roll(again, again.stockpile.calendar.begin(1)))
            rest = what_is_left(again, 1, "base")
            assert more.objective * again.stockpile.discount(1) == pytest.approx(
                rest, rel=1e-6, abs=1e-6
            )
            seen.add("twice")

    check()
    assert seen >= {"tested_by", "moved_by", "twice"}


OUT: dict[str, Any] = {
    "settings": {"start": month(0), "periods": 5},
    "materials": [{"material": "ga", "shelf_life_months": 6, "shortage_cost": 90, "disposal_cost": 1}],
    "sites": [{"site": "north"}, {"site": "south", "handling_in": 2}],
    "moves": [{"move": "lorry", "from_site": "north", "to_site": "south", "cost": 1, "lead_time_months": 2}],
    "outlets": [{"outlet": "test", "material": "ga", "form": "requalify", "gain_months": 2,
                 "lead_time_months": 2, "yield": 0.75}],
    "opening_stock": [{"lot": "A", "material": "ga", "site": "south", "quantity": 8, "made": month(-2)},
                      {"lot": "B", "material": "ga", "site": "north", "quantity": 5, "made": month(0)}],
    "commitments": [{"kind": "rotate", "name": "test", "date": month(0), "quantity": 8}],
    "demand": [{"material": "ga", "from": month(2), "quantity": 11}],
}  # fmt: skip
"""Of 8 that are tested 6 pass, and 2 fail; the other 5 are moved."""


def test_a_lot_that_is_out_says_by_what_and_since_when() -> None:
    """It is neither on hand nor lost: it comes when the plan says, and is handled and aged so."""
    tables = {**OUT, "sites": [{"site": "north", "buyer": "army"}, {"site": "south", "handling_in": 2, "buyer": "navy"}],
              "demand": [OUT["demand"][0] | {"buyer": "navy"}]}  # fmt: skip
    plan = planned(so.from_tables(tables))
    rolled = so.roll(plan, month(1))
    lots = {row.lot: row for row in rolled.stockpile.rows(OpeningLot)}
    test, way = lots["A in test"], lots["B to south"]
    assert (test.tested_by, test.left, test.quantity, test.site) == ("test", month(0), 8, "south")
    assert (way.moved_by, way.left, way.quantity, way.site) == ("lorry", month(0), 5, None)
    again = planned(rolled)
    movements = again["movements"]
    came = movements[movements["quantity"] > 0].sort_values("quantity")
    assert came[["lot", "kind", "quantity", "site"]].to_numpy().tolist() == [
        ["A in test failed 2027-03", "return", 2, "south"],
        ["B to south", "opening", 5, "south"],
        ["A in test requalified 2027-03", "return", 6, "south"],
    ]
    flows = again["cash_flow"]
    assert flows.loc[flows["heading"] == "handling", "amount"].sum() == 2 * 8
    assessed = so.solve(rolled, what_ifs=["adequacy"]).plan  # an embargo stops none of it
    assert assessed is not None
    assert assessed["embargo"]["due"].tolist() == pytest.approx([11, 11, 0, 0])
    later = so.roll(again, month(3))
    (failed,) = (row for row in later.stockpile.rows(OpeningLot) if row.failed)
    assert failed.quantity == 2
    assert planned(later).waste == pytest.approx(2)
    assert so.audit(rolled, again).findings == ()
    for kind, name, cells, said in (
        (Movement, "B to south", {"date": month(1)}, "comes in later than the first period"),
        (Movement, "B to south", {"quantity": 4.0}, "opening lot B to south"),
        (Movement, "B to south", {"site": "north"}, "opening lot B to south"),
        (Requalified, "A in test requalified 2027-03", {"quantity": 7.0}, "what comes back"),
        (Requalified, "A in test failed 2027-03", {"passed": True, "times": 1}, "what comes back"),
    ):
        rows = [replace(row, **cells) if row.lot == name else row for row in again.of(kind)]
        wrong = replace(again, rows={**again.rows, kind: tuple(rows)})
        assert any(said in str(each) for each in so.audit(rolled, wrong).findings), cells


def test_what_is_out_on_terms_that_have_changed_since_is_refused() -> None:
    """A test of which three quarters pass cannot be said by one of which a half does."""
    war = {"scenario": "war", "probability": 0.5, "revealed": month(1)}
    event = {
        "scenario": "war",
        "table": "outlets",
        "row": "test",
        "column": "yield",
        "how": "set",
        "value": 0.5,
    }
    plan = planned(so.from_tables({**OUT, "scenarios": [war], "events": [event]}))
    with pytest.raises(
        so.InputError, match="A left through test and is back on 2027-03-01, which its"
    ):
        so.roll(plan, month(2), scenario="war")


@pytest.mark.parametrize(
    "rows",
    [
        {"opening_stock": [OUT["opening_stock"][1] | {"moved_by": "lorry", "site": None}]},
        {"opening_stock": [OUT["opening_stock"][0] | {"tested_by": "test", "site": "south"}]},
        {"commitments": [{"kind": "order", "name": "spot", "quantity": 3}]},
        {"commitments": [{"kind": "rotate", "name": "melt", "quantity": 3, "site": "south"}]},
    ],
    ids=["moved", "tested", "ordered", "reworked"],
)
def test_a_scenario_does_not_bring_earlier_what_is_under_way(rows: dict[str, Any]) -> None:
    """All of it takes two months, and in the war one: what left in November is there in January."""
    left, cell = (
        dt.date(2026, 11, 1),
        {"scenario": "war", "column": "lead_time_months", "how": "set", "value": 1},
    )
    column, spot = (
        "left" if "opening_stock" in rows else "date",
        {"offer": "spot", "supplier": "mill"},
    )
    made = {"made": dt.date(2026, 10, 1)} if "opening_stock" in rows else {}
    tables = {
        **{name: row for name, row in OUT.items() if name not in ("opening_stock", "commitments")},
        "suppliers": [{"supplier": "mill"}],
        "offers": [{**spot, "material": "ga", "price": 50, "lead_time_months": 2}],
        "outlets": [*OUT["outlets"], {"outlet": "melt", "material": "ga", "form": "rework", "lead_time_months": 2}],
        "scenarios": [{"scenario": "war", "probability": 0.5, "revealed": month(1)}],
        "events": [{**cell, "table": table} for table in ("moves", "outlets", "offers")],
        **{name: [{**row, column: left, **made} for row in of] for name, of in rows.items()},
    }  # fmt: skip
    plan = planned(so.from_tables(tables))
    movements = plan["movements"]
    came = movements[movements["quantity"] > 0]
    assert {str(day)[:10] for day in came["date"].head(1)} == {month(0).isoformat()}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"tested_by": "test"}, "left is required: the date on which the lot left"),
        ({"left": month(-1)}, "needs tested_by or moved_by: what is on hand has not left"),
        ({"tested_by": "test", "left": month(0)}, "left must be before the start"),
        ({"tested_by": "test", "left": month(-2)}, "is back from test in the period of 2026-12-01, before"),
        ({"tested_by": "test", "left": month(-1), "made": month(0)}, "made must not be after it left"),
        ({"tested_by": "test", "left": month(-1), "moved_by": "lorry"}, "the lot is out by test already"),
        ({"tested_by": "test", "left": month(-1), "failed": "yes"}, "that has failed a test is not tested again"),
        ({"moved_by": "lorry", "left": month(-1), "site": "north"}, "lorry leads to south, found north"),
        ({"tested_by": "tets", "left": month(-1)}, "'tets' has no row in the sheet outlets (did you mean 'test'?)"),
        ({"moved_by": "cart", "left": month(-1)}, "'cart' has no row in the sheet moves"),
        ({"tested_by": "melt", "left": month(-1)}, "must be an outlet of form requalify, found melt"),
    ],
)  # fmt: skip
def test_how_a_lot_can_be_out(cells: dict[str, Any], said: str) -> None:
    melt = {"outlet": "melt", "material": "ga", "form": "rework"}
    tables = {k: rows for k, rows in OUT.items() if k != "commitments"}
    tables["outlets"] = [{**OUT["outlets"][0], "lead_time_months": 1}, melt]
    tables["opening_stock"] = [OUT["opening_stock"][0] | {"made": month(-3)} | cells]
    with pytest.raises(so.InputError) as raised:
        so.from_tables(tables)
    assert said in str(raised.value)


WAR = {"scenario": "war", "probability": 0.2, "revealed": month(1)}
FLOOD = {"scenario": "flood", "probability": 0.3, "revealed": month(4)}


def changed(table: str, column: str, how: str, value: Any, **cells: Any) -> dict[str, Any]:
    """What the war changes."""
    cell = {"table": table, "column": column, "how": how, "value": value}
    return {"scenario": "war", **cell, **cells}


def in_war(*events: dict[str, Any]) -> so.RolledBook:
    """The workbook of March, when the war has come; it is checked to cost what was left."""
    book = so.from_tables({**BOOK, "scenarios": [WAR, FLOOD | {"follows": "war"}], "events": [
        *events, changed("prices", "market", "scale", 0.5) | {"scenario": "flood", "from": month(4)}]})  # fmt: skip
    plan = planned(book)
    rolled = so.roll(plan, month(2), scenario="war")
    assert rolled.remarks == ()
    cost = planned(rolled).objective * book.stockpile.discount(2)
    assert cost == pytest.approx(what_is_left(plan, 2, "war"), rel=1e-6)
    return rolled


def test_what_has_come_is_in_the_rows_and_what_may_still_come_follows_the_base() -> None:
    """The war had 0.2, and the flood in it 0.3 of the whole: so 0.4 and 0.6 of what is possible."""
    rolled = in_war(
        changed("offers", "price", "scale", 1.5, row="dear"),
        changed("suppliers", "start", "add", 3, row="plant"),
    )
    assert rolled["offers"]["price"].tolist()[1] == 45
    assert str(rolled["suppliers"]["start"].tolist()[1])[:10] == "2027-05-01"
    (flood,) = rolled["scenarios"].to_dict("records")
    assert (flood["scenario"], flood["follows"]) == ("flood", None)
    assert flood["probability"] == pytest.approx(0.6)
    assert rolled["events"]["scenario"].tolist() == ["flood"]
    assert rolled.folded == (
        "offers[dear].price scale 1.5 has come with war: it is in the rows",
        "suppliers[plant].start add 3 has come with war: it is in the rows",
    )


def test_what_holds_for_a_time_is_said_by_the_dates_of_rows() -> None:
    """Twice the market in March and April; and in April one more kilogram is asked for."""
    rolled = in_war(
        changed("prices", "market", "scale", 2, to=month(3, 30)),
        changed("demand", "quantity", "add", 1, **{"from": month(3), "to": month(3, 30)}),
    )
    before = so.from_tables(BOOK).stockpile
    for t, times in ((2, 2), (3, 2), (4, 1), (5, 1)):
        price = rolled.stockpile.price_on("market", month(t))
        assert price == pytest.approx(times * before.price_on("market", month(t)))
    asked = rolled["demand"][["from", "to", "quantity"]].astype(str).to_numpy().tolist()
    assert asked == [
        ["2027-03-01", "2027-03-31", "9.0"],
        ["2027-04-01", "2027-04-30", "10.0"],
        ["2027-05-01", "2027-06-30", "9.0"],
    ]
    assert {*rolled["scenarios"]["scenario"]} == {"flood"}


def test_what_no_row_can_say_stays_an_event_of_a_scenario_that_is_certain() -> None:
    """An offer has one price: that it is dear until April stays an event."""
    rolled = in_war(
        changed("offers", "price", "scale", 1.5, row="dear", to=month(3, 30)),
        changed("offers", "adder", "add", 1, row="dear"),
    )
    found = {row["scenario"]: row for row in rolled["scenarios"].to_dict("records")}
    assert found["war"]["probability"] == pytest.approx(0.4)
    assert found["flood"]["follows"] == "war"
    assert "base" not in planned(rolled).stockpile.scenarios
    assert rolled["events"]["scenario"].tolist() == ["war", "flood"]
    assert rolled["offers"]["adder"].tolist()[1] == 1
    (said,) = (each for each in rolled.folded if "stays" in each)
    assert said == (
        "offers[dear].price scale 1.5 has come with war and stays an event from 2027-03-01 to "
        "2027-04-30: a row cannot say that it holds for a time"
    )


def test_a_contract_that_delivers_goes_on_when_its_plant_is_to_ship_later() -> None:
    """Signed in January, delivering since February: the delay to June holds for new contracts."""
    tables = {**BOOK, "scenarios": [WAR], "events": [
        changed("suppliers", "start", "set", month(5), row="plant", **{"from": month(2)})]}  # fmt: skip
    tables["commitments"] = [{"kind": "sign", "name": "offtake", "level": "low", "date": month(0)}]
    plan = planned(so.from_tables(tables))
    rolled = so.roll(plan, month(3), scenario="war")
    (signed,) = (row for row in rolled.stockpile.rows(Commitment) if row.kind == "sign")
    assert signed.first_delivery == month(1)
    cost = planned(rolled).objective * plan.stockpile.discount(3)
    assert cost == pytest.approx(what_is_left(plan, 3, "war"), rel=1e-6)


def test_money_of_a_contract_in_another_currency_goes_on_in_that_of_the_book() -> None:
    """Signed in October, at 16 of 10 EUR over the trigger all month; 24 EUR a year may be received.

    Nothing says what was received before January, so three months of the cap count: 6 EUR, at the
    rate of June, with which the plan ends. Prepaid are 50 EUR less 2 a unit of 18, at January's.
    """
    tables = {
        **BOOK,
        "settings": BOOK["settings"] | {"discount_rate": 0},
        "prices": [{"date": month(0), "market": 16, "EUR": 1.25}, {"date": month(5), "market": 16, "EUR": 1}],
        "suppliers": [{"supplier": "mill"}, {"supplier": "plant"}],
        "contracts": [{"contract": "offtake", "supplier": "plant", "material": "ga", "price_index": "market",
                       "currency": "EUR", "term_months": 12, "upside_share": 0.05, "upside_trigger": 11,
                       "upside_cap": 24, "prepayment": 50, "credit": 2}],
        "commitments": [{"kind": "sign", "name": "offtake", "level": "low", "date": month(-3)}],
    }  # fmt: skip
    money = ("outlets", "funds", "budgets")
    plan = planned(so.from_tables({k: rows for k, rows in tables.items() if k not in money}))
    rolled = so.roll(plan, month(1))
    (signed,) = (row for row in rolled.stockpile.rows(Commitment) if row.kind == "sign")
    flows = plan["cash_flow"].to_dict("records")
    january = {row["heading"]: row["amount"] for row in flows if str(row["date"])[:7] == "2027-01"}
    assert january["upside"] < 0
    assert signed.upside_received == pytest.approx(6 * 1 - january["upside"])
    assert signed.prepayment_left == pytest.approx((50 - 2 * 18) * 1.25 + january["credits"])
    assert planned(rolled).objective == pytest.approx(after(plan, month(1)), rel=1e-6)


def test_a_number_that_reads_otherwise_elsewhere_is_carried_on() -> None:
    """9.375 as text is 9375 in some countries: rolled figures stay numbers, actual prices too."""
    tables = {**BOOK, "offers": [BOOK["offers"][0], BOOK["offers"][1] | {"price": 39.375}],
              "scenarios": [WAR], "events": [changed("offers", "price", "scale", "1.125", row="dear")]}  # fmt: skip
    plan = planned(so.from_tables(tables))
    rolled = so.roll(plan, month(1), actuals={"prices": [{"date": month(1), "market": 11.125}]})
    assert rolled["offers"]["price"].tolist()[1] == 39.375
    assert 11.125 in rolled["prices"]["market"].tolist()


def test_what_really_happened_takes_the_place_of_what_was_planned() -> None:
    """Of the 20 that came in January for 12 each, 5 less came; and the price rose."""
    tables = {
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": "ga", "shortage_cost": 90}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [
            {"offer": "spot", "supplier": "mill", "material": "ga", "price": 12, "to": month(0)},
            {"offer": "later", "supplier": "mill", "material": "ga", "price_index": "market"},
        ],
        "prices": [{"date": month(0), "market": 30}],
        "demand": [{"material": "ga", "from": month(1), "to": month(2), "quantity": 10}],
    }
    plan = planned(so.from_tables(tables))
    assert planned(so.roll(plan, month(1))).objective == 0
    actual = {name: plan[name].to_dict("records") for name in ("lots", "movements", "deliveries")}
    short = {name: [dict(row) for row in rows] for name, rows in actual.items()}
    for name in short:
        first = short[name][0]
        assert (str(first["date"])[:10], first["quantity"]) == ("2027-01-01", 20)
        first["quantity"] -= 5
    prices = [{"date": month(0), "market": 30}, {"date": month(1), "market": 40}]
    rolled = so.roll(plan, month(1), actuals={**short, "prices": prices})
    assert rolled["opening_stock"]["quantity"].tolist() == [15]
    assert planned(rolled).objective == 5 * 40
    for name, said in (
        ("lots", "lots: hold 5 kg less than what came and went leaves"),
        ("movements", "lots: hold 5 kg more than what came and went leaves"),
        ("deliveries", "deliveries: hold 5 kg less than what arrived by the sheet movements"),
    ):
        with pytest.raises(so.InputError, match=said):
            so.roll(plan, month(1), actuals={**actual, name: short[name]})
    with pytest.raises(so.InputError, match="movements: is required where lots is given"):
        so.roll(plan, month(1), actuals={"lots": short["lots"]})
    with pytest.raises(so.InputError, match="delivered: is no sheet of a plan and not prices"):
        so.roll(plan, month(1), actuals={"delivered": []})


def test_of_several_metals_each_must_balance() -> None:
    """2 less of the one and 2 more of the other were no error: they added up."""
    tables = {
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": name} for name in ("ga", "tin")],
        "opening_stock": [{"lot": name, "material": name, "quantity": 10, "made": month(-1)} for name in ("ga", "tin")],
    }  # fmt: skip
    plan = planned(so.from_tables(tables))
    sheets = {name: plan[name].to_dict("records") for name in ("lots", "movements", "deliveries")}
    for row in sheets["lots"]:
        row["quantity"] += 2 if row["material"] == "tin" else -2
    with pytest.raises(so.InputError) as raised:
        so.roll(plan, month(1), actuals=sheets)
    assert sorted(map(str, raised.value.faults)) == [
        f"lots: hold 2 kg of {odd} than what came and went leaves: correct one of the two"
        for odd in ("ga less", "tin more")
    ]


def test_actuals_are_read_from_a_workbook(tmp_path: Path) -> None:
    """The officer copies sheets of the plan, corrects them, and adds prices."""
    plan, actuals, following = (tmp_path / f"{name}.xlsx" for name in ("plan", "real", "next"))
    found = planned(so.from_tables(BOOK))
    found.save(plan)
    names = ("lots", "movements", "deliveries", "payments")
    sheets = {name: found[name].to_dict("records") for name in names}
    rows = {
        name: [{**row, "date": str(row["date"])[:10]} for row in each]
        for name, each in sheets.items()
    }
    for each in (row for name in rows for row in rows[name]):
        each |= {column: str(value)[:10] for column, value in each.items() if column == "made"}
        each |= {column: None for column, value in each.items() if value != value}
    book(
        actuals,
        {**rows, "prices": [{"date": month(0), "market": 10}, {"date": month(2), "market": 20}]},
    )
    done = stockpile(
        "roll", plan, "-o", following, "--to", "2027-03-01", "--actuals", actuals, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    same = so.roll(found, month(2))
    there = so.read(following)
    assert str(there["opening_stock"]) == str(same["opening_stock"])
    assert str(there["budgets"]) == str(same["budgets"])
    assert sorted(there["prices"]["market"].tolist()) == [10, 16, 20]


def test_what_holds_no_actuals_is_reported_as_what_it_is(tmp_path: Path) -> None:
    """One line each: neither a plan nor its input is sheets of a plan that went otherwise."""
    found, plan, source = planned(so.from_tables(BOOK)), tmp_path / "plan.xlsx", tmp_path / "i.xlsx"
    found.save(plan)
    book(source, BOOK)
    for path, said in ((plan, "is a whole plan"), (source, "is a workbook to be planned")):
        with pytest.raises(so.InputError, match=said) as raised:
            so.roll(found, month(2), actuals=path)
        (fault,) = raised.value.faults
        assert fault.where == str(path)
        assert "give a workbook with only the sheets of the plan that went otherwise" in str(fault)


def test_the_command_writes_the_next_workbook(tmp_path: Path) -> None:
    plan, following = tmp_path / "plan.xlsx", tmp_path / "next.xlsx"
    found = planned(so.from_tables(BOOK))
    found.save(plan)
    done = stockpile("roll", plan, "-o", following, "--to", "2027-03-01", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    saved = so.read(following)
    assert saved.stockpile.settings.periods == 4
    rolled = so.roll(found, month(2))
    assert saved.tables == rolled.tables
    assert all(str(saved[table]) == str(rolled[table]) for table in rolled.tables)
    late = stockpile("roll", plan, "-o", following, "--to", "2027-03-02", cwd=tmp_path)
    assert (late.returncode, late.stderr.count("\n")) == (1, 1)
    assert "must be the first day of a period, from 2027-02-01 to 2027-06-01" in late.stderr
    other = stockpile(
        "roll", plan, "-o", following, "--to", "2027-03-01", "--scenario", "war", cwd=tmp_path
    )
    assert "'war' is no scenario that may come; there are base" in other.stderr


def test_what_is_out_comes_back_in_the_next_workbook() -> None:
    """4 that left for an exchange in January are back in March, whenever the plan is rolled."""
    plan = planned(so.from_tables({**BOOK, **out_in_january("exchange")}))
    for t in (1, 2):
        rolled = so.roll(plan, month(t))
        assert rolled.remarks == ()
        (out,) = (row for row in rolled.stockpile.rows(Commitment) if row.kind == "rotate")
        assert (out.name, out.date, out.quantity) == ("way", month(0), 4)
        cost = planned(rolled).objective * plan.stockpile.discount(t)
        assert cost == pytest.approx(after(plan, month(t)), rel=1e-6)
        assert so.roll(planned(rolled), month(3)).stockpile.settings.periods == 3
    assert "rotate" not in so.roll(plan, month(3))["commitments"]["kind"].tolist()


def test_all_that_left_on_one_day_is_still_out_in_the_next_workbook() -> None:
    """3 and 4 left on one day of December in two rows, and all 7 are back in March."""
    left = {"kind": "rotate", "name": "way", "date": month(-1)}
    gone = [left | {"quantity": 3}, left | {"quantity": 4}]
    way = out_in_january("exchange", lead_time_months=3)
    plan = planned(so.from_tables({**BOOK, **way, "commitments": gone}))
    rolled = so.roll(plan, month(1))
    out = [row.quantity for row in rolled.stockpile.rows(Commitment) if row.kind == "rotate"]
    assert sum(each or 0.0 for each in out) == 7
    cost = planned(rolled).objective * plan.stockpile.discount(1)
    assert cost == pytest.approx(after(plan, month(1)), rel=1e-6)


def out_in_january(form: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    """4 are out for two months from January."""
    way = {"outlet": "way", "material": "ga", "form": form, "lead_time_months": 2, "cost": 0.1,
           "from": month(0), "to": month(0), **cells}  # fmt: skip
    gone = {"kind": "rotate", "name": "way", "date": month(0), "quantity": 4}
    return {"outlets": [way], "commitments": [gone]}


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_what_is_out_for_a_test_goes_on_from_any_month(gone: int) -> None:
    """It left in January and is back in March."""
    tables = {**BOOK, **out_in_january("requalify", gain_months=2)}
    plan = planned(so.from_tables(tables))
    rolled = so.roll(plan, month(gone))
    assert [is_out(lot) for lot in rolled.stockpile.rows(OpeningLot)].count(True) == (gone < 3)
    cost = planned(rolled).objective * plan.stockpile.discount(gone)
    assert cost == pytest.approx(after(plan, month(gone)), rel=1e-6)


def test_of_a_total_what_was_ordered_is_gone_and_what_is_under_way_counts_again() -> None:
    """20 ordered in January bring 10 in March; of a total of 30 then 10 and these 10 are left."""
    tables = {
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": "ga", "shortage_cost": 90}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 3, "total": 30,
                    "availability": 0.5, "lead_time_months": 2}],
        "demand": [{"material": "ga", "from": month(2), "quantity": 10}],
    }  # fmt: skip
    rolled = so.roll(planned(so.from_tables(tables)), month(1))
    assert rolled["offers"]["total"].tolist() == [20]
    (order,) = rolled["commitments"].to_dict("records")
    assert (order["kind"], str(order["date"])[:10], order["quantity"]) == (
        "order",
        "2027-01-01",
        20,
    )
    assert planned(rolled).objective == 30


def ruled(*rules: dict[str, Any], **tables: Any) -> dict[str, Any]:
    """Three months of 9 each, cheap from the mill, dear from the plant."""
    offers = [
        {"offer": "cheap", "supplier": "mill", "material": "ga", "price": 3},
        {"offer": "dear", "supplier": "plant", "material": "ga", "price": 9, "from": month(1)},
    ]
    return {
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": "ga", "holding_cost": 1}],
        "suppliers": [{"supplier": "mill"}, {"supplier": "plant"}],
        "offers": offers,
        "demand": [{"material": "ga", "from": month(0), "to": month(2), "quantity": 9}],
        "rules": [*rules],
        **tables,
    }


QUANTITY = {"of": "supplier", "measure": "quantity"}


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ([{"rule": "a", "value": "mill", "most": 20}], [("a", "mill", None, 11)]),
        ([{"rule": "a", "value": "plant", "least": 5}], [("a", "plant", 5, None)]),
        ([{"rule": "a", "value": "mill", "least": 4}], []),
        ([{"rule": "a", "most": 20}], [("a mill", "mill", None, 11), ("a plant", "plant", None, 20)]),
        ([{"rule": "a", "value": "mill", "most": 20, "window": "fiscal_year"}], [("a", "mill", None, 11)]),
    ],
)  # fmt: skip
def test_a_limit_on_quantities_is_less_what_has_come(rules: Any, left: Any) -> None:
    """9 of the mill came in January."""
    plan = planned(so.from_tables(ruled(*(QUANTITY | each for each in rules))))
    rolled = so.roll(plan, month(1))
    rows = rolled.stockpile.rows(Rule)
    assert [(row.rule, row.value, row.least, row.most) for row in rows] == left
    assert rolled.remarks == ()
    assert planned(rolled).objective == pytest.approx(after(plan, month(1)))


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "share", "most": 0.5},
        {"measure": "count", "least": 2, "value": None},
        {"window": "fiscal_year", "most": 99},  # which the next year has too
    ],
)
def test_a_rule_that_no_row_can_carry_on_is_remarked(change: dict[str, Any]) -> None:
    rule = {"rule": "a", "value": "mill", **QUANTITY, **change}
    plan = planned(so.from_tables(ruled(rule, settings={"start": month(0), "periods": 12})))
    (remark,) = so.roll(plan, month(1)).remarks
    assert "rule a counts from" in remark


def test_a_rule_whose_parts_would_have_the_name_of_another_is_remarked() -> None:
    rules = [
        {"rule": "a", **QUANTITY, "most": 20},
        {"rule": "a mill", **QUANTITY, "value": "plant", "most": 30},
    ]
    rolled = so.roll(planned(so.from_tables(ruled(*rules))), month(1))
    assert [(row.rule, row.most) for row in rolled.stockpile.rows(Rule)] == [
        ("a", 20),
        ("a mill", 30),
    ]
    assert len(rolled.remarks) == 1


@pytest.mark.parametrize("begins", [1, 4])
def test_what_was_bought_in_a_fiscal_year_moves_its_price_on(begins: int) -> None:
    """The rise of a year is paid at its end, at the index of its beginning, for all bought in it;
    also for what is under way and paid in it.
    """
    tables = {
        "settings": {"start": month(0), "periods": 6, "fiscal_year_start": begins},
        "materials": [{"material": "ga", "holding_cost": 5}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [
            {"offer": "spot", "supplier": "mill", "material": "ga", "price_index": "market", "capacity": 3},
            {"offer": "late", "supplier": "mill", "material": "ga", "price_index": "market", "lead_time_months": 1},
            {"offer": "dear", "supplier": "mill", "material": "ga", "price": 19},
        ],
        "supply_curves": [
            {"index": "market", "from_quantity": 5, "rise": 0.1, "window": "fiscal_year"},
            {"index": "market", "from_quantity": 12, "rise": 0.6, "window": "fiscal_year"},
        ],
        "prices": [{"date": month(0), "market": 10}, {"date": month(5), "market": 15}],
        "demand": [{"material": "ga", "from": month(0), "to": month(5), "quantity": 3}],
    }  # fmt: skip
    tables["demand"].append({"material": "ga", "from": month(2), "quantity": 4})
    plan = planned(so.from_tables(tables))
    assert sum(plan["price_rises"]["rise"]) > 0
    for t in range(1, 6):
        rolled = so.roll(plan, month(t))
        assert rolled.remarks == ()
        again = planned(rolled)
        assert again.objective == pytest.approx(after(plan, month(t)), rel=1e-6)
        assert so.audit(rolled, again).findings == ()
        twice = so.roll(again, month(t + 1)) if t < 5 else None
        if twice is not None:
            assert planned(twice).objective == pytest.approx(after(plan, month(t + 1)), rel=1e-6)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [{"window": "period", "bought_before": 3}],
            "!E2: bought_before is for a curve by fiscal year",
        ),
        ([{"bought_before": 3}, {"from_quantity": 9, "index_before": 2}], "!F3: stands in row 2"),
    ],
)
def test_what_was_bought_before_is_of_a_year_and_said_once(rows: list[Any], said: str) -> None:
    known = {"index": "market", "from_quantity": 5, "rise": 0.1, "window": "fiscal_year",
             "bought_before": None, "index_before": None}  # fmt: skip
    with pytest.raises(so.InputError, match=said):
        so.from_tables({**BOOK, "supply_curves": [{**known, **row} for row in rows]})


def test_two_parts_of_an_offer_that_come_at_once_are_carried_on_apart() -> None:
    """3 are due in March with 4 to pay, and 17 that are ordered in January, free of freight."""
    tables = {
        "settings": {"start": month(0), "periods": 4},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 1, "freight": 1,
                    "capacity": 50, "lead_time_months": 2}],
        "order_terms": [{"supplier": "mill", "free_freight_from": 10}],
        "in_transit": [{"name": "spot", "ordered": month(-1), "arrives": month(2), "quantity": 3, "unpaid": 4}],
        "demand": [{"material": "ga", "from": month(2), "quantity": 20}],
    }  # fmt: skip
    rolled = so.roll(planned(so.from_tables(tables)), month(1))
    due = [(row["quantity"], row["unpaid"]) for row in rolled["in_transit"].to_dict("records")]
    assert sorted(due) == [(3, 4), (17, 17)]
    assert planned(rolled).objective == 21


def test_orders_of_one_day_are_one_lot() -> None:
    """Each of three was a lot of its own with the name of the others, and the third was carried on
    as 'spot due 2027-01-01 at stockpile at stockpile'."""
    order = {"kind": "order", "name": "spot", "date": month(-1)}
    tables = {
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 1, "lead_time_months": 1}],
        "commitments": [{**order, "quantity": each} for each in (3, 4, 5)],
        "demand": [{"material": "ga", "from": month(2), "quantity": 12}],
    }  # fmt: skip
    plan = planned(so.from_tables(tables))
    assert (
        plan["lots"][["lot", "quantity"]].to_numpy().tolist() == [["spot due 2027-01-01", 12]] * 2
    )
    rolled = so.roll(plan, month(1))
    held = rolled["opening_stock"][["lot", "quantity"]].to_numpy().tolist()
    assert held == [["spot due 2027-01-01", 12]]
    assert planned(rolled)["demand"]["met"].tolist() == [12]


def contracted(periods: int, term: int, budgets: list[dict[str, Any]], **tables: Any) -> so.Book:
    """10 are wanted each month: 3 each under an offtake, or 50 at once."""
    return so.from_tables(
        {
            "settings": {"start": month(0), "periods": periods, "fiscal_year_start": 1},
            "materials": [{"material": "ga", "shortage_cost": 90, "holding_cost": 1}],
            "suppliers": [{"supplier": "mill"}],
            "contracts": [{"contract": "offtake", "supplier": "mill", "material": "ga", "form": "purchase",
                           "sign_to": month(periods - 1), "term_months": term, "take_or_pay": 0}],
            "floors": [{"contract": "offtake", "level": "low", "floor": 3, "annual_quantity": 120}],
            "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 50}],
            "demand": [{"material": "ga", "from": month(0), "quantity": 10, "to": month(periods - 1)}],
            "funds": [{"fund": "metal"}],
            "budgets": [{"fund": "metal", **row} for row in budgets],
            **tables,
        }
    )  # fmt: skip


def test_a_contract_whose_term_was_over_is_not_signed_again() -> None:
    signed = {"kind": "sign", "name": "offtake", "level": "low", "date": month(-1)}
    plan = planned(contracted(3, 1, [{"amount": 9000}], commitments=[signed]))
    rolled = so.roll(plan, month(1))
    assert [row["name"] for row in rolled["commitments"].to_dict("records")] == ["offtake"]
    assert planned(rolled).objective == after(plan, month(1)) == 2 * 10 * 50


def test_money_that_has_expired_goes_on_while_it_pays_what_was_obligated() -> None:
    """January's money pays January's year until March; without that nobody pays for it later, which
    the next workbook cannot know.
    """
    old, new = {"amount": 900, "expires": month(0, 31)}, {"amount": 2000, "from": month(1)}
    signed = {"kind": "sign", "name": "offtake", "level": "low", "date": month(0)}
    plan = planned(contracted(3, 12, [{**old, "pay_by": month(2, 28)}, new], commitments=[signed]))
    rolled = so.roll(plan, month(1))
    assert rolled.remarks == ()
    assert rolled["budgets"]["amount"].tolist() == [870, 2000]
    assert planned(rolled).objective == after(plan, month(1)) == 2 * 10 * 3
    plan = planned(contracted(3, 12, [old, new], commitments=[signed]))
    (remark,) = so.roll(plan, month(1)).remarks
    assert "offtake: what it delivers in the rest of the fiscal year was obligated" in remark


def test_who_paid_for_an_order_under_way_is_said_to_be_forgotten() -> None:
    sites = [{"site": "north", "buyer": "A"}, {"site": "south", "buyer": "B"}]
    late = {"offer": "late", "supplier": "mill", "material": "ga", "price": 2, "payment": "order",
            "lead_time_months": 1}  # fmt: skip
    for where, found in ((None, 1), ("north", 0)):
        offers, demand = (
            [{**late, "site": where}],
            [{"material": "ga", "from": month(1), "quantity": 9}],
        )
        plan = planned(
            contracted(2, 12, [{"amount": 900}], sites=sites, offers=offers, demand=demand)
        )
        remarks = so.roll(plan, month(1)).remarks
        assert len(remarks) == found
        assert all(
            "what each buyer pays, or paid, of the order of 2027-01-01" in each for each in remarks
        )


def test_what_is_held_for_an_order_that_may_fail_is_said_to_be_free() -> None:
    """Of 20 ordered 10 come in March; the money for the other 10 is held until then."""
    late = {"offer": "late", "supplier": "mill", "material": "ga", "price": 2, "availability": 0.5,
            "lead_time_months": 2}  # fmt: skip
    demand = [{"material": "ga", "from": month(2), "quantity": 10}]
    plan = planned(contracted(3, 12, [{"amount": 900}], offers=[late], demand=demand, floors=DEAR))
    (remark,) = so.roll(plan, month(1)).remarks
    assert "late: of the order of 2027-01-01 some fails to arrive" in remark
    assert so.roll(plan, month(2)).remarks == ()


def test_what_a_fund_has_kept_of_receipts_stays_receipts() -> None:
    """100 come in January; they pay 30 for what was ordered then and arrives in March."""
    late = {
        "offer": "late",
        "supplier": "mill",
        "material": "ga",
        "price": 3,
        "lead_time_months": 2,
    }
    sale = {"outlet": "sale", "material": "ga", "form": "sale", "price": 10, "fund": "nds"}
    plan = planned(so.from_tables({
        "settings": {"start": month(0), "periods": 3},
        "materials": [{"material": "ga", "shelf_life_months": 1}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [late],
        "outlets": [{**sale, "to": month(0)}],
        "opening_stock": [{"lot": "old", "material": "ga", "quantity": 10, "made": month(0)}],
        "demand": [{"material": "ga", "from": month(2), "quantity": 10}],
        "funds": [{"fund": "nds", "keeps_receipts": "yes"}],
        "budgets": [{"fund": "nds", "from": month(2), "amount": 0}],
    }))  # fmt: skip
    rolled = so.roll(plan, month(1))
    assert rolled.remarks == ()
    assert rolled["funds"]["receipts_left"].tolist() == [100]
    assert rolled["budgets"]["amount"].tolist() == [0]
    again = planned(rolled)
    assert again.objective == after(plan, month(1)) == 30
    (row,) = [
        each
        for each in again["budget"].to_dict("records")
        if each["appropriation"] == "nds receipts"
    ]
    assert (row["amount"], row["spent"], row["left"]) == (100, 30, 70)
    assert so.roll(again, month(2))["funds"]["receipts_left"].tolist() == [100]


def test_what_is_left_of_receipts_needs_a_fund_that_keeps_them() -> None:
    with pytest.raises(so.InputError, match="funds!C2: nds keeps no receipts: write yes in keeps"):
        so.from_tables(
            {**BOOK, "funds": [{"fund": "nds", "keeps_receipts": "no", "receipts_left": 5}]}
        )


DEAR = [{"contract": "offtake", "level": "low", "floor": 70, "annual_quantity": 120}]
