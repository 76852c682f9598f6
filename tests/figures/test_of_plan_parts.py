"""A plan of one scenario, one material, one buyer; and the chapters of a page."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.figures.figure import ChartFigure, Figured, TableFigure
from optimiser.figures.of_plan import chapters_of
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.plan.audited import as_sheets
from optimiser.plan.marginal_values import MarginalValue
from optimiser.plan.narrowed_plan import for_buyer, in_scenario, of_material, scenarios_of
from stockpile_model.blocks.budget import BudgetUse, Payment
from stockpile_model.blocks.contracts.after_horizon import Obligation
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from tests.support.pages import HOSTILE, PAGED, paged_plan
from tests.support.plans import shared_plan


def figures(plan: so.Plan, part: bool = False) -> dict[str, Figured]:
    """The figures of all chapters by name."""
    chapters = chapters_of(PlanRows(plan), part)
    return {each.name: each for _, made in chapters for each in made}


def table(plan: so.Plan, name: str) -> TableFigure:
    found = figures(plan)[name]
    assert isinstance(found, TableFigure)
    return found


def chart(plan: so.Plan, name: str) -> ChartFigure:
    found = figures(plan)[name]
    assert isinstance(found, ChartFigure)
    return found


def test_a_scenario_costs_what_the_plan_says_of_it() -> None:
    plan = paged_plan()
    for name in scenarios_of(plan):
        part = in_scenario(plan, name)
        outcome = next(each for each in plan.of(ScenarioOutcome) if each.scenario == name)
        assert math.fsum(part.costs.values()) == pytest.approx(outcome.cost)
        assert part.objective == outcome.cost
        assert (part.bound, part.gap) == (None, None)  # nothing is proven of it alone
        assert {each.probability for each in part.of(CashFlow)} == {1.0}
        checks = table(part, "checks")
        assert [line.known[1] for line in checks.lines[:3]] == ["agrees"] * 3


def test_what_scenarios_expect_together_is_what_the_plan_expects() -> None:
    plan = paged_plan()
    likely = {each.scenario: each.probability for each in plan.of(ScenarioOutcome)}
    parts = {name: in_scenario(plan, name) for name in likely}
    for kind, column in ((Delivery, "quantity"), (Payment, "amount"), (LotStock, "quantity")):
        own = math.fsum(each.probability * getattr(each, column) for each in plan.of(kind))
        together = math.fsum(
            likely[name] * math.fsum(getattr(each, column) for each in part.of(kind))
            for name, part in parts.items()
        )
        assert together == pytest.approx(own)
    costs = {
        heading: math.fsum(likely[name] * part.costs[heading] for name, part in parts.items())
        for heading in plan.costs
    }
    assert costs == pytest.approx(dict(plan.costs), abs=1e-6)


def test_what_a_contract_binds_after_the_horizon_is_that_of_each_scenario() -> None:
    """12 a month for two months more, none of which is weighed by how likely a scenario is."""
    day = dt.date(2027, 1, 1)
    plan = so.solve(
        so.from_tables(
            {
                "settings": {"start": day, "periods": 4, "fiscal_year_start": 1},
                "materials": [{"material": "indium", "shortage_cost": 100}],
                "suppliers": [{"supplier": "mill"}],
                "contracts": [
                    {"contract": "offtake", "supplier": "mill", "material": "indium", "deliver_from": day, "term_months": 6}
                ],
                "floors": [{"contract": "offtake", "level": "low", "floor": 2, "annual_quantity": 144}],
                "demand": [{"material": "indium", "from": day, "to": dt.date(2027, 4, 1), "quantity": 12}],
                "scenarios": [{"scenario": "war", "probability": 0.25, "revealed": dt.date(2027, 2, 1)}],
            }
        )
    ).plan  # fmt: skip
    assert plan is not None
    for name in scenarios_of(plan):
        (row,) = in_scenario(plan, name).of(Obligation)
        assert (row.least_quantity, row.most_money) == pytest.approx((24, 48))


def test_a_plan_without_scenarios_has_none_to_choose() -> None:
    assert scenarios_of(shared_plan()) == ()


def test_materials_and_buyers_part_the_rows() -> None:
    plan = shared_plan()
    materials, buyers = ("gallium", "arsenide", "dross"), ("army", "navy")
    delivered = [each for name in materials for each in of_material(plan, name).of(Delivery)]
    assert sorted(map(str, delivered)) == sorted(map(str, plan.of(Delivery)))
    for name in buyers:
        part = for_buyer(plan, name)
        assert {each.buyer for each in part.of(Delivery)} <= {name}
        sites = {each.site for each in part.of(LotStock)}
        assert sites <= set(plan.stockpile.owners[name])
    held = sum(len(for_buyer(plan, name).of(LotStock)) for name in buyers)
    assert held == sum(each.site != "yard" for each in plan.of(LotStock))


def test_a_material_has_the_rows_of_its_group() -> None:
    materials = [{**row, "group": "metals", "below_target_cost": 60} for row in PAGED["materials"]]
    tables = {name: rows for name, rows in PAGED.items() if name not in ("scenarios", "events")}
    targets = [{"material": "metals", "from": "2027-02-01", "quantity": 5}]
    plan = so.solve(so.from_tables({**tables, "materials": materials, "targets": targets})).plan
    assert plan is not None
    assert len(of_material(plan, "indium")["targets"]) == len(plan["targets"]) > 0
    assert set(of_material(plan, "indium")["deliveries"]["material"]) == {"indium"}


# --- The figures by hand --------------------------------------------------------------------------

BY_HAND: dict[str, Any] = {
    "settings": {"start": "2030-01-01", "periods": 4, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 3}],
    "suppliers": [
        {"supplier": "mill", "country": "Canada", "foreign_feedstock": 0.25},
        {"supplier": "trader", "country": "China", "foreign_feedstock": 1},
        {"supplier": "idle", "country": "Greece"},
    ],
    "prices": [{"date": "2030-01-01", "market": 10}],
    "offers": [
        {"offer": "a", "supplier": "mill", "material": "gallium", "price": 9, "from": "2030-01-01", "to": "2030-01-31"},
        {"offer": "b", "supplier": "trader", "material": "gallium", "price": 5, "from": "2030-03-01", "to": "2030-04-30"},
    ],
    "contracts": [
        {"contract": "take", "supplier": "mill", "material": "gallium", "price_index": "market", "discount": 0.5, "term_months": 12,
         "sign_to": "2030-01-31"},
    ],
    "floors": [{"contract": "take", "level": "low", "floor": 6, "annual_quantity": 12}],
    "commitments": [{"kind": "sign", "name": "take", "level": "low"}],
    "demand": [
        {"material": "gallium", "from": "2030-01-01", "quantity": 31},
        {"material": "gallium", "from": "2030-03-01", "quantity": 22},
    ],
    "targets": [{"material": "gallium", "from": "2030-04-01", "quantity": 1, "hard": "yes"}],
}  # fmt: skip
"""The mill brings 30 in January beside its 4 of the contract, one a month; the trader what is missing
of 22 in March: 20. That of April is left at the end."""


@pytest.fixture(scope="module")
def by_hand() -> so.Plan:
    plan = so.solve(so.from_tables(BY_HAND)).plan
    assert plan is not None
    return plan


def test_concentration_is_looked_through(by_hand: so.Plan) -> None:
    found = table(by_hand, "concentration of gallium by country")
    lines = {line.known[0]: line.known[1:] for line in found.lines}
    assert lines["Canada"] == pytest.approx((34, 34 / 54, 8.5, 0.25))
    assert lines["China"] == pytest.approx((20, 20 / 54, 20, 1.0))
    assert lines["All"] == pytest.approx((54, 1, 28.5, 28.5 / 54))
    index = (100 * 34 / 54) ** 2 + (100 * 20 / 54) ** 2
    assert f"index {index:,.0f};" in found.caption
    drawn = chart(by_hand, "concentration of gallium by country, drawn")
    assert drawn.series[0].values == pytest.approx((25.5, 0.0))
    assert drawn.series[1].values == pytest.approx((8.5, 20.0))


def test_suppliers_stand_in_their_countries(by_hand: so.Plan) -> None:
    found = chart(by_hand, "supplier countries")
    assert found.labels == ("Canada", "China", "Greece")
    assert found.series[0].values == pytest.approx((30 * 9 + 4 * 6, 20 * 5, 0))
    assert found.series[0].notes[2] == "nothing is bought here"


def test_a_contract_shows_floor_reference_and_payments(by_hand: so.Plan) -> None:
    series = {each.name: each for each in chart(by_hand, "contract take").series}
    assert series["floor of level low"].values == (6.0,) * 4
    assert series["reference"].values == (5.0,) * 4
    assert series["price paid"].values == pytest.approx((6.0,) * 4)
    assert series["paid (right)"].values == pytest.approx((6.0,) * 4)


def test_the_range_of_a_reference_is_that_over_the_scenarios() -> None:
    series = {each.name: each for each in chart(paged_plan(), "contract take").series}
    low = 0.4 * 0.5 * (40 + 20 * 31 / 90)  # a flood halves the price of February
    assert series["below"].values[1] == pytest.approx(low)
    assert series["reference over the scenarios"].values[1] == pytest.approx(low)
    assert series["reference in base"].values[1] == pytest.approx(2 * low)


def test_a_lot_has_a_bar_from_its_arrival_to_its_end(by_hand: so.Plan) -> None:
    found = chart(by_hand, "lots of gallium")
    spans = {
        label: [
            (dt.date.fromordinal(int(begin)), dt.date.fromordinal(int(end)))
            for series in found.series
            for begin, end in [(series.begins[k], series.values[k])]
            if begin is not None and end is not None
        ]
        for k, label in enumerate(found.labels)
    }
    feb, mar, apr, may = (dt.date(2030, month, 1) for month in (2, 3, 4, 5))
    assert spans["take 2030-02"] == [(feb, mar)]
    assert spans["take 2030-04"] == [(apr, may)]
    assert "take 2030-03" not in spans  # it is used up in the period in which it comes


def test_the_calendar_counts_instructions(by_hand: so.Plan) -> None:
    found = table(by_hand, "calendar")
    (line,) = found.lines
    assert line.known[:6] == ("2030", 2, 0, 1, 0, None)  # sign and order; order
    assert found.map


def test_limits_are_ordered_by_what_one_per_cent_saves() -> None:
    found = table(paged_plan(), "weighty limits")
    savings = [abs(float(line.known[-1])) for line in found.lines]  # type: ignore[arg-type]
    assert savings == sorted(savings, reverse=True)
    assert len(savings) == 10


def test_a_marginal_value_says_in_words_what_it_is_in_its_scenarios() -> None:
    plan = paged_plan()
    rows = {(each.limit, each.scenarios): each for each in plan.of(MarginalValue)}
    sure = rows["demand for gallium", "all"]
    assert sure.in_words == f"From 2027-01 one kg less saves {sure.worth:g} USD"
    part = next(each for each in rows.values() if each.scenarios != "all" and each.worth > 0)
    assert part.in_words is not None
    assert part.in_words.endswith(f" USD, in {part.scenarios}")
    said = float(part.in_words.split(" saves ")[1].split(" USD")[0].replace(",", ""))
    assert said == pytest.approx(part.worth / part.probability, rel=5e-6)
    words = {each.in_words for each in plan.of(MarginalValue)}
    assert {line.known[1] for line in table(plan, "weighty limits").lines} <= words
    assert {each.in_words for each in in_scenario(plan, "ban").of(MarginalValue)} <= words


def test_the_audit_finds_words_that_are_not_those_of_the_figures() -> None:
    plan = paged_plan()
    first, *others = plan.of(MarginalValue)
    rows = (replace(first, in_words=f"{first.in_words}0"), *others)
    sheets = as_sheets(replace(plan, rows={**plan.rows, MarginalValue: rows}))
    (found,) = audit(plan.stockpile, sheets).findings
    assert found.where.startswith("marginal_values!")


def test_evidence_counts_sources() -> None:
    offers = [{**PAGED["offers"][0], "source": "USGS", "confidence": "high"}, *PAGED["offers"][1:]]
    tables = {name: rows for name, rows in PAGED.items() if name not in ("scenarios", "events")}
    plan = so.solve(so.from_tables({**tables, "offers": offers}), gap=0.1).plan
    assert plan is not None
    found = table(plan, "evidence")
    line = next(each for each in found.lines if each.known[0] == "offers")
    titles = [each.title for each in found.columns]
    cells = sum(map(len, offers)) - 2  # but for the source and its confidence
    assert line.known[1:] == (cells, pytest.approx(5 / cells), 5, cells - 5)
    assert titles[3:] == ["Confidence high", "Confidence not stated"]


def test_parts_of_a_plan_have_no_figures_of_the_whole() -> None:
    part = in_scenario(paged_plan(), "ban")
    assert "assessment" in figures(paged_plan())
    assert not {"assessment", "checks", "run"} & figures(part, part=True).keys()
    assert HOSTILE in {each.name for each in chart(part, "purchases").series}


def test_each_fiscal_year_obligates_what_its_appropriations_do() -> None:
    """The bars of the years add up to the totals of the appropriations."""
    plan = paged_plan()
    shown = chart(plan, "appropriation years")
    series = {each.name: each.values for each in shown.series}
    years = {f"FY{each.fiscal_year}" for each in plan.of(BudgetUse)}
    assert set(shown.labels) == years
    (total,) = (line for line in table(plan, "appropriations").lines if line.total)
    columns = [each.title for each in table(plan, "appropriations").columns]
    assert max(series["obligated"]) > 0
    spent, obligated, lapsed = (
        total.known[columns.index(name)] for name in ("Spent", "Obligated", "Lapsed")
    )
    ratio = math.fsum(series["paid"]) / float(str(spent))
    assert math.fsum(series["obligated"]) == pytest.approx(ratio * float(str(obligated)))
    assert math.fsum(series["lapsed"]) == pytest.approx(ratio * float(str(lapsed)))
