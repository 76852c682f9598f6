"""The program of a changed stockpile: compiled anew, or from what a few compilations have taught.

Nearly every input moves the entries of the program (costs, bounds, coefficients) along straight lines, and two inputs at once along
products of them, some of them over one of the inputs (an order cost spread over a capacity), some of them cut off by a floor or a
ceiling. `learn` compiles at a few values of each input, fits such terms and holds them against further compilations; the program of a
case is then a few additions to arrays. Where an entry follows no such term, nothing is learnt, and each case is compiled.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimiser.solver.standard_form import Floats, Ints, Program, rounded, standard_form
from stockpile_model.build import build
from stockpile_model.data import Stockpile
from stockpile_model.scale import Scale

Label = tuple[str, tuple[Any, ...]]  # a variable's component and index

PLAIN = Scale()
EXACT = 1e-9  # two compilations of one entry that differ by less, relatively, are the same
TINY = 1e-13  # a coefficient that is smaller, relatively to its entry, is rounding
MOST_INPUTS = 40  # of more it takes longer to learn than to compile
MOST_TOGETHER = 6  # inputs that move one entry; their terms are fitted up to products of them all
AXIS = (0.0, 1.0)  # where along its range each input is probed alone; the middle between is probed for all
SPARE = 2  # compilations that only check
JOINT = (8, 16, 28, 48)  # compilations with all inputs anywhere in their ranges, while fewer do not tell all terms apart


@dataclass(frozen=True, eq=False)
class Compiled:
    """A program, the shortfall that its plans have (`shortfall`·x), and the name of each column, all in scaled units (`scale`); `size`
    is one of them of each column. Programs with one `signature` have the same columns and rows."""

    program: Program
    shortfall: Floats
    labels: tuple[Label, ...]
    signature: str
    tail: Floats | None = None
    size: Floats | None = None
    scale: Scale = PLAIN

    def values(self, x: Floats) -> Floats:
        """The values of the variables, in the units of the workbook."""
        return x if self.size is None else rounded(x * self.size)

    def unit(self, measure: str) -> float:
        """One scaled unit of a measure; how much a plan does of what others did has none."""
        return {"cost": self.scale.money, "cvar": self.scale.money, "shortfall": self.scale.quantity}.get(measure, 1.0)

    def measure(self, name: str) -> Floats:
        """The coefficients of a measure of the plan: cost (without its constant), shortfall, or cvar where it was compiled."""
        found = {"cost": self.program.cost, "shortfall": self.shortfall, "cvar": self.tail}[name]
        if found is None:
            raise ValueError(f"{name} was not compiled")
        return found


def compile_program(stockpile: Stockpile, tail: bool = False) -> Compiled:
    """Build the model of a stockpile and compile it. The cost of the program is that of the last objective; with `tail` the mean
    cost alone, and beside it CVaR."""
    if tail:
        return _compile(replace(stockpile, settings=replace(stockpile.settings, risk_weight=0.5)), tail)
    return _compile(stockpile)


def _compile(stockpile: Stockpile, tail: bool = False) -> Compiled:
    # While a model grows there is nothing to collect, and the collector looks through all of it again and again: a third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        formulation = build(stockpile)
        return compile_model(formulation.m, formulation.stockpile.scale, tail)
    finally:
        if collecting:
            gc.enable()


def compile_model(m: pyo.ConcreteModel, scale: Scale, tail: bool = False) -> Compiled:
    """The model of a stockpile of some scale, compiled; its shortfall becomes an objective, with `tail` its mean cost and CVaR too."""
    m.mean.deactivate()
    for objective in (m.shortfall, *((m.mean, m.tail) if tail else ())):
        objective.activate()
    form = standard_form(m)
    found = {each.name: each for each in form.objectives}
    shortfall, program = found["shortfall"].cost, form.program
    if tail:
        program = replace(program, cost=found["mean"].cost, offset=found["mean"].offset)
    variables = ((part.local_name, part) for part in m.component_objects(pyo.Var) if not part.is_reference())
    labels = tuple((name, key if isinstance(key, tuple) else (key,)) for name, part in variables for key in part)
    names = {id(part): part.local_name for part in m.component_objects(pyo.Constraint, active=True)}
    rows = [(names[id(each.parent_component())], each.index()) for each in form.constraints]
    signature = hashlib.sha256(repr((labels, rows)).encode()).hexdigest()
    return Compiled(program, shortfall, labels, signature, found["tail"].cost if tail else None, form.sizes.column, scale)


# --- Learning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Term:
    """What the product of the deviations of some inputs, or of their reciprocals (`_away`), adds to some entries."""

    inputs: tuple[int, ...]
    at: Ints
    by: Floats


@dataclass(frozen=True, eq=False)
class Clip:
    """Entries that a floor or a ceiling cuts off (infinite where there is none): a price, above all."""

    at: Ints
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Learnt:
    """The entries of the program as sums of products of the inputs' deviations, or their reciprocals', from the middle of their ranges.

    `low`, `high`: the range of each input within which it was learnt.
    """

    like: Compiled  # the program in the middle, over the union of all entries
    middle: Floats
    terms: tuple[Term, ...]
    clip: Clip
    low: Floats
    high: Floats

    def holds(self, point: Floats) -> bool:
        """Whether a point lies within what was learnt."""
        if len(point) != len(self.low):
            return False
        slack = 1e-12 * np.maximum(1.0, np.abs(self.high - self.low))
        return bool(((point >= self.low - slack) & (point <= self.high + slack)).all())

    def at(self, point: Floats) -> Compiled:
        """The program where the inputs have these values."""
        return _restored(self.like, self._entries(point))

    def _entries(self, point: Floats) -> Floats:
        away = _away(point, self.low, self.high)
        entries = self.middle.copy()
        for term in self.terms:
            entries[term.at] += term.by * np.prod(away[list(term.inputs)])
        entries[self.clip.at] = np.clip(entries[self.clip.at], self.clip.low, self.clip.high)
        return entries

    def errs(self, point: Floats, fresh: Compiled) -> bool:
        """Whether a compilation says something else than what was learnt."""
        if fresh.signature != self.like.signature:
            return True
        entries = _entries([fresh], _keys(self.like.program))
        return entries is None or bool(_differ(entries[0], np.nan_to_num(self._entries(point), posinf=0.0, neginf=0.0)).any())


def probes(low: Floats, high: Floats, joint: int = JOINT[0], seed: int = 1) -> list[Floats]:
    """The points to compile at: the middle of all ranges, the ends of each input alone, and `joint` with all inputs anywhere. Those
    for more `joint` begin with those for fewer."""
    middle, count = (low + high) / 2, len(low)
    found = [middle]
    for k, at in itertools.product(range(count), AXIS):
        point = middle.copy()
        point[k] = low[k] + at * (high[k] - low[k])
        found.append(point)
    dice = np.random.default_rng(seed)
    # More often near the ends than within: there a floor or a ceiling cuts off what none cuts off in the middle.
    return found + [low + (1 - np.cos(np.pi * share)) / 2 * (high - low) for share in dice.random((joint, count))]


def learn(points: Sequence[Floats], found: Sequence[Compiled], low: Floats, high: Floats) -> Learnt | None:
    """The program as a function of the inputs, from compilations at `probes`; None where it is no sum of products of them."""
    if any(each.signature != found[0].signature for each in found):
        return None
    keys = np.unique(np.concatenate([_keys(each.program) for each in found]))
    entries = _entries(found, keys)
    if entries is None:
        return None
    away = np.array([_away(point, low, high) for point in points])
    count = len(low)
    moved = np.array([_differ(entries[1 + len(AXIS) * k : 1 + len(AXIS) * (k + 1)], entries[0]).any(axis=0) for k in range(count)])
    moved = moved.reshape(count, -1)
    by_set: dict[tuple[int, ...], list[int]] = {}
    for at in np.flatnonzero(_differ(entries, entries[0]).any(axis=0)).tolist():
        by_set.setdefault(tuple(np.flatnonzero(moved[:, at]).tolist()), []).append(at)
    middle, terms, clips = entries[0].copy(), list[Term](), list[tuple[int, float, float]]()
    for inputs, positions in by_set.items():
        left = np.array(positions)
        for over in [(), *((count + k,) for k in inputs)]:
            if len(left):
                made, left = _fit((*inputs, *over), left, entries, away)
                terms += made
        for at in left.tolist():
            cut = _cut(inputs, at, entries[:, at], away)
            if cut is None:
                return None
            middle[at], more, low_end, high_end = cut
            terms += more
            clips.append((at, low_end, high_end))
    ends = np.array(clips).reshape(-1, 3)
    clip = Clip(ends[:, 0].astype(np.int32), ends[:, 1], ends[:, 2])
    like = _restored(replace(found[0], program=_over(found[0].program, keys)), entries[0])
    return Learnt(like, middle, tuple(terms), clip, low, high)


def _products(inputs: tuple[int, ...], away: Floats) -> tuple[list[tuple[int, ...]], Floats]:
    """The products of inputs, none with its own reciprocal, and their value at each point."""
    count = away.shape[1] // 2
    together = (each for size in range(1, len(inputs) + 1) for each in itertools.combinations(inputs, size))
    found = [each for each in together if len({k % count for k in each}) == len(each)]
    return found, np.array([[np.prod(point[list(each)]) for each in found] for point in away]).reshape(len(away), len(found))


def _told_apart(rows: Floats) -> bool:
    """Whether there are points to spare beyond what a fit needs."""
    return bool(len(np.unique(np.round(rows, 9), axis=0)) >= rows.shape[1] + SPARE)


def _fit(inputs: tuple[int, ...], at: Ints, entries: Floats, away: Floats) -> tuple[list[Term], Ints]:
    """The products of `inputs` that make the entries `at`; and the entries that they do not make at every point."""
    if not inputs or len(inputs) > MOST_TOGETHER:
        return [], at
    products, rows = _products(inputs, away)
    if not _told_apart(rows):
        return [], at
    solved, *_ = np.linalg.lstsq(rows, entries[:, at] - entries[0, at], rcond=None)
    right = ~_differ(entries[0, at] + rows @ solved, entries[:, at]).any(axis=0)
    return _terms(products, solved[:, right], at[right], entries[0, at[right]]), at[~right]


def _terms(products: Sequence[tuple[int, ...]], solved: Floats, at: Ints, size: Floats) -> list[Term]:
    """The products that count."""
    counts = np.abs(solved) > TINY * np.maximum(1.0, np.abs(size))
    return [Term(each, at[kept], row[kept]) for each, row, kept in zip(products, solved, counts, strict=True) if kept.any()]


def _cut(inputs: tuple[int, ...], at: int, values: Floats, away: Floats) -> tuple[float, list[Term], float, float] | None:
    """One entry that is cut off at its least or largest value: what it would be in the middle, its products and both ends. An input
    that moves it may be hidden by the cut at every probe of it alone: so one more is tried."""
    free = _differ(values, values.min()) & _differ(values, values.max())
    for more in [(), *((k,) for k in range(away.shape[1] // 2) if k not in inputs)]:
        together = tuple(sorted({*inputs, *more}))
        if len(together) > MOST_TOGETHER:
            continue
        products, rows = _products(together, away)
        rows = np.column_stack([np.ones(len(rows)), rows])
        if not _told_apart(rows[free]):
            continue
        solved, *_ = np.linalg.lstsq(rows[free], values[free], rcond=None)
        fitted = rows @ solved
        beyond = _differ(fitted, values)
        low = values.min() if (beyond & (fitted < values)).any() else -np.inf
        high = values.max() if (beyond & (fitted > values)).any() else np.inf
        if not _differ(np.clip(fitted, low, high), values).any():
            terms = _terms(products, solved[1:, None], np.array([at], dtype=np.int32), values[:1])
            return float(solved[0]), terms, float(low), float(high)
    return None


def _away(point: Floats, low: Floats, high: Floats) -> Floats:
    """Deviations from the middle, -1 to 1 over the range; then those of the reciprocals, of an input that may be nothing none."""
    some = low * high > 0

    def both(values: Floats) -> Floats:
        return np.concatenate([values, np.divide(1.0, values, out=np.zeros(len(values)), where=some)])

    middle, half = both((low + high) / 2), np.abs(both(high) - both(low)) / 2
    return np.divide(both(point) - middle, half, out=np.zeros(len(middle)), where=half != 0)


def _differ(one: Floats, other: Floats) -> Any:
    with np.errstate(invalid="ignore"):
        return ~((one == other) | (np.abs(one - other) <= EXACT * np.maximum(1.0, np.abs(other))))


def _keys(program: Program) -> Any:
    """The place of each entry of the matrix as one number."""
    row = np.repeat(np.arange(program.rows, dtype=np.int64), np.diff(program.start))
    return row * program.columns + program.index


def _over(program: Program, keys: Any) -> Program:
    """The program with places for the entries `keys`."""
    row, column = np.divmod(keys, program.columns)
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=program.rows))]).astype(np.int32)
    return replace(program, start=start, index=column.astype(np.int32), value=np.zeros(len(keys)))


def _entries(found: Sequence[Compiled], keys: Any) -> Floats | None:
    """All numbers of each program in one line; None where one has an entry outside `keys`, or other bounds that are none."""
    lines = []
    for each in found:
        p, own = each.program, _keys(each.program)
        order = np.argsort(own, kind="stable")
        place = np.searchsorted(keys, own[order])
        if len(own) and (place[-1] >= len(keys) or (keys[place] != own[order]).any()):
            return None
        value = np.zeros(len(keys))
        value[place] = p.value[order]
        lines.append(np.concatenate([p.cost, [p.offset], each.shortfall, p.lower, p.upper, p.row_lower, p.row_upper, value]))
    entries = np.array(lines)
    endless = ~np.isfinite(entries)
    if (endless != endless[0]).any() or (entries[:, endless[0]] != entries[0, endless[0]]).any():
        return None
    if any((each.program.integer != found[0].program.integer).any() for each in found):
        return None
    # A bound that is none stays as it is: a zero in its place here, put back by `_restored`.
    entries[:, endless[0]] = 0.0
    return entries


def _restored(like: Compiled, entries: Floats) -> Compiled:
    """A program from all its numbers in one line; bounds that are none, integers and places are those of `like`."""
    p, at = like.program, 0

    def take(old: Floats, bound: bool = False) -> Floats:
        nonlocal at
        part = entries[at : at + len(old)]
        at += len(old)
        return np.where(np.isfinite(old), part, old) if bound else part

    cost, offset, shortfall = take(p.cost), float(take(np.zeros(1))[0]), take(like.shortfall)
    lower, upper, row_lower, row_upper = (take(old, bound=True) for old in (p.lower, p.upper, p.row_lower, p.row_upper))
    program = replace(
        p,
        cost=cost,
        offset=offset,
        lower=lower,
        upper=upper,
        row_lower=row_lower,
        row_upper=row_upper,
        value=take(p.value),
    )
    return replace(like, program=program, shortfall=shortfall)


def groups(compiled: Compiled, strategic: Sequence[str], paths: Sequence[Sequence[int]]) -> tuple[list[Ints], int]:
    """Sums on which to branch: of the integer columns of a component that share the head of their index (`sign` of a contract, of a
    level) along each of `paths` through the scenario tree, and each column alone; those of strategic components first, and how many
    they are. Over all nodes at once a sum says little: what is decided on one path has nothing to do with another."""
    found: tuple[dict[Any, list[int]], dict[Any, list[int]]] = ({}, {})
    ways: dict[int, list[int]] = {}
    for way, path in enumerate(paths):
        for node in path:
            ways.setdefault(node, []).append(way)
    for j in np.flatnonzero(compiled.program.integer).tolist():
        name, key = compiled.labels[j]
        for size, way in itertools.product(range(1, len(key)), ways.get(key[-1], ())):
            found[name not in strategic].setdefault((name, key[:size], way), []).append(j)
        found[name not in strategic][name, key] = [j]
    # A sum of one column is that column, and paths share their beginnings: once is enough.
    first, then = ([np.array(each, dtype=np.int32) for each in dict.fromkeys(map(tuple, part.values()))] for part in found)
    return [*first, *then], len(first)
