"""The model as a whole: no constraint without a plan that it refuses, no component without a name
and a meaning.
"""

from __future__ import annotations

import re

import pyomo.environ as pyo
import pytest

from stockpile_model.block import tables as block_tables
from stockpile_model.build import units
from stockpile_model.schema import Column, Row, columns
from tests.model import (
    test_ageing,
    test_before_start,
    test_budget,
    test_commitments,
    test_contracts,
    test_demand,
    test_dispatches,
    test_groups,
    test_in_transit,
    test_joint_orders,
    test_moves,
    test_objective,
    test_obligations,
    test_offers,
    test_policy,
    test_price_breaks,
    test_projects,
    test_release,
    test_requalify,
    test_rotation,
    test_scenarios,
    test_stock,
    test_supply_curves,
    test_targets,
)
from tests.support.accept import built, everything, everything_uncertain

SUITES = (
    *(
        test_ageing,
        test_before_start,
        test_budget,
        test_commitments,
        test_contracts,
        test_demand,
        test_in_transit,
        test_joint_orders,
        test_moves,
        test_dispatches,
        test_groups,
        test_objective,
        test_policy,
        test_price_breaks,
        test_projects,
    ),
    *(
        test_obligations,
        test_offers,
        test_release,
        test_requalify,
        test_rotation,
        test_scenarios,
        test_stock,
        test_supply_curves,
        test_targets,
    ),
)
TESTED = {case.component for suite in SUITES for case in suite.CASES}


def can_differ(column: Column) -> bool:
    """Whether a column takes another value than its default yet."""
    refused = column.unbuilt if isinstance(column.unbuilt, tuple) else ()
    return column.unbuilt is not True and (
        not column.choices or any(each not in (*refused, column.default) for each in column.choices)
    )


EVERYTHING = everything_uncertain()
FORMULATION = built(EVERYTHING)
M, SIZES = FORMULATION.m, FORMULATION.stockpile.scale
MODELS = (M, built(test_ageing.CLASSES).m)  # every age has a column in the one, not in the other
COLUMNS = [
    (kind, each) for kind in block_tables()[1:] for each in columns(kind) if can_differ(each)
]  # the first is settings
ROWS = {
    each.local_name: each
    for m in MODELS
    for each in m.component_objects(pyo.Constraint)
    if len(each)
}
CONSTRAINTS = [
    *dict.fromkeys(each.local_name for m in MODELS for each in m.component_objects(pyo.Constraint))
]
NAMED = [
    each
    for m in MODELS
    for kind in (pyo.Var, pyo.Constraint, pyo.Objective)
    for each in m.component_objects(kind)
]
INDEX_SETS = {
    f"{name}_index" for name in CONSTRAINTS
}  # Pyomo's own, of a constraint over a set that has no name
SETS = [
    each
    for m in MODELS
    for each in m.component_objects(pyo.Set)
    if each.local_name not in INDEX_SETS
]


def test_scenarios_and_risk_add_the_rows_of_the_tail_and_nothing_else() -> None:
    def names(m: pyo.ConcreteModel) -> set[str]:
        return {
            each.local_name
            for each in m.component_objects((pyo.Var, pyo.Constraint, pyo.Objective))
        }

    assert names(M) - names(built(everything()).m) == {
        "so_far",
        "at_risk",
        "excess",
        "balance_cost",
        "hold_excess",
    }
    assert names(built(everything()).m) <= names(M)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_plan_is_accepted_and_one_refused(name: str) -> None:
    assert name in ROWS, "the book that uses everything makes no row of it"
    assert name in TESTED, f"no case in tests/model accepts and refuses a plan by {name}"


@pytest.mark.parametrize(
    ("kind", "column"), COLUMNS, ids=[f"{kind.TABLE}.{each.name}" for kind, each in COLUMNS]
)
def test_the_book_that_uses_everything_does(kind: type[Row], column: Column) -> None:
    """So that no constraint is overlooked that a block makes on demand only."""
    assert any(getattr(row, column.field) != column.default for row in EVERYTHING.rows(kind))


@pytest.mark.parametrize("component", NAMED, ids=lambda each: each.local_name)
def test_a_component_says_what_it_is_in_which_unit(component: pyo.Component) -> None:
    known = "(quantity|money|1|lots)"
    assert re.fullmatch(rf"[a-z].* \[{known}((, {known})* or {known})?\]", component.doc or "")
    assert re.fullmatch(r"[a-z][a-z_]*", component.local_name)


@pytest.mark.parametrize("component", [*M.component_objects(pyo.Constraint)], ids=str)
def test_a_row_is_in_a_unit_that_its_component_names(component: pyo.Component) -> None:
    """Rules weigh metal, money or members, and a commitment is to metal or to a signature."""
    assert len({SIZES.of(each) for each in ("quantity", "money", "1")}) == 3
    named = [pytest.approx(1 / SIZES.of(each)) for each in units(component)]
    own = [M.scaling_factor[each] for each in component.values() if each in M.scaling_factor]
    assert all(each in named for each in own)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_begins_with_a_verb(name: str) -> None:
    assert re.match(r"(balance|cap|hold|link|forbid)_", name)


@pytest.mark.parametrize("component", SETS, ids=lambda each: each.local_name)
def test_a_set_is_in_capitals_and_says_what_it_is(component: pyo.Component) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]*", component.local_name)
    assert component.doc
