"""Call-offs under contracts: their lots, what arrives of them and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimiser.auditing.path_audit import PathAudit, Since
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    AuditedAct,
    AuditedHeading,
    AuditedInstruction,
    AuditedSheet,
    Size,
    Twin,
)

CallOffs = Mapping[str, Mapping[int, Line]]
"""The lines of the sheet `call_offs`, by contract and period."""


def free(row: Any) -> bool:
    """Return whether the size of a call-off is free: less or more than the even rate may be due."""
    even = row.flex == 1 and (row.take_or_pay == 1 or row.least_per_period == 1)
    return row.least_total is not None or not even


def listed(row: Any, step: float | None) -> bool:
    """Return whether each call-off of a contract stands on the sheet `call_offs`."""
    lots = row.call_off_lot is not None or (step is not None and free(row))
    terms = row.least_total is not None or lots or row.call_off_cost > 0
    return bool(row.form == "purchase" and terms)


def sized(row: Any, step: float | None) -> bool:
    """Return whether a plan decides how much each period calls off under a contract."""
    return bool(row.form == "purchase" and free(row)) or listed(row, step)


def call_offs(path: PathAudit) -> CallOffs:
    """Read the sheet `call_offs`; nothing is called off twice in a period."""
    found: dict[str, dict[int, Line]] = {}
    rows, record = path.inputs.keyed("contracts"), path.record
    for line in path.sheets["call_offs"]:
        row, t = path.known(line, "contract", "contracts", rows), path.when(line)
        if row is None or t is None:
            continue
        record.term(line, "supplier", row.supplier, (row, "supplier"))
        record.term(line, "material", row.material, (row, "material"))
        if record.fails(t not in found.setdefault(row.contract, {})):
            record.refuse(
                line.where, f"{row.contract} is called off a second time in {line['date']}"
            )
        found[row.contract][t] = line
    return found


def compare(
    path: PathAudit, line: Line, row: Any, rate: float, t: int, bound: int | Since
) -> float:
    """Compare a call-off with the terms of its contract; pay for it, and return its quantity.

    `bound`: the period in which its cost is obligated.
    """
    record, firm, quantity = path.record, path.inputs.firm(t), float(line["called_off"])
    noise, most = path.noise(row.material), row.flex * rate
    record.most(line, "called_off", most, noise, (row, "flex"))
    record.least(line, "called_off", row.least_per_period * rate, noise, (row, "least_per_period"))
    record.term(line, "relaxed", not firm, (path.inputs.settings, "firm_periods"))
    record.figure(line, "arriving", row.availability * quantity, cell=(row, "availability"))
    path.in_lots(line, "called_off", row, "call_off_lot", free=free(row))
    part = 1.0 if firm else quantity / most if most else 0.0
    cost = row.call_off_cost * part
    record.figure(line, "cost", cost, cell=(row, "call_off_cost"))
    path.pay(t, "call_offs", cost, row.material, row.contract, None, "contracts", bound)
    return quantity


TWIN = Twin(
    headings=(AuditedHeading("call_offs", "contract"),),
    sheets=(
        AuditedSheet(
            name="call_offs",
            instruction=AuditedInstruction(
                ("contract", "supplier", "material"), ("called_off",), ("date",)
            ),
            act=AuditedAct(
                table="contracts",
                name="contract",
                supplier="supplier",
                quantity="called_off",
                expected="arriving",
                adds=True,
                cost="cost",
                invoice="cost",
                due="date",
                relaxed=True,
            ),
        ),
    ),
    decisions=(Size("contracts", "call_off_lot"),),
)
