"""Rows that every block shares, and the Stockpile that holds all tables.

A table of the workbook is a frozen dataclass; each field is a `column` that carries its unit, its meaning and its
bounds. From that one line come the check and its message, the data dictionary and the header of a result sheet.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import keyword
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, TypeVar

from stockpile_model.amounts import count
from stockpile_model.names import differing, outline
from stockpile_model.scale import Figure, Scale, scale_of

Kind = Literal["text", "number", "whole", "date", "yes_no"]
LARGEST = 1e12  # size of a number; the solver refuses coefficients above 1e15
_LONGEST_SHOWN = 80  # characters of a text that a message repeats; no name is longer
_KINDS: dict[type, Kind] = {str: "text", float: "number", int: "whole", dt.date: "date", bool: "yes_no", object: "text"}


@dataclass(frozen=True, kw_only=True)
class Column:
    """What one column of a table means.

    `unit` is text for people: `quantity` and `money` stand for `settings.quantity_unit` and `settings.currency`.
    `least` and `most` include the bound, `above` does not. `refers` names the table whose key the value must be.
    `need` says that it is a quantity that is needed: how large a workbook's quantities are is read off it.
    `unbuilt` says which values belong to a feature that is not built yet: `True` for all but the default, or a tuple
    of choices. `names` says, for a row, of what the text is a name where `refers` does not: a table, or `floors/` and a contract for its
    levels, or a column such as `country` whose names have no table. `prose` is text that is no name: it is kept as it stands.
    """

    name: str
    field: str  # the attribute of the row: `name`, with an underscore behind it where Python reserves the word
    kind: Kind
    meaning: str
    unit: str = ""
    many: bool = False
    default: Any = None
    required: bool = False
    need: bool = False
    key: bool = False
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[Any, ...] = ()
    refers: str = ""
    unbuilt: bool | tuple[str, ...] = False
    names: Callable[[Any], str] | None = None
    prose: bool = False
    numbers: bool = False  # of text: it may hold a number, which can be scaled and added to

    def fault(self, value: Any) -> str:
        """What is wrong with a value of the right kind, and how to mend it; empty when nothing is."""
        if value is None:
            return "is required and must not be blank" if self.required else ""
        if self.many:
            return next((said for item in value if (said := self._fault(item))), "")
        return self._fault(value)

    def _fault(self, value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return f"must be a finite number, found {value}; write the number that is meant"
        if self.choices and value not in self.choices:
            hint = nearest(value, self.choices) if isinstance(value, str) else ""
            return f"must be one of {', '.join(map(str, self.choices))}, found {quoted(value)}{hint}"
        if self.kind in ("number", "whole"):
            if self.above is not None and not value > self.above:
                return f"must be above {self.above:g}, found {value:.12g}"
            if self.least is not None and not value >= self.least:
                return f"must be at least {self.least:g}, found {value:.12g}"
            if self.most is not None and not value <= self.most:
                hint = f"; shares are fractions: write {value / 100:.12g} for {value:.12g} %" if self.most == 1 and value <= 100 else ""
                return f"must be at most {self.most:.12g}, found {value:.12g}{hint}"
            if abs(value) > LARGEST:
                return f"must be at most 1e12 in size, found {value:.12g}; see its unit"
        if isinstance(self.unbuilt, tuple) and value in self.unbuilt:
            return f"{value!r} is not supported yet"
        if self.unbuilt is True and value != self.default:
            return "is not supported yet; leave the cell blank"
        return ""


def column(meaning: str, unit: str = "", *, default: Any = None, required: bool = False, **rest: Any) -> Any:
    """A dataclass field for one column; `rest` are the fields of `Column`. A required column has no default."""
    about = {"meaning": meaning, "unit": unit, "default": default, "required": required, **rest}
    return field(default=MISSING if required else default, metadata={"column": about})


def quoted(value: Any) -> str:
    """What a cell holds, between quotation marks where it is text; a long text only by its beginning."""
    said = repr(value)
    return said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]} …{said[-1]}"


def apart(name: str, other: str) -> str:
    """A name between quotation marks, as a message shows it beside another: with what differs, where the two look alike."""
    return quoted(name) + differing(name, other)


def closest(name: str, known: Iterable[Any]) -> str | None:
    """The known name that looks most like another; None where none is close."""
    if len(name) > _LONGEST_SHOWN:
        return None
    seen = {outline(str(item)): str(item) for item in reversed([*known])}
    close = difflib.get_close_matches(outline(name), seen, n=1, cutoff=0.6)
    return seen[close[0]] if close else None


def nearest(name: str, known: Iterable[Any]) -> str:
    """` (did you mean 'x'?)` when a known name is close, else nothing."""
    close = closest(name, known)
    return "" if close is None else f" (did you mean {apart(close, name)}?)"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table. `line` is its row in the sheet (0 where there is no sheet); `ranges` holds, by column, the
    low and high that a study may use (workbook contract, reading rule 4)."""

    TABLE: ClassVar[str] = ""
    OPEN: ClassVar[str] = ""  # where a table has a column for each member of something: what one such column is

    line: int = 0
    source: str | None = None
    source_date: str | None = None
    confidence: str | None = None
    note: str | None = None
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


