"""Why there is no plan: which limits are short, by how much, and where they stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from optimiser.solving.relax import Elastic, relax
from optimiser.solving.search_options import Options
from optimiser.solving.standard_form import StandardForm, standard_form
from stockpile_model import amounts
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.targets import Target
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Limit
from stockpile_model.scale import NOISE, PRICE
from stockpile_model.tables import Site


@dataclass(frozen=True)
class Short:
    """A limit that no plan can keep.

    It is short from the period `first` to `last` (None for a limit over a window, which its name
    gives), by at most `short` in one of them, and by `total` over them (None for a stock, which
    has no such sum).
    """

    limit: str
    cell: str
    first: dt.date | None
    last: dt.date | None
    amount: float
    short: float
    total: float | None
    unit: str

    def __str__(self) -> str:
        when = "" if self.first is None else f", {amounts.month(self.first)}"
        if self.first and self.last and self.first != self.last:
            when += f" to {amounts.month(self.last)}"
        limit = f" ({_shown(self.amount)})" if self.amount and self.unit != "1" else ""
        at = f"{self.cell}: " if self.cell else ""
        several = self.total is not None and self.total > self.short * (1 + NOISE)
        unit = (
            self.unit.removesuffix("s")
            if self.unit in ("members", "times") and self.short == 1
            else self.unit
        )
        total = f" at most in a period, {_sum(self.total or 0.0)} in all" if several else ""
        return f"{at}{self.limit}{limit}{when}: short by {_sum(self.short)} {unit}{total}"


def _shown(amount: float) -> str:
    """Write a limit as its cell holds it."""
    return amounts.quantity(amounts.clean(amount))


def _sum(amount: float) -> str:
    """Write what is short: it is computed, and its last digits say nothing."""
    return amounts.summed(amount)


@dataclass(frozen=True)
class Explanation:
    """Describe why there is no plan, in two ways.

    `wanted`: what is required and cannot be had, the rest of the workbook as it is. `needed`: what
    would have to be larger to have all of it, one way of several. Either is empty where it alone
    does not make a plan.
    """

    wanted: tuple[Short, ...]
    needed: tuple[Short, ...]

    def lines(self) -> Iterator[str]:
        """Yield the explanation line by line."""
        yield "No plan keeps every limit of this workbook."
        if self.wanted:
            yield "Short while all else is kept:"
            yield from (f"  {each}" for each in self.wanted)
        if self.needed:
            yield "Every requirement could be met, in one way of several, with more of:"
            yield from (f"  {each}" for each in self.needed)
        if not self.wanted and not self.needed:
            yield (
                "No single kind of limit is to blame; look at lead times, dates and minimum orders."
            )


def why_infeasible(formulation: Formulation, options: Options) -> Explanation:
    """Let business limits give way at the least total amount, whole orders kept: first only what is
    required (demand, targets, least values of rules), then only what is granted (capacities,
    money, most values); both where neither alone suffices. The same minimum can often be spread in
    several ways; one of them is reported.
    """
    form = standard_form(formulation.m)
    wanted = _least(formulation, form, options, _asks)
    needed = _least(formulation, form, options, lambda limit: not _asks(limit))
    if not wanted and not needed:
        wanted = _least(formulation, form, options, lambda limit: True)
    return Explanation(wanted, needed)


def _asks(limit: Limit) -> bool:
    """Return whether a limit demands something, rather than grants it."""
    return limit.sense == "least" and limit.row is not None


def _least(
    formulation: Formulation, form: StandardForm, options: Options, which: Callable[[Limit], bool]
) -> tuple[Short, ...]:
    limits = [
        limit
        for limit in formulation.ledger.limits
        if which(limit)
        and (form.row(limit.data) is not None or form.column(limit.data) is not None)
    ]
    elastic = [Elastic(limit.data, limit.sense, _weight(limit)) for limit in limits]
    found = relax(form, elastic, options)
    return (
        tuple(_grouped(formulation, zip(limits, found.amounts, strict=True)))
        if found.amounts
        else ()
    )


def _weight(limit: Limit) -> float:
    """Return the weight of a scaled unit of a limit.

    It is that of a quantity; of money it is what a quantity costs.

    Money that no appropriation may pay counts double, so that an appropriation is named first where
    a larger one would do.
    """
    if limit.unit != "money":
        return 1.0
    return (1 if limit.row is not None else 2) / PRICE


def _grouped(formulation: Formulation, found: Iterable[tuple[Limit, float]]) -> Iterator[Short]:
    """Yield one line for a cell, over the periods in which it is short."""
    stockpile, settings = formulation.stockpile, formulation.stockpile.settings
    named = {each: each for each in ("members", "times")}
    named |= {"money": settings.currency, "probability": "of probability"}
    groups: dict[tuple[str, str], list[tuple[Limit, float]]] = {}
    for limit, amount in found:
        if amount > 0:
            cell = stockpile.cell(limit.row, limit.column) if limit.row is not None else ""
            groups.setdefault((limit.what, cell), []).append((limit, amount))
    for (what, cell), parts in groups.items():
        dates = [stockpile.calendar.begin(stockpile.tree.period[limit.node]) for limit, _ in parts]
        worst, short = max(parts, key=lambda part: part[1])
        unit = named.get(worst.unit, settings.quantity_unit)
        total = None if isinstance(worst.row, Target | Site) else sum(amount for _, amount in parts)
        first, last = (
            (None, None)
            if isinstance(worst.row, Budget | Rule) or worst.column == "total"
            else (min(dates), max(dates))
        )
        yield Short(what, cell, first, last, worst.amount, short, total, unit)
