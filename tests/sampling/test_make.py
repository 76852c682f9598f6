"""From a workbook's rows to scenarios: what is sampled of what, as which events, and the loss
that is reported to the officer.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimiser.scenarios.sampling import uncertainty
from optimiser.scenarios.sampling.defaults import CITED, DEFAULTS
from optimiser.scenarios.sampling.draw import SamplingOptions, draw
from optimiser.scenarios.sampling.make import Made, features, make, moments
from optimiser.scenarios.sampling.uncertainty import PriceHistory, Uncertainty
from optimiser.system.errors import InputError, StockpileError
from stockpile_model import block
from stockpile_model.block import Block, Way
from stockpile_model.build import check
from stockpile_model.scenarios import Event, Scenario, unfold
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    book,
    contract,
    demand,
    floor,
    material,
    month,
    offer,
    prices,
    supplier,
)

SOME = SamplingOptions(samples=400, keep=5, seed=3)


def uncertain(name: str = "path", kind: str = "price", **cells: Any) -> Uncertainty:
    default: dict[str, Any] = {"volatility": 0.4, "reversion": 1.0} if kind == "price" else {}
    return Uncertainty(**{"name": name, "kind": kind} | default | cells)


def rich(*rows: Row, periods: int = 36, **settings: Any) -> Stockpile:
    """Two plants, one of them yet to come, and an index with a date in every half year."""
    dates = [
        Price(date=month(6 * k), values={"market": 100.0 + 10 * k, "home": 50.0})
        for k in range(max(1, periods // 6))
    ]
    return book(
        material(shortage_cost=1000.0),
        supplier("plant", country="Greece"),
        supplier("mill", country="China", stage="building", start=month(20)),
        offer(price=None, price_index="market", capacity=10.0),
        offer("mill_spot", supplier="mill", price=9.0, capacity=20.0),
        contract(supplier="mill", price_index="market", deliver_from=month(24)),
        floor(8.0, 120.0),
        demand(5.0, 0, periods - 1),
        *dates,
        *rows,
        periods=periods,
        **settings,
    )


def faults(stockpile: Stockpile) -> list[str]:
    return [
        f"{each.column}: {each.message}"
        for each in uncertainty.check(stockpile)
        if not each.warning
    ]


def events(made: Made, table: str) -> list[Event]:
    return [row for row in made.stockpile.rows(Event) if row.table == table]


# --- Prices ---------------------------------------------------------------------------------------


def test_without_jumps_the_mean_of_the_samples_is_the_path_of_the_workbook() -> None:
    stockpile = rich(uncertain(value="market"))
    found = draw(stockpile, replace(SOME, samples=4000))
    assert [*found.prices] == ["market"]
    for d, day in enumerate(found.dates):
        values, base = found.prices["market"][:, d], stockpile.price_on("market", day)
        assert abs(values.mean() - base) < 4 * values.std() / math.sqrt(4000)


def test_a_price_returns_to_its_level_and_a_jump_lasts_as_long_as_its_embargo() -> None:
    rows = (
        uncertain(
            value="market",
            volatility=0.0,
            level=300.0,
            reversion=2.0,
            jump_factor=2.0,
            jumps_with="ban",
        ),
        uncertain("ban", "embargo", value="China", per_year=1.0, duration_months=6.0),
    )
    found = draw(rich(*rows), SOME)
    calm = ~found.embargoes["ban"].any(axis=1)
    assert calm.any()
    for d, day in enumerate(found.dates):
        left = math.exp(-2.0 * (day - month(9)).days / 365.25)
        expected = 300 * (rich().price_on("market", month(9)) / 300) ** left
        assert found.prices["market"][calm, d] == pytest.approx(expected, rel=1e-3)
    calendar = rich().calendar
    for d, day in enumerate(found.dates):
        on = found.embargoes["ban"][:, calendar.period(day)]
        assert found.prices["market"][on, d] == pytest.approx(
            2 * found.prices["market"][calm, d][0], rel=1e-3
        )
        assert found.prices["market"][~on, d] == pytest.approx(
            found.prices["market"][calm, d][0], rel=1e-3
        )


def test_a_jump_of_its_own_without_a_duration_stays() -> None:
    found = draw(
        rich(uncertain(value="market", volatility=0.0, per_year=0.5, jump_factor=3.0)), SOME
    )
    up = found.prices["market"] > 2 * np.array(
        [rich().price_on("market", day) for day in found.dates]
    )
    assert 0 < up[:, -1].mean() < 1
    assert (np.diff(up.astype(int), axis=1) >= 0).all()


def test_indices_are_correlated_along_the_rows_that_lead_from_one_to_the_other() -> None:
    rows = (
        uncertain("a", value="market", correlates_with="c", correlation=0.8),
        uncertain("b", value="home", correlates_with="c", correlation=-0.5),
        uncertain("c", value="third"),
    )
    stockpile = rich(*rows)
    more = tuple(
        replace(row, values={**row.values, "third": 10.0}) for row in stockpile.rows(Price)
    )
    found = draw(replace(stockpile, tables={**stockpile.tables, Price: more}), SOME)
    names = [each.index for each in found.processes]
    expected = {("market", "third"): 0.8, ("home", "third"): -0.5, ("home", "market"): -0.4}
    for (a, b), value in expected.items():
        assert found.correlation[names.index(a), names.index(b)] == pytest.approx(value)


def test_paths_stand_on_the_dates_of_the_workbook_where_these_are_enough() -> None:
    made = make(rich(uncertain(value="market")), SOME)
    assert made.samples.added == ()
    assert made.samples.dates == tuple(month(t) for t in (12, 18, 24, 30))
    assert {row.row for row in events(made, "prices")} == {f"{month(t)}" for t in (12, 18, 24, 30)}


def test_too_few_dates_are_filled_up_and_change_nothing_by_themselves() -> None:
    stockpile = book(
        *prices(7.0),
        offer(price=None, price_index="market"),
        material(shortage_cost=99.0),
        demand(1.0, 0, 23),
        Price(date=month(18), values={"market": 16.0}),
        Price(date=month(40), values={"market": 3.0}),
        uncertain(),
        periods=24,
    )
    made = make(stockpile, SOME)
    assert (
        made.samples.revealed == 9
    )  # October 2027: the first fiscal year that begins within the horizon
    assert made.samples.added == tuple(month(t) for t in (9, 12, 15, 21, 23))
    assert made.samples.dates == tuple(month(t) for t in (12, 15, 18, 21, 23))
    for days in range(0, 3000, 7):
        day = month(0) + dt.timedelta(days=days)
        assert made.stockpile.price_on("market", day) == pytest.approx(
            stockpile.price_on("market", day)
        )


def test_a_history_calibrates_and_too_short_a_one_does_not() -> None:
    rng = np.random.default_rng(2)
    steps = rng.normal(size=(60, 2)) @ np.linalg.cholesky(np.array([[1, 0.6], [0.6, 1]])).T * 0.1
    path = np.exp(5 + np.cumsum(steps, axis=0))
    long_ = [
        PriceHistory(date=month(k - 70), values={"market": p, "home": q})
        for k, (p, q) in enumerate(path.tolist())
    ]
    rows = (
        uncertain(value="market", volatility=None, process="geometric"),
        uncertain("other", value="home", process="geometric"),
    )
    found = draw(rich(*rows, *long_), SOME)
    market, home = found.processes
    assert market.volatility == pytest.approx(0.1 * 12**0.5, rel=0.3)
    assert (market.reversion, home.reversion) == (0, 0)
    assert market.origin == f"price_history, 60 points, {month(-70)} to {month(-11)}"
    assert found.correlation[0, 1] == pytest.approx(0.6, abs=0.25)
    assert found.notes == ()
    short = draw(rich(uncertain(volatility=0.33), *long_[:11]), SOME)
    assert [each.volatility for each in short.processes] == [0.33, 0.33]
    assert (
        short.notes[0]
        == "price_history holds 11 points, fewer than 12, of market: the parameters of uncertainty"
        " (path) are used"
    )
    with pytest.raises(
        InputError, match=r"volatility is required: price_history has too few points of market"
    ):
        draw(rich(uncertain(value="market", volatility=None), *long_[:11]), SOME)


# --- Supply ---------------------------------------------------------------------------------------


def test_a_delay_moves_the_start_of_plants_that_do_not_ship_yet() -> None:
    late = uncertain(
        "late",
        "delay",
        of="stage",
        value="building",
        delay_months=6.0,
        ranges={"delay_months": (0.0, 12.0)},
    )
    made = make(rich(late), SOME)
    assert [*made.samples.delays] == ["mill"]
    found = events(made, "suppliers")
    assert {(row.row, row.column, row.how) for row in found} == {("mill", "start", "add")}
    assert all(0 < int(str(row.value)) <= 12 for row in found)


def test_a_plant_that_ships_before_the_scenarios_part_is_late_no_more() -> None:
    late = uncertain("late", "delay", of="stage", value="building", delay_months=6.0)
    with pytest.raises(InputError, match="names nothing that can differ"):
        draw(rich(late), replace(SOME, revealed=month(20)))


def test_an_embargo_stops_every_way_that_a_block_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of its own says that metal of the mill also comes by the offer `spot`."""
    own = Block(ways=lambda _, supplier: [Way("offers", "spot", None)] * (supplier == "mill"))
    monkeypatch.setattr(block, "BLOCKS", [*block.blocks(), own])
    ban = uncertain("ban", "embargo", value="China", per_year=0.5, duration_months=6.0)
    stopped = {(row.table, row.row) for row in make(rich(ban), SOME).stockpile.rows(Event)}
    assert stopped == {("offers", "spot"), ("offers", "mill_spot"), ("contracts", "offtake")}


