"""Recomputes a plan from its workbook alone: stock, age, money and cost, without the model and without the program.

The inputs are those on the sheet `assumptions`. `check_plan` says what does not agree; an empty list is a plan that holds.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import coordinate_to_tuple

from tests.support.formulas import Formula, evaluate

Row = dict[str, Any]
NOISE = 1e-4  # what rounding away the solver's noise may leave of a quantity


def check_plan(path: str | Path) -> list[str]:
    """What on a plan workbook contradicts its other sheets or the contract, a line each."""
    book = Book(path)
    return [f"{check.__name__}: {said}" for check in CHECKS for said in check(book)]


class Book:
    """A plan workbook as rows, and its inputs as tables."""

    def __init__(self, path: str | Path) -> None:
        self.grids = _grids(path, data_only=True)
        self.formulas = _grids(path)["summary"]
        self.read: dict[str, list[Row]] = {}
        self.inputs: dict[str, dict[str, Row]] = defaultdict(dict)
        for row in self.rows("assumptions"):
            self.inputs[row["table"]].setdefault(str(row["row"] or ""), {})[row["column"]] = row["value"]
        self.settings = self.inputs["settings"].get("", {})
        self.start: dt.date = self.settings["start"]
        self.months, self.periods = int(self.settings["period_months"]), int(self.settings["periods"])
        rates = [row["delivered_price"] for row in self.rows("orders")] + [row["expected_price"] or 0 for row in self.rows("contracts")]
        rates += [row["price"] for row in self.rows("rotation")]
        prices = [value for row in self.inputs["prices"].values() for value in row.values() if isinstance(value, (int, float))]
        self.cent = 1e-4 * max([1.0, *rates, *prices])  # what noise in a quantity is worth

    def rows(self, sheet: str) -> list[Row]:
        """The rows of a sheet by the names of the contract (reading rule 2)."""
        if sheet not in self.read:
            header, *rows = self.grids[sheet]
            names = [str(each).split(" [")[0].strip().lower().replace(" ", "_") for each in header]
            self.read[sheet] = [dict(zip(names, row, strict=True)) for row in rows]
        return self.read[sheet]

    def table(self, name: str) -> list[Row]:
        return list(self.inputs[name].values())

    # Time

    def begin(self, t: int) -> dt.date:
        years, month = divmod(self.start.month - 1 + t * self.months, 12)
        last = [31, 29 if (self.start.year + years) % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]
        return dt.date(self.start.year + years, month + 1, min(self.start.day, last))

    def period(self, day: dt.date) -> int:
        t = ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.months - 1
        while self.begin(t + 1) <= day:
            t += 1
        return t

    def spans(self, begin: dt.date | None, end: dt.date | None, t: int) -> bool:
        """Whether a period is one of those from one date to another."""
        return (begin is None or self.period(begin) <= t) and (end is None or t <= self.period(end))

    def fiscal_year(self, t: int) -> int:
        first, day = int(self.settings["fiscal_year_start"]), self.begin(t)
        return day.year + 1 if 1 < first <= day.month else day.year

    def factor(self, t: int) -> float:
        return float((1 + self.settings["discount_rate"]) ** (-t * self.months / 12))

    # Inputs

    def life(self, material: str) -> float:
        """Shelf life [months]; infinite where it is unlimited."""
        return float(self.inputs["materials"][material].get("shelf_life_months", math.inf))

    def price(self, index: str, t: int) -> float:
        """An index at the start of a period, between the dates that give it."""
        day = self.begin(t)
        points: list[tuple[dt.date, float]] = sorted(
            (row["date"], float(row[index])) for row in self.table("prices") if row.get(index) is not None
        )
        before = [point for point in points if point[0] <= day]
        after = [point for point in points if point[0] > day]
        if not before or not after:
            return before[-1][1] if before else after[0][1]
        (d0, v0), (d1, v1) = before[-1], after[0]
        return v0 + (v1 - v0) * ((day - d0).days / (d1 - d0).days)

    def site(self, name: str) -> Row:
        return self.inputs["sites"].get(name, {})

    def near(self, left: float | None, right: float | None, noise: float = NOISE) -> bool:
        if left is None or right is None:
            return left is right
        return abs(left - right) <= noise + 1e-6 * max(abs(left), abs(right))

    def money(self, left: float | None, right: float | None) -> bool:
        return self.near(left, right, self.cent)


def _grids(path: str | Path, data_only: bool = False) -> dict[str, list[list[Any]]]:
    """The cells of the sheets: all values, or of the summary also its formulas."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    names = book.sheetnames if data_only else ["summary"]
    found = {name: [[_cell(each) for each in row] for row in book[name].iter_rows()] for name in names}
    book.close()
    return found


