"""Supply curves: own buying moves the price.

What is bought in a window under offers that one index prices, all together, makes each unit beyond
a quantity cost more, by a share of the index. The rise is paid once for a window, where it ends: no
offer or supplier has a part of it that is its own, so rules on spend leave it out.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_terms import OrderTerms
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.giving import FACT, Give, Gives
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Dated, Problem, Row, column
from stockpile_model.solved_plan import SolvedPlan, averaged
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class SupplyCurve(Row):
    """A quantity beyond which each unit costs more."""

    TABLE = "supply_curves"
    PURPOSE = (
        "Own buying moves the price: by how much each unit costs more that is bought beyond a "
        "quantity, under all offers priced by an index together. Rules on spend leave it out."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "rise": Give("less", FACT),
    }
    index: str = column("index whose price moves", required=True, key=True, refers="prices")
    from_quantity: float = column(
        "quantity bought (paid for) in the window under all offers priced by the index, beyond "
        "which a unit costs more",
        "quantity",
        required=True,
        key=True,
        least=0,
    )
    rise: float = column(
        "share of the index that every unit beyond costs more, without duty; it grows with "
        "quantity",
        "1",
        required=True,
        least=0,
    )
    window: str = column(
        "over what the quantity is summed: the rise of a fiscal year is paid in its last period, "
        "at the index and the rows of its first; one window for an index",
        default="period",
        choices=("period", "fiscal_year"),
    )
    bought_before: float = column(
        "of a curve by fiscal year: what was bought under these offers before the start in the "
        "year of the start, or is under way and paid in it; in one row of the index",
        "quantity",
        default=0.0,
        least=0,
        certain=True,
    )
    index_before: float | None = column(
        "the index in the first period of that year, in the book's currency; blank = at the start",
        "money/quantity",
        least=0,
        certain=True,
    )


@dataclass(frozen=True, kw_only=True)
class PriceRise(Dated):
    """Describe what own buying adds to the price in a window."""

    SHEET = "price_rises"
    ABOUT = "what own buying adds to a price: quantity bought, and what is paid on top"
    PLACE = 12
    ALWAYS = False
    MEANS = ("date", "index")
    NAMED = ("index", "window")
    date: dt.date = column("first day of the period in which the rise is paid: the window's last")
    index: str = column("index whose price moves")
    material: str = column("material")
    window: str = column("fiscal year or period")
    bought: float = column("bought in the window under all offers priced by the index", "quantity")
    beyond: float = column("part of it that is beyond the curve's first quantity", "quantity")
    rise: float = column("paid on top of the price, undiscounted", "money")
    average_rise: float = column(
        "paid on top of the price for each unit bought", "money/quantity", per="bought"
    )

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield what own buying adds to prices."""
        rows = [each for each in plan.of(cls) if each.rise > plan.stockpile.scale.no_money]
        if rows:
            paid = amounts.rounded(sum(each.probability * each.rise for each in rows))
            indices = amounts.listed(sorted({each.index for each in rows}))
            more = f"{paid} {plan.currency} is paid on top of the price{averaged(plan)}"
            yield f"Own buying moves {indices}: {more}."