def test_an_outage_stops_what_comes_from_a_plant_and_an_embargo_all_plants_of_a_country() -> None:
    rows = (
        uncertain(
            "fire", "outage", of="supplier", value="plant", per_year=1.0, duration_months=3.0
        ),
        uncertain("ban", "embargo", value="China", per_year=0.5, duration_months=6.0),
    )
    made = make(rich(*rows), SOME)
    stopped = {(row.table, row.row) for row in made.stockpile.rows(Event)}
    assert stopped == {("offers", "spot"), ("offers", "mill_spot"), ("contracts", "offtake")}
    assert {(row.column, row.how, row.value) for row in made.stockpile.rows(Event)} == {
        ("availability", "set", "0")
    }
    for row in made.stockpile.rows(Event):
        assert row.from_ is not None
        assert row.to is not None
        assert row.from_ >= month(9)
        assert row.from_.day == 1
        assert (row.to + dt.timedelta(days=1)).day == 1
    bans = [(row.scenario, row.from_, row.to) for row in events(made, "contracts")]
    assert bans == [
        (row.scenario, row.from_, row.to)
        for row in events(made, "offers")
        if row.row == "mill_spot"
    ]


def test_the_row_that_names_a_plant_most_precisely_speaks_of_it() -> None:
    rows = [
        uncertain("all", "outage", per_year=0.1, duration_months=1.0),
        uncertain(
            "stage", "outage", of="stage", value="Building", per_year=0.1, duration_months=1.0
        ),
        uncertain("land", "outage", of="country", value="china", per_year=0.1, duration_months=1.0),
    ]
    assert {
        name: row.name for name, row in uncertainty.suppliers(rich(*rows), "outage").items()
    } == {
        "plant": "all",
        "mill": "land",
    }
    own = uncertain("own", "outage", value="mill", per_year=0.1, duration_months=1.0)
    assert uncertainty.suppliers(rich(*rows, own), "outage")["mill"].name == "own"


