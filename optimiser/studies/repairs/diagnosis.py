"""The answer: whether there is a plan, and if not what would make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from optimiser.plan.frames import Shown
from optimiser.system.errors import OutputError
from stockpile_model import amounts

MOST_RULES = 10  # that clash, line by line; the workbook and JSON have all
EXPLANATION_WRITERS: dict[str, Callable[[Diagnosis, Path, bool], None]] = {}
"""The functions that write an explanation as a file, by the ending of its name. Each room that
knows a format adds its own.
"""
UNPROVEN = "not proven: a cheaper plan may exist"
NO_TIME = "there was no time to look for more"


@dataclass(frozen=True)
class Repair:
    """Changes of cells that together make a plan, proven by solving the workbook with them alone.

    `changes` are in the words of `--set`, `cells` are where they stand, `weight` is what they count
    by the weights of their cells [1]. `objective` is what the repaired plan costs [money], `proven`
    whether that is within the gap of the settings; else there may be a much cheaper one.

    >>> import optimiser as so
    >>> poor = so.read("inputs/small.xlsx", "budgets[*].amount scale 0.3")
    >>> first = so.explain(poor).repairs[0]
    >>> isinstance(first, so.Repair), so.solve(poor.change(*first.changes)).status
    (True, 'optimal')
    """

    changes: tuple[str, ...]
    cells: tuple[str, ...]
    said: str
    weight: float
    objective: float
    proven: bool = True

    @property
    def told(self) -> str:
        """Return what is changed, and whether the cost of the plan is in doubt."""
        return self.said if self.proven else f"{self.said}. Cost {UNPROVEN}"

    def as_object(self) -> dict[str, object]:
        """Return the repair as one object, for JSON."""
        return {
            "changes": list(self.changes),
            "cells": list(self.cells),
            "said": self.said,
            "weight": self.weight,
            "objective": self.objective,
            "proven": self.proven,
        }


@dataclass(frozen=True)
class ClashingRule:
    """One of the rules that cannot all be kept: its cell, and what it says.

    >>> import optimiser as so
    >>> rule = so.ClashingRule("budgets!C2", "appropriation treasury 2030-01, at most 204")
    >>> rule.cell
    'budgets!C2'
    """

    cell: str
    said: str


@dataclass(frozen=True)
class ClashingRules:
    """Rules that cannot all be kept; `smallest`: any of them left out, the others can.

    >>> import optimiser as so
    >>> list(so.ClashingRules((so.ClashingRule("budgets!C2", "at most 204"),)).lines())
    ['This cannot be kept, all else as it is:', '  budgets!C2: at most 204']
    """

    rules: tuple[ClashingRule, ...] = ()
    smallest: bool = True

    def lines(self) -> Iterator[str]:
        """Yield the rules line by line."""
        if self.rules:
            what = "These cannot all" if len(self.rules) > 1 else "This cannot"
            yield f"{what} be kept, all else as it is" + (
                ":" if self.smallest else " (a smaller part of them may clash too):"
            )
            yield from (f"  {each.cell}: {each.said}" for each in self.rules[:MOST_RULES])
            if len(self.rules) > MOST_RULES:
                yield f"  … and {len(self.rules) - MOST_RULES} more"


@dataclass(frozen=True, repr=False)
class Diagnosis(Shown):
    """Describe why a workbook has no plan, and the least changes of its cells that make one.

    `status`: `feasible` (there is a plan), `infeasible`, or `no_plan` (neither was proven in time).
    `sums` are what figures alone show, without a solver; `repairs` the lightest first; `clash` the
    rules that cannot all be kept. `ended` says where time cut the search short. `within`: the
    scenarios that have no plan, where they were planned apart from others; `whole`: each repair was
    proven to make a plan for the others too.

    >>> import optimiser as so
    >>> found = so.explain("inputs/small.xlsx", changes=["budgets[*].amount scale 0.3"])
    >>> found.status, found.repairs[0].changes
    ('infeasible', ('budgets[treasury].amount = 670',))
    """

    status: Literal["feasible", "infeasible", "no_plan"]
    sums: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    clash: ClashingRules = ClashingRules()
    currency: str = ""
    seconds: float = 0.0
    ended: str = ""
    within: tuple[str, ...] = ()
    whole: bool = True
    title: str = ""

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the explanation to a file; its name ends with the format: .html.

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError; then nothing has changed.
        """
        target = Path(path)
        writer = EXPLANATION_WRITERS.get(target.suffix.casefold())
        if writer is None:
            known = ", ".join(EXPLANATION_WRITERS)
            raise OutputError(f"{target}: an explanation is saved as {known}; choose such a name")
        writer(self, target, force)
        return target

    def lines(self) -> Iterator[str]:
        """Yield the explanation line by line."""
        if self.status == "feasible":
            yield "There is a plan that keeps every limit of this workbook: nothing is to repair."
            return
        if self.status == "no_plan":
            yield "Whether there is a plan could not be proven within the time limit."
            return
        where = scenarios_named(self.within)
        yield f"No plan keeps every limit of this workbook{f' {where}' if where else ''}."
        if self.sums:
            yield "By its figures alone:"
            yield from (f"  {each}" for each in self.sums)
        if self.repairs:
            makes = "a plan" if self.whole else f"a plan {where}, and none for all scenarios"
            yield f"Each of these alone makes {makes}, the lightest first:"
        for number, each in enumerate(self.repairs, start=1):
            cost = f"{amounts.money(each.objective)} {self.currency}"
            of = f"The plan {where}" if where else "The plan"
            doubt = "" if each.proven else f" ({UNPROVEN})"
            yield f"  {number}. {each.said}. {of} then costs {cost}{doubt}:"
            yield f"     {' '.join(f'--set {_quoted(change)}' for change in each.changes)}"
        if not self.repairs:
            yield "No change of a few cells was found that makes a plan."
        yield from self.clash.lines()
        if self.ended:
            yield f"({self.ended})"

    def as_object(self) -> dict[str, object]:
        """Return the explanation as one object, as `stockpile explain --json` prints it."""
        return {
            "status": self.status,
            "sums": list(self.sums),
            "repairs": [each.as_object() for each in self.repairs],
            "clash": {
                "rules": [{"cell": each.cell, "said": each.said} for each in self.clash.rules],
                "smallest": self.clash.smallest,
            },
            "ended": self.ended,
            "within": list(self.within),
            "whole": self.whole,
            "seconds": round(self.seconds, 3),
        }

    def _title(self) -> str:
        return f"Explanation: {self.status}, {amounts.count(len(self.repairs), 'repair')}"

    def _facts(self) -> Mapping[str, object]:
        return {f"{number}": line.strip() for number, line in enumerate(self.lines(), start=1)}


MOST_NAMED = 5  # scenarios that a sentence names


def scenarios_named(names: Sequence[str]) -> str:
    """Return in which scenarios something holds, in words; blank for none."""
    if len(names) < 2:
        return f"in scenario {names[0]}" if names else ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"in the scenarios {', '.join(names[:MOST_NAMED])}{more} together"


def _quoted(change: str) -> str:
    """Return a change as a shell takes it."""
    return "'" + change.replace("'", "'\\''") + "'"
