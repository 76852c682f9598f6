"""The program of a changed stockpile: compiled afresh, or computed by recorded operations.

`trace` builds the model once with the changed numbers traced (`traced`): each entry of the program
is then an exact expression of them, and every comparison on the way, in reading rows, in deciding
which columns and rows there are, in choosing a price, is a guard. The `Piece` it makes gives the
program of every case for which all guards hold: the numbers of a build of that case, by the same
operations. A case that takes another side anywhere is compiled, or traced for a piece of its own.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimiser.solving.program import Floats, Ints, Program
from optimiser.solving.standard_form import (
    Label,
    StandardForm,
    judging,
    rescaled,
    rounded,
    standard_form,
)
from optimiser.studies.engine.traced import Expressions, Tape, Traced, Untraceable
from stockpile_model.build import build
from stockpile_model.scale import Scale
from stockpile_model.stockpile import Stockpile

PLAIN = Scale()


@dataclass(frozen=True, eq=False)
class Compiled:
    """A program with the name of each column, in scaled units (`scale`).

    `shortfall`·x is the shortfall of a plan x; `size` is one scaled unit of each column. `rows` are
    the names of the rows. Programs with one `signature` have the same columns and rows.
    """

    program: Program
    shortfall: Floats
    labels: tuple[Label, ...]
    signature: str
    tail: Floats | None = None
    size: Floats | None = None
    scale: Scale = PLAIN
    form: StandardForm | None = None  # that it is of
    rows: tuple[Label, ...] = ()

    @property
    def priority(self) -> Ints:
        """Return the priority of each column: one with a higher priority is decided first."""
        return (
            np.zeros(self.program.columns, dtype=np.int32)
            if self.form is None
            else self.form.priority
        )

    def values(self, x: Floats) -> Floats:
        """Return the values of the variables, in the units of the workbook."""
        return x if self.size is None else rounded(x * self.size)

    def unit(self, measure: str) -> float:
        """Return one scaled unit of a measure; how much a plan does of what others did has none."""
        return {
            "cost": self.scale.money,
            "cvar": self.scale.money,
            "shortfall": self.scale.quantity,
        }.get(measure, 1.0)

    def measure(self, name: str) -> Floats:
        """Return the coefficients of a measure of the plan.

        Measures are cost (without its constant), shortfall, and cvar where it was compiled.
        """
        found = {"cost": self.program.cost, "shortfall": self.shortfall, "cvar": self.tail}[name]
        if found is None:
            raise ValueError(f"{name} was not compiled")
        return found


def compile_program(
    stockpile: Stockpile, tail: bool = False, numbers: Any = np.float64
) -> Compiled:
    """Build the model of a stockpile and compile it.

    The cost of the program is what a plan is judged by; with `tail` the mean cost alone, and CVaR
    is known too. `numbers` as in `standard_form`.
    """
    if tail:
        return _compile(
            replace(stockpile, settings=replace(stockpile.settings, risk_weight=0.5)), tail, numbers
        )
    return _compile(stockpile, tail, numbers)


def _compile(stockpile: Stockpile, tail: bool, numbers: Any) -> Compiled:
    # While a model grows there is nothing to collect, and the collector looks through all of it
    # again and again: a third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        formulation = build(stockpile)
        return compile_model(formulation.m, formulation.stockpile.scale, tail, numbers)
    finally:
        if collecting:
            gc.enable()


def compile_model(
    m: pyo.ConcreteModel, scale: Scale, tail: bool = False, numbers: Any = np.float64
) -> Compiled:
    """Return the model of a stockpile of some scale, compiled.

    Its shortfall becomes an objective, with `tail` its mean cost and CVaR too.
    """
    m.mean.deactivate()
    for objective in (m.shortfall, *((m.mean, m.tail) if tail else ())):
        objective.activate()
    form = standard_form(m, numbers=numbers)
    variables = (
        (part.local_name, part) for part in m.component_objects(pyo.Var) if not part.is_reference()
    )
    labels = tuple(
        (name, key if isinstance(key, tuple) else (key,))
        for name, part in variables
        for key in part
    )
    names = {id(part): part.local_name for part in m.component_objects(pyo.Constraint, active=True)}
    rows = tuple((names[id(each.parent_component())], each.index()) for each in form.constraints)
    signature = hashlib.sha256(repr((labels, [*rows])).encode()).hexdigest()
    return _compiled(replace(form, variables=(), constraints=()), labels, rows, signature, scale)


def _compiled(
    form: StandardForm,
    labels: tuple[Label, ...],
    rows: tuple[Label, ...],
    signature: str,
    scale: Scale,
) -> Compiled:
    """Return the program of a form.

    Of a form that has them as objectives its cost is the mean, and its tail CVaR.
    """
    found, program = {each.name: each for each in form.objectives}, form.program
    tail = found["tail"].cost if "tail" in found else None
    if tail is not None:
        program = replace(program, cost=found["mean"].cost, offset=found["mean"].offset)
    shortfall, size = found["shortfall"].cost, form.sizes.column
    return Compiled(program, shortfall, labels, signature, tail, size, scale, form, rows)


# --- Traced ---------------------------------------------------------------------------------------

NUMBERS = (
    "lower",
    "upper",
    "row_lower",
    "row_upper",
    "value",
)  # of a program, with those of the objectives


@dataclass(frozen=True, eq=False)
class Piece:
    """The program as expressions of some inputs.

    `places`: by array, those of its entries that are expressions, and which; `form`, in the units
    of the workbook, holds all others.
    """

    like: Compiled
    form: StandardForm
    expressions: Expressions
    places: tuple[tuple[str, Ints, Ints], ...]

    def at(self, point: Sequence[float] | Floats) -> Compiled | None:
        """Return the program where the inputs have these values.

        None where the piece does not hold there.
        """
        found = self.expressions.at(np.asarray(point, dtype=np.float64))
        if found is None:
            return None
        arrays = _arrays(self.form)
        for name, at, which in self.places:
            arrays[name] = arrays[name].copy()
            arrays[name][at] = found[which]
        return _compiled(
            rescaled(_with(self.form, arrays)),
            self.like.labels,
            self.like.rows,
            self.like.signature,
            self.like.scale,
        )


def trace(
    make: Callable[[Sequence[Any]], Stockpile], point: Sequence[float], tail: bool = False
) -> Piece:
    """Return the piece in which a point lies.

    `make` gives the stockpile where the inputs have some values, which here are traced.

    Raises Untraceable, with the inputs that are used in a way that cannot be recorded, where there
    are such.
    """
    tape = Tape()
    inputs = [tape.input(value) for value in point]
    try:
        with _quiet():
            traced = compile_program(make(inputs), tail, object)
    except MemoryError:
        raise
    except Exception as reason:
        if not point:
            raise
        raise tape.failed or Untraceable(f"{type(reason).__name__}: {reason}") from reason
    assert traced.form is not None
    arrays, places, wanted = _arrays(traced.form), list[tuple[str, Ints, Ints]](), dict[int, int]()
    for name, values in arrays.items():
        at = np.array(
            [k for k, each in enumerate(values) if each.__class__ is Traced], dtype=np.int32
        )
        if len(at):
            which = [wanted.setdefault(values[k].node, len(wanted)) for k in at]
            places.append((name, at, np.array(which, dtype=np.int32)))
        arrays[name] = np.array(
            [each.known if each.__class__ is Traced else each for each in values], dtype=np.float64
        )
    return Piece(traced, _with(traced.form, arrays), Expressions(tape, [*wanted]), tuple(places))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Return a context without what Pyomo logs of an error that is handled."""
    was = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(was)


