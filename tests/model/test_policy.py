"""Rules: who counts towards a group, over which window, and what nothing is a share of."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.policy import Rule, RuleKept, windows
from stockpile_model.build import report
from stockpile_model.data import Stockpile
from tests.support.accept import Case, book, built, contract, faults, floor, least_cost, lot, material, offer, put, rule, supplier

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
        one_month(60, 40),
        [one_month(61, 40), one_month(39, 60)],
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
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("window", "settings", "named"),
    [
        ("horizon", {"periods": 3}, {"horizon": {0, 1, 2}}),
        ("period", {"periods": 3}, {"2027-01": {0}, "2027-02": {1}, "2027-03": {2}}),
        ("fiscal_year", {"periods": 15}, {"FY2027": set(range(9)), "FY2028": set(range(9, 15))}),  # from October
        ("fiscal_year", {"periods": 15, "fiscal_year_start": 1}, {"FY2027": set(range(12)), "FY2028": {12, 13, 14}}),
        ("fiscal_year", {"periods": 5, "period_months": 6, "fiscal_year_start": 4}, {"FY2027": {0}, "FY2028": {1, 2}, "FY2029": {3, 4}}),
    ],
)
def test_windows(window: str, settings: dict[str, int], named: dict[str, set[int]]) -> None:
    stockpile = book(**settings)
    assert dict(windows(stockpile, rule("supplier", "plant", window=window, most=1)).values()) == named


def test_nothing_is_within_any_share() -> None:
    """Nothing need be bought, so that no share of it is missing."""
    assert least_cost(held(rule("supplier", "cn", least=0.5))) == 0


def test_a_quantity_that_nothing_can_bring_is_infeasible() -> None:
    assert least_cost(book(offer(), *PLANTS, supplier(), rule("supplier", "cn", measure="quantity", least=1))) is None


def test_a_rule_is_told_with_its_slack() -> None:
    stockpile = held(
        Rule(rule="one", of="supplier", most=0.6), Rule(rule="two", of="bloc", value="other", measure="quantity", least=10, most=100)
    )
    told = [row for row in report(put(built(stockpile), one_month(60, 40))) if isinstance(row, RuleKept)]
    shown = [(row.rule, row.value, row.window, row.observed, row.slack, row.binding) for row in told]
    assert shown == [
        ("one", "cn", "horizon", pytest.approx(0.4), pytest.approx(0.2), False),
        ("one", "us", "horizon", pytest.approx(0.6), pytest.approx(0.0), True),
        ("two", "other", "horizon", 40, 30, False),
    ]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (rule("supplier", "us"), "rules.most: the rule has no limit: give least or most"),
        (rule("supplier", "us", most=40), "rules.most: must be at most 1 for a share (0.25 is 25 %), found 40"),
        (rule("supplier", "us", least=0.5, most=0.4), "rules.least: must not be above most (0.4), found 0.5"),
        (rule("country", "UK", most=0.4), "rules.value: no country 'UK' in the sheet suppliers"),
        (rule("offer", "c", most=0.4), "rules.value: no offer 'c' in the sheet offers"),
        (
            rule("foreign_feedstock", "us", most=0.4),
            "rules.value: must be blank for foreign_feedstock: each supplier counts by its own share",
        ),
    ],
)
def test_faults_of_a_rule(broken: Rule, fault: str) -> None:
    assert faults(held(broken)) == [fault]
