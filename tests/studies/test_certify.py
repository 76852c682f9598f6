"""Runs certified by bounds and known plans, against fresh solves of the changed workbooks."""

from __future__ import annotations

import contextlib
import gc
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest

from optimiser.solving.engine import Attempt
from optimiser.solving.linear import Basis
from optimiser.solving.solve import KnownPlan, Options, solve
from optimiser.studies.engine.case import Case, Commit
from optimiser.studies.engine.certify import Certifier, WarmStart
from optimiser.studies.engine.compiled import compile_program
from optimiser.studies.engine.evaluate import CaseEvaluator, StudyJob
from optimiser.studies.kinds import Asked
from optimiser.studies.study_sheet.every_input import every_input
from optimiser.studies.study_sheet.study_inputs import Input
from optimiser.studies.study_sheet.study_table import Study
from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.targets.target_terms import Target
from stockpile_model.build import build, check
from stockpile_model.changes import apply
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    budget,
    contract,
    demand,
    event,
    everything_uncertain,
    floor,
    fund,
    material,
    offer,
    project,
    rule,
    scenario,
    target,
)
from tests.support.books import book as written
from tests.support.plans import FULL

GAP = 0.01
OPTIONS = Options(gap=GAP, time_limit=600, threads=1)


def fresh(
    stockpile: Stockpile, case: Case, gap: float = GAP
) -> tuple[str, float | None, float | None]:
    """Status, objective and bound of a solve that knows nothing of studies."""
    for change in case.changes:
        stockpile = apply(stockpile, change)
    outcome = solve(build(stockpile).m, replace(OPTIONS, gap=gap / 10))
    return outcome.status, outcome.objective, outcome.bound


def agree(
    stockpile: Stockpile,
    cases: list[Case],
    evaluator: CaseEvaluator | None = None,
    gap: float = GAP,
) -> dict[str, int]:
    """Holds each run against a fresh solve; how many were proven how."""
    evaluator = evaluator or CaseEvaluator(StudyJob(stockpile, replace(OPTIONS, gap=gap)))
    ways: dict[str, int] = {}
    for case in cases:
        result, _ = evaluator.run(case)
        status, objective, bound = fresh(stockpile, case, gap)
        way = result.how.split(",")[0]
        ways[way] = ways.get(way, 0) + 1
        if objective is None or bound is None:
            assert (result.status, status) == ("infeasible", "infeasible"), case
            continue
        assert result.status == "optimal", (case, result)
        assert result.objective is not None
        assert result.bound is not None
        size = 1e-6 * max(1.0, abs(objective))
        assert result.objective >= bound - size, (case, "a plan cheaper than can be")
        assert result.bound <= objective + size, (case, "a bound above a plan")
        assert result.objective - result.bound <= gap * abs(result.objective) + size
    return ways


def draws(stockpile: Stockpile, moved: list[Input], count: int, seed: int) -> list[Case]:
    asked = Asked(Study(study="s", kind="monte_carlo"), tuple(moved), stockpile, GAP)
    dice = random.Random(seed)
    return [
        asked.case(*(dice.uniform(each.low, each.high) for each in moved)) for _ in range(count)
    ]


MENU = (
    *(
        contract(price_index=None),
        floor(8, 120),
        floor(9, 240, "high"),
        offer(price=12, order_cost=20, minimum_order=5, capacity=40),
    ),
    *(
        offer("far", 9, lead_time_months=1, order_cost=30, lot_size=7, capacity=30),
        demand(13, 0, 5),
        target(9, 3),
    ),
    *(material(below_target_cost=6, shortage_cost=90, holding_cost=1), fund(), budget(900)),
)
MOVED = [
    *(
        Input("offers", "spot", "price", "set", 7, 14),
        Input("offers", "far", "price", "set", 6, 12),
    ),
    *(
        Input("floors", "offtake/low", "floor", "set", 6, 11),
        Input("demand", "ga", "quantity", "set", 8, 20),
    ),
    *(
        Input("budgets", "nds", "amount", "set", 300, 1100),
        Input("materials", "ga", "below_target_cost", "set", 1, 12),
    ),
]


def test_runs_agree_with_fresh_solves_and_most_are_not_searched() -> None:
    """Dear orders leave a wide gap below, which only a search closes; cheap ones do not."""
    stockpile = book(*MENU, periods=6)
    agree(stockpile, draws(stockpile, MOVED, 10, seed=3))
    orders = (
        offer(price=12, order_cost=0.5, capacity=40),
        offer("far", 9, lead_time_months=1, order_cost=0.5, capacity=30),
    )
    cheap = book(*(row for row in MENU if not isinstance(row, Offer)), *orders, periods=6)
    ways = agree(cheap, draws(cheap, MOVED, 25, seed=3))
    assert ways.get("certified", 0) >= 15


