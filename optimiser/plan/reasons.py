"""Reasons: why the plan uses what it uses, and what would have to change for it to do otherwise."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from optimiser.plan.reason_limits import BindingLimits
from optimiser.plan.turning_prices import Changed, TurningPrices
from optimiser.solving.ranging import Ranging
from stockpile_model import amounts
from stockpile_model.block import choices, misses
from stockpile_model.choice import Fact, PlanChoice, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.leads import TO_INPUT
from stockpile_model.schema import Result, column, columns, get
from stockpile_model.stockpile import Stockpile

SHORT = "what is missing"  # instead of the kind of a choice
TIMES = "times"  # the unit of what is done once, not by quantity
RESOLVED = "what would change that takes a re-solve (solve --reasons)"
NOT_ASKED = "what would change that was not asked: time"
NOT_FOUND = "what would change that was not found within the time limit"
UNSETTLED = (RESOLVED, NOT_ASKED, NOT_FOUND)
"""The ends of a reason that does not say what would change it."""


@dataclass(frozen=True, kw_only=True)
class Reason(Result):
    """Describe why something is used or not: over the whole horizon, or in a fiscal year."""

    SHEET = "reasons"
    ABOUT = "why the plan uses what it uses, and what would change that"
    PLACE = 86
    ALWAYS = False
    NAMED = ("choice", "name", "level", "fiscal_year")
    ORDER = ("fiscal_year",)
    PRINTED = "reason"
    ONE_ACROSS = True
    RENEWED = True
    choice: str = column("what it is: offer, level of a contract, project, outlet, site …")
    name: str = column("its name")
    level: str | None = column("level of the contract")
    material: str | None = column("material that it is about")
    fiscal_year: str | None = column("fiscal year; blank = the whole horizon")
    used: bool = column("whether the plan uses it")
    quantity: float = column("what the plan does of it, expected", "quantity or times")
    unit: str = column("unit of the quantity")
    reason: str = column("why", sentence=True)
    priced: dt.date | None = column(
        "first day of the period in which what is not used would be cheapest: its costs are of then"
    )
    price: float | None = column(
        "mean price with adder; below zero it is received", "money/unit", per="quantity"
    )
    duty: float | None = column("duty", "money/unit", per="quantity")
    freight: float | None = column("freight", "money/unit", per="quantity")
    ordering: float | None = column("order costs, spread", "money/unit", per="quantity")
    handling: float | None = column("handling", "money/unit", per="quantity")
    other_costs: float | None = column("what else a unit costs", "money/unit", per="quantity")
    landed: float | None = column("all of these: what a unit costs landed", "money/unit")
    discounted: float | None = column("the same, discounted to the start", "money/unit")
    beaten_by: str | None = column(
        "cheapest source of the material that is used in the year, or else what metal is worth then"
    )
    beaten_at: float | None = column("what that costs landed, discounted", "money/unit")
    stopped_by: str | None = column("limit that stops it from more")
    stopped_at: str | None = column("cell of that limit", leads=(TO_INPUT,))
    change: float | None = column(
        "by how much the price must better for the plan to use it, or worsen for it not to",
        "change_unit",
    )
    at_least: float | None = column("the change is at least this", "change_unit")
    at_most: float | None = column("the change is at most this", "change_unit")
    change_unit: str | None = column("unit of the change")
    found_by: str | None = column(
        "how the change was found: by ranging, other whole decisions kept, or by a re-solve"
    )
    to_type: str | None = column("the change as --set takes it")


class UsedSource(NamedTuple):
    """A source of metal that is used in a year, by what it costs landed [money/quantity]."""

    discounted: float
    name: str


@dataclass
class YearFacts:
    """Describe what a plan does of a choice in a year, with what it costs."""

    facts: list[tuple[float, Fact]] = field(default_factory=list)  # weighed by probability

    @property
    def amount(self) -> float:
        """Return what is done, expected [quantity or 1]."""
        return sum(weight * fact.amount for weight, fact in self.facts)

    @property
    def unit(self) -> tuple[UnitCost | None, int | None]:
        """Return what a unit costs, and of what is not used the node at which it is cheapest."""
        priced = [(weight, each) for weight, each in self.facts if each.cost is not None]
        if not priced:
            return None, None
        if whole := sum(weight * each.amount for weight, each in priced):
            means = (
                sum(weight * each.amount * (each.cost or UnitCost())[k] for weight, each in priced)
                for k in range(len(UnitCost._fields))
            )
            return UnitCost(*(mean / whole for mean in means)), None
        _, least = min(priced, key=lambda each: (each[1].cost or UnitCost()).present)
        return least.cost, least.node


Member = tuple[str, str | None]
"""The name of a choice, and its level."""


@dataclass(eq=False)
class Reasons:
    """The reasons of a solved plan; without `ranging` they say what is used and what it costs."""

    formulation: Formulation
    ranging: Ranging | None

    def __post_init__(self) -> None:
        self.stockpile: Stockpile = self.formulation.stockpile
        self.binding = BindingLimits(self.formulation, self.ranging)
        self.prices = None
        if self.ranging is not None:
            self.prices = TurningPrices(self.formulation, self.ranging)
        self.members: list[tuple[PlanChoice, Member, dict[int, YearFacts]]] = [
            (choice, member, self._years(choice, member))
            for choice in choices()
            for member in _members(self.stockpile, choice)
        ]
        self.sources = self._sources()

    def rows(self) -> Iterator[Reason]:
        """Yield the reasons: of each choice over the horizon, then by year with what is missing."""
        yield from Reason.in_order([*self._of_choices(), *self._missing()])

    def _of_choices(self) -> Iterator[Reason]:
        """Yield the reasons of each choice over the horizon and by year."""
        for choice, member, years in self.members:
            yield self._whole(choice, member, years)
            for year, facts in sorted(years.items()):
                yield self._row(choice, member, facts, year)

    # --- What is used

    def _years(self, choice: PlanChoice, member: Member) -> dict[int, YearFacts]:
        """Return what the plan does of a choice by fiscal year."""
        tree, calendar = self.stockpile.tree, self.stockpile.calendar
        found: dict[int, YearFacts] = defaultdict(YearFacts)
        for fact in self._facts(choice, member):
            year = calendar.fiscal_year(tree.period[fact.node])
            found[year].facts.append((tree.probability[fact.node], fact))
        return dict(found)

    def _facts(self, choice: PlanChoice, member: Member) -> Iterator[Fact]:
        if choice.facts is not None:
            yield from choice.facts(self.formulation, *member)
            return
        m, nothing, name, level = (
            self.formulation.m,
            self.stockpile.scale.nothing,
            member[0],
            member[1],
        )
        for n in choice.possible(self.stockpile, name):
            done = sum(evaluate(each) for each in choice.done(m, self.stockpile, name, level, n))
            yield Fact(n, done if done > nothing else 0.0)

    def _sources(self) -> Mapping[tuple[str, int], list[UsedSource]]:
        """Return the sources that are used, by material and year, the cheapest first."""
        found: dict[tuple[str, int], list[UsedSource]] = defaultdict(list)
        for choice, member, years in self.members:
            material = _material(self.stockpile, choice, member)
            for year, facts in years.items():
                cost, _ = facts.unit
                brings = any(fact.brings for _, fact in facts.facts)
                if material and brings and cost is not None and facts.amount > 0:
                    found[material, year].append(UsedSource(cost.present, _called(member)))
        return {key: sorted(each) for key, each in found.items()}

    # --- Rows

    def _row(
        self, choice: PlanChoice, member: Member, facts: YearFacts, year: int | None
    ) -> Reason:
        """Return the row of a choice in a year, or over the horizon."""
        (name, level), settings = member, self.stockpile.settings
        amount, (cost, node) = facts.amount, facts.unit
        material = _material(self.stockpile, choice, member)
        beaten = self._beaten(choice, member, facts, year, material)
        stop = None if amount else self.binding.bar(choice, name)
        stop = stop or self.binding.of(choice, name, year)
        if not amount and stop is None and node is not None:
            stop = self.binding.against(
                choice.done(self.formulation.m, self.stockpile, name, level, node), (choice, name)
            )
        cheaper = cost is not None and beaten is not None and cost.present < beaten.discounted
        if not amount and stop is None and cheaper:  # were it not so large
            stop = self.binding.smallest(choice, name)
        row = Reason(
            choice=choice.kind,
            name=name,
            level=level,
            material=material,
            fiscal_year=None if year is None else f"FY{year}",
            used=amount > 0,
            quantity=amounts.clean(amount),
            unit=choice.unit.replace("quantity", settings.quantity_unit),
            priced=None if node is None else self.stockpile.date(node),
            **_costs(cost),
            beaten_by=None if beaten is None else beaten.name,
            beaten_at=None if beaten is None else beaten.discounted,
            stopped_by=None if stop is None else stop.what,
            stopped_at=None if stop is None else stop.cell,
            change=None,
            at_least=None,
            at_most=None,
            change_unit=None,
            found_by=None,
            to_type=None,
            reason="",
        )
        return replace(row, reason=sentence(row, settings.currency))

    def _beaten(
        self,
        choice: PlanChoice,
        member: Member,
        facts: YearFacts,
        year: int | None,
        material: str | None,
    ) -> UsedSource | None:
        """Return what beats a source of metal that is not used; None where nothing does."""
        brings = [fact for _, fact in facts.facts if fact.brings]
        if facts.amount or not brings or not material or year is None:
            return None
        if used := self.sources.get((material, year)):
            return used[0]
        _, node = facts.unit
        worth = None if node is None else self.binding.worth(material, node)
        return None if worth is None else UsedSource(worth, "worth of metal then")

    def _whole(self, choice: PlanChoice, member: Member, years: Mapping[int, YearFacts]) -> Reason:
        """Return the row of a choice over the horizon, with what would change it."""
        every = YearFacts([each for facts in years.values() for each in facts.facts])
        row = self._row(choice, member, every, None)
        why = choice.why_not(self.stockpile, member[0]) if choice.why_not else ""
        if why:
            row = replace(row, stopped_by=why, stopped_at=None)
        elif self.prices is not None:
            row = with_change(row, self.prices.of(choice, member, row.used))
        said = sentence(row, self.stockpile.settings.currency)
        if not why and row.found_by is None:
            said += f"; {RESOLVED}"
        return replace(row, reason=said)

    def _missing(self) -> Iterator[Reason]:
        """Yield what is missing in each period, and the limits that it follows from."""
        stockpile, nothing = self.stockpile, self.stockpile.scale.nothing
        for each in misses(self.formulation):
            short = evaluate(each.data)
            if short <= nothing:
                continue
            limits = self.binding.behind(each.data)
            year = stockpile.calendar.fiscal_year(stockpile.tree.period[each.node])
            unit = stockpile.settings.quantity_unit
            what = f"{amounts.summed(short)} {unit} short in"
            said = f"{what} {amounts.month(stockpile.date(each.node))}"
            held = stockpile.where(each.node)["scenarios"] if stockpile.scenarios else ""
            if held and held != "all":
                said += f" ({held})"
            if limits:
                said += f": held back by {amounts.listed([str(limit) for limit in limits])}"
            yield _of_missing(
                stockpile,
                each.what,
                each.material,
                f"FY{year}",
                amounts.clean(short),
                stockpile.date(each.node),
                limits[0].what if limits else None,
                limits[0].cell if limits else None,
                said,
            )


def unsettled(row: Reason, why: str) -> Reason:
    """Return a row that says why it does not say what would change it."""
    return replace(row, reason=f"{settled(row.reason)}; {why}")


def settled(reason: str) -> str:
    """Return a reason without the remark that it does not say what would change it."""
    for each in UNSETTLED:
        reason = reason.removesuffix(f"; {each}")
    return reason


def _costs(cost: UnitCost | None) -> dict[str, float | None]:
    """Return the columns of what a unit costs; blank where it costs nothing of its own."""
    return {
        "price": None if cost is None else cost.price,
        "duty": None if cost is None else cost.duty,
        "freight": None if cost is None else cost.freight,
        "ordering": None if cost is None else cost.ordering,
        "handling": None if cost is None else cost.handling,
        "other_costs": None if cost is None else cost.other,
        "landed": None if cost is None else cost.landed,
        "discounted": None if cost is None else cost.present,
    }


def _of_missing(
    stockpile: Stockpile,
    what: str,
    material: str,
    year: str,
    short: float,
    date: dt.date,
    stop: str | None,
    cell: str | None,
    said: str,
) -> Reason:
    """Return the row of what is missing at a date."""
    empty = {each.field: None for each in columns(Reason)}
    of = {
        "choice": SHORT,
        "name": what,
        "material": material,
        "fiscal_year": year,
        "used": False,
        "quantity": short,
        "unit": stockpile.settings.quantity_unit,
        "priced": date,
        "stopped_by": stop,
        "stopped_at": cell,
        "reason": said,
    }
    return Reason(**{**empty, **of})  # type: ignore[arg-type]


def with_change(row: Reason, found: Changed | None) -> Reason:
    """Return a row with what would change it."""
    if found is None:
        return row
    return replace(
        row,
        change=found.change,
        at_least=found.least,
        at_most=found.most,
        change_unit=found.unit,
        found_by=found.found_by,
        to_type=found.to_type,
    )


def sentence(row: Reason, currency: str) -> str:
    """Return why something is used or not, as one sentence."""
    parts = []
    if row.used:
        parts.append(_done(row) + _at(row, currency))
        if row.stopped_by:
            parts.append(f"no more of it because of {stop_of(row)}")
    else:
        parts.append("not used" + _at(row, currency))
        if row.beaten_by:
            parts.append(_beaten(row, currency))
        if row.stopped_by:
            parts.append(f"stopped by {stop_of(row)}")
    if row.found_by:
        parts.append(_turn(row))
    return "; ".join(parts)


def is_beaten(row: Reason) -> bool:
    """Return whether what is used instead costs less: the cheapest of what is used may cost more
    where a limit keeps this one out."""
    known = row.beaten_at is not None and row.discounted is not None
    return known and (row.beaten_at or 0.0) < (row.discounted or 0.0)


def _done(row: Reason) -> str:
    """Return how much of it is used; of what is done once how likely that is."""
    if row.unit != TIMES:
        return f"used: {amounts.summed(row.quantity)} {row.unit}"
    return "used" if row.quantity >= 1 else f"used with probability {amounts.percent(row.quantity)}"


def _at(row: Reason, currency: str) -> str:
    """Return what a unit costs, in words; nothing where it has no cost of its own."""
    if row.landed is None or (row.unit == TIMES and row.landed == 0):
        return ""
    if row.unit == TIMES:
        return f", for {amounts.rounded(row.landed)} {currency}"
    price = f"{amounts.price(abs(row.landed))} {currency}/{row.unit.replace(' x ', '/')}"
    return f", earning {price}" if row.landed < 0 else f" at {price} landed"


def _beaten(row: Reason, currency: str) -> str:
    """Return what the cheapest that is used costs, next to what this one would."""
    theirs, unit = amounts.price(row.beaten_at or 0.0), f"{currency}/{row.unit}"
    own = "" if row.discounted is None else amounts.price(row.discounted)
    if is_beaten(row) or not own:
        against = f" against {own}" if own else ""
        return f"beaten by {row.beaten_by}, at {theirs}{against} {unit} discounted"
    return f"no dearer than {row.beaten_by}, at {own} against {theirs} {unit} discounted"


def stop_of(row: Reason) -> str:
    """Return the limit that stops something, with its cell; blank where none is known."""
    if not row.stopped_by:
        return ""
    return f"{row.stopped_by} ({row.stopped_at})" if row.stopped_at else row.stopped_by


def _turn(row: Reason) -> str:
    """Return what would change it, in words."""
    how = f" ({row.found_by})"
    if row.change is None and row.change_unit is None:
        return str(row.found_by)
    if row.change is None and row.at_least:
        least = f"at least {amounts.price(row.at_least)} {row.change_unit}"
        verb = "leaves the plan only if worse" if row.used else "enters the plan only if better"
        return f"{verb} by {least}{how}"
    if row.change is None:
        if row.used:
            return f"no price makes the plan do without it{how}"
        return f"not even for nothing would it be used{how}"
    by = f"{amounts.price(row.change)} {row.change_unit}"
    verb = "leaves the plan if worse by" if row.used else "enters the plan if better by"
    return f"{verb} {by}{how}"


def _members(stockpile: Stockpile, choice: PlanChoice) -> Iterator[Member]:
    """Yield the names of a choice, each with each of its levels."""
    for name in stockpile.names(choice.table):
        if choice.levels is None:
            yield name, None
        else:
            yield from ((name, level) for level in choice.levels(stockpile, name))


def _material(stockpile: Stockpile, choice: PlanChoice, member: Member) -> str | None:
    """Return the material of the row of a choice; None where it names none."""
    kind = next(each for each in stockpile.tables if choice.table == each.TABLE)
    row = stockpile.keyed(kind)[member[0]]
    return get(row, "material") if any(each.name == "material" for each in columns(kind)) else None


def _called(member: Member) -> str:
    return " ".join(filter(None, member))
