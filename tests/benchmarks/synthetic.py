"""Large workbooks of the usual shape: every block is used, every figure is made up."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

Tables = dict[str, Any]
START = dt.date(2027, 1, 1)


def month(k: int) -> dt.date:
    return dt.date(START.year + k // 12, k % 12 + 1, 1)


def tables(
    periods: int,
    materials: int,
    offers: int,
    life: int,
    contracts: int = 4,
    levels: int = 3,
    outlets: int = 2,
) -> Tables:
    """`offers` altogether, dealt out to the materials; `contracts` with `levels` floors each,
    `outlets` for each material. Half of the offers have a fixed cost of ordering, a quarter are
    sold in lots.
    """
    r = random.Random(1)
    names = [f"metal_{i}" for i in range(materials)]
    years = -(-periods // 12)
    index = [month(12 * k) for k in range(years + 1)]
    return {
        "settings": {
            "start": START,
            "periods": periods,
            "discount_rate": 0.03,
            "title": "synthetic",
            "mip_gap": 0.01,
        },
        "materials": [
            {
                "material": name,
                "shelf_life_months": life,
                "count_life_months": life // 4,
                "below_target_cost": 5,
                "shortage_cost": 2000,
                "holding_cost": 0.1,
            }
            for name in names
        ],
        "suppliers": [
            {
                "supplier": f"supplier_{k}",
                "country": f"country_{k % 5}",
                "bloc": ("domestic", "allied", "other")[k % 3],
            }
            for k in range(10)
        ],
        "prices": [
            {"date": date} | {name: r.randint(200, 400) for name in names} for date in index
        ],
        "offers": [
            {
                "offer": f"offer_{k}",
                "supplier": f"supplier_{k % 10}",
                "material": names[k % materials],
                "price_index": names[k % materials],
                "premium": r.choice([0.05, 0.1, 0.2]),
                "capacity": r.randint(50, 200),
                "lead_time_months": r.randint(0, 4),
                "order_cost": 500 if k % 2 else None,
                "minimum_order": 10 if k % 2 else None,
                "lot_size": 5 if k % 4 == 0 else None,
                "duty": 0.02,
                "freight": 3,
            }
            for k in range(offers)
        ],
        "contracts": [
            {
                "contract": f"contract_{k}",
                "supplier": f"supplier_{k % 10}",
                "material": names[k % materials],
                "price_index": names[k % materials],
                "sign_from": month(0),
                "sign_to": month(5),
                "term_months": 36,
                "take_or_pay": 0.8,
                "flex": 1.5,
            }
            for k in range(contracts)
        ],
        "floors": [
            {
                "contract": f"contract_{k}",
                "level": f"level_{f}",
                "floor": 180 + 30 * f,
                "annual_quantity": 200 + 150 * f,
            }
            for k in range(contracts)
            for f in range(levels)
        ],
        "demand": [
            {
                "material": name,
                "from": START,
                "to": month(periods - 1),
                "quantity": r.randint(20, 60),
            }
            for name in names
        ],
        "targets": [
            {
                "material": name,
                "from": month(periods // 2),
                "quantity": r.randint(300, 600),
                "path": "ramp",
            }
            for name in names
        ],
        "outlets": [
            {
                "outlet": f"outlet_{i}_{k}",
                "material": name,
                "form": "sale",
                "price_index": name,
                "price_factor": 0.7,
                "age_discount": 0.01,
                "capacity": 40,
            }
            for i, name in enumerate(names)
            for k in range(outlets)
        ],
        "funds": [{"fund": "annual"}, {"fund": "lasting"}],
        "budgets": [
            *(
                {
                    "fund": "annual",
                    "from": month(12 * k),
                    "expires": month(12 * k + 11),
                    "amount": 300_000 * materials,
                }
                for k in range(years)
            ),
            {"fund": "lasting", "from": START, "amount": 2_000_000 * materials},
        ],
        "rules": [
            {
                "rule": "concentration",
                "of": "country",
                "measure": "share",
                "window": "fiscal_year",
                "most": 0.6,
            }
        ],
    }


def scenario_tree(
    scenarios: int,
    periods: int = 60,
    known: int = 12,
    life: int = 12,
    offers: int = 20,
    contracts: int = 4,
    ages: bool = False,
    seed: int = 1,
) -> Tables:
    """A tree of two stages: `scenarios` that share the first `known` periods, each with a price
    path of its own, some with outages, some with more demand. Whole orders are decided in the
    shared periods. With `ages` a sale loses with age, and old stock does not count towards the
    target; without, nothing depends on age.
    """
    r = random.Random(seed)
    years = -(-periods // 12)
    names = [f"path_{s}" for s in range(scenarios)]
    return {
        "settings": {
            "start": START, "periods": periods, "discount_rate": 0.03, "title": "scenario tree", "mip_gap": 0.001, "firm_periods": known,
        },
        "materials": [
            {
                "material": "metal",
                "shelf_life_months": life,
                "count_life_months": life // 4 if ages else None,
                "below_target_cost": 6,
                "shortage_cost": 2000,
                "holding_cost": 0.5,
                "disposal_cost": 2,
            },
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
            for k in range(offers)
        ],
        "contracts": [
            {
                "contract": f"contract_{k}",
                "supplier": f"supplier_{k % 10}",
                "material": "metal",
                "price_index": "metal",
                "discount": round(0.02 * k, 2),
                "sign_to": month(known // 4 - 1),
                "deliver_from": month(known // 2),
                "term_months": periods - known,
                "take_or_pay": 0.8,
                "flex": 1.5,
                "signing_cost": 2000,
            }
            for k in range(contracts)
        ],
        "floors": [
            {"contract": f"contract_{k}", "level": f"level_{f}", "floor": 240 + 10 * k + 15 * f, "annual_quantity": 36 + 24 * f}
            for k in range(contracts)
            for f in range(6)
        ],
        "demand": [{"material": "metal", "from": START, "to": month(periods - 1), "quantity": 40}],
        "targets": [{"material": "metal", "from": month(periods // 2), "quantity": 200, "path": "ramp"}],
        "outlets": [
            {
                "outlet": f"outlet_{k}",
                "material": "metal",
                "form": "sale",
                "price_index": "metal",
                "price_factor": 0.7 - 0.1 * k,
                "age_discount": 0.02 if ages else None,
                "capacity": 20,
            }
            for k in range(2)
        ],
        "funds": [{"fund": "annual"}, {"fund": "lasting", "uses": "purchase, contract"}],
        "budgets": [
            *({"fund": "annual", "from": month(12 * k), "expires": month(12 * k + 11), "amount": 150_000} for k in range(years)),
            {"fund": "lasting", "from": START, "amount": 150_000},
        ],
        "scenarios": [{"scenario": name, "probability": 1 / scenarios, "revealed": month(known)} for name in names],
        "events": [event for s, name in enumerate(names) for event in _events(r, s, name, periods, known, offers)],
    }  # fmt: skip


def _events(
    r: random.Random, s: int, name: str, periods: int, known: int, offers: int
) -> list[dict[str, Any]]:
    """What happens in a scenario: a price path in half-years, an outage in every third, more demand
    in every fourth.
    """

    def event(
        table: str, row: str | None, column: str, how: str, value: float, first: int, last: int
    ) -> dict[str, Any]:
        dates = {"from": month(first), "to": month(last)}
        return {
            "scenario": name,
            "table": table,
            "row": row,
            "column": column,
            "how": how,
            "value": value,
        } | dates

    found, level = [], 1.0
    for first in range(known, periods, 6):
        level = min(2.0, max(0.5, level * r.lognormvariate(0.0, 0.12)))
        found.append(event("prices", None, "metal", "scale", round(level, 4), first, first + 5))
    if s % 3 == 1:
        first = r.randrange(known, periods)
        found += [
            event("offers", f"offer_{k}", "availability", "set", 0, first, first + 5)
            for k in r.sample(range(offers), 3)
        ]
    if s % 4 == 2:
        found.append(
            event(
                "demand",
                "metal",
                "quantity",
                "scale",
                1.3,
                r.randrange(known, periods),
                periods - 1,
            )
        )
    return found
