"""What a twin is: the audit of one concern of the plan, with all that the rest of the audit needs.

No module of the audit keeps a list of concerns, of their tables, sheets or headings: it asks the
`Twins`. So a new concern is one module with a `Twin`, and its line in `TWINS`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from stockpile_model.schema import Side

if TYPE_CHECKING:
    from optimiser.auditing.path_audit import PathAudit
    from optimiser.auditing.plan_sheets import Line
    from optimiser.auditing.together import Together


@dataclass(frozen=True)
class AuditedHeading:
    """A heading of money.

    `use`: what an appropriation must allow to pay it; blank where none pays it, or where it is that
    of what it is paid for. `cash`: whether money moves. `penalty`: the column of `materials` with
    its price, where that is paid to nobody. `payer`: the table whose rows may name in `fund` the
    only fund that pays. `receiver`: the table whose rows may name in `fund` the fund that receives.
    `after`: whether it may stand a period after the last.
    """

    name: str
    use: str = ""
    cash: bool = True
    penalty: str = ""
    payer: str = ""
    receiver: str = ""
    after: bool = False


@dataclass(frozen=True)
class AuditedMovement:
    """A kind of movement of metal, into stock or out of it.

    check(path, line, t): compare what only this kind has, and charge its handling.
    """

    name: str
    enters: bool
    check: Callable[[PathAudit, Line, int], None]


@dataclass(frozen=True)
class AuditedInstruction:
    """Describe what the instruction of a row must hold: the columns of its names, figures and
    dates.

    Rows with the same names and the same first date are one decision.
    """

    names: tuple[str, ...]
    figures: tuple[str, ...]
    dates: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AuditedAct:
    """Describe what rows of a sheet that are actions are about: rows of `table`, by the columns
    that say so.

    `name`, `level` and `supplier`: the columns of what it is about and with whom. `date`: that on
    which it is decided; `comes`: on which its metal comes; of an action that `lasts` what follows
    may be of any later date. `decisions`: the values of the column `decision` of the rows that are
    actions; without them all are that have a name. `quantity`: the column of what is signed, which
    rows of one number `add` up; `expected`: of what comes by it; `price`: of a unit; `cost`: of all
    that is paid for it. `weighed`: what comes and what is paid are weighed with the probability of
    the row. `invoice`: the column of the most to pay at once, or `fees` those of the table that are
    it together; `receipt` of what is received, `due` when. `until`: the column of the table with
    the last day for it, where something is to be paid or `always`. `deed`: the kind of commitment,
    which asks for `metal` (a row without any is then no action) or for how often it is done.
    `relaxed`: it is a forecast beyond `firm_periods`.
    """

    table: str
    name: str
    date: str = "date"
    level: str = ""
    supplier: str = ""
    comes: str = ""
    lasts: bool = False
    decisions: tuple[str, ...] = ()
    quantity: str = ""
    adds: bool = False
    expected: str = ""
    price: str = ""
    cost: str = ""
    weighed: bool = False
    invoice: str = ""
    fees: tuple[str, ...] = ()
    receipt: str = ""
    due: str = ""
    until: str = ""
    always: bool = True
    deed: str = ""
    metal: bool = True
    relaxed: bool = False

    def asks(self, line: Line) -> bool:
        """Return whether a row is an action."""
        decided = not self.decisions or line["decision"] in self.decisions
        signed = not (self.quantity and self.metal) or line[self.quantity]
        return bool(decided and signed) and None not in (line[self.name], line[self.date])

    def leads(self, line: Line, day: dt.date, comes: bool) -> bool:
        """Return whether what is of a day follows from a row: it was decided, or comes, then."""
        if self.lasts:
            return bool(line[self.date] <= day)
        column = self.comes if comes else self.date
        return bool(column) and bool(line[column] == day)


@dataclass(frozen=True, kw_only=True)
class AuditedSheet:
    """A sheet of the plan, as far as it differs from others.

    `date`: the column with the date of what a row decides. `window`: its column with the window of
    a rule, at whose end a row must use nothing that is not known. `decision`: the columns that name
    a decision whose rows together hold for all that share its period. `member`: its column for each
    row of the table of the sheet's name, all of which stand on it. `act`: how its rows are actions,
    where they are. `solved`: the columns that only
    a solver knows, or an officer fills in. `announced`: those that follow from an announced plan
    too, and are compared where that is given. `on_average`: a row of all scenarios may say what
    holds over them together, and decides nothing.
    """

    name: str
    date: str = "date"
    window: str = ""
    decision: tuple[str, ...] = ()
    member: str = ""
    instruction: AuditedInstruction | None = None
    act: AuditedAct | None = None
    solved: tuple[str, ...] = ()
    announced: tuple[str, ...] = ()
    on_average: bool = False


@dataclass(frozen=True)
class AuditedDeed:
    """A decision that a plan announces; commitments name the most of them.

    `table`: of its rows. planned(path, name, level, t): what the plan does of it, in a period or
    (None) over the horizon. worth(path, name, level, t): what a unit of it moves in a period
    [money/quantity, or money]; None where nothing says. `metal`: it is counted as a quantity of the
    material of its row, else in times.
    """

    kind: str
    table: str
    planned: Callable[[PathAudit, str, str | None, int | None], float]
    worth: Callable[[PathAudit, str, str | None, int], float | None] = lambda *_: None
    metal: bool = True


Done = Mapping[tuple[str, str | None, int], float]
"""What a plan does of something, by its name, its level and the period."""


@dataclass(frozen=True)
class AuditedChoice:
    """Describe what the sheet of reasons calls a choice.

    done(path): what the plan does of each in each period. skips(path): the names whose amounts are
    no metal, and are not compared.
    """

    kind: str
    done: Callable[[PathAudit], Done]
    skips: Callable[[PathAudit], Collection[str]] = lambda path: ()


@dataclass(frozen=True)
class AuditedTotal:
    """A total of the summary: the expected sum of a column of a sheet.

    It is over the rows that have the values of `where` and not all of those of `but`; with `last`
    over those of the last period. `side`: where it stands in the balance of metal; what is
    `missing` is part of the shortfall.
    """

    label: str
    sheet: str
    column: str
    where: Mapping[str, object] = field(default_factory=dict)
    but: Mapping[str, object] = field(default_factory=dict)
    last: bool = False
    side: Side = ""


FREIGHT = AuditedHeading("freight")
DUTY = AuditedHeading("duty")
DISPOSAL = AuditedHeading("disposal", "rotation")
"""The headings of several concerns."""


class Size(NamedTuple):
    """A column of quantities by which the noise of a material is scaled."""

    table: str
    column: str


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The audit of one concern.

    On each path the functions of all twins run phase by phase: `read` what the plan shows, `decide`
    (compare decisions with their terms), `follow` (compare what follows from the decisions of all
    twins), `settle` (compare money, once all of it is due). Then `conclude` compares what all paths
    have together.

    Headings, movements, deeds, choices: those of the concern. Sheets: those that differ from
    others. Totals: what the summary sums up of its sheets.
    Sources: the tables whose rows bring metal of a supplier, with the use of what is paid for them.
    Needs, decisions, limits: the sizes of what is required of a material, of the least decision
    about it, and of what limits it.
    """

    headings: tuple[AuditedHeading, ...] = ()
    movements: tuple[AuditedMovement, ...] = ()
    sheets: tuple[AuditedSheet, ...] = ()
    deeds: tuple[AuditedDeed, ...] = ()
    choices: tuple[AuditedChoice, ...] = ()
    totals: tuple[AuditedTotal, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Size, ...] = ()
    decisions: tuple[Size, ...] = ()
    limits: tuple[Size, ...] = ()
    read: tuple[Callable[[PathAudit], None], ...] = ()
    decide: tuple[Callable[[PathAudit], None], ...] = ()
    follow: tuple[Callable[[PathAudit], None], ...] = ()
    settle: tuple[Callable[[PathAudit], None], ...] = ()
    conclude: tuple[Callable[[Together], None], ...] = ()


