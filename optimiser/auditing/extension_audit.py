"""Options to extend: decided once, at their time, and paid for."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    AuditedAct,
    AuditedHeading,
    AuditedInstruction,
    AuditedSheet,
    Twin,
)

if TYPE_CHECKING:
    from optimiser.auditing.contracts import Signed

_DAY = dt.timedelta(days=1)


def extensions(path: PathAudit) -> dict[str, list[Line]]:
    """Read the sheet `extensions`, by contract."""
    found: dict[str, list[Line]] = {}
    rows = path.inputs.keyed("contracts")
    for line in path.sheets["extensions"]:
        row, t = path.known(line, "contract", "contracts", rows), path.when(line)
        if row is not None and t is not None:
            found.setdefault(row.contract, []).append(line)
    return found


def extended(path: PathAudit, signed: Signed, lines: list[Line]) -> Signed:
    """Compare the decision whether a contract is extended, and return it with what follows.

    There is one where an extension would deliver within the horizon, and none elsewhere.
    """
    record, name = path.record, signed.contract
    if record.fails(len(lines) == len(signed.extension[:1])):
        where = lines[-1].at("decision") if lines else "extensions"
        message = f"{name} has {'a decision too many' if lines else 'no decision'} to extend it"
        record.refuse(where, message, (signed.row(signed.t), "option_months"))
        return signed
    if not lines:
        return signed
    line, t, span = lines[0], signed.deciding, signed.extension
    row, begins = signed.row(t), path.inputs.begins
    for column in ("supplier", "material"):
        record.term(line, column, getattr(row, column), (row, column))
    record.term(line, "level", signed.level)
    record.term(line, "date", begins[t], (row, "option_from"))
    record.term(line, "first_delivery", begins[span[0]], (row, "term_months"))
    record.term(line, "last_delivery", begins[span.stop] - _DAY, (row, "option_months"))
    record.figure(line, "months", row.option_months, cell=(row, "option_months"))
    chosen = line["decision"] == "extend"
    if record.fails(chosen or line["decision"] == "let it end"):
        message = f"{line['decision']!r} is neither extend nor let it end"
        record.refuse(line.at("decision"), message)
    paid = row.option_price if chosen else 0.0
    record.figure(line, "paid", paid or None, cell=(row, "option_price"))
    saved = saving(signed)
    if saved is None:
        record.term(line, "saving", None, (row, "price_index"))
    else:
        path.mean(line, "saving", saved, path.cent(row.material), (row, "option_price"))
    return dataclasses.replace(signed, extended=chosen)


def pay(path: PathAudit, signed: Signed) -> None:
    """Pay for the extension of a contract that is extended."""
    if signed.extended:
        row, t = signed.row(signed.deciding), signed.deciding
        path.pay(t, "extensions", row.option_price, row.material, row.contract, table="contracts")


def saving(signed: Signed) -> float | None:
    """Return what an extension saves against its index, less its price, on one path [money].

    It is at the even rate, and discounted; None where the floor alone is the price.
    """
    row, inputs = signed.row(signed.deciding), signed.inputs
    if row.price_index is None:
        return None
    found = -row.option_price * inputs.factor(signed.deciding)
    for t in signed.extension:
        there = signed.row(t)
        rate = (
            signed.upside(t) - signed.topup(t)
            if there.form == "cfd"
            else there.availability
            * (
                signed.exchange_rate(t) * inputs.price(there.price_index, t)
                + signed.upside(t)
                - signed.price(t)
            )
        )
        found += rate * signed.rate(t) * inputs.factor(t)
    return float(found)


TWIN = Twin(
    headings=(AuditedHeading("extensions", "contract"),),
    sheets=(
        AuditedSheet(
            name="extensions",
            decision=("contract", "decision"),
            instruction=AuditedInstruction(
                ("contract", "supplier"), ("months", "paid"), ("date", "first_delivery")
            ),
            act=AuditedAct(
                table="contracts",
                name="contract",
                level="level",
                supplier="supplier",
                decisions=("extend",),
                cost="paid",
                invoice="paid",
                due="date",
            ),
        ),
    ),
)
