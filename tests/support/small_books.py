"""Small random workbooks as plain tables, for the oracle and the planner to agree on.

`small_books()` draws a set of features of the contract and then a workbook that uses them, small
enough for brute force: 2 to 5 periods, 1 or 2 materials, a few offers, at most 2 contracts and a
project. Most can be met. `FEATURES` says for each feature how to take it out of a workbook again: a
test sees by that whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

Tables = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

PURCHASE_FEATURES = (
    "order_cost",
    "minimum_order",
    "lot_size",
    "total",
    "availability",
    "lead_time",
    "adder",
    "duty",
    "freight",
)


def blank(table: str, *columns: str) -> Callable[[Tables], None]:
    """Takes cells out, so that their defaults hold."""

    def take_out(tables: Tables) -> None:
        rows = tables.get(table, [])
        for row in [rows] if isinstance(rows, dict) else rows:
            for column in columns:
                row.pop(column, None)

    return take_out


def without(*names: str) -> Callable[[Tables], None]:
    """Takes whole tables out."""

    def take_out(tables: Tables) -> None:
        for name in names:
            tables.pop(name, None)

    return take_out


def kept(table: str, column: str, value: str) -> Callable[[Tables], None]:
    """Takes out the rows that have a value in a column."""

    def take_out(tables: Tables) -> None:
        tables[table] = [row for row in tables.get(table, []) if row.get(column) != value]

    return take_out


def no_past(kind: str) -> Callable[[Tables], None]:
    """Takes out the decisions of a kind before the start."""

    def take_out(tables: Tables) -> None:
        start = tables["settings"]["start"]
        tables["commitments"] = [
            row
            for row in tables.get("commitments", [])
            if row["kind"] != kind or (row.get("date") or start) >= start
        ]

    return take_out


def shortage_allowed(tables: Tables) -> None:
    for row in tables["materials"]:
        row["shortage_cost"] = 13


def flat_price(table: str) -> Callable[[Tables], None]:
    def take_out(tables: Tables) -> None:
        for row in tables.get(table, []):
            if row.pop("price_index", None):
                row["price"] = 10

    return take_out


def no_project(tables: Tables) -> None:
    tables.pop("projects", None)
    blank("offers", "project")(tables)
    blank("contracts", "project")(tables)
    kept("commitments", "kind", "project")(tables)


def no_buyers(tables: Tables) -> None:
    for table in ("sites", "demand", "targets", "funds"):
        blank(table, "buyer")(tables)


def metal_instead(tables: Tables) -> None:
    for row in tables.get("contracts", []):
        row["form"] = "purchase"


def flat_floor(tables: Tables) -> None:
    for row in tables.get("floors", []):
        if row.pop("floor_index", None):
            row.pop("floor_factor", None)
            row["floor"] = 6


def shown_only(tables: Tables) -> None:
    tables["settings"]["after_horizon"] = "show"


def flat_break(tables: Tables) -> None:
    for row in tables.get("price_breaks", []):
        if row.pop("premium", None) is not None:
            row["price"] = 7


def in_kind(tables: Tables) -> None:
    for row in tables.get("targets", []):
        if row.pop("days", None) is not None:
            row["quantity"] = 7


def receipts_new(tables: Tables) -> None:
    for table in ("offers", "contracts"):
        blank(table, "life_on_receipt_months")(tables)


def in_book_currency(tables: Tables) -> None:
    for table in ("offers", "contracts", "outlets"):
        blank(table, "currency")(tables)


def no_fees_abroad(tables: Tables) -> None:
    for row in tables.get("outlets", []):
        if row.get("currency"):
            row.pop("order_cost", None)


def no_groups(tables: Tables) -> None:
    """Puts the first material of a group in its place."""
    first = {}
    for row in tables["materials"]:
        if group := row.pop("group", None):
            first.setdefault(group, row["material"])
    for table in ("demand", "targets", "rules"):
        for row in tables.get(table, []):
            if row.get("material") in first:
                row["material"] = first[row["material"]]


FEATURES: dict[str, Callable[[Tables], None]] = {
    "discount": blank("settings", "discount_rate"),
    "shortfall_first": blank("settings", "objective"),
    "supply_stages": blank("settings", "supply_stages"),
    "supplier_start": blank("suppliers", "start"),
    "indexed_offer": flat_price("offers"),
    "premium": blank("offers", "premium"),
    "adder": blank("offers", "adder"),
    "duty": blank("offers", "duty"),
    "freight": blank("offers", "freight"),
    "offer_dates": blank("offers", "from", "to"),
    "capacity": blank("offers", "capacity"),
    "total": blank("offers", "total"),
    "minimum_order": blank("offers", "minimum_order"),
    "lot_size": blank("offers", "lot_size"),
    "order_cost": blank("offers", "order_cost"),
    "lead_time": blank("offers", "lead_time_months"),
    "pay_on_order": blank("offers", "payment"),
    "availability": blank("offers", "availability"),
    "offer_site": blank("offers", "site"),
    "currency": in_book_currency,
    "minimum_value": blank("order_terms", "minimum_value"),
    "joint_cost": blank("order_terms", "order_cost"),
    "free_freight": blank("order_terms", "free_freight_from"),
    "price_breaks": without("price_breaks"),
    "incremental": blank("price_breaks", "kind"),
    "break_premium": flat_break,
    "supply_curve": without("supply_curves"),
    "curve_of_a_year": blank("supply_curves", "window"),
    "contract": without("contracts", "floors"),
    "ceiling": blank("contracts", "ceiling"),
    "contract_discount": blank("contracts", "discount"),
    "take_or_pay": blank("contracts", "take_or_pay"),
    "flex": blank("contracts", "flex"),
    "least_per_period": blank("contracts", "least_per_period"),
    "least_total": blank("contracts", "least_total"),
    "call_off_lot": blank("contracts", "call_off_lot"),
    "call_off_cost": blank("contracts", "call_off_cost"),
    "signing_cost": blank("contracts", "signing_cost"),
    "prepayment": blank("contracts", "prepayment", "credit"),
    "option": blank("contracts", "option_from", "option_months", "option_price"),
    "contract_lead": blank("contracts", "lead_time_months"),
    "deliver_from": blank("contracts", "deliver_from"),
    "contract_duty": blank("contracts", "duty"),
    "contract_freight": blank("contracts", "freight"),
    "contract_availability": blank("contracts", "availability"),
    "escalation": blank("floors", "escalation"),
    "floor_index": flat_floor,
    "floor_factor": blank("floors", "floor_factor"),
    "cfd": metal_instead,
    "upside": blank("contracts", "upside_share", "upside_trigger", "upside_cap"),
    "upside_cap": blank("contracts", "upside_cap"),
    "after_horizon": shown_only,
    "project": no_project,
    "match": blank("projects", "match"),
    "decide_window": blank("projects", "decide_from", "decide_to"),
    "ready_lag": blank("projects", "ready_lag_months"),
    "breakeven": blank("projects", "breakeven_floor"),
    "computed_breakeven": blank("projects", "capex", "opex", "rate", "life_years"),
    "project_fund": blank("projects", "fund"),
    "shelf_life": blank("materials", "shelf_life_months", "count_life_months"),
    "count_life": blank("materials", "count_life_months"),
    "closing_value": blank("materials", "closing_value"),
    "holding_cost": blank("materials", "holding_cost"),
    "disposal_cost": blank("materials", "disposal_cost"),
    "hard_demand": shortage_allowed,
    "demand_life": blank("demand", "minimum_life_months"),
    "opening_stock": without("opening_stock"),
    "requalified_before": blank("opening_stock", "requalified"),
    "in_transit": without("in_transit"),
    "life_on_receipt": receipts_new,
    "site_capacity": blank("sites", "capacity"),
    "site_cost": blank("sites", "cost"),
    "handling": blank("sites", "handling_in", "handling_out"),
    "moves": without("moves"),
    "targets": without("targets"),
    "ramp": blank("targets", "path"),
    "hard_target": blank("targets", "hard"),
    "days_of_cover": in_kind,
    "sale": kept("outlets", "form", "sale"),
    "dispose": kept("outlets", "form", "dispose"),
    "exchange": kept("outlets", "form", "exchange"),
    "rework": kept("outlets", "form", "rework"),
    "requalify": kept("outlets", "form", "requalify"),
    "loan": kept("outlets", "form", "loan"),
    "yield": blank("outlets", "yield"),
    "outlet_lead": blank("outlets", "lead_time_months"),
    "age_discount": blank("outlets", "age_discount"),
    "minimum_life": blank("outlets", "minimum_life_months"),
    "outlet_capacity": blank("outlets", "capacity"),
    "outlet_cost": blank("outlets", "cost"),
    "outlet_index": flat_price("outlets"),
    "minimum_age": blank("outlets", "minimum_age_months"),
    "outlet_minimum": blank("outlets", "minimum_order"),
    "outlet_lot": blank("outlets", "lot_size"),
    "outlet_fee": blank("outlets", "order_cost"),
    "leaving_rule": kept("rules", "rule", "leaving"),
    "keep_below": blank("settings", "release_below_target"),
    "order_step": blank("settings", "order_step"),
    "share_rule": kept("rules", "measure", "share"),
    "quantity_rule": kept("rules", "measure", "quantity"),
    "spend_rule": kept("rules", "measure", "spend"),
    "count_rule": kept("rules", "measure", "count"),
    "buyers": no_buyers,
    "buyer_funds": blank("funds", "buyer"),
    "budget": without("funds", "budgets"),
    "budget_from": blank("budgets", "from"),
    "expires": blank("budgets", "expires"),
    "fund_uses": blank("funds", "uses"),
    "fund_materials": blank("funds", "materials"),
    "keeps_receipts": blank("funds", "keeps_receipts"),
    "committed_order": kept("commitments", "kind", "order"),
    "committed_signature": kept("commitments", "kind", "sign"),
    "committed_rotation": kept("commitments", "kind", "rotate"),
    "committed_project": kept("commitments", "kind", "project"),
    # Together they are more than each alone.
    "breaks_for_buyers": without("price_breaks"),
    "breaks_paid_on_order": without("price_breaks"),
    "breaks_in_lots": without("price_breaks"),
    "breaks_in_a_rule": without("price_breaks"),
    "carried_by_cfd": blank("projects", "breakeven_floor"),
    "carried_at_an_index": blank("projects", "breakeven_floor"),
    "contract_of_buyers": without("contracts", "floors"),
    "orders_counted": kept("rules", "measure", "count"),
    "fee_abroad": no_fees_abroad,
    "groups": no_groups,
    "group_target": no_groups,
    "pay_by": blank("budgets", "pay_by"),
    "orders_in_full": blank("offers", "availability"),
    "contract_in_full": blank("contracts", "availability"),
}
"""Each feature, and how to take it out of a workbook in place."""

PLAIN = tuple(FEATURES)
FEATURES |= {
    "scenarios": without("scenarios", "events"),
    "multi_stage": blank("scenarios", "follows"),
    "outage": kept("events", "column", "availability"),
    "delay": kept("events", "column", "start"),
    "cut": kept("events", "table", "budgets"),
    "demand_event": kept("events", "table", "demand"),
    "embargo": kept("events", "note", "embargo"),
    "any_event": kept("events", "note", "any"),
    "risk": blank("settings", "risk_weight"),
    "chance": blank("targets", "probability"),
    "failing_in_full": kept("events", "column", "availability"),
}
TREES = tuple(
    name for name in FEATURES if name not in PLAIN
)  # drawn only where one is asked for: brute force takes its time

EARLIER = ("signed_before", "gone_before", "ordered_before")
FEATURES |= {
    name: no_past(kind) for name, kind in zip(EARLIER, ("sign", "project", "order"), strict=True)
}  # drawn only where one is asked for, so that the others stay as they are

NEEDS = {
    "signed_before": ("contract",),
    "gone_before": ("project",),
    "ordered_before": ("lead_time",),
    "premium": ("indexed_offer",),
    "free_freight": ("freight",),
    **dict.fromkeys(
        (
            "ceiling",
            "contract_discount",
            "take_or_pay",
            "flex",
            "signing_cost",
            "contract_lead",
            "deliver_from",
            "contract_duty",
        ),
        ("contract",),
    ),
    **dict.fromkeys(
        ("contract_freight", "contract_availability", "escalation", "floor_index", "upside"),
        ("contract",),
    ),
    "least_per_period": ("contract", "take_or_pay"),
    "least_total": ("contract",),
    "call_off_lot": ("contract", "take_or_pay"),
    "call_off_cost": ("contract", "take_or_pay"),
    "prepayment": ("contract", "take_or_pay"),
    "option": ("contract",),
    "incremental": ("price_breaks",),
    "break_premium": ("price_breaks", "indexed_offer"),
    "supply_curve": ("indexed_offer",),
    "curve_of_a_year": ("indexed_offer", "supply_curve"),
    "floor_factor": ("contract", "floor_index"),
    "after_horizon": ("contract",),
    "cfd": ("contract", "upside"),
    "upside_cap": ("contract", "upside"),
    **dict.fromkeys(("match", "decide_window", "ready_lag"), ("project",)),
    **dict.fromkeys(("breakeven", "computed_breakeven"), ("project", "contract")),
    "project_fund": ("project", "budget"),
    "exchange": ("shelf_life", "opening_stock"),
    "requalify": ("shelf_life", "opening_stock"),
    "requalified_before": ("requalify", "shelf_life", "opening_stock"),
    "loan": ("opening_stock", "outlet_capacity", "sale"),
    "yield": ("exchange", "shelf_life", "opening_stock"),
    "outlet_lead": ("exchange", "shelf_life", "opening_stock"),
    "buyer_funds": ("buyers", "budget"),
    "buyers": ("opening_stock", "site_cost"),
    "breaks_for_buyers": ("price_breaks", "buyers", "buyer_funds", "budget"),
    "breaks_paid_on_order": ("price_breaks", "pay_on_order", "availability", "lead_time"),
    "breaks_in_lots": ("price_breaks", "lot_size", "order_cost"),
    "breaks_in_a_rule": ("price_breaks", "spend_rule"),
    "carried_by_cfd": ("project", "contract", "breakeven", "cfd", "upside"),
    "carried_at_an_index": ("project", "contract", "breakeven", "floor_index"),
    "contract_of_buyers": ("contract", "buyers", "buyer_funds", "budget"),
    "orders_counted": ("count_rule", "minimum_order"),
    "fee_abroad": ("outlet_fee", "currency", "sale", "opening_stock"),
    "committed_signature": ("contract",),
    "committed_rotation": ("opening_stock", "sale"),
    "committed_project": ("project",),
    "count_life": ("shelf_life", "targets"),
    "group_target": ("groups", "targets"),
    "demand_life": ("shelf_life", "opening_stock"),
    "life_on_receipt": ("shelf_life",),
    "disposal_cost": ("shelf_life", "opening_stock"),
    "ramp": ("targets",),
    "hard_target": ("targets",),
    "days_of_cover": ("targets",),
    "age_discount": ("sale", "shelf_life"),
    "minimum_life": ("sale", "shelf_life", "opening_stock"),
    "outlet_capacity": ("sale",),
    "outlet_cost": ("sale",),
    "outlet_index": ("sale",),
    "minimum_age": ("sale", "shelf_life", "opening_stock"),
    **dict.fromkeys(("outlet_minimum", "outlet_lot", "outlet_fee"), ("sale", "opening_stock")),
    "keep_below": ("targets", "sale", "shelf_life", "opening_stock"),
    "leaving_rule": ("sale", "dispose", "opening_stock"),
    "dispose": ("opening_stock", "holding_cost"),
    "pay_on_order": ("discount", "lead_time"),
    "offer_site": ("site_cost",),
    "site_capacity": ("targets",),
    "moves": ("site_cost", "opening_stock"),
    **dict.fromkeys(("budget_from", "expires", "fund_uses", "fund_materials"), ("budget",)),
    "keeps_receipts": ("budget", "sale", "opening_stock"),
    "pay_by": ("budget", "expires", "lead_time"),
    "orders_in_full": ("budget", "availability", "lead_time"),
    "contract_in_full": ("contract", "budget", "contract_availability"),
    "failing_in_full": ("scenarios", "outage", "budget", "lead_time"),
    **dict.fromkeys([name for name in TREES if name != "failing_in_full"], ("scenarios",)),
    "cut": ("scenarios", "budget"),
    "chance": ("scenarios", "targets"),
    "demand_event": ("scenarios", "holding_cost"),
}

BRANCHING = (
    "order_step",
    "order_cost",
    "minimum_order",
    "lot_size",
    "price_breaks",
    "count_rule",
    "call_off_lot",
    "call_off_cost",
    "prepayment",
    "minimum_value",
    "joint_cost",
    "free_freight",
    "outlet_minimum",
    "outlet_lot",
    "outlet_fee",
    "leaving_rule",
    "keep_below",
    "option",
)  # what brute force takes its time for
SHARES = (
    "availability",
    "take_or_pay",
    "least_per_period",
    "discount",
    "age_discount",
    "upside_share",
    "match",
    "foreign_feedstock",
    "least",
    "most",
    "premium",
)
ENDS = (
    "to",
    "expires",
    "pay_by",
    "sign_to",
    "decide_to",
    "deliver_from",
)  # dates that may be later and fit the rest of their row


GROUP = "metals"
NAMED = {"offers": "offer", "contracts": "contract", "outlets": "outlet", "projects": "project"}


def take_out(tables: Tables, feature: str) -> Tables:
    """The workbook without a feature, as a copy."""
    result = deepcopy(tables)
    FEATURES[feature](result)
    # What speaks of a row that is gone goes with it, lest a workbook that nothing can meet be taken
    # for a difference.
    names = {row[key] for table, key in NAMED.items() for row in result.get(table, [])}
    gone = {row["contract"]: row["material"] for row in tables.get("contracts", [])}
    for row in result.get("in_transit", []):
        if row["name"] not in names and row["name"] in gone:
            row["name"] = (
                f"spot {gone[row['name']]}"  # what was to come under it comes all the same
            )
    if "commitments" in result:
        result["commitments"] = [row for row in result["commitments"] if row["name"] in names]
    if "rules" in result:
        result["rules"] = [
            row
            for row in result["rules"]
            if row["of"] not in ("contract", "outlet") or row.get("value") in {None, *names}
        ]
    return result


def _branches(name: str) -> bool:
    """Whether a feature, or what it needs, is one that brute force takes its time for."""
    return not {name, *NEEDS.get(name, ())}.isdisjoint(BRANCHING)


@st.composite
def small_books(draw: Draw, feature: str | None = None) -> Tables:
    """A workbook with a few features, `feature` surely among them."""
    if feature in TREES:
        some, trees = (
            st.lists(st.sampled_from(PLAIN), min_size=1, max_size=5, unique=True),
            st.lists(st.sampled_from(TREES), max_size=2),
        )
        names, more = draw(some), draw(trees)
        # With a weight on risk what is done on one path matters to what is best on another: too
        # many ways for brute force.
        branching = [
            name
            for name in BRANCHING
            if draw(st.integers(0, 9)) == 0 and "risk" not in {feature, *more}
        ][:1]
        names = [*(name for name in names if not _branches(name)), *branching, *more]
    else:
        names = draw(st.lists(st.sampled_from(PLAIN), min_size=3, max_size=9, unique=True))
        branching = [name for name in names if _branches(name)][:1]
        names = [*(name for name in names if not _branches(name)), *branching]
    return _Drawing(draw, {*names, *([feature] if feature else [])}).tables()


class _Drawing:
    """A workbook being drawn: `has` is the set of its features."""

    def __init__(self, draw: Draw, features: set[str]) -> None:
        self.draw = draw
        self.has = features | {needed for name in features for needed in NEEDS.get(name, ())}
        if "signed_before" in self.has:
            self.has -= {"committed_signature"}
        if "gone_before" in self.has:
            self.has -= {"committed_project"}
        self.months = self.pick(1, 1, 3, 6, 12)
        if "escalation" in self.has:
            self.months = self.pick(3, 6, 12)
        self.least = 3 if self.has & {"committed_signature", "ready_lag", "outlet_lead"} else 2
        long = {3: 5, 6: 4}.get(self.months, 3) if "escalation" in self.has else self.least
        if "scenarios" in self.has:
            long = max(long, 2 + ("multi_stage" in self.has))
            # What is committed may not be possible in any scenario: the reader refuses that.
            self.has -= {
                "committed_order",
                "committed_signature",
                "committed_rotation",
                "committed_project",
            }
        self.periods = self.number(long, max(long, 3 if "scenarios" in self.has else 4))
        self.start = self.pick(date(2027, 1, 1), date(2027, 7, 1), date(2027, 10, 15))
        self.life = self.periods  # the shortest of a material [periods]
        self.lives: dict[str, int | None] = {}  # of each material [periods]
        self.names = ["gallium", "indium"][
            : 2 if self.has & {"fund_materials", "rework", "groups"} else self.pick(1, 1, 2)
        ]
        self.sites = (
            ["north", "south"]
            if self.has
            & {"site_capacity", "site_cost", "handling", "offer_site", "buyers", "moves"}
            else []
        )

    def pick(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def number(self, least: int, most: int) -> int:
        return int(self.draw(st.integers(least, most)))

    def only(self, feature: str, *values: Any) -> Any:
        """One of the values where the workbook has the feature, else a blank."""
        return self.pick(*values) if feature in self.has else None

    def day(self, t: int, *later: int) -> date:
        """A date inside a period, which may be before the start; its first mostly, unless told how
        many days later.
        """
        months = self.start.month - 1 + t * self.months
        first = date(self.start.year + months // 12, months % 12 + 1, self.start.day)
        return first + timedelta(self.pick(*(later or (0, 0, 9))))

    def end(self, t: int) -> date:
        """A date inside a period on which something ends."""
        return self.day(t, 9, 27)

    def period(self) -> int:
        return self.number(0, self.periods - 1)

    def tables(self) -> Tables:
        tables: Tables = {
            "settings": self.settings(),
            "materials": [self.material(name) for name in self.names],
            "suppliers": [self.supplier(name, i) for i, name in enumerate(["Metlen", "Pavlodar"])],
            "prices": self.prices(),
            "demand": [
                self.demand(name)
                for name in self.names
                for _ in range(
                    self.pick(2, 3)
                    if "demand_life" in self.has
                    else self.pick(
                        1, 1, 2, int("targets" not in self.has or "demand_event" in self.has)
                    )
                )
            ],
        }
        tables["offers"] = self.offers()
        if "price_breaks" in self.has:
            tables["price_breaks"] = self.price_breaks(
                next(row for row in tables["offers"] if row["offer"] == "F0")
            )
        if self.has & {"minimum_value", "joint_cost", "free_freight"}:
            tables["order_terms"] = [self.order_terms(tables["offers"])]
        if "supply_curve" in self.has:
            tables["supply_curves"] = self.supply_curves(tables["offers"])
        if "project" in self.has:
            tables["projects"] = [self.project()]
        if self.sites:
            tables["sites"] = [self.site(name) for name in self.sites]
        if "moves" in self.has:
            tables["moves"] = self.moves()
        if "opening_stock" in self.has:
            tables["opening_stock"] = [self.lot(i) for i in range(self.pick(1, 1, 2))]
        if "targets" in self.has:
            tables["targets"] = self.targets()
        if "contract" in self.has:
            tables["contracts"], tables["floors"] = self.contracts()
        if forms := [
            form
            for form in ("sale", "dispose", "exchange", "rework", "requalify", "loan")
            if form in self.has
        ]:
            tables["outlets"] = [self.outlet(form) for form in forms]
        if "in_transit" in self.has:
            tables["in_transit"] = self.in_transit(tables)
        if rules := [
            measure
            for measure in ("share", "quantity", "spend", "count")
            if f"{measure}_rule" in self.has
        ]:
            contracts = [row["contract"] for row in tables.get("contracts", [])]
            tables["rules"] = [
                self.rule(measure, [row["offer"] for row in tables["offers"]], contracts)
                for measure in rules
            ]
        if "leaving_rule" in self.has:
            tables.setdefault("rules", []).append(self.leaving_rule(tables["outlets"]))
        if "budget" in self.has:
            tables["funds"], tables["budgets"] = self.funds()
        tables["commitments"] = self.commitments(tables)
        if "scenarios" in self.has:
            tables["scenarios"], tables["events"] = self.scenarios(), self.events(tables)
        return {
            name: [_filled(row) for row in rows] if isinstance(rows, list) else _filled(rows)
            for name, rows in tables.items()
            if rows
        }

    def settings(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "periods": self.periods,
            "period_months": self.months,
            "fiscal_year_start": self.pick(None, 1, 4, 10),
            "discount_rate": self.only("discount", 0.05, 0.1),
            "objective": self.only("shortfall_first", "shortfall_first"),
            "supply_stages": self.only("supply_stages", "operating", "operating, commissioning"),
            "risk_weight": self.only("risk", 0.25, 0.5, 1),
            "risk_tail": self.only("risk", None, 0.3, 0.6),
            "release_below_target": self.only("keep_below", "no"),
            "order_step": self.only("order_step", 3, 5),
            "mip_gap": 0,
        }

    def material(self, name: str) -> dict[str, Any]:
        # A target asks for stock that lives on; the reader refuses one that no lot can ever meet.
        life = self.only(
            "shelf_life", *((2, 3) if self.has & {"targets", "minimum_life"} else (1, 2, 2, 3))
        )
        self.life = min(self.life, life or self.life)
        self.lives[name] = life
        return {
            "material": name,
            "group": self.only("groups", GROUP),
            "shelf_life_months": life and life * self.months,
            "count_life_months": (
                self.pick(self.months, (life - 1) * self.months)
                if life and "count_life" in self.has
                else None
            ),
            "price_index": "rotterdam",
            "closing_value": self.only("closing_value", 0.25, 0.5, 0.9),
            "shortage_cost": None if "hard_demand" in self.has else self.pick(13, 30, 45),
            "below_target_cost": self.pick(4, 10, 25),
            "holding_cost": self.only("holding_cost", 0.25, 1, 3),
            "disposal_cost": self.only("disposal_cost", 2, 5, 20),
        }

    def supplier(self, name: str, i: int) -> dict[str, Any]:
        return {
            "supplier": name,
            "country": ["GR", "KZ"][i],
            "bloc": ["allied", "other"][i],
            "stage": ["operating", self.pick("commissioning", "announced")][i],
            "start": self.day(self.number(0, 1)) if "supplier_start" in self.has else None,
            "foreign_feedstock": self.pick(*([None, 0.25], [0.5, 1])[i]),
        }

    def prices(self) -> list[dict[str, Any]]:
        days = [
            self.day(-1),
            self.day(self.number(0, 1)) + timedelta(40),
            self.day(self.periods) + timedelta(80),
        ]
        return [
            {"date": day, "rotterdam": self.number(6, 20), "china": self.number(4, 12)}
            | ({"euro": self.pick(0.5, 1.25, 2)} if "currency" in self.has else {})
            for day in days[self.number(0, 1) :]
        ]

    def site(self, name: str) -> dict[str, Any]:
        return {
            "site": name,
            "buyer": self.only("buyers", *(["A"] if name == "north" else ["B", "B", None])),
            "capacity": (
                self.only("site_capacity", 5, 9)
                if name == "north"
                else self.only("site_capacity", None, 6, 12)
            ),
            "cost": self.only("site_cost", 0.25, 0.5, 1, 2),
            "handling_in": self.only("handling", None, 0.5, 1),
            "handling_out": self.only("handling", 0.5, 2),
        }

    def moves(self) -> list[dict[str, Any]]:
        """From one site to the other, and now and then back."""
        ways = (
            self.pick(self.sites, [*reversed(self.sites)]),
            [*self.sites],
            [*reversed(self.sites)],
        )
        chosen = self.pick(ways[:1], ways[:1], ways[1:])
        return [
            {
                "move": f"M{i}",
                "from_site": origin,
                "to_site": end,
                "material": self.pick(None, None, *self.names),
                "cost": self.pick(None, 0.5, 2),
                "lead_time_months": self.pick(None, None, self.months, 2 * self.months),
                "capacity": self.pick(None, 4, 9),
            }
            for i, (origin, end) in enumerate(chosen)
        ]

    def lot(self, i: int) -> dict[str, Any]:
        return {
            "lot": f"L{i}",
            "material": self.pick(*self.names),
            "site": self.pick(*self.sites) if self.sites else None,
            "quantity": self.pick(5, 12, 30),
            "made": self.day(self.pick(-1, -1, -2, -4)),
            "requalified": self.only("requalified_before", 1, 1, 2),
        }

    def demand(self, name: str) -> dict[str, Any]:
        first = self.period()
        last = self.number(first, self.periods - 1)
        return {
            "material": self.only("groups", name, GROUP) or name,
            "buyer": self.only("buyers", "A", "B", "B", None),
            "from": self.day(first),
            "to": self.pick(None, self.end(last), self.end(last)),
            "quantity": self.pick(7, 10, 24),
            "minimum_life_months": self.only(
                "demand_life", *(periods * self.months for periods in (0, 1, 2, 2, 3))
            ),
        }

    def offers(self) -> list[dict[str, Any]]:
        """One plain offer of each material, dear but there, and one or two that the features shape."""
        plain = [
            {
                "offer": f"spot {name}",
                "supplier": "Metlen",
                "material": name,
                "price": self.pick(12, 17),
                "capacity": self.pick(20, 40),
            }
            for name in self.names
        ]
        return plain + [
            self.offer(i) for i in range(1 if "scenarios" in self.has else self.pick(1, 1, 2))
        ]

    def offer(self, i: int) -> dict[str, Any]:
        first = self.number(-1, self.periods - 1)
        indexed = "indexed_offer" in self.has
        # Without it a credit for stock, or a sale without a limit, could earn money without end;
        # and of what goes in an exchange nothing tells how much could be used, which the reader
        # wants to know of an order with a minimum, a cost or a break.
        limited = {"capacity", "closing_value", "exchange", "rework", "loan"} & self.has or (
            "sale" in self.has and "outlet_capacity" not in self.has
        )
        lot, least = self.only("lot_size", 4, 9), self.only("minimum_order", 6, 14, 20)
        material = self.names[0] if "supply_curve" in self.has else self.pick(*self.names)
        smallest = -(-(least or 1) // (lot or 1)) * (
            lot or 1
        )  # the reader refuses an offer that allows no order
        return {
            "offer": f"F{i}",
            "supplier": self.pick("Metlen", "Pavlodar", "Pavlodar"),
            "material": material,
            "price": None if indexed else self.price(i),
            "price_index": self.pick("rotterdam", "china") if indexed else None,
            "premium": self.only("premium", 0.1, -0.2, 0.25),
            "adder": self.only("adder", 0.5, 2),
            "duty": self.only("duty", 0.03, 0.25),
            "freight": self.only("freight", 0.5, 1.5),
            "from": self.day(first) if "offer_dates" in self.has else None,
            "to": self.end(self.number(first, self.periods)) if "offer_dates" in self.has else None,
            "capacity": max(smallest, self.pick(8, 15, 25)) if limited else None,
            "total": max(smallest, self.pick(10, 22, 35)) if "total" in self.has else None,
            "minimum_order": least,
            "lot_size": lot,
            "order_cost": self.only("order_cost", 15, 40, 90),
            "lead_time_months": self.only("lead_time", self.months, 2 * self.months),
            "payment": self.only("pay_on_order", "order"),
            "availability": self.only("availability", 0.5, 0.8, 0.9),
            "site": self.pick(*self.sites) if "offer_site" in self.has else None,
            "project": "plant" if not i and "project" in self.has else None,
            "life_on_receipt_months": self.received(material),
            "currency": self.only(  # a curve is of one currency
                "currency", *([] if "supply_curve" in self.has else [None]), "euro", "euro"
            ),
        }

    def in_transit(self, tables: Tables) -> list[dict[str, Any]]:
        """Metal ordered before the start, under an offer or an offtake of metal."""
        names = [row["offer"] for row in tables["offers"]]
        names += [row["contract"] for row in tables.get("contracts", []) if row["form"] != "cfd"]
        return [
            {
                "name": name,
                "arrives": self.day(self.number(0, self.periods - 1)),
                "quantity": self.pick(1, 3, 6),
                "unpaid": self.pick(None, 5, 20),
                "ordered": (
                    self.pick(None, self.day(-1, 3), self.day(-2, 3))
                    if "budget_from" in self.has
                    else None
                ),
                "site": self.pick(None, *self.sites),
            }
            for name in dict.fromkeys(self.pick(*names) for _ in range(self.pick(1, 1, 2)))
        ]

    def received(self, material: str) -> int | None:
        """The life with which a material is received [months]."""
        life = self.lives[material] if "life_on_receipt" in self.has else None
        return None if life is None else self.number(1, life) * self.months

    def order_terms(self, offers: list[dict[str, Any]]) -> dict[str, Any]:
        """What the supplier of the offers that features shape asks for all of its offers."""
        return {
            "supplier": offers[-1]["supplier"],
            "minimum_value": self.only("minimum_value", 60, 120, 200),
            "order_cost": self.only("joint_cost", 15, 40),
            "free_freight_from": self.only("free_freight", 50, 90, 150),
        }

    def price(self, i: int) -> int:
        if not i and "project" in self.has:
            return int(self.pick(2, 4, 6))
        return int(self.pick(9, 14) if "contract" in self.has else self.pick(5, 8, 11))

    def price_breaks(self, offer: dict[str, Any]) -> list[dict[str, Any]]:
        """One or two, falling; but one that rises now and then where a single buyer pays."""
        own, premium = offer["price"], offer["premium"] or 0
        rises = "buyers" not in self.has and self.pick(True, False, False, False)
        by_premium = "break_premium" in self.has
        first = self.pick(6, 9, 13)
        rows = []
        for k, quantity in enumerate([first, first + self.pick(3, 8)][: self.number(1, 2)]):
            less = self.pick(0.75, 0.9) - 0.25 * k
            price = (
                None
                if by_premium
                else self.pick(4, 6) - k
                if own is None
                else own + 2 + k
                if rises
                else own * less
            )
            rows.append(
                {
                    "offer": offer["offer"],
                    "from_quantity": quantity,
                    "price": price,
                    "premium": (
                        premium + (0.1 * (k + 1) if rises else -0.25 * (k + 1))
                        if by_premium
                        else None
                    ),
                    "kind": self.only("incremental", "incremental"),
                }
            )
        return rows

    def supply_curves(self, offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One or two steps for each index that prices an offer."""
        rows = []
        for index in sorted({row["price_index"] for row in offers if row.get("price_index")}):
            first, window = self.pick(0, 2, 5), self.only("curve_of_a_year", "fiscal_year")
            rise = self.pick(0.1, 0.25, 0.5)
            rows += [
                {
                    "index": index,
                    "from_quantity": first + 4 * k,
                    "rise": rise * (1 + 2 * k),
                    "window": window,
                }
                for k in range(self.number(1, 2))
            ]
        return rows

    def project(self) -> dict[str, Any]:
        carried, computed = (
            bool(self.has & {"breakeven", "computed_breakeven"}),
            "computed_breakeven" in self.has,
        )
        capex = self.pick(3, 6, 9) * 8 * 12 // self.months if computed else None
        # What is committed can be done at all, also with a quarter of the cost.
        costs = (4 * capex,) if capex and "committed_project" in self.has else (10, 25, 60)
        return {
            "project": "plant",
            "supplier": (
                "Metlen"
                if {"supply_stages", "committed_project"} <= self.has
                else self.pick("Metlen", "Pavlodar")
            ),
            "cost": (
                self.pick(*costs, *(() if capex is None else (capex,)))
                if "committed_project" in self.has or not carried or self.pick(True, False)
                else None
            ),
            "match": self.only("match", 0.25, 0.5),
            "decide_from": self.only("decide_window", self.day(0), self.day(1), self.day(1)),
            "decide_to": (
                self.end(1) if "scenarios" in self.has else self.only("decide_window", self.end(1))
            ),
            "ready_lag_months": self.only("ready_lag", self.months, self.months, 2 * self.months),
            "breakeven_floor": None if computed else self.only("breakeven", 4, 5, 8),
            "capex": capex,
            "opex": self.pick(None, 0.5, 1) if computed else None,
            "rate": self.pick(None, 0.1) if computed else None,
            "life_years": self.pick(2, 3) if computed else None,
            "fund": self.only("project_fund", "special", "special", "general"),
        }

    def contracts(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        contracts, floors = [], []
        tree = "scenarios" in self.has
        for i in range(1 if tree else self.pick(1, 1, 1, 2)):
            first = (
                0
                if "committed_signature" in self.has or (tree and "project" in self.has)
                else self.number(0, 1)
            )
            tied = self.has & {"ceiling", "contract_discount", "upside"}
            carries = not i and self.has & {"breakeven", "computed_breakeven"}
            material = self.pick(*self.names)
            only_operating = "supply_stages" in self.has and (
                carries or "committed_signature" in self.has
            )
            contracts.append(
                {
                    "contract": f"K{i}",
                    "supplier": "Metlen" if only_operating else self.pick("Metlen", "Pavlodar"),
                    "material": material,
                    "form": "cfd" if not i and "cfd" in self.has else "purchase",
                    "price_index": (
                        "rotterdam" if tied else self.pick("rotterdam", "rotterdam", "china", None)
                    ),
                    "discount": self.only("contract_discount", 0.1, 0.3),
                    "ceiling": self.only("ceiling", 8, 11),
                    "upside_share": self.only("upside", 0.5, 0.8),
                    "upside_trigger": self.only("upside", 5, 9),
                    "upside_cap": self.only("upside_cap", 20, 60),
                    "sign_from": self.pick(self.day(first), None) if not first else self.day(first),
                    "sign_to": self.end(first + (0 if tree else self.pick(0, 1 - i))),
                    "deliver_from": self.only(
                        "deliver_from", self.day(0), self.day(1), self.day(2), self.day(2)
                    ),
                    "term_months": self.pick(
                        None,
                        self.months * self.number(1, self.periods),
                        self.months * self.number(1, self.periods),
                    ),
                    "take_or_pay": self.only("take_or_pay", 0, 0.5, 0.8),
                    "flex": self.only("flex", 1.25, 2),
                    "least_per_period": self.only("least_per_period", 0.25, 0.5),
                    "least_total": self.only("least_total", 6, 15, 30),
                    "call_off_lot": self.only("call_off_lot", 3, 4, 5),
                    "call_off_cost": self.only("call_off_cost", 4, 12, 30),
                    "signing_cost": self.only("signing_cost", 10, 50),
                    "prepayment": self.only("prepayment", 10, 40, 100),
                    "credit": self.only("prepayment", 1, 3, 20),
                    "option_from": self.only("option", None, None, self.day(0), self.day(1)),
                    "option_months": self.only("option", self.months, 2 * self.months),
                    "option_price": self.only("option", None, 2, 10),
                    "lead_time_months": self.only("contract_lead", self.months),
                    "duty": self.only("contract_duty", 0.1),
                    "freight": self.only("contract_freight", 1, 3),
                    "availability": self.only("contract_availability", 0.5, 0.9),
                    "currency": self.only("currency", None, "euro"),
                    "project": "plant" if carries else None,
                    "life_on_receipt_months": self.received(material),
                }
            )
            if "after_horizon" in self.has:
                contracts[-1]["term_months"] = 12 * self.number(self.periods, 2 * self.periods)
            if "escalation" in self.has:
                contracts[-1] |= {
                    "sign_from": self.day(0),
                    "sign_to": self.end(0),
                    "term_months": self.months * self.periods,
                }
            if "option" in self.has:
                longest = max(1, self.periods - 1)
                contracts[-1]["term_months"] = self.months * self.number(1, longest)
            # A floor above the market is bound, and charged, after the horizon too.
            foot = 4 if "after_horizon" in self.has else 0
            for k in range(self.number(1, 2 if tree else 3 - i)):
                even = self.pick(5, 8, 12) + 4 * k
                floors.append(
                    {
                        "contract": f"K{i}",
                        "level": f"f{k}",
                        "floor": None
                        if "floor_index" in self.has
                        else self.pick(3, 6) + foot + 2 * k,
                        "floor_index": self.only("floor_index", "china"),
                        "floor_factor": self.only("floor_factor", 0.5, 0.8, 1.1),
                        "annual_quantity": even * 12 // self.months,
                        "escalation": self.only("escalation", 0.1, 0.25),
                    }
                )
        return contracts, floors

    def targets(self) -> list[dict[str, Any]]:
        rows = []
        names = [GROUP, *self.names[:1]] if "group_target" in self.has else self.names
        for name in names:
            for t in sorted(
                {self.pick(-1, self.period(), self.period()) for _ in range(self.pick(1, 2))}
            ):
                buyer = self.only("buyers", "A", "B", None)
                path, hard = (
                    self.only("ramp", "ramp", "ramp", "step"),
                    self.only("hard_target", "yes", "yes", "no"),
                )
                row = {
                    "material": name,
                    "buyer": buyer,
                    "from": self.day(t),
                    "quantity": self.pick(6, 10, 20),
                    "path": path,
                    "hard": hard,
                    "probability": self.only("chance", "0.25", "0.5", "0.7", None),
                }
                if "days_of_cover" in self.has and self.pick(True, True, False):
                    row |= {"quantity": None, "days": self.pick(20, 45, 100)}
                rows.append(row)
        return rows

    def outlet(self, form: str) -> dict[str, Any]:
        first = self.pick(0, 0, self.period())
        sale, test = form == "sale", form == "requalify"
        back, loan = test or form in ("exchange", "rework"), form == "loan"
        indexed = sale and "outlet_index" in self.has
        material = self.pick(*self.names)
        return {
            "outlet": form,
            "material": material,
            "to_material": (
                next(name for name in self.names if name != material) if form == "rework" else None
            ),
            "form": form,
            "from": self.pick(None, self.day(first)),
            "to": self.pick(None, None, self.end(self.number(first, self.periods - 1))),
            "capacity": self.pick(4, 9) if "outlet_capacity" in self.has else None,
            "price": self.pick(3, 9, 14) if sale and not indexed else self.fee(loan),
            "price_index": "rotterdam" if indexed else None,
            "price_factor": self.pick(None, 0.5, 0.9) if indexed else None,
            "age_discount": (
                self.pick(0.05, 0.3) / self.months if sale and "age_discount" in self.has else None
            ),
            "minimum_life_months": (
                min(self.life, 2) * self.months
                if form != "dispose" and "minimum_life" in self.has
                else None
            ),
            "cost": self.only("outlet_cost", 0.5, 2) if form != "dispose" else None,
            "currency": self.only("currency", None, "euro"),
            "yield": self.only("yield", 0.5, 0.8, 0.9) if back else self.premium(loan),
            "months": self.pick(1, 1, 2) * self.months if loan else None,
            "gain_months": self.pick(1, 2, 9) * self.months if test else None,
            "times": self.pick(None, 2) if test else None,
            "lead_time_months": (
                self.only("outlet_lead", self.months, 2 * self.months) if back else None
            ),
            "fund": "general" if (sale or loan) and "budget" in self.has else None,
            "country": self.only("leaving_rule", "GR", "KZ", "JP"),
            "minimum_age_months": self.only("minimum_age", self.months, 2 * self.months),
            "minimum_order": self.only("outlet_minimum", 2, 5),
            "lot_size": self.only("outlet_lot", 2, 3),
            "order_cost": self.only("outlet_fee", 3, 8),
        }

    def fee(self, loan: bool) -> float | None:
        return self.pick(None, 1, 4) if loan else None

    def premium(self, loan: bool) -> float | None:
        return self.pick(None, 1.1, 1.25) if loan else None

    def leaving_rule(self, outlets: list[dict[str, Any]]) -> dict[str, Any]:
        of = self.pick("outlet", "outlet_country")
        measure = self.pick("share", "quantity", "spend", "count")
        most = {"share": 0.5, "quantity": 3, "spend": 20, "count": 1}[measure]
        least = {"share": 0.4, "quantity": 2, "spend": 10, "count": 1}[measure]
        low = self.pick(True, False, False)
        values = [row["outlet"] if of == "outlet" else row["country"] for row in outlets]
        return {
            "rule": "leaving",
            "of": of,
            "value": self.pick(None, *values),
            "measure": measure,
            "window": self.pick("horizon", "period"),
            "least": least if low else None,
            "most": None if low else most,
        }

    def rule(self, measure: str, offers: list[str], contracts: list[str]) -> dict[str, Any]:
        of = self.pick(
            "supplier",
            "country",
            "bloc",
            "stage",
            "foreign_feedstock",
            "offer",
            *(["contract"] if contracts else []),
        )
        value = {
            "supplier": self.pick("Metlen", "Pavlodar"),
            "country": self.pick("GR", "KZ"),
            "bloc": self.pick("allied", "other", "other"),
            "stage": "operating",
            "foreign_feedstock": None,
            "offer": self.pick(*offers),
            "contract": self.pick(*(contracts or [None])),
        }[of]
        most = {
            "share": (0.2, 0.5, 0.75),
            "quantity": (3, 10, 20),
            "spend": (25, 80, 150),
            "count": (1,),
        }[measure]
        least = {"share": (0.2, 0.4), "quantity": (2, 6), "spend": (20, 50), "count": (1, 2)}[
            measure
        ]
        if measure == "count":
            value = self.pick(value, None, None)
        low = self.pick(True, False, False)
        return {
            "rule": measure,
            "of": of,
            "value": value if low else self.pick(value, None),
            "material": self.pick(None, *self.names, *[GROUP] * ("groups" in self.has)),
            "measure": measure,
            "window": self.pick("horizon", "fiscal_year", "period"),
            "least": self.pick(*least) if low else None,
            "most": None if low else self.pick(*most),
        }

    def funds(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """A general fund, and a second one with limits on what it may pay."""
        limited = bool(self.has & {"fund_uses", "fund_materials", "project_fund", "buyer_funds"})
        funds = [
            {
                "fund": "general",
                "buyer": self.only("buyer_funds", "A", "A", None),
                "uses": (
                    None
                    if limited
                    else self.only(
                        "fund_uses",
                        "purchase, storage, rotation",
                        "purchase, contract, storage, rotation",
                    )
                ),
                "keeps_receipts": self.only("keeps_receipts", "yes"),
            }
        ]
        if limited:
            uses = self.only(
                "fund_uses", "purchase", "contract", "storage, rotation", "purchase, storage"
            )
            if uses and "project_fund" in self.has:
                uses += ", project"
            buyer, materials = (
                self.only("buyer_funds", "B"),
                self.only("fund_materials", *self.names),
            )
            funds.append({"fund": "special", "buyer": buyer, "uses": uses, "materials": materials})
        return funds, [self.budget(fund["fund"]) for fund in [*funds, *funds[: self.number(0, 1)]]]

    def budget(self, fund: str) -> dict[str, Any]:
        first = self.number(-2 if "budget_from" in self.has else 0, 1)
        last = self.number(first, self.periods - 1) if "expires" in self.has else 0
        return {
            "fund": fund,
            "from": self.day(first) if "budget_from" in self.has else None,
            "expires": self.end(last) if "expires" in self.has else None,
            "pay_by": (
                self.day(self.number(last, self.periods - 1), 28) if "pay_by" in self.has else None
            ),
            "amount": (
                self.pick(5, 20, 80)
                if fund == "special" and "project_fund" in self.has
                else self.pick(20, 40, 80, 150)
                if self.has & {"pay_by", "orders_in_full", "contract_in_full", "failing_in_full"}
                else self.pick(80, 150, 300, 600)
            ),
        }

    def scenarios(self) -> list[dict[str, Any]]:
        """A and B, which follows A in a workbook of several stages."""
        stages = "multi_stage" in self.has
        # What can be signed and helped is tried at each node: fewer of them where that may be.
        late = bool(self.has & {"contract", "project"})
        first = (
            self.day(1)
            if stages or late
            else self.pick(None, self.day(0), self.day(1), self.day(1))
        )
        rows = [
            {"scenario": "A", "probability": self.pick(0.25, 0.5), "revealed": first},
            {
                "scenario": "B",
                "probability": self.pick(0.25, 0.5),
                "revealed": (
                    self.day(2)
                    if stages
                    else self.day(1)
                    if late
                    else self.pick(None, self.day(0), self.day(1))
                ),
                "follows": "A" if stages else None,
            },
        ]
        return rows[:: self.pick(1, -1)]

    def events(self, tables: Tables) -> list[dict[str, Any]]:
        rows = [
            self.event(
                "offers",
                self.pick("F0", None),
                "price",
                "scale",
                self.pick(0.4, 0.7, 1.8),
                by="price",
            )
        ]
        if "indexed_offer" in self.has:
            rows = [
                self.event(
                    "prices",
                    None,
                    self.pick("rotterdam", "china"),
                    "scale",
                    self.pick(0.5, 1.5),
                    by="price",
                )
            ]
        if "outage" in self.has:
            rows.append(
                self.event(
                    "offers",
                    self.pick("F0", "F0", None),
                    "availability",
                    "set",
                    self.pick(0, 0.5),
                    by="outage",
                )
            )
        if "delay" in self.has:
            rows.append(
                self.event(
                    "suppliers",
                    self.pick("Pavlodar", "Metlen", None, None),
                    "start",
                    "set",
                    self.day(self.number(1, 3)),
                    by="delay",
                )
            )
        if "cut" in self.has:
            rows.append(
                self.event(
                    "budgets",
                    self.pick("general", None),
                    "amount",
                    "scale",
                    self.pick(0.1, 0.4),
                    by="cut",
                )
            )
        if "demand_event" in self.has:
            rows.append(
                self.event(
                    "demand",
                    self.pick(None, tables["demand"][0]["material"]),
                    "quantity",
                    "scale",
                    self.pick(0, 1.5, 2.5),
                    by="demand",
                )
            )
        if "embargo" in self.has:
            table, column = (
                self.pick(("offers", "availability"), ("floors", "annual_quantity"))
                if "floors" in tables
                else ("offers", "availability")
            )
            known = ("country = GR", "country = KZ", "bloc = other", "supplier = Pavlodar", None)
            factor = self.pick(0.2, 0.5)
            row = self.event(table, self.pick(*known), column, "scale", factor, by="embargo")
            rows.append(row | {"feedstock": self.pick(None, "yes", "yes")})
        if "any_event" in self.has:
            rows += [self.any_event(tables) for _ in range(self.pick(1, 1, 2))]
        return rows

    def event(
        self, table: str, row: str | None, column: str, how: str, value: Any, by: str
    ) -> dict[str, Any]:
        first = self.number(0, self.periods - 1)
        return {
            "scenario": self.pick("A", "B"),
            "table": table,
            "row": row,
            "column": column,
            "from": self.pick(None, self.day(first), self.day(first)),
            "to": self.pick(None, None, self.end(self.number(first, self.periods - 1))),
            "how": how,
            "value": value,
            "note": by,
        }

    def any_event(self, tables: Tables) -> dict[str, Any]:
        """A change of a number or of a last date wherever the workbook has one."""
        cells = {
            (table, str(next(iter(row.values()))), column)
            for table, rows in tables.items()
            if table not in ("settings", "funds", "commitments", "scenarios")
            for row in rows
            for column, value in row.items()
            if value is not None
            and not (column == "expires" and "pay_by" in row)  # which must not come first
            and (
                column in ENDS
                or (
                    isinstance(value, (int, float))
                    and column not in ("life_years", "from_quantity", "life_on_receipt_months")
                )
            )
        }
        table, row, column = self.pick(*sorted(cells))
        if column in ENDS or column.endswith("_months"):
            how, value = "add", self.months
        else:
            how, value = (
                "scale",
                self.pick(0.5, 0.9) if column in SHARES else self.pick(0.5, 1.5, 2),
            )
        return self.event(table, None if table == "prices" else row, column, how, value, by="any")

    def earlier(self, tables: Tables) -> list[dict[str, Any]]:
        """What was decided before the start."""
        rows: list[dict[str, Any]] = []
        signed = tables["contracts"][0] if "signed_before" in self.has else {}
        t = -self.number(1, 3)
        if "gone_before" in self.has or signed.get("project"):
            gone = t - self.number(0, 1)
            rows.append({"kind": "project", "name": "plant", "date": self.day(gone, 0, 9)})
        if signed:
            levels = [row for row in tables["floors"] if row["contract"] == "K0"]
            level = self.pick(*levels)
            rate = int(level["annual_quantity"] * self.months / 12)
            rows.append(
                {
                    "kind": "sign",
                    "name": "K0",
                    "level": level["level"],
                    "date": self.day(t, 9),
                    "called_off": self.pick(None, None, 0, rate, 3 * rate),
                    "prepayment_left": self.only("prepayment", None, 0, 5),
                    "upside_received": self.only("upside_cap", None, 10),
                }
            )
        if "ordered_before" in self.has:
            found = [row for row in tables["offers"] if row.get("lead_time_months")]
            for row in found[:1]:
                lead = row["lead_time_months"] // self.months
                date, quantity = self.day(-self.number(1, lead)), self.pick(2, 5, 8)
                rows.append(
                    {"kind": "order", "name": row["offer"], "date": date, "quantity": quantity}
                )
        return rows

    def commitments(self, tables: Tables) -> list[dict[str, Any]]:
        """What is committed can be done at all: the reader refuses it otherwise."""
        rows = self.earlier(tables)
        if "committed_order" in self.has:
            # Every plant ships from the second period on.
            date = self.pick(None, self.day(self.number(1, self.periods - 1)))
            how = self.pick(None, "exactly", "at_least", "at_most")
            rows.append(
                {
                    "kind": "order",
                    "name": f"spot {self.names[0]}",
                    "date": date,
                    "quantity": self.pick(2, 5, 8),
                    "how": how,
                }
            )
            rows.append(
                {"kind": "order", "name": "F0", "quantity": self.pick(3, 12), "how": "at_most"}
            )
        if "committed_signature" in self.has and not tables["contracts"][0]["project"]:
            levels = [row["level"] for row in tables["floors"] if row["contract"] == "K0"]
            date = self.pick(None, None, self.day(0))
            quantity, how = self.pick(
                (None, None), (None, "exactly"), (1, "at_least"), (0, None), (0, "at_most")
            )
            row = {
                "kind": "sign",
                "name": "K0",
                "level": self.pick(None, *levels),
                "date": date,
                "quantity": quantity,
                "how": how,
            }
            rows.append(row)
        if "committed_rotation" in self.has:
            date = self.pick(None, tables["outlets"][0]["from"])
            how = self.pick(None, "at_least", "at_most")
            rows.append(
                {
                    "kind": "rotate",
                    "name": "sale",
                    "date": date,
                    "quantity": self.pick(1, 3),
                    "how": how,
                }
            )
        if "committed_project" in self.has and not any(row["kind"] == "project" for row in rows):
            date = self.pick(None, self.day(1))
            quantity, how = self.pick((None, None), (1, "at_least"), (0, None), (0, "at_most"))
            rows.append(
                {"kind": "project", "name": "plant", "date": date, "quantity": quantity, "how": how}
            )
        return rows


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if value is not None}
