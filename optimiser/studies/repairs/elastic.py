"""The linear program in which cells give way: a column for each cell, shared by all its rows.

One build with the numbers of all cells traced says which bounds and which entries of the program
each cell moves, and by how much. So a cell that sets many limits gives once, and a limit that a
ramp, a scenario or a sum derives from several cells gives with each of them.

A cell that stands in entries, such as the share of a rule, makes its rows elastic instead:
where a row a(p)·x ≥ b is missed by s at the solution x, moving p by s/|a'(p)·x| makes x feasible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimiser.solving import highs
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import Options, SolverError, Status
from optimiser.solving.standard_form import StandardForm, standard_form
from optimiser.studies.engine.compiled import Piece, trace
from optimiser.studies.engine.traced import Traced, Untraceable
from optimiser.studies.repairs.levers import GivingCell
from optimiser.system.interrupts import Interrupt
from stockpile_model.build import build
from stockpile_model.giving import POLICY
from stockpile_model.scale import QUANTITY
from stockpile_model.schema import Column, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import text

MISSED = 1e-6  # what the rows of a program without a plan are missed by at least [scaled units]
NOTHING = 1e-7  # what gives by less of its weight does not give
_BOUNDS = ("row_lower", "row_upper", "lower", "upper")

Slopes = dict[int, float]


@dataclass(frozen=True, eq=False)
class Effects:
    """Describe what each cell moves in the program, in the units of the model, for one unit of the
    cell.

    `rows[j]` and `uppers[j]`: the bounds of rows and columns by the lever j. `entries[j]`: by row,
    the entries of the matrix by column. `piece`: the program as expressions of the cells `traced`.
    """

    rows: Sequence[Slopes]
    uppers: Sequence[Slopes]
    entries: Sequence[dict[int, Slopes]]
    piece: Piece | None = None
    traced: tuple[int, ...] = ()

    def lumpy(self) -> frozenset[int]:
        """Return the cells that stand with what is decided as a whole: lots, least orders, what
        an order can be at most.
        """
        if self.piece is None:
            return frozenset()
        program, found = self.piece.form.program, set[int]()
        for name, at, which in self.piece.places:
            if name == "value":
                lumps = which[program.integer[program.index[at]]]
                for slopes in self.piece.expressions.slopes(lumps):
                    found |= slopes.keys()
        return frozenset(self.traced[k] for k in found)


def effects(stockpile: Stockpile, levers: Sequence[GivingCell], form: StandardForm) -> Effects:
    """Return what the cells move whose numbers can be traced, in the program of a form."""
    piece, traced = _piece(stockpile, levers)
    if piece is not None and _shape(piece.form) != _shape(form):
        piece = None
    return _effects(levers, piece, traced)


def form_and_effects(
    stockpile: Stockpile, levers: Sequence[GivingCell]
) -> tuple[StandardForm, Effects]:
    """Return the form of a workbook, and what the cells move in it."""
    piece, traced = _piece(stockpile, levers)
    at = None if piece is None else piece.at([levers[j].value for j in traced])
    if at is None or at.form is None:
        return standard_form(build(stockpile).m), _effects(levers, None, ())
    return at.form, _effects(levers, piece, traced)


def _effects(levers: Sequence[GivingCell], piece: Piece | None, traced: tuple[int, ...]) -> Effects:
    rows, uppers = [Slopes() for _ in levers], [Slopes() for _ in levers]
    found = Effects(rows, uppers, [{} for _ in levers], piece, traced)
    if piece is None:
        return found
    for name, at, which in piece.places:
        if name in _BOUNDS:
            of = found.uppers if name in ("lower", "upper") else found.rows
            for place, slopes in zip(at.tolist(), piece.expressions.slopes(which), strict=True):
                for k, slope in slopes.items():
                    if slope:
                        of[traced[k]][place] = slope
        elif name == "value":
            _note_entries(found, piece, traced, levers, at, which)
    return found


def _note_entries(
    found: Effects,
    piece: Piece,
    traced: Sequence[int],
    levers: Sequence[GivingCell],
    at: Any,
    which: Any,
) -> None:
    """Note the entries that cells of the officer's own making move, such as the shares of rules."""
    program = piece.form.program
    own = [k for k, j in enumerate(traced) if levers[j].give.weight <= POLICY]
    row = np.repeat(np.arange(program.rows), np.diff(program.start))
    slopes = piece.expressions.slopes(which, own)
    for place, by in zip(at.tolist(), slopes, strict=True):
        for k, slope in by.items():
            if slope:
                entries = found.entries[traced[k]].setdefault(int(row[place]), {})
                entries[int(program.index[place])] = slope


