"""What an outlet takes, gives back and pays."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from stockpile_model.block import Renewal, Turn
from stockpile_model.blocks.commitments.commitment_terms import Commitment, decided, earlier
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.calendar import overlap
from stockpile_model.extremes import larger, smaller
from stockpile_model.funds import Fund
from stockpile_model.giving import FACT, POLICY, TERM, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.standing import Standing
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

RETURNING = ("exchange", "rework", "loan")  # the forms that give fresh metal back
REQUALIFY = "requalify"
GIVING_BACK = (*RETURNING, REQUALIFY)
EARNING = ("sale", "loan")  # the forms that earn a price
RELEASING = ("sale", "loan", "dispose")  # the forms by which a stockpile lets metal go


@dataclass(frozen=True, kw_only=True)
class Outlet(Row):
    """A way in which stock is rotated out."""

    TABLE = "outlets"
    PURPOSE = "Ways in which stock is rotated out before its life is over."
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "from": Give("earlier", TERM),
        "to": Give("later", TERM),
        "capacity": Give("more", TERM),
        "minimum_life_months": Give("less", TERM),
        "cost": Give("less", FACT),
        "yield": Give("more", FACT),
        "lead_time_months": Give("less", FACT),
        "minimum_age_months": Give("less", POLICY),
        "minimum_order": Give("less", TERM),
        "lot_size": Give("less", TERM),
        "order_cost": Give("less", FACT),
        "price": Give("more", FACT),
        "price_factor": Give("more", FACT),
        "age_discount": Give("less", FACT),
        "gain_months": Give("more", FACT),
        "times": Give("more", FACT),
        "months": Give("less", FACT),
    }
    outlet: str = column("name of the outlet", required=True, key=True)
    material: str = column("material it takes", required=True, refers="materials")
    form: str = column(
        "`sale` for money, `dispose` as waste, `exchange` for fresh metal, "
        "`rework` into fresh metal, `requalify` to test it again and give it more life, `loan` to "
        "industry, which replaces it",
        required=True,
        choices=("sale", "exchange", "rework", "requalify", "loan", "dispose"),
    )
    from_: dt.date | None = column("first date it takes metal; blank = from the start")
    to: dt.date | None = column("last date; blank = to the end")
    capacity: float | None = column(
        "most it takes in a period; blank = unlimited",
        "quantity/period",
        least=0,
        limit="most",
        outlier="above",
    )
    price: float | None = column(  # old metal may be worth next to nothing
        "price received (sale); fee for what is lent (loan)",
        "money/quantity",
        least=0,
        outlier="above",
        stress="price",
    )
    price_index: str | None = column("index that sets the price received", refers="prices")
    price_factor: float = column(
        "share of the index received", "1", default=1.0, least=0, indexed="times"
    )
    age_discount: float = column(
        "share of the price lost for each month of age",
        "1/month",
        default=0.0,
        least=0,
        most=1,
        age="asked",
    )
    minimum_life_months: float = column(
        "life left that the taker requires", "months", default=0.0, least=0, age="left"
    )
    cost: float = column("cost of what goes in", "money/quantity", default=0.0, least=0)
    yield_: float = column(
        "units back for each unit in (exchange, rework, loan: a premium above 1); share that "
        "passes (requalify)",
        "1",
        default=1.0,
        least=0,
    )
    lead_time_months: float = column(
        "time until the units are back (exchange, rework, requalify)",
        "months",
        default=0.0,
        least=0,
        whole_periods=True,
    )
    to_material: str | None = column(
        "material that comes back (rework); blank = the same", refers="materials"
    )
    fund: str | None = column("fund that gets the receipts", refers="funds")
    currency: str | None = column(
        "currency of the money of this row and of its index: an index of `prices` of that name, "
        "money of the book per unit of it at the date of payment; blank = the book's",
        refers="prices",
    )
    country: str | None = column("country of the taker")
    minimum_age_months: float = column(
        "age below which metal is not released", "months", default=0.0, least=0, age="asked"
    )
    minimum_order: float = column(
        "least quantity of a sale or dispatch: of what it takes in a period",
        "quantity",
        default=0.0,
        least=0,
        limit="least",
        outlier="above",
    )
    lot_size: float | None = column(
        "it takes whole multiples of it in a period; blank = any quantity",
        "quantity",
        above=0,
        outlier="above",
    )
    order_cost: float = column(
        "cost of each sale or dispatch: of each period in which it takes metal",
        "money",
        default=0.0,
        least=0,
    )

    gain_months: float = column(
        "added to the life that is left, never above the whole shelf life (requalify)",
        "months",
        default=0.0,
        least=0,
        whole_periods=True,
    )
    times: int = column(
        "how often metal may be requalified in all (requalify)", "times", default=1, least=1
    )
    months: float = column(
        "time until what is lent is replaced (loan)",
        "months",
        default=0.0,
        least=0,
        whole_periods=True,
    )


def lead(stockpile: Stockpile, outlet: Outlet) -> int:
    """Return the periods until what goes in is back; 0 for what does not come back."""
    if outlet.form == "loan":
        return stockpile.calendar.count(outlet.months)
    gives_back = outlet.form in GIVING_BACK
    return stockpile.calendar.count(outlet.lead_time_months) if gives_back else 0


def back(outlet: Outlet) -> str:
    """Return the material that an outlet gives back."""
    return outlet.to_material or outlet.material


def out_before(stockpile: Stockpile) -> list[tuple[Commitment, Outlet, int]]:
    """Return what went out before the start to come back fresh, with the period of its return.

    The outlet, its yield and its lead time are those without events, which were not known then.
    """
    outlets = stockpile.keyed(Outlet)
    return [
        (row, outlets[row.name], decided(stockpile, row) + lead(stockpile, outlets[row.name]))
        for rows in earlier(stockpile, "rotate").values()
        for row in rows
        if row.name in outlets and outlets[row.name].form in RETURNING
    ]


class InTest(NamedTuple):
    """A lot that went into a test before the start, by its row, and the period of its return."""

    number: int
    lot: OpeningLot
    outlet: Outlet
    due: int


def in_test(stockpile: Stockpile) -> list[InTest]:
    """Return the lots that are out for a test at the start.

    The outlet is that without events, which were not known then.
    """
    outlets, found = stockpile.keyed(Outlet), list[InTest]()
    for number, row in enumerate(stockpile.rows(OpeningLot)):
        outlet = outlets.get(row.tested_by or "")
        if outlet is not None and row.left is not None:
            due = stockpile.calendar.period(row.left) + lead(stockpile, outlet)
            found.append(InTest(number, row, outlet, due))
    return found


def returned(row: Commitment, outlet: Outlet) -> float:
    """Return how much comes back of what went out before the start [quantity]."""
    return outlet.yield_ * (row.quantity or 0.0)


def brings(stockpile: Stockpile, periods: int) -> float:
    """Return what comes back of what went out before the start [quantity]."""
    return sum(returned(row, outlet) for row, outlet, _ in out_before(stockpile))


def opened(stockpile: Stockpile, outlet: Outlet) -> range:
    """Return the periods in which an outlet takes metal.

    They are within its dates, and early enough for what comes back to be back.
    """
    window = overlap(stockpile.calendar, outlet.from_, outlet.to)
    latest = stockpile.calendar.periods - lead(stockpile, outlet)
    return range(window.start, min(window.stop, latest))


def requalifies(stockpile: Stockpile, outlet: Outlet) -> bool:
    """Return whether an outlet may ever requalify metal: a row of capacity 0 is switched off."""
    able = outlet.form == REQUALIFY and outlet.capacity != 0
    return able and len(opened(stockpile, outlet)) > 0


def takes(stockpile: Stockpile, outlet: Outlet, age: int) -> bool:
    """Return whether an outlet takes metal of an age.

    It leaves with `life - age` periods left (workbook contract, meaning of time).
    """
    life, months = stockpile.life(outlet.material), stockpile.calendar.months
    if life is None:
        return True
    old = age * months >= outlet.minimum_age_months - 1e-9
    return old and (life - age) * months >= outlet.minimum_life_months - 1e-9


def accepts(stockpile: Stockpile, outlet: Outlet, standing: Standing) -> bool:
    """Return whether an outlet takes metal as it stands.

    What has failed a test may only be reworked or thrown away. A test must leave some life.
    """
    if not takes(stockpile, outlet, standing.age):
        return False
    if standing.times is None:
        return outlet.form in ("rework", "dispose")
    if outlet.form != REQUALIFY:
        return True
    young = _retested(stockpile, outlet, standing.age) < (stockpile.life(outlet.material) or 0)
    return young and standing.times < outlet.times


def retested(stockpile: Stockpile, outlet: Outlet, standing: Standing) -> tuple[Standing, Standing]:
    """Return how metal stands that comes back from a test: what passes, and what fails.

    What passes has `gain_months` more left, and no more than the whole shelf life. Where its life
    ends in the meantime it comes back at its last age.
    """
    last = (stockpile.life(outlet.material) or 1) - 1
    passed = min(last, _retested(stockpile, outlet, standing.age))
    failed = min(last, standing.age + lead(stockpile, outlet))
    return Standing(passed, (standing.times or 0) + 1), Standing(failed, None)


def _retested(stockpile: Stockpile, outlet: Outlet, age: int) -> int:
    """Return the age at which metal that passes comes back [periods]."""
    gain = stockpile.calendar.count(outlet.gain_months)
    return max(0, age + lead(stockpile, outlet) - gain)


def worth(stockpile: Stockpile, outlet: Outlet, age: int) -> float:
    """Return what is left of the price of a sale: 1 - age_discount·age, never below zero [1]."""
    return larger(0.0, 1 - outlet.age_discount * age * stockpile.calendar.months)


def price(stockpile: Stockpile, outlet: Outlet, age: int, node: int) -> float:
    """Return what a sale or the fee of a loan at a node earns [money/quantity]."""
    if outlet.form == "loan":
        return outlet.price or 0.0
    if outlet.form != "sale":
        return 0.0
    full = outlet.price
    if full is None:
        full = stockpile.price(str(outlet.price_index), node) * outlet.price_factor
    return full * worth(stockpile, outlet, age)


def moved_value(stockpile: Stockpile, name: str, level: str | None, node: int) -> float:
    """Return what a unit that leaves through an outlet is worth at a node [money/quantity].

    It is the price of a sale of new metal, else the index price of the metal, else what the outlet
    costs.
    """
    now = stockpile.at(node)
    row = now.keyed(Outlet)[name]
    if row.form == "sale":
        return price(stockpile, row, 0, node)
    index = now.keyed(Material)[row.material].price_index
    return row.cost if index is None else stockpile.price(index, node)


def lowest_price(stockpile: Stockpile) -> float:
    """Return the lowest price above zero that a sale earns anywhere; 0 where none earns any."""
    tree = stockpile.tree
    rates = (
        price(stockpile, row, age, n)
        for n in tree.nodes
        for row in stockpile.at(n).rows(Outlet)
        for age in stockpile.at(n).ages(row.material)
    )
    lowest = smaller(math.inf, *(rate for rate in rates if rate > 0))
    return lowest if lowest < math.inf else 0.0


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return which outlets take an age, and at which part of the price."""
    rows = (
        row
        for row in stockpile.rows(Outlet)
        if row.material == material and (row.form != REQUALIFY or requalifies(stockpile, row))
    )
    return tuple(
        (takes(stockpile, row, age), worth(stockpile, row, age) if row.form == "sale" else 0.0)
        for row in rows
    )


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return the most that outlets could take of a material in a window [quantity].

    It is infinite where a sale pays more than metal costs. What any quantity earns that is lent
    again and again is said by `turns`.
    """
    tree, found = stockpile.tree, 0.0
    for name, outlet in stockpile.keyed(Outlet).items():
        if outlet.material != material or outlet.form in ("dispose", REQUALIFY):
            continue
        rows = {n: stockpile.at(n).keyed(Outlet)[name] for n in tree.nodes}
        limited = all(row.capacity is not None for row in rows.values())
        best = larger(*(price(stockpile, row, 0, n) for n, row in rows.items()))
        if limited or outlet.form in RETURNING:
            found += max(row.capacity or 0.0 for row in rows.values()) * len(window)
        if limited or best == 0:
            continue
        returns = outlet.form in RETURNING and all(row.yield_ > 0 for row in rows.values())
        # A sale at a loss still pays where it turns money that expires into receipts that a fund
        # keeps.
        keeps = outlet.fund is not None and stockpile.keyed(Fund)[outlet.fund].keeps_receipts
        better = best > cheapest and not returns
        if better or keeps or stockpile.settings.discount_rate < 0:
            return math.inf
    return found


def turns(stockpile: Stockpile) -> Iterator[Turn]:
    """Yield the exchanges and reworks that have no capacity."""
    for view in stockpile.variants:
        for row in view.rows(Outlet):
            if row.form in RETURNING and row.capacity is None and row.yield_ > 0:
                fee = (row.price or 0.0) / lead(view, row) if row.form == "loan" else 0.0
                yield Turn(row.material, back(row), row.yield_, fee)


def renews(stockpile: Stockpile) -> Iterator[Renewal]:
    """Yield the tests that give metal more life.

    A lot that is out for a test passes one more than before, whatever the outlet now takes.
    """
    for each in in_test(stockpile):
        yield Renewal(each.lot.material, each.lot.requalified + 1, each.outlet.yield_)
    out = {row.tested_by for row in stockpile.rows(OpeningLot)}
    for view in stockpile.variants:
        for row in view.rows(Outlet):
            if requalifies(view, row) or (row.form == REQUALIFY and row.outlet in out):
                yield Renewal(row.material, row.times, row.yield_)
