"""Multistage stochastic programs whose optimum is published, as workbooks.

They are examples of SDDP.jl (O. Dowson, L. Kapelevich, SDDP.jl: a Julia package for stochastic
dual dynamic programming, 2021), some of them from FAST (L. Cambier) and from J. R. Birge, F.
Louveaux, Introduction to stochastic programming, 1997.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.books import Tables
from tests.support.planner import plan_of

Cells = dict[str, Any]


def month(t: int) -> dt.date:
    return dt.date(2027 + t // 12, t % 12 + 1, 1)


def program(periods: int, *, material: Cells | None = None, **tables: list[Cells]) -> Tables:
    return {
        "settings": {"start": month(0), "periods": periods, "mip_gap": 0},
        "materials": [{"material": "ware", **(material or {})}],
        "suppliers": [{"supplier": "maker"}],
        **tables,
    }


def offer(name: str, price: float, **cells: Any) -> Cells:
    return {"offer": name, "supplier": "maker", "material": "ware", "price": price, **cells}


def wanted(*quantities: float) -> list[Cells]:
    return [
        {"material": "ware", "from": month(t), "quantity": quantity}
        for t, quantity in enumerate(quantities)
        if quantity
    ]


def branches(
    cell: tuple[str, str, str], stages: Sequence[Sequence[float]], first: int = 1
) -> dict[str, list[Cells]]:
    """Scenarios in which the cell has, month after month, each of the values of its stage, all as
    likely; the first value of each is that of the base.

    `cell`: table, row and column. A path follows the one that is the base from its last other value
    on.
    """
    table, row, column = cell
    scenarios, events = [], []
    paths = [*itertools.product(*(range(len(values)) for values in stages))]
    for path in paths[1:]:
        last = max(t for t, k in enumerate(path) if k)
        parent = (*path[:last], *(0 for _ in path[last:]))
        scenarios.append(
            {
                "scenario": _name(path),
                "probability": 1 / len(paths),
                "follows": _name(parent) if any(parent) else "base",
                "revealed": month(first + last),
            }
        )
        when = month(first + last)
        events.append(
            {
                "scenario": _name(path), "table": table, "row": row, "column": column,
                "from": when, "to": when, "how": "set", "value": stages[last][path[last]],
            }
        )  # fmt: skip
    return {"scenarios": scenarios, "events": events}


def _name(path: Sequence[int]) -> str:
    return "path " + "".join(map(str, path))


INFLOW = ("offers", "inflow", "capacity")


def programs() -> Iterator[Any]:
    yield pytest.param(
        program(
            2,
            offers=[offer("make", 1, to=month(0))],
            outlets=[
                {"outlet": "sell", "material": "ware", "form": "sale", "price": 2, "from": month(1), "capacity": 2}
            ],
            **branches(("outlets", "sell", "capacity"), [[2, 3]]),
        ),
        -2,
        id="FAST quickstart: what is made at 1 is sold at 2, two or three of it",
    )  # fmt: skip
    products = [("first", 0.2, 2.33), ("second", 0.7, 2.54)]  # what each costs, and sells for
    yield pytest.param(
        program(
            3,
            materials=[{"material": name, "shelf_life_months": 2} for name, *_ in products],
            offers=[offer(f"make {name}", cost, material=name) for name, cost, _ in products],
            outlets=[
                {
                    "outlet": f"sell {name}", "material": name, "form": "sale", "price": price,
                    "minimum_age_months": 1, "country": "market",
                }
                for name, _, price in products
            ],
            rules=[
                {
                    "rule": "demand", "of": "outlet_country", "value": "market",
                    "measure": "quantity", "window": "period", "most": 2,
                }
            ],
            **branches(("rules", "demand", "most"), [[2, 10]] * 2),
        ),
        -23.96,
        id="FAST production: two products, made for a market that takes two or ten of them together",
    )  # fmt: skip
    yield pytest.param(
        program(
            2,
            opening_stock=[{"lot": "rain", "material": "ware", "quantity": 6, "made": month(0)}],
            sites=[{"site": "dam", "capacity": 8}],
            offers=[offer("thermal", 5), offer("inflow", 0, capacity=2, **{"from": month(1)})],
            demand=wanted(6, 6),
            **branches(INFLOW, [[2, 10]]),
        ),
        10,
        id="FAST hydro-thermal: six are wanted, two or ten fall as rain",
    )
    yield pytest.param(
        program(
            4,
            opening_stock=[{"lot": "lake", "material": "ware", "quantity": 200, "made": month(0)}],
            sites=[{"site": "dam", "capacity": 200}],
            offers=[
                *(
                    offer(f"thermal {t}", cost, **{"from": month(t), "to": month(t)})
                    for t, cost in ((1, 50), (2, 100), (3, 150))
                ),
                offer("inflow", 0, capacity=0, **{"from": month(1)}),
            ],
            demand=wanted(0, 150, 150, 150),
            **branches(INFLOW, [[0, 50, 100]] * 3),
        ),
        25000 / 3,
        id="SDDP.jl hydro-thermal: three inflows in each of three months",
    )
    yield pytest.param(
        program(
            3,
            material={"holding_cost": 50},
            sites=[{"site": "store", "capacity": 100}],
            offers=[
                offer("production", 100, capacity=200, lot_size=1),
                offer("overtime", 300, lot_size=1),
            ],
            demand=wanted(100, 100, 100),
            **branches(("demand", "*", "quantity"), [[100, 300]] * 2),
        ),
        62500,
        id="Birge and Louveaux, air conditioners: whole ones, 100 or 300 of them",
    )


@pytest.mark.parametrize(("tables", "cost"), [*programs()])
def test_published_optimum(tables: Tables, cost: float) -> None:
    outcome = plan_of(tables)
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(cost, abs=1e-6)