def _arrays(form: StandardForm) -> dict[str, Any]:
    """Return all numbers of a form, by array."""
    found = {name: getattr(form.program, name) for name in NUMBERS}
    found |= {f"cost {each.name}": each.cost for each in form.objectives}
    return found | {f"offset {each.name}": np.array([each.offset]) for each in form.objectives}


def _with(form: StandardForm, arrays: dict[str, Floats]) -> StandardForm:
    """Return a form with other numbers."""
    goals = tuple(
        replace(each, cost=arrays[f"cost {each.name}"], offset=arrays[f"offset {each.name}"][0])
        for each in form.objectives
    )
    judged = judging(goals)
    assert judged is not None
    numbers: dict[str, Any] = {name: arrays[name] for name in NUMBERS} | {
        "cost": judged.cost,
        "offset": judged.offset,
    }
    return replace(form, program=replace(form.program, **numbers), objectives=goals, stated=goals)


# --- The programs of a study ----------------------------------------------------------------------

TRACED, COMPILED = "traced", "compiled"  # how a program was made
MOST_PIECES = 16  # that are kept
# by how many pieces of one kind of case may outnumber the cases that were served by one made before
# them
SPARE = 4

Kind = Hashable  # of cases that change the same cells in the same way


@dataclass(eq=False)
class Programs:
    """The programs of cases, from pieces where one says what it is.

    For a case that none serves a piece is traced, while these serve other cases too; else it is
    compiled. What cannot be traced is held: cases that share its value share pieces.
    """

    pieces: dict[tuple[Kind, int], Piece] = field(
        default_factory=dict
    )  # what served last stands last
    held: dict[Kind, frozenset[int]] = field(default_factory=dict)
    why: dict[Kind, str] = field(default_factory=dict)
    made: Counter[Kind] = field(default_factory=Counter)
    served: Counter[Kind] = field(default_factory=Counter)

    def of(
        self,
        kind: Kind,
        values: Sequence[float],
        make: Callable[[Sequence[Any]], Stockpile],
        tail: bool = False,
    ) -> tuple[Compiled, str, str]:
        """Return the program of a case, how it was made, and where it was compiled why.

        `make` gives the stockpile of the case, or of another of its kind, from the values of the
        inputs.
        """
        while True:
            held = self.held.get(kind, frozenset())
            free = [k for k in range(len(values)) if k not in held]
            point, fixed = [values[k] for k in free], tuple(values[k] for k in sorted(held))
            alike = (kind, held, fixed)
            for key in [each for each in reversed(self.pieces) if each[0] == alike]:
                if (found := self.pieces[key].at(point)) is not None:
                    self.served[kind] += 1
                    self.pieces[key] = self.pieces.pop(key)
                    return found, TRACED, ""
            if self.made[kind] > self.served[kind] + SPARE:
                said = (
                    f"compiled: {self.made[kind]} pieces of the program served {self.served[kind]}"
                    " other runs"
                )
                return compile_program(make(values), tail), COMPILED, said + self.why.get(kind, "")

            def among(traced: Sequence[Any], free: Sequence[int] = free) -> Stockpile:
                given = dict(zip(free, traced, strict=True))
                return make([given.get(k, value) for k, value in enumerate(values)])

            try:
                piece = trace(among, point, tail)
            except Untraceable as reason:
                if not free:
                    raise
                self.held[kind] = held.union([free[k] for k in reason.inputs] or free)
                self.why[kind] = f"; an input cannot be traced: {reason}"
                continue
            self.made[kind] += 1
            self.pieces[alike, self.made[kind]] = piece
            if len(self.pieces) > MOST_PIECES:
                self.pieces.pop(next(iter(self.pieces)))
            if (found := piece.at(point)) is not None:
                return found, TRACED, ""
