"""The plan: what a solve decided, as frozen rows that a workbook, a page or JSON can show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyomo.environ as pyo

from optimiser.plan.frames import Shown, frame
from optimiser.plan.verdict import verdict
from optimiser.solving.solve import Outcome
from optimiser.system.errors import OutputError, StockpileError
from stockpile_model import amounts
from stockpile_model.block import headings as block_headings
from stockpile_model.block import results
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome, cvar
from stockpile_model.build import report
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.scale import NOISE
from stockpile_model.schema import (
    PROVENANCE,
    Dated,
    Result,
    Row,
    column,
    columns,
    get,
    keys,
    nearest,
)
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T", bound=Result)
_column = column  # within Assumption a field has taken the name
WORTHLESS = 1e-9  # below this a marginal value is the solver's noise [scaled units]


@dataclass(frozen=True, kw_only=True)
class MarginalValue(Dated):
    SHEET = "marginal_values"
    ABOUT = "what one more unit of each limit is worth"
    PLACE = 82
    limit: str = column("the limit")
    cell: str | None = column("cell that sets it")
    date: dt.date = column("first day of the period")
    sense: str = column("`most` or `least`")
    amount: float = column("the limit", "quantity, money or 1")
    used: float | None = column("what the plan makes of it", "quantity, money or 1")
    unit: str = column("unit of the limit")
    worth: float = column(
        "what the plan would cost less, were the limit looser by one unit, orders placed and levels"
        " signed kept",
        "money/unit",
    )


@dataclass(frozen=True, kw_only=True)
class Assumption(Result):
    SHEET = "assumptions"
    ABOUT = "every input, with its source and date"
    PLACE = 100
    cell: str = _column("cell of the input")
    table: str = _column("table")
    row: str = _column("key of the row")
    column: str = _column("column")
    value: object = _column("value")
    unit: str = _column("unit")
    low: float | None = _column("low of the range a study may use")
    high: float | None = _column("high of the range a study may use")
    given: bool = _column("whether the workbook gives it; else it is the default")
    source: str | None = _column("source")
    source_date: str | None = _column("date of the source")
    confidence: str | None = _column("confidence")
    note: str | None = _column("note")


OWN_RESULTS: tuple[type[Result], ...] = (MarginalValue, Assumption)
"""The types of row that every plan has and no block reports."""

WRITERS: dict[str, Callable[[Plan, Path, bool], None]] = {}
"""What writes a plan as a file, by the ending of its name; the rooms that know a format put
themselves here.
"""


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """A plan.

    Money is in `currency`, quantity in `unit`; `costs` are expected and discounted, by heading, and
    sum to `expected_cost`; the objective is that, or with a risk weight w of the settings (1 -
    w)·expected cost + w·`cvar` (None without scenarios); `rows` holds the result rows of every
    sheet by their type, or where `until` is a date what is done before it and what is expected over
    all scenarios from then on.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> isinstance(plan, so.Plan), plan.objective, plan.currency
    (True, 630.0, 'USD')
    """

    title: str
    currency: str
    unit: str
    status: str
    objective: float
    bound: float | None
    gap: float | None
    costs: Mapping[str, float]
    expected_cost: float
    cvar: float | None
    waste: float
    shortfall: float
    verdict: str
    warnings: tuple[str, ...]
    rows: Mapping[type[Result], tuple[Result, ...]]
    run: Mapping[str, object]
    stockpile: Stockpile = field(repr=False)
    until: dt.date | None = None

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """The result rows of one type."""
        return cast("tuple[T, ...]", self.rows.get(kind, ()))

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets of rows."""
        return tuple(kind.SHEET for kind in self.rows)

    def __getitem__(self, sheet: str) -> pd.DataFrame:
        """Return a sheet as a frame. Raises KeyError where the plan has no such sheet."""
        kind = next(
            (each for each in {**self.rows, **dict.fromkeys(results())} if sheet == each.SHEET),
            None,
        )
        if kind is None:
            raise KeyError(
                f"no sheet {sheet!r}{nearest(sheet, self.sheets)}; there are"
                f" {', '.join(self.sheets)}"
            )
        return frame(kind, self.rows.get(kind, ()))

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the plan to a file whose name says in which form: .xlsx or .json.

        A file that is no such plan as it was written is replaced by `force` only. Raises
        OutputError; then nothing has changed.
        """
        target = Path(path)
        writer = WRITERS.get(target.suffix.casefold())
        if writer is None:
            raise OutputError(
                f"{target}: a plan is saved as {' or '.join(sorted(WRITERS))}; choose such a name"
            )
        writer(self, target, force)
        return target

    def _title(self) -> str:
        return f"Plan {self.title}".strip()

    def _facts(self) -> Mapping[str, object]:
        gap = "not known" if self.gap is None else f"{self.gap:.3%}"
        return {
            "status": self.status,
            "objective": f"{amounts.money(self.objective)} {self.currency}",
            "proven bound": (
                "none"
                if self.bound is None
                else f"{amounts.money(self.bound)} {self.currency} (gap {gap})"
            ),
            "shortfall": f"{amounts.quantity(amounts.clean(self.shortfall))} {self.unit}",
            "waste": f"{amounts.quantity(amounts.clean(self.waste))} {self.unit}",
            "verdict": self.verdict,
            "sheets": ", ".join(self.sheets),
        }


class Disagreement(StockpileError):
    """A plan that contradicts itself: an error of this program, never of its user."""


def make_plan(
    formulation: Formulation,
    outcome: Outcome,
    warnings: Iterable[str] = (),
    run: Mapping[str, object] | None = None,
) -> Plan:
    """Read a solved formulation into a plan.

    Raises Disagreement when its parts do not sum to the solver's objective.
    """
    stockpile, settings = formulation.stockpile, formulation.stockpile.settings
    rows: dict[type[Result], list[Result]] = {}
    for row in report(formulation):
        rows.setdefault(type(row), []).append(row)
    rows[MarginalValue] = list(_marginal_values(formulation, outcome))
    rows[Assumption] = list(assumptions(stockpile))
    costs = dict.fromkeys(block_headings(), 0.0)
    for flow in cast("list[CashFlow]", rows.get(CashFlow, [])):
        costs[flow.heading] += flow.discounted
    objective = float(outcome.objective or 0.0)
    expected, tail, weight = (
        sum(costs.values()),
        _tail(settings, rows.get(ScenarioOutcome, [])),
        settings.risk_weight,
    )
    summed = expected if tail is None else (1 - weight) * expected + weight * tail
    if abs(summed - objective) > NOISE * max(
        stockpile.scale.money, abs(objective), *map(abs, costs.values())
    ):
        raise Disagreement(
            f"the costs by heading make an objective of {summed!r}, the solver's is {objective!r}"
        )
    tree, m = stockpile.tree, formulation.m
    waste = sum(tree.probability[n] * evaluate(m.expired[i, w, n]) for i, w, n in m.EXPIRIES)
    shortfall = evaluate(m.shortfall.expr)
    frozen = {kind: tuple(found) for kind, found in rows.items()}
    plan = Plan(
        title=settings.title,
        currency=settings.currency,
        unit=settings.quantity_unit,
        status=outcome.status,
        objective=objective,
        bound=outcome.bound,
        gap=outcome.gap,
        costs=costs,
        expected_cost=expected,
        cvar=tail,
        waste=waste if waste > stockpile.scale.nothing else 0.0,
        shortfall=shortfall if shortfall > stockpile.scale.nothing else 0.0,
        verdict="",
        warnings=tuple(warnings),
        rows=frozen,
        run=dict(run or {}),
        stockpile=stockpile,
    )
    return replace(plan, verdict=verdict(plan))


def _tail(settings: Settings, outcomes: Iterable[Result]) -> float | None:
    """CVaR of the scenarios' costs; None without scenarios [money]."""
    costs = {
        each.scenario: (each.probability, each.cost)
        for each in cast("Iterable[ScenarioOutcome]", outcomes)
    }
    return cvar(costs, settings.risk_tail) if costs else None


