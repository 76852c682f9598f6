"""The optimum of a small workbook by brute force: a second reading of the contract that shares no
code with the planner.

`optimum(tables)` takes a workbook as plain tables, `{"settings": {name: value}, "offers": [{column:
value}, ...], ...}`, tries every way to sign the contracts and to let the projects go ahead,
branches on the orders that have a minimum, a cost, price breaks or a lot and on what a rule counts,
and solves what remains as a linear program in fractions (`exact_lp`). It knows no Pyomo, no HiGHS
and no floating point; only discount factors are rounded, to 12 decimals. Stock is followed by lot,
not by age. Prices are per unit, money in the workbook's currency, time in periods.

Decisions are taken at the nodes of a tree: a node is a period and what is known in it, `Book.at`
the tables as they are there. Without scenarios the tree is a chain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, islice, product
from math import ceil, floor
from typing import Any, Literal

from tests.support.exact_lp import (
    Answer,
    Linear,
    Name,
    Row,
    at_least,
    at_most,
    equal,
    minimise,
    total,
    variable,
)

Tables = Mapping[str, Any]
Cells = Mapping[str, Any]
ZERO, ONE = Fraction(0), Fraction(1)
TOKEN = Fraction(
    1, 100_000
)  # of the largest need, what a member that counts brings where nothing else arrives
COUNTS = Fraction(
    1, 100
)  # of all that arrives in a window, what a member must bring for a rule to count it


@dataclass(frozen=True)
class Optimum:
    """`objective` is the discounted cost, expected and weighed with its tail; `shortfall` unmet
    demand plus soft target missed, over all periods, expected.
    """

    status: Literal["optimal", "infeasible", "unbounded"]
    objective: Fraction = ZERO
    shortfall: Fraction = ZERO
    point: Mapping[Name, Fraction] = field(default_factory=dict)


class TooManyPrograms(Exception):
    """More linear programs than may be solved."""


def optimum(tables: Tables, most: int = 1_000_000) -> Optimum:
    """The least cost of the workbook, or the least shortfall and then the least cost at it, as
    `settings.objective` says. Raises TooManyPrograms where that takes more than `most` linear
    programs.
    """
    book = Book(tables)
    ways = list(islice(settlements(book), most + 1))
    if len(ways) > most:
        raise TooManyPrograms
    programs: Iterable[Program] = (Program(book, settled) for settled in ways)
    if book.settings.get("objective", "cost") == "shortfall_first":
        programs = list(programs)
        least = search(programs, lambda program: program.shortfall, most)
        if least.status != "optimal":
            return least
        for program in programs:
            program.rows.append(at_most(program.shortfall, least.objective))
    return search(programs, lambda program: program.aim, most)


# Reading
# --------------------------------------------------------------------------------------------------


def number(row: Cells, column: str, default: Any = 0) -> Fraction:
    value = row.get(column)
    return _fraction(str(default if value is None else value))


_fraction = cache(Fraction)  # the same few cells are read over and over


def day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def listed(value: str | None) -> list[str]:
    return [part.strip() for part in value.replace(";", ",").split(",")] if value else []


@dataclass(frozen=True, eq=False)
class Node:
    """A period and the scenarios known in it, the last first; the base is known to all and not
    named.
    """

    t: int
    known: tuple[str, ...]
    chance: Fraction
    parent: Node | None
    children: list[Node] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"{self.t} {'/'.join(self.known)}"

    @cached_property
    def path(self) -> tuple[Node, ...]:
        """From the root to the node."""
        return (*(self.parent.path if self.parent else ()), self)

    @cached_property
    def below(self) -> tuple[Node, ...]:
        """The node and all that come after it."""
        return (self, *(each for child in self.children for each in child.below))


def forest(book: Book) -> list[Node]:
    """The nodes of a workbook, parents first.

    Scenarios stand at one node as long as they know the same.
    """
    rows = {row["scenario"]: row for row in book.rows("scenarios")}

    def lineage(name: str) -> list[str]:
        """A scenario, what it follows, what that follows, without the base."""
        return [name, *lineage(rows[name].get("follows") or "base")] if name != "base" else []

    def since(name: str) -> int:
        """The period in which a scenario becomes known."""
        dates = [row.get("from") for row in book.rows("events") if row["scenario"] == name]
        at = rows[name].get("revealed") or (min(map(day, dates)) if dates and all(dates) else None)
        return max(0, book.period(at)) if at else 0

    chances = {name: number(row, "probability") for name, row in rows.items()}
    chances["base"] = 1 - sum(chances.values(), ZERO)
    found: list[Node] = []
    before: dict[str, Node] = {}
    for t in book.periods:
        together: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, chance in chances.items():
            if chance:
                together[tuple(each for each in lineage(name) if since(each) <= t)].append(name)
        now = {}
        for known, names in together.items():
            parent = before.get(names[0])
            node = Node(t, known, sum((chances[name] for name in names), ZERO), parent)
            now |= dict.fromkeys(names, node)
            found.append(node)
            if parent:
                parent.children.append(node)
        before = now
    return found


# What a blank cell means to an event that scales it or adds to it: nothing where none of these.
BLANK_IS_ONE = ("availability", "take_or_pay", "flex", "yield", "match", "price_factor")
BLANK_IS_ZERO = (
    *(
        "premium",
        "adder",
        "duty",
        "freight",
        "minimum_order",
        "order_cost",
        "lead_time_months",
        "count_life_months",
        "closing_value",
    ),
    *(
        "holding_cost",
        "disposal_cost",
        "handling_in",
        "handling_out",
        "foreign_feedstock",
        "discount",
        "upside_share",
        "signing_cost",
        "least_per_period",
        "call_off_cost",
        "prepayment",
        "credit",
        "option_months",
        "option_price",
    ),
    *(
        "escalation",
        "age_discount",
        "minimum_life_months",
        "minimum_age_months",
        "ready_lag_months",
        "opex",
        "rate",
        "count_from",
    ),
)


def supplier_row(tables: Tables, row: Cells) -> Cells:
    """The supplier of an offer, contract, level or break, or the row itself where it is one."""
    by_key = {
        key: each
        for key in ("offer", "contract")
        for each in tables.get(f"{key}s", ())
        if row.get(key) == each[key]
    }
    name = row.get("supplier") or next(iter(by_key.values()), {}).get("supplier")
    return next((each for each in tables.get("suppliers", ()) if each["supplier"] == name), {})


def supplied_by(tables: Tables, event: Cells, row: Cells) -> bool:
    """Whether an event speaks of all rows of a country, bloc or supplier, and a row is of these."""
    trait, _, value = str(event.get("row")).partition(" = ")
    return bool(value) and supplier_row(tables, row).get(trait) == value


FOREIGN = {
    "offers": ("price", "adder", "freight", "order_cost"),
    "price_breaks": ("price",),
    "contracts": (
        "ceiling",
        "upside_trigger",
        "upside_cap",
        "signing_cost",
        "freight",
        "prepayment",
        "credit",
        "option_price",
        "call_off_cost",
    ),
    "floors": ("floor",),
    "outlets": ("price", "cost", "order_cost"),
}  # the money of rows that may state it in another currency


def in_book_money(book: Book, t: int) -> Tables:
    """The tables with all money in the book's, by the prices of a period: a price that follows an
    index does so by a share of it.
    """
    tables = dict(book.tables)
    for table, names in FOREIGN.items():
        rows = []
        for row in book.rows(table):
            whole = next(
                (
                    other
                    for key, others in (("offer", "offers"), ("contract", "contracts"))
                    if table in ("price_breaks", "floors") and key in row
                    for other in book.rows(others)
                    if other[key] == row[key]
                ),
                row,
            )
            if whole.get("currency") is None:
                rows.append(row)
                continue
            rate, new = book.index(whole["currency"], t), dict(row)
            new |= {name: number(row, name) * rate for name in names if row.get(name) is not None}
            if table == "offers" and row.get("price_index"):
                new["premium"] = (1 + number(row, "premium")) * rate - 1
            if table == "price_breaks" and row.get("price") is None:
                new["premium"] = (1 + number(row, "premium")) * rate - 1
            if table == "contracts" and row.get("price_index"):
                new["discount"] = 1 - (1 - number(row, "discount")) * rate
            if table == "floors" and row.get("floor_index"):
                new["floor_factor"] = number(row, "floor_factor", 1) * rate
            if table == "outlets" and row.get("price_index"):
                new["price_factor"] = number(row, "price_factor", 1) * rate
            rows.append(new)
        tables[table] = rows
    return tables


def happen(tables: Tables, event: Cells) -> Tables:
    """The tables with what an event changes."""
    table, column, how, by = event["table"], event["column"], event["how"], event.get("value")
    rows = []
    for row in tables.get(table, ()):
        names = (str(next(iter(row.values()))), f"{row.get('contract')}/{row.get('level')}")
        old = row.get(column)
        if old is None:
            own = table in ("sites", "outlets", "moves") and column == "cost"
            old = 1 if column in BLANK_IS_ONE else 0 if column in BLANK_IS_ZERO or own else None
        mine = event.get("row") in (None, "*", *names) or supplied_by(tables, event, row)
        if event.get("feedstock") == "yes" and mine:
            share = number(supplier_row(tables, row), "foreign_feedstock")
            by = 1 - share * (1 - Fraction(str(event["value"])))
        if mine and (how == "set" or old is not None):
            if how == "set":
                new: Any = by
            elif isinstance(old, date):
                year, month = divmod(old.year * 12 + old.month - 1 + int(str(by)), 12)
                new = date(year, month + 1, old.day)
            else:
                new = (
                    Fraction(str(old)) * Fraction(str(by))
                    if how == "scale"
                    else Fraction(str(old)) + Fraction(str(by))
                )
            row = {**row, column: new}  # noqa: PLW2901
        rows.append(row)
    return {**tables, table: rows}


def stepped(tables: Tables) -> Tables:
    """Return a workbook in which the order step is the lot of all that has none of its own."""
    step, result = tables["settings"].get("order_step"), dict(tables)
    if step is None:
        return tables

    def fill(table: str, column: str, free: Callable[[Cells], bool]) -> None:
        result[table] = [
            {**row, column: step} if row.get(column) is None and free(row) else row
            for row in tables.get(table, [])
        ]

    def loose(row: Cells) -> bool:
        due = row.get("take_or_pay") in (None, 1) or row.get("least_per_period") == 1
        even = due and row.get("flex") in (None, 1)
        return row.get("form") != "cfd" and (row.get("least_total") is not None or not even)

    fill("offers", "lot_size", lambda row: True)
    fill("contracts", "call_off_lot", loose)
    fill("outlets", "lot_size", lambda row: row["form"] == "sale")
    return result


class Book:
    """The tables, with the calendar and the price series read."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.stepped = stepped(tables)
        self.settings: Cells = tables["settings"]
        self.start = day(self.settings["start"])
        self.months = int(self.settings.get("period_months", 1))
        self.periods = range(int(self.settings["periods"]))
        self.last = len(self.periods) - 1
        self.materials = {row["material"]: row for row in self.rows("materials")}
        self.suppliers = {row["supplier"]: row for row in self.rows("suppliers")}
        self.sites: dict[str | None, Cells] = {row["site"]: row for row in self.rows("sites")} or {
            None: {}
        }
        self.projects = {row["project"]: row for row in self.rows("projects")}
        self.views: dict[tuple[int, ...], Book] = {}
        self.seen: dict[Node, Book] = {}

    @cached_property
    def nodes(self) -> list[Node]:
        return forest(self)

    @cached_property
    def leaves(self) -> list[Node]:
        return [node for node in self.nodes if node.t == self.last]

    @cached_property
    def roots(self) -> list[Node]:
        return [node for node in self.nodes if node.parent is None]

    def at(self, node: Node) -> Book:
        """The tables at a node: what has become known holds there, between its dates, a scenario's
        own on top of what it follows. Before the start they are those of the first period.
        """
        if node not in self.seen:
            self.seen[node] = self._at(node)
        return self.seen[node]

    def _at(self, node: Node) -> Book:
        if node.t < 0:
            return self.at(node.children[0])
        events = [
            event
            for name in reversed(node.known)
            for event in self.rows("events")
            if event["scenario"] == name and node.t in self.between(event)
        ]
        foreign = any(
            row.get("currency") for name in FOREIGN for row in self.rows(name)
        )  # then each period has prices of its own
        key = (*(id(event) for event in events), *([node.t] if foreign else []))
        if key not in self.views:
            tables = self.tables
            for event in events:
                tables = happen(tables, event)
            self.views[key] = Book(in_book_money(Book(tables), node.t) if foreign else tables)
        return self.views[key]

    def before(self, kind: str) -> dict[str, Cells]:
        """What was signed, or went ahead, before the start, by name."""
        return {
            row["name"]: row
            for row in self.rows("commitments")
            if row["kind"] == kind and row.get("date") and day(row["date"]) < self.start
        }

    def past(self, row: Cells, what: str) -> dict[Node, str]:
        """A decision before the start: a node of its own before each root."""
        t = self.period(row["date"])
        return {Node(t, root.known, root.chance, None, [root]): what for root in self.roots}

    def rows(self, table: str) -> list[Cells]:
        return self.stepped.get(table, [])

    def row(self, table: str, name: str) -> Cells:
        """The row of a table by its key."""
        return next(row for row in self.rows(table) if row[table.removesuffix("s")] == name)

    def order_terms(self, supplier: str) -> Cells:
        """What a supplier asks for its offers together; empty where it asks nothing."""
        rows = self.rows("order_terms")
        return next((row for row in rows if row["supplier"] == supplier), {})

    def level(self, contract: str, level: str) -> Cells:
        return next(
            row
            for row in self.rows("floors")
            if (row["contract"], row["level"]) == (contract, level)
        )

    def members(self, name: str) -> list[str]:
        """The materials that a name of demand, targets or rules means: one, or all of a group."""
        group = [each for each, row in self.materials.items() if row.get("group") == name]
        return group or [name]

    def price(self, name: str, column: str) -> Fraction | None:
        """What missing a unit of a material costs, of a group the least of what its materials do."""
        stated = [self.materials[each].get(column) for each in self.members(name)]
        return min((Fraction(str(each)) for each in stated if each is not None), default=None)

    def life(self, material: str) -> int:
        """The shelf life of a material that has one, beyond all horizons where a scenario has none."""
        row = self.materials[material]
        return self.whole(row, "shelf_life_months") if row.get("shelf_life_months") else 10**6

    def period(self, value: date | str) -> int:
        """The period that contains a date: negative before the start."""
        value = day(value)
        months = (
            12 * (value.year - self.start.year)
            + value.month
            - self.start.month
            - (value.day < self.start.day)
        )
        return months // self.months

    def whole(self, row: Cells, column: str) -> int:
        """Months as a number of periods."""
        periods, rest = divmod(int(number(row, column)), self.months)
        if rest:
            raise ValueError(f"{column} is no whole number of periods")
        return periods

    def between(self, row: Cells, first: str = "from", last: str = "to") -> range:
        """The periods from one date to another; a blank one is the end of the horizon on its side."""
        begin = max(0, self.period(row[first])) if row.get(first) else 0
        end = min(self.last, self.period(row[last])) if row.get(last) else self.last
        return range(begin, end + 1)

    def first_day(self, t: int) -> date:
        months = self.start.month - 1 + t * self.months
        return date(self.start.year + months // 12, months % 12 + 1, self.start.day)

    def fiscal_year(self, t: int) -> int:
        first = self.first_day(t)
        return first.year + (first.month >= int(self.settings.get("fiscal_year_start", 10)))

    def discount(self, t: int) -> Fraction:
        rate = number(self.settings, "discount_rate")
        return Fraction(round(float(1 + rate) ** (-t * self.months / 12) * 10**12), 10**12)

    def index(self, name: str, t: int) -> Fraction:
        """A price series on the first day of a period: linear between its dates, flat outside them."""
        known = sorted(
            (day(row["date"]), number(row, name))
            for row in self.rows("prices")
            if row.get(name) is not None
        )
        today = self.first_day(t)
        before = [point for point in known if point[0] <= today]
        after = [point for point in known if point[0] > today]
        if not before:
            return after[0][1]
        if not after:
            return before[-1][1]
        (d0, p0), (d1, p1) = before[-1], after[0]
        return p0 + (p1 - p0) * Fraction((today - d0).days, (d1 - d0).days)

    def counts(self, row: Cells) -> bool:
        """Whether the plan may use this offer, contract or project: its supplier is at one of the
        `supply_stages`.
        """
        stages = listed(self.settings.get("supply_stages"))
        return not stages or self.suppliers.get(row.get("supplier"), {}).get("stage") in stages

    def ships_from(self, row: Cells) -> int:
        begin = self.suppliers.get(row.get("supplier"), {}).get("start")
        return self.period(begin) if begin else 0

    def buyer(self, site: str | None) -> str | None:
        return self.sites[site].get("buyer")

    def floor(self, level: Cells, t: int) -> Fraction:
        """The floor of a level in a period, before escalation."""
        if level.get("floor_index"):
            return self.index(level["floor_index"], t) * number(level, "floor_factor", 1)
        return number(level, "floor")


# What is settled first
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settled:
    """At which nodes each contract is signed, at which level of its menu, at which each project
    goes ahead: `granted`, or carried by a contract, and at which a contract is `extended`.
    """

    signed: Mapping[str, Mapping[Node, str]]
    started: Mapping[str, Mapping[Node, str]]
    extended: frozenset[tuple[str, Node]] = frozenset()

    def ready(self, book: Book, row: Cells, node: Node) -> int:
        """The first period in which an offer can be ordered from, or a contract deliver, for what
        its project has to say, as its decisions up to a node are.
        """
        if not row.get("project"):
            return 0
        path = (*node.path, *node.children) if node.t < 0 else node.path
        starts = [
            at
            for at in self.started[row["project"]]
            if at in path or (at.t < 0 and at.children[0] in path)
        ]
        lags = [
            now.whole(now.projects[row["project"]], "ready_lag_months")
            for at in starts
            for now in [book if at.t < 0 else book.at(at)]
        ]
        return min(
            (at.t + lag for at, lag in zip(starts, lags, strict=True)), default=book.last + 1
        )

    def first(self, book: Book, name: str, signed: Node) -> dict[Node, int]:
        """The nodes at which a contract signed at a node delivers, in its term or as it is
        extended, with the period of its first delivery on their path.
        """
        now, found = book.at(signed), self.term(book, name, signed)
        contract = now.row("contracts", name)
        for node, first in self.deciding(book, name, signed):
            if (name, node) in self.extended:
                begin = first + now.whole(contract, "term_months")
                end = begin + now.whole(contract, "option_months")
                found |= {each: first for each in node.below if begin <= each.t < end}
        return found

    def deciding(self, book: Book, name: str, signed: Node) -> list[tuple[Node, int]]:
        """The nodes at which it is decided whether a contract goes on after its term, each with
        the period of its first delivery.
        """
        now, term = book.at(signed), self.term(book, name, signed)
        contract = now.row("contracts", name)
        if not contract.get("term_months") or not contract.get("option_months"):
            return []
        found = []
        for node, first in term.items():
            last = first + now.whole(contract, "term_months") - 1
            when = last
            if contract.get("option_from"):
                when = min(max(0, first, now.period(contract["option_from"])), last)
            if node.t == when and last < book.last:
                found.append((node, first))
        return found

    def years(self, book: Book, name: str, signed: Node) -> dict[Node, tuple[bool, int]]:
        """The contract year of each delivery: whether it is of an extension, and its number."""
        term, a_year = self.term(book, name, signed), 12 // book.months
        found = {}
        for node, first in self.first(book, name, signed).items():
            begin = first
            if node not in term:
                begin += book.at(signed).whole(
                    book.at(signed).row("contracts", name), "term_months"
                )
            found[node] = node not in term, (node.t - begin) // a_year
        return found

    def term(self, book: Book, name: str, signed: Node) -> dict[Node, int]:
        """The same of the term alone."""
        now = book.at(signed)
        contract = now.row("contracts", name)
        begin = signed.t + now.whole(contract, "lead_time_months")
        if contract.get("deliver_from"):
            begin = max(begin, now.period(contract["deliver_from"]))
        if contract.get("project"):
            begin = max(begin, self.ready(book, contract, signed))
        term = now.whole(contract, "term_months") if contract.get("term_months") else None
        found = {}
        for node in signed.below:
            since = [
                each.t
                for each in node.path
                if each.t >= max(begin, signed.t, book.at(each).ships_from(contract))
            ]
            first = since[0] if since else 0
            if since and since[0] == 0:  # it could have been before the start
                begun = now.suppliers.get(contract["supplier"], {}).get("start")
                first = max(begin, now.period(begun)) if begun else begin
            if since and node.t >= 0 and (term is None or node.t < first + term):
                found[node] = first
        return found


def settlements(book: Book) -> Iterator[Settled]:
    """Every way to sign and to start: for each contract nothing, or one level of its menu at one
    node of its window on a path; for each project nothing, a grant at one node of its window, or a
    contract that carries it.
    """
    contracts, projects = {}, {}
    for name in (row["contract"] for row in book.rows("contracts")):

        def levels(node: Node, name: str = name) -> list[str]:
            now = book.at(node)
            contract = now.row("contracts", name)
            open_ = now.counts(contract) and node.t in now.between(contract, "sign_from", "sign_to")
            return (
                [row["level"] for row in now.rows("floors") if row["contract"] == name]
                if open_
                else []
            )

        contracts[name] = once(book.roots, levels)
        if name in book.before("sign"):
            row = book.before("sign")[name]
            menu = [each["level"] for each in book.rows("floors") if each["contract"] == name]
            counts = book.counts(book.row("contracts", name))
            contracts[name] = [book.past(row, row.get("level") or menu[0]) if counts else {}]
    for name in book.projects:

        def starts(node: Node, name: str = name) -> list[str]:
            now = book.at(node)
            project = now.projects[name]
            if project.get("capex") is not None:
                return ["together"] if now.counts(project) else []
            granted = project.get("cost") is not None and node.t in now.between(
                project, "decide_from", "decide_to"
            )
            carried = any(row.get("project") == name for row in now.rows("contracts"))
            return [
                how
                for how, can in (("granted", granted), ("carried", carried))
                if can and now.counts(project)
            ]

        projects[name] = once(book.roots, starts)
        if name in book.before("project"):
            projects[name] = [book.past(book.before("project")[name], "before")]
    for signed in product(*contracts.values()):
        for started in product(*projects.values()):
            settled = Settled(
                dict(zip(contracts, signed, strict=True)), dict(zip(projects, started, strict=True))
            )
            if possible(book, settled) and committed(book, settled):
                yield from extensions(book, settled)


def extensions(book: Book, settled: Settled) -> Iterator[Settled]:
    """Every way to extend the contracts that are signed."""
    options = [
        (name, node)
        for name, signatures in settled.signed.items()
        for signed in signatures
        for node, _ in settled.deciding(book, name, signed)
    ]
    for size in range(len(options) + 1):
        for chosen in combinations(options, size):
            yield replace(settled, extended=frozenset(chosen))


def once(nodes: Sequence[Node], options: Callable[[Node], list[str]]) -> list[dict[Node, str]]:
    """Every way to take an option at most once on each path that begins at one of the nodes."""
    ways = [
        [*({node: option} for option in options(node)), *once(node.children, options)]
        for node in nodes
    ]
    return [
        {node: option for part in parts for node, option in part.items()}
        for parts in product(*ways)
    ]


def possible(book: Book, settled: Settled) -> bool:
    """Whether every project that goes ahead without a grant is carried, and every contract that is
    signed brings something within the horizon and, of a project, has one that goes ahead no later
    than it is signed.
    """
    for name, signatures in settled.signed.items():
        for node in signatures:
            if node.t < 0:
                continue
            project = book.row("contracts", name).get("project")
            starts = settled.started[project] if project else {}
            if project and not any(at in node.path or at.t < 0 for at in starts):
                return False
            if not settled.first(book, name, node):
                return False
    for name, starts in settled.started.items():
        own = [row["contract"] for row in book.rows("contracts") if row.get("project") == name]
        for node, how in starts.items():
            signed = [
                (contract, settled.signed[contract][node])
                for contract in own
                if node in settled.signed[contract]
            ]
            if how == "carried" and not any(
                carries(book.at(node), name, contract, level, node.t) for contract, level in signed
            ):
                return False
            if how == "together" and aid(book.at(node), name, signed, node.t) is None:
                return False
    return True


def aid(now: Book, name: str, signed: Sequence[tuple[str, str]], t: int) -> Fraction | None:
    """The grant that a plant lacks to its capital beside what the contracts bring that are signed
    with it; None where no grant may be so large, or any be given.
    """
    project = now.projects[name]
    lacking = number(project, "capex")
    rate, life = number(project, "rate"), int(number(project, "life_years"))
    for contract, named in signed:
        level = now.level(contract, named)
        at, enough = now.floor(level, t), project.get("breakeven_floor")
        if enough is not None and at >= number(project, "breakeven_floor"):
            lacking -= number(project, "capex")
        else:
            margin = number(level, "annual_quantity") * (at - number(project, "opex"))
            lacking -= sum((margin / (1 + rate) ** year for year in range(1, life + 1)), ZERO)
    if lacking <= 0:
        return ZERO
    able = project.get("cost") is not None and t in now.between(project, "decide_from", "decide_to")
    most = number(project, "cost") * number(project, "match", 1)
    return lacking if able and lacking <= most else None


def carries(now: Book, project: str, contract: str, named: str, t: int) -> bool:
    """Whether a contract signed at a level makes its project go ahead: its floor is at or above
    the break-even.
    """
    row, level = now.projects[project], now.level(contract, named)
    enough = row.get("breakeven_floor")
    return enough is not None and now.floor(level, t) >= number(row, "breakeven_floor")


def committed(book: Book, settled: Settled) -> bool:
    """Whether it keeps to the commitments to sign and to start, on every path."""
    for row, leaf in product(book.rows("commitments"), book.leaves):
        if row["kind"] not in ("sign", "project"):
            continue
        if row.get("date") and day(row["date"]) < book.start:
            continue
        decided = (
            settled.signed[row["name"]] if row["kind"] == "sign" else settled.started[row["name"]]
        )
        done = [
            node
            for node, what in decided.items()
            if node in leaf.path
            and (row["kind"] == "project" or row.get("level") in (None, what))
            and (not row.get("date") or book.period(row["date"]) == node.t)
        ]
        if not holds(agreed(row, Linear(constant=len(done)), 1), {}):
            return False
    return True


def agreed(commitment: Cells, amount: Linear, default: int = 0) -> Row:
    compare = {"exactly": equal, "at_least": at_least, "at_most": at_most}[
        commitment.get("how") or "exactly"
    ]
    return compare(amount, number(commitment, "quantity", default))


def holds(row: Row, point: Mapping[Name, Fraction]) -> bool:
    value = row.expression.at(point)
    return not value or (row.sense == "<=" and value < 0)


# The program that remains
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What arrives, or what is paid, at a node under an offer or a contract: what rules speak of."""

    material: str | None
    node: Node
    amount: Linear
    row: Cells


@dataclass(frozen=True)
class Outlay:
    """What money is paid for; who may pay depends on it.

    A material of None is several at once; an outlay without a buyer may be split among all, one
    without a fund be paid by any. It is obligated `since` a node or a day before the start ("" where
    that is not known); None: when it is paid.
    """

    node: Node
    use: str
    material: str | None
    buyer: str | None = None
    fund: str | None = None
    since: Node | date | str | None = None

    @property
    def bound(self) -> int:
        """The period in which it is obligated, below zero where that is before the start."""
        if self.since is None:
            return self.node.t
        return self.since.t if isinstance(self.since, Node) else -1


@dataclass(frozen=True)
class Segment:
    """An order of a quantity from `begin` to `end` costs `before` plus `price` for each unit."""

    begin: Fraction
    end: Fraction | None
    price: Fraction
    before: Fraction


@dataclass(frozen=True)
class Bill:
    """What is paid at a node of an order: a share of it, split among buyers, at the prices of its
    segments.
    """

    node: Node
    share: Fraction
    owned: Mapping[str | None, Linear]
    segments: Sequence[Segment]
    metal: Linear


@dataclass(frozen=True)
class Ordered:
    """An order from a supplier with terms of its own: its value as it is placed, and the freight
    due for its parts unless that is free.
    """

    buy: Linear
    value: Linear
    freight: list[tuple[Outlay, Linear, Cells | None]]  # None: what fails of it


@dataclass(frozen=True)
class Pool:
    """Stock whose units need not be told apart: one lot, or everything where life is unlimited.

    It can be used at the nodes `present` and is `held` at the end of some; at the end of those
    `gone` what is left has expired. `born` is the period it is aged from.
    """

    name: str
    material: str
    site: str | None
    inflow: Mapping[Node, Linear]
    born: int
    present: Sequence[Node]
    gone: Sequence[Node] | None
    times: int = 0  # how often its metal was requalified
    failed: bool = False  # it has failed a test
    still: Node | None = None  # where it came from another site, and moves no further
    at_once: dict[Node, Linear] = field(default_factory=lambda: defaultdict(Linear))  # so
    outflow: dict[Node, Linear] = field(default_factory=lambda: defaultdict(Linear))

    @property
    def held(self) -> list[Node]:
        return [node for node in self.present if node not in (self.gone or ())]

    def stock(self, node: Node) -> Linear:
        """What is there at the end of a node, what expires then included."""
        arrived = total([self.inflow[each] for each in node.path if each in self.inflow])
        return arrived - total([self.outflow[each] for each in node.path if each in self.outflow])


@dataclass(frozen=True)
class Choice:
    """One of several ways must hold, each a list of rows."""

    ways: Sequence[Sequence[Row]]

    def branches(self, point: Mapping[Name, Fraction]) -> Sequence[Sequence[Row]]:
        """The ways to decide it; none when the point already keeps to one."""
        return [] if any(all(holds(row, point) for row in way) for way in self.ways) else self.ways


@dataclass(frozen=True)
class WholeNumber:
    amount: Linear

    def branches(self, point: Mapping[Name, Fraction]) -> Sequence[Sequence[Row]]:
        value = self.amount.at(point)
        down = floor(value)
        return (
            []
            if value == down
            else [[at_most(self.amount, down)], [at_least(self.amount, down + 1)]]
        )


Decision = Choice | WholeNumber


class Program:
    """The linear program of a workbook once it is settled which contracts are signed and which
    projects go ahead.
    """

    def __init__(self, book: Book, settled: Settled) -> None:
        self.book = book
        self.settled = settled
        self.rows: list[Row] = []
        self.decisions: list[Decision] = []
        self.arrivals: list[Entry] = []
        self.payments: list[Entry] = []
        self.departures: list[Entry] = []
        self.sales: list[Entry] = []
        self.released: dict[tuple[str, Node], list[Linear]] = defaultdict(list)  # by pool, node
        self.bought: dict[tuple[str, Node], Linear] = defaultdict(Linear)  # paid for, by index
        self.entering: dict[tuple[str, str | None, Node, int], Linear] = defaultdict(
            Linear
        )  # by material, site, node, period in which it was made
        self.done: dict[tuple[str, str, Node], Linear] = defaultdict(
            Linear
        )  # ordered and rotated, by kind, name, node
        self.outlays: dict[Outlay, Linear] = defaultdict(Linear)
        self.failing: dict[Outlay, Linear] = defaultdict(
            Linear
        )  # obligated, and released where it does not arrive
        self.parts: dict[tuple[str, Node], Mapping[str | None, Linear]] = {}
        self.receipts: dict[tuple[Node, str | None], Linear] = defaultdict(Linear)  # by node, fund
        self.together: dict[tuple[str, Node], list[Ordered]] = defaultdict(
            list
        )  # by supplier, where it has order terms
        self.credit: dict[Node, Linear] = defaultdict(
            Linear
        )  # discounted: closing value less the prices of shortage and shortfall
        self.shortfall = Linear()
        self.landed: dict[Node, list[Cells]] = defaultdict(list)  # rows of in_transit
        for number_of_row in range(len(book.rows("in_transit"))):
            self.land(number_of_row)
        for row in book.rows("commitments"):
            if row["kind"] == "order" and row.get("date") and day(row["date"]) < book.start:
                self.arrive_later(row)
        for offer in book.rows("offers"):
            self.order(offer["offer"])
        for (supplier, n), orders in self.together.items():
            self.jointly(supplier, n, orders)
        for index in sorted({row["index"] for row in book.rows("supply_curves")}):
            self.rise(index)
        for name, signatures in settled.signed.items():
            for node, level in signatures.items():
                self.honour(name, level, node)
        for name, starts in settled.started.items():
            for node, how in starts.items():
                now = book.at(node)
                if how == "granted":
                    project = now.projects[name]
                    self.grant(name, node, number(project, "cost") * number(project, "match", 1))
                if how == "together":
                    own = [
                        each["contract"]
                        for each in now.rows("contracts")
                        if each.get("project") == name
                    ]
                    signed = [
                        (k, settled.signed[k][node]) for k in own if node in settled.signed[k]
                    ]
                    self.grant(name, node, aid(now, name, signed, node.t) or ZERO)
        self.shipped: dict[tuple[str, Node], Linear] = defaultdict(Linear)  # by move, node
        self.reached: dict[tuple[object, ...], Pool] = {}  # what came from other sites
        self.sent: dict[tuple[str, Node], Linear] = {}  # by pool of unlimited life
        self.pools = self.stock()
        self.test_and_move()
        for outlet in book.rows("outlets"):
            self.rotate(outlet["outlet"])
        for material, buyer in sorted(
            {(row["material"], row.get("buyer")) for row in book.rows("demand")}, key=repr
        ):
            self.demand(material, buyer)
        self.hold()
        for material, buyer in sorted(
            {(row["material"], row.get("buyer")) for row in book.rows("targets")}, key=repr
        ):
            self.target(material, buyer)
        self.likely()
        for rule in book.rows("rules"):
            self.rule(rule)
        for commitment in book.rows("commitments"):
            past = commitment.get("date") and day(commitment["date"]) < book.start
            if commitment["kind"] in ("order", "rotate") and not past:
                self.commit(commitment)
        self.pay()
        self.aim = self.weighed()

    def spend(
        self, outlay: Outlay, amount: Linear, price: Fraction = ONE, under: Cells | None = None
    ) -> None:
        """Pay; `under` is the offer or contract that asks for it."""
        self.outlays[outlay].add(amount, price)
        if under is not None and outlay.material is not None:
            self.payments.append(Entry(outlay.material, outlay.node, amount * price, under))

    def split(self, name: Name, amount: Linear, site: str | None) -> dict[str | None, Linear]:
        """An amount over the sites it may go to: one, or any."""
        sites = list(self.book.sites) if site is None else [site]
        if len(sites) == 1:
            return {sites[0]: amount}
        parts = {one: variable((name, one)) for one in sites}
        self.rows.append(equal(total(list(parts.values())), amount))
        return parts

    def by_buyer(self, parts: Mapping[str | None, Linear]) -> dict[str | None, Linear]:
        result: dict[str | None, Linear] = defaultdict(Linear)
        for site, part in parts.items():
            result[self.book.buyer(site)].add(part)
        return result

    def enter(
        self, material: str, site: str | None, node: Node, amount: Linear, left: Cells | None = None
    ) -> None:
        """Metal that comes new, or with the life left that an offer or contract states."""
        born, now = node.t, self.book.at(node)
        if left is not None and left.get("life_on_receipt_months"):
            born -= max(0, now.life(material) - now.whole(left, "life_on_receipt_months"))
        self.entering[material, site, node, born].add(amount)
        handling = number(self.book.at(node).sites[site], "handling_in")
        self.spend(Outlay(node, "storage", material, self.book.buyer(site)), amount, handling)

    # Buying

    def land(self, i: int) -> None:
        """What was ordered before arrives once its date has come, and what is due is paid."""
        book, over = self.book, set[Node]()
        for n in book.nodes:
            now = book.at(n)
            row = now.rows("in_transit")[i]
            if any(each in over for each in n.path) or now.period(row["arrives"]) > n.t:
                continue
            over.add(n)
            name, quantity = row["name"], number(row, "quantity")
            if not quantity:
                continue
            table = "offers" if any(o["offer"] == name for o in now.rows("offers")) else "contracts"
            source = now.row(table, name)
            material, amount = source["material"], Linear(constant=quantity)
            self.landed[n].append(row)
            self.arrivals.append(Entry(material, n, amount, source))
            parts = self.split(("land", i, n), amount, row.get("site") or source.get("site"))
            for site, part in parts.items():
                self.enter(material, site, n, part, source)
            for buyer, part in self.by_buyer(parts).items():
                when = book.rows("in_transit")[i].get("ordered")
                outlay = Outlay(
                    n,
                    table.removesuffix("s").replace("offer", "purchase"),
                    material,
                    buyer,
                    since=day(when) if when else "",
                )
                self.spend(outlay, part, number(row, "unpaid") / quantity, source)

    def arrive_later(self, row: Cells) -> None:
        """What was ordered before the start arrives a lead time later, and is paid then if ever."""
        book, name, ordered = self.book, row["name"], number(row, "quantity")
        base = book.row("offers", name)
        due = book.period(row["date"]) + book.whole(base, "lead_time_months")
        for n in (node for node in book.nodes if node.t == due):
            offer = book.at(n).row("offers", name)
            amount = Linear(constant=number(offer, "availability", 1) * ordered)
            if not amount.constant:
                continue
            material, rate = offer["material"], ZERO
            if base.get("payment") != "order":
                step = [each for each in self.segments(name, n, n) if each.begin <= ordered][-1]
                price = step.price + step.before / ordered
                rate = price * (1 + number(offer, "duty")) + sum(
                    number(offer, column) for column in ("adder", "freight")
                )
            self.landed[n].append({"name": name, "quantity": amount.constant})
            self.arrivals.append(Entry(material, n, amount, offer))
            parts = self.split(("late", name, row["date"], n), amount, offer.get("site"))
            for site, part in parts.items():
                self.enter(material, site, n, part, offer)
            for buyer, part in self.by_buyer(parts).items():
                outlay = Outlay(n, "purchase", material, buyer, since=day(row["date"]))
                self.spend(outlay, part, rate, offer)

    def order(self, name: str) -> None:
        book, ordered = self.book, {}
        for n in book.nodes:
            now = book.at(n)
            offer = now.row("offers", name)
            arrival = n.t + now.whole(offer, "lead_time_months")
            if not now.counts(offer) or n.t not in now.between(offer) or arrival > book.last:
                continue
            if n.t < max(now.ships_from(offer), self.settled.ready(book, offer, n)):
                continue
            buy = variable(("buy", name, n))
            if offer.get("lot_size"):
                lots = variable(("lots", name, n))
                buy = lots * number(offer, "lot_size")
                self.decisions.append(WholeNumber(lots))
            ordered[n] = buy
            self.done["order", name, n].add(buy)
            if offer.get("capacity") is not None:
                self.rows.append(at_most(buy, number(offer, "capacity")))
            self.settle(offer, n, buy, [d for d in n.below if d.t == arrival])
        for leaf in book.leaves:
            offer = book.at(leaf).row("offers", name)
            if offer.get("total") is not None:
                self.rows.append(
                    at_most(
                        total([buy for n, buy in ordered.items() if n in leaf.path]),
                        number(offer, "total")
                        - sum(
                            number(row, "quantity")
                            for n in leaf.path
                            for row in self.landed[n]
                            if row["name"] == name
                        ),
                    )
                )

    def settle(self, offer: Cells, n: Node, buy: Linear, arrivals: Sequence[Node]) -> None:
        """An order placed at n arrives and is paid, at each of the nodes of its arrival or all at
        once at its own.
        """
        book, name, material = self.book, offer["offer"], offer["material"]
        least, fee = number(offer, "minimum_order"), number(offer, "order_cost")
        if fee:  # no order is placed, and no cost of it paid, without a lot
            least = max(least, number(offer, "lot_size"))
        shares = {d: number(book.at(d).row("offers", name), "availability", 1) for d in arrivals}
        owned = {}
        for d, share in shares.items():
            self.arrivals.append(Entry(material, d, buy * share, offer))
            parts = self.split(("part", name, n, d), buy * share, offer.get("site"))
            for site, part in parts.items():
                self.enter(material, site, d, part, book.at(d).row("offers", name))
            owned[d] = self.by_buyer(parts)
        if offer.get("payment") == "order":
            owned = {n: self.portions(name, n, buy, owned, shares)}
            shares = {n: ONE}
        bills = [
            Bill(p, shares[p], owned[p], self.segments(name, n, p), variable(("metal", name, n, p)))
            for p in shares
        ]
        placed, broken = variable(("placed", name, n)), len(bills[0].segments) > 1
        ordered = None
        if book.at(n).order_terms(offer["supplier"]):
            metal = variable(("worth", name, n))
            worth = Bill(n, ONE, {}, self.segments(name, n, n), metal)
            if not broken:
                self.rows.append(equal(metal, buy * worth.segments[0].price))
            ordered = Ordered(buy, metal + buy * number(offer, "adder"), [])
            self.together[offer["supplier"], n].append(ordered)
        priced = bills if ordered is None else [*bills, worth]
        if fee:
            self.spend(Outlay(n, "purchase", material), placed, fee, offer)
        if fee or least or broken:
            ways = [
                [
                    equal(buy, 0),
                    *([equal(placed, 0)] if fee else []),
                    *(equal(bill.metal, 0) for bill in priced if broken),
                ]
            ]
            for i, segment in enumerate(bills[0].segments):
                begin, end = max(segment.begin, least), segment.end
                if end is not None and begin >= end:
                    # at its end the next one holds: an order may come as near as it likes, where
                    # there are no lots
                    continue
                way = [at_least(buy, begin), *([equal(placed, 1)] if fee else [])]
                if end is not None:
                    lot = number(offer, "lot_size")
                    way.append(at_most(buy, (ceil(end / lot) - 1) * lot if lot else end))
                for bill in priced if broken else ():
                    way.append(
                        equal(bill.metal, buy * bill.segments[i].price + bill.segments[i].before)
                    )
                ways.append(way)
            self.decisions.append(Choice(ways))
        for bill in bills:
            row = book.at(bill.node).row("offers", name)
            if offer.get("price_index"):
                self.bought[offer["price_index"], bill.node].add(buy, bill.share)
            paid = {buyer: part * bill.segments[0].price for buyer, part in bill.owned.items()}
            if broken:
                dearest = max(segment.price for segment in bill.segments)
                paid = {buyer: part * dearest for buyer, part in bill.owned.items()}
                self.rows.append(
                    at_least(bill.metal, buy * min(segment.price for segment in bill.segments))
                )
                paid = self.shared(("bill", name, n, bill.node), bill.metal * bill.share, paid)
            for buyer, part in bill.owned.items():
                outlay = Outlay(bill.node, "purchase", material, buyer, since=n)
                self.spend(outlay, paid[buyer], 1 + number(row, "duty"), offer)
                self.spend(outlay, part, number(row, "adder"), offer)
                if ordered is None:
                    self.spend(outlay, part, number(row, "freight"), offer)
                else:
                    ordered.freight.append((outlay, part * number(row, "freight"), offer))
            if bill.share < 1:
                self.lose(bill, row, n, buy, paid, ordered, broken)

    def lose(
        self,
        bill: Bill,
        row: Cells,
        n: Node,
        buy: Linear,
        paid: Mapping[str | None, Linear],
        ordered: Ordered | None,
        broken: bool,
    ) -> None:
        """What of an order does not arrive was obligated too: by each buyer in proportion to what it
        pays, where nothing arrives by any.
        """
        metal = bill.metal if broken else buy * bill.segments[0].price
        if bill.share:
            rest = (1 - bill.share) / bill.share
            lost = {b: (paid[b] * rest, part * rest) for b, part in bill.owned.items()}
        else:
            lost = {next(iter(bill.owned)) if len(bill.owned) == 1 else None: (metal, buy)}
        for buyer, (worth, part) in lost.items():
            outlay = Outlay(bill.node, "purchase", row["material"], buyer, since=n)
            self.failing[outlay].add(worth, 1 + number(row, "duty"))
            self.failing[outlay].add(part, number(row, "adder"))
            if ordered is None:
                self.failing[outlay].add(part, number(row, "freight"))
            else:
                ordered.freight.append((outlay, part * number(row, "freight"), None))

    def jointly(self, supplier: str, n: Node, orders: Sequence[Ordered]) -> None:
        """What is ordered from a supplier at a node: nothing, or at least its minimum value; then
        with its cost, and with freight below the value from which that is free.
        """
        terms = self.book.at(n).order_terms(supplier)
        least, free = number(terms, "minimum_value"), terms.get("free_freight_from")
        value = total([each.value for each in orders])
        placed = variable(("joint", supplier, n))
        due = [each for order in orders for each in order.freight]
        paid = [variable(("freight", supplier, n, i)) for i in range(len(due))]
        nothing = [equal(each, 0) for each in (placed, *(each.buy for each in orders), *paid)]
        charged = [equal(one, each) for one, (_, each, _) in zip(paid, due, strict=True)]
        some = [equal(placed, 1), at_least(value, least)]
        ways = [nothing, [*some, *charged]]
        if free is not None:
            begin = number(terms, "free_freight_from")
            ways[1].append(at_most(value, begin))
            ways.append([*some, at_least(value, begin), *(equal(one, 0) for one in paid)])
        self.decisions.append(Choice(ways))
        for one, (outlay, _, offer) in zip(paid, due, strict=True):
            if offer is None:
                self.failing[outlay].add(one)
            else:
                self.spend(outlay, one, ONE, offer)
        known = {row["material"] for row in self.book.rows("offers") if row["supplier"] == supplier}
        material = known.pop() if len(known) == 1 else None
        fee = placed * number(terms, "order_cost")
        self.spend(Outlay(n, "purchase", material), fee)
        self.payments.append(Entry(material, n, fee, {"supplier": supplier}))

    def rise(self, index: str) -> None:
        """Pay what own buying adds to an index, where each window of its curve ends."""
        book = self.book
        rows = [row for row in book.rows("supply_curves") if row["index"] == index]
        yearly = rows[0].get("window") == "fiscal_year"
        offer = next(row for row in book.rows("offers") if row.get("price_index") == index)
        for n in book.nodes:
            if yearly and n.t < book.last and book.fiscal_year(n.t) == book.fiscal_year(n.t + 1):
                continue
            window = [
                each
                for each in n.path
                if each is n or (yearly and book.fiscal_year(each.t) == book.fiscal_year(n.t))
            ]
            first, before = window[0], ZERO
            bought = total([self.bought[index, each] for each in window])
            steps = sorted(
                (number(row, "from_quantity"), number(row, "rise"))
                for row in book.at(first).rows("supply_curves")
                if row["index"] == index
            )
            for begin, share in steps:
                beyond = variable(("beyond", index, begin, n))
                self.rows.append(at_least(beyond, bought - begin))
                dearer = (share - before) * book.at(first).index(index, first.t)
                if offer.get("currency"):
                    dearer *= book.at(first).index(offer["currency"], first.t)
                self.spend(Outlay(n, "purchase", offer["material"]), beyond, dearer)
                before = share

    def portions(
        self,
        name: str,
        n: Node,
        buy: Linear,
        owned: Mapping[Node, Mapping[str | None, Linear]],
        shares: Mapping[Node, Fraction],
    ) -> dict[str | None, Linear]:
        """The parts of an order that its buyers pay when it is placed: each gets its share of what
        arrives.
        """
        buyers = list(next(iter(owned.values())))
        if len(buyers) == 1:
            return {buyers[0]: buy}
        parts = {buyer: variable(("portion", name, n, buyer)) for buyer in buyers}
        self.rows.append(equal(total(list(parts.values())), buy))
        self.rows += [
            equal(owned[d][buyer], parts[buyer] * shares[d]) for d, buyer in product(owned, buyers)
        ]
        return parts

    def segments(self, name: str, n: Node, paid: Node) -> list[Segment]:
        """What an order placed at n costs that is paid at another node, by its quantity."""
        now, offer = self.book.at(paid), self.book.at(paid).row("offers", name)

        def price(row: Cells) -> Fraction:
            if row.get("price") is None and offer.get("price_index"):
                return now.index(offer["price_index"], paid.t) * (1 + number(row, "premium"))
            return number(row, "price")

        pairs = zip(self.book.at(n).rows("price_breaks"), now.rows("price_breaks"), strict=True)
        breaks = sorted(
            (number(row, "from_quantity"), i, later)
            for i, (row, later) in enumerate(pairs)
            if row["offer"] == name
        )
        begins, prices = (
            [ZERO, *(begin for begin, _, _ in breaks)],
            [price(row) for row in [offer, *(row for _, _, row in breaks)]],
        )
        incremental = any(row.get("kind") == "incremental" for _, _, row in breaks)
        segments, before = [], ZERO
        for i, begin in enumerate(begins):
            if incremental and i:
                before += (prices[i - 1] - prices[i]) * begin
            segments.append(
                Segment(begin, begins[i + 1] if i + 1 < len(begins) else None, prices[i], before)
            )
        return segments

    def shared(
        self, name: Name, bill: Linear, most: Mapping[str | None, Linear]
    ) -> dict[str | None, Linear]:
        """A bill that several buyers split as they like, each up to its most."""
        if len(most) == 1:
            return dict.fromkeys(most, bill)
        parts = {buyer: variable((name, buyer)) for buyer in most}
        self.rows.append(equal(total(list(parts.values())), bill))
        self.rows += [at_most(parts[buyer], limit) for buyer, limit in most.items()]
        return parts

    def honour(self, name: str, level: str, signed: Node) -> None:
        """Sign a contract and keep to it: deliveries, deficits, top-ups and the upside."""
        book, contract = self.book, self.book.at(signed).row("contracts", name)
        fee = Linear(constant=number(contract, "signing_cost"))
        if signed.t >= 0:
            self.spend(Outlay(signed, "contract", contract["material"]), fee, under=contract)
        a_year = 12 // book.months
        first = self.settled.first(book, name, signed)
        delivered = {
            n: self.deliver(name, level, signed, n, (n.t - first[n]) // a_year) for n in first
        }
        upsides = {n: self.upside(name, n, delivered[n]) for n in first}
        if contract.get("form") != "cfd" and number(contract, "prepayment"):
            self.prepay(name, level, signed, delivered)
        elif number(contract, "prepayment") and signed.t >= 0:
            lost = Linear(constant=number(contract, "prepayment"))
            self.spend(Outlay(signed, "contract", contract["material"]), lost, under=contract)
        if contract.get("form") != "cfd" and contract.get("least_total") is not None:
            self.total(name, level, signed)
        for at, _ in self.settled.deciding(book, name, signed):
            if (name, at) in self.settled.extended:
                paid = number(book.at(at).row("contracts", name), "option_price")
                outlay = Outlay(at, "contract", contract["material"])
                self.spend(outlay, Linear(constant=paid), under=contract)
        years = self.settled.years(book, name, signed)
        for n in first:
            # A contract year ends here: where the next one begins or nothing more is delivered.
            if any(years.get(child) == years[n] for child in n.children):
                continue
            year = [each for each in n.path if years.get(each) == years[n]]
            row, gone = book.at(n).row("contracts", name), 0
            if year[0].t == 0 and not years[n][0]:  # it may have begun before the start
                gone = max(0, -first[n] - a_year * years[n][1])
            if row.get("form") != "cfd" and row.get("least_total") is None:
                count, so_far = self.counted(name, signed, len(year), gone, "called_off")
                due = self.even(name, level, n) * count * number(row, "take_or_pay", 1)
                due = max(ZERO, due - so_far)
                self.fall_short(name, level, signed, year, (n.t - first[n]) // a_year, due)
            if row.get("upside_cap") is not None:
                count, so_far = self.counted(name, signed, len(year), gone, "upside_received")
                cap = max(ZERO, number(row, "upside_cap") * count * book.months / 12 - so_far)
                self.rows.append(at_most(total([upsides[each] for each in year]), cap))
        if contract.get("term_months") and book.settings.get("after_horizon", "charge") == "charge":
            for leaf in (node for node in signed.below if node.t == book.last):
                self.outlive(name, level, signed, leaf)

    def counted(
        self, name: str, signed: Node, periods: int, gone: int, column: str
    ) -> tuple[int, Fraction]:
        """How many periods of a contract year or term count, and what is taken off: where what was
        done in those before the start is stated, they count.
        """
        row = self.book.before("sign").get(name, {}) if signed.t < 0 else {}
        if not gone or row.get(column) is None:
            return periods, ZERO
        return periods + gone, number(row, column)

    def bound(self, name: str, signed: Node, n: Node) -> Node | date:
        """Where what a contract asks for at a node is obligated: as its fiscal year begins, or where
        it is signed or extended if that is later.
        """
        book, agreed = self.book, signed
        inside = n in self.settled.term(book, name, signed)
        if inside and signed.t < 0:
            month = int(book.settings.get("fiscal_year_start", 10))
            begun = date(book.fiscal_year(n.t) - 1, month, 1)
            if begun < book.start:
                return max(begun, day(book.before("sign")[name]["date"]))
        if not inside:
            agreed = next(
                at
                for at, _ in self.settled.deciding(book, name, signed)
                if at in n.path and (name, at) in self.settled.extended
            )
        year = [each for each in n.path if book.fiscal_year(each.t) == book.fiscal_year(n.t)]
        return agreed if agreed in year else year[0]

    def outlive(self, name: str, level: str, signed: Node, leaf: Node) -> None:
        """Charge what a contract's take-or-pay costs above the reference once the horizon is over,
        as its terms and prices stand at the end of the path.
        """
        book, now = self.book, self.book.at(leaf)
        contract, row = now.row("contracts", name), now.level(name, level)
        agreed = book.at(signed).row("contracts", name)
        first = next(
            (t for node, t in self.settled.first(book, name, signed).items() if node in leaf.path),
            max(
                book.last + 1,
                book.period(agreed["deliver_from"]) if agreed.get("deliver_from") else 0,
                signed.t + book.whole(agreed, "lead_time_months"),
                self.settled.ready(book, agreed, signed),
                now.ships_from(contract),
            ),
        )
        if signed.t < 0 and not any(
            node in leaf.path for node in self.settled.first(book, name, signed)
        ):
            begin = signed.t + book.whole(agreed, "lead_time_months")
            if agreed.get("deliver_from"):
                begin = max(begin, book.period(agreed["deliver_from"]))
            if agreed.get("project"):
                begin = max(begin, self.settled.ready(book, agreed, signed))
            if max(begin, now.ships_from(contract)) <= book.last:
                return  # its term ended before the start
        index = contract.get("price_index") or now.materials[contract["material"]].get(
            "price_index"
        )
        if not index:
            return
        even = self.even(name, level, leaf)
        due, months = even, book.whole(agreed, "term_months")
        if contract.get("form") != "cfd":
            due = even * number(contract, "take_or_pay", 1)
            if contract.get("least_total") is not None:
                due = number(contract, "least_total") / months
            due = max(due, even * number(contract, "least_per_period"))
            due *= number(contract, "availability", 1)
        off = number(contract, "discount") if contract.get("price_index") else ZERO
        end = first + months
        if any((name, node) in self.settled.extended for node in leaf.path):
            end += book.whole(agreed, "option_months")
        for t in range(max(first, book.last + 1), end):
            years = (t - first) * book.months // 12
            grown = now.floor(row, t) * (1 + number(row, "escalation")) ** years
            market, dearer = now.index(index, t) * (1 - off), Fraction(1)
            if currency := contract.get("currency"):  # rows are at the rate of the last period
                dearer = now.index(currency, t) / now.index(currency, book.last)
            if contract.get("price_index"):
                market *= dearer
            over = max(ZERO, grown * dearer - market)
            charge = over * due * book.discount(t)
            self.credit[leaf].add(Linear(constant=-charge))

    def total(self, name: str, level: str, signed: Node) -> None:
        """What a whole term, or an extension, falls short of its least total, paid at its end."""
        book = self.book
        first = self.settled.first(book, name, signed)
        part = {n: more for n, (more, _) in self.settled.years(book, name, signed).items()}
        contract = book.at(signed).row("contracts", name)
        for n in first:
            if any(part.get(child) == part[n] for child in n.children):
                continue
            term = [each for each in n.path if part.get(each) == part[n]]
            gone = max(0, -first[n]) if term[0].t == 0 and not part[n] else 0
            whole = len(term) + gone
            if contract.get("term_months"):
                whole = book.whole(contract, "term_months")
            count, so_far = self.counted(name, signed, len(term), gone, "called_off")
            due = number(book.at(n).row("contracts", name), "least_total") * count / whole
            due = max(ZERO, due - so_far)
            years = (n.t - first[n]) // (12 // book.months)
            self.fall_short(name, level, signed, term, years, due)

    def prepay(self, name: str, level: str, signed: Node, delivered: Mapping[Node, Linear]) -> None:
        """Pay at signing, and take it off each unit that is delivered until it is used up."""
        book, contract = self.book, self.book.at(signed).row("contracts", name)
        first = self.settled.first(book, name, signed)
        prepayment, material = number(contract, "prepayment"), contract["material"]
        if signed.t >= 0:
            outlay = Outlay(signed, "contract", material)
            self.spend(outlay, Linear(constant=prepayment), under=contract)
        elif (left := book.before("sign")[name].get("prepayment_left")) is not None:
            prepayment = Fraction(str(left))
        else:
            gone = max(0, -min(first.values(), default=0))
            came = gone * self.even(name, level, signed) * number(contract, "availability", 1)
            prepayment = max(ZERO, prepayment - came * number(contract, "credit"))
        taken: dict[Node, Linear] = {}
        for n in sorted(first, key=lambda each: each.t):
            row = book.at(n).row("contracts", name)
            years = (n.t - first[n]) // (12 // book.months)
            rate = min(number(row, "credit"), self.price(name, level, n, years))
            off = []
            for buyer, part in self.parts[name, n].items():
                credit = variable(("credit", name, n, buyer))
                off.append(credit)
                self.rows.append(at_most(credit, part * rate))
                outlay = Outlay(n, "contract", material, buyer, since=self.bound(name, signed, n))
                self.spend(outlay, credit, Fraction(-1), row)
            taken[n] = total(off)
            so_far = total([taken[each] for each in n.path if each in first])
            self.rows.append(at_most(so_far, prepayment))
            whole = equal(taken[n], delivered[n] * rate)
            self.decisions.append(Choice([[whole], [equal(so_far, prepayment)]]))

    def even(self, name: str, level: str, n: Node) -> Fraction:
        """The quantity of a period at the even rate of a level."""
        return number(self.book.at(n).level(name, level), "annual_quantity") * self.book.months / 12

    def grown(self, name: str, level: str, n: Node, years: int) -> Fraction:
        """The floor of a level after so many whole contract years."""
        row = self.book.at(n).level(name, level)
        return self.book.at(n).floor(row, n.t) * (1 + number(row, "escalation")) ** years

    def deliver(self, name: str, level: str, signed: Node, n: Node, years: int) -> Linear:
        """The delivery at a node, or the even rate on which a cfd is topped up there."""
        since = self.bound(name, signed, n)
        contract, even = self.book.at(n).row("contracts", name), self.even(name, level, n)
        material = contract["material"]
        if contract.get("form") == "cfd":
            topup = max(ZERO, self.grown(name, level, n, years) - self.reference(name, n))
            outlay = Outlay(n, "contract", material, since=since)
            self.spend(outlay, Linear(constant=even), topup, contract)
            return Linear(constant=even)
        take = variable(("take", name, n))
        self.rows.append(at_most(take, even * number(contract, "flex", 1)))
        self.rows.append(at_least(take, even * number(contract, "least_per_period")))
        if contract.get("call_off_lot"):
            lots = variable(("called", name, n))
            self.rows.append(equal(take, lots * number(contract, "call_off_lot")))
            self.decisions.append(WholeNumber(lots))
        if fee := number(contract, "call_off_cost"):
            made = variable(("called off", name, n))
            self.spend(Outlay(n, "contract", material, since=since), made, fee, contract)
            self.decisions.append(Choice([[equal(take, 0), equal(made, 0)], [equal(made, 1)]]))
        delivered = take * number(contract, "availability", 1)
        self.arrivals.append(Entry(material, n, delivered, contract))
        parts = self.split(("enter", name, n), delivered, None)
        for site, part in parts.items():
            self.enter(material, site, n, part, contract)
        self.parts[name, n] = self.by_buyer(parts)
        share, unit = number(contract, "availability", 1), self.price(name, level, n, years)
        for buyer, part in self.parts[name, n].items():
            outlay = Outlay(n, "contract", material, buyer, since=since)
            self.spend(outlay, part, landed(contract, unit), contract)
            if 0 < share < 1:
                self.failing[outlay].add(part * landed(contract, unit), (1 - share) / share)
        if not share:
            buyers = [*self.parts[name, n]]
            outlay = Outlay(
                n, "contract", material, buyers[0] if len(buyers) == 1 else None, since=since
            )
            self.failing[outlay].add(take * landed(contract, unit))
        return delivered

    def price(self, name: str, level: str, n: Node, years: int) -> Fraction:
        contract, price = self.book.at(n).row("contracts", name), self.grown(name, level, n, years)
        if not contract.get("price_index"):
            return price
        reference = self.reference(name, n)
        return max(
            price,
            (
                reference
                if contract.get("ceiling") is None
                else min(reference, number(contract, "ceiling"))
            ),
        )

    def reference(self, name: str, n: Node) -> Fraction:
        contract = self.book.at(n).row("contracts", name)
        return self.book.at(n).index(contract["price_index"], n.t) * (
            1 - number(contract, "discount")
        )

    def fall_short(
        self,
        name: str,
        level: str,
        signed: Node,
        year: Sequence[Node],
        years: int,
        due: Fraction,
    ) -> None:
        """What a contract year or term falls short of what is due, paid where it ends."""
        end = year[-1]
        contract = self.book.at(end).row("contracts", name)
        taken = total([variable(("take", name, n)) for n in year])
        deficit = variable(("deficit", name, end))
        self.rows.append(at_least(taken + deficit, due))
        self.decisions.append(
            Choice([[equal(deficit, 0), at_least(taken, due)], [equal(taken + deficit, due)]])
        )
        self.spend(
            Outlay(end, "contract", contract["material"], since=self.bound(name, signed, end)),
            deficit,
            self.price(name, level, end, years),
            contract,
        )

    def upside(self, name: str, n: Node, delivered: Linear) -> Linear:
        """What is received of the buyer's share of what the reference is above the trigger, on a
        delivery.
        """
        contract = self.book.at(n).row("contracts", name)
        if not number(contract, "upside_share"):
            return Linear()
        share = number(contract, "upside_share") * max(
            ZERO, self.reference(name, n) - number(contract, "upside_trigger")
        )
        received = variable(("upside", name, n))
        self.rows.append(at_most(received, delivered * share))
        self.receipts[n, None].add(received)
        return received

    def grant(self, name: str, n: Node, money: Fraction) -> None:
        project = self.book.at(n).projects[name]
        materials = {
            row["material"]
            for table in ("offers", "contracts")
            for row in self.book.rows(table)
            if row.get("project") == name
        }
        outlay = Outlay(
            n, "project", materials.pop() if len(materials) == 1 else None, fund=project.get("fund")
        )
        self.spend(outlay, Linear(constant=money))

    # Stock

    def stock(self) -> list[Pool]:
        """The pools of every material and site in which something is there, arrives or may come
        back.
        """
        book = self.book
        pools = []
        for root in book.roots:
            for lot in book.at(root).rows("opening_stock"):
                material, site = lot["material"], lot.get("site") or next(iter(book.sites))
                quantity = Linear(constant=number(lot, "quantity"))
                if book.materials[material].get("shelf_life_months"):
                    what = material, site, root, quantity, book.period(lot["made"])
                    times = int(number(lot, "requalified"))
                    pools.append(replace(self.lot(f"lot {lot['lot']}", *what), times=times))
                else:
                    self.entering[material, site, root, 0].add(quantity)
        for outlet in (row for row in book.rows("outlets") if row["form"] != "requalify"):
            for n, site in product(book.nodes, book.sites):
                for back in self.back(outlet["outlet"], n):
                    self.entering[returned(outlet), site, back, back.t].add(0)
        unlimited = [i for i, row in book.materials.items() if not row.get("shelf_life_months")]
        for row, material, n in product(book.rows("moves"), unlimited, book.nodes):
            if row.get("material") in (None, material):
                self.entering[material, row["to_site"], n, n.t].add(0)
        for material, row in book.materials.items():
            for site in book.sites:
                lots = {
                    (n, born): amount
                    for (i, w, n, born), amount in self.entering.items()
                    if (i, w) == (material, site)
                }
                if row.get("shelf_life_months"):
                    pools += [
                        self.lot(f"{material} {site} {n} {born}", material, site, n, amount, born)
                        for (n, born), amount in lots.items()
                    ]
                elif lots:
                    inflow = {n: amount for (n, _), amount in lots.items()}  # each made on arrival
                    present = [n for n in book.nodes if any(each in inflow for each in n.path)]
                    pools.append(
                        Pool(f"{material} {site}", material, site, inflow, 0, present, None)
                    )
        return pools

    def lot(
        self, name: str, material: str, site: str | None, begin: Node, amount: Linear, born: int
    ) -> Pool:
        """A lot that comes at a node: its life runs out on each path as life is there."""
        present, gone, waiting = [], [], [begin]
        while waiting:
            n = waiting.pop(0)
            left = self.book.at(n).life(material) - (n.t - born)
            present += [n] if left > 0 else []
            if left > 1:
                waiting += n.children
            else:
                gone.append(n)
        return Pool(name, material, site, {begin: amount}, born, present, gone)

    def back(self, name: str, n: Node) -> list[Node]:
        """Where what goes into an exchange, a rework or a test at a node comes back; nowhere where
        that cannot be.
        """
        outlet = self.book.at(n).row("outlets", name)
        lasts = "months" if outlet["form"] == "loan" else "lead_time_months"
        if outlet["form"] not in BACK or n.t not in self.book.at(n).between(outlet):
            return []
        return [each for each in n.below if each.t == n.t + self.book.at(n).whole(outlet, lasts)]

    def leave(self, pool: Pool, n: Node, way: str) -> Linear:
        amount = variable((way, pool.name, n))
        pool.outflow[n].add(amount)
        outlay = Outlay(n, "storage", pool.material, self.book.buyer(pool.site))
        self.spend(outlay, amount, number(self.book.at(n).sites[pool.site], "handling_out"))
        return amount

    def discard(self, n: Node, material: str, site: str | None, amount: Linear) -> None:
        outlay = Outlay(n, "rotation", material, self.book.buyer(site))
        self.spend(outlay, amount, number(self.book.at(n).materials[material], "disposal_cost"))

    def test_and_move(self) -> None:
        """Test each lot, and what passes again, as often as it may be; move it to other sites."""
        for n in self.book.nodes:
            for pool in self.pools:  # what comes back, or reaches another site, joins them
                if n in pool.present:
                    self.requalify(pool, n)
                    self.move(pool, n)
        for row in self.book.rows("moves"):
            for n in self.book.nodes:
                now = self.book.at(n).row("moves", row["move"])
                if now.get("capacity") is not None:
                    shipped = self.shipped[row["move"], n]
                    self.rows.append(at_most(shipped, number(now, "capacity")))

    def move(self, pool: Pool, n: Node) -> None:
        """Send metal to other sites, where it is as old as it then is; once in a period."""
        sent = []
        for name in (row["move"] for row in self.book.rows("moves")):
            now, row = self.book.at(n), self.book.at(n).row("moves", name)
            lag = now.whole(row, "lead_time_months")
            limited = pool.gone is not None
            if (
                row["from_site"] != pool.site
                or row.get("material") not in (None, pool.material)
                or n.t + lag > self.book.last
                or (limited and n.t - pool.born + lag >= now.life(pool.material))
                or (pool.still is not None and n == pool.still)
            ):
                continue
            amount = variable(("move", name, pool.name, n))
            sent.append(amount)
            pool.outflow[n].add(amount)
            self.shipped[name, n].add(amount)
            outlay = Outlay(n, "storage", pool.material, self.book.buyer(pool.site))
            self.spend(outlay, amount, number(row, "cost"))
            for d in (each for each in n.below if each.t == n.t + lag):
                self.reach(pool, row["to_site"], d, amount, None if lag else n)
        if sent and pool.gone is None:
            self.sent[pool.name, n] = total(sent)

    def reach(self, pool: Pool, site: str, d: Node, amount: Linear, still: Node | None) -> None:
        """Metal that comes from another site; with all other that is alike, where it ages."""
        if pool.gone is None:
            (other,) = (
                each for each in self.pools if (each.material, each.site) == (pool.material, site)
            )
            other.inflow[d].add(amount)
            if still:
                other.at_once[d].add(amount)
            return
        kind = pool.material, site, d, pool.born, pool.times, pool.failed, still
        if kind not in self.reached:
            name = " ".join(map(str, ("moved", *kind)))
            lot = self.lot(name, pool.material, site, d, Linear(), pool.born)
            marks = {"times": pool.times, "failed": pool.failed, "still": still}
            self.reached[kind] = replace(lot, **marks)
            self.pools.append(self.reached[kind])
        self.reached[kind].inflow[d].add(amount)

    def requalify(self, pool: Pool, n: Node) -> None:
        """Test a lot at a node; what comes back is a lot of its own."""
        tests = [row["outlet"] for row in self.book.rows("outlets") if row["form"] == "requalify"]
        for name in [] if pool.failed else tests:
            now, outlet = self.book.at(n), self.book.at(n).row("outlets", name)
            age, backs = n.t - pool.born, self.back(name, n)
            later = age + now.whole(outlet, "lead_time_months")
            young = max(0, later - now.whole(outlet, "gain_months"))
            if (
                outlet["material"] == pool.material
                and backs
                and releases(now, outlet, age)
                and young < now.life(pool.material)
                and pool.times < number(outlet, "times", 1)
            ):
                amount = self.test(pool, n, outlet)
                for d, passed in product(backs, (True, False)):
                    share = number(outlet, "yield", 1)
                    part = amount * (share if passed else 1 - share)
                    self.retested(pool, d, part, young if passed else later, name, passed)

    def test(self, pool: Pool, n: Node, outlet: Cells) -> Linear:
        """What leaves a lot for a test."""
        amount = self.leave(pool, n, outlet["outlet"])
        self.done["rotate", outlet["outlet"], n].add(amount)
        self.departures.append(Entry(pool.material, n, amount, outlet))
        outlay = Outlay(n, "rotation", pool.material, self.book.buyer(pool.site))
        self.spend(outlay, amount, number(outlet, "cost"))
        return amount

    def retested(
        self, pool: Pool, d: Node, amount: Linear, age: int, outlet: str, passed: bool
    ) -> None:
        """A lot of its own comes back from a test, at its last age where its life is over."""
        handling = number(self.book.at(d).sites[pool.site], "handling_in")
        outlay = Outlay(d, "storage", pool.material, self.book.buyer(pool.site))
        self.spend(outlay, amount, handling)
        born = d.t - min(age, self.book.at(d).life(pool.material) - 1)
        name = f"{pool.name} {outlet} {d} {passed}"
        lot = self.lot(name, pool.material, pool.site, d, amount, born)
        times = pool.times + 1 if passed else 0
        self.pools.append(replace(lot, times=times, failed=not passed))

    def rotate(self, name: str) -> None:
        for n in self.book.nodes:
            now = self.book.at(n)
            outlet = now.row("outlets", name)
            backs = self.back(name, n)
            if n.t not in now.between(outlet) or (outlet["form"] in BACK and not backs):
                continue
            material, leaving = outlet["material"], self.done["rotate", name, n]
            for pool in self.pools if outlet["form"] != "requalify" else ():
                if pool.failed and outlet["form"] not in ("rework", "dispose"):
                    continue
                if pool.material != material or n not in pool.present:
                    continue
                age = n.t - pool.born if pool.gone is not None else 0
                if pool.gone is not None and not releases(now, outlet, age):
                    continue
                amount = self.leave(pool, n, name)
                leaving.add(amount)
                self.departures.append(Entry(material, n, amount, outlet))
                if outlet["form"] in ("sale", "loan", "dispose"):
                    self.released[pool.name, n].append(amount)
                self.spend(
                    Outlay(n, "rotation", material, now.buyer(pool.site)),
                    amount,
                    number(outlet, "cost"),
                )
                if outlet["form"] == "dispose":
                    self.discard(n, material, pool.site, amount)
                    continue
                if backs:
                    for back in backs:
                        self.enter(
                            returned(outlet), pool.site, back, amount * number(outlet, "yield", 1)
                        )
                    if outlet["form"] != "loan":
                        continue
                price = number(outlet, "price")
                if outlet.get("price_index"):
                    price = now.index(outlet["price_index"], n.t) * number(
                        outlet, "price_factor", 1
                    )
                lost = number(outlet, "age_discount") * age * now.months
                self.receipts[n, outlet.get("fund")].add(amount, price * (1 - lost))
                self.sales.append(Entry(material, n, amount * (price * (1 - lost)), outlet))
            if outlet.get("capacity") is not None:
                self.rows.append(at_most(leaving, number(outlet, "capacity")))
            self.dispatch(outlet, n, leaving)

    def dispatch(self, outlet: Cells, n: Node, leaving: Linear) -> None:
        """What leaves through an outlet at a node: in whole lots, no less than its minimum, for a
        fee; or nothing.
        """
        least, fee = number(outlet, "minimum_order"), number(outlet, "order_cost")
        if outlet.get("lot_size"):
            self.decisions.append(WholeNumber(leaving * (1 / number(outlet, "lot_size"))))
        if least or fee:
            made = variable(("dispatch", outlet["outlet"], n))
            self.spend(Outlay(n, "rotation", outlet["material"]), made, fee)
            none = [equal(leaving, 0), equal(made, 0)]
            self.decisions.append(Choice([none, [at_least(leaving, least), equal(made, 1)]]))

    def hold(self) -> None:
        """Keep stock from going below 0 and sites from overflowing; charge what is held and what
        expires; value what is left.
        """
        book = self.book
        stored: dict[tuple[Node, str | None], Linear] = defaultdict(Linear)
        for pool, n in product(self.pools, book.nodes):
            if (pool.name, n) in self.sent:  # before anything came from other sites in the period
                there = pool.stock(n) + pool.outflow[n] - pool.at_once[n]
                self.rows.append(at_least(there - self.sent[pool.name, n], 0))
        for pool in self.pools:
            # A lot only shrinks: it is enough to look at the end of each path.
            reached = {*pool.present, *(pool.gone or ())}
            stock = {n: pool.stock(n) for n in book.nodes if n in reached}
            for n, there in stock.items():
                if pool.gone is None or not any(child in reached for child in n.children):
                    self.rows.append(at_least(there, 0))
            for n in pool.gone or ():
                self.discard(n, pool.material, pool.site, stock[n])
            for n in pool.held:
                now = book.at(n)
                material = now.materials[pool.material]
                stored[n, pool.site].add(stock[n])
                rate = number(now.sites[pool.site], "cost") + number(material, "holding_cost")
                self.spend(
                    Outlay(n, "storage", pool.material, book.buyer(pool.site)),
                    stock[n],
                    rate * book.months,
                )
                if n.t == book.last and number(material, "closing_value") and not pool.failed:
                    value = (
                        number(material, "closing_value")
                        * now.index(material["price_index"], n.t)
                        * book.discount(n.t + 1)
                    )
                    if pool.gone is not None and material.get("shelf_life_months"):
                        life = now.life(pool.material)
                        value *= Fraction(life - 1 - (n.t - pool.born), life)
                    self.credit[n].add(stock[n], value)
        for (n, site), amount in stored.items():
            if book.at(n).sites[site].get("capacity") is not None:
                self.rows.append(at_most(amount, number(book.at(n).sites[site], "capacity")))

    # What is wanted

    def serving(self, material: str, buyer: str | None, n: Node) -> list[Pool]:
        """The pools that serve a buyer at a node: those at its sites and at sites without a buyer;
        all when none is named.
        """
        serves = (None, buyer)
        return [
            pool
            for pool in self.pools
            if pool.material == material
            and n in pool.present
            and not pool.failed
            and (buyer is None or self.book.buyer(pool.site) in serves)
        ]

    def miss(self, n: Node, amount: Linear, price: Fraction) -> None:
        """What is wanted and not there, at a price that is no money."""
        self.shortfall.add(amount, n.chance)
        self.credit[n].add(amount, -price * self.book.discount(n.t))

    def demand(self, material: str, buyer: str | None) -> None:
        for n in self.book.nodes:
            now = self.book.at(n)
            asking = [
                (i, row)
                for i, row in enumerate(now.rows("demand"))
                if (row["material"], row.get("buyer")) == (material, buyer)
                and n.t in now.between({"from": row["from"], "to": row.get("to") or row["from"]})
            ]
            # Each row takes from the pools for itself, of metal with the life that it asks for.
            for i, row in asking:
                least, quantity = number(row, "minimum_life_months"), number(row, "quantity")
                used = total(
                    [
                        self.leave(pool, n, f"use {buyer} {i}")
                        for each in now.members(material)
                        for pool in self.serving(each, buyer, n)
                        if self.left(pool, n) * now.months >= least
                    ]
                )
                price = now.price(material, "shortage_cost")
                if price is None:
                    self.rows.append(equal(used, quantity))
                    continue
                unmet = (used - quantity) * -1
                self.rows.append(at_least(unmet, 0))
                self.miss(n, unmet, price)

    def left(self, pool: Pool, n: Node) -> int:
        """The periods of life left to what leaves a pool at a node."""
        unlimited = pool.gone is None
        return 10**6 if unlimited else self.book.at(n).life(pool.material) - (n.t - pool.born)

    def target(self, material: str, buyer: str | None) -> None:
        for n in self.book.nodes:
            now = self.book.at(n)
            quantity, row = self.wanted(material, buyer, n)
            if not quantity:
                continue
            counted, released = Linear(), []
            for each in now.members(material):
                least = number(now.materials[each], "count_life_months")
                for pool in self.serving(each, buyer, n):
                    left = now.life(each) - 1 - (n.t - pool.born) if pool.gone is not None else 0
                    if pool.gone is None or (left > 0 and left * now.months >= least):
                        counted.add(pool.stock(n))
                        released += self.released[pool.name, n]
            chance = row.get("probability")
            if row.get("hard") == "yes" and chance is None:
                self.rows.append(at_least(counted, quantity))
                continue
            below = variable(("below", material, buyer, n))
            self.rows.append(at_least(counted + below, quantity))
            if chance is not None:
                number_of_row = now.rows("targets").index(row)
                for leaf in (each for each in n.below if each.t == self.book.last):
                    kept = variable(("kept", number_of_row, leaf))
                    self.rows.append(at_most(below + kept * quantity, quantity))
            if self.book.settings.get("release_below_target") == "no" and released:
                self.decisions.append(Choice([[equal(below, 0)], [equal(total(released), 0)]]))
            self.miss(n, below, now.price(material, "below_target_cost") or ZERO)

    def likely(self) -> None:
        """Targets with a probability are met in scenarios of that probability together."""
        for k, row in enumerate(self.book.rows("targets")):
            if row.get("probability") is None:
                continue
            met = Linear()
            for leaf in self.book.leaves:
                kept = variable(("kept", k, leaf))
                self.rows.append(at_most(kept, 1))
                met.add(kept, leaf.chance)
                self.decisions.append(Choice([[at_least(kept, 1)], [at_most(kept, 0)]]))
            self.rows.append(at_least(met, number(row, "probability")))

    def wanted(self, material: str, buyer: str | None, n: Node) -> tuple[Fraction, Cells]:
        """The target at a node, and the row that sets it, as the rows stand there."""
        now = self.book.at(n)
        rows = [
            row
            for row in now.rows("targets")
            if (row["material"], row.get("buyer")) == (material, buyer)
        ]
        rows.sort(key=lambda row: day(row["from"]))
        wanted: dict[int, tuple[Fraction, Cells]] = {}
        begin, before = 0, dict[str, Any]()
        for i, row in enumerate(rows):
            at = now.period(row["from"])
            if row.get("path") == "ramp" and n.t in range(begin + 1 if i else 0, at):
                low, high = self.asked(before, n), self.asked(row, n)
                wanted[n.t] = low + (high - low) * Fraction(n.t - begin, at - begin), row
            if n.t >= at:
                wanted[n.t] = self.asked(row, n), row
            begin, before = at, dict(row)
        return wanted.get(n.t, (ZERO, {}))

    def asked(self, target: Cells, n: Node) -> Fraction:
        """What a row of targets asks for at the end of a node: a quantity, or what is expected to
        be used in the days that follow; after the horizon as much as in its last period.
        """
        if target.get("days") is None:
            return number(target, "quantity")
        left, needed, t = number(target, "days"), ZERO, n.t
        names = {target["material"], *self.book.members(target["material"])}
        while left > 0:
            t += 1
            length = (self.book.first_day(t + 1) - self.book.first_day(t)).days
            for later in (each for each in n.below if each.t == min(t, self.book.last)):
                for row in self.book.at(later).rows("demand"):
                    if (
                        row["material"] in names
                        and target.get("buyer") in (None, row.get("buyer"))
                        and later.t in self.spans(row)
                    ):
                        part = number(row, "quantity") * min(ONE, left / length)
                        needed += part * later.chance / n.chance
            left -= length
        return needed

    def spans(self, row: Cells) -> range:
        """The periods in which a row of demand asks."""
        first, last = row["from"], row.get("to") or row["from"]
        return range(self.book.period(first), self.book.period(last) + 1)

    def rule(self, rule: Cells) -> None:
        book, of, measure = self.book, rule["of"], rule["measure"]
        window: Callable[[int], int] = {
            "horizon": lambda t: 0,
            "fiscal_year": book.fiscal_year,
            "period": lambda t: t,
        }[rule["window"]]
        metal, money = self.arrivals, self.payments
        if of in ("outlet", "outlet_country"):
            metal, money = self.departures, self.sales
        entries = [
            e
            for e in (money if measure == "spend" else metal)
            if rule.get("material") is None or e.material in book.members(rule["material"])
        ]
        for n in book.nodes:
            if n.t < book.last and window(n.t) == window(n.t + 1):
                continue
            limits = book.at(n).row("rules", rule["rule"])
            inside = [
                entry
                for entry in entries
                if entry.node in n.path and window(entry.node.t) == window(n.t)
            ]
            if measure == "count":
                for sense in ("least", "most"):
                    if limits.get(sense) is not None:
                        self.limit(
                            {sense: limits[sense]},
                            self.count(limits, n, inside, sense),
                            Linear(constant=1),
                        )
                continue
            everything = total([entry.amount for entry in inside])
            for value in [rule["value"]] if rule.get("value") else self.members(of):
                self.limit(
                    limits,
                    self.group(of, value, inside),
                    everything if measure == "share" else Linear(constant=1),
                )

    def limit(self, rule: Cells, amount: Linear, unit: Linear) -> None:
        if rule.get("most") is not None:
            self.rows.append(at_most(amount, unit * number(rule, "most")))
        if rule.get("least") is not None:
            self.rows.append(at_least(amount, unit * number(rule, "least")))

    def group(self, of: str, value: str | None, entries: Sequence[Entry]) -> Linear:
        return total([entry.amount * self.weight(of, value, entry) for entry in entries])

    def count(self, rule: Cells, n: Node, entries: Sequence[Entry], sense: str) -> Linear:
        """How many members of a rule its least or most counts among the entries of a window that
        ends at a node.
        """
        of, value = rule["of"], rule.get("value")
        members: Sequence[str | None]
        if of == "foreign_feedstock":
            of, members = (
                "supplier",
                [
                    name
                    for name, row in self.book.suppliers.items()
                    if number(row, "foreign_feedstock")
                ],
            )
        elif value and of in ("country", "bloc", "stage"):
            of, members = (
                "supplier",
                [name for name, row in self.book.suppliers.items() if row.get(of) == value],
            )
        elif value and of == "outlet_country":
            takers = (row for row in self.book.rows("outlets") if row.get("country") == value)
            of, members = "outlet", [row["outlet"] for row in takers]
        else:
            members = [value] if value else self.members(of)
        counted = []
        everything = total([entry.amount for entry in entries])
        needs = [
            number(row, "quantity")
            for table in ("demand", "targets")
            for row in self.book.rows(table)
        ]
        token = TOKEN * max(needs, default=Fraction(0))
        for member in members:
            arrives, counts = (
                self.group(of, member, entries),
                variable(("counts", sense, rule["rule"], n, member)),
            )
            self.rows.append(at_most(counts, 1))
            if sense == "least":  # who brings enough may count
                share = number(rule, "count_from", COUNTS)
                enough = [
                    at_least(arrives, everything * share),
                    at_least(arrives, token),
                    equal(counts, 1),
                ]
                self.decisions.append(Choice([[equal(counts, 0)], enough]))
            else:  # who brings anything does
                self.decisions.append(
                    Choice([[equal(arrives, 0), equal(counts, 0)], [equal(counts, 1)]])
                )
            counted.append(counts)
        return total(counted)

    def members(self, of: str) -> Sequence[str | None]:
        """The values that a rule without a value takes in turn: those that the workbook names."""
        if of == "foreign_feedstock":
            return [None]
        if of in ("offer", "contract", "outlet"):
            return [row[of] for row in self.book.rows(of + "s")]
        if of == "outlet_country":
            return sorted({row["country"] for row in self.book.rows("outlets") if "country" in row})
        return sorted({row[of] for row in self.book.suppliers.values() if row.get(of)})

    def weight(self, of: str, value: str | None, entry: Entry) -> Fraction:
        """The share of an arrival or payment that counts towards a rule."""
        if of in ("offer", "contract", "supplier", "outlet"):
            return Fraction(entry.row.get(of) == value)
        if of == "outlet_country":
            return Fraction(entry.row.get("country") == value)
        supplier = self.book.at(entry.node).suppliers.get(entry.row.get("supplier"), {})
        return (
            number(supplier, of)
            if of == "foreign_feedstock"
            else Fraction(supplier.get(of) == value)
        )

    def commit(self, commitment: Cells) -> None:
        """Order or rotate what is committed, in its period or over the horizon, on every path."""
        book = self.book
        times = [book.period(commitment["date"])] if commitment.get("date") else book.periods
        for leaf in book.leaves:
            done = [
                self.done[commitment["kind"], commitment["name"], n]
                for n in leaf.path
                if n.t in times
            ]
            self.rows.append(agreed(commitment, total(done)))

    # Money

    def pay(self) -> None:
        """Every outlay is paid by appropriations and kept receipts that may.

        Outlays that the same ones may pay are paid together; where something fails to arrive, those
        of one obligation.
        """
        book, funds = self.book, {row["fund"]: row for row in self.book.rows("funds")}
        if not funds:
            return
        keepers = [name for name, row in funds.items() if row.get("keeps_receipts") == "yes"]
        self.purses = [*(row["fund"] for row in book.rows("budgets")), *keepers]
        number_of = len(book.rows("budgets"))
        able = {
            outlay: self.payers(outlay, funds, number_of)
            for outlay in [*self.outlays, *self.failing]
        }
        watched = {i for outlay in self.failing for i in able[outlay]}
        Key = tuple[Node, int, tuple[int, ...]]
        together: dict[Key, Linear] = defaultdict(Linear)
        lost: dict[Key, Linear] = defaultdict(Linear)
        for outlay, amount in self.outlays.items():
            payers = able[outlay]
            matters = any(i in watched for i in payers)
            together[outlay.node, outlay.bound if matters else -2, payers].add(amount)
        for outlay, amount in self.failing.items():
            lost[outlay.node, outlay.bound, able[outlay]].add(amount)
        paid: dict[int, list[tuple[int, Node, Linear]]] = defaultdict(list)
        held: dict[int, list[tuple[int, Node, Linear]]] = defaultdict(list)
        for name, groups, to in (("pay", together, paid), ("hold", lost, held)):
            for (n, bound, payers), amount in groups.items():
                parts = [variable((name, n, bound, i, payers)) for i in payers]
                self.rows.append(equal(total(parts), amount))
                for i, part in zip(payers, parts, strict=True):
                    to[i].append((bound, n, part))
        for i, leaf in product(range(number_of), book.leaves):
            self.appropriate(i, leaf, paid[i], held[i])
        for i, name in enumerate(keepers, start=number_of):
            for leaf in book.leaves:
                self.keep_receipts(i, name, leaf, paid[i], held[i])

    def keep_receipts(
        self,
        i: int,
        name: str,
        leaf: Node,
        paid: Sequence[tuple[int, Node, Linear]],
        held: Sequence[tuple[int, Node, Linear]],
    ) -> None:
        """Receipts are paid out once they have come, less what they hold for what fails."""
        for n in leaf.path:
            spent = [each for _, at, each in paid if at in n.path]
            here = [each for each in held if each[1] in leaf.path]
            kept = [each for bound, at, each in here if withheld(bound, n.t, at.t)]
            arrived = total([self.receipts[each, name] for each in n.path])
            self.rows.append(at_most(total([*spent, *kept]), arrived))

    def appropriate(
        self,
        i: int,
        leaf: Node,
        paid: Sequence[tuple[int, Node, Linear]],
        held: Sequence[tuple[int, Node, Linear]],
    ) -> None:
        """At any time on a path no more is obligated than an appropriation has, less what was
        released by then.
        """
        book = self.book
        open_ = [n for n in leaf.path if n.t in self.lives(book.at(n).rows("budgets")[i])]
        last = open_[-1] if open_ else leaf
        amount = number(book.at(last).rows("budgets")[i], "amount")
        mine = [each for _, at, each in paid if at in leaf.path]
        if mine:
            self.rows.append(at_most(total(mine), amount))
        here = [(bound, at, each) for bound, at, each in held if at in leaf.path]
        for n in (n for n in leaf.path if here and n.t <= last.t):
            by_then = [each for bound, at, each in paid if at in leaf.path and bound <= n.t]
            by_then += [each for bound, at, each in here if withheld(bound, n.t, at.t)]
            if by_then:
                self.rows.append(at_most(total(by_then), amount))

    def lives(self, budget: Cells) -> range:
        """The periods in which an appropriation can be obligated."""
        return self.book.between(budget, "from", "expires")

    def payers(self, outlay: Outlay, funds: Mapping[str, Cells], number_of: int) -> tuple[int, ...]:
        """The appropriations, and behind them the kept receipts, that may pay an outlay."""
        book, n = self.book, outlay.node
        able, receipts = [], []
        for i, fund in enumerate(self.purses):
            if not may_pay(funds[fund], outlay):
                continue
            if i >= number_of:
                receipts.append(i)
                continue
            row = book.at(n).rows("budgets")[i]
            until = row.get("pay_by") or row.get("expires")
            if until is None or n.t <= book.period(until):
                able.append(i)
        since = n if outlay.since is None else outlay.since
        if isinstance(since, Node):
            now = book.at(since).rows("budgets")
            return (*(i for i in able if since.t in self.lives(now[i])), *receipts)
        first = book.at(n.path[0]).rows("budgets")
        then = [
            i
            for i in able
            if isinstance(since, date)
            and (first[i].get("from") is None or day(first[i]["from"]) <= since)
            and (first[i].get("expires") is None or since <= day(first[i]["expires"]))
        ]
        return (*(then or [i for i in able if 0 in self.lives(first[i])]), *receipts)

    def weighed(self) -> Linear:
        """The expected discounted cost; with a weight on risk the mean of it and of the mean of the
        worst scenarios.
        """
        book = self.book
        costs: dict[Node, Linear] = defaultdict(Linear)
        for n, amount in self.credit.items():
            costs[n].add(amount, -1)
        for outlay, amount in self.outlays.items():
            costs[outlay.node].add(amount, book.discount(outlay.node.t))
        for (n, _), amount in self.receipts.items():
            costs[n].add(amount, -book.discount(n.t))
        mean = total([amount * n.chance for n, amount in costs.items()])
        weight, tail = (
            number(book.settings, "risk_weight"),
            number(book.settings, "risk_tail", "0.1"),
        )
        if not weight:
            return mean
        # The mean of the worst: the least, over a threshold, of it plus what the tail's scenarios
        # cost beyond it.
        threshold = variable("threshold") - variable("threshold below 0")
        worst = threshold * 1
        for leaf in book.leaves:
            excess = variable(("excess", leaf))
            self.rows.append(at_least(excess + threshold, total([costs[n] for n in leaf.path])))
            worst.add(excess, leaf.chance / tail)
        return mean * (1 - weight) + worst * weight


def landed(row: Cells, price: Fraction) -> Fraction:
    """What a unit costs: its price with duty on it, adder and freight."""
    return price * (1 + number(row, "duty")) + number(row, "adder") + number(row, "freight")


def withheld(bound: int, t: int, released: int) -> bool:
    """Whether what fails counts as obligated: until its release, or in the period that has both."""
    return bound <= t < released or bound == t == released


BACK = ("exchange", "rework", "requalify", "loan")  # the forms of outlet that give metal back


def releases(now: Book, outlet: Cells, age: int) -> bool:
    """Whether an outlet takes metal of an age that has a shelf life."""
    left = (now.life(outlet["material"]) - age) * now.months
    return left >= number(outlet, "minimum_life_months") and age * now.months >= number(
        outlet, "minimum_age_months"
    )


def returned(outlet: Cells) -> str:
    """The material that comes back from an exchange or rework."""
    return outlet.get("to_material") or outlet["material"]


def may_pay(fund: Cells, outlay: Outlay) -> bool:
    uses, materials = listed(fund.get("uses")), listed(fund.get("materials"))
    return (
        (not uses or outlay.use in uses)
        and (not materials or outlay.material in materials)
        and (None in (fund.get("buyer"), outlay.buyer) or fund["buyer"] == outlay.buyer)
        and outlay.fund in (None, fund["fund"])
    )


# Searching
# --------------------------------------------------------------------------------------------------


def search(
    programs: Iterable[Program], objective: Callable[[Program], Linear], most: int
) -> Optimum:
    """The least objective over all programs and all their decisions: branch where the linear
    program leaves one open, and leave a branch when even with the rest open it is no better than
    the best known. Raises TooManyPrograms after `most` of them.
    """
    solved = 0
    best: Optimum = Optimum("infeasible")
    for program in programs:
        waiting: list[tuple[list[Row], list[Decision]]] = [(program.rows, program.decisions)]
        aim, shortfall = objective(program), program.shortfall
        while waiting:
            rows, decisions = waiting.pop()
            solved += 1
            if solved > most:
                raise TooManyPrograms
            answer: Answer = minimise(aim, rows)
            if answer.status == "unbounded":
                return Optimum("unbounded")
            if answer.point is None or (
                best.status == "optimal" and answer.objective >= best.objective
            ):
                continue
            for decision in decisions:
                if branches := decision.branches(answer.point):
                    # A whole number may be split again; a choice is made once and for all.
                    left = (
                        decisions
                        if isinstance(decision, WholeNumber)
                        else [other for other in decisions if other is not decision]
                    )
                    waiting += [([*rows, *branch], left) for branch in branches]
                    break
            else:
                best = Optimum(
                    "optimal", answer.objective, shortfall.at(answer.point), answer.point
                )
    return best
