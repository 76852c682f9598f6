"""Marginal values: what one more unit of each limit is worth, and for which limits that holds."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from optimiser.solving.ranging import DualRange, Ranging
from optimiser.solving.solve import Outcome
from stockpile_model import amounts
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.leads import TO_INPUT
from stockpile_model.ledger import Limit
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL

NOTHING = DualRange(0.0, 0.0, -math.inf, math.inf)
WORTHLESS = 1e-9  # below this a marginal value is the solver's noise [scaled units]


@dataclass(frozen=True, kw_only=True)
class MarginalValue(Dated):
    """Describe what one more unit of a limit would save in a period."""

    SHEET = "marginal_values"
    ABOUT = "what one more unit of each limit is worth"
    PLACE = 82
    FOR_PROGRAMS = True
    ONE_ACROSS = True
    limit: str = column("the limit")
    cell: str | None = column("cell that sets it", leads=(TO_INPUT,))
    date: dt.date = column("first day of the period")
    sense: str = column("`most` or `least`")
    amount: float = column("the limit", "quantity, money or 1")
    used: float | None = column("value of the limited amount in the plan", "quantity, money or 1")
    unit: str = column("unit of the limit")
    worth: float = column(
        "what the plan would cost less, were the limit looser by one unit, orders placed and levels"
        " signed kept",
        "money/unit",
        over="node",
    )
    holds_from: float | None = column(
        "least limit for which that is its worth; blank with `holds_to`: for a small change only, "
        "or not known",
        "quantity, money or 1",
        default=None,
    )
    holds_to: float | None = column(
        "most limit for which that is its worth; blank: without end",
        "quantity, money or 1",
        default=None,
    )
    in_words: str | None = column(
        "what one unit, or of a share one percentage point, saves in the scenarios of the row",
        default=None,
        sentence=True,
    )

    @property
    def weight(self) -> float:
        """Return what one per cent of the limit saves, or costs, times a hundred [money]."""
        return abs(self.worth * self.amount)

    @classmethod
    def in_order(cls, rows: Sequence[Any]) -> list[Any]:
        """Return the weightiest rows first, then the others by date."""
        first = weightiest(rows)
        known = set(map(id, first))
        return [*first, *super().in_order([each for each in rows if id(each) not in known])]


def weightiest(rows: Iterable[MarginalValue], most: int = 10) -> list[MarginalValue]:
    """Return the limits of which one per cent saves most; none that is worth nothing."""
    found = sorted((each for each in rows if each.worth), key=lambda each: -each.weight)
    return found[:most]


def marginal_values(
    formulation: Formulation, outcome: Outcome, ranging: Ranging | None = None
) -> Iterator[MarginalValue]:
    """Yield what loosening each limit by one unit would save, by date and limit.

    It comes from the duals of the plan with its integers fixed; `ranging` adds for which limits it
    holds. Of a cell whose limits are worth nothing anywhere there is one row: where it is nearest
    to binding.
    """
    stockpile = formulation.stockpile
    values = []
    slack: dict[str, list[Limit]] = {}
    worthy = set[str]()
    for limit in formulation.ledger.limits:
        if limit.row is None:
            continue
        cell = stockpile.cell(limit.row, limit.column)
        held = _held(limit, outcome, ranging)
        factor = evaluate(limit.factor)
        worth = held.dual * factor * (1 if limit.sense == "least" else -1)
        if abs(worth) > WORTHLESS * stockpile.scale.of(f"money/{limit.unit}"):
            worthy.add(cell)
            span = None if ranging is None else _span(limit, held, factor, ranging)
            values.append(_marginal_value(stockpile, limit, worth, span))
        elif ranging is not None:
            slack.setdefault(cell, []).append(limit)
    for cell, limits in slack.items():
        if cell not in worthy:
            values.append(_loose(stockpile, limits))
    yield from sorted(values, key=lambda each: (each.date, each.limit))


def _marginal_value(
    stockpile: Stockpile, limit: Limit, worth: float, span: tuple[float, float] | None
) -> MarginalValue:
    """Return the row of a limit."""
    settings = stockpile.settings
    units = {"quantity": settings.quantity_unit, "money": settings.currency}
    used = _used(limit)
    low, high = (None, None) if span is None else ends(limit.amount, *span)
    where = stockpile.where(limit.node)
    row = MarginalValue(
        **where,
        limit=limit.what,
        cell=stockpile.cell(limit.row, limit.column) if limit.row is not None else None,
        date=stockpile.calendar.begin(stockpile.tree.period[limit.node]),
        sense=limit.sense,
        amount=limit.amount,
        used=used,
        unit=units.get(limit.unit, limit.unit),
        worth=worth,
        holds_from=low,
        holds_to=high,
    )
    return in_words(row, settings.currency)


def in_words(row: MarginalValue, currency: str) -> MarginalValue:
    """Return a row with what it says, as it is in its scenarios: weighed by no probability."""
    looser = "less" if row.sense == "least" else "more"
    unit, worth = row.unit, abs(row.worth / row.probability)
    if unit == "1":  # nobody moves a share by the whole of it
        unit, worth = "percentage point", worth / 100
    unit = {"members": "member", "months": "month"}.get(unit, unit)  # of a count, of a duration
    saved = f"{amounts.rounded(worth)} {currency}" if worth else "nothing"
    saves = "saves" if row.worth >= 0 else "costs"
    where = "" if row.scenarios == ALL else f", in {row.scenarios}"
    said = f"From {amounts.month(row.date)} one {unit} {looser} {saves} {saved}{where}"
    return replace(row, in_words=said)


def ends(amount: float, *span: float) -> Iterator[float | None]:
    """Yield the ends between which a value holds; one that is noise next to the limit and the other
    end is 0, and one without end is blank."""
    size = max(abs(each) for each in (amount, *span) if math.isfinite(each))
    for each in span:
        if not math.isfinite(each):
            yield None
        else:
            yield 0.0 if abs(each) <= amounts.NOISE * size else amounts.clean(each)


def _used(limit: Limit) -> float | None:
    """Return what is compared with a limit; None where its row compares it with no number."""
    used = limit.used
    if used is None and limit.unit != "1":
        used = getattr(limit.data, "body", limit.data)
    return None if used is None else evaluate(used)


def _loose(stockpile: Stockpile, limits: Sequence[Limit]) -> MarginalValue:
    """Return the row of a cell that is worth nothing, where it is nearest to binding."""

    def slack(limit: Limit) -> float:
        used = _used(limit)
        if used is None:
            return math.inf
        return limit.amount - used if limit.sense == "most" else used - limit.amount

    limit = min(limits, key=slack)
    used, span = _used(limit), None
    if used is not None:
        span = (used, math.inf) if limit.sense == "most" else (-math.inf, used)
        span = (min(span[0], limit.amount), max(span[1], limit.amount))
    return _marginal_value(stockpile, limit, 0.0, span)


def _held(limit: Limit, outcome: Outcome, ranging: Ranging | None) -> DualRange:
    """Return the change of the cost for one more unit of a constraint's bound or a variable's upper
    bound, and where that holds; 0 where it is not known.
    """
    variable = limit.data.ctype is pyo.Var
    if ranging is not None and ranging.known:
        found = ranging.column(limit.data) if variable else ranging.row(limit.data)
        return found or NOTHING
    if variable:
        # At its lower bound a variable has a reduced cost too: that is not its upper bound's.
        return replace(NOTHING, dual=min(0.0, outcome.reduced_cost(limit.data) or 0.0))
    return replace(NOTHING, dual=outcome.dual(limit.data) or 0.0)


def _span(
    limit: Limit, held: DualRange, factor: float, ranging: Ranging
) -> tuple[float, float] | None:
    """Return for which limits a marginal value holds.

    None where the limit multiplies what the plan may change: then it is the worth of a small
    change.
    """
    if not ranging.known or not factor or not _constant(limit.factor, ranging):
        return None
    ends = [limit.amount + (each - held.bound) / factor for each in (held.least, held.most)]
    return min(ends), max(ends)


def _constant(factor: Any, ranging: Ranging) -> bool:
    """Return whether a factor is a number, once the integers are held."""
    if isinstance(factor, (int, float)):
        return True
    return all(ranging.holds(each) for each in identify_variables(factor))
