"""What a table is: its columns with their units, meanings and bounds, and its rows.

A table of the workbook is a frozen dataclass; each field is a `column`. From that one line come the
check and its message, the data dictionary and the header of a result sheet.
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import keyword
import math
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, Literal, Self, TypeVar

from stockpile_model.acts import Act, Cause, RowFacts
from stockpile_model.calendar import Calendar
from stockpile_model.giving import Gives
from stockpile_model.leads import Lead
from stockpile_model.names import differing, outline
from stockpile_model.tree import ALL

if typing.TYPE_CHECKING:
    from stockpile_model.solved_plan import SolvedPlan
    from stockpile_model.stockpile import Stockpile

Kind = Literal["text", "number", "whole", "date", "yes_no"]
Stress = Literal["", "late", "price", "cut", "shorter"]
"""What can happen to a number or a date, as a stress test asks (see `Column`)."""
Step = Literal["basis", "need", "parties", "means", "limits", "scenarios", "studies"]
STEPS: tuple[Step, ...] = typing.get_args(Step)
"""The steps in which an officer fills a workbook."""
LARGEST = 1e18  # size of a number: no sum of money or metal is larger in any unit
_LONGEST_SHOWN = 80  # characters of a text that a message repeats; no name is longer
_KINDS: dict[type, Kind] = {
    str: "text",
    float: "number",
    int: "whole",
    dt.date: "date",
    bool: "yes_no",
    object: "text",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """Describe what one column of a table means.

    `unit` is text for people: `quantity` and `money` stand for `settings.quantity_unit` and
    `settings.currency`. `field` is the attribute of the row: `name`, with an underscore behind it
    where Python reserves the word. `least` and `most` include the bound, `above` does not. `refers`
    names the table whose key the value must be. `need` says that it is a quantity that is needed:
    how large a workbook's quantities are is read off it. `limit`: it is the `most` or the `least`
    of something, limits plans and costs nothing by itself. `outlier`: a figure far from the other
    prices, or quantities, of its material looks like a slip, be it on `either` side of them or
    `above` them only. `whole_periods`: it is a duration, which must be a whole number of periods.

    `unbuilt` says which values belong to a feature that is not built yet: `True` for all but the
    default, or a tuple of choices. `names` says, for a row, of what the text is a name where
    `refers` does not: a table, or `floors/` and a contract for its levels, or a column such as
    `country` whose names have no table. `prose` is text that is no name: it is kept as it stands.
    `grouped` names a column of the table that it `refers` to: a name in that column may stand here
    too, for all rows that have it.
    `listed` names the list of a template from which the text is taken where `refers` does not;
    where the list depends on another column, `lists_by` names that column and `lists` the list for
    each of its values.
    `numbers` is text that may hold a number, which can be scaled and added to. `owner` names the
    buyer for whom alone the row stands. `age` says when a life begins, how much of it must be left,
    or with how much left metal is received; `asked`: the row depends on how old metal is. `fed`: it
    says how much the row's supplier can bring, for which that needs feedstock. `indexed` says that
    it is a share of the index of a price, and how the price follows from it: index x (1 + share),
    index x (1 - share) or index x share.
    `endowed` says that a group of buyers has its part of the amount alone: it is the column that
    names the row, as the table `endowments` does. `lessens` names the column of the row whose
    amount it lessens, so that a group has the same part of it.
    `stress` says what a stress test does to it: `late` moves the date of a plant, or prolongs the
    time until it is ready; `price` scales a price; `cut` takes a part of money; `shorter` a part of
    a life. `certain`: no scenario can change it, as what has happened before the start.

    Of results: `leads` says where a click on a cell leads; the first of them that has a row does.
    `per` is the column over which a figure is a mean. `given`: the input gives it, so
    it is the same in every scenario. `expected`: it is weighed with the probability of its
    scenarios. `over`: it is weighed so too, in a row of one `node`; or with the probabilities of
    all `scenarios` that follow a decision; or it is the mean over them, given the decision
    (`rest`). `at_end`: of a date, its row shows stock at the end of the period that begins with it.
    `sentence`: it holds sentences. `several`: it lists names, as `name_lists` writes them. `alarm`:
    above zero it is what an officer looks for.
    """

    name: str
    field: str
    kind: Kind
    meaning: str
    unit: str = ""
    many: bool = False
    default: Any = None
    required: bool = False
    need: bool = False
    limit: Literal["", "most", "least"] = ""
    outlier: Literal["", "either", "above"] = ""
    whole_periods: bool = False
    key: bool = False
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[Any, ...] = ()
    refers: str = ""
    grouped: str = ""
    unbuilt: bool | tuple[str, ...] = False
    names: Callable[[Any], str] | None = None
    listed: str = ""
    lists_by: str = ""
    lists: tuple[tuple[str, str], ...] = ()
    prose: bool = False
    numbers: bool = False  # of text: it may hold a number, which can be scaled and added to
    owner: bool = False  # it names the buyer for whom alone the row stands
    age: Literal["", "begins", "left", "received", "asked"] = ""  # of a life, or that age counts
    endowed: str = ""  # the column by which endowments name the row of this amount
    lessens: str = ""  # the column that names the row whose endowed amount it lessens
    indexed: Literal["", "more", "less", "times"] = ""  # a share of the index of a price
    stress: Stress = ""  # what a stress test does to it
    certain: bool = False  # no scenario can change it
    fed: bool = False  # how much the row's supplier can bring, for which that needs feedstock
    leads: tuple[Lead, ...] = ()  # of results: where a click on a cell leads
    per: str = ""  # of results: it is a mean over this column
    given: bool = False  # of results: the input gives it, so it is the same in every scenario
    expected: bool = False  # of results: it is weighed with the probability of its scenarios
    over: Literal["", "node", "scenarios", "rest"] = ""  # of results: over what it is weighed
    at_end: bool = False  # of results: a date whose row shows stock at the end of its period
    sentence: bool = False  # of results: it holds sentences
    several: bool = False  # of results: it lists names
    alarm: bool = False  # of results: above zero it is what an officer looks for

    @property
    def divisible(self) -> bool:
        """Return whether a figure over its probability is that of each of its scenarios."""
        return self.expected or self.over == "node"

    @property
    def adds_up(self) -> bool:
        """Return whether a figure is weighed with the probability of its row, so that the sum over
        rows is the mean over scenarios."""
        return self.divisible or self.over == "scenarios"

    @property
    def weighed(self) -> bool:
        """Return whether its figures of a plan with scenarios are those of no scenario alone."""
        return self.expected or bool(self.over)

    def fault(self, value: Any) -> str:
        """Return what is wrong with a value of the right kind, and how to fix it.

        It is blank where nothing is.
        """
        if value is None:
            return "is required and must not be blank" if self.required else ""
        if self.many:
            return next((fault for item in value if (fault := self._fault(item))), "")
        return self._fault(value)

    def _fault(self, value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return f"must be a finite number, found {value}; write the number that is meant"
        if self.choices and value not in self.choices:
            hint = nearest(value, self.choices) if isinstance(value, str) else ""
            return (
                f"must be one of {', '.join(map(str, self.choices))}, found {quoted(value)}{hint}"
            )
        if self.kind in ("number", "whole"):
            if self.above is not None and not value > self.above:
                return f"must be above {self.above:g}, found {value:.12g}"
            if self.least is not None and not value >= self.least:
                return f"must be at least {self.least:g}, found {value:.12g}"
            if self.most is not None and not value <= self.most:
                hint = (
                    f"; shares are fractions: write {value / 100:.12g} for {value:.12g} %"
                    if self.most == 1 and value <= 100
                    else ""
                )
                return f"must be at most {self.most:.12g}, found {value:.12g}{hint}"
            if abs(value) > LARGEST:
                return f"must be at most {LARGEST:g} in size, found {value:.12g}; see its unit"
        if isinstance(self.unbuilt, tuple) and value in self.unbuilt:
            return f"{value!r} is not supported yet"
        if self.unbuilt is True and value != self.default:
            return "is not supported yet; leave the cell blank"
        return ""


def column(
    meaning: str | Callable[[], str],
    unit: str = "",
    *,
    default: Any = None,
    required: bool = False,
    **rest: Any,
) -> Any:
    """Return a dataclass field for one column; a required one has no default.

    `rest` are the fields of `Column`. A function as `meaning`, `choices` or `lists` is called once
    all blocks are known.
    """
    about = {"meaning": meaning, "unit": unit, "default": default, "required": required, **rest}
    return field(default=MISSING if required else default, metadata={"column": about})


def quoted(value: Any) -> str:
    """Return what a cell holds, with quotation marks where it is text.

    A long text is shown by its beginning.
    """
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]} …{shown[-1]}"


def apart(name: str, other: str) -> str:
    """Return a name in quotation marks, as a message shows it next to another.

    Where the two look alike, what differs stands behind it.
    """
    return quoted(name) + differing(name, other)


def closest(name: str, known: Iterable[Any]) -> str | None:
    """Return the known name that looks most like another; None where none is close."""
    if len(name) > _LONGEST_SHOWN:
        return None
    seen = {outline(str(item)): str(item) for item in reversed([*known])}
    close = difflib.get_close_matches(outline(name), seen, n=1, cutoff=0.6)
    return seen[close[0]] if close else None


def nearest(name: str, known: Iterable[Any]) -> str:
    """Return ` (did you mean 'x'?)` when a known name is close, else nothing."""
    close = closest(name, known)
    return "" if close is None else f" (did you mean {apart(close, name)}?)"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table.

    `line` is its row in the sheet (0 where there is no sheet); `ranges` holds, by column, the low
    and high that a study may use (workbook contract, reading rule 4). `filled` names the columns
    whose cells hold something, also where that is the default. `TABLE` is its sheet,
    `PURPOSE` what the sheet is for, `STEP` when an officer fills it. `OPEN`: where a table has a
    column for each member of something, what one such column is. `CERTAIN`: no scenario can change
    its cells. `GIVES`: how its cells can give way where no plan exists, by column.
    """

    TABLE: ClassVar[str] = ""
    OPEN: ClassVar[str] = (
        ""  # where a table has a column for each member of something: what one such column is
    )
    CERTAIN: ClassVar[bool] = False  # no scenario can change its cells
    PURPOSE: ClassVar[str] = ""  # what the table is for
    STEP: ClassVar[Step] = "means"  # when an officer fills it
    GIVES: ClassVar[Gives] = {}  # how its cells can give way where no plan exists

    line: int = 0
    source: str | None = None
    source_date: str | None = None
    confidence: str | None = None
    note: str | None = None
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    filled: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def given(self, about: Column) -> bool:
        """Return whether the workbook gives the value of a column; else it is the default."""
        return about.name in self.filled or getattr(self, about.field) != about.default

    def measured(self, about: Column) -> str:
        """Return the unit of a cell: that of its column, where that does not leave it open."""
        return about.unit

    @classmethod
    def beyond(cls, rows: Sequence[Any], end: dt.date) -> Iterable[Any]:
        """Return the rows that say nothing of a horizon which ends on a date, and may leave it."""
        return ()


