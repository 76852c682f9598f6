"""Levels of contracts as a plan may sign them or not: what a unit of their metal costs landed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.contracts.extensions import longer
from stockpile_model.blocks.contracts.option_value import first_deliveries, first_nodes
from stockpile_model.blocks.contracts.reliance import delivers
from stockpile_model.choice import Fact, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile


def facts(formulation: Formulation, name: str, level: str | None) -> Iterator[Fact]:
    """Yield what a level brings at each node, and what a unit costs landed there.

    A level that is not signed is priced as if signed at the first date it can be; signing costs are
    spread over what its even rate is expected to bring, and sunk where it was signed before the
    start. Of a cfd a unit is one for which cash is paid.
    """
    m, stockpile = formulation.m, formulation.stockpile
    f, row = str(level), stockpile.keyed(Contract)[name]
    signed = [
        n for k, ff, n in m.SIGNINGS if (k, ff) == (name, f) and evaluate(m.sign[k, ff, n]) > 0.5
    ]
    if signed:
        term = {n: d for s in signed for n, d in delivers(formulation, name, f, s).items()}
        covered, signings = longer(formulation, name, f, term), signed
    else:
        nodes = list(terms.signable(stockpile, row))
        covered, signings = first_deliveries(stockpile, name, nodes), first_nodes(stockpile, nodes)
    even = _brought(stockpile, name, f, covered, signings)
    for n, d in covered.items():
        there, floor = stockpile.at(n).keyed(Contract)[name], terms.menu(stockpile.at(n))[name][f]
        metal = there.form == "purchase"
        amount = 0.0
        if signed and not metal:
            amount = terms.even(stockpile, floor)
        elif signed and (name, f, d, n) in m.TAKES:
            amount = there.availability * evaluate(m.take[name, f, d, n])
        cost = _landed(stockpile, there, floor, d, n, even)
        yield Fact(n, amount if amount > stockpile.scale.nothing else 0.0, cost, brings=metal)


def _brought(
    stockpile: Stockpile, k: str, f: str, covered: Iterable[int], signings: Iterable[int]
) -> float:
    """Return what the even rate brings under a signature, expected as it is signed [quantity]."""
    chance = stockpile.tree.probability
    even = (chance[n] * terms.even(stockpile, terms.menu(stockpile.at(n))[k][f]) for n in covered)
    signed = sum(chance[s] for s in signings)
    return sum(even) / signed if signed else 0.0


def _landed(
    stockpile: Stockpile, row: Contract, floor: Floor, d: int, n: int, even: float
) -> UnitCost:
    """Return what a unit costs that is delivered at a node, when the first delivery is in d."""
    upside = terms.upside(stockpile, row, n)
    sunk = terms.signed_before(stockpile, row.contract) is not None
    signing = row.signing_cost / even if even and not sunk else 0.0
    discount = stockpile.discount(stockpile.tree.period[n])
    if row.form != "purchase":
        price = terms.topup(stockpile, row, floor, d, n) - upside
        return UnitCost(price, other=signing, present=(price + signing) * discount)
    price = terms.price(stockpile, row, floor, d, n)
    handling = min(each.handling_in for each in stockpile.at(n).sites.values())
    landed = UnitCost(price - upside, row.duty * price, row.freight, 0.0, handling, signing)
    return landed._replace(present=landed.landed * discount)


def why_not(stockpile: Stockpile, name: str) -> str:
    """Return why a contract can never be signed; blank where it can."""
    row = stockpile.keyed(Contract)[name]
    if not stockpile.counts(row.supplier):
        return f"its supplier {row.supplier} is at a stage that does not count"
    if not any(True for _ in terms.signable(stockpile, row)):
        return "signed on no date that it allows would it deliver within the horizon"
    return ""
