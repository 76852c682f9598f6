"""The sheet `studies`: what is changed, between which values, and what is asked of the changed
plans.

Rows with the same study name form one study; each row is one of its inputs. What is said of the
whole study (samples, seed, steps of a frontier) is said in its first row. The planner passes over
the sheet: only `stockpile study` reads it.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from statistics import NormalDist

from stockpile_model import changes
from stockpile_model.block import deeds
from stockpile_model.changes import Change, How
from stockpile_model.names import clean, identity
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Column, Problem, Row, columns, get, keys, nearest
from stockpile_model.schema import column as _column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Settings
from stockpile_model.values import normal, text

KINDS = (
    "tornado",
    "sweep",
    "frontier",
    "threshold",
    "monte_carlo",
    "morris",
    "sobol",
    "alternatives",
)
SAMPLED = ("monte_carlo", "morris", "sobol")
MEASURES = ("shortfall", "cvar")
TARGET = "target"
DISCRETE = "discrete"
ENDLESS = ("normal", "lognormal")  # distributions without ends
TAIL = 0.05  # of a distribution without ends, on each side of its low and high
MOST_SAMPLES = 1_000_000
SHARE = 0.1  # how far an input without a range is moved, up and down, as a share of it


@dataclass(frozen=True, kw_only=True)
class Study(Row):
    TABLE = "studies"
    PURPOSE = "What to vary, and how, to see what the plan hangs on."
    STEP = "studies"
    CERTAIN = True
    study: str = _column("name of the study; rows with one name are one study", required=True)
    kind: str = _column(
        "`tornado`: each input low and high, ranked; `sweep`: one or two inputs over a grid;"
        " `frontier`: least cost at each limit of shortfall, cvar or any cell; `threshold`: the"
        " value at which a decision flips; `monte_carlo`, `morris`, `sobol`: sampled;"
        " `alternatives`: the most different plans that cost little more",
        required=True,
        choices=KINDS,
    )
    table: str | None = _column(
        "table of the cell that is changed; of a frontier also blank, with shortfall or cvar as the"
        " column"
    )
    row: str | None = _column("key of the row, as in --set; blank = every row")
    column: str | None = _column("column of the cell; of a frontier also shortfall or cvar")
    how: str = _column(
        "how low and high change the cell; a date can only be moved: `add`, by months",
        default="set",
        choices=("set", "scale", "add"),
    )
    low: float | None = _column(
        "least value; blank = the cell's own _low, else 10 % less. Of alternatives: unused"
    )
    high: float | None = _column(
        "largest value; blank = the cell's own _high, else 10 % more. Of alternatives: share of"
        " cost, as 0.02"
    )
    steps: int | None = _column(
        "points of a sweep or frontier (default 7), bisections of a threshold (10), levels of"
        " morris (4), plans of alternatives (5)",
        least=2,
    )
    distribution: str = _column(
        "of a sampled input: `uniform` and `triangular` (about the cell's value) between low and"
        " high; `normal` and `lognormal` with low and high as their 5 % and 95 % quantiles (morris"
        " stays between these); `discrete`: of a date, a duration or a whole number, the whole"
        " periods, or numbers, from low to high, each as likely",
        default="uniform",
        choices=("uniform", "triangular", "normal", "lognormal", DISCRETE),
    )
    samples: int | None = _column(
        "runs of monte_carlo (default 200), trajectories of morris (10), base samples of sobol"
        " (64)",
        least=1,
        most=MOST_SAMPLES,
    )
    seed: int | None = _column("seed of the samples (default 1)", least=0, most=2**31 - 1)
    decision: str | None = _column(
        "of a threshold: `sign CONTRACT` or `sign CONTRACT/LEVEL`, `project P`, `order OFFER`,"
        " `rotate OUTLET`; `target` = all demand and targets can be met"
    )


TABLES: tuple[type[Row], ...] = (Study,)


@dataclass(frozen=True)
class Input:
    """A number that a study changes: the cells, how, and between which values.

    `base` is what stands there (`set`), or what changes nothing; `step`: between two values that
    the cells can hold, where not every number is one; `unit` in the words of the workbook.
    """

    table: str
    row: str
    column: str
    how: How
    low: float
    high: float
    base: float | None = None
    distribution: str = "uniform"
    step: float | None = None
    unit: str = ""

    def change(self, value: float) -> Change:
        return Change(self.table, self.row, self.column, self.how, float(value))

    @property
    def reach(self) -> tuple[float, float]:
        """Between which values nearly all of its samples lie: low and high, of a distribution
        without ends 999 in 1000.
        """
        return (
            (self.at(0.0005), self.at(0.9995))
            if self.distribution in ENDLESS
            else (self.low, self.high)
        )

    def snap(self, value: float) -> float:
        """Return the nearest value that the cells can hold."""
        if self.step is None:
            return value
        return self.low + math.floor((value - self.low) / self.step + 0.5) * self.step

    def level(self, share: float) -> float:
        """Return the value at a level of a grid, 0 to 1: the quantiles from 5 % to 95 % of a
        distribution without ends, for its far tails are no part of a range.
        """
        return self.at(TAIL + (1 - 2 * TAIL) * share if self.distribution in ENDLESS else share)

    def at(self, share: float) -> float:
        """Return the quantile of its distribution."""
        if self.step is not None:
            count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
            return self.low + min(int(share * count), count - 1) * self.step
        if self.distribution == "triangular":
            mode = (
                (self.low + self.high) / 2
                if self.base is None
                else min(max(self.base, self.low), self.high)
            )
            cut = (mode - self.low) / (self.high - self.low)
            if share < cut:
                return self.low + math.sqrt(share * (self.high - self.low) * (mode - self.low))
            return self.high - math.sqrt((1 - share) * (self.high - self.low) * (self.high - mode))
        if self.distribution in ENDLESS:
            low, high = (
                (math.log(self.low), math.log(self.high))
                if self.distribution == "lognormal"
                else (self.low, self.high)
            )
            unit = NormalDist()
            found = (low + high) / 2 + (high - low) / 2 * unit.inv_cdf(
                min(max(share, 1e-12), 1 - 1e-12)
            ) / unit.inv_cdf(1 - TAIL)
            return math.exp(found) if self.distribution == "lognormal" else found
        return self.low + share * (self.high - self.low)

    @property
    def name(self) -> str:
        said = (
            f"{self.table}[{self.row}].{self.column}"
            if self.table != "settings"
            else f"settings.{self.row}"
        )
        return said if self.how == "set" else f"{said} {self.how}"

    @property
    def label(self) -> str:
        """Its name with its unit, for a header or an axis."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