ROW_FIELDS = frozenset(each.name for each in fields(Row))
PROVENANCE = ("source", "source_date", "confidence", "note")
R = TypeVar("R", bound=Row)
T = TypeVar("T")


def columns(kind: type) -> tuple[Column, ...]:
    """Return the columns of a row type, in order.

    Types are resolved, since under postponed evaluation they are text.
    """
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
        about = dict(each.metadata["column"])
        for name in ("choices", "leads", "lists", "meaning"):
            if callable(about.get(name)):  # known only once all blocks are
                about[name] = about[name]()
        yield Column(
            name=each.name.rstrip("_"), field=each.name, kind=_KINDS[hint], many=many, **about
        )


def in_order(kinds: Iterable[type[Row]]) -> list[type[Row]]:
    """Return tables in the order in which an officer fills them.

    They stand step by step; within a step in their given order, each after those it refers to.
    """
    found: list[type[Row]] = []
    given = list(kinds)
    for step in STEPS:
        waiting = [kind for kind in given if step == kind.STEP]
        while waiting:
            ready = next((kind for kind in waiting if not _refers(kind, waiting)), waiting[0])
            waiting.remove(ready)
            found.append(ready)
    return found


def _refers(kind: type[Row], others: Iterable[type[Row]]) -> bool:
    """Return whether a table refers to another of some tables."""
    tables = {other.TABLE for other in others if other is not kind}
    return any(each.refers in tables for each in columns(kind))


