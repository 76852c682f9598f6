"""The gallium case cut short: fewer months and scenarios, so that it is planned in seconds."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Collection
from pathlib import Path
from typing import Any

import optimiser as so

FOLDER = Path(__file__).parents[2] / "inputs" / "gallium"


def gallium_until(end: dt.date, scenarios: Collection[str], firm: int = 1) -> so.Book:
    """Gallium with its first months, up to a day, and some of its scenarios. Orders are whole in so
    many periods.
    """
    tables: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                {name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)
            ]
        tables[path.stem] = rows
    tables.pop("uncertainty")
    for name in ("scenarios", "events"):
        tables[name] = [row for row in tables[name] if row["scenario"] in scenarios]
    for name in ("demand", "targets"):
        tables[name] = [row for row in tables[name] if row["from"] < end.isoformat()]
    for row in tables["settings"]:
        if row["name"] == "start":
            start = dt.date.fromisoformat(row["value"])
        if row["name"] == "periods":
            row["value"] = str((end.year - start.year) * 12 + end.month - start.month)
    tables["settings"].append({"name": "firm_periods", "value": str(firm)})
    return so.from_tables({name: rows for name, rows in tables.items() if rows})
