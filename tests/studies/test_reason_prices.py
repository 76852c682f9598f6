"""Reasons by re-solves, and the truth of entry prices: applied, the plan takes what it left; a hair
short of it, it does not.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from optimiser.plan.plan import Plan
from optimiser.plan.reasons import Reason, sentence, settled, with_change
from optimiser.plan.turning_prices import KEPT, Changed
from optimiser.solving.solve import Options, scenario_tree, solve
from optimiser.studies.engine import turning_case
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.evaluate import CaseEvaluator
from optimiser.studies.engine.runner import SharedTime
from optimiser.studies.what_ifs import REASON_PRICES
from optimiser.studies.what_ifs.reason_prices import (
    BOUND,
    RESOLVE,
    RulePrice,
    answer,
    life_value,
    questions,
)
from stockpile_model.block import choices
from stockpile_model.build import build
from stockpile_model.evaluation import evaluate
from stockpile_model.tables import Material
from tests.support.accept import book, material
from tests.support.plans import asked_beside

HAIR = 1e-5  # share of a change by which it is missed, or passed
NOTHING = 1e-6  # quantity up to which nothing is done
DRAWS = (0, 1, 2, 4, 5, 6, 7, 8, 10, 12, 14, 16)


def drawn(seed: int) -> so.Book:
    """A random small book: whole orders where the seed is odd, else money where it divides by 3."""
    r = random.Random(seed)
    whole = seed % 2 == 1

    def offer(k: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "offer": f"o{k}",
            "supplier": "ab"[k % 2],
            "material": "ga",
            "price": round(r.uniform(5, 20), 2),
            "capacity": r.choice([6, 9, 14]),
            "lead_time_months": r.choice([0, 0, 1]),
            "duty": r.choice([0, 0.05]),
            "freight": round(r.uniform(0, 1), 2),
            "availability": r.choice([1, 0.9]),
            "payment": r.choice(["order", "delivery"]),
        }
        if whole:
            found |= {"minimum_order": r.choice([None, 3, 5]), "order_cost": r.choice([None, 4, 9])}
        return found

    tables: dict[str, Any] = {
        "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0, "discount_rate": 0.05},
        "materials": [
            {"material": "ga", "shortage_cost": 60, "holding_cost": round(r.uniform(0.1, 1), 2)}
        ],
        "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
        "offers": [offer(k) for k in range(3)],
        "demand": [
            {"material": "ga", "from": f"2027-0{m}-01", "quantity": r.randint(2, 12)}
            for m in (2, 3, 4)
        ],
        "rules": [
            {"rule": "part", "of": "supplier", "value": "a", "measure": "share", "most": 0.7}
        ],
    }
    if seed % 6 == 0:
        tables["funds"] = [{"fund": "f"}]
        tables["budgets"] = [
            {"fund": "f", "from": "2027-01-01", "amount": r.choice([200, 320, 900])}
        ]
    return so.from_tables(tables)


def explained(book: so.Book) -> Plan:
    """The plan of a book, with the answers of re-solves."""
    plan = so.solve(book, gap=0.0).plan
    assert plan is not None
    return asked_beside(REASON_PRICES, plan)


def whole_rows(plan: Plan) -> list[Reason]:
    return [each for each in plan.of(Reason) if each.fiscal_year is None]


def done(book: so.Book, row: Reason) -> bool:
    """Whether the plan of a book does what a reason is about."""
    formulation = build(book.stockpile)
    solve(formulation.m, Options(gap=0.0), tree=scenario_tree(formulation))
    choice = next(each for each in choices() if each.kind == row.choice)
    stockpile = formulation.stockpile
    parts = (
        choice.done(formulation.m, stockpile, row.name, row.level, n)
        for n in choice.possible(stockpile, row.name)
    )
    return sum(evaluate(each) for found in parts for each in found) > NOTHING


def test_at_the_price_of_its_reason_each_offer_turns_and_short_of_it_does_not() -> None:
    """Random books, linear and whole, by ranging and by re-solve: their offers enter or leave."""
    told = 0
    for seed in DRAWS:
        book = drawn(seed)
        plan = explained(book) if seed % 2 else so.solve(book, gap=0.0).plan
        assert plan is not None
        for row in whole_rows(plan):
            if row.choice != "offer" or row.to_type is None or row.change is None:
                continue
            cell, _, by = row.to_type.partition(" add ")
            assert row.at_least is not None
            assert row.at_most is not None
            sign = -1 if float(by) < 0 else 1
            short = book.change(f"{cell} add {sign * row.at_least * (1 - HAIR)!r}")
            assert done(short, row) == row.used, (seed, row)
            price = float(book["offers"].set_index("offer").price[row.name])
            if row.used or row.at_most * (1 + HAIR) < price:  # none is below zero
                beyond = book.change(f"{cell} add {sign * row.at_most * (1 + HAIR)!r}")
                assert done(beyond, row) != row.used, (seed, row)
                told += 1
    assert told >= 30


CONTRACT: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 3, "mip_gap": 0},
    "materials": [{"material": "ga"}],
    "suppliers": [{"supplier": "a"}],
    "offers": [{"offer": "spot", "supplier": "a", "material": "ga", "price": 20}],
    "contracts": [
        {
            "contract": "offtake",
            "supplier": "a",
            "material": "ga",
            "signing_cost": 200,
            "sign_to": "2027-01-01",
        }
    ],
    "floors": [{"contract": "offtake", "level": "one", "floor": 15, "annual_quantity": 120}],
    "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-03-01", "quantity": 10}],
}


def test_a_level_enters_where_as_much_money_comes_with_it() -> None:
    """30 kg at 15 save 150 against 20, and signing costs 200: 50 are lacking."""
    plan = explained(so.from_tables(CONTRACT))
    (row,) = [each for each in whole_rows(plan) if each.choice == "level"]
    assert (row.used, row.change_unit, row.found_by) == (False, "USD", "re-solve")
    assert row.change == pytest.approx(50)
    assert (row.at_least, row.at_most) == (pytest.approx(50), pytest.approx(50))
    book = so.from_tables(CONTRACT)
    assert not done(book.change("contracts[offtake].signing_cost add -49.999"), row)
    assert done(book.change("contracts[offtake].signing_cost add -50.001"), row)


def test_a_level_leaves_where_it_costs_as_much_more() -> None:
    book = so.from_tables(CONTRACT).change("contracts[offtake].signing_cost = 30")
    (row,) = [each for each in whole_rows(explained(book)) if each.choice == "level"]
    assert (row.used, row.change) == (True, pytest.approx(120))
    assert done(book.change("contracts[offtake].signing_cost add 119.999"), row)
    assert not done(book.change("contracts[offtake].signing_cost add 120.001"), row)


@pytest.mark.filterwarnings("error")
def test_what_is_free_leaves_where_it_costs_as_much_as_the_next() -> None:
    """A price of 0 has no size of its own by which to move it: 30 kg and 30 for the order at it."""
    book = so.from_tables({
        **{name: CONTRACT[name] for name in ("settings", "materials", "suppliers")},
        "offers": [
            CONTRACT["offers"][0],
            {**CONTRACT["offers"][0], "offer": "free", "price": 0, "order_cost": 30},
        ],
        "demand": [{"material": "ga", "from": "2027-03-01", "quantity": 30}],
    })  # fmt: skip
    row = next(each for each in whole_rows(explained(book)) if each.name == "free")
    assert (row.used, row.change) == (True, pytest.approx(19))


def test_what_no_plan_can_have_is_said() -> None:
    """A floor at any price: the money for it is lacking."""
    book = so.from_tables(
        CONTRACT
        | {
            "funds": [{"fund": "f"}],
            "budgets": [{"fund": "f", "from": "2027-01-01", "amount": 620}],
        }
    ).change("floors[offtake/one].floor = 25")
    (row,) = [each for each in whole_rows(explained(book)) if each.choice == "level"]
    assert (row.change, row.found_by) == (None, "re-solve: no plan can have it")
    assert row.reason.endswith("re-solve: no plan can have it")


RULES: dict[str, Any] = {
    "settings": {
        "start": "2027-01-01",
        "periods": 3,
        "mip_gap": 0,
        "release_below_target": False,
    },
    "materials": [{"material": "ga", "below_target_cost": 1, "shelf_life_months": 2}],
    "suppliers": [{"supplier": "a"}, {"supplier": "b"}],
    "offers": [
        {"offer": "cheap", "supplier": "a", "material": "ga", "price": 10},
        {"offer": "dear", "supplier": "b", "material": "ga", "price": 16},
    ],
    "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-03-01", "quantity": 10}],
    "rules": [{"rule": "half", "of": "supplier", "value": "a", "measure": "share", "most": 0.5}],
    "targets": [{"material": "ga", "from": "2027-03-01", "quantity": 4, "hard": True}],
    "commitments": [
        {"kind": "order", "name": "cheap", "quantity": 2, "how": "at_least", "date": "2027-01-01"}
    ],
}


def test_the_price_of_each_rule_is_that_of_a_plan_without_it() -> None:
    """34 kg, half of them at 6 more; without the target 4 kg fewer, at 3 missed for 1 each."""
    plan = explained(so.from_tables(RULES))
    found = {each.rule: each for each in plan.of(RulePrice)}
    assert plan.objective == pytest.approx(34 * 13)
    assert found["rule half"].price == pytest.approx(17 * 6)
    assert found["rule half"].cell == "rules!E2"
    assert found["hard target for ga from 2027-03-01"].price == pytest.approx(4 * 13 - 4 * 1)
    assert found["commitment to order cheap in 2027-01-01"].price == pytest.approx(0)
    assert found["no release below a target"].price == pytest.approx(0)
    for each in found.values():
        assert each.at_least is not None
        assert each.at_most is not None
        assert each.price is not None
        assert each.at_least - NOTHING <= each.price <= each.at_most + NOTHING


def test_the_rules_together_have_a_price_of_their_own() -> None:
    """Either cap alone leaves the other; without both all 34 kg come from the cheap supplier."""
    second = {"rule": "also", "of": "offer", "value": "cheap", "measure": "share", "most": 0.5}
    plan = explained(so.from_tables(RULES | {"rules": [*RULES["rules"], second]}))
    found = {each.rule: each.price for each in plan.of(RulePrice)}
    assert found["rule half"] == pytest.approx(0)
    assert found["rule also"] == pytest.approx(0)
    assert found["rules: all 2 together"] == pytest.approx(17 * 6)


def test_a_month_of_shelf_life_is_worth_what_a_longer_life_saves() -> None:
    """Metal is cheap in the first month only, and keeps for the second."""
    tables = {
        **RULES,
        "settings": {"start": "2027-01-01", "periods": 3, "mip_gap": 0},
        "offers": [
            {"offer": "cheap", "supplier": "a", "material": "ga", "price": 10, "to": "2027-01-01"},
            {"offer": "dear", "supplier": "b", "material": "ga", "price": 16},
        ],
    }
    for name in ("rules", "targets", "commitments"):
        tables.pop(name)
    plan = explained(so.from_tables(tables))
    (row,) = [each for each in plan["marginal_values"].itertuples() if "shelf life" in each.limit]
    longer = so.solve(so.from_tables(tables).change("materials[ga].shelf_life_months = 3")).plan
    assert longer is not None
    assert row.worth == pytest.approx(plan.objective - longer.objective) == 60
    assert (row.cell, row.holds_from, row.holds_to) == ("materials!C2", 2, 3)
    assert row.in_words == "From 2027-01 one month more saves 60 USD"


def test_a_plan_with_the_worth_of_lives_passes_its_audit() -> None:
    """Also where scenarios are known from the start: the worth is that over all of them."""
    book = so.from_tables(
        {
            "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0},
            "materials": [{"material": "ga", "shelf_life_months": 2}],
            "suppliers": [{"supplier": "a"}],
            "offers": [{"offer": "spot", "supplier": "a", "material": "ga", "price_index": "ix"}],
            "prices": [{"date": "2027-01-01", "ix": 10}, {"date": "2027-02-01", "ix": 16}],
            "demand": [{"material": "ga", "from": "2027-03-01", "quantity": 5}],
            "scenarios": [{"scenario": "war", "probability": 0.5, "revealed": "2027-01-01"}],
            "events": [{"scenario": "war", "table": "prices", "column": "ix", "how": "scale", "value": 2}],
        }
    )  # fmt: skip
    plan = explained(book)
    (row,) = [each for each in plan["marginal_values"].itertuples() if "shelf life" in each.limit]
    assert row.worth == pytest.approx(5 * (16 - 10) * (1 + 2) / 2)
    assert so.audit(book, plan).findings == ()


@pytest.mark.parametrize(
    ("longer", "bound", "worth"),
    [
        (90.0, 90.0, 10.0),
        (100.0, 100.0, 0.0),
        (101.0, 95.0, None),  # between 5 more and 1 less
        (97.0, 96.0, None),  # the plan as it is may cost 96
        (100.0, 95.0, None),  # the same plan, where another may cost 95
        (94.0, 92.0, 6.0),
    ],
)
def test_what_the_gaps_hide_is_no_worth_of_a_life(
    longer: float, bound: float, worth: float | None
) -> None:
    """The plan as it is costs 100, and 96 at least."""
    stockpile = book(material(shelf_life_months=2))
    (row,) = stockpile.rows(Material)
    base = CaseResult("optimal", 100.0, 96.0 if worth != 0 else 100.0)
    found = life_value(
        stockpile, (row, "shelf_life_months"), CaseResult("optimal", longer, bound), base
    )
    assert (found and found.worth) == worth


def test_the_same_is_a_study_and_is_shown_as_json() -> None:
    book = so.from_tables(RULES)
    tables = so.study(book, "reasons")
    prices = tables["rule prices"].set_index("rule")
    assert prices.loc["rule half"].iloc[1] == pytest.approx(102)
    found = so.solve(book, gap=0.0, what_ifs=["reasons"])
    shown = found.as_object()
    assert {each["rule"] for each in shown["rule_prices"]} == set(prices.index)  # type: ignore[attr-defined]
    offers = [each for each in shown["reasons"] if each["choice"] == "offer"]  # type: ignore[attr-defined]
    assert [each["found_by"] for each in offers] == ["ranging", "ranging"]


def test_a_search_that_stops_short_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a gap nothing is proven to be at least so much."""
    monkeypatch.setattr(turning_case, "PROVEN", -1.0)
    rows = whole_rows(explained(drawn(1)))
    assert [each.at_least for each in rows if each.found_by == "re-solve" and each.change] != []
    assert {each.at_least for each in rows if each.found_by == "re-solve"} == {None}


