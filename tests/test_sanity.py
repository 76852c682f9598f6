"""Sanity without a solver: each warning is given for a workbook and not for its corrected
twin, and what is reported to have no plan has none.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.checks.series import asked_to_hold
from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.targets import required
from tests.support.books import book
from tests.support.planner import plan_of
from tests.support.small_books import small_books
from tests.support.sound import SOUND, START, Tables

ROOT = Path(__file__).parents[1]
NO_PLAN = "no plan exists"
MINE = dt.date(2026, 12, 1)


def month(t: int) -> dt.date:
    return dt.date(2027 + t // 12, t % 12 + 1, 1)


def plain(
    material: dict[str, Any] | None = None, offer: dict[str, Any] | None = None, **tables: Any
) -> Tables:
    """Six months, one offer of 10 a month at 50, demand of 10 a month that must be met."""
    return {
        "settings": {"start": month(0), "periods": 6, "mip_gap": 0},
        "materials": [{"material": "gallium", **(material or {})}],
        "suppliers": [{"supplier": "smelter"}],
        "offers": [
            {
                "offer": "spot",
                "supplier": "smelter",
                "material": "gallium",
                "price": 50,
                "capacity": 10,
                **(offer or {}),
            }
        ],
        "demand": [{"material": "gallium", "from": month(0), "to": month(5), "quantity": 10}],
        **tables,
    }


def target(t: int, quantity: float, hard: str = "yes") -> dict[str, Any]:
    return {"material": "gallium", "from": month(t), "quantity": quantity, "hard": hard}


def graded(capacity: float, four: dict[str, Any] | None = None, **tables: Any) -> Tables:
    """Two grades, 5 a month of 4N at 60 and the rest of a capacity of 6N at 60. 10 a month are asked
    of any; where 4N has other cells, they may stay unmet at 90.
    """
    offers = [
        {"offer": name, "supplier": "smelter", "material": name, "price": 60, "capacity": most}
        for name, most in (("4N", 5), ("6N", capacity - 5))
    ]
    grades = [
        {"material": name, "group": "any", "shortage_cost": 90 if four else None} | (cells or {})
        for name, cells in (("4N", four), ("6N", None))
    ]
    demand = [{**row, "material": "any"} for row in plain()["demand"]] + tables.pop("demand", [])
    return plain(**tables) | {"materials": grades, "offers": offers, "demand": demand}


def offtake(**level: Any) -> Tables:
    contract = {
        "contract": "offtake",
        "supplier": "smelter",
        "material": "gallium",
        "price_index": "market",
    }
    return {
        "prices": [{"date": month(0), "market": 40}, {"date": month(12), "market": 60}],
        "contracts": [contract],
        "floors": [
            {"contract": "offtake", "level": "low", "floor": 45, "annual_quantity": 12, **level}
        ],
    }


def warnings(tables: Tables) -> list[str]:
    with TemporaryDirectory() as folder:
        return [str(fault) for fault in read(book(Path(folder) / "book", tables)).warnings]


# --- Capacity and money: proofs -------------------------------------------------------------------

AT_MOST = "what could arrive at most by then, with the stock at the start"
STOCK = {"lot": "old", "material": "gallium", "quantity": 20, "made": MINE}
PROOFS: dict[str, tuple[Tables, Tables, str]] = {
    "demand above capacity": (
        plain(offer={"capacity": 9}),
        plain(),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-01, so {NO_PLAN}: it is 1 kg"
            f" above {AT_MOST}"
        ),
    ),
    "stock at the start helps for a while": (
        plain(offer={"capacity": 5}, opening_stock=[STOCK]),
        plain(offer={"capacity": 5}, opening_stock=[STOCK | {"quantity": 30}]),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-05, so {NO_PLAN}: it is 5 kg"
            f" above {AT_MOST}"
        ),
    ),
    "stock at the start is too old by then": (
        plain(
            {"shelf_life_months": 3},
            {"capacity": 10, "from": month(4)},
            opening_stock=[STOCK | {"quantity": 50}],
        ),
        plain(
            {"shelf_life_months": 5},
            {"capacity": 10, "from": month(4)},
            opening_stock=[STOCK | {"quantity": 50}],
        ),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-03, so {NO_PLAN}: it is 10 kg"
            f" above {AT_MOST}"
        ),
    ),
    "lead time": (
        plain(offer={"lead_time_months": 2}),
        plain({"shortage_cost": 500}, {"lead_time_months": 2}),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-01, so {NO_PLAN}: it is 10 kg"
            f" above {AT_MOST}"
        ),
    ),
    "supplier that does not ship yet": (
        plain(suppliers=[{"supplier": "smelter", "start": month(1)}]),
        plain(suppliers=[{"supplier": "smelter", "start": month(0)}]),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-01, so {NO_PLAN}: it is 10 kg"
            f" above {AT_MOST}"
        ),
    ),
    "total of an offer": (
        plain(offer={"total": 45}),
        plain(offer={"total": 60}),
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-05, so {NO_PLAN}: it is 5 kg"
            f" above {AT_MOST}"
        ),
    ),
    "stage that is not counted": (
        plain(suppliers=[{"supplier": "smelter", "stage": "announced"}])
        | {"settings": {"start": month(0), "periods": 6, "supply_stages": "operating"}},
        plain(suppliers=[{"supplier": "smelter", "stage": "operating"}])
        | {"settings": {"start": month(0), "periods": 6, "supply_stages": "operating"}},
        (
            f"demand!D2: the demand for gallium cannot be met in 2027-01, so {NO_PLAN}: it is 10 kg"
            f" above {AT_MOST}"
        ),
    ),
    "target above capacity": (
        plain({"shortage_cost": 90}, targets=[target(3, 41)]),
        plain({"shortage_cost": 90}, targets=[target(3, 40)]),
        (
            f"targets!C2: the target for gallium cannot be met in 2027-04, so {NO_PLAN}: it is 1 kg"
            f" above {AT_MOST} and after demand that must be met"
        ),
    ),
    "target above what demand leaves": (
        plain(targets=[target(3, 20)], opening_stock=[STOCK | {"quantity": 19}]),
        plain(targets=[target(3, 20)], opening_stock=[STOCK | {"quantity": 20}]),
        (
            f"targets!C2: the target for gallium cannot be met in 2027-04, so {NO_PLAN}: it is 1 kg"
            f" above {AT_MOST} and after demand that must be met"
        ),
    ),
    "target above what is in spec": (
        plain({"shortage_cost": 90, "shelf_life_months": 3}, targets=[target(3, 30)]),
        plain({"shortage_cost": 90, "shelf_life_months": 4}, targets=[target(3, 30)]),
        (
            f"targets!C2: the target for gallium cannot be met in 2027-04, so {NO_PLAN}: it is 10"
            " kg above what could arrive at most that is still in spec then"
        ),
    ),
    "target above the room": (
        plain(
            {"shortage_cost": 90},
            targets=[target(3, 30)],
            sites=[{"site": "vault", "capacity": 29}],
        ),
        plain(
            {"shortage_cost": 90},
            targets=[target(3, 30)],
            sites=[{"site": "vault", "capacity": 30}],
        ),
        (
            f"targets!C2: the target for gallium cannot be met in 2027-04, so {NO_PLAN}: it is 1 kg"
            " above the capacity of its sites"
        ),
    ),
    "soft target": (
        plain({"shortage_cost": 90, "below_target_cost": 1}, targets=[target(3, 50, "no")]),
        plain({"shortage_cost": 90, "below_target_cost": 1}, targets=[target(3, 40, "no")]),
        (
            "targets!C2: the target for gallium will be missed in 2027-04 by at least 10 kg: it is"
            f" above {AT_MOST} and after demand that must be met"
        ),
    ),
    "demand of a group above what both its grades bring": (
        graded(9),
        graded(10),
        (
            f"demand!D2: the demand for any cannot be met in 2027-01, so {NO_PLAN}: it is 1 kg"
            f" above {AT_MOST}"
        ),
    ),
    "demand of a group after that of its grades": (
        graded(10, demand=[{"material": "6N", "from": month(2), "quantity": 1}]),
        graded(11, demand=[{"material": "6N", "from": month(2), "quantity": 1}]),
        (
            f"demand!D2: the demand for any cannot be met in 2027-03, so {NO_PLAN}: it is 1 kg"
            f" above {AT_MOST}"
        ),
    ),
    "target of a group of which one grade cannot count": (
        graded(10, {"shelf_life_months": 1}, targets=[target(0, 6) | {"material": "any"}]),
        graded(11, {"shelf_life_months": 1}, targets=[target(0, 6) | {"material": "any"}]),
        (
            f"targets!C2: the target for any cannot be met in 2027-01, so {NO_PLAN}: it is 1 kg"
            " above what could arrive at most that is still in spec then"
        ),
    ),
    "target of a group whose grades are refined no more": (
        graded(6, {"shelf_life_months": 2}, targets=[target(2, 9) | {"material": "any"}]),
        graded(
            6,
            {"shelf_life_months": 2},
            targets=[target(2, 9) | {"material": "any"}],
            outlets=[{"outlet": "refine", "material": "4N", "form": "rework", "to_material": "6N"}],
        ),
        (
            f"targets!C2: the target for any cannot be met in 2027-03, so {NO_PLAN}: it is 1 kg"
            " above what could arrive at most that is still in spec then"
        ),
    ),
    "too little money for a group": (
        graded(10, funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 3_599}]),
        graded(10, funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 3_600}]),
        (
            f"budgets!B2: the money for any is too little, so {NO_PLAN}: what must be bought by"
            " 2027-06 costs 3,600 USD at least, at the lowest price of all, and 3,599 USD may be"
            " spent by then"
        ),
    ),
    "too little money": (
        plain(funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 2_999}]),
        plain(funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 3_000}]),
        (
            f"budgets!B2: the money for gallium is too little, so {NO_PLAN}: what must be bought by"
            " 2027-06 costs 3,000 USD at least, at the lowest price of all, and 2,999 USD may be"
            " spent by then"
        ),
    ),
    "money that comes too late": (
        plain(
            funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 9_000, "from": month(1)}]
        ),
        plain(
            funds=[{"fund": "nds"}], budgets=[{"fund": "nds", "amount": 9_000, "from": month(0)}]
        ),
        (
            f"budgets!B2: the money for gallium is too little, so {NO_PLAN}: what must be bought by"
            " 2027-01 costs 500 USD at least, at the lowest price of all, and 0 USD may be spent"
            " by then"
        ),
    ),
    "money for something else": (
        plain(
            funds=[{"fund": "nds", "uses": "storage"}], budgets=[{"fund": "nds", "amount": 9_000}]
        ),
        plain(
            funds=[{"fund": "nds", "uses": "storage, purchase"}],
            budgets=[{"fund": "nds", "amount": 9_000}],
        ),
        (
            f"budgets!B2: the money for gallium is too little, so {NO_PLAN}: what must be bought by"
            " 2027-01 costs 500 USD at least, at the lowest price of all, and 0 USD may be spent"
            " by then"
        ),
    ),
}


@pytest.mark.parametrize("name", PROOFS)
def test_what_cannot_be_is_reported_before_solving(name: str) -> None:
    tables, mended, expected = PROOFS[name]
    assert [line for line in warnings(tables) if "above" in line or "money" in line] == [expected]
    assert [line for line in warnings(mended) if "above" in line or "money" in line] == []
    if NO_PLAN in expected:
        assert plan_of(tables).status == "infeasible"
    assert plan_of(mended).status == "optimal"


def test_a_project_supplies_once_it_is_ready() -> None:
    project = {"project": "plant", "supplier": "smelter", "cost": 100, "ready_lag_months": 2}
    tables = plain(
        offer={"project": "plant"}, projects=[project], opening_stock=[STOCK | {"quantity": 19}]
    )
    assert any(NO_PLAN in line and "in 2027-02" in line for line in warnings(tables))
    assert plan_of(tables).status == "infeasible"
    tables["opening_stock"] = [STOCK]
    assert not any(NO_PLAN in line for line in warnings(tables))
    assert plan_of(tables).status == "optimal"


def test_what_is_exchanged_is_young_again() -> None:
    """An exchange brings no metal, but a lot is never too old for it."""
    tables = plain({"shelf_life_months": 3, "shortage_cost": 90}, targets=[target(3, 30)])
    swap = {"outlet": "swap", "material": "gallium", "form": "exchange"}
    assert any(NO_PLAN in line for line in warnings(tables))
    assert not any(NO_PLAN in line for line in warnings(tables | {"outlets": [swap]}))
    assert plan_of(tables | {"outlets": [swap]}).status == "optimal"


def test_what_is_reported_to_have_no_plan_has_none() -> None:
    told: list[str] = []

    @settings(max_examples=300)
    @given(
        small_books(),
        st.sampled_from(["demand", "targets", "offers", "budgets", "opening_stock", "rules"]),
        st.sampled_from([0, 0.3, 3, 20]),
    )
    def compare(tables: Tables, table: str, factor: float) -> None:
        for row in tables.get(table, []):
            row |= {
                column: row[column] * factor
                for column in ("quantity", "capacity", "total", "amount", "most", "least")
                if row.get(column) is not None
            }
        if table in ("demand", "targets"):
            _asked_without_price(tables)
        with contextlib.suppress(InputError):
            if lines := [line for line in warnings(tables) if NO_PLAN in line]:
                assert plan_of(tables).status == "infeasible", lines
                told.append(lines[0])

    compare()
    assert len(told) > 5


def _asked_without_price(tables: Tables) -> None:
    """Demand must be met and targets are hard."""
    for row in tables["materials"]:
        row.pop("shortage_cost", None)
    for row in tables.get("targets", []):
        row["hard"] = "yes"


# --- Figures that look like a slip ----------------------------------------------------------------

TWO = [
    {"offer": "spot", "supplier": "smelter", "material": "gallium", "price": 50, "capacity": 10},
    {
        "offer": "framework",
        "supplier": "smelter",
        "material": "gallium",
        "price": 45,
        "capacity": 10,
    },
]
ODD: dict[str, tuple[Tables, Callable[[Tables], object], str]] = {
    "price in another unit": (
        plain(offers=deepcopy(TWO)),
        lambda t: t["offers"][1].update(price=45_000),
        (
            "offers!D3: price is 45,000 USD/kg, where other prices of gallium are about 50: another"
            " unit, as per t instead of per kg, or a slip?"
        ),
    ),
    "floor in another unit": (
        plain(offers=deepcopy(TWO), **offtake()),
        lambda t: t["floors"][0].update(floor=0.045),
        (
            "floors!C2: floor is 0.045 USD/kg, where other prices of gallium are about 44.1187:"
            " another unit, as per t instead of per kg, or a slip?"
        ),
    ),
    "floor above every price": (
        plain(offers=deepcopy(TWO), **offtake()),
        lambda t: t["floors"][0].update(floor=450),
        (
            "floors!C2: the floor low of offtake, 450 USD/kg, is above every price of gallium in"
            " the horizon, 50 at most: it is what is always paid; a slip?"
        ),
    ),
    "capacity for no limit": (
        plain(),
        lambda t: t["offers"][0].update(capacity=1e9),
        (
            "offers!E2: capacity is 1,000,000,000 kg, where other quantities of gallium are about"
            " 10: another unit, as per t instead of per kg, or a slip?"
        ),
    ),
    "slip in an index": (
        plain(offers=deepcopy(TWO), **offtake()),
        lambda t: t["prices"][1].update(market=6_000),
        "prices!B3: market goes from 40 in row 2 to 6,000: another unit, or a slip?",
    ),
    "duty in per cent": (
        plain(offer={"duty": 0.025}),
        lambda t: t["offers"][0].update(duty=2.5),
        (
            "offers!F2: duty is 2.5, which is 2.5 times 100 %: shares and rates are fractions, 0.25"
            " is 25 %"
        ),
    ),
    "rate in per cent": (
        plain() | {"settings": {"start": START, "periods": 6, "discount_rate": 0.03}},
        lambda t: t["settings"].update(discount_rate=0.75),
        (
            "settings!B4: discount_rate is 0.75, which is 0.75 times 100 %: shares and rates are"
            " fractions, 0.25 is 25 %"
        ),
    ),
    "storage dearer than metal": (
        plain({"holding_cost": 0.5}),
        lambda t: t["materials"][0].update(holding_cost=51),
        (
            "materials!B2: holding_cost is 51 for a unit and month, above every price of the metal,"
            " 50 at most: a slip?"
        ),
    ),
    "value outside its range": (
        plain(offer={"price_low": 40, "price_high": 60}),
        lambda t: t["offers"][0].update(price=61),
        "offers!D2: price is 61, outside its range, 40 to 60",
    ),
    "outlet outside the horizon": (
        plain(
            outlets=[
                {
                    "outlet": "sale",
                    "material": "gallium",
                    "form": "sale",
                    "price": 30,
                    "from": month(0),
                }
            ]
        ),
        lambda t: t["outlets"][0].update({"from": month(6)}),
        "outlets!A2: sale takes nothing within the horizon: see its dates and lead time",
    ),
    "prices of another time": (
        plain(offers=deepcopy(TWO), **offtake()),
        lambda t: t.update(prices=[{"date": dt.date(2020, 1, 1), "market": 50}]),
        (
            "prices!B2: market has no value after 2020-01-01, long before the horizon: 50 holds"
            " throughout"
        ),
    ),
    "prices that come later": (
        plain(offers=deepcopy(TWO), **offtake()),
        lambda t: t.update(prices=[{"date": dt.date(2031, 1, 1), "market": 50}]),
        "prices!B2: market has no value before 2031-01-01, after the horizon: 50 holds throughout",
    ),
    "grant that nobody pays": (
        plain(
            {"shortage_cost": 90},
            {"project": "plant"},
            projects=[{"project": "plant", "supplier": "smelter", "cost": 100}],
            funds=[{"fund": "nds"}],
            budgets=[{"fund": "nds", "amount": 5_000}],
        ),
        lambda t: t["funds"][0].update(uses="purchase"),
        (
            "projects!A2: the project plant can never go ahead: no appropriation may pay its grant"
            " within its dates; see funds, budgets"
        ),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_a_slip_is_reported_and_its_corrected_twin_is_not(name: str) -> None:
    tables, slip, expected = ODD[name]
    assert warnings(tables) == []
    wrong = deepcopy(tables)
    slip(wrong)
    assert expected in warnings(wrong)


def test_the_figures_of_one_column_are_reported_once() -> None:
    rows = [TWO[0] | {"offer": f"{k}", "price": 50_000 if k < 3 else 50} for k in range(10)]
    told = warnings(plain(offers=rows))
    assert [line for line in told if "price" in line] == [
        "offers!D2: price is 50,000 USD/kg (and 2 more of this column), where other prices of"
        " gallium are about 50: another unit, as per t instead of per kg, or a slip?"
    ]


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(-3, 9), st.integers(0, 50), st.sampled_from(["step", "ramp"])),
        min_size=1,
        max_size=4,
        unique_by=lambda row: row[0],
    )
)
def test_targets_are_read_over_time_as_the_model_reads_them(
    rows: list[tuple[int, int, str]],
) -> None:
    tables = plain(
        targets=[
            target(t, quantity) | {"path": "ramp" if t > 5 else path} for t, quantity, path in rows
        ]
    )
    with TemporaryDirectory() as folder:
        stockpile = read(book(Path(folder) / "book", tables)).stockpile
    (held,) = asked_to_hold(stockpile)
    for period in range(6):
        asked = required(stockpile, period).get(("gallium", ""))
        assert held.quantity[period] == pytest.approx(asked.quantity if asked else 0)
        if asked:
            assert next(row for span, row in held.spans if period in span) is asked.row


# --- Rules that nothing can keep ------------------------------------------------------------------

THREE = [
    {"supplier": name, "country": country}
    for name, country in (("smelter", "FI"), ("refiner", "FR"), ("trader", None))
]


def ruled(*rules: dict[str, Any], **tables: Any) -> Tables:
    """The workbook of `plain` with an offer of each of three suppliers, and rules."""
    offers = [
        {"offer": row["supplier"], "supplier": row["supplier"], "material": "gallium", "price": 50}
        for row in THREE
    ]
    rows = [{"rule": f"r{k}", **row} for k, row in enumerate(rules)]
    return plain(**{"suppliers": THREE, "offers": offers, "rules": rows, **tables})


NOTHING = "nothing can be bought"
MUST = f"{NOTHING}, so {NO_PLAN}: metal must arrive"
LATE = [*THREE[:2], THREE[2] | {"start": month(2)}]
STOCKED = {"opening_stock": [STOCK | {"quantity": 60}]}
SOFT = {"materials": [{"material": "gallium", "shortage_cost": 90}]}
CLASHES: dict[str, tuple[Tables, Tables, str]] = {
    "caps of suppliers": (
        ruled({"of": "supplier", "most": 0.2}),
        ruled({"of": "supplier", "most": 0.34}),
        "rules!C2: the rule r0 lets smelter, refiner, trader bring 20 % each at most, so 3 suppliers make 60 %, not 100 %, and nothing else could ship: "
        f"{MUST}",
    ),
    "caps of suppliers, stock for all": (
        ruled({"of": "supplier", "most": 0.2}, **STOCKED),
        ruled({"of": "supplier", "most": 0.4}, **STOCKED),
        "rules!C2: the rule r0 lets smelter, refiner, trader bring 20 % each at most, so 3 suppliers make 60 %, not 100 %, and nothing else could ship: "
        f"{NOTHING}",
    ),
    "caps of countries, one by one": (
        ruled({"of": "country", "value": "fi", "most": 0.4}, {"of": "country", "value": "FR", "most": 0.5}, suppliers=[
            *THREE[:2], {"supplier": "trader", "country": "FR"}
        ]),
        ruled({"of": "country", "value": "fi", "most": 0.4}, {"of": "country", "value": "FR", "most": 0.6}, suppliers=[
            *THREE[:2], {"supplier": "trader", "country": "FR"}
        ]),
        f"rules!D2: the rule r0 lets FI, FR bring 90 % of the whole together at most, and nothing else could ship: {MUST}",
    ),
    "who ships within the window": (
        ruled({"of": "supplier", "most": 0.4, "window": "period"}, suppliers=LATE),
        ruled({"of": "supplier", "most": 0.5, "window": "period"}, suppliers=LATE),
        "rules!C2: the rule r0 lets smelter, refiner bring 40 % each at most, so 2 suppliers make 80 %, not 100 %, and nothing else could ship: nothing can be "
        f"bought in 2027-01, nor in 1 window more, so {NO_PLAN}: metal must arrive",
    ),
    "least shares": (
        ruled({"of": "supplier", "least": 0.35}),
        ruled({"of": "supplier", "least": 0.3}),
        f"rules!C2: the rule r0 asks for 105 % of the whole together, from smelter, refiner, trader: {MUST}",
    ),
    "a least share of one who ships nothing": (
        ruled({"of": "country", "value": "FI", "least": 0.1}, suppliers=[THREE[0] | {"start": month(9)}, *THREE[1:]], **SOFT),
        ruled({"of": "country", "value": "FI", "least": 0.1}, **SOFT),
        f"rules!D2: the rule r0 asks for 10 % from FI, which could ship nothing: {NOTHING}",
    ),
    "too few members": (
        ruled({"of": "country", "measure": "count", "least": 3}),
        ruled({"of": "country", "measure": "count", "least": 2}),
        f"rules!D2: the rule r0 asks for 3 countries at least, of which only 2 could ship (FI, FR): {MUST}",
    ),
    "so few that their caps are short": (
        ruled({"of": "supplier", "measure": "count", "most": 2}, {"of": "supplier", "most": 0.4}),
        ruled({"of": "supplier", "measure": "count", "most": 3}, {"of": "supplier", "most": 0.4}),
        f"rules!D2: the rule r0 lets 2 members come at most, which may bring 80 % of the whole together: {MUST}",
    ),
    "feedstock": (
        ruled({"of": "foreign_feedstock", "most": 0.4}, suppliers=[row | {"foreign_feedstock": 0.5} for row in THREE]),
        ruled({"of": "foreign_feedstock", "most": 0.5}, suppliers=[row | {"foreign_feedstock": 0.5} for row in THREE]),
        f"rules!C2: the rule r0 allows 40 % of foreign feedstock, and what could ship has 50 % at least: {MUST}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASHES)
def test_rules_that_nothing_can_keep_are_reported_before_solving(name: str) -> None:
    tables, mended, expected = CLASHES[name]
    tables["offers"] = [row | {"capacity": 1000} for row in tables["offers"]]
    mended["offers"] = tables["offers"]
    assert [line for line in warnings(tables) if line.startswith("rules")] == [expected]
    assert warnings(mended) == []
    outcome = plan_of(tables)
    assert outcome.status == ("infeasible" if NO_PLAN in expected else "optimal")
    assert plan_of(mended).status == "optimal"


# --- Money and targets in another unit ------------------------------------------------------------


def funded(amount: float = 30_000, quantity: float = 400, **tables: Any) -> Tables:
    """A soft target of 400 kg and demand of 60 kg, at 50 USD, with money for them."""
    offer = {
        "offer": "spot",
        "supplier": "smelter",
        "material": "gallium",
        "price": 50,
        "capacity": 100,
        "minimum_order": 20,
    }
    base = {
        "funds": [{"fund": "nds"}],
        "budgets": [{"fund": "nds", "amount": amount}],
        "targets": [target(3, quantity, "no")],
    }
    return plain(
        {"shortage_cost": 90, "below_target_cost": 9}, offers=[offer], **{**base, **tables}
    )


UNIT = ": thousands meant, or another unit?"
ASKED = (
    "of the 460 kg of gallium asked for in its window, at the lowest price of all (23,000 USD"
    " together)"
)
SLIPS: dict[str, tuple[Tables, list[str]]] = {
    "money that pays all": (funded(), []),
    "money that pays a part": (funded(600), []),
    "money in millions": (
        funded(0.023),
        [f"budgets!B2: amount is 0.023 USD, which pays 0.00046 kg {ASKED}: millions meant (23,000 USD)?"],
    ),
    "money in thousands": (funded(23), [f"budgets!B2: amount is 23 USD, which pays 0.46 kg {ASKED}: thousands meant (23,000 USD)?"]),
    "money for all that is on hand": (
        funded(23, opening_stock=[STOCK | {"quantity": 500}]),
        [f"budgets!B2: amount is 23 USD, which pays 0.46 kg {ASKED}: thousands meant (23,000 USD)?"],
    ),
    "money to keep what is on hand": (funded(230, opening_stock=[STOCK | {"quantity": 500}]), []),
    "money for storage": (
        funded(funds=[{"fund": "nds"}, {"fund": "keep", "uses": "storage"}], budgets=[
            {"fund": "nds", "amount": 9_000}, {"fund": "keep", "amount": 3}
        ]),
        [],
    ),
    "one year of several": (
        funded(budgets=[{"fund": "nds", "amount": 0.01, "from": month(0)}, {"fund": "nds", "amount": 20_000, "from": month(1)}]),
        [f"budgets!B2: amount is 0.01 USD, which pays 0.0002 kg {ASKED}: millions meant (10,000 USD)?"],
    ),
    "a little more money": (
        funded(budgets=[{"fund": "nds", "amount": 90, "from": month(0)}, {"fund": "nds", "amount": 20_000, "from": month(1)}]),
        [],
    ),
    "a target of hours": (
        funded(quantity=0.2),
        [f"targets!C2: quantity is 0.2 kg, the largest target of gallium, where demand of a month is 10 kg{UNIT}"],
    ),
    "a target below any order": (
        funded(quantity=0.4, demand=[]) | {"demand": []},
        [
            f"targets!C2: quantity is 0.4 kg, the largest target of gallium, where the least that could be ordered is 20 kg{UNIT}"
        ],
    ),
    "a small target": (funded(quantity=4), []),
    "a target beside a stock": (
        funded(quantity=4, opening_stock=[STOCK | {"quantity": 4_000}]),
        [f"targets!C2: quantity is 4 kg, the largest target of gallium, where the stock at the start is 4,000 kg{UNIT}"],
    ),
    "two units in one table": (
        funded(targets=[target(1, 0.3, "no"), target(4, 400, "no")]),
        ["targets!C3: the target for gallium goes from 0.3 kg in row 2 to 400 kg: another unit, or a slip?"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_money_and_targets_in_another_unit(name: str) -> None:
    tables, expected = SLIPS[name]
    assert [
        line
        for line in warnings({k: v for k, v in tables.items() if v})
        if "will be missed" not in line
    ] == expected


IN_QUANTITY = (
    "quantity",
    "capacity",
    "total",
    "minimum_order",
    "lot_size",
    "annual_quantity",
    "from_quantity",
    "output",
)
IN_PRICE = ("price", "adder", "freight", "shortage_cost", "below_target_cost", "holding_cost", "disposal_cost", "handling_in",
            "handling_out", "floor", "ceiling", "upside_trigger", "breakeven_floor", "opex", "call_off_cost")  # fmt: skip


def rescaled(tables: Tables, factor: float) -> Tables:
    """The same workbook in another unit of quantity; prices are per unit."""
    found = deepcopy(dict(tables))
    for name, rows in found.items():
        for row in (
            rows
            if name not in ("settings", "prices", "rules", "events", "suppliers", "funds")
            else ()
        ):
            per_unit = (*IN_PRICE, *(("cost",) if name in ("sites", "outlets") else ()))
            row |= {each: row[each] * factor for each in IN_QUANTITY if row.get(each) is not None}
            row |= {
                each: row[each] / factor
                for each in per_unit
                if isinstance(row.get(each), (int, float))
            }
    return found


@pytest.mark.parametrize("name", [*SLIPS, *CLASHES])
@pytest.mark.parametrize("factor", [2.0**-20, 2.0**20])
def test_warnings_do_not_depend_on_the_unit(name: str, factor: float) -> None:
    tables = {k: v for k, v in (SLIPS.get(name) or CLASHES[name])[0].items() if v}
    assert [line.split(" ")[0] for line in warnings(rescaled(tables, factor))] == [
        line.split(" ")[0] for line in warnings(tables)
    ]


@pytest.mark.parametrize("case", ["gallium", "indium", "portfolio", "small"])
def test_the_worked_examples_are_not_odd(case: str) -> None:
    assert read(ROOT / "inputs" / f"{case}.xlsx").warnings == ()


def test_the_sound_workbook_is_not_odd() -> None:
    assert warnings(SOUND) == []


# --- Projects that wait for themselves ------------------------------------------------------------


def circle() -> Tables:
    return plain(
        {"shortage_cost": 90},
        {"project": "plant"},
        projects=[{"project": "plant", "supplier": "smelter", "cost": 100, "fund": "sales"}],
        funds=[{"fund": "sales", "keeps_receipts": "yes"}, {"fund": "nds", "uses": "purchase"}],
        budgets=[{"fund": "nds", "amount": 5_000}],
        outlets=[
            {
                "outlet": "market",
                "material": "gallium",
                "form": "sale",
                "price": 60,
                "fund": "sales",
                "capacity": 5,
            }
        ],
    )


def errors(tables: Tables) -> list[str]:
    with TemporaryDirectory() as folder, pytest.raises(InputError) as caught:
        read(book(Path(folder) / "book", tables))
    return [str(fault) for fault in caught.value.faults]


def test_a_project_that_waits_for_itself() -> None:
    assert errors(circle()) == [
        "projects!D2: the project plant waits for itself: its grant can only be paid by the"
        " receipts of market, which sell metal that only comes once it has gone ahead; give its"
        " fund an appropriation, or name another fund"
    ]


def test_projects_that_wait_for_each_other() -> None:
    tables = circle()
    tables["materials"].append({"material": "indium", "shortage_cost": 90})
    tables["offers"].append(
        tables["offers"][0] | {"offer": "other", "material": "indium", "project": "second"}
    )
    tables["projects"].append(tables["projects"][0] | {"project": "second", "fund": "more"})
    tables["funds"].append({"fund": "more", "keeps_receipts": "yes"})
    tables["outlets"] = [
        tables["outlets"][0] | {"material": "indium"},
        tables["outlets"][0] | {"outlet": "bazaar", "fund": "more"},
    ]
    assert [line.split(" waits")[0] for line in errors(tables)] == [
        "projects!D2: the project plant",
        "projects!D3: the project second",
    ]


@pytest.mark.parametrize(
    "way_out",
    [
        lambda t: t["budgets"].append({"fund": "sales", "amount": 100}),
        lambda t: t["projects"][0].pop("fund") and t["funds"][1].update(uses="purchase, project"),
        lambda t: t.update(opening_stock=[STOCK]),
        lambda t: t["offers"].append(TWO[1]),
        lambda t: t["projects"][0].update(match=0),
    ],
    ids=["appropriation", "another fund", "stock to sell", "metal from elsewhere", "free"],
)
def test_a_way_out_of_the_circle(way_out: Callable[[Tables], object]) -> None:
    tables = circle()
    way_out(tables)
    assert warnings(tables) == []
