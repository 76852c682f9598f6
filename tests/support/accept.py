"""Hand-made plans, judged by the model: what a plan breaks and what it costs.

A plan is written as it is read, `{"buy[spot,0]": 10, "stock[ga,stockpile,0,0]": 10}`: the value of
a variable at its index; what is not named is 0. The indices are those of the model: offer, outlet
or contract, material, buyer (blank for none), site, age and node (without scenarios the period,
from 0; with them those of the base first, then those of each scenario from when it is known).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from optimiser.solving.solve import Options, solve
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.endowments import Endowment
from stockpile_model.blocks.in_transit.transit_terms import InTransit
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.objective import factor
from stockpile_model.blocks.offers.break_terms import PriceBreak
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.blocks.supply_curves import SupplyCurve
from stockpile_model.blocks.targets import Target
from stockpile_model.build import build, check
from stockpile_model.formulation import Formulation
from stockpile_model.funds import Fund
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Row
from stockpile_model.spelling import alike
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price, Project, Settings, Site, Supplier

Plan = Mapping[str, float]
TOLERANCE = 1e-7

# Rows with short names
# --------------------------------------------------------------------------------------------------


def month(t: int, day: int = 1) -> dt.date:
    """A day of the month t months after January 2027, when the books of the tests start."""
    return dt.date(2027 + t // 12, t % 12 + 1, day)


def book(*rows: Row, **settings: Any) -> Stockpile:
    """A stockpile of two months from January 2027, unless told otherwise; it has the material `ga`
    and the supplier `plant` unless a row of their tables is given; names are spelt alike, as
    reading does. Plans written by hand name every age, so none share a column.
    """
    tables: dict[type[Row], tuple[Row, ...]] = {}
    for row in rows:
        tables[type(row)] = (*tables.get(type(row), ()), row)
    stockpile = Stockpile(
        Settings(**{"start": month(0), "periods": 2, "mip_gap": 0.0} | settings),
        {Material: (Material(material="ga"),), Supplier: (Supplier(supplier="plant"),)} | tables,
        classes={},
    )
    return alike(stockpile)


def material(name: str = "ga", **cells: Any) -> Material:
    return Material(material=name, **cells)


def supplier(name: str = "plant", **cells: Any) -> Supplier:
    return Supplier(supplier=name, **cells)


def prices(*values: float, index: str = "market") -> tuple[Price, ...]:
    """An index on the first of each month."""
    return tuple(
        Price(date=month(t), values={index: float(value)}) for t, value in enumerate(values)
    )


def offer(name: str = "spot", price: float | None = 10.0, **cells: Any) -> Offer:
    return Offer(**{"offer": name, "supplier": "plant", "material": "ga", "price": price} | cells)


def price_break(
    from_quantity: float, price: float | None = None, name: str = "spot", **cells: Any
) -> PriceBreak:
    return PriceBreak(offer=name, from_quantity=from_quantity, price=price, **cells)


def curve(from_quantity: float, rise: float, index: str = "market", **cells: Any) -> SupplyCurve:
    return SupplyCurve(index=index, from_quantity=from_quantity, rise=rise, **cells)


def project(name: str = "plant 2", **cells: Any) -> Project:
    return Project(**{"project": name, "supplier": "plant"} | cells)


def contract(name: str = "offtake", **cells: Any) -> Contract:
    """An offtake that can be signed in January 2027 only."""
    window = {"sign_from": month(0), "sign_to": month(0)}
    return Contract(**{"contract": name, "supplier": "plant", "material": "ga"} | window | cells)


def floor(
    price: float | None,
    annual_quantity: float,
    level: str = "low",
    name: str = "offtake",
    **cells: Any,
) -> Floor:
    return Floor(contract=name, level=level, floor=price, annual_quantity=annual_quantity, **cells)


def lot(quantity: float, t: int, name: str = "L", **cells: Any) -> OpeningLot:
    """An opening lot made in month t (below zero: before the start)."""
    return OpeningLot(
        **{"lot": name, "material": "ga", "quantity": quantity, "made": month(t)} | cells
    )


def in_transit(quantity: float, t: int, name: str = "spot", **cells: Any) -> InTransit:
    """Metal ordered before the start that arrives in month t."""
    return InTransit(**{"name": name, "arrives": month(t), "quantity": quantity} | cells)


def demand(quantity: float, t: int = 0, last: int | None = None, **cells: Any) -> Demand:
    return Demand(
        **{
            "material": "ga",
            "from_": month(t),
            "to": None if last is None else month(last),
            "quantity": quantity,
        }
        | cells
    )


def target(quantity: float | None, t: int = 0, **cells: Any) -> Target:
    return Target(**{"material": "ga", "from_": month(t), "quantity": quantity} | cells)


def outlet(
    name: str = "sale", form: str = "sale", price: float | None = 5.0, **cells: Any
) -> Outlet:
    return Outlet(
        **{
            "outlet": name,
            "material": "ga",
            "form": form,
            "price": price if form == "sale" else None,
        }
        | cells
    )


def rule(of: str, value: str | None = None, **cells: Any) -> Rule:
    return Rule(**{"rule": "policy", "of": of, "value": value} | cells)


def fund(name: str = "nds", **cells: Any) -> Fund:
    return Fund(fund=name, **cells)


def budget(
    amount: float,
    name: str = "nds",
    first: int | None = None,
    expires: int | None = None,
    **cells: Any,
) -> Budget:
    days = {
        "from_": None if first is None else month(first),
        "expires": None if expires is None else month(expires, 28),
    }
    return Budget(fund=name, amount=amount, **days, **cells)


def site(name: str = "stockpile", **cells: Any) -> Site:
    return Site(site=name, **cells)


def move(origin: str = "a", end: str = "b", name: str = "road", **cells: Any) -> SiteMove:
    return SiteMove(move=name, from_site=origin, to_site=end, **cells)


def endowment(name: str, buyer: str, share: float) -> Endowment:
    return Endowment(name=name, buyer=buyer, share=share)


def commitment(
    kind: str, name: str, quantity: float | None = None, t: int | None = None, **cells: Any
) -> Commitment:
    """Of the month t, or of the whole horizon."""
    return Commitment(
        kind=kind, name=name, quantity=quantity, date=None if t is None else month(t), **cells
    )


def scenario(
    name: str = "war", probability: float = 0.5, known: int | None = None, **cells: Any
) -> Scenario:
    """Known from month `known`; None: from the first of its events."""
    return Scenario(
        scenario=name,
        probability=probability,
        revealed=None if known is None else month(known),
        **cells,
    )


def event(
    cell: str,
    how: str,
    value: object,
    first: int | None = None,
    last: int | None = None,
    name: str = "war",
    row: str | None = None,
) -> Event:
    """What changes in a scenario, in the months from `first` to `last`: `event("offers.price",
    "scale", 2, 1)`.
    """
    table, column = cell.split(".")
    days = {
        "from_": None if first is None else month(first),
        "to": None if last is None else month(last, 28),
    }
    return Event(
        scenario=name, table=table, row=row, column=column, how=how, value=str(value), **days
    )


# Judging
# --------------------------------------------------------------------------------------------------


def built(stockpile: Stockpile) -> Formulation:
    """The model of a book without faults."""
    assert faults(stockpile) == []
    return build(stockpile)


def faults(stockpile: Stockpile) -> list[str]:
    """What `check` finds wrong, as `table.column: message`."""
    return [
        f"{each.table}.{each.column}: {each.message}"
        for each in check(stockpile)
        if not each.warning
    ]


def warnings(stockpile: Stockpile) -> list[str]:
    """What `check` finds odd, as `table.column: message`."""
    return [
        f"{each.table}.{each.column}: {each.message}" for each in check(stockpile) if each.warning
    ]


def put(formulation: Formulation, plan: Plan) -> Formulation:
    """Give every variable its value in a plan."""
    m = formulation.m
    for variable in m.component_data_objects(pyo.Var):
        variable.set_value(0.0, skip_validation=True)
    for name, value in plan.items():
        _variable(m, name).set_value(value, skip_validation=True)
    return formulation


def _variable(m: pyo.ConcreteModel, name: str) -> Any:
    component, _, index = name.removesuffix("]").partition("[")
    if not index:
        return m.find_component(component)
    parts = tuple(int(part) if part.isdigit() else part for part in index.split(","))
    return m.find_component(component)[parts]


def broken(formulation: Formulation, plan: Plan, whole: bool = True) -> set[str]:
    """The constraints a plan does not satisfy, and the variables that leave their bounds or
    (`whole`) are not whole, by name.
    """
    m = put(formulation, plan).m
    return {*_rows(m), *_variables(m, whole)}


def _rows(m: pyo.ConcreteModel) -> Iterator[str]:
    for row in m.component_data_objects(pyo.Constraint, active=True):
        body, fine = pyo.value(row.body), _fine(m, row)
        low, high = pyo.value(row.lower), pyo.value(row.upper)
        if (low is not None and body < low - fine) or (high is not None and body > high + fine):
            yield row.parent_component().local_name


def _variables(m: pyo.ConcreteModel, whole: bool) -> Iterator[str]:
    for variable in m.component_data_objects(pyo.Var):
        value, (low, high), fine = variable.value, variable.bounds, _fine(m, variable)
        outside = (low is not None and value < low - fine) or (
            high is not None and value > high + fine
        )
        if outside or (whole and variable.is_integer() and abs(value - round(value)) > TOLERANCE):
            yield variable.parent_component().local_name


def _fine(m: pyo.ConcreteModel, component: Any) -> float:
    """What rounding may leave in a component."""
    factors = m.scaling_factor
    return TOLERANCE / float(factors.get(component, factors[component.parent_component()]))


@dataclass(frozen=True)
class Case:
    """A book, a plan that its model accepts, and changes to that plan each of which breaks
    `component` and nothing else, but for the rows that follow from it (`also`). In `parts` the plan
    is one of the relaxation, for rows that whole decisions cannot break.
    """

    component: str
    why: str
    book: Stockpile
    accepted: Plan
    refused: Sequence[Plan]
    parts: bool = False
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.component}: {self.why}"

    def judge(self) -> None:
        formulation = built(self.book)
        assert self.refused
        assert broken(formulation, self.accepted, not self.parts) == set()
        for change in self.refused:
            assert broken(formulation, {**self.accepted, **change}, not self.parts) == {
                self.component,
                *self.also,
            }, change


def bill(stockpile: Stockpile, plan: Plan) -> dict[str, float]:
    """What a plan costs by heading, discounted; the plan must break nothing, and the headings sum
    to the objective.
    """
    formulation = built(stockpile)
    assert broken(formulation, plan) == set()
    found: dict[str, float] = {}
    for each in formulation.ledger.money:
        if amount := factor(formulation.stockpile, each) * pyo.value(each.amount):
            found[each.heading] = found.get(each.heading, 0.0) + amount
    assert abs(sum(found.values()) - pyo.value(formulation.m.cost)) < TOLERANCE
    return found


def least_cost(stockpile: Stockpile) -> float | None:
    """The proven optimum of a book; None where no plan exists."""
    outcome = solve(built(stockpile).m, Options(gap=0.0, threads=1))
    assert outcome.status in ("optimal", "infeasible")
    return outcome.objective


def everything(*more: Row, **settings: Any) -> Stockpile:
    """A book of five months that uses every table and column that is built, but for scenarios and
    events, and has a plan.
    """
    plants = (
        supplier(
            "metlen",
            country="GR",
            bloc="allied",
            stage="building",
            start=month(1),
            foreign_feedstock=0.1,
        ),
        supplier("trader", country="CN", bloc="other", foreign_feedstock=1),
    )
    materials = (
        material(
            shelf_life_months=4,
            count_life_months=2,
            price_index="market",
            closing_value=0.3,
            shortage_cost=60,
            below_target_cost=8,
            holding_cost=0.2,
            disposal_cost=2,
        ),
        material(
            "in", price_index="market", closing_value=0.2, holding_cost=0.1, group="any indium"
        ),
        material("in5", group="any indium"),
    )
    offers = (
        offer(
            "spot",
            None,
            supplier="trader",
            price_index="market",
            premium=-0.25,
            adder=0.5,
            duty=0.03,
            freight=1,
            from_=month(0),
            to=month(3),
            capacity=30,
            total=120,
            minimum_order=5,
            order_cost=20,
            lead_time_months=1,
            availability=0.9,
            payment="order",
        ),
        offer(
            "lots",
            9,
            supplier="metlen",
            lot_size=10,
            order_cost=3,
            site="north",
            capacity=30,
            to=month(3),
        ),
        offer(
            "bulk",
            13,
            supplier="trader",
            duty=0.02,
            capacity=25,
            to=month(2),
            life_on_receipt_months=3,
        ),
        offer("annex", 8, supplier="metlen", project="granted", capacity=8),
        offer("indium", 5, supplier="trader", material="in", currency="euro"),
    )
    breaks = (
        price_break(10, premium=-0.3, kind="incremental"),
        price_break(20, premium=-0.35, kind="incremental"),
        price_break(12, 12, "bulk"),
        price_break(20, 11, "bulk"),
    )
    risen = (
        curve(8, 0.02, window="fiscal_year", bought_before=3, index_before=8),
        curve(20, 0.05, window="fiscal_year"),
    )
    plans = (
        project(
            "granted",
            supplier="metlen",
            cost=100,
            match=0.4,
            decide_from=month(0),
            decide_to=month(2),
            ready_lag_months=1,
            breakeven_floor=50,
            permits="water: yes",
            output=400,
            fund="industry",
        ),
        project("carried", supplier="metlen", cost=90, capex=400, opex=4, rate=0.1, life_years=10),
    )
    offtakes = (
        contract(
            supplier="metlen",
            price_index="market",
            discount=0.05,
            ceiling=25,
            upside_share=0.2,
            upside_trigger=10,
            sign_to=month(1),
            deliver_from=month(2),
            term_months=3,
            take_or_pay=0.8,
            least_per_period=0.3,
            call_off_cost=2,
            prepayment=60,
            credit=2,
            flex=1.5,
            signing_cost=30,
            lead_time_months=1,
            duty=0.05,
            freight=0.5,
            availability=0.95,
            life_on_receipt_months=2,
        ),
        contract(
            "hedge",
            supplier="metlen",
            form="cfd",
            price_index="market",
            upside_share=0.5,
            upside_trigger=10.5,
            upside_cap=60,
            currency="euro",
            term_months=3,
            option_from=month(1),
            option_months=1,
            option_price=0.5,
        ),
        contract(
            "anchor",
            supplier="metlen",
            project="carried",
            sign_to=month(1),
            least_total=20,
            call_off_lot=2,
        ),
        contract("partner", supplier="metlen", project="granted", sign_to=month(1), take_or_pay=0),
        contract("older", supplier="trader", price_index="market", take_or_pay=0, upside_share=0.1,
                 upside_trigger=10, upside_cap=5, prepayment=9, credit=1, term_months=6),
    )  # fmt: skip
    levels = (
        floor(9, 120, escalation=0.03),
        floor(10, 240, "high"),
        floor(11, 60, name="hedge"),
        floor(None, 60, name="anchor", floor_index="cost", floor_factor=0.8),
        floor(5, 120, "high", name="anchor"),
        floor(45, 12, name="partner"),
        floor(55, 12, "high", name="partner"),
        floor(70, 12, name="older"),
    )
    indices = tuple(
        Price(date=month(t), values={"market": value, "cost": 8.0 + t, "euro": 1.1})
        for t, value in enumerate([10.0, 12.0, 16.0, 11.0, 13.0])
    )
    sites = (
        site("north", buyer="navy", capacity=80, cost=0.1, handling_in=0.2, handling_out=0.3),
        site("south", buyer="army"),
        site("depot"),
    )
    moved = (
        move("depot", "north", "road", material="ga", cost=0.1, lead_time_months=1, capacity=6),
        move("north", "depot", "back", capacity=3),
    )
    asked = (
        demand(15, 0, 4, buyer="navy"), demand(6, 1, 4, buyer="army"), demand(2, 1, 4, buyer="army", minimum_life_months=2),
        demand(3, 2, 4, material="in"),
        target(10, 2, buyer="navy"), target(20, 4, path="ramp", hard=True, buyer="navy"), target(5, 3, buyer="army"),
        target(None, 0, days=20, material="in", probability=0.5),
        demand(2, 3, 4, material="any indium"), target(1, 4, material="any indium"),
    )  # fmt: skip
    outlets = (
        outlet("sale", price=None, price_index="market", price_factor=0.7, age_discount=0.05, minimum_life_months=1, from_=month(0),
               to=month(4), capacity=10, cost=0.4, fund="nds", country="US", minimum_age_months=1, minimum_order=0.5, order_cost=0.5),
        outlet("flat", price=2, lot_size=0.5, currency="euro"), outlet("scrap", "dispose"),
        outlet("swap", "exchange", capacity=6, cost=0.5, lead_time_months=1),
        outlet("lend", "loan", capacity=3, months=2, yield_=1.02),
        outlet("check", "requalify", capacity=2, lot_size=0.5, cost=0.3, yield_=0.9, gain_months=2, times=2, lead_time_months=1),
        outlet("refine", "rework", capacity=4, cost=1, yield_=0.5, lead_time_months=1, to_material="in"),
    )  # fmt: skip
    rules = (
        Rule(
            rule="china",
            of="country",
            value="CN",
            material="ga",
            window="fiscal_year",
            least=0.001,
            most=0.6,
        ),
        Rule(rule="some", of="supplier", value="metlen", measure="quantity", least=10, most=500),
        Rule(rule="dear", of="supplier", value="trader", measure="spend", least=50, most=700),
        Rule(
            rule="few", of="offer", measure="count", material="ga", least=1, most=3, count_from=0.05
        ),
        Rule(rule="abroad", of="outlet_country", value="US", measure="share", most=0.9),
        Rule(
            rule="any",
            of="supplier",
            value="trader",
            measure="quantity",
            material="any indium",
            most=400,
        ),
    )
    money = (
        fund("nds", buyer="navy", keeps_receipts=True, receipts_left=5), fund("army", buyer="army"), fund("metal", uses=("purchase", "contract")),
        fund("industry", uses=("project",)), fund("common", uses=("storage", "rotation"), materials=("ga", "in")),
        budget(250, first=0, expires=1, pay_by=month(2)), budget(190, first=2), budget(300, "army"), budget(700, "metal"), budget(90, "industry"),
        budget(60, "common"),
    )  # fmt: skip
    decided = (
        commitment("order", "bulk", 12, 1, how="at_least"),
        commitment("sign", "anchor", level="high"),
        commitment("rotate", "swap", 9, how="at_most"),
        commitment("project", "granted", 1, 0),
        commitment(
            "sign",
            "older",
            None,
            -3,
            called_off=1,
            prepayment_left=4,
            upside_received=1,
            first_delivery=month(-2),
        ),
        commitment("rotate", "swap", 2, -1, site="depot"),
    )
    parts = (endowment("bulk", "navy", 0.4), endowment("bulk", "army", 0.6))
    lots = (
        lot(20, -1, site="north", requalified=1),
        lot(10, -3, "M", site="south"),
        lot(5, -9, "N", site="south"),
        lot(1, -3, "out", site="south", tested_by="check", left=month(-1)),
        lot(1, -3, "under way", moved_by="road", left=month(-1)),
        lot(1, -3, "unfit", site="south", failed=True),
    )
    jointly = (
        SupplierTerms(supplier="trader", minimum_value=40, order_cost=2, free_freight_from=120),
    )
    rows: tuple[Row, ...] = (
        *plants, *materials, *offers, *jointly, *breaks, *risen, *plans, *offtakes, *levels, *indices, *sites, *moved, *lots, *asked, *outlets, *rules, *money,
        *decided, *parts, in_transit(4, 1, ordered=month(-1), unpaid=30, site="north"), *more,
    )  # fmt: skip
    basis = {"periods": 5, "discount_rate": 0.04, "release_below_target": False}
    return book(*rows, **basis | settings)


def everything_uncertain() -> Stockpile:
    """The same over a tree of three scenarios, with risk."""
    rows = (
        scenario("glut", 0.3, 1),
        scenario("slump", 0.2, 3, follows="glut"),
        event("prices.market", "scale", 0.8, name="glut"),
        event("materials.shelf_life_months", "set", 3, 2, name="glut", row="ga"),
        event("offers.capacity", "set", 20, 3, 3, name="slump", row="spot"),
        replace(
            event("offers.capacity", "scale", 0.5, 2, 2, name="glut", row="spot"), feedstock=True
        ),
    )
    return everything(*rows, risk_weight=0.4, risk_tail=0.3)