def test_reasons_that_are_interrupted_keep_what_their_runs_said() -> None:
    seen: list[str] = []
    said: list[str] = []

    def stop(progress: so.Progress) -> None:
        if progress.phase.startswith("reasons"):
            seen.append(progress.phase)
        if progress.phase.startswith("reasons: 1 of"):
            raise KeyboardInterrupt

    part = so.solve(drawn(1), what_ifs=["reasons"], on_progress=stop, on_message=said.append)
    whole = so.solve(drawn(1), what_ifs=["reasons"])
    assert part.interrupted
    assert not whole.interrupted
    assert seen[0].startswith("reasons: 0 of")
    assert seen[-1].startswith("reasons: 1 of")
    assert any(line.startswith("interrupted") for line in said)
    found, every = (
        {
            *(row for row in each.plan.of(Reason) if row.found_by == RESOLVE),
            *(row for row in each.plan.of(RulePrice) if row.price is not None),
        }
        for each in (part, whole)
        if each.plan is not None
    )
    assert found
    assert found < every


def test_what_there_is_no_time_for_is_said_and_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question is asked, a rule before any price; the rest says so where its answer would be."""
    whole = explained(drawn(1))
    left = iter([60.0])
    monkeypatch.setattr(SharedTime, "share", lambda *_: next(left, 0.0))
    part = explained(drawn(1))
    assert part.run["reasons"] == "1 of 4 questions answered, 3 not asked: time"
    assert whole.run["reasons"] == "4 of 4 questions answered"
    offers = [row for row in whole_rows(part) if row.choice == "offer"]
    assert [row.found_by for row in offers] == [None, None, KEPT]
    assert offers[2].reason.endswith(f"({KEPT})")
    assert offers[1].change is None
    assert offers[1].reason.endswith("; what would change that was not asked: time")
    assert {each.remark for each in part.of(RulePrice)} == {None}
    assert part.of(RulePrice) == whole.of(RulePrice)
    assert settled(offers[1].reason) == "used: 10 kg at 17.72 USD/kg landed"


def test_what_is_not_asked_of_a_rule_has_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedTime, "share", lambda *_: 0.0)
    prices = explained(drawn(1)).of(RulePrice)
    assert {(each.price, each.remark) for each in prices} == {(None, "not asked: time")}


def test_a_bound_alone_says_what_a_level_must_bring_at_least() -> None:
    """What is proven before a plan is found is an answer: it costs 30 more at least."""
    stockpile = so.from_tables(CONTRACT).stockpile
    asked = next(each for each in questions(stockpile, lambda *_: False) if each.lump)
    base = CaseResult("optimal", 100.0, 99.0)
    found = answer(stockpile, asked, CaseResult("no_plan", bound=130.0), base)
    assert found == Changed(None, 30.0, None, "USD", BOUND, None)
    assert answer(stockpile, asked, CaseResult("no_plan", bound=99.5), base) is None
    assert answer(stockpile, asked, CaseResult("no_plan"), base) is None
    plan = so.solve(so.from_tables(CONTRACT)).plan
    assert plan is not None
    row = next(each for each in whole_rows(plan) if each.choice == "level" and not each.used)
    said = sentence(with_change(row, found), "USD")
    assert said.endswith(f"enters the plan only if better by at least 30 USD ({BOUND})")
    row = with_change(replace(row, used=True), found)
    assert sentence(row, "USD").endswith(
        f"leaves the plan only if worse by at least 30 USD ({BOUND})"
    )


def test_rules_are_asked_before_levels_and_these_before_prices() -> None:
    """The plan itself and a bound answer a rule, so that each has an equal share of the time."""
    some = RULES | {name: CONTRACT[name] for name in ("contracts", "floors")}
    plan = so.solve(so.from_tables(some)).plan
    assert plan is not None
    cases = REASON_PRICES.cases(plan)
    order = [(not each.partial, not each.commits) for each in cases]
    assert order == sorted(order)
    assert any(each.partial for each in cases)
    shared = SharedTime(100.0, least=30.0)
    assert shared.share(10, 1, partial=True) < 11
    assert shared.share(10, 1) > 29


def test_a_price_whose_search_ends_short_of_the_gap_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The best plan may turn at another price than the one that was found in time."""
    proven = CaseEvaluator._proven

    def short(self: CaseEvaluator, case: Any, changed: Any) -> Any:
        result, shared = proven(self, case, changed)
        return replace(result, status="feasible") if case.changes else result, shared

    monkeypatch.setattr(CaseEvaluator, "_proven", short)
    rows = [row for row in whole_rows(explained(drawn(1))) if row.choice == "offer"]
    assert [row.found_by for row in rows] == [None, None, KEPT]
    for row in rows[:2]:
        assert row.change is None
        assert row.reason.endswith("; what would change that was not found within the time limit")
