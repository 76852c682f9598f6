"""What may be wrong with outlets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stockpile_model import amounts
from stockpile_model.blocks.commitments.commitment_terms import Commitment, before, earlier
from stockpile_model.blocks.rotation.dispatch_terms import lot
from stockpile_model.blocks.rotation.outlet_terms import (
    EARNING,
    GIVING_BACK,
    REQUALIFY,
    RETURNING,
    Outlet,
    back,
    in_test,
    out_before,
)
from stockpile_model.blocks.stock.lot_checks import arrives_within, known_names
from stockpile_model.checks import one_of, ordered, smallest_within, whole_lots, whole_periods
from stockpile_model.schema import Problem, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

_ONLY: Mapping[str, tuple[str, ...]] = {
    "price": EARNING,
    "price_index": ("sale",),
    "price_factor": ("sale",),
    "age_discount": ("sale",),
    "fund": EARNING,
    "yield": GIVING_BACK,
    "lead_time_months": ("exchange", "rework", REQUALIFY),
    "gain_months": (REQUALIFY,),
    "times": (REQUALIFY,),
    "months": ("loan",),
}  # the forms on which a column has an effect
_DEFAULTS = {each.name: each.default for each in columns(Outlet)}


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the dates, the form and the ages of each outlet."""
    for row in stockpile.rows(Outlet):
        yield from ordered(row, "from", "to")
        yield from whole_periods(stockpile, row)
        yield from _check_form(row)
        yield from _check_life(stockpile, row)
        yield from whole_lots(stockpile, row)
        size = lot(stockpile, row)
        yield from smallest_within(row, size, ("capacity",), "nothing can leave through it")
    if stockpile.shape is None:  # a scenario does not change when what is out comes back
        yield from _check_earlier(stockpile)
        yield from _check_tested(stockpile)


def _check_earlier(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with what went out before the start: it must be on its way back."""
    outlets, start = stockpile.keyed(Outlet), stockpile.settings.start
    for name, rows in earlier(stockpile, "rotate").items():
        for row in rows if name in outlets else ():
            if outlets[name].form not in RETURNING:
                message = (
                    f"must be within the horizon, from {start} on, found {row.date}: {name} gives "
                    "no fresh metal back, and what has left by then is not in opening_stock"
                )
                yield Problem(row.TABLE, row.line, "date", message)
            elif row.site is None and len(stockpile.sites) > 1:
                message = "is required where there are several sites: where it comes back"
                yield Problem(row.TABLE, row.line, "site", message)
    for row, outlet, due in out_before(stockpile):
        day = stockpile.calendar.begin(due)
        if due < 0:
            message = (
                f"what went out through {outlet.outlet} on {row.date} was back in the period of "
                f"{day}, before the start: what is left of it is opening_stock"
            )
            yield Problem(row.TABLE, row.line, "date", message)
        elif due >= stockpile.calendar.periods:
            message = f"comes back through {outlet.outlet} after the horizon: it is not in the plan"
            yield Problem(row.TABLE, row.line, "date", message, warning=True)
    for row in stockpile.rows(Commitment):
        if row.site is not None and not (row.kind == "rotate" and before(stockpile, row)):
            message = "is of what went out through an outlet before the start only: leave it blank"
            yield Problem(row.TABLE, row.line, "site", message)


def _check_tested(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the lots that are out for a test."""
    yield from known_names(stockpile, "tested_by", Outlet)
    for each in in_test(stockpile):
        lot, outlet = each.lot, each.outlet
        if outlet.form != REQUALIFY:
            message = f"must be an outlet of form {REQUALIFY}, found {outlet.outlet}"
            yield Problem(lot.TABLE, lot.line, "tested_by", f"{message}, a {outlet.form}")
        elif outlet.material != lot.material:
            message = f"{outlet.outlet} tests {outlet.material}, found a lot of {lot.material}"
            yield Problem(lot.TABLE, lot.line, "tested_by", message)
        how = f"is back from {outlet.outlet}"
        yield from arrives_within(lot, each.due, stockpile.calendar, how)


def _check_form(row: Outlet) -> Iterator[Problem]:
    if row.form == "sale":
        yield from one_of("a sale", row, "price", "price_index")
    if row.to_material is not None and row.form != "rework":
        message = f"is for a rework: an outlet of form {row.form} gives back no other material"
        yield Problem(row.TABLE, row.line, "to_material", message)
    yield from _check_test(row)
    if row.form == "loan" and row.months == 0:
        message = "is needed: the months until what is lent is replaced"
        yield Problem(row.TABLE, row.line, "months", message)
    for name, forms in _ONLY.items():
        if row.form not in forms and get(row, name) != _DEFAULTS[name]:
            message = f"has no effect on an outlet of form {row.form}"
            yield Problem(row.TABLE, row.line, name, message, warning=True)
    if (
        row.form in RETURNING
        and row.form != "loan"
        and row.yield_ > 1
        and back(row) == row.material
    ):
        found = amounts.quantity(row.yield_)
        message = f"is above 1: more comes back than goes in, found {found}"
        yield Problem(row.TABLE, row.line, "yield", message, warning=True)


def _check_test(row: Outlet) -> Iterator[Problem]:
    """Yield what is wrong with a test that gives metal more life."""
    if row.form != REQUALIFY:
        return
    if row.gain_months == 0:
        message = "is needed: the months of life that metal gains by being requalified"
        yield Problem(row.TABLE, row.line, "gain_months", message)
    if row.yield_ > 1:
        message = f"is the share that passes: at most 1, found {amounts.quantity(row.yield_)}"
        yield Problem(row.TABLE, row.line, "yield", message)


def _check_life(stockpile: Stockpile, row: Outlet) -> Iterator[Problem]:
    material = stockpile.keyed(Material).get(row.material)
    if material is None:
        return
    life = material.shelf_life_months
    if row.form == REQUALIFY and life is None:
        message = f"{row.material} has no shelf_life_months: it needs no test"
        yield Problem(row.TABLE, row.line, "form", message)
    months, periods = stockpile.calendar.months, stockpile.calendar.whole(life or 0)
    whole = life is not None and periods is not None
    if life is not None and whole and row.minimum_life_months > life:
        message = (
            f"is above the shelf life of {row.material}, {amounts.count(life, 'month')}: the "
            f"outlet takes nothing, found {amounts.quantity(row.minimum_life_months)}"
        )
        yield Problem(row.TABLE, row.line, "minimum_life_months", message, warning=True)
    elif life is not None and whole and not any(_released(row, months, periods or 0)):
        message = (
            f"leaves no age between it and minimum_life_months in the shelf life of {row.material},"
            f" {amounts.count(life, 'month')}: the outlet takes nothing, found "
            f"{amounts.quantity(row.minimum_age_months)}"
        )
        yield Problem(row.TABLE, row.line, "minimum_age_months", message, warning=True)


def _released(row: Outlet, months: int, life: int) -> Iterator[bool]:
    """Yield for each age within a life [periods] whether an outlet takes metal of it."""
    for age in range(life):
        old = age * months >= row.minimum_age_months - 1e-9
        yield old and (life - age) * months >= row.minimum_life_months - 1e-9
