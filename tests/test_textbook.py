"""Textbook cases: the optimum that is printed, or proven by hand, through a workbook as an officer would write it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.solve import Options, solve
from optimiser.workbook.read import read
from stockpile_model.build import build
from tests.support.books import Tables, book
from tests.support.planner import plan_of

Cells = dict[str, Any]


def month(t: int) -> dt.date:
    return dt.date(2027 + t // 12, t % 12 + 1, 1)


def problem(periods: int, material: Cells | None = None, months: int = 1, **tables: Any) -> Tables:
    return {
        "settings": {"start": month(0), "periods": periods, "period_months": months, "mip_gap": 0},
        "materials": [{"material": "ware", **(material or {})}],
        "suppliers": [{"supplier": "maker"}],
        **tables,
    }


def offer(name: str = "maker", price: float = 0, **cells: Any) -> Cells:
    return {"offer": name, "supplier": "maker", "material": "ware", "price": price, **cells}


def wanted(quantities: Sequence[float], months: int = 1) -> list[Cells]:
    return [{"material": "ware", "from": month(t * months), "quantity": quantity} for t, quantity in enumerate(quantities)]


def lot_sizing(demand: Sequence[float], setup: Sequence[float], holding: float, price: float = 0) -> Tables:
    """Dynamic lot sizes: an order of month t costs setup[t]."""
    offers = [offer(f"month {t}", price, order_cost=cost, **{"from": month(t), "to": month(t)}) for t, cost in enumerate(setup)]
    return problem(len(demand), {"holding_cost": holding}, offers=offers, demand=wanted(demand))


def transport(cost: Mapping[str, Sequence[float]], supply: Sequence[float], demand: Sequence[float]) -> Tables:
    """The transportation problem: what each plant makes is limited by a rule, what each place gets is a ware of its own."""
    places = [f"place {k}" for k in range(len(demand))]
    tables = problem(1, demand=[{"material": place, "from": month(0), "quantity": q} for place, q in zip(places, demand, strict=True)])
    lanes = [
        offer(f"{plant} to {place}", c, supplier=plant, material=place)
        for plant in cost
        for place, c in zip(places, cost[plant], strict=True)
    ]
    limits = [
        {"rule": plant, "of": "supplier", "value": plant, "measure": "quantity", "most": q} for plant, q in zip(cost, supply, strict=True)
    ]
    kinds = {"materials": [{"material": place} for place in places], "suppliers": [{"supplier": plant} for plant in cost]}
    return {**tables, **kinds, "offers": lanes, "rules": limits}


WAGNER_WHITIN_DEMAND = [69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56]
WAGNER_WHITIN_SETUP = [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114]

PRINTED: dict[str, tuple[Tables, float]] = {
    # Wagner and Whitin, Management Science 5 (1958), the example of twelve months: 864.
    "Wagner and Whitin": (lot_sizing(WAGNER_WHITIN_DEMAND, WAGNER_WHITIN_SETUP, 1), 864),
    # Hopp and Spearman, Factory Physics, the RoadHog example of Wagner and Whitin's procedure: 580 for set-ups and holding, and 300
    # units at 10 each whatever is done.
    "Factory Physics": (lot_sizing([20, 50, 10, 50, 50, 10, 20, 40, 20, 30], [100] * 10, 1, price=10), 580 + 3000),
    # Silver, Pyke and Peterson, Inventory Management and Production Planning and Scheduling, twelve months of boxes, A = 54,
    # 0.40 a box and month: 501.20 (7 replenishments, 378, and 308 boxes carried a month, 123.20).
    "Silver and Peterson": (lot_sizing([10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41], [54] * 12, 0.4), 501.20),
    # LINDO's PERISHLS, with an age that is kept exactly: a life of 2 periods, 200 an order, cases of 12 at 35 a unit, a lost sale
    # costs its price of 75. Revenue of 75 x 247 = 18,525 less a profit of 8,630.
    "PERISHLS": (
        problem(
            8,
            {"shelf_life_months": 2, "shortage_cost": 75},
            offers=[offer(price=35, order_cost=200, lot_size=12)],
            demand=wanted([33, 21, 63, 32, 13, 17, 53, 15]),
        ),
        75 * 247 - 8630,
    ),
    # Winston, Operations Research, Sailco: 10 boats at the start, 40 a quarter at 400, more at 450, 20 to hold a boat a quarter: 78,450.
    "Sailco": (
        problem(
            4,
            {"holding_cost": 20 / 3},
            months=3,
            offers=[offer("regular", 400, capacity=40), offer("overtime", 450)],
            opening_stock=[{"lot": "boats", "material": "ware", "quantity": 10, "made": dt.date(2026, 12, 31)}],
            demand=wanted([40, 60, 75, 25], months=3),
        ),
        78450,
    ),
    # Hillier and Lieberman, Introduction to Operations Research, Northern Airplane: engines in four months, in millions: 77.30.
    "Northern Airplane": (
        problem(
            4,
            {"holding_cost": 0.015},
            offers=[
                offer(f"month {t}", cost, capacity=most, **{"from": month(t), "to": month(t)})
                for t, (cost, most) in enumerate([(1.08, 25), (1.11, 35), (1.10, 30), (1.13, 10)])
            ],
            demand=wanted([10, 15, 25, 20]),
        ),
        77.30,
    ),
    # Hillier and Lieberman, P & T: truckloads of peas from three canneries to four warehouses: 152,535.
    "P & T": (
        transport(
            {"Bellingham": [464, 513, 654, 867], "Eugene": [352, 416, 690, 791], "Albert Lea": [995, 682, 388, 685]},
            [75, 125, 100],
            [80, 65, 70, 85],
        ),
        152535,
    ),
    # The beer distribution problem of the PuLP case studies: 8,600.
    "beer": (transport({"A": [2, 4, 5, 2, 1], "B": [3, 1, 3, 2, 3]}, [1000, 4000], [500, 900, 1800, 200, 700]), 8600),
    # The Frobenius number of 6, 9 and 20 is 43: of boxes of these sizes 43 cannot be had, 44 = 6 + 2 x 9 + 20 can.
    "boxes of 6, 9 and 20": (
        problem(1, offers=[offer(f"box of {size}", 1, lot_size=size) for size in (6, 9, 20)], demand=wanted([43])),
        44,
    ),
}


def optimum(path: Path, tables: Tables) -> float:
    outcome = solve(build(read(book(path, tables)).stockpile).m, Options(gap=0.0))
    assert outcome.status == "optimal"
    assert outcome.objective is not None
    return outcome.objective


@pytest.mark.parametrize("name", PRINTED)
def test_printed_optimum(name: str, tmp_path: Path) -> None:
    tables, cost = PRINTED[name]
    assert optimum(tmp_path / "book.xlsx", tables) == pytest.approx(cost, abs=1e-6)


# Proven by hand ------------------------------------------------------------------------------------------------------------------

BY_HAND: dict[str, tuple[Tables, float]] = {
    # 10 wanted in each of three months, at 1 each and 12 an order; 0.5 to hold a month. A life of two months, so that no order serves
    # three: two orders, one of them for two months: 30 + 2 x 12 + 10 x 0.5 = 59. (Three orders: 30 + 36.)
    "a shelf life cuts a lot size": (
        problem(3, {"shelf_life_months": 2, "holding_cost": 0.5}, offers=[offer(price=1, order_cost=12)], demand=wanted([10] * 3)),
        30 + 24 + 5,
    ),
    # Without a shelf life one order is best: 30 + 12 + (20 + 10) x 0.5 = 57.
    "and without one it does not": (
        problem(3, {"holding_cost": 0.5}, offers=[offer(price=1, order_cost=12)], demand=wanted([10] * 3)),
        30 + 12 + 15,
    ),
    # 10 in their last month of life and 10 fresh, a life of two months; 8 wanted now and 8 next month. With the old taken first 2 are
    # wasted in each month, at 3; with the fresh taken first 10, and 6 would have to be bought at 100.
    "old stock first": (
        problem(
            2,
            {"shelf_life_months": 2, "disposal_cost": 3},
            offers=[offer(price=100)],
            opening_stock=[
                {"lot": "old", "material": "ware", "quantity": 10, "made": dt.date(2026, 12, 5)},
                {"lot": "new", "material": "ware", "quantity": 10, "made": dt.date(2027, 1, 5)},
            ],
            demand=wanted([8, 8]),
        ),
        4 * 3,
    ),
    # A contract brings up to 10 a month at 6 and is paid for 8 of them; 4 and 10 are wanted, which keep a
    # month and cost 1 to hold; spot costs 9. Signed: 14 used at 6 = 84, and of the 16 to be paid 2 are a deficit: 12. 96 against
    # 14 x 9 = 126 unsigned; taking all 16 would cost as much: 2 more at 6 and no deficit.
    "take or pay": (
        problem(
            2,
            {"shelf_life_months": 2, "holding_cost": 1},
            offers=[offer("spot", 9)],
            contracts=[
                {"contract": "offtake", "supplier": "maker", "material": "ware", "form": "purchase", "sign_to": month(0)}
                | {"take_or_pay": 0.8},
            ],
            floors=[{"contract": "offtake", "level": "only", "floor": 6, "annual_quantity": 120}],
            demand=wanted([4, 10]),
        ),
        96,
    ),
    # Choice of suppliers under minimum orders: 70 wanted. A: 10 each, at least 50; B: 8 each, at least 60, and 100 an order; C: 12 each.
    # A alone 700; B alone 660; B and C: 60 x 8 + 100 + 10 x 12 = 700; A and C: 740; A and B overshoot.
    "suppliers with a minimum": (
        problem(
            1,
            offers=[offer("A", 10, minimum_order=50), offer("B", 8, minimum_order=60, order_cost=100), offer("C", 12)],
            demand=wanted([70]),
        ),
        660,
    ),
    # The warehouse problem: room for 100 at period end, prices 5, 7, 4, 9 at which all is bought and sold. Full at 5, sold at 7, full at
    # 4, sold at 9: 100 x (2 + 5).
    "buy low and sell high": (
        problem(
            4,
            prices=[{"date": month(t), "market": price} for t, price in enumerate([5, 7, 4, 9])],
            sites=[{"site": "warehouse", "capacity": 100}],
            offers=[offer(price_index="market", price=None)],
            outlets=[{"outlet": "market", "material": "ware", "form": "sale", "price_index": "market", "capacity": 100}],
        ),
        -700,
    ),
    # 8 wanted in February at 10 each, and 30 to be spent then: 3. The other 5 are bought with the 55 that expire in January, which also
    # pay for holding them, 1 each.
    "money that expires": (
        {
            **problem(2, {"holding_cost": 1}, offers=[offer(price=10)], demand=wanted([0, 8])),
            "funds": [{"fund": "treasury"}],
            "budgets": [
                {"fund": "treasury", "from": month(0), "expires": month(0), "amount": 55},
                {"fund": "treasury", "from": month(1), "amount": 30},
            ],
        },
        5 * 11 + 30,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_optimum_by_hand(name: str) -> None:
    tables, cost = BY_HAND[name]
    outcome = plan_of(tables)
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(cost, abs=1e-6)


# By the recursion of Wagner and Whitin --------------------------------------------------------------------------------------------


def wagner_whitin(demand: Sequence[int], setup: Sequence[int], holding: int, life: int) -> int:
    """Least cost by the last order: f(t) = min over s of f(s) + order in s + holding of what it brings for s ... t - 1. With equal unit
    prices an optimal order serves whole months and begins with no stock, also where it lasts `life` months."""
    best = [0]
    for t in range(1, len(demand) + 1):
        starts = range(max(0, t - life), t)
        best.append(min(best[s] + setup[s] * any(demand[s:t]) + holding * sum((k - s) * demand[k] for k in range(s, t)) for s in starts))
    return best[-1]


def test_the_recursion_gives_the_printed_optimum() -> None:
    assert wagner_whitin(WAGNER_WHITIN_DEMAND, WAGNER_WHITIN_SETUP, 1, 12) == 864


@settings(derandomize=True, deadline=None, database=None, max_examples=25)
@given(st.data())
def test_lot_sizes_are_those_of_the_recursion(data: st.DataObject) -> None:
    periods = data.draw(st.integers(2, 8))
    demand = data.draw(st.lists(st.integers(0, 60), min_size=periods, max_size=periods))
    setup = data.draw(st.lists(st.integers(10, 90), min_size=periods, max_size=periods))
    holding, life = data.draw(st.integers(0, 2)), data.draw(st.integers(1, periods))
    tables = lot_sizing(demand, setup, holding)
    tables["materials"][0]["shelf_life_months"] = life
    outcome = plan_of(tables)
    assert outcome.objective == pytest.approx(wagner_whitin(demand, setup, holding, life), abs=1e-5)