def _shape(form: StandardForm) -> tuple[int, int]:
    return form.program.rows, form.program.columns


def _piece(
    stockpile: Stockpile, levers: Sequence[GivingCell]
) -> tuple[Piece | None, tuple[int, ...]]:
    """Return the program as expressions of the cells, and the levers that these are."""
    free = [j for j, lever in enumerate(levers) if lever.numeric]
    while free:
        chosen = [levers[j] for j in free]

        def make(values: Sequence[Any], of: Sequence[GivingCell] = chosen) -> Stockpile:
            return moved(stockpile, of, values)

        try:
            return trace(make, [lever.value for lever in chosen]), tuple(free)
        except Untraceable as reason:
            held = {free[k] for k in reason.inputs}
            if not held:
                break
            free = [j for j in free if j not in held]
    return None, ()


def moved(stockpile: Stockpile, levers: Iterable[GivingCell], values: Iterable[Any]) -> Stockpile:
    """Return the stockpile with the cells of some levers at other values, as they are given."""
    tables = {kind: [*rows] for kind, rows in stockpile.tables.items()}
    settings = stockpile.settings
    for lever, value in zip(levers, values, strict=True):
        kind, name = type(lever.row), lever.column.field
        if kind is Settings:
            settings = dataclasses.replace(settings, **{name: value})
        else:
            tables[kind][lever.number] = _with(tables[kind][lever.number], lever.column, value)
    rows = {kind: tuple(found) for kind, found in tables.items()}
    return dataclasses.replace(stockpile, settings=settings, tables=rows, classes=None)


def _with(row: Row, column: Column, value: Any) -> Row:
    if not column.field:
        values: Mapping[str, float] = getattr(row, "values", {})
        changes: dict[str, Any] = {"values": {**values, column.name: value}}
    elif column.numbers and value is not None and value.__class__ is not Traced:
        changes = {column.field: text(value)}
    else:
        changes = {column.field: value}
    return dataclasses.replace(row, **changes)


@dataclass(frozen=True, eq=False)
class Gift:
    """Describe what cells give: the new value of each lever that gives, and what that weighs
    together.

    `status` says how the search for it ended; `places` are the rows that bind, and -1 - j for the
    bound of a column j; `dual`: what each row of the program weighs; `x`: its solution.
    """

    status: Status
    values: Mapping[int, float]
    weight: float
    places: tuple[int, ...] = ()
    dual: Floats | None = None
    x: Floats | None = None


@dataclass(frozen=True)
class _Giving:
    """A column of the elastic program: what a lever gives to all its bounds, or to one row."""

    lever: int
    sign: int
    row: int | None
    most: float
    cost: float