def _cell(cell: Any) -> Any:
    if cell.data_type == "f":
        return Formula(cell.value)
    if isinstance(cell.value, dt.datetime):
        return cell.value.date()
    return {"yes": True, "no": False}.get(cell.value, cell.value) if isinstance(cell.value, str) else cell.value


def total(rows: Iterable[Row], column: str, *by: str) -> dict[Any, float]:
    """The sum of a column for each value of the named ones."""
    found: dict[Any, float] = defaultdict(float)
    for row in rows:
        found[tuple(row[name] for name in by)] += row[column]
    return found


def differ(left: Mapping[Any, float], right: Mapping[Any, float], near: Callable[[float, float], bool], what: str) -> Iterator[str]:
    for key in [*left, *(key for key in right if key not in left)]:
        if not near(left.get(key, 0.0), right.get(key, 0.0)):
            yield f"{what} {_told(key)}: {left.get(key, 0.0):,.6f} against {right.get(key, 0.0):,.6f}"


def _told(key: Hashable) -> str:
    return " ".join(str(part) for part in key if part is not None) if isinstance(key, tuple) else str(key)


LOT = ("lot", "material", "site", "made")

# --- Stock and age --------------------------------------------------------------------------------------------------------------


def lots(book: Book) -> Iterator[str]:
    """What came into a lot and did not go out is what is left of it, in every period; sites hold no more than they can."""
    held = total(book.rows("lots"), "quantity", "date", *LOT)
    movements = book.rows("movements")
    changes: dict[Any, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in movements:
        changes[tuple(row[name] for name in LOT)][book.period(row["date"])] += row["quantity"]
        if (row["quantity"] > 0) != (row["kind"] in ("opening", "arrival")):
            yield f"{row['kind']} of {row['quantity']} in lot {row['lot']}"
    for lot, by_period in changes.items():
        left = 0.0
        for t in range(book.periods):
            left += by_period.get(t, 0.0)
            shown = held.pop((book.begin(t), *lot), 0.0)
            if not book.near(left, shown):
                yield f"lot {lot[0]} at the end of {book.begin(t)}: {left} by its movements, {shown} on the sheet"
    for key in held:
        yield f"lot {_told(key)} has no movement"
    for (date, name), quantity in total(book.rows("lots"), "quantity", "date", "site").items():
        if quantity > book.site(name).get("capacity", math.inf) * (1 + 1e-6) + NOISE:
            yield f"site {name} holds {quantity} in {date}"
    opening = {(row["lot"],): row["quantity"] for row in movements if row["kind"] == "opening"}
    yield from differ(opening, {(row["lot"],): row["quantity"] for row in book.table("opening_stock")}, book.near, "opening lot")


def ages(book: Book) -> Iterator[str]:
    """Age runs in whole periods from the one in which a lot was made; nothing is held or used beyond its life."""
    for sheet in ("movements", "lots", "rotation"):
        for row in book.rows(sheet):
            where = f"{sheet}: lot {row['lot']} in {row['date']}"
            age = (book.period(row["date"]) - book.period(row["made"])) * book.months
            left = book.life(row["material"]) - age - (book.months if sheet == "lots" else 0)
            if row["age"] != age:
                yield f"{where} is {age} months old, not {row['age']}"
            shown = math.inf if row["remaining_life"] is None else row["remaining_life"]
            if shown != max(0.0, left):
                yield f"{where} has {left} months left, not {shown}"
            kind = row.get("kind") or row.get("form") or "held"
            if left <= 0 and kind not in ("expired", "opening"):
                yield f"{where}: {kind} beyond its life"
            if kind == "expired" and left > book.months:
                yield f"{where}: expired with {left} months left"


def deliveries(book: Book) -> Iterator[str]:
    """Every delivery is the arrival of a lot that is made in that period."""
    columns = ("date", "lot", "name", "material", "site")
    arrivals = [row for row in book.rows("movements") if row["kind"] == "arrival"]
    yield from differ(total(book.rows("deliveries"), "quantity", *columns), total(arrivals, "quantity", *columns), book.near, "delivery")
    for row in arrivals:
        if row["made"] != row["date"]:
            yield f"lot {row['lot']} arrives in {row['date']} and is made in {row['made']}"


# --- What is decided ------------------------------------------------------------------------------------------------------------


def orders(book: Book) -> Iterator[str]:
    """An order keeps the terms of its offer, and what is ordered arrives."""
    came: dict[Any, float] = defaultdict(float)
    for row in book.rows("orders"):
        offer, where = book.inputs["offers"][row["offer"]], f"order {row['offer']} {row['date']}"
        t, arrival = book.period(row["date"]), book.period(row["arrives"])
        paid = t if offer["payment"] == "order" else arrival
        base = _base_price(book, offer, paid)
        quantity = row["ordered"] if offer["payment"] == "order" else row["arriving"]
        start = book.inputs["suppliers"][row["supplier"]].get("start")
        held = {
            "its supplier": row["supplier"] == offer["supplier"] and row["material"] == offer["material"],
            "its dates": book.spans(offer.get("from"), offer.get("to"), t) and book.spans(start, None, t),
            "its lead time": (arrival - t) * book.months == offer["lead_time_months"] and arrival < book.periods,
            "its capacity": row["ordered"] <= offer.get("capacity", math.inf) + NOISE,
            "its minimum": row["ordered"] >= offer["minimum_order"] - NOISE,
            "its lots": "lot_size" not in offer or book.near(row["lots"] * offer["lot_size"], row["ordered"]),
            "its availability": book.near(row["arriving"], offer["availability"] * row["ordered"]),
            "its price": book.near(row["price"], base + offer["adder"], 1e-9),
            "its delivered price": book.near(row["delivered_price"], base * (1 + offer["duty"]) + offer["adder"] + offer["freight"], 1e-9),
            "its date of payment": book.period(row["paid_on"]) == paid,
            "its order cost": row["order_cost"] == offer["order_cost"],
            "what it costs": book.money(row["paid"], row["delivered_price"] * quantity + row["order_cost"]),
        }
        yield from (f"{where} does not keep {term}" for term, kept in held.items() if not kept)
        came[row["offer"], row["arrives"]] += row["arriving"]
    under_offers = [row for row in book.rows("deliveries") if row["kind"] == "offers"]
    yield from differ(came, total(under_offers, "quantity", "name", "date"), book.near, "arrival of")
    for (name,), ordered in total(book.rows("orders"), "ordered", "offer").items():
        if ordered > book.inputs["offers"][name].get("total", math.inf) + NOISE:
            yield f"offer {name} gives {ordered} in all"


def contracts(book: Book) -> Iterator[str]:
    """A contract delivers only under the level signed, within its term and flex; what it brings and costs is told."""
    taken = total((row for row in book.rows("deliveries") if row["kind"] == "contracts"), "quantity", "name", "date")
    flows = [each for each in ledger(book) if each["use"] == "contract"]
    for row in book.rows("contracts"):
        name, terms = row["contract"], book.inputs["contracts"][row["contract"]]
        came = {date: taken.pop((name, date)) for each, date in list(taken) if each == name}
        cost = sum(each["amount"] for each in flows if each["name"] == name)
        if not book.near(sum(came.values()), row["delivered"]) or not book.money(cost, row["cost"]):
            yield f"{name} delivers {sum(came.values())} for {cost}, not {row['delivered']} for {row['cost']}"
        if row["decision"] != "sign":
            continue
        level = book.inputs["floors"][f"{name}/{row['level']}"]
        signed, first, last = (book.period(row[each]) for each in ("signed", "first_delivery", "last_delivery"))
        earliest = [signed + int(terms["lead_time_months"]) // book.months, 0]
        earliest += [
            book.period(day) for day in (terms.get("deliver_from"), book.inputs["suppliers"][terms["supplier"]].get("start")) if day
        ]
        term = int(terms["term_months"]) // book.months if "term_months" in terms else book.periods
        most = terms["flex"] * terms["availability"] * level["annual_quantity"] * book.months / 12
        paid = sum(quantity * _contract_price(book, terms, level, first, book.period(date)) for date, quantity in came.items())
        held = {
            "its signing window": book.spans(terms.get("sign_from"), terms.get("sign_to"), signed),
            "its first delivery": first == max(earliest) < book.periods,
            "its term": last == min(book.periods - 1, first + term - 1) and all(first <= book.period(date) <= last for date in came),
            "its flex": all(quantity <= most + NOISE for quantity in came.values()),
            "its level": row["floor"] == level["floor"] and row["annual_quantity"] == level["annual_quantity"],
            "its availability": book.near(row["called_off"] * terms["availability"], row["delivered"]),
            "its deficit": book.near(row["deficit"], sum(_deficits(book, row).values()), 10 * NOISE),
            "its price": not row["delivered"] or book.near(row["expected_price"], paid / row["delivered"]),
        }
        yield from (f"contract {name} does not keep {term}" for term, kept in held.items() if not kept)
    yield from (f"{name} delivers and is not signed" for name, _ in taken)


def demand(book: Book) -> Iterator[str]:
    """Demand is that of the workbook; what is met has left a lot."""
    asked: dict[Any, float] = defaultdict(float)
    for row in book.table("demand"):
        for t in range(book.periods):
            if row["quantity"] > 0 and book.spans(row["from"], row.get("to", row["from"]), t):
                asked[book.begin(t), row["material"], row.get("buyer")] += row["quantity"]
    rows = book.rows("demand")
    yield from differ(total(rows, "required", "date", "material", "buyer"), asked, book.near, "demand")
    used = ({**row, "quantity": -row["quantity"]} for row in book.rows("movements") if row["kind"] == "demand")
    yield from differ(
        total(rows, "met", "date", "material", "buyer"), total(used, "quantity", "date", "material", "name"), book.near, "met"
    )
    for row in rows:
        if not book.near(row["met"] + row["unmet"], row["required"]) or row["unmet"] < -NOISE:
            yield f"demand for {row['material']} in {row['date']}: {row['met']} met and {row['unmet']} unmet of {row['required']}"
        if row["unmet"] > NOISE and "shortage_cost" not in book.inputs["materials"][row["material"]]:
            yield f"demand for {row['material']} in {row['date']} must be met"
        cost = row["unmet"] * book.inputs["materials"][row["material"]].get("shortage_cost", 0.0) * book.factor(book.period(row["date"]))
        if not book.money(row["cost"], cost):
            yield f"shortage of {row['material']} in {row['date']} costs {cost}, not {row['cost']}"


def rotation(book: Book) -> Iterator[str]:
    """What is rotated or expires has left its lot; an outlet takes what its terms let it take, at its price."""
    rows = book.rows("rotation")
    gone = [{**row, "quantity": -row["quantity"]} for row in book.rows("movements") if row["kind"] in ("rotation", "expired")]
    by = ("date", *LOT, "age")
    yield from differ(total(rows, "quantity", *by), total(gone, "quantity", *by), book.near, "rotation")
    through = total((row for row in gone if row["kind"] == "rotation"), "quantity", "date", "name")
    yield from differ(total((row for row in rows if row["outlet"]), "quantity", "date", "outlet"), through, book.near, "through")
    for (date, name), quantity in through.items():
        terms = book.inputs["outlets"][name]
        if quantity > terms.get("capacity", math.inf) + NOISE or not book.spans(terms.get("from"), terms.get("to"), book.period(date)):
            yield f"outlet {name} takes {quantity} in {date}"
    for row in rows:
        terms = book.inputs["outlets"].get(row["outlet"], {"form": "expired", "cost": 0.0, "minimum_life_months": 0.0})
        waste = book.inputs["materials"][row["material"]]["disposal_cost"] if terms["form"] in ("dispose", "expired") else 0.0
        price = 0.0
        if terms["form"] == "sale":
            full = (
                terms["price"] if "price" in terms else book.price(terms["price_index"], book.period(row["date"])) * terms["price_factor"]
            )
            price = full * max(0.0, 1 - terms["age_discount"] * row["age"])
        held = {
            "form": row["form"] == terms["form"],
            "life": (row["remaining_life"] or math.inf) >= terms["minimum_life_months"] or row["form"] == "expired",
            "price": book.near(row["price"], price, 1e-9),
            "proceeds": book.money(row["proceeds"], price * row["quantity"]),
            "cost": book.money(row["cost"], (terms["cost"] + waste) * row["quantity"]),
        }
        yield from (f"rotation of {row['lot']} in {row['date']}: wrong {what}" for what, kept in held.items() if not kept)


def targets(book: Book) -> Iterator[str]:
    """A target is that of the workbook; the stock that counts is in lots with enough life left."""
    held: dict[Any, float] = defaultdict(float)
    for row in book.rows("lots"):
        left = math.inf if row["remaining_life"] is None else row["remaining_life"]
        if left > 0 and left >= book.inputs["materials"][row["material"]]["count_life_months"]:
            held[row["date"], row["material"], book.site(row["site"]).get("buyer")] += row["quantity"]
    asked = {
        (book.begin(t), material, buyer): found
        for material, buyer in {(row["material"], row.get("buyer")) for row in book.table("targets")}
        for t in range(book.periods)
        if (found := _target(book, material, buyer, t))[0] > 0
    }
    for row in book.rows("targets"):
        where, buyer = f"target for {row['material']} in {row['date']}", row["buyer"]
        quantity, hard = asked.pop((row["date"], row["material"], buyer), (0.0, None))
        stock = sum(
            v
            for (date, material, owner), v in held.items()
            if (date, material) == (row["date"], row["material"]) and (not buyer or owner in (None, buyer))
        )
        if not book.near(row["target"], quantity) or row["hard"] is not hard:
            yield f"{where} is {quantity}, not {row['target']}"
        if not book.near(row["stock"], stock, 10 * NOISE):
            yield f"{where}: lots hold {stock} that counts, not {row['stock']}"
        if not book.near(row["below"], max(0.0, quantity - stock), 10 * NOISE) or (hard and row["below"] > NOISE):
            yield f"{where}: {stock} held is {max(0.0, quantity - stock)} below, not {row['below']}"
        cost = (
            row["below"] * book.inputs["materials"][row["material"]].get("below_target_cost", 0.0) * book.factor(book.period(row["date"]))
        )
        if not book.money(row["cost"], cost):
            yield f"{where}: what is missing costs {cost}, not {row['cost']}"
    yield from (f"target {_told(key)} is not on the sheet" for key in asked)


def _target(book: Book, material: str, buyer: str | None, t: int) -> tuple[float, bool]:
    """The target at the end of a period, and whether it is hard: the last row's, or on the way to the next one's."""
    rows = [row for row in book.table("targets") if (row["material"], row.get("buyer")) == (material, buyer)]
    points = sorted(((book.period(row["from"]), row) for row in rows), key=lambda point: point[0])
    before = [point for point in points if point[0] <= t][-1:]
    after = [point for point in points if point[0] > t][:1]
    if after and after[0][1]["path"] == "ramp" and not (before and before[0][0] == t):
        (t0, low), (t1, row) = (before[0][0], before[0][1]["quantity"]) if before else (0, 0.0), after[0]
        return low + (row["quantity"] - low) * (t - t0) / (t1 - t0), row["hard"]
    return (before[0][1]["quantity"], before[0][1]["hard"]) if before else (0.0, False)


def rules(book: Book) -> Iterator[str]:
    """Shares and quantities of what arrives, over each window, within their limits."""
    shown = {(row["rule"], row["value"], row["window"]): row for row in book.rows("rules")}
    for rule in book.table("rules"):
        for window, periods in _windows(book, rule["window"]).items():
            came = [
                row
                for row in book.rows("deliveries")
                if book.period(row["date"]) in periods and rule.get("material") in (None, row["material"])
            ]
            everything = sum(row["quantity"] for row in came)
            for value in _members(book, rule):
                group = sum(row["quantity"] * _weight(book, rule, value, row) for row in came)
                observed = group if rule["measure"] == "quantity" else group / everything if everything > NOISE else None
                row = shown.pop((rule["rule"], value, window), None)
                where = f"rule {rule['rule']} {value or ''} {window}"
                if row is None:
                    yield f"{where} is not on the sheet"
                    continue
                least, most = rule.get("least"), rule.get("most")
                gaps = (
                    [] if observed is None else [gap for gap in (most and most - observed, least and observed - least) if gap is not None]
                )
                if most == 0 and observed is not None:
                    gaps.append(-observed)
                if least == 0 and observed is not None:
                    gaps.append(observed)
                fine = 1e-6 if rule["measure"] == "share" else NOISE
                if not book.near(row["observed"], observed, fine) or (row["least"], row["most"]) != (least, most):
                    yield f"{where} is {observed}, not {row['observed']}"
                if observed is not None and min(gaps) * (everything if rule["measure"] == "share" else 1) < -NOISE:
                    yield f"{where} is broken: {observed}"
                if not book.near(row["slack"], max(0.0, min(gaps)) if gaps else None, fine) or row["binding"] != bool(
                    gaps and min(gaps) <= 1e-6 * max(1, most or 0, least or 0)
                ):
                    yield f"{where}: distance {gaps} to its limits, not {row['slack']}"
    yield from (f"rule {_told(key)} is not in the workbook" for key in shown)


def _windows(book: Book, window: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for t in range(book.periods):
        found[{"horizon": "horizon", "period": f"{book.begin(t):%Y-%m}", "fiscal_year": f"FY{book.fiscal_year(t)}"}[window]].add(t)
    return found


def _members(book: Book, rule: Row) -> list[str | None]:
    if rule["of"] == "foreign_feedstock" or rule.get("value") is not None:
        return [rule.get("value")]
    if rule["of"] in ("offer", "contract"):
        return list(book.inputs[f"{rule['of']}s"])
    return sorted({row[rule["of"]] for row in book.table("suppliers") if rule["of"] in row})


def _weight(book: Book, rule: Row, value: str | None, delivery: Row) -> float:
    supplier = book.inputs["suppliers"][delivery["supplier"]]
    if rule["of"] == "foreign_feedstock":
        return float(supplier["foreign_feedstock"])
    if rule["of"] in ("offer", "contract"):
        return float(delivery["kind"] == f"{rule['of']}s" and delivery["name"].casefold() == str(value).casefold())
    return float(str(supplier.get(rule["of"], "")).casefold() == str(value).casefold())


# --- Money ----------------------------------------------------------------------------------------------------------------------


def _base_price(book: Book, offer: Row, t: int) -> float:
    return float(offer["price"]) if "price" in offer else book.price(offer["price_index"], t) * (1 + offer["premium"])


def _contract_price(book: Book, terms: Row, level: Row, first: int, t: int) -> float:
    least = level["floor"] * (1 + level["escalation"]) ** ((t - first) * book.months // 12)
    if "price_index" not in terms:
        return float(least)
    return float(max(least, min(terms.get("ceiling", math.inf), book.price(terms["price_index"], t) * (1 - terms["discount"]))))


def _deficits(book: Book, row: Row) -> dict[int, float]:
    """What a contract's years fall short of take-or-pay, by the last period of each."""
    terms, level = book.inputs["contracts"][row["contract"]], book.inputs["floors"][f"{row['contract']}/{row['level']}"]
    if not terms["availability"]:
        return {}
    taken: dict[int, float] = defaultdict(float)
    for each in book.rows("deliveries"):
        if (each["kind"], each["name"]) == ("contracts", row["contract"]):
            taken[book.period(each["date"])] += each["quantity"] / terms["availability"]
    first, last, year = book.period(row["first_delivery"]), book.period(row["last_delivery"]), 12 // book.months
    found = {}
    for begin in range(first, last + 1, year):
        end = min(begin + year - 1, last)
        owed = terms["take_or_pay"] * level["annual_quantity"] * book.months / 12 * (end - begin + 1)
        found[end] = max(0.0, owed - sum(taken[t] for t in range(begin, end + 1)))
    return found


def ledger(book: Book) -> Iterator[Row]:
    """Every amount of money, recomputed from quantities and inputs; `use` is None for what no fund pays."""

    def money(t: int, use: str | None, heading: str, material: str, name: str | None, amount: float) -> Row:
        return {"date": book.begin(t), "use": use, "heading": heading, "material": material, "name": name, "amount": amount}

    for row in book.rows("orders"):
        offer, key = book.inputs["offers"][row["offer"]], (row["material"], row["offer"])
        paid, quantity = book.period(row["paid_on"]), row["ordered"] if offer["payment"] == "order" else row["arriving"]
        base = _base_price(book, offer, paid)
        yield money(paid, "purchase", "purchases", *key, (base + offer["adder"]) * quantity)
        yield money(paid, "purchase", "duty", *key, offer["duty"] * base * quantity)
        yield money(paid, "purchase", "freight", *key, offer["freight"] * quantity)
        yield money(book.period(row["date"]), "purchase", "order_costs", *key, offer["order_cost"])

    for row in book.rows("contracts"):
        if row["decision"] != "sign":
            continue
        terms, level = book.inputs["contracts"][row["contract"]], book.inputs["floors"][f"{row['contract']}/{row['level']}"]
        first, key = book.period(row["first_delivery"]), (row["material"], row["contract"])
        yield money(book.period(row["signed"]), "contract", "signing", *key, terms["signing_cost"])
        for each in book.rows("deliveries"):
            if (each["kind"], each["name"]) == ("contracts", row["contract"]):
                t = book.period(each["date"])
                price = _contract_price(book, terms, level, first, t)
                yield money(t, "contract", "offtakes", *key, price * each["quantity"])
                yield money(t, "contract", "duty", *key, terms["duty"] * price * each["quantity"])
                yield money(t, "contract", "freight", *key, terms["freight"] * each["quantity"])
        for t, deficit in _deficits(book, row).items():
            yield money(t, "contract", "deficits", *key, _contract_price(book, terms, level, first, t) * deficit)

    for row in book.rows("lots"):
        material, t = book.inputs["materials"][row["material"]], book.period(row["date"])
        rate = (book.site(row["site"]).get("cost", 0.0) + material["holding_cost"]) * book.months
        yield money(t, "storage", "storage", row["material"], row["site"], rate * row["quantity"])
        if t == book.periods - 1 and material["closing_value"] > 0:
            share = 1.0 if row["remaining_life"] is None else row["remaining_life"] / book.life(row["material"])
            worth = material["closing_value"] * book.price(material["price_index"], t) * share * row["quantity"]
            yield money(t + 1, None, "closing_stock", row["material"], row["site"], -worth)

    for row in book.rows("movements"):
        side = {"arrival": "handling_in", "demand": "handling_out", "rotation": "handling_out"}.get(row["kind"], "")
        t, rate = book.period(row["date"]), book.site(row["site"]).get(side, 0.0)
        yield money(t, "storage", "handling", row["material"], row["site"], rate * abs(row["quantity"]))

    for row in book.rows("rotation"):
        t, waste = book.period(row["date"]), book.inputs["materials"][row["material"]]["disposal_cost"]
        yield money(t, None, "sales", row["material"], row["outlet"], -row["price"] * row["quantity"])
        cost = book.inputs["outlets"][row["outlet"]]["cost"] if row["outlet"] else 0.0
        yield money(t, "rotation", "rotation", row["material"], row["outlet"], cost * row["quantity"])
        thrown = waste if row["form"] in ("dispose", "expired") else 0.0
        yield money(t, "rotation", "disposal", row["material"], row["outlet"] or row["site"], thrown * row["quantity"])

    for sheet, heading, column, rate_of in (
        ("demand", "shortage", "unmet", "shortage_cost"),
        ("targets", "below_target", "below", "below_target_cost"),
    ):
        for row in book.rows(sheet):
            rate = book.inputs["materials"][row["material"]].get(rate_of, 0.0)
            yield money(book.period(row["date"]), None, heading, row["material"], row["buyer"], rate * row[column])


def cash_flow(book: Book) -> Iterator[str]:
    """The cash flow is what quantities and inputs make of it; discounted it sums to the objective."""
    flows = book.rows("cash_flow")
    by = ("date", "heading", "material", "name")
    yield from differ(total(flows, "amount", *by), total(ledger(book), "amount", *by), book.money, "money")
    for row in flows:
        where = f"{row['heading']} {row['name']} in {row['date']}"
        if not book.near(row["factor"], book.factor(book.period(row["date"])), 1e-12):
            yield f"{where}: the factor is {book.factor(book.period(row['date']))}, not {row['factor']}"
        if not book.near(row["discounted"], row["amount"] * row["factor"], 1e-9):
            yield f"{where}: discounted it is {row['amount'] * row['factor']}, not {row['discounted']}"
        if row["cash"] == (row["heading"] in ("shortage", "below_target", "closing_stock")):
            yield f"{where}: is it cash?"
    # The sums that make up the objective are larger than it: what is left of them keeps their rounding.
    size = sum(abs(row["discounted"]) for row in flows)
    discounted, objective = sum(row["discounted"] for row in flows), _summary(book)["Objective"][1]
    if abs(discounted - objective) > 1e-6 * max(1.0, size):
        yield f"the discounted amounts sum to {discounted}, the objective is {objective}"


def payments(book: Book) -> Iterator[str]:
    """Where there are funds every outlay is paid, each by an appropriation that may, when it may."""
    rows, by = book.rows("payments"), ("date", "use", "material")
    if not book.inputs["funds"]:
        yield from (f"payment without a fund in {row['date']}" for row in rows)
        return
    outlays = total((each for each in ledger(book) if each["use"]), "amount", *by)
    yield from differ(total(rows, "amount", *by), outlays, lambda a, b: book.near(a, b, 10 * book.cent), "paid")
    appropriations = {row["appropriation"]: row for row in book.rows("budget")}
    for row in rows:
        fund, source = book.inputs["funds"][row["fund"]], appropriations[row["appropriation"]]
        uses, materials = ([each.strip() for each in fund.get(name, "").split(",") if each.strip()] for name in ("uses", "materials"))
        may = (not uses or row["use"] in uses) and (not materials or row["material"] in materials) and source["fund"] == row["fund"]
        if not may or not book.spans(source["from"], source["expires"], book.period(row["date"])):
            yield f"{row['appropriation']} may not pay {row['use']} of {row['material']} in {row['date']}"


def budget(book: Book) -> Iterator[str]:
    """An appropriation spends no more than it has; what it does not spend lapses or is left."""
    rows, spent = book.rows("budget"), total(book.rows("payments"), "amount", "appropriation")
    given = sorted(_appropriation(row) for row in book.table("budgets"))
    shown = sorted(_appropriation(row) for row in rows if not row["appropriation"].endswith(" receipts"))
    if given != shown:
        yield f"appropriations {given}, on the sheet {shown}"
    for row in rows:
        name = row["appropriation"]
        paid = spent.pop((name,), 0.0)
        rest = max(0.0, row["amount"] - row["spent"])
        ends = row["expires"] is not None and book.period(row["expires"]) < book.periods
        if not book.money(paid, row["spent"]) or paid > row["amount"] + book.cent + 1e-6 * row["amount"]:
            yield f"{name} pays {paid}, on the sheet {row['spent']} of {row['amount']}"
        if not book.money(row["lapsed"], rest if ends else 0.0) or not book.money(row["left"], 0.0 if ends else rest):
            yield f"{name}: {rest} is not spent, {row['lapsed']} lapsed and {row['left']} left"
        if name.endswith(" receipts"):
            yield from _receipts(book, row)
    yield from (f"{name} pays and is no appropriation" for (name,) in spent)


def _appropriation(row: Row) -> tuple[str, str, str, float]:
    return (row["fund"], str(row.get("from") or ""), str(row.get("expires") or ""), float(row["amount"]))


def _receipts(book: Book, row: Row) -> Iterator[str]:
    """A fund spends its receipts no sooner than they arrive."""
    outlets = {name for name, outlet in book.inputs["outlets"].items() if outlet.get("fund") == row["fund"]}
    received = 0.0
    for t in range(book.periods):
        date = book.begin(t)
        received += sum(each["proceeds"] for each in book.rows("rotation") if each["outlet"] in outlets and each["date"] == date)
        received -= sum(
            each["amount"] for each in book.rows("payments") if each["appropriation"] == row["appropriation"] and each["date"] == date
        )
        if received < -book.cent - 1e-6 * row["amount"]:
            yield f"{row['appropriation']} are spent by {date} before they arrive, by {-received}"
    if not book.money(received, row["amount"] - row["spent"]):
        yield f"{row['appropriation']}: {received} is left of them"


# --- The summary ----------------------------------------------------------------------------------------------------------------


def _summary(book: Book) -> dict[str, list[Any]]:
    """The lines of the summary by their first cell; of several the first."""
    found: dict[str, list[Any]] = {}
    for row in book.grids["summary"]:
        if row[0] is not None:
            found.setdefault(str(row[0]), row)
    return found


def summary(book: Book) -> Iterator[str]:
    """The totals are those of the sheets: as they are stored, and as a spreadsheet program would compute them anew."""
    lines = _summary(book)
    flows, moved, out = book.rows("cash_flow"), book.rows("movements"), book.rows("rotation")
    by_kind = total(moved, "quantity", "kind")
    last = book.begin(book.periods - 1)
    expected: dict[str, float] = {
        "Ordered": sum(row["ordered"] for row in book.rows("orders")),
        "Opening stock": by_kind.get(("opening",), 0.0),
        "Delivered": by_kind.get(("arrival",), 0.0),
        "Used by demand": -by_kind.get(("demand",), 0.0),
        "Rotated out": -by_kind.get(("rotation",), 0.0),
        "Waste": sum(row["quantity"] for row in out if row["form"] == "expired"),
        "Stock at the end": sum(row["quantity"] for row in book.rows("lots") if row["date"] == last),
        "Unmet demand": sum(row["unmet"] for row in book.rows("demand")),
        "Below targets": sum(row["below"] for row in book.rows("targets")),
    }
    expected["Shortfall"] = expected["Unmet demand"] + expected["Below targets"]
    for label, value in expected.items():
        if not book.near(lines[label][1], value, 10 * NOISE):
            yield f"{label} is {value}, not {lines[label][1]}"
    headings = total(flows, "discounted", "heading")
    for (heading,), value in headings.items():
        undiscounted = sum(row["amount"] for row in flows if row["heading"] == heading)
        if not book.money(lines[heading][1], value) or not book.money(lines[heading][2], undiscounted):
            yield f"{heading} is {value}, not {lines[heading][1]}"
    size = sum(abs(value) for value in headings.values())
    if abs(lines["Total"][1] - lines["Objective"][1]) > 1e-6 * max(1.0, size):
        yield f"the headings sum to {lines['Total'][1]}, the objective is {lines['Objective'][1]}"
    for row in book.rows("budget"):
        shown = lines[row["appropriation"]][1:5]
        if not all(map(book.money, shown, (row[name] for name in ("amount", "spent", "lapsed", "left")))):
            yield f"{row['appropriation']}: {shown}"
    brought = total(book.rows("deliveries"), "quantity", "supplier")
    for (supplier,), value in brought.items():
        if not book.near(lines[supplier][1], value) or not book.near(lines[supplier][2], value / sum(brought.values())):
            yield f"{supplier} brings {value}, not {lines[supplier][1]}"
    if brought and (lines["Number of suppliers"][1], lines["Largest share"][1]) != (
        len(brought),
        max(lines[name][2] for (name,) in brought),
    ):
        yield f"{lines['Number of suppliers'][1]} suppliers, the largest with {lines['Largest share'][1]}"
    yield from (f"check {name}: {row[1]}" for name, row in lines.items() if row[1] == "differs")
    stored = book.grids["summary"]
    for cell, value in evaluate(book.formulas, book.grids, "summary").items():
        line, column = coordinate_to_tuple(cell)
        cached = stored[line - 1][column - 1]
        same = cached == value if isinstance(value, str) or not isinstance(cached, (int, float)) else book.near(cached, float(value), 1e-6)
        if not same:
            yield f"{cell} stores {cached}, computed anew it is {value}"


CHECKS: tuple[Callable[[Book], Iterator[str]], ...] = (
    lots, ages, deliveries, orders, contracts, demand, rotation, targets, rules, cash_flow, payments, budget, summary,
)  # fmt: skip
