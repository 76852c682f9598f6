"""One path of a plan under audit: its sheets, its inputs, and what twins read of each other."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from optimiser.auditing.findings import Cell, apart
from optimiser.auditing.futures import Future
from optimiser.auditing.plan_sheets import Line, Sheets
from optimiser.auditing.together import PathOutcome, Together


class Flow(NamedTuple):
    """Describe where money stands on the cash flow.

    `name` is the offer, contract, site, outlet, project or buyer for which it is due. `buyer` is
    for whom it is; None stands for all.
    """

    t: int
    heading: str
    material: str | None
    name: str | None
    buyer: str | None


class Outlay(NamedTuple):
    """Describe what appropriations must pay together; `buyer` None is for all."""

    t: int
    use: str
    material: str | None
    buyer: str | None


class OwedFor(NamedTuple):
    """Describe what is paid, or released, of what was obligated for one thing on one day.

    `name`: the offer, contract, site, outlet, project or supplier. `since`: the first day of the
    period of the obligation, or the date of an order before the start (None: not known).
    """

    t: int
    use: str
    material: str | None
    name: str | None
    since: dt.date | None


class Since(NamedTuple):
    """The day of an obligation; None: before the start, not known when."""

    date: dt.date | None


IN_PARTS = -1
"""The period of an obligation that `owe` posts in parts."""


class SupplierSpend(NamedTuple):
    """Money under an offer or contract, as rules on spend count it."""

    t: int
    table: str
    name: str
    material: str
    amount: float


class Brought(NamedTuple):
    """Describe what an offer or contract brings to a site in a period [quantity]."""

    t: int
    table: str
    name: str
    material: str
    site: str
    amount: float


class Released(NamedTuple):
    """Describe what leaves through an outlet in a period [quantity], or what is received for it
    [money]."""

    t: int
    table: str
    name: str
    material: str
    amount: float


class AuditedLot(NamedTuple):
    """A lot by its name, material, site and date, since a name may stand for several."""

    lot: str
    material: str
    site: str
    made: dt.date

    def __str__(self) -> str:
        return f"lot {self.lot} ({self.material}, {self.site}, made {self.made})"


class TestedLot(NamedTuple):
    """Describe how often a lot was requalified (None: it has failed), and when its metal was
    made."""

    times: int | None
    first: dt.date


class Retest(NamedTuple):
    """Describe what comes back of a lot from a test: passed or failed, its life running from a
    date."""

    t: int
    outlet: str
    before: AuditedLot
    made: dt.date
    passed: bool


Move = tuple[int, AuditedLot, str]
"""The period of a movement, its lot, and where its metal comes from or goes."""
Key = TypeVar("Key")


class LotMoves:
    """Describe what the sheet `movements` shows [quantity]."""

    def __init__(self) -> None:
        self.changes: dict[AuditedLot, dict[int, float]] = {}  # of each lot in each period
        self._of_kind: dict[str, dict[Move, float]] = {}

    def add(self, kind: str, move: Move, change: float, size: float) -> None:
        """Add a movement: a change of its lot, and a size of its kind."""
        t, lot, _ = move
        self.changes.setdefault(lot, defaultdict(float))[t] += change
        self._of_kind.setdefault(kind, defaultdict(float))[move] += size

    def sums(self, kind: str, key: Callable[[int, AuditedLot, str], Key]) -> dict[Key, float]:
        """Return the sizes of a kind of movement, summed by a key."""
        found: dict[Key, float] = defaultdict(float)
        for move, size in self._of_kind.get(kind, {}).items():
            found[key(*move)] += size
        return found


class PathAudit:
    """Describe what is recomputed in one scenario.

    It compares the rows of the plan that hold in it with the rows of the input on its path.
    """

    def __init__(self, together: Together, future: Future, sheets: Sheets) -> None:
        self.together, self.future, self.twins = together, future, together.twins
        self.inputs = together.inputs[future.name]
        self.sheets = sheets
        self.record = together.record
        self.noise, self.cent = together.noise.quantity, together.noise.money
        self.outcome: PathOutcome = together.outcomes[future.name]
        self.cash: dict[Flow, float] = defaultdict(float)
        self.outlays: dict[Outlay, float] = defaultdict(float)
        self.owed: dict[OwedFor, float] = defaultdict(float)
        self.failing: dict[
            OwedFor, tuple[float, float]
        ] = {}  # what is released, as it does not arrive: at least and at most
        self.spent: list[SupplierSpend] = []
        self.brought: list[Brought] = []
        self.released: list[Released] = []
        self.received: list[Released] = []
        self.arriving: dict[
            tuple[str, str, int], dict[str, float]
        ] = {}  # table, name, period -> site -> quantity
        self.shown: dict[
            tuple[str, str, int], float
        ] = {}  # table, name, period -> price with adder that the plan shows of an arrival
        self.price: dict[
            tuple[str, str, int], tuple[float, float]
        ] = {}  # table, name, period of arrival -> paid with adder, for what
        self.landed: list[
            tuple[str, str, Line]
        ] = []  # table, name and delivery of what was ordered before the start
        self.ahead: dict[str, int] = {}  # project -> period in which it goes ahead
        self.called: dict[tuple[str, str, int], int] = {}  # contract, level, period -> signatures
        self.signed: list[Any] = []  # contracts, each with its level and terms
        self.ordered: dict[tuple[str, int], float] = defaultdict(float)
        self.freighted: dict[
            tuple[str, int], bool | None
        ] = {}  # offer, period of an order -> whether freight is paid; None: for some part of it
        self.held: dict[tuple[int, str, str, int], float] = defaultdict(
            float
        )  # period, material, site, age at its end
        self.spoilt: dict[tuple[int, str, str], float] = defaultdict(
            float
        )  # period, material, site -> what has failed a test
        self.tested: dict[AuditedLot, TestedLot] = {}
        self.retests: dict[Retest, float] = defaultdict(float)
        self.moves = LotMoves()
        # Where only the tail counts, nobody minds what a path outside of it pays beyond what it
        # must.
        self.idle = together.clock.settings.risk_weight == 1 and len(together.futures) > 1

    def tested_times(self, lot: AuditedLot) -> int | None:
        """Return how often a lot was requalified; None where it has failed a test."""
        found = self.tested.get(lot)
        return 0 if found is None else found.times

    # What a line names

    def when(self, line: Line, column: str = "date") -> int | None:
        """Return the period of a line; a date outside the horizon is a finding."""
        t = None if line[column] is None else self.inputs.period(line[column])
        if self.record.fails(t is not None and 0 <= t < self.inputs.periods):
            self.record.refuse(
                line.at(column), f"{line.words(column)} is {line[column]}, outside the horizon"
            )
            return None
        return t

    def known(self, line: Line, column: str, table: str, rows: Mapping[str, Any]) -> Any:
        """Return the input row that a line names; where there is none that is a finding."""
        row = rows.get(line[column])
        if self.record.fails(row is not None):
            self.record.refuse(
                line.at(column), f"{line[column]!r} has no row in the sheet {table} of the input"
            )
        return row

    def in_lots(self, line: Line, column: str, row: Any, name: str, free: bool) -> None:
        """Compare a quantity with whole lots: those of a row, or the step where its size is free.

        Beyond `firm_periods` there are none.
        """
        settings, own = self.inputs.settings, getattr(row, name)
        size, cell = own, (row, name)
        if own is None and free and settings.order_step is not None:
            size, cell = settings.order_step, (settings, "order_step")
        if size is None or line["relaxed"]:
            self.record.term(line, "lots", None, cell)
            return
        whole, noise = round(line[column] / size), self.noise(row.material)
        what = f"{line.words(column)}, in whole lots of {size:g},"
        self.record.equal(line.at(column), what, whole * size, line[column], noise, cell)
        self.record.figure(line, "lots", whole, cell=cell)

    def placed(self, line: Line) -> bool:
        """Return whether a line's material and site are those of the input."""
        rows = self.inputs.base
        material = self.known(line, "material", "materials", rows.materials)
        return self.known(line, "site", "sites", rows.sites) is not None and material is not None

    def within(self, line: Line, column: str, row: Any, first: str, last: str, what: str) -> None:
        """Compare a line's date with two dates of an input row, by periods."""
        t, inputs, record = self.inputs.period(line[column]), self.inputs, self.record
        begin, end = getattr(row, first), getattr(row, last)
        if record.fails(begin is None or inputs.period(begin) <= t):
            record.refuse(
                line.at(column),
                f"{line.words(column)} is {line[column]}, {what} from {begin} only",
                (row, first),
            )
        if record.fails(end is None or t <= inputs.period(end)):
            record.refuse(
                line.at(column),
                f"{line.words(column)} is {line[column]}, {what} until {end} only",
                (row, last),
            )

    def staged(self, line: Line, column: str, supplier: str) -> None:
        """Compare the stage of a supplier with those that the settings count."""
        if self.record.fails(self.inputs.staged(supplier)):
            stage = self.inputs.base.suppliers[supplier].stage
            message = f"{line.words(column)}: {supplier} is {stage}, a stage that does not count"
            self.record.refuse(line.at(column), message, (self.inputs.settings, "supply_stages"))

    def ready(self, project: str) -> int:
        """Return the period from which a project is ready.

        It lies past the horizon where the project does not go ahead.
        """
        t = self.ahead.get(project)
        if t is None:
            return self.inputs.periods
        rows = self.inputs.base if t < 0 else self.inputs.at(t)
        return t + self.inputs.whole(rows.keyed("projects")[project].ready_lag_months)

    # What a line shows of several scenarios

    def total(
        self, line: Line, column: str, amount: float, noise: float = 0.0, cell: Cell = None
    ) -> None:
        """Add to a figure that sums over the scenarios of its line, weighed by probability."""
        self.together.add(line, column, self.future.probability * amount, None, noise, cell)

    def mean(
        self,
        line: Line,
        column: str,
        value: float,
        noise: float = 0.0,
        cell: Cell = None,
        weight: float = 1.0,
    ) -> None:
        """Add to a figure that is a mean over the scenarios of its line."""
        part = self.future.probability * weight
        self.together.add(line, column, part * value, part, noise, cell)

    def blank(self, line: Line, column: str, weight: float, noise: float) -> None:
        """Let a figure that is a mean be blank where no path of its line has a weight.

        Of a weight within the noise nobody knows whether it counts.
        """
        if not weight:
            self.together.may_be_blank(line, column)
        elif weight <= noise:
            self.together.unseen.add((id(line), column))

    def either(
        self, line: Line, column: str, value: float | None, noise: float = 0.0, cell: Cell = None
    ) -> None:
        """Add a value that a figure may have: it holds in one scenario of its line at least."""
        self.together.either.setdefault((id(line), column), (line, cell, {}))[2][value] = noise

    # What money is due

    def pay(
        self,
        t: int,
        heading: str,
        amount: float,
        material: str | None,
        name: str | None,
        buyer: str | None = None,
        table: str = "",
        bound: int | Since | None = None,
    ) -> None:
        """Post an outlay: it is on the cash flow, and appropriations pay it.

        `table` holds the row under which it is paid, where that brings metal of a supplier.
        `bound`: the period in which it is obligated, or the day before the start; None: that in
        which it is paid.
        """
        if amount == 0:
            return
        self.cash[Flow(t, heading, material, name, buyer)] += amount
        use = self.twins.headings[heading].use or self.twins.sources[table]
        self.outlays[Outlay(t, use, material, buyer)] += amount
        if bound != IN_PARTS:
            since = self.since(t if bound is None else bound)
            self.owe(t, use, material, name, since, amount)
        if table:
            self.spent.append(SupplierSpend(t, table, str(name), str(material), amount))

    def since(self, bound: int | Since) -> Since:
        """Return the day of an obligation in a period, or before the start."""
        return bound if isinstance(bound, Since) else Since(self.inputs.begins[bound])

    def owe(
        self,
        t: int,
        use: str,
        material: str | None,
        name: str | None,
        since: Since,
        amount: float,
    ) -> None:
        """Post that of what is paid in a period an amount was obligated on a day."""
        self.owed[OwedFor(t, use, material, name, since.date)] += amount

    def fail(
        self,
        t: int,
        use: str,
        material: str,
        name: str,
        bound: int | Since,
        least: float,
        most: float,
    ) -> None:
        """Post what was obligated in a period and is released in one, at least and at most."""
        if most > 0:
            key = OwedFor(t, use, material, name, self.since(bound).date)
            before = self.failing.get(key, (0.0, 0.0))
            self.failing[key] = before[0] + least, before[1] + most

    def book(
        self,
        t: int,
        heading: str,
        amount: float,
        material: str | None,
        name: str | None,
        buyer: str | None = None,
    ) -> None:
        """Post money that no appropriation pays.

        These are receipts and credits below zero, and prices of what is missing.
        """
        if amount != 0:
            self.cash[Flow(t, heading, material, name, buyer)] += amount

    def shares(self, table: str, name: str, t: int) -> dict[str | None, float]:
        """Return the buyers for whom a row brings metal in a period, with their shares [1]."""
        found: dict[str | None, float] = defaultdict(float)
        for site, quantity in self.arriving.get((table, name, t), {}).items():
            found[self.inputs.base.sites[site].buyer] += quantity
        total = sum(found.values())
        return (
            {buyer: quantity / total for buyer, quantity in found.items()}
            if total > 0
            else {None: 1.0}
        )

    def match(
        self,
        where: str,
        what: str,
        expected: Mapping[Any, float],
        found: Mapping[Any, float],
        noise: Callable[[Any], float],
    ) -> None:
        """Compare totals by key, up to the noise of each; a missing key is 0.

        The first part of a key is a period.
        """
        self.record.figures += len(expected.keys() | found.keys())
        for key in [*found, *(key for key in expected if key not in found)]:
            left, right = expected.get(key, 0.0), found.get(key, 0.0)
            if apart(left, right, noise(key)):
                parts = [str(part) for part in key[1:] if part not in (None, "")]
                self.record.add(
                    where,
                    f"{what} ({', '.join(parts)}) in {self.inputs.begin(key[0])}",
                    left,
                    right,
                )
