"""A plan by a rule of thumb: what an officer would order and sign without an optimiser.

The wishes of the rule may break a limit of the workbook. So the plan departs from them by the
least quantity with which it keeps every limit; a unit short of a target in a period counts as much
as one that is ordered otherwise, so that what one source cannot bring comes from another, and
demand goes before targets. What the rule leaves open is done at least cost. The plan is one of the
same model, is priced by the same objective, and is audited like any plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from optimiser.solving.relax import Elastic, relax
from optimiser.solving.search_options import Options
from optimiser.solving.standard_form import standard_form
from optimiser.studies.stress.thumb_wishes import ThumbWishes
from stockpile_model.blocks.contracts import contract_terms
from stockpile_model.formulation import Formulation

BY_THUMB = "rule of thumb"  # the view under which a case plans so
WISHED, MOVED = "asked for by the rule", "moved from the rule"
"""The figures of such a plan: what the rule asks for [quantity], and the share of it that moved."""
WIDE = 0.02  # gap within which the wishes give way by the least
PART = 0.5  # of the time that is left for the first of the two searches
Side = Literal["least", "most"]
ALL_SIDES: tuple[Side, ...] = ("least", "most")


@dataclass(frozen=True)
class Followed:
    """Describe how far a plan follows the rule.

    `wished`: what the rule orders and signs; `moved`: how much of it the plan had to leave, or how
    much it had to add, whichever is more [quantity].
    """

    wished: float
    moved: float


@dataclass(frozen=True)
class _Wish:
    """A wish: a variable, its value by the rule, and the quantity that a unit of it stands for.

    `decided`: it is an order or a signing, no shortfall.
    """

    variable: Any
    value: float
    weight: float
    unit: str = "quantity"
    decided: bool = True


def follow(formulation: Formulation, options: Options) -> Followed | None:
    """Hold a model to the rule of thumb, as far as its limits let it.

    None where no plan was found that keeps every limit. Raises SolverError.
    """
    m, scale = formulation.m, formulation.stockpile.scale
    wishes = [*_wishes(formulation)]
    none = [0.0] * len(wishes)
    _hold(formulation, wishes, none, none)
    sides: list[tuple[int, Side]] = [(k, "most") for k in range(len(wishes))]
    sides += [(k, "least") for k, each in enumerate(wishes) if each.value > 0]
    elastic = [
        Elastic(
            m.find_component(f"hold_wish_{side}")[k],
            side,
            wishes[k].weight * scale.of(wishes[k].unit) / scale.quantity,
        )
        for k, side in sides
    ]
    limited = replace(options, gap=max(WIDE, options.gap), time_limit=PART * options.time_limit)
    found = relax(standard_form(m), elastic, limited)
    if len(found.amounts) < len(elastic):
        return None
    gives: dict[Side, list[float]] = {"least": [*none], "most": [*none]}
    for (k, side), amount in zip(sides, found.amounts, strict=True):
        gives[side][k] = amount
    _hold(formulation, wishes, gives["least"], gives["most"])
    decided = [(each.weight, k) for k, each in enumerate(wishes) if each.decided]
    left, added = (sum(weight * gives[side][k] for weight, k in decided) for side in ALL_SIDES)
    return Followed(sum(each.weight * each.value for each in wishes), max(left, added))


def _wishes(formulation: Formulation) -> Iterator[_Wish]:
    """Yield a wish for each order and each signing of the model."""
    m, stockpile = formulation.m, formulation.stockpile
    wishes = ThumbWishes(stockpile)
    for key, variable in m.buy.items():
        yield _Wish(variable, wishes.orders.get(key, 0.0), 1.0)
    menu = contract_terms.menu(stockpile)
    years = stockpile.settings.periods * stockpile.calendar.months / 12
    for (k, f, n), variable in m.sign.items():
        value = float(wishes.signed.get(k) == (f, n))
        weight = max(menu[k][f].annual_quantity * years, stockpile.scale.nothing)
        yield _Wish(variable, value, weight, "1")
    short = generate_standard_repn(m.shortfall.expr)
    for factor, variable in zip(short.linear_coefs, short.linear_vars, strict=True):
        # Metal that is handed out lacks in stock for the rest of the horizon: demand goes first.
        first = variable.parent_component() is m.find_component("unmet")
        weight = float(factor) * (stockpile.settings.periods + 1 if first else 1)
        yield _Wish(variable, 0.0, weight, decided=False)


def _hold(
    formulation: Formulation, wishes: Sequence[_Wish], less: Sequence[float], more: Sequence[float]
) -> None:
    """Require wish - less ≤ variable ≤ wish + more."""
    m, scale = formulation.m, formulation.stockpile.scale
    for name in ("hold_wish_least", "hold_wish_most"):
        if m.find_component(name) is not None:
            m.del_component(name)
    wanted = [k for k, each in enumerate(wishes) if each.value > 0]
    m.hold_wish_least = pyo.Constraint(
        wanted,
        rule=lambda m, k: wishes[k].variable >= wishes[k].value - less[k],
        doc="the plan does what the rule of thumb asks for [quantity]",
    )
    m.hold_wish_most = pyo.Constraint(
        range(len(wishes)),
        rule=lambda m, k: wishes[k].variable <= wishes[k].value + more[k],
        doc="the plan does no more than the rule of thumb asks for [quantity]",
    )
    for part in (m.hold_wish_least, m.hold_wish_most):
        for k, row in part.items():
            m.scaling_factor[row] = 1 / scale.of(wishes[k].unit)