def keys(kind: type) -> tuple[str, ...]:
    """Return the names of a row type's key columns."""
    return tuple(each.name for each in columns(kind) if each.key)


def get(row: Any, name: str) -> Any:
    """Return the value of a row's column, by the name the workbook gives it."""
    return getattr(row, f"{name}_" if keyword.iskeyword(name) else name)


INSTRUCTION, SCENARIOS = "instruction", "scenarios"
"""The column of what to do, behind what it is about, and that of when."""

Side = Literal["", "in", "out", "waste", "held", "missing"]
SIDES: tuple[Side, ...] = typing.get_args(Side)
"""Where a line of the summary stands in the balance of metal, in the order of the lines."""


@dataclass(frozen=True)
class SummedLine:
    """A line of the summary: the expected sum of a column of result rows [quantity].

    Summed are the rows that have the values of `where` and not all of those of `but`. `side`: metal
    that comes `in`, goes `out`, is `waste`, is `held` at the end of the last period, or is
    `missing`. Lines of one side stand by `place`.
    """

    label: str
    column: str
    side: Side = ""
    note: str = ""
    where: tuple[tuple[str, object], ...] = ()
    but: tuple[tuple[str, object], ...] = ()
    place: int = 50


@dataclass(frozen=True)
class ComparedSum:
    """Describe what plans are compared by: the expected sum of a column for each name in `of`
    [`unit`].

    It is a decision, unless it is `money` that becomes of something. `first`: what the date of the
    first row of each name is called; blank where it is not compared.
    `dated`: what the sum of one date is called; blank where dates are not compared one by one.
    """

    what: str
    of: str
    column: str
    first: str = ""
    dated: str = ""
    unit: Literal["quantity", "money"] = "quantity"


