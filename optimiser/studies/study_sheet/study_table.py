"""The sheet `studies`: what is changed, between which values, and by which kind of study.

Rows with the same study name form one study; each row is one of its inputs. What holds for the
whole study (samples, seed, steps of a frontier) stands in its first row. The planner passes over
the sheet: only `stockpile study` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from stockpile_model.changes import How
from stockpile_model.names import clean, identity
from stockpile_model.schema import Row
from stockpile_model.schema import column as _column
from stockpile_model.stockpile import Stockpile

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
MOST_SAMPLES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Study(Row):
    """One input of a study."""

    TABLE = "studies"
    PURPOSE = "What to vary, and how, to see on what the plan depends."
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
    row: str | None = _column("key of the row, or a group of rows, as in events; blank = every row")
    column: str | None = _column("column of the cell; of a frontier also shortfall or cvar")
    how: str = _column(
        "how low and high change the cell; a date can only be moved: `add`, by months",
        default="set",
        choices=get_args(How),
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


def by_name(stockpile: Stockpile) -> dict[str, tuple[Study, ...]]:
    """Return the rows of each study, in the order of the sheet."""
    found: dict[str, list[Study]] = {}
    for row in stockpile.rows(Study):
        found.setdefault(identity(row.study), []).append(row)
    return {rows[0].study: tuple(rows) for rows in found.values()}


def decision(row: Study) -> tuple[str, str, str | None]:
    """Return kind, name and level of the decision of a threshold; `target` has no name."""
    kind, _, name = clean(row.decision or TARGET).partition(" ")
    kind = identity(kind)
    if kind == "sign" and "/" in name:
        name, _, level = name.rpartition("/")
        return kind, name, level
    return kind, name, None