def test_inputs_drawn_from_a_sample_workbook() -> None:
    stockpile = read("inputs/small.xlsx").stockpile
    every = [each for each in every_input(stockpile) if each.step is None]
    dice = random.Random(5)
    cases = []
    for _ in range(6):
        moved = dice.sample(every, 4)
        case = draws(stockpile, moved, 1, dice.randrange(99))[0]
        with contextlib.suppress(ValueError):
            changed = stockpile
            for change in case.changes:
                changed = apply(changed, change)
            if all(problem.warning for problem in check(changed)):
                cases.append(case)
    assert len(cases) >= 2
    agree(stockpile, cases)


def test_a_book_that_uses_everything() -> None:
    """In scenarios: a chain of all features is a part of that, and the menu is a chain."""
    stockpile = everything_uncertain()
    moved = [
        Input("offers", "*", "price", "scale", 0.7, 1.4),
        Input("demand", "*", "quantity", "scale", 0.7, 1.2),
    ]
    agree(stockpile, draws(stockpile, moved, 1, seed=2), gap=0.3)


def test_shortfall_first_is_solved_afresh() -> None:
    stockpile = book(*MENU, periods=6, objective="shortfall_first")
    ways = agree(stockpile, draws(stockpile, MOVED, 2, seed=6))
    assert ways == {"solved": 2}


def test_a_model_without_integers() -> None:
    stockpile = book(offer(), demand(10, 0, 1))
    moved = [Input("offers", "spot", "price", "set", 5, 15)]
    assert agree(stockpile, draws(stockpile, moved, 3, seed=1)) == {"solved": 3}


def test_an_infeasible_corner() -> None:
    stockpile = book(offer(capacity=20, order_cost=3), demand(10, 0, 1))
    moved = [Input("demand", "ga", "quantity", "set", 5, 60)]
    asked = Asked(Study(study="s", kind="sweep"), tuple(moved), stockpile, GAP)
    agree(stockpile, [asked.case(value) for value in (5.0, 20.0, 20.5, 60.0)])


def test_an_input_that_is_wrong_is_refused_with_its_cell() -> None:
    evaluator = CaseEvaluator(StudyJob(book(offer(), demand(10)), OPTIONS))
    asked = Asked(
        Study(study="s", kind="sweep"),
        (Input("offers", "spot", "availability", "set", 0, 2),),
        book(),
        GAP,
    )
    result, _ = evaluator.run(asked.case(1.5))
    assert result.status == "refused"
    assert "availability must be at most 1, found 1.5" in result.message
    moved = Asked(
        Study(study="s", kind="sweep"),
        (Input("offers", "spot", "lead_time_months", "set", 0, 2),),
        book(),
        GAP,
    )
    result, _ = evaluator.run(moved.case(0.5))
    assert result.status == "refused"
    assert "whole number of periods" in result.message


def test_a_cost_without_end_is_refused() -> None:
    from tests.support.accept import outlet

    evaluator = CaseEvaluator(StudyJob(book(offer(price=10), outlet(price=5)), OPTIONS))
    asked = Asked(
        Study(study="s", kind="sweep"),
        (Input("outlets", "sale", "price", "set", 0, 20),),
        book(),
        GAP,
    )
    assert evaluator.run(asked.case(20.0))[0].status == "refused"


def test_figures_of_a_run() -> None:
    """13 a month: the high level brings 20 at 9 and is signed for its metal; nothing else is."""
    stockpile = book(contract(), floor(8, 156), offer(price=12, order_cost=1), demand(13, 0, 1))
    result, _ = CaseEvaluator(StudyJob(stockpile, OPTIONS)).run(Case())
    assert result.figures["sign offtake"] == "low"
    assert result.number("take offtake") == pytest.approx(26)
    assert result.number("order spot") == 0
    assert list(result.stock) == pytest.approx([0, 0])


def test_a_commitment_and_a_limit() -> None:
    stockpile = book(
        contract(),
        floor(8, 156),
        offer(price=12, order_cost=1),
        demand(13, 0, 1),
        material(shortage_cost=10),
    )
    evaluator = CaseEvaluator(StudyJob(stockpile, OPTIONS))
    forbidden, _ = evaluator.run(Case(commits=(Commit("sign", "offtake", None, "exactly", 0.0),)))
    assert forbidden.objective == pytest.approx(260)
    assert forbidden.number("shortfall") == pytest.approx(26)
    limited, _ = evaluator.run(
        Case(commits=(Commit("sign", "offtake", None, "exactly", 0.0),), limit=("shortfall", 6.0))
    )
    assert limited.objective == pytest.approx(20 * 12 + 60 + 1, rel=GAP)
    assert limited.number("shortfall") == pytest.approx(6, abs=1e-4)


