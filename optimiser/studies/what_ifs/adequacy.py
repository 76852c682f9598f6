"""Adequacy: the yearly assessment of a plan's supply, by fiscal year and scenario.

The CSIS brief "Beyond Rare Earths" (17 Jul 2025) asks that an annual assessment of the adequacy of
gallium supply be required by law. Here stand, for each fiscal year and scenario, the stock and how
long it lasts, what an embargo would leave unmet, how much of the supply looks through to the
restricted country, and what the plants that operate could do alone. See `embargo` for what an
embargo is, and `drawdown` for its linear program.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine import embargo as of
from optimiser.studies.engine.case import Case, CaseResult, Figure
from optimiser.studies.engine.drawdown import written
from optimiser.studies.engine.embargo import FiscalYear, PathEmbargo
from optimiser.studies.engine.path_supply import names
from optimiser.studies.engine.views import AS_IT_IS, ASSESSED, OPERATING_ONLY
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf, no_refusal
from stockpile_model import amounts, restricted
from stockpile_model.leads import TO_INPUT
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Result, column, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier


@dataclass(frozen=True, kw_only=True)
class YearAssessed(Result):
    """The supply of a material, or of a group, in a fiscal year of a scenario."""

    SHEET = "adequacy"
    ABOUT = "stock, cover and supply of each fiscal year, and what an embargo would leave unmet"
    PLACE = 87
    ALWAYS = False
    NAMED = ("fiscal_year", "scenario", "material")
    fiscal_year: str = column("fiscal year, by the calendar year in which it ends")
    scenario: str = column("scenario")
    probability: float = column("probability of the scenario", "1")
    material: str = column("material, or group of materials")
    stock: float = column("in-spec stock at the end of the year", "quantity")
    target: float | None = column("target at the end of the year; blank = none", "quantity")
    met: bool | None = column("whether that target is met; blank = none")
    met_probability: float | None = column(
        "probability over the scenarios that it is met; blank = none", "1"
    )
    periods_below: int = column("periods of the year in which a target is missed", alarm=True)
    days_of_cover: float | None = column(
        "days for which that stock alone, as it ages, meets the demand that follows; blank = it "
        "does for ten years, or no demand follows",
        "days",
    )
    worst_month: dt.date | None = column(
        "first day of the embargo that leaves most unmet, of those that begin in the year; blank = "
        "none leaves anything unmet"
    )
    worst_unmet: float | None = column(
        "demand that it leaves unmet while it lasts; blank = there is none", "quantity", alarm=True
    )
    worst_demand: float | None = column("demand while it lasts", "quantity")
    mean_unmet: float | None = column(
        "mean of what the embargoes that begin in the year leave unmet; blank = no demand",
        "quantity",
    )
    supply: float = column("what arrives in the year under offers and contracts", "quantity")
    operating_supply: float = column("of it from plants that operate", "quantity")
    restricted_share: float | None = column(
        "share of what arrives that looks through to the restricted country; blank = nothing does",
        "1",
    )
    only_operating_supply: float | None = column(
        "what arrives in the year in a plan with the plants alone that operate; blank = no plan",
        "quantity",
    )
    only_operating_stock: float | None = column(
        "in-spec stock at the end of the year in that plan; blank = no plan", "quantity"
    )
    cell: str | None = column(
        "cell of the target at the end of the year; without one that of the demand in it; blank = "
        "neither",
        leads=(TO_INPUT,),
    )


@dataclass(frozen=True, kw_only=True)
class EmbargoAssessed(Result):
    """Describe what an embargo from a date on would leave unmet while it lasts."""

    SHEET = "embargo"
    ABOUT = "what an embargo from each month on would leave unmet while it lasts"
    PLACE = 88
    ALWAYS = False
    NAMED = ("begins", "scenario", "material")
    begins: dt.date = column("first day of the embargo")
    months: float = column("how long it lasts, by settings.embargo_months", "months", given=True)
    fiscal_year: str = column("fiscal year in which it begins")
    scenario: str = column("scenario")
    probability: float = column("probability of the scenario", "1")
    material: str = column("material, or group of materials")
    on_hand: float = column("in-spec stock on hand as it begins", "quantity")
    due: float = column(
        "what comes while it lasts of what was ordered, signed or sent out before", "quantity"
    )
    held_back: float = column(
        "what was due and does not come: it looks through to the restricted country", "quantity"
    )
    demand: float = column("demand while it lasts", "quantity")
    unmet: float = column(
        "least of it that stays unmet, whatever lots are used for it", "quantity", alarm=True
    )
    unmet_in_horizon: float = column("what of it is demand within the horizon", "quantity")
    after_horizon: float = column(
        "months of it after the horizon, in which demand goes on as in the last period and "
        "nothing is due",
        "months",
    )
    cell: str | None = column(
        "cell of the first demand while it lasts; blank = no demand", leads=(TO_INPUT,)
    )


Figures = Mapping[tuple[str, str], Mapping[str, Figure]]
"""The figures of each scenario and fiscal year."""


# --- The rows -------------------------------------------------------------------------------------


def assessed(stockpile: Stockpile, found: Figures, alone: Figures) -> Iterator[Result]:
    """Yield the rows of both sheets.

    `found` are the figures of the plan, `alone` those of a plan with the plants alone that operate.
    """
    likely, years = names(stockpile), of.fiscal_years(stockpile)
    for year in years:
        for pool in of.pools(stockpile):
            chance = _chance(found, likely, year, pool)
            for scenario, probability in likely.items():
                key = scenario, year.name
                months = [*_months(stockpile, found[key], (year, scenario, probability, pool))]
                row = _year(found[key], months, (year, scenario, probability, pool), chance)
                row = replace(row, cell=of.target_cell(stockpile, scenario, pool, year))
                yield _with_operating(row, alone.get(key))
                yield from months


def _chance(
    found: Figures, likely: Mapping[str, float], year: FiscalYear, pool: str
) -> float | None:
    """Return the probability that a year's last target is met; None where there is none."""
    met = {name: found[name, year.name].get(f"{of.MET} {pool}") for name in likely}
    if all(each is None for each in met.values()):
        return None
    return min(1.0, sum(likely[name] for name, each in met.items() if each is None or each))


