"""The plan: what a solve decided, as frozen rows that a workbook, a page or JSON can show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from optimiser.plan.frames import Shown, frame
from optimiser.system.errors import OutputError
from stockpile_model import amounts
from stockpile_model.block import results
from stockpile_model.schema import Result, nearest
from stockpile_model.solved_plan import several_metals
from stockpile_model.stockpile import Stockpile

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T", bound=Result)

WRITERS: dict[str, Callable[[Plan, Path, bool], None]] = {}
"""The functions that write a plan as a file, by the ending of its name. Each room that knows a
format adds its own.
"""


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """A plan.

    Money is in `currency`, quantity in `unit`; `waste` and `shortfall` are sums over all metals.
    `costs` are expected and discounted, by heading, and
    sum to `expected_cost`. The objective is that sum; with a risk weight w of the settings it is
    (1 - w)·expected cost + w·`cvar` (None without scenarios). `rows` holds the result rows of every
    sheet by their type. `verdict` holds one idea a line. Where `until` is a date, the rows hold
    what is done before it, and what is expected over all scenarios from then on.

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
        """Return the result rows of one type."""
        return cast("tuple[T, ...]", self.rows.get(kind, ()))

    def verdict_with(self, *sentences: str) -> str:
        """Return the verdict with more sentences, one idea a line."""
        return "\n".join((self.verdict, *sentences))

    @property
    def sheets(self) -> tuple[str, ...]:
        """Return the names of the sheets of rows."""
        return tuple(kind.SHEET for kind in self.rows)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the sheets, so that `in` finds one too."""
        return iter(self.sheets)

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
        """Write the plan to a file; its name ends with the format: .xlsx, .json or .html.

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError; then nothing has changed.
        """
        target = Path(path)
        writer = WRITERS.get(target.suffix.casefold())
        if writer is None:
            *others, last = sorted(WRITERS)
            raise OutputError(
                f"{target}: a plan is saved as {', '.join(others)} or {last}; choose such a name"
            )
        writer(self, target, force)
        return target

    def _title(self) -> str:
        return f"Plan {self.title}".strip()

    def _losses(self) -> Mapping[str, str]:
        """Return what is missing and what expires; of several metals the verdict says it."""
        if several_metals(self):
            return {}
        losses = {"shortfall": self.shortfall, "waste": self.waste}
        return {what: f"{amounts.stated(size)} {self.unit}" for what, size in losses.items()}

    def _facts(self) -> Mapping[str, object]:
        gap = "not known" if self.gap is None else amounts.percent(self.gap, 3)
        return {
            "status": self.status,
            "objective": f"{amounts.money(self.objective)} {self.currency}",
            "proven bound": (
                "none"
                if self.bound is None
                else f"{amounts.money(self.bound)} {self.currency} (gap {gap})"
            ),
            **self._losses(),
            "verdict": " ".join(self.verdict.splitlines()),
            "sheets": ", ".join(self.sheets),
        }
