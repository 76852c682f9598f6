"""Damage single cells of each sample workbook, and of small ones that are drawn, so that it has no
plan, and see what is offered.

Each line names a damaged cell, the repairs that are offered, how many of them make a plan when they
are typed in, whether the cell is named or a repair weighs no more than undoing the damage does, and
the time that explaining took, in that of solving the repaired workbook (of the processor).

`python -m tests.benchmarks.explain [workbook ...] [--kinds=N] [--of=KIND,...] [--quick]
[--seconds=N]`; without a workbook all of them, and those that are drawn; quick: with a wider gap,
which both the explanation and the solution then have; of: damages of some kinds alone, such as
`budgets.amount`; seconds: so long altogether, of the processor, an equal share of what is left for
each workbook. One damage of each kind comes first, so that a short run sees most kinds. Last comes a
table of all workbooks.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import gc
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from hypothesis import Phase, given, seed, settings

import optimiser as so
from optimiser.api.planning.plan_request import options_of
from optimiser.solving import highs
from optimiser.solving.program import INFINITY
from optimiser.solving.search_options import SolverError
from optimiser.solving.solve import scenario_tree, solve
from optimiser.solving.standard_form import standard_form
from optimiser.studies.repairs.levers import levers
from optimiser.system.interrupts import Interrupt
from stockpile_model.block import tables
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.build import build, check
from stockpile_model.calendar import add_months
from stockpile_model.changes import address
from stockpile_model.schema import Column, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from tests.benchmarks.show import table
from tests.support.small_books import small_books

INPUTS = Path(__file__).resolve().parents[2] / "inputs"
HARD = {
    # What a sample leaves soft is made hard first, so that a damage can take its plan away: as much
    # as leaves a plan, and a search of seconds, of which five make the shorter time to explain in.
    "small": (),
    "portfolio": (
        "targets[*].hard = yes",
        "targets[*].quantity scale 0.7",
        "settings.mip_gap = 0.02",
    ),
    "indium": ("targets[*].hard = yes", "targets[*].quantity scale 0.9"),
    "gallium": (
        "materials[gallium].shortage_cost =",
        "demand[*].quantity scale 0.02",
        "contracts[*].call_off_lot =",
        "settings.mip_gap = 0.02",
    ),
}
QUICK = ("settings.mip_gap = 0.5",)
FACTORS = {
    "more": ("scale 0.001", "scale 0.3"),
    "less": ("scale 1000", "scale 3"),
    "either": ("scale 1000", "scale 0", "scale 0.001"),
}
LARGE = "1000000000"
DRAWN, BOOKS = "drawn", 60  # small workbooks
TRIES = 3  # damages of a kind, while none of them takes the plan away
WANTED = "infeasible"
WHOLE = 4  # offers of a workbook that is small enough for whole numbers to be searched
SWIFT = 5.0  # times as long as solving the repaired workbook an explanation may take
CHECKED = 20.0  # time limit of whether a damage takes the plan away [s]
ANY = 0.99  # gap of a search that ends with the first plan
LONG = 10.0  # at least so long is the lightest repair solved as its workbook says [s]


@dataclass(frozen=True)
class Damage:
    """A change that spoils a cell, and the cell."""

    change: str
    cell: str
    undo: str
    kind: str


def damages(book: so.Book) -> Iterator[Damage]:
    """Yield changes of single cells that make a plan harder to find, of every kind: cells that hold
    something, then cells at their default.
    """
    periods = book.stockpile.settings.periods * book.stockpile.settings.period_months
    for lever in levers(book.stockpile):
        column, value = lever.column, lever.value
        name = column.name if column.field else lever.row.OPEN
        for how in _worse(lever.give.way, column, value, periods):
            change, undo = f"{lever.address} {how}", lever.set_to(value)
            yield Damage(change, lever.cell, undo, f"{lever.row.TABLE}.{name}")
    yield from _of_defaults(book.stockpile, periods)


def _worse(way: str, column: Column, value: object, periods: int) -> Sequence[str]:
    """Return how a cell that holds something is made worse."""
    if column.kind == "date":
        return {
            "earlier": (f"= {_month(value, periods)}",),
            "later": (f"= {_month(value, -periods)}",),
        }.get(way, ())
    if column.unit == "months":
        return {"more": ("= 1",), "less": (f"= {periods}",)}.get(way, ())
    if way == "priced":
        return ()
    if column.kind in ("number", "whole"):
        if column.most is not None and way == "less" and value:
            return (f"= {column.most}",)
        return FACTORS.get(way, ())
    return ()


def _month(day: object, by: int) -> dt.date:
    assert isinstance(day, dt.date)
    return add_months(day, by)


def _of_defaults(stockpile: Stockpile, periods: int) -> Iterator[Damage]:
    """Yield changes of cells that stand at their default."""
    start, last = stockpile.settings.start, stockpile.calendar.begin(stockpile.settings.periods - 1)
    for kind in tables():
        for row in [stockpile.settings] if kind is Settings else stockpile.rows(kind):
            for column in columns(kind):
                give = kind.GIVES.get(column.name)
                value = getattr(row, column.field)
                if give is None or (value is not None and value != column.default):
                    continue
                where = address(stockpile, row, column.name)
                worst: Sequence[str] = ()
                if column.choices and not column.many:
                    worst = [str(each) for each in column.choices if each != value]
                elif column.kind == "yes_no":
                    worst = ["no" if value else "yes"]
                elif column.kind == "date":
                    ends = {"earlier": last, "later": add_months(start, -1)}
                    worst = [str(ends[give.way])] if give.way in ends else []
                elif column.kind in ("number", "whole") and give.way in ("more", "less"):
                    most = LARGE if column.most is None else str(column.most)
                    most = str(periods) if column.unit == "months" else most
                    worst = [most if give.way == "less" else str(column.least or 0)]
                for each in worst if where else ():
                    name = f"{kind.TABLE}.{column.name} unset"
                    yield Damage(f"{where} = {each}", stockpile.cell(row, column.name), "", name)


def infeasible(book: so.Book, damage: Damage) -> so.Book | None:
    """Return the damaged workbook where it is no error and has no plan, by the interior point at
    least: where the explanation does not prove that, its line is a miss.
    """
    try:
        damaged = book.change(damage.change)
    except so.InputError:
        return None
    options = replace(options_of(damaged, None, CHECKED, None), gap=1.0, target=INFINITY)
    if any(not problem.warning for problem in check(damaged.stockpile)):
        return None
    formulation = build(damaged.stockpile)
    program = standard_form(formulation.m).program.relaxed()
    with contextlib.suppress(SolverError), Interrupt(keeps=False) as interrupt:
        # A target would end the interior point before it knows.
        aimless = replace(options, target=-INFINITY)
        nothing = replace(program, cost=0 * program.cost)
        small = len(damaged.stockpile.rows(Offer)) <= WHOLE
        if not small and highs.has_point(nothing, aimless, interrupt):
            return None  # seen sooner than a vertex
        found = highs.optimise_inside(nothing, aimless, interrupt)
        if found.x is not None and small:
            tree = scenario_tree(formulation)
            return damaged if solve(formulation.m, options, tree=tree).status == WANTED else None
        return damaged if found.status == WANTED else None
    return None


@dataclass
class Tally:
    """The sums of one workbook's lines. `kinds`: damages by kind; `unseen`: kinds for which there
    was no time; `ratios`: what explaining took, in solves.
    """

    HEADER: ClassVar = (
        *("workbook", "kinds", "not tried", "damages", "named or lighter", "repairs", "work"),
        *(f"in {SWIFT:g} solves", "median", "at most"),
    )
    kinds: Counter[str] = field(default_factory=Counter)
    unseen: int = 0
    named: int = 0
    offered: int = 0
    verified: int = 0
    ratios: list[float] = field(default_factory=list)

    def row(self, name: str) -> tuple[object, ...]:
        """Return the row of the table."""
        swift = sum(each <= SWIFT for each in self.ratios)
        damages, kinds = self.kinds.total(), len(self.kinds)
        own = (name, kinds, self.unseen, damages, self.named, self.offered, self.verified)
        middle = statistics.median(self.ratios) if self.ratios else 0.0
        return (*own, f"{swift} of {len(self.ratios)}", middle, max(self.ratios, default=0.0))

    def plus(self, other: Tally) -> Tally:
        """Return the sums of both."""
        return Tally(
            self.kinds + other.kinds,
            self.unseen + other.unseen,
            self.named + other.named,
            self.offered + other.offered,
            self.verified + other.verified,
            self.ratios + other.ratios,
        )


def books(name: str, more: Sequence[str]) -> Iterator[so.Book]:
    """Yield a sample workbook, or small workbooks that are drawn, of all features."""
    if name != DRAWN:
        yield so.read(INPUTS / f"{name}.xlsx", *HARD[name], *more)
        return
    drawn: list[so.Book] = []

    @seed(1)
    @settings(max_examples=BOOKS, database=None, deadline=None, phases=[Phase.generate])
    @given(small_books())
    def draw(tables: dict[str, object]) -> None:
        with contextlib.suppress(so.InputError):
            hard = ["targets[*].hard = yes"] if tables.get("targets") else []
            drawn.append(so.from_tables(tables, "materials[*].shortage_cost =", *hard))

    draw()
    for book in drawn:
        if so.solve(book).plan is not None:
            yield book


def main(arguments: Sequence[str]) -> None:
    """Print a line for each damage, and a table of the workbooks."""
    most = int(_option(arguments, "kinds") or 2)
    quick = QUICK if "--quick" in arguments else ()
    of = (_option(arguments, "of") or "").split(",")
    seconds = float(_option(arguments, "seconds") or math.inf)
    names = [each for each in arguments if not each.startswith("-")] or [*HARD, DRAWN]
    begun, tallies = time.process_time(), dict[str, Tally]()
    for k, name in enumerate(names):
        left = begun + seconds - time.process_time()
        until = time.process_time() + left / (len(names) - k)
        tally = tallies[name] = Tally()
        for damaged, damage in _chosen(name, [*books(name, quick)], of, most, until, tally):
            print(f"{name:10} {line(damaged, damage, tally)}", flush=True)
    tallies["all"] = functools.reduce(Tally.plus, tallies.values(), Tally())
    table("damages explained", Tally.HEADER, [each.row(name) for name, each in tallies.items()])


def _option(arguments: Sequence[str], name: str) -> str | None:
    """Return what `--name=` says; None where it is not there."""
    start = f"--{name}="
    return next((each.removeprefix(start) for each in arguments if each.startswith(start)), None)


def _chosen(
    name: str, found: Sequence[so.Book], of: Sequence[str], most: int, until: float, tally: Tally
) -> Iterator[tuple[so.Book, Damage]]:
    """Yield workbooks without a plan until a moment, first one of each kind of damage, then more of
    them; in the tally is how many kinds there were no time for.
    """
    kinds = dict[str, list[tuple[so.Book, Damage]]]()
    for book in found:
        for damage in damages(book):
            if of == [""] or damage.kind in of:
                kinds.setdefault(damage.kind, []).append((book, damage))
    tried = Counter[str]()
    for number in range(1, most + 1):
        for kind, of_kind in kinds.items():
            while of_kind and tally.kinds[kind] < number:
                if tried[kind] >= TRIES * most and name != DRAWN:
                    break
                if time.process_time() > until:
                    tally.unseen = len(kinds.keys() - tried.keys())
                    return
                book, damage = of_kind.pop(0)
                tried[kind] += 1
                damaged = infeasible(book, damage)
                if damaged is not None:
                    tally.kinds[kind] += 1
                    yield damaged, damage


def line(damaged: so.Book, damage: Damage, tally: Tally) -> str:
    """Return the line of a damage, and add it to the tally."""
    gc.collect()
    gc.freeze()  # what earlier lines left is not looked through in the time of this one
    begun = time.process_time()
    explained = so.explain(damaged)
    spent = time.process_time() - begun
    works, one, verified = 0, 0.0, 0.0
    for (
        each
    ) in explained.repairs:  # as their workbooks say, the lightest first, while it is worth it
        begun, whole = time.process_time(), False
        if verified <= spent:
            whole = has_plan(damaged, each, time_limit=LONG + spent)
            one = max(one, time.process_time() - begun)
        works += whole or has_plan(damaged, each, gap=ANY)
        verified += time.process_time() - begun
    texts = {text.partition(" =")[0] for each in explained.repairs for text in each.changes}
    hit = any(damage.change.startswith(text) for text in texts)
    weight = undone(damaged, damage)
    least = min((each.weight for each in explained.repairs), default=float("inf"))
    fine = hit or (weight is not None and least <= weight * (1 + 1e-6))
    fine = fine and explained.status == WANTED
    tally.named += fine
    tally.offered, tally.verified = tally.offered + len(explained.repairs), tally.verified + works
    tally.ratios += [spent / one] if one else []
    judged = "named" if hit else "lighter" if fine else "MISSED"
    return (
        f"{damage.change[:60]:60} {len(explained.repairs)} offered {works} work {judged}"
        f" {least:.3g} of {weight if weight is None else round(weight, 3)}"
        f" {spent:.2f} s, {spent / one if one else 0:.1f} times"
    )


def has_plan(
    damaged: so.Book, repair: so.Repair, gap: float | None = None, time_limit: float | None = None
) -> bool:
    """Return whether a plan is found of a damaged workbook in which a repair is typed."""
    with contextlib.suppress(so.StockpileError):
        book = damaged.change(*repair.changes)
        return so.solve(book, gap=gap, time_limit=time_limit).plan is not None
    return False


def undone(damaged: so.Book, damage: Damage) -> float | None:
    """Return what undoing a damage weighs; None where no cell of that kind can give."""
    value = damage.undo.partition(" = ")[2]
    for lever in levers(damaged.stockpile):
        if damage.change.startswith(lever.address):
            if not value:
                return lever.weight(lever.extreme)
            try:
                return lever.weight(type(lever.value)(float(value)))
            except (TypeError, ValueError):
                return lever.give.weight
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
