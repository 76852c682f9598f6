"""Demand: what must be handed out of stock, with how much life left, and what is left unmet."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import pyomo.environ as pyo

from stockpile_model import amounts, groups
from stockpile_model.block import Block
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered, served
from stockpile_model.choice import Missed
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.giving import NEED, Give, Gives
from stockpile_model.leads import Lead
from stockpile_model.ledger import Exit, Heading, Ledger
from stockpile_model.passed import Passed, clipped
from stockpile_model.schema import Dated, Problem, Result, Row, SummedLine, column
from stockpile_model.solved_plan import SolvedPlan, averaged, by_material
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class Demand(Row):
    """Describe what a buyer uses up of a material, in each period between two dates."""

    TABLE = "demand"
    PURPOSE = "What is handed out of stock in each period. It uses stock up."
    STEP = "need"
    GIVES: ClassVar[Gives] = {
        "quantity": Give("less", NEED),
        "minimum_life_months": Give("less", NEED),
        "from": Give("later", NEED),
        "to": Give("earlier", NEED),
    }
    material: str = column(
        "material that is used up, or group of materials, of which any is",
        required=True,
        refers="materials",
        grouped="group",
    )
    buyer: str | None = column("whose demand; blank = served from all sites", owner=True)
    from_: dt.date = column("first date of the demand", required=True)
    to: dt.date | None = column("last date; blank = the period of `from`")
    quantity: float = column(
        "demand in each period",
        "quantity/period",
        required=True,
        need=True,
        least=0,
        outlier="either",
    )
    minimum_life_months: float = column(
        "life a unit must still have when it is used; metal that leaves at age a has the shelf "
        "life less a left",
        "months",
        default=0.0,
        least=0,
        age="left",
    )

    @classmethod
    def beyond(cls, rows: Sequence[Demand], end: dt.date) -> Iterable[Demand]:
        """Return the demand that begins later."""
        return (row for row in rows if row.from_ > end)


@dataclass(frozen=True, kw_only=True)
class DemandMet(Dated):
    """Describe what is met of a demand in a period."""

    SHEET = "demand"
    ABOUT = "demand met and unmet"
    PLACE = 51
    SUMMED = (
        SummedLine("Used by demand", "met", "out"),
        SummedLine("Unmet demand", "unmet", "missing"),
    )
    NAMED = ("material", "date")
    date: dt.date = column("first day of the period")
    material: str = column("material, or group of materials")
    buyer: str | None = column("whose demand")
    minimum_life: float | None = column(
        "life a unit must still have when it is used; blank = any", "months"
    )
    required: float = column("demand of the period", "quantity")
    met: float = column("handed out of stock", "quantity")
    unmet: float = column("not met", "quantity", alarm=True)
    cost: float = column("price of what is not met, discounted, expected", "money", over="node")

    @classmethod
    def missed(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how much demand for each material or group is not met."""
        rows, short = plan.of(cls), False
        for of, own in by_material(plan, rows):
            unmet = sum(each.probability * each.unmet for each in own)
            if unmet > plan.stockpile.scale.nothing:
                short, amount = True, f"{amounts.summed(unmet)} {plan.unit}"
                asked = of.replace(" of ", " for ", 1)
                yield f"{amount} of demand{asked} stay unmet{averaged(plan)}."
        if rows and not short:
            yield "All demand is met."


DEMAND = Exit("demand", lead=Lead("demand", (("buyer", ""), ("date", "date"))))
Key = tuple[str, str, int]
"""A material or group, a buyer and a node."""


class Need(NamedTuple):
    """Describe what rows ask for together [quantity], with the first of them."""

    quantity: float
    row: Demand


Asks = Mapping[Key, Need]
"""Demand at each node, of whatever life."""


def covers(stockpile: Stockpile, row: Demand) -> range:
    """Return the periods of the horizon in which a row asks."""
    return overlap(stockpile.calendar, row.from_, row.to or row.from_)