ROW_FIELDS = frozenset(each.name for each in fields(Row))
ALL = "all"  # scenarios
PROVENANCE = ("source", "source_date", "confidence", "note")
R = TypeVar("R", bound=Row)


def columns(kind: type) -> tuple[Column, ...]:
    """The columns of a row type, in order. Types are resolved, since under postponed evaluation they are text."""
    if kind not in _COLUMNS:
        _COLUMNS[kind] = tuple(_read_columns(kind))
    return _COLUMNS[kind]


_COLUMNS: dict[type, tuple[Column, ...]] = {}


def _read_columns(kind: type) -> Iterator[Column]:
    hints = typing.get_type_hints(kind)
    for each in fields(kind):
        if "column" not in each.metadata:
            continue
        hint, many = hints[each.name], False
        if isinstance(hint, types.UnionType):
            (hint,) = (part for part in hint.__args__ if part is not type(None))
        if typing.get_origin(hint) is tuple:
            hint, many = typing.get_args(hint)[0], True
        yield Column(name=each.name.rstrip("_"), field=each.name, kind=_KINDS[hint], many=many, **each.metadata["column"])


def keys(kind: type) -> tuple[str, ...]:
    """The names of a row type's key columns."""
    return tuple(each.name for each in columns(kind) if each.key)


