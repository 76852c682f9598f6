"""Take-or-pay: what is not taken of a least quantity is paid for as a deficit.

The least is of each contract year, or of the whole term where the contract states a total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import asks_spending
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.delivery_obligations import obligation
from stockpile_model.blocks.contracts.schedule import ContractYear, Cover, Schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.extremes import larger
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def add_deficit(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add deficit[k,f,d,n]: paid for and not taken in the contract year, or term, ending at n."""
    owed = [
        (k, d, n)
        for k, d, n in schedule.owing
        if schedule.contracts[k].form == "purchase"
        and (schedule.totals(k) or schedule.contract(k, n).take_or_pay > 0)
    ]
    m.DEFICITS = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in owed for f in schedule.levels[k]],
        doc="contract, level, first delivery, node at which a contract year or term ends",
    )
    m.deficit = pyo.Var(
        m.DEFICITS,
        domain=pyo.NonNegativeReals,
        doc="paid for and not taken in a contract year or term [quantity]",
    )


def hold_take_or_pay(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_year take + deficit ≥ take_or_pay·Q_f·months/12·active, times the year's periods.

    These are those within term and horizon; terms and level are those of the node at which the year
    ends; `active` is of the signatures of which it is a year. With a least total:
    Σ_term take + deficit ≥ least_total·active, pro rata.
    """

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        year = schedule.owing[k, d, n]
        least = _due(m, schedule, k, f, n, year, year.ending)
        return _taken(m, k, f, d, year) + m.deficit[k, f, d, n] >= least

    m.hold_take_or_pay = pyo.Constraint(
        m.DEFICITS,
        rule=rule,
        doc="what is not taken of a year's take-or-pay is a deficit [quantity]",
    )


def add_short(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add short[k,f,d,n]: whether a contract year falls short of take-or-pay.

    It is needed where a rule asks for spending, or nobody minds what a path outside of the tail
    pays: a deficit could then be more than is owed.
    """
    stockpile = schedule.stockpile
    needed = asks_spending(stockpile) or stockpile.settings.risk_weight == 1
    m.SHORT_YEARS = pyo.Set(
        dimen=4,
        initialize=list(m.DEFICITS) if needed else [],
        doc="contract, level, first delivery, end of a contract year that may fall short",
    )
    m.short = pyo.Var(
        m.SHORT_YEARS,
        domain=pyo.Binary,
        doc="whether a contract year falls short of take-or-pay [1]",
    )


def cap_deficit(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_year take + deficit ≤ owed·active + (most - owed)·(1 - short).

    `most` is what the year's deliveries can hold, `active` of all that deliver in it.
    """

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        year = schedule.owing[k, d, n]
        owed = _most_owed(schedule, k, f, n, year)
        most = max(owed, sum(schedule.most(k, f, s) for s in year.nodes))
        settled = _due(m, schedule, k, f, n, year, year.delivering)
        return (
            _taken(m, k, f, d, year) + m.deficit[k, f, d, n]
            <= settled + (most - owed) * (1 - m.short[k, f, d, n])
        )  # fmt: skip

    m.cap_deficit = pyo.Constraint(
        m.SHORT_YEARS, rule=rule, doc="no more is paid for nothing than is owed [quantity]"
    )


def link_short(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require deficit ≤ owed·short."""

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        owed = _most_owed(schedule, k, f, n, schedule.owing[k, d, n])
        return m.deficit[k, f, d, n] <= owed * m.short[k, f, d, n]

    m.link_short = pyo.Constraint(
        m.SHORT_YEARS, rule=rule, doc="a deficit is of a year that falls short [quantity]"
    )


def pay_deficits(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post price · deficit at the node at which the contract year ends.

    It is obligated with the deliveries of the fiscal year in which it is paid.
    """
    for k, f, d, n in m.DEFICITS:
        rate = schedule.prices[k, f, d, n]
        if rate != 0:
            amount, material = rate * m.deficit[k, f, d, n], schedule.contracts[k].material
            owed = _most_owed(schedule, k, f, n, schedule.owing[k, d, n])
            most, source = [(f, d, rate * owed)], ("deficits", f, d)
            bound = obligation(m, schedule, k, n, [d], most, source)
            ledger.pay(n, "deficits", amount, "contract", material, name=k, obligation=bound)


def _owed(schedule: Schedule, k: str, f: str, n: int, year: ContractYear, cover: Cover) -> float:
    """Return the least quantity of a contract year, or term, under a signature [quantity].

    An extension owes a least total pro rata. A year that began before the start owes what is left
    of it: less what was called off, where that is stated, else pro rata.
    """
    row, periods, so_far = schedule.contract(k, n), len(year.periods), None
    if year.gone:
        so_far = terms.called_off_before(schedule.stockpile, k)
        periods += 0 if so_far is None else year.gone
    if schedule.totals(k):
        stated = schedule.contract(k, cover.node)
        owed = terms.least_total(schedule.stockpile, row, stated, periods)
        if stated.term_months is None:  # the term runs to the end of the horizon
            owed *= periods / (len(year.periods) + year.gone)
    else:
        owed = row.take_or_pay * schedule.even(k, f, n) * periods
    return owed if so_far is None else larger(0.0, owed - so_far)


def _most_owed(schedule: Schedule, k: str, f: str, n: int, year: ContractYear) -> float:
    """Return the most that may be owed in a contract year or term [quantity]."""
    return max(_owed(schedule, k, f, n, year, each) for each in year.delivering)


def _due(
    m: pyo.ConcreteModel,
    schedule: Schedule,
    k: str,
    f: str,
    n: int,
    year: ContractYear,
    covers: Sequence[Cover],
) -> Any:
    """Return Σ of what is owed under signatures and extensions at a level [quantity]."""
    return summed(
        [_owed(schedule, k, f, n, year, each) * signed(m, k, f, [each]) for each in covers]
    )


def _taken(m: pyo.ConcreteModel, k: str, f: str, d: int, year: ContractYear) -> Any:
    """Return Σ of what is taken at a level in a contract year or term [quantity]."""
    return summed([m.take[k, f, d, s] for s in year.nodes])
