"""Plans side by side: their figures, scenarios and decisions, a row for each thing with one value
for each plan.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TypeVar

from optimiser.auditing import Line, Sheets
from optimiser.solving.search_options import relative_gap
from stockpile_model.block import results
from stockpile_model.names import identity
from stockpile_model.schema import ComparedChoice, ComparedSum
from stockpile_model.tree import ALL

SAME = 1e-6  # relative difference up to which two amounts are one
NOISE = 1e-9  # amounts up to this share of the largest of their unit are zero
FIGURES, SCENARIOS, DECISIONS = "figures", "scenarios", "decisions"
APPROPRIATIONS = "appropriations"
Value = float | str | dt.date | None
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Compared:
    """One thing with its value in each plan.

    `part` is FIGURES, APPROPRIATIONS, SCENARIOS or DECISIONS; `unit` is `money`, `quantity`, `1` or
    nothing; with `costly`, more of it is worse. Amounts that differ by no more than `noise` are one
    [unit].
    """

    part: str
    what: str
    of: str
    unit: str
    values: tuple[Value, ...]
    costly: bool = False
    noise: float = SAME

    @property
    def differs(self) -> bool:
        """Return whether a plan differs from the first."""
        return any(
            change(self.values[0], value, self.noise) is not None for value in self.values[1:]
        )


def change(first: Value, other: Value, noise: float) -> float | None:
    """Return by how much another value differs from the first, if by more than noise.

    Return None where it does not, NaN where the two are not both amounts.
    """
    if not isinstance(first, (int, float)) or not isinstance(other, (int, float)):
        return None if first == other else math.nan
    if first == other or abs(other - first) <= max(noise, SAME * max(abs(first), abs(other))):
        return None
    return other - first


def compare(plans: Sequence[Sheets], until: dt.date | None = None) -> list[Compared]:
    """Return the rows of a comparison, also those that do not differ: figures, scenarios, and the
    decisions taken before `until`.

    Names get the spelling of the first plan that has them, in all plans.
    """
    _spell_alike(plans)
    rows = [
        *_figures(plans),
        *_scenarios(plans),
        *_decisions(plans if until is None else [_before(each, until) for each in plans]),
    ]
    largest: dict[str, float] = {}
    for row in rows:
        amounts = (
            abs(each)
            for each in row.values
            if isinstance(each, (int, float)) and math.isfinite(each)
        )
        largest[row.unit] = max(largest.get(row.unit, 0.0), *amounts, 0.0)
    return [
        row if row.unit == "1" else replace(row, noise=NOISE * largest[row.unit]) for row in rows
    ]


def _spell_alike(plans: Sequence[Sheets]) -> None:
    spelt: dict[tuple[str, str], str] = {}
    for line in (line for plan in plans for lines in plan.rows.values() for line in lines):
        for column, value in line.items():
            if isinstance(value, str):
                line[column] = spelt.setdefault((column, identity(value)), value)


def _before(plan: Sheets, until: dt.date) -> Sheets:
    """Return a plan with what is decided or happens before a date."""
    days = {kind.SHEET: kind.dated_by() for kind in results()}

    def early(line: Line, column: str) -> bool:
        return not column or line[column] is None or line[column] < until

    return replace(
        plan,
        rows={
            name: [line for line in lines if early(line, days.get(name, ""))]
            for name, lines in plan.rows.items()
        },
    )


def _figures(plans: Sequence[Sheets]) -> Iterator[Compared]:
    def row(
        what: str, unit: str, value: Callable[[Sheets], float | None], costly: bool = True
    ) -> Compared:
        return Compared(FIGURES, what, "", unit, tuple(value(each) for each in plans), costly)

    yield row("objective", "money", lambda each: each.objective)
    yield row("proven bound", "money", lambda each: each.bound, costly=False)
    yield row("gap", "1", lambda each: relative_gap(each.objective, each.bound, 0.0), costly=False)
    yield row(
        "expected cost",
        "money",
        lambda each: sum(each.costs.values()) if each.expected_cost is None else each.expected_cost,
    )
    if any(each.cvar is not None for each in plans):
        yield row("CVaR", "money", lambda each: each.cvar)
    yield row("shortfall", "quantity", lambda each: each.shortfall)
    yield row("waste", "quantity", lambda each: each.waste)
    for heading in dict.fromkeys(
        name for each in plans for name, amount in each.costs.items() if amount
    ):
        costs = tuple(each.costs.get(heading, 0.0) for each in plans)
        yield Compared(FIGURES, "cost", heading.replace("_", " "), "money", costs, costly=True)


def _scenarios(plans: Sequence[Sheets]) -> Iterator[Compared]:
    found = [{line["scenario"]: line for line in each["scenarios"]} for each in plans]
    for name in _names(found):
        for what, unit in (("cost", "money"), ("shortfall", "quantity"), ("probability", "1")):
            values = tuple(lines[name][what] if name in lines else None for lines in found)
            yield Compared(SCENARIOS, what, name, unit, values, costly=unit != "1")


def _decisions(plans: Sequence[Sheets]) -> Iterator[Compared]:
    """Yield what the types of result row are compared by, in the order of their sheets; then the
    rows of single dates.
    """
    kinds = sorted(results(), key=lambda kind: kind.PLACE)
    by = [(kind.SHEET, each) for kind in kinds for each in kind.COMPARED]
    for sheet, each in by:
        lines = [plan[sheet] for plan in plans]
        if isinstance(each, ComparedChoice):
            yield from _chosen(lines, each)
        else:
            yield from _summed(lines, each)
    known = _first_known(plans)
    for sheet, each in by:
        if isinstance(each, ComparedSum) and each.dated:
            early = [[line for line in plan[sheet] if line["date"] < known] for plan in plans]
            yield from _dated(early, each)


def _chosen(lines: Sequence[Sequence[Line]], by: ComparedChoice) -> Iterator[Compared]:
    """Yield what each plan chooses for each name."""
    found = [_choices(each, by) for each in lines]
    for of in _names(found):
        values = tuple(each.get(of) or by.otherwise for each in found)
        yield Compared(DECISIONS, by.what, of, "", values)


def _summed(lines: Sequence[Sequence[Line]], by: ComparedSum) -> Iterator[Compared]:
    """Yield the sum of each plan for each name, and the date of its first row."""
    sums = [_sums(each, by.column, itemgetter(by.of)) for each in lines]
    begun = [_first_dates(each, by.of) for each in lines] if by.first else []
    for of in filter(None, _names(sums)):  # what expires has no outlet
        values = [each.get(of, 0.0) for each in sums]
        if by.unit == "money":
            yield Compared(APPROPRIATIONS, by.what, of, by.unit, tuple(values))
            continue
        yield _amount(by.what, of, values)
        if by.first:
            yield Compared(DECISIONS, by.first, of, "", tuple(each.get(of) for each in begun))


def _dated(lines: Sequence[Sequence[Line]], by: ComparedSum) -> Iterator[Compared]:
    """Yield the sum of each plan for each date and name."""
    sums = [_sums(each, by.column, itemgetter("date", by.of)) for each in lines]
    for date, of in sorted({key for each in sums for key in each}):
        yield _amount(f"{by.dated} {date}", of, [each.get((date, of), 0.0) for each in sums])


def _amount(what: str, of: str, values: Iterable[float]) -> Compared:
    """Return a quantity of each plan."""
    return Compared(DECISIONS, what, of, "quantity", tuple(values))


def _first_known(plans: Iterable[Sheets]) -> dt.date:
    """Return when the first scenario of any of the plans is known; without scenarios all is known,
    and every row is one of the first.
    """
    return min(
        (
            line["revealed"]
            for each in plans
            for line in each["scenarios"]
            if line["revealed"] is not None
        ),
        default=dt.date.max,
    )


def _choice(line: Line, by: ComparedChoice) -> str | None:
    """Return what a row chooses, and when; None where it chooses nothing."""
    chosen, when = line[by.chosen], line[by.when]
    if chosen in (None, by.otherwise):
        return None
    return f"{chosen}, {when}" if when else str(chosen)


def _choices(lines: Iterable[Line], by: ComparedChoice) -> dict[str, str]:
    """Return what is chosen for each name, in words; blank where no scenario chooses anything."""
    # name -> choice -> scenarios and their probability
    names: dict[str, dict[str, dict[str, float]]] = {}
    for line in lines:
        choices = names.setdefault(line[by.of], {})
        if (choice := _choice(line, by)) is not None:
            choices.setdefault(choice, {})[line["scenarios"]] = line["probability"]
    return {
        of: "; ".join(sorted(_in(choice, holds) for choice, holds in choices.items()))
        for of, choices in names.items()
    }


def _in(choice: str, holds: Mapping[str, float]) -> str:
    """Return a choice, with the scenarios in which it is taken where these are not all."""
    return (
        choice
        if ALL in holds or sum(holds.values()) > 1 - 1e-9
        else f"{choice} (in {', '.join(holds)})"
    )


def _sums(lines: Iterable[Line], column: str, key: Callable[[Line], Key]) -> dict[Key, float]:
    """Return the expected sums of a column over the scenarios, by a key."""
    found: dict[Key, float] = {}
    for line in lines:
        weight = line.get("probability", 1.0)  # what is no row of scenarios is expected already
        found[key(line)] = found.get(key(line), 0.0) + weight * line[column]
    return found


def _first_dates(lines: Iterable[Line], of: str) -> dict[str, dt.date]:
    """Return the date of the first row of each name."""
    found: dict[str, dt.date] = {}
    for line in lines:
        found[line[of]] = min(line["date"], found.get(line[of], dt.date.max))
    return found


def _names(found: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the names of all plans, each once, in the order in which they come first."""
    return list(dict.fromkeys(name for each in found for name in each))