def get(row: Any, name: str) -> Any:
    """The value of a row's column, by the name the workbook gives it."""
    return getattr(row, f"{name}_" if keyword.iskeyword(name) else name)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of a plan. `SHEET` is the plan sheet it stands on; its columns carry unit and meaning like a table's."""

    SHEET: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class Dated(Result):
    """A result of some scenarios; without scenarios of all. Sums over its rows weigh each by its probability."""

    scenarios: str = column("scenarios it holds for", default=ALL)
    probability: float = column("probability of these scenarios", "1", default=1.0)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, or (`warning`) odd about it: the cell by table, line and column name.

    A message that starts with is, must, needs, has or caps continues the column's name, which whoever shows it puts in
    front; any other stands alone.
    """

    table: str
    line: int
    column: str
    message: str
    warning: bool = False

    @property
    def said(self) -> str:
        """The message, with the name of its column where it continues that."""
        continues = self.column and self.message.startswith(tuple(f"{verb} " for verb in ("is", "must", "needs", "has", "caps")))
        return f"{self.column} {self.message}" if continues else self.message


# --- The tables every block reads -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Settings(Row):
    """The sheet `settings`, one row for each name; here one field for each name."""

    TABLE = "settings"
    title: str = column("what this workbook plans", default="")
    start: dt.date = column("first day of the first period", required=True)
    periods: int = column("number of periods in the horizon", "periods", required=True, least=1, most=1200)
    period_months: int = column("length of a period", "months", default=1, choices=(1, 3, 6, 12))
    fiscal_year_start: int = column("month in which a fiscal year begins", "month", default=10, least=1, most=12)
    quantity_unit: str = column("unit of every quantity", default="kg")
    currency: str = column("unit of all money, in real terms of the start date", default="USD")
    discount_rate: float = column("real discount rate", "1/year", default=0.0, above=-1.0, most=1.0)
    objective: str = column(
        "`cost`: least expected discounted cost; `shortfall_first`: least expected shortfall first, then least cost at that shortfall",
        default="cost",
        choices=("cost", "shortfall_first"),
    )
    supply_stages: tuple[str, ...] = column(
        "stages of supplier to count; blank = all",
        default=(),
        choices=("operating", "commissioning", "building", "announced"),
    )
    risk_weight: float = column("weight w of the tail: minimise (1-w)·mean + w·CVaR", "1", default=0.0, least=0, most=1)
    risk_tail: float = column("share of the worst outcomes that CVaR averages", "1", default=0.1, above=0, most=1)
    mip_gap: float = column("proven relative gap at which the search may stop", "1", default=0.001, least=0, most=1)
    time_limit_seconds: float = column("time limit of the search", "s", default=300.0, above=0)
    threads: int = column("threads of the solver; 0 = as many as it finds use for", "threads", default=0, least=0, most=2**31 - 1)
    seed: int = column("seed of the solver's random choices", default=1, least=0, most=2**31 - 1)
    firm_periods: int | None = column(
        "minimum orders, lots and breaks are whole in this many periods and relaxed after; blank = whole everywhere",
        "periods",
        least=0,
    )
    about: Mapping[str, Row] = field(default_factory=dict)  # by name: the row that gives it, with its source


@dataclass(frozen=True, kw_only=True)
class Price(Row):
    """A date and the value of every index on it. Linear between dates, flat before the first and after the last."""

    TABLE = "prices"
    OPEN = "index"
    date: dt.date = column("date of the values", required=True, key=True)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Material(Row):
    TABLE = "materials"
    material: str = column("name of the material", required=True, key=True)
    shelf_life_months: float | None = column("life from the day a lot is made; blank = unlimited", "months", above=0)
    count_life_months: float = column("life a lot must still have to count towards a target", "months", default=0.0, least=0)
    price_index: str | None = column("index that values the stock", refers="prices")
    closing_value: float = column(
        "share of the index price credited to stock left at the end, times remaining life / shelf life where life is limited",
        "1",
        default=0.0,
        least=0,
    )
    shortage_cost: float | None = column("price of unmet demand; blank = demand must be met", "money/quantity", least=0)
    below_target_cost: float | None = column("price of stock below a soft target, each period", "money/quantity/period", least=0)
    holding_cost: float = column("holding cost on end-of-period stock, on top of the site's", "money/quantity/month", default=0.0, least=0)
    disposal_cost: float = column("cost of what expires or is thrown away", "money/quantity", default=0.0, least=0)


@dataclass(frozen=True, kw_only=True)
class Site(Row):
    TABLE = "sites"
    site: str = column("name of the site", required=True, key=True)
    buyer: str | None = column("owner of the site; blank = serves all")
    capacity: float | None = column("most stock at period end, all materials together; blank = unlimited", "quantity", least=0)
    cost: float = column("storage cost on end-of-period stock", "money/quantity/month", default=0.0, least=0)
    handling_in: float = column("handling of every arrival and return", "money/quantity", default=0.0, least=0)
    handling_out: float = column("handling of all that leaves for demand or rotation", "money/quantity", default=0.0, least=0)


@dataclass(frozen=True, kw_only=True)
class Supplier(Row):
    TABLE = "suppliers"
    supplier: str = column("name of the supplier or plant", required=True, key=True)
    country: str | None = column("country of the plant")
    bloc: str | None = column("bloc of the country", choices=("domestic", "allied", "other"))
    stage: str = column(
        "how far the plant is",
        default="operating",
        choices=("operating", "commissioning", "building", "announced"),
    )
    start: dt.date | None = column("date the plant can first ship; blank = it ships")
    foreign_feedstock: float = column(
        "share of feedstock that originates in the restricted country, looked through", "1", default=0.0, least=0, most=1
    )


@dataclass(frozen=True, kw_only=True)
class Project(Row):
    TABLE = "projects"
    project: str = column("name of the project", required=True, key=True)
    supplier: str = column("whose plant it is", required=True, refers="suppliers")
    cost: float | None = column("cost that a grant shares; blank = it cannot be granted", "money", least=0)
    match: float = column("the buyer's share of the cost if it grants", "1", default=1.0, least=0, most=1)
    decide_from: dt.date | None = column("first date of a grant; blank = from the start")
    decide_to: dt.date | None = column("last date of a grant; blank = to the end")
    ready_lag_months: float = column("from going ahead to being ready", "months", default=0.0, least=0)
    breakeven_floor: float | None = column(
        "a contract signed at or above it makes the plant go ahead; blank = computed from the four columns that follow",
        "money/quantity",
        least=0,
    )
    capex: float | None = column("capital cost of the plant", "money", least=0)
    opex: float = column("running cost", "money/quantity", default=0.0, least=0)
    rate: float = column("cost of capital", "1/year", default=0.0, least=0, most=1)
    life_years: float | None = column("life of the plant", "years", above=0)
    fund: str | None = column("fund that pays the grant; blank = any that may", refers="funds")


DECIDES = {"order": "offers", "sign": "contracts", "rotate": "outlets", "project": "projects"}


@dataclass(frozen=True, kw_only=True)
class Commitment(Row):
    TABLE = "commitments"
    kind: str = column("what is decided", required=True, choices=("order", "sign", "rotate", "project"))
    name: str = column("offer, contract, outlet or project, after its kind", required=True, names=lambda row: DECIDES[row.kind])
    level: str | None = column("level of the contract (sign); blank = any", names=lambda row: f"floors/{row.name}")
    date: dt.date | None = column("date of the decision, which falls into its period; blank = over the whole horizon")
    quantity: float | None = column("quantity (order, rotate); 1 or blank: it is done, 0: it is not (sign, project)", "quantity", least=0)
    how: str = column("how the plan must keep to it", default="exactly", choices=("exactly", "at_least", "at_most"))


BASE = "base"  # the scenario without events


def larger(first: float, *others: float) -> float:
    """Return the largest of some numbers: among those that record what is done with them by an operation, whichever it is."""
    return functools.reduce(lambda one, other: _chosen(max, "larger", one, other), others, first)


def smaller(first: float, *others: float) -> float:
    """Return the smallest of some numbers, recorded likewise."""
    return functools.reduce(lambda one, other: _chosen(min, "smaller", one, other), others, first)


def _chosen(plain: Callable[[float, float], float], recorded: str, one: float, other: float) -> float:
    choose: Any = getattr(one, recorded, None) or getattr(other, recorded, plain)
    found: float = choose(one, other)
    return found


# --- Time -------------------------------------------------------------------------------------------------------------


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month, `months` later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            if last <= 28:
                raise
    raise AssertionError("every month has 28 days")


@dataclass(frozen=True)
class Calendar:
    """Periods of `months` months from `start`. A period runs from its first day to its last."""

    start: dt.date
    periods: int
    months: int
    fiscal_year_start: int

    def begin(self, period: int) -> dt.date:
        """First day of a period; the period after the last one begins the day after the horizon."""
        if (found := self._begins.get(period)) is None:
            found = self._begins[period] = add_months(self.start, period * self.months)
        return found

    @functools.cached_property
    def _begins(self) -> dict[int, dt.date]:
        return {}

    def end(self, period: int) -> dt.date:
        """Last day of a period."""
        return self.begin(period + 1) - dt.timedelta(days=1)

    def period(self, day: dt.date) -> int:
        """The period that contains a date; negative before the horizon, `periods` or more after it."""
        guess = ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.months
        while self.begin(guess) > day:
            guess -= 1
        while self.begin(guess + 1) <= day:
            guess += 1
        return guess

    def whole(self, months: float) -> int | None:
        """A duration in periods, or None where it is no whole number of them."""
        count = months / self.months
        return round(count) if abs(count - round(count)) < 1e-9 else None

    def count(self, months: float) -> int:
        """A duration in periods; the check has refused any that is not whole."""
        whole = self.whole(months)
        if whole is None:
            raise ValueError(f"{months} months are no whole number of periods of {self.months} months")
        return whole

    def years(self, period: int) -> float:
        """Time from the start of the horizon to the start of a period [years]."""
        return period * self.months / 12

    def fiscal_year(self, period: int) -> int:
        """The fiscal year that contains the first day of a period, named by the calendar year in which it ends."""
        if (found := self._fiscal_years.get(period)) is None:
            day = self.begin(period)
            found = self._fiscal_years[period] = day.year + (1 if 1 < self.fiscal_year_start <= day.month else 0)
        return found

    @functools.cached_property
    def _fiscal_years(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True)
class Tree:
    """The horizon as a tree of nodes 0, 1, …, parents before children. A chain is the tree of one scenario.

    `period[n]` is the period of node n, `parent[n]` its parent (None at the root), `probability[n]` the probability
    that n is passed.
    """

    period: tuple[int, ...]
    parent: tuple[int | None, ...]
    probability: tuple[float, ...]

    @classmethod
    def chain(cls, periods: int) -> Tree:
        return cls(tuple(range(periods)), (None, *range(periods - 1)), (1.0,) * periods)

    @property
    def nodes(self) -> range:
        return range(len(self.period))

    @functools.cached_property
    def leaves(self) -> tuple[int, ...]:
        inner = set(self.parent)
        return tuple(n for n in self.nodes if n not in inner)

    @functools.cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """For each node, the nodes from the root to it."""
        found: list[tuple[int, ...]] = []
        for parent in self.parent:
            found.append((*(found[parent] if parent is not None else ()), len(found)))
        return tuple(found)

    @functools.cached_property
    def below(self) -> tuple[tuple[int, ...], ...]:
        """For each node, itself and all that descend from it, parents before children."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for each in self.paths[node]:
                found[each].append(node)
        return tuple(tuple(nodes) for nodes in found)

    def back(self, node: int, periods: int) -> int | None:
        """The ancestor `periods` before a node; None before the root."""
        path = self.paths[node]
        return path[-1 - periods] if periods < len(path) else None

    @functools.cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each node, those of which it is the parent."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node, parent in enumerate(self.parent):
            if parent is not None:
                found[parent].append(node)
        return tuple(tuple(nodes) for nodes in found)

    def later(self, node: int, periods: int) -> list[int]:
        """The descendants `periods` after a node, on every path; itself after none, none past the horizon."""
        found = [node]
        for _ in range(periods):
            found = [child for each in found for child in self.children[each]]
        return found

    @functools.cached_property
    def at(self) -> Mapping[int, tuple[int, ...]]:
        """The nodes of each period."""
        found: dict[int, list[int]] = {}
        for node, period in enumerate(self.period):
            found.setdefault(period, []).append(node)
        return {period: tuple(nodes) for period, nodes in found.items()}


