"""A thousand scenarios planned by bundles: proven gap, memory and time of `stockpile solve --bundles`.

`python -m tests.benchmarks.thousand [SCENARIOS [BUNDLES]]`, by default 1,000 in 100. The book: 60 months, 20 offers, 4 contracts with
6 floors each, metal that lives a year, orders whole in the first year, after which the scenarios part.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.show import ROOT, table, verdict
from tests.benchmarks.synthetic import START, Tables, month
from tests.support.books import book

WANTED_GAP, WANTED_MEMORY, WANTED_TIME = 0.01, 16.0, 7200.0  # 1, GiB, s
PERIODS, KNOWN, OFFERS = 60, 12, 20
EACH = 10  # scenarios of a bundle
WORKERS = 2
PAGE = os.sysconf("SC_PAGE_SIZE")


def tables(scenarios: int) -> Tables:
    """A tree of two stages: each scenario has a path of prices of its own, some have outages, some more demand."""
    r = random.Random(1)
    names = [f"path_{s}" for s in range(scenarios)]
    years = -(-PERIODS // 12)
    return {
        "settings": {
            "start": START, "periods": PERIODS, "discount_rate": 0.03, "title": "many scenarios", "mip_gap": WANTED_GAP,
            "firm_periods": KNOWN,
        },
        "materials": [
            {"material": "metal", "shelf_life_months": 12, "below_target_cost": 6, "shortage_cost": 2000, "holding_cost": 0.5,
             "disposal_cost": 2},
        ],
        "suppliers": [{"supplier": f"supplier_{k}"} for k in range(10)],
        "prices": [{"date": month(12 * k), "metal": r.randint(250, 350)} for k in range(years + 1)],
        "opening_stock": [{"lot": "first", "material": "metal", "quantity": 150, "made": month(-2)}],
        "offers": [
            {
                "offer": f"offer_{k}",
                "supplier": f"supplier_{k % 10}",
                "material": "metal",
                "price_index": "metal",
                "premium": round(r.uniform(0.0, 0.3), 3),
                "capacity": r.randint(10, 40),
                "lead_time_months": r.randint(0, 3),
                "order_cost": r.randint(200, 900) if k % 2 else None,
                "minimum_order": r.randint(5, 10) if k % 2 else None,
                "lot_size": 5 if k % 4 == 0 else None,
                "duty": 0.02,
                "freight": 3,
            }
            for k in range(OFFERS)
        ],
        "contracts": [
            {
                "contract": f"contract_{k}",
                "supplier": f"supplier_{k}",
                "material": "metal",
                "price_index": "metal",
                "discount": round(0.02 * k, 2),
                "sign_to": month(KNOWN // 4 - 1),
                "deliver_from": month(KNOWN // 2),
                "term_months": PERIODS - KNOWN,
                "take_or_pay": 0.8,
                "flex": 1.5,
                "signing_cost": 2000,
            }
            for k in range(4)
        ],
        "floors": [
            {"contract": f"contract_{k}", "level": f"level_{f}", "floor": 240 + 10 * k + 15 * f, "annual_quantity": 36 + 24 * f}
            for k in range(4)
            for f in range(6)
        ],
        "demand": [{"material": "metal", "from": START, "to": month(PERIODS - 1), "quantity": 40}],
        "targets": [{"material": "metal", "from": month(PERIODS // 2), "quantity": 200, "path": "ramp"}],
        "outlets": [
            {"outlet": f"outlet_{k}", "material": "metal", "form": "sale", "price_index": "metal", "price_factor": 0.7 - 0.1 * k,
             "capacity": 15 + 25 * k, "minimum_life_months": 3}
            for k in range(2)
        ],
        "funds": [{"fund": "annual"}],
        "budgets": [
            {"fund": "annual", "from": month(12 * k), "expires": month(12 * k + 11), "amount": 260_000} for k in range(years)
        ],
        # The base is what is left: nothing.
        "scenarios": [{"scenario": name, "probability": 1 / scenarios, "revealed": month(KNOWN)} for name in names],
        "events": [event for s, name in enumerate(names) for event in _events(r, s, name)],
    }  # fmt: skip


def _events(r: random.Random, s: int, name: str) -> list[dict[str, Any]]:
    """What happens in a scenario: a path of prices in half-years, an outage in every third, more demand in every fourth."""

    def event(what: str, row: str | None, column: str, how: str, value: float, first: int, last: int) -> dict[str, Any]:
        dates = {"from": month(first), "to": month(last)}
        return {"scenario": name, "table": what, "row": row, "column": column, "how": how, "value": value} | dates

    found, level = [], 1.0
    for first in range(KNOWN, PERIODS, 6):
        level = min(2.0, max(0.5, level * r.lognormvariate(0.0, 0.12)))
        found.append(event("prices", None, "metal", "scale", round(level, 4), first, first + 5))
    if s % 3 == 1:
        first = r.randrange(KNOWN, PERIODS)
        found += [event("offers", f"offer_{k}", "availability", "set", 0, first, first + 5) for k in r.sample(range(OFFERS), 3)]
    if s % 4 == 2:
        found.append(event("demand", "metal", "quantity", "scale", 1.3, r.randrange(KNOWN, PERIODS), PERIODS - 1))
    return found


class _Family:
    """Memory of a process and all that descend from it: the most of their sum [GiB], looked at each second."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.running = pid, 0.0, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self.running = False
        self._thread.join()
        return self.peak

    def _watch(self) -> None:
        while self.running:
            self.peak = max(self.peak, sum(map(_resident, _descendants(self.pid))))
            time.sleep(1)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it has ended meanwhile
                continue
    return found


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**30
    except OSError:
        return 0.0


def main(scenarios: int = 1000, count: int | None = None) -> None:
    """Linux only: memory is read from /proc."""
    count = max(1, scenarios // EACH) if count is None else count
    with tempfile.TemporaryDirectory() as folder:
        source, plan = book(Path(folder) / "many", tables(scenarios)), Path(folder) / "plan.xlsx"
        paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
        command = ["-m", "optimiser", "solve", str(source), "-o", str(plan), "--bundles", str(count), "--workers", str(WORKERS), "--json"]
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, env=os.environ | paths, cwd=ROOT, text=True)
        family = _Family(process.pid)
        output, _ = process.communicate()
        seconds, peak = time.perf_counter() - began, family.stop()
        used = os.times()
        if process.returncode:
            raise RuntimeError(f"stockpile solve ended with {process.returncode}")
        found = json.loads(output)
    table(
        f"{scenarios:,} scenarios in {count:,} bundles, {WORKERS} workers",
        ["", ""],
        [
            ["objective", found["objective"]],
            ["proven bound", found["bound"]],
            ["gap [%]", 100 * found["gap"]],
            ["time [s]", seconds],
            ["processor [s]", used.children_user + used.children_system],
            ["peak memory of all processes [GiB]", peak],
        ],
    )
    verdict("proven gap", 100 * found["gap"], 100 * WANTED_GAP, " %")
    verdict("peak memory", peak, WANTED_MEMORY, " GiB")
    verdict("time", seconds, WANTED_TIME, " s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
