"""Linear programs in exact arithmetic, small ones: what the oracle stands on.

A two-phase simplex on rows of whole numbers. Every answer is checked against the program it was
asked for, in fractions: an optimum by a dual solution of the same value, "infeasible" by Farkas'
multipliers, "unbounded" by a ray. Should the simplex be wrong, it says so instead of answering.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Literal

Name = Hashable
Number = int | Fraction
Sense = Literal["<=", "="]

ZERO = Fraction(0)
STALLED = 30  # pivots without progress after which Bland's rule takes over, so that it cannot cycle


def plain(value: Number) -> Number:
    """The value as a whole number where it is one: those are many, and faster than fractions."""
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else value


class Linear:
    """A linear expression: a factor for each variable's name, and a constant."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: Mapping[Name, Number] | None = None, constant: Number = 0) -> None:
        self.terms: dict[Name, Number] = {
            name: plain(factor) for name, factor in (terms or {}).items()
        }
        self.constant = plain(constant)

    def add(self, other: Linear | Number, factor: Number = 1) -> None:
        """Add `factor * other` in place.

        Fractions are slow, and most expressions have no constant and most factors are 0 or 1.
        """
        factor = plain(factor)
        if not factor:
            return
        if not isinstance(other, Linear):
            self.constant = plain(self.constant + factor * other)
            return
        if other.constant:
            self.constant = plain(self.constant + factor * other.constant)
        terms, alike = self.terms, factor == 1
        for name, value in other.terms.items():
            more, known = value if alike else factor * value, terms.get(name)
            found = more if known is None else known + more
            if found:
                terms[name] = plain(found)
            else:
                terms.pop(name, None)

    def _copy(self) -> Linear:
        result = Linear.__new__(Linear)
        result.terms, result.constant = dict(self.terms), self.constant
        return result

    def __add__(self, other: Linear | Number) -> Linear:
        result = self._copy()
        result.add(other)
        return result

    def __sub__(self, other: Linear | Number) -> Linear:
        result = self._copy()
        result.add(other, -1)
        return result

    def __mul__(self, factor: Number) -> Linear:
        result = Linear()
        result.add(self, factor)
        return result

    def at(self, point: Mapping[Name, Fraction]) -> Fraction:
        """The value at a point; a variable it does not name is 0."""
        return self.constant + sum(
            (factor * point.get(name, ZERO) for name, factor in self.terms.items()), ZERO
        )


def variable(name: Name) -> Linear:
    return Linear({name: 1})


def total(parts: Sequence[Linear]) -> Linear:
    result = Linear()
    for part in parts:
        result.add(part)
    return result


@dataclass(frozen=True)
class Row:
    """`expression <= 0` or `expression = 0`."""

    expression: Linear
    sense: Sense = "<="

    @cached_property
    def whole(self) -> Whole:
        return whole(self.expression)


@dataclass(frozen=True)
class Whole:
    """A linear expression times `scale`, in whole numbers."""

    terms: Mapping[Name, int]
    constant: int
    scale: int

    def at(self, point: Mapping[Name, int], one: int) -> int:
        """`one` times the value at `point / one`."""
        return self.constant * one + sum(
            [factor * point[name] for name, factor in self.terms.items() if name in point]
        )