# --- Rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["forward", "kmedoids"])
def test_the_scenarios_pass_the_check_and_have_all_probability(method: Any) -> None:
    made = make(rich(), replace(SOME, method=method))
    assert made.defaults
    found = made.stockpile.rows(Scenario)
    assert [row.scenario for row in found] == ["s01", "s02", "s03", "s04", "s05"]
    assert sum(row.probability for row in found) == pytest.approx(1)
    assert {row.revealed for row in found} == {month(9)}
    assert [each for each in check(made.stockpile) if not each.warning] == []
    tree = unfold(made.stockpile)
    assert sorted(tree.scenarios) == [row.scenario for row in found]
    assert len(tree.tree.at[8]) == 1
    assert len(tree.tree.at[9]) == 5


def test_a_scenario_is_one_of_the_samples() -> None:
    made = make(rich(), SOME)
    unfolded = unfold(made.stockpile)
    for name, k in zip(made.names, made.reduction.kept.tolist(), strict=True):
        at = unfolded.at(unfolded.scenarios[name])
        for index, paths in made.samples.prices.items():
            assert [at.price_on(index, day) for day in made.samples.dates] == paths[k].tolist()


def test_all_samples_kept_lose_nothing() -> None:
    made = make(rich(), SamplingOptions(samples=30, keep=30))
    assert made.reduction.relative == 0
    for each in made.prices:
        assert each.after == pytest.approx(each.before)
    for loss in made.supply:
        assert loss.after == pytest.approx(loss.before)