class ElasticProgram:
    """A program with columns for what cells give, in sizes of these cells."""

    def __init__(
        self, form: StandardForm, levers: Sequence[GivingCell], moves: Effects, whole: bool = False
    ) -> None:
        self.form, self.levers, self.effects = form, levers, moves
        program = form.program if whole else form.program.relaxed()
        self.first = program.columns
        self.gives: list[_Giving] = []
        self._new: list[tuple[int, int, float]] = []  # entries: row, column, value
        elastic = sorted({at for found in moves.uppers for at in found})
        self._place = {at: program.rows + k for k, at in enumerate(elastic)}
        for j in range(len(levers)):
            if moves.rows[j] or moves.uppers[j]:
                self._add_bounds(j, program)
            else:
                self._add_rows(j, program)
        self.program = self._extended(program, elastic)

    def _add_bounds(self, j: int, program: Program) -> None:
        """Add the columns of what a cell gives to the bounds that it sets.

        Where it caps an order that is placed (an entry at a 0/1 column), it does so as if it were.
        """
        lever, sizes = self.levers[j], self.form.sizes
        entries = {i: slope / sizes.row[i] for i, slope in self.effects.rows[j].items()}
        for at, slope in self.effects.uppers[j].items():
            entries[self._place[at]] = slope / sizes.column[at]
        for i, by in self.effects.entries[j].items():
            done = sum(slope * program.upper[at] * sizes.column[at] for at, slope in by.items())
            if np.isfinite(done) and lever.room is None:
                entries[i] = entries.get(i, 0.0) - done / sizes.row[i]
        for sign in lever.signs:
            column = self.first + len(self.gives)
            self.gives.append(_Giving(j, sign, None, _room(lever, sign), lever.give.weight))
            self._new += [(i, column, -slope * sign * lever.size) for i, slope in entries.items()]

    def _add_rows(self, j: int, program: Program) -> None:
        """Add the columns of what a cell gives to the rows in whose entries it stands.

        A unit is priced as if the row held the largest need.
        """
        lever, sizes = self.levers[j], self.form.sizes
        for i, by in self.effects.entries[j].items():
            low, high = program.row_lower[i] > -INFINITY, program.row_upper[i] < INFINITY
            typical = max(abs(slope) * sizes.column[at] / sizes.row[i] for at, slope in by.items())
            cost = lever.give.weight / (typical * QUANTITY * lever.size)
            for side in [1] * int(low) + [-1] * int(high):
                column = self.first + len(self.gives)
                self.gives.append(_Giving(j, side, i, INFINITY, cost))
                self._new.append((i, column, float(side)))

    def _extended(self, program: Program, elastic: Sequence[int]) -> Program:
        lower, upper = program.lower.copy(), program.upper.copy()
        row_lower = [lower[at] for at in elastic]
        row_upper = [upper[at] for at in elastic]
        lower[[*elastic]], upper[[*elastic]] = -INFINITY, INFINITY
        freed = dataclasses.replace(
            program, cost=np.zeros(program.columns), offset=0.0, lower=lower, upper=upper
        )
        again = [(self._place[at], at, 1.0) for at in elastic]
        row, column, value = zip(*self._new, *again, strict=True) if self.gives else ((), (), ())
        return freed.extended(
            cost=[each.cost for each in self.gives],
            lower=[0.0] * len(self.gives),
            upper=[each.most for each in self.gives],
            row_lower=row_lower,
            row_upper=row_upper,
            row=row,
            column=column,
            value=value,
        )

    @property
    def given(self) -> frozenset[int]:
        """Return the levers that have a column."""
        return frozenset(each.lever for each in self.gives)

    @property
    def bounding(self) -> frozenset[int]:
        """Return the levers that set bounds, which a linear program moves to any value."""
        return frozenset(each.lever for each in self.gives if each.row is None)

    def least(
        self,
        free: Iterable[int],
        options: Options,
        interrupt: Interrupt,
        freely: Collection[int] = (),
    ) -> Gift:
        """Return the least that some cells must give; what is given `freely` counts nothing."""
        allowed, barred = set(free), set[int]()
        at_no_cost = [self.first + k for k, each in enumerate(self.gives) if each.lever in freely]
        while True:
            opened = self._open(allowed - barred)
            if at_no_cost:
                opened.cost[at_no_cost] = 0.0
            found = _optimised(opened, options, interrupt)
            if found is None:
                return Gift("no_plan", {}, INFINITY)
            if found.x is None:
                return Gift(found.status, {}, INFINITY)
            values, rows, wrong = self._values(found.x)
            if not wrong:
                weight = sum(
                    self.levers[j].weight(value) for j, value in values.items() if j not in freely
                )
                places = self._binding(found.row_dual, rows)
                return Gift(found.status, values, weight, places, found.row_dual, found.x)
            barred |= wrong

    def _binding(self, dual: Floats | None, rows: Sequence[int]) -> tuple[int, ...]:
        """Return the places that bind: by their duals, or else the rows to which cells give."""
        if dual is None:
            return tuple(rows)
        own = {place: -1 - at for at, place in self._place.items()}
        return tuple(own.get(i, i) for i in np.flatnonzero(np.abs(dual) > NOTHING).tolist())

    def most(self, options: Options, interrupt: Interrupt) -> Gift:
        """Return the most that all cells together can give to bounds."""
        cost, upper = self.program.cost.copy(), self.program.upper.copy()
        for k, each in enumerate(self.gives, start=self.first):
            cost[k], upper[k] = (-each.cost, upper[k]) if each.row is None else (0.0, 0.0)
        turned = dataclasses.replace(self.program, cost=cost, upper=upper)
        found = _optimised(turned, options, interrupt)
        if found is None:
            return Gift("no_plan", {}, INFINITY)
        if found.x is None:
            return Gift(found.status, {}, INFINITY)
        return Gift(found.status, self._values(found.x)[0], 0.0)

    def alone(self, gift: Gift) -> dict[int, float]:
        """Return what each cell weighs at least that could make a plan alone, by the duals of what
        all give together.
        """
        found = dict[int, float]()
        if gift.dual is None:
            return found
        worth = self.program.matrix().T @ gift.dual
        for k, each in enumerate(self.gives):
            if each.row is None and (gain := float(worth[self.first + k])) > NOTHING:
                step = gift.weight / gain
                if step <= each.most * (1 + 1e-9):
                    weight = step * each.cost
                    found[each.lever] = min(weight, found.get(each.lever, INFINITY))
            elif each.row is not None and abs(float(worth[self.first + k])) > NOTHING:
                found.setdefault(each.lever, gift.weight)
        return found

    def pull(self, gift: Gift) -> dict[int, float]:
        """Return by how much what all cells give grows with one unit of each cell, to first order,
        wherever it stands in the program [weight / unit of the cell].
        """
        piece, program, sizes = self.effects.piece, self.form.program, self.form.sizes
        if gift.dual is None or gift.x is None or piece is None:
            return {}
        stated, dual = gift.x[: self.first] * sizes.column, gift.dual[: program.rows] / sizes.row
        traced = piece.form.program  # which may hold entries that are 0
        of = np.repeat(np.arange(traced.rows), np.diff(traced.start))
        weights = np.zeros(len(piece.expressions.wanted))
        for name, at, which in piece.places:
            if name == "value":
                by = -dual[of[at]] * stated[traced.index[at]]
            elif name in ("row_lower", "row_upper"):
                by = _side(dual[at], name == "row_lower")
            elif name in ("lower", "upper"):
                by = np.array(
                    [
                        gift.dual[self._place[k]] / sizes.column[k] if k in self._place else 0.0
                        for k in at.tolist()
                    ]
                )
                by = _side(by, name == "lower")
            else:
                continue
            np.add.at(weights, which, by)
        found = piece.expressions.gradient(weights).tolist()
        return dict(zip(self.effects.traced, found, strict=True))

    def touched(self, gift: Gift) -> list[int]:
        """Return the cells that the proof that there is no plan rests on."""
        if gift.dual is None:
            return sorted(self.given)
        worth = np.abs(self.program.matrix().T @ gift.dual)
        found = {each.lever for k, each in enumerate(self.gives) if worth[self.first + k] > NOTHING}
        return sorted(found)

    def _open(self, free: set[int]) -> Program:
        upper = self.program.upper.copy()
        shut = [self.first + k for k, each in enumerate(self.gives) if each.lever not in free]
        upper[shut] = 0.0
        return dataclasses.replace(self.program, cost=self.program.cost.copy(), upper=upper)

    def possible(
        self, free: Iterable[int], options: Options, interrupt: Interrupt, proven: bool = False
    ) -> bool | None:
        """Return whether a plan exists where some cells give all that is needed; None: unknown.

        `proven`: that there is none is proven too, by the least by which its rows are missed.
        """
        opened = self._open(set(free))
        opened = dataclasses.replace(opened, cost=np.zeros(opened.columns), offset=0.0)
        found = _optimised(_missing(opened) if proven else opened, options, interrupt)
        if found is None or found.objective is None:
            return None if found is None or found.status == "no_plan" else False
        return found.objective <= MISSED or (None if found.status != "optimal" else False)

    def _values(self, x: Floats) -> tuple[dict[int, float], tuple[int, ...], set[int]]:
        """Return the new values of the cells, the rows that they give to, and the cells that would
        have to move in a direction in which they cannot.
        """
        steps, rows, wrong = dict[int, float](), set[int](), set[int]()
        stated = x[: self.first] * self.form.sizes.column
        for k, each in enumerate(self.gives):
            amount, lever = float(x[self.first + k]), self.levers[each.lever]
            if amount * each.cost <= NOTHING:
                continue
            if each.row is None:
                step = each.sign * amount * lever.size
                rows |= set(self.effects.rows[each.lever])
            else:
                rows.add(each.row)
                by = self.effects.entries[each.lever][each.row]
                moves = sum(slope * float(stated[at]) for at, slope in by.items())
                missed = each.sign * amount * float(self.form.sizes.row[each.row])
                step = missed / moves if abs(moves) > NOTHING * abs(missed) else INFINITY
            sign = 1 if step > 0 else -1
            if (
                step == INFINITY
                or sign not in lever.signs
                or abs(step) > _room(lever, sign) * lever.size * (1 + 1e-9)
            ):
                wrong.add(each.lever)
            elif abs(step) > abs(steps.get(each.lever, 0.0)):
                steps[each.lever] = step
        values = {j: self.levers[j].value + step for j, step in steps.items()}
        return values, tuple(sorted(rows)), wrong