# --- All tables -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stockpile:
    """All rows of a workbook, and where each stood. `header[table][column]` is the letter of a column; for `settings`
    the row of a name."""

    settings: Settings
    tables: Mapping[type[Row], tuple[Row, ...]] = field(default_factory=dict)
    header: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shape: Tree | None = None  # of the scenarios, once unfolded; None: a chain
    views: tuple[Stockpile, ...] = ()  # the rows at each node
    scenarios: Mapping[str, int] = field(default_factory=dict)  # the leaf of each scenario
    classes: Mapping[str, tuple[range, ...]] | None = None  # of ages, by material, once `build` has looked for them
    anchor: Scale | None = None  # the scale of the stockpile from which this one was changed; None: its own

    def rows(self, kind: type[R]) -> tuple[R, ...]:
        """The rows of a table, in the order of the sheet."""
        return typing.cast("tuple[R, ...]", self.tables.get(kind, ()))

    def keyed(self, kind: type[R]) -> Mapping[str, R]:
        """The rows of a table with one key column, by key."""
        cache: dict[type[Row], Mapping[str, Any]] = self._keyed
        if kind not in cache:
            (key,) = keys(kind)
            cache[kind] = {get(row, key): row for row in self.rows(kind)}
        return cache[kind]

    @functools.cached_property
    def _keyed(self) -> dict[type[Row], Mapping[str, Any]]:
        return {}

    def names(self, table: str) -> tuple[str, ...]:
        """The keys of a table with one key column, or the indices of `prices`, by the table's name."""
        if table == Price.TABLE:
            return tuple(self._series)
        found = next((kind for kind in self.tables if table == kind.TABLE), None)
        return tuple(self.keyed(found)) if found else ()

    def given(self, kind: type[Row]) -> bool:
        """Whether the workbook holds the table with any row; an empty one is none."""
        return bool(self.tables.get(kind))

    @functools.cached_property
    def scale(self) -> Scale:
        """The units of quantity and money in which a plan is searched for; thresholds are numbers of them."""
        return self.anchor or scale_of(self._figures())

    def _figures(self) -> Iterator[Figure]:
        for kind, rows in self.tables.items():
            measured = [each for each in columns(kind) if each.kind == "number" and each.unit]
            for row in rows:
                for each in measured:
                    if value := getattr(row, each.field):
                        yield Figure(each.unit, 0 if each.need else 1 if each.required else 2, abs(value))
                if isinstance(row, Price):
                    yield from (Figure("money/quantity", 1, abs(value)) for value in row.values.values())

    def anchored(self) -> Stockpile:
        """Keep the scale through changes, so that the cases of a study, and the rows at the nodes of a tree, have one."""
        return self if self.anchor is not None else replace(self, anchor=self.scale)

    @functools.cached_property
    def calendar(self) -> Calendar:
        s = self.settings
        return Calendar(s.start, s.periods, s.period_months, s.fiscal_year_start)

    @functools.cached_property
    def tree(self) -> Tree:
        return self.shape or Tree.chain(self.settings.periods)

    def at(self, node: int) -> Stockpile:
        """The rows as they stand at a node. Every input is read at the node at which it is used."""
        return self.views[node] if self.views else self

    @functools.cached_property
    def variants(self) -> tuple[Stockpile, ...]:
        """The rows as they are anywhere in the tree, each once: what holds at any node is looked for in all of them."""
        return tuple(dict.fromkeys(self.views)) or (self,)

    @functools.cached_property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        """For each node the scenarios that pass it."""
        found: list[list[str]] = [[] for _ in self.tree.nodes]
        for name, leaf in (self.scenarios or {BASE: self.tree.leaves[0]}).items():
            for node in self.tree.paths[leaf]:
                found[node].append(name)
        return tuple(tuple(names) for names in found)

    @functools.cached_property
    def trunk(self) -> frozenset[int]:
        """The nodes that all scenarios pass: one for each period until the first of them is known."""
        return frozenset(node for node, names in enumerate(self.holds) if len(names) == max(1, len(self.scenarios)))

    def where(self, node: int) -> dict[str, Any]:
        """The columns of a `Dated` row that say for which scenarios it holds."""
        return {"scenarios": self._listed[node], "probability": self.tree.probability[node]}

    @functools.cached_property
    def _listed(self) -> tuple[str, ...]:
        """For each node the scenarios that pass it, in words."""
        return tuple(ALL if node in self.trunk else ", ".join(names) for node, names in enumerate(self.holds))

    def discount(self, period: int) -> float:
        """What money at the start of a period is worth at the start of the horizon [1]."""
        if (found := self._discounts.get(period)) is None:
            found = self._discounts[period] = (1 + self.settings.discount_rate) ** -self.calendar.years(period)
        return found

    @functools.cached_property
    def _discounts(self) -> dict[int, float]:
        return {}

    def price(self, index: str, node: int) -> float:
        """An index at a node, read at the start of its period [money/quantity]."""
        if (found := self._prices.get((index, node))) is None:
            found = self._prices[index, node] = self.at(node).price_on(index, self.calendar.begin(self.tree.period[node]))
        return found

    @functools.cached_property
    def _prices(self) -> dict[tuple[str, int], float]:
        return {}

    def price_on(self, index: str, day: dt.date) -> float:
        """An index on a day: linear between dates, flat before the first and after the last [money/quantity]."""
        points = self._series[index]
        after = next((k for k, (date, _) in enumerate(points) if date >= day), len(points))
        if after == 0 or after == len(points):
            return points[min(after, len(points) - 1)][1]
        (d0, v0), (d1, v1) = points[after - 1], points[after]
        return v0 + (v1 - v0) * ((day - d0).days / (d1 - d0).days)

    @functools.cached_property
    def _series(self) -> Mapping[str, list[tuple[dt.date, float]]]:
        found: dict[str, list[tuple[dt.date, float]]] = {}
        for row in sorted(self.rows(Price), key=lambda row: row.date):
            for index, value in row.values.items():
                found.setdefault(index, []).append((row.date, value))
        return found

    @functools.cached_property
    def sites(self) -> Mapping[str, Site]:
        """The sites by name; without the table one site, free and unlimited."""
        return self.keyed(Site) or {"stockpile": Site(site="stockpile")}

    @functools.cached_property
    def owners(self) -> Mapping[str | None, tuple[str, ...]]:
        """The sites of each buyer, by buyer; those that serve all stand under None."""
        found: dict[str | None, list[str]] = {}
        for name, site in self.sites.items():
            found.setdefault(site.buyer, []).append(name)
        return {buyer: tuple(names) for buyer, names in found.items()}

    def shelf_life(self, material: str) -> int | None:
        """Shelf life of a material [periods]; None = unlimited."""
        if material not in self._shelf_lives:
            months = self.keyed(Material)[material].shelf_life_months
            self._shelf_lives[material] = None if months is None else self.calendar.count(months)
        return self._shelf_lives[material]

    @functools.cached_property
    def _shelf_lives(self) -> dict[str, int | None]:
        return {}

    def life(self, material: str) -> int | None:
        """Shelf life of a material [periods], as far as the horizon can tell it from a longer one; None = unlimited. A life of a million
        months costs no more than one that ends after the horizon."""
        if material not in self._lives:
            life = self.shelf_life(material)
            self._lives[material] = None if life is None else min(life, self._longest_life)
        return self._lives[material]

    @functools.cached_property
    def _lives(self) -> dict[str, int | None]:
        return {}

    @functools.cached_property
    def _longest_life(self) -> int:
        """A life that no metal reaches the end of: the horizon, the age of the oldest lot at its start, and the most life that any row
        asks metal still to have [periods]."""
        asked, begun = 0.0, self.settings.start
        for kind, rows in self.tables.items():
            for column in columns(kind):
                if column.unit == "months" and "life" in column.name and column.name != "shelf_life_months":
                    asked = max([asked, *(get(row, column.name) or 0.0 for row in rows)])
                elif column.name == "made":
                    begun = min([begun, *(get(row, column.name) or begun for row in rows)])
        return self.settings.periods - self.calendar.period(begun) + math.ceil(asked / self.calendar.months) + 1

    def ages(self, material: str) -> range:
        """The ages at which a material can be on hand [periods]; one class where life is unlimited."""
        return range(self.life(material) or 1)

    def age_classes(self, material: str, node: int) -> tuple[range, ...]:
        """The ages at which a material can be on hand at a node, those together that nothing in the workbook tells apart. A class
        goes by its first age."""
        return (self.classes or {}).get(material) or _each_alone(len(self.at(node).ages(material)))

    def first_ages(self, material: str, node: int) -> list[int]:
        """The first age of each class at a node."""
        return [ages.start for ages in self.age_classes(material, node)]

    def firm(self, node: int) -> bool:
        """Whether orders at a node are whole: placed or not, in whole lots, at one price; later ones may be relaxed."""
        most = self.settings.firm_periods
        return most is None or self.tree.period[node] < most

    def counts(self, supplier: str) -> bool:
        """Whether a supplier is at a stage that the settings count."""
        stages = self.settings.supply_stages
        return not stages or self.keyed(Supplier)[supplier].stage in stages

    def shipping(self, supplier: str) -> int:
        """First period in which a supplier can ship (0 where it ships already)."""
        start = self.keyed(Supplier)[supplier].start
        return 0 if start is None else max(0, self.calendar.period(start))

    def cell(self, row: Row, column: str = "") -> str:
        """The address of a row's cell, `budgets!D5`; the table and key where there is no sheet."""
        return self.address(row.TABLE, row.line, column)

    def address(self, table: str, line: int, column: str = "") -> str:
        letters = self.header.get(table, {})
        if table == "settings":
            return f"settings!{letters[column]}" if column in letters else f"settings.{column}" if column else table
        if not line:
            return f"{table}.{column}" if column else table
        return f"{table}!{letters.get(column, 'A')}{line}"