def by_name(stockpile: Stockpile) -> dict[str, tuple[Study, ...]]:
    """The rows of each study, in the order of the sheet."""
    found: dict[str, list[Study]] = {}
    for row in stockpile.rows(Study):
        found.setdefault(identity(row.study), []).append(row)
    return {rows[0].study: tuple(rows) for rows in found.values()}


@dataclass(frozen=True)
class Cell:
    """A cell that a study may change.

    `column` is None for an index of `prices`; `value` is a number, or a date.
    """

    row: Row
    name: str
    column: Column | None
    value: float | dt.date

    @property
    def range(self) -> tuple[float | None, float | None]:
        """The low and high beside it."""
        return self.row.ranges.get(self.name, (None, None))


def cells(stockpile: Stockpile, row: Study) -> list[Cell]:
    """Find the cells that a row names.

    ValueError where it names none, or one that holds neither a number nor a date.
    """
    if not row.table or not row.column:
        raise ValueError("needs a table and a column")
    changed = changes.apply(
        stockpile, Change(row.table, row.row or "*", row.column, "add", 0.0)
    )  # says what is not there
    if normal(row.table) == Settings.TABLE:
        return [*_cells_of(stockpile.settings, str(row.row))]
    kind = next(each for each in stockpile.tables if normal(str(row.table)) == each.TABLE)
    pairs = zip(stockpile.rows(kind), changed.rows(kind), strict=True)
    return [
        cell
        for before, after in pairs
        if before is not after
        for cell in _cells_of(before, row.column)
    ]


