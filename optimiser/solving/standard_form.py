"""From a Pyomo model to the arrays of a linear program, with the variable of each column and the
constraint of each row.

A general visitor spends most of its time on cases that a linear model does not have. Here flat sums
of monomials are walked directly, and only the rest goes to Pyomo's own `generate_standard_repn`.
The tests compare both, on random models and on every sample workbook.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.common.numeric_types import native_numeric_types
from pyomo.core.base.var import VarData
from pyomo.core.expr.numeric_expr import (
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.relational_expr import EqualityExpression, RangedExpression
from pyomo.repn import generate_standard_repn

from optimiser.solving.program import INFINITY, Bools, Floats, Ints, Program

Label = tuple[str, tuple[Any, ...]]  # a variable's component and index

TRIVIAL = 1e-9  # a row without entries whose bounds hold to this, in its scaled unit, is true
DIGITS, COST_DIGITS = 13, 11
"""Significant digits of a scaled number; those behind them are rounding errors, which differ with
the units."""
CANCELLED = 1e-14
"""An entry below this, of the largest of its row, is only the rounding error of a difference."""


@dataclass(frozen=True, eq=False)
class Objective:
    """minimise cost·x + offset; `cost` has one entry for each column."""

    name: str
    cost: Floats
    offset: float

    def at(self, x: Floats) -> float:
        """Return its value at x."""
        # Not `@`: on long vectors BLAS wakes a thread for each core, which takes longer to sleep
        # again than the sum takes.
        return float((self.cost * x).sum()) + self.offset


@dataclass(frozen=True, eq=False)
class Sizes:
    """One scaled unit of each column, row and objective, in the units of the model."""

    column: Floats
    row: Floats
    objective: Mapping[str, float]

    def values(self, x: Floats) -> Floats:
        """Return the values of the variables where the columns of the program are x."""
        return rounded(x * self.column) if (self.column != 1.0).any() else x


@dataclass(frozen=True, eq=False)
class StandardForm:
    """A program (its cost that of the `main` objective), the objectives in the order in which they
    are to be minimised, the Pyomo variable of each column and the Pyomo constraint of each row.

    The program and its objectives are in scaled units (`sizes`), as Pyomo's suffix `scaling_factor`
    asks for; without it in those of the model, as `stated` is: the same objectives.
    """

    program: Program
    objectives: tuple[Objective, ...]
    variables: tuple[Any, ...]
    constraints: tuple[Any, ...]
    sizes: Sizes
    stated: tuple[Objective, ...]
    priority: Ints  # of each column, from Pyomo's suffix `priority`: the highest is decided first

    @functools.cached_property
    def labels(self) -> tuple[Label, ...]:
        """Return the component and the index of the variable of each column."""
        found: list[Label] = []
        for each in self.variables:
            key = each.index()
            found.append(
                (each.parent_component().local_name, key if isinstance(key, tuple) else (key,))
            )
        return tuple(found)

    def at(self, columns: Iterable[int]) -> tuple[Any, ...]:
        """Return the variables of some columns."""
        return tuple(self.variables[j] for j in columns)

    @functools.cached_property
    def _column(self) -> dict[int, int]:
        return {id(each): j for j, each in enumerate(self.variables)}

    @functools.cached_property
    def _row(self) -> dict[int, int]:
        return {id(each): i for i, each in enumerate(self.constraints)}

    def column(self, variable: Any) -> int | None:
        """Return the column of a variable; None where the model does not hold it."""
        return self._column.get(id(variable))

    def row(self, constraint: Any) -> int | None:
        """Return the row of a constraint; None where it is inactive, bounds nothing, or has no
        variable and is true.
        """
        return self._row.get(id(constraint))


def main(names: Sequence[str]) -> int:
    """Return which of the objectives a plan is judged by: that named cost, else the last.

    What follows it only chooses between plans that are equally good by it.
    """
    return names.index("cost") if "cost" in names else len(names) - 1


def judging(objectives: Sequence[Objective]) -> Objective | None:
    """Return the objective that a plan is judged by."""
    return objectives[main([each.name for each in objectives])] if objectives else None


def standard_form(m: Any, scaled: bool = True, numbers: Any = np.float64) -> StandardForm:
    """Compile a linear Pyomo model, in the order of declaration.

    Every variable is a column (a fixed one has both bounds at its value). Every active constraint
    that bounds something is a row. Every active objective is to be minimised.

    Numbers are multiplied as the suffix `scaling_factor` says, unless `scaled` is false, and
    rounded: what differs in their units alone becomes the same program. `numbers` is the type of
    the arrays; with `object` coefficients and bounds are kept as the model holds them, for
    `rescaled` to scale. A false constraint without variables becomes a row without entries that
    cannot hold. Raises ValueError, naming the component, for what is not linear, not finite, or no
    variable, constraint or objective.
    """
    # Hundreds of thousands of small objects are made, none of them garbage yet.
    with PauseGC():
        _refuse_unknown(m)
        factor = _suffix(m, "scaling_factor") if scaled else {}
        parts = [part for part in m.component_objects(pyo.Var) if not part.is_reference()]
        variables = [each for part in parts for each in part.values()]
        column = {id(each): j for j, each in enumerate(variables)}
        lower, upper, integer = _columns(variables, numbers)
        goals = [*m.component_data_objects(pyo.Objective, active=True)]
        rows = _rows(m, column, factor, numbers)
        objectives = tuple(
            Objective(each.name, *_objective(each, column, numbers)) for each in goals
        )
        judged = judging(objectives) or Objective("", np.zeros(len(variables)), 0.0)
        program = Program(
            cost=judged.cost,
            offset=judged.offset,
            lower=lower,
            upper=upper,
            integer=integer,
            row_lower=np.array(rows.lower, dtype=numbers),
            row_upper=np.array(rows.upper, dtype=numbers),
            start=np.array(rows.start, dtype=np.int32),
            index=np.array(rows.index, dtype=np.int32),
            value=np.array(rows.value, dtype=numbers),
        )
    _check_finite(program, rows.constraints)
    counts = [len(part) for part in parts]
    sizes = Sizes(
        np.repeat([1 / factor.get(id(part), 1.0) for part in parts], counts),
        np.array(rows.size, dtype=np.float64),
        {each.name: 1 / factor.get(id(each), 1.0) for each in goals},
    )
    first = _suffix(m, "priority")
    priority = np.repeat([int(first.get(id(part), 0)) for part in parts], counts).astype(np.int32)
    form = StandardForm(
        program, objectives, tuple(variables), tuple(rows.constraints), sizes, objectives, priority
    )
    return rescaled(form) if factor and numbers is not object else form


def _suffix(m: Any, name: str) -> dict[int, float]:
    """Return the value of a suffix for each component or member, by its identity."""
    suffix = m.component(name)
    return (
        {}
        if suffix is None or not suffix.active
        else {id(each): float(value) for each, value in suffix.items()}
    )


def rescaled(form: StandardForm) -> StandardForm:
    """Return the form with all numbers scaled and rounded.

    An entry that is only the rounding error of a difference is left out.
    """
    p, sizes = form.program, form.sizes
    row = np.repeat(np.arange(p.rows), np.diff(p.start))
    value = rounded(p.value * sizes.column[p.index] / sizes.row[row])
    largest = np.zeros(p.rows)
    np.maximum.at(largest, row, np.abs(value))
    kept = np.abs(value) > CANCELLED * largest[row]
    objectives = tuple(
        Objective(
            each.name,
            _without_rests(rounded(each.cost * sizes.column / size, COST_DIGITS)),
            each.offset / size,
        )
        for each, size in ((each, sizes.objective[each.name]) for each in form.objectives)
    )
    judged = judging(objectives) or p
    program = Program(
        cost=judged.cost,
        offset=judged.offset,
        lower=rounded(p.lower / sizes.column),
        upper=rounded(p.upper / sizes.column),
        integer=p.integer,
        row_lower=rounded(p.row_lower / sizes.row),
        row_upper=rounded(p.row_upper / sizes.row),
        start=np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=p.rows))]).astype(
            np.int32
        ),
        index=p.index[kept],
        value=value[kept],
    )
    return replace(form, program=program, objectives=objectives)


def _without_rests(cost: Floats) -> Floats:
    """Return the costs, with 0 for those that are only the rounding error of a difference."""
    return np.where(np.abs(cost) > CANCELLED * np.abs(cost).max(initial=0.0), cost, 0.0)


def rounded(values: Floats, digits: int = DIGITS) -> Floats:
    """Return numbers rounded to so many significant digits."""
    size = np.abs(values)
    some = (size > 0) & (size < INFINITY)
    power = np.clip(
        digits - 1 - np.floor(np.log10(size, out=np.zeros(len(values)), where=some)), -300, 300
    )
    # Powers of ten up to 22 are exact: so is a number that was written with few digits.
    up, down = 10.0 ** np.maximum(power, 0.0), 10.0 ** np.maximum(-power, 0.0)
    return np.where(some, np.rint(values * up / down) * down / up, values)


def _refuse_unknown(m: Any) -> None:
    """Raise ValueError for a component that has no linear standard form."""
    for ctype in m.collect_ctypes(active=True):
        if ctype in (pyo.SOSConstraint, pyo.LogicalConstraint) or ctype.__name__ in (
            "Disjunct",
            "Disjunction",
            "Complementarity",
        ):
            raise ValueError(f"the model holds a {ctype.__name__}: it has no linear standard form")


def _columns(variables: Iterable[Any], numbers: Any) -> tuple[Floats, Floats, Bools]:
    """Return the lower and upper bound of each variable, and whether it is integer."""
    lower, upper, integer = [], [], []
    whole: dict[int, bool] = {}
    for each in variables:
        if each.fixed:
            if each.value is None:
                raise ValueError(f"variable {each.name} is fixed and has no value")
            # A fixed value holds whatever the domain says, as in Pyomo.
            lower.append(each.value)
            upper.append(each.value)
            integer.append(False)
            continue
        domain = each.domain
        if id(domain) not in whole:
            interval = domain.get_interval()
            if interval is None or interval[2] not in (0, 1):
                raise ValueError(f"variable {each.name} is neither real nor whole: {domain}")
            whole[id(domain)] = interval[2] == 1
        low, high = (
            each.bounds if numbers is not object else (pyo.value(each.lower), pyo.value(each.upper))
        )
        lower.append(-INFINITY if low is None else low)
        upper.append(INFINITY if high is None else high)
        integer.append(whole[id(domain)])
    return (
        np.array(lower, dtype=numbers),
        np.array(upper, dtype=numbers),
        np.array(integer, dtype=np.bool_),
    )


@dataclass(eq=False)
class _Rows:
    """The rows of a program as they are collected: their bounds, entries, scaled units and
    constraints.
    """

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    size: list[float] = field(default_factory=list)
    constraints: list[Any] = field(default_factory=list)

    def add(
        self, constraint: Any, low: float, entries: dict[int, float], high: float, factor: float
    ) -> None:
        """Add the row of a constraint, unless it bounds nothing or is always true."""
        if low == -INFINITY and high == INFINITY:
            return
        if not entries and low * factor <= TRIVIAL and high * factor >= -TRIVIAL:
            return
        self.size.append(1 / factor)
        self.lower.append(low)
        self.upper.append(high)
        self.index.extend(entries)
        self.value.extend(entries.values())
        self.start.append(len(self.index))
        self.constraints.append(constraint)


def _rows(m: Any, column: dict[int, int], factor: dict[int, float], numbers: Any) -> _Rows:
    """Return the rows of the active constraints, in the order of declaration."""
    rows = _Rows()
    for part in m.component_objects(pyo.Constraint, active=True):
        if part.is_reference():
            continue
        of_part = factor.get(id(part), 1.0)
        for each in part.values():
            if each.active:
                low, entries, high = _row(each, column)
                entries = _not_zero(entries, numbers)
                rows.add(each, low, entries, high, factor.get(id(each), of_part))
    return rows


def _not_zero(entries: dict[int, float], numbers: Any) -> dict[int, float]:
    """Return the entries of a row that are not zero."""
    if numbers is object:
        # An expression may be zero here and not elsewhere.
        return {
            j: value for j, value in entries.items() if not isinstance(value, (int, float)) or value
        }
    if all(entries.values()):
        return entries
    return {j: value for j, value in entries.items() if value}


def _objective(objective: Any, column: dict[int, int], numbers: Any) -> tuple[Floats, float]:
    """Return the costs of the columns and the constant of an objective."""
    if objective.sense != pyo.minimize:
        raise ValueError(f"objective {objective.name} is to be maximised: state it as a cost")
    entries: dict[int, float] = {}
    offset = _collect(objective, objective.expr, 1.0, column, entries)
    cost = np.zeros(len(column), dtype=numbers)
    for j, coefficient in entries.items():
        cost[j] = coefficient
    if numbers is not object and not (np.isfinite(cost).all() and np.isfinite(offset)):
        raise ValueError(f"objective {objective.name} has a coefficient that is not finite")
    return cost, offset


def _row(constraint: Any, column: dict[int, int]) -> tuple[float, dict[int, float], float]:
    """Return the lower bound, the coefficients by column and the upper bound of a constraint.

    The signs are those of Pyomo's `body`, so that a dual has them too.
    """
    expression = constraint.expr
    entries: dict[int, float] = {}
    if expression.__class__ is RangedExpression:
        low, body, high = expression.args
        constant = _collect(constraint, body, 1.0, column, entries)
        return _number(low, -INFINITY) - constant, entries, _number(high, INFINITY) - constant
    left, right = expression.args
    # Pyomo's body is the side with variables; where both have some, left - right.
    sign = -1.0 if _is_constant(left) and not _is_constant(right) else 1.0
    constant = _collect(constraint, left, sign, column, entries) + _collect(
        constraint, right, -sign, column, entries
    )
    if expression.__class__ is EqualityExpression:
        return -constant, entries, -constant
    return (-constant, entries, INFINITY) if sign < 0 else (-INFINITY, entries, -constant)


def _is_constant(expression: Any) -> bool:
    """Return whether an expression has no variable."""
    return expression.__class__ in native_numeric_types or not expression.is_potentially_variable()


def _number(bound: Any, missing: float) -> float:
    number = None if bound is None else pyo.value(bound)
    return missing if number is None else number


def _collect(
    owner: Any, expression: Any, factor: float, column: dict[int, int], entries: dict[int, float]
) -> float:
    """Add factor·expression to `entries` (column -> coefficient) and return its constant."""
    constant = 0.0
    pending: list[tuple[float, Iterable[Any]]] = [(factor, (expression,))]
    try:
        while pending:
            factor, terms = pending.pop()
            for term in terms:
                kind = term.__class__
                if kind is MonomialTermExpression:
                    coefficient, variable = term.args
                    if coefficient.__class__ not in native_numeric_types:
                        coefficient = pyo.value(coefficient)
                    j = column[id(variable)]
                    entries[j] = entries.get(j, 0.0) + factor * coefficient
                elif kind is VarData:
                    j = column[id(term)]
                    entries[j] = entries.get(j, 0.0) + factor
                elif kind is SumExpression or kind is LinearExpression:
                    pending.append((factor, term.args))
                elif kind in native_numeric_types:
                    constant += factor * term
                elif kind is NegationExpression:
                    pending.append((-factor, term.args))
                elif not term.is_potentially_variable():
                    constant += factor * pyo.value(term)
                elif term.is_variable_type():
                    j = column[id(term)]
                    entries[j] = entries.get(j, 0.0) + factor
                elif term.is_named_expression_type():
                    pending.append((factor, (term.expr,)))
                elif kind is ProductExpression and _is_constant(term.arg(0)):
                    pending.append((factor * pyo.value(term.arg(0)), (term.arg(1),)))
                else:
                    constant += _collect_general(owner, term, factor, column, entries)
    except KeyError:
        raise ValueError(f"{owner.name} uses a variable that is not on the model") from None
    return constant


def _collect_general(
    owner: Any, expression: Any, factor: float, column: dict[int, int], entries: dict[int, float]
) -> float:
    repn = generate_standard_repn(expression, quadratic=False)
    if not repn.is_linear():
        raise ValueError(f"{owner.name} is not linear")
    for coefficient, variable in zip(repn.linear_coefs, repn.linear_vars, strict=True):
        j = column[id(variable)]
        entries[j] = entries.get(j, 0.0) + factor * coefficient
    constant: float = factor * repn.constant
    return constant


def _check_finite(program: Program, constraints: Sequence[Any]) -> None:
    """Raise ValueError where a coefficient or bound is not finite."""
    if program.value.dtype == object:
        return
    bad = np.flatnonzero(~np.isfinite(program.value))
    rows = np.searchsorted(program.start, bad, side="right") - 1
    rows = np.append(
        rows, np.flatnonzero(np.isnan(program.row_lower) | np.isnan(program.row_upper))
    )
    if len(rows):
        raise ValueError(
            f"constraint {constraints[rows[0]].name} has a coefficient or bound that is not a"
            " finite number"
        )
