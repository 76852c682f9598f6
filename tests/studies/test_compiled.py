"""Programs computed from a build that was traced, against a fresh compilation of each changed
stockpile.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.studies.engine import compiled
from optimiser.studies.engine.compiled import (
    COMPILED,
    MOST_PIECES,
    SPARE,
    TRACED,
    Compiled,
    Piece,
    Programs,
    compile_program,
    trace,
)
from optimiser.studies.engine.evaluate import CaseEvaluator, StudyJob
from optimiser.studies.kinds import Asked
from optimiser.studies.study_sheet.every_input import every_input
from optimiser.studies.study_sheet.study_inputs import Input
from optimiser.studies.study_sheet.study_table import Study
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import check
from stockpile_model.changes import apply, parse
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    book,
    budget,
    contract,
    curve,
    demand,
    event,
    everything,
    everything_uncertain,
    floor,
    fund,
    material,
    month,
    offer,
    outlet,
    price_break,
    prices,
    project,
    scenario,
    target,
)
from tests.support.books import book as written
from tests.support.small_books import small_books


def moving(table: str, row: str, column: str, low: float, high: float, how: str = "set") -> Input:
    return Input(table, row, column, how, low, high)  # type: ignore[arg-type]


def changed(stockpile: Stockpile, moved: Sequence[Input], point: Sequence[Any]) -> Stockpile:
    stockpile = stockpile.anchored()  # as an evaluator does: all cases are in the same units
    for each, value in zip(moved, point, strict=True):
        stockpile = apply(stockpile, replace(each.change(0.0), value=value))
    return stockpile


def piece_at(
    stockpile: Stockpile, moved: Sequence[Input], point: Sequence[float], tail: bool = False
) -> Piece:
    return trace(lambda values: changed(stockpile, moved, values), point, tail)


def rows(program: Program) -> list[tuple[float, float, dict[int, float]]]:
    """The rows that say something: one without entries that is true says nothing.

    The order of entries in a row has no meaning: it is another where a factor is 1, which Pyomo
    leaves out.
    """
    ends = zip(
        program.start,
        program.start[1:],
        program.row_lower.tolist(),
        program.row_upper.tolist(),
        strict=False,
    )
    found = [
        (
            low,
            high,
            dict(zip(program.index[a:b].tolist(), program.value[a:b].tolist(), strict=True)),
        )
        for a, b, low, high in ends
    ]
    return [each for each in found if each[2] or each[0] > 0 or each[1] < 0]


def same(one: Compiled, other: Compiled) -> bool:
    """Whether two programs are one, to the last bit."""
    assert one.labels == other.labels
    names = ("cost", "offset", "lower", "upper", "integer")
    pairs = [(getattr(one.program, name), getattr(other.program, name)) for name in names]
    pairs += [
        (one.shortfall, other.shortfall),
        *(((one.tail, other.tail),) if other.tail is not None else ()),
    ]
    if not all(np.array_equal(a, b) for a, b in pairs):
        return False
    names = ("start", "index", "value", "row_lower", "row_upper")
    alike = one.signature == other.signature  # the quicker way to say the same
    return (
        alike
        and all(
            np.array_equal(getattr(one.program, name), getattr(other.program, name))
            for name in names
        )
    ) or (rows(one.program) == rows(other.program))


def serves(
    stockpile: Stockpile, *moved: Input, draws: int = 6, least: int = 1, tail: bool = False
) -> int:
    """How many of some points the piece of the middle serves, each as a fresh compilation: ends,
    corners and any.
    """
    low, high = np.array([each.low for each in moved]), np.array([each.high for each in moved])
    piece = piece_at(stockpile, moved, ((low + high) / 2).tolist(), tail)
    dice = np.random.default_rng(7)
    shares = [dice.random(len(moved)) for _ in range(draws)] + [
        dice.integers(0, 2, len(moved)).astype(float) for _ in range(draws)
    ]
    found = 0
    for share in shares:
        point = (low + share * (high - low)).tolist()
        program = piece.at(point)
        if program is not None:
            found += 1
            assert same(program, compile_program(changed(stockpile, moved, point), tail)), point
    assert found >= least
    return found


PRICE = moving("offers", "spot", "price", 5, 15)
ALL = 12  # points of `serves`


def test_one_number_moves_its_entries() -> None:
    assert serves(book(offer(), demand(10)), PRICE) == ALL


def test_numbers_that_multiply_each_other() -> None:
    """Price, duty and availability make one coefficient together."""
    stockpile = book(offer(duty=0.1, availability=0.9), demand(10))
    moved = (
        PRICE,
        moving("offers", "spot", "duty", 0, 0.3),
        moving("offers", "spot", "availability", 0.5, 1),
    )
    assert serves(stockpile, *moved, least=8) < ALL, (
        "without a duty there is nothing to pay it with"
    )


def test_a_discount_rate_is_a_power_in_every_entry() -> None:
    assert (
        serves(
            book(offer(), demand(10, 0, 23), periods=24),
            moving("settings", "discount_rate", "value", 0.01, 0.9),
        )
        == ALL
    )


def test_a_price_that_floor_ceiling_trigger_and_cap_cut_off() -> None:
    """Which of them sets the price is part of the expression: one piece serves all."""
    row = contract(
        price_index="market",
        discount=0.05,
        ceiling=9,
        upside_share=0.4,
        upside_trigger=8,
        upside_cap=30,
    )
    stockpile = book(
        row, floor(8, 120), floor(7, 180, "high", escalation=0.1), *prices(10, 6), demand(10, 0, 1)
    )
    moved = (
        moving("prices", "*", "market", 4, 12),
        moving("contracts", "offtake", "discount", 0.01, 0.2),
    )
    cuts = (
        moving("contracts", "offtake", "ceiling", 7, 11),
        moving("contracts", "offtake", "upside_trigger", 5, 11),
    )
    assert (
        serves(stockpile, *moved, *cuts, moving("contracts", "offtake", "upside_cap", 1, 60)) == ALL
    )


def test_a_cfd_pays_below_its_floor() -> None:
    row = contract(form="cfd", price_index="market", upside_share=0.4, upside_trigger=8)
    stockpile = book(
        row, floor(8, 120), *prices(10, 6), offer(), demand(10, 0, 1), fund(), budget(900)
    )
    assert serves(stockpile, moving("prices", "*", "market", 4, 12)) == ALL


def test_a_cost_that_is_spread_over_a_capacity() -> None:
    """Where orders are relaxed the order cost is paid by what is ordered of the capacity: its share
    of a unit is a quotient.
    """
    stockpile = book(offer(order_cost=90, capacity=40), demand(10, 0, 3), periods=4, firm_periods=1)
    moved = (
        moving("offers", "spot", "capacity", 20, 60),
        PRICE,
        moving("offers", "spot", "order_cost", 0.8, 1.2, "scale"),
    )
    assert serves(stockpile, *moved) == ALL


def test_a_bound_that_follows_from_the_data() -> None:
    """An order with a cost and no capacity is bounded by what demand, target, money and outlets
    could ever take.
    """
    rows_ = (
        offer(price=None, price_index="market", order_cost=5),
        *prices(9, 11),
        demand(10, 0, 3),
        target(5, 2),
        fund(),
        budget(900),
    )
    stockpile = book(*rows_, outlet(capacity=7), periods=4)
    moved = moving("prices", "*", "market", 8, 14), moving("demand", "ga", "quantity", 8, 12)
    assert (
        serves(
            stockpile,
            *moved,
            moving("budgets", "nds", "amount", 100, 900),
            moving("targets", "ga", "quantity", 1, 9),
        )
        == ALL
    )


def test_what_a_scenario_does_to_a_studied_cell() -> None:
    rows_ = (
        offer(),
        demand(10, 0, 1),
        scenario(probability=0.3),
        event("offers.price", "scale", 2, 1),
        event("demand.quantity", "add", 3, 1),
    )
    stockpile = book(*rows_, risk_weight=0.4)
    moved = (
        PRICE,
        moving("demand", "ga", "quantity", 8, 12),
        moving("scenarios", "war", "probability", 0.1, 0.6),
    )
    assert serves(stockpile, *moved) == ALL
    assert serves(stockpile, *moved, tail=True) == ALL


def test_a_break_even_that_decides_which_floor_carries_a_plant() -> None:
    """Which signatures carry it is structure: a piece serves the cases in which they are the same,
    and says of no other what it is.
    """
    rows_ = (
        project(capex=3000, life_years=10, opex=5),
        contract(project="plant 2"),
        floor(8, 120),
        floor(9, 60, "high"),
    )
    moved = (
        moving("projects", "plant 2", "capex", 1000, 6000),
        moving("floors", "offtake/low", "floor", 7, 9),
    )
    assert 0 < serves(book(*rows_, offer(), demand(10, 0, 1)), *moved) < ALL


def test_an_order_of_breaks_by_price_is_part_of_a_piece() -> None:
    stockpile = book(
        offer(minimum_order=3), price_break(10, 8), price_break(20, 7), demand(10, 0, 1)
    )
    moved = (
        moving("price_breaks", "spot", "price", 6, 12),
        moving("price_breaks", "spot", "from_quantity", 0.5, 1.5, "scale"),
    )
    assert 0 < serves(stockpile, *moved, PRICE) < ALL


def test_a_rise_that_moves_with_its_index_is_part_of_a_piece() -> None:
    rows_ = (offer("spot", None, price_index="market"), curve(5, 0.1), curve(10, 0.3))
    stockpile = book(
        *rows_,
        *prices(10, 12),
        demand(12, 0, 1),
        scenario(known=1),
        event("demand.quantity", "add", 3, 1),
    )
    moved = (
        moving("supply_curves", "market/5", "rise", 0, 0.3),
        moving("supply_curves", "market/10", "rise", 0.3, 0.9),
        moving("prices", "*", "market", 0.5, 2, "scale"),
    )
    assert serves(stockpile, *moved) == ALL


@pytest.mark.parametrize("make", [everything, everything_uncertain])
def test_books_that_use_everything(make: Any) -> None:
    stockpile = make()
    cells = [
        ("materials", "below_target_cost"),
        ("outlets", "price"),
        ("sites", "cost"),
        ("offers", "*"),
        ("demand", "quantity"),
    ]
    moved = [moving(table, "*", column, 0.97, 1.03, "scale") for table, column in cells]
    piece = piece_at(stockpile, moved[:3] + moved[4:], [1.0] * 4)
    for point in ([0.97, 1.03, 1.01, 0.98], [1.02, 0.99, 0.97, 1.03]):
        found = piece.at(point)
        assert found is None or same(
            found, compile_program(changed(stockpile, moved[:3] + moved[4:], point))
        )


def drawn(tables: Any, dice: random.Random) -> tuple[Stockpile, list[Input]]:
    """A random book and some of its numbers, to be moved from half to twice."""
    with TemporaryDirectory() as folder:
        stockpile = read(written(Path(folder) / "book", tables)).stockpile
    every = [each for each in every_input(stockpile) if each.table != "settings"]
    chosen = dice.sample(every, min(len(every), 4))
    wide = [moving(each.table, each.row, each.column, 0.5, 2.0, "scale") for each in chosen]
    return stockpile, wide + [moving("prices", "*", "*", 0.5, 2.0, "scale")] * (
        stockpile.given(Price) and dice.random() < 0.8
    )


@settings(max_examples=8)
@given(small_books(), st.randoms(use_true_random=False))
def test_any_book_and_any_numbers(tables: Any, dice: random.Random) -> None:
    """Whatever served a case, it is what a fresh compilation of that case says."""
    stockpile, moved = drawn(tables, dice)
    programs = Programs()
    for _ in range(5):
        point = [dice.choice([0.5, 1.0, 2.0, dice.uniform(0.5, 2.0)]) for _ in moved]
        try:
            case = changed(stockpile, moved, point)
        except ValueError:
            continue
        if all(problem.warning for problem in check(case)):
            found, _, _ = programs.of("", point, lambda values: changed(stockpile, moved, values))
            assert same(found, compile_program(case)), (moved, point)


# --- The programs of a study ----------------------------------------------------------------------


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many times a model is built and compiled, in its only entry."""
    count = [0]
    build = compiled.build

    def counted(stockpile: Stockpile) -> Any:
        count[0] += 1
        return build(stockpile)

    monkeypatch.setattr(compiled, "build", counted)
    return count


