"""What an edit of a plan costs: its decisions held, against the best plan."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from optimiser.api.book import Book, Source, book_of
from optimiser.api.planning.plan_request import options_of
from optimiser.api.saved_plan import SavedPlan, load_plan, sheets_of
from optimiser.auditing import Line, Sheets
from optimiser.explaining.bounded_solve import bounded_solve
from optimiser.plan.audited import as_sheets
from optimiser.plan.frames import Shown
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.solve import Options, Outcome
from optimiser.system.errors import Fault, InputError, NoPlanError
from optimiser.workbook.read.plan_reader import spelt_alike
from stockpile_model import amounts
from stockpile_model.block import deeds, results
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.build import build, check
from stockpile_model.formulation import Formulation
from stockpile_model.spelling import alike
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL


class Decision(NamedTuple):
    """A decision of a plan, by its kind, name, level and date."""

    kind: str
    name: str
    level: str | None
    date: dt.date

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.name, self.level, f"{self.date}")))


@dataclass(frozen=True, repr=False)
class EditCost(Shown):
    """Describe what the edits of a plan cost.

    `edits` are its decisions that the best plan takes otherwise, a line each. `optimum` is what the
    best plan costs, `held` what the best one with these edits does (None: no plan has them),
    `cost` is the difference, which is proven to be between `at_least` and `at_most`. `ended`: how
    the search with the edits ended.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> found = so.edit_cost(book, so.solve(book).plan)
    >>> isinstance(found, so.EditCost), found.edits, found.cost
    (True, (), 0.0)
    """

    edits: tuple[str, ...]
    optimum: float
    held: float | None
    cost: float | None
    at_least: float | None
    at_most: float | None
    currency: str
    ended: str

    def _title(self) -> str:
        if self.cost is None:
            return "Edits: no plan has them" if self.ended == "infeasible" else "Edits: not known"
        return f"Edits: they cost {amounts.money(self.cost)} {self.currency}"

    def _facts(self) -> Mapping[str, object]:
        proven = {"proven at least": self.at_least, "proven at most": self.at_most}
        shown = {name: amounts.money(each) for name, each in proven.items() if each is not None}
        return {**shown, **{f"{k}": each for k, each in enumerate(self.edits, start=1)}}

    def as_object(self) -> dict[str, object]:
        """Return it as one object, as `stockpile audit --json` prints it."""
        return asdict(self)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what the edits cost and what they are, a line each."""
        facts = self._facts()
        return (self._title(), *(f"{name}: {each}" for name, each in facts.items()))


def edit_cost(
    source: Source,
    plan: Plan | SavedPlan | str | Path,
    *,
    changes: Sequence[str] = (),
    gap: float | None = None,
    time_limit: float | None = None,
) -> EditCost:
    """Return what the edits of a plan cost: the best plan with them less the best plan.

    An edit is a decision (an order, signature, project or rotation, by its date) that the best plan
    of the workbook takes otherwise. A workbook that is read gets the changes that the plan was made
    with, then `changes`. The settings give each option that is None. Raises InputError for a plan
    that cannot be read, or an edit that only some scenarios have, and NoPlanError where the
    workbook has no plan.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> other = so.solve(book.change("outlets[resale].capacity = 5")).plan
    >>> so.edit_cost(book, other).cost
    25.0
    """
    given = load_plan(plan) if isinstance(plan, (str, Path)) else plan
    saved = given if isinstance(given, SavedPlan) else None
    made_with = saved.changes if saved and not isinstance(source, Book) else ()
    book = book_of(source, (*made_with, *changes))
    sheets = sheets_of(given)
    if saved:
        spelt_alike(sheets, book.stockpile)
    options = options_of(book, gap, time_limit, None)
    formulation, best = _best(book.stockpile, options)
    edits = list(_edits(sheets, as_sheets(make_plan(formulation, best))))
    if not edits:
        cost = float(best.objective or 0.0)
        most = None if best.bound is None else cost - best.bound
        return _cost((), cost, best, best, book, most)
    held = _held(book.stockpile, edits)
    _, outcome = _solved(held, options)
    said = tuple(
        f"{each}: {amounts.quantity(amounts.clean(now))} instead of"
        f" {amounts.quantity(amounts.clean(then))}"
        for each, now, then in edits
    )
    return _cost(said, float(best.objective or 0.0), best, outcome, book)


