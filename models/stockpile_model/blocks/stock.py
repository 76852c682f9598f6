"""Stock by age: what is on hand, what is handed on to the next period, what expires."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.blocks.ageing import Ageing
from stockpile_model.data import Dated, Material, Problem, Result, Row, Stockpile, column
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger, Opening


@dataclass(frozen=True, kw_only=True)
class OpeningLot(Row):
    TABLE = "opening_stock"
    lot: str = column("name of the lot", required=True, key=True)
    material: str = column("material", required=True, refers="materials")
    site: str | None = column("where it lies; blank = the only site", refers="sites")
    quantity: float = column("quantity", "quantity", required=True, least=0)
    made: dt.date = column("date the shelf life runs from", required=True)


@dataclass(frozen=True, kw_only=True)
class LotStock(Dated):
    SHEET = "lots"
    date: dt.date = column("first day of the period")
    lot: str = column("lot")
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age at period end: periods since arrival", "months")
    remaining_life: float | None = column("life left at period end; blank = unlimited", "months")
    quantity: float = column("stock at period end", "quantity")


@dataclass(frozen=True, kw_only=True)
class Movement(Dated):
    SHEET = "movements"
    date: dt.date = column("first day of the period")
    lot: str = column("lot")
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age when it moves", "months")
    remaining_life: float | None = column("life left when it moves; blank = unlimited", "months")
    kind: str = column("`opening`, `arrival`, `return`, `demand`, `rotation` or `expired`")
    name: str = column("offer, contract, buyer or outlet")
    quantity: float = column("in (above zero) or out (below zero)", "quantity")


@dataclass(frozen=True, kw_only=True)
class Delivery(Dated):
    SHEET = "deliveries"
    date: dt.date = column("first day of the period of arrival")
    lot: str = column("lot")
    kind: str = column("`offers` or `contracts`")
    name: str = column("offer or contract")
    supplier: str = column("supplier")
    material: str = column("material")
    site: str = column("site")
    buyer: str | None = column("owner of the site")
    quantity: float = column("what arrives", "quantity")
    price: float = column("price paid for it with adder, without duty and freight", "money/quantity")
    paid: float = column("paid for it with adder, without duty and freight, undiscounted", "money")


TABLES: tuple[type[Row], ...] = (OpeningLot,)


def age_at_start(stockpile: Stockpile, lot: OpeningLot) -> int:
    """Age of an opening lot in period 0 [periods]: made in the period before, it is 1 period old."""
    return max(0, -stockpile.calendar.period(lot.made))


def check(stockpile: Stockpile) -> Iterator[Problem]:
    materials = stockpile.keyed(Material)
    for row in stockpile.rows(OpeningLot):
        if row.site is None and len(stockpile.sites) > 1:
            yield Problem(row.TABLE, row.line, "site", "is required: the workbook has several sites")
        if stockpile.calendar.period(row.made) > 0:
            yield Problem(
                row.TABLE,
                row.line,
                "made",
                f"must not be after the first period, which begins on {stockpile.settings.start}, found {row.made}",
            )
        months = materials[row.material].shelf_life_months if row.material in materials else None
        whole = None if months is None else stockpile.calendar.whole(months)
        if months is not None and whole is not None and age_at_start(stockpile, row) >= whole:
            message = f"lot {row.lot} is older than its shelf life of {amounts.count(months, 'month')}: it expires in the first period"
            yield Problem(row.TABLE, row.line, "made", message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Where life is unlimited no age is kept, so no scenario can limit it while metal may be on hand."""
    tree, told = stockpile.tree, set[str]()
    for n in tree.nodes:
        parent = tree.parent[n]
        if parent is None:
            continue
        for row in stockpile.at(n).rows(Material):
            if row.shelf_life_months is not None and stockpile.at(parent).life(row.material) is None and row.material not in told:
                told.add(row.material)
                message = (
                    f"in scenario {stockpile.holds[n][0]}: {row.material} has a shelf life from {stockpile.calendar.begin(tree.period[n])} "
                )
                message += "on and none before: the age of what is on hand is not known; give it a long life in materials"
                yield Problem(row.TABLE, row.line, "shelf_life_months", message)


