"""Plans by bundles against the plan of all scenarios in one model: the bound is below it, the plan
found is not.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

import optimiser as so
from optimiser.auditing import AuditError, audit
from optimiser.execution.executor import Calls, Task, run_calls
from optimiser.execution.in_process import InProcess
from optimiser.execution.processes import Processes
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner, Ended
from optimiser.solving.solve import Options, SolverError, solve
from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read
from stockpile_model.block import decisions, follows
from stockpile_model.blocks.budget import BudgetUse, Payment
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.build import build
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book, demand, event, material, month, offer, scenario, target
from tests.support.books import book as workbook
from tests.support.commands import stockpile as command
from tests.support.plans import day, plan_for
from tests.support.trees import TREES, happens

EXACT = Options(gap=0.0)

# 10 wanted in February, should there be war (1 in 4): bought then at 9, or in January at 3.
WAR = (
    offer("now", 3, to=month(0)), offer("then", 9, from_=month(1)), demand(0, 1), scenario(probability=0.25),
    event("demand.quantity", "set", 10, 1),
)  # fmt: skip


def here() -> InProcess:
    """Tasks in this process, one after the other."""
    return InProcess(Calls())


def ended(stockpile: Stockpile, count: int, options: Options = EXACT) -> Ended:
    return BundlePlanner(stockpile, count, options, here()).plan()


def planned(stockpile: Stockpile, count: int) -> Plan:
    found = ended(stockpile, count).plan
    assert found is not None
    return found


def whole(stockpile: Stockpile) -> Plan:
    """The plan of all scenarios in one model."""
    plan = plan_for(stockpile)
    assert plan is not None
    return plan


def tree(name: str, **settings: Any) -> Stockpile:
    found = read_tables(TREES[name])
    return replace(found, settings=replace(found.settings, **settings))


def read_tables(tables: Any) -> Stockpile:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return read(workbook(Path(folder) / "book", tables)).stockpile


# --- Splitting ------------------------------------------------------------------------------------


def test_the_trunk_is_what_all_pass_and_a_branch_holds_what_parts_later() -> None:
    """tension is known in February; embargo, which follows it, in March, and blockade in May."""
    found = bundles.split(tree("stages"))
    assert found.periods == 1
    assert found.branches == (("base",), ("tension", "embargo", "blockade"))
    assert found.probability == pytest.approx(
        {"base": 0.3, "tension": 0.3, "embargo": 0.25, "blockade": 0.15}
    )


def test_a_scenario_without_probability_is_in_no_branch() -> None:
    assert sorted(
        name for names in bundles.split(tree("two_stage")).branches for name in names
    ) == ["base", "outage", "squeeze"]


@pytest.mark.parametrize("name", ["two_stage", "stages", "full", "shared"])
def test_a_part_of_the_scenarios_is_that_part_of_the_tree(name: str) -> None:
    """Same prices at the same nodes, on the paths of the scenarios in it; probabilities are
    conditional.
    """
    stockpile = tree(name)
    every, found = unfold(stockpile), bundles.split(stockpile)
    for names in (found.branches[0], found.branches[-1], tuple(found.probability)):
        part = unfold(bundles.part(stockpile, names))
        assert set(part.scenarios) == set(names)
        assert part.tree.period[: found.periods] == tuple(range(found.periods))
        for each in names:
            here, there = (one.tree.paths[one.scenarios[each]] for one in (part, every))
            for n, k in zip(here, there, strict=True):
                assert [part.price("market", n)] == [every.price("market", k)]
                assert part.at(n).tables.keys() == every.at(k).tables.keys()
                assert set(part.holds[n]) == set(every.holds[k]) & set(names)
            assert part.tree.probability[here[-1]] == pytest.approx(
                found.probability[each] / found.weight(names)
            )


def many(count: int, probability: float = 0.01, **settings: Any) -> Stockpile:
    """January's price is 3; February's demand differs from scenario to scenario."""
    rows: list[Row] = [offer("now", 3, to=month(0)), offer("then", 9, from_=month(1)), demand(0, 1)]
    for k in range(count):
        rows += [
            scenario(f"s{k}", probability),
            event("demand.quantity", "set", k, 1, name=f"s{k}"),
        ]
    return book(*rows, **settings)


def test_every_bundle_has_its_share_of_what_is_dear() -> None:
    """40 scenarios and the base in 4 bundles: each has one of the ten dearest in each quarter of
    them.
    """
    stockpile = many(40)
    split = bundles.split(stockpile)
    dealt = bundles.bundles(stockpile, split, 4)
    assert sorted(len(each) for each in dealt) == [10, 10, 10, 11]
    for each in dealt:
        assert sum(int(name[1:]) >= 20 for names in each for name in names if name != "base") in (
            5,
            6,
        )
    assert dealt == bundles.bundles(stockpile, split, 4)
    another = replace(stockpile, settings=replace(stockpile.settings, seed=2))
    assert dealt != bundles.bundles(another, bundles.split(another), 4)


def test_there_are_no_more_bundles_than_branches() -> None:
    stockpile = book(*WAR)
    assert len(bundles.bundles(stockpile, bundles.split(stockpile), 50)) == 2


def test_shortfall_first_is_refused_with_its_cell() -> None:
    with pytest.raises(
        InputError,
        match=(
            r"^settings.objective: bundles bound the cost of a plan: they need the objective cost"
        ),
    ):
        bundles.split(book(*WAR, objective="shortfall_first"))


def test_what_ties_scenarios_together_is_refused_with_its_cell() -> None:
    with pytest.raises(
        InputError, match=r"^targets.probability: holds over all scenarios together"
    ):
        bundles.split(book(*WAR, target(5, 1, probability=0.5)))


def test_without_scenarios_there_is_nothing_to_bundle() -> None:
    with pytest.raises(
        InputError, match="scenarios: bundles are made of scenarios, and there is none"
    ):
        bundles.split(book(offer(), demand(1)))


# --- Bounds and plans -----------------------------------------------------------------------------


def test_two_bundles_of_a_tree_that_a_reader_can_compute() -> None:
    """Peace alone buys nothing, war alone stores 10 at 3: 0.25·30 is the bound.

    To store nothing costs 0.25·90 over both.
    """
    plan = planned(book(*WAR), 2)
    assert (plan.objective, plan.bound, plan.status) == (
        pytest.approx(22.5),
        pytest.approx(7.5),
        "feasible",
    )
    assert plan.gap == pytest.approx(1 - 7.5 / 22.5)
    assert plan.of(Order) == ()
    assert {each.scenario: each.cost for each in plan.of(ScenarioOutcome)} == pytest.approx(
        {"base": 0, "war": 90}
    )
    assert "the best possible plan costs at most 15 USD less (67 %, the gap)" in plan.verdict


def test_quantities_of_different_metals_are_not_added() -> None:
    """Of the other metal, which nobody sells, 3 are missing, and 10 in war."""
    tin = (material("tin", shortage_cost=1), demand(3, 1, material="tin"))
    plan = planned(book(*WAR, material(), *tin), 2)
    assert {each.scenario: each.shortfall for each in plan.of(ScenarioOutcome)} == pytest.approx(
        {"base": 3, "war": 10}
    )
    said = "Of 2 scenarios, metal is missing in 2 and expires unused in 0."
    assert said in plan.verdict
    assert "kg are missing" not in plan.verdict
    assert "shortfall" not in plan._facts()


def test_one_bundle_is_the_plan_of_all() -> None:
    plan = planned(book(*WAR), 1)
    assert (plan.objective, plan.bound, plan.status) == (
        pytest.approx(22.5),
        pytest.approx(22.5),
        "optimal",
    )


@pytest.mark.parametrize(
    ("name", "weight"), [("two_stage", 0.0), ("two_stage", 1.0), ("stages", 0.4)]
)
def test_the_plan_of_all_lies_between_bound_and_plan(name: str, weight: float) -> None:
    stockpile = tree(name, risk_weight=weight)
    best = whole(stockpile).objective
    for count in (1, 9):
        plan = planned(stockpile, count)
        assert plan.bound is not None
        assert plan.bound <= best + 1e-6
        assert plan.objective >= best - 1e-6
        if count == 1:
            assert (plan.objective, plan.bound) == pytest.approx((best, best))


@pytest.mark.parametrize("seed", [2, 4, 6])
def test_random_trees(seed: int) -> None:
    """Prices, capacities and demand at random, order costs, a tail that counts: several scenarios
    in each bundle.
    """
    r = random.Random(seed)
    rows: list[Row] = [
        material(shortage_cost=40),
        *(
            offer(f"o{k}", r.randint(3, 9), order_cost=r.randint(0, 20), capacity=r.randint(3, 15))
            for k in range(2)
        ),
        demand(r.randint(2, 6), 0, 3),
    ]
    for k in range(5):
        name, known = f"s{k}", r.randint(1, 2)
        rows += [
            scenario(
                name, r.choice([0.1, 0.15]), follows="s0" if k in (3, 4) and known == 2 else None
            ),
            event(
                "offers.price",
                "scale",
                r.choice([0.5, 1.5, 3]),
                known,
                name=name,
                row=f"o{r.randint(0, 1)}",
            ),
            event("demand.quantity", "set", r.randint(0, 12), max(known, 2), name=name),
        ]
    stockpile = book(*rows, periods=4, risk_weight=r.choice([0, 0.5, 1]), risk_tail=0.3)
    best = whole(stockpile).objective
    for count in (1, 2):
        plan = planned(stockpile, count)
        assert plan.bound is not None
        assert plan.bound - 1e-6 <= best <= plan.objective + 1e-6
        if count == 1:
            assert (plan.objective, plan.bound) == pytest.approx((best, best), abs=1e-5)


def test_what_is_known_at_once_needs_no_agreement() -> None:
    """Several roots: each scenario is planned as if alone, and that is the plan of all."""
    rows = (
        offer("now", 3, to=month(0)),
        offer("then", 9, from_=month(1)),
        demand(0, 1),
        scenario(probability=0.25, known=0),
    )
    plan = planned(book(*rows, event("demand.quantity", "set", 10, 1)), 2)
    assert (plan.objective, plan.bound, plan.status) == (
        pytest.approx(7.5),
        pytest.approx(7.5),
        "optimal",
    )
    assert (
        "The scenarios part in the first period: nothing is decided for all of them."
        in plan.verdict
    )


def test_decisions_that_leave_a_scenario_without_a_plan_are_made_anew_with_it() -> None:
    """Each scenario wants a metal that can be bought in January only, and neither bundle alone
    would buy the other's.
    """
    rows = [material("ga"), material("in")]
    for name, metal in (("a", "ga"), ("b", "in")):
        rows += [
            offer(f"buy {metal}", 3, material=metal, to=month(0)),
            demand(0, 1, material=metal),
        ]
        rows += [scenario(name, 0.5), event("demand.quantity", "set", 10, 1, name=name, row=metal)]
    plan = planned(book(*rows), 2)
    assert (plan.objective, plan.bound) == (pytest.approx(60), pytest.approx(30))
    assert {each.offer: each.ordered for each in plan.of(Order)} == pytest.approx(
        {"buy ga": 10, "buy in": 10}
    )


def test_a_bundle_that_has_no_plan_is_named() -> None:
    found = ended(book(*WAR[2:], offer("then", 9, from_=month(1), capacity=5)), 2)
    assert (found.status, found.plan, found.blame) == ("infeasible", None, ("war",))


def test_a_bundle_that_has_no_plan_is_explained_with_repairs_that_make_one_for_all() -> None:
    """In war 10 are wanted and 5 can come: more may come, or less is wanted."""
    given = so.from_tables(
        {
            "settings": {"start": "2027-01-01", "periods": 2},
            "materials": [{"material": "ga"}],
            "suppliers": [{"supplier": "mill"}],
            "offers": [
                {"offer": "a", "supplier": "mill", "material": "ga", "price": 3, "capacity": 5}
            ],
            "demand": [{"material": "ga", "from": "2027-02-01", "quantity": 1}],
            "scenarios": [
                {"scenario": "war", "probability": 0.4, "revealed": "2027-02-01"},
                {"scenario": "flood", "probability": 0.4, "revealed": "2027-02-01"},
            ],
            "events": [
                {
                    "scenario": name,
                    "table": "demand",
                    "row": "ga",
                    "column": "quantity",
                    "how": "set",
                    "value": value,
                }
                for name, value in (("war", 15), ("flood", 2))
            ],
        }
    )
    found = so.solve_in_bundles(given, 3)
    why = found.explanation
    assert why is not None
    assert (found.status, why.within, why.whole) == ("infeasible", ("war",), True)
    assert "in scenario war" in next(why.lines())
    assert found.as_object()["repairs"]
    assert {each.changes for each in why.repairs} >= {("events[war].value = 10",)}
    for each in why.repairs:
        assert so.solve_in_bundles(given.change(*each.changes), 3).plan is not None
        assert not any("probability" in change for change in each.changes)


@pytest.mark.parametrize("name", ["two_stage", "stages", "shared"])
def test_held_decisions_are_the_same_on_every_branch(name: str) -> None:
    """What is done exactly, what follows from it within a hair."""
    stockpile = replace(tree(name), classes={})
    split, formulation = bundles.split(stockpile), build(stockpile)
    solve(formulation.m, Options(gap=0.01))
    trunk = range(split.periods)
    kept = bundles.decisions(formulation, trunk)
    assert any(kept.values.get(each) for each in decisions())
    for names in split.branches:
        branch = build(bundles.part(stockpile, names))
        assert bundles.hold(branch, kept, trunk)
        solve(branch.m, Options(gap=0.01))
        found = bundles.decisions(branch, trunk)
        for variable in kept.values.keys() | found.values.keys():
            mine, other = (each.values.get(variable, {}) for each in (found, kept))
            for key in mine.keys() | other.keys():
                far = 0.0 if variable in decisions() else 2 * bundles.TOLERANCES[0]
                assert mine.get(key, 0.0) == pytest.approx(
                    other.get(key, 0.0), rel=1e-6, abs=far
                ), (variable, key)


@pytest.mark.parametrize("name", ["two_stage", "stages", "full", "shared"])
def test_every_variable_stands_at_a_node_or_is_known_to_follow(name: str) -> None:
    formulation = build(tree(name))
    nodes = formulation.stockpile.tree.nodes
    for variable in formulation.m.component_objects(pyo.Var):
        if variable.local_name not in follows():
            assert all(key[-1] in nodes for key in variable), variable.local_name


def test_decisions_that_another_branch_does_not_know_cannot_be_held_there() -> None:
    formulation = build(book(*WAR))
    assert not bundles.hold(
        formulation, bundles.Decisions({"buy": {("elsewhere", 0): 1.0}}), range(1)
    )


# --- What the plan tells --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_stage", "stages"])
def test_the_rows_hold_the_trunk_and_the_money_of_all(name: str) -> None:
    stockpile = tree(name)
    plan, split = planned(stockpile, 1), bundles.split(stockpile)
    best, until = whole(stockpile), month(split.periods)
    assert plan.until == until
    assert sum(each.discounted for each in plan.of(CashFlow)) == pytest.approx(plan.expected_cost)
    assert sum(each.amount for each in plan.of(Payment)) == pytest.approx(
        sum(each.spent for each in plan.of(BudgetUse))
    )
    for row in plan.of(CashFlow):
        assert row.discounted == pytest.approx(row.amount * row.factor)
    early = [each for each in best.of(Order) if each.date < until]
    assert [(each.date, each.offer) for each in plan.of(Order)] == [
        (each.date, each.offer) for each in early
    ]
    for mine, other in zip(plan.of(Order), early, strict=True):
        for column in ("ordered", "arriving", "price", "delivered_price", "paid"):
            assert getattr(mine, column) == pytest.approx(getattr(other, column), rel=1e-5)
        assert mine.scenarios == "all"
    assert {each.contract: each.level for each in plan.of(ContractOutcome)} == {
        each.contract: each.level for each in best.of(ContractOutcome)
    }
    for contract, other in zip(plan.of(ContractOutcome), best.of(ContractOutcome), strict=True):
        assert (contract.first_delivery, contract.last_delivery) == (
            other.first_delivery,
            other.last_delivery,
        )
        for column in ("called_off", "delivered", "deficit", "expected_price", "cost"):
            assert getattr(contract, column) == pytest.approx(getattr(other, column), rel=1e-5)
    assert all(each.date < until for each in plan.of(LotStock))
    outcomes = {each.scenario: each.probability for each in plan.of(ScenarioOutcome)}
    assert outcomes == pytest.approx(
        {each.scenario: each.probability for each in best.of(ScenarioOutcome)}
    )


def test_ctrl_c_keeps_the_bound_and_the_best_plan_so_far() -> None:
    stockpile = many(5, 0.1)

    def until(tasks: int) -> Ended:
        class Interrupted(InProcess):
            def __init__(self) -> None:
                super().__init__(Calls())
                self.left = tasks

            def send(self, task: Task) -> None:
                self.left -= 1
                if self.left < 0:
                    raise KeyboardInterrupt
                super().send(task)

        return BundlePlanner(stockpile, 3, EXACT, Interrupted()).plan()

    at_once = until(0)
    assert (at_once.status, at_once.interrupted, at_once.bound) == ("no_plan", True, None)
    searched = until(3)
    assert searched.status == "no_plan"
    assert searched.bound is not None
    plan = until(14).plan
    assert plan is not None
    assert plan.status == "feasible"


def processes(count: int) -> closing[Processes]:
    return closing(Processes(Calls(), count, math.inf))


def test_a_worker_that_dies_is_an_error_and_not_waited_for() -> None:
    with (
        processes(1) as executor,
        pytest.raises(SolverError, match="a worker process died before its answer"),
    ):
        list(run_calls(executor, os._exit, [1]))


def test_workers_bring_back_what_tasks_raise_and_return() -> None:
    with processes(2) as executor:
        assert sorted(run_calls(executor, abs, [-1, 2, -3])) == [(0, 1), (1, 2), (2, 3)]
        with pytest.raises(ValueError, match="invalid literal"):
            list(run_calls(executor, int, ["x"]))


def test_the_results_of_calls_that_were_left_are_no_results_of_those_that_follow() -> None:
    with processes(2) as executor:
        assert next(run_calls(executor, abs, [-1] * 4))[1] == 1
        assert sorted(run_calls(executor, abs, [-5, -6, -7])) == [(0, 5), (1, 6), (2, 7)]


def test_what_an_audit_finds_reaches_the_process_that_waits() -> None:
    plan = whole(book(*WAR))
    sheets = as_sheets(replace(plan, objective=plan.objective + 1))
    error = AuditError(audit(plan.stockpile, sheets).findings)
    again = pickle.loads(pickle.dumps(error))
    assert error.findings
    assert (again.findings, str(again)) == (error.findings, str(error))


# --- The command ----------------------------------------------------------------------------------


def test_the_command_writes_the_first_decisions_and_says_how_good_they_are(tmp_path: Path) -> None:
    source = workbook(tmp_path / "mine.xlsx", TREES["stages"])
    ran = command(
        "solve", source, "--bundles", 2, "--workers", 2, "--gap", 0.02, "--json", cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["status"] == "optimal"
    assert found["bound"] <= found["objective"] <= found["bound"] / (1 - 0.02)
    assert sum(each["probability"] for each in found["scenarios"].values()) == pytest.approx(1)
    assert sum(found["costs"].values()) == pytest.approx(found["expected_cost"])
    assert ran.stderr == ""  # no noise where it is piped
    audited = command("audit", source, tmp_path / "mine-plan.xlsx", cwd=tmp_path)
    assert audited.returncode == 1
    assert "holds what is done before 2027-02-01" in audited.stderr
    assert len(audited.stderr.splitlines()) == 1


def test_the_command_says_which_scenario_has_no_plan(tmp_path: Path) -> None:
    tables = {
        name: rows for name, rows in TREES["stages"].items() if name not in ("contracts", "floors")
    }
    tables["materials"] = [{"material": "gallium"}]  # demand must be met
    tables["events"] = [
        *tables["events"],
        happens("embargo", "demand[gallium].quantity", "scale", 9, day(4)),
    ]
    ran = command(
        "solve",
        workbook(tmp_path / "mine.xlsx", tables),
        "--bundles",
        9,
        "--workers",
        1,
        cwd=tmp_path,
    )
    assert ran.returncode == 3
    assert "warning: --bundles 9: the scenarios part into " in ran.stderr
    assert "in scenario " in ran.stderr
    assert "No plan keeps every limit" in ran.stderr


def test_bundles_go_with_nothing_that_plans_all_scenarios_in_one_model(tmp_path: Path) -> None:
    source = workbook(tmp_path / "mine.xlsx", TREES["stages"])
    ran = command("solve", source, "--bundles", 2, "--value", cwd=tmp_path)
    assert ran.returncode == 2
    assert "--value plans all scenarios in one model: it cannot go with --bundles" in ran.stderr
