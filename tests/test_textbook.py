"""Textbook cases: the optimum that is printed, or proven by hand, through a workbook as an officer
would write it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.solving.solve import Options, solve
from optimiser.workbook.read.input_reader import read
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
    return [
        {"material": "ware", "from": month(t * months), "quantity": quantity}
        for t, quantity in enumerate(quantities)
    ]


def lot_sizing(
    demand: Sequence[float], setup: Sequence[float], holding: float, price: float = 0
) -> Tables:
    """Dynamic lot sizes: an order of month t costs setup[t]."""
    offers = [
        offer(f"month {t}", price, order_cost=cost, **{"from": month(t), "to": month(t)})
        for t, cost in enumerate(setup)
    ]
    return problem(len(demand), {"holding_cost": holding}, offers=offers, demand=wanted(demand))


def transport(
    cost: Mapping[str, Sequence[float]], supply: Sequence[float], demand: Sequence[float]
) -> Tables:
    """The transportation problem: what each plant makes is limited by a rule, what each place gets
    is a ware of its own.
    """
    places = [f"place {k}" for k in range(len(demand))]
    tables = problem(
        1,
        demand=[
            {"material": place, "from": month(0), "quantity": q}
            for place, q in zip(places, demand, strict=True)
        ],
    )
    lanes = [
        offer(f"{plant} to {place}", c, supplier=plant, material=place)
        for plant in cost
        for place, c in zip(places, cost[plant], strict=True)
    ]
    limits = [
        {"rule": plant, "of": "supplier", "value": plant, "measure": "quantity", "most": q}
        for plant, q in zip(cost, supply, strict=True)
    ]
    kinds = {
        "materials": [{"material": place} for place in places],
        "suppliers": [{"supplier": plant} for plant in cost],
    }
    return {**tables, **kinds, "offers": lanes, "rules": limits}


Breaks = Sequence[tuple[float, float]]


def vendor(
    name: str, price: float, *breaks: tuple[float, float], kind: str = "all_units", **cells: Any
) -> tuple[Cells, list[Cells]]:
    """An offer of a supplier of the same name, with a price from each quantity on."""
    rows = [
        {"offer": name, "from_quantity": quantity, "price": cheaper, "kind": kind}
        for quantity, cheaper in breaks
    ]
    return offer(name, price, supplier=name, **cells), rows


def procurement(quantity: float, *vendors: tuple[Cells, list[Cells]], **tables: Any) -> Tables:
    """One purchase of one ware from vendors with price breaks."""
    return {
        **problem(1, offers=[each for each, _ in vendors], demand=wanted([quantity])),
        "suppliers": [{"supplier": each["supplier"]} for each, _ in vendors],
        "price_breaks": [row for _, rows in vendors for row in rows],
        **tables,
    }


def warehouses(
    fixed: float, capacity: Mapping[str, int], cost: Sequence[Sequence[float]]
) -> Tables:
    """Which warehouses to open, and which serves each store: a warehouse is a project, a store asks
    for one of a ware of its own.
    """
    stores = [f"store {k}" for k in range(len(cost))]
    return {
        **problem(
            1, demand=[{"material": store, "from": month(0), "quantity": 1} for store in stores]
        ),
        "materials": [{"material": store} for store in stores],
        "suppliers": [{"supplier": city} for city in capacity],
        "projects": [{"project": city, "supplier": city, "cost": fixed} for city in capacity],
        "offers": [
            offer(f"{city} to {store}", row[k], supplier=city, material=store, project=city)
            for store, row in zip(stores, cost, strict=True)
            for k, city in enumerate(capacity)
        ],
        "rules": [
            {"rule": city, "of": "supplier", "value": city, "measure": "quantity", "most": most}
            for city, most in capacity.items()
        ],
    }


# What a unit costs from Bonn, Bordeaux, London, Paris and Rome to each of ten stores.
STORES = [
    [20, 24, 11, 25, 30], [28, 27, 82, 83, 74], [74, 97, 71, 96, 70], [2, 55, 73, 69, 61], [46, 96, 59, 83, 4],
    [42, 22, 29, 67, 59], [1, 5, 73, 59, 56], [10, 73, 13, 43, 96], [93, 35, 63, 85, 46], [47, 65, 55, 71, 95],
]  # fmt: skip

WAGNER_WHITIN_DEMAND = [69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56]
WAGNER_WHITIN_SETUP = [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114]

PRINTED: dict[str, tuple[Tables, float]] = {
    # Wagner and Whitin, Management Science 5 (1958), the example of twelve months: 864.
    "Wagner and Whitin": (lot_sizing(WAGNER_WHITIN_DEMAND, WAGNER_WHITIN_SETUP, 1), 864),
    # Hopp and Spearman, Factory Physics, the RoadHog example of Wagner and Whitin's procedure: 580
    # for set-ups and holding, and 300 units at 10 each whatever is done.
    "Factory Physics": (
        lot_sizing([20, 50, 10, 50, 50, 10, 20, 40, 20, 30], [100] * 10, 1, price=10),
        580 + 3000,
    ),
    # Silver, Pyke and Peterson, Inventory Management and Production Planning and Scheduling, twelve
    # months of boxes, A = 54, 0.40 a box and month: 501.20 (7 replenishments, 378, and 308 boxes
    # carried a month, 123.20).
    "Silver and Peterson": (
        lot_sizing([10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41], [54] * 12, 0.4),
        501.20,
    ),
    # LINDO's PERISHLS, with an age that is kept exactly: a life of 2 periods, 200 an order, cases
    # of 12 at 35 a unit, a lost sale costs its price of 75. Revenue of 75 x 247 = 18,525 less a
    # profit of 8,630.
    "PERISHLS": (
        problem(
            8,
            {"shelf_life_months": 2, "shortage_cost": 75},
            offers=[offer(price=35, order_cost=200, lot_size=12)],
            demand=wanted([33, 21, 63, 32, 13, 17, 53, 15]),
        ),
        75 * 247 - 8630,
    ),
    # Winston, Operations Research, Sailco: 10 boats at the start, 40 a quarter at 400, more at 450,
    # 20 to hold a boat a quarter: 78,450.
    "Sailco": (
        problem(
            4,
            {"holding_cost": 20 / 3},
            months=3,
            offers=[offer("regular", 400, capacity=40), offer("overtime", 450)],
            opening_stock=[
                {"lot": "boats", "material": "ware", "quantity": 10, "made": dt.date(2026, 12, 31)}
            ],
            demand=wanted([40, 60, 75, 25], months=3),
        ),
        78450,
    ),
    # The same in the variant of IBM's OPL documentation, Sailco with cheaper extra boats: 350
    # beyond 40 in a quarter. 72,200, with 90 boats in the first quarter and 100 in the third.
    "Sailco with cheaper extra boats": (
        problem(
            4,
            {"holding_cost": 20 / 3},
            months=3,
            offers=[offer("boats", 400)],
            price_breaks=[
                {"offer": "boats", "from_quantity": 40, "price": 350, "kind": "incremental"}
            ],
            opening_stock=[
                {"lot": "boats", "material": "ware", "quantity": 10, "made": dt.date(2026, 12, 31)}
            ],
            demand=wanted([40, 60, 75, 25], months=3),
        ),
        72200,
    ),
    # LINDO's QDISCSUPL: 6,000 from two vendors, one with a price for all units and one for what is
    # beyond a break, of 20,000 each. 7,500 at 5 from the first: 37,500.
    "QDISCSUPL": (
        procurement(
            6000,
            vendor("A", 9, (1000, 8), (2500, 7), (7500, 5), (15000, 3), capacity=20000),
            vendor(
                "B",
                8,
                (1200, 7),
                (3000, 6),
                (7500, 4),
                (14000, 2),
                kind="incremental",
                capacity=20000,
            ),
        ),
        37500,
    ),
    # Van Hentenryck, The OPL Optimization Programming Language, warehouse location (problem 34 of
    # CSPLib): 383.
    "warehouses": (
        warehouses(30, {"Bonn": 1, "Bordeaux": 4, "London": 2, "Paris": 1, "Rome": 3}, STORES),
        383,
    ),
    # Hillier and Lieberman, Introduction to Operations Research, Northern Airplane: engines in four
    # months, in millions: 77.30.
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
    # Hillier and Lieberman, P & T: truckloads of peas from three canneries to four warehouses:
    # 152,535.
    "P & T": (
        transport(
            {
                "Bellingham": [464, 513, 654, 867],
                "Eugene": [352, 416, 690, 791],
                "Albert Lea": [995, 682, 388, 685],
            },
            [75, 125, 100],
            [80, 65, 70, 85],
        ),
        152535,
    ),
    # The beer distribution problem of the PuLP case studies: 8,600.
    "beer": (
        transport(
            {"A": [2, 4, 5, 2, 1], "B": [3, 1, 3, 2, 3]}, [1000, 4000], [500, 900, 1800, 200, 700]
        ),
        8600,
    ),
    # The Frobenius number of 6, 9 and 20 is 43: of boxes of these sizes 43 cannot be had, 44 = 6 +
    # 2 x 9 + 20 can.
    "boxes of 6, 9 and 20": (
        problem(
            1,
            offers=[offer(f"box of {size}", 1, lot_size=size) for size in (6, 9, 20)],
            demand=wanted([43]),
        ),
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


# Proven by hand
# --------------------------------------------------------------------------------------------------

BY_HAND: dict[str, tuple[Tables, float]] = {
    # 10 wanted in each of three months, at 1 each and 12 an order; 0.5 to hold a month. A life of
    # two months, so that no order serves three: two orders, one of them for two months: 30 + 2 x 12
    # + 10 x 0.5 = 59. (Three orders: 30 + 36.)
    "a shelf life cuts a lot size": (
        problem(3, {"shelf_life_months": 2, "holding_cost": 0.5}, offers=[offer(price=1, order_cost=12)], demand=wanted([10] * 3)),
        30 + 24 + 5,
    ),
    # Without a shelf life one order is best: 30 + 12 + (20 + 10) x 0.5 = 57.
    "and without one it does not": (
        problem(3, {"holding_cost": 0.5}, offers=[offer(price=1, order_cost=12)], demand=wanted([10] * 3)),
        30 + 12 + 15,
    ),
    # 10 in their last month of life and 10 fresh, a life of two months; 8 wanted now and 8 next
    # month. With the old taken first 2 are wasted in each month, at 3; with the fresh taken first
    # 10, and 6 would have to be bought at 100.
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
    # A contract brings up to 10 a month at 6 and is paid for 8 of them; 4 and 10 are wanted, which
    # keep a month and cost 1 to hold; spot costs 9. Signed: 14 used at 6 = 84, and of the 16 to be
    # paid 2 are a deficit: 12. 96 against 14 x 9 = 126 unsigned; taking all 16 would cost as much:
    # 2 more at 6 and no deficit.
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
    # Choice of suppliers under minimum orders: 70 wanted. A: 10 each, at least 50; B: 8 each, at
    # least 60, and 100 an order; C: 12 each. A alone 700; B alone 660; B and C: 60 x 8 + 100 + 10 x
    # 12 = 700; A and C: 740; A and B overshoot.
    "suppliers with a minimum": (
        problem(
            1,
            offers=[offer("A", 10, minimum_order=50), offer("B", 8, minimum_order=60, order_cost=100), offer("C", 12)],
            demand=wanted([70]),
        ),
        660,
    ),
    # Ravindran and Warsing, Supply Chain Engineering, an exercise on order allocation: 2,000 units.
    # One supplier asks 100 an order and 10, beyond 300 units 7, for 600 at most; the second 500 an
    # order and 2 for 800; the third 300 an order and 6, beyond 500 units 4, for 1,200. The second
    # and third in full: 500 + 1,600 + 300 + 3,000 + 2,800 = 8,200; any unit of the first instead
    # costs at least 7 more than it saves.
    "order allocation": (
        procurement(
            2000,
            vendor("1", 10, (300, 7), kind="incremental", capacity=600, order_cost=100),
            vendor("2", 2, capacity=800, order_cost=500),
            vendor("3", 6, (500, 4), kind="incremental", capacity=1200, order_cost=300),
        ),
        8200,
    ),
    # The three suppliers of the Xpress Mosel user's guide, 600 items at prices that fall beyond 100
    # and 200, 50 and 250, 100 and 300. With at most 40 %, 35 % and 40 % of each: 240 of the first,
    # 920 + 900 + 280, and the other 360 as 50 at 9, 100 at 11 and 210 at 8.5.
    "price breaks under shares": (
        procurement(
            600,
            vendor("1", 9.2, (100, 9), (200, 7), kind="incremental", capacity=1000),
            vendor("2", 9, (50, 8.5), (250, 8.3), kind="incremental", capacity=2000),
            vendor("3", 11, (100, 8.5), (300, 7.5), kind="incremental", capacity=4000),
            rules=[
                {"rule": name, "of": "supplier", "value": name, "most": most} for name, most in (("1", 0.4), ("2", 0.35), ("3", 0.4))
            ],
        ),
        2100 + 450 + 1100 + 210 * 8.5,
    ),
    # Two buyers want 60 each, at 10 a unit and 8 from 100 on: alone 600 each, together 960.
    "buying together": (
        {
            **procurement(0, vendor("maker", 10, (100, 8), capacity=200)),
            "sites": [{"site": "north", "buyer": "A"}, {"site": "south", "buyer": "B"}],
            "demand": [{"material": "ware", "from": month(0), "quantity": 60, "buyer": buyer} for buyer in "AB"],
        },
        960,
    ),
    # A plant of 1,000 that lives 10 years at 10 %, an annuity of 6.1446, runs at 4 and commits 100
    # a year: it needs 4 + 1,000 / 614.46 = 5.6275. At 5.62 it is not built and the year is bought
    # at 7; at 5.63 it is.
    "a floor below the break-even": (
        problem(
            1,
            months=12,
            offers=[offer("spot", 7)],
            projects=[{"project": "plant", "supplier": "maker", "capex": 1000, "opex": 4, "rate": 0.1, "life_years": 10}],
            contracts=[{"contract": "offtake", "supplier": "maker", "material": "ware", "project": "plant"}],
            floors=[{"contract": "offtake", "level": "only", "floor": 5.62, "annual_quantity": 100}],
            demand=wanted([100], months=12),
        ),
        700,
    ),
    "a floor above it": (
        problem(
            1,
            months=12,
            offers=[offer("spot", 7)],
            projects=[{"project": "plant", "supplier": "maker", "capex": 1000, "opex": 4, "rate": 0.1, "life_years": 10}],
            contracts=[{"contract": "offtake", "supplier": "maker", "material": "ware", "project": "plant"}],
            floors=[{"contract": "offtake", "level": "only", "floor": 5.63, "annual_quantity": 100}],
            demand=wanted([100], months=12),
        ),
        563,
    ),
    # The warehouse problem: room for 100 at period end, prices 5, 7, 4, 9 at which all is bought
    # and sold. Full at 5, sold at 7, full at 4, sold at 9: 100 x (2 + 5).
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
    # 8 wanted in February at 10 each, and 30 to be spent then: 3. The other 5 are bought with the
    # 55 that expire in January, which also pay for holding them, 1 each.
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


# By the recursion of Wagner and Whitin
# --------------------------------------------------------------------------------------------


def wagner_whitin(demand: Sequence[int], setup: Sequence[int], holding: int, life: int) -> int:
    """Least cost by the last order: f(t) = min over s of f(s) + order in s + holding of what it
    brings for s ... t - 1. With equal unit prices an optimal order serves whole months and begins
    with no stock, also where it lasts `life` months.
    """
    best = [0]
    for t in range(1, len(demand) + 1):
        starts = range(max(0, t - life), t)
        best.append(
            min(
                best[s]
                + setup[s] * any(demand[s:t])
                + holding * sum((k - s) * demand[k] for k in range(s, t))
                for s in starts
            )
        )
    return best[-1]


def test_the_recursion_gives_the_printed_optimum() -> None:
    assert wagner_whitin(WAGNER_WHITIN_DEMAND, WAGNER_WHITIN_SETUP, 1, 12) == 864


@settings(max_examples=25)
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


# By the breaks
# --------------------------------------------------------------------------------------------------


def schedule(quantity: float, price: float, breaks: Breaks, kind: str) -> float:
    """What a quantity costs, written out from the list of prices."""
    if kind == "all_units":
        return quantity * next(
            (cheaper for least, cheaper in reversed(breaks) if quantity >= least), price
        )
    ends = [*(least for least, _ in breaks), float("inf")]
    prices, begins = [price, *(cheaper for _, cheaper in breaks)], [0, *ends[:-1]]
    return sum(
        max(0, min(quantity, end) - begin) * rate
        for begin, end, rate in zip(begins, ends, prices, strict=True)
    )


def best_split(quantity: float, vendors: Sequence[tuple[float, Breaks, str, float]]) -> float:
    """The least cost of a quantity from two vendors.

    What either costs is linear between breaks and bends or falls at them, so that one of the two
    orders is nothing, at a break or full, and the other what is missing, or at a break or full too.
    """
    ends = [{0.0, most, *(least for least, _ in breaks)} for _, breaks, _, most in vendors]
    points = [ends[k] | {quantity - end for end in ends[1 - k]} for k in (0, 1)]
    costs = [
        schedule(a, *vendors[0][:3]) + schedule(b, *vendors[1][:3])
        for a in points[0]
        for b in points[1]
        if a + b >= quantity and 0 <= a <= vendors[0][3] and 0 <= b <= vendors[1][3]
    ]
    return min(costs)


def test_the_best_split_gives_the_printed_optimum() -> None:
    first = (9, [(1000, 8), (2500, 7), (7500, 5), (15000, 3)], "all_units", 20000)
    second = (8, [(1200, 7), (3000, 6), (7500, 4), (14000, 2)], "incremental", 20000)
    assert best_split(6000, [first, second]) == 37500


@settings(max_examples=40)
@given(st.data())
def test_vendors_with_price_breaks_are_split_at_the_best_point(data: st.DataObject) -> None:
    vendors = []
    for _ in range(2):
        count = data.draw(st.integers(1, 3))
        quantities = sorted(
            data.draw(st.lists(st.integers(5, 95), min_size=count, max_size=count, unique=True))
        )
        price, *cheaper = sorted(
            data.draw(st.lists(st.integers(1, 20), min_size=count + 1, max_size=count + 1)),
            reverse=True,
        )
        kind = data.draw(st.sampled_from(["all_units", "incremental"]))
        vendors.append((price, list(zip(quantities, cheaper, strict=True)), kind, 100))
    quantity = data.draw(st.integers(1, 180))
    rows = [
        vendor(name, price, *breaks, kind=kind, capacity=most)
        for name, (price, breaks, kind, most) in zip("AB", vendors, strict=True)
    ]
    outcome = plan_of(procurement(quantity, *rows))
    assert outcome.objective == pytest.approx(best_split(quantity, vendors), abs=1e-5)


@pytest.mark.parametrize(("quantity", "periods"), [(12, 4), (10, 2), (7, 3)])
def test_buying_with_linear_impact_is_an_even_split(quantity: int, periods: int) -> None:
    """Bertsimas and Lo (1998): where the price rises linearly with what is bought in a period, what
    costs least is to buy as much in each.

    A unit beyond k in a period costs 10·(1 + 0.02·k), so that q of them cost 10·q + 0.1·q·(q - 1);
    of a quantity that does not divide the rest is one more in some periods.
    """
    steps = [
        {"index": "index", "from_quantity": k, "rise": 0.02 * k} for k in range(1, quantity + 1)
    ]
    outcome = plan_of(
        problem(
            periods,
            prices=[{"date": month(0), "index": 10}],
            offers=[{**offer(), "price": None, "price_index": "index"}],
            supply_curves=steps,
            demand=[{"material": "ware", "from": month(periods - 1), "quantity": quantity}],
        )
    )
    whole, rest = divmod(quantity, periods)
    parts = [whole + 1] * rest + [whole] * (periods - rest)
    cost = sum(10 * part + 0.1 * part * (part - 1) for part in parts)
    assert outcome.objective == pytest.approx(cost)