@functools.lru_cache(maxsize=4096)
def by_life(stockpile: Stockpile, node: int) -> dict[tuple[str, str], dict[int, Need]]:
    """Return demand at a node by material or group and by buyer, and by the life that it asks for.

    Lives are in whole periods; rows that ask for the same add up.
    """
    found: dict[tuple[str, str], dict[int, Need]] = {}
    period, now = stockpile.tree.period[node], stockpile.at(node)
    for row in now.rows(Demand):
        if row.quantity > 0 and period in covers(stockpile, row):
            needs = found.setdefault((row.material, row.buyer or ""), {})
            before, first = needs.get(life := life_asked(now, row), (0.0, row))
            needs[life] = Need(before + row.quantity, first)
    return found


def cover(stockpile: Stockpile, node: int, material: str, buyer: str, days: float) -> float:
    """Return the demand of the days that follow the end of a node's period [quantity].

    It is that of a buyer or (blank) of all, by the days of each period, expected by what is known
    at the node. Of a group it is that of the group and of each of its materials. After the horizon
    demand goes on as in its last period.
    """
    calendar, tree = stockpile.calendar, stockpile.tree
    nodes, period, needed = [node], tree.period[node], 0.0
    while days > 0:
        period += 1
        nodes = [child for n in nodes for child in tree.children[n] or (n,)]
        length = (calendar.begin(period + 1) - calendar.begin(period)).days
        expected = sum(tree.probability[n] * _due(stockpile, n, material, buyer) for n in nodes)
        needed += expected / tree.probability[node] * min(1.0, days / length)
        days -= length
    return needed


def _due(stockpile: Stockpile, node: int, material: str, buyer: str) -> float:
    """Return the demand at a node, of a buyer or (blank) of all [quantity]."""
    asked, names = required(stockpile, node).items(), {material, *stockpile.members(material)}
    return sum(amount for (i, b), (amount, _) in asked if i in names and buyer in ("", b))


def life_asked(stockpile: Stockpile, row: Demand) -> int:
    """Return the least life left to metal that a row takes, in whole periods.

    It is 0 where life is unlimited, and one beyond the shelf life where no metal has enough; of a
    group where no material of it has a limited life, and beyond the longest of these.
    """
    lives = [stockpile.life(each) for each in stockpile.members(row.material)]
    longest, months = max((each or 0 for each in lives), default=0), stockpile.calendar.months
    within = range(longest + 1)
    enough = (each for each in within if each * months >= row.minimum_life_months - 1e-9)
    return next(enough, longest + 1) if longest else 0


@functools.lru_cache(maxsize=4096)
def required(stockpile: Stockpile, node: int) -> dict[tuple[str, str], Need]:
    """Return demand at a node by material or group and by buyer, of whatever life."""
    return {
        key: Need(sum(each.quantity for each in needs.values()), next(iter(needs.values())).row)
        for key, needs in by_life(stockpile, node).items()
    }


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return what demand asks of a material in a window at most [quantity].

    Demand for its group may all be met of it.
    """
    at = stockpile.tree.at
    return sum(max(_total(stockpile, material, n) for n in at[period]) for period in window)


def _total(stockpile: Stockpile, material: str, node: int) -> float:
    asked, members = required(stockpile, node).items(), stockpile.members
    return sum(amount for (i, _), (amount, _) in asked if material in members(i))


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return how many rows that ask for some life an age has enough left for."""
    members = stockpile.members
    rows = (row for row in stockpile.rows(Demand) if material in members(row.material))
    lives = (life_asked(stockpile, row) for row in rows if row.minimum_life_months > 0)
    return sum(_has_left(stockpile, material, age, life) for life in lives)


def _has_left(stockpile: Stockpile, material: str, age: int, least: int) -> bool:
    """Return whether metal that leaves at an age has so many periods of life left."""
    life = stockpile.life(material)
    return life is None or life - age >= least


