"""An embargo on a plan: what its stock and what is due could meet if nothing new could be ordered.

From the first day of a period on nothing is ordered, signed, sold or lent. What is on hand then
serves demand as long as it keeps; what was ordered or signed before still comes as the plan has it,
less the share that looks through to the restricted country. So an embargo of a year, or as long as
`settings.embargo_months` says, is asked about for each period, and for each year's end how long the
stock lasts without anything that is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Figure
from optimiser.studies.engine.drawdown import INSIDE, Drawdown, days_of_cover, gathered
from optimiser.studies.engine.path_supply import DueMetal, MetalBatch, PathSupply, names
from stockpile_model.blocks import targets
from stockpile_model.blocks.demand import by_life, serving
from stockpile_model.blocks.moves import move_terms
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

MOST_COVER = 120
"""How far ahead it is looked how long stock lasts [months]."""
UNMET, COVER = "unmet", "days of cover"
UNMET_INSIDE = f"{INSIDE} {UNMET}"
"""The first words of the figures that linear programs answer."""
STOCK, TARGET, MET, MISSED, SUPPLY, OPERATING_SUPPLY, RESTRICTED_SUPPLY = (
    "stock",
    "target",
    "met",
    "missed",
    "supply",
    "operating supply",
    "restricted supply",
)
"""The first words of the figures of a year that the rows of a plan say by themselves."""
ON_HAND, DUE, HELD_BACK, NEED = "on hand", "due", "held back", "need"
"""The first words of those of an embargo."""


def pools(stockpile: Stockpile) -> tuple[str, ...]:
    """Return the materials that stand alone, and the groups: metal that may serve one demand."""
    rows = stockpile.rows(Material)
    return tuple(dict.fromkeys(row.group or row.material for row in rows))


@dataclass(frozen=True)
class FiscalYear:
    """The periods of a fiscal year that lie in the horizon; its name is `FY2028`."""

    name: str
    periods: range


def fiscal_years(stockpile: Stockpile) -> list[FiscalYear]:
    """Return the fiscal years of the horizon."""
    calendar, found = stockpile.calendar, dict[int, list[int]]()
    for period in range(calendar.periods):
        found.setdefault(calendar.fiscal_year(period), []).append(period)
    return [FiscalYear(f"FY{year}", range(each[0], each[-1] + 1)) for year, each in found.items()]


@dataclass(frozen=True)
class _Need:
    """Demand of a period, counted from the first that is asked about."""

    period: int
    name: str
    buyer: str
    life: int
    quantity: float


class PathEmbargo:
    """Embargoes on a plan in one scenario."""

    def __init__(self, plan: Plan, scenario: str) -> None:
        self.supply = PathSupply(plan, scenario)
        self.stockpile = plan.stockpile

    # --- What is asked

    def unmet(self, pool: str, period: int) -> Drawdown:
        """Return the question what stays unmet in an embargo from a period on."""
        needs = self._needs(pool, self._window(period))
        batches = [*self.on_hand(pool, period), *self.due(pool, period)]
        return self._drawdown(needs, batches, period)

    def need(self, pool: str, period: int) -> float:
        """Return what is asked of a pool in an embargo from a period on [quantity]."""
        return sum(each.quantity for each in self._needs(pool, self._window(period)))

    def _window(self, period: int) -> range:
        """Return the periods of an embargo that begins in one."""
        return window(self.stockpile, period)

    def cover(self, pool: str, period: int) -> Drawdown:
        """Return the question how long stock at the end of a period lasts with nothing due.

        It is asked as far ahead as all of it could be used.
        """
        calendar, held = self.stockpile.calendar, self.supply.left(period, later=1)
        held = self._of_pool(pool, held)
        stock, needs, first = sum(each.quantity for each in held), list[_Need](), period + 1
        after = range(first, first + max(1, MOST_COVER // calendar.months))
        for each in after:
            needs += self._needs(pool, range(each, each + 1))
            if sum(need.quantity for need in needs) > stock:
                after = range(first, each + 1)
                break
        lengths = tuple((calendar.begin(t + 1) - calendar.begin(t)).days for t in after)
        return self._drawdown(needs, held, first, lengths)

    def on_hand(self, pool: str, period: int) -> list[MetalBatch]:
        """Return the metal of a pool on hand as a period begins."""
        return self._of_pool(pool, self.supply.on_hand(period))

    def due(self, pool: str, period: int, all_of_it: bool = False) -> list[MetalBatch]:
        """Return what comes within an embargo and was decided before it began.

        It is without what the restricted country holds back; with `all_of_it` nothing is held back.
        """
        found = []
        for each in self.supply.coming:
            batch = each.batch
            before = each.decided is None or each.decided < period
            if before and batch.period in self._window(period):
                quantity = batch.quantity * (1.0 if all_of_it else 1.0 - each.restricted)
                where = batch.material, batch.site, batch.period, batch.age
                found.append(MetalBatch(*where, quantity))
        return self._of_pool(pool, found)

    def _of_pool(self, pool: str, batches: Iterable[MetalBatch]) -> list[MetalBatch]:
        members = self.stockpile.members(pool)
        return [each for each in batches if each.material in members]

    # --- The linear programs

    def _needs(self, pool: str, periods: range) -> list[_Need]:
        """Return the demand of a pool; after the horizon it goes on as in the last period."""
        own = {pool, *self.stockpile.members(pool)}
        return [
            _Need(period, name, buyer, life, need.quantity)
            for period in periods
            for (name, buyer), lives in by_life(self.stockpile, self.supply.node(period)).items()
            if name in own
            for life, need in lives.items()
        ]

    def _drawdown(
        self,
        needs: list[_Need],
        batches: Iterable[MetalBatch],
        first: int,
        days: tuple[int, ...] = (),
    ) -> Drawdown:
        places: dict[tuple[str, str, int, int], float] = {}
        for each in batches:
            place = each.material, each.site, each.period, each.age
            places[place] = places.get(place, 0.0) + each.quantity
        meets = ((self._meets(MetalBatch(*at, 0.0), needs), much) for at, much in places.items())
        return Drawdown(
            tuple(each.quantity for each in needs),
            tuple(each.period - first for each in needs),
            gathered(meets),
            max(0, len(self.supply.path) - first),
            days,
        )

    def _meets(self, batch: MetalBatch, needs: list[_Need]) -> tuple[int, ...]:
        """Return the needs that a batch can meet, by their numbers."""
        last = max((each.period for each in needs), default=batch.period)
        left = self._lives(batch, last)
        sites = self._reached[batch.material, batch.site]
        return tuple(
            k
            for k, need in enumerate(needs)
            if batch.material in self.stockpile.members(need.name)
            and need.period in left
            and left[need.period] >= need.life
            and any(
                sites.get(site, last + 1) <= need.period - batch.period
                for site in serving(self.stockpile, need.buyer)
            )
        )

    def _lives(self, batch: MetalBatch, last: int) -> dict[int, float]:
        """Return the life that a batch has left in each period in which it can be used [periods].

        It ends where its life does, as long as that is then.
        """
        found: dict[int, float] = {}
        for period in range(batch.period, last + 1):
            life = self.supply.now(period).shelf_life(batch.material)
            left = float("inf") if life is None else life - batch.age - (period - batch.period)
            if left <= 0:
                break
            found[period] = left
        return found

    @cached_property
    def _reached(self) -> Mapping[tuple[str, str], dict[str, int]]:
        """Return by material and site the sites to which metal can be moved, and after how many
        periods.

        A lot moves once in a period at most. Capacities of moves are not counted.
        """
        found: dict[tuple[str, str], dict[str, int]] = {}
        moves = [
            (move, move_terms.lead(self.stockpile, move)) for move in self.stockpile.rows(SiteMove)
        ]
        for material in self.stockpile.keyed(Material):
            for site in self.stockpile.sites:
                there, ready = {site: 0}, {site: 0}  # when it arrives, when it may move on
                for _ in self.stockpile.sites:
                    for move, lag in moves:
                        may = material in move_terms.movable(self.stockpile, move)
                        if may and move.from_site in ready:
                            at = ready[move.from_site] + lag
                            to = move.to_site
                            there[to] = min(there.get(to, at), at)
                            ready[to] = min(
                                ready.get(to, at + 1), ready[move.from_site] + max(lag, 1)
                            )
                found[material, site] = there
        return found


class Cover(NamedTuple):
    """Describe how long stock meets the demand that follows [days]; None: as far ahead as
    `MOST_COVER`.

    `asked`: whether any demand follows.
    """

    days: float | None
    asked: bool


def stock_cover(embargo: PathEmbargo, pool: str, period: int) -> Cover:
    """Return how long the stock of a pool at the end of a period lasts with nothing due."""
    drawdown = embargo.cover(pool, period)
    if not any(drawdown.needs):
        return Cover(None, False)
    return Cover(days_of_cover(drawdown, Options()), True)


# --- A fiscal year in a scenario ------------------------------------------------------------------


def questions(embargo: PathEmbargo, year: FiscalYear) -> dict[str, Drawdown]:
    """Return what linear programs are to answer of a fiscal year, by figure."""
    found = {}
    for pool in pools(embargo.stockpile):
        for period in year.periods:
            found[month_figure(UNMET, embargo.stockpile, pool, period)] = embargo.unmet(
                pool, period
            )
        found[f"{COVER} {pool}"] = embargo.cover(pool, year.periods[-1])
    return found


def window(stockpile: Stockpile, period: int) -> range:
    """Return the periods of an embargo that begins in one; some may lie after the horizon."""
    return range(period, period + stockpile.calendar.count(stockpile.settings.embargo_months))


def target_cell(stockpile: Stockpile, scenario: str, pool: str, year: FiscalYear) -> str | None:
    """Return the cell of the target of a pool at the end of a year.

    Without a target it is that of its first demand in the year; None where there is none either.
    """
    own = {pool, *stockpile.members(pool)}
    asked = targets.required(stockpile, _nodes(stockpile, scenario)[year.periods[-1]])
    for (name, _), each in asked.items():
        if name in own:
            return stockpile.cell(each.row, each.row.stated)
    return demand_cell(stockpile, scenario, pool, year.periods)


def demand_cell(stockpile: Stockpile, scenario: str, pool: str, periods: range) -> str | None:
    """Return the cell of the first demand for a pool in some periods; None where there is none.

    After the horizon demand is that of the last period.
    """
    own, nodes = {pool, *stockpile.members(pool)}, _nodes(stockpile, scenario)
    for period in periods:
        node = nodes[min(period, len(nodes) - 1)]
        for (name, _), lives in by_life(stockpile, node).items():
            if name in own:
                return stockpile.cell(next(iter(lives.values())).row, "quantity")
    return None


def _nodes(stockpile: Stockpile, scenario: str) -> tuple[int, ...]:
    """Return the nodes of a scenario, one for each period."""
    leaf = stockpile.scenarios.get(scenario, stockpile.tree.leaves[0])
    return stockpile.tree.paths[leaf]


def month_figure(what: str, stockpile: Stockpile, pool: str, period: int) -> str:
    """Return the name of a figure of a period: the month in which it begins stands at its end."""
    return f"{what} {pool} {stockpile.calendar.begin(period):%m}"


def path_of_year(plan: Plan, scenario: str, year: str) -> tuple[PathEmbargo, FiscalYear]:
    """Return the embargoes on a plan in a scenario, and a fiscal year by its name."""
    span = next(each for each in fiscal_years(plan.stockpile) if each.name == year)
    return PathEmbargo(plan, scenario), span


def figures_of_all(plan: Plan) -> dict[str, Figure]:
    """Return stock and supply of each fiscal year in each scenario; `of_place` takes them apart."""
    found: dict[str, Figure] = {}
    for scenario in names(plan.stockpile):
        embargo = PathEmbargo(plan, scenario)
        for year in fiscal_years(plan.stockpile):
            for pool in pools(plan.stockpile):
                for name, value in _of_year(embargo, year, pool):
                    found[f"{scenario}/{year.name}/{name} {pool}"] = value
    return found


def of_place(figures: Mapping[str, Figure], scenario: str, year: str) -> dict[str, Figure]:
    """Return the figures of one fiscal year in one scenario, of those of all."""
    head = f"{scenario}/{year}/"
    return {
        name.removeprefix(head): value for name, value in figures.items() if name.startswith(head)
    }


def planned_figures(embargo: PathEmbargo, year: FiscalYear) -> dict[str, Figure]:
    """Return the figures of a fiscal year that the rows of the plan say by themselves."""
    found: dict[str, Figure] = {}
    for pool in pools(embargo.stockpile):
        for name, value in _of_year(embargo, year, pool):
            found[f"{name} {pool}"] = value
        for period in year.periods:
            for name, amount in _of_period(embargo, pool, period):
                found[month_figure(name, embargo.stockpile, pool, period)] = amount
    return found


def _of_year(embargo: PathEmbargo, year: FiscalYear, pool: str) -> Iterator[tuple[str, Figure]]:
    """Yield stock, target and supply of a pool in a fiscal year."""
    last, supply = year.periods[-1], embargo.supply
    members = embargo.stockpile.members(pool)
    held = [each for each in supply.left(last) if each.material in members]
    yield STOCK, sum(each.quantity for each in held)
    yield from _targets(embargo, year, pool)
    bought = [
        each
        for each in supply.coming
        if each.bought and each.batch.material in members and each.batch.period in year.periods
    ]
    yield SUPPLY, _summed(bought)
    yield OPERATING_SUPPLY, _summed(each for each in bought if each.operating)
    yield RESTRICTED_SUPPLY, sum(each.restricted * each.batch.quantity for each in bought)


def _summed(supply: Iterable[DueMetal]) -> float:
    return sum(each.batch.quantity for each in supply)


def _targets(embargo: PathEmbargo, year: FiscalYear, pool: str) -> Iterator[tuple[str, Figure]]:
    """Yield the target at a year's end and whether it is met, where there is one, and in how many
    periods of the year a target is missed.
    """
    stockpile, supply = embargo.stockpile, embargo.supply
    own = {pool, *stockpile.members(pool)}
    nothing = stockpile.scale.nothing
    asked: dict[str, dict[bool, float]] = {}
    required = targets.required(stockpile, supply.node(year.periods[-1]))
    for (name, buyer), each in required.items():
        of = asked.setdefault(name, {})
        of[bool(buyer)] = of.get(bool(buyer), 0.0) + each.quantity
    # What counts for the buyers counts for all together, and what counts for a metal for its group.
    most = {name: max(of.values()) for name, of in asked.items() if name in own}
    if largest := max(most.pop(pool, 0.0), sum(most.values())):
        yield TARGET, largest
    rows = [
        (supply.calendar.period(row.date), row.below > nothing)
        for row in supply.rows(targets.TargetMet)
        if row.material in own and supply.calendar.period(row.date) in year.periods
    ]
    if any(period == year.periods[-1] for period, _ in rows):
        yield MET, float(not any(below for period, below in rows if period == year.periods[-1]))
    yield MISSED, float(len({period for period, below in rows if below}))


def _of_period(embargo: PathEmbargo, pool: str, period: int) -> Iterator[tuple[str, float]]:
    """Yield what is on hand and due for an embargo from a period on, and what is asked of it."""
    whole = sum(each.quantity for each in embargo.due(pool, period, all_of_it=True))
    due = sum(each.quantity for each in embargo.due(pool, period))
    yield ON_HAND, sum(each.quantity for each in embargo.on_hand(pool, period))
    yield DUE, due
    yield HELD_BACK, whole - due
    yield NEED, embargo.need(pool, period)
