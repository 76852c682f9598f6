"""Offtakes with price floors: the producer commits a quantity, the buyer a least price."""

from __future__ import annotations

from collections.abc import Iterator

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally, Way
from stockpile_model.blocks.contracts import (
    after_horizon,
    call_off_report,
    call_off_sizes,
    call_offs,
    cfd,
    contract_checks,
    contract_choices,
    contract_outcomes,
    contract_terms,
    deliveries,
    extension_report,
    extensions,
    prepayments,
    reliance,
    rolled_contracts,
    signing,
    take_or_pay,
    upside,
)
from stockpile_model.blocks.contracts.after_horizon import Obligation
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.contracts.extension_report import ExtensionOutcome
from stockpile_model.blocks.contracts.option_value import FloorOutcome
from stockpile_model.blocks.contracts.schedule import schedule
from stockpile_model.choice import chosen
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import DUTY, FREIGHT, Heading, Ledger
from stockpile_model.schema import Result
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what can be signed, what it delivers, what is owed and what it costs.

    Deliveries are split by level and by the period d of the first delivery, since escalation and
    contract years run from it; so a price is a number.
    """
    plan = schedule(stockpile, list(m.GRANTS), list(m.CARRIAGES))

    signing.add_sign(m, plan)
    signing.forbid_second_signing(m, plan)
    signing.hold_signed_before(m, plan)
    reliance.add_begin(m, plan)
    reliance.balance_begin(m, plan)
    reliance.link_begin(m, plan)
    reliance.link_carry(m, plan)
    reliance.hold_capital(m, plan)
    reliance.forbid_own_help(m, plan)
    extensions.add_extend(m, plan)
    extensions.link_extend(m, plan)

    deliveries.add_take(m, plan)
    deliveries.cap_take(m, plan)
    deliveries.hold_least_take(m, plan)

    call_offs.add_call_off(m, plan)
    call_offs.hold_call_off_lots(m, plan)
    call_offs.cap_call_off(m, plan)
    call_offs.hold_call_off(m, plan)

    take_or_pay.add_deficit(m, plan)
    take_or_pay.hold_take_or_pay(m, plan)
    take_or_pay.add_short(m, plan)
    take_or_pay.cap_deficit(m, plan)
    take_or_pay.link_short(m, plan)

    upside.add_upside(m, plan)
    upside.cap_upside(m, plan)
    upside.cap_upside_year(m, plan)
    upside.receive_upside(m, plan, ledger)

    cfd.pay_topups(m, plan, ledger)
    take_or_pay.pay_deficits(m, plan, ledger)
    signing.pay_signing(m, plan, ledger)
    extensions.pay_extensions(m, plan, ledger)
    call_offs.pay_call_offs(m, plan, ledger)

    deliveries.add_deliver(m, plan)
    deliveries.add_call(m, plan)
    deliveries.balance_call(m, plan)
    deliveries.balance_delivery(m, plan)

    prepayments.add_prepaid(m, plan)
    prepayments.balance_prepaid(m, plan)
    prepayments.cap_credited(m, plan)
    prepayments.hold_credited(m, plan)
    prepayments.cap_prepaid(m, plan)
    prepayments.pay_prepayments(m, plan, ledger)

    deliveries.post_deliveries(m, plan, ledger)
    after_horizon.charge_after_horizon(m, plan, ledger)


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what becomes of each contract and of its option, is called off and binds later."""
    yield from contract_outcomes.report(formulation)
    yield from extension_report.report(formulation)
    yield from call_off_report.report(formulation)
    yield from after_horizon.obligations(formulation)


def _ways(stockpile: Stockpile, supplier: str) -> Iterator[Way]:
    """Yield the contracts by which a supplier's metal comes, each at its largest level."""
    levels: dict[str, float] = {}
    for floor in stockpile.rows(Floor):
        levels[floor.contract] = max(levels.get(floor.contract, 0.0), floor.annual_quantity)
    for row in stockpile.rows(Contract):
        if row.supplier == supplier and row.form == "purchase":
            yield Way(Contract.TABLE, row.contract, levels.get(row.contract, 0.0))


BLOCK = Block(
    tables=(Contract, Floor),
    results=(ContractOutcome, FloorOutcome, ExtensionOutcome, Obligation, CallOff),
    pays=("contract",),
    sources={Contract.TABLE: "contract"},
    headings=(
        Heading("offtakes", "deliveries under contracts"),
        Heading("deficits", "take-or-pay not taken"),
        Heading("topups", "paid up to the floor without metal (cfd)"),
        Heading("signing", "signing costs"),
        Heading("extensions", "paid to extend contracts"),
        Heading("prepayments", "paid at signing for deliveries to come"),
        Heading("credits", "prepayments taken off what is due"),
        Heading("call_offs", "call-offs under contracts"),
        Heading("upside", "share of the price above the trigger"),
        Heading(
            "after_horizon",
            "top-up above the reference that contracts bind after the horizon",
            cash=False,
        ),
        FREIGHT,
        DUTY,
    ),
    decisions=("sign", "extend", "take", "call_off", "called_lots"),
    follows=("begin", "short", "credited", "prepaid", "used_up"),
    tallies=(
        Tally("sign", "sign", "chosen", alike=True, members=Contract.TABLE),
        Tally("take", "take", alike=True),
        Tally("extend", "extend", "ever"),
    ),
    deeds=(signing.DEED,),
    sizes=(call_off_sizes.DEED,),
    choices=(
        chosen(
            signing.DEED,
            kind="level",
            unit="quantity",
            facts=contract_choices.facts,
            why_not=contract_choices.why_not,
        ),
    ),
    check=contract_checks.check,
    review=contract_checks.review,
    add=add,
    report=report,
    brings=contract_terms.brings,
    ways=_ways,
    rolls=rolled_contracts.rolls,
)
