"""The tables that several blocks read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from stockpile_model.giving import FACT, NEED, POLICY, TERM, Give, Gives
from stockpile_model.schema import Row, column

OPERATING, ANNOUNCED = "operating", "announced"
STAGES = (OPERATING, "commissioning", "building", ANNOUNCED)
"""How far a plant is, the furthest first."""


@dataclass(frozen=True, kw_only=True)
class Settings(Row):
    """The sheet `settings`, one row for each name; here one field for each name."""

    TABLE = "settings"
    PURPOSE = (
        "The horizon, the units and what is minimised. One row for each name: columns `name` "
        "and `value`."
    )
    STEP = "basis"
    CERTAIN = True
    GIVES: ClassVar[Gives] = {
        "supply_stages": Give("default", POLICY),
        "order_step": Give("less", POLICY),
        "release_below_target": Give("default", POLICY),
        "firm_periods": Give("less", POLICY),
    }
    title: str = column("what this workbook plans", default="")
    start: dt.date = column("first day of the first period", required=True)
    periods: int = column(
        "number of periods in the horizon; a change (`--set`) that ends it earlier leaves out the "
        "demand, targets and commitments that lie beyond it then, with a warning each",
        "periods",
        required=True,
        least=1,
        most=1200,
    )
    period_months: int = column("length of a period", "months", default=1, choices=(1, 3, 6, 12))
    fiscal_year_start: int = column(
        "month in which a fiscal year begins", "month", default=10, least=1, most=12
    )
    quantity_unit: str = column("unit of every quantity", default="kg")
    currency: str = column("unit of all money, in real terms of the start date", default="USD")
    discount_rate: float = column("real discount rate", "1/year", default=0.0, above=-1.0, most=1.0)
    objective: str = column(
        "`cost`: least expected discounted cost; `shortfall_first`: least expected shortfall "
        "first, then least cost at that shortfall",
        default="cost",
        choices=("cost", "shortfall_first"),
    )
    supply_stages: tuple[str, ...] = column(
        "stages of supplier to count; blank = all",
        default=(),
        choices=STAGES,
    )
    risk_weight: float = column(
        "weight w of the tail: minimise (1-w)·mean + w·CVaR", "1", default=0.0, least=0, most=1
    )
    risk_tail: float = column(
        "share of the worst outcomes that CVaR averages", "1", default=0.1, above=0, most=1
    )
    after_horizon: str = column(
        "`charge`: the top-up above the reference that signed contracts bind after the horizon is "
        "part of the cost; `show`: it is only shown",
        default="charge",
        choices=("charge", "show"),
    )
    embargo_months: float = column(
        "length of the embargoes that an assessment of adequacy asks about",
        "months",
        default=12.0,
        above=0,
        most=120,
        whole_periods=True,
    )
    mip_gap: float = column(
        "proven relative gap at which the search may stop", "1", default=0.001, least=0, most=1
    )
    time_limit_seconds: float = column("time limit of the search", "s", default=300.0, above=0)
    threads: int = column(
        "threads of the solver; 0 = as many as it finds use for",
        "threads",
        default=0,
        least=0,
        most=2**31 - 1,
    )
    seed: int = column("seed of the solver's random choices", default=1, least=0, most=2**31 - 1)
    firm_periods: int | None = column(
        "minimum orders, lots and breaks are whole in this many periods and relaxed after; "
        "blank = whole everywhere",
        "periods",
        least=0,
    )
    release_below_target: bool = column(
        "`no`: metal that would count towards a target at the end of a period is not sold, lent or "
        "thrown away in it while that target is missed",
        default=True,
    )
    order_step: float | None = column(
        "orders, call-offs of free size and sales without a lot of their own are whole multiples "
        "of it within firm_periods; blank = any quantity",
        "quantity",
        above=0,
    )
    realised_scenario: str | None = column(
        "scenario that has come of the plan from which this workbook was rolled forward: what that "
        "plan announced for it is what a plan can stay near; blank = its base"
    )
    about: Mapping[str, Row] = field(
        default_factory=dict
    )  # by name: the row that gives it, with its source


@dataclass(frozen=True, kw_only=True)
class Price(Row):
    """A date and the value of every index on it.

    Prices are linear between dates, flat before the first and after the last.
    """

    TABLE = "prices"
    PURPOSE = (
        "Price indices: a date, then a column for each index. Linear between dates, flat "
        "before the first and after the last."
    )
    STEP = "basis"
    OPEN = "index"
    GIVES: ClassVar[Gives] = {"index": Give("either", FACT)}
    date: dt.date = column("date of the values", required=True, key=True)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Material(Row):
    """A material that is stockpiled."""

    TABLE = "materials"
    PURPOSE = "What is stockpiled, how long it keeps and what missing or old metal costs."
    STEP = "basis"
    GIVES: ClassVar[Gives] = {
        "shelf_life_months": Give("more", FACT, grows=True),
        "count_life_months": Give("less", POLICY),
        "shortage_cost": Give("priced", NEED),
        "holding_cost": Give("less", FACT),
        "disposal_cost": Give("less", FACT),
    }
    material: str = column("name of the material", required=True, key=True)
    shelf_life_months: float | None = column(
        "life from the day a lot is made; blank = unlimited",
        "months",
        above=0,
        whole_periods=True,
        stress="shorter",
    )
    count_life_months: float = column(
        "life a lot must still have to count towards a target",
        "months",
        default=0.0,
        least=0,
        age="left",
    )
    price_index: str | None = column(
        "index that values the stock", refers="prices", outlier="either"
    )
    closing_value: float = column(
        "share of the index price credited to stock left at the end, times remaining life / "
        "shelf life where life is limited",
        "1",
        default=0.0,
        least=0,
    )
    shortage_cost: float | None = column(
        "price of unmet demand; blank = demand must be met", "money/quantity", least=0
    )
    below_target_cost: float | None = column(
        "price of stock below a soft target, each period", "money/quantity/period", least=0
    )
    holding_cost: float = column(
        "holding cost on end-of-period stock, on top of the site's",
        "money/quantity/month",
        default=0.0,
        least=0,
    )
    disposal_cost: float = column(
        "cost of what expires or is thrown away", "money/quantity", default=0.0, least=0
    )
    group: str | None = column(
        "group to which it belongs, as the grades of one metal do; demand, targets and rules may "
        "name the group for all its materials together"
    )


@dataclass(frozen=True, kw_only=True)
class Site(Row):
    """A place where stock lies."""

    TABLE = "sites"
    PURPOSE = "Where stock lies. Without this table there is one site, free and unlimited."
    STEP = "basis"
    GIVES: ClassVar[Gives] = {
        "capacity": Give("more", TERM),
        "cost": Give("less", FACT),
        "handling_in": Give("less", FACT),
        "handling_out": Give("less", FACT),
    }
    site: str = column("name of the site", required=True, key=True)
    buyer: str | None = column("owner of the site; blank = serves all", owner=True)
    capacity: float | None = column(
        "most stock at period end, all materials together; blank = unlimited",
        "quantity",
        least=0,
        limit="most",
    )
    cost: float = column(
        "storage cost on end-of-period stock", "money/quantity/month", default=0.0, least=0
    )
    handling_in: float = column(
        "handling of every arrival and return", "money/quantity", default=0.0, least=0
    )
    handling_out: float = column(
        "handling of all that leaves for demand or rotation", "money/quantity", default=0.0, least=0
    )


@dataclass(frozen=True, kw_only=True)
class Supplier(Row):
    """A supplier, or one of its plants."""

    TABLE = "suppliers"
    PURPOSE = "Who makes the metal, where, how far the plant is and when it can first ship."
    STEP = "parties"
    GIVES: ClassVar[Gives] = {
        "start": Give("earlier", FACT),
        "stage": Give("default", FACT),
        "foreign_feedstock": Give("less", FACT),
    }
    supplier: str = column("name of the supplier or plant", required=True, key=True)
    country: str | None = column("country of the plant")
    bloc: str | None = column("bloc of the country", choices=("domestic", "allied", "other"))
    stage: str = column(
        "how far the plant is",
        default=OPERATING,
        choices=STAGES,
    )
    start: dt.date | None = column("date the plant can first ship; blank = it ships", stress="late")
    foreign_feedstock: float = column(
        "share of feedstock that originates in the restricted country, looked through",
        "1",
        default=0.0,
        least=0,
        most=1,
    )


@dataclass(frozen=True, kw_only=True)
class Project(Row):
    """A plant that exists only if it is helped."""

    TABLE = "projects"
    PURPOSE = (
        "Plants that exist only if helped: by a grant, or by a contract whose floor carries them."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "cost": Give("less", FACT),
        "match": Give("less", FACT),
        "decide_from": Give("earlier", TERM),
        "decide_to": Give("later", TERM),
        "ready_lag_months": Give("less", FACT),
        "breakeven_floor": Give("less", FACT),
        "capex": Give("less", FACT),
        "opex": Give("less", FACT),
        "rate": Give("less", FACT),
        "life_years": Give("more", FACT),
    }
    project: str = column("name of the project", required=True, key=True)
    supplier: str = column("whose plant it is", required=True, refers="suppliers")
    cost: float | None = column(
        "cost that a grant shares: all of cost x match is granted or nothing; with capex any part "
        "of it; blank = it cannot be granted",
        "money",
        least=0,
    )
    match: float = column(
        "the buyer's share of the cost if it grants", "1", default=1.0, least=0, most=1
    )
    decide_from: dt.date | None = column("first date of a grant; blank = from the start")
    decide_to: dt.date | None = column("last date of a grant; blank = to the end")
    ready_lag_months: float = column(
        "from going ahead to being ready",
        "months",
        default=0.0,
        least=0,
        whole_periods=True,
        stress="late",
    )
    breakeven_floor: float | None = column(
        "a contract signed at or above it makes the plant go ahead; blank = computed from the "
        "four columns that follow",
        "money/quantity",
        least=0,
    )
    capex: float | None = column(
        "capital cost of the plant; with it grant and floors carry the plant together: the grant "
        "and the present worth of the margins of the contracts signed with it must be capex",
        "money",
        least=0,
    )
    opex: float = column("running cost", "money/quantity", default=0.0, least=0)
    rate: float = column("cost of capital", "1/year", default=0.0, least=0, most=1)
    life_years: float | None = column("life of the plant", "years", above=0)
    permits: str | None = column("permits that it has, and those that it lacks", prose=True)
    output: float | None = column(
        "the plant's whole output, for the sheet of projects", "quantity/year", least=0
    )
    fund: str | None = column("fund that pays the grant; blank = any that may", refers="funds")