def test_one_build_serves_a_study(compilations: list[int]) -> None:
    stockpile, programs = book(offer(), demand(10)), Programs()
    for price in np.linspace(5, 15, 30).tolist():
        found, made, why = programs.of(
            "", [price], lambda values: changed(stockpile, [PRICE], values)
        )
        assert (made, why) == (TRACED, "")
        assert found.program.cost.max() == pytest.approx(
            price * found.scale.quantity / found.scale.money
        )
    assert compilations == [1]


def test_a_lead_time_is_held_and_the_price_next_to_it_traced(compilations: list[int]) -> None:
    """Whole periods decide which columns there are: the cases with one lead time share a piece."""
    stockpile, programs = book(offer(), demand(10, 2), periods=4), Programs()
    moved = PRICE, moving("offers", "spot", "lead_time_months", 0, 2)
    for months in (0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0):
        for price in (6.0, 9.0, 12.0):
            point = [price, months]
            found, made, _ = programs.of(
                "", point, lambda values: changed(stockpile, moved, values)
            )
            assert made == TRACED
            assert same(found, compile_program(changed(stockpile, moved, point)))
    assert compilations[0] - 21 <= 3 + 1, (
        "one for each lead time, one that found it cannot be traced"
    )


def test_what_cannot_be_traced_is_noticed_at_once(compilations: list[int]) -> None:
    """A life in months that is no other twice: each case is compiled, and says why, after few
    builds in vain.
    """
    stockpile, programs = (
        book(material(shelf_life_months=40), offer(), demand(10), periods=48),
        Programs(),
    )
    moved = [moving("materials", "ga", "shelf_life_months", 4, 40)]
    ways = [
        programs.of("", [float(months)], lambda values: changed(stockpile, moved, values))[1:]
        for months in range(4, 24)
    ]
    assert compilations[0] <= len(ways) + 1
    assert ways[-1][0] == COMPILED
    assert "cannot be traced" in ways[-1][1]


