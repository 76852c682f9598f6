"""How a plan under scenarios is shown: the verdict, the object of `--json`, the tables of the
terminal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from optimiser.cli.exit_statuses import INFEASIBLE
from optimiser.cli.main import cli
from stockpile_model.blocks.objective import ScenarioOutcome
from tests.support.books import book
from tests.support.plans import plan_of

# 10 wanted in February, should there be war (1 in 4): bought then at 9, or in January at 3. To wait
# costs 22.5, to store 30; the worst quarter is the war, 90 or 30.
WAR: dict[str, Any] = {
    "settings": {
        "title": "To wait or to store",
        "start": "2027-01-01",
        "periods": 2,
        "mip_gap": 0,
        "risk_weight": 0.1,
        "risk_tail": 0.25,
    },
    "materials": [{"material": "ga"}],
    "suppliers": [{"supplier": "plant"}],
    "offers": [
        {
            "offer": "now",
            "supplier": "plant",
            "material": "ga",
            "price": 3,
            "from": None,
            "to": "2027-01-31",
        },
        {
            "offer": "then",
            "supplier": "plant",
            "material": "ga",
            "price": 9,
            "from": "2027-02-01",
            "to": None,
        },
    ],
    "demand": [{"material": "ga", "from": "2027-02-01", "quantity": 0}],
    "scenarios": [{"scenario": "war", "probability": 0.25}],
    "events": [
        {
            "scenario": "war",
            "table": "demand",
            "column": "quantity",
            "from": "2027-02-01",
            "how": "set",
            "value": 10,
        }
    ],
}
SIGNING: dict[str, Any] = {
    **{name: rows for name, rows in WAR.items() if name not in ("scenarios", "events")},
    "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-02-28", "quantity": 10}],
    "contracts": [{"contract": "offtake", "supplier": "plant", "material": "ga"}],
    "floors": [
        {"contract": "offtake", "level": "low", "floor": 2, "annual_quantity": 120},
        {"contract": "offtake", "level": "high", "floor": 4, "annual_quantity": 240},
    ],
}


def solved(tables: dict[str, Any], folder: Path, *options: str) -> Result:
    path = book(folder / "mine.xlsx", tables)
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["solve", str(path), *options])


def settings(**changed: Any) -> dict[str, Any]:
    return settings_of(WAR, **changed)


def settings_of(tables: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**tables, "settings": {**tables["settings"], **changed}}


# --- The verdict ----------------------------------------------------------------------------------


def verdict(tables: dict[str, Any]) -> str:
    plan = plan_of(tables)
    assert plan is not None
    return plan.verdict.replace("\n", " ")


def test_the_verdict_names_the_dearest_scenario_and_the_tail() -> None:
    told = verdict(WAR)
    assert told.startswith(
        "In the base scenario order nothing. Over the scenarios 2.5 kg are ordered on average, in"
        " 0 to 1 orders. "
    )
    assert (
        "The cost that is minimised, expected over the scenarios and discounted to 2027-01-01, is"
        " 22.50 USD." in told
    )
    assert (
        "The dearest of 2 scenarios is war, 90 USD; the worst 25 % of cases cost 90 USD on average"
        " (CVaR)." in told
    )
    assert "The objective weighs that tail with 0.1: 29.25 USD." in told


def test_without_a_weight_nothing_is_reported_as_weighed() -> None:
    told = verdict(settings(risk_weight=0))
    assert "(CVaR)" in told
    assert "The objective weighs" not in told


def test_without_scenarios_there_is_no_tail_to_report() -> None:
    told = verdict(
        {name: rows for name, rows in WAR.items() if name not in ("scenarios", "events")}
    )
    assert "CVaR" not in told
    assert "scenario" not in told


def test_the_verdict_says_a_signature_of_several_scenarios_once() -> None:
    """Signed from February on, in peace and in war."""
    tables = {
        **SIGNING,
        "scenarios": [{"scenario": "war", "probability": 0.25, "revealed": "2027-02-01"}],
    }
    tables["contracts"] = [{**SIGNING["contracts"][0], "sign_from": "2027-02-01"}]
    tables["offers"] = [{**WAR["offers"][0], "price": 30, "to": None}]
    told = verdict(tables)
    assert told.count("offtake at level low (floor 2 USD/kg)") == 1
    said = "Sign offtake at level low (floor 2 USD/kg), which delivers 10 kg"
    assert f"{said}, on average over the scenarios." in told


def test_the_verdict_says_what_is_signed_in_some_scenarios_only() -> None:
    """From February on, offtakes take 10 at 2: worth it in war only, for 2.5 expected."""
    tables = {
        **WAR,
        "contracts": [{**SIGNING["contracts"][0], "sign_from": "2027-02-01"}],
        "floors": SIGNING["floors"][:1],
    }
    told = verdict(tables)
    assert told.startswith(
        "In some scenarios sign offtake at level low (floor 2 USD/kg), which delivers 2.5 kg on"
        " average, with probability 25 %."
    )


SOFT = {
    **WAR,
    "materials": [{"material": "ga", "below_target_cost": 1}],
    "targets": [
        {"material": "ga", "from": "2027-01-01", "quantity": 1},
        {"material": "ga", "from": "2027-02-01", "quantity": 4},
    ],
    "events": [{**WAR["events"][0], "table": "targets", "value": 7}],
}


def test_the_verdict_counts_the_targets_that_the_base_misses() -> None:
    """To miss costs 1, to buy 3: in peace 1 is missed, then 4; in war 7."""
    told = verdict(SOFT)
    assert (
        "In the base scenario 2 of 2 period targets are missed, the worst by 4 kg of ga in 2027-02."
        " Over the scenarios 2 period targets are missed, the worst by 7 kg of ga in 2027-02."
        in told
    )


def test_the_verdict_says_what_is_granted_in_some_scenarios_only() -> None:
    """The plant sells at 1 once it is granted for 8: worth it in war only, for 2 expected."""
    tables = {
        **WAR,
        "projects": [
            {"project": "mine", "supplier": "plant", "cost": 8, "decide_from": "2027-02-01"}
        ],
        "offers": [{**WAR["offers"][1], "price": 1, "project": "mine"}],
        "materials": [{"material": "ga", "shortage_cost": 5}],
    }
    assert "In some scenarios grant mine (2 USD, on average over the scenarios)." in verdict(tables)


def test_where_the_base_cannot_come_the_likeliest_scenario_is_counted() -> None:
    """War has 3 of 4, so 10 are stored, and none is bought in peace."""
    scenarios = [
        {"scenario": "peace", "probability": 0.25, "revealed": "2027-02-01"},
        {"scenario": "war", "probability": 0.75},
    ]
    tables = {**WAR, "scenarios": scenarios, "offers": [WAR["offers"][1]]}
    assert verdict(tables).startswith(
        "In scenario war, the likeliest, order 10 kg in 1 order from plant. Over the scenarios"
        " 7.5 kg are ordered on average, in 0 to 1 orders. "
    )


def test_orders_that_are_relaxed_or_bought_up_are_those_of_the_base() -> None:
    """In war February needs 9 where 10 cost less: 1 in 4. Peace needs none, so nothing is so."""
    tables = settings_of(WAR, firm_periods=1)
    tables["offers"] = [WAR["offers"][1] | {"lot_size": 5}]
    told = verdict(tables)
    assert "firm_periods" not in told
    swapped = {
        **tables,
        "demand": [{**WAR["demand"][0], "quantity": 10}],
        "events": [{**WAR["events"][0], "value": 0}],
    }
    assert (
        "In the base scenario order 10 kg in 1 order from plant. 1 of them, from 2027-02 on,"
        in (verdict(swapped))
    )


# --- JSON -----------------------------------------------------------------------------------------


def test_json_reports_the_mean_the_tail_and_each_scenario(tmp_path: Path) -> None:
    ran = solved(WAR, tmp_path, "--json")
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert found["objective"] == pytest.approx(0.9 * 22.5 + 0.1 * 90)
    assert (found["expected_cost"], found["cvar"]) == pytest.approx((22.5, 90))
    assert sum(found["costs"].values()) == pytest.approx(found["expected_cost"])
    assert found["scenarios"] == {
        "base": {"probability": pytest.approx(0.75), "cost": pytest.approx(0), "shortfall": 0},
        "war": {"probability": pytest.approx(0.25), "cost": pytest.approx(90), "shortfall": 0},
    }
    assert "value" not in found


def test_json_without_scenarios_is_what_it_was(tmp_path: Path) -> None:
    found = json.loads(solved(SIGNING, tmp_path, "--json").stdout)
    assert not {"expected_cost", "cvar", "scenarios", "value"} & found.keys()
    assert found["objective"] == pytest.approx(40)


def test_a_weight_of_one_minimises_the_tail_alone(tmp_path: Path) -> None:
    found = json.loads(solved(settings(risk_weight=1), tmp_path, "--json").stdout)
    assert (found["objective"], found["expected_cost"], found["cvar"]) == pytest.approx(
        (30, 30, 30)
    )


def test_json_reports_what_the_uncertainty_costs(tmp_path: Path) -> None:
    found = json.loads(solved(settings(risk_weight=0), tmp_path, "--json", "--value").stdout)
    assert found["value"] == pytest.approx(
        {"rp": 22.5, "ws": 7.5, "eev": 24.375, "evpi": 15, "vss": 1.875}
    )


def test_shortfall_first_counts_it_over_the_scenarios(tmp_path: Path) -> None:
    """5 can be bought in war, so 5 are stored; of the plans that miss nothing the cheapest."""
    tables = settings(objective="shortfall_first", risk_weight=0)
    tables["materials"] = [{"material": "ga", "shortage_cost": 0.5}]
    tables["offers"] = [WAR["offers"][0] | {"capacity": None}, WAR["offers"][1] | {"capacity": 5}]
    found = json.loads(solved(tables, tmp_path, "--json").stdout)
    assert (found["shortfall"], found["objective"]) == pytest.approx((0, 15 + 0.25 * 45))
    found = json.loads(
        solved(
            {**tables, "settings": {**tables["settings"], "objective": "cost"}}, tmp_path, "--json"
        ).stdout
    )
    assert (found["shortfall"], found["objective"]) == pytest.approx((2.5, 1.25))
    assert found["scenarios"]["war"]["shortfall"] == pytest.approx(10)


# --- The terminal and the workbook ----------------------------------------------------------------


def test_the_terminal_shows_the_scenarios_and_what_they_cost(tmp_path: Path) -> None:
    ran = solved(WAR, tmp_path, "--value", "--all")
    assert ran.exit_code == 0, ran.output
    shown = [line.split() for line in ran.stdout.splitlines()]
    assert ["Scenarios"] in shown
    heads = (line for line in shown if line[:1] == ["Scenario"])
    assert next(heads)[:4] == ["Scenario", "Probability", "Follows", "Revealed"]
    assert ["base", "0.75", "-", "-", "0", "0", "0"] in shown
    assert ["war", "0.25", "base", "2027-02-01", "90", "0", "0"] in shown
    assert ["What", "the", "uncertainty", "costs"] in shown
    assert [
        line[0] for line in shown if line and line[0] in ("RP", "WS", "EEV", "EVPI", "VSS")
    ] == ["RP", "WS", "EEV", "EVPI", "VSS"]
    written = openpyxl.load_workbook(tmp_path / "mine-plan.xlsx")
    names = written.sheetnames
    assert names[names.index("scenarios") + 1] == "uncertainty"
    assert [row[0].value for row in written["uncertainty"].iter_rows(min_row=2)] == [
        "RP",
        "WS",
        "EEV",
        "EVPI",
        "VSS",
    ]


def test_value_without_scenarios_is_wrong_input(tmp_path: Path) -> None:
    ran = solved(SIGNING, tmp_path, "--value")
    assert (
        str(ran.exception)
        == "scenarios: --value needs scenarios: without them nothing is uncertain"
    )
    assert not (tmp_path / "mine-plan.xlsx").exists()


def test_value_names_the_cell_that_puts_shortfall_first(tmp_path: Path) -> None:
    ran = solved(settings(objective="shortfall_first"), tmp_path, "--value")
    assert (
        str(ran.exception)
        == "settings!B8: --value compares costs: it needs the objective cost, found shortfall_first"
    )


def test_floors_reports_what_each_other_level_would_cost(tmp_path: Path) -> None:
    """Low: 20 at 2. High, signed in February: 20 at 4, and 10 at 3 in January."""
    ran = solved(SIGNING, tmp_path, "--floors", "--json")
    assert ran.exit_code == 0, ran.output
    header, *rows = openpyxl.load_workbook(tmp_path / "mine-plan.xlsx")["floors"].iter_rows(
        values_only=True
    )
    found = {
        row[1]: dict(zip([str(name).split(" [")[0] for name in header], row, strict=True))
        for row in rows
    }
    assert (found["low"]["Signed"], found["low"]["Cost difference"]) == ("yes", None)
    assert (found["high"]["Signed"], found["high"]["Cost difference"]) == ("no", pytest.approx(70))
    assert str(found["high"]["To change"]).startswith(
        "signed instead of low it would cost 70 USD more in all: its price would have to fall"
    )


def test_a_scenario_without_a_plan_leaves_none(tmp_path: Path) -> None:
    """In war nobody can meet what is wanted: who plans for it has no plan, and what is short then is
    named."""
    tables = settings(risk_weight=0)
    tables["offers"] = [{**row, "capacity": 4} for row in WAR["offers"]]
    ran = solved(tables, tmp_path, "--json")
    assert ran.exit_code == INFEASIBLE
    found = json.loads(ran.stdout)
    assert found["status"] == "infeasible"
    assert any("Short in FY2027 in scenario war" in line for line in found["explanation"])


def test_a_scenario_that_cannot_come_is_not_reported(tmp_path: Path) -> None:
    tables = {**WAR, "scenarios": [*WAR["scenarios"], {"scenario": "never", "probability": 0}]}
    assert list(json.loads(solved(tables, tmp_path, "--json").stdout)["scenarios"]) == [
        "base",
        "war",
    ]
    plan = plan_of({**WAR, "scenarios": [{"scenario": "war", "probability": 1}]})
    assert plan is not None
    assert [each.scenario for each in plan.of(ScenarioOutcome)] == ["war"]
    assert plan.cvar == pytest.approx(plan.expected_cost)
