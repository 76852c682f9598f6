"""What uncertainty costs: RP, WS, EEV, EVPI and VSS of trees that a reader can compute, and of a
printed case.
"""

from __future__ import annotations

import random

import pytest

from optimiser.plan.plan import Plan
from optimiser.solving.solve import Options
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.views import mean
from optimiser.studies.what_ifs import INFORMATION
from optimiser.studies.what_ifs.information import Worth, worth
from optimiser.system.errors import InputError
from stockpile_model.build import build
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material
from tests.support.accept import (
    book,
    contract,
    demand,
    event,
    floor,
    lot,
    material,
    month,
    offer,
    outlet,
    prices,
    scenario,
    supplier,
    target,
)
from tests.support.plans import asked_beside, plan_for

EXACT = Options(gap=0.0)


def valued(stockpile: Stockpile) -> Plan:
    plan = plan_for(stockpile)
    assert plan is not None
    return asked_beside(INFORMATION, plan)


def figures(stockpile: Stockpile) -> dict[str, float | None]:
    return {each.figure: each.value for each in valued(stockpile).of(Worth)}


# --- A printed case -------------------------------------------------------------------------------


def crop(name: str, cost: float, yields: float, **cells: float) -> tuple[Row, ...]:
    """Land is planted in January and harvested in February."""
    return (
        material(name),
        material(f"{name} field"),
        outlet(
            f"plant {name}",
            "rework",
            material="land",
            to_material=f"{name} field",
            cost=cost,
            to=month(0),
        ),
        outlet(
            f"harvest {name}",
            "rework",
            material=f"{name} field",
            to_material=name,
            yield_=yields,
            from_=month(1),
        ),
    )


def farm() -> Stockpile:
    """Birge and Louveaux, Introduction to Stochastic Programming, section 1.1: 500 acres of wheat,
    corn and beets; yields are as planned, a fifth above or a fifth below. Cattle need 200 t of
    wheat and 240 t of corn; beets beyond 6,000 t sell at 10.
    """
    rows = (
        material("land"), lot(500, -1, "acres", material="land"),
        *crop("wheat", 150, 2.5), *crop("corn", 230, 3), *crop("beets", 260, 20),
        offer("buy wheat", 238, material="wheat", from_=month(1)), offer("buy corn", 210, material="corn", from_=month(1)),
        demand(200, 1, material="wheat"), demand(240, 1, material="corn"),
        outlet("sell wheat", price=170, material="wheat", from_=month(1)), outlet("sell corn", price=150, material="corn", from_=month(1)),
        outlet("quota", price=36, material="beets", from_=month(1), capacity=6000),
        outlet("beyond", price=10, material="beets", from_=month(1)),
        scenario("good", 1 / 3), scenario("bad", 1 / 3),
        *(event("outlets.yield", "scale", by, 1, name=name, row=f"harvest {each}")
          for name, by in (("good", 1.2), ("bad", 0.8)) for each in ("wheat", "corn", "beets")),
    )  # fmt: skip
    return book(*rows)


def test_the_farmer_of_the_textbook() -> None:
    """Printed: RP -108,390; each year known in advance -167,667, -118,600 and -59,950; the plan for
    the mean -107,240; EVPI 7,016; VSS 1,150.
    """
    found = valued(farm())
    assert {each.figure: round(each.value or 0.0) for each in found.of(Worth)} == {
        "RP": -108_390, "WS": -115_406, "EEV": -107_240, "EVPI": 7_016, "VSS": 1_150
    }  # fmt: skip
    assert found.verdict.endswith(
        "Planning for the mean of the scenarios would cost 1,150 USD more (VSS).\nTo know the future"
        " would save 7,015.56 USD (EVPI)."
    )


# --- By hand --------------------------------------------------------------------------------------

# 10 wanted in February, should there be war (1 in 4): bought then at 9, or in January at 3.
WAR = (
    offer("now", 3, to=month(0)), offer("then", 9, from_=month(1)), demand(0, 1), scenario(probability=0.25),
    event("demand.quantity", "set", 10, 1),
)  # fmt: skip


def test_to_wait_or_to_store() -> None:
    """To wait costs 22.5, to store 30.

    Known from the start: nothing in peace, 30 in war, 7.5 on average. The mean of demand is 2.5:
    stored for 7.5, and 7.5 more at 9 in war: 7.5 + 0.25·67.5 = 24.375.
    """
    assert figures(book(*WAR)) == pytest.approx(
        {"RP": 22.5, "WS": 7.5, "EEV": 24.375, "EVPI": 15.0, "VSS": 1.875}
    )


def test_with_a_risk_weight_every_figure_is_weighed() -> None:
    """Only the worst quarter counts, which is war: all is stored, 30, as who knew of the war would.

    The mean stores a quarter of it: 7.5 + 67.5.
    """
    assert figures(book(*WAR, risk_weight=1, risk_tail=0.25)) == pytest.approx(
        {"RP": 30, "WS": 30, "EEV": 75, "EVPI": 0, "VSS": 45}
    )


