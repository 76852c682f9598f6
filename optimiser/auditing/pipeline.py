"""What is in transit: it arrives in full at its date, and what is still due is paid then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from optimiser.auditing import purchases
from optimiser.auditing.path_audit import IN_PARTS, PathAudit, Since
from optimiser.auditing.twin import AuditedHeading, Size, Twin
from stockpile_model.names import identity

Arrival = tuple[int, str, str]
"""A period, and the table and name of what brings metal in it."""


def in_transit(path: PathAudit) -> None:
    """Compare what was ordered before the start with what arrives of it, and pay the rest."""
    due: dict[Arrival, float] = defaultdict(float)
    unpaid: dict[Arrival, float] = defaultdict(float)
    for t, since, row in _coming(path):
        table = _table(path, row)
        due[t, table, row.name] += row.quantity
        unpaid[t, table, row.name] += row.unpaid
        material, use = _material(path, (t, table, row.name)), path.twins.sources[table]
        path.owe(t, use, material, row.name, since, row.unpaid)
    came: dict[Arrival, float] = defaultdict(float)
    paid: dict[Arrival, float] = defaultdict(float)
    there: dict[tuple[int, str, str], float] = defaultdict(float)
    for table, name, line in path.landed:
        t, amount = path.inputs.period(line["date"]), line["price"] * line["quantity"]
        came[t, table, name] += line["quantity"]
        paid[t, table, name] += amount
        there[t, name, line["site"]] += line["quantity"]
        material, buyer = line["material"], path.inputs.base.sites[line["site"]].buyer
        path.pay(t, "in_transit", amount, material, name, buyer, table, IN_PARTS)
    path.match("deliveries", "what was in transit", due, came, lambda key: _noise(path, key))
    what = "what was still due of what was in transit"
    path.match("deliveries", what, unpaid, paid, lambda key: path.cent(_material(path, key)))
    _places(path, there)


def _places(path: PathAudit, there: Mapping[tuple[int, str, str], float]) -> None:
    """Compare where it arrives with the site that a row, or else its offer, states."""
    stated: dict[tuple[int, str, str], float] = defaultdict(float)
    for t, _, row in _coming(path):
        table = _table(path, row)
        source = path.inputs.at(t).keyed(table)[row.name]
        if (site := row.site or getattr(source, "site", None)) is not None:
            stated[t, row.name, site] += row.quantity
            what = f"what was in transit under {row.name} and arrives at {site}"
            least, reached = stated[t, row.name, site], there.get((t, row.name, site), 0.0)
            noise = _noise(path, (t, table, row.name))
            path.record.reaches("deliveries", what, least, reached, noise)


def _table(path: PathAudit, row: Any) -> str:
    """Return the table of the offer or contract under which a row was ordered."""
    return next(each for each in path.twins.sources if row.name in path.inputs.keyed(each))


def _material(path: PathAudit, key: Arrival) -> str:
    """Return what an offer or contract brings."""
    return str(path.inputs.keyed(key[1])[key[2]].material)


def _noise(path: PathAudit, key: Arrival) -> float:
    """Return the noise of what arrives under an offer or contract [quantity]."""
    return path.noise(_material(path, key))


def _coming(path: PathAudit) -> list[tuple[int, Since, Any]]:
    """Return what arrives: the first period in which its date has come, when it was ordered, and
    the row.
    """
    found = _ordered(path)
    for number in range(len(path.inputs.rows("in_transit"))):
        for t in range(path.inputs.periods):
            row = path.inputs.at(t).rows("in_transit")[number]
            if path.inputs.period(row.arrives) <= t:
                since = Since(path.inputs.rows("in_transit")[number].ordered)
                found += [(t, since, row)] if row.quantity > 0 else []
                break
    return found


def _ordered(path: PathAudit) -> list[tuple[int, Since, Any]]:
    """Return what arrives of orders that were placed before the start, and what is due for it."""
    inputs, found = path.inputs, list[tuple[int, Since, Any]]()
    for row in inputs.earlier("order"):
        name = next(each for each in inputs.keyed("offers") if identity(each) == identity(row.name))
        base = inputs.keyed("offers")[name]
        t = inputs.period(row.date) + inputs.whole(base.lead_time_months)
        if not 0 <= t < inputs.periods:
            continue
        offer = inputs.at(t).keyed("offers")[name]
        arrives = offer.availability * row.quantity
        rate = 0.0
        if base.payment == "delivery":
            price = purchases.mean_price(path, offer, t, row.quantity)
            rate = price * (1 + offer.duty) + offer.adder + offer.freight
        came = SimpleNamespace(name=name, quantity=arrives, unpaid=rate * arrives, site=None)
        found += [(t, Since(row.date), came)] if arrives > 0 else []
    return found


TWIN = Twin(
    headings=(AuditedHeading("in_transit"),),
    needs=(Size("in_transit", "quantity"),),
    follow=(in_transit,),
)
