"""The assessment of supply: stock, targets and supply of each fiscal year, and embargoes.

What an embargo leaves unmet is found without a linear program: needs are met one after the other,
the earliest first, and metal that was given to one need is given to another where that lets more be
met (augmenting paths; L. R. Ford, D. R. Fulkerson, Maximal flow through a network, 1956).
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from optimiser.auditing.inputs import Rows
from optimiser.auditing.metal import age_and_life, lot_of
from optimiser.auditing.needs import asked_for, due_targets
from optimiser.auditing.outlets import out_before
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedSheet, Twin
from stockpile_model.names import identity

YEARS, EMBARGOES = "adequacy", "embargo"
LONGEST_COVER = 120  # how far ahead it is looked how long stock lasts [months]
ALL_OF_IT = 1.0 - 1e-9  # share of feedstock from which it is all of it [1]
DAYS = 1e-2  # noise of days of cover [days]
ROUNDING, SHORT = 1e-9, 1e-6
"""Shares of the largest need: what rounding leaves, and up to which nothing lacks [1]."""


class Metal(NamedTuple):
    """Metal that can be used from a period on: its material, site, age then, and quantity."""

    t: int
    material: str
    site: str
    age: int
    quantity: float


class Due(NamedTuple):
    """Metal that comes: the period in which that was decided (-1: before the start), the share
    that is restricted [1], and whether a plant that operates makes it.
    """

    metal: Metal
    decided: int
    restricted: float
    bought: bool
    operating: bool


class Want(NamedTuple):
    """Demand of a period: for a material or group, a buyer, with a life left."""

    t: int
    name: str
    buyer: str | None
    life: int
    quantity: float


def restricted_share(rows: Rows, supplier: str) -> float:
    """Return how much of a supplier's metal is that of the restricted country [1]."""
    plant, countries = rows.suppliers[supplier], _restricted(rows)
    if plant.country is not None and identity(plant.country) in countries:
        return 1.0
    stated = any(each.foreign_feedstock > 0 for each in rows.suppliers.values())
    nameless = plant.country is None and plant.bloc == "other" and not stated
    return 1.0 if nameless else float(plant.foreign_feedstock)


def _restricted(rows: Rows) -> set[str]:
    """Return the restricted countries: those of bloc other with a plant that has no other feed.

    Where no supplier states a feedstock they are all countries of bloc other.
    """
    plants = rows.suppliers.values()
    stated = any(each.foreign_feedstock > 0 for each in plants)
    return {
        identity(each.country)
        for each in plants
        if each.country is not None
        and each.bloc == "other"
        and (not stated or each.foreign_feedstock >= ALL_OF_IT)
    }


# --- What can be met ------------------------------------------------------------------------------


@dataclass
class Allotment:
    """Describe what is given of metal to wants [quantity]: `left` of each metal, `short` of each
    want."""

    may: Sequence[Sequence[int]]  # for each want the metal that can meet it
    left: list[float]
    short: list[float]
    given: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))

    def meet(self) -> None:
        """Meet one want after the other, each as far as the earlier ones leave it possible."""
        largest = max(self.short, default=0.0)
        noise, nothing = ROUNDING * largest, SHORT * largest
        for want in range(len(self.short)):
            for metal in self.may[want]:
                self._give(want, metal, min(self.left[metal], self.short[want]))
            while self.short[want] > noise and self._exchange(want, noise):
                pass
            if self.short[want] <= nothing:
                self.short[want] = 0.0

    def _give(self, want: int, metal: int, quantity: float) -> None:
        if quantity > 0:
            self.given[want, metal] += quantity
            self.left[metal] -= quantity
            self.short[want] -= quantity

    def _exchange(self, want: int, noise: float) -> bool:
        """Meet some of a want with metal that others have and can do without; whether any was."""
        before: dict[int, tuple[int, int]] = {}  # metal -> the want that takes it, and whence
        queue, seen = deque([(want, -1)]), {want}
        while queue:
            taker, own = queue.popleft()
            for metal in self.may[taker]:
                if metal in before:
                    continue
                before[metal] = taker, own
                if self.left[metal] > noise:
                    self._shift(want, metal, before)
                    return True
                for (other, of), quantity in self.given.items():
                    if of == metal and quantity > noise and other not in seen:
                        seen.add(other)
                        queue.append((other, metal))
        return False

    def _shift(self, want: int, metal: int, before: dict[int, tuple[int, int]]) -> None:
        """Hand metal along a chain of wants: each takes from the next, the last what is left."""
        chain, at = [], metal
        while at >= 0:
            taker, own = before[at]
            chain.append((taker, at, own))
            at = own
        much = min(self.left[metal], self.short[want])
        much = min([much, *(self.given[taker, own] for taker, _, own in chain if own >= 0)])
        for taker, takes, own in chain:
            self.given[taker, takes] += much
            if own >= 0:
                self.given[taker, own] -= much
        self.left[metal] -= much
        self.short[want] -= much


