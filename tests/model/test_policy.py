"""Rules: who counts towards a group, over which window, and what nothing is a share of."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.policy.rule_terms import Rule, members
from stockpile_model.build import report
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    book,
    broken,
    built,
    contract,
    demand,
    faults,
    floor,
    least_cost,
    lot,
    material,
    offer,
    outlet,
    prices,
    project,
    put,
    rule,
    site,
    supplier,
)

PLANTS = (
    supplier("us", country="US", bloc="domestic", stage="operating", foreign_feedstock=0.25),
    supplier("cn", country="CN", bloc="other", stage="building", foreign_feedstock=1),
)
OFFERS = (offer("a", supplier="us"), offer("b", supplier="cn"))
INDIUM = (material("ga"), material("in"), offer("c", supplier="us", material="in"))


def one_month(a: float, b: float) -> dict[str, float]:
    """a bought of the American plant and b of the Chinese, in one month."""
    return {"buy[a,0]": a, "buy[b,0]": b, "stock[ga,stockpile,0,0]": a + b}


def held(*rules: Rule) -> Stockpile:
    return book(*OFFERS, *PLANTS, *rules, periods=1)


CAPPED = (offer("a", supplier="us", capacity=100), offer("b", supplier="cn", capacity=100))
BOTH = {"counted[policy,us,0]": 1, "counted[policy,cn,0]": 1}


def counted(*rules: Rule) -> Stockpile:
    return book(*CAPPED, *PLANTS, *rules, periods=1)


CASES = [
    *(
        Case("hold_rule_most", f"of {of} {value} at most 40 %", held(rule(of, value, most=0.4)), one_month(60, 40), [one_month(60, 41)])
        for of, value in [
            ("supplier", "cn"), ("country", "CN"), ("country", "cn"), ("bloc", "other"), ("stage", "building"), ("offer", "b"),
        ]
    ),
    Case(
        "hold_rule_most",
        "a blank value speaks of each in turn",
        held(rule("supplier", most=0.6)),
        one_month(60, 40) | {"total[policy,0]": 100},
        [
            one_month(61, 40) | {"total[policy,0]": 101},
            one_month(39, 60) | {"total[policy,0]": 99},
        ],
    ),
    Case(
        "balance_total",
        "all that arrives, once for rules that weigh the same",
        held(rule("supplier", most=0.6), rule("bloc", "domestic", rule="home", most=0.7)),
        one_month(60, 40) | {"total[policy,0]": 100},
        [{"total[policy,0]": 110}, one_month(59, 40)],
    ),
    Case(
        "hold_rule_least",
        "at least a quarter of it is domestic",
        held(rule("bloc", "domestic", least=0.25)),
        one_month(25, 75),
        [one_month(24, 75)],
    ),
    Case(
        "hold_rule_most",
        "looked through to the feedstock: (0.25 x 80 + 20) of 100",
        held(rule("foreign_feedstock", most=0.4)),
        one_month(80, 20),
        [one_month(79, 21)],
    ),
    Case(
        "hold_rule_most",
        "a quantity",
        held(rule("supplier", "cn", measure="quantity", most=30)),
        one_month(0, 30),
        [one_month(90, 31)],
    ),
    Case(
        "hold_rule_least",
        "a least quantity",
        held(rule("supplier", "cn", measure="quantity", least=30)),
        one_month(0, 30),
        [one_month(90, 29)],
    ),
    Case(
        "hold_rule_most",
        "of one material only",
        book(*OFFERS, *PLANTS, *INDIUM, rule("supplier", "cn", material="ga", most=0.5), periods=1),
        one_month(40, 40) | {"buy[c,0]": 90, "stock[in,stockpile,0,0]": 90},
        [one_month(40, 41)],
    ),
    Case(
        "hold_rule_most",
        "of all materials together",
        book(*OFFERS, *PLANTS, *INDIUM, rule("supplier", "cn", most=0.5), periods=1),
        one_month(40, 60) | {"buy[c,0]": 20, "stock[in,stockpile,0,0]": 20},
        [{"buy[c,0]": 19, "stock[in,stockpile,0,0]": 19}],
    ),
    Case(
        "hold_rule_most",
        "what arrives counts when it arrives, as much as arrives, and opening stock does not",
        book(
            offer("a", supplier="us"), offer("b", supplier="cn", lead_time_months=1, availability=0.5), *PLANTS, lot(99, 0),
            rule("supplier", "cn", window="period", most=0.5),
        ),
        {"buy[b,0]": 80, "buy[a,1]": 40, "stock[ga,stockpile,0,0]": 99, "stock[ga,stockpile,0,1]": 179},
        [{"buy[a,1]": 39, "stock[ga,stockpile,0,1]": 178}],
    ),
    Case(
        "hold_rule_most",
        "deliveries under contracts count",
        book(*PLANTS, *OFFERS, contract(supplier="cn", availability=0.5), floor(8, 240), rule("contract", "offtake", most=0.5), periods=1),
        one_month(10, 0) | {"sign[offtake,low,0]": 1, "take[offtake,low,0,0]": 20, "stock[ga,stockpile,0,0]": 20},
        [one_month(9, 0) | {"stock[ga,stockpile,0,0]": 19}],
    ),
    Case(
        "hold_rule_most",
        "the months of a fiscal year together, and not those of the next",
        book(*OFFERS, *PLANTS, rule("supplier", "cn", window="fiscal_year", most=0.5), periods=3, fiscal_year_start=3),
        {"buy[a,0]": 10, "stock[ga,stockpile,0,0]": 10, "buy[b,1]": 10, "stock[ga,stockpile,0,1]": 20}
        | {"buy[a,2]": 9, "stock[ga,stockpile,0,2]": 29},
        [
            {"buy[b,1]": 11, "buy[a,2]": 8, "stock[ga,stockpile,0,1]": 21},
            {"buy[a,2]": 0, "buy[b,2]": 9},
        ],
    ),
    Case(
        "hold_rule_least",
        "the horizon as a whole",
        book(*OFFERS, *PLANTS, rule("supplier", "us", least=0.5)),
        {"buy[b,0]": 10, "buy[a,1]": 10, "stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 20},
        [{"buy[a,1]": 9, "stock[ga,stockpile,0,1]": 19}],
    ),
    Case(
        "hold_rule_most",
        "300 spent on the Chinese plant, at 10 each",
        held(rule("country", "CN", measure="spend", most=300)),
        one_month(90, 30),
        [one_month(90, 30.1)],
    ),
    Case(
        "hold_rule_least",
        "at least 300 on each",
        held(rule("supplier", measure="spend", least=300)),
        one_month(30, 30),
        [one_month(29, 30), one_month(30, 29)],
    ),
    Case(
        "hold_rule_most",
        "with adder, duty, freight and the cost of an order, in the month in which it is paid",
        book(
            offer("b", supplier="cn", adder=1, duty=0.1, freight=3, order_cost=50, capacity=99, lead_time_months=1, availability=0.5),
            *PLANTS,
            rule("supplier", "cn", measure="spend", window="period", most=150), discount_rate=0.5,
        ),
        {"buy[b,0]": 20, "place[b,0]": 1, "stock[ga,stockpile,0,1]": 10},
        [{"buy[b,0]": 20.2, "stock[ga,stockpile,0,1]": 10.1}],
    ),
    Case(
        "hold_rule_most",
        "paid on order in January",
        book(
            offer("b", supplier="cn", lead_time_months=1, availability=0.5, payment="order"), *PLANTS,
            rule("supplier", "cn", measure="spend", window="period", most=200), periods=3,
        ),
        {"buy[b,0]": 20, "stock[ga,stockpile,0,1]": 10, "buy[b,1]": 20, "stock[ga,stockpile,0,2]": 20},
        [{"buy[b,0]": 20.2, "stock[ga,stockpile,0,1]": 10.1, "stock[ga,stockpile,0,2]": 20.1}],
    ),
    Case(
        "hold_rule_most",
        "deliveries under a contract with duty and freight, what is not taken, and the signing",
        book(
            *PLANTS, contract(supplier="cn", duty=0.25, freight=1, signing_cost=7), floor(8, 120),
            rule("contract", "offtake", measure="spend", most=7 + 6 * 11 + 4 * 8), periods=1,
        ),
        {"sign[offtake,low,0]": 1, "take[offtake,low,0,0]": 6, "stock[ga,stockpile,0,0]": 6, "deficit[offtake,low,0,0]": 4},
        [{"deficit[offtake,low,0,0]": 5}, {"take[offtake,low,0,0]": 7, "stock[ga,stockpile,0,0]": 7}],
    ),
    Case(
        "hold_rule_most",
        "what a cfd pays, and not what it receives",
        book(
            *PLANTS, contract(supplier="cn", form="cfd", price_index="market", upside_share=1, upside_trigger=9, upside_cap=1200),
            floor(8, 120), floor(8, 180, "high"), *prices(6, 20), rule("country", "CN", measure="spend", most=20),
        ),
        {"sign[offtake,low,0]": 1, "upside[offtake,low,0,1]": 110},
        [{"sign[offtake,low,0]": 0, "upside[offtake,low,0,1]": 0, "sign[offtake,high,0]": 1, "upside[offtake,high,0,1]": 165}],
    ),
    Case(
        "hold_rule_most",
        "neither grants nor what storage costs",
        book(
            offer("b", supplier="cn", project="plant 2", capacity=99), *PLANTS, material(holding_cost=3),
            project(cost=500, supplier="cn"), rule("supplier", "cn", measure="spend", most=300), periods=1,
        ),
        {"grant[plant 2,0]": 1, "buy[b,0]": 30, "stock[ga,stockpile,0,0]": 30},
        [{"buy[b,0]": 31, "stock[ga,stockpile,0,0]": 31}],
    ),
    Case(
        "hold_rule_most",
        "looked through to the feedstock: 0.25 x 800 + 200",
        held(rule("foreign_feedstock", measure="spend", most=400)),
        one_month(80, 20),
        [one_month(81, 20), one_month(80, 20.1)],
    ),
    Case(
        "hold_rule_most",
        "on one material only",
        book(*OFFERS, *PLANTS, *INDIUM, rule("supplier", "us", material="ga", measure="spend", most=400), periods=1),
        one_month(40, 40) | {"buy[c,0]": 90, "stock[in,stockpile,0,0]": 90},
        [one_month(41, 40)],
    ),
    Case(
        "hold_rule_least",
        "two suppliers at least",
        counted(rule("supplier", measure="count", least=2)),
        one_month(10, 5) | BOTH | {"arriving[policy,0]": 15},
        [{"counted[policy,cn,0]": 0}],
    ),
    Case(
        "hold_counted",
        "with a hundredth of all each at least",
        counted(rule("supplier", measure="count", least=2)),
        one_month(99, 1) | BOTH | {"arriving[policy,0]": 100},
        [one_month(99.1, 0.9)],
    ),
    Case(
        "hold_counted",
        "or with the share that the rule says, which one that is not counted need not bring",
        counted(rule("supplier", measure="count", least=1, count_from=0.4)),
        one_month(70, 30) | {"counted[policy,us,0]": 1, "arriving[policy,0]": 100},
        [{"counted[policy,cn,0]": 1}],
    ),
    Case(
        "hold_counted",
        "of what arrives in the window, all months together",
        book(*CAPPED, *PLANTS, rule("supplier", measure="count", least=2, window="fiscal_year"), fiscal_year_start=3, periods=3),
        {"buy[a,0]": 50, "buy[b,1]": 50, "stock[ga,stockpile,0,0]": 50, "stock[ga,stockpile,0,1]": 100, "stock[ga,stockpile,0,2]": 104}
        | {f"counted[policy,{plant},{t}]": 1 for plant in ("us", "cn") for t in (1, 2)}
        | {"arriving[policy,1]": 100, "buy[a,2]": 2, "buy[b,2]": 2, "arriving[policy,2]": 4},
        [{"buy[b,1]": 0.5, "buy[a,0]": 99.5, "stock[ga,stockpile,0,0]": 99.5}],
    ),
    Case(
        "hold_present",
        "of nothing nobody brings a share",
        counted(rule("supplier", measure="count", least=2)),
        one_month(1, 1) | BOTH | {"arriving[policy,0]": 2},
        [one_month(0, 0) | {"arriving[policy,0]": 0}],
    ),
    Case(
        "balance_arriving",
        "all that arrives in the window",
        counted(rule("supplier", measure="count", least=1)),
        one_month(60, 40) | {"counted[policy,us,0]": 1, "arriving[policy,0]": 100},
        [{"arriving[policy,0]": 90}],
    ),
    Case(
        "counted",
        "a member counts or does not",
        counted(rule("supplier", measure="count", least=1)),
        one_month(50, 50) | {"counted[policy,us,0]": 1, "arriving[policy,0]": 100},
        [{"counted[policy,us,0]": 0.5, "counted[policy,cn,0]": 0.5}],
    ),
    Case(
        "hold_rule_most",
        "one supplier at most",
        counted(rule("supplier", measure="count", most=1)),
        one_month(10, 0) | {"present[policy,us,0]": 1},
        [{"present[policy,cn,0]": 1}],
    ),
    Case(
        "cap_present",
        "and of the other nothing at all",
        counted(rule("supplier", measure="count", most=1)),
        one_month(100, 0) | {"present[policy,us,0]": 1},
        [one_month(100, 0.0001), {"present[policy,us,0]": 0}],
    ),
    Case(
        "cap_present",
        "over all sites and months of a window, and neither of another one nor of opening stock",
        book(
            *CAPPED, *PLANTS, rule("supplier", measure="count", most=1, window="fiscal_year"), lot(9, 0, site="north"), site("north"),
            site("south"), fiscal_year_start=3, periods=3,
        ),
        {"present[policy,us,1]": 1, "present[policy,cn,2]": 1, "buy[a,0]": 100, "arrive[a,north,0]": 60, "arrive[a,south,0]": 40}
        | {f"stock[ga,north,0,{t}]": 69 for t in range(3)} | {"stock[ga,south,0,0]": 40, "stock[ga,south,0,1]": 40}
        | {"buy[b,2]": 100, "arrive[b,south,2]": 100, "stock[ga,south,0,2]": 140},
        [
            {"buy[b,1]": 1, "arrive[b,south,1]": 1, "stock[ga,south,0,1]": 41, "stock[ga,south,0,2]": 141},
            {"present[policy,cn,2]": 0},
        ],
    ),
    Case(
        "cap_present",
        "what arrives under a contract counts",
        book(
            *CAPPED, *PLANTS, contract(supplier="cn", flex=2, availability=0.5, take_or_pay=0), floor(8, 120),
            rule("supplier", measure="count", most=1), periods=1,
        ),
        {"sign[offtake,low,0]": 1, "take[offtake,low,0,0]": 20, "stock[ga,stockpile,0,0]": 10, "present[policy,cn,0]": 1},
        [{"buy[a,0]": 1, "stock[ga,stockpile,0,0]": 11}],
    ),
    Case(
        "present",
        "a member is counted or not",
        counted(rule("supplier", measure="count", most=1)),
        one_month(50, 0) | {"present[policy,us,0]": 1},
        [one_month(50, 50) | {"present[policy,us,0]": 0.5, "present[policy,cn,0]": 0.5}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("window", "settings", "named"),
    [
        ("horizon", {"periods": 3}, {"horizon": {0, 1, 2}}),
        ("period", {"periods": 3}, {"2027-01": {0}, "2027-02": {1}, "2027-03": {2}}),
        (
            "fiscal_year",
            {"periods": 15},
            {"FY2027": set(range(9)), "FY2028": set(range(9, 15))},
        ),  # from October
        (
            "fiscal_year",
            {"periods": 15, "fiscal_year_start": 1},
            {"FY2027": set(range(12)), "FY2028": {12, 13, 14}},
        ),
        (
            "fiscal_year",
            {"periods": 5, "period_months": 6, "fiscal_year_start": 4},
            {"FY2027": {0}, "FY2028": {1, 2}, "FY2029": {3, 4}},
        ),
    ],
)
def test_windows(window: str, settings: dict[str, int], named: dict[str, set[int]]) -> None:
    assert dict(book(**settings).windows(window).values()) == named


def test_nothing_is_within_any_share() -> None:
    """Nothing need be bought, so that no share of it is missing."""
    assert least_cost(held(rule("supplier", "cn", least=0.5))) == 0


def test_a_quantity_that_nothing_can_bring_is_infeasible() -> None:
    assert (
        least_cost(
            book(offer(), *PLANTS, supplier(), rule("supplier", "cn", measure="quantity", least=1))
        )
        is None
    )


def test_a_rule_is_reported_with_its_slack() -> None:
    stockpile = held(
        Rule(rule="one", of="supplier", most=0.6),
        Rule(rule="two", of="bloc", value="other", measure="quantity", least=10, most=100),
    )
    told = [
        row for row in report(put(built(stockpile), one_month(60, 40))) if isinstance(row, RuleKept)
    ]
    shown = [
        (row.rule, row.value, row.window, row.observed, row.slack, row.binding) for row in told
    ]
    assert shown == [
        ("one", "cn", "horizon", pytest.approx(0.4), pytest.approx(0.2), False),
        ("one", "us", "horizon", pytest.approx(0.6), pytest.approx(0.0), True),
        ("two", "other", "horizon", 40, 30, False),
    ]


THREE = (
    *PLANTS,
    supplier("gr", country="GR", bloc="allied"),
    supplier("cn 2", country="CN", bloc="other"),
    supplier("none"),
)


@pytest.mark.parametrize(
    ("asked", "of", "names"),
    [
        (rule("supplier", measure="count", most=1), "supplier", ["cn", "cn 2", "gr", "none", "us"]),
        (rule("supplier", "cn", measure="count", most=1), "supplier", ["cn"]),
        (rule("country", measure="count", most=1), "country", ["CN", "GR", "US"]),
        (
            rule("country", "cn", measure="count", most=1),
            "supplier",
            ["cn", "cn 2"],
        ),  # of one country its suppliers
        (rule("bloc", measure="count", most=1), "bloc", ["allied", "domestic", "other"]),
        (rule("bloc", "other", measure="count", most=1), "supplier", ["cn", "cn 2"]),
        (rule("stage", "building", measure="count", most=1), "supplier", ["cn"]),
        (rule("foreign_feedstock", measure="count", most=1), "supplier", ["us", "cn"]),
        (rule("offer", measure="count", most=1), "offer", ["a", "b"]),
        (rule("offer", "b", measure="count", most=1), "offer", ["b"]),
    ],
)
def test_what_a_rule_counts(asked: Rule, of: str, names: list[str]) -> None:
    stockpile = book(*OFFERS, *THREE, asked)
    assert members(stockpile, *stockpile.rows(Rule)) == (of, names)


def test_a_count_makes_more_or_fewer_suppliers_deliver() -> None:
    """a at 10, b at 12, 4 of either in a month, 6 wanted: 4 of a and 2 of b.

    One: 24 have no second, unmet at 30. At least two of 3.
    """
    rows = (
        offer("a", supplier="us", capacity=4), offer("b", 12, supplier="cn", capacity=4), offer("c", 50, supplier="gr", capacity=4),
        *PLANTS, supplier("gr"), material(shortage_cost=30), demand(6),
    )  # fmt: skip
    assert least_cost(book(*rows, periods=1)) == pytest.approx(40 + 24)
    assert least_cost(
        book(*rows, rule("supplier", measure="count", most=1), periods=1)
    ) == pytest.approx(40 + 60)
    assert least_cost(
        book(*rows, rule("supplier", measure="count", most=0), periods=1)
    ) == pytest.approx(180)
    assert least_cost(
        book(*rows, rule("supplier", measure="count", least=3), periods=1)
    ) == pytest.approx(40 + 24 + 0.06 * (50 - 12))
    assert least_cost(
        book(*rows, rule("supplier", "gr", measure="count", least=1), periods=1)
    ) == pytest.approx(64 + 0.06 * (50 - 12))
    fifth = rule("supplier", measure="count", least=3, count_from=0.2)
    assert least_cost(book(*rows, fifth, periods=1)) == pytest.approx(36 + 1.2 * 12 + 1.2 * 50)
    assert least_cost(book(*rows, rule("supplier", measure="count", least=4), periods=1)) is None


def test_what_a_count_asks_for_may_be_beyond_any_use() -> None:
    """99 of a contract must be taken, 2 are wanted: a second supplier brings a hundredth of all, 1,
    at its least order of 5.
    """
    rows = (
        contract(supplier="cn", price_index=None),
        floor(8, 99 * 12),
        offer("a", 10, supplier="us", minimum_order=5),
        *PLANTS,
    )
    asked = (
        rule("supplier", measure="count", least=2),
        Commitment(kind="sign", name="offtake"),
        demand(2),
    )
    assert least_cost(book(*rows, *asked, periods=1)) == pytest.approx(99 * 8 + 50)


def test_returns_and_opening_stock_count_for_nothing() -> None:
    rows = (
        *PLANTS,
        *CAPPED,
        lot(10, -1),
        outlet("swap", "exchange"),
        material(shelf_life_months=3),
    )
    stockpile = book(
        *rows,
        rule("supplier", measure="quantity", most=0),
        Rule(rule="count", of="supplier", measure="count", most=0),
    )
    assert (
        broken(
            built(stockpile),
            {
                "out[swap,stockpile,1,0]": 10,
                "stock[ga,stockpile,0,0]": 10,
                "stock[ga,stockpile,1,1]": 10,
            },
        )
        == set()
    )


def test_spending_that_nothing_can_bring_about_is_infeasible() -> None:
    assert least_cost(
        book(*CAPPED, *PLANTS, rule("supplier", "us", measure="spend", least=1000), periods=1)
    ) == pytest.approx(1000)
    assert (
        least_cost(
            book(*CAPPED, *PLANTS, rule("supplier", "us", measure="spend", least=1001), periods=1)
        )
        is None
    )


def test_spend_and_count_are_reported() -> None:
    stockpile = counted(
        Rule(rule="one", of="country", value="CN", measure="spend", most=500), Rule(rule="two", of="supplier", measure="count", least=1),
        Rule(rule="three", of="foreign_feedstock", measure="spend", least=100, most=450),
        Rule(rule="four", of="offer", value="b", measure="count", most=1),
    )  # fmt: skip
    plan = one_month(60, 30) | {
        "counted[two,us,0]": 1,
        "counted[two,cn,0]": 1,
        "arriving[two,0]": 90,
        "present[four,b,0]": 1,
    }
    told = [row for row in report(put(built(stockpile), plan)) if isinstance(row, RuleKept)]
    assert [
        (row.rule, row.value, row.measure, row.observed, row.slack, row.binding) for row in told
    ] == [
        ("one", "CN", "spend", 300, 200, False),
        ("two", None, "count", 2, 1, False),
        ("three", None, "spend", 450, 0, True),
        ("four", "b", "count", 1, 0, True),
    ]
    first, *_ = (
        row
        for row in report(put(built(stockpile), one_month(60, 0)))
        if isinstance(row, RuleKept) and row.rule == "two"
    )
    assert (first.observed, first.slack, first.binding) == (1, 0, True)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (rule("supplier", "us"), "rules.most: the rule has no limit: give least or most"),
        (
            rule("supplier", "us", most=40),
            "rules.most: must be at most 1 for a share (0.25 is 25 %), found 40",
        ),
        (
            rule("supplier", "us", least=0.5, most=0.4),
            "rules.least: must not be above most (0.4), found 0.5",
        ),
        (
            rule("bloc", "alied", most=0.4),
            (
                "rules.value: must be one of domestic, allied, other, found 'alied' (did you mean"
                " 'allied'?)"
            ),
        ),
        (rule("supplier", "UK", most=0.4), "rules.value: no supplier 'UK' in the sheet suppliers"),
        (rule("offer", "c", most=0.4), "rules.value: no offer 'c' in the sheet offers"),
        (
            rule("supplier", measure="count", least=2, count_from=0.6),
            "rules.count_from: must be at most 1 / least: no 2 members bring 60 % each, found 0.6",
        ),
        (
            rule("foreign_feedstock", "us", most=0.4),
            (
                "rules.value: must be blank for foreign_feedstock: each supplier counts by its own"
                " share"
            ),
        ),
    ],
)
def test_faults_of_a_rule(wrong: Rule, fault: str) -> None:
    assert faults(held(wrong)) == [fault]
