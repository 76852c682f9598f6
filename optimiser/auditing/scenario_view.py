"""One scenario alone: the sheet on which it is chosen, and the hidden one that counts its rows.

Both hold formulas. What a spreadsheet program last computed of each is compared with what the other
sheets show of the scenario that is chosen; a formula that has lost its value is no claim.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optimiser.auditing.plan_sheets import LOST, Line
from optimiser.auditing.together import Together
from stockpile_model.name_lists import list_of, names_in
from stockpile_model.names import identity
from stockpile_model.tree import ALL
from stockpile_model.values import normal

SHEET, ROWS = "one_scenario", "scenario_rows"
CHOICE = 3  # the row of the choice
COUNTED = 3  # how many columns of the hidden sheet stand before the first that counts
WEIGHED = "marginal_values"  # whose rows are shown where they are worth something

Sums = Mapping[str, tuple[float, ...]]
"""By label what stands behind it."""


@dataclass
class _Section:
    """The lines below a title that stands after a blank line."""

    title: Line
    lines: list[Line] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return what the title begins with: a sheet, or what is summed up."""
        return re.split(r": | \[", str(self.title.get("A") or ""))[0]

    @property
    def titles(self) -> dict[str, str]:
        """Return the titles of the columns behind the first by their letters."""
        return {letter: str(text) for letter, text in self.title.items() if letter != "A"}


def one_scenario(together: Together) -> None:
    """Compare what the sheet shows with the rows of the scenario that is chosen on it."""
    lines = together.sheets.views.get(SHEET, ())
    if not lines:
        return
    choice = next((each for each in lines if each.number == CHOICE), lines[0])
    known = {str(each["scenario"]): k for k, each in enumerate(together.sheets["scenarios"], 1)}
    name = str(choice.get("B") or "")
    if together.record.fails(name in known):
        together.record.refuse(choice.at("B"), f"{name!r} is no scenario of the plan")
        return
    view = _View(together, name)
    facts, *sections = _sections([each for each in lines if each.number > CHOICE])
    view.facts(facts, together.sheets["scenarios"][known[name] - 1])
    tables = [each for each in sections if each.name in together.sheets.rows]
    view.counts(known[name], [each.name for each in tables])
    sums = view.sums()
    for section in sections:
        if section in tables:
            view.rows(section)
        elif together.record.fails(section.name in sums):
            together.record.refuse(section.title.where, f"{section.name!r} is no part of it")
        else:
            view.sums_of(section, sums.pop(section.name)(section))
    for part in sums:
        if together.record.fails(part not in sums):
            together.record.refuse(SHEET, f"{part} is not there")


def _sections(lines: Sequence[Line]) -> list[_Section]:
    """Return the facts of the scenario, and each part with its title."""
    found, before = [_Section(Line({}, SHEET, CHOICE, {}))], CHOICE
    for line in lines:
        if line.number > before + 1 and isinstance(line.get("A"), str):
            found.append(_Section(line))
        else:
            found[-1].lines.append(line)
        before = line.number
    return found