def _missing(program: Program) -> Program:
    """Return the program in which each row may be missed at a cost."""
    low = np.flatnonzero(program.row_lower > -INFINITY)
    high = np.flatnonzero(program.row_upper < INFINITY)
    count = len(low) + len(high)
    return program.extended(
        cost=np.ones(count),
        lower=np.zeros(count),
        upper=np.full(count, INFINITY),
        row=np.concatenate([low, high]),
        column=program.columns + np.arange(count, dtype=np.int32),
        value=np.repeat([1.0, -1.0], [len(low), len(high)]),
    )


def _optimised(
    program: Program, options: Options, interrupt: Interrupt
) -> highs.ProgramSolution | None:
    """Return the solution of a program; None where the solver fails, as for figures that are far
    off: what it would have said is not known then.
    """
    minimise = highs.optimise if program.integer.any() else highs.optimise_inside
    try:
        return minimise(program, options, interrupt)
    except SolverError:
        return None


def _side(dual: Floats, lower: bool) -> Floats:
    """Return the duals of rows that bind at one side."""
    return np.maximum(dual, 0.0) if lower else np.minimum(dual, 0.0)


def _room(lever: GivingCell, sign: int) -> float:
    """Return how far a cell can give, in its sizes."""
    column, value = lever.column, lever.value
    if lever.room is not None:
        return lever.room
    if sign < 0:
        return float(max(0.0, value - max(0.0, column.least or 0.0)) / lever.size)
    return INFINITY if column.most is None else float(max(0.0, column.most - value) / lever.size)
