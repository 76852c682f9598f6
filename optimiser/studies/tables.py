"""The sheet `studies`: what is changed, between which values, and what is asked of the changed plans.

Rows with the same study name form one study; each row is one of its inputs. What is said of the whole study (samples, seed, steps of
a frontier) is said in its first row. The planner passes over the sheet: only `stockpile study` reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from stockpile_model import changes
from stockpile_model.blocks.price_floors import Contract
from stockpile_model.blocks.purchases import Offer
from stockpile_model.blocks.rotation import Outlet
from stockpile_model.changes import Change, How
from stockpile_model.data import Column, Problem, Project, Row, Stockpile, columns, get, keys, nearest
from stockpile_model.data import column as _column  # within Study a field takes the name
from stockpile_model.names import clean, identity
from stockpile_model.values import normal, text

KINDS = ("tornado", "sweep", "frontier", "threshold", "monte_carlo", "morris", "sobol", "alternatives")
SAMPLED = ("monte_carlo", "morris", "sobol")
MEASURES = ("shortfall", "cvar")
DECIDES = {"sign": Contract, "order": Offer, "rotate": Outlet, "project": Project}
TARGET = "target"
MOST_SAMPLES = 1_000_000
SHARE = 0.1  # how far an input without a range is moved, up and down, as a share of it


@dataclass(frozen=True, kw_only=True)
class Study(Row):
    TABLE = "studies"
    study: str = _column("name of the study; rows with one name are one study", required=True)
    kind: str = _column(
        "`tornado`: each input low and high, ranked; `sweep`: one or two inputs over a grid; `frontier`: least cost at each limit of "
        "shortfall, cvar or any cell; `threshold`: the value at which a decision flips; `monte_carlo`, `morris`, `sobol`: sampled; "
        "`alternatives`: the most different plans that cost little more",
        required=True,
        choices=KINDS,
    )
    table: str | None = _column("table of the cell that is changed; of a frontier also blank, with shortfall or cvar as the column")
    row: str | None = _column("key of the row, as in --set; blank = every row")
    column: str | None = _column("column of the cell; of a frontier also shortfall or cvar")
    how: str = _column("how low and high change the cell; add moves a date by months", default="set", choices=("set", "scale", "add"))
    low: float | None = _column("least value; blank = the cell's own _low, else 10 % less. Of alternatives: unused")
    high: float | None = _column("largest value; blank = the cell's own _high, else 10 % more. Of alternatives: share of cost, as 0.02")
    steps: int | None = _column(
        "points of a sweep or frontier (default 7), bisections of a threshold (10), levels of morris (4), plans of alternatives (5)",
        least=2,
    )
    distribution: str = _column(
        "of a sampled input: `uniform` and `triangular` (about the cell's value) between low and high; `normal` and `lognormal` with low "
        "and high as their 5 % and 95 % quantiles",
        default="uniform",
        choices=("uniform", "triangular", "normal", "lognormal"),
    )
    samples: int | None = _column(
        "runs of monte_carlo (default 200), trajectories of morris (10), base samples of sobol (64)", least=1, most=MOST_SAMPLES
    )
    seed: int | None = _column("seed of the samples (default 1)", least=0, most=2**31 - 1)
    decision: str | None = _column(
        "of a threshold: `sign CONTRACT` or `sign CONTRACT/LEVEL`, `project P`, `order OFFER`, `rotate OUTLET`; `target` = all demand "
        "and targets can be met"
    )


TABLES: tuple[type[Row], ...] = (Study,)


@dataclass(frozen=True)
class Input:
    """A number that a study changes: the cells, how, and between which values. `base` is what stands there (`set`), or what changes
    nothing."""

    table: str
    row: str
    column: str
    how: How
    low: float
    high: float
    base: float | None = None
    distribution: str = "uniform"

    def change(self, value: float) -> Change:
        return Change(self.table, self.row, self.column, self.how, float(value))

    @property
    def reach(self) -> tuple[float, float]:
        """Between which values nearly all of its samples lie: low and high, of a distribution without ends 999 in 1000."""
        if self.distribution not in ("normal", "lognormal"):
            return self.low, self.high
        return self.at(0.0005), self.at(0.9995)

    def at(self, share: float) -> float:
        """The quantile of its distribution."""
        if self.distribution == "triangular":
            mode = (self.low + self.high) / 2 if self.base is None else min(max(self.base, self.low), self.high)
            cut = (mode - self.low) / (self.high - self.low)
            if share < cut:
                return self.low + math.sqrt(share * (self.high - self.low) * (mode - self.low))
            return self.high - math.sqrt((1 - share) * (self.high - self.low) * (self.high - mode))
        if self.distribution in ("normal", "lognormal"):
            low, high = (math.log(self.low), math.log(self.high)) if self.distribution == "lognormal" else (self.low, self.high)
            unit = NormalDist()
            found = (low + high) / 2 + (high - low) / 2 * unit.inv_cdf(min(max(share, 1e-12), 1 - 1e-12)) / unit.inv_cdf(0.95)
            return math.exp(found) if self.distribution == "lognormal" else found
        return self.low + share * (self.high - self.low)

    @property
    def name(self) -> str:
        said = f"{self.table}[{self.row}].{self.column}" if self.table != "settings" else f"settings.{self.row}"
        return said if self.how == "set" else f"{said} {self.how}"


def by_name(stockpile: Stockpile) -> dict[str, tuple[Study, ...]]:
    """The rows of each study, in the order of the sheet."""
    found: dict[str, list[Study]] = {}
    for row in stockpile.rows(Study):
        found.setdefault(identity(row.study), []).append(row)
    return {rows[0].study: tuple(rows) for rows in found.values()}


def cells(stockpile: Stockpile, row: Study) -> list[tuple[Row, str, float | None]]:
    """The cells that a row names, each with its row, its column and its number (None for what is none). ValueError where it names
    none."""
    if not row.table or not row.column:
        raise ValueError("needs a table and a column")
    change = Change(row.table, row.row or "*", row.column, "add", 0.0)
    changed = changes.apply(stockpile, change)  # tells what is not there
    settings = normal(row.table) == "settings"
    kind = None if settings else next(each for each in stockpile.tables if normal(str(row.table)) == each.TABLE)
    if settings:
        return [(stockpile.settings, normal(str(row.row)), _number(get(stockpile.settings, normal(str(row.row)))))]
    assert kind is not None
    found: list[tuple[Row, str, float | None]] = []
    fields = {each.name: each.field for each in columns(kind)}
    for before, after in zip(stockpile.rows(kind), changed.rows(kind), strict=True):
        if before is not after:
            names = {normal(name): name for name in (*getattr(before, "values", {}), *(each.name for each in columns(kind)))}
            name = names.get(normal(row.column), row.column)
            series = getattr(before, "values", {})
            value = series[name] if name in series else getattr(before, fields.get(name, ""), None)
            if value is not None:
                found.append((before, name, _number(value)))
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def made(stockpile: Stockpile, row: Study) -> Input:
    """The input of a row. ValueError, to be read after the name of a column or alone, where it has no range."""
    found = cells(stockpile, row)
    base = found[0][2] if len({each[2] for each in found}) == 1 else None
    neutral = {"set": base, "scale": 1.0, "add": 0.0}[row.how]
    low, high, how = row.low, row.high, row.how
    if low is None or high is None:
        ranges = {each[0].ranges.get(each[1], (None, None)) for each in found}
        own = next(iter(ranges)) if len(ranges) == 1 else (None, None)
        if how == "set" and base is not None:
            low = low if low is not None else own[0] if own[0] is not None else base - SHARE * abs(base)
            high = high if high is not None else own[1] if own[1] is not None else base + SHARE * abs(base)
        elif how == "scale" or (how == "set" and low is None and high is None):
            # Cells with different numbers are moved together, by the same share.
            low, high, how, neutral = (1 - SHARE if low is None else low), (1 + SHARE if high is None else high), "scale", 1.0
        else:
            raise ValueError("needs low and high: there is no range beside the cell to take them from")
    if not low < high:
        raise ValueError(f"must be above low, found {low:g} and {high:g}")
    return Input(normal(str(row.table)), row.row or "*", str(row.column), _how(how), low, high, neutral, row.distribution)


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


def every_input(stockpile: Stockpile) -> Iterator[Input]:
    """Every number of the workbook between its low and high, or 10 % less and more where it has none; but what says how to plan, a
    duration without a range (it is a whole number of periods), and a zero without a range."""
    if stockpile.settings.discount_rate:
        yield from _moved(stockpile.settings, "discount_rate", stockpile.settings.discount_rate, "discount_rate", "settings")
    for kind, rows in stockpile.tables.items():
        if kind.TABLE in ("settings", "studies", "commitments", "scenarios", "events", "uncertainty", "price_history"):
            continue
        names = keys(kind)
        for row in rows:
            key = "/".join(text(get(row, name)) for name in names) if names else f"row {row.line}"
            for each in columns(kind):
                value = get(row, each.name)
                duration = each.unit in ("months", "years", "periods") and each.name not in row.ranges
                if each.kind in ("number", "whole") and not each.many and not each.key and value is not None and not duration:
                    yield from _moved(row, each.name, float(value), key, kind.TABLE, each)
            for index, value in getattr(row, "values", {}).items():
                yield from _moved(row, index, value, key, kind.TABLE)


def _moved(row: Row, name: str, value: float, key: str, table: str, bounds: Column | None = None) -> Iterator[Input]:
    low, high = row.ranges.get(name, (None, None))
    low = value - SHARE * abs(value) if low is None else low
    high = value + SHARE * abs(value) if high is None else high
    if bounds is not None and bounds.most is not None:
        high = min(high, bounds.most)
    if low < high:
        yield Input(table, key, "value" if table == "settings" else name, "set", low, high, value)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """What is wrong with the studies, beyond a single cell."""
    for rows in by_name(stockpile).values():
        yield from _check_study(stockpile, rows)
        for row in rows:
            yield from _check_row(stockpile, row)


def _check_study(stockpile: Stockpile, rows: tuple[Study, ...]) -> Iterator[Problem]:
    first = rows[0]
    for row in rows[1:]:
        if row.kind != first.kind:
            yield Problem(row.TABLE, row.line, "kind", f"must be {first.kind} as in row {first.line}: one study has one kind")
    most = {"sweep": 2, "frontier": 1, "threshold": 1, "alternatives": 1}.get(first.kind)
    if most and len(rows) > most:
        said = f"has {len(rows)} rows: a {first.kind} has {most} at most; give the others another name"
        yield Problem(first.TABLE, rows[most].line, "study", said)
    if first.kind in ("morris", "sobol") and len(rows) < 2:
        yield Problem(first.TABLE, first.line, "study", f"needs two inputs or more for {first.kind}: add rows of the same name")


def _check_row(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    def problem(name: str, message: str) -> Problem:
        return Problem(row.TABLE, row.line, name, message)

    if row.kind == "alternatives":
        if row.high is not None and row.high <= 0:
            yield problem("high", f"must be above 0: the share by which a plan may cost more, found {row.high:g}")
        return
    if row.kind == "frontier" and not row.table:
        if normal(row.column or "") not in MEASURES:
            yield problem("column", f"must be {' or '.join(MEASURES)} where table is blank, found {row.column!r}")
        elif normal(str(row.column)) == "cvar" and not _uncertain(stockpile):
            yield problem("column", "is cvar, but the workbook has no scenarios: nothing is at risk")
        return
    if not row.table or not row.column:
        yield problem("table" if not row.table else "column", "is required: which cell is changed")
        return
    try:
        change_of = made(stockpile, row)
    except changes.UnknownError as reason:
        yield problem(reason.part, f"{reason}")
        return
    except ValueError as reason:
        yield problem("high" if "low" in str(reason) else "column", str(reason))
        return
    if row.distribution == "lognormal" and row.kind in SAMPLED and change_of.low <= 0:
        yield problem("low", f"must be above 0 for lognormal, found {change_of.low:g}")
    if row.kind == "threshold":
        yield from _check_decision(stockpile, row)
    elif row.decision is not None:
        yield Problem(row.TABLE, row.line, "decision", f"has no effect on {row.kind}: it is for a threshold", warning=True)


def _check_decision(stockpile: Stockpile, row: Study) -> Iterator[Problem]:
    kind, name, _ = decision(row)
    if kind == TARGET and not name:
        return
    if stockpile.settings.objective == "shortfall_first":
        said = f"{row.decision!r} is judged by cost: it needs the objective cost, found shortfall_first; {TARGET} can be asked for"
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    if kind not in DECIDES:
        said = f"must be {TARGET}, or {', '.join(DECIDES)} with a name, as in 'sign metlen', found {row.decision!r}"
        yield Problem(row.TABLE, row.line, "decision", said)
        return
    table: type[Row] = DECIDES[kind]
    known = [text(get(each, keys(table)[0])) for each in stockpile.rows(table)]
    if identity(name) not in map(identity, known):
        yield Problem(row.TABLE, row.line, "decision", f"{name!r} has no row in the sheet {table.TABLE}{nearest(name, known)}")


def _uncertain(stockpile: Stockpile) -> bool:
    return any(kind.TABLE == "scenarios" and rows for kind, rows in stockpile.tables.items())


def described(inputs: Mapping[str, float] | None) -> str:
    return "" if not inputs else "; ".join(f"{name} = {value:.6g}" for name, value in inputs.items())
