"""Rotation: how stock is taken out before its life is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model import lots
from stockpile_model.data import Material, Problem, Result, Row, Stockpile, column, ordered, overlap
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Outlet(Row):
    TABLE = "outlets"
    outlet: str = column("name of the outlet", required=True, key=True)
    material: str = column("material it takes", required=True, refers="materials")
    form: str = column(
        "`sale` for money, `dispose` as waste, `exchange` for fresh metal, `rework` into fresh metal",
        required=True,
        choices=("sale", "exchange", "rework", "dispose"),
    )
    from_: dt.date | None = column("first date it takes metal; blank = from the start")
    to: dt.date | None = column("last date; blank = to the end")
    capacity: float | None = column("most it takes in a period; blank = unlimited", "quantity/period", least=0)
    price: float | None = column("price received", "money/quantity", least=0)
    price_index: str | None = column("index that sets the price received", refers="prices")
    price_factor: float = column("share of the index received", "1", default=1.0, least=0)
    age_discount: float = column("share of the price lost for each month of age", "1/month", default=0.0, least=0, most=1)
    minimum_life_months: float = column("life left that the taker requires", "months", default=0.0, least=0)
    cost: float = column("cost of what goes in", "money/quantity", default=0.0, least=0)
    yield_: float = column("units back for each unit in (exchange, rework)", "1", default=1.0, least=0)
    lead_time_months: float = column("time until the units are back (exchange, rework)", "months", default=0.0, least=0)
    to_material: str | None = column("material that comes back (rework); blank = the same", refers="materials")
    fund: str | None = column("fund that gets the receipts", refers="funds")


@dataclass(frozen=True, kw_only=True)
class Rotated(Result):
    SHEET = "rotation"
    date: dt.date = column("first day of the period")
    lot: str = column("lot")
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age when it leaves", "months")
    remaining_life: float | None = column("life left when it leaves; blank = unlimited", "months")
    outlet: str | None = column("outlet; blank where the lot expires")
    form: str = column("`sale`, `exchange`, `rework`, `dispose` or `expired`")
    quantity: float = column("what leaves", "quantity")
    price: float = column("price received", "money/quantity")
    proceeds: float = column("receipts, undiscounted", "money")
    cost: float = column("outlet and disposal cost, undiscounted", "money")
    returns: dt.date | None = column("first day of the period in which it comes back (exchange, rework)")
    returned: float | None = column("what comes back (exchange, rework)", "quantity")
    to_material: str | None = column("material that comes back (exchange, rework)")
    instruction: str = column("what to do")


TABLES: tuple[type[Row], ...] = (Outlet,)


def takes(stockpile: Stockpile, outlet: Outlet, age: int) -> bool:
    """Whether an outlet takes metal of an age: it leaves with `life - age` periods left (workbook contract, meaning of time)."""
    life = stockpile.life(outlet.material)
    return life is None or (life - age) * stockpile.calendar.months >= outlet.minimum_life_months - 1e-9


def price(stockpile: Stockpile, outlet: Outlet, age: int, node: int) -> float:
    """What a sale at a node earns [money/quantity]: price·(1 - age_discount·age in months), never below zero."""
    if outlet.form != "sale":
        return 0.0
    full = outlet.price if outlet.price is not None else stockpile.price(str(outlet.price_index), node) * outlet.price_factor
    return full * max(0.0, 1 - outlet.age_discount * age * stockpile.calendar.months)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    materials = stockpile.keyed(Material)
    for row in stockpile.rows(Outlet):
        yield from ordered(row, "from", "to")
        if row.form == "sale" and (row.price is None) == (row.price_index is None):
            yield Problem(row.TABLE, row.line, "price", "a sale needs price or price_index, and not both")
        life = materials[row.material].shelf_life_months if row.material in materials else None
        if row.age_discount > 0 and row.material in materials and life is None:
            yield Problem(
                row.TABLE, row.line, "age_discount", f"needs a shelf_life_months of {row.material}: without one its age is not kept"
            )
        if life is not None and stockpile.calendar.whole(life) is not None and row.minimum_life_months > life:
            message = (
                f"is above the shelf life of {row.material}, {life:g} months: the outlet takes nothing, found {row.minimum_life_months:g}"
            )
            yield Problem(row.TABLE, row.line, "minimum_life_months", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ_{w,a} out[r,w,a,n] ≤ capacity[r,n]; a sale earns price·(1 - age_discount·age)."""
    tree = stockpile.tree
    outlets = stockpile.keyed(Outlet)
    windows = {r: set(overlap(stockpile.calendar, row.from_, row.to)) for r, row in outlets.items()}
    m.OUTLETS = pyo.Set(initialize=list(outlets), doc="outlets")
    m.OUTS = pyo.Set(
        dimen=4,
        initialize=[
            (r, w, a, n)
            for r, row in outlets.items()
            for w in stockpile.sites
            for n in tree.nodes
            if tree.period[n] in windows[r]
            for a in stockpile.ages(row.material)
            if takes(stockpile, row, a)
        ],
        doc="outlet, site, age, node at which stock can be rotated out",
    )
    m.out = pyo.Var(m.OUTS, domain=pyo.NonNegativeReals, doc="stock rotated out [quantity]")

    through: dict[tuple[str, int], list[object]] = {}
    for r, w, a, n in m.OUTS:
        row, out = stockpile.at(n).keyed(Outlet)[r], m.out[r, w, a, n]
        through.setdefault((r, n), []).append(out)
        ledger.take(n, row.material, w, a, out, "outlet", r)
        if (earned := price(stockpile, row, a, n)) > 0:
            ledger.receive(n, "sales", earned * out, row.material, r, row.fund)
        if row.cost > 0:
            ledger.pay(n, "rotation", row.cost * out, "rotation", row.material, name=r)
        thrown_away = stockpile.at(n).keyed(Material)[row.material].disposal_cost if row.form == "dispose" else 0.0
        if thrown_away > 0:
            ledger.pay(n, "disposal", thrown_away * out, "rotation", row.material, name=r)

    limited = [(r, n) for r, n in through if stockpile.at(n).keyed(Outlet)[r].capacity is not None]
    m.cap_outlet = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, r, n: pyo.quicksum(through[r, n]) <= stockpile.at(n).keyed(Outlet)[r].capacity,
        doc="an outlet takes no more than its capacity [quantity]",
    )
    for r, n in limited:
        row = stockpile.at(n).keyed(Outlet)[r]
        ledger.limit(m.cap_outlet[r, n], "most", row.capacity or 0.0, "quantity", f"capacity of outlet {r}", row, "capacity", n)


