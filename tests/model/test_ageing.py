"""Ages that nothing distinguishes, in one class: the same optimum as a column for each age, and
lots that bear it out.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.solve import Options, Outcome, solve
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.stock import lot_terms as ages
from stockpile_model.blocks.stock.lot_terms import OpeningLot, classes
from stockpile_model.blocks.targets import Target
from stockpile_model.build import build, check
from stockpile_model.formulation import Formulation
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Site
from tests.support.accept import Case, book, demand, lot, material, month, offer, scenario

FOUR_MONTHS = material(shelf_life_months=4)


def in_classes(*rows: Row, **settings: Any) -> Stockpile:
    return replace(book(*rows, **settings), classes=None)


CLASSES = in_classes(
    lot(10, -1), offer(), offer("other"), FOUR_MONTHS, scenario(known=1), periods=3
)

EXPIRING = {
    "buy[spot,0]": 10,
    **{f"stock[ga,stockpile,0,{n}]": 10 for n in range(3)},
    "expired[ga,stockpile,3]": 10,
}

CASES = [
    Case(
        "cap_staying",
        "what has expired is not there: ten of January are gone after April",
        in_classes(offer(), FOUR_MONTHS, periods=4),
        EXPIRING,
        [{"stock[ga,stockpile,0,3]": 10, "expired[ga,stockpile,3]": 0}],
    ),
    Case(
        "cap_oldest",
        "nothing expires before its time",
        in_classes(offer(), FOUR_MONTHS, periods=4),
        EXPIRING,
        [
            {
                "stock[ga,stockpile,0,2]": 0,
                "expired[ga,stockpile,2]": 10,
                "expired[ga,stockpile,3]": 0,
            }
        ],
    ),
    Case(
        "hold_staying",
        "what is used up in March cannot expire in April, in place of what comes then",
        in_classes(offer(), FOUR_MONTHS, demand(10, 2), periods=4),
        {
            "buy[spot,0]": 10,
            "stock[ga,stockpile,0,0]": 10,
            "stock[ga,stockpile,0,1]": 10,
            "use[ga,,stockpile,0,2]": 10,
            "buy[spot,3]": 10,
            "stock[ga,stockpile,0,3]": 10,
        },
        [{"stock[ga,stockpile,0,3]": 0, "expired[ga,stockpile,3]": 10}],
    ),
    Case(
        "balance_enter",
        "arrivals of several offers are one batch",
        in_classes(lot(0, -3), offer(), offer("other"), FOUR_MONTHS, periods=1),
        {
            "buy[spot,0]": 6,
            "buy[other,0]": 4,
            "enter[ga,stockpile,0,0]": 10,
            "stock[ga,stockpile,0,0]": 10,
        },
        [{"buy[spot,0]": 5}, {"buy[other,0]": 5}],
    ),
    Case(
        "balance_aged",
        "where scenarios part stock is known by its age",
        in_classes(lot(0, -3), offer(), FOUR_MONTHS, demand(5), scenario(known=1)),
        {
            "buy[spot,0]": 15,
            "use[ga,,stockpile,0,0]": 5,
            "stock[ga,stockpile,0,0]": 10,
            "aged[ga,stockpile,0,0,0]": 10,
            "stock[ga,stockpile,0,1]": 10,
            "stock[ga,stockpile,0,2]": 10,
        },
        [{"aged[ga,stockpile,0,0,0]": 12}],
    ),
    Case(
        "cap_aged",
        "a lot is no younger there than it is",
        CLASSES,
        {
            "buy[spot,0]": 10,
            "stock[ga,stockpile,0,0]": 20,
            "aged[ga,stockpile,0,0,0]": 10,
            "aged[ga,stockpile,0,1,0]": 10,
            "enter[ga,stockpile,0,0]": 10,
            "stock[ga,stockpile,0,1]": 20,
            "stock[ga,stockpile,0,2]": 10,
            "expired[ga,stockpile,2]": 10,
            "stock[ga,stockpile,0,3]": 20,
            "stock[ga,stockpile,0,4]": 10,
            "expired[ga,stockpile,4]": 10,
        },
        [
            {"aged[ga,stockpile,0,0,0]": 12, "aged[ga,stockpile,0,1,0]": 8}
            | {
                "stock[ga,stockpile,0,2]": 12,
                "expired[ga,stockpile,2]": 8,
                "stock[ga,stockpile,0,4]": 12,
                "expired[ga,stockpile,4]": 8,
            }
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def solved(stockpile: Stockpile) -> tuple[Formulation, Outcome]:
    formulation = build(stockpile)
    return formulation, solve(formulation.m, Options(gap=0.0))


def drawn(r: random.Random) -> Stockpile:
    """Metal that is bought in too large lots, under contracts that must be taken, early because it
    is cheap, and that costs storage: some of it is left to expire, sooner in one scenario than in
    another.
    """
    life, periods, scenarios = r.randint(4, 6), r.randint(6, 9), r.choice([0, 0, 1, 2, 3])
    rows: list[Row] = [
        material(
            shelf_life_months=life,
            count_life_months=r.choice([0, 0, 1, 2]),
            shortage_cost=r.choice([20.0, 60.0]),
            below_target_cost=r.choice([2.0, 9.0]),
            disposal_cost=r.choice([0.0, 1.0]),
            holding_cost=r.choice([0.0, 0.5, 3.0]),
            price_index="p",
            closing_value=r.choice([0.0, 0.0, 0.5]),
        ),
        Price(date=month(0), values={"p": 10.0}),
        Offer(
            offer="lots",
            supplier="plant",
            material="ga",
            price=r.randint(1, 12),
            capacity=40,
            lot_size=r.choice([5, 11, 17]),
        ),
        Offer(
            offer="spot",
            supplier="plant",
            material="ga",
            price=r.randint(8, 15),
            capacity=r.randint(3, 9),
            lead_time_months=r.randint(0, 2),
        ),
        Outlet(
            outlet="sale",
            material="ga",
            form="sale",
            price=r.randint(1, 6),
            capacity=r.randint(1, 5),
            minimum_life_months=r.choice([0, 0, 2, 3]),
        ),
        Outlet(
            outlet="back",
            material="ga",
            form="exchange",
            yield_=0.75,
            lead_time_months=1,
            cost=1,
            capacity=3,
        ),
    ]
    if r.random() < 0.5:
        rows += [
            Contract(
                contract="offtake",
                supplier="plant",
                material="ga",
                sign_from=month(0),
                sign_to=month(0),
                term_months=periods,
                deliver_from=month(0),
                price_index="p",
                signing_cost=1,
            ),
            Floor(
                contract="offtake",
                level="low",
                floor=r.randint(3, 9),
                annual_quantity=12 * r.randint(1, 6),
            ),
        ]
    if r.random() < 0.5:
        rows += [
            Site(site="here", capacity=r.choice([15.0, 30.0, None]), cost=r.choice([0.0, 1.0])),
            Site(site="there", cost=0.2),
        ]
    where = "there" if any(isinstance(row, Site) for row in rows) else None
    for k in range(r.randint(0, 2)):
        rows.append(
            OpeningLot(
                lot=f"lot_{k}",
                material="ga",
                site=where,
                quantity=r.randint(1, 20),
                made=month(-r.randint(1, life)),
            )
        )
    rows += [
        Demand(material="ga", from_=month(t), quantity=r.randint(0, 8))
        for t in range(periods)
        if r.random() < 0.8
    ]
    if r.random() < 0.5:
        rows.append(
            Target(material="ga", from_=month(r.randint(0, periods - 1)), quantity=r.randint(3, 20))
        )
    for k, known in enumerate(sorted(r.randint(0, periods - 2) for _ in range(scenarios))):
        name, since = f"s{k}", month(known)
        rows += [
            Scenario(
                scenario=name,
                probability=r.choice([0.1, 0.25]),
                follows="s0" if k and r.random() < 0.4 else None,
                revealed=since,
            ),
            Event(
                scenario=name,
                table="demand",
                column="quantity",
                how="scale",
                value=str(r.choice([0, 0.3, 2, 3])),
                from_=since,
            ),
            Event(
                scenario=name,
                table="offers",
                row="spot",
                column="price",
                how="scale",
                value=str(r.choice([0.5, 2])),
                from_=since,
            ),
        ]
    rate = r.choice([0.0, 0.3])
    rows = [_of_some_life(r, row, life) for row in rows]
    return book(
        *(replace(row, line=k + 2) for k, row in enumerate(rows)),
        periods=periods,
        discount_rate=rate,
    )


def _of_some_life(r: random.Random, row: Row, life: int) -> Row:
    """Some metal is received with less life than new metal has, some must be used young."""
    if isinstance(row, (Offer, Contract)) and r.random() < 0.4:
        return replace(row, life_on_receipt_months=r.randint(1, life))
    if isinstance(row, Demand) and r.random() < 0.3:
        return replace(row, minimum_life_months=r.randint(1, life))
    return row


@pytest.mark.parametrize("seed", [*range(11), 21])
def test_classes_have_the_optimum_of_a_column_for_each_age(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ages, "SHORTEST", 2)
    stockpile = drawn(random.Random(seed))
    assert not [problem for problem in check(stockpile) if not problem.warning]
    (by_age, expected), (formulation, found) = (
        solved(stockpile),
        solved(replace(stockpile, classes=None)),
    )
    assert formulation.stockpile.classes
    assert not by_age.stockpile.classes
    assert found.status == expected.status
    if found.objective is not None:
        assert found.objective == pytest.approx(expected.objective, rel=1e-6, abs=1e-6)
        plan = make_plan(formulation, found)
        assert audit(plan.stockpile, as_sheets(plan)).findings == ()


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("aaaaa", [range(5)]),
        ("aaaab", [range(4), range(4, 5)]),
        ("aaabbbb", [*(range(a, a + 1) for a in range(3)), range(3, 7)]),
        ("aabaaa", [range(a, a + 1) for a in range(6)]),
        ("a", [range(1)]),
    ],
)
def test_consecutive_ages_that_are_marked_alike_are_a_class_unless_they_are_few(
    marks: str, expected: list[range]
) -> None:
    assert list(classes(marks)) == expected
