"""All paths of a plan together: which rows hold on which, what is known, and what is a mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimiser.auditing.clock import AuditClock
from optimiser.auditing.findings import Cell, Findings, apart
from optimiser.auditing.futures import Future
from optimiser.auditing.inputs import Inputs, Rows
from optimiser.auditing.noise import Noise
from optimiser.auditing.plan_sheets import Line, Sheets
from optimiser.auditing.twin import AuditedSheet, Twins
from stockpile_model.name_lists import list_of, names_in
from stockpile_model.names import identity
from stockpile_model.tree import ALL

if TYPE_CHECKING:
    from optimiser.auditing.change_audit import AnnouncedPaths


@dataclass
class Mean:
    """A figure that sums over the scenarios for which its line holds, or is a mean over them.

    `blank`: without a weight on any of them it is blank.
    """

    line: Line
    column: str
    cell: Cell
    noise: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    mean: bool = False
    blank: bool = False


@dataclass
class Appropriated:
    """Describe what becomes of an appropriation in a fiscal year, expected [money]."""

    amount: float = 0.0
    obligated: float = 0.0
    spent: float = 0.0
    released: float = 0.0
    lapsed: float = 0.0
    left: float = 0.0


@dataclass
class PathOutcome:
    """Describe what a scenario costs, discounted [money], and what it misses and wastes
    [quantity]."""

    costs: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    size: float = 0.0  # Σ of the sizes of all that makes the cost
    shortfall: float = 0.0
    waste: float = 0.0

    @property
    def cost(self) -> float:
        """Return the cost of all headings."""
        return sum(self.costs.values())


class Together:
    """Describe what the paths of a plan have in common, and what is a mean over them."""

    def __init__(
        self,
        clock: AuditClock,
        base: Rows,
        futures: Sequence[Future],
        sheets: Sheets,
        record: Findings,
        twins: Twins,
        announced: AnnouncedPaths | None = None,
    ) -> None:
        self.twins, self.announced = twins, announced
        self.clock, self.base, self.futures, self.sheets, self.record = (
            clock,
            base,
            futures,
            sheets,
            record,
        )
        self.inputs = {each.name: Inputs(clock.settings, base, each.path) for each in futures}
        self.probability = {each.name: each.probability for each in futures}
        self.nodes = [self._nodes(t) for t in range(clock.periods)]
        self.variants: list[Rows] = [
            *{id(rows): rows for each in futures for rows in each.path}.values()
        ]
        self.noise = Noise(self.variants, clock.months, twins)
        self.means: dict[tuple[int, str], Mean] = {}
        self._ends = _ends(clock)
        self._read: dict[str, frozenset[str]] = {}  # names of scenarios, as rows list them
        self._likely: dict[frozenset[str], float] = {}
        self.either: dict[tuple[int, str], tuple[Line, Cell, dict[float | None, float]]] = {}
        self.begun: dict[
            tuple[str, str], dict[str, tuple[int, int | None]]
        ] = {}  # level -> scenario -> signed, first delivery
        self.unseen: set[tuple[int, str]] = set()  # figures of lines that nobody can recompute
        self.budgets: dict[tuple[str, int], Appropriated] = defaultdict(
            Appropriated
        )  # by appropriation and fiscal year
        # What is paid at once for an order at most, by its line: at least and at most.
        self.invoices: dict[int, tuple[Line, float, float]] = {}
        self.once: dict[str, Any] = {}  # what a twin works out of the whole plan, by its name
        self.planned: dict[int, float] = defaultdict(float)  # by the row of commitments
        # The number of a target with a probability -> the scenarios in which it is missed.
        self.missed: dict[int, set[str]] = defaultdict(set)
        self.outcomes: dict[str, PathOutcome] = {each.name: PathOutcome() for each in futures}

    def invoiced(self, line: Line, least: float, most: float) -> None:
        """Add what is to be paid at once for an order on a path, at least and at most."""
        _, low, high = self.invoices.get(id(line), (line, least, most))
        self.invoices[id(line)] = line, max(low, least), max(high, most)

    def _nodes(self, t: int) -> dict[str, frozenset[str]]:
        """Return for each scenario those that are the same as it in a period."""
        by_story: dict[tuple[str, ...], list[str]] = {}
        for each in self.futures:
            by_story.setdefault(each.story[t], []).append(each.name)
        return {name: frozenset(names) for names in by_story.values() for name in names}

    # Which rows hold on which path

    def paths(self) -> dict[str, Sheets]:
        """Return the rows that hold in each scenario.

        Every row must hold for all that share its period, and for no others.
        """
        held: dict[str, dict[str, list[Line]]] = {name: {} for name in self.probability}
        decided: dict[tuple[Any, ...], tuple[Line, set[str]]] = {}
        for sheet, lines in self.sheets.rows.items():
            # A sheet without scenarios is about all of them together.
            of_all, audited = not lines or "scenarios" not in lines[0], self.twins.sheet(sheet)
            for rows in held.values():
                rows[sheet] = [*lines] if of_all else []
            for line in () if of_all else lines:
                for name in self._holds(audited, line, decided):
                    held[name][sheet].append(line)
        for (*_, t), (line, names) in decided.items():
            for node in dict.fromkeys(self.nodes[t][name] for name in names):
                if self.record.fails(node <= names):
                    self._refuse(line, names, node - names, t)
        claims = self.sheets
        return {
            name: Sheets(rows, claims.objective, claims.costs, claims.waste, claims.shortfall)
            for name, rows in held.items()
        }

    def _holds(
        self,
        audited: AuditedSheet,
        line: Line,
        decided: dict[tuple[Any, ...], tuple[Line, set[str]]],
    ) -> frozenset[str]:
        """Return the scenarios of a row, and compare what is known of them.

        Of a decision that has several rows they are added to `decided`.
        """
        of = self._named(line, line["scenarios"] or ALL)
        t = self._period(line, audited)
        if audited.decision and t is not None:
            key = (audited.name, *(line[column] for column in audited.decision), t)
            decided.setdefault(key, (line, set()))[1].update(of)
            self.record.figure(line, "probability", sum(self.probability[name] for name in of))
        else:
            self._known(line, of, t)
        return of

    def _named(self, line: Line, listed: str) -> frozenset[str]:
        """Return the scenarios that a row names; a name that is wrong is a finding once."""
        if listed not in self._read:
            self._read[listed] = (
                frozenset(self.probability)
                if identity(listed) == ALL
                else self._split(line, listed)
            )
        return self._read[listed]

    def _split(self, line: Line, listed: str) -> frozenset[str]:
        folded = {identity(name): name for name in self.probability}
        names = names_in(listed)
        for name in names:
            if self.record.fails(identity(name) in folded):
                self.record.refuse(
                    line.at("scenarios"), f"{name!r} is no scenario that may come", cell=None
                )
        return frozenset(folded[identity(name)] for name in names if identity(name) in folded)

    def _period(self, line: Line, audited: AuditedSheet) -> int | None:
        """Return the period by which a row uses nothing unknown; None where it has none."""
        if audited.on_average and identity(line["scenarios"] or ALL) == ALL:
            return None
        if audited.window:
            return self._ends.get(line[audited.window])
        date = line[audited.date]
        return (
            None if date is None else min(max(0, self.clock.period(date)), self.clock.periods - 1)
        )

    def _known(self, line: Line, of: frozenset[str], t: int | None) -> None:
        """Compare a row with what is known in its period, and its probability."""
        record = self.record
        if of not in self._likely:
            self._likely[of] = sum(self.probability[name] for name in of)
        record.figure(line, "probability", self._likely[of])
        if t is None or not of:
            return
        node = self.nodes[t][next(iter(of))]
        if not record.fails(of == node):
            return
        if apart := sorted({*self.nodes[t]} - of, key=[*self.probability].index):
            hidden = [name for name in apart if any(name in self.nodes[t][each] for each in of)]
            if hidden:
                self._refuse(line, of, hidden, t)
                return
        message = (
            f"holds for scenarios that are known apart in {self.clock.begins[t]}: each must have"
            " rows of its own"
        )
        record.refuse(line.at("scenarios"), f"{line.words('scenarios')}: {message}")

    def _refuse(self, line: Line, of: Collection[str], hidden: Iterable[str], t: int) -> None:
        """Add a finding: rows of some scenarios and not of others that are the same by then."""
        names = [
            list_of(name for name in self.probability if name in found) for found in (of, [*hidden])
        ]
        message = (
            f"holds for {names[0]}, which cannot be told apart from {names[1]} in"
            f" {self.clock.begins[t]}: it uses what is not yet known"
        )
        self.record.refuse(line.at("scenarios"), f"{line.words('scenarios')}: {message}")

    # Figures that are sums or means over paths

    def add(
        self, line: Line, column: str, top: float, bottom: float | None, noise: float, cell: Cell
    ) -> None:
        """Add what one path contributes to a sum, or (with `bottom`) to a mean."""
        found = self.means.setdefault((id(line), column), Mean(line, column, cell))
        found.top += top
        found.noise = max(found.noise, noise)
        if bottom is not None:
            found.bottom, found.mean = found.bottom + bottom, True

    def may_be_blank(self, line: Line, column: str) -> None:
        """Note that a mean is blank where no path adds a weight to it."""
        found = self.means.setdefault((id(line), column), Mean(line, column, None))
        found.mean = found.blank = True

    def compare(self) -> None:
        """Compare sums and means over scenarios, and what holds on one path at least."""
        for key, each in self.means.items():
            if key in self.unseen:
                continue
            if not each.mean:
                self.record.figure(each.line, each.column, each.top, each.noise, each.cell)
            elif each.bottom > 0:
                self.record.figure(
                    each.line, each.column, each.top / each.bottom, each.noise, each.cell
                )
            elif each.blank:
                self.record.figure(each.line, each.column, None)
        for (_, column), (line, cell, values) in self.either.items():
            expected, noise = next(
                (pair for pair in values.items() if _near(pair[0], line[column], pair[1])),
                next(iter(values.items())),
            )
            if expected != line[column]:  # both may be infinite
                self.record.figure(line, column, expected, noise, cell)


def _near(expected: float | None, found: float | None, noise: float) -> bool:
    return expected == found or (
        expected is not None and found is not None and not apart(expected, found, noise)
    )


def _ends(clock: AuditClock) -> dict[str, int]:
    """Return the last period of each window of a rule, by the window's name."""
    found = {"horizon": clock.periods - 1}
    for t in range(clock.periods):
        found[f"{clock.begins[t]:%Y-%m}"] = t
        found[f"FY{clock.fiscal_year(t)}"] = t
    return found
