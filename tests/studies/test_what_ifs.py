"""Plans beside the plan: `--firm` and `--shares`, by hand, with scenarios and without."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from optimiser.plan.plan import Plan
from optimiser.solving.solve import Options
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.plan_figures import figures as reported
from optimiser.studies.engine.views import alone
from optimiser.studies.engine.views import firm as firm_only
from optimiser.studies.kinds.asked import Asked
from optimiser.studies.study_sheet.study_table import Study
from optimiser.studies.what_ifs import COST_SHARES, FIRM_SUPPLY
from optimiser.studies.what_ifs.cost_shares import (
    Alone,
    CostShare,
    CostSplit,
    GroupShare,
    _shares_table,
    buyers,
    groups,
    stability,
)
from optimiser.studies.what_ifs.firm_supply import FirmSupplyRow, compare
from optimiser.system.errors import InputError
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.offers.break_terms import PriceBreak
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.blocks.targets import Target
from stockpile_model.build import build
from stockpile_model.funds import Fund
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project, Site
from tests.support.accept import (
    book,
    budget,
    commitment,
    contract,
    demand,
    endowment,
    event,
    floor,
    fund,
    least_cost,
    lot,
    material,
    offer,
    outlet,
    price_break,
    project,
    scenario,
    site,
    supplier,
    target,
)
from tests.support.plans import asked_beside, plan_for

WAR = (scenario(probability=0.25), event("demand.quantity", "scale", 3, 1))


def planned(stockpile: Stockpile) -> Plan:
    plan = plan_for(stockpile)
    assert plan is not None
    return plan


# --- Firm supply only -----------------------------------------------------------------------------


def two_plants(*rows: Row, **settings: Any) -> Stockpile:
    """Metal at 4 from a plant that is announced, 10 a month at most, or at 9 from one that runs."""
    plants = (supplier("dream", stage="announced"), supplier("mill"))
    return book(
        *plants, offer("cheap", 4, supplier="dream", capacity=10), offer("dear", 9, supplier="mill"), demand(10, 0, 1), *rows, **settings
    )  # fmt: skip


def figures(
    rows: tuple[FirmSupplyRow, ...],
) -> dict[tuple[str, str | None], tuple[float | None, float | None, float | None]]:
    return {(each.figure, each.of): (each.planned, each.firm, each.difference) for each in rows}


def test_a_plant_that_is_announced_is_no_firm_supply() -> None:
    plan = asked_beside(FIRM_SUPPLY, planned(two_plants()))
    found = figures(plan.of(FirmSupplyRow))
    assert found["objective", None] == pytest.approx((80, 180, 100))
    assert found["purchases", None] == pytest.approx((80, 180, 100))
    assert found["delivered", "dream"] == pytest.approx((20, 0, -20))
    assert found["delivered", "mill"] == pytest.approx((0, 20, 20))
    assert found["shortfall", None] == (0, 0, 0)
    said = (
        "With firm supply only, no plant that is merely announced, the plan costs 180 USD, 100"
        " more, and its shortfall is 0 kg instead "
    )
    assert plan.verdict.endswith(f"{said}of 0.")


def test_what_is_missing_of_several_metals_is_not_added() -> None:
    metals = (material(), material("tin", shortage_cost=1), demand(3, material="tin"))
    plan = asked_beside(FIRM_SUPPLY, planned(two_plants(*metals)))
    assert plan.verdict.endswith("the plan costs 183 USD, 100 more.")


def test_without_firm_supply_it_says_what_is_short_and_what_would_make_a_plan() -> None:
    rows = (
        supplier("dream", stage="announced"),
        offer("cheap", 4, supplier="dream"),
        demand(10, 0, 1),
    )
    plan = asked_beside(FIRM_SUPPLY, planned(book(*rows)))
    assert figures(plan.of(FirmSupplyRow))["objective", None] == (pytest.approx(80), None, None)
    assert plan.verdict.endswith(
        "With firm supply only, no plant that is merely announced, no plan keeps every limit."
    )
    said = [each.removeprefix("with firm supply only: ") for each in plan.warnings]
    assert "No plan keeps every limit of this workbook." in said
    assert any("10 kg above what could arrive at most by then" in each for each in said)
    assert "--set 'demand[ga].quantity = 0'" in said
    assert not any("supply_stages" in each for each in said)


def test_firm_stages_are_those_that_count() -> None:
    assert firm_only(two_plants()).settings.supply_stages == (
        "operating",
        "commissioning",
        "building",
    )
    only = firm_only(two_plants(supply_stages=("operating", "announced")))
    assert only.settings.supply_stages == ("operating",)
    with pytest.raises(
        InputError,
        match=(
            r"^settings.supply_stages: counts no firm stage, so there is no firm supply to compare"
            r" with: add"
        ),
    ):
        firm_only(two_plants(supply_stages=("announced",)))


def test_firm_supply_under_scenarios() -> None:
    """30 wanted in February in war, 1 in 4, of which the announced plant brings 10; deliveries are
    what is expected.
    """
    plan = planned(two_plants(*WAR))
    assert plan.objective == pytest.approx(40 + 0.75 * 40 + 0.25 * (40 + 180))
    found = figures(asked_beside(FIRM_SUPPLY, plan).of(FirmSupplyRow))
    assert found["objective", None][1] == pytest.approx(90 + 0.75 * 90 + 0.25 * 270)
    assert found["delivered", "dream"] == pytest.approx((20, 0, -20))
    assert found["delivered", "mill"] == pytest.approx((0.25 * 20, 25, 20))


def compared(
    plan: Plan, firm: Plan
) -> dict[tuple[str, str | None], tuple[float | None, float | None, float | None]]:
    """Two plans as the results of cases, compared."""
    ended = (
        CaseResult("optimal", each.objective, each.bound, figures=reported(each))
        for each in (plan, firm)
    )
    return figures(
        tuple(compare(*ended, contracts=[each.contract for each in plan.of(ContractOutcome)]))
    )


def test_a_floor_is_compared_where_both_plans_sign() -> None:
    """With the announced plant the low level of 10 is enough; without it the high one of 20 a month
    is signed, at 6.
    """
    rows = (
        contract(supplier="mill"),
        floor(5, 120),
        floor(6, 240, "high"),
        demand(10, 0, 1, material="ga"),
    )
    plan = planned(two_plants(*rows))
    found = compared(plan, planned(firm_only(plan.stockpile)))
    assert found["floor signed", "offtake"] == (5, 6, 1)
    unsigned = compared(plan, planned(firm_only(two_plants())))
    assert unsigned["floor signed", "offtake"] == (5, None, None)


# --- Groups of buyers -----------------------------------------------------------------------------


def owned(*rows: Row, names: tuple[str, ...] = ("army", "navy"), **settings: Any) -> Stockpile:
    """A site for each buyer, and what they can order together: at 5, with a cost of 12 for each
    order.
    """
    sites = tuple(site(f"{name} depot", buyer=name) for name in names)
    return book(*sites, offer(price=5, order_cost=12, capacity=100), *rows, **settings)


def split(
    costs: Mapping[str, float | None],
    whole: float,
    bounds: Mapping[str, float] = MappingProxyType({}),
) -> CostSplit:
    """Buyers a, b, … who pay `costs`, by the letters of each group, and together `whole`."""
    names = sorted({letter for group in costs for letter in group})
    ended = {
        tuple(group): Alone(amount, bounds.get(group, amount)) for group, amount in costs.items()
    }
    return CostSplit.made(dict.fromkeys(names, ()), whole, ended)


def game(costs: Mapping[str, float | None], whole: float) -> dict[str, CostShare]:
    return {each.buyer: each for each in split(costs, whole).shares()}


def test_two_buyers_halve_what_they_save() -> None:
    found = game({"a": 100, "b": 60}, 120)
    assert {name: (each.alone, each.share, each.saving) for name, each in found.items()} == {
        "a": (100, 80, 20),
        "b": (60, 40, 20),
    }


def test_three_buyers_by_hand() -> None:
    """a: 90/3 + (60 + 70)/6 + 70/3 = 75, and so on."""
    found = game({"a": 90, "b": 60, "c": 30, "ab": 120, "ac": 100, "bc": 80}, 150)
    assert {name: each.share for name, each in found.items()} == pytest.approx(
        {"a": 75, "b": 50, "c": 25}
    )
    assert sum(each.share or 0.0 for each in found.values()) == pytest.approx(150)


def test_buyers_who_are_alike_pay_alike() -> None:
    found = game({"a": 70, "b": 70, "c": 40, "ab": 110, "ac": 90, "bc": 90}, 130)
    assert found["a"].share == pytest.approx(found["b"].share)
    assert sum(each.share or 0.0 for each in found.values()) == pytest.approx(130)


def test_a_buyer_who_adds_nothing_pays_nothing() -> None:
    found = game({"a": 70, "b": 50, "c": 0, "ab": 100, "ac": 70, "bc": 50}, 100)
    assert found["c"].share == pytest.approx(0)
    assert (found["a"].share, found["b"].share) == pytest.approx((60, 40))


def test_a_group_without_a_plan_leaves_no_share() -> None:
    found = game({"a": None, "b": 60}, 120)
    assert {name: (each.alone, each.share, each.saving) for name, each in found.items()} == {
        "a": (None, None, None),
        "b": (60, None, None),
    }


def test_a_group_would_do_better_alone_where_it_pays_more_than_its_own_plan() -> None:
    """Three buyers of whom any two save all there is to save: no split keeps all groups."""
    pairs = {"a": 90.0, "b": 90.0, "c": 90.0, "ab": 120.0, "ac": 120.0, "bc": 120.0}
    found = {each.group: each for each in split(pairs, 210).groups()}
    assert (found["a"].share, found["a"].better_alone) == (pytest.approx(70), "no")
    assert (found["a, b"].share, found["a, b"].better_alone) == (pytest.approx(140), "yes")
    assert found["a, b"].better_than_nucleolus == "yes"
    assert stability([*found.values()]).startswith("Whatever the split, some group")


def test_what_lies_within_the_gap_is_not_proven() -> None:
    costs = {"a": 100.0, "b": 60.0}
    loose = [each.better_alone for each in split(costs, 120, {"a": 79.0, "b": 41.0}).groups()]
    tight = [each.better_alone for each in split(costs, 120, {"a": 81.0, "b": 41.0}).groups()]
    assert (loose, tight) == (["not proven", "no"], ["no", "no"])
    assert "not proven" in stability([*split(costs, 120, {"a": 79.0, "b": 41.0}).groups()])


def test_the_nucleolus_can_keep_a_group_that_the_average_does_not() -> None:
    """One seller who needs one of two like buyers: any split but one is unfair to a pair."""
    gloves = {"a": 0.0, "b": 0.0, "c": 0.0, "ab": -1.0, "ac": -1.0, "bc": 0.0}
    found = [*split(gloves, -1).groups()]
    assert {each.group for each in found if each.better_alone == "yes"} == {"a, b", "a, c"}
    assert {each.better_than_nucleolus for each in found} == {"no"}
    assert stability(found) == (
        "By Shapley's rule a, b; a, c would do better alone; by the nucleolus no group is known to."
    )


def test_a_scarce_offer_is_not_counted_twice() -> None:
    """Each wants 10 of a market that has 10 at 5; the rest costs 9. Alone with its half it pays
    50·½ + 45 = 70, together both pay 140. With all of it, each alone would pay 50.
    """
    depots = (site("depot", buyer="army"), site("base", buyer="navy"))
    rows = (
        *depots, offer(price=5, capacity=10), offer("dear", 9),
        demand(10, buyer="army"), demand(10, buyer="navy"),
    )  # fmt: skip
    parts = (endowment("spot", "army", 0.5), endowment("SPOT", "navy", 0.5))
    for more, alone_, saved, all_of in (((), 50, -20, "spot"), (parts, 70, 0, None)):
        stockpile = book(*rows, *more)
        plan = asked_beside(COST_SHARES, planned(stockpile))
        assert plan.objective == pytest.approx(140)
        assert [(each.alone, each.saving, each.nucleolus, each.all_of) for each in plan.of(CostShare)] == [
            (pytest.approx(alone_), pytest.approx(saved, abs=1e-6), pytest.approx(70), all_of)
        ] * 2  # fmt: skip
        assert {each.better_alone for each in plan.of(GroupShare)} == {"yes" if saved else "no"}


def test_groups_are_all_but_none_and_everybody() -> None:
    stockpile = owned(names=("a", "b", "c"))
    assert buyers(stockpile) == ["a", "b", "c"]
    assert sorted("".join(group) for group in groups(stockpile)) == [
        "a",
        "ab",
        "ac",
        "b",
        "bc",
        "c",
    ]


def test_an_order_together_saves_an_order_cost() -> None:
    """Each alone 10 at 5 and an order; together one order for both."""
    plan = asked_beside(
        COST_SHARES, planned(owned(demand(10, buyer="army"), demand(10, buyer="navy")))
    )
    assert plan.objective == pytest.approx(112)
    assert [(each.buyer, each.alone, each.share, each.saving) for each in plan.of(CostShare)] == [
        ("army", pytest.approx(62), pytest.approx(56), pytest.approx(6)), ("navy", pytest.approx(62), pytest.approx(56), pytest.approx(6))
    ]  # fmt: skip


def test_shares_under_scenarios_leave_out_the_others_there_too() -> None:
    """Both want 10 in January, and in February 10 more, in war (1 in 4) three times as much.

    An order stores nothing: one each month. Alone a buyer pays for its own demand only, in war too.
    """
    rows = (
        demand(10, 0, 1, buyer="army"), demand(10, 0, 1, buyer="navy"), *WAR, material(shelf_life_months=1),
    )  # fmt: skip
    plan = planned(owned(*rows))
    own = 50 + 12 + 0.75 * (50 + 12) + 0.25 * (150 + 12)
    assert plan.objective == pytest.approx(2 * own - 24)
    found = asked_beside(COST_SHARES, plan).of(CostShare)
    assert [(each.alone, each.share) for each in found] == [
        (pytest.approx(own), pytest.approx(own - 12))
    ] * 2
    fresh = least_cost(owned(*rows[:1], *rows[2:], names=("army",)))
    assert fresh == pytest.approx(own)


@pytest.mark.parametrize("names", [("army",), tuple("abcdefg")])
def test_shares_are_of_two_to_six_buyers(names: tuple[str, ...]) -> None:
    with pytest.raises(
        InputError,
        match=rf"^sites: --shares needs 2 to 6 buyers that own sites, found {len(names)}$",
    ):
        COST_SHARES.refuse(build(owned(names=names)).stockpile)


def everybody(*rows: Row) -> Stockpile:
    """A book in which each table holds a row for the army, one for the navy and one for both."""
    return owned(
        site("yard"), offer("army offer", site="army depot"), offer("navy offer", site="navy depot", capacity=100),
        price_break(5, 8, "army offer", kind="all_units"), price_break(5, 8, "navy offer", kind="all_units"),
        *(demand(1, buyer=name) for name in ("army", "navy", None)), *(target(1, buyer=name) for name in ("army", "navy", None)),
        *(fund(f"{name} fund", buyer=name) for name in ("army", "navy")), fund("common"),
        *(budget(500, name) for name in ("army fund", "navy fund", "common")),
        lot(3, -1, "A", site="army depot"), lot(3, -1, "N", site="navy depot"), lot(3, -1, "Y", site="yard"),
        project("ours", cost=9, fund="army fund"), project("theirs", cost=9, fund="navy fund"), project("all", cost=9),
        outlet("kept", fund="army fund"), outlet("given", fund="navy fund"), outlet("sold"),
        commitment("order", "navy offer", 5, 0), commitment("order", "spot", 5, 0), commitment("rotate", "sold", 1, 0, how="at_most"),
        *rows,
    )  # fmt: skip


def names(stockpile: Stockpile, kind: type[Row], name: str) -> list[Any]:
    return [getattr(row, name) for row in stockpile.rows(kind)]


@pytest.mark.parametrize("uncertain", [False, True])
def test_what_stands_for_the_others_alone_is_left_out(uncertain: bool) -> None:
    stockpile = build(everybody(*(WAR if uncertain else ()))).stockpile
    found = alone(stockpile, "army")
    assert len(found.views) == (3 if uncertain else 0)
    for view in (found, *found.views):
        assert names(view, Site, "site") == ["army depot", "yard"]
        assert names(view, Offer, "offer") == ["spot", "army offer"]
        assert names(view, PriceBreak, "offer") == ["army offer"]
        assert names(view, Demand, "buyer") == names(view, Target, "buyer") == ["army", None]
        assert names(view, Fund, "fund") == names(view, Budget, "fund") == ["army fund", "common"]
        assert names(view, OpeningLot, "lot") == ["A", "Y"]
        assert names(view, Commitment, "name") == ["spot", "sold"]
        assert [(row.project, row.fund, row.cost) for row in view.rows(Project)] == [
            ("ours", "army fund", 9), ("theirs", None, None), ("all", None, 9)
        ]  # fmt: skip
        assert names(view, Outlet, "fund") == ["army fund", None, None]


def test_the_plan_of_all_is_no_dearer_than_two_plans() -> None:
    stockpile = everybody(material(below_target_cost=5), *WAR)
    together = least_cost(stockpile)
    parts = [
        planned(alone(build(stockpile).stockpile, name)).objective for name in ("army", "navy")
    ]
    assert together is not None
    assert together <= sum(parts) + 1e-6


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (CaseResult("no_plan"), "no plan was found within the time limit"),
        (CaseResult("failed", message="out of luck"), "failed: out of luck"),
    ],
)
def test_firm_supply_without_a_plan_says_how_it_ended(ended: CaseResult, said: str) -> None:
    found = FIRM_SUPPLY.attach(planned(two_plants()), [ended], Options())
    assert found.verdict.endswith(f"no plant that is merely announced, {said}.")


@pytest.mark.parametrize(
    ("alone", "said"),
    [
        ((30.0, 40.0), "Together the buyers pay 60 USD, 10 USD less than each alone."),
        ((20.0, 30.0), "Together the buyers pay 60 USD, 10 USD more than each alone."),
        (
            (20.0, None),
            "Together the buyers pay 60 USD; of some group of them no plan is known, so no share is"
            " worked out.",
        ),
    ],
)
def test_the_answer_on_shares_says_what_is_known(
    alone: tuple[float | None, ...], said: str
) -> None:
    ended = {(name,): Alone(each, each) for name, each in zip("ab", alone, strict=True)}
    asked = Asked(Study(study="s", kind="cost_shares"), (), book(), 0.0)
    split = CostSplit.made({"a": [], "b": []}, 60.0, ended)
    assert _shares_table(asked, 60.0, split).said == said
