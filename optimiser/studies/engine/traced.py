"""Numbers that record what is done with them, so that a computation can be repeated with others.

A computation runs once with `Traced` numbers in the place of some inputs. Arithmetic on them is
recorded on a `Tape`; a comparison is answered with the numbers at hand, and the side it took is
recorded too (a guard). With other inputs for which every comparison takes the same side the
computation would do the same operations in the same order: `Expressions` does them, and no others,
for all results at once. What cannot be recorded so (a number as text, as an index, as a key,
rounded) raises `Untraceable`, so nothing is lost in silence.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt
from pyomo.core.expr.numeric_expr import NumericValue

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CONSTANT, INPUT, ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, LARGER, SMALLER = range(9)
LESS, LESS_OR_EQUAL, EQUAL = range(3)

_DONE: dict[int, Callable[[float, float], Any]] = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    DIVIDE: lambda a, b: a / b,
    POWER: lambda a, b: a**b,
    LARGER: max,
    SMALLER: min,
}
_DONE_AT_ONCE: dict[int, Callable[[Floats, Floats], Floats]] = {
    ADD: np.add,
    SUBTRACT: np.subtract,
    MULTIPLY: np.multiply,
    DIVIDE: np.divide,
    # One by one: the powers of an array may differ from those of its numbers in the last bit.
    POWER: lambda a, b: np.array(
        [_power(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.float64
    ),
    LARGER: np.maximum,
    SMALLER: np.minimum,
}
_PARTIAL: dict[int, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    ADD: lambda a, b: (np.ones_like(a), np.ones_like(b)),
    SUBTRACT: lambda a, b: (np.ones_like(a), -np.ones_like(b)),
    MULTIPLY: lambda a, b: (b, a),
    DIVIDE: lambda a, b: (1.0 / b, -a / b**2),
    POWER: lambda a, b: (
        b * np.power(a, b - 1.0),
        np.power(a, b) * np.log(a, out=np.zeros_like(a), where=a > 0),
    ),
    LARGER: lambda a, b: ((a >= b).astype(np.float64), (a < b).astype(np.float64)),
    SMALLER: lambda a, b: ((a <= b).astype(np.float64), (a > b).astype(np.float64)),
}
_ASKED: dict[int, Callable[[Any, Any], Any]] = {
    LESS: lambda a, b: a < b,
    LESS_OR_EQUAL: lambda a, b: a <= b,
    EQUAL: lambda a, b: a == b,
}
_UNCHANGED = {
    (ADD, 0.0),
    (SUBTRACT, 0.0),
    (MULTIPLY, 1.0),
    (DIVIDE, 1.0),
}  # operations with a second number that change nothing


def _power(base: float, exponent: float) -> float:
    try:
        found = base**exponent
    except (ArithmeticError, ValueError):
        return math.nan
    return math.nan if isinstance(found, complex) else found


class Untraceable(Exception):
    """Stop a trace: what is done with a traced number cannot be recorded.

    `inputs`: those the number depends on.
    """

    def __init__(self, message: str, inputs: frozenset[int] = frozenset()) -> None:
        super().__init__(message)
        self.inputs = inputs


class Tape:
    """The operations and comparisons of one computation, each once.

    `failed` holds the first that could not be recorded, also where somebody on the way caught the
    error.
    """

    def __init__(self) -> None:
        self.operations: list[tuple[int, int, int]] = []
        self.known: list[float] = []
        self.level: list[int] = []
        self.guards: dict[tuple[int, int, int], bool] = {}
        self.inputs: list[int] = []
        self.failed: Untraceable | None = None
        self._node: dict[tuple[int, int, int], int] = {}
        self._constant: dict[float, int] = {}

    def input(self, number: float) -> Traced:
        """Return a number that is another when the computation is done again."""
        self.inputs.append(self._add((INPUT, len(self.inputs), 0), float(number), 0))
        return Traced(self, self.inputs[-1], float(number))

    def _add(self, operation: tuple[int, int, int], known: float, level: int) -> int:
        self.operations.append(operation)
        self.known.append(known)
        self.level.append(level)
        return len(self.known) - 1

    def node(self, number: Any) -> int:
        """Return the place of a number on the tape; of one that is not traced, as a constant."""
        if number.__class__ is Traced:
            if number.tape is not self:
                raise ValueError("numbers of two tapes meet")
            return int(number.node)
        found = self._constant.get(number)
        if found is None:
            found = self._constant[number] = self._add((CONSTANT, 0, 0), float(number), 0)
        return found

    def operate(self, kind: int, one: Any, other: Any) -> Any:
        """Record an operation on two numbers, at least one of which is traced."""
        if other.__class__ is not Traced and (kind, other) in _UNCHANGED:
            return one
        if one.__class__ is not Traced and (kind in (ADD, MULTIPLY)) and (kind, one) in _UNCHANGED:
            return other
        for each in (one, other):
            if (
                kind in (ADD, SUBTRACT) and each.__class__ is not Traced and math.isinf(each)
            ):  # a traced number is finite
                return _DONE[kind](*(n.known if n.__class__ is Traced else n for n in (one, other)))
        a, b = self.node(one), self.node(other)
        known = _DONE[kind](self.known[a], self.known[b])
        if known.__class__ is not float or not math.isfinite(known):
            self.fail("it leads to no finite number", a, b)
        key = (kind, a, b)
        found = self._node.get(key)
        if found is None:
            level = self.level
            found = self._node[key] = self._add(
                key, known, 1 + (level[a] if level[a] > level[b] else level[b])
            )
        return Traced(self, found, known)

    def choose(self, kind: int, one: Any, other: Any) -> Any:
        """Return the larger or smaller of two numbers.

        Traced numbers are finite.
        """
        for each, rest in ((one, other), (other, one)):
            if each.__class__ is not Traced and not math.isfinite(each):
                return each if _DONE[kind](each, 0.0) == each else rest
        return self.operate(kind, one, other)

    def compare(self, kind: int, one: Any, other: Any) -> bool:
        """Return which side a comparison takes here, and record it as a guard."""
        for each in (one, other):
            if each.__class__ is not Traced and not math.isfinite(
                each
            ):  # a traced number is finite wherever it is used
                return bool(
                    _ASKED[kind](*(n.known if n.__class__ is Traced else n for n in (one, other)))
                )
        a, b = self.node(one), self.node(other)
        took = bool(_ASKED[kind](self.known[a], self.known[b]))
        if a != b:
            self.guards[kind, a, b] = took
        return took

    def fail(self, what: str, *nodes: int) -> NoReturn:
        """Raise Untraceable, and remember the first failure."""
        failure = Untraceable(what, self.behind(nodes))
        self.failed = self.failed or failure
        raise failure

    def behind(self, nodes: Iterable[int]) -> frozenset[int]:
        """Return the inputs that numbers depend on, by their order."""
        seen, left, found = set(nodes), list(nodes), set[int]()
        while left:
            kind, a, b = self.operations[left.pop()]
            if kind == INPUT:
                found.add(a)
            elif kind != CONSTANT:
                left += [each for each in (a, b) if each not in seen]
                seen |= {a, b}
        return frozenset(found)


class Traced(NumericValue):  # type: ignore[misc]
    """A number on a tape.

    To Pyomo it is a parameter: it stands in expressions as it is, and its value is itself.
    """

    __slots__ = ("known", "node", "tape")

    def __init__(self, tape: Tape, node: int, known: float) -> None:
        self.tape, self.node, self.known = tape, node, known

    # --- What Pyomo needs

    def __call__(self, exception: object = True) -> Traced:
        return self

    def is_numeric_type(self) -> bool:
        """Return True: it is a number."""
        return True

    def is_constant(self) -> bool:
        """Return False: its value may change."""
        return False

    def is_fixed(self) -> bool:
        """Return True: it is no variable."""
        return True

    def is_potentially_variable(self) -> bool:
        """Return False: it is no variable."""
        return False

    def polynomial_degree(self) -> int:
        """Return 0: it holds no variable."""
        return 0

    # --- Arithmetic: with a number it is recorded, with anything else it is Pyomo's

    def __add__(self, other: Any) -> Any:
        return self.tape.operate(ADD, self, other) if _number(other) else super().__add__(other)

    def __radd__(self, other: Any) -> Any:
        return self.tape.operate(ADD, other, self) if _number(other) else super().__radd__(other)

    def __sub__(self, other: Any) -> Any:
        return (
            self.tape.operate(SUBTRACT, self, other) if _number(other) else super().__sub__(other)
        )

    def __rsub__(self, other: Any) -> Any:
        return (
            self.tape.operate(SUBTRACT, other, self) if _number(other) else super().__rsub__(other)
        )

    def __mul__(self, other: Any) -> Any:
        return (
            self.tape.operate(MULTIPLY, self, other) if _number(other) else super().__mul__(other)
        )

    def __rmul__(self, other: Any) -> Any:
        return (
            self.tape.operate(MULTIPLY, other, self) if _number(other) else super().__rmul__(other)
        )

    def __truediv__(self, other: Any) -> Any:
        return (
            self.tape.operate(DIVIDE, self, other) if _number(other) else super().__truediv__(other)
        )

    def __rtruediv__(self, other: Any) -> Any:
        return (
            self.tape.operate(DIVIDE, other, self)
            if _number(other)
            else super().__rtruediv__(other)
        )

    def __pow__(self, other: Any) -> Any:
        return self.tape.operate(POWER, self, other) if _number(other) else super().__pow__(other)

    def __rpow__(self, other: Any) -> Any:
        return self.tape.operate(POWER, other, self) if _number(other) else super().__rpow__(other)

    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = (
        __add__,
        __sub__,
        __mul__,
        __truediv__,
        __pow__,
    )

    def __neg__(self) -> Any:
        return self.tape.operate(MULTIPLY, -1.0, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.tape.operate(LARGER, self, -self)

    def larger(self, one: Any, other: Any) -> Any:
        """Return the larger of two numbers, as an operation, which needs no guard."""
        return self.tape.choose(LARGER, one, other)

    def smaller(self, one: Any, other: Any) -> Any:
        """Return the smaller of two numbers, as an operation."""
        return self.tape.choose(SMALLER, one, other)

    # --- Comparisons: guards

    def __lt__(self, other: Any) -> Any:
        return self.tape.compare(LESS, self, other) if _number(other) else super().__lt__(other)

    def __le__(self, other: Any) -> Any:
        return (
            self.tape.compare(LESS_OR_EQUAL, self, other)
            if _number(other)
            else super().__le__(other)
        )

    def __gt__(self, other: Any) -> Any:
        return self.tape.compare(LESS, other, self) if _number(other) else super().__gt__(other)

    def __ge__(self, other: Any) -> Any:
        return (
            self.tape.compare(LESS_OR_EQUAL, other, self)
            if _number(other)
            else super().__ge__(other)
        )

    def __eq__(self, other: Any) -> Any:
        if _number(other):
            return self.tape.compare(EQUAL, self, other)
        return super().__eq__(other) if isinstance(other, NumericValue) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __bool__(self) -> bool:
        return not self.tape.compare(EQUAL, self, 0.0)

    # --- What cannot be recorded

    def _refuse(self, *_: Any) -> NoReturn:
        self.tape.fail(
            "it is used as more than a number: as text, as a key, rounded, or by a function",
            self.node,
        )

    __float__ = __int__ = __index__ = __complex__ = _refuse

    def __hash__(self) -> int:
        return hash(self._refuse())

    __str__ = __repr__ = __format__ = __reduce_ex__ = _refuse
    __round__ = __floor__ = __ceil__ = __trunc__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _refuse
    is_integer: ClassVar[Any] = _refuse


numbers.Real.register(Traced)


def _number(other: Any) -> bool:
    return other.__class__ is Traced or isinstance(other, (float, int))


class Expressions:
    """Some numbers of a tape as functions of its inputs, with the guards under which they hold.

    They are computed level by level.
    """

    def __init__(self, tape: Tape, wanted: Sequence[int]) -> None:
        if tape.failed is not None:
            raise tape.failed
        # Every operation is done again, also one whose result is not wanted: done afresh it might
        # fail.
        of, level = (
            np.array(tape.operations, dtype=np.int64).reshape(-1, 3),
            np.array(tape.level, dtype=np.int64),
        )
        order = np.lexsort((of[:, 0], level))
        place = np.argsort(order)
        self._known = np.array(tape.known, dtype=np.float64)[order]
        self._inputs, self._wanted = place[tape.inputs], place[list(wanted)]
        of, level = of[order], level[order]
        ends = [
            0,
            *(np.flatnonzero((np.diff(of[:, 0]) != 0) | (np.diff(level) != 0)) + 1).tolist(),
            len(of),
        ]
        self._steps = [
            (int(of[begin, 0]), slice(begin, end), place[of[begin:end, 1]], place[of[begin:end, 2]])
            for begin, end in itertools.pairwise(ends)
            if begin < end and of[begin, 0] > INPUT
        ]
        sides = np.array(
            [(kind, place[a], place[b], took) for (kind, a, b), took in tape.guards.items()],
            dtype=np.int64,
        ).reshape(-1, 4)
        self._guards = [
            (kind, *(sides[sides[:, 0] == kind, k] for k in (1, 2, 3))) for kind in _ASKED
        ]

    @property
    def size(self) -> int:
        """Return how many numbers are computed."""
        return len(self._known)

    @property
    def wanted(self) -> Ints:
        """Return the places of the numbers that are wanted."""
        return self._wanted

    def at(self, point: Floats) -> Floats | None:
        """Return the numbers that are wanted, where the inputs are `point`.

        None where a comparison takes another side, or no finite number is found on the way: then
        these are not the numbers that the computation makes there.
        """
        values = self._known.copy()
        values[self._inputs] = point
        with np.errstate(all="ignore"):
            for kind, part, a, b in self._steps:
                values[part] = _DONE_AT_ONCE[kind](values[a], values[b])
        if not np.isfinite(values).all():
            return None
        if any(
            (_ASKED[kind](values[a], values[b]) != took.astype(np.bool_)).any()
            for kind, a, b, took in self._guards
        ):
            return None
        found: Floats = values[self._wanted]
        return found

    def slopes(
        self, wanted: Iterable[int], inputs: Iterable[int] | None = None
    ) -> list[dict[int, float]]:
        """Return for some of the wanted numbers their derivative by each input on which they
        depend, where the inputs are those of the tape.

        `inputs`: by these alone; None: by all.
        """
        own = range(len(self._inputs)) if inputs is None else [*inputs]
        depends = self._depending(own)
        ends = [int(self._wanted[k]) for k in wanted]
        made = {int(self._inputs[k]): {k: 1.0} for k in own}
        for place in sorted(self._behind([end for end in ends if depends[end]], depends)):
            if place in made:
                continue
            kind, one, other = self._operation(place)
            found: dict[int, float] = {}
            for part, slope in zip((one, other), self._partial(kind, one, other), strict=True):
                for k, before in made.get(part, {}).items() if slope else ():
                    found[k] = found.get(k, 0.0) + slope * before
            made[place] = found
        return [made.get(place, {}) for place in ends]

    def gradient(self, weights: Floats) -> Floats:
        """Return the derivative by each input of a weighted sum of the wanted numbers, where the
        inputs are those of the tape.
        """
        worth = np.zeros(len(self._known))
        np.add.at(worth, self._wanted, weights)
        with np.errstate(all="ignore"):
            for kind, part, *parts in reversed(self._steps):
                own, known = worth[part], [self._known[each] for each in parts]
                for each, slope in zip(parts, _PARTIAL[kind](*known), strict=True):
                    np.add.at(worth, each, np.where(own, own * slope, 0.0))
        found: Floats = worth[self._inputs]
        return found

    def _depending(self, inputs: Iterable[int]) -> npt.NDArray[np.bool_]:
        """Return which numbers depend on some inputs."""
        found = np.zeros(len(self._known), dtype=np.bool_)
        found[self._inputs[[*inputs]]] = True
        for _, part, a, b in self._steps:
            found[part] = found[a] | found[b]
        return found

    def _behind(self, ends: Iterable[int], among: npt.NDArray[np.bool_]) -> set[int]:
        """Return the places of numbers and of all that they are made of, among some."""
        seen, left = set(ends), list(ends)
        given = set(self._inputs.tolist())
        while left:
            place = left.pop()
            if place not in given:
                new = {part for part in self._operation(place)[1:] if among[part]} - seen
                seen |= new
                left += new
        return seen

    def _operation(self, place: int) -> tuple[int, int, int]:
        """Return the operation that makes a number, with its parts."""
        kind, part, a, b = self._steps[bisect.bisect_right(self._starts, place) - 1]
        return kind, int(a[place - part.start]), int(b[place - part.start])

    @functools.cached_property
    def _starts(self) -> list[int]:
        return [part.start for _, part, _, _ in self._steps]

    def _partial(self, kind: int, a: int, b: int) -> tuple[float, float]:
        """Return the derivatives of an operation by its two parts."""
        by_a, by_b = _PARTIAL[kind](self._known[[a]], self._known[[b]])
        return float(by_a[0]), float(by_b[0])