def test_cvar_by_constraint() -> None:
    """The tail of the mean-optimal plan, and the least tail: a fresh solve with a weight of 1."""
    uncertain = (
        scenario("dear", 0.3),
        event("offers.price", "scale", 1.5, 2, name="dear"),
        scenario("more", 0.2),
        event("demand.quantity", "scale", 1.3, 3, name="more"),
    )
    stockpile = book(*MENU, *uncertain, periods=6, risk_tail=0.2)
    evaluator = CaseEvaluator(StudyJob(stockpile, OPTIONS))
    least, _ = evaluator.run(Case(aim="cvar"))
    weighed = replace(stockpile, settings=replace(stockpile.settings, risk_weight=1.0))
    outcome = solve(build(weighed).m, OPTIONS)
    assert least.objective == pytest.approx(outcome.objective, rel=2 * GAP)
    assert least.objective is not None
    plain, _ = evaluator.run(Case())
    bounded, _ = evaluator.run(Case(limit=("cvar", least.objective * 1.02)))
    assert plain.bound is not None
    assert bounded.objective is not None
    assert bounded.objective >= plain.bound - 1e-6
    assert plain.objective is not None
    assert bounded.objective > 1.01 * plain.objective, "the limit binds"


def test_patterns_are_kept_few_and_once() -> None:
    compiled = compile_program(book(*MENU, periods=6))
    certifier = Certifier(compiled)
    size = int(compiled.program.integer.sum())
    for k in range(40):
        warm_start = WarmStart(
            np.array([float(k)]),
            5.0,
            None,
            (Attempt(np.full(size, float(k)), 5.0), Attempt(np.full(size, -1.0), 6.0)),
            (),
        )
        certifier.take(warm_start)
        certifier.take(warm_start)
    assert len(certifier.patterns) == 16
    assert certifier.patterns[0].whole[0] == 39
    assert all(each.whole[0] >= 0 for each in certifier.patterns), (
        "what is no best plan is no pattern"
    )


def test_inputs_are_weighed_by_what_the_objectives_say_of_them() -> None:
    """The second input moves the cost a hundred times as much as the first: of two cases that which
    is like in the second is near.
    """
    certifier = Certifier(compile_program(book(*MENU, periods=6)))
    dice = np.random.default_rng(1)
    for _ in range(8):
        at = 1 + dice.random(2)
        certifier.take(WarmStart(at, float(at @ [1, 100]), Basis(b"far", b""), (), ()))
    certifier.take(WarmStart(np.array([1.0, 1.5]), 151.0, Basis(b"near", b""), (), ()))
    certifier.take(WarmStart(np.array([2.0, 1.6]), 162.0, Basis(b"other", b""), (), ()))
    point = certifier._placed(np.array([2.0, 1.5]))
    assert point.weight[1] > 50 * point.weight[0]
    found = certifier.roots.near(point)
    assert found is not None
    assert found.columns == b"near"


def test_what_one_process_learns_serves_another() -> None:
    """Told of a case, another certifier has its plan, its bases and its branches, and proves it
    with fewer branches.
    """
    stockpile = book(*MENU, periods=6)
    case = draws(stockpile, MOVED, 1, seed=5)[0]
    one, other = (
        CaseEvaluator(StudyJob(stockpile, OPTIONS)),
        CaseEvaluator(StudyJob(stockpile, OPTIONS)),
    )
    first, warm_starts = one.run(case)
    assert len(warm_starts) == 1
    other.share(pickle.loads(pickle.dumps(warm_starts)))
    second, _ = other.run(case)
    assert second.how.startswith("certified, traced")
    assert first.how.startswith("certified, traced")
    assert second.objective == pytest.approx(first.objective, rel=1e-6)
    (mine,), (yours,) = one.certifiers.values(), other.certifiers.values()
    assert len(yours.roots.known) == 2
    assert len(mine.roots.known) == 1
    assert any(np.array_equal(yours.patterns[0].whole, each.whole) for each in mine.patterns)
    assert all(yours.gains.tried[key] >= count for key, count in mine.gains.tried.items())
    assert sum(yours.gains.tried.values()) < 2 * sum(mine.gains.tried.values())