@dataclass(frozen=True)
class ComparedChoice:
    """Describe what plans are compared by: what is chosen for each name in `of`, and when.

    `chosen` is the column of the choice, `when` that of its date. `otherwise` is what is shown
    where that column is blank or says so itself: nothing is chosen.
    """

    what: str
    of: str
    chosen: str
    when: str
    otherwise: str


@dataclass(frozen=True)
class DeedColumns:
    """The columns by which result rows show a decision that a commitment can name.

    `kind` is that of the deed. Without `quantity` a row with a name and a date is done once; rows
    with the same name, level and date add up. Without `level` it has none.
    """

    kind: str
    name: str
    date: str
    quantity: str = ""
    level: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of a plan; its columns carry unit and meaning like a table's.

    `SHEET` is the sheet of the plan on which it stands, `ABOUT` what that sheet holds. Sheets stand
    by `PLACE`, those of one place in the order of the blocks. Not `ALWAYS`: the sheet is there only
    where it has rows.

    Some figures depend on what comes after the scenarios part. Rows of different branches with the
    same `MEANS` are one row, whose figures are means; none are where it is blank. `DECIDED` is the
    column with the date by which the row is decided.

    `BRIEF` is the title of its rows where a plan is shown in brief, as in a terminal; blank: they
    are not shown there. `RANK` is that of its instructions (a column `instruction`) among the first
    steps of a plan, the weightiest being 1; 0: its rows hold none.

    `DEED` are the columns by which its rows show decisions; None: they show none. `LETTER` begins
    the numbers of the actions that its rows are (see `act`); blank: they are none.

    `SUMMED` are its lines of the summary, `COMPARED` what plans are compared by. `NAMED` are the
    columns by which a message names a row; blank: those before its first figure. `BUYS`: a sentence
    of what is done says that metal is bought. A sheet that is `FOR_PROGRAMS` stands behind those
    that people read, and only its beginning is printed. `ORDER` are the columns by which its rows
    stand, where it has them all; rows of the same values keep their order. `PARTED` is the
    column at each new value of which a line parts the rows of the sheet; blank: none does.
    `PRINTED` is the last column that is printed, where the sheet has it; else all are. A sheet that
    is `ONE_ACROSS` is printed one page across: its texts wrap. `RENEWED`
    are rows of dates or fiscal years that planning again replaces, a year ahead at the latest: the
    first year of them is printed.
    """

    SHEET: ClassVar[str] = ""
    ABOUT: ClassVar[str] = ""
    PLACE: ClassVar[int] = 90
    ALWAYS: ClassVar[bool] = True
    MEANS: ClassVar[tuple[str, ...]] = ()
    DECIDED: ClassVar[str] = ""
    BRIEF: ClassVar[str] = ""
    RANK: ClassVar[int] = 0
    SUMMED: ClassVar[tuple[SummedLine, ...]] = ()
    COMPARED: ClassVar[tuple[ComparedSum | ComparedChoice, ...]] = ()
    NAMED: ClassVar[tuple[str, ...]] = ()
    BUYS: ClassVar[bool] = False
    FOR_PROGRAMS: ClassVar[bool] = False
    DEED: ClassVar[DeedColumns | None] = None
    LETTER: ClassVar[str] = ""
    ORDER: ClassVar[tuple[str, ...]] = ("date",)
    PARTED: ClassVar[str] = ""
    PRINTED: ClassVar[str] = INSTRUCTION
    ONE_ACROSS: ClassVar[bool] = False
    RENEWED: ClassVar[bool] = False

    def act(self, now: Stockpile) -> Act | None:
        """Return what the row asks an officer to do; None where it asks nothing.

        `now` are the rows of the input as they stand on the date of the row.
        """
        return None

    def cause(self) -> Cause | None:
        """Return the action from which the row follows; None where it follows from none."""
        return None

    def because(self, facts: RowFacts) -> Iterable[str]:
        """Return why it is done, by what is known of the plan: clauses of a sentence."""
        return ()

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterable[str]:
        """Return sentences of the verdict: what is done."""
        return ()

    @classmethod
    def missed(cls, plan: SolvedPlan) -> Iterable[str]:
        """Return sentences of the verdict: what is asked for, and whether it is there."""
        return ()

    @classmethod
    def in_order(cls, rows: Sequence[Any]) -> list[Any]:
        """Return rows as they stand on their sheet: by the columns of `ORDER`, if it has them."""
        fields = {each.name: each.field for each in columns(cls)}
        if not fields.keys() >= set(cls.ORDER):
            return [*rows]
        by = attrgetter(*(fields[name] for name in cls.ORDER))
        try:
            return sorted(rows, key=by)
        except TypeError:  # some are blank
            return sorted(rows, key=lambda row: _comparable(by(row)))

    @classmethod
    def named_by(cls) -> tuple[str, ...]:
        """Return the columns by which a message names a row."""
        of = {each.name for each in columns(Dated)}
        own = (each for each in columns(cls) if each.name not in of)
        before = itertools.takewhile(lambda each: each.kind in ("text", "date"), own)
        return cls.NAMED or tuple(each.name for each in before)

    def joined(self, other: Self) -> Self:
        """Return the row of two branches of the scenarios: this one, with what the other adds."""
        return self

    def of_branches(self, first: Self, rows: Collection[Result], settings: Any) -> Self:
        """Return the row of many branches, whose figures are means, with what follows from them.

        `first` is that of the first branch, `rows` are those of all types.
        """
        return self

    @classmethod
    def dated_by(cls) -> str:
        """Return the column that says when its rows are decided or happen; blank: none does."""
        return cls.DECIDED or ("date" if any(each.name == "date" for each in columns(cls)) else "")

    def last_day(self, calendar: Calendar) -> dt.date | None:
        """Return the first day of the last period that the row is about; None: all periods."""
        return None


@dataclass(frozen=True, kw_only=True)
class Dated(Result):
    """A result of some scenarios; without scenarios of all.

    Sums over its rows weigh each by its probability.
    """

    scenarios: str = column("scenarios it holds for", default=ALL, several=True)
    probability: float = column("probability of these scenarios", "1", default=1.0)

    def last_day(self, calendar: Calendar) -> dt.date | None:
        """Return the date of the row, where it has one."""
        day: dt.date | None = getattr(self, "date", None)
        return day


def _comparable(value: Any) -> Any:
    """Return the values by which rows are sorted: a blank stands before all."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple((each is not None, each) for each in values)


