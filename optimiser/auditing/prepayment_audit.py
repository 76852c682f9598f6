"""Prepayments of contracts: paid at signing, and taken off what is due until they are used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimiser.auditing.path_audit import PathAudit, Since
from optimiser.auditing.twin import AuditedHeading, Twin


def credited(
    path: PathAudit,
    signed: Any,
    t: int,
    prepaid: float,
    rates: Mapping[int, float],
    came: Mapping[int, float],
    bounds: Mapping[int, int | Since],
) -> float:
    """Compare what is taken off for what comes, book it with the prepayment, and return it [money].

    `signed`: the contract as it stands in the period of signing. `prepaid`: what there is to
    credit; it was paid before the start where `t` is below 0. `rates`: what is taken off for
    each unit [money/quantity]. Each unit is credited until nothing is left; which buyer is served
    first when the prepayment runs out is free. `bounds`: when each delivery is obligated.
    """
    record, name, material = path.record, signed.contract, signed.material
    cent, cell = path.cent(material), (signed, "prepayment")
    if t >= 0:
        path.pay(t, "prepayments", prepaid, material, name, table="contracts")
    left = prepaid
    for s, quantity in sorted(came.items()):
        shown = _shown(path, name, s)
        due, found = min(max(0.0, left), rates.get(s, 0.0) * quantity), sum(shown.values())
        what = f"credit of {name} in {path.inputs.begins[s]}"
        record.equal("cash_flow", what, due, found, cent, cell)
        shares = path.shares("contracts", name, s)
        for buyer, amount in shown.items():
            most = rates.get(s, 0.0) * quantity * shares.get(buyer, 0.0)
            record.within("cash_flow", f"{what} for {buyer or 'all'}", most, amount, cent, cell)
            bound = bounds.get(s)
            path.pay(s, "credits", -amount, material, name, buyer, "contracts", bound)
        left -= found
    return prepaid - left


def _shown(path: PathAudit, name: str, t: int) -> dict[str | None, float]:
    """Return the credits of a contract that the plan shows in a period, by buyer [money]."""
    found: dict[str | None, float] = {}
    for line in path.sheets["cash_flow"]:
        if (line["heading"], line["name"]) == ("credits", name) and (
            path.inputs.period(line["date"]) == t
        ):
            found[line["buyer"]] = found.get(line["buyer"], 0.0) - line["amount"]
    return found


TWIN = Twin(
    headings=(AuditedHeading("prepayments", "contract"), AuditedHeading("credits", "contract"))
)
