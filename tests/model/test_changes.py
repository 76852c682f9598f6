"""Changes of cells: how they are written, what they address, what they make of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.targets import Target
from stockpile_model.changes import Change, apply, parse
from stockpile_model.funds import Fund
from stockpile_model.row_groups import RowGroup
from stockpile_model.schema import Row, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price, Settings, Supplier
from tests.support.accept import book, supplier

DAY = dt.date(2027, 1, 1)
LATER = dt.date(2027, 7, 31)


@pytest.fixture
def stockpile() -> Stockpile:
    rows: dict[type[Row], tuple[Row, ...]] = {
        Material: (
            Material(material="gallium"),
            Material(material="indium", shelf_life_months=24.0),
        ),
        Supplier: (
            Supplier(
                supplier="Metlen",
                start=LATER,
                country="Greece",
                bloc="allied",
                foreign_feedstock=0.25,
            ),
            Supplier(supplier="Rio Tinto", country="Canada", bloc="allied"),
        ),
        Offer: (
            Offer(
                line=2,
                offer="spot",
                supplier="Metlen",
                material="gallium",
                price=300.0,
                capacity=None,
                lead_time_months=2.0,
            ),
            Offer(
                line=3,
                offer="frame/1",
                supplier="Metlen",
                material="gallium",
                price_index="China domestic",
                capacity=50.0,
            ),
        ),
        Contract: (
            Contract(contract="K1", supplier="Metlen", material="gallium"),
            Contract(contract="K2", supplier="Rio Tinto", material="gallium"),
        ),
        Floor: tuple(
            Floor(contract=k, level=level, floor=400.0, annual_quantity=10.0)
            for k in ("K1", "K2")
            for level in ("low", "high")
        ),
        Price: (
            Price(date=DAY, values={"Rotterdam": 400.0, "China domestic": 200.0}),
            Price(date=LATER, values={"Rotterdam": 500.0}),
        ),
        Demand: (
            Demand(material="gallium", from_=DAY, quantity=5.0),
            Demand(material="gallium", from_=LATER, quantity=7.0),
        ),
        Target: (Target(material="gallium", from_=DAY, quantity=5.0),),
        Fund: (Fund(fund="nds", uses=("purchase",)),),
        Budget: (
            Budget(line=2, fund="nds", amount=100.0),
            Budget(line=3, fund="nds", amount=200.0),
            Budget(line=4, fund="dpa", amount=50.0),
        ),
    }
    return Stockpile(
        Settings(start=DAY, periods=12), rows, {"budgets": {"fund": "A", "amount": "D"}}
    )


def values(stockpile: Stockpile, kind: type[Row], name: str) -> list[Any]:
    return [get(row, name) for row in stockpile.rows(kind)]


# --- Written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "change"),
    [("budgets[nds].amount scale 0.8", Change("budgets", "nds", "amount", "scale", "0.8")),
     ("  Budgets [ nds ] . amount  SCALE  0.8 ", Change("budgets", "nds", "amount", "scale", "0.8")),
     ("budgets[nds].amount = 5", Change("budgets", "nds", "amount", "set", "5")),
     ("budgets[nds].amount=5", Change("budgets", "nds", "amount", "set", "5")),
     ("prices[*].China domestic add -3", Change("prices", "*", "China domestic", "add", "-3")),
     ("floors[K1/low].floor set 5", Change("floors", "K1/low", "floor", "set", "5")),
     ("offers[no. 3].price set 5", Change("offers", "no. 3", "price", "set", "5")),
     ("settings.discount_rate set 0.05", Change("settings", "discount_rate", "value", "set", "0.05")),
     ("settings[discount_rate] set 0.05", Change("settings", "discount_rate", "value", "set", "0.05")),
     ("settings[discount_rate].value = 0.05", Change("settings", "discount_rate", "value", "set", "0.05")),
     ("settings.title set a = b, set in 2027", Change("settings", "title", "value", "set", "a = b, set in 2027")),
     ("offers[spot].capacity set", Change("offers", "spot", "capacity", "set", "")),
     ("offers[spot].capacity =", Change("offers", "spot", "capacity", "set", ""))],
)  # fmt: skip
def test_parse(said: str, change: Change) -> None:
    assert parse(said) == change
    assert parse(str(change)) == change


@pytest.mark.parametrize(
    ("said", "message"),
    [("", "'' is no change; write it as in 'budgets[nds].amount scale 0.8', with set, scale or add"),
     ("budgets", "'budgets' is no change"),
     ("budgets[nds].amount", "'budgets[nds].amount' is no change"),
     ("budgets[nds].amount 0.8", "is no change"),
     ("budgets[nds].amount times 0.8", "is no change"),
     ("budgets[nds].amount settle 5", "is no change"),
     ("budgets.amount set 5", "names no row ('*' for all)"),
     ("budgets[nds] set 5", "names no column ('*' for all)")],
)  # fmt: skip
def test_parse_refuses(said: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(said)
    assert message in str(caught.value)


# --- Applied --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind", "column", "expected"),
    [("budgets[nds].amount scale 0.5", Budget, "amount", [50.0, 100.0, 50.0]),
     ("budgets[NDS].Amount add -10", Budget, "amount", [90.0, 190.0, 50.0]),
     ("budgets[*].amount set 1e3", Budget, "amount", [1000.0, 1000.0, 1000.0]),
     ("budgets[].amount set 1", Budget, "amount", [1.0, 1.0, 1.0]),
     ("demand[gallium].quantity scale 2", Demand, "quantity", [10.0, 14.0]),
     ("demand[gallium].from add 2", Demand, "from", [dt.date(2027, 3, 1), dt.date(2027, 9, 30)]),
     ("demand[gallium].from set 2027-05-05", Demand, "from", [dt.date(2027, 5, 5)] * 2),
     ("floors[K1].floor add 50", Floor, "floor", [450.0, 450.0, 400.0, 400.0]),
     ("floors[k1/HIGH].floor add 50", Floor, "floor", [400.0, 450.0, 400.0, 400.0]),
     ("floors[*].floor add 50", Floor, "floor", [450.0] * 4),
     ("offers[frame/1].capacity scale 2", Offer, "capacity", [None, 100.0]),
     ("offers[*].capacity scale 2", Offer, "capacity", [None, 100.0]),
     ("offers[spot].capacity set 10", Offer, "capacity", [10.0, 50.0]),
     ("offers[frame/1].capacity set", Offer, "capacity", [None, None]),
     ("offers[spot].payment set ORDER", Offer, "payment", ["order", "delivery"]),
     ("offers[country = greece].adder add 3", Offer, "adder", [3.0, 3.0]),
     ("offers[ Bloc=allied ].adder add 3", Offer, "adder", [3.0, 3.0]),
     ("contracts[supplier = RIO TINTO].flex scale 2", Contract, "flex", [1.0, 2.0]),
     ("floors[country = Canada].floor add 50", Floor, "floor", [400.0, 400.0, 450.0, 450.0]),
     ("suppliers[country = Canada].foreign_feedstock = 1", Supplier, "foreign_feedstock", [0.25, 1.0]),
     ("offers[spot].supplier set rio tinto", Offer, "supplier", ["Rio Tinto", "Metlen"]),
     ("offers[frame/1].price_index set rotterdam", Offer, "price_index", [None, "Rotterdam"]),
     ("offers[spot].Lead time months add 1", Offer, "lead_time_months", [3.0, 0.0]),
     ("targets[gallium].hard set yes", Target, "hard", [True]),
     ("suppliers[*].start add -1", Supplier, "start", [dt.date(2027, 6, 30), None]),
     ("funds[nds].uses set purchase; storage", Fund, "uses", [("purchase", "storage")]),
     ("funds[nds].materials set INDIUM", Fund, "materials", [("indium",)]),
     ("prices[*].rotterdam scale 2", Price, "values", [{"Rotterdam": 800.0, "China domestic": 200.0}, {"Rotterdam": 1000.0}]),
     ("prices[2027-07-31].china_domestic set 5", Price, "values",
      [{"Rotterdam": 400.0, "China domestic": 200.0}, {"Rotterdam": 500.0, "China domestic": 5.0}]),
     ("prices[*].* add 1", Price, "values", [{"Rotterdam": 401.0, "China domestic": 201.0}, {"Rotterdam": 501.0}]),
     ("prices[2027-01-01].Rotterdam set", Price, "values", [{"China domestic": 200.0}, {"Rotterdam": 500.0}])],
)  # fmt: skip
def test_apply(
    stockpile: Stockpile, said: str, kind: type[Row], column: str, expected: list[Any]
) -> None:
    before = repr(stockpile)
    changed = apply(stockpile, parse(said))
    assert values(changed, kind, column) == expected
    assert repr(stockpile) == before
    assert changed.settings == stockpile.settings
    assert {table: rows for table, rows in changed.tables.items() if table is not kind} == {
        table: rows for table, rows in stockpile.tables.items() if table is not kind
    }


def test_apply_to_settings(stockpile: Stockpile) -> None:
    changed = apply(
        apply(stockpile, parse("settings.discount_rate set 0.05")),
        parse("settings[Discount rate] scale 2"),
    )
    assert (changed.settings.discount_rate, stockpile.settings.discount_rate) == (0.1, 0.0)
    assert apply(stockpile, parse("settings.start add 3")).calendar.begin(0) == dt.date(2027, 4, 1)
    assert apply(stockpile, parse("settings.periods scale 2")).tree.nodes == range(24)
    assert apply(
        stockpile, parse("settings.supply_stages set operating, building")
    ).settings.supply_stages == ("operating", "building")
    assert apply(changed, parse("settings.discount_rate =")).settings.discount_rate == 0.0


def test_what_was_derived_is_derived_again(stockpile: Stockpile) -> None:
    assert stockpile.price_on("Rotterdam", DAY) == 400.0
    assert stockpile.keyed(Offer)["spot"].price == 300.0
    changed = apply(
        apply(stockpile, parse("prices[*].Rotterdam scale 2")), parse("offers[spot].price set 5")
    )
    assert changed.price_on("Rotterdam", DAY) == 800.0
    assert changed.keyed(Offer)["spot"].price == 5.0


def test_a_star_in_the_column_takes_every_number_that_is_there(stockpile: Stockpile) -> None:
    changed = apply(stockpile, parse("floors[K2/low].* scale 2")).rows(Floor)[2]
    assert (changed.floor, changed.annual_quantity, changed.escalation) == (800.0, 20.0, 0.0)


def test_a_key_that_reads_like_a_group_is_a_key(stockpile: Stockpile) -> None:
    """A name goes before a group: nothing that a workbook could address before changes."""
    odd = apply(stockpile, parse("offers[country = Greece].adder add 1"))
    rows = tuple(replace(row, offer="country = Greece") for row in odd.rows(Offer)[:1])
    odd = replace(odd, tables={**odd.tables, Offer: rows + odd.rows(Offer)[1:]})
    changed = apply(odd, parse("offers[country = Greece].adder add 1"))
    assert values(changed, Offer, "adder") == [2.0, 1.0]


def test_what_a_cut_takes_away_counts_by_feedstock(stockpile: Stockpile) -> None:
    """A quarter of Metlen's feed is foreign: of a cut to 0.2 it feels 0.2 in all, of a ban 0.25."""
    cut = Change("offers", "*", "capacity", "scale", "0.2", feedstock=True)
    assert values(apply(stockpile, cut), Offer, "capacity") == [None, 40.0]
    ban = Change("floors", "bloc = allied", "annual_quantity", "scale", 0.0, feedstock=True)
    assert values(apply(stockpile, ban), Floor, "annual_quantity") == [7.5, 7.5, 10.0, 10.0]
    unfed = Change("demand", "*", "quantity", "scale", 0.5, feedstock=True)
    with pytest.raises(ValueError, match="has no supplier whose feedstock could count"):
        apply(stockpile, unfed)


