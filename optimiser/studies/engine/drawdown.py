"""Drawdown: the least demand that stays unmet where nothing can be ordered, as a linear program.

Metal on hand and due comes in batches, of which each can meet some needs: those of its material
and sites that fall between its arrival and the end of its life, and leave it the life they ask for.
With x[b,k] what batch b gives to need k,

    max Σ (P - t_k) x[b,k],   Σ_k x[b,k] ≤ quantity of b,   Σ_b x[b,k] ≤ need k,   x ≥ 0,

with t_k the period of need k of P. What batches can meet is a polymatroid, so weights that fall
with time change no total: the earliest needs come first, and as much is met as any use could meet
(J. Edmonds, Submodular functions, matroids, and certain polyhedra, 1970). So the optimum also says
when metal first runs short.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimiser.solving.highs import optimise
from optimiser.solving.program import INFINITY, Program
from optimiser.solving.search_options import Options, SolverError
from optimiser.system.interrupts import Interrupt

NOTHING = 1e-6
"""Up to which share of the largest need nothing lacks: the solver's tolerance is a tenth [1]."""
INSIDE = "inside"
"""The first word of the figure of what stays unmet in the horizon."""


@dataclass(frozen=True)
class Drawdown:
    """Describe what is asked of metal on hand and due from a period on.

    `needs`: quantities; `when`: the period of each, counted from 0. `batches`: by the needs that
    they can meet, how much there is. `inside`: how many of the periods lie in the horizon. `days`:
    of each period; blank where only quantities count.
    """

    needs: tuple[float, ...]
    when: tuple[int, ...]
    batches: Mapping[tuple[int, ...], float]
    inside: int = 0
    days: tuple[int, ...] = ()


Questions = Mapping[str, Drawdown]
"""Drawdowns by the figure that each answers."""


def met(drawdown: Drawdown, options: Options) -> list[float]:
    """Return what can be met of each need, the earliest first [quantity].

    `options` are those of the linear program. Raises SolverError where it has no solution.
    """
    met = [0.0] * len(drawdown.needs)
    unit = max(drawdown.needs, default=0.0)
    entries = [(b, k) for b, needs in enumerate(drawdown.batches) for k in needs]
    if not entries or not unit:
        return met
    found = optimise(_program(drawdown, entries, unit), options, Interrupt())
    if found.x is None:
        raise SolverError(f"the least unmet demand was not found: {found.status}")
    for (_, k), value in zip(entries, found.x.tolist(), strict=True):
        met[k] += value * unit
    short = NOTHING * unit
    pairs = zip(met, drawdown.needs, strict=True)
    return [need if need - each <= short else max(0.0, each) for each, need in pairs]


def _program(drawdown: Drawdown, entries: Sequence[tuple[int, int]], unit: float) -> Program:
    """Return the linear program, with quantities as shares of a unit."""
    batches, needs = [*drawdown.batches.values()], drawdown.needs
    last, count = max(drawdown.when) + 1, len(batches)
    by_row: list[list[int]] = [[] for _ in range(count + len(needs))]
    for j, (b, k) in enumerate(entries):
        by_row[b].append(j)
        by_row[count + k].append(j)
    most = np.array([*batches, *needs]) / unit
    index = [j for row in by_row for j in row]
    return Program(
        cost=np.array([(drawdown.when[k] - last) / last for _, k in entries]),
        offset=0.0,
        lower=np.zeros(len(entries)),
        upper=np.full(len(entries), INFINITY),
        integer=np.zeros(len(entries), dtype=np.bool_),
        row_lower=np.full(len(by_row), -INFINITY),
        row_upper=most,
        start=np.cumsum([0, *map(len, by_row)]).astype(np.int32),
        index=np.array(index, dtype=np.int32),
        value=np.ones(len(index)),
    )


def unmet(drawdown: Drawdown, options: Options) -> float:
    """Return the least demand that stays unmet [quantity]."""
    return sum(_short(drawdown, options))


def _short(drawdown: Drawdown, options: Options) -> list[float]:
    return [need - each for need, each in zip(drawdown.needs, met(drawdown, options), strict=True)]


def answers(questions: Questions, options: Options) -> dict[str, float | str]:
    """Return the answer to each question: days of cover, else what stays unmet.

    There are no days where metal does not run short. Of what stays unmet there is a second figure,
    `INSIDE`: what of it lies in the horizon, the least there too as the earliest needs come first.
    """
    found: dict[str, float | str] = {}
    for name, each in questions.items():
        if each.days:
            if (cover := days_of_cover(each, options)) is not None:
                found[name] = cover
            continue
        short = _short(each, options)
        found[name] = sum(short)
        pairs = zip(short, each.when, strict=True)
        found[f"{INSIDE} {name}"] = sum(lacks for lacks, t in pairs if t < each.inside)
    return found


def days_of_cover(drawdown: Drawdown, options: Options) -> float | None:
    """Return for how many days all demand can be met [days].

    Of the first period that runs short the share of the days that is met counts. None: metal does
    not run short in the periods that are asked about.
    """
    needed, given = ([0.0] * len(drawdown.days) for _ in range(2))
    for k, value in enumerate(met(drawdown, options)):
        needed[drawdown.when[k]] += drawdown.needs[k]
        given[drawdown.when[k]] += value
    covered = 0.0
    for days, need, there in zip(drawdown.days, needed, given, strict=True):
        if there < need:
            return covered + days * there / need
        covered += days
    return None


# --- As text, for a case of a study ---------------------------------------------------------------


def written(questions: Questions) -> str:
    """Return questions as text, from which `read_back` makes the same."""
    return json.dumps(
        [
            [name, each.needs, each.when, [*each.batches.items()], each.inside, each.days]
            for name, each in questions.items()
        ]
    )


def read_back(text: str) -> Questions:
    """Return the questions of a text that `written` made."""
    return {
        name: Drawdown(
            tuple(needs),
            tuple(when),
            {tuple(meets): quantity for meets, quantity in batches},
            inside,
            tuple(days),
        )
        for name, needs, when, batches, inside, days in json.loads(text)
    }


def gathered(batches: Iterable[tuple[tuple[int, ...], float]]) -> dict[tuple[int, ...], float]:
    """Return batches that can meet the same needs as one; those that meet none are left out."""
    found: dict[tuple[int, ...], float] = {}
    for meets, quantity in batches:
        if meets and quantity > 0:
            found[meets] = found.get(meets, 0.0) + quantity
    return found