def test_pieces_that_serve_nobody_are_made_no_more(compilations: list[int]) -> None:
    """Each case has a plant with another set of carriers: after a few pieces the cases are
    compiled, and say so.
    """
    levels = [floor(8 + k / 10, 120, f"l{k}") for k in range(20)]
    stockpile, programs = (
        book(
            project(breakeven_floor=8),
            contract(project="plant 2"),
            *levels,
            offer(),
            demand(10, 0, 1),
        ),
        Programs(),
    )
    moved = [moving("projects", "plant 2", "breakeven_floor", 8, 10)]
    ways = [
        programs.of("", [8.05 + k / 10], lambda values: changed(stockpile, moved, values))[1]
        for k in range(15)
    ]
    assert ways == [TRACED] * (SPARE + 1) + [COMPILED] * (14 - SPARE)
    assert compilations == [15]
    said = programs.of("", [9.85], lambda values: changed(stockpile, moved, values))[2]
    assert said == f"compiled: {SPARE + 1} pieces of the program served 0 other runs"
    assert programs.of("", [8.06], lambda values: changed(stockpile, moved, values))[1] == TRACED, (
        "what is known still serves"
    )


def test_pieces_are_kept_few(compilations: list[int]) -> None:
    programs = Programs()
    for k in range(MOST_PIECES + 3):
        programs.of(k, [], lambda _: book(offer(), demand(10)))
    assert len(programs.pieces) == MOST_PIECES