def _marginal_values(formulation: Formulation, outcome: Outcome) -> Iterator[MarginalValue]:
    """What loosening each limit by one unit would save, from the duals of the plan with its
    integers fixed.
    """
    stockpile, tree = formulation.stockpile, formulation.stockpile.tree
    found = []
    for limit in formulation.ledger.limits:
        dual = _marginal(limit.data, outcome)
        if limit.row is None or not dual:
            continue
        factor = evaluate(limit.factor)
        worth = dual * factor * (1 if limit.sense == "least" else -1)
        if abs(worth) > WORTHLESS * stockpile.scale.of(f"money/{limit.unit}"):
            body = (
                limit.used
                if limit.used is not None
                else None
                if limit.unit == "1"
                else getattr(limit.data, "body", limit.data)
            )
            found.append(
                MarginalValue(
                    **stockpile.where(limit.node),
                    limit=limit.what,
                    cell=stockpile.cell(limit.row, limit.column),
                    date=stockpile.calendar.begin(tree.period[limit.node]),
                    sense=limit.sense,
                    amount=limit.amount,
                    used=None if body is None else evaluate(body),
                    unit={
                        "quantity": stockpile.settings.quantity_unit,
                        "money": stockpile.settings.currency,
                    }.get(limit.unit, limit.unit),
                    worth=worth,
                )
            )
    yield from sorted(found, key=lambda each: (each.date, each.limit))


def _marginal(data: Any, outcome: Outcome) -> float:
    """Change of the cost for one more unit of a constraint's bound or a variable's upper bound; 0
    where not known.
    """
    if data.ctype is pyo.Var:
        # At its lower bound a variable has a reduced cost too: that is not its upper bound's.
        return min(0.0, outcome.reduced_cost(data) or 0.0)
    return outcome.dual(data) or 0.0


def assumptions(stockpile: Stockpile) -> Iterator[Assumption]:
    """Every input with its source: what the workbook gives, and the defaults it leaves."""
    for row in (stockpile.settings, *(row for rows in stockpile.tables.values() for row in rows)):
        kind = type(row)
        key = "/".join(str(get(row, name)) for name in keys(kind)) or str(row.line or "")
        for each in columns(kind):
            value = getattr(row, each.field)
            if value is None or value == ():
                continue
            yield _assumption(
                stockpile, row, key, each.name, value, each.unit, value != each.default
            )
        if kind.OPEN:
            for index, value in row.values.items():  # type: ignore[attr-defined]
                yield _assumption(stockpile, row, key, index, value, "money/quantity", True)


def _assumption(
    stockpile: Stockpile, row: Row, key: str, name: str, value: object, unit: str, given: bool
) -> Assumption:
    low, high = row.ranges.get(name, (None, None))
    about = row.about.get(name, row) if isinstance(row, Settings) else row
    return Assumption(
        cell=stockpile.cell(row, name) if given else "",
        table=row.TABLE,
        row=key,
        column=name,
        value=", ".join(map(str, value)) if isinstance(value, tuple) else value,
        unit=unit,
        low=low,
        high=high,
        given=given,
        **{each: getattr(about, each) if given else None for each in PROVENANCE},
    )
