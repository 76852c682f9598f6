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
from dataclasses import dataclass
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
        yield from _check_offers(stockpile, rows[0])


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
    the money by which each unit costs more than one before [quantity, money/quantity].
    """

    name: str
    parts: Sequence[Bought]
    steps: Sequence[tuple[float, float]]


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
                if keys:
                    parts = [Bought(key[0], *payments[key]) for key in keys]
                    found[x, n] = CurveWindow(name, parts, self._steps(x, self._first(nodes)))
        return found

    def _first(self, nodes: set[int]) -> int:
        """Return the node at which a window begins."""
        return min(nodes, key=lambda n: self.stockpile.tree.period[n])

    def _steps(self, x: str, n: int) -> list[tuple[float, float]]:
        """Return the steps of a curve as its rows and its index stand at a node.

        Where its offers are in another currency than the book's, so is the index.
        """
        rows = curves(self.stockpile.at(n))[x]
        index, currency = self.stockpile.price(x, n), _priced(self.stockpile, x)[0].currency
        if currency is not None:
            index *= self.stockpile.price(currency, n)
        before = [0.0, *(row.rise for row in rows)]
        return [
            (row.from_quantity, (row.rise - rise) * index)
            for row, rise in zip(rows, before, strict=False)
        ]


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
    """Return what is bought (paid for) in a window [quantity]."""
    return summed(part.share * m.buy[part.offer, n] for part in window.parts for n in part.nodes)


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
    """Yield nothing; say which curves begin anew within a fiscal year."""
    year = passed.calendar.fiscal_year
    if year(passed.gone - 1) == year(passed.gone):
        for index in {row.index for row in passed.rows(SupplyCurve) if row.window != "period"}:
            passed.remarks.append(
                f"the supply curve of {index} counts from {passed.start} on: it does not know what "
                "was bought in the same fiscal year before"
            )
    curved = {row.index for row in passed.rows(SupplyCurve)}
    offers = {row.offer: row for row in passed.rows(Offer)}
    for row in passed.done("orders"):
        offer = offers[row["offer"]]
        later = offer.payment == "delivery" and not passed.over(row["arrives"])
        if later and offer.price_index in curved:
            passed.remarks.append(
                f"{offer.offer}: what is under way of the order of {row['date']} pays no rise of "
                f"the supply curve of {offer.price_index}, and does not count in what is bought"
            )
    yield from ()


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
