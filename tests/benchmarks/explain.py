"""Damage single cells of each sample workbook so that it has no plan, and see what is offered.

Each line names a damaged cell, the repairs that are offered, how many of them make a plan when they
are typed in, whether the cell is named or a repair weighs no more than undoing the damage does, and
the time that explaining took, in that of solving the repaired workbook (of the processor).

`python -m tests.benchmarks.explain [workbook ...] [--kinds=N]`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import optimiser as so
from optimiser.studies.repairs.levers import levers

INPUTS = Path(__file__).resolve().parents[2] / "inputs"
HARD = {
    # what a sample leaves soft is made hard first, so that a damage can take its plan away
    "small": (),
    "portfolio": ("targets[*].hard = yes", "targets[*].quantity scale 0.3"),
    "indium": ("targets[*].hard = yes", "targets[*].quantity scale 0.3"),
    "gallium": ("materials[gallium].shortage_cost =", "demand[*].quantity scale 0.02"),
}
FACTORS = {
    "more": ("scale 0.001", "scale 0.3"),
    "less": ("scale 1000", "scale 3"),
    "either": ("scale 1000", "scale 0"),
}


@dataclass(frozen=True)
class Damage:
    """A change that spoils a cell, and the cell."""

    change: str
    cell: str
    undo: str
    kind: str


def damages(book: so.Book) -> Iterator[Damage]:
    """Yield changes of single cells that make a plan harder to find, of every kind."""
    periods = book.stockpile.settings.periods * book.stockpile.settings.period_months
    for lever in levers(book.stockpile):
        way, column, value = lever.give.way, lever.column, lever.value
        kind = f"{lever.row.TABLE}.{column.name}"
        undo = lever.set_to(value)
        hows: Sequence[str] = ()
        if column.kind == "date":
            hows = {"earlier": (f"add {periods}",), "later": (f"add -{periods}",)}.get(way, ())
        elif column.unit == "months":
            hows = {"more": ("= 1",), "less": (f"= {periods}",)}.get(way, ())
        elif column.kind in ("number", "whole") and not column.numbers:
            hows = FACTORS.get(way, ())
            if column.most is not None and way == "less" and value:
                hows = (f"= {column.most}",)
        for how in hows:
            yield Damage(f"{lever.address} {how}", lever.cell, undo, kind)


def blanks(book: so.Book) -> Iterator[Damage]:
    """Yield changes of cells that stand at their default."""
    for name, column, value in (
        ("offers", "minimum_order", "1000000000"),
        ("offers", "lot_size", "1000000000"),
        ("offers", "total", "0"),
        ("offers", "capacity", "0"),
        ("sites", "capacity", "0"),
    ):
        if name in book.tables:
            for key in book[name].iloc[:, 0]:
                address = f"{name}[{key}].{column}"
                yield Damage(f"{address} = {value}", "", "", f"{name}.{column} blank")


def infeasible(book: so.Book, damage: Damage) -> so.Book | None:
    """Return the damaged workbook where it has no plan and is no error."""
    try:
        damaged = book.change(damage.change)
    except so.InputError:
        return None
    from optimiser.api.planning.plan_request import options_of
    from optimiser.studies.repairs.trials import Pace, Trials
    from optimiser.system.interrupts import Interrupt

    options = options_of(damaged, None, 20.0, None)
    with Interrupt(keeps=False) as interrupt:
        trials = Trials(damaged.stockpile, options, interrupt, Pace(20.0))
        return None if trials.feasible(damaged.stockpile) else damaged


@dataclass
class Tally:
    """The sums of one workbook's lines."""

    damages: int = 0
    named: int = 0
    offered: int = 0
    verified: int = 0


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    most = next((int(each[8:]) for each in arguments if each.startswith("--kinds=")), 2)
    for name in [each for each in arguments if not each.startswith("-")] or list(HARD):
        book = so.read(INPUTS / f"{name}.xlsx", *HARD[name])
        seen: dict[str, int] = {}
        tally = Tally()
        for damage in [*damages(book), *blanks(book)]:
            if seen.get(damage.kind, 0) < most:
                damaged = infeasible(book, damage)
                if damaged is not None:
                    seen[damage.kind] = seen.get(damage.kind, 0) + 1
                    print(f"{name:10} {line(damaged, damage, tally)}", flush=True)
        print(
            f"{name}: {tally.damages} damages of {len(seen)} kinds, {tally.named} named or lighter,"
            f" {tally.verified} of {tally.offered} repairs work",
            flush=True,
        )


def line(damaged: so.Book, damage: Damage, tally: Tally) -> str:
    """Return the line of a damage, and add it to the tally."""
    begun = time.process_time()
    found = so.explain(damaged)
    spent = time.process_time() - begun
    works, one = 0, 0.0
    for each in found.repairs:
        begun = time.process_time()
        works += so.solve(damaged.change(*each.changes)).plan is not None
        one = max(one, time.process_time() - begun)
    texts = {text.partition(" =")[0] for each in found.repairs for text in each.changes}
    hit = any(damage.change.startswith(text) for text in texts)
    weight = undone(damaged, damage)
    least = min((each.weight for each in found.repairs), default=float("inf"))
    fine = hit or (weight is not None and least <= weight * (1 + 1e-6))
    tally.damages, tally.named = tally.damages + 1, tally.named + fine
    tally.offered, tally.verified = tally.offered + len(found.repairs), tally.verified + works
    judged = "named" if hit else "lighter" if fine else "MISSED"
    return (
        f"{damage.change[:60]:60} {len(found.repairs)} offered {works} work {judged}"
        f" {least:.3g} of {weight if weight is None else round(weight, 3)}"
        f" {spent:.2f} s, {spent / one if one else 0:.1f} times"
    )


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
