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
from stockpile_model.tree import ALL

SAME = 1e-6  # relative difference up to which two amounts are one
NOISE = 1e-9  # share of the largest amount of a unit up to which there is none of it
FIGURES, SCENARIOS, DECISIONS = "figures", "scenarios", "decisions"
NOT_SIGNED, NO = "not signed", "no"
Value = float | str | dt.date | None
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Compared:
    """One thing with its value in each plan.

    `part` is FIGURES, SCENARIOS or DECISIONS; `unit` is `money`, `quantity`, `1` or nothing; with
    `costly`, more of it is worse. Amounts that differ by no more than `noise` are one [unit].
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
    yield from _chosen("contract", [each["contracts"] for each in plans], _level, NOT_SIGNED)
    yield from _chosen("project", [each["projects"] for each in plans], _decision, NO)
    ordered = [_sums(each["orders"], "ordered", itemgetter("offer")) for each in plans]
    begun = [_first_dates(each["orders"]) for each in plans]
    for of in _names(ordered):
        yield _amount("ordered", of, ordered)
        yield Compared(DECISIONS, "first order", of, "", tuple(each.get(of) for each in begun))
    rotated = [_sums(each["rotation"], "quantity", itemgetter("outlet")) for each in plans]
    arrived = [_sums(each["deliveries"], "quantity", itemgetter("supplier")) for each in plans]
    for what, sums in (("rotated", rotated), ("arrives", arrived)):
        for of in filter(None, _names(sums)):  # what expires has no outlet
            yield _amount(what, of, sums)
    yield from _first_orders(plans)


def _chosen(
    what: str,
    lines: Sequence[Sequence[Line]],
    choice: Callable[[Line], str | None],
    otherwise: str,
) -> Iterator[Compared]:
    """Yield what each plan chooses for each contract, or each project."""
    found = [_choices(each, what, choice) for each in lines]
    for of in _names(found):
        yield Compared(DECISIONS, what, of, "", tuple(each.get(of) or otherwise for each in found))


def _amount(what: str, of: str, sums: Sequence[Mapping[str, float]]) -> Compared:
    """Return a quantity of each plan by its name; nothing where a plan has none."""
    return Compared(DECISIONS, what, of, "quantity", tuple(each.get(of, 0.0) for each in sums))


def _first_orders(plans: Sequence[Sheets]) -> Iterator[Compared]:
    """Yield the orders by date and offer that are placed before any scenario is known."""
    known = _first_known(plans)
    first = [
        _sums((line for line in each["orders"] if line["date"] < known), "ordered", _dated)
        for each in plans
    ]
    for key in sorted({key for each in first for key in each}):
        date, offer = key
        values = tuple(each.get(key, 0.0) for each in first)
        yield Compared(DECISIONS, f"order {date}", offer, "quantity", values)


def _first_known(plans: Iterable[Sheets]) -> dt.date:
    """Return when the first scenario of any of the plans is known; without scenarios all is known,
    and every order is one of the first.
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


def _dated(line: Line) -> tuple[dt.date, str]:
    return line["date"], line["offer"]


def _level(line: Line) -> str | None:
    if line["level"] is None:
        return None
    return f"{line['level']}, {line['signed']}" if line["signed"] else str(line["level"])


def _decision(line: Line) -> str | None:
    if line["decision"] == NO:
        return None
    return f"{line['decision']}, {line['decided']}" if line["decided"] else str(line["decision"])


def _choices(
    lines: Iterable[Line], name: str, chosen: Callable[[Line], str | None]
) -> dict[str, str]:
    """Return what is decided of each name, in words; blank where no scenario takes it."""
    found: dict[
        str, dict[str, dict[str, float]]
    ] = {}  # name -> choice -> scenarios and their probability
    for line in lines:
        said = found.setdefault(line[name], {})
        if (choice := chosen(line)) is not None:
            said.setdefault(choice, {})[line["scenarios"]] = line["probability"]
    return {
        of: "; ".join(sorted(_in(choice, holds) for choice, holds in said.items()))
        for of, said in found.items()
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
        found[key(line)] = found.get(key(line), 0.0) + line["probability"] * line[column]
    return found


def _first_dates(lines: Iterable[Line]) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for line in lines:
        found[line["offer"]] = min(line["date"], found.get(line["offer"], dt.date.max))
    return found


def _names(found: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the names of all plans, each once, in the order in which they come first."""
    return list(dict.fromkeys(name for each in found for name in each))
