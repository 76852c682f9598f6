"""Checks of the sheets contracts and floors beyond a single cell."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.amounts import quantity
from stockpile_model.blocks.commitments.commitment_terms import (
    Commitment,
    before,
    decided,
    earlier,
    gone_before,
)
from stockpile_model.blocks.contracts.contract_terms import (
    Contract,
    Floor,
    even,
    least_take,
    lot,
    menu,
    signable,
    signed_before,
)
from stockpile_model.checks import one_of, ordered, received, seen, whole_periods
from stockpile_model.extremes import whole_below
from stockpile_model.schema import Problem, columns, get
from stockpile_model.stockpile import Stockpile

METAL_ONLY = (
    "ceiling",
    "take_or_pay",
    "flex",
    "least_per_period",
    "least_total",
    "call_off_lot",
    "call_off_cost",
    "credit",
    "duty",
    "freight",
    "availability",
    "life_on_receipt_months",
)
"""The columns that mean nothing without metal."""

SO_FAR = ("called_off", "prepayment_left", "upside_received", "first_delivery")
"""The columns of a commitment that say how far a contract has come before the start."""


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with each contract and each level of its menu."""
    levels = menu(stockpile)
    for row in stockpile.rows(Contract):
        yield from ordered(row, "sign_from", "sign_to")
        yield from whole_periods(stockpile, row)
        yield from seen(row, "availability")
        yield from received(stockpile, row)
        if not levels[row.contract]:
            message = f"{row.contract} has no row in the sheet floors: give its menu there"
            yield Problem(row.TABLE, row.line, "contract", message)
        yield from _reference(row)
        yield from _call_offs(stockpile, row)
        yield from _prepayment(row)
        yield from _option(row)
        yield from _idle(row)
    for floor in stockpile.rows(Floor):
        yield from _level(floor)
    yield from _earlier(stockpile)


def _reference(row: Contract) -> Iterator[Problem]:
    """Yield what lacks of a reference price and of its upside."""
    if row.price_index is None and row.ceiling is not None:
        message = "caps a reference: it needs price_index"
        yield Problem(row.TABLE, row.line, "ceiling", message)
    if row.price_index is None and row.form == "cfd":
        message = "is required for a cfd: it pays the difference from the floor to a reference"
        yield Problem(row.TABLE, row.line, "price_index", message)
    if row.upside_share > 0 and row.price_index is None:
        message = "is required for an upside: it is a share of a reference above the trigger"
        yield Problem(row.TABLE, row.line, "price_index", message)
    if row.upside_share > 0 and row.upside_trigger is None:
        message = "is required where upside_share is above 0"
        yield Problem(row.TABLE, row.line, "upside_trigger", message)


def _call_offs(stockpile: Stockpile, row: Contract) -> Iterator[Problem]:
    """Yield what lets no delivery be called off as it must."""
    if row.least_per_period > row.flex:
        message = (
            f"must be at most flex, the largest delivery ({row.flex:g} of the even rate), "
            f"found {row.least_per_period:g}"
        )
        yield Problem(row.TABLE, row.line, "least_per_period", message)
    if row.least_total is not None and row.take_or_pay not in (0, 1):
        message = "has no effect: least_total holds instead"
        yield Problem(row.TABLE, row.line, "take_or_pay", message, warning=True)
    for level in menu(stockpile)[row.contract].values() if row.form == "purchase" else ():
        yield from _lots(stockpile, row, level)


def _lots(stockpile: Stockpile, row: Contract, level: Floor) -> Iterator[Problem]:
    """Warn of a level at which no whole lots fit into a delivery."""
    size, most = lot(stockpile, row), row.flex * even(stockpile, level)
    if size is None or most == 0:
        return
    whole, least = whole_below(most, size), least_take(stockpile, row, level)
    unit = stockpile.settings.quantity_unit
    largest = f"a delivery at level {level.level} is at most {quantity(most)} {unit}"
    if whole == 0:
        message = f"{largest}, less than a lot of {quantity(size)}: nothing can be called off"
        yield Problem(row.TABLE, row.line, "call_off_lot", message, warning=True)
    elif whole * size < least * (1 - 1e-9):
        message = (
            f"{largest} and at least {quantity(least)}, and no whole lots of {quantity(size)} lie "
            "between: the level cannot be signed"
        )
        yield Problem(row.TABLE, row.line, "call_off_lot", message, warning=True)


def _prepayment(row: Contract) -> Iterator[Problem]:
    """Warn of a prepayment without credit, and of a credit without prepayment."""
    if row.prepayment > 0 and row.credit == 0:
        message = "is lost: without credit nothing of it is taken off what is due"
        yield Problem(row.TABLE, row.line, "prepayment", message, warning=True)
    if row.credit > 0 and row.prepayment == 0:
        message = "has no effect without prepayment"
        yield Problem(row.TABLE, row.line, "credit", message, warning=True)


def _option(row: Contract) -> Iterator[Problem]:
    """Warn of an option to extend that is none."""
    if row.option_months > 0 and row.term_months is None:
        message = "has no effect without term_months: the term runs to the end of the horizon"
        yield Problem(row.TABLE, row.line, "option_months", message, warning=True)
    for name in ("option_from", "option_price") if row.option_months == 0 else ():
        if get(row, name):
            message = "has no effect without option_months"
            yield Problem(row.TABLE, row.line, name, message, warning=True)


