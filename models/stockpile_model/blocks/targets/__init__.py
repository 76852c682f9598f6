"""Targets: in-spec stock that must be there at period end."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pyomo.environ as pyo

from stockpile_model import amounts, groups
from stockpile_model.block import Block
from stockpile_model.blocks.demand import serving
from stockpile_model.blocks.targets import chances, rolled_targets, target_checks
from stockpile_model.blocks.targets.target_terms import Asks, Target, counts, required
from stockpile_model.choice import Missed, Waiver, with_row
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.schema import Dated, Result, SummedLine, column
from stockpile_model.solved_plan import SolvedPlan, by_scenario, on_path, parts, spread
from stockpile_model.stockpile import Stockpile

__all__ = ["BLOCK", "Target", "TargetMet", "counts", "required"]


@dataclass(frozen=True, kw_only=True)
class TargetMet(Dated):
    """The stock that counts towards a target at the end of a period."""

    SHEET = "targets"
    ABOUT = "stock that counts, against the target"
    PLACE = 50
    SUMMED = (SummedLine("Below targets", "below", "missing", "sum over periods"),)
    NAMED = ("material", "date")
    date: dt.date = column("first day of the period, at whose end stock is compared", at_end=True)
    material: str = column("material, or group of materials")
    buyer: str | None = column("whose stock counts")
    target: float = column("in-spec stock asked for at period end", "quantity")
    hard: bool = column("whether it must be met")
    stock: float = column("in-spec stock with enough life left to count", "quantity")
    below: float = column("what is missing", "quantity", alarm=True)
    cost: float = column("price of what is missing, discounted, expected", "money", over="node")

    @classmethod
    def missed(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how many targets are missed, and the worst."""
        paths, nothing = by_scenario(plan, cls), plan.stockpile.scale.nothing
        missed = {
            name: [row for row in rows if row.below > nothing] for name, rows in paths.items()
        }
        first, targets = next(iter(paths.items()))
        below = missed[first]
        if not any(missed.values()):
            if targets:
                yield "Every target is met."
            return
        number = amounts.count(len(targets), "period target")
        yield on_path(
            plan,
            f"{len(below)} of {number} {amounts.be(len(below))} missed, {_worst(plan, below)}."
            if below
            else "Every target is met.",
        )
        if parts(plan):
            worst = _worst(plan, itertools.chain.from_iterable(missed.values()))
            yield f"Over the scenarios {spread(missed, 'period target')} are missed, {worst}."


def _worst(plan: SolvedPlan, missed: Iterable[TargetMet]) -> str:
    """Return by how much the worst of targets is missed."""
    worst = max(missed, key=lambda each: each.below)
    below = amounts.summed(worst.below)
    return f"the worst by {below} {plan.unit} of {worst.material} in {amounts.month(worst.date)}"


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return the most that targets ask to be held of a material at once in a window [quantity]."""
    nodes = (n for period in window for n in stockpile.tree.at[period])
    return max(_total(stockpile, material, n) for n in nodes)


def _total(stockpile: Stockpile, material: str, node: int) -> float:
    asked, members = required(stockpile, node).items(), stockpile.members
    return sum(each.quantity for (i, _), each in asked if material in members(i))


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return whether an age counts towards a target.

    At the last age nothing is held, so it has the mark of the one before.
    """
    life = stockpile.life(material)
    asked = any(material in stockpile.members(row.material) for row in stockpile.rows(Target))
    held = age if life is None else max(0, min(age, life - 2))
    return asked and counts(stockpile, material, held)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what is below soft targets, and hold all targets."""
    tree = stockpile.tree
    asked = {(*key, n): each for n in tree.nodes for key, each in required(stockpile, n).items()}
    add_below(m, asked)
    hold_target(m, stockpile, asked)
    limit_target(m, asked, ledger)
    charge_below(m, stockpile, ledger)
    chances.hold_chances(m, stockpile, asked, ledger)


def add_below(m: pyo.ConcreteModel, asked: Asks) -> None:
    """Add below[i,b,n] for soft targets."""
    m.TARGETS = pyo.Set(dimen=3, initialize=list(asked), doc="material, buyer, node with a target")
    m.SOFT_TARGETS = pyo.Set(
        dimen=3,
        initialize=[key for key, each in asked.items() if not each.hard],
        doc="targets that may be missed",
    )
    m.below = pyo.Var(
        m.SOFT_TARGETS, domain=pyo.NonNegativeReals, doc="stock below a soft target [quantity]"
    )


def hold_target(m: pyo.ConcreteModel, stockpile: Stockpile, asked: Asks) -> None:
    """Require Σ_{w, a that count} stock[i,w,a,n] + below[i,b,n] ≥ target[i,b,n].

    Of a group the stock of each of its materials counts, at ages at which that material counts.
    """

    def rule(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        terms = _counted(m, stockpile, i, b, n)
        if (i, b, n) in m.SOFT_TARGETS:
            terms.append(m.below[i, b, n])
        return summed(terms) >= asked[i, b, n].quantity

    m.hold_target = pyo.Constraint(
        m.TARGETS,
        rule=rule,
        doc="in-spec stock reaches the target, or is counted as below [quantity]",
    )


def limit_target(m: pyo.ConcreteModel, asked: Asks, ledger: Ledger) -> None:
    """Post each target with its cell."""
    for (i, b, n), (amount, row) in asked.items():
        data, what = m.hold_target[i, b, n], f"target for {i}"
        ledger.limit(data, "least", amount, "quantity", what, row, row.stated, n)


def _counted(m: pyo.ConcreteModel, stockpile: Stockpile, i: str, b: str, n: int) -> list[object]:
    """Return the stock that counts towards a target of a material, or of all of a group."""
    now, standing = stockpile.at(n), stockpile.standing
    return [
        m.stock[member, w, a, n]
        for member in stockpile.members(i)
        for w in serving(stockpile, b)
        for a in stockpile.in_spec(member, n)
        if counts(now, member, standing(member, a).age)
    ]


def charge_below(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what is missing, and its price."""
    for i, b, n in m.SOFT_TARGETS:
        ledger.miss(n, m.below[i, b, n])
        rate = groups.price(stockpile.at(n), i, "below_target_cost")
        if rate:
            ledger.charge(n, "below_target", rate * m.below[i, b, n], i, b, b or None)