def _cost(
    edits: tuple[str, ...],
    optimum: float,
    best: Outcome,
    held: Outcome,
    book: Book,
    most: float | None = None,
) -> EditCost:
    """Return what edits cost; they never save anything."""
    cost = least = None
    if held.objective is not None:
        cost = max(0.0, held.objective - optimum)
        least = None if held.bound is None else max(0.0, held.bound - optimum)
        if edits and best.bound is not None:
            most = max(0.0, held.objective - best.bound)
    currency = book.stockpile.settings.currency
    return EditCost(edits, optimum, held.objective, cost, least, most, currency, held.status)


def _best(stockpile: Stockpile, options: Options) -> tuple[Formulation, Outcome]:
    """Return the best plan. Raises NoPlanError where there is none."""
    formulation, outcome = _solved(stockpile, options)
    if outcome.objective is None:
        raise NoPlanError(
            "the workbook has no plan to compare with: solve it first", outcome.status
        )
    return formulation, outcome


def _solved(stockpile: Stockpile, options: Options) -> tuple[Formulation, Outcome]:
    formulation = build(stockpile)
    return formulation, bounded_solve(formulation, options, None)


Edit = tuple[Decision, float, float]
"""A decision, what the edited plan does of it, and what the best plan does."""


def _edits(edited: Sheets, best: Sheets) -> Iterator[Edit]:
    """Yield the decisions that two plans take otherwise. Raises InputError where one cannot be
    held: where it is taken in some scenarios only.
    """
    (now, some), (then, other) = _decisions(edited), _decisions(best)
    faults = []
    for each in dict.fromkeys((*now, *then)):
        mine, theirs = now.get(each, 0.0), then.get(each, 0.0)
        if abs(mine - theirs) <= amounts.NOISE * max(abs(mine), abs(theirs)):
            continue
        if each in some or each in other:
            where = (some.get(each) or other[each]).where
            message = f"{each} is taken in some scenarios only, which no commitment can hold"
            faults.append(Fault(where, message))
        yield each, mine, theirs
    if faults:
        raise InputError(faults)


def _decisions(sheets: Sheets) -> tuple[dict[Decision, float], dict[Decision, Line]]:
    """Return how much a plan does of each decision, and the rows of those of some scenarios."""
    found: dict[Decision, float] = defaultdict(float)
    parted: dict[Decision, Line] = {}
    for kind in results():
        of = kind.DEED
        for line in sheets[kind.SHEET] if of is not None else ():
            assert of is not None
            name, date = line[of.name], line[of.date]
            if name is None or date is None:
                continue
            level = line[of.level] if of.level else None
            decision = Decision(of.kind, str(name), level, date)
            if of.quantity:
                found[decision] += float(line[of.quantity])
            else:
                found[decision] = 1.0
            if line.get("scenarios", ALL) not in (None, ALL):
                parted[decision] = line
    return dict(found), parted


def _held(stockpile: Stockpile, edits: Sequence[Edit]) -> Stockpile:
    """Return the stockpile with the edited decisions as commitments.

    Raises InputError where one is no decision of the workbook.
    """
    rows = tuple(
        Commitment(
            kind=each.kind,
            name=each.name,
            level=each.level,
            date=each.date,
            quantity=now if deeds()[each.kind].metal else float(round(now)),
            how="exactly",
        )
        for each, now, _ in edits
    )
    tables = {**stockpile.tables, Commitment: (*stockpile.rows(Commitment), *rows)}
    held = alike(replace(stockpile, tables=tables))
    faults = [Fault(*held.located(each)) for each in check(held) if not each.warning]
    if faults:
        raise InputError(faults)
    return held