Place = tuple[FiscalYear, str, float, str]
"""A fiscal year, a scenario with its probability, and a material or group."""


def _months(
    stockpile: Stockpile, figures: Mapping[str, Figure], place: Place
) -> Iterator[EmbargoAssessed]:
    """Yield the embargoes that begin in a year."""
    year, scenario, probability, pool = place
    calendar, nothing = stockpile.calendar, stockpile.scale.nothing
    lasts = stockpile.settings.embargo_months
    for period in year.periods:

        def figure(name: str, period: int = period) -> float:
            value = float(figures[of.month_figure(name, stockpile, pool, period)])
            return value if abs(value) > nothing else 0.0

        inside = (calendar.periods - period) * calendar.months
        yield EmbargoAssessed(
            begins=calendar.begin(period),
            months=lasts,
            fiscal_year=year.name,
            scenario=scenario,
            probability=probability,
            material=pool,
            on_hand=figure(of.ON_HAND),
            due=figure(of.DUE),
            held_back=figure(of.HELD_BACK),
            demand=figure(of.NEED),
            unmet=figure(of.UNMET),
            unmet_in_horizon=figure(of.UNMET_INSIDE),
            after_horizon=float(max(0, lasts - inside)),
            cell=of.demand_cell(stockpile, scenario, pool, of.window(stockpile, period)),
        )


