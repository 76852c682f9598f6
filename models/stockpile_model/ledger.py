"""Where a block posts quantity in, quantity out, money out and money in, and its limits.

Blocks post; `stock` balances quantity, `budget` pays money, `objective` sums it up, `policy` reads
arrivals. So a new source of metal or cost touches one block and no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from stockpile_model.leads import Lead
from stockpile_model.schema import Row


@dataclass(frozen=True)
class Heading:
    """Describe what money is for.

    `cash`: whether money moves; a price on what is missing, and the value of what is left, move
    none. `receiver`: the table under whose rows it is received; blank: it is no receipt of one.
    """

    name: str
    meaning: str
    cash: bool = True
    receiver: str = ""


FREIGHT = Heading("freight", "freight")
DUTY = Heading("duty", "customs duty")
DISPOSAL = Heading("disposal", "waste and disposal")
"""The headings under which several blocks post."""


class Arrival(NamedTuple):
    """Metal that comes in at a node: an expression of what reaches one site at one age [quantity].

    `table` and `name` say what brings it: an offer, a contract, or an outlet that gives back what
    went in. Policy counts what suppliers bring; what comes back has none. `price` is that of a unit
    with its adder [money/quantity], or the money and the quantity of which it is the ratio. `most`
    is the most that can arrive at all sites; None where that is not known. `lot` names the lot of
    what was ordered before the start. `origin` is what left stock, where that comes back or
    arrives elsewhere lot by lot.
    """

    node: int
    material: str
    site: str
    age: int
    amount: Any
    table: str
    name: str
    supplier: str | None
    price: Any = 0.0
    most: float | None = None
    lot: str = ""
    origin: Departure | None = None

    @property
    def moved(self) -> bool:
        """Return whether it only comes from another site: neither more nor less is in stock."""
        return self.origin is not None and bool(self.origin.exit.inside)


@dataclass(frozen=True)
class Exit:
    """A way in which metal leaves stock, by its kind on the sheet `movements`.

    `free`: as much may leave as pays, so it may be the end of a gain without limit. `table`: that
    of the rows through which it leaves; blank: there is none. `inside`: the kind of movement by
    which it comes in at another site; blank: it goes to no other. `lead`:
    where a click on the name of such a movement leads; None: nowhere.
    """

    name: str
    free: bool = False
    table: str = ""
    inside: str = ""
    lead: Lead | None = None


class Departure(NamedTuple):
    """Metal that leaves stock at a node [quantity].

    Its age is one age, or the first of a class of ages. `name`: where it goes, such as a buyer.
    `most`: the most that can go there, from all sites and ages; None where that is not known.
    """

    node: int
    material: str
    site: str
    age: int
    amount: Any
    exit: Exit
    name: str
    most: float | None = None


@dataclass(frozen=True)
class Kept:
    """Describe what a node must still have of one age at its period's end [quantity].

    Ages are kept in classes there: it expires, passes on to the next class, or is known by its age.
    """

    node: int
    material: str
    site: str
    age: int
    amount: Any


class TestedBefore(NamedTuple):
    """A lot that went into a test before the start: through which outlet, and as what."""

    table: str
    outlet: str
    lot: str
    made: dt.date
    times: int | None


@dataclass(frozen=True)
class Opening:
    """A lot on hand before the first period, or one that was out then and comes at its node.

    `age` is its age there [periods]. `times`: how often it was requalified; None: it has failed a
    test. `back`: the test from which it comes back.
    """

    node: int
    material: str
    site: str
    age: int
    lot: str
    made: dt.date
    quantity: float
    times: int | None = 0
    back: TestedBefore | None = None

    @property
    def amount(self) -> float:
        """Return its quantity, as that of an arrival."""
        return self.quantity


class Amount(NamedTuple):
    """A quantity at a node: an expression, or the column that holds it [quantity]."""

    node: int
    amount: Any


class Binding(NamedTuple):
    """Describe where on its path an outlay is obligated that is paid later.

    `nodes`: where it may be, the first of the path first; one node where that is known beforehand.
    `most`: the most that is obligated at each of them by `source`, all its outlays together
    [money]; nothing is asked where there is one node. Without nodes it was before the start, on
    `day` (None: not known when).
    """

    nodes: tuple[int, ...] = ()
    source: tuple[object, ...] = ()
    most: Mapping[int, Any] = MappingProxyType({})
    day: dt.date | None = None


class Money(NamedTuple):
    """An amount at a node [money of that node, undiscounted; receipts and credits below zero].

    `use` is what an appropriation must allow to pay it; None for what no fund pays: receipts,
    shortage prices, credits. `buyer` is for whom it is (None: for all, so any buyer's fund may
    pay); `payer` the only fund that may pay it. `fund` receives it. `delay` is 1 for what is
    discounted like a cash flow of the period after. `table`: of the row that `name` names;
    blank: it is a row that brings metal, of the table whose use is paid. `obligation`: where an
    outlay is obligated; None: where it is paid.
    """

    node: int
    heading: str
    amount: Any
    use: str | None = None
    material: str | None = None
    buyer: str | None = None
    name: str = ""
    fund: str | None = None  # that receives it
    delay: int = 0
    payer: str | None = None
    table: str = ""
    obligation: Binding | None = None


class Limit(NamedTuple):
    """A business limit, by the cell that sets it.

    An explanation may name it, and a marginal value is of it. `data` is a constraint, or a variable
    whose upper bound is the limit. `amount` is the limit as a number, `sense` says on which side it
    lies. `row` is None where no single cell sets it. `used` is what is compared with the limit
    (None: the body of the row or the variable); `factor` is by how much the row moves when the
    limit moves by one, evaluated at the solution.
    """

    data: Any
    sense: Literal["most", "least"]
    amount: float
    unit: str
    what: str
    row: Row | None
    column: str
    node: int
    used: Any = None
    factor: Any = 1.0


@dataclass
class Ledger:
    """Hold what the blocks post.

    `headings`: those under which money may stand. `failing`: what is obligated and released where
    what it is for does not arrive; it is no outlay. `balanced`: stock is balanced, so metal that is
    posted later would come from nowhere.
    """

    headings: Mapping[str, Heading] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)
    failing: list[Money] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    missing: list[Amount] = field(default_factory=list)
    wasted: list[Amount] = field(default_factory=list)
    balanced: bool = False

    def bring(self, arrival: Arrival) -> None:
        """Post metal that comes in."""
        self._move(arrival.table)
        self.arrivals.append(arrival)

    def open(self, opening: Opening) -> None:
        """Post a lot of the opening stock."""
        self._move(opening.lot)
        self.openings.append(opening)

    def take(
        self,
        node: int,
        material: str,
        site: str,
        age: int,
        amount: Any,
        exit: Exit,
        name: str,
        most: float | None = None,
    ) -> Departure:
        """Post metal that leaves stock."""
        self._move(exit.name)
        gone = Departure(node, material, site, age, amount, exit, name, most)
        self.departures.append(gone)
        return gone

    def _move(self, what: str) -> None:
        if self.balanced:
            raise AssertionError(f"the block of {what!r} moves metal: list it before `stock`")

    def miss(self, node: int, amount: Any) -> None:
        """Count what is asked for and not there: the shortfall."""
        self.missing.append(Amount(node, amount))

    def waste(self, node: int, amount: Any) -> None:
        """Count what reaches the end of its life unused."""
        self.wasted.append(Amount(node, amount))

    def pay(
        self,
        node: int,
        heading: str,
        amount: Any,
        use: str,
        material: str | None = None,
        buyer: str | None = None,
        name: str = "",
        payer: str | None = None,
        table: str = "",
        obligation: Binding | None = None,
    ) -> None:
        """Post an outlay, paid by an appropriation where there are funds."""
        self._post(
            Money(
                node,
                heading,
                amount,
                use,
                material,
                buyer,
                name,
                payer=payer,
                table=table,
                obligation=obligation,
            )
        )

    def release(
        self,
        node: int,
        amount: Any,
        use: str,
        material: str | None,
        buyer: str | None,
        name: str,
        obligation: Binding,
    ) -> None:
        """Post what was obligated and is not due, as what it is for does not arrive at a node."""
        found = Money(node, "", amount, use, material, buyer, name, obligation=obligation)
        self.failing.append(found)

    def receive(
        self,
        node: int,
        heading: str,
        amount: Any,
        material: str | None = None,
        name: str = "",
        fund: str | None = None,
        buyer: str | None = None,
    ) -> None:
        """Post a receipt: it reduces the objective; `fund` may keep it."""
        self._post(Money(node, heading, -amount, None, material, buyer, name, fund))

    def charge(
        self,
        node: int,
        heading: str,
        amount: Any,
        material: str | None = None,
        name: str = "",
        buyer: str | None = None,
        delay: int = 0,
    ) -> None:
        """Post a price that is no cash (shortage, shortfall) or, below zero, a credit."""
        self._post(Money(node, heading, amount, None, material, buyer, name, None, delay))

    def _post(self, money: Money) -> None:
        if money.heading not in self.headings:
            raise AssertionError(f"no block declares the heading {money.heading!r}")
        self.money.append(money)

    def limit(
        self,
        data: Any,
        sense: Literal["most", "least"],
        amount: float,
        unit: str,
        what: str,
        row: Row | None,
        column: str,
        node: int,
        used: Any = None,
        factor: Any = 1.0,
    ) -> None:
        """Post a limit; see `Limit`."""
        self.limits.append(Limit(data, sense, amount, unit, what, row, column, node, used, factor))

    def outlays(self) -> Iterator[Money]:
        """Return what an appropriation must pay."""
        return (each for each in self.money if each.use is not None)
