"""What becomes of each offtake in a plan: signed or not, at which level, and what it costs."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, Act
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.contracts.extensions import longer
from stockpile_model.blocks.contracts.option_value import floors
from stockpile_model.blocks.contracts.reliance import delivers
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.name_lists import list_of
from stockpile_model.schema import ComparedChoice, Dated, DeedColumns, Result, column
from stockpile_model.solved_plan import SolvedPlan, averaged, by_certainty, parts
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class ContractOutcome(Dated):
    """A contract as it is signed, by the date of its first delivery; or that it is not signed."""

    SHEET = "contracts"
    ABOUT = "which offtakes to sign, at which floor"
    PLACE = 20
    MEANS = ("contract", "level", "signed")
    DECIDED = "signed"
    RANK = 2
    LETTER = "S"
    BUYS = True
    DEED = DeedColumns("sign", "contract", "signed", level="level")
    NAMED = ("contract", "material")
    COMPARED = (ComparedChoice("contract", "contract", "level", "signed", "not signed"),)
    ONE_ACROSS = True
    contract: str = column("offtake")
    supplier: str = column("producer")
    material: str = column("material")
    form: str = column("`purchase` or `cfd`")
    decision: str = column(
        "`sign` or `do not sign`; `signed` before the start; `ended`: so was its term"
    )
    level: str | None = column("level signed")
    floor: float | None = column(
        "floor signed, as it stands at signing", "money/quantity", given=True
    )
    signed: dt.date | None = column("first day of the period of signing")
    annual_quantity: float | None = column("quantity committed", "quantity/year", given=True)
    first_delivery: dt.date | None = column(
        "first day of the first period of delivery, also before the start; blank = past the horizon"
    )
    last_delivery: dt.date | None = column(
        "last day of the term within the horizon, before an extension"
    )
    called_off: float = column("called off within the horizon", "quantity", over="scenarios")
    delivered: float = column("arrives within the horizon, expected", "quantity", over="scenarios")
    deficit: float = column(
        "paid for and not taken, expected", "quantity", alarm=True, over="scenarios"
    )
    expected_price: float | None = column(
        "average price paid for the metal", "money/quantity", per="delivered", over="rest"
    )
    prepayment: float | None = column(
        "money to pay at signing; blank = none, or paid before the start", "money", given=True
    )
    credited: float = column(
        "prepayment taken off what is due, expected, undiscounted", "money", over="scenarios"
    )
    uncredited: float = column(
        "prepayment that is not taken off within the horizon, expected: lost where the contract "
        "ends in it, else to be taken off what is due after it",
        "money",
        over="scenarios",
    )
    topups: float = column(
        "paid for the difference to the floor without metal (cfd), expected, undiscounted",
        "money",
        over="scenarios",
    )
    upside: float = column(
        "received of the price above the trigger, expected, undiscounted", "money", over="scenarios"
    )
    cost: float = column(
        "cost of the contract less its upside, expected, undiscounted", "money", over="scenarios"
    )
    breakeven: float | None = column(
        "floor at which its project pays for itself at the quantity signed",
        "money/quantity",
        given=True,
    )
    share_at_floor: float | None = column(
        "share of deliveries at which the floor sets the price", "1", per="called_off", over="rest"
    )
    least_per_period: float | None = column(
        "least to call off in each period of the term; blank = none",
        "quantity/period",
        given=True,
    )
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))

    def act(self, now: Stockpile) -> Act | None:
        """Return the signature; None where nothing is to be signed.

        What it brings and costs is expected given that it is signed: the row weighs both with its
        probability.
        """
        if self.decision != "sign" or self.signed is None:
            return None
        row = now.keyed(Contract)[self.contract]
        return Act(
            "signature",
            self.signed,
            Contract.TABLE,
            self.contract,
            level=self.level,
            supplier=self.supplier,
            material=self.material,
            deed="sign",
            quantity=self.annual_quantity,
            expected=self.delivered / self.probability,
            times=True,
            price=self.floor,
            cost=self.cost / self.probability or None,
            invoice=row.prepayment + row.signing_cost or None,
            due=self.signed,
            until=row.sign_to,
            lasts=True,
        )

    def joined(self, other: Self) -> Self:
        """Return the contract with the first and the last delivery of both branches."""
        if self.first_delivery == other.first_delivery:
            return self
        begins = [each for each in (self.first_delivery, other.first_delivery) if each]
        ends = [each for each in (self.last_delivery, other.last_delivery) if each]
        return replace(self, first_delivery=min(begins), last_delivery=max(ends))

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield which contracts are signed, at which level, and what they deliver."""
        signed = [each for each in plan.of(cls) if each.decision == "sign"]
        price = f"{plan.currency}/{plan.unit}"
        likely, delivered = defaultdict[str, float](float), defaultdict[str, float](float)
        for each in signed:
            floor = f"(floor {amounts.money(each.floor or 0.0)} {price})"
            name = f"{each.contract} at level {each.level} {floor}"
            likely[name] += each.probability
            delivered[name] += each.delivered
        for begin, names in by_certainty(plan, likely):
            sign = f"{begin}sign" if begin else "Sign"
            for name in names:
                quantity = f"{amounts.summed(delivered[name])} {plan.unit}"
                expected = (
                    f" on average, with probability {amounts.percent(likely[name])}"
                    if parts(plan) and begin
                    else averaged(plan)
                )
                yield f"{sign} {name}, which delivers {quantity}{expected}."


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what each level of each contract is worth, and what becomes of the contract."""
    m, stockpile = formulation.m, formulation.stockpile
    money = _money(formulation)
    for k, row in stockpile.keyed(Contract).items():
        signed = [(f, n) for kk, f, n in m.SIGNINGS if kk == k and evaluate(m.sign[kk, f, n]) > 0.5]
        yield from floors(formulation, row, signed)
        if not signed:
            yield _not_signed(stockpile, row)
        for f, s in signed:
            yield from _signed(formulation, row, f, s, money.get(k, {}))


def _money(formulation: Formulation) -> dict[str, dict[tuple[int, str], float]]:
    """Return what each contract costs, by node and heading.

    What is still due of metal that was in transit is no cost of what it delivers from now on.
    """
    found: dict[str, dict[tuple[int, str], float]] = {}
    for each, amount in formulation.money:
        own = each.use == "contract" and each.heading != "in_transit"
        if own or each.heading == "upside":
            sums = found.setdefault(each.name, {})
            sums[each.node, each.heading] = sums.get((each.node, each.heading), 0.0) + amount
    return found


def _not_signed(stockpile: Stockpile, row: Contract) -> ContractOutcome:
    """Return the outcome of a contract that is not signed, or brings nothing any more."""
    before = terms.signed_before(stockpile, row.contract)
    decision, instruction = "do not sign", f"do not sign {row.contract} with {row.supplier}"
    if before is not None:
        counts = stockpile.counts(row.supplier)
        decision = "ended" if counts else "signed"
        why = "its term is over" if counts else "its supplier is at a stage that does not count"
        instruction = f"nothing to do: {row.contract} with {row.supplier} was signed, and {why}"
    return ContractOutcome(
        contract=row.contract,
        supplier=row.supplier,
        material=row.material,
        form=row.form,
        decision=decision,
        level=None,
        floor=None,
        signed=None,
        annual_quantity=None,
        least_per_period=None,
        first_delivery=None,
        last_delivery=None,
        called_off=0.0,
        delivered=0.0,
        deficit=0.0,
        prepayment=None,
        credited=0.0,
        uncredited=0.0,
        expected_price=None,
        topups=0.0,
        upside=0.0,
        cost=0.0,
        breakeven=None,
        share_at_floor=None,
        instruction=instruction,
    )


Branches = dict[int | None, dict[int, float]]
"""The period of first delivery (None: past the horizon) -> node -> how likely it is passed."""


def _branches(stockpile: Stockpile, s: int, covered: Mapping[int, int]) -> Branches:
    """Return the paths through a node of signing by their first delivery, the likeliest first."""
    tree, found = stockpile.tree, Branches()
    for leaf in tree.leaves:
        path = tree.paths[leaf]
        if s in path:
            first = next((covered[n] for n in path if n in covered), None)
            nodes = found.setdefault(first, {})
            for n in path:
                nodes[n] = nodes.get(n, 0.0) + tree.probability[leaf]
    return dict(sorted(found.items(), key=lambda each: -each[1][s]))


def _signed(
    formulation: Formulation, row: Contract, f: str, s: int, money: Mapping[tuple[int, str], float]
) -> Iterator[ContractOutcome]:
    """Yield the outcome of a contract that is signed, for each date of its first delivery."""
    stockpile, k = formulation.stockpile, row.contract
    tree, calendar, nothing = stockpile.tree, stockpile.calendar, stockpile.scale.nothing
    now, before = stockpile.at(s), terms.signed_before(stockpile, k) is not None
    there, level = now.keyed(Contract)[k], terms.menu(now)[k][f]
    covered = longer(formulation, k, f, delivers(formulation, k, f, s))
    branches = _branches(stockpile, s, covered)
    where = _where(stockpile, s, branches)
    instruction = _instruction(stockpile, there, level, s, where)
    for first, nodes in branches.items():
        weights = {n: nodes[n] for n, d in covered.items() if d == first and n in nodes}
        taken = _taken(formulation, k, f, first, weights)
        deficit = _deficit(formulation, k, f, first, weights)
        sums: dict[str, float] = {}
        for (n, heading), amount in money.items():
            if n in nodes and s in tree.paths[n]:
                sums[heading] = sums.get(heading, 0.0) + nodes[n] * amount
        last = None if first is None else terms.last_period(stockpile, there, first)
        paid = sums.get("prepayments", 0.0)
        if before:
            begun = 0 if first is None else first
            paid = nodes[s] * terms.prepayment(stockpile, there, level, begun)
        yield ContractOutcome(
            **where[first],
            contract=k,
            supplier=row.supplier,
            material=row.material,
            form=row.form,
            decision="signed" if before else "sign",
            level=f,
            floor=terms.floor_value(stockpile, level, s),
            signed=calendar.begin(terms.signing_period(stockpile, k, s)),
            annual_quantity=level.annual_quantity,
            least_per_period=_least(stockpile, there, level),
            first_delivery=None if first is None else calendar.begin(first),
            last_delivery=None if last is None else calendar.end(last),
            called_off=taken.called,
            delivered=taken.arrived,
            deficit=deficit if deficit > nothing else 0.0,
            expected_price=taken.paid / taken.arrived if taken.arrived > nothing else None,
            prepayment=None if before else there.prepayment or None,
            credited=0.0 - sums.get("credits", 0.0),
            uncredited=paid + sums.get("credits", 0.0),
            topups=sums.get("topups", 0.0),
            upside=0.0 - sums.get("upside", 0.0),
            cost=sum(sums.values()),
            breakeven=terms.least_floor(stockpile, there, level, s),
            share_at_floor=taken.at_floor / taken.called if taken.called > nothing else None,
            instruction=instruction,
        )


def _where(stockpile: Stockpile, s: int, branches: Branches) -> dict[int | None, dict[str, Any]]:
    """Return the scenarios of each date of first delivery, and how likely they are."""
    if len(branches) == 1:
        return dict.fromkeys(branches, stockpile.where(s))
    found: dict[int | None, dict[str, Any]] = {}
    for first, nodes in branches.items():
        names = [name for name, leaf in stockpile.scenarios.items() if leaf in nodes]
        found[first] = {"scenarios": list_of(names), "probability": nodes[s]}
    return found


def _instruction(
    stockpile: Stockpile,
    row: Contract,
    level: Floor,
    s: int,
    where: Mapping[int | None, Mapping[str, Any]],
) -> str:
    """Return the sentence that says what to sign, and when it delivers first."""
    calendar, unit = stockpile.calendar, stockpile.settings.quantity_unit
    signed = amounts.month(calendar.begin(terms.signing_period(stockpile, row.contract, s)))
    before = terms.signed_before(stockpile, row.contract) is not None
    does = "signed" if before else "sign"
    floor = amounts.money(terms.floor_value(stockpile, level, s))
    tied = "" if level.floor_index is None else f" (tied to {level.floor_index})"
    quantity = f"{amounts.quantity(level.annual_quantity)} {unit}"
    what = (
        f"cash for {quantity} a year from"
        if row.form == "cfd"
        else f"{quantity} a year{_bound(stockpile, row, level)}, first delivery"
    )
    begins = [
        "past the horizon" if first is None else amounts.month(calendar.begin(first))
        for first in where
    ]
    later = [
        f"{begin} in {each['scenarios']}"
        for begin, each in zip(begins[1:], list(where.values())[1:], strict=True)
    ]
    return (
        f"{signed}: {does} {row.contract} with {row.supplier} at level {level.level}, "
        f"floor {floor} {stockpile.settings.currency}/{unit}{tied}, {what} {begins[0]}"
        + (f" ({'; '.join(later)})" if later else "")
        + ("" if before else _prepay(stockpile, row))
    )


def _least(stockpile: Stockpile, row: Contract, level: Floor) -> float | None:
    """Return the least to call off in each period at a level [quantity]; None where there is none.

    A cfd moves no metal.
    """
    metal = row.form == "purchase" and row.least_per_period > 0
    return terms.least_take(stockpile, row, level) if metal else None


def _bound(stockpile: Stockpile, row: Contract, level: Floor) -> str:
    """Return the words that say what else a signature binds to call off."""
    least, unit = _least(stockpile, row, level), stockpile.settings.quantity_unit
    return "" if least is None else f", at least {amounts.stated(least)} {unit} each period"


def _prepay(stockpile: Stockpile, row: Contract) -> str:
    """Return the words that say what to pay at signing for deliveries to come."""
    if row.prepayment == 0:
        return ""
    return f", and prepay {amounts.money(row.prepayment)} {stockpile.settings.currency}"


@dataclass(frozen=True)
class _Taken:
    """Describe what is taken of a contract, in expectation."""

    called: float
    arrived: float
    paid: float
    at_floor: float  # called off where the floor sets the price


def _taken(
    formulation: Formulation, k: str, f: str, first: int | None, weights: Mapping[int, float]
) -> _Taken:
    """Return what is taken at the nodes of a first delivery, each as likely as its weight."""
    m, stockpile = formulation.m, formulation.stockpile
    called = arrived = paid = at_floor = 0.0
    for kk, ff, d, n in m.TAKES:
        if (kk, ff, d) == (k, f, first) and n in weights:
            row, floor = stockpile.at(n).keyed(Contract)[k], terms.menu(stockpile.at(n))[k][f]
            taken = weights[n] * evaluate(m.take[kk, ff, d, n])
            arriving = taken * row.availability
            called += taken
            arrived += arriving
            paid += arriving * terms.price(stockpile, row, floor, d, n)
            market = terms.market(stockpile, row, n)
            if market is None or market <= terms.floor_at(stockpile, floor, d, n):
                at_floor += taken
    return _Taken(called, arrived, paid, at_floor)


def _deficit(
    formulation: Formulation, k: str, f: str, first: int | None, weights: Mapping[int, float]
) -> float:
    """Return what is paid for and not taken, expected [quantity]."""
    m = formulation.m
    return sum(
        weights[n] * evaluate(m.deficit[kk, ff, d, n])
        for kk, ff, d, n in m.DEFICITS
        if (kk, ff, d) == (k, f, first) and n in weights
    )
