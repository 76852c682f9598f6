"""Reading and checking a workbook of 10,000 rows, against pandas reading the same file: nothing but
cells, all sheets.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from optimiser.workbook.read.input_reader import read
from tests.benchmarks.show import table, verdict
from tests.benchmarks.synthetic import Tables, month, tables
from tests.support.books import book

WANTED = 4.0
REPEATS = 3
ROWS = 10_000
PERIODS = 120
Rows = list[dict[str, Any]]


def main() -> None:
    ways: dict[str, Callable[[Path], object]] = {
        "check": read,
        "pandas": lambda path: pd.read_excel(path, sheet_name=None),
    }
    lines, ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        for shape, tables_of in SHAPES.items():
            path = book(Path(folder) / f"{shape}.xlsx", tables_of())
            seconds = {
                way: min(_timed(run, path) for _ in range(REPEATS)) for way, run in ways.items()
            }
            ratios.append(seconds["check"] / seconds["pandas"])
            lines.append([shape, *seconds.values(), ratios[-1]])
    table(
        f"Read and check {ROWS:,} rows (processor seconds, best of {REPEATS})",
        ["most rows are", "stockpile check", "pandas.read_excel", "ratio"],
        lines,
    )
    verdict("read and check, in times of what pandas needs to read", max(ratios), WANTED)


def _timed(run: Callable[[Path], object], path: Path) -> float:
    gc.collect()
    began = time.process_time()
    run(path)
    return time.process_time() - began


def _base() -> Tables:
    return tables(periods=PERIODS, materials=6, offers=40, life=36)


def _mixed() -> Tables:
    """A tenth of the rows in each of ten tables."""
    found, each = _base(), ROWS // 10
    for name, rows in _many(each).items():
        found[name] = rows
    return found


def _mostly(name: str) -> Tables:
    found = _base()
    found[name] = _many(ROWS)[name]
    return found


def _many(rows: int) -> dict[str, Rows]:
    """Long tables, each of which goes with the others."""
    r, base = random.Random(1), _base()
    materials, suppliers = (
        [row["material"] for row in base["materials"]],
        [row["supplier"] for row in base["suppliers"]],
    )

    def metal(k: int) -> str:
        return materials[k % len(materials)]

    offers: Rows = base["offers"]
    contracts: Rows = base["contracts"]
    return {
        "offers": [
            offers[k % len(offers)]
            | {
                "offer": f"offer_{k}",
                "order_cost": None,
                "minimum_order": None,
            }
            for k in range(rows)
        ],
        "demand": [
            {"material": metal(k), "from": month(k % PERIODS), "quantity": r.randint(20, 60)}
            for k in range(rows)
        ],
        "prices": [
            {"date": month(0) + pd.Timedelta(days=k).to_pytimedelta()}
            | {name: r.randint(200, 400) for name in materials}
            for k in range(rows)
        ],
        "outlets": [
            {
                "outlet": f"outlet_{k}",
                "material": metal(k),
                "form": "sale",
                "price_index": metal(k),
                "price_factor": 0.7,
                "capacity": 40,
            }
            for k in range(rows)
        ],
        "suppliers": [
            *base["suppliers"],
            *(
                {"supplier": f"plant_{k}", "country": f"country_{k % 5}", "bloc": "allied"}
                for k in range(len(suppliers), rows)
            ),
        ],
        "opening_stock": [
            {"lot": f"lot_{k}", "material": metal(k), "quantity": 5, "made": month(0)}
            for k in range(rows)
        ],
        "contracts": [
            contracts[k % len(contracts)] | {"contract": f"contract_{k}"} for k in range(rows)
        ],
        "floors": [
            {
                "contract": f"contract_{k}",
                "level": "low",
                "floor": 180 + k % 90,
                "annual_quantity": 200,
            }
            for k in range(rows)
        ],
        "budgets": [
            {"fund": "annual", "from": month(k % PERIODS), "amount": 300_000} for k in range(rows)
        ],
        "targets": [
            {
                "material": metal(k),
                "buyer": f"buyer_{k}",
                "from": month(k % PERIODS),
                "quantity": 5,
                "hard": "no",
            }
            for k in range(rows)
        ],
        "rules": [
            {"rule": f"rule_{k}", "of": "country", "measure": "share", "most": 0.6}
            for k in range(rows)
        ],
    }


SHAPES: dict[str, Callable[[], Tables]] = {
    "mixed": _mixed,
    **{
        name: lambda name=name: _mostly(name)
        for name in ("offers", "demand", "prices", "outlets", "budgets", "opening_stock", "targets")
    },
}

if __name__ == "__main__":
    main()