def test_values_of_events_need_no_text(stockpile: Stockpile) -> None:
    assert values(
        apply(stockpile, Change("budgets", "nds", "amount", "scale", 0.5)), Budget, "amount"
    ) == [50.0, 100.0, 50.0]
    assert values(apply(stockpile, Change("demand", "*", "from", "set", DAY)), Demand, "from") == [
        DAY,
        DAY,
    ]


@pytest.mark.parametrize(
    ("said", "message"),
    [("budget[nds].amount set 5", "the workbook has no table 'budget' (did you mean 'budgets'?)"),
     ("outlets[x].price set 5", "the workbook has no table 'outlets'"),
     ("budgets[nsd].amount set 5", "budgets has no row 'nsd' (did you mean 'nds'?)"),
     ("offers[country = Greecs].adder add 3",
      "offers has no row of a supplier with country = Greecs (did you mean 'Greece'?)"),
     ("offers[country = Canada].adder add 3", "offers has no row of a supplier with country = Canada"),
     ("materials[country = Canada].holding_cost add 3",
      "materials has no row of a supplier with country = Canada"),
     ("floors[K1/lwo].floor set 5", "floors has no row 'K1/lwo' (did you mean 'k1/low'?)"),
     ("prices[2027-02-01].Rotterdam set 5", "prices has no row '2027-02-01' (did you mean '2027-01-01'?)"),
     ("budgets[nds].amout set 5", "budgets has no column 'amout' (did you mean 'amount'?)"),
     ("prices[*].Roterdam set 5", "prices has no column 'Roterdam' (did you mean 'Rotterdam'?)"),
     ("settings.discount set 5", "settings has no value 'discount' (did you mean 'discount_rate'?)"),
     ("settings[periods].unit set 5", "settings have a value, no 'unit'"),
     ("offers[spot].offer set x", "offer is the key of its row and cannot be changed"),
     ("budgets[nds].amount add -150", "budgets!D2: amount must be at least 0, found -50"),
     ("budgets[nds].amount set", "budgets!D2: amount is required and must not be blank"),
     ("budgets[nds].amount set lots", "budgets!D2: amount must be a number, found 'lots'; write a number such as 1200.5"),
     ("budgets[nds].amount scale", "budgets!D2: amount cannot change by that: "
      "it must be a number, found ''; write a number such as 1200.5"),
     ("budgets[nds].amount scale 1e308", "budgets!D2: amount must be a finite number, found inf; write the number that is meant"),
     ("budgets[nds].fund set ndx", "budgets!A2: fund 'ndx' stands nowhere in funds (did you mean 'nds'?)"),
     ("demand[gallium].material set Minor", "demand.material: material 'Minor' stands nowhere in materials"),
     ("offers[frame/1].price_index set X", "offers!A3: price_index 'X' stands nowhere in prices"),
     ("offers[spot].payment set never", "offers!A2: payment must be one of delivery, order, found 'never' (did you mean 'delivery'?)"),
     ("offers[spot].payment scale 2", "offers!A2: payment can be set, not scaled"),
     ("offers[spot].capacity scale 2", "every such cell is blank: only set can change it"),
     ("demand[gallium].from scale 2", "demand.from: from can be set, not scaled"),
     ("demand[gallium].from add 1.5", "demand.from: from cannot change by that: it must be a whole number, found 1.5; write 1 or 2"),
     ("demand[gallium].from add 9999", "demand.from: from must be a date between 1900 and 2500, found 2860-04-01"),
     ("demand[gallium].from add 999999", "demand.from: from leaves the calendar"),
     ("settings.periods scale 0.3", "settings.periods: periods must be a whole number, found 3.6; write 3 or 4"),
     ("settings.periods set 0", "settings.periods: periods must be at least 1, found 0")],
)  # fmt: skip
def test_apply_refuses(stockpile: Stockpile, said: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        apply(stockpile, parse(said))
    assert str(caught.value) == message


def test_a_group_that_is_known_gets_no_hint() -> None:
    """A country counts in any case: 'did you mean' names another one only."""
    stockpile = book(supplier(country="China"))
    said = "offers has no row of a supplier with country = "
    assert RowGroup("country", "china").missing(stockpile, "offers") == f"{said}china"
    assert RowGroup("country", "chine").missing(stockpile, "offers").endswith("'China'?)")


def years(**tables: Any) -> dict[str, Any]:
    """Three years in which more is asked for at their end, by name."""
    return {
        "settings": {"start": "2027-01-01", "periods": 36},
        "materials": [{"material": "ga", "below_target_cost": 5}],
        "suppliers": [{"supplier": "s"}],
        "offers": [{"offer": "spot", "supplier": "s", "material": "ga", "price": 10}],
        **tables,
    }


LATE = years(
    materials=[{"material": each, "below_target_cost": 5} for each in ("ga", "ge")],
    demand=[
        {"material": "ga", "from": "2027-01-01", "to": "2029-12-01", "quantity": 5},
        {"material": "ga", "from": "2029-06-01", "quantity": 50},
    ],
    targets=[
        {"material": "ga", "from": "2027-06-01", "quantity": 20},
        {"material": "ga", "from": "2029-03-01", "quantity": 40},
        {"material": "ga", "from": "2029-09-01", "quantity": 90, "path": "ramp"},
        {"material": "ge", "from": "2029-09-01", "quantity": 0},
    ],
    commitments=[{"kind": "order", "name": "spot", "date": "2029-07-01", "quantity": 3}],
    scenarios=[{"scenario": "war", "probability": 0.5, "revealed": "2027-02-01"}],
    events=[
        {"scenario": "war", "table": "targets", "row": each, "column": "quantity", "how": "add", "value": 1}
        for each in ("ga", "ge")
    ],
)  # fmt: skip


def test_what_lies_beyond_a_horizon_that_is_shortened_is_left_out_with_a_warning() -> None:
    """A ramp that begins beyond it goes with the step from which it begins."""
    book = so.from_tables(LATE).change("settings.periods = 24").change("offers[spot].price = 11")
    left = [each.where for each in book.warnings if "is left out: the horizon" in each.message]
    beyond = ["demand!A3", "targets!A3", "targets!A4", "targets!A5", "events!A3", "commitments!A2"]
    assert sorted(left) == sorted(beyond)
    assert "ends before it, on 2028-12-31" in str(book.warnings[-1])
    short = {**LATE, "settings": {**LATE["settings"], "periods": 24}, "commitments": []}
    short |= {name: LATE[name][:1] for name in ("demand", "targets", "events")}
    alone = so.from_tables(short).change("offers[spot].price = 11")
    assert so.solve(book).plan.objective == so.solve(alone).plan.objective


def test_a_ramp_that_begins_within_a_shortened_horizon_stays() -> None:
    step = {"material": "ga", "from": "2027-06-01", "quantity": 20}
    ramp = {"material": "ga", "from": "2029-06-01", "quantity": 60, "path": "ramp"}
    book = so.from_tables(years(targets=[step, ramp])).change("settings.periods = 24")
    assert len(book["targets"]) == 2


def test_what_a_workbook_itself_asks_for_beyond_its_horizon_stays_an_error() -> None:
    tables = {**LATE, "settings": {**LATE["settings"], "periods": 24}}
    with pytest.raises(so.InputError, match="targets!B3: from is after the horizon"):
        so.from_tables(tables)
    with pytest.raises(so.InputError, match="demand!B3: no period of the horizon"):
        so.from_tables(tables, "settings.periods = 23")
    so.from_tables(tables, "settings.periods = 36")
