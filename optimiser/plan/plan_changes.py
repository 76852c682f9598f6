"""Changes to a plan that was announced: each decision of the two, by how much it differs, and why.

The facts are cells that have changed since, what is not possible any more, and what keeping a
decision would cost by the linear program of the plan.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimiser.solving.search_options import relative_gap
from stockpile_model import amounts
from stockpile_model.leads import TO_INPUT
from stockpile_model.schema import Dated, column

if TYPE_CHECKING:
    from optimiser.plan.plan import Plan

KEPT, MORE, LESS, NEW, DROPPED = "as announced", "more", "less", "new", "dropped"
STAYS_NEAR, CHANGE_COST = "stays near", "change cost"
CHEAPEST, MOVED = "cost without staying near", "changes without staying near"
LEAST_CHANGES, LEAST_SUM = "least changes proven", "least cost with priced changes proven"
"""What the sheet `run` records of a plan that stays near another: its file, and what a change costs
as a share of its value; what the plan without all that costs and changes; the least changes of a
plan within the gap, or the least sum of cost and priced changes, as far as it is proven."""
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class PlanChange(Dated):
    """A decision that was announced or is taken now, and what has become of it."""

    SHEET = "changes"
    ABOUT = "what changes of the plan that was announced, and why"
    PLACE = 74
    ALWAYS = False
    NAMED = ("what", "name", "level", "date")
    date: dt.date = column("first day of the period of the decision")
    what: str = column("order, sign, call_off, rotate or project")
    name: str = column("offer, contract, outlet or project")
    level: str | None = column("level of the contract")
    change: str = column("`as announced`, `more`, `less`, `new` or `dropped`")
    announced: float = column("what was announced", "quantity or times")
    now: float = column("what the plan does", "quantity or times")
    difference: float = column("what it does beyond what was announced", "quantity or times")
    measure: str = column("unit of these: quantity, or times")
    unit_value: float = column("what one unit of it moves", "money/unit", per="difference")
    value: float = column("value of the difference", "money")
    keeping: float | None = column(
        "what keeping it as announced would cost, by the linear program with the other whole "
        "decisions kept; blank = the reason says why it is not known",
        "money",
    )
    cell: str | None = column("cell of the workbook that has changed", leads=(TO_INPUT,))
    before: str | None = column("what that cell was")
    after: str | None = column("what it is now")
    reason: str = column("why", sentence=True)

    @property
    def changed(self) -> bool:
        """Return whether the plan does not do what was announced."""
        return self.change != KEPT


def kind_of(announced: float, now: float, nothing: float) -> str:
    """Return what has become of a decision; amounts up to `nothing` are none."""
    far = max(nothing, amounts.NOISE * max(abs(announced), abs(now)))
    if abs(now - announced) <= far:
        return KEPT
    if announced <= nothing:
        return NEW
    if now <= nothing:
        return DROPPED
    return MORE if now > announced else LESS


def summed_value(rows: Sequence[PlanChange]) -> float:
    """Return the expected value of all changes [money]."""
    return math.fsum(each.probability * each.value for each in rows)


def announced_of(rows: Sequence[PlanChange]) -> list[PlanChange]:
    """Return the rows of decisions that were announced."""
    return [each for each in rows if each.announced > 0]


def change_lines(plan: Plan) -> Iterator[str]:
    """Yield how near a plan stays to the one that was announced, and what that can cost.

    The bound is that of the plan without it: the best plan of the workbook, wherever it goes.
    """
    if STAYS_NEAR not in plan.run:
        return
    rows = plan.of(PlanChange)
    of, new = announced_of(rows), sum(each.change == NEW for each in rows)
    kept = sum(not each.changed for each in of)
    line = f"This plan stays near the announced one: {kept:,} of"
    line += f" {amounts.count(len(of), 'decision')} {amounts.be(kept)} unchanged"
    yield line + (f", and {new:,} {amounts.be(new)} new." if new else ".")
    yield _moved(plan, summed_value(rows))
    yield from _cost_of_staying(plan)


def _moved(plan: Plan, value: float) -> str:
    """Return what the changes move, and what less they could."""
    currency = plan.currency
    if not value:
        return "Nothing changes of what was announced."
    said = f"The changes move {amounts.rounded(value)} {currency}"
    other = number(plan, MOVED)
    if other is not None and other > value * (1 + amounts.NOISE):
        said += f"; those of the cheapest plan found would move {amounts.rounded(other)}"
        said += f" {currency}"
    least = number(plan, LEAST_CHANGES)
    if least is None:
        return f"{said}."
    if least >= value * (1 - amounts.NOISE):
        return f"{said}. Proven: no plan within the gap changes less."
    few = f"{amounts.rounded(least)} {currency}"
    return f"{said}. Proven: every plan within the gap moves {few} at least."


def _cost_of_staying(plan: Plan) -> Iterator[str]:
    """Yield what staying near costs: at most what is open to the bound."""
    cheapest, price, currency = number(plan, CHEAPEST), number(plan, CHANGE_COST), plan.currency
    more = 0.0 if cheapest is None else plan.objective - cheapest
    if plan.bound is not None:
        most = max(0.0, plan.objective - plan.bound)
        if most <= amounts.NOISE * abs(plan.objective):
            yield "Staying near costs nothing: no plan costs less."
        else:
            said = f"Staying near costs at most {amounts.rounded(_up(most))} {currency}"
            if more > amounts.NOISE * abs(plan.objective):
                said += f", {amounts.rounded(more)} {currency} more than the cheapest plan found"
            yield f"{said}."
    if price is None:
        return
    said = f"A change is priced at {price:g} of its value, which is no cost of the plan"
    if priced_away(plan):
        said += "; that price takes it beyond the gap that was asked for"
    yield f"{said}."
    if (least := number(plan, LEAST_SUM)) is not None:
        both = plan.objective + price * summed_value(plan.of(PlanChange))
        yield (
            f"Cost and priced changes come to {amounts.rounded(both)} {currency}; proven: to no"
            f" less than {amounts.rounded(min(least, both))} {currency} in any plan."
        )


def priced_away(plan: Plan) -> bool:
    """Return whether a plan is beyond the gap that was asked for because changes have a price: the
    plan without that price is within it.
    """
    cheapest, asked = number(plan, CHEAPEST), number(plan, "gap asked for")
    if None in (cheapest, asked, plan.bound, plan.gap) or plan.status == "optimal":
        return False
    gap = relative_gap(cheapest, plan.bound, plan.stockpile.scale.money)
    return gap is not None and gap <= (asked or 0.0)


def _up(value: float) -> float:
    """Return an amount rounded up to three digits, so that it is never less than what is open."""
    power = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.ceil(value / power * (1 - 1e-12)) * power


def number(plan: Plan, name: str) -> float | None:
    """Return a number that the run records; None where there is none."""
    found = plan.run.get(name, NONE)
    return None if found in (NONE, None, "") else float(str(found).replace(",", ""))
