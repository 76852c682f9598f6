"""One plan under audit: its sheets beside its inputs, and what the rooms of the audit hand on to each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from optimiser.audit.findings import NOISE, RELATIVE, Record
from optimiser.audit.inputs import Inputs
from optimiser.audit.sheets import Line, Sheets
from stockpile_model.data import Stockpile

USE = {
    "purchases": "purchase", "order_costs": "purchase", "offtakes": "contract", "deficits": "contract", "topups": "contract",
    "signing": "contract", "grants": "project", "freight": "", "duty": "", "storage": "storage", "handling": "storage",
    "rotation": "rotation", "disposal": "rotation", "shortage": "", "below_target": "", "sales": "", "upside": "", "closing_stock": "",
}  # fmt: skip
"""The headings of money, and the use that an appropriation must allow; freight and duty have that of what they are paid for."""

NOT_CASH = ("shortage", "below_target", "closing_stock")


class Flow(NamedTuple):
    """Where money stands on the cash flow: period, heading, material, then offer, contract, site, outlet, project or buyer
    asked for; and for whom it is, None for all."""

    t: int
    heading: str
    material: str | None
    name: str | None
    buyer: str | None


class Outlay(NamedTuple):
    """What appropriations must pay together; `buyer` None is for all."""

    t: int
    use: str
    material: str | None
    buyer: str | None


class Spent(NamedTuple):
    """Money under an offer or contract, as rules on spend count it."""

    t: int
    table: str
    name: str
    material: str
    amount: float


class Brought(NamedTuple):
    """What an offer or contract brings to a site in a period [quantity]."""

    t: int
    table: str
    name: str
    material: str
    site: str
    quantity: float


class Case:
    def __init__(self, stockpile: Stockpile, sheets: Sheets) -> None:
        self.inputs = Inputs(stockpile)
        self.sheets = sheets
        self.record = Record(stockpile)
        self.cash: dict[Flow, float] = defaultdict(float)
        self.outlays: dict[Outlay, float] = defaultdict(float)
        self.spent: list[Spent] = []
        self.brought: list[Brought] = []
        self.arriving: dict[tuple[str, str, int], dict[str, float]] = {}  # table, name, period -> site -> quantity
        self.unit_price: dict[tuple[str, str, int], float] = {}  # table, name, period of arrival -> price with adder
        self.ahead: dict[str, int] = {}  # project -> period in which it goes ahead
        self.called: dict[tuple[str, str, int], int] = {}  # contract, level, period -> signatures
        self.ordered: dict[tuple[str, int], float] = defaultdict(float)
        self.held: dict[tuple[int, str, str, int], float] = defaultdict(float)  # period, material, site, age at its end
        self.out: dict[tuple[str, int], float] = defaultdict(float)  # outlet, period
        self.waste = self.shortfall = 0.0
        self.cent = 1e-4 * self._dearest()

    def _dearest(self) -> float:
        """The highest price of the workbook and its plan, at least 1: what noise in a quantity is worth [money/quantity]."""
        rates = [1.0]
        for row in self.inputs.rows("prices"):
            rates += row.values.values()
        for sheet, column in (("orders", "delivered_price"), ("contracts", "expected_price"), ("rotation", "price")):
            rates += [line[column] for line in self.sheets[sheet] if line[column] is not None]
        return max(rates)

    # What a line names

    def when(self, line: Line, column: str = "date") -> int | None:
        """The period of a line; a finding where it lies outside the horizon."""
        t = None if line[column] is None else self.inputs.period(line[column])
        if self.record.fails(t is not None and 0 <= t < self.inputs.periods):
            self.record.refuse(line.at(column), f"{line.told(column)} is {line[column]}, outside the horizon")
            return None
        return t

    def known(self, line: Line, column: str, table: str, rows: Mapping[str, Any]) -> Any:
        """The input row that a line names; a finding, and None, where there is none."""
        row = rows.get(line[column])
        if self.record.fails(row is not None):
            self.record.refuse(line.at(column), f"{line[column]!r} has no row in the sheet {table} of the input")
        return row

    def placed(self, line: Line) -> bool:
        """Whether a line's material and site are those of the input."""
        material = self.known(line, "material", "materials", self.inputs.materials)
        return self.known(line, "site", "sites", self.inputs.sites) is not None and material is not None

    def within(self, line: Line, column: str, row: Any, first: str, last: str, what: str) -> None:
        """A line's date must lie between two dates of an input row, by periods."""
        t, inputs, record = self.inputs.period(line[column]), self.inputs, self.record
        begin, end = getattr(row, first), getattr(row, last)
        if record.fails(begin is None or inputs.period(begin) <= t):
            record.refuse(line.at(column), f"{line.told(column)} is {line[column]}, {what} from {begin} only", (row, first))
        if record.fails(end is None or t <= inputs.period(end)):
            record.refuse(line.at(column), f"{line.told(column)} is {line[column]}, {what} until {end} only", (row, last))

    def staged(self, line: Line, column: str, supplier: str) -> None:
        """A supplier must be at a stage that the settings count."""
        if self.record.fails(self.inputs.staged(supplier)):
            stage = self.inputs.suppliers[supplier].stage
            said = f"{line.told(column)}: {supplier} is {stage}, a stage that does not count"
            self.record.refuse(line.at(column), said, (self.inputs.settings, "supply_stages"))

    def ready(self, project: str) -> int:
        """The period from which a project is ready; past the horizon where it does not go ahead."""
        t = self.ahead.get(project)
        row = self.inputs.keyed("projects")[project]
        return self.inputs.periods if t is None else t + self.inputs.whole(row.ready_lag_months)

    # What money is due

    def pay(
        self, t: int, heading: str, amount: float, material: str | None, name: str | None, buyer: str | None = None, table: str = ""
    ) -> None:
        """An outlay: it is on the cash flow, and appropriations pay it. `table` says under what: offers or contracts."""
        if amount == 0:
            return
        self.cash[Flow(t, heading, material, name, buyer)] += amount
        use = USE[heading] or {"offers": "purchase", "contracts": "contract"}[table]
        self.outlays[Outlay(t, use, material, buyer)] += amount
        if table:
            self.spent.append(Spent(t, table, str(name), str(material), amount))

    def book(self, t: int, heading: str, amount: float, material: str | None, name: str | None, buyer: str | None = None) -> None:
        """Money that no appropriation pays: receipts and credits below zero, prices of what is missing."""
        if amount != 0:
            self.cash[Flow(t, heading, material, name, buyer)] += amount

    def shares(self, table: str, name: str, t: int) -> dict[str | None, float]:
        """The buyers for whom an offer or contract brings metal in a period, with their shares of it [1]."""
        found: dict[str | None, float] = defaultdict(float)
        for site, quantity in self.arriving.get((table, name, t), {}).items():
            found[self.inputs.sites[site].buyer] += quantity
        total = sum(found.values())
        return {buyer: quantity / total for buyer, quantity in found.items()} if total > 0 else {None: 1.0}

    def match(self, where: str, what: str, expected: Mapping[Any, float], found: Mapping[Any, float], noise: float = NOISE) -> None:
        """Totals by key that must be the same; where a key is missing they are 0. The key's first part is a period."""
        self.record.figures += len(expected.keys() | found.keys())
        for key in [*found, *(key for key in expected if key not in found)]:
            left, right = expected.get(key, 0.0), found.get(key, 0.0)
            if abs(left - right) > noise + RELATIVE * max(abs(left), abs(right)):
                parts = [str(part) for part in key[1:] if part not in (None, "")]
                self.record.add(where, f"{what} ({', '.join(parts)}) in {self.inputs.begin(key[0])}", left, right)