def _year(
    figures: Mapping[str, Figure],
    months: Sequence[EmbargoAssessed],
    place: Place,
    chance: float | None,
) -> YearAssessed:
    """Return the row of a year, of the figures of the plan."""
    year, scenario, probability, pool = place

    def figure(name: str) -> float | None:
        value = figures.get(f"{name} {pool}")
        return None if value is None else float(value)

    asked = [each for each in months if each.demand > 0]
    worst = max(asked, key=lambda each: each.unmet, default=None)
    supply, met = figure(of.SUPPLY) or 0.0, figure(of.MET)
    return YearAssessed(
        fiscal_year=year.name,
        scenario=scenario,
        probability=probability,
        material=pool,
        stock=figure(of.STOCK) or 0.0,
        target=figure(of.TARGET),
        met=None if met is None else bool(met),
        met_probability=chance,
        periods_below=int(figure(of.MISSED) or 0),
        days_of_cover=figure(of.COVER),
        worst_month=None if worst is None or not worst.unmet else worst.begins,
        worst_unmet=None if worst is None else worst.unmet,
        worst_demand=None if worst is None or not worst.unmet else worst.demand,
        mean_unmet=sum(each.unmet for each in months) / len(months) if asked else None,
        supply=supply,
        operating_supply=figure(of.OPERATING_SUPPLY) or 0.0,
        restricted_share=(figure(of.RESTRICTED_SUPPLY) or 0.0) / supply if supply else None,
        only_operating_supply=None,
        only_operating_stock=None,
        cell=None,
    )


def _with_operating(row: YearAssessed, figures: Mapping[str, Figure] | None) -> YearAssessed:
    """Return the row of a year with what the plants that operate could do alone."""
    if not figures:
        return row
    return replace(
        row,
        only_operating_supply=float(figures[f"{of.SUPPLY} {row.material}"]),
        only_operating_stock=float(figures[f"{of.STOCK} {row.material}"]),
    )


# --- The plan, and a workbook alone ---------------------------------------------------------------


def _places(stockpile: Stockpile) -> list[tuple[str, str]]:
    years = of.fiscal_years(stockpile)
    return [(name, year.name) for name in names(stockpile) for year in years]


def _case(supply: str, scenario: str, year: str) -> Case:
    """Return the case of a fiscal year of a plan that the case makes."""
    return Case(view=(ASSESSED, supply, scenario, year), note=f"{year} in {scenario}, {supply}")


