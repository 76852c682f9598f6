"""The rows of a plan that name an action by its number: what it is, what pays it, its lots."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from optimiser.auditing.plan_sheets import Line, Sheets


class ActRows:
    """The rows of a plan by the number of an action that they name, over all scenarios."""

    def __init__(self, sheets: Sheets, rows: Sequence[Any], start: dt.date) -> None:
        self.of = defaultdict[str, list[Line]](list)
        paid = sorted(sheets["payments"], key=lambda each: (each["date"], each["appropriation"]))
        for line in paid:
            for number in (line["number"] or "").split(", "):
                self.of[number].append(line)
        self.sheets, self._rows = sheets, dict[str, dict[str, list[Line]]]()
        self._lots: dict[str, dict[str, None]] = defaultdict(dict)
        for line in sheets["deliveries"]:
            for number in (line["number"] or "").split(", "):
                self._lots[number][line["lot"]] = None
        self.budgets = dict(_budgets(rows, start))

    def rows(self, action: Line) -> list[Line]:
        """Return the rows that an action sums up."""
        sheet = action["sheet"]
        if sheet not in self._rows:
            found = self._rows[sheet] = defaultdict(list)
            for line in self.sheets[sheet]:
                found[line["number"] or ""].append(line)
        return self._rows[sheet].get(action["number"], [])

    def lots(self, number: str) -> list[str]:
        """Return the lots that arrive by an action."""
        return [*self._lots.get(number, ())]

    def names(self, number: str) -> list[str]:
        """Return the appropriations that pay an action."""
        return list(dict.fromkeys(each["appropriation"] for each in self.of.get(number, ())))

    def obligated(self, number: str, day: dt.date) -> list[Any]:
        """Return the appropriations that are obligated for an action when it is signed."""
        lines = (each for each in self.of.get(number, ()) if each["obligated"] == day)
        names = dict.fromkeys(each["appropriation"] for each in lines)
        return [self.budgets[name] for name in names if name in self.budgets]


def _budgets(rows: Sequence[Any], start: dt.date) -> Iterator[tuple[str, Any]]:
    """Yield the rows of appropriations by the name that a plan gives them."""
    names = [f"{row.fund} {row.from_ or start:%Y-%m}" for row in rows]
    for k, (name, row) in enumerate(zip(names, rows, strict=True)):
        twins = [j for j, each in enumerate(names) if each == name]
        yield (name if len(twins) == 1 else f"{name} ({twins.index(k) + 1})"), row