def report(formulation: Formulation) -> Iterator[Result]:
    for moved in formulation.trace.movements:
        if moved.kind in ("outlet", "expired"):
            yield _told(formulation.stockpile, moved)


def _told(stockpile: Stockpile, moved: lots.Moved) -> Rotated:
    """One row of the rotation sheet, in words an officer acts on."""
    calendar, settings, lot = stockpile.calendar, stockpile.settings, moved.lot
    now, date, quantity = stockpile.at(moved.node), calendar.begin(stockpile.tree.period[moved.node]), -moved.quantity
    outlet = None if moved.kind == "expired" else now.keyed(Outlet)[moved.name]
    earned = 0.0 if outlet is None else price(stockpile, outlet, moved.age, moved.node)
    waste = now.keyed(Material)[lot.material].disposal_cost if outlet is None or outlet.form == "dispose" else 0.0
    life = stockpile.life(lot.material)
    left = None if life is None else max(0, life - moved.age) * calendar.months
    amount = f"{quantity:,.6g} {settings.quantity_unit} of lot {lot.name} ({lot.material}, {lot.site}, made {lot.made:%Y-%m-%d})"
    remaining = "" if left is None else f", {left:g} months of life left"
    if outlet is None:
        said = f"{date:%Y-%m}: {amount} reaches the end of its life and is waste"
    elif outlet.form == "sale":
        said = f"{date:%Y-%m}: sell {amount}{remaining}, through {outlet.outlet}, for {quantity * earned:,.0f} {settings.currency}"
    else:
        said = f"{date:%Y-%m}: throw away {amount}{remaining}, through {outlet.outlet}"
    return Rotated(
        date=date,
        lot=lot.name,
        material=lot.material,
        site=lot.site,
        made=lot.made,
        age=moved.age * calendar.months,
        remaining_life=left,
        outlet=outlet.outlet if outlet else None,
        form=outlet.form if outlet else "expired",
        quantity=quantity,
        price=earned,
        proceeds=quantity * earned,
        cost=quantity * (waste + (outlet.cost if outlet else 0.0)),
        instruction=said,
    )