@dataclass
class _View:
    """Describe what the other sheets show of a scenario."""

    together: Together
    scenario: str

    def held(self, sheet: str) -> list[Line]:
        """Return the rows of a sheet that hold in the scenario."""
        return [each for each in self.together.sheets[sheet] if self._holds(each)]

    def _holds(self, line: Line) -> bool:
        return not _listed(line["scenarios"]).isdisjoint((ALL, identity(self.scenario)))

    def kept(self, line: Line) -> bool:
        """Return whether a row is shown where it holds."""
        return self._holds(line) and (line.sheet != WEIGHED or line["worth"] != 0)

    # --- The parts of the sheet

    def facts(self, section: _Section, outcome: Line) -> None:
        """Compare what the scenario costs and misses."""
        for line in section.lines:
            name = _named(str(line.get("A") or ""))
            if self.together.record.fails(name in outcome):
                self.together.record.refuse(line.at("A"), f"{line.get('A')!r} is no fact of it")
            else:
                self.same(line, "B", outcome[name])

    def counts(self, place: int, tables: Sequence[str]) -> None:
        """Compare the hidden sheet: the choice, its place, and how many rows hold up to each."""
        hidden = {each.number: each for each in self.together.sheets.views.get(ROWS, ())}
        blank = Line({}, ROWS, 1, {})
        first, second = hidden.get(1, blank), hidden.get(2, blank)
        self.same(first, "B", f", {list_of([self.scenario])},")
        self.same(second, "B", float(place))
        columns = [(k, str(first[k])) for k in first if len(k) > 1 or k > "B"]
        if self.together.record.fails([name for _, name in columns] == [*tables]):
            self.together.record.refuse(ROWS, "it does not count the rows of the tables shown")
            return
        for letter, name in columns:
            number = 0
            for line in self.together.sheets[name]:
                number += self.kept(line)
                self.same(hidden.get(line.number, blank), letter, float(number))

    def rows(self, section: _Section) -> None:
        """Compare the rows of a table: those that hold, in their order, and blanks behind them."""
        held = [each for each in self.together.sheets[section.name] if self.kept(each)]
        shown = {each.number - section.title.number - 1: each for each in section.lines}
        named = {letter: _named(text) for letter, text in section.titles.items()}
        for k in range(max((len(held), *(at + 1 for at in shown)))):
            line = shown.get(k)
            if self.together.record.fails(k not in range(len(held)) or line is not None):
                row = f"{section.name} row {held[k].number}"
                self.together.record.refuse(section.title.where, f"{row} is not shown below it")
            if line is None:
                continue
            source = held[k] if k < len(held) else None
            self.same(line, "A", None if source is None else float(source.number))
            for letter, name in named.items():
                self.same(line, letter, None if source is None else self._alone(source, name))

    def _alone(self, line: Line, name: str) -> Any:
        """Return the value of a column in the scenario: what is expected, by its probability."""
        value = line.get(name)
        divided = name in self.together.sheets.divided.get(line.sheet, ())
        return value / line["probability"] if divided and value is not None else value

    def sums_of(self, section: _Section, expected: Sums) -> None:
        """Compare lines of sums; each label stands there once."""
        left = dict(expected)
        for line in section.lines:
            label = str(line.get("A") or "")
            figures = left.pop(label, None)
            if self.together.record.fails(figures is not None):
                message = f"{label!r} is nothing to sum up, or stands twice"
                self.together.record.refuse(line.at("A"), message)
                continue
            for letter, value in zip(section.titles, figures or (), strict=True):
                self.same(line, letter, value, self.together.noise.money())
        for label in left:
            if self.together.record.fails(label not in left):
                self.together.record.refuse(section.title.where, f"{label} is not below it")

    def same(self, line: Line, letter: str, expected: Any, noise: float = 0.0) -> None:
        """Compare a cell, unless its formula has lost its value."""
        found = line.get(letter)
        if found is LOST:
            return
        if isinstance(found, dt.datetime):
            found = found.date()
        if isinstance(expected, bool):
            expected = "yes" if expected else "no"
        cell = Line({letter: found}, line.sheet, line.number, {letter: letter})
        if isinstance(expected, float | int) and isinstance(found, float | int):
            self.together.record.figure(cell, letter, expected, noise)
        elif not _alike(found, expected or None):
            self.together.record.term(cell, letter, expected or None)

    # --- What is summed up

    def sums(self) -> dict[str, Callable[[_Section], Sums]]:
        """Return by the title of each part what it must show."""
        found: dict[str, Callable[[_Section], Sums]] = {
            "Cost by heading": lambda _: {**self._costs(), "Total": self._money()},
            "Quantities": self._quantities,
            "By offer, contract, outlet and site": lambda _: {
                name: (*self._delivered(name=name), *self._money(name=name))
                for name in dict.fromkeys((*self._brought("name"), *self._charged("name")))
            },
            "Suppliers": lambda _: {
                name: self._delivered(supplier=name) for name in self._brought("supplier")
            },
        }
        payers = self._payers()
        return {**found, "Appropriations": lambda _: payers} if payers else found

    def _brought(self, column: str) -> list[str]:
        return self._values("deliveries", column)

    def _delivered(self, **where: object) -> tuple[float, ...]:
        return (self._total("deliveries", "quantity", **where),)

    def _charged(self, column: str) -> list[str]:
        return self._values("cash_flow", column)

    def _costs(self) -> dict[str, tuple[float, ...]]:
        headings = self._charged("heading")
        return {each.replace("_", " "): self._money(heading=each) for each in headings}

    def _money(self, **where: object) -> tuple[float, ...]:
        """Return the discounted and the undiscounted cash of some rows."""
        return tuple(self._total("cash_flow", each, **where) for each in ("discounted", "amount"))

    def _payers(self) -> Sums:
        """Return what each appropriation pays."""
        return {
            name: (self._total("payments", "amount", appropriation=name),)
            for name in self._values("payments", "appropriation")
        }

    def _quantities(self, section: _Section) -> Sums:
        found, clock = {}, self.together.clock
        for each in self.together.twins.totals:
            where = dict(each.where)
            if each.last:
                where["date"] = clock.begins[clock.periods - 1]
            found[each.label] = tuple(
                self._total(each.sheet, each.column, **where, material=metal)
                - (
                    self._total(each.sheet, each.column, **where, **each.but, material=metal)
                    if each.but
                    else 0.0
                )
                for metal in section.titles.values()
            )
        return found

    def _total(self, sheet: str, column: str, **where: object) -> float:
        """Return the sum of a column in the scenario, over the rows that have some values."""
        return math.fsum(
            self._alone(line, column) or 0.0
            for line in self.held(sheet)
            if all(_alike(line[name], value) for name, value in where.items())
        )

    def _values(self, sheet: str, column: str) -> list[str]:
        rows = self.together.sheets[sheet]
        return [*dict.fromkeys(str(line[column]) for line in rows if line[column])]


@functools.lru_cache(maxsize=1 << 16)
def _listed(scenarios: str) -> frozenset[str]:
    """Return the names of a list of scenarios."""
    return frozenset(map(identity, names_in(scenarios)))


def _alike(value: object, wanted: object) -> bool:
    """Return whether two values are one, in any case and spacing."""
    if isinstance(value, str) and isinstance(wanted, str):
        return identity(value) == identity(wanted)
    return value == wanted


def _named(title: str) -> str:
    """Return the name of a column from its title."""
    return normal(re.sub(r"\s*\[.*\]\s*$", "", title))