def test_a_model_that_cannot_be_built_is_reported_as_it_is() -> None:
    def fail(_: object) -> Stockpile:
        raise ZeroDivisionError("nothing by nothing")

    with pytest.raises(ZeroDivisionError):
        Programs().of("", [1.0], fail)


# --- Samples --------------------------------------------------------------------------------------

BOTH = (
    *(
        ("prices", "*", "*"),
        ("demand", "*", "quantity"),
        ("contracts", "*", "discount"),
        ("outlets", "*", "price_factor"),
    ),
    *(("budgets", "*", "amount"), ("materials", "*", "below_target_cost")),
)
# Of portfolio a capacity decides which price breaks an order can reach: that is structure.
SAMPLES = {
    "gallium": (
        *BOTH,
        ("contracts", "*", "upside_trigger"),
        ("offers", "*", "capacity"),
        ("floors", "*", "annual_quantity"),
    ),
    "portfolio": BOTH,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_moved_by_a_tenth(name: str) -> None:
    """Prices with floors, triggers, caps and discounts together, at a corner and within: the piece
    of the middle serves them all. Of portfolio it ends where a floor that binds after the horizon
    meets the market. What a month may bring jumps where call-offs are in lots: gallium has none here.
    """
    changes = [parse("contracts[*].call_off_lot =")] if name == "gallium" else []
    stockpile = read(f"inputs/{name}", changes).stockpile
    tables = {
        kind: each for kind, each in stockpile.tables.items() if kind not in (Scenario, Event)
    }
    moved = [moving(*cell, 0.9, 1.1, "scale") for cell in SAMPLES[name]]
    least = 2 if name == "gallium" else 1
    serves(replace(stockpile, tables=tables), *moved, draws=1, least=least)


# --- A kink that no input alone reaches -----------------------------------------------------------

KINK = book(
    *(
        contract(price_index="market", deliver_from=month(2), term_months=1, signing_cost=10),
        floor(126, 1200),
    ),
    *(
        Price(date=dt.date(2027, 2, 1), values={"market": 100.0}),
        Price(date=dt.date(2027, 3, 29), values={"market": 100.0}),
    ),
    *(offer(price=500, order_cost=20), demand(100, 2), material(shelf_life_months=3)),
    periods=4,
)
ENDS = tuple(moving("prices", day, "market", 50, 150) for day in ("2027-02-01", "2027-03-29"))


def test_two_prices_whose_mean_crosses_a_floor() -> None:
    """Each alone stays below the floor: the metal costs 126.

    Where their mean is above, it costs that: 100·max(126, (a+b)/2) + 10.
    """
    asked = Asked(Study(study="mc", kind="monte_carlo"), ENDS, KINK, 0.0)
    evaluator = CaseEvaluator(StudyJob(KINK, Options(gap=0.0, time_limit=60, threads=1)))
    dice = np.random.default_rng(1)
    above = 0
    for one, other in [
        *dice.uniform(50, 150, (60, 2)).tolist(),
        *((a, b) for a in (50.0, 126.0, 150.0) for b in (102.0, 126.0, 150.0)),
    ]:
        result, _ = evaluator.run(asked.case(one, other))
        assert result.objective == pytest.approx(100 * max(126, (one + other) / 2) + 10, rel=1e-9)
        assert result.bound == pytest.approx(result.objective)
        assert TRACED in result.how
        above += one + other > 252
    assert above >= 5


def test_columns_of_an_upside_stay_when_the_reference_crosses_the_trigger() -> None:
    """So do those of a top-up when it crosses the floor: bases and plans of one case serve the
    next.
    """
    row = contract(price_index="market", upside_share=0.4, upside_trigger=10, upside_cap=30)
    cash = contract("cash", form="cfd", price_index="market", upside_share=0.4, upside_trigger=11)
    stockpile = book(
        row,
        cash,
        floor(8, 120),
        floor(10, 60, name="cash"),
        *prices(9, 9),
        demand(10, 0, 1),
        fund(),
        budget(900),
    )
    signatures = {
        compile_program(changed(stockpile, [moving("prices", "*", "market", 0, 1)], [at])).signature
        for at in (7.0, 10.0, 12.0)
    }
    assert len(signatures) == 1