class Twins:
    """All twins, and what they declare, by name."""

    def __init__(self, twins: Sequence[Twin]) -> None:
        self.twins = tuple(twins)
        self.headings = {each.name: each for twin in twins for each in twin.headings}
        self.movements = {each.name: each for twin in twins for each in twin.movements}
        self.sheets = {each.name: each for twin in twins for each in twin.sheets}
        self.deeds = {each.kind: each for twin in twins for each in twin.deeds}
        self.totals = tuple(each for twin in twins for each in twin.totals)
        self.sources = {table: use for twin in twins for table, use in twin.sources.items()}
        self.needs = tuple(each for twin in twins for each in twin.needs)
        self.decisions = tuple(each for twin in twins for each in twin.decisions)
        self.limits = tuple(each for twin in twins for each in twin.limits)

    @functools.cached_property
    def choices(self) -> Mapping[str, AuditedChoice]:
        """Return what the sheet of reasons may call a choice, by name."""
        return {each.kind: each for twin in self.twins for each in twin.choices}

    def sheet(self, name: str) -> AuditedSheet:
        """Return how a sheet is audited."""
        return self.sheets.get(name) or AuditedSheet(name=name)

    def acts(self) -> Mapping[str, AuditedAct]:
        """Return how the rows of sheets are actions, by sheet."""
        return {each.name: each.act for each in self.sheets.values() if each.act is not None}

    def instructions(self) -> Iterator[tuple[str, AuditedInstruction]]:
        """Yield the sheets with instructions, and what these must hold."""
        for sheet in self.sheets.values():
            if sheet.instruction is not None:
                yield sheet.name, sheet.instruction

    def check_path(self, path: PathAudit) -> None:
        """Compare one path with the input, phase by phase."""
        for phase in ("read", "decide", "follow", "settle"):
            for twin in self.twins:
                for check in getattr(twin, phase):
                    check(path)

    def check_together(self, together: Together) -> None:
        """Compare what all paths have together."""
        for twin in self.twins:
            for check in twin.conclude:
                check(together)