def test_the_same_seed_makes_the_same_and_another_makes_others() -> None:
    first, again, other = (
        make(rich(), replace(SOME, seed=seed)).stockpile.rows(Event) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_one_more_thing_that_is_uncertain_leaves_the_others_as_they_were() -> None:
    ban = uncertain("ban", "embargo", value="China", per_year=0.5, duration_months=6.0)
    alone, both = (
        draw(rich(ban), SOME),
        draw(rich(ban, uncertain("x", "outage", per_year=0.2, duration_months=2.0)), SOME),
    )
    assert (alone.embargoes["ban"] == both.embargoes["ban"]).all()


def test_prices_supply_and_embargoes_weigh_the_same_in_the_distance() -> None:
    stockpile = rich(uncertain(), uncertain("x", "outage", per_year=0.4, duration_months=4.0))
    found = features(stockpile, draw(stockpile, SOME))
    assert found.var(axis=0).sum() == pytest.approx(2)
    dates = 4
    assert found[:, : 2 * dates].var(axis=0).sum() == pytest.approx(1)
    assert found[:, :dates].var(axis=0).sum() == pytest.approx(
        1
    )  # nothing is priced on the index home
    ban = uncertain("ban", "embargo", value="China", per_year=0.5, duration_months=6.0)
    stockpile = rich(uncertain(), ban)
    found = features(stockpile, draw(stockpile, SOME))
    assert [
        found[:, part].var(axis=0).sum() for part in (slice(8), slice(-3, None))
    ] == pytest.approx([1, 1])
    assert found.var(axis=0).sum() == pytest.approx(3)


def test_moments_are_weighted() -> None:
    values, weight = np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.3, 0.2])
    assert moments(values, weight) == pytest.approx((2.2, math.sqrt(0.76), 1.0, 3.0))
    assert moments(np.array([5.0]), np.array([1.0])) == pytest.approx((5, 0, 5, 5))


def test_the_default_volatility_is_that_of_the_cited_prices() -> None:
    squares, years = 0.0, 0.0
    for points in CITED.values():
        for (a, p), (b, q) in itertools.pairwise(points):
            squares, years = squares + math.log(q / p) ** 2, years + b - a
    assert DEFAULTS[0].volatility == pytest.approx(math.sqrt(squares / years), abs=0.005)
    assert all(row.source and row.source_date and row.confidence and row.note for row in DEFAULTS)