def serving(stockpile: Stockpile, buyer: str) -> list[str]:
    """Return the sites that serve a buyer: its own and those of nobody; all for no buyer."""
    return [
        name for name, site in stockpile.sites.items() if not buyer or site.buyer in (None, buyer)
    ]


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the dates and the buyer of each row."""
    calendar = stockpile.calendar
    for row in stockpile.rows(Demand):
        yield from ordered(row, "from", "to")
        yield from served(stockpile, row)
        if not covers(stockpile, row) and not (row.to and row.to < row.from_):
            horizon = f"the horizon, {calendar.start} to {calendar.end(calendar.periods - 1)}"
            dates = f"{row.from_} to {row.to or row.from_}"
            message = f"no period of {horizon}, is covered by {dates}"
            remedy = "change the dates or remove the row"
            yield Problem(row.TABLE, row.line, "from", f"{message}; {remedy}")
        yield from _check_life(stockpile, row)
    for row in {each.material: each for each in stockpile.rows(Demand)}.values():
        yield from groups.priced(stockpile, row, "shortage_cost")


def _check_life(stockpile: Stockpile, row: Demand) -> Iterator[Problem]:
    """Yield a warning where no metal has the life that a row asks for."""
    materials = stockpile.keyed(Material)
    known = [materials[each] for each in stockpile.members(row.material) if each in materials]
    lives = [each.shelf_life_months or math.inf for each in known]
    if (life := max(lives, default=math.inf)) + 1e-9 < row.minimum_life_months:
        message = (
            f"is above the shelf life of {row.material}, {amounts.count(life, 'month')}: no metal "
            f"can meet the demand, found {amounts.quantity(row.minimum_life_months)}"
        )
        yield Problem(row.TABLE, row.line, "minimum_life_months", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what demand uses of stock, and what is not met."""
    tree = stockpile.tree
    asked = {(*key, n): each for n in tree.nodes for key, each in required(stockpile, n).items()}
    add_use(m, stockpile, list(asked))
    add_use_of_group(m, stockpile)
    add_unmet(m, stockpile)
    balance_demand(m, stockpile, asked)
    hold_life(m, stockpile)
    limit_demand(m, asked, ledger)
    limit_life(m, stockpile, ledger)
    take_use(m, ledger)
    charge_shortage(m, stockpile, ledger)


def add_use(m: pyo.ConcreteModel, stockpile: Stockpile, demands: Sequence[Key]) -> None:
    """Add use[i,b,w,a,n]: what buyer b uses of material i at site w and age a."""
    m.DEMANDS = pyo.Set(
        dimen=3,
        initialize=demands,
        doc="material, buyer, node with demand",
    )
    m.USES = pyo.Set(
        dimen=5,
        initialize=[
            (i, b, w, a, n)
            for i, b, n in demands
            if i not in stockpile.groups
            for _, w, a in _sources(stockpile, i, b, n)
        ],
        doc="material, buyer, site, age, node from which demand can be met",
    )
    m.use = pyo.Var(m.USES, domain=pyo.NonNegativeReals, doc="stock used up by demand [quantity]")