@functools.lru_cache(maxsize=64)
def curves(stockpile: Stockpile) -> Mapping[str, tuple[SupplyCurve, ...]]:
    """Return the rows of each index that has any, the smallest quantity first."""
    found: dict[str, list[SupplyCurve]] = {}
    for row in stockpile.rows(SupplyCurve):
        found.setdefault(row.index, []).append(row)
    return {
        index: tuple(sorted(rows, key=lambda row: row.from_quantity))
        for index, rows in found.items()
    }


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong between the rows of a curve, and with the offers that it prices."""
    for rows in curves(stockpile).values():
        for earlier, row in itertools.pairwise(rows):
            yield from _check_pair(rows[0], earlier, row)
        yield from _check_before(rows)
        yield from _check_offers(stockpile, rows[0])


def _check_before(rows: Sequence[SupplyCurve]) -> Iterator[Problem]:
    """Yield what is wrong with what was bought before the start."""
    stating = [row for row in rows if row.bought_before or row.index_before is not None]
    for row in stating:
        name = "bought_before" if row.bought_before else "index_before"
        if row.window == "period":
            message = "is for a curve by fiscal year: leave it blank here"
            yield Problem(row.TABLE, row.line, name, message)
        elif row is not stating[0]:
            message = (
                f"stands in row {stating[0].line} of this index already; remove one of the two"
            )
            yield Problem(row.TABLE, row.line, name, message)


def _check_pair(first: SupplyCurve, earlier: SupplyCurve, row: SupplyCurve) -> Iterator[Problem]:
    """Yield what is wrong between a row and the one at the next smaller quantity."""
    if row.window != first.window:
        message = f"must be the one window of its index, {first.window} as in row {first.line}"
        yield Problem(row.TABLE, row.line, "window", message)
    if row.from_quantity > earlier.from_quantity and row.rise < earlier.rise:
        message = (
            f"must be at least that of the smaller quantity in row {earlier.line}, "
            f"{amounts.quantity(earlier.rise)}: it grows with quantity, "
            f"found {amounts.quantity(row.rise)}"
        )
        yield Problem(row.TABLE, row.line, "rise", message)


def _check_offers(stockpile: Stockpile, row: SupplyCurve) -> Iterator[Problem]:
    """Yield that an index prices no offer, or offers of several materials or currencies."""
    offers = _priced(stockpile, row.index)
    materials = sorted({each.material for each in offers})
    if not materials:
        message = f"{row.index} prices no offer: its curve changes nothing"
        yield Problem(row.TABLE, row.line, "index", message, warning=True)
    elif len(materials) > 1:
        message = (
            f"{row.index} prices offers of {amounts.listed(materials)}: a curve is of one "
            "material; give each an index of its own in the sheet prices"
        )
        yield Problem(row.TABLE, row.line, "index", message)
    elif len({each.currency for each in offers}) > 1:
        book = stockpile.settings.currency
        money = amounts.listed(sorted({each.currency or book for each in offers}))
        message = (
            f"{row.index} prices offers in {money}: a curve is of one currency; give each an "
            "index of its own in the sheet prices"
        )
        yield Problem(row.TABLE, row.line, "index", message)


def _priced(stockpile: Stockpile, index: str) -> list[Offer]:
    """Return the offers that an index prices."""
    return [row for row in stockpile.rows(Offer) if row.price_index == index]


class Bought(NamedTuple):
    """Orders that are paid together at a node, and the share of them that is paid [1]."""

    offer: str
    nodes: Sequence[int]
    share: float


class CurveWindow(NamedTuple):
    """A window of an index, which ends at a node.

    `parts`: what is paid in it. `steps`: of each row of its curve the quantity beyond which, and
    the money by which each unit costs more than one before [quantity, money/quantity]. `before`:
    what was bought in it before the start [quantity].
    """

    name: str
    parts: Sequence[Bought]
    steps: Sequence[tuple[float, float]]
    before: float = 0.0


@dataclass(frozen=True, eq=False)
class CurveTerms:
    """All numbers of the supply curves of a stockpile. It holds no variable."""

    stockpile: Stockpile

    @functools.cached_property
    def windows(self) -> Mapping[tuple[str, int], CurveWindow]:
        """Return the windows in which anything can be bought, by index and the node at which they
        end."""
        payments, found = OrderTerms(self.stockpile).payments, {}
        for x, rows in curves(self.stockpile).items():
            offers = [row.offer for row in _priced(self.stockpile, x)]
            for n, (name, nodes) in self.stockpile.windows(rows[0].window).items():
                keys = [(o, s) for o in offers for s in sorted(nodes) if (o, s) in payments]
                before, index = self._before(rows, nodes)
                if keys or before:
                    parts = [Bought(key[0], *payments[key]) for key in keys]
                    steps = self._steps(x, self._first(nodes), index)
                    found[x, n] = CurveWindow(name, parts, steps, before)
        return found

    def _before(self, rows: Sequence[SupplyCurve], nodes: set[int]) -> tuple[float, float | None]:
        """Return what was bought in a window before the start, and the index at which it began."""
        tree = self.stockpile.tree
        if rows[0].window == "period" or all(tree.parent[n] is not None for n in nodes):
            return 0.0, None
        index = next((row.index_before for row in rows if row.index_before is not None), None)
        return sum(row.bought_before for row in rows), index

    def _first(self, nodes: set[int]) -> int:
        """Return the node at which a window begins."""
        return min(nodes, key=lambda n: self.stockpile.tree.period[n])

    def _steps(self, x: str, n: int, index: float | None) -> list[tuple[float, float]]:
        """Return the steps of a curve as its rows stand at a node, and its index where it is None.

        Where its offers are in another currency than the book's, so is the index.
        """
        rows = curves(self.stockpile.at(n))[x]
        if index is None:
            index = index_at(self.stockpile, x, n)
        before = [0.0, *(row.rise for row in rows)]
        return [
            (row.from_quantity, (row.rise - rise) * index)
            for row, rise in zip(rows, before, strict=False)
        ]


def index_at(stockpile: Stockpile, x: str, n: int) -> float:
    """Return an index at a node in the book's currency [money/quantity]."""
    offers = _priced(stockpile, x)
    currency = offers[0].currency if offers else None
    rate = 1.0 if currency is None else stockpile.price(currency, n)
    return stockpile.price(x, n) * rate


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what is bought beyond each quantity of a curve, and its price."""
    if not stockpile.given(SupplyCurve):
        return
    terms = CurveTerms(stockpile)
    add_beyond(m, terms)
    hold_beyond(m, terms)
    post_rises(m, terms, ledger)


def add_beyond(m: pyo.ConcreteModel, terms: CurveTerms) -> None:
    """Add beyond[x,k,n]: what is bought beyond the quantity of step k in the window up to n."""
    m.CURVES = pyo.Set(
        dimen=3,
        initialize=[
            (x, k, n) for (x, n), each in terms.windows.items() for k in range(len(each.steps))
        ],
        doc="index, step of its supply curve, node at which a window of it ends",
    )
    m.beyond = pyo.Var(
        m.CURVES,
        domain=pyo.NonNegativeReals,
        doc="bought in a window beyond the quantity of a step [quantity]",
    )


def bought(m: pyo.ConcreteModel, window: CurveWindow) -> Any:
    """Return what is bought (paid for) in a window, also before the start [quantity]."""
    now = (part.share * m.buy[part.offer, n] for part in window.parts for n in part.nodes)
    return summed([*now, *([window.before] if window.before else ())])


def hold_beyond(m: pyo.ConcreteModel, terms: CurveTerms) -> None:
    """Require beyond[x,k,n] ≥ Σ_window share·buy - from_k."""

    def rule(m: pyo.ConcreteModel, x: str, k: int, n: int) -> Any:
        window = terms.windows[x, n]
        return m.beyond[x, k, n] >= bought(m, window) - window.steps[k][0]

    m.hold_beyond = pyo.Constraint(
        m.CURVES, rule=rule, doc="what is bought beyond a quantity costs more [quantity]"
    )


def post_rises(m: pyo.ConcreteModel, terms: CurveTerms, ledger: Ledger) -> None:
    """Post Σ_k (rise_k - rise_{k-1})·index·beyond[x,k,n] where the window ends."""
    for (x, n), window in terms.windows.items():
        material = _priced(terms.stockpile, x)[0].material
        paid = _rise(m, x, n, window)
        ledger.pay(n, "price_rise", paid, "purchase", material, name=x, table=SupplyCurve.TABLE)


def _rise(m: pyo.ConcreteModel, x: str, n: int, window: CurveWindow) -> Any:
    """Return what is paid on top of the price in a window [money]."""
    return summed(dearer * m.beyond[x, k, n] for k, (_, dearer) in enumerate(window.steps))


def report(formulation: Formulation) -> Iterator[PriceRise]:
    """Yield the windows in which anything is bought."""
    stockpile, m = formulation.stockpile, formulation.m
    if not stockpile.given(SupplyCurve):
        return
    for (x, n), window in CurveTerms(stockpile).windows.items():
        quantity = evaluate(bought(m, window))
        if quantity > stockpile.scale.nothing:
            rise = evaluate(_rise(m, x, n, window))
            yield PriceRise(
                **stockpile.where(n),
                date=stockpile.date(n),
                index=x,
                material=_priced(stockpile, x)[0].material,
                window=window.name,
                bought=quantity,
                beyond=max(0.0, quantity - window.steps[0][0]),
                rise=rise,
                average_rise=rise / quantity,
            )


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the curves with what was bought in the fiscal year that goes on.

    Say which orders under way pay no rise: those that are paid in another window.
    """
    rows, offers = passed.rows(SupplyCurve), {row.offer: row for row in passed.rows(Offer)}
    calendar, curved = passed.calendar, {row.index: row.window for row in rows}
    this_year = calendar.fiscal_year(passed.gone)
    counted = dict.fromkeys(curved, 0.0)
    for row in passed.done("orders"):
        offer = offers[row["offer"]]
        index, on_order = str(offer.price_index), offer.payment == "order"
        paid = calendar.period(row["date" if on_order else "arrives"])
        if index not in curved:
            continue
        if curved[index] == "fiscal_year" and calendar.fiscal_year(paid) == this_year:
            counted[index] += row["ordered" if on_order else "arriving"]
        elif paid >= passed.gone:
            passed.remarks.append(
                f"{offer.offer}: what is under way of the order of {row['date']} pays no rise of "
                f"the supply curve of {index}, and does not count in what is bought"
            )
    if rows:
        yield SupplyCurve, [*_with_bought(passed, rows, counted)]