def cases(plan: Plan) -> list[Case]:
    """Return the cases of what the plan holds, and of the plants alone that operate."""
    paths = {name: PathEmbargo(plan, name) for name in names(plan.stockpile)}
    years = {each.name: each for each in of.fiscal_years(plan.stockpile)}
    places = _places(plan.stockpile)
    drawn = [
        Case(
            view=(ASSESSED, "the plan", *place),
            drawn=written(of.questions(paths[place[0]], years[place[1]])),
            note=f"{place[1]} in {place[0]}",
        )
        for place in places
    ]
    return [*drawn, Case(view=(ASSESSED, OPERATING_ONLY), note="operating plants alone")]


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with its assessment, audited again; where a linear program failed with a
    warning instead.

    Raises AuditError where the audit does not agree.
    """
    stockpile = plan.stockpile
    places, paths = _places(stockpile), {name: PathEmbargo(plan, name) for name in names(stockpile)}
    years = {each.name: each for each in of.fiscal_years(stockpile)}
    *drawn, alone = results
    if failed := next((each for each in drawn if not each.planned), None):
        warning = f"the supply of the plan could not be assessed: {failed.ended}"
        return replace(plan, warnings=(*plan.warnings, warning))
    found = {
        (scenario, year): {
            **of.planned_figures(paths[scenario], years[year]),
            **result.figures,
        }
        for (scenario, year), result in zip(places, drawn, strict=True)
    }
    operating = {place: of.of_place(alone.figures, *place) for place in places if alone.planned}
    rows = [*assessed(stockpile, found, operating)]
    kinds = (YearAssessed, EmbargoAssessed)
    by_kind: dict[type[Result], tuple[Result, ...]] = {
        kind: tuple(row for row in rows if type(row) is kind) for kind in kinds
    }
    said = plan.verdict_with(*sentences(stockpile, rows), *_missing([alone]))
    return audited(replace(plan, rows={**plan.rows, **by_kind}, verdict=said))


def _missing(alone: Sequence[CaseResult]) -> Iterator[str]:
    """Yield why the plants that operate have no plan; nothing where they have one."""
    if failed := next((each for each in alone if not each.planned), None):
        yield f"With the plants alone that operate there is nothing to show: {failed.ended}."


def sentences(stockpile: Stockpile, rows: Iterable[Result]) -> Iterator[str]:
    """Yield what an assessment says of embargoes in the first fiscal year and in the last."""
    months = [row for row in rows if isinstance(row, EmbargoAssessed) and row.demand > 0]
    countries = restricted.countries(stockpile)
    back = (
        f"metal that looks through to {amounts.listed(countries)} does not come"
        if countries
        else "what is made of restricted feedstock does not come"
        if any(row.foreign_feedstock > 0 for row in stockpile.rows(Supplier))
        else "no supplier names a restricted country"
    )
    if not months:
        yield "The workbook states no demand: what an embargo would leave unmet cannot be shown."
        return
    yield f"In an embargo nothing new can be ordered, and {back}."
    years = [*dict.fromkeys(each.fiscal_year for each in months)]
    for year in dict.fromkeys((years[0], years[-1])):
        yield _worst(stockpile, year, [each for each in months if each.fiscal_year == year])


def _worst(stockpile: Stockpile, year: str, months: Sequence[EmbargoAssessed]) -> str:
    """Return what the worst embargo of a fiscal year leaves unmet."""
    worst, unit = max(months, key=lambda each: each.unmet), stockpile.settings.quantity_unit
    lasts = amounts.count(worst.months, "month")
    if worst.unmet == 0:
        return f"Stock and what is due meet all demand in {lasts} of it that begin in {year}."
    short, asked = amounts.about(worst.unmet), amounts.about(worst.demand)
    where = f" in scenario {worst.scenario}" if stockpile.scenarios else ""
    return (
        f"Of {lasts} of it that begin in {year} those from {amounts.month(worst.begins)} on are"
        f" worst{where}: {short} of {asked} {unit} of {worst.material} stay unmet."
    )


def rounds(asked: Asked) -> Rounds:
    """Plan as it is and with the plants alone that operate, and assess each year."""
    stockpile = unfold(asked.stockpile)
    places = _places(stockpile)
    results = yield [
        *(_case(AS_IT_IS, *place) for place in places),
        *(_case(OPERATING_ONLY, *place) for place in places),
    ]
    drawn, alone = results[: len(places)], results[len(places) :]
    if failed := next((each for each in drawn if not each.planned), None):
        said = f"As it is there is no plan to assess: {failed.ended}."
        return [AnswerTable("adequacy", said, ("fiscal year",), [])]
    found = {place: result.figures for place, result in zip(places, drawn, strict=True)}
    pairs = zip(places, alone, strict=True)
    operating = {place: result.figures for place, result in pairs if result.planned}
    rows = [*assessed(stockpile, found, operating)]
    said = " ".join([*sentences(stockpile, rows), *_missing(alone)])
    return [_table(asked, kind, rows, said) for kind in (YearAssessed, EmbargoAssessed)]


def _table(asked: Asked, kind: type[Result], rows: Iterable[Result], said: str) -> AnswerTable:
    """Return the rows of one type as a table."""
    header = tuple(
        each.name.replace("_", " ") + (f" [{asked.unit}]" if each.unit == "quantity" else "")
        for each in columns(kind)
    )
    cells = [
        tuple(getattr(row, each.field) for each in columns(kind))
        for row in rows
        if type(row) is kind
    ]
    return AnswerTable(kind.SHEET, said, header, cells)


ADEQUACY = WhatIf(
    kind="adequacy",
    refuse=no_refusal,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(YearAssessed, EmbargoAssessed),
    compares=False,
)
