"""The Stockpile, which holds the rows of all tables."""

from __future__ import annotations

import datetime as dt
import functools
import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stockpile_model.calendar import Calendar
from stockpile_model.name_lists import list_of
from stockpile_model.scale import Figure, Scale, scale_of
from stockpile_model.schema import Problem, R, Row, columns, get, keys
from stockpile_model.standing import Standing, Standings
from stockpile_model.tables import Material, Price, Settings, Site, Supplier
from stockpile_model.tree import ALL, BASE, Tree
from stockpile_model.values import normal


@dataclass(frozen=True, eq=False)
class Stockpile:
    """All rows of a workbook, and where each stood.

    `header[table][column]` is the letter of a column; for `settings` the row of a name.
    """

    settings: Settings
    tables: Mapping[type[Row], tuple[Row, ...]] = field(default_factory=dict)
    header: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shape: Tree | None = None  # of the scenarios, once unfolded; None: a chain
    views: tuple[Stockpile, ...] = ()  # the rows at each node
    scenarios: Mapping[str, int] = field(default_factory=dict)  # the leaf of each scenario
    classes: Mapping[str, tuple[range, ...]] | None = (
        None  # of ages, by material, once `build` has looked for them
    )
    standings: Mapping[str, Standings] = field(
        default_factory=dict
    )  # of materials that can be requalified, once `build` has looked for them
    anchor: Scale | None = (
        None  # the scale of the stockpile from which this one was changed; None: its own
    )

    def rows(self, kind: type[R]) -> tuple[R, ...]:
        """Return the rows of a table, in the order of the sheet."""
        return typing.cast("tuple[R, ...]", self.tables.get(kind, ()))

    def keyed(self, kind: type[R]) -> Mapping[str, R]:
        """Return the rows of a table with one key column, by key."""
        cache: dict[type[Row], Mapping[str, Any]] = self._keyed
        if kind not in cache:
            (key,) = keys(kind)
            cache[kind] = {get(row, key): row for row in self.rows(kind)}
        return cache[kind]

    @functools.cached_property
    def _keyed(self) -> dict[type[Row], Mapping[str, Any]]:
        return {}

    def names(self, table: str) -> tuple[str, ...]:
        """Return the keys of a table with one key column, by the table's name.

        Of `prices` they are its indices.
        """
        if table == Price.TABLE:
            return tuple(self._series)
        found = next((kind for kind in self.tables if table == kind.TABLE), None)
        return tuple(self.keyed(found)) if found else ()

    def given(self, kind: type[Row]) -> bool:
        """Return whether the workbook holds the table with any row; an empty one is none."""
        return bool(self.tables.get(kind))

    @functools.cached_property
    def scale(self) -> Scale:
        """Return the units of quantity and money in which a plan is searched.

        Thresholds are numbers of them.
        """
        return self.anchor or scale_of(self._figures())

    def _figures(self) -> Iterator[Figure]:
        for kind, rows in self.tables.items():
            measured = [each for each in columns(kind) if each.kind == "number" and each.unit]
            for row in rows:
                for each in measured:
                    if value := getattr(row, each.field):
                        rank = 0 if each.need else 1 if each.required else 2
                        priced = each.unit == "money/quantity" and each.outlier == "either"
                        yield Figure(each.unit, rank, abs(value), priced)
                if isinstance(row, Price):
                    yield from (
                        Figure("money/quantity", 1, abs(value), priced=True)
                        for value in row.values.values()
                    )

    def anchored(self) -> Stockpile:
        """Keep the scale through changes.

        So the cases of a study, and the rows at the nodes of a tree, have one.
        """
        return self if self.anchor is not None else replace(self, anchor=self.scale)

    @functools.cached_property
    def calendar(self) -> Calendar:
        """Return the periods of the horizon."""
        s = self.settings
        return Calendar(s.start, s.periods, s.period_months, s.fiscal_year_start)

    @functools.cached_property
    def tree(self) -> Tree:
        """Return the tree of the scenarios; a chain where there are none."""
        return self.shape or Tree.chain(self.settings.periods)

    def at(self, node: int) -> Stockpile:
        """Return the rows as they stand at a node.

        Every input is read at the node at which it is used.
        """
        return self.views[node] if self.views else self

    @functools.cached_property
    def variants(self) -> tuple[Stockpile, ...]:
        """Return the rows as they are anywhere in the tree, each once.

        What holds at any node is looked for in all of them.
        """
        return tuple(dict.fromkeys(self.views)) or (self,)

    @functools.cached_property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        """Return for each node the scenarios that pass it."""
        found: list[list[str]] = [[] for _ in self.tree.nodes]
        for name, leaf in (self.scenarios or {BASE: self.tree.leaves[0]}).items():
            for node in self.tree.paths[leaf]:
                found[node].append(name)
        return tuple(tuple(names) for names in found)

    @functools.cached_property
    def trunk(self) -> frozenset[int]:
        """Return the nodes that all scenarios pass.

        There is one for each period until the first scenario is known.
        """
        return frozenset(
            node
            for node, names in enumerate(self.holds)
            if len(names) == max(1, len(self.scenarios))
        )

    def date(self, node: int) -> dt.date:
        """Return the first day of a node's period."""
        return self.calendar.begin(self.tree.period[node])

    def windows(self, window: str) -> dict[int, tuple[str, set[int]]]:
        """Return for each node at which a window ends on its path the window's name and its nodes.

        A window is the `horizon`, a `fiscal_year` or a `period`.
        """
        tree, calendar = self.tree, self.calendar
        if window == "horizon":
            return {leaf: ("horizon", set(tree.paths[leaf])) for leaf in tree.leaves}
        if window == "period":
            return {n: (f"{calendar.begin(tree.period[n]):%Y-%m}", {n}) for n in tree.nodes}
        years = [calendar.fiscal_year(period) for period in tree.period]
        return {
            n: (f"FY{year}", {s for s in tree.paths[n] if years[s] == year})
            for n, (period, year) in enumerate(zip(tree.period, years, strict=True))
            if period == calendar.periods - 1 or calendar.fiscal_year(period + 1) != year
        }

    def where(self, node: int) -> dict[str, Any]:
        """Return the columns of a `Dated` row that say for which scenarios it holds."""
        return {"scenarios": self._listed[node], "probability": self.tree.probability[node]}

    @functools.cached_property
    def _listed(self) -> tuple[str, ...]:
        """Return for each node the scenarios that pass it, in words."""
        trunk, holds = self.trunk, enumerate(self.holds)
        return tuple(ALL if node in trunk else list_of(names) for node, names in holds)

    def lot(self, own: float | None) -> float | None:
        """Return the lot of what is ordered, called off or sold [quantity]: its own or the step."""
        return self.settings.order_step if own is None else own

    def discount(self, period: int) -> float:
        """Return what money at the start of a period is worth at the start of the horizon [1]."""
        if (found := self._discounts.get(period)) is None:
            found = self._discounts[period] = (
                1 + self.settings.discount_rate
            ) ** -self.calendar.years(period)
        return found

    @functools.cached_property
    def _discounts(self) -> dict[int, float]:
        return {}

    def price(self, index: str, node: int) -> float:
        """Return an index at a node, read at the start of its period [money/quantity]."""
        if (found := self._prices.get((index, node))) is None:
            found = self._prices[index, node] = self.at(node).price_on(
                index, self.calendar.begin(self.tree.period[node])
            )
        return found

    @functools.cached_property
    def _prices(self) -> dict[tuple[str, int], float]:
        return {}

    def price_on(self, index: str, day: dt.date) -> float:
        """Return an index on a day [money/quantity].

        It is linear between dates, flat before the first and after the last.
        """
        points = self._series[index]
        after = next((k for k, (date, _) in enumerate(points) if date >= day), len(points))
        if after == 0 or after == len(points):
            return points[min(after, len(points) - 1)][1]
        (d0, v0), (d1, v1) = points[after - 1], points[after]
        return v0 + (v1 - v0) * ((day - d0).days / (d1 - d0).days)

    @functools.cached_property
    def _series(self) -> Mapping[str, list[tuple[dt.date, float]]]:
        found: dict[str, list[tuple[dt.date, float]]] = {}
        for row in sorted(self.rows(Price), key=lambda row: row.date):
            for index, value in row.values.items():
                found.setdefault(index, []).append((row.date, value))
        return found

    @functools.cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return the materials of each group, by the name of the group."""
        found: dict[str, list[str]] = {}
        for row in self.rows(Material):
            if row.group is not None:
                found.setdefault(row.group, []).append(row.material)
        return {group: tuple(names) for group, names in found.items()}

    def members(self, name: str) -> tuple[str, ...]:
        """Return the materials for which a name stands: all of a group, or the one of that name."""
        return self.groups.get(name, (name,))

    @functools.cached_property
    def sites(self) -> Mapping[str, Site]:
        """Return the sites by name; without the table one site, free and unlimited."""
        return self.keyed(Site) or {"stockpile": Site(site="stockpile")}

    @functools.cached_property
    def owners(self) -> Mapping[str | None, tuple[str, ...]]:
        """Return the sites of each buyer, by buyer; those that serve all stand under None."""
        found: dict[str | None, list[str]] = {}
        for name, site in self.sites.items():
            found.setdefault(site.buyer, []).append(name)
        return {buyer: tuple(names) for buyer, names in found.items()}

    def shelf_life(self, material: str) -> int | None:
        """Return the shelf life of a material [periods]; None = unlimited."""
        if material not in self._shelf_lives:
            months = self.keyed(Material)[material].shelf_life_months
            self._shelf_lives[material] = None if months is None else self.calendar.count(months)
        return self._shelf_lives[material]

    @functools.cached_property
    def _shelf_lives(self) -> dict[str, int | None]:
        return {}

    def life(self, material: str) -> int | None:
        """Return the shelf life of a material [periods]; None = unlimited.

        It is cut where the horizon cannot distinguish it from a longer one: a life of a million
        months costs no more than one that ends after the horizon. Where a row asks for the age of
        metal an unlimited life is such a one too, so that its age is kept.
        """
        if material not in self._lives:
            life = self.shelf_life(material)
            if life is None and material not in self._aged:
                self._lives[material] = None
            else:
                longest = self._longest_life
                self._lives[material] = longest if life is None else min(life, longest)
        return self._lives[material]

    @functools.cached_property
    def _aged(self) -> frozenset[str]:
        """Return the materials of which a row asks for the age, also where only an event lets it.

        So the age of metal is kept in all scenarios alike.
        """
        found = set[str]()
        for kind, rows in self.tables.items():
            for column in (each for each in columns(kind) if each.age == "asked"):
                later = {(kind.TABLE, column.name), (kind.TABLE, "*")} & self._events
                found |= {get(row, "material") for row in rows if later or get(row, column.name)}
        return frozenset(found)

    @functools.cached_property
    def _events(self) -> frozenset[tuple[str, str]]:
        """Return the tables and columns that events change."""
        rows = (row for kind, rows in self.tables.items() if kind.TABLE == "events" for row in rows)
        return frozenset((normal(get(row, "table")), normal(get(row, "column"))) for row in rows)

    @functools.cached_property
    def _lives(self) -> dict[str, int | None]:
        return {}

    @functools.cached_property
    def _longest_life(self) -> int:
        """Return a life that no metal reaches the end of [periods].

        It is the horizon, the age of the oldest lot at its start or of the oldest metal that is
        received, and the most life that any row asks metal still to have.
        """
        asked, begun = 0.0, self.settings.start
        oldest = max((max(ages) for ages in self._received.values()), default=0)
        for kind, rows in self.tables.items():
            for column in columns(kind):
                if column.age == "left":
                    asked = max([asked, *(get(row, column.name) or 0.0 for row in rows)])
                elif column.age == "begins":
                    begun = min([begun, *(get(row, column.name) or begun for row in rows)])
        return (
            self.settings.periods
            + max(oldest, -self.calendar.period(begun))
            + math.ceil(asked / self.calendar.months)
            + 1
        )

    def received(self, material: str) -> frozenset[int]:
        """Return the ages at which rows state that a material is received [periods]."""
        return self._received.get(material, frozenset())

    @functools.cached_property
    def _received(self) -> dict[str, frozenset[int]]:
        found: dict[str, frozenset[int]] = {}
        for kind, rows in self.tables.items():
            for column in (each for each in columns(kind) if each.age == "received"):
                for row in rows:
                    material = self.keyed(Material).get(get(row, "material"))
                    months = get(row, column.name)
                    if material is not None and months is not None and self._whole_life(material):
                        name, before = material.material, found.get(material.material, frozenset())
                        found[name] = before | {self.age_received(name, months)}
        return found

    def _whole_life(self, material: Material) -> bool:
        """Return whether a shelf life is a whole number of periods, or unlimited."""
        return self.calendar.whole(material.shelf_life_months or 0.0) is not None

    def age_received(self, material: str, months: float | None) -> int:
        """Return the age of metal that is received with some months of life left [periods].

        It is 0 where all of its life is left (None, or more than that), and where life is
        unlimited.
        """
        life, left = self.shelf_life(material), self.calendar.whole(months or 0.0)
        return 0 if life is None or months is None or left is None else max(0, life - left)

    def ages(self, material: str) -> range:
        """Return the ages at which a material can be on hand [periods]; one for unlimited life."""
        return range(self.life(material) or 1)

    def age_classes(self, material: str, node: int) -> tuple[range, ...]:
        """Return the ages at which a material can be on hand at a node, in classes.

        A class holds ages that nothing in the workbook distinguishes, and goes by its first age.
        """
        if material in self.standings:
            indices = self.standings[material].indices(self.at(node).life(material) or 1)
            return tuple(range(each, each + 1) for each in indices)
        return (self.classes or {}).get(material) or _each_alone(len(self.at(node).ages(material)))

    def first_ages(self, material: str, node: int) -> list[int]:
        """Return the first age of each class at a node."""
        return [ages.start for ages in self.age_classes(material, node)]

    def in_spec(self, material: str, node: int) -> list[int]:
        """Return the first age of each class at a node of metal that may serve any use."""
        ages = self.first_ages(material, node)
        return [age for age in ages if self.standing(material, age).in_spec]

    def standing(self, material: str, index: int) -> Standing:
        """Return the age that an index of stock stands for, and what tests have shown."""
        found = self.standings.get(material)
        return Standing(index) if found is None else found.standing(index)

    def firm(self, node: int) -> bool:
        """Return whether orders at a node are whole: placed or not, in whole lots, at one price.

        Later ones may be relaxed.
        """
        most = self.settings.firm_periods
        return most is None or self.tree.period[node] < most

    def firm_on(self, day: dt.date) -> bool:
        """Return whether orders of a date are whole."""
        most = self.settings.firm_periods
        return most is None or self.calendar.period(day) < most

    def counts(self, supplier: str) -> bool:
        """Return whether a supplier is at a stage that the settings count."""
        stages = self.settings.supply_stages
        return not stages or self.keyed(Supplier)[supplier].stage in stages

    def shipping(self, supplier: str) -> int:
        """Return the first period in which a supplier can ship (0 where it ships already)."""
        start = self.keyed(Supplier)[supplier].start
        return 0 if start is None else max(0, self.calendar.period(start))

    def cell(self, row: Row, column: str = "") -> str:
        """Return the address of a row's cell, `budgets!D5`; its table where there is no sheet."""
        return self.address(row.TABLE, row.line, column)

    def located(self, problem: Problem) -> tuple[str, str, bool]:
        """Return the cell of a problem, its message, and whether it is a warning."""
        place = self.address(problem.table, problem.line, problem.column)
        return place, problem.sentence, problem.warning

    def address(self, table: str, line: int, column: str = "") -> str:
        """Return the address of a cell by its table, line and column."""
        letters = self.header.get(table, {})
        if table == "settings":
            return (
                f"settings!{letters[column]}"
                if column in letters
                else f"settings.{column}"
                if column
                else table
            )
        if not line:
            return f"{table}.{column}" if column else table
        return f"{table}!{letters.get(column, 'A')}{line}"


@functools.cache
def _each_alone(ages: int) -> tuple[range, ...]:
    return tuple(range(age, age + 1) for age in range(ages))
