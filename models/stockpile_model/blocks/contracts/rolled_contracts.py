"""The contracts from which the next plan goes on, and those that are signed."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from stockpile_model.blocks.budget.rolled_payers import pay_alike
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.passed import Passed, PlanRow
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the contracts with what was decided of their options, and those that are signed."""
    decided = {row["contract"]: row["decision"] for row in passed.done("extensions")}
    signed = {
        row["contract"]: row
        for row in passed.done("contracts", "signed")
        if row["decision"] in ("sign", "signed")
    }
    agreed = [_as_signed(passed, row, signed.get(row.contract)) for row in passed.rows(Contract)]
    yield Contract, [_optioned(passed, row, decided.get(row.contract)) for row in agreed]
    for row in signed.values():
        _compare_payers(passed, row)
    yield (
        Commitment,
        [_signed(passed, row) for row in signed.values()] + _not_in_the_plan(passed, signed),
    )


def _compare_payers(passed: Passed, row: PlanRow) -> None:
    """Remark where others may pay what is left of a fiscal year than in the plan."""
    calendar, gone = passed.calendar, passed.gone
    last, signing, begin = row["last_delivery"], row["signed"], calendar.fiscal_year_begin(gone)
    if last is None or passed.over(last) or begin >= passed.start:
        return
    same = [
        period
        for period in range(calendar.periods)
        if calendar.fiscal_year(period) == calendar.fiscal_year(gone)
    ]
    extended = [
        calendar.period(each["date"])
        for each in passed.done("extensions")
        if (each["contract"], each["decision"]) == (row["contract"], "extend")
    ]
    known = max(begin, signing)
    bounds: list[dt.date | int] = [max(same[0], period) for period in extended]
    before = signing < calendar.begin(0) and begin < calendar.begin(0)
    bounds.append(known if before else max(same[0], calendar.period(signing)))
    contract = passed.stockpile.keyed(Contract)[row["contract"]]
    periods = range(gone, min(same[-1], calendar.period(last)) + 1)
    if not all(
        pay_alike(passed, "contract", contract.material, each, known, periods) for each in bounds
    ):
        passed.remarks.append(
            f"{contract.contract}: what it delivers in the rest of the fiscal year was obligated "
            f"before {passed.start}; by the date that the next workbook knows, {known}, other "
            "appropriations may pay it than in the plan"
        )


def _not_in_the_plan(passed: Passed, shown: Collection[str]) -> list[Commitment]:
    """Return what was signed before the start and delivers nothing in the horizon, as it was.

    Without it the contract could be signed again.
    """
    names = (row.contract for row in passed.rows(Contract) if row.contract not in shown)
    known = (terms.signed_before(passed.stockpile, name) for name in names)
    return [row for row in known if row is not None]


AGREED = ("deliver_from", "lead_time_months", "term_months", "option_from", "option_months")
"""The dates and spans of a contract that hold as they were when it was signed."""


def _as_signed(passed: Passed, contract: Contract, row: PlanRow | None) -> Contract:
    """Return a contract with the dates and spans that held when it was signed."""
    if row is None:
        return contract
    there = passed.at(passed.calendar.period(row["signed"])).keyed(Contract)[contract.contract]
    return replace(contract, **{name: getattr(there, name) for name in AGREED})


def _optioned(passed: Passed, contract: Contract, decision: str | None) -> Contract:
    """Return a contract as it is once its option was decided; it is then none any more."""
    if decision is None:
        return contract
    none = replace(contract, option_from=None, option_months=0.0, option_price=0.0)
    if decision != "extend" or contract.term_months is None:
        return none
    whole = contract.term_months % 12 == 0 and contract.least_total is None
    if not whole:
        passed.remarks.append(
            f"{contract.contract} was extended: its term and extension are one term from now on, "
            "whose contract years, or least total, run through both"
        )
    return replace(none, term_months=contract.term_months + contract.option_months)


def _signed(passed: Passed, row: PlanRow) -> Commitment:
    """Return a contract that is signed as a commitment, with how far it has come."""
    name, level = row["contract"], row["level"]
    known = Commitment(kind="sign", name=name, level=level, date=row["signed"])
    contract, menu = passed.stockpile.keyed(Contract)[name], terms.menu(passed.stockpile)
    if row["first_delivery"] is None or not passed.over(row["first_delivery"]):
        return replace(known, prepayment_left=_prepaid(passed, contract, row))
    first, year = passed.calendar.period(row["first_delivery"]), 12 // passed.calendar.months
    begin = first + (passed.gone - first) // year * year
    total = contract.least_total is not None
    span = range(first if total else begin, passed.gone)
    return replace(
        known,
        first_delivery=row["first_delivery"],
        called_off=_called_off(passed, contract, menu[name][level], span) if span else None,
        upside_received=_received(passed, contract, range(begin, passed.gone)),
        prepayment_left=_prepaid(passed, contract, row),
    )


