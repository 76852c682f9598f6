"""Tests that give metal more life: what comes back of each lot, and how often it was tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from optimiser.auditing.metal import compare_age, lot_of
from optimiser.auditing.path_audit import AuditedLot, PathAudit, Retest, TestedLot
from optimiser.auditing.plan_sheets import Line


def read(path: PathAudit) -> None:
    """Read which lots were tested before the start, and which come back from a test."""
    _before(path)
    for line in path.sheets["requalified"]:
        times = line["times"] if line["passed"] else None
        path.tested[lot_of(line)] = TestedLot(times, line["first_made"])


def _before(path: PathAudit) -> None:
    """Read how often lots were requalified, or failed a test, before the start."""
    moving = {row.lot: move.to_site for _, row, move in path.inputs.moving()}
    for row in path.inputs.at(0).rows("opening_stock"):
        if row.requalified or row.failed:
            site = moving.get(row.lot, row.site or next(iter(path.inputs.base.sites)))
            lot = AuditedLot(row.lot, row.material, site, row.made)
            path.tested[lot] = TestedLot(None if row.failed else row.requalified, row.made)


def may_leave(path: PathAudit, line: Line, outlet: Any, lot: AuditedLot) -> None:
    """Compare a lot with what it may leave for, after the tests that it has passed or failed."""
    record, times = path.record, path.tested_times(lot)
    if times is None:
        if record.fails(outlet.form in ("rework", "dispose")):
            message = f"{line.words('outlet')}: lot {lot.lot} has failed a test"
            record.refuse(line.at("outlet"), message, (outlet, "form"), line["quantity"])
    elif outlet.form == "requalify" and record.fails(times < outlet.times):
        message = f"{line.words('outlet')}: lot {lot.lot} was requalified {times} times before"
        record.refuse(line.at("outlet"), message, (outlet, "times"), line["quantity"])


def expect(path: PathAudit, line: Line, outlet: Any, due: int) -> None:
    """Add what must come back of a lot that is tested, on what its life then runs from."""
    inputs, lot, quantity = path.inputs, lot_of(line), line["quantity"]
    passed = _passed(path, lot, outlet, due)
    taken = inputs.life(lot.material, inputs.period(line["date"])) or 1
    if path.record.fails(passed < taken):
        message = f"{line.words('outlet')}: lot {lot.lot} has no life left after it"
        path.record.refuse(line.at("outlet"), message, (outlet, "gain_months"), quantity)
    _comes_back(path, lot, quantity, outlet, due)


def earlier(path: PathAudit) -> Iterator[tuple[int, str, AuditedLot, float]]:
    """Yield what comes back of lots that are out for a test at the start: when, through which
    outlet, of which lot and how much; add what their life then runs from.
    """
    for due, row, outlet in path.inputs.testing():
        if due < path.inputs.periods and row.quantity > 0:
            site = row.site or next(iter(path.inputs.base.sites))
            lot = AuditedLot(row.lot, row.material, site, row.made)
            _comes_back(path, lot, row.quantity, outlet, due)
            yield due, outlet.outlet, lot, row.quantity


def _passed(path: PathAudit, lot: AuditedLot, outlet: Any, due: int) -> int:
    """Return the age at which a lot comes back that passes a test [periods]."""
    gain = path.inputs.whole(outlet.gain_months)
    return max(0, due - path.inputs.period(lot.made) - gain)


def _comes_back(path: PathAudit, lot: AuditedLot, quantity: float, outlet: Any, due: int) -> None:
    """Add what must come back of a lot that passes a test, and of one that fails."""
    inputs, life = path.inputs, path.inputs.life(lot.material, due) or 1
    passed, failed = _passed(path, lot, outlet, due), due - inputs.period(lot.made)
    for age, share, passes in ((passed, outlet.yield_, True), (failed, 1 - outlet.yield_, False)):
        made = inputs.begin(due - min(age, life - 1))
        path.retests[Retest(due, outlet.outlet, lot, made, passes)] += share * quantity


def compare(path: PathAudit) -> None:
    """Compare what comes back from tests with what went in, and with the lots that it becomes."""
    shown: dict[Retest, float] = defaultdict(float)
    lots: dict[tuple[int, str, AuditedLot], float] = defaultdict(float)
    for t, line in _lines(path):
        lot, quantity = lot_of(line), line["quantity"]
        before = AuditedLot(line["before"], lot.material, lot.site, line["before_made"])
        shown[Retest(t, line["outlet"], before, lot.made, line["passed"])] += quantity
        lots[t, line["outlet"], lot] += quantity
        _line(path, line, before, t)
    path.match(
        "requalified",
        "what comes back",
        path.retests,
        shown,
        lambda key: path.noise(key[2].material),
    )
    _moved(path, lots)


def _moved(path: PathAudit, lots: dict[tuple[int, str, AuditedLot], float]) -> None:
    """Compare what comes back with the movements of the lots that it becomes."""
    came = path.moves.sums("return", lambda t, lot, name: (t, name, lot))
    came = {key: quantity for key, quantity in came.items() if key[2] in path.tested}
    path.match("movements", "return", lots, came, lambda key: path.noise(key[2].material))


def _lines(path: PathAudit) -> Iterator[tuple[int, Line]]:
    """Yield the lines of the sheet that name a period, a lot and an outlet, with the period."""
    outlets = path.inputs.keyed("outlets")
    for line in path.sheets["requalified"]:
        t = path.when(line)
        if t is not None and path.placed(line) and path.known(line, "outlet", "outlets", outlets):
            yield t, line


def _line(path: PathAudit, line: Line, before: AuditedLot, t: int) -> None:
    """Compare how often a lot was tested, when it was made, and what is left of its life."""
    record, known = path.record, path.tested.get(before, TestedLot(0, before.made))
    record.term(line, "first_made", known.first)
    times = (known.times or 0) + 1 if line["passed"] else None
    record.term(line, "times", times)
    record.least(line, "quantity", 0.0, path.noise(before.material))
    compare_age(path, line, t)