def count_missing(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Set what is below a target that has no price to what is missing.

    Nothing keeps the solver from leaving more there, as what is below costs nothing.
    """
    for i, b, n in m.SOFT_TARGETS:
        if not groups.price(stockpile.at(n), i, "below_target_cost"):
            held = sum(evaluate(each) for each in _counted(m, stockpile, i, b, n))
            missing = max(0.0, required(stockpile, n)[i, b].quantity - held)
            m.below[i, b, n].set_value(min(missing, evaluate(m.below[i, b, n])))


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield the stock that counts towards each target, and what is missing."""
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    count_missing(m, stockpile)
    for i, b, n in m.TARGETS:
        target = required(stockpile, n)[i, b]
        below = evaluate(m.below[i, b, n]) if (i, b, n) in m.SOFT_TARGETS else 0.0
        rate = groups.price(stockpile.at(n), i, "below_target_cost") or 0.0
        yield TargetMet(
            **stockpile.where(n),
            date=stockpile.date(n),
            material=i,
            buyer=b or None,
            target=target.quantity,
            hard=target.hard,
            stock=sum(evaluate(each) for each in _counted(m, stockpile, i, b, n)),
            below=below if below > stockpile.scale.nothing else 0.0,
            cost=tree.probability[n] * stockpile.discount(tree.period[n]) * rate * below,
        )


def ease(row: Target) -> Target:
    """Return a target that may be missed."""
    return replace(row, hard=False, probability=None)


def waivers(stockpile: Stockpile) -> Iterator[Waiver]:
    """Yield each target that must be met; without it, it may be missed at the price of the soft."""
    for number, row in enumerate(stockpile.rows(Target)):
        if row.hard or row.probability is not None:
            lift = functools.partial(
                with_row, kind=Target, number=number, hard=False, probability=None
            )
            of = f" of {row.buyer}" if row.buyer else ""
            what = f"hard target for {row.material}{of} from {row.from_}"
            yield Waiver(what, row, "hard" if row.probability is None else "probability", lift)


def misses(formulation: Formulation) -> Iterator[Missed]:
    """Yield the stock below each soft target."""
    m, stockpile = formulation.m, formulation.stockpile
    for i, b, n in m.SOFT_TARGETS:
        row = required(stockpile, n)[i, b].row
        what = f"target for {i}" + (f" of {b}" if b else "")
        yield Missed(n, i, what, row, row.stated, m.below[i, b, n])


BLOCK = Block(
    tables=(Target,),
    results=(TargetMet,),
    headings=(Heading("below_target", "price of stock below targets (no cash)", cash=False),),
    follows=("kept",),
    check=target_checks.check,
    review=target_checks.review,
    add=add,
    report=report,
    tells_apart=tells_apart,
    uses=uses,
    ties=chances.ties,
    ease=ease,
    rolls=rolled_targets.rolls,
    waivers=waivers,
    misses=misses,
)
