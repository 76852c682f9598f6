"""What signed contracts bind after the horizon: shown by fiscal year, and charged.

Prices and levels are those at the end of the path; an index is flat after its last date. A payment
is at the rate of its date.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict

from optimiser.auditing.contracts import Signed
from optimiser.auditing.inputs import Inputs
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import AuditedHeading, Twin

DAY = dt.timedelta(days=1)
FIGURES = (
    "least_quantity",
    "most_quantity",
    "least_money",
    "most_money",
    "topup",
    "present_worth",
)


def after_horizon(path: PathAudit) -> None:
    """Compare what each contract that is signed binds after the horizon, and charge its top-ups."""
    inputs, record = path.inputs, path.record
    shown: dict[tuple[str, int | None], list[Line]] = defaultdict(list)
    for line in path.sheets["obligations"]:
        shown[line["contract"], line["fiscal_year"]].append(line)
    for signed in path.signed:
        row, term = signed.row(signed.t), _term(signed)
        years: dict[int | None, list[int]] = {}
        for t in range(max(term.start, inputs.periods), term.stop):
            years.setdefault(inputs.fiscal_year(t), []).append(t)
        worth = 0.0
        for year, periods in (years or {None: []}).items():
            bound = [_bound(signed, t, term) for t in periods]
            figures = [sum(each[k] for each in bound) for k in range(len(FIGURES))]
            worth += figures[-1]
            shows = figures if periods else [None] * len(FIGURES)
            lines = shown.pop((signed.contract, year), [])
            if record.fails(len(lines) == 1):
                message = f"{signed.contract} has {len(lines)} rows for fiscal year {year}"
                record.refuse("obligations", message, (row, "term_months"))
            for line in lines:
                record.term(line, "level", signed.level)
                record.term(line, "material", row.material, (row, "material"))
                record.term(line, "ends", inputs.begin(term.stop) - DAY, (row, "term_months"))
                record.term(line, "date", inputs.begin(periods[0] if periods else inputs.periods))
                for name, figure in zip(FIGURES, shows, strict=True):
                    record.figure(line, name, figure, 0.0, (row, "take_or_pay"))
        if inputs.settings.after_horizon == "charge":
            amount = worth / inputs.factor(inputs.periods)
            path.book(inputs.periods, "after_horizon", amount, row.material, signed.contract)
    for lines in shown.values():
        for line in lines:
            message = f"{line['contract']} binds nothing in fiscal year {line['fiscal_year']}"
            record.refuse(line.where, message)


def _term(signed: Signed) -> range:
    """Return the periods of delivery on the path, also those past the horizon."""
    inputs, row, first = signed.inputs, signed.row(signed.t), signed.first
    if first is None:
        begins = (row.deliver_from, inputs.at(inputs.periods).suppliers[row.supplier].start)
        least = signed.t + inputs.whole(row.lead_time_months)
        dates = (inputs.period(day) for day in begins if day is not None)
        first = max([least, signed.ready, inputs.periods, *dates])
    if row.term_months is None:
        return range(first, inputs.periods)
    more = inputs.whole(row.option_months) if signed.extended else 0
    return range(first, first + inputs.whole(row.term_months) + more)


def _owing(signed: Signed, term: range) -> int:
    """Return the periods over which a least total is owed: those of the term, not extended."""
    more = signed.inputs.whole(signed.row(signed.t).option_months) if signed.extended else 0
    return len(term) - more


def _bound(signed: Signed, t: int, term: range) -> tuple[float, ...]:
    """Return what a contract binds in a period after the horizon: the figures of its row."""
    inputs, rows = signed.inputs, signed.inputs.at(signed.inputs.periods)
    row, level, day = signed.row(t), signed.floor(t), signed.inputs.begin(t)
    floor = level.floor or 0.0
    if level.floor_index is not None:
        factor = 1.0 if level.floor_factor is None else level.floor_factor
        floor = rows.price(level.floor_index, day) * factor
    floor *= (1 + level.escalation) ** ((t - term.start) * inputs.months // 12)
    dearer = _dearer(inputs, row.currency, t)
    floor *= dearer
    index = row.price_index or rows.materials[row.material].price_index
    discount = row.discount if row.price_index is not None else 0.0
    reference = None if index is None else rows.price(index, day) * (1 - discount)
    if reference is not None and row.price_index is not None:
        reference *= dearer
    over = 0.0 if reference is None else max(0.0, floor - reference)
    rate, price, arrives = signed.rate(t), floor, row.availability
    owed = (
        row.take_or_pay * rate
        if row.least_total is None
        else row.least_total / _owing(signed, term)
    )
    least, most = max(owed, row.least_per_period * rate), row.flex * rate
    if row.form == "cfd":
        least, most, price, arrives = rate, rate, over, 1.0
    elif row.price_index is not None and reference is not None:
        most_paid = math.inf if row.ceiling is None else row.ceiling * dearer
        price = max(floor, min(most_paid, reference))
    topup = over * least * arrives
    return least, most, price * least, price * most, topup, topup * inputs.factor(t)


def _dearer(inputs: Inputs, currency: str | None, t: int) -> float:
    """Return how many times its worth in the last period a currency has in a later one [1]."""
    rows, last = inputs.at(inputs.periods), inputs.begins[inputs.periods - 1]
    before = 1.0 if currency is None else rows.price(currency, last)
    return 1.0 if currency is None or not before else rows.price(currency, inputs.begin(t)) / before


TWIN = Twin(
    headings=(AuditedHeading("after_horizon", cash=False, after=True),),
    follow=(after_horizon,),
)
