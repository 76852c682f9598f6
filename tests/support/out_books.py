"""Small random workbooks in which metal is under way between sites, or out for a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Tables = dict[str, Any]


def month(t: int) -> dt.date:
    """The first day of a month, counted from January 2027."""
    return dt.date(2027 + t // 12, t % 12 + 1, 1)


@st.composite
def out_books(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Tables:
    """Old metal in the north, which is asked for in the south later on; new metal is dear."""

    def pick(*of: Any) -> Any:
        return draw(st.sampled_from(of))

    periods, navy = pick(4, 5), pick({}, {"buyer": "navy"})
    outlets = [
        {"outlet": "test", "material": "ga", "form": "requalify", "gain_months": pick(1, 2, 3),
         "lead_time_months": pick(1, 1, 2), "yield": pick(1, 0.75, 0.5), "times": pick(1, 2), "cost": pick(0, 1)},
        {"outlet": "melt", "material": "ga", "form": "rework", "lead_time_months": pick(0, 1), "yield": 0.8, "cost": 1},
    ]  # fmt: skip
    events = pick(
        {"table": "demand", "row": "ga", "column": "quantity", "how": "scale", "value": 2},
        {"table": "moves", "row": "lorry", "column": "lead_time_months", "how": "set", "value": 1},
        {"table": "outlets", "row": "test", "column": "lead_time_months", "how": "set", "value": 1},
        {"table": "materials", "row": "ga", "column": "shelf_life_months", "how": "add", "value": -1},
        {},
    )  # fmt: skip
    tables: Tables = {
        "settings": {"start": month(0), "periods": periods, "discount_rate": 0.05},
        "materials": [{"material": "ga", "shelf_life_months": pick(3, 4, 5), "shortage_cost": pick(60, 90),
                       "holding_cost": 1, "disposal_cost": pick(0, 2)}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "dear", "supplier": "mill", "material": "ga", "price": pick(20, 40)}],
        "sites": [{"site": "north", "handling_in": pick(0, 3), "handling_out": 1},
                  {"site": "south", "handling_in": pick(0, 2), **navy}],
        "moves": [{"move": "lorry", "from_site": "north", "to_site": "south", "cost": pick(0, 2),
                   "lead_time_months": pick(1, 2)}],
        "opening_stock": [
            {"lot": f"L{k}", "material": "ga", "site": pick("north", "north", "south"), "quantity": pick(8, 12, 20),
             "made": month(-pick(0, 1, 2)), "requalified": pick(0, 0, 1)} for k in range(pick(1, 2, 3))],
        "outlets": outlets[: pick(1, 2)],
        "demand": [{"material": "ga", **navy, "from": month(pick(1, 2, 3)), "to": month(periods - 1),
                    "quantity": pick(4, 6, 8)}],
    }  # fmt: skip
    if events:
        war = {"scenario": "war"}
        tables["scenarios"] = [{**war, "probability": 0.4, "revealed": month(pick(1, 2, 3))}]
        tables["events"] = [war | events]
    return tables