def _called_off(
    passed: Passed, contract: Contract, floor: terms.Floor, span: range
) -> float | None:
    """Return what was called off in the periods of a running contract year, or term [quantity].

    Before the start of the plan it is what was stated then, or just what was owed.
    """
    if contract.form == "cfd":
        return None
    before, found = terms.signed_before(passed.stockpile, contract.contract), 0.0
    if span.start < 0:
        stated = None if before is None else before.called_off
        found = stated or 0.0
        if stated is None:
            owed = functools.partial(_owed, passed, contract, floor, -span.start)
            found = _at_the_end(passed, contract, span.start, "called_off", owed)
    if terms.calls_off(passed.stockpile, contract):
        for row in passed.done(CallOff.SHEET):
            if row["contract"] == contract.contract and passed.calendar.period(row["date"]) in span:
                found += row["called_off"]
        return found
    for row in passed.done("deliveries"):
        period = passed.calendar.period(row["date"])
        if (row["kind"], row["name"]) == (Contract.TABLE, contract.contract) and (
            period in span and not row["in_transit"]
        ):
            there = passed.at(period).keyed(Contract)[contract.contract]
            found += row["quantity"] / there.availability
    return found + sum(_failed(passed, contract, floor, period) for period in span if period >= 0)


def _failed(passed: Passed, contract: Contract, floor: terms.Floor, period: int) -> float:
    """Return what was called off in a period in which none of it could arrive [quantity].

    Nothing was paid for it and no sheet shows it, so it is the most that could be.
    """
    view = passed.at(period)
    there, level = (
        view.keyed(Contract)[contract.contract],
        terms.menu(view)[contract.contract][floor.level],
    )
    if there.availability > 0:
        return 0.0
    return there.flex * terms.even(passed.stockpile, level)


def _owed(passed: Passed, contract: Contract, floor: terms.Floor, periods: int, node: int) -> float:
    """Return what is owed pro rata for some periods, by the rows of a node [quantity]."""
    there = passed.stockpile.at(node).keyed(Contract)[contract.contract]
    if contract.least_total is None or there.least_total is None:
        level = terms.menu(passed.stockpile.at(node))[contract.contract][floor.level]
        return there.take_or_pay * terms.even(passed.stockpile, level) * periods
    months = contract.term_months
    whole = periods + passed.calendar.periods if months is None else passed.calendar.count(months)
    return there.least_total * periods / whole


def _at_the_end(
    passed: Passed, contract: Contract, begin: int, what: str, amount: Callable[[int], float]
) -> float:
    """Return an amount by the rows of the node at which a contract year or term ends.

    That is where the plan reads what counts for it. `begin`: its first period, below 0. Where
    scenarios that may still come change it, it is the mean, and a remark says so.
    """
    tree, last = passed.stockpile.tree, passed.calendar.periods - 1
    year = begin + 12 // passed.calendar.months - 1
    if contract.least_total is not None:
        months = contract.term_months
        year = last if months is None else begin + passed.calendar.count(months) - 1
    ends = [n for n in tree.below[passed.nodes[-1]] if tree.period[n] == min(year, last)]
    found = {amount(n): 0.0 for n in ends}
    for n in ends:
        found[amount(n)] += tree.probability[n] / tree.probability[passed.nodes[-1]]
    if len(found) > 1:
        passed.remarks.append(
            f"{contract.contract}: how much counts pro rata in {what} for the time before "
            f"{passed.stockpile.settings.start}, which depends on scenarios: it is the mean"
        )
    return sum(value * share for value, share in found.items())


def _received(passed: Passed, contract: Contract, span: range) -> float | None:
    """Return the upside that was received in a running contract year [money]."""
    if contract.upside_cap is None or not span:
        return None
    before, found = terms.signed_before(passed.stockpile, contract.contract), 0.0
    if span.start < 0:
        stated = None if before is None else before.upside_received
        found = stated or 0.0
        if stated is None:
            cap = functools.partial(_pro_rata, passed, contract, -span.start)
            found = _at_the_end(passed, contract, span.start, "upside_received", cap)
    return found - sum(_flows(passed, contract, "upside", span))


def _pro_rata(passed: Passed, contract: Contract, periods: int, node: int) -> float:
    """Return the cap on upside for some periods, in the book's money at a node [money]."""
    there = passed.stockpile.at(node).keyed(Contract)[contract.contract]
    return (there.upside_cap or 0.0) * periods * passed.calendar.months / 12


def _prepaid(passed: Passed, contract: Contract, row: PlanRow) -> float | None:
    """Return what is left of a prepayment [money]."""
    if contract.form == "cfd" or not contract.prepayment or not contract.credit:
        return None
    paid = row["prepayment"] or 0.0
    if row["decision"] == "signed":
        at, first = passed.at(0), row["first_delivery"]
        begin = 0 if first is None else passed.calendar.period(first)
        there, menu = at.keyed(Contract)[contract.contract], terms.menu(at)
        paid = terms.prepayment(
            passed.stockpile, there, menu[contract.contract][row["level"]], begin
        )
    left = paid + sum(_flows(passed, contract, "credits", range(passed.gone)))
    return max(0.0, left)


def _flows(passed: Passed, contract: Contract, heading: str, span: range) -> Iterator[float]:
    """Yield the cash flows of a contract under a heading in some periods [money]."""
    for row in passed.done("cash_flow"):
        if (row["heading"], row["name"]) == (heading, contract.contract) and (
            passed.calendar.period(row["date"]) in span
        ):
            yield row["amount"]