def _cells_of(row: Row, name: str = "*") -> Iterator[Cell]:
    """The cells of a row that hold a number or a date, keys left out: those of one column, or all."""
    for each in columns(type(row)):
        if name in ("*", "", each.name) or normal(name) == normal(each.name):
            value = get(row, each.name)
            if each.kind == "text" and each.numbers:
                value = _number_of(value)
            if (
                not each.many
                and not each.key
                and not isinstance(value, bool)
                and isinstance(value, (int, float, dt.date))
            ):
                yield Cell(row, each.name, each, value)
    for index, value in getattr(row, "values", {}).items():
        if name in ("*", "") or normal(name) == normal(index):
            yield Cell(row, index, None, float(value))


def _number_of(said: object) -> float | None:
    """The number that a text holds; None where it holds none."""
    try:
        return None if said is None else float(str(said))
    except ValueError:
        return None


def _step(stockpile: Stockpile, cell: Cell) -> float | None:
    """The distance between two values that a cell can hold, or by which it can be moved; None where
    any number will do.
    """
    column = _meant(stockpile, cell)
    if column is None or _scaled(cell):
        return None
    if column.kind == "date" or (column.unit == "months" and column.kind == "number"):
        return float(stockpile.calendar.months)
    return 1.0 if column.kind == "whole" else None


def _meant(stockpile: Stockpile, cell: Cell) -> Column | None:
    """The column whose number a cell holds: of the value of an event that of the cell it changes;
    None for an index of `prices`.
    """
    if not isinstance(cell.row, Event) or cell.name != "value":
        return cell.column
    table, column = normal(cell.row.table), normal(cell.row.column)
    kind = next((each for each in stockpile.tables if table == each.TABLE), None)
    return (
        None
        if kind is None
        else next((each for each in columns(kind) if column == each.name), None)
    )


def _scaled(cell: Cell) -> bool:
    """Whether a cell holds a factor: the value of an event that scales."""
    return isinstance(cell.row, Event) and cell.name == "value" and cell.row.how == "scale"


def _unit(stockpile: Stockpile, cell: Cell, how: str) -> str:
    """What a change of a cell is counted in."""
    settings = stockpile.settings
    if how == "scale" or _scaled(cell):
        return ""
    column = _meant(stockpile, cell)
    unit = (
        "money/quantity" if column is None else "months" if column.kind == "date" else column.unit
    )
    names = {"quantity": settings.quantity_unit, "money": settings.currency}
    return (
        "" if unit == "1" else re.sub(r"\b(quantity|money)\b", lambda found: names[found[0]], unit)
    )


