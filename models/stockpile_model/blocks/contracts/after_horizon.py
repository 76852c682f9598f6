"""After the horizon: what a signed contract still binds is charged, and shown by fiscal year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.after_terms import AfterTerms, Bound, Spell
from stockpile_model.blocks.contracts.schedule import Schedule, schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Obligation(Dated):
    """Describe what a contract that is signed binds in a fiscal year after the horizon."""

    SHEET = "obligations"
    ABOUT = "what signed contracts bind after the horizon, by fiscal year"
    PLACE = 23
    MEANS = ("contract", "level", "material", "ends", "date", "fiscal_year")
    contract: str = column("offtake")
    level: str = column("level signed")
    material: str = column("material")
    ends: dt.date = column("last day of the last period of delivery, also past the horizon")
    date: dt.date = column("first day of what is bound in the fiscal year")
    fiscal_year: int | None = column(
        "fiscal year, by the calendar year in which it ends; blank = nothing is bound after the "
        "horizon"
    )
    least_quantity: float | None = column(
        "to be taken or paid for at least; blank = nothing is bound", "quantity", default=None
    )
    most_quantity: float | None = column("may be called off at most", "quantity", default=None)
    least_money: float | None = column(
        "price of the least quantity (of a cfd its top-up), undiscounted", "money", default=None
    )
    most_money: float | None = column(
        "price of the most quantity (of a cfd its top-up), undiscounted", "money", default=None
    )
    topup: float | None = column(
        "paid above the reference for the least quantity that arrives, undiscounted",
        "money",
        default=None,
    )
    present_worth: float | None = column("the same, discounted", "money", default=None)

    @classmethod
    def in_order(cls, rows: Sequence[Any]) -> list[Any]:
        """Return rows by date; those that only say when a contract ends stand last."""
        return sorted(super().in_order(rows), key=lambda row: row.fiscal_year is None)


def charge_after_horizon(m: pyo.ConcreteModel, plan: Schedule, ledger: Ledger) -> None:
    """Post Σ_t δ_t topup[t]·take_or_pay·Q_f·months/12·availability of a signature, after the end.

    So of an extension. It stands at each leaf, as worth a period after the last: Σ_t δ_t / δ_T. A
    cfd is topped up on the even rate.
    """
    stockpile = plan.stockpile
    if stockpile.settings.after_horizon != "charge":
        return
    terms = AfterTerms(plan)
    for k, cover, leaf, span in terms.signatures():
        for f in plan.levels[k]:
            worth = _worth(stockpile, [*terms.bound(k, f, leaf, span)])
            if worth != 0:
                amount = worth * signed(m, k, f, [cover])
                material = plan.contracts[k].material
                ledger.charge(leaf, "after_horizon", amount, material, k, delay=1)


def _worth(stockpile: Stockpile, bound: Sequence[Bound]) -> float:
    """Return what top-ups are worth a period after the last of the horizon [money]."""
    whole = sum(stockpile.discount(each.period) * _topup(each) for each in bound)
    return whole / stockpile.discount(stockpile.calendar.periods)


def _topup(bound: Bound) -> float:
    """Return what is paid above the reference for the least quantity that arrives [money]."""
    return bound.topup * bound.arrives * bound.least


def obligations(formulation: Formulation) -> Iterator[Obligation]:
    """Yield what each contract that is signed binds after the horizon."""
    m, stockpile = formulation.m, formulation.stockpile
    plan = schedule(stockpile, list(m.GRANTS), list(m.CARRIAGES))
    terms = AfterTerms(plan)
    spans: dict[tuple[str, str, int], Spell] = {}  # of a contract that is extended the whole
    for k, cover, leaf, span in terms.signatures():
        for f in plan.levels[k]:
            if evaluate(signed(m, k, f, [cover])) > 0.5:
                spans[k, f, leaf] = span
    for (k, f, leaf), span in spans.items():
        yield from _rows(terms, k, f, leaf, span)


def _rows(terms: AfterTerms, k: str, f: str, leaf: int, span: Spell) -> Iterator[Obligation]:
    """Yield a row for each fiscal year after the horizon, or one that says nothing is bound."""
    stockpile = terms.stockpile
    calendar = stockpile.calendar
    years: dict[int | None, list[Bound]] = {}
    for each in terms.bound(k, f, leaf, span):
        years.setdefault(calendar.fiscal_year(each.period), []).append(each)
    for year, bound in (years or {None: []}).items():
        yield Obligation(
            **stockpile.where(leaf),
            contract=k,
            level=f,
            material=terms.schedule.contracts[k].material,
            ends=calendar.end(span.periods.stop - 1),
            date=calendar.begin(bound[0].period if bound else calendar.periods),
            fiscal_year=year,
            **(_figures(stockpile, bound) if bound else {}),
        )


def _figures(stockpile: Stockpile, bound: Sequence[Bound]) -> dict[str, Any]:
    """Return what is bound in a fiscal year."""
    return {
        "least_quantity": sum(each.least for each in bound),
        "most_quantity": sum(each.most for each in bound),
        "least_money": sum(each.price * each.least for each in bound),
        "most_money": sum(each.price * each.most for each in bound),
        "topup": sum(map(_topup, bound)),
        "present_worth": sum(stockpile.discount(each.period) * _topup(each) for each in bound),
    }
