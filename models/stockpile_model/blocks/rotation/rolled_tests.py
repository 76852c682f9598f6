"""Roll tests forward: the lots that are out for one when the first periods are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.outlet_terms import REQUALIFY, Outlet
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_terms import (
    OpeningLot,
    names_held,
    place_of,
    tests_of,
    unused,
)
from stockpile_model.names import identity
from stockpile_model.passed import Passed


class _Tested(NamedTuple):
    """Tell metal apart that is out for a test."""

    lot: str
    material: str
    site: str
    made: dt.date
    outlet: str
    due: int


def in_test(passed: Passed, now: Mapping[str, Outlet]) -> Iterator[OpeningLot]:
    """Yield the lots that are out for a test; `now`: the outlets as they are known then."""
    tests, out = tests_of(passed), dict[_Tested, float]()
    taken, several = names_held(passed), len(passed.stockpile.sites) > 1
    earlier = [each for each in outlet_terms.in_test(passed.stockpile) if each.due >= passed.gone]
    for each in earlier:
        lot = each.lot
        what = lot.lot, lot.material, place_of(passed.stockpile, lot), lot.made
        out[_Tested(*what, each.outlet.outlet, each.due)] = lot.quantity
        _same_terms(passed, each.outlet, now[each.outlet.outlet], lot.lot, each.due)
    known = {identity(each.lot.lot) for each in earlier}
    for row in passed.done(Rotated.SHEET):
        if row["returns"] is None or passed.over(row["returns"]) or row["form"] != REQUALIFY:
            continue
        what = row["lot"], row["material"], row["site"], row["made"]
        test = _Tested(*what, row["outlet"], passed.calendar.period(row["returns"]))
        out[test] = out.get(test, 0.0) + row["quantity"]
        then = passed.at(passed.calendar.period(row["date"])).keyed(Outlet)[row["outlet"]]
        _same_terms(passed, then, now[row["outlet"]], row["lot"], test.due)
    for test, quantity in out.items():
        left = passed.calendar.begin(
            test.due - outlet_terms.lead(passed.stockpile, now[test.outlet])
        )
        if not passed.over(left):
            passed.stuck.append(_unsaid(passed, test.lot, test.outlet, test.due))
            continue
        named = test.lot if identity(test.lot) in known else f"{test.lot} in {test.outlet}"
        yield OpeningLot(
            lot=unused(named, taken),
            material=test.material,
            site=test.site if several else None,
            quantity=quantity,
            made=test.made,
            requalified=tests.get((test.lot, test.material, test.made), 0) or 0,
            tested_by=test.outlet,
            left=left,
        )


def _same_terms(passed: Passed, then: Outlet, now: Outlet, lot: str, due: int) -> None:
    """Say where the terms of a test have changed since a lot went in: no workbook has both."""
    if (then.yield_, then.gain_months) != (now.yield_, now.gain_months):
        passed.stuck.append(_unsaid(passed, lot, now.outlet, due))


def _unsaid(passed: Passed, lot: str, outlet: str, due: int) -> str:
    return (
        f"{lot} left through {outlet} and is back on {passed.calendar.begin(due)}, which its "
        "yield, gain or lead time now cannot say: go on from a later date"
    )
