"""A plan as an audit sees it: the rows of its sheets by column, and what its summary claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from stockpile_model.schema import Result, on_sheet

LOST = object()
"""The value of a formula that has lost it."""


class Line(dict[str, Any]):
    """One row of a plan sheet by column name.

    `letters` maps a column to where it stands; `names` are the columns by which a message names the
    row.
    """

    __slots__ = ("letters", "names", "number", "sheet")

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]],
        sheet: str,
        number: int,
        letters: Mapping[str, str],
        names: Sequence[str] = (),
    ) -> None:
        super().__init__(values)
        self.sheet, self.number, self.letters, self.names = sheet, number, letters, names

    def at(self, column: str) -> str:
        """Return the address of a cell: `orders!E5`."""
        return f"{self.sheet}!{self.letters.get(column, 'A')}{self.number}"

    @property
    def where(self) -> str:
        """Return the row: `orders row 5`."""
        return f"{self.sheet} row {self.number}"

    def words(self, column: str) -> str:
        """Return a column of this row in words: `ordered (spot, 2027-03-01)`."""
        names = (name for name in self.names if name != column)
        known = [str(self[name]) for name in names if self.get(name) not in (None, "")]
        return (
            f"{column.replace('_', ' ')} ({', '.join(known)})"
            if known
            else column.replace("_", " ")
        )


@dataclass(frozen=True)
class Sheets:
    """The rows of a plan by sheet, and the claims of its summary [money; quantity].

    `costs` are expected and discounted, by heading. `bound` is the cost below which no plan can
    come, and `gap` the distance of the objective from it [1]; None where they are not known. Under
    scenarios `expected_cost` and `cvar` are known too. `asked` is the largest gap of an optimal
    plan. The rows of a summary that was read hold its `part`, their `label` and the values behind
    it by column (`B`, `C` …; none for a formula that has lost its value). `unread` are the sheets
    of its workbook that hold nothing to recompute. `views` are those that show rows of others, as
    their cells stand, by column (`A`, `B` …); there what is `divided`, columns by sheet, is shown
    over its probability.
    """

    rows: Mapping[str, Sequence[Line]]
    objective: float
    costs: Mapping[str, float]
    waste: float
    shortfall: float
    bound: float | None = None
    expected_cost: float | None = None
    cvar: float | None = None
    status: str | None = None
    gap: float | None = None
    asked: float | None = None
    unread: tuple[str, ...] = ()
    views: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    divided: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __getitem__(self, sheet: str) -> Sequence[Line]:
        return self.rows.get(sheet, ())


def lines(rows: Iterable[Result], scenarios: bool) -> list[Line]:
    """Return result rows of one type as the lines of their sheet, of a plan with scenarios or
    without.

    They stand in the order of their sheet, and have its columns.
    """
    found: list[Line] = []
    rows = list(rows)
    if not rows:
        return found
    kind = type(rows[0])
    rows = kind.in_order(rows)
    fields = [(each.name, each.field) for each in on_sheet(kind, scenarios)]
    letters = {name: _letter(k) for k, (name, _) in enumerate(fields)}
    members, names = [field for _, field in fields], kind.named_by()
    for number, row in enumerate(rows, start=2):
        found.append(
            Line(
                zip(letters, map(getattr, repeat(row), members), strict=True),
                kind.SHEET,
                number,
                letters,
                names,
            )
        )
    return found


def _letter(column: int) -> str:
    """Return the letters of a column: 0 is A, 27 is AB."""
    return (_letter(column // 26 - 1) if column >= 26 else "") + chr(ord("A") + column % 26)
