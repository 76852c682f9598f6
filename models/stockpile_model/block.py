"""What a block is: one concern of the plan, with all that other rooms need to know of it.

No room keeps a list of blocks, of their tables, variables or headings: it asks `blocks()`. So a new
concern is one module with a `Block`, and its line in `blocks/__init__.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pyomo.environ as pyo

from stockpile_model.choice import Bar, Missed, PlanChoice, Waiver, chosen
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Exit, Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import SIDES, Problem, Result, Row, SummedLine
from stockpile_model.solved_plan import SolvedPlan
from stockpile_model.stockpile import Stockpile


def _none(*_: Any) -> tuple[Any, ...]:
    return ()


def _zero(*_: Any) -> float:
    return 0.0


@dataclass(frozen=True)
class Turn:
    """Metal of one material that comes back as another's, in any quantity.

    `yield_`: units for each one that goes in [1]. `earns`: what a unit earns in each period in
    which it is away [money/quantity].
    """

    material: str
    back: str
    yield_: float
    earns: float = 0.0


@dataclass(frozen=True)
class Renewal:
    """A test that prolongs the life of metal, which it can pass so often.

    `yield_`: share that passes [1].
    """

    material: str
    times: int
    yield_: float


@dataclass(frozen=True)
class Stretch:
    """Describe by how much rules may make the plan buy beyond any use.

    `shares`: what one supplier brings makes room for what others may; `over_time`: also in other
    periods. `times`: buying as many times of what is of use [1]. `tokens`: as this share of all
    that is bought is bought on top, so that a member counts [1].
    """

    shares: bool = False
    over_time: bool = False
    times: float = 1.0
    tokens: float = 0.0


@dataclass(frozen=True)
class Way:
    """A way by which a supplier's metal comes: a row of `table`, by its key.

    Where its availability is 0 nothing comes by it. `yearly`: the most that comes in a year
    [quantity]; None: nothing limits it.
    """

    table: str
    name: str
    yearly: float | None


@dataclass(frozen=True)
class Tally:
    """A figure that studies follow: of a variable, whose index ends with the node.

    `how`: for each first part of the index its expected `sum`, whether it is done `ever`, or the
    second parts that are `chosen`; or of all together the expected `total`, or what is `held` at
    the end of each period. `alike`: plans that do the same of it are alike. `members`: the table
    whose rows all have a figure, chosen or not.
    """

    variable: str
    figure: str
    how: Literal["sum", "ever", "chosen", "total", "held"] = "sum"
    alike: bool = False
    members: str = ""


class Announcement(NamedTuple):
    """Say how much of a name a plan shows to be done on a date [quantity or times].

    `scenarios`: those for which it holds, as a row lists them.
    """

    name: str
    date: dt.date
    scenarios: str
    amount: float


@dataclass(frozen=True)
class Deed:
    """A decision of a member of `table`, done at a node; a commitment can name those of `deeds`.

    `possible(stockpile, name)`: the nodes at which it can be done. `done(m, stockpile, name, level,
    node)`: the variables or expressions of doing it there. `metal`: its quantity is metal, else how
    often it is done. `levels`: the levels of which a commitment may name one. `before`: whether it
    may have been done before the start, so that a plan goes on from it. `value(stockpile, name,
    level, node)`: what doing it once, or with one unit, moves there, undiscounted [money or
    money/quantity]; changes to a plan that was announced are weighed by it. `shown(plan)`: what a
    plan shows of it, where no result row has it as its `DEED`.
    """

    kind: str
    table: str
    metal: bool
    possible: Callable[[Stockpile, str], Iterable[int]]
    done: Callable[[pyo.ConcreteModel, Stockpile, str, str | None, int], Sequence[Any]]
    levels: Callable[[Stockpile, str], Iterable[str]] | None = None
    before: bool = False
    value: Callable[[Stockpile, str, str | None, int], float] = _zero
    shown: Callable[[SolvedPlan], Iterable[Announcement]] = _none


@dataclass(frozen=True, kw_only=True)
class Block:
    """One concern of the plan.

    `add` may read the components of the blocks that stand before it; all functions may read all
    rows.

    Tables and results: the row types it reads and reports. Headings: of the money that it posts.
    Pays: the uses of that money, each of which an appropriation may allow. Sources: its tables
    whose rows bring metal of a supplier, each with the use of what is paid for it. Exits: the ways
    in which its metal leaves stock. Decisions: its variables of what is done; the last part of an
    index is its node. Follows: its variables that only count what decisions bring and cost. Deeds:
    the decisions that a commitment can name. Sizes: those that none can, and that a plan near an
    announced one keeps to all the same.

    check(stockpile): what is wrong with its rows beyond a single cell. review(stockpile): the same,
    where every row is sound. add(m, stockpile, ledger): its sets, variables and constraints.
    report(formulation): its solved values. tells_apart(stockpile, material, age): a mark; ages with
    the same marks of all blocks may be one class.

    uses(stockpile, material, window, cheapest): the most that it could use or hold of metal that
    arrives in a window of periods where it costs no less than `cheapest` [quantity]; infinite where
    profit has no limit. turns(stockpile): metal that comes back without limit. renews(stockpile):
    tests that prolong a life. forces(stockpile, cheapest): the most that it may make the plan buy
    beyond any use [quantity]. brings(stockpile, periods): the most that arrives through it in so
    many periods without an order [quantity]. affords(stockpile, cheapest): the most that its money
    could buy [quantity]; infinite where it sets no limit. stretch(stockpile): see `Stretch`.
    bounds_orders(stockpile): why every order needs a bound; blank where it needs none.

    ways(stockpile, supplier): the ways by which a supplier's metal comes.

    ties(stockpile): the cells that hold across scenarios, so that these cannot be planned apart.

    asks_spending(stockpile): whether paying more than is due may be an aim. orphan(row, column):
    what becomes of one of its rows when what a column refers to is left out; None: it goes too.
    ease(row): one of its rows where what it asks for at least may be missed, as a plan with less
    supply needs it. rolls(passed): its tables, with the rows of each from which the next plan goes
    on. dated(passed, views): its tables whose dates can say what holds for a time, with the rows
    that say what `views` hold in each period. alone(stockpile, buyers): the stockpile with what a
    group of buyers has without the others, as far as the block says.

    Choices: what a plan gives reasons for; each deed without one is a choice too.
    waivers(stockpile): the rules that a plan could do without. bars(formulation, row): what
    allows nothing of what a row brings. misses(formulation): what is asked
    for and may be missing. lives(stockpile): durations of which one more month is worth something,
    as a row and a column. entries(formulation, material, node, age): the constraints to which
    metal of an age [periods] comes there, whose duals say what a unit of it is worth.
    """

    tables: tuple[type[Row], ...] = ()
    results: tuple[type[Result], ...] = ()
    headings: tuple[Heading, ...] = ()
    pays: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    exits: tuple[Exit, ...] = ()
    decisions: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    tallies: tuple[Tally, ...] = ()
    deeds: tuple[Deed, ...] = ()
    sizes: tuple[Deed, ...] = ()
    check: Callable[[Stockpile], Iterable[Problem]] = _none
    review: Callable[[Stockpile], Iterable[Problem]] = _none
    add: Callable[[pyo.ConcreteModel, Stockpile, Ledger], None] | None = None
    report: Callable[[Formulation], Iterable[Result]] = _none
    tells_apart: Callable[[Stockpile, str, int], object] | None = None
    uses: Callable[[Stockpile, str, range, float], float] = _zero
    turns: Callable[[Stockpile], Iterable[Turn]] = _none
    renews: Callable[[Stockpile], Iterable[Renewal]] = _none
    forces: Callable[[Stockpile, float], float] = _zero
    brings: Callable[[Stockpile, int], float] = _zero
    affords: Callable[[Stockpile, float], float] | None = None
    stretch: Callable[[Stockpile], Stretch] | None = None
    bounds_orders: Callable[[Stockpile], str] | None = None
    ways: Callable[[Stockpile, str], Iterable[Way]] = _none
    ties: Callable[[Stockpile], Iterable[tuple[Row, str]]] = _none
    asks_spending: Callable[[Stockpile], bool] | None = None
    orphan: Callable[[Row, str], Row | None] | None = None
    ease: Callable[[Any], Row] | None = None
    alone: Callable[[Stockpile, Collection[str]], Stockpile] | None = None
    rolls: Callable[[Passed], Iterable[tuple[type[Row], Sequence[Row]]]] = _none
    dated: Callable[[Passed, Sequence[Stockpile]], Iterable[tuple[type[Row], Sequence[Row]]]] = (
        _none
    )
    choices: tuple[PlanChoice, ...] = ()
    waivers: Callable[[Stockpile], Iterable[Waiver]] = _none
    bars: Callable[[Formulation, Row], Iterable[Bar]] = _none
    misses: Callable[[Formulation], Iterable[Missed]] = _none
    lives: Callable[[Stockpile], Iterable[tuple[Row, str]]] = _none
    entries: Callable[[Formulation, str, int, int], Iterable[Any]] = _none


BLOCKS: list[Block] = []
"""All blocks in the order in which they read each other; `stockpile_model.blocks` fills it."""


def blocks() -> list[Block]:
    """Return all blocks, in the order in which they read each other."""
    import stockpile_model.blocks  # noqa: F401  fills BLOCKS; each block imports this module

    return BLOCKS


def tables() -> tuple[type[Row], ...]:
    """Return the row types of all blocks."""
    return tuple(table for block in blocks() for table in block.tables)


def sources() -> Mapping[str, str]:
    """Return the tables whose rows bring metal of a supplier, each with the use of what is paid."""
    return {table: use for block in blocks() for table, use in block.sources.items()}


def results() -> tuple[type[Result], ...]:
    """Return the types of result row of all blocks."""
    return tuple(kind for block in blocks() for kind in block.results)


def summed() -> list[tuple[type[Result], SummedLine]]:
    """Return the lines of the summary in their order, each with the type of the rows it sums."""
    found = [(kind, line) for kind in results() for line in kind.SUMMED]
    return sorted(found, key=lambda each: (SIDES.index(each[1].side), each[1].place))


def headings() -> Mapping[str, Heading]:
    """Return all headings of money by name."""
    return {heading.name: heading for block in blocks() for heading in block.headings}


def uses_of_money() -> tuple[str, ...]:
    """Return what an appropriation may be spent on."""
    return tuple(dict.fromkeys(use for block in blocks() for use in block.pays))


def exits() -> tuple[Exit, ...]:
    """Return the ways in which metal leaves stock."""
    return tuple(each for block in blocks() for each in block.exits)


def decisions() -> frozenset[str]:
    """Return the names of the variables of what is done."""
    return frozenset(name for block in blocks() for name in block.decisions)


def follows() -> frozenset[str]:
    """Return the names of the variables that follow from decisions."""
    return frozenset(name for block in blocks() for name in block.follows)


def deeds() -> Mapping[str, Deed]:
    """Return the decisions that commitments speak of, by kind."""
    return {deed.kind: deed for block in blocks() for deed in block.deeds}


def announceable() -> Mapping[str, Deed]:
    """Return the decisions that a plan announces, by kind: deeds, and sizes."""
    return {each.kind: each for block in blocks() for each in (*block.deeds, *block.sizes)}


def tallies() -> tuple[Tally, ...]:
    """Return the figures that studies follow."""
    return tuple(tally for block in blocks() for tally in block.tallies)


def ways(stockpile: Stockpile, supplier: str) -> tuple[Way, ...]:
    """Return the ways by which a supplier's metal comes."""
    return tuple(way for block in blocks() for way in block.ways(stockpile, supplier))