def _with_bought(
    passed: Passed, rows: Sequence[SupplyCurve], counted: Mapping[str, float]
) -> Iterator[SupplyCurve]:
    """Yield rows with what was bought in the fiscal year that goes on, in the first of an index."""
    calendar, seen = passed.calendar, set[str]()
    year = calendar.fiscal_year(passed.gone)
    began = next(t for t in range(passed.gone + 1) if calendar.fiscal_year(t) == year)
    for row in rows:
        own = [each for each in rows if each.index == row.index]
        bought, index = counted[row.index], None
        if began == 0:  # the year of the start of the plan
            bought += sum(each.bought_before for each in own)
            index = next((each.index_before for each in own if each.index_before is not None), None)
        if bought > 0 and index is None and began < passed.gone:
            index = index_at(passed.stockpile, row.index, passed.nodes[began])
        if row.index in seen or row.window == "period" or bought <= 0:
            bought, index = 0.0, None
        seen.add(row.index)
        yield replace(row, bought_before=bought, index_before=index)


BLOCK = Block(
    tables=(SupplyCurve,),
    results=(PriceRise,),
    headings=(Heading("price_rise", "what own buying adds to prices"),),
    follows=("beyond",),
    check=check,
    add=add,
    report=report,
    rolls=rolls,
)
