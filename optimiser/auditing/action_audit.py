"""Actions: each is what the sheets of its kind show, and what follows from it names its number.

Which rows are actions the twins say themselves (`AuditedAct`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from optimiser.auditing.findings import EXACT
from optimiser.auditing.path_audit import Flow, PathAudit
from optimiser.auditing.plan_sheets import Line, Sheets
from optimiser.auditing.twin import AuditedAct, AuditedSheet, Twin
from stockpile_model.name_lists import list_of, names_in

SHEET = "actions"
SIGNED = ("signed_by", "date_signed")
"""The columns that an officer fills in."""
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
    same = {"name": act.name, "date": act.date, "level": act.level, "due": act.due}
    same |= {"supplier": act.supplier, "material": "material" if "material" in lines[0] else ""}
    for line in lines:
        for listed, column in same.items():
            record.term(action, listed, line[column] if column else None)
    _amounts(path, action, act)
    wanted = None if not act.deed else 1.0 if not act.metal else action["signed_quantity"]
    certain = len(path.together.probability) < 2 or action.get("scenarios") in (None, "all")
    record.term(action, "kind", act.deed or None)
    record.term(action, "how", "exactly" if act.deed and certain else None)
    record.figure(action, "quantity", wanted)
    record.term(action, "measure", "quantity" if act.metal else "times")
    relaxed = act.relaxed and not path.inputs.firm(path.inputs.period(action["date"]))
    record.term(action, "status", "indicative" if relaxed else "firm")
    _dates(path, action, act)


def _amounts(path: PathAudit, action: Line, act: AuditedAct) -> None:
    """Compare what an action says with its rows, over all of its scenarios."""
    record, lines = path.record, _named(path).rows(action)
    parts = lines if act.adds else lines[:1]
    sums = {"signed_quantity": act.quantity, "invoice": act.invoice, "receipt": act.receipt}
    for listed, column in sums.items():
        if column or not (listed == "invoice" and act.fees):
            found = _known(parts, column) if column else []
            whole = math.fsum(found) if found else None
            empty = whole == 0 and column != act.quantity
            record.figure(action, listed, None if empty else whole, _slack(found))
    _price(path, action, act, parts)
    _mean(path, action, act, "expected", lines)
    _mean(path, action, act, "cost", lines)
    said = dict.fromkeys(each for line in lines if (each := line.get("instruction")))
    record.term(action, "details", "\n".join(said))
    record.term(action, "lots", list_of(_named(path).lots(action["number"])) or None)
    for line in lines:
        if "becomes" in line:
            record.term(line, "becomes", action["lots"])


def _known(lines: Iterable[Line], column: str) -> list[float]:
    return [line[column] for line in lines if line[column] is not None]


def _price(path: PathAudit, action: Line, act: AuditedAct, parts: Sequence[Line]) -> None:
    """Compare the price of a unit with the mean of the parts of an action."""
    if not act.price:
        path.record.figure(action, "price", None)
        return
    first, weights = parts[0][act.price], [line[act.quantity] or 0.0 for line in parts]
    whole = math.fsum(weights)
    if first is None or len(parts) == 1 or not whole:
        path.record.figure(action, "price", first)
        return
    priced = zip(parts, weights, strict=True)
    money = math.fsum((line[act.price] or 0.0) * weight for line, weight in priced)
    path.record.figure(action, "price", money / whole, _slack([money]))


def _mean(
    path: PathAudit, action: Line, act: AuditedAct, listed: str, lines: Sequence[Line]
) -> None:
    """Compare what comes by an action, or all that is paid for it: the sum of its parts, or the
    mean over its scenarios."""
    column = getattr(act, listed)
    found = _known(lines, column) if column else []
    whole = math.fsum(found) if found else None
    if not act.adds and whole is not None:
        by = {line["scenarios"]: line for line in lines}.values()
        likely = math.fsum(line["probability"] for line in by)
        shares = (1.0 if act.weighed else line["probability"] for line in by)
        sums = (share * (line[column] or 0.0) for share, line in zip(shares, by, strict=True))
        whole = math.fsum(sums) / likely
    empty = whole == 0 and column != act.expected
    path.record.figure(action, listed, None if empty else whole, _slack(found))


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
    budgets = _named(path).obligated(action["number"], action["date"])
    ends = [each.expires for each in budgets if each.expires is not None]
    begins = inputs.begin(t + 1) - dt.timedelta(days=1)
    record.term(action, "sign_by", min([begins, *ends, *([until] if until else [])]))
    pay = (each.pay_by or each.expires for each in budgets)
    record.term(action, "pay_by", min((day for day in pay if day is not None), default=None))
    names = _named(path).names(action["number"])
    record.term(action, "appropriation", list_of(names) or None)


class ActRows:
    """The rows of a plan by the number of an action that they name, over all scenarios."""

    def __init__(self, sheets: Sheets, rows: Sequence[Any], start: dt.date) -> None:
        self.of = defaultdict[str, list[Line]](list)
        paid = sorted(sheets["payments"], key=lambda each: (each["date"], each["appropriation"]))
        for line in paid:
            for number in names_in(line["number"] or ""):
                self.of[number].append(line)
        self.sheets, self._rows = sheets, dict[str, dict[str, list[Line]]]()
        self._lots: dict[str, dict[str, None]] = defaultdict(dict)
        for line in sheets["deliveries"]:
            for number in names_in(line["number"] or ""):
                self._lots[number][line["lot"]] = None
        self.budgets = dict(_budgets(rows, start))

    def rows(self, action: Line) -> list[Line]:
        """Return the rows that an action sums up."""
        sheet = action["sheet"]
        if sheet not in self._rows:
            found = self._rows[sheet] = defaultdict(list)
            for line in self.sheets[sheet]:
                found[line["number"] or ""].append(line)
        return self._rows[sheet].get(action["number"], [])

    def lots(self, number: str) -> list[str]:
        """Return the lots that arrive by an action."""
        return [*self._lots.get(number, ())]

    def names(self, number: str) -> list[str]:
        """Return the appropriations that pay an action."""
        return list(dict.fromkeys(each["appropriation"] for each in self.of.get(number, ())))

    def obligated(self, number: str, day: dt.date) -> list[Any]:
        """Return the appropriations that are obligated for an action when it is signed."""
        lines = (each for each in self.of.get(number, ()) if each["obligated"] == day)
        names = dict.fromkeys(each["appropriation"] for each in lines)
        return [self.budgets[name] for name in names if name in self.budgets]


def _budgets(rows: Sequence[Any], start: dt.date) -> Iterator[tuple[str, Any]]:
    """Yield the rows of appropriations by the name that a plan gives them."""
    names = [f"{row.fund} {row.from_ or start:%Y-%m}" for row in rows]
    for k, (name, row) in enumerate(zip(names, rows, strict=True)):
        twins = [j for j, each in enumerate(names) if each == name]
        yield (name if len(twins) == 1 else f"{name} ({twins.index(k) + 1})"), row


def _named(path: PathAudit) -> ActRows:
    """Return the rows of the plan that name an action; they are sorted once."""
    together = path.together
    if SHEET not in together.once:
        rows = together.base.rows("budgets")
        together.once[SHEET] = ActRows(together.sheets, rows, together.clock.start)
    found: ActRows = together.once[SHEET]
    return found


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
        numbers = (line["number"] for act, line in known if act.leads(line, day, comes))
        return {each for each in numbers if each}  # a row without one is told by itself


def _follows(path: PathAudit, line: Line, expected: set[str]) -> None:
    """Compare the numbers of a row with those of what it follows from."""
    found = {*names_in(line["number"] or "")}
    if path.record.fails(found == expected):
        wanted = list_of(sorted(expected)) or None
        path.record.add(line.at("number"), line.words("number"), wanted, line["number"])


def _of_lots(path: PathAudit) -> None:
    """Compare the number of each lot with those of its deliveries."""
    came: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in path.sheets["deliveries"]:
        if line["number"]:
            came[line["lot"], line["material"]].update(names_in(line["number"]))
    for sheet in ("lots", "movements"):
        for line in path.sheets[sheet]:
            _follows(path, line, came.get((line["lot"], line["material"]), set()))


def paid(path: PathAudit) -> None:
    """Compare which appropriations pay each outlay with the payments, and how much they pay."""
    if not path.sheets["payments"]:
        return
    sums: dict[Flow, float] = defaultdict(float)
    payers: dict[Flow, dict[str, None]] = defaultdict(dict)
    for line in path.sheets["payments"]:
        t = path.inputs.period(line["date"])
        path.record.term(line, "fiscal_year", path.inputs.fiscal_year(t))
        flow = Flow(t, line["heading"], line["material"], line["obligation"], line["buyer"])
        sums[flow] += line["amount"]
        if line["heading"]:
            payers[flow][line["appropriation"]] = None
    _in_full(path, sums)
    for line in path.sheets["cash_flow"]:
        t = path.inputs.period(line["date"])
        flow = Flow(t, line["heading"], line["material"], line["name"], line["buyer"])
        found, expected = {*names_in(line["appropriation"] or "")}, {*payers.get(flow, ())}
        if path.record.fails(found == expected):
            wanted = list_of(sorted(expected)) or None
            where, what = line.at("appropriation"), line.words("appropriation")
            path.record.add(where, what, wanted, line["appropriation"])


def _in_full(path: PathAudit, paid: Mapping[Flow, float]) -> None:
    """Compare the payments under each heading with what is due under it.

    All payments for a name are compared with all that is due for it, so it is enough that those
    under a heading are not more. They are less where there is a credit, which nobody pays.
    """
    for flow, amount in paid.items():
        what = f"paid under {flow.heading or 'no heading'} for {flow.name}"
        what += f" in {path.inputs.begin(flow.t)}"
        due = path.cash.get(flow, 0.0)
        path.record.within("payments", what, due, amount, path.cent(flow.material))


TWIN = Twin(
    sheets=(AuditedSheet(name=SHEET, solved=("why", *SIGNED)),),
    settle=(listed, followed, paid),
)
