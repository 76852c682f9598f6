"""A plan as its own result rows read it, to sum themselves up in sentences."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from stockpile_model import amounts
from stockpile_model.tables import Material
from stockpile_model.tree import BASE

if TYPE_CHECKING:
    from stockpile_model.schema import Dated, Result
    from stockpile_model.stockpile import Stockpile

T = TypeVar("T", bound="Result")
R = TypeVar("R", bound="OfMaterial")
D = TypeVar("D", bound="Dated")

CERTAIN = 1.0 - 1e-9
"""The probability above which something is done in every scenario."""


class OfMaterial(Protocol):
    """A row that is about a material."""

    @property
    def material(self) -> str:
        """Return the material."""


class SolvedPlan(Protocol):
    """Describe what a plan decides.

    Where `until` is a date, its rows are what is done before it.
    """

    @property
    def stockpile(self) -> Stockpile:
        """Return what was planned."""

    @property
    def unit(self) -> str:
        """Return the unit of quantity."""

    @property
    def currency(self) -> str:
        """Return the currency."""

    @property
    def shortfall(self) -> float:
        """Return what is missing of demand and targets, expected [quantity]."""

    @property
    def until(self) -> dt.date | None:
        """Return the date before which all is done; None: the plan is of the whole horizon."""

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """Return the result rows of one type."""


# --- The paths of its scenarios -------------------------------------------------------------------


def parts(plan: SolvedPlan) -> bool:
    """Return whether its rows are of several scenarios."""
    return plan.until is None and len(plan.stockpile.scenarios) > 1


def counted(stockpile: Stockpile) -> str:
    """Return the scenario whose rows are counted: the base, else the likeliest."""
    leaves, probability = stockpile.scenarios, stockpile.tree.probability
    return BASE if BASE in leaves else max(leaves, key=lambda name: probability[leaves[name]])


def by_scenario(plan: SolvedPlan, kind: type[D]) -> dict[str, list[D]]:
    """Return the rows of one type on the path of each scenario, the one that is counted first.

    Where nothing parts there is one path with all of them.
    """
    if not parts(plan):
        return {BASE: list(plan.of(kind))}
    stockpile, listed = plan.stockpile, defaultdict[str, list[D]](list)
    for row in plan.of(kind):
        listed[row.scenarios].append(row)
    found = {counted(stockpile): list[D]()}
    for name, leaf in stockpile.scenarios.items():
        passed = dict.fromkeys(stockpile.where(n)["scenarios"] for n in stockpile.tree.paths[leaf])
        found[name] = [row for each in passed if each in listed for row in listed[each]]
    return found


def by_material(plan: SolvedPlan, rows: Iterable[R]) -> Iterator[tuple[str, list[R]]]:
    """Yield the rows of each material, with words that name it where the workbook has several.

    Quantities of different metals are not added.
    """
    found: dict[str, list[R]] = {}
    for row in rows:
        found.setdefault(row.material, []).append(row)
    several = several_metals(plan)
    for material, own in found.items():
        yield (f" of {material}" if several else ""), own


def several_metals(plan: SolvedPlan) -> bool:
    """Return whether the workbook has several materials, whose quantities are not added."""
    return len(plan.stockpile.rows(Material)) > 1


def together(plan: SolvedPlan) -> str:
    """Return the words that follow what is a sum over metals; blank where there is one alone."""
    return ", all metals together" if several_metals(plan) else ""


def on_path(plan: SolvedPlan, sentence: str) -> str:
    """Return a sentence about the path that is counted, which names its scenario."""
    where = path_named(plan)
    return f"In {where} {sentence[0].lower()}{sentence[1:]}" if where else sentence


def path_named(plan: SolvedPlan) -> str:
    """Return the words that name the scenario that is counted; blank where nothing parts."""
    if not parts(plan):
        return ""
    name = counted(plan.stockpile)
    return "the base scenario" if name == BASE else f"scenario {name}, the likeliest,"


def averaged(plan: SolvedPlan) -> str:
    """Return the words that follow an amount which is weighed over scenarios; blank without any."""
    return ", on average over the scenarios" if parts(plan) else ""


def spread(paths: Mapping[str, list[D]], noun: str) -> str:
    """Return how many rows the paths have, from the fewest to the most."""
    numbers = {len(rows) for rows in paths.values()}
    few, many = min(numbers), max(numbers)
    return amounts.count(many, noun) if few == many else f"{few:,} to {many:,} {noun}s"


def by_certainty(plan: SolvedPlan, likely: Mapping[str, float]) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of what is done in every scenario, and of what is done in some only.

    Each with the words that begin their sentence. `likely`: how probable each is.
    """
    some = [name for name, each in likely.items() if parts(plan) and each <= CERTAIN]
    if sure := [name for name in likely if name not in some]:
        yield "", sure
    if some:
        yield "In some scenarios ", some
