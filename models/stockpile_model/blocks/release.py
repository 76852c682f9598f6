"""Release: metal that counts towards a target does not leave while the target is missed.

It holds where `settings.release_below_target` is `no`. What counts at the end of a period is metal
that would count had it stayed: with some life left then, and at least `count_life_months`. With
`release` whether it may leave, for each soft target that such metal could leave from:

    below ≤ target·(1 - release)
    Σ out of what counts, sold, lent or thrown away ≤ most·release

A hard target is never missed. What an exchange, a rework or another test takes is no release: it
comes back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks.demand import serving
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms, growth
from stockpile_model.blocks.rotation.dispatching import through_outlets
from stockpile_model.blocks.rotation.outlet_terms import RELEASING, Outlet
from stockpile_model.blocks.targets.target_terms import Target, counts, required
from stockpile_model.choice import Waiver, changed
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile

Released = Mapping[tuple[str, str, int], Sequence[tuple[str, Any]]]
"""What counts towards a target and may leave at a node: the outlet, and what leaves."""


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add whether metal that counts may leave, where a target can be missed."""
    kept = {} if stockpile.settings.release_below_target else _released(m, stockpile)
    m.RELEASES = pyo.Set(
        dimen=3,
        initialize=list(kept),
        doc="material, buyer, node of a soft target from whose stock metal may leave",
    )
    m.release = pyo.Var(
        m.RELEASES, domain=pyo.Binary, doc="whether metal that counts may leave [1]"
    )
    cap_missed(m, stockpile)
    cap_release(m, DispatchTerms(stockpile, ledger, list(through_outlets(m))), kept)


def _released(m: pyo.ConcreteModel, stockpile: Stockpile) -> Released:
    """Return what may be released for each soft target that it counts towards."""
    outs: dict[tuple[str, str, int], list[tuple[str, Any]]] = {}  # by material, site and node
    for (r, w, a, n), out in m.out.items():
        now = stockpile.at(n)
        row = now.keyed(Outlet)[r]
        standing = stockpile.standing(row.material, a)
        stays = standing.in_spec and counts(now, row.material, standing.age)
        if row.form in RELEASING and stays:
            outs.setdefault((row.material, w, n), []).append((r, out))
    found = {
        (name, b, n): [
            pair
            for i in stockpile.members(name)
            for w in serving(stockpile, b)
            for pair in outs.get((i, w, n), ())
        ]
        for name, b, n in m.SOFT_TARGETS
    }
    return {key: pairs for key, pairs in found.items() if pairs}


def cap_missed(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Require below[i,b,n] ≤ target[i,b,n]·(1 - release[i,b,n])."""
    m.cap_missed = pyo.Constraint(
        m.RELEASES,
        rule=lambda m, i, b, n: (
            m.below[i, b, n] <= required(stockpile, n)[i, b].quantity * (1 - m.release[i, b, n])
        ),
        doc="a target is not missed where metal that counts may leave [quantity]",
    )


def cap_release(m: pyo.ConcreteModel, terms: DispatchTerms, kept: Released) -> None:
    """Require Σ out of what counts ≤ the most that its outlets take·release[i,b,n]."""

    def rule(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        of: dict[str, set[str]] = {}  # the outlets of each material
        for r, _ in kept[i, b, n]:
            of.setdefault(terms.outlet(r, n).material, set()).add(r)
        most = sum(terms.together(names, n) for names in of.values())
        return summed(out for _, out in kept[i, b, n]) <= most * m.release[i, b, n]

    m.cap_release = pyo.Constraint(
        m.RELEASES, rule=rule, doc="metal that counts leaves only where it may [quantity]"
    )


def _keeping(stockpile: Stockpile) -> list[Outlet]:
    """Return the outlets through which nothing that counts may leave below a target."""
    if stockpile.settings.release_below_target:
        return []
    asked = {i for row in stockpile.rows(Target) for i in stockpile.members(row.material)}
    rows = stockpile.rows(Outlet)
    return [row for row in rows if row.form in RELEASING and row.material in asked]


def bounds_orders(stockpile: Stockpile) -> str:
    """Return why every order needs a bound: all that counts may have to stay."""
    keeps = _keeping(stockpile)
    return "metal that counts is not released below its target" if keeps else ""


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the outlets through which any quantity could be released."""
    unbounded = growth(stockpile, 0) == math.inf
    for row in _keeping(stockpile) if unbounded else ():
        if row.capacity is None:
            message = (
                "is needed: metal that counts is not released below its target, and an exchange or "
                "rework gives back at once more than goes in"
            )
            yield Problem(row.TABLE, row.line, "capacity", message)


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return whether metal of an age would count had it stayed; at its last age it expires."""
    kept = any(row.material == material for row in _keeping(stockpile))
    return kept and counts(stockpile, material, age)


def waivers(stockpile: Stockpile) -> Iterator[Waiver]:
    """Yield the rule that nothing is released below a target, where it holds."""
    if not stockpile.settings.release_below_target:
        what = "no release below a target"
        yield Waiver(what, stockpile.settings, "release_below_target", _released_anyway)


def _released_anyway(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile whose metal may be released below a target too."""

    def change(view: Stockpile) -> Stockpile:
        settings = replace(view.settings, release_below_target=True)
        return replace(view, settings=settings, classes=None)

    return changed(stockpile, change)


BLOCK = Block(
    follows=("release",),
    review=review,
    add=add,
    tells_apart=tells_apart,
    bounds_orders=bounds_orders,
    waivers=waivers,
)
