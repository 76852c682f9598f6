"""In transit: metal that was ordered before the start and arrives within the horizon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import pyomo.environ as pyo

from stockpile_model.block import Block, sources
from stockpile_model.blocks.budget.rolled_payers import pay_alike
from stockpile_model.blocks.in_transit import transit_terms as terms
from stockpile_model.blocks.in_transit.transit_terms import Coming, InTransit
from stockpile_model.checks import ordered
from stockpile_model.formulation import summed
from stockpile_model.ledger import Arrival, Binding, Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Problem, Row, nearest
from stockpile_model.stockpile import Stockpile


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the name and the dates of each row."""
    # In a scenario two may come at once, and what is under way comes when it was agreed.
    if stockpile.shape is None:
        yield from _check_once(stockpile)
        yield from _check_orders(stockpile)
    for row in stockpile.rows(InTransit):
        yield from ordered(row, "ordered", "arrives")
        yield from _check_name(stockpile, row)
        yield from _check_dates(stockpile, row)
        if row.unpaid and not row.quantity:
            message = "is due on arrival, and nothing arrives: write the quantity, or no money"
            yield Problem(row.TABLE, row.line, "unpaid", message, warning=True)


def _check_once(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the rows of which another has the name and the date."""
    seen: dict[tuple[str, dt.date], InTransit] = {}
    for row in stockpile.rows(InTransit):
        if (first := seen.setdefault((row.name, row.arrives), row)) is not row:
            message = f"{row.name} arrives on {row.arrives} in row {first.line} already"
            yield Problem(row.TABLE, row.line, "arrives", f"{message}: write their sum in one")


def _check_name(stockpile: Stockpile, row: InTransit) -> Iterator[Problem]:
    names, message = terms.bringing(stockpile), ""
    found = names.get(row.name, [])
    if not found:
        where = "offers or contracts"
        message = f"{row.name!r} has no row in the sheet {where}{nearest(row.name, names)}"
    elif len(found) > 1:
        message = f"{row.name!r} is an offer and a contract: give one of them another name"
    elif getattr(found[0], "form", "") == "cfd":
        message = f"{row.name} brings no metal: it is a cfd"
    if message:
        yield Problem(row.TABLE, row.line, "name", message)


def _check_dates(stockpile: Stockpile, row: InTransit) -> Iterator[Problem]:
    calendar, start = stockpile.calendar, stockpile.settings.start
    if row.ordered is not None and row.ordered >= start:
        message = f"must be before the start, {start}: later orders are commitments"
        yield Problem(row.TABLE, row.line, "ordered", f"{message}, found {row.ordered}")
    if row.arrives < start:
        message = f"must not be before the start, {start}: what has arrived is opening_stock"
        yield Problem(row.TABLE, row.line, "arrives", f"{message}, found {row.arrives}")
    if calendar.period(row.arrives) >= calendar.periods:
        message = f"{row.name} arrives after the horizon: it is not in the plan"
        yield Problem(row.TABLE, row.line, "arrives", message, warning=True)


def _check_orders(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the dates of orders that were placed before the start."""
    for row, due in terms.ordered_before(stockpile):
        arrives = stockpile.calendar.begin(due)
        if due < 0:
            message = (
                f"{row.name} ordered on {row.date} arrived in the period of {arrives}, before the "
                "start: what is left of it is opening_stock; or write what is late into in_transit"
            )
            yield Problem(row.TABLE, row.line, "date", message)
        if due >= stockpile.calendar.periods:
            message = f"{row.name} arrives after the horizon: it is not in the plan"
            yield Problem(row.TABLE, row.line, "date", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what arrives of what is in transit, and pay what is still due."""
    found = {(each.number, each.node): each for each in terms.coming(stockpile)}
    m.TRANSIT = pyo.Set(
        dimen=3,
        initialize=[
            (k, w, n)
            for (k, n), each in found.items()
            for w in terms.landing(stockpile, each.row, each.source)
        ],
        doc="row of in_transit, site, node of its arrival",
    )
    m.land = pyo.Var(
        m.TRANSIT,
        domain=pyo.NonNegativeReals,
        doc="what arrives at a site of what was in transit [quantity]",
    )
    balance_transit(m, stockpile, found)
    for each in found.values():
        _bring(m, stockpile, each, ledger)


def balance_transit(
    m: pyo.ConcreteModel, stockpile: Stockpile, found: dict[tuple[int, int], Coming]
) -> None:
    """Require Σ_w land[k,w,n] = what row k of in_transit brings."""

    def rule(m: pyo.ConcreteModel, k: int, n: int) -> object:
        each = found[k, n]
        sites = terms.landing(stockpile, each.row, each.source)
        return summed(m.land[k, w, n] for w in sites) == each.row.quantity

    m.balance_transit = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(found)),
        rule=rule,
        doc="what is in transit arrives in full [quantity]",
    )


def _bring(m: pyo.ConcreteModel, stockpile: Stockpile, each: Coming, ledger: Ledger) -> None:
    """Post what arrives at each site, and what its buyer pays of what is still due."""
    k, n, row, source = each.number, each.node, each.row, each.source
    material, rate, use = source.material, row.unpaid / row.quantity, sources()[source.TABLE]
    age = stockpile.at(n).age_received(material, source.life_on_receipt_months)
    lot = f"{row.name} due {each.due}"
    for w in terms.landing(stockpile, row, source):
        what = m.land[k, w, n], source.TABLE, row.name, source.supplier, rate, row.quantity
        ledger.bring(Arrival(n, material, w, age, *what, lot=lot))
        if row.unpaid:
            buyer, due = stockpile.sites[w].buyer, rate * m.land[k, w, n]
            before = Binding(day=row.ordered)
            ledger.pay(n, "in_transit", due, use, material, buyer, row.name, obligation=before)


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield what is still in transit."""
    coming = [each for each in terms.coming(passed.stockpile) if each.node in passed.nodes]
    came = {each.number for each in coming}
    rows = [row for k, row in enumerate(passed.rows(InTransit)) if k not in came]
    yield InTransit, [row for row in rows if row.quantity > 0]
    tree = passed.stockpile.tree
    for each in coming:
        period, day = tree.period[each.node], each.row.ordered
        if each.node not in tree.below[passed.nodes[-1]][1:] or not each.row.unpaid:
            continue
        use, due = sources()[each.source.TABLE], range(period, period + 1)
        if not pay_alike(passed, use, each.source.material, day, day, due):
            remark = (
                f"{each.row.name}: when what arrives on {each.due} was ordered, nothing lived that "
                "still pays for it, so what lives at the start does: in the next workbook another "
                "appropriation may than in the plan"
            )
            if remark not in passed.remarks:
                passed.remarks.append(remark)


BLOCK = Block(
    tables=(InTransit,),
    headings=(Heading("in_transit", "still due on metal ordered before the start"),),
    decisions=("land",),
    check=check,
    add=add,
    brings=terms.brings,
    rolls=rolls,
)
