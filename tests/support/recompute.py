"""Checks the sheet `summary` of a plan workbook against its other sheets: its totals, as they are
stored and as its live formulas compute them anew. What the other sheets hold is recomputed from the
input by the program's own audit.

`check_summary` says what does not agree; an empty list is a summary that holds.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import coordinate_to_tuple

from stockpile_model.calendar import add_months
from tests.support.formulas import Formula, evaluate

Row = dict[str, Any]
NOISE = 1e-4  # what rounding away the solver's noise may leave of a quantity


def check_summary(path: str | Path) -> list[str]:
    """What on the summary contradicts the other sheets, a line each."""
    return [f"summary: {said}" for said in summary(Book(path))]


class Book:
    """A plan workbook as rows."""

    def __init__(self, path: str | Path) -> None:
        self.grids = _grids(path, data_only=True)
        self.formulas = _grids(path)["summary"]
        self.read: dict[str, list[Row]] = {}
        rates = [row["delivered_price"] for row in self.rows("orders")] + [
            row["expected_price"] or 0 for row in self.rows("contracts")
        ]
        rates += [row["price"] for row in self.rows("rotation")]
        self.cent = 1e-4 * max([1.0, *rates])  # what noise in a quantity is worth

    def rows(self, sheet: str) -> list[Row]:
        """The rows of a sheet by the names of the contract (reading rule 2)."""
        if sheet not in self.read:
            header, *rows = self.grids[sheet]
            names = [str(each).split(" [")[0].strip().lower().replace(" ", "_") for each in header]
            self.read[sheet] = [dict(zip(names, row, strict=True)) for row in rows]
        return self.read[sheet]

    def near(self, left: float | None, right: float | None, noise: float = NOISE) -> bool:
        if left is None or right is None:
            return left is right
        return abs(left - right) <= noise + 1e-6 * max(abs(left), abs(right))

    def money(self, left: float | None, right: float | None) -> bool:
        return self.near(left, right, self.cent)


def _grids(path: str | Path, data_only: bool = False) -> dict[str, list[list[Any]]]:
    """The cells of the sheets: all values, or of the summary also its formulas."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    names = book.sheetnames if data_only else ["summary"]
    found = {
        name: [[_cell(each) for each in row] for row in book[name].iter_rows()] for name in names
    }
    book.close()
    return found


def _cell(cell: Any) -> Any:
    if cell.data_type == "f":
        return Formula(cell.value)
    if isinstance(cell.value, dt.datetime):
        return cell.value.date()
    return (
        {"yes": True, "no": False}.get(cell.value, cell.value)
        if isinstance(cell.value, str)
        else cell.value
    )


def expected(row: Row, column: str) -> float:
    """What a row counts in a total: with scenarios its amount times their probability."""
    return float(row[column] * (1.0 if column == "discounted" else row.get("probability", 1.0)))


def total(rows: Iterable[Row], column: str, *by: str) -> dict[Any, float]:
    """The sum of a column for each value of the named ones."""
    found: dict[Any, float] = defaultdict(float)
    for row in rows:
        found[tuple(row[name] for name in by)] += expected(row, column)
    return found


def _summary(book: Book) -> dict[str, list[Any]]:
    """The lines of the summary by their first cell; of several the first."""
    found: dict[str, list[Any]] = {}
    for row in book.grids["summary"]:
        if row[0] is not None:
            found.setdefault(str(row[0]), row)
    return found