def on_sheet(kind: type[Result], parted: bool = True) -> list[Column]:
    """Return the columns of result rows in the order of their sheet.

    An instruction stands behind what it is about: the columns up to the first quantity. Where the
    rows are `parted` by scenarios and the sheet is printed up to a column, those for which a row
    holds stand there too, so that they are printed. Else they and their probability stand last.
    """
    own = [*columns(kind)]
    known = {each.name for each in columns(Dated)} if issubclass(kind, Dated) else set()
    of = [each for each in own if each.name in known]
    printed = any(each.name == kind.PRINTED for each in own)
    words = [each for each in own if each.name == INSTRUCTION]
    early = [each for each in of if parted and printed and each.name == SCENARIOS]
    own = [each for each in own if each not in of and each not in words]
    first = next((c for c, each in enumerate(own, 1) if each.unit == "quantity"), len(own))
    last = [each for each in of if each not in early]
    return own[:first] + early + words + own[first:] + last


@dataclass(frozen=True)
class Problem:
    """Describe what is wrong with the input, or (`warning`) odd about it, by table, line and column
    name.

    A message that starts with is, must, needs, has or caps continues the column's name, which
    whoever shows it puts in front; any other stands alone.
    """

    table: str
    line: int
    column: str
    message: str
    warning: bool = False

    @property
    def sentence(self) -> str:
        """Return the message, with the name of its column where it continues that."""
        continues = self.column and self.message.startswith(
            tuple(f"{verb} " for verb in ("is", "must", "needs", "has", "caps"))
        )
        return f"{self.column} {self.message}" if continues else self.message
