"""Hold what a plan decides in its first periods, while the rest is decided again.

Both models must have one column for each age: else a column of one stands for other ages than that
of the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from optimiser.studies.engine.case import HeldDecisions
from stockpile_model.amounts import month
from stockpile_model.block import decisions
from stockpile_model.formulation import Formulation
from stockpile_model.names import identity
from stockpile_model.scale import NOISE

Decision = tuple[str, tuple[Any, ...], int, str]
"""A variable, its index without the node, and of the node the period and the scenario."""


def decided(formulation: Formulation, until: int) -> str:
    """Return what a solved model decides before a period, as text; what is 0 is left out.

    Values are in the units of the workbook.
    """
    found = []
    for decision, variable in _decisions(formulation, until):
        value = _value(variable)
        if value:
            name, index, period, scenario = decision
            found.append([name, [*index], period, scenario, value])
    return json.dumps(found)


def hold(formulation: Formulation, held: HeldDecisions) -> list[str]:
    """Fix what is decided before a period.

    Returns in words what was decided and cannot be done, of which the model has no variable.
    """
    values: dict[Decision, float] = {
        (name, tuple(index), period, scenario): value
        for name, index, period, scenario, value in json.loads(held.decisions)
        if period < held.until
    }
    for decision, variable in _decisions(formulation, held.until):
        # A solver may leave a value above its bound by a rounding, of which Pyomo would warn.
        variable.fix(values.pop(decision, 0.0), skip_validation=True)
    begin = formulation.stockpile.calendar.begin
    return [
        f"{name} {', '.join(map(str, index))} in {month(begin(period))}"
        for (name, index, period, _), value in values.items()
        if abs(value) > _nothing(formulation, name)
    ]


def _nothing(formulation: Formulation, name: str) -> float:
    """Return up to which value of a variable nothing is decided, in its own unit.

    Where the model has no such variable its unit is not known, and a whole decision is one.
    """
    component = formulation.m.find_component(name)
    if component is None:
        return min(formulation.stockpile.scale.nothing, NOISE)
    return float(NOISE / formulation.m.scaling_factor[component])


def _decisions(formulation: Formulation, until: int) -> Iterator[tuple[Decision, Any]]:
    """Yield the variables of what is done before a period; who pays is left open."""
    stockpile = formulation.stockpile
    period, holds = stockpile.tree.period, stockpile.holds
    for name in sorted(decisions()):
        variables = formulation.m.find_component(name)
        if variables is None:  # a block may add a variable only where it is used
            continue
        for key, variable in variables.items():
            *index, n = key
            if period[n] < until:
                yield (name, tuple(index), period[n], min(map(identity, holds[n]))), variable


def _value(variable: Any) -> float:
    value = float(pyo.value(variable))
    return float(round(value)) if variable.is_integer() else max(0.0, value)
