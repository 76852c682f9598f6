"""Whether the same appropriations pay what is obligated, once a plan is rolled forward.

Of what was obligated before its start a workbook knows the day alone: what lived on that day pays,
or else what lives at the start. A plan knows the period, and what lived at its own start. So they
may differ, and what cannot be carried on is said.
"""

from __future__ import annotations

import datetime as dt

from stockpile_model.blocks.budget.budget_terms import About, Appropriations
from stockpile_model.funds import Fund
from stockpile_model.passed import Passed


def pay_alike(
    passed: Passed,
    use: str,
    material: str,
    bound: dt.date | int | None,
    day: dt.date | None,
    periods: range,
) -> bool:
    """Return whether the same may pay in some periods what was obligated before.

    `bound`: where the plan obligates it, by its period, or the day before its start (None: not
    known); `day`: the day before the next start that the next workbook knows; `periods`: those of
    the plan in which it is paid.
    """
    stockpile, tree = passed.stockpile, passed.stockpile.tree
    if not passed.rows(Fund):
        return True
    buyers = {"", *(site.buyer or "" for site in stockpile.sites.values())}
    able = Appropriations(stockpile, () if isinstance(bound, int) else (bound,))
    for n in tree.below[passed.nodes[-1]]:
        if tree.period[n] < passed.gone or tree.period[n] not in periods:
            continue
        path = tree.paths[n]
        at = path[bound] if isinstance(bound, int) else -1
        for about in (About(use, material, buyer, "") for buyer in sorted(buyers)):
            now = able.able_before(about, day, path[passed.gone], n)
            if set(able.able(about, at, n)) != set(now):
                return False
    return True
