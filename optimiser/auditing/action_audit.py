"""Actions: each is what the sheets of its kind show, and what follows from it names its number.

Which rows are actions the twins say themselves (`AuditedAct`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from optimiser.auditing.findings import EXACT
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import AuditedAct, AuditedSheet, Twin

SHEET = "actions"
By = Mapping[str, Sequence[Line]]
"""Lines by their number."""


def listed(path: PathAudit) -> None:
    """Compare each action on a path with the rows that it sums up."""
    known = _by_number(path.sheets[SHEET])
    for number, lines in known.items():
        if path.record.fails(len(lines) == 1):
            message = f"{number} stands for {len(lines)} actions of one path"
            path.record.refuse(lines[1].at("number"), message)
    for sheet, act in path.twins.acts().items():
        found = _by_number(each for each in path.sheets[sheet] if act.asks(each))
        for number, lines in found.items():
            _listed(path, known, number, lines[0])
        for number, lines in known.items():
            if lines[0]["sheet"] == sheet:
                _same(path, lines[0], found.get(number, ()), act)


def _by_number(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line["number"] or ""].append(line)
    return dict(found)


def _listed(path: PathAudit, known: By, number: str, line: Line) -> None:
    """Compare the number of a row with the list: it stands there, for that sheet."""
    there = number in known and known[number][0]["sheet"] == line.sheet
    if path.record.fails(there):
        message = f"{line.words('number')}: {number or 'without a number'} is no action of its kind"
        path.record.refuse(line.at("number"), message)


def _same(path: PathAudit, action: Line, lines: Sequence[Line], act: AuditedAct) -> None:
    """Compare an action with its rows: names, dates, quantities, money, and the last days."""
    record = path.record
    if record.fails(bool(lines)):
        record.refuse(action.at("number"), f"{action['number']} has no row on {action['sheet']}")
        return
    name, level = action["name"], action["level"]
    what = f": {name}" + (f", level {level}" if level else "")
    if record.fails(str(action["what"]).endswith(what)):
        record.refuse(action.at("what"), f"{action.words('what')} does not name {name}")
    same = {act.name: "name", act.date: "date", act.level: "level", act.due: "due"}
    same |= {act.supplier: "supplier", "material" if "material" in lines[0] else "": "material"}
    for line in lines:
        for column, listed in same.items():
            if column:
                record.term(action, listed, line[column])
    _amounts(path, action, act)
    wanted = None if not act.deed else 1.0 if not act.metal else action["signed_quantity"]
    record.term(action, "kind", act.deed or None)
    record.figure(action, "quantity", wanted)
    record.term(action, "unit", "quantity" if act.metal else "times")
    relaxed = act.relaxed and not path.inputs.firm(path.inputs.period(action["date"]))
    record.term(action, "status", "indicative" if relaxed else "firm")
    _dates(path, action, act)


def _amounts(path: PathAudit, action: Line, act: AuditedAct) -> None:
    """Compare the figures of an action with those of its rows, over all of its scenarios."""
    record, lines = path.record, path.together.acted.rows(action)
    parts = lines if act.adds else lines[:1]
    sums = {"signed_quantity": act.quantity, "invoice": act.invoice, "receipt": act.receipt}
    for listed, column in sums.items():
        if column:
            found = [line[column] for line in parts if line[column] is not None]
            whole = math.fsum(found) if found else None
            whole = None if whole == 0 and listed != "signed_quantity" else whole
            record.figure(action, listed, whole, _slack(found))
    weights = [line[act.quantity] or 0.0 for line in parts] if act.quantity else []
    if act.price:
        priced = zip(parts, weights, strict=True)
        money = math.fsum((line[act.price] or 0.0) * weight for line, weight in priced)
        record.figure(action, "price", money / math.fsum(weights), _slack([money]))
    for listed, column in {"expected": act.expected, "cost": act.cost}.items():
        if column and act.adds:
            found = [line[column] for line in parts if line[column] is not None]
            whole = math.fsum(found) if found else None
        elif column:
            by = {line["scenarios"]: line for line in lines}.values()
            found = [line["probability"] * (line[column] or 0.0) for line in by]
            whole = math.fsum(found) / math.fsum(line["probability"] for line in by)
        else:
            continue
        whole = None if whole == 0 and listed == "cost" else whole
        record.figure(action, listed, whole, _slack(found))
    said = dict.fromkeys(line["instruction"] for line in lines)
    record.term(action, "details", "\n".join(said))
    lots = path.together.acted.lots(action["number"])
    record.term(action, "lots", ", ".join(lots) or None)
    for line in lines:
        if "becomes" in line:
            record.term(line, "becomes", action["lots"])


def _slack(amounts: Iterable[float]) -> float:
    """Return by how much a sum may be rounded that is written without a solver's noise."""
    return 2 * EXACT * sum(map(abs, amounts))