def renewals(stockpile: Stockpile) -> tuple[Renewal, ...]:
    """Return the tests that prolong the life of metal."""
    return tuple(each for block in blocks() for each in block.renews(stockpile))


def asks_spending(stockpile: Stockpile) -> bool:
    """Return whether paying more than is due may be an aim.

    Then nothing may be paid that is not owed.
    """
    return any(
        block.asks_spending(stockpile) for block in blocks() if block.asks_spending is not None
    )


def ties(stockpile: Stockpile) -> Iterator[tuple[Row, str]]:
    """Yield the cells that hold across scenarios: a row and its column."""
    for block in blocks():
        yield from block.ties(stockpile)


def choices() -> tuple[PlanChoice, ...]:
    """Return what a plan may use or leave: the choices of all blocks, and deeds without one."""
    found: list[PlanChoice] = []
    for block in blocks():
        known = {each.deed for each in block.choices}
        found += block.choices
        found += [chosen(deed) for deed in block.deeds if deed.kind not in known]
    return tuple(found)


def waivers(stockpile: Stockpile) -> tuple[Waiver, ...]:
    """Return the rules that a plan could do without."""
    return tuple(each for block in blocks() for each in block.waivers(stockpile))


def bars(formulation: Formulation, row: Row) -> Iterator[Bar]:
    """Yield what allows nothing of what a row brings."""
    for block in blocks():
        yield from block.bars(formulation, row)


def misses(formulation: Formulation) -> Iterator[Missed]:
    """Yield what is asked for and may be missing."""
    for block in blocks():
        yield from block.misses(formulation)


def entries(formulation: Formulation, material: str, node: int, age: int = 0) -> Iterator[Any]:
    """Yield the constraints to which metal of an age comes at a node, one for each site.

    The age is in periods.
    """
    for block in blocks():
        yield from block.entries(formulation, material, node, age)


def lives(stockpile: Stockpile) -> Iterator[tuple[Row, str]]:
    """Yield the durations of which one more month is worth something: a row and its column."""
    for block in blocks():
        yield from block.lives(stockpile)


def owner(table: type[Row]) -> Block | None:
    """Return the block of a table; None where no block has it."""
    return next((block for block in blocks() if table in block.tables), None)


def eased(table: type[Row]) -> Callable[[Row], Row]:
    """Return what eases the rows of a table: what they ask for at least may be missed."""
    block = owner(table)
    return (lambda row: row) if block is None or block.ease is None else block.ease


def problems(question: Literal["check", "review"], stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong, block by block."""
    for block in blocks():
        yield from getattr(block, question)(stockpile)