def test_with_half_a_weight_the_tail_counts_half() -> None:
    """Stored: 30 in peace and war.

    Known from the start: 0.5·7.5 + 0.5·30. Mean: 0.5·24.375 + 0.5·75.
    """
    found = figures(book(*WAR, risk_weight=0.5, risk_tail=0.25))
    assert found == pytest.approx(
        {"RP": 30, "WS": 18.75, "EEV": 49.6875, "EVPI": 11.25, "VSS": 19.6875}
    )


def test_what_is_known_at_once_has_no_value() -> None:
    """Several roots: nothing is decided before the scenario is known, so the mean decides nothing
    either.
    """
    rows = (
        offer("now", 3, to=month(0)),
        offer("then", 9, from_=month(1)),
        demand(0, 1),
        scenario(probability=0.25, known=0),
    )
    found = figures(book(*rows, event("demand.quantity", "set", 10, 1)))
    assert found == pytest.approx({"RP": 7.5, "WS": 7.5, "EEV": 7.5, "EVPI": 0, "VSS": 0})


def test_bounds_of_an_exact_search_are_the_values() -> None:
    for each in valued(book(*WAR)).of(Worth):
        assert (each.least, each.most) == pytest.approx((each.value, each.value), abs=1e-6)


def test_a_scenario_that_the_mean_plan_leaves_without_a_plan_is_reported() -> None:
    """The mean stores 2.5, and in war no more than 5 can be bought in February.

    The plan stores 5 and buys 5 in war.
    """
    rows = (offer("now", 3, to=month(0)), offer("then", 9, from_=month(1), capacity=5), *WAR[2:])
    found = valued(book(*rows))
    by_name = {each.figure: each for each in found.of(Worth)}
    assert by_name["RP"].value == pytest.approx(5 * 3 + 0.25 * 5 * 9)
    assert (
        by_name["EEV"].value,
        by_name["VSS"].value,
        by_name["VSS"].least,
        by_name["VSS"].most,
    ) == (None, None, None, None)
    assert by_name["EEV"].meaning.endswith("leaves some scenario without a plan")
    assert by_name["EVPI"].value == pytest.approx(15 + 11.25 - 0.25 * 30)
    assert "Planning for the mean of the scenarios leads to no plan (VSS)." in found.verdict


def test_a_mean_without_a_plan_is_reported() -> None:
    """In peace 10 are wanted in January and the plant ships; in war it ships from May, when 10 are
    wanted. On average it ships from March, and 5 are wanted in January.
    """
    rows = (
        offer(), demand(10, 0), demand(0, 4, material="in"), offer("other", material="in"), material(), material("in"),
        supplier(start=month(0)), scenario(known=0), event("suppliers.start", "add", 4), event("demand.quantity", "set", 0, row="ga"),
        event("demand.quantity", "set", 10, row="in"),
    )  # fmt: skip
    found = valued(book(*rows, periods=5))
    (eev,) = (each for each in found.of(Worth) if each.figure == "EEV")
    assert (eev.value, eev.meaning) == (None, "no value: the mean of all inputs has no plan")


def test_the_mean_is_taken_of_numbers_dates_and_prices_where_they_differ() -> None:
    rows = (
        *prices(10, 30), offer(capacity=8, from_=month(0)), offer("free", capacity=None), demand(4, 1),
        material(shelf_life_months=4), scenario(probability=0.25, known=1), event("prices.market", "scale", 3),
        event("offers.capacity", "set", 20), event("suppliers.start", "set", month(2)), event("materials.shelf_life_months", "set", 9),
    )  # fmt: skip
    meant = mean(unfold(book(*rows, supplier(start=month(0)), periods=3)))
    assert [meant.price("market", t) for t in range(3)] == [
        10,
        0.75 * 30 + 0.25 * 90,
        0.75 * 30 + 0.25 * 90,
    ]
    assert [[row.capacity for row in meant.at(t).rows(type(offer()))] for t in range(2)] == [
        [8, None],
        [0.75 * 8 + 0.25 * 20, None],
    ]
    assert meant.at(1).rows(type(supplier()))[0].start == month(0, 1 + round(59 / 4))
    assert [meant.at(t).rows(Material)[0].shelf_life_months for t in range(3)] == [
        4,
        5,
        5,
    ]  # 5.25 months are no whole periods