def made(stockpile: Stockpile, row: Study) -> Input:
    """Make the input of a row.

    ValueError, to be read after the name of a column or alone, where it has no range.
    """
    found = cells(stockpile, row)
    if not found:
        raise ValueError("names cells that hold no number")
    first = found[0]
    if isinstance(first.value, dt.date) and row.how != "add":
        raise ValueError(
            "names a date, which can only be moved: write add as its how, and months as low and"
            " high"
        )
    steps = {_step(stockpile, each) for each in found} - {None}
    step = max((each for each in steps if each is not None), default=None)
    if step is not None and row.how == "scale":
        raise ValueError(
            "names a duration or a whole number, which cannot be scaled: write set or add as"
            " its how"
        )
    values = {each.value for each in found}
    base = float(first.value) if len(values) == 1 and not isinstance(first.value, dt.date) else None
    neutral = {"set": base, "scale": 1.0, "add": 0.0}[row.how]
    low, high, how = row.low, row.high, row.how
    if low is None or high is None:
        own = first.range if len({each.range for each in found}) == 1 else (None, None)
        if step is not None and neutral is not None:
            low = (
                low
                if low is not None
                else own[0]
                if own[0] is not None and how == "set"
                else neutral - step
            )
            high = (
                high
                if high is not None
                else own[1]
                if own[1] is not None and how == "set"
                else neutral + step
            )
        elif how == "set" and base is not None:
            low = (
                low
                if low is not None
                else own[0]
                if own[0] is not None
                else base - SHARE * abs(base)
            )
            high = (
                high
                if high is not None
                else own[1]
                if own[1] is not None
                else base + SHARE * abs(base)
            )
        elif step is None and (how == "scale" or (how == "set" and low is None and high is None)):
            # Cells with different numbers are moved together, by the same share.
            low, high, how, neutral = (
                (1 - SHARE if low is None else low),
                (1 + SHARE if high is None else high),
                "scale",
                1.0,
            )
        else:
            raise ValueError(
                "needs low and high: there is no range beside the cell to take them from"
            )
    if not low < high:
        raise ValueError(f"must be above low, found {low:g} and {high:g}")
    if (isinstance(first.value, dt.date) or step == 1) and not (
        float(low).is_integer() and float(high).is_integer()
    ):
        raise ValueError(f"must be a whole number, and low too, found {low:g} and {high:g}")
    unit = _unit(stockpile, first, how)
    return Input(
        normal(str(row.table)),
        row.row or "*",
        str(row.column),
        _how(how),
        low,
        high,
        neutral,
        row.distribution,
        step,
        unit,
    )


def _how(how: str) -> How:
    return "scale" if how == "scale" else "add" if how == "add" else "set"


def decision(row: Study) -> tuple[str, str, str | None]:
    """Kind, name and level of the decision that a threshold watches; `target` has no name."""
    kind, _, name = clean(row.decision or TARGET).partition(" ")
    kind = identity(kind)
    if kind == "sign" and "/" in name:
        name, _, level = name.rpartition("/")
        return kind, name, level
    return kind, name, None


HELD = {
    "studies": "what studies ask is no input of the plan",
    "commitments": "what was decided stays decided",
    "uncertainty": "only sampled scenarios are made of it",
    "price_history": "only sampled scenarios are made of it",
}
"""Tables that `--everything` leaves alone, and why."""


@dataclass(frozen=True)
class Every:
    """All that `--everything` moves, and how many cells it leaves out, by the reason."""

    inputs: tuple[Input, ...]
    left_out: dict[str, list[str]]


def everything(stockpile: Stockpile) -> Every:
    """Find every number, date and duration of the workbook: a number between its low and high, or
    10 % less and more; a date one period earlier and later, a duration one period shorter and
    longer. What is left out stands beside them, with the reason.
    """
    inputs: list[Input] = []
    left: dict[str, list[str]] = {}
    settings, near = stockpile.settings, _near(stockpile)
    for cell in _cells_of(settings):
        if cell.name != "discount_rate" and cell.name not in settings.ranges:
            left.setdefault("settings say how to plan", []).append(f"settings.{cell.name}")
        else:
            _move(stockpile, cell, cell.name, inputs, left)
    for kind, rows in stockpile.tables.items():
        names = keys(kind)
        for row in rows:
            key = "/".join(text(get(row, name)) for name in names) if names else f"row {row.line}"
            for cell in _cells_of(row):
                if kind.TABLE in HELD:
                    left.setdefault(f"{kind.TABLE}: {HELD[kind.TABLE]}", []).append(
                        f"{kind.TABLE}[{key}].{cell.name}"
                    )
                elif isinstance(row, Price) and (cell.name, row.date) not in near:
                    left.setdefault("prices that no date of the horizon is read from", []).append(
                        f"prices[{key}].{cell.name}"
                    )
                else:
                    _move(stockpile, cell, key, inputs, left)
    return Every(tuple(inputs), left)


