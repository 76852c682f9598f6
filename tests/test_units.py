"""The law of units: with all quantities times s and the prices of a unit over s, or all money times
s, it is the same plan.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from optimiser.explaining.shortages import why_infeasible
from optimiser.solving.solve import Options, Outcome, solve
from optimiser.solving.standard_form import StandardForm, standard_form
from optimiser.studies.engine.case import Case
from optimiser.studies.engine.evaluate import CaseEvaluator, StudyJob
from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.build import build, check
from stockpile_model.changes import Change
from stockpile_model.scenarios import Event
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import text
from tests.support.accept import (
    book,
    budget,
    demand,
    everything,
    everything_uncertain,
    fund,
    material,
    offer,
    outlet,
    price_break,
    supplier,
)
from tests.support.planner import planned
from tests.support.plans import shared_plan
from tests.support.small_books import FEATURES, small_books
from tests.test_audit_units import changed

CASES = Path(__file__).parent / "cases"
SMALL = Path(__file__).parents[1] / "inputs" / "small.xlsx"
UNITS = [
    (1e-6, 1.0),
    (1e-3, 1.0),
    (1e3, 1.0),
    (1e6, 1.0),
    (2.20462, 1.0),
    (1.0, 1e-6),
    (1.0, 1e6),
    (1.0, 0.87),
    (1e6, 1e-6),
]
EXACT = Options(gap=0.0, threads=1)


def in_units(stockpile: Stockpile, quantity: float, money: float) -> Stockpile:
    """The stockpile where what was a unit of quantity is `quantity` of them, and a unit of money
    `money`.
    """
    kinds: dict[str, type[Row]] = {kind.TABLE: kind for kind in stockpile.tables}
    tables = {
        kind: tuple(_written(changed(_read(row), kinds, quantity, money)) for row in rows)
        for kind, rows in stockpile.tables.items()
    }
    return replace(
        stockpile,
        settings=changed(stockpile.settings, kinds, quantity, money),
        tables=tables,
        shape=None,
        views=(),
        scenarios={},
        anchor=None,
    )


def _read(row: Row) -> Row:
    """An event whose value is a number that stands as text."""
    with contextlib.suppress(ValueError, TypeError):
        return replace(row, value=float(row.value)) if isinstance(row, Event) else row  # type: ignore[arg-type]
    return row


def _written(row: Row) -> Row:
    return (
        replace(row, value=text(row.value))
        if isinstance(row, Event) and isinstance(row.value, float)
        else row
    )


@pytest.mark.parametrize("name", ["gallium", "portfolio"])
@pytest.mark.parametrize(("quantity", "money"), UNITS)
def test_no_figure_of_a_sound_workbook_is_too_large_in_any_unit(
    name: str, quantity: float, money: float
) -> None:
    there = in_units(read(SMALL.with_name(f"{name}.xlsx")).stockpile, quantity, money)
    cells = (
        (row, each) for rows in there.tables.values() for row in rows for each in columns(type(row))
    )
    assert not [fault for row, each in cells if (fault := each.fault(getattr(row, each.field)))]
    assert not [each for each in check(there) if not each.warning]


def form_of(stockpile: Stockpile) -> StandardForm:
    return standard_form(build(stockpile).m)


def differing(one: StandardForm, other: StandardForm) -> dict[str, float]:
    """By how much two programs differ, relatively, array by array."""
    pairs = (
        (name, value, getattr(other.program, name)) for name, value in vars(one.program).items()
    )
    found: dict[str, float] = {}
    for name, left, right in pairs:
        if np.shape(left) != np.shape(right):
            found[name] = np.inf
        elif not np.array_equal(left, right):
            with np.errstate(invalid="ignore"):
                found[name] = float(
                    np.nanmax(np.abs(left - right) / np.maximum(np.abs(left), 1e-300))
                )
    return {name: far for name, far in found.items() if far > 2e-10}  # the last digit that counts


BOOKS: dict[str, Callable[[], Stockpile]] = {
    "everything": everything,
    "everything in scenarios": everything_uncertain,
    "the full plan": lambda: shared_plan().stockpile,
    "shortfall first": lambda: replace(
        everything(), settings=replace(everything().settings, objective="shortfall_first")
    ),
    "risk": lambda: replace(
        everything_uncertain(), settings=replace(everything_uncertain().settings, risk_weight=0.4)
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_the_program_that_a_solver_gets_is_the_same_in_any_unit(name: str) -> None:
    """So no threshold of the model is a number in the user's unit, and every row and column is
    scaled by its own.
    """
    stockpile = BOOKS[name]()
    stated = form_of(stockpile)
    for units in UNITS:
        assert differing(stated, form_of(in_units(stockpile, *units))) == {}, units


@pytest.mark.parametrize("name", ["indium", "portfolio", "gallium"])
def test_the_program_of_a_worked_example_is_the_same_in_any_unit(name: str) -> None:
    stockpile = read(SMALL.with_name(f"{name}.xlsx")).stockpile
    assert differing(form_of(stockpile), form_of(in_units(stockpile, 2.20462e-6, 0.87))) == {}


def decided(stockpile: Stockpile) -> tuple[Outcome, Any]:
    """How a book is planned, and the decisions, in scaled units."""
    formulation = build(stockpile)
    outcome = solve(formulation.m, EXACT)
    assert outcome.form is not None
    return (
        outcome,
        np.array([each.value or 0.0 for each in outcome.form.variables])
        / outcome.form.sizes.column,
    )


COUNTED = (
    *(offer("a", 10, supplier="a", order_cost=30), offer("b", 14, supplier="b", minimum_order=3), price_break(20, 9, "a")),
    *(supplier("a"), supplier("b"), material(shelf_life_months=3, holding_cost=1), demand(7, 0, 3), demand(0.5, 2)),
    *(outlet(price=4, capacity=2), fund(), budget(900)),
    Rule(rule="two", of="supplier", measure="count", window="horizon", least=2),
)  # fmt: skip


@pytest.mark.parametrize("units", UNITS, ids=str)
def test_the_decisions_are_the_same_in_any_unit(units: tuple[float, float]) -> None:
    for stockpile in (book(*COUNTED, periods=4), read(SMALL).stockpile):
        (stated, x), (other, y) = decided(stockpile), decided(in_units(stockpile, *units))
        assert (other.status, stated.status) == ("optimal", "optimal")
        assert other.objective == pytest.approx((stated.objective or 0.0) * units[1], rel=1e-9)
        assert other.bound == pytest.approx((stated.bound or 0.0) * units[1], rel=1e-7)
        assert y == pytest.approx(x, rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("feature", sorted(FEATURES)[::9])
def test_random_books_cost_the_same_in_any_unit(feature: str) -> None:
    @seed(len(feature))
    @settings(max_examples=3)
    @given(small_books(feature), st.sampled_from(UNITS))
    def check(tables: dict[str, Any], units: tuple[float, float]) -> None:
        stated, outcome = planned(tables)
        found = solve(build(in_units(stated.stockpile, *units)).m, EXACT)
        assert found.status == outcome.status
        if outcome.objective is not None:
            assert found.objective == pytest.approx(
                outcome.objective * units[1], rel=1e-7, abs=1e-7 * units[1]
            )

    check()


RIGHT = {
    "units_tonnes_order_cost": 1470, "units_tonnes_small_need": 442.1, "units_kg_small_need": 442.1, "units_tonnes_count_rule": 1.4,
    "units_tiny": 5, "units_wagner_whitin": 1380, "money_in_billions": 630e-9, "rule_count_dust": 990 + 10 * 200,
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_small_numbers_in_a_large_unit(name: str) -> None:
    """What was planned wrongly where thresholds were numbers in the user's unit, with its right
    value.
    """
    outcome = solve(build(read(CASES / name).stockpile).m, EXACT)
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(RIGHT[name], rel=1e-9)


@pytest.mark.parametrize("units", UNITS[::3], ids=str)
def test_what_is_short_is_reported_in_the_workbooks_unit(units: tuple[float, float]) -> None:
    rows = (offer(capacity=4), demand(10), fund(), budget(20))
    stated, other = (
        why_infeasible(build(each), EXACT) for each in (book(*rows), in_units(book(*rows), *units))
    )
    sizes = {"kg": units[0], "USD": units[1]}
    assert stated.wanted
    for left, right in zip(
        (*stated.wanted, *stated.needed), (*other.wanted, *other.needed), strict=True
    ):
        assert (left.limit, left.first, left.last) == (right.limit, right.first, right.last)
        assert right.short == pytest.approx(left.short * sizes[left.unit])


@pytest.mark.parametrize("units", UNITS[::3], ids=str)
def test_the_runs_of_a_study_are_the_same_in_any_unit(units: tuple[float, float]) -> None:
    stated = book(*COUNTED, periods=4)
    for change in (
        Change("offers", "a", "price", "scale", "1.5"),
        Change("demand", "*", "quantity", "scale", "2"),
    ):
        for case in (Case((change,)), Case((change,), limit=("shortfall", 0.0))):
            one, other = (
                CaseEvaluator(StudyJob(each, EXACT)).run(case)[0]
                for each in (stated, in_units(stated, *units))
            )
            assert other.objective == pytest.approx((one.objective or 0.0) * units[1], rel=1e-7)
            assert other.figures["order a"] == pytest.approx(
                float(one.figures["order a"]) * units[0], rel=1e-7
            )
            assert other.stock == pytest.approx([each * units[0] for each in one.stock], rel=1e-7)