def test_a_life_that_a_scenario_changes_has_a_mean() -> None:
    """10 are wanted in the third month; 3 months of life let them be bought in January at 3, 1
    month asks for 9 in March. Known in February that life is short, 1 in 4: what was stored has
    expired. Mean 2.5, to the nearest month 2: nothing is stored.
    """
    rows = (
        offer("now", 3, to=month(0)), offer("then", 9, from_=month(2)), demand(10, 2), material(shelf_life_months=3),
        scenario(probability=0.25), event("materials.shelf_life_months", "set", 1, 1),
    )  # fmt: skip
    assert figures(book(*rows, periods=3)) == pytest.approx(
        {
            "RP": 30 + 0.25 * 90,
            "WS": 0.75 * 30 + 0.25 * 90,
            "EEV": 90,
            "EVPI": 7.5,
            "VSS": 90 - 52.5,
        }
    )


# --- Laws -----------------------------------------------------------------------------------------


def random_tree(seed: int) -> Stockpile:
    """A few offers, a demand that may stay unmet, a contract, a target; two to three scenarios that
    change prices and demand.
    """
    dice = random.Random(seed)
    rows: list[Row] = [
        material(shelf_life_months=dice.choice((None, 2, 3)), shortage_cost=dice.choice((25, 60)), below_target_cost=4, holding_cost=0.5),
        offer("now", dice.randint(3, 9), capacity=dice.choice((None, 12)), to=month(1)),
        offer("lots", dice.randint(3, 9), lot_size=dice.choice((4, 5)), order_cost=dice.choice((0, 6)), capacity=20, from_=month(1)),
        contract(sign_to=month(1), take_or_pay=dice.choice((0, 1)), price_index="market", term_months=2),
        floor(dice.randint(4, 8), 12 * dice.randint(2, 6)), *prices(*(dice.randint(3, 12) for _ in range(4))),
        demand(dice.randint(0, 8), 1, 3), target(dice.randint(0, 5), 1),
    ]  # fmt: skip
    for name in ("war", "glut", "strike")[: dice.randint(1, 3)]:
        known = dice.choice((1, 2))
        rows += [
            scenario(name, dice.choice((0.2, 0.3)), known),
            event("demand.quantity", "scale", dice.choice((0, 2, 3)), known, name=name),
            event(
                dice.choice(("prices.market", "offers.price")),
                "scale",
                dice.choice((0.5, 2)),
                known,
                name=name,
            ),
        ]
    return book(
        *rows, periods=4, risk_weight=dice.choice((0, 0.5)), risk_tail=dice.choice((0.2, 0.5))
    )


@pytest.mark.parametrize("seed", range(24))
def test_neither_value_is_below_zero(seed: int) -> None:
    found = {each.figure: each for each in valued(random_tree(seed)).of(Worth)}
    for name in ("EVPI", "VSS"):
        assert found[name].most is not None
        assert found[name].most >= -1e-6
        assert found[name].least is not None
        assert found[name].least <= found[name].most + 1e-9
    assert found["RP"].value is not None
    assert found["WS"].value is not None
    assert found["EEV"].value is not None
    assert found["WS"].value <= found["RP"].value + 1e-6
    assert found["RP"].value <= found["EEV"].value + 1e-6


# --- Refusals -------------------------------------------------------------------------------------


def test_without_scenarios_there_is_nothing_to_report() -> None:
    with pytest.raises(
        InputError, match=r"^scenarios: --value needs scenarios: without them nothing is uncertain$"
    ):
        INFORMATION.refuse(build(book(offer(), demand(5))).stockpile)


def test_a_target_with_a_probability_ties_scenarios_together() -> None:
    with pytest.raises(InputError, match=r"holds over all scenarios together, and --value plans"):
        INFORMATION.refuse(build(book(*WAR, target(5, 1, probability=0.5))).stockpile)


def test_shortfall_first_has_no_cost_to_compare() -> None:
    with pytest.raises(
        InputError,
        match="--value compares costs: it needs the objective cost, found shortfall_first",
    ):
        INFORMATION.refuse(build(book(*WAR, objective="shortfall_first")).stockpile)


def test_a_book_with_scenarios_is_not_refused() -> None:
    INFORMATION.refuse(build(book(*WAR)).stockpile)


def test_a_value_that_time_did_not_find_is_not_called_impossible() -> None:
    """Nothing is proven of a search that ran out of time, nor of a case that was not run."""
    stockpile = unfold(book(*WAR))
    plan, late = CaseResult("optimal", 1.0, 1.0), CaseResult("no_plan")
    alone = {name: CaseResult("optimal", 1.0, 1.0) for name in stockpile.scenarios}
    by_name = {each.figure: each for each in worth(stockpile, plan, alone, late)}
    assert by_name["EEV"].meaning.endswith(": no plan was found within the time limit")
    (first, *_) = alone
    by_name = {each.figure: each for each in worth(stockpile, plan, {**alone, first: late}, late)}
    said = f"no value: of {first} alone no plan was found within the time limit"
    assert by_name["WS"].meaning == said
    planned = plan_for(book(*WAR))
    assert planned is not None
    found = INFORMATION.attach(planned, [*alone.values(), late], EXACT)
    assert "gave no plan: no plan was found within the time limit (VSS)." in found.verdict