def every_input(stockpile: Stockpile) -> tuple[Input, ...]:
    """Return all that `--everything` moves."""
    return everything(stockpile).inputs


def _near(stockpile: Stockpile) -> set[tuple[str, dt.date]]:
    """The prices, by index and date, that a period of the horizon is read from: between two dates
    of a series both count.
    """
    calendar, found = stockpile.calendar, set[tuple[str, dt.date]]()
    series: dict[str, list[dt.date]] = {}
    for row in stockpile.rows(Price):
        for index in row.values:
            series.setdefault(index, []).append(row.date)
    days = [calendar.begin(t) for t in range(calendar.periods)]
    for index, dates in series.items():
        dates.sort()
        for day in days:
            after = bisect.bisect_left(dates, day)
            ends = (
                dates[max(0, after - 1) : after + 1]
                if after < len(dates) and dates[after] != day
                else dates[after : after + 1] or dates[-1:]
            )
            found.update((index, each) for each in ends)
    return found


def _move(
    stockpile: Stockpile, cell: Cell, key: str, inputs: list[Input], left: dict[str, list[str]]
) -> None:
    """Add how a cell is moved to `inputs`, or to what is left out."""
    table = type(cell.row).TABLE
    row, column = (cell.name, "value") if table == Settings.TABLE else (key, cell.name)
    said = f"settings.{cell.name}" if table == Settings.TABLE else f"{table}[{key}].{cell.name}"
    how: How = "add" if isinstance(cell.value, dt.date) else "set"
    step, unit = _step(stockpile, cell), _unit(stockpile, cell, how)
    base = 0.0 if isinstance(cell.value, dt.date) else float(cell.value)
    low, high = (None, None) if how == "add" else cell.range
    if how == "set" and base == 0 and (low is None or high is None):
        left.setdefault("a zero without low and high", []).append(said)
        return
    by = step if step is not None else SHARE * abs(base)
    low, high = base - by if low is None else low, base + by if high is None else high
    bounds = (
        None
        if how == "add" or (isinstance(cell.row, Event) and cell.row.how != "set")
        else _meant(stockpile, cell)
    )
    if bounds is not None:
        if bounds.most is not None:
            high = min(high, bounds.most)
        if bounds.least is not None:
            low = max(low, bounds.least)
        if bounds.above is not None and low <= bounds.above:
            low = base
    if (
        isinstance(cell.row, Scenario) and cell.name == "probability"
    ):  # those of all scenarios sum to 1 at most
        high = min(high, base + 1.0 - sum(each.probability for each in stockpile.rows(Scenario)))
    if low < high:
        inputs.append(Input(table, row, column, how, low, high, base, "uniform", step, unit))
    else:
        left.setdefault("a number that cannot be moved within its bounds", []).append(said)


def check(stockpile: Stockpile, doubtful: Container[str] = ()) -> Iterator[Problem]:
    """Find what is wrong with the studies, beyond a single cell.

    `doubtful`: tables that have faults of their own; what studies say of their cells is judged when
    these are mended.
    """
    for rows in by_name(stockpile).values():
        yield from _check_study(stockpile, rows)
        for row in rows:
            yield from _check_row(stockpile, row, normal(row.table or "") in doubtful)


def _check_study(stockpile: Stockpile, rows: tuple[Study, ...]) -> Iterator[Problem]:
    first = rows[0]
    for row in rows[1:]:
        if row.kind != first.kind:
            yield Problem(
                row.TABLE,
                row.line,
                "kind",
                f"must be {first.kind} as in row {first.line}: one study has one kind",
            )
    most = {"sweep": 2, "frontier": 1, "threshold": 1, "alternatives": 1}.get(first.kind)
    if most and len(rows) > most:
        said = (
            f"has {len(rows)} rows: a {first.kind} has {most} at most; give the others another name"
        )
        yield Problem(first.TABLE, rows[most].line, "study", said)
    if first.kind == "alternatives" and stockpile.settings.objective == "shortfall_first":
        said = (
            "alternatives are judged by cost: they need the objective cost, found shortfall_first"
        )
        yield Problem(first.TABLE, first.line, "kind", said)
    if first.kind in ("morris", "sobol") and len(rows) < 2:
        yield Problem(
            first.TABLE,
            first.line,
            "study",
            f"needs two inputs or more for {first.kind}: add rows of the same name",
        )