def _dates(path: PathAudit, action: Line, act: AuditedAct) -> None:
    """Compare the last days with the period, the input and the money that pays."""
    inputs, record, t = path.inputs, path.record, path.inputs.period(action["date"])
    rows = inputs.at(t).keyed(act.table)
    row = rows.get(action["name"])
    if record.fails(row is not None):
        record.refuse(action.at("name"), f"{action['name']} has no row in {act.table}")
        return
    if act.fees:
        record.figure(action, "invoice", sum(getattr(row, each) for each in act.fees) or None)
    until = getattr(row, act.until) if act.until and (act.always or action["invoice"]) else None
    budgets = path.together.acted.obligated(action["number"], action["date"])
    ends = [each.expires for each in budgets if each.expires is not None]
    begins = inputs.begin(t + 1) - dt.timedelta(days=1)
    record.term(action, "sign_by", min([begins, *ends, *([until] if until else [])]))
    pay = (each.pay_by or each.expires for each in budgets)
    record.term(action, "pay_by", min((day for day in pay if day is not None), default=None))
    names = path.together.acted.names(action["number"])
    record.term(action, "appropriation", ", ".join(names) or None)


def followed(path: PathAudit) -> None:
    """Compare the numbers on deliveries and payments with the actions that they follow from."""
    sources = [
        (act, line)
        for sheet, act in path.twins.acts().items()
        for line in path.sheets[sheet]
        if act.asks(line)
    ]
    came = _Expected(path, sources)
    for line in path.sheets["deliveries"]:
        day = None if line["in_transit"] else line["date"]
        _follows(path, line, came.numbers(line["kind"], line["name"], day, comes=True))
    for line in path.sheets["payments"]:
        kind, name = line["kind"], line["obligation"]
        if path.record.fails(kind is not None and name in _names(path, kind)):
            message = f"{line.words('kind')}: {name} has no row in {kind}"
            path.record.refuse(line.at("kind"), message)
        _follows(path, line, came.numbers(kind, name, line["obligated"]))
    _of_lots(path)


def _names(path: PathAudit, table: str) -> Collection[str]:
    """Return the names in a table; without the table `sites` there is one site."""
    return path.inputs.base.sites if table == "sites" else path.inputs.keyed(table)


class _Expected:
    """The numbers of the actions of a path, by the row of the input that they are about."""

    def __init__(self, path: PathAudit, sources: Iterable[tuple[AuditedAct, Line]]) -> None:
        self.known: dict[tuple[str, str], list[tuple[AuditedAct, Line]]] = defaultdict(list)
        for act, line in sources:
            self.known[act.table, line[act.name]].append((act, line))
            if act.supplier and act.comes:
                self.known["suppliers", line[act.supplier]].append((act, line))

    def numbers(
        self, table: str | None, name: str | None, day: dt.date | None, comes: bool = False
    ) -> set[str]:
        """Return the numbers of what was decided, or comes, on a day."""
        if table is None or name is None or day is None:
            return set()
        known = self.known.get((table, name), ())
        return {line["number"] for act, line in known if act.leads(line, day, comes)}


def _follows(path: PathAudit, line: Line, expected: set[str]) -> None:
    """Compare the numbers of a row with those of what it follows from."""
    found = {each for each in (line["number"] or "").split(", ") if each}
    if path.record.fails(found == expected):
        wanted = ", ".join(sorted(expected)) or None
        path.record.add(line.at("number"), line.words("number"), wanted, line["number"])


def _of_lots(path: PathAudit) -> None:
    """Compare the number of each lot with those of its deliveries."""
    came: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in path.sheets["deliveries"]:
        if line["number"]:
            came[line["lot"], line["material"]].update(line["number"].split(", "))
    for sheet in ("lots", "movements"):
        for line in path.sheets[sheet]:
            _follows(path, line, came.get((line["lot"], line["material"]), set()))


def paid(path: PathAudit) -> None:
    """Compare which appropriations pay each outlay with the payments."""
    payers: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for line in path.sheets["payments"]:
        if line["amount"] > 0:
            key = line["date"], line["use"], line["obligation"], line["material"], line["buyer"]
            payers[key].add(line["appropriation"])
    if not path.sheets["payments"]:
        return
    uses = {each for twin in path.twins.twins for each in twin.sources.values()}
    for line in path.sheets["cash_flow"]:
        heading = path.twins.headings.get(line["heading"])
        found = {each for each in (line["appropriation"] or "").split(", ") if each}
        if heading is None or not heading.cash or line["amount"] <= 0:
            expected: set[str] = set()
        else:
            of = [heading.use] if heading.use else sorted(uses)
            keys = (
                (line["date"], use, line["name"], line["material"], line["buyer"]) for use in of
            )
            expected = set().union(*(payers.get(key, set()) for key in keys))
        if path.record.fails(found == expected):
            wanted = ", ".join(sorted(expected)) or None
            where, what = line.at("appropriation"), line.words("appropriation")
            path.record.add(where, what, wanted, line["appropriation"])


TWIN = Twin(
    sheets=(AuditedSheet(name=SHEET, solved=("why",)),),
    settle=(listed, followed, paid),
)
