"""Why a plan uses what it uses, by hand; what limits are worth, against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.marginal_values import MarginalValue, ends
from optimiser.plan.plan import Plan
from optimiser.plan.reasons import RESOLVED, SHORT, Reason
from tests.support.commands import run
from tests.support.plans import SHARED

BOOK: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0},
    "materials": [{"material": "ga", "shortage_cost": 1000, "holding_cost": 1}],
    "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
    "offers": [
        {"offer": "cheap", "supplier": "a", "material": "ga", "price": 10, "capacity": 8},
        {"offer": "mid", "supplier": "a", "material": "ga", "price": 12, "capacity": 5},
        {"offer": "dear", "supplier": "b", "material": "ga", "price": 20, "duty": 0.1},
        {
            "offer": "late",
            "supplier": "b",
            "material": "ga",
            "price": 1,
            "lead_time_months": 6,
        },
    ],
    "demand": [{"material": "ga", "from": "2027-02-01", "to": "2027-04-01", "quantity": 10}],
}
"""30 kg from the second month on: 26 under `cheap`, some of it a month early, and 4 under `mid`."""


def planned(tables: dict[str, Any], *changes: str) -> Plan:
    plan = so.solve(so.from_tables(tables), gap=0.0, changes=changes).plan
    assert plan is not None
    return plan


def reason(plan: Plan, name: str, year: str | None = None, level: str | None = None) -> Reason:
    """The reason of a choice, over the horizon or in a year."""
    (found,) = [
        each
        for each in plan.of(Reason)
        if (each.name, each.fiscal_year, each.level) == (name, year, level)
    ]
    return found


# --- The sheet ------------------------------------------------------------------------------------


def test_what_is_used_says_what_it_costs_and_what_stops_it() -> None:
    plan = planned(BOOK)
    cheap = reason(plan, "cheap", "FY2027")
    assert (cheap.choice, cheap.material, cheap.used) == ("offer", "ga", True)
    assert (cheap.quantity, cheap.unit) == (26, "kg")
    assert (cheap.price, cheap.duty, cheap.landed, cheap.discounted) == (10, 0, 10, 10)
    assert (cheap.stopped_by, cheap.stopped_at) == ("capacity of offer cheap", "offers!E2")
    assert cheap.beaten_by is None


def test_what_is_not_used_says_what_beats_it() -> None:
    plan = planned(BOOK)
    dear = reason(plan, "dear", "FY2027")
    assert (dear.used, dear.quantity) == (False, 0)
    assert (dear.price, dear.duty, dear.landed) == (20, 2, 22)
    assert (dear.beaten_by, dear.beaten_at) == ("cheap", 10)
    assert dear.reason == (
        "not used at 22 USD/kg landed; beaten by cheap, at 10 against 22 USD/kg discounted"
    )


def test_without_another_source_it_is_beaten_by_what_metal_is_worth() -> None:
    """Of 30 on hand nothing is needed, and what is left is worth 3 a unit at the end."""
    tables = {
        **BOOK,
        "prices": [{"date": "2027-01-01", "ix": 6}],
        "materials": [{"material": "ga", "price_index": "ix", "closing_value": 0.5}],
        "offers": [BOOK["offers"][2]],
        "opening_stock": [{"lot": "l", "material": "ga", "quantity": 60, "made": "2026-12-01"}],
    }
    dear = reason(planned(tables), "dear", "FY2027")
    assert (dear.beaten_by, dear.beaten_at) == ("worth of metal then", pytest.approx(3))


def test_the_price_at_which_an_offer_turns_is_that_of_the_next_best() -> None:
    """`dear` lands at 22 and has to come to 12, its duty with it; `mid` is worth a month more."""
    plan = planned(BOOK)
    dear, mid = reason(plan, "dear"), reason(plan, "mid")
    assert dear.change == pytest.approx(10 / 1.1)
    assert (dear.change_unit, dear.found_by) == ("USD/kg", "ranging")
    assert dear.to_type == "offers[dear].price add -9.09090909"
    assert mid.change == pytest.approx(1)
    assert mid.to_type is not None
    assert "leaves the plan if worse by 1" in mid.reason


def test_what_can_never_be_ordered_says_why() -> None:
    late = reason(planned(BOOK), "late")
    assert (late.stopped_by, late.change) == (
        "ordered as soon as it can be, with a lead time of 6 months, it would arrive past the"
        " horizon: 3 months too late",
        None,
    )
    dates = planned(BOOK, "offers[late].lead_time_months = 0", "offers[late].to = 2026-01-01")
    said = reason(dates, "late").stopped_by
    assert said == "its dates leave no period in which it can be ordered"


def test_a_rule_that_stops_an_offer_is_named_with_its_cell() -> None:
    tables = {
        **BOOK,
        "rules": [{"rule": "few", "of": "supplier", "value": "a", "measure": "share", "most": 0.5}],
    }
    plan = planned(tables)
    mid = reason(plan, "mid", "FY2027")
    assert not mid.used
    assert (mid.stopped_by, mid.stopped_at) == ("rule few for a, horizon", "rules!E2")


@pytest.mark.parametrize(
    ("rule", "stopped"),
    [
        ({"of": "country", "value": "Far", "measure": "share"}, True),
        ({"of": "country", "value": "Far", "measure": "quantity"}, True),
        ({"of": "offer", "value": "bulk", "measure": "share"}, True),
        ({"of": "country", "value": "Near", "measure": "share"}, False),
        ({"of": "country", "value": "Far", "measure": "share", "material": "ge"}, False),
    ],
)
def test_a_rule_that_allows_nothing_is_the_reason_not_the_size_of_an_order(
    rule: dict[str, Any], stopped: bool
) -> None:
    bulk = {"offer": "bulk", "supplier": "c", "material": "ga", "price": 9.5, "minimum_order": 60}
    tables = {
        **BOOK,
        "materials": [*BOOK["materials"], {"material": "ge"}],
        "suppliers": [
            *BOOK["suppliers"],
            {"supplier": "c", "country": "Far"},
            {"supplier": "d", "country": "Near"},
        ],
        "offers": [*BOOK["offers"], bulk],
        "rules": [{"rule": "none", "most": 0, **rule}],
    }
    row = reason(planned(tables), "bulk")
    assert not row.used
    named = f"rule none for {rule['value']}"
    assert (row.stopped_by == named) == stopped
    assert ((row.stopped_at or "").startswith("rules!")) == stopped


@pytest.mark.parametrize("cost", [1e6, 1])
def test_an_offer_of_a_plant_that_does_not_go_ahead_is_stopped_by_that(cost: float) -> None:
    """The metal is cheap, the plant is not, unless it costs 1."""
    fresh = {"offer": "fresh", "supplier": "b", "material": "ga", "price": 1, "minimum_order": 2}
    plan = planned(
        {
            **BOOK,
            "offers": [*BOOK["offers"], {**fresh, "project": "plant"}],
            "projects": [{"project": "plant", "supplier": "b", "cost": cost}],
        }
    )
    row = reason(plan, "fresh")
    stop = "project plant, which does not go ahead", "offers!I6"
    assert row.used == (cost == 1)
    assert ((row.stopped_by, row.stopped_at) == stop) == (cost > 1)


def test_a_rule_that_an_event_lifts_is_no_bar() -> None:
    """In half of the cases b may bring metal from March on."""
    lifted = {
        **BOOK,
        "suppliers": [{"supplier": "a"}, {"supplier": "b", "country": "Far"}],
        "rules": [{"rule": "none", "of": "country", "value": "Far", "measure": "share", "most": 0}],
        "scenarios": [{"scenario": "peace", "probability": 0.5, "revealed": "2027-03-01"}],
        "events": [
            {
                "scenario": "peace",
                "table": "rules",
                "row": "none",
                "column": "most",
                "how": "set",
                "value": 1,
            }
        ],
    }
    assert reason(planned(lifted), "dear").stopped_by != "rule none for Far"


def test_a_whole_decision_is_left_to_a_re_solve() -> None:
    plan = planned(BOOK, "offers[dear].minimum_order = 5")
    dear = reason(plan, "dear")
    assert (dear.change, dear.found_by) == (None, None)
    assert dear.reason.endswith(RESOLVED)
    assert reason(plan, "mid").found_by == "ranging, other whole decisions kept"


def test_an_offer_that_is_cheap_and_large_is_stopped_by_its_minimum() -> None:
    bulk = {**BOOK["offers"][1], "offer": "bulk", "capacity": 90, "minimum_order": 60}
    limit = "minimum order of 60", "offers!H6"
    for price, stopped, said in (
        (11.5, (None, None), "beaten by cheap, at 10 against 11.50 USD/kg discounted"),
        (9.5, limit, "no dearer than cheap, at 9.50 against 10 USD/kg discounted"),
    ):
        plan = planned({**BOOK, "offers": [*BOOK["offers"], {**bulk, "price": price}]})
        row = reason(plan, "bulk", "FY2027")
        assert (row.used, row.beaten_by) == (False, "cheap")
        assert (row.stopped_by, row.stopped_at) == stopped
        assert said in row.reason


def test_what_is_done_once_says_how_likely_and_for_what() -> None:
    """A plant for 8 sells at 1 what is worth 5: only in the scenario that needs any of it."""
    scenarios = [{"scenario": "war", "probability": 0.25, "revealed": "2027-02-01"}]
    event = {"scenario": "war", "table": "demand", "column": "quantity", "how": "set", "value": 10}
    tables = {
        "settings": BOOK["settings"] | {"periods": 2},
        "materials": [{"material": "ga", "shortage_cost": 5}],
        "suppliers": BOOK["suppliers"],
        "projects": [
            {"project": "mine", "supplier": "a", "cost": 8, "decide_from": "2027-02-01"},
            {"project": "pit", "supplier": "b", "cost": 9, "decide_from": "2027-02-01"},
        ],
        "offers": [BOOK["offers"][0] | {"price": 1, "capacity": None, "project": "mine"}],
        "demand": [BOOK["demand"][0] | {"quantity": 0, "to": None}],
        "scenarios": scenarios,
        "events": [event],
    }
    plan = planned(tables)
    assert reason(plan, "mine", "FY2027").reason == "used with probability 25 %, for 8 USD"
    assert reason(plan, "pit", "FY2027").reason == "not used, for 9 USD"


def test_every_choice_has_a_reason_and_its_years_add_up() -> None:
    plan = planned(SHARED)
    rows = plan.of(Reason)
    assert {each.choice for each in rows} >= {"offer", "level", "project", "outlet", "site"}
    for whole in (each for each in rows if each.fiscal_year is None):
        years = [
            each.quantity
            for each in rows
            if (each.choice, each.name, each.level) == (whole.choice, whole.name, whole.level)
            and each.fiscal_year
        ]
        assert sum(years) == pytest.approx(whole.quantity)
    ordered = plan["orders"].groupby("offer")["ordered"].sum()
    for name, quantity in ordered.items():
        assert reason(plan, str(name)).quantity == pytest.approx(quantity)


SHORTS: dict[str, Any] = {
    **BOOK,
    "materials": [{"material": "ga", "shortage_cost": 50, "below_target_cost": 40}],
    "offers": BOOK["offers"][:1],
    "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-03-01", "quantity": 10}],
    "targets": [{"material": "ga", "from": "2027-04-01", "quantity": 20}],
}
"""32 kg come, 8 a month, and 50 are wanted."""


def test_each_period_that_is_short_says_which_limit_holds_it_back() -> None:
    plan = planned(SHORTS)
    missing = [each for each in plan.of(Reason) if each.choice == SHORT]
    assert sum(each.quantity for each in missing) == pytest.approx(plan.shortfall) == 18
    assert {each.name for each in missing} == {"demand for ga", "target for ga"}
    assert {(each.stopped_by, each.stopped_at) for each in missing} == {
        ("capacity of offer cheap", "offers!E2")
    }
    assert all("short in 2027-" in each.reason for each in missing)


def test_the_horizon_rows_are_shown_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.support.books import book

    path = book(tmp_path / "mine.xlsx", BOOK)
    ran = run(capsys, "solve", str(path), "-o", str(tmp_path / "plan.xlsx"), "--all")
    assert ran.status == 0
    assert "Why not" in ran.out
    assert "offer dear: not used at 22 USD/kg landed" in ran.out


def test_the_sheet_is_read_again_from_both_formats(tmp_path: Path) -> None:
    plan = planned(BOOK)
    for name in ("plan.xlsx", "plan.json"):
        saved = so.load_plan(plan.save(tmp_path / name))
        assert saved["reasons"]["reason"].tolist() == plan["reasons"]["reason"].tolist()
        assert so.audit(so.from_tables(BOOK), saved).findings == ()


# --- Its audit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "column", "change", "said"),
    [
        ("cheap", "quantity", lambda value: value + 1, "quantity"),
        ("cheap", "landed", lambda value: value + 1, "landed"),
        ("cheap", "duty", lambda value: value + 1, "landed"),
        ("cheap", "used", lambda value: not value, "not used, and its quantity"),
        ("target for ga", "quantity", lambda value: value + 1, "what is missing in all"),
    ],
)
def test_a_planted_error_is_found(
    which: str, column: str, change: Callable[[Any], Any], said: str
) -> None:
    plan = planned(SHORTS)
    rows = list(plan.of(Reason))
    at = next(k for k, each in enumerate(rows) if each.name == which)
    rows[at] = replace(rows[at], **{column: change(getattr(rows[at], column))})
    wrong = replace(plan, rows={**plan.rows, Reason: tuple(rows)})
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()
    findings = audit(plan.stockpile, as_sheets(wrong)).findings
    assert findings
    assert all(said in str(each) for each in findings)


# --- Marginal values ------------------------------------------------------------------------------

LIMITED: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0, "discount_rate": 0.05},
    "materials": [{"material": "ga", "shortage_cost": 90, "below_target_cost": 3.7}],
    "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
    "sites": [{"site": "s", "capacity": 13, "cost": 0.21}],
    "offers": [
        {"offer": "cheap", "supplier": "a", "material": "ga", "price": 10.3, "total": 23},
        {"offer": "dear", "supplier": "b", "material": "ga", "price": 14.1, "capacity": 7.5},
    ],
    "outlets": [{"outlet": "x", "material": "ga", "form": "sale", "price": 40, "capacity": 1.5}],
    "demand": [
        {"material": "ga", "from": f"2027-0{m}-01", "quantity": q}
        for m, q in ((2, 9.1), (3, 6.4), (4, 11.3))
    ],
    "targets": [{"material": "ga", "from": "2027-03-01", "quantity": 4}],
    "funds": [{"fund": "f"}],
    "budgets": [{"fund": "f", "from": "2027-01-01", "amount": 461}],
    "rules": [{"rule": "some", "of": "supplier", "value": "b", "measure": "quantity", "least": 12}],
}


def cells(plan: Plan) -> dict[str, list[MarginalValue]]:
    found: dict[str, list[MarginalValue]] = {}
    for each in plan.of(MarginalValue):
        found.setdefault(str(each.cell), []).append(each)
    return found


@pytest.mark.parametrize(
    ("cell", "change"),
    [
        ("sites!B2", "sites[s].capacity add {}"),
        ("offers!E2", "offers[cheap].total add {}"),
        ("offers!F3", "offers[dear].capacity add {}"),
        ("outlets!E2", "outlets[x].capacity add {}"),
        ("budgets!C2", "budgets[f].amount add {}"),
        ("rules!E2", "rules[some].least add {}"),
        ("targets!C2", "targets[ga].quantity add {}"),
        ("demand!C3", "demand[row 3].quantity add {}"),
    ],
)
@pytest.mark.parametrize("looser", [True, False])
def test_each_worth_is_a_finite_difference_within_its_range(
    cell: str, change: str, looser: bool
) -> None:
    """A step within the ranges of all rows of a cell saves, or costs, what their worths sum to."""
    plan = planned(LIMITED)
    rows = cells(plan)[cell]
    sign = 1 if (rows[0].sense == "most") == looser else -1
    ends = [each.holds_to if sign > 0 else each.holds_from for each in rows]
    room = (
        min(abs(end - each.amount) for end, each in zip(ends, rows, strict=True) if end is not None)
        if any(end is not None for end in ends)
        else 1.0
    )
    step = min(room / len(rows), 1.0) * 0.9
    if step < 1e-6:
        assert any(each.worth for each in rows)  # it binds, and holds on the other side only
        return
    other = planned(LIMITED, change.format(repr(sign * step)))
    saved = plan.objective - other.objective
    worth = sum(each.worth for each in rows) * (step if looser else -step)
    assert saved == pytest.approx(worth, abs=1e-6)


def test_beyond_its_range_a_limit_is_worth_less() -> None:
    """The two months of 10 kg need 8 each of `cheap`, until 10 are there."""
    plan = planned(BOOK)
    (row,) = [each for each in cells(plan)["offers!E2"] if each.date.month == 2]
    assert (row.worth, row.holds_from, row.holds_to) == (pytest.approx(1), 2, 10)


def test_a_limit_that_does_not_bind_is_worth_nothing_down_to_what_is_used() -> None:
    plan = planned(BOOK)
    (row,) = cells(plan)["offers!E3"]
    assert (row.worth, row.used, row.holds_from, row.holds_to) == (0, 2, 2, None)


def test_a_share_is_worth_what_a_small_change_saves_and_has_no_range() -> None:
    tables = {
        **BOOK,
        "rules": [{"rule": "few", "of": "supplier", "value": "a", "measure": "share", "most": 0.5}],
    }
    plan = planned(tables)
    (row,) = cells(plan)["rules!E2"]
    assert (row.holds_from, row.holds_to) == (None, None)
    step = 1e-4
    other = planned(tables, f"rules[few].most add {step}")
    assert (plan.objective - other.objective) / step == pytest.approx(row.worth, rel=1e-3)


@pytest.mark.parametrize("times", [1e6, 1e-6])
def test_reasons_do_not_depend_on_the_unit_of_quantity(times: float) -> None:
    """All quantities times s, and all prices per quantity over s."""
    held, paid = ("capacity", "total", "quantity", "least"), ("price", "shortage_cost", "cost")
    paid = (*paid, "below_target_cost")

    def scaled(row: dict[str, Any]) -> dict[str, Any]:
        by = {**dict.fromkeys(held, times), **dict.fromkeys(paid, 1 / times)}
        return {k: each * by[k] if k in by else each for k, each in row.items()}

    tables = {
        name: rows if isinstance(rows, dict) else [scaled(row) for row in rows]
        for name, rows in LIMITED.items()
    }
    plan, other = planned(LIMITED), planned(tables)
    assert [(each.name, each.used, each.stopped_by) for each in other.of(Reason)] == [
        (each.name, each.used, each.stopped_by) for each in plan.of(Reason)
    ]
    for one, two in zip(plan.of(Reason), other.of(Reason), strict=True):
        assert (one.change is None) == (two.change is None)
        if one.change is not None and two.change is not None:
            assert two.change * times == pytest.approx(one.change, rel=1e-5)
    assert len(other.of(MarginalValue)) == len(plan.of(MarginalValue))


@pytest.mark.parametrize("times", [1.0, 1000.0])
def test_the_limit_is_named_of_which_one_per_cent_is_worth_most(times: float) -> None:
    """One more of the capacity in February saves 22 - 15, one more of the total 15 - 10: as there
    are 20 of these and 8 of those, one per cent of the total saves more."""
    offers = [
        {
            "offer": "cheap",
            "supplier": "a",
            "price": 10,
            "capacity": 8,
            "total": 20,
            "from": "2027-02-01",
        },
        {"offer": "now", "supplier": "b", "price": 22, "to": "2027-02-28"},
        {"offer": "later", "supplier": "b", "price": 15, "from": "2027-03-01"},
    ]
    by = {"price": 1 / times, "capacity": times, "total": times}
    plan = planned(
        {
            **BOOK,
            "materials": [{"material": "ga", "shortage_cost": 1000 / times}],
            "offers": [
                {"material": "ga"} | {k: v * by[k] if k in by else v for k, v in each.items()}
                for each in offers
            ],
            "demand": [BOOK["demand"][0] | {"quantity": 10 * times}],
        }
    )
    worth = {each.limit: each.worth * times for each in plan.of(MarginalValue)}
    assert worth["capacity of offer cheap"] == pytest.approx(7)
    assert worth["total of offer cheap"] == pytest.approx(5)
    assert reason(plan, "cheap").stopped_by == "total of offer cheap"


# --- Edits ----------------------------------------------------------------------------------------


def test_an_edit_costs_what_the_plan_with_it_costs_more() -> None:
    """Instead of 2 kg at 12 in the fourth month, 2 at 10 that are held three months."""
    book = so.from_tables(BOOK)
    edited = so.solve(book.change("offers[mid].capacity = 0")).plan
    found = so.edit_cost(book, edited)
    assert found.cost == pytest.approx(2)
    assert (found.at_least, found.at_most) == (pytest.approx(2), pytest.approx(2))
    assert "order mid 2027-04-01: 0 instead of 2" in found.edits
    assert so.edit_cost(book, so.solve(book).plan).edits == ()


def test_an_edit_that_no_plan_has_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.support.books import book

    path = book(tmp_path / "mine.xlsx", BOOK)
    other = so.solve(so.read(path).change("offers[cheap].capacity = 20")).plan
    assert other is not None
    saved = other.save(tmp_path / "plan.json")
    found = so.edit_cost(so.from_tables(BOOK), saved)
    assert (found.cost, found.ended) == (None, "infeasible")
    ran = run(capsys, "audit", str(path), str(saved), "--cost-of-edit")
    assert "Edits: " in ran.out


def test_what_an_extension_brings_is_brought_by_its_level() -> None:
    """Two months of 10 at 1 and, for 3 more, two more of them; the offers ask 10 and more.

    January's are paid and not taken: nobody needs them before February.
    """
    tables = {
        **BOOK,
        "suppliers": [*BOOK["suppliers"], {"supplier": "mine"}],
        "contracts": [
            {
                "contract": "offtake",
                "supplier": "mine",
                "material": "ga",
                "sign_to": "2027-01-31",
                "term_months": 2,
                "option_months": 2,
                "option_price": 3,
            }
        ],
        "floors": [{"contract": "offtake", "level": "low", "floor": 1, "annual_quantity": 120}],
    }
    assert reason(planned(tables), "offtake", level="low").quantity == pytest.approx(30)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_where_a_value_holds_says_nothing_for_noise(scale: float) -> None:
    """Whatever the unit: next to the limit and the other end."""
    assert [*ends(50 * scale, 2e-5 * scale, 64 * scale)] == pytest.approx([0, 64 * scale])
    low, high = ends(50 * scale, 0.01 * scale, math.inf)
    assert (low, high) == (pytest.approx(0.01 * scale), None)
    assert [*ends(0.0, -2e-5 * scale, 64 * scale)] == pytest.approx([0, 64 * scale])
    assert [*ends(0.0, -math.inf, 0.0)] == [None, 0]