# --- One path -------------------------------------------------------------------------------------


class Assessment:
    """Describe what one path holds for an assessment."""

    def __init__(self, path: PathAudit) -> None:
        self.path, self.inputs = path, path.inputs
        self.lasts: float = path.inputs.settings.embargo_months
        self.asked: dict[int, list[Want]] = defaultdict(list)
        for (t, name, buyer, life), quantity in asked_for(path).items():
            self.asked[t].append(Want(t, name, buyer, life, quantity))

    def pool(self, name: str) -> list[str]:
        """Return the materials of a name."""
        return self.inputs.base.members(name)

    def stock(self, name: str, t: int) -> list[Metal]:
        """Return the stock in spec at the end of a period, with its age in the next."""
        return [
            Metal(t + 1, material, site, age + 1, quantity)
            for material, site, age, quantity in self._held[t]
            if material in self.pool(name)
        ]

    @cached_property
    def _held(self) -> dict[int, list[tuple[str, str, int, float]]]:
        found: dict[int, list[tuple[str, str, int, float]]] = defaultdict(list)
        for (t, material, site, age), quantity in self.path.held.items():
            if quantity > 0:
                found[t].append((material, site, age, quantity))
        return found

    def on_hand(self, name: str, t: int) -> list[Metal]:
        """Return the stock in spec as a period begins."""
        if t > 0:
            return self.stock(name, t - 1)
        opened = [
            self._metal(line)
            for line in self.path.sheets["movements"]
            if line["kind"] == "opening" and line["material"] in self.pool(name)
            if self.inputs.period(line["date"]) == t
            if self.path.tested_times(lot_of(line)) is not None
        ]
        return [each for each in opened if self._life(each, t) > 0]

    def due(self, name: str, t: int) -> list[Due]:
        """Return what comes in an embargo from a period on and was decided before it."""
        return [
            each
            for each in self.coming
            if each.metal.material in self.pool(name)
            and each.decided < t <= each.metal.t < t + self.inputs.whole(self.lasts)
        ]

    def periods(self, months: int) -> int:
        """Return months in whole periods, one at least."""
        return max(1, months // self.inputs.months)

    def _metal(self, line: Line) -> Metal:
        t = self.inputs.period(line["date"])
        age, _ = age_and_life(self.inputs, line, t)
        return Metal(t, line["material"], line["site"], age, line["quantity"])

    @cached_property
    def coming(self) -> list[Due]:
        """Return all that comes: under offers and contracts, from outlets, from other sites."""
        return [*self._bought(), *self._back()]

    def _bought(self) -> Iterator[Due]:
        for line in self.path.sheets["deliveries"]:
            metal = self._metal(line)
            rows = self.inputs.at(metal.t)
            share = restricted_share(rows, line["supplier"])
            runs = rows.suppliers[line["supplier"]].stage == "operating"
            for decided, part in self._decided(line).items():
                quantity = part * metal.quantity
                yield Due(metal._replace(quantity=quantity), decided, share, True, runs)

    def _decided(self, line: Line) -> dict[int, float]:
        """Return when a delivery was ordered or agreed, with the share of it."""
        sheets, period = self.path.sheets, self.inputs.period
        if line["in_transit"]:
            return {-1: 1.0}
        orders = [
            each
            for each in sheets["orders"]
            if (each["offer"], each["arrives"]) == (line["name"], line["date"])
        ]
        if line["kind"] == "offers" and orders:
            found: dict[int, float] = defaultdict(float)
            for each in orders:
                found[period(each["date"])] += each["ordered"] / sum(o["ordered"] for o in orders)
            return found
        for each in sheets["contracts"]:
            of_it = each["contract"] == line["name"] and each["signed"] is not None
            if of_it and line["date"] <= (each["last_delivery"] or line["date"]):
                return {period(each["signed"]): 1.0}
        for each in sheets["extensions"]:
            if (each["contract"], each["decision"]) == (line["name"], "extend"):
                return {period(each["date"]): 1.0}
        return {self.inputs.periods: 1.0}  # nothing brings it: other twins say so

    def _back(self) -> Iterator[Due]:
        """Yield what comes back from outlets, by the sheet of what was sent there, and moves."""
        sent = {(name, self.inputs.begin(due)): -1 for due, name, _ in out_before(self.inputs)}
        sent |= {(by.outlet, self.inputs.begin(due)): -1 for due, _, by in self.inputs.testing()}
        for line in self.path.sheets["rotation"]:
            if line["returns"] is not None:
                key = line["outlet"], line["returns"]
                sent[key] = max(sent.get(key, -1), self.inputs.period(line["date"]))
        for line in self.path.sheets["movements"]:
            later = line["kind"] == "opening" and self.inputs.period(line["date"]) > 0
            if not later and (line["kind"] not in ("return", "move in") or line["quantity"] <= 0):
                continue
            if self.path.tested_times(lot_of(line)) is None:
                continue
            metal = self._metal(line)
            if later:
                yield Due(metal, -1, 0.0, False, False)
                continue
            rows, moved = self.inputs.at(metal.t), line["kind"] == "move in"
            if moved:
                lag = self.inputs.whole(rows.keyed("moves")[line["name"]].lead_time_months)
                yield Due(metal, metal.t - lag, 0.0, False, False)
                continue
            country = rows.keyed("outlets")[line["name"]].country
            cut = country is not None and identity(country) in _restricted(rows)
            decided = sent.get((line["name"], line["date"]), self.inputs.periods)
            yield Due(metal, decided, float(cut), False, False)

    # What is met

    def wants(self, name: str, first: int, count: int) -> list[Want]:
        """Return demand of some periods; after the horizon it is that of the last period."""
        names = {name, *self.pool(name)}
        return [
            each._replace(t=t)
            for t in range(first, first + count)
            for each in self.asked[min(t, self.inputs.periods - 1)]
            if each.name in names
        ]

    def short(self, wants: Sequence[Want], metal: Sequence[Metal]) -> list[float]:
        """Return what stays short of each want, the earliest met first [quantity]."""
        order = sorted(range(len(metal)), key=lambda k: (self._ends(metal[k]), metal[k].t))
        may = [[k for k in order if self._serves(metal[k], want)] for want in wants]
        made = Allotment(may, [each.quantity for each in metal], [x.quantity for x in wants])
        made.meet()
        return made.short

    def _life(self, metal: Metal, t: int) -> float:
        """Return the life left in a period; 0 where it has ended [periods]."""
        for each in range(metal.t, t + 1):
            life = self.inputs.life(metal.material, min(each, self.inputs.periods - 1))
            if life is not None and metal.age + each - metal.t >= life:
                return 0.0
        life = self.inputs.life(metal.material, min(t, self.inputs.periods - 1))
        return math.inf if life is None else life - metal.age - (t - metal.t)

    def _ends(self, metal: Metal) -> float:
        life = self.inputs.life(metal.material, min(metal.t, self.inputs.periods - 1))
        return math.inf if life is None else metal.t + life - metal.age

    def _serves(self, metal: Metal, want: Want) -> bool:
        if metal.t > want.t or metal.material not in self.pool(want.name):
            return False
        left = self._life(metal, want.t)
        if left <= 0 or left < want.life:
            return False
        there = self._there(metal.material, metal.site)
        return any(
            self.inputs.serves(site, want.buyer) and lag <= want.t - metal.t
            for site, lag in there.items()
        )

    def _there(self, material: str, site: str) -> dict[str, int]:
        """Return the sites to which metal can be moved, with the periods until it is there.

        A lot that moves on leaves a period later at the earliest.
        """
        if (material, site) not in self._reached:
            found: dict[str, int] = {site: 0}
            best, queue = {site: 0}, deque([(site, 0)])
            while queue:
                at, leaves = queue.popleft()
                for row in self.inputs.rows("moves"):
                    if row.from_site != at or row.material not in (None, material):
                        continue
                    lag = self.inputs.whole(row.lead_time_months)
                    to, on = row.to_site, leaves + max(1, lag)
                    found[to] = min(found.get(to, leaves + lag), leaves + lag)
                    if on < best.get(to, math.inf):
                        best[to] = on
                        queue.append((to, on))
            self._reached[material, site] = found
        return self._reached[material, site]

    @cached_property
    def _reached(self) -> dict[tuple[str, str], dict[str, int]]:
        return {}


def assessment(path: PathAudit) -> None:
    """Compare the assessment of one path with what its plan and its input say."""
    if not path.sheets[YEARS]:
        return
    own = Assessment(path)
    years: dict[str, list[int]] = defaultdict(list)
    for t in range(path.inputs.periods):
        years[f"FY{path.inputs.fiscal_year(t)}"].append(t)
    for line in path.sheets[EMBARGOES]:
        if line["scenario"] == path.future.name:
            _embargo(own, line)
    for line in path.sheets[YEARS]:
        if line["scenario"] == path.future.name:
            if path.record.fails(line["fiscal_year"] in years and _named(path, line)):
                path.record.refuse(line.at("fiscal_year"), f"{line.where} names no such year")
            else:
                _year(own, line, years[line["fiscal_year"]])


def _named(path: PathAudit, line: Line) -> bool:
    return line["material"] in path.inputs.base.materials | path.inputs.base.groups


def _embargo(own: Assessment, line: Line) -> None:
    """Compare one embargo."""
    path, record = own.path, own.path.record
    t = path.when(line, "begins")
    if t is None or record.fails(_named(path, line)):
        record.refuse(line.at("material"), f"{line.where} cannot be followed")
        return
    name, noise = line["material"], path.noise(line["material"])
    held, due = own.on_hand(name, t), own.due(name, t)
    comes = [
        each.metal._replace(quantity=each.metal.quantity * (1 - each.restricted)) for each in due
    ]
    wants = own.wants(name, t, path.inputs.whole(own.lasts))
    record.figure(line, "probability", path.future.probability)
    record.figure(line, "months", own.lasts)
    record.term(line, "fiscal_year", f"FY{path.inputs.fiscal_year(t)}")
    record.figure(line, "on_hand", sum(each.quantity for each in held), noise)
    record.figure(line, "due", sum(each.quantity for each in comes), noise)
    back = sum(each.metal.quantity * each.restricted for each in due)
    record.figure(line, "held_back", back, noise)
    record.figure(line, "demand", sum(each.quantity for each in wants), noise)
    short = own.short(wants, [*held, *comes])
    inside = [x for x, each in zip(short, wants, strict=True) if each.t < path.inputs.periods]
    record.figure(line, "unmet", sum(short), noise)
    record.figure(line, "unmet_in_horizon", sum(inside), noise)
    after = own.lasts - (path.inputs.periods - t) * path.inputs.months
    record.figure(line, "after_horizon", max(0, after))
    _cell(own, line, _demanding(own, name, range(t, t + path.inputs.whole(own.lasts))))


def _demanding(own: Assessment, name: str, periods: range) -> set[str]:
    """Return the cells of the demand in the first of some periods in which there is any."""
    inputs, names = own.inputs, {name, *own.pool(name)}
    for t in periods:
        now = min(t, inputs.periods - 1)
        rows = (
            row
            for row in inputs.at(now).rows("demand")
            if row.quantity > 0
            and row.material in names
            and now in inputs.spans(row.from_, row.to or row.from_)
        )
        if found := {own.path.record.stockpile.cell(row, "quantity") for row in rows}:
            return found
    return set()


def _cell(own: Assessment, line: Line, known: set[str]) -> None:
    """Compare the cell from which a row comes with those from which it can."""
    record = own.path.record
    if record.fails(line["cell"] in known if known else line["cell"] is None):
        record.refuse(
            line.at("cell"), f"{line.words('cell')} must be {' or '.join(sorted(known)) or 'blank'}"
        )


def _year(own: Assessment, line: Line, periods: list[int]) -> None:
    """Compare one fiscal year."""
    path, record, last = own.path, own.path.record, periods[-1]
    name, noise = line["material"], path.noise(line["material"])
    stock = own.stock(name, last)
    record.figure(line, "probability", path.future.probability)
    record.figure(line, "stock", sum(each.quantity for each in stock), noise)
    _target(own, line, periods, noise)
    _cover(own, line, stock, last)
    _supply(own, line, periods, noise)
    begun = [
        each
        for each in path.sheets[EMBARGOES]
        if (each["scenario"], each["material"], each["fiscal_year"])
        == (line["scenario"], name, line["fiscal_year"])
    ]
    count = len({each["begins"] for each in begun})
    if record.fails(count == len(begun) == len(periods)):
        what = f"{line.where} has {len(begun)} rows in {EMBARGOES}, one for each period is"
        record.add(line.at("fiscal_year"), what, len(periods), len(begun))
        return
    asked = [each for each in begun if each["demand"] > 0]
    worst = max((each["unmet"] for each in asked), default=None)
    record.figure(line, "worst_unmet", worst, noise)
    there = [each for each in asked if each["begins"] == line["worst_month"]]
    if record.fails([each["unmet"] for each in there] == ([worst] if worst else [])):
        record.refuse(line.at("worst_month"), f"{line.words('worst_month')} is not the worst")
    demand = there[0]["demand"] if there else None
    record.figure(line, "worst_demand", demand, noise)
    mean = sum(each["unmet"] for each in begun) / len(begun) if asked else None
    record.figure(line, "mean_unmet", mean, noise)


def _target(own: Assessment, line: Line, periods: list[int], noise: float) -> None:
    """Compare the target at a year's end, whether it is met, and how often one is missed."""
    path, names = own.path, {line["material"], *own.pool(line["material"])}
    asked: dict[str, dict[bool, float]] = {}  # of each name, of its buyers and of all together
    cells = set[str]()
    for (t, name, buyer), (quantity, row) in due_targets(path).items():
        if t == periods[-1] and name in names:
            of = asked.setdefault(name, {True: 0.0, False: 0.0})
            of[buyer is None] += quantity
            stated = "quantity" if row.days is None else "days"
            cells.add(path.record.stockpile.cell(row, stated))
    span = range(periods[0], periods[-1] + 1)
    _cell(own, line, cells or _demanding(own, line["material"], span))
    most = {name: max(of.values()) for name, of in asked.items()}
    whole = max(most.pop(line["material"], 0.0), sum(most.values()))
    path.record.figure(line, "target", whole or None, noise)
    rows = [
        (path.inputs.period(each["date"]), each["below"] > 0)
        for each in path.sheets["targets"]
        if each["material"] in names and path.inputs.period(each["date"]) in periods
    ]
    last = [below for t, below in rows if t == periods[-1]]
    path.record.term(line, "met", not any(last) if last else None)
    path.record.figure(line, "periods_below", len({t for t, below in rows if below}))


def _cover(own: Assessment, line: Line, stock: list[Metal], last: int) -> None:
    """Compare how long stock lasts."""
    inputs, first, held = own.inputs, last + 1, sum(each.quantity for each in stock)
    count, needed = 0, 0.0
    while count < own.periods(LONGEST_COVER) and needed <= held:
        count += 1
        needed = sum(each.quantity for each in own.wants(line["material"], first, count))
    wants, days = own.wants(line["material"], first, count), 0.0
    short = own.short(wants, stock)
    for t in range(first, first + count):
        need = sum(each.quantity for each in wants if each.t == t)
        lack = sum(x for x, each in zip(short, wants, strict=True) if each.t == t)
        length = (inputs.begin(t + 1) - inputs.begin(t)).days
        if lack > 0:
            own.path.record.figure(line, "days_of_cover", days + length * (1 - lack / need), DAYS)
            return
        days += length
    own.path.record.figure(line, "days_of_cover", None)


def _supply(own: Assessment, line: Line, periods: list[int], noise: float) -> None:
    """Compare what arrives in a year, from whom."""
    bought = [
        each
        for each in own.coming
        if each.bought
        and each.metal.t in periods
        and each.metal.material in own.pool(line["material"])
    ]
    supply = sum(each.metal.quantity for each in bought)
    runs = sum(each.metal.quantity for each in bought if each.operating)
    through = sum(each.metal.quantity * each.restricted for each in bought)
    record = own.path.record
    record.figure(line, "supply", supply, noise)
    record.figure(line, "operating_supply", runs, noise)
    share = through / supply if supply > 0 else None
    record.figure(line, "restricted_share", share, noise / supply if supply else 0.0)


def chances(together: Together) -> None:
    """Compare the probability that a year's last target is met."""
    found: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in together.sheets[YEARS]:
        found[line["fiscal_year"], line["material"]].append(line)
    for lines in found.values():
        chance: float | None = None
        if any(line["met"] is not None for line in lines):
            chance = sum(line["probability"] for line in lines if line["met"] is not False)
        names = {line["scenario"] for line in lines}
        if together.record.fails(names == {*together.probability}):
            what = "does not show each scenario once"
            together.record.refuse(lines[0].at("scenario"), f"{lines[0].where} {what}")
        for line in lines:
            together.record.figure(line, "met_probability", chance, 1e-9)


TWIN = Twin(
    sheets=(
        AuditedSheet(
            name=YEARS,
            date="worst_month",
            solved=("only_operating_supply", "only_operating_stock"),
        ),
        AuditedSheet(name=EMBARGOES, date="begins"),
    ),
    settle=(assessment,),
    conclude=(chances,),
)