def add_use_of_group(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Add use_of_group[j,i,b,w,a,n]: what buyer b uses of material i for its demand of group j."""
    uses = [
        (g, i, b, w, a, n)
        for g, b, n in m.DEMANDS
        if g in stockpile.groups
        for i, w, a in _sources(stockpile, g, b, n)
    ]
    if uses:
        m.GROUP_USES = pyo.Set(
            dimen=6,
            initialize=uses,
            doc="group, material, buyer, site, age, node from which demand of a group can be met",
        )
        m.use_of_group = pyo.Var(
            m.GROUP_USES,
            domain=pyo.NonNegativeReals,
            doc="stock used up by demand of a group [quantity]",
        )


def _sources(stockpile: Stockpile, i: str, b: str, n: int) -> list[tuple[str, str, int]]:
    """Return the materials, sites and ages that can meet a demand.

    They are those with the least life that it asks for.
    """
    return _with_life(stockpile, i, b, min(by_life(stockpile, n)[i, b]), n)


def _with_life(
    stockpile: Stockpile, name: str, b: str, life: int, n: int
) -> list[tuple[str, str, int]]:
    """Return the materials of a name, the sites that serve a buyer, and the ages with a life left.

    The life is in whole periods.
    """
    now, standing = stockpile.at(n), stockpile.standing
    return [
        (i, w, a)
        for i in stockpile.members(name)
        for young in [
            [a for a in stockpile.in_spec(i, n) if _has_left(now, i, standing(i, a).age, life)]
        ]
        for w in serving(stockpile, b)
        for a in young
    ]


def _used(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, b: str, life: int, n: int
) -> list[Any]:
    """Return what is used for a demand of metal with a life left; for a group of any material."""
    sources = _with_life(stockpile, name, b, life, n)
    if name in stockpile.groups:
        return [m.use_of_group[name, i, b, w, a, n] for i, w, a in sources]
    return [m.use[i, b, w, a, n] for i, w, a in sources]


def add_unmet(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Add unmet[i,b,n], where what is not met has a price."""
    priced = [
        (i, b, n)
        for i, b, n in m.DEMANDS
        if groups.price(stockpile.at(n), i, "shortage_cost") is not None
    ]
    m.SHORTAGES = pyo.Set(
        dimen=3, initialize=priced, doc="material, buyer, node whose demand may stay unmet"
    )
    m.unmet = pyo.Var(
        m.SHORTAGES, domain=pyo.NonNegativeReals, doc="demand that is not met [quantity]"
    )


def balance_demand(m: pyo.ConcreteModel, stockpile: Stockpile, asked: Asks) -> None:
    """Require Σ_{w,a} use[i,b,w,a,n] + unmet[i,b,n] = demand[i,b,n].

    Of a group j: Σ_{i,w,a} use_of_group[j,i,b,w,a,n] + unmet[j,b,n] = demand[j,b,n].
    """

    def rule(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        used = summed(_used(m, stockpile, i, b, min(by_life(stockpile, n)[i, b]), n))
        met = used + m.unmet[i, b, n] if (i, b, n) in m.SHORTAGES else used
        return met == asked[i, b, n].quantity

    m.balance_demand = pyo.Constraint(
        m.DEMANDS, rule=rule, doc="demand is met or counted as unmet [quantity]"
    )


def hold_life(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Require Σ_{w, a that leave life k} use[i,b,w,a,n] + unmet[i,b,n] ≥ what asks for k or more.

    It is required of each life k above the least that a demand asks for. Metal that has k left
    serves all that asks for less, so where these hold, each row has a part of the use for itself.
    Of a group the use of all its materials counts.
    """
    m.DEMAND_LIVES = pyo.Set(
        dimen=4,
        initialize=[
            (i, b, k, n) for i, b, n in m.DEMANDS for k in sorted(by_life(stockpile, n)[i, b])[1:]
        ],
        doc="material, buyer, life left, node with demand for that life and for less",
    )

    def rule(m: pyo.ConcreteModel, i: str, b: str, k: int, n: int) -> object:
        used = _used(m, stockpile, i, b, k, n)
        unmet = [m.unmet[i, b, n]] if (i, b, n) in m.SHORTAGES else []
        return summed([*used, *unmet]) >= _asked(stockpile, i, b, k, n)

    m.hold_life = pyo.Constraint(
        m.DEMAND_LIVES, rule=rule, doc="demand is met by metal with the life it asks for [quantity]"
    )


def _asked(stockpile: Stockpile, i: str, b: str, life: int, n: int) -> float:
    """Return what a buyer asks for with a life or more [quantity]."""
    needs = by_life(stockpile, n)[i, b]
    return sum(each.quantity for k, each in needs.items() if k >= life)


def limit_demand(m: pyo.ConcreteModel, asked: Asks, ledger: Ledger) -> None:
    """Post each demand with its cell."""
    for (i, b, n), (amount, row) in asked.items():
        data, what = m.balance_demand[i, b, n], f"demand for {i}"
        ledger.limit(data, "least", amount, "quantity", what, row, "quantity", n)


def limit_life(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post each demand for more life than the rest, with its cell."""
    for i, b, k, n in m.DEMAND_LIVES:
        amount, row = _asked(stockpile, i, b, k, n), by_life(stockpile, n)[i, b][k].row
        life = amounts.count(k * stockpile.calendar.months, "month")
        what = f"demand for {i} with {life} of life left"
        ledger.limit(m.hold_life[i, b, k, n], "least", amount, "quantity", what, row, "quantity", n)


def take_use(m: pyo.ConcreteModel, ledger: Ledger) -> None:
    """Post what demand takes out of stock."""
    for i, b, w, a, n in m.USES:
        ledger.take(n, i, w, a, m.use[i, b, w, a, n], DEMAND, b)
    if hasattr(m, "use_of_group"):
        for (_, i, b, w, a, n), use in m.use_of_group.items():
            ledger.take(n, i, w, a, use, DEMAND, b)


def charge_shortage(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what is missing, and its price."""
    for i, b, n in m.SHORTAGES:
        unmet, price = m.unmet[i, b, n], groups.price(stockpile.at(n), i, "shortage_cost")
        ledger.miss(n, unmet)
        ledger.charge(n, "shortage", price * unmet, i, b, b or None)


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what is met of each demand, by the life that it asks for."""
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    for i, b, n in m.DEMANDS:
        missing = _missing(m, stockpile, i, b, n)
        price = groups.price(stockpile.at(n), i, "shortage_cost") or 0.0
        for life, (needed, row) in by_life(stockpile, n)[i, b].items():
            unmet = missing[life]
            yield DemandMet(
                **stockpile.where(n),
                date=stockpile.date(n),
                material=i,
                buyer=b or None,
                minimum_life=row.minimum_life_months or None,
                required=needed,
                met=needed - unmet,
                unmet=unmet,
                cost=tree.probability[n] * stockpile.discount(tree.period[n]) * price * unmet,
            )


def _missing(
    m: pyo.ConcreteModel, stockpile: Stockpile, i: str, b: str, n: int
) -> dict[int, float]:
    """Return what is not met of a demand, by the life that it asks for [quantity].

    Metal serves what asks for the most life that it has left, so nothing is missing of a row that
    any split of the metal among the rows could meet.
    """
    lives = sorted(by_life(stockpile, n)[i, b])
    left, found = (
        evaluate(m.unmet[i, b, n]) if (i, b, n) in m.SHORTAGES else 0.0,
        dict[int, float](),
    )
    for life in reversed(lives[1:]):
        used = sum(evaluate(each) for each in _used(m, stockpile, i, b, life, n))
        short = _asked(stockpile, i, b, life, n) - used - sum(found.values())
        found[life] = min(left, short) if short > stockpile.scale.nothing else 0.0
        left -= found[life]
    return {**found, lives[0]: left}


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the demand that is to come."""
    found = (clipped(passed, row, "from_", "to") for row in passed.rows(Demand))
    yield Demand, [row for row in found if row is not None]


def dated(passed: Passed, views: Sequence[Stockpile]) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the demand to come, with a row for each time in which a row asks for the same."""
    found = list[Demand]()
    for number in range(len(passed.stockpile.rows(Demand))):
        spells = [*_spells(passed, [view.rows(Demand)[number] for view in views])]
        found += spells if len(spells) == 1 else (replace(row, line=0) for row in spells)
    yield Demand, found


def _spells(passed: Passed, rows: Sequence[Demand]) -> Iterator[Demand]:
    """Yield a row for each time to come in which one asks for the same; `rows`: by period."""
    calendar, last = passed.calendar, passed.calendar.periods - 1
    asking = {t for t, row in enumerate(rows) if t in covers(passed.stockpile, row)}
    asked = [replace(row, from_=passed.start, to=None) for row in rows]
    begin = passed.gone
    for t in range(passed.gone, len(rows)):
        if t not in asking:
            begin = t + 1
        elif t == last or t + 1 not in asking or asked[t + 1] != asked[t]:
            end = calendar.end(t)
            if t == last and (until := rows[t].to) is not None:
                end = max(end, until)
            yield replace(asked[t], from_=calendar.begin(begin), to=end)
            begin = t + 1


def misses(formulation: Formulation) -> Iterator[Missed]:
    """Yield what is not met of each demand."""
    m, stockpile = formulation.m, formulation.stockpile
    for i, b, n in m.SHORTAGES:
        needs = by_life(stockpile, n)[i, b]
        what = f"demand for {i}" + (f" of {b}" if b else "")
        yield Missed(n, i, what, needs[min(needs)].row, "quantity", m.unmet[i, b, n])


BLOCK = Block(
    tables=(Demand,),
    results=(DemandMet,),
    headings=(Heading("shortage", "price of unmet demand (no cash)", cash=False),),
    exits=(DEMAND,),
    decisions=("use", "use_of_group"),
    check=check,
    add=add,
    report=report,
    tells_apart=tells_apart,
    uses=uses,
    rolls=rolls,
    dated=dated,
    misses=misses,
)