def whole(expression: Linear) -> Whole:
    scale = lcm(
        expression.constant.denominator,
        *[factor.denominator for factor in expression.terms.values()],
    )
    terms = {
        name: factor.numerator * (scale // factor.denominator)
        for name, factor in expression.terms.items()
    }
    return Whole(
        terms, expression.constant.numerator * (scale // expression.constant.denominator), scale
    )


def at_most(left: Linear, right: Linear | Number) -> Row:
    return Row(left - right)


def at_least(left: Linear, right: Linear | Number) -> Row:
    return Row((left - right) * -1)


def equal(left: Linear, right: Linear | Number) -> Row:
    return Row(left - right, "=")


@dataclass(frozen=True)
class Answer:
    """`objective` and `point` are there when the status is `optimal`."""

    status: Literal["optimal", "infeasible", "unbounded"]
    objective: Fraction = ZERO
    point: Mapping[Name, Fraction] | None = None


class WrongAnswer(AssertionError):
    """The simplex does not agree with its own certificate: a fault in this file."""


def minimise(objective: Linear, rows: Sequence[Row]) -> Answer:
    """The least value of `objective` over variables of at least 0 that keep all `rows`."""
    names = sorted(
        {name for row in rows for name in row.expression.terms} | set(objective.terms), key=repr
    )
    return _Simplex(names, objective, rows).answer()


class _Simplex:
    """Columns: the variables, then a slack for each `<=` row, then an artificial for each row that
    starts violated or is an equation, then the objective's own, then the right-hand side. A row may
    be multiplied by any positive number; the basic variable of a row has a positive factor in it,
    not necessarily 1, so that whole numbers are enough.
    """

    def __init__(self, names: Sequence[Name], objective: Linear, rows: Sequence[Row]) -> None:
        self.names = names
        self.objective = whole(objective)
        self.rows = [row.whole for row in rows]
        self.equation = [row.sense == "=" for row in rows]
        column = {name: i for i, name in enumerate(names)}
        slack = {
            i: len(names) + k
            for k, i in enumerate(i for i, equation in enumerate(self.equation) if not equation)
        }
        needs = [i for i, row in enumerate(self.rows) if i not in slack or row.constant > 0]
        self.real = len(names) + len(slack)
        artificial = {i: self.real + k for k, i in enumerate(needs)}
        self.z = self.real + len(artificial)
        self.table: list[list[int]] = []
        self.basis: list[int] = []
        # The column that starts as this row's unit vector, and the row's sign there: through it its
        # multiplier is read.
        self.tag: list[tuple[int, int]] = []
        for i, row in enumerate(self.rows):
            sign = -1 if row.constant > 0 else 1
            line = [0] * (self.z + 2)
            for name, factor in row.terms.items():
                line[column[name]] = factor * sign
            line[-1] = -row.constant * sign
            if i in slack:
                line[slack[i]] = sign
            own = artificial.get(i, slack.get(i, -1))
            line[own] = 1
            self.table.append(line)
            self.basis.append(own)
            self.tag.append((own, sign))
        self.cost = self._objective_line(
            {column[name]: factor for name, factor in self.objective.terms.items()}
        )
        self.start = self._objective_line(dict.fromkeys(artificial.values(), 1))
        for i in artificial:
            self.start = [a - b for a, b in zip(self.start, self.table[i], strict=True)]

    def _objective_line(self, factors: Mapping[int, int]) -> list[int]:
        line = [0] * (self.z + 2)
        for i, factor in factors.items():
            line[i] = factor
        line[self.z] = 1
        return line

    def answer(self) -> Answer:
        if self.start[-1] < 0:
            self.start, self.cost = self._improve(self.start, self.cost)
            if self.start[-1] < 0:
                self._check_infeasible()
                return Answer("infeasible")
        self._drop_artificials()
        self.cost, _ = self._improve(self.cost, self.cost)
        point, one = self._point()
        self._check_feasible(point, one)
        if self.unbounded_column is not None:
            self._check_ray(self.unbounded_column)
            return Answer("unbounded")
        value = self._check_optimal(point, one)
        return Answer(
            "optimal", value, {name: Fraction(units, one) for name, units in point.items()}
        )

    unbounded_column: int | None = None

    def _improve(self, lead: list[int], follow: list[int]) -> tuple[list[int], list[int]]:
        """Pivot until `lead` has no negative reduced cost; `follow` is a second objective kept in
        step.
        """
        same = lead is follow
        stalled = 0
        while True:
            negative = [j for j in range(self.real) if lead[j] < 0]
            if not negative:
                return lead, (lead if same else follow)
            q = negative[0] if stalled > STALLED else min(negative, key=lead.__getitem__)
            pivot = self._leaving(q)
            if pivot is None:
                self.unbounded_column = q
                return lead, (lead if same else follow)
            stalled = 0 if self.table[pivot][-1] else stalled + 1
            lead, follow = self._pivot(pivot, q, lead, None if same else follow)

    def _leaving(self, q: int) -> int | None:
        """The row with the least ratio of right-hand side to column q; of equal ones that of the
        first variable.
        """
        pivot = None
        right, factor = 0, 0
        for i, line in enumerate(self.table):
            if line[q] > 0:
                order = -1 if pivot is None else line[-1] * factor - right * line[q]
                if order < 0 or (
                    order == 0 and pivot is not None and self.basis[i] < self.basis[pivot]
                ):
                    pivot, right, factor = i, line[-1], line[q]
        return pivot

    def _pivot(
        self, pivot: int, q: int, lead: list[int], follow: list[int] | None
    ) -> tuple[list[int], list[int]]:
        line = self.table[pivot]
        if line[q] < 0:  # only when an artificial leaves a row whose right-hand side is 0
            line = self.table[pivot] = [-a for a in line]
        filled = [(j, a) for j, a in enumerate(line) if a]
        p = line[q]

        def clear(other: list[int]) -> list[int]:
            common = gcd(p, other[q])
            keep, take = p // common, other[q] // common
            new = [a * keep for a in other] if keep != 1 else other[:]
            for j, a in filled:
                new[j] -= take * a
            if keep != 1 and (common := gcd(*new)) > 1:
                new = [a // common for a in new]
            return new

        for i, other in enumerate(self.table):
            if i != pivot and other[q]:
                self.table[i] = clear(other)
        self.basis[pivot] = q
        lead = clear(lead) if lead[q] else lead
        return lead, lead if follow is None else clear(follow) if follow[q] else follow

    def _drop_artificials(self) -> None:
        """Take artificials at 0 out of the basis; where nothing else can stand in, the row says
        nothing new and stays as it is.
        """
        for i in range(len(self.table)):
            if self.basis[i] >= self.real:
                q = next((j for j in range(self.real) if self.table[i][j]), None)
                if q is not None:
                    self.cost, _ = self._pivot(i, q, self.cost, None)

    # Certificates, all in whole numbers: a point is `units / one`, multipliers are `units / one`
    # too.

    def _point(self) -> tuple[dict[Name, int], int]:
        basic = [
            (b, line)
            for b, line in zip(self.basis, self.table, strict=True)
            if b < len(self.names) and line[-1]
        ]
        one = lcm(*[line[b] for b, line in basic])
        return {self.names[b]: line[-1] * (one // line[b]) for b, line in basic}, one

    def _check_feasible(self, point: Mapping[Name, int], one: int) -> None:
        if any(units < 0 for units in point.values()):
            raise WrongAnswer("a negative variable")
        for row, equation in zip(self.rows, self.equation, strict=True):
            value = row.at(point, one)
            if value > 0 or (equation and value):
                raise WrongAnswer("a row is violated")

    def _combined(self, line: Sequence[int], artificial_cost: int) -> tuple[dict[Name, int], int]:
        """The rows times their multipliers in the objective of `line`, times `line[z]`, as one
        expression.

        Multipliers of `<= 0` rows are at most 0, so the expression is at least 0 at every point
        that keeps the rows.
        """
        terms: dict[Name, int] = {}
        constant = 0
        for row, equation, (own, sign) in zip(self.rows, self.equation, self.tag, strict=True):
            multiplier = sign * (
                (artificial_cost * line[self.z] if own >= self.real else 0) - line[own]
            )
            if not multiplier:
                continue
            if multiplier > 0 and not equation:
                raise WrongAnswer("a multiplier has the wrong sign")
            constant += multiplier * row.constant
            for name, factor in row.terms.items():
                terms[name] = terms.get(name, 0) + multiplier * factor
        return terms, constant

    def _check_optimal(self, point: Mapping[Name, int], one: int) -> Fraction:
        """Weak duality: the objective less the combined rows has no negative factor, and its
        constant is the objective.
        """
        terms, constant = self._combined(self.cost, 0)
        scale = self.cost[self.z]
        value = self.objective.at(point, one)
        if any(
            factor > scale * self.objective.terms.get(name, 0) for name, factor in terms.items()
        ):
            raise WrongAnswer("no dual solution proves this optimum: a reduced cost is negative")
        if any(factor < 0 and name not in terms for name, factor in self.objective.terms.items()):
            raise WrongAnswer("no dual solution proves this optimum: a variable without a row")
        if (scale * self.objective.constant - constant) * one != value * scale:
            raise WrongAnswer("no dual solution proves this optimum: its value is another")
        return Fraction(value, one * self.objective.scale)

    def _check_infeasible(self) -> None:
        """Farkas: the combined rows would be at least 0, yet no variable raises them and their
        constant is below 0.
        """
        terms, constant = self._combined(self.start, 1)
        if any(factor > 0 for factor in terms.values()) or constant >= 0:
            raise WrongAnswer("no multipliers prove this infeasible")

    def _check_ray(self, q: int) -> None:
        """From any point, a step along the ray keeps the rows and improves the objective."""
        basic = [
            (b, line)
            for b, line in zip(self.basis, self.table, strict=True)
            if b < len(self.names) and line[q]
        ]
        one = lcm(*[line[b] for b, line in basic])
        step = {self.names[b]: -line[q] * (one // line[b]) for b, line in basic}
        if q < len(self.names):
            step[self.names[q]] = one
        if any(units < 0 for units in step.values()) or self.objective.at(step, 0) >= 0:
            raise WrongAnswer("no ray proves this unbounded")
        for row, equation in zip(self.rows, self.equation, strict=True):
            slope = row.at(step, 0)
            if slope > 0 or (equation and slope):
                raise WrongAnswer("the ray leaves the rows")