def test_a_plan_of_another_structure_is_known_by_the_names_of_its_columns() -> None:
    stockpile = book(*MENU, periods=6)
    one, other = (
        CaseEvaluator(StudyJob(stockpile, OPTIONS)),
        CaseEvaluator(StudyJob(stockpile, OPTIONS)),
    )
    _, warm_starts = one.run(Case(limit=("shortfall", 1e6)))
    other.share(warm_starts)
    other.run(Case())
    (known,) = other.certifiers.values()
    whole = one.certifiers[warm_starts[0].key].patterns[0].whole
    assert any(np.array_equal(each.whole, whole) for each in known.patterns)


def test_compiling_leaves_the_collector_as_it_was() -> None:
    compile_program(book(*MENU, periods=6))
    assert gc.isenabled()
    gc.disable()
    try:
        compile_program(book(*MENU, periods=6))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_full_book_read_from_a_folder(tmp_path: object) -> None:
    stockpile = read(written(tmp_path / "book", FULL)).stockpile  # type: ignore[operator]
    agree(
        stockpile, draws(stockpile, [Input("offers", "*", "price", "scale", 0.9, 1.1)], 1, seed=2)
    )


def test_figures_that_count_what_is_done_are_no_metal() -> None:
    """Of 5e10 what is up to 50 is none; a plant that goes ahead is one all the same."""
    stockpile = book(
        offer(project="plant 2"), project(cost=5e9), demand(5e10), material(shortage_cost=99)
    )
    result, _ = CaseEvaluator(StudyJob(stockpile, OPTIONS)).run(Case())
    assert result.figures["project plant 2"] == 1


@pytest.mark.parametrize("money", [1e-9, 1.0])
def test_a_wrong_cost_of_a_run_is_found_in_any_unit(money: float) -> None:
    stockpile = book(offer(price=10 * money), demand(10)).anchored()
    evaluator = CaseEvaluator(StudyJob(stockpile, OPTIONS))
    result, _ = evaluator._run(Case())
    assert result.objective == pytest.approx(100 * money)
    wrong = replace(result, objective=90 * money)
    assert evaluator.audit(Case(), result).planned
    assert "it costs" in evaluator.audit(Case(), wrong).message


@pytest.mark.parametrize("how", ["without", "with", "less"])
def test_a_program_begins_with_the_relaxation_of_one_that_is_much_the_same(how: str) -> None:
    """Rows come and go, and columns go: what stands in both begins where it ended."""
    glut = scenario("glut", 0.3, 1), event("offers.capacity", "scale", 0.8, name="glut", row="far")
    stockpile = book(*MENU, *glut, periods=6).anchored()
    base = compile_program(stockpile)
    if how == "less":
        fewer = stockpile.tables | {Target: ()}
        other = replace(stockpile, tables=fewer)
    else:
        at = "at_most" if how == "without" else "exactly"
        row = Commitment(
            kind="sign", name="offtake", level=None, how=at, quantity=float(how == "with")
        )
        other = replace(stockpile, tables=stockpile.tables | {Commitment: (row,)})
    changed = compile_program(other)
    known = Certifier(base)
    known.relax(base.program, OPTIONS)
    assert known.roots.known
    assert known.core is not None
    adopting, alone = Certifier(changed), Certifier(changed)
    adopting.adopt(known)
    ((_, basis),) = adopting.roots.known
    rows = changed.program.rows + len(adopting.shape.sums)
    assert (len(basis.columns), len(basis.rows)) == (changed.program.columns, rows)
    found, expected = (each.prove(changed.program, OPTIONS) for each in (adopting, alone))
    assert found.status == expected.status == "optimal"
    assert found.objective == pytest.approx(expected.objective, rel=GAP)
    assert found.bound is not None
    assert expected.objective is not None
    assert found.bound <= expected.objective * (1 + 1e-6)


def test_the_bound_of_a_plan_is_none_of_a_plan_without_a_rule() -> None:
    """Without it a plan may cost less."""
    stockpile = book(*MENU, rule("supplier", "plant", measure="quantity", most=5), periods=6)
    outcome = solve(build(stockpile.anchored()).m, OPTIONS)
    known = KnownPlan.of(outcome)
    assert known is not None
    evaluator = CaseEvaluator(StudyJob(stockpile, OPTIONS, known))
    result, _ = evaluator.run(Case(view=("without", "rule policy")))
    _, objective, _ = fresh(book(*MENU, periods=6), Case())
    assert result.objective == pytest.approx(objective, rel=2 * GAP)
    assert None not in (result.bound, outcome.bound)
    assert (result.bound or 0.0) < (outcome.bound or 0.0) * (1 - GAP)
