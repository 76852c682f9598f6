"""Rotation: how stock is taken out before its life is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts, lots
from stockpile_model.data import (
    Dated,
    Material,
    Problem,
    Result,
    Row,
    Stockpile,
    column,
    columns,
    get,
    larger,
    ordered,
    overlap,
    whole_periods,
)
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Arrival, Ledger


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
class Rotated(Dated):
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
RETURNING = ("exchange", "rework")  # the forms that give metal back
SALE_ONLY, RETURN_ONLY = ("price", "price_index", "price_factor", "age_discount", "fund"), ("yield", "lead_time_months")


def lead(stockpile: Stockpile, outlet: Outlet) -> int:
    """Periods until what goes in is back; 0 for what does not come back."""
    return stockpile.calendar.count(outlet.lead_time_months) if outlet.form in RETURNING else 0


def back(outlet: Outlet) -> str:
    """The material that comes back from an exchange or rework."""
    return outlet.to_material or outlet.material


def opened(stockpile: Stockpile, outlet: Outlet) -> range:
    """The periods in which an outlet takes metal: within its dates, and early enough for what comes back to be back."""
    window, latest = overlap(stockpile.calendar, outlet.from_, outlet.to), stockpile.calendar.periods - lead(stockpile, outlet)
    return range(window.start, min(window.stop, latest))


def takes(stockpile: Stockpile, outlet: Outlet, age: int) -> bool:
    """Whether an outlet takes metal of an age: it leaves with `life - age` periods left (workbook contract, meaning of time)."""
    life = stockpile.life(outlet.material)
    return life is None or (life - age) * stockpile.calendar.months >= outlet.minimum_life_months - 1e-9


def worth(stockpile: Stockpile, outlet: Outlet, age: int) -> float:
    """What is left of the price of a sale at an age: 1 - age_discount·age in months, never below zero [1]."""
    return larger(0.0, 1 - outlet.age_discount * age * stockpile.calendar.months)


def price(stockpile: Stockpile, outlet: Outlet, age: int, node: int) -> float:
    """What a sale at a node earns [money/quantity]."""
    if outlet.form != "sale":
        return 0.0
    full = outlet.price if outlet.price is not None else stockpile.price(str(outlet.price_index), node) * outlet.price_factor
    return full * worth(stockpile, outlet, age)


def tells(stockpile: Stockpile, material: str, age: int) -> object:
    """What outlets tell an age by: whether they take it, and at which part of the price."""
    rows = (row for row in stockpile.rows(Outlet) if row.material == material)
    return tuple((takes(stockpile, row, age), worth(stockpile, row, age) if row.form == "sale" else 0.0) for row in rows)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    materials = stockpile.keyed(Material)
    for row in stockpile.rows(Outlet):
        yield from ordered(row, "from", "to")
        yield from whole_periods(stockpile, row, "lead_time_months")
        if row.form == "sale" and (row.price is None) == (row.price_index is None):
            yield Problem(row.TABLE, row.line, "price", "a sale needs price or price_index, and not both")
        if row.to_material is not None and row.form != "rework":
            yield Problem(row.TABLE, row.line, "to_material", f"is for a rework: an outlet of form {row.form} gives back no other material")
        idle = (*(SALE_ONLY if row.form != "sale" else ()), *(RETURN_ONLY if row.form not in RETURNING else ()))
        for name in idle:
            if get(row, name) != next(each.default for each in columns(Outlet) if each.name == name):
                yield Problem(row.TABLE, row.line, name, f"has no effect on an outlet of form {row.form}", warning=True)
        if row.form in RETURNING and row.yield_ > 1 and back(row) == row.material:
            message = f"is above 1: more comes back than goes in, found {amounts.quantity(row.yield_)}"
            yield Problem(row.TABLE, row.line, "yield", message, warning=True)
        life = materials[row.material].shelf_life_months if row.material in materials else None
        if row.age_discount > 0 and row.material in materials and life is None:
            yield Problem(
                row.TABLE, row.line, "age_discount", f"needs a shelf_life_months of {row.material}: without one its age is not kept"
            )
        if life is not None and stockpile.calendar.whole(life) is not None and row.minimum_life_months > life:
            message = (
                f"is above the shelf life of {row.material}, {amounts.count(life, 'month')}: the outlet takes nothing, "
                f"found {amounts.quantity(row.minimum_life_months)}"
            )
            yield Problem(row.TABLE, row.line, "minimum_life_months", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ_{w,a} out[r,w,a,n] ≤ capacity[r,n]; a sale earns price·(1 - age_discount·age).

    Of an exchange or a rework yield·Σ_a out[r,w,a,n] comes back to the site ℓ_r periods later at age 0, at every descendant of
    n; it is not possible where that falls past the horizon.
    """
    tree = stockpile.tree
    outlets = stockpile.keyed(Outlet)
    m.OUTLETS = pyo.Set(initialize=list(outlets), doc="outlets")
    m.OUTS = pyo.Set(
        dimen=4,
        initialize=[
            (r, w, a, n)
            for r, row in outlets.items()
            for w in stockpile.sites
            for n in tree.nodes
            if tree.period[n] in opened(stockpile, stockpile.at(n).keyed(Outlet)[r])
            for a in stockpile.first_ages(row.material, n)
            if takes(stockpile.at(n), stockpile.at(n).keyed(Outlet)[r], a)
        ],
        doc="outlet, site, age, node at which stock can be rotated out",
    )
    m.out = pyo.Var(m.OUTS, domain=pyo.NonNegativeReals, doc="stock rotated out [quantity]")

    through: dict[tuple[str, int], list[object]] = {}
    inside: dict[tuple[str, str, int], list[tuple[int, Any]]] = {}  # by age
    for (r, w, a, n), out in m.out.items():
        through.setdefault((r, n), []).append(out)
        inside.setdefault((r, w, n), []).append((a, out))
        ledger.take(n, stockpile.at(n).keyed(Outlet)[r].material, w, a, out, "outlet", r)

    for (r, w, n), outs in inside.items():
        row, buyer, whole = stockpile.at(n).keyed(Outlet)[r], stockpile.sites[w].buyer, summed(out for _, out in outs)
        if sales := [earned * out for a, out in outs if (earned := price(stockpile, row, a, n)) > 0]:
            ledger.receive(n, "sales", summed(sales), row.material, r, row.fund, buyer)
        if row.cost > 0:
            ledger.pay(n, "rotation", row.cost * whole, "rotation", row.material, buyer, r)
        thrown_away = stockpile.at(n).keyed(Material)[row.material].disposal_cost if row.form == "dispose" else 0.0
        if thrown_away > 0:
            ledger.pay(n, "disposal", thrown_away * whole, "rotation", row.material, buyer, r)
        for d in tree.at[tree.period[n] + lead(stockpile, row)] if row.form in RETURNING else ():
            if n in tree.paths[d]:
                ledger.bring(Arrival(d, back(row), w, 0, row.yield_ * whole, "outlets", r, None))

    limited = [(r, n) for r, n in through if stockpile.at(n).keyed(Outlet)[r].capacity is not None]
    m.cap_outlet = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, r, n: summed(through[r, n]) <= stockpile.at(n).keyed(Outlet)[r].capacity,
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
    now, date = stockpile.at(moved.node), calendar.begin(stockpile.tree.period[moved.node])
    outlet = None if moved.kind == "expired" else now.keyed(Outlet)[moved.name]
    quantity = amounts.snapped(-moved.quantity, most=(None if outlet is None else outlet.capacity,))
    earned = 0.0 if outlet is None else price(stockpile, outlet, moved.age, moved.node)
    waste = now.keyed(Material)[lot.material].disposal_cost if outlet is None or outlet.form == "dispose" else 0.0
    life = now.shelf_life(lot.material)
    left = None if life is None else max(0, life - moved.age) * calendar.months
    returning = outlet is not None and outlet.form in RETURNING
    returns = stockpile.tree.period[moved.node] + (lead(stockpile, outlet) if outlet is not None else 0)
    origin = f"lot {lot.name} ({lot.material}, {lot.site}, made {lot.made:%Y-%m-%d})"
    amount = f"{amounts.quantity(quantity)} {settings.quantity_unit} of {origin}"
    remaining = "" if left is None else f", {amounts.count(left, 'month')} of life left"
    when = amounts.month(date)
    if outlet is None:
        said = f"{when}: {amount} reaches the end of its life and is waste"
    elif outlet.form in RETURNING:
        said = (
            f"{when}: {outlet.form} {amount}{remaining}, through {outlet.outlet}; "
            f"{amounts.quantity(amounts.clean(quantity * outlet.yield_))} {settings.quantity_unit} of {back(outlet)} come back "
            f"{amounts.month(calendar.begin(returns))}"
        )
    elif outlet.form == "sale":
        said = f"{when}: sell {amount}{remaining}, through {outlet.outlet}, for {amounts.money(quantity * earned)} {settings.currency}"
    else:
        said = f"{when}: throw away {amount}{remaining}, through {outlet.outlet}"
    return Rotated(
        **stockpile.where(moved.node),
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
        returns=calendar.begin(returns) if returning else None,
        returned=quantity * outlet.yield_ if outlet is not None and returning else None,
        to_material=back(outlet) if outlet is not None and returning else None,
        instruction=said,
    )
