"""Large workbooks of the usual shape: every block is used, every figure is made up."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

Tables = dict[str, Any]
START = dt.date(2027, 1, 1)


def month(k: int) -> dt.date:
    return dt.date(START.year + k // 12, k % 12 + 1, 1)


def tables(periods: int, materials: int, offers: int, life: int, contracts: int = 4, levels: int = 3, outlets: int = 2) -> Tables:
    """`offers` altogether, dealt out to the materials; `contracts` with `levels` floors each, `outlets` for each material.
    Half of the offers have a fixed cost of ordering, a quarter are sold in lots."""
    r = random.Random(1)
    names = [f"metal_{i}" for i in range(materials)]
    years = -(-periods // 12)
    index = [month(12 * k) for k in range(years + 1)]
    return {
        "settings": {"start": START, "periods": periods, "discount_rate": 0.03, "title": "synthetic", "mip_gap": 0.01},
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
            {"supplier": f"supplier_{k}", "country": f"country_{k % 5}", "bloc": ("domestic", "allied", "other")[k % 3]} for k in range(10)
        ],
        "prices": [{"date": date} | {name: r.randint(200, 400) for name in names} for date in index],
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
            {"contract": f"contract_{k}", "level": f"level_{f}", "floor": 180 + 30 * f, "annual_quantity": 200 + 150 * f}
            for k in range(contracts)
            for f in range(levels)
        ],
        "demand": [{"material": name, "from": START, "to": month(periods - 1), "quantity": r.randint(20, 60)} for name in names],
        "targets": [{"material": name, "from": month(periods // 2), "quantity": r.randint(300, 600), "path": "ramp"} for name in names],
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
                {"fund": "annual", "from": month(12 * k), "expires": month(12 * k + 11), "amount": 300_000 * materials}
                for k in range(years)
            ),
            {"fund": "lasting", "from": START, "amount": 2_000_000 * materials},
        ],
        "rules": [{"rule": "concentration", "of": "country", "measure": "share", "window": "fiscal_year", "most": 0.6}],
    }