def summary(book: Book) -> Iterator[str]:
    """The totals are those of the sheets: as they are stored, and as a spreadsheet program would
    compute them anew.
    """
    lines = _summary(book)
    flows, moved, out = book.rows("cash_flow"), book.rows("movements"), book.rows("rotation")
    by_kind = total(moved, "quantity", "kind")
    settings = {
        row["column"]: row["value"]
        for row in book.rows("assumptions")
        if row["table"] == "settings"
    }
    last = add_months(
        settings["start"], (int(settings["periods"]) - 1) * int(settings["period_months"])
    )
    totals: dict[str, float] = {
        "Ordered": sum(expected(row, "ordered") for row in book.rows("orders")),
        "Opening stock": by_kind.get(("opening",), 0.0),
        "Delivered": by_kind.get(("arrival",), 0.0),
        "Used by demand": -by_kind.get(("demand",), 0.0),
        "Rotated out": -by_kind.get(("rotation",), 0.0),
        "Waste": sum(expected(row, "quantity") for row in out if row["form"] == "expired"),
        "Stock at the end": sum(
            expected(row, "quantity") for row in book.rows("lots") if row["date"] == last
        ),
        "Unmet demand": sum(expected(row, "unmet") for row in book.rows("demand")),
        "Below targets": sum(expected(row, "below") for row in book.rows("targets")),
    }
    totals["Shortfall"] = totals["Unmet demand"] + totals["Below targets"]
    for label, value in totals.items():
        if not book.near(lines[label][1], value, 10 * NOISE):
            yield f"{label} is {value}, not {lines[label][1]}"
    headings = total(flows, "discounted", "heading")
    for (heading,), value in headings.items():
        undiscounted = sum(expected(row, "amount") for row in flows if row["heading"] == heading)
        line = lines[heading.replace("_", " ")]  # the summary says it in words
        if not book.money(line[1], value) or not book.money(line[2], undiscounted):
            yield f"{heading} is {value}, not {line[1]}"
    size = sum(abs(value) for value in headings.values())
    cost = lines.get("Expected cost", lines["Objective"])[1]
    if abs(lines["Total"][1] - cost) > 1e-6 * max(1.0, size):
        yield f"the headings sum to {lines['Total'][1]}, the expected cost is {cost}"
    if outcomes := book.rows("scenarios") if "scenarios" in book.grids else []:
        if not book.money(sum(row["probability"] for row in outcomes), 1.0) or not book.money(
            total(outcomes, "cost")[()], cost
        ):
            yield f"the scenarios cost {total(outcomes, 'cost')[()]}, not {cost}"
        if not book.near(total(outcomes, "shortfall")[()], totals["Shortfall"], 10 * NOISE):
            yield (
                f"the scenarios lack {total(outcomes, 'shortfall')[()]}, not {totals['Shortfall']}"
            )
        if not book.near(total(outcomes, "waste")[()], totals["Waste"], 10 * NOISE):
            yield f"the scenarios waste {total(outcomes, 'waste')[()]}, not {totals['Waste']}"
    figures = ("amount", "spent", "lapsed", "left", "obligated")
    sums: dict[str, list[float]] = {}
    for row in book.rows("budget"):  # a row for each fiscal year
        own = sums.setdefault(row["appropriation"], [0.0] * len(figures))
        sums[row["appropriation"]] = [a + row[b] for a, b in zip(own, figures, strict=True)]
    for name, amounts in sums.items():
        if not all(map(book.money, lines[name][1:6], amounts)):
            yield f"{name}: {lines[name][1:6]}"
    brought = total(book.rows("deliveries"), "quantity", "supplier")
    for (supplier,), value in brought.items():
        if not book.near(lines[supplier][1], value) or not book.near(
            lines[supplier][2], value / sum(brought.values())
        ):
            yield f"{supplier} brings {value}, not {lines[supplier][1]}"
    if brought and (lines["Number of suppliers"][1], lines["Largest share"][1]) != (
        len(brought),
        max(lines[name][2] for (name,) in brought),
    ):
        yield (
            f"{lines['Number of suppliers'][1]} suppliers, the largest with"
            f" {lines['Largest share'][1]}"
        )
    yield from (f"check {name}: {row[1]}" for name, row in lines.items() if row[1] == "differs")
    stored = book.grids["summary"]
    for cell, value in evaluate(book.formulas, book.grids, "summary").items():
        line, column = coordinate_to_tuple(cell)
        cached = stored[line - 1][column - 1]
        same = (
            cached == value
            if isinstance(value, str) or not isinstance(cached, (int, float))
            else book.near(cached, float(value), 1e-6)
        )
        if not same:
            yield f"{cell} stores {cached}, computed anew it is {value}"