# --- What cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [uncertain(value="markt")],
            "value: 'markt' is no column of the sheet prices (did you mean 'market'?)",
        ),
        (
            [uncertain(value="market", volatility=None)],
            "volatility: is required for a price of which price_history holds nothing",
        ),
        (
            [uncertain(reversion=None)],
            "reversion: is required for a price of which price_history holds nothing",
        ),
        (
            [uncertain(process="geometric", level=3.0)],
            "level: must be blank for a geometric price: it returns to no level",
        ),
        ([uncertain(per_year=0.1)], "jump_factor: is required for a price that jumps"),
        (
            [uncertain(jump_factor=2.0)],
            (
                "jumps_with: needs an embargo, or per_year how often it jumps by itself; exactly"
                " one of the two"
            ),
        ),
        (
            [uncertain(jump_factor=2.0, jumps_with="ban")],
            "jumps_with: jumps_with 'ban' is no row of this sheet that is an embargo",
        ),
        (
            [uncertain(correlation=0.5)],
            (
                "correlation: needs correlates_with in the same row, and the reverse: how much,"
                " and with which row"
            ),
        ),
        (
            [uncertain("a", value="market", correlates_with="x", correlation=0.5)],
            "correlates_with: correlates_with 'x' is no row of this sheet that is a price",
        ),
        (
            [
                uncertain("a", value="market", correlates_with="b", correlation=0.9),
                uncertain("b", value="home", correlates_with="a", correlation=-0.9),
            ],
            "correlates_with: must not lead back to the row itself: a with b with a",
        ),
        (
            [uncertain("a"), uncertain("b")],
            "value: b names the same as row 0, a: one row for each",
        ),
        ([uncertain(of="country")], "of: must be index for price, found 'country'"),
        ([uncertain("a", "outage", per_year=1.0)], "duration_months: is required for outage"),
        ([uncertain("a", "delay")], "delay_months: is required for delay"),
        (
            [uncertain("a", "embargo", per_year=1.0, duration_months=1.0)],
            "value: is required for an embargo: which country",
        ),
        (
            [uncertain("a", "embargo", value="Chna", per_year=1.0, duration_months=1.0)],
            "value: 'Chna' is the country of no row in the sheet suppliers (did you mean 'China'?)",
        ),
        (
            [uncertain("a", "delay", of="stage", value="announced", delay_months=1.0)],
            "value: 'announced' is the stage of no row in the sheet suppliers",
        ),
        (
            [uncertain("a", "delay", delay_months=9.0, ranges={"delay_months": (0.0, 6.0)})],
            "delay_months: must lie between its low and its high, found 9 outside 0 to 6",
        ),
        (
            [uncertain(), PriceHistory(date=month(0), values={"market": 0.0})],
            "market: market must be above 0 to have a logarithm, found 0",
        ),
    ],
)
def test_what_cannot_be_is_reported_in_one_line(rows: list[Row], said: str) -> None:
    assert faults(rich(*rows)) == [said]


def test_what_has_no_effect_is_warned_about() -> None:
    row = uncertain("a", "delay", delay_months=1.0, volatility=0.3)
    assert [each.message for each in uncertainty.check(rich(row)) if each.warning] == [
        "has no effect on delay: it is for a price"
    ]


def test_an_embargo_of_a_country_without_a_plant_may_move_prices() -> None:
    rows = (
        uncertain(jump_factor=2.0, jumps_with="ban"),
        uncertain("ban", "embargo", value="Chile", per_year=1.0, duration_months=6.0),
    )
    assert faults(rich(*rows)) == []
    made = make(rich(*rows), SOME)
    assert {row.table for row in made.stockpile.rows(Event)} == {"prices"}


def test_no_price_no_sample() -> None:
    bare = book(material(shortage_cost=1.0), offer(), demand(1.0, 0, 11), periods=12)
    with pytest.raises(InputError, match="prices: has no index: there is no price that could move"):
        make(bare, SOME)
    assert faults(replace(bare, tables={**bare.tables, Uncertainty: (uncertain(),)})) == [
        "kind: is price, but the sheet prices has no index: there is no price that could move"
    ]


def test_more_cannot_be_kept_than_is_sampled() -> None:
    with pytest.raises(
        StockpileError,
        match=r"--keep 6 is more than --samples 5: what is kept must be sampled first",
    ):
        make(rich(), SamplingOptions(samples=5, keep=6))


@pytest.mark.parametrize("day", [month(-1), month(35), month(99)])
def test_scenarios_part_within_the_horizon(day: dt.date) -> None:
    with pytest.raises(
        StockpileError,
        match=rf"--revealed {day}: must lie in the horizon and before its last period",
    ):
        make(rich(), replace(SOME, revealed=day))
    with pytest.raises(StockpileError, match="two periods at least"):
        make(rich(periods=1), SOME)


def test_the_scenarios_part_in_the_period_of_the_day() -> None:
    assert {
        row.revealed
        for row in make(rich(), replace(SOME, revealed=month(14, 20))).stockpile.rows(Scenario)
    } == {month(14)}
    assert make(rich(fiscal_year_start=1), SOME).samples.revealed == 12
    assert make(rich(fiscal_year_start=1, periods=12), SOME).samples.revealed == 6