def place_of(stockpile: Stockpile, lot: OpeningLot) -> str:
    """The site where an opening lot lies."""
    return lot.site or next(iter(stockpile.sites))


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Stock by age is handed on as `ageing` says; Σ_{i,a} stock ≤ capacity of the site.

    What leaves the last age unused has expired: it is neither held nor counted. Where a scenario shortens a life, all that is older
    expires too, and nothing can use it. Without a shelf life there is one class, which keeps its age. Opening lots enter the root at
    the age their `made` date gives them.
    """
    tree, calendar = stockpile.tree, stockpile.calendar
    materials, sites = stockpile.keyed(Material), stockpile.sites
    for root in (n for n in tree.nodes if tree.parent[n] is None):
        for lot in stockpile.at(root).rows(OpeningLot):
            opening = Opening(root, lot.material, place_of(stockpile, lot), age_at_start(stockpile, lot), lot.lot, lot.made, lot.quantity)
            ledger.openings.append(opening)
    ageing = Ageing(m, stockpile, ledger)

    def held_ages(i: str, n: int) -> list[int]:
        """Where metal can be at period end: in one class without a shelf life, else at all ages but the last."""
        life = stockpile.at(n).life(i)
        return [a for a in stockpile.first_ages(i, n) if life is None or a < life - 1]

    m.STOCKS = pyo.Set(
        dimen=4,
        initialize=[(i, w, a, n) for i in materials for w in sites for n in tree.nodes for a in held_ages(i, n)],
        doc="material, site, age (the first of its class), node of end-of-period stock",
    )
    m.EXPIRIES = pyo.Set(
        dimen=3,
        initialize=[(i, w, n) for i in materials for w in sites for n in tree.nodes if stockpile.at(n).life(i) is not None],
        doc="material, site, node of expiry",
    )
    m.stock = pyo.Var(m.STOCKS, domain=pyo.NonNegativeReals, doc="stock at period end by age [quantity]")
    m.expired = pyo.Var(
        m.EXPIRIES,
        domain=pyo.NonNegativeReals,
        bounds=lambda m, i, w, n: (ageing.overaged(i, w, n), None),
        doc="what reaches the end of its life unused [quantity]",
    )
    ageing.add()

    held: dict[tuple[str, int], list[object]] = {}
    of_material: dict[tuple[str, str, int], list[object]] = {}
    for (i, w, _, n), stock in m.stock.items():
        held.setdefault((w, n), []).append(stock)
        of_material.setdefault((i, w, n), []).append(stock)
    for (i, w, n), stocks in of_material.items():
        now = stockpile.at(n)
        rate = (now.sites[w].cost + now.keyed(Material)[i].holding_cost) * calendar.months
        if rate > 0:
            ledger.pay(n, "storage", rate * summed(stocks), "storage", i, sites[w].buyer, w)
    for (i, w, n), expired in m.expired.items():
        rate = stockpile.at(n).keyed(Material)[i].disposal_cost
        if rate > 0:
            ledger.pay(n, "disposal", rate * expired, "rotation", i, sites[w].buyer, w)
    for moved, side in ((ledger.arrivals, "handling_in"), (ledger.departures, "handling_out")):
        handled: dict[tuple[str, str, int], list[object]] = {}
        for each in moved:
            handled.setdefault((each.material, each.site, each.node), []).append(each.amount)
        for (i, w, n), quantities in handled.items():
            rate = getattr(stockpile.at(n).sites[w], side)
            if rate > 0:
                ledger.pay(n, "handling", rate * summed(quantities), "storage", i, sites[w].buyer, w)

    limited = [(w, n) for w, n in held if stockpile.at(n).sites[w].capacity is not None]
    m.cap_site = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, w, n: summed(held[w, n]) <= stockpile.at(n).sites[w].capacity,
        doc="a site holds no more than its capacity at period end [quantity]",
    )
    for w, n in limited:
        row = stockpile.at(n).sites[w]
        ledger.limit(m.cap_site[w, n], "most", row.capacity or 0.0, "quantity", f"capacity of site {w}", row, "capacity", n)


def remaining_life(stockpile: Stockpile, material: str, age: int) -> float | None:
    """Life left to metal that moves at an age [months]; None = unlimited."""
    life = stockpile.shelf_life(material)
    return None if life is None else max(0, life - age) * stockpile.calendar.months


def report(formulation: Formulation) -> Iterator[Result]:
    stockpile = formulation.stockpile
    tree, calendar = stockpile.tree, stockpile.calendar
    for held in formulation.trace.stock:
        yield LotStock(
            **stockpile.where(held.node),
            date=calendar.begin(tree.period[held.node]),
            lot=held.lot.name,
            material=held.lot.material,
            site=held.lot.site,
            made=held.lot.made,
            age=held.age * calendar.months,
            remaining_life=remaining_life(stockpile.at(held.node), held.lot.material, held.age + 1),
            quantity=held.quantity,
        )
    for moved in formulation.trace.movements:
        date = calendar.begin(tree.period[moved.node])
        yield Movement(
            **stockpile.where(moved.node),
            date=date,
            lot=moved.lot.name,
            material=moved.lot.material,
            site=moved.lot.site,
            made=moved.lot.made,
            age=moved.age * calendar.months,
            remaining_life=remaining_life(stockpile.at(moved.node), moved.lot.material, moved.age),
            kind="rotation" if moved.kind == "outlet" else moved.kind,
            name=moved.name,
            quantity=moved.quantity,
        )
        if moved.kind == "arrival":
            yield Delivery(
                **stockpile.where(moved.node),
                date=date,
                lot=moved.lot.name,
                kind=moved.table,
                name=moved.name,
                supplier=str(moved.supplier),
                material=moved.lot.material,
                site=moved.lot.site,
                buyer=stockpile.sites[moved.lot.site].buyer,
                quantity=moved.quantity,
                price=moved.price,
                paid=moved.price * moved.quantity,
            )