def _check_row(stockpile: Stockpile, row: Study, doubtful: bool) -> Iterator[Problem]:
    def problem(name: str, message: str) -> Problem:
        return Problem(row.TABLE, row.line, name, message)

    if row.kind == "alternatives":
        if row.high is not None and row.high <= 0:
            yield problem(
                "high",
                f"must be above 0: the share by which a plan may cost more, found {row.high:g}",
            )
        return
    if row.kind == "frontier" and not row.table:
        if normal(row.column or "") not in MEASURES:
            yield problem(
                "column",
                f"must be {' or '.join(MEASURES)} where table is blank, found {row.column!r}",
            )
        elif normal(str(row.column)) == "cvar" and not _uncertain(stockpile):
            yield problem(
                "column", "is cvar, but the workbook has no scenarios: nothing is at risk"
            )
        return
    for name in ("table", "column"):
        if not get(row, name):
            yield problem(name, "is required: which cell is changed")
    if row.kind == "threshold":
        yield from _check_decision(stockpile, row)
    elif row.decision is not None:
        yield Problem(
            row.TABLE,
            row.line,
            "decision",
            f"has no effect on {row.kind}: it is for a threshold",
            warning=True,
        )
    if doubtful or not row.table or not row.column:
        return
    try:
        moved = made(stockpile, row)
    except changes.UnknownError as reason:
        yield problem(reason.part, f"{reason}")
        return
    except ValueError as reason:
        said = str(reason)
        yield problem("high" if "low" in said else "how" if "how" in said else "column", said)
        return
    for name, value in (("low", moved.low), ("high", moved.high)):
        try:
            changes.apply(stockpile, moved.change(value))
        except ValueError as reason:
            yield problem(name, f"cannot be {value:g}: {reason}")
    if row.kind in SAMPLED:
        if row.distribution == "lognormal" and moved.low <= 0:
            yield problem("low", f"must be above 0 for lognormal, found {moved.low:g}")
        if moved.step is None and row.distribution == DISCRETE:
            yield problem(
                "distribution",
                f"must not be {DISCRETE}: {row.column} is no date, duration or whole number",
            )
        elif moved.step is not None and row.distribution != DISCRETE:
            what = (
                "a whole number"
                if moved.step == 1 and moved.unit != "months"
                else "moved by whole periods"
            )
            yield problem(
                "distribution",
                f"must be {DISCRETE}: {row.column} is {what}, found {row.distribution}",
            )


def _check_decision(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    kind, name, _ = decision(row)
    if kind == TARGET and not name:
        return
    if stockpile.settings.objective == "shortfall_first":
        said = (
            f"{row.decision!r} is judged by cost: it needs the objective cost, found"
            f" shortfall_first; {TARGET} can be asked for"
        )
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    known = deeds()
    if kind not in known:
        said = (
            f"must be {TARGET}, or {', '.join(known)} with a name, as in 'sign metlen', found"
            f" {row.decision!r}"
        )
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    table = known[kind].table
    names = [text(each) for each in stockpile.names(table)]
    if identity(name) not in map(identity, names):
        yield Problem(
            row.TABLE,
            row.line,
            "decision",
            f"{name!r} has no row in the sheet {table}{nearest(name, names)}",
        )


def _uncertain(stockpile: Stockpile) -> bool:
    return any(kind.TABLE == "scenarios" and rows for kind, rows in stockpile.tables.items())