def _idle(row: Contract) -> Iterator[Problem]:
    """Warn of cells that have no effect."""
    for name in ("upside_trigger", "upside_cap") if row.upside_share == 0 else ():
        if get(row, name) is not None:
            message = "has no effect without an upside_share"
            yield Problem(row.TABLE, row.line, name, message, warning=True)
    for name in METAL_ONLY if row.form == "cfd" else ():
        if get(row, name) != next(each.default for each in columns(Contract) if each.name == name):
            message = "has no effect on a cfd, which moves no metal"
            yield Problem(row.TABLE, row.line, name, message, warning=True)


def _level(row: Floor) -> Iterator[Problem]:
    """Yield what is wrong with the floor of a level."""
    yield from one_of("a level", row, "floor", "floor_index")
    if row.floor_factor is not None and row.floor_index is None:
        message = "is a share of an index: it needs floor_index"
        yield Problem(row.TABLE, row.line, "floor_factor", message)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Warn of contracts that can never be signed; refuse totals of some scenarios only."""
    for row in stockpile.rows(Contract):
        yield from _everywhere(stockpile, row, "least_total")
        yield from _same_dates(stockpile, row)
        if signed_before(stockpile, row.contract) is not None:
            yield from _signed_before(stockpile, row)
        elif stockpile.counts(row.supplier) and not list(signable(stockpile, row)):
            message = (
                f"{row.contract} cannot be signed to deliver within the horizon: "
                "see its dates, lead time and its supplier's start"
            )
            yield Problem(row.TABLE, row.line, "contract", message, warning=True)


def _signed_before(stockpile: Stockpile, row: Contract) -> Iterator[Problem]:
    """Warn of a contract that was signed before the start and brings nothing any more."""
    done = signed_before(stockpile, row.contract)
    if done is None:
        return
    if not stockpile.counts(row.supplier):
        message = (
            f"{row.contract} was signed, and its supplier is at a stage that settings.supply_stages"
            " does not count: nothing of it is in the plan"
        )
        yield Problem(done.TABLE, done.line, "name", message, warning=True)
    elif not list(signable(stockpile, row)):
        message = f"the term of {row.contract}, signed then, ended before the start"
        yield Problem(done.TABLE, done.line, "date", f"{message}: it brings nothing", warning=True)


def _earlier(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with contracts that were signed before the start."""
    for name, rows in earlier(stockpile, "sign").items():
        contract = stockpile.keyed(Contract).get(name)
        if contract is None:
            continue  # the name is refused as such
        for row in rows[1:]:
            message = f"{name} was signed in row {rows[0].line} already: a contract is signed once"
            yield Problem(row.TABLE, row.line, "name", message)
        row, levels = rows[0], menu(stockpile)[name]
        if row.level is None and len(levels) > 1:
            message = "is required for a contract signed before the start: which one was signed"
            yield Problem(row.TABLE, row.line, "level", message)
        gone, signed = gone_before(stockpile, contract.project), decided(stockpile, row)
        if contract.project is not None and (gone is None or gone > signed):
            message = (
                f"{name} waits for project {contract.project}, which had then gone ahead: add a"
                " row of kind project with the date on which it did"
            )
            yield Problem(row.TABLE, row.line, "date", message)
        # What is left is in the book's money, as it was paid, at a rate that is not known here.
        own = contract.currency is None
        if own and (row.prepayment_left or 0.0) > contract.prepayment:
            message = f"must be at most the prepayment of {name}, {contract.prepayment:g}"
            yield Problem(row.TABLE, row.line, "prepayment_left", message)
        yield from _first_delivery(stockpile, row)
    for row in stockpile.rows(Commitment):
        if row.kind != "sign" or not before(stockpile, row):
            for name in SO_FAR:
                if get(row, name) is not None:
                    message = "is of a contract signed before the start only: leave it blank"
                    yield Problem(row.TABLE, row.line, name, message)


def _first_delivery(stockpile: Stockpile, row: Commitment) -> Iterator[Problem]:
    """Yield a first delivery that was not between the signature and the start."""
    first, start, period = row.first_delivery, stockpile.settings.start, stockpile.calendar.period
    if first is None or (period(first) >= decided(stockpile, row) and first < start):
        return
    message = f"must be from the signing, {row.date}, to before the start, {start}, found {first}"
    if first >= start:
        message += ": later deliveries follow from the terms, see deliver_from"
    yield Problem(row.TABLE, row.line, "first_delivery", message)


def _everywhere(stockpile: Stockpile, row: Contract, column: str) -> Iterator[Problem]:
    """Yield a problem where a cell is blank in the base and given in a scenario, or other way."""
    stated = {
        get(each.keyed(Contract)[row.contract], column) is None for each in stockpile.variants
    }
    if len(stated) > 1:
        message = "must be given in the base where an event gives it, and stay given"
        yield Problem(row.TABLE, row.line, column, message)


def _same_dates(stockpile: Stockpile, row: Contract) -> Iterator[Problem]:
    """Yield a problem where an event moves the dates of an option to extend."""
    rows = [each.keyed(Contract)[row.contract] for each in stockpile.variants]
    if not any(each.option_months for each in rows):
        return
    for name in ("term_months", "option_from", "option_months"):
        if len({get(each, name) for each in rows}) > 1:
            message = "must be the same in all scenarios of a contract with an option to extend"
            yield Problem(row.TABLE, row.line, name, message)