@functools.cache
def _each_alone(ages: int) -> tuple[range, ...]:
    return tuple(range(age, age + 1) for age in range(ages))


def overlap(calendar: Calendar, begin: dt.date | None, end: dt.date | None) -> range:
    """The periods of the horizon from one date to another; a blank date is no limit."""
    first = 0 if begin is None else max(0, calendar.period(begin))
    last = calendar.periods - 1 if end is None else min(calendar.periods - 1, calendar.period(end))
    return range(first, last + 1)


def whole_periods(stockpile: Stockpile, row: Row, *names: str) -> Iterator[Problem]:
    """A duration that is no whole number of periods, for each of the named columns."""
    calendar = stockpile.calendar
    above = {each.name: each.above for each in columns(type(row))}
    for name in names:
        months = get(row, name)
        if months is not None and calendar.whole(months) is None:
            below = int(months // calendar.months) * calendar.months
            nearby = [f"{whole}" for whole in (below, below + calendar.months) if whole > 0 or above[name] is None]
            length, found = count(calendar.months, "month"), count(months, "month")
            message = f"must be a whole number of periods of {length}, found {found}; write {' or '.join(nearby)}"
            yield Problem(row.TABLE, row.line, name, message)


LEAST_SHARE = 1e-6  # of a quantity that a solver still sees beside the whole


def seen(row: Row, *names: str) -> Iterator[Problem]:
    """A share so small that a solver takes it for none, for each of the named columns."""
    for name in names:
        share = get(row, name)
        if 0 < share < LEAST_SHARE:
            message = f"must be 0 (nothing) or at least {LEAST_SHARE:.6f}, found {share:.12g}; write 0 where as good as nothing arrives"
            yield Problem(row.TABLE, row.line, name, message)


def ordered(row: Row, first: str, last: str) -> Iterator[Problem]:
    """A row whose second date is before its first."""
    begin, end = get(row, first), get(row, last)
    if begin is not None and end is not None and end < begin:
        yield Problem(row.TABLE, row.line, last, f"must not be before {first} ({begin}), found {end}")
