"""Policy: what the plan makes of each rule, over each window and for each value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from optimiser.auditing.findings import RELATIVE, Relation, apart
from optimiser.auditing.path_audit import Brought, PathAudit, Released, SupplierSpend
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import AuditedSheet, Twin
from stockpile_model.names import identity

LEAVING = ("outlet", "outlet_country")  # what rules group by that leaves through outlets


class Contribution(NamedTuple):
    """Describe what a rule weighs: what an offer or contract brings, or what is paid for it.

    Of an outlet it is what leaves, or what is received for it. `party`: the supplier, or the
    outlet.
    """

    party: Any
    table: str
    name: str
    amount: float


def rules(path: PathAudit) -> None:
    """Compare every rule over every window, for every value of which it speaks, with its limits."""
    record, inputs = path.record, path.inputs
    shown: dict[tuple[str, str, str], Line] = {}
    for line in path.sheets["rules"]:
        key = (line["rule"], identity(str(line["value"] or "")), line["window"])
        if record.fails(key not in shown):
            record.refuse(line.where, f"{line.words('rule')} stands twice")
        shown[key] = line
    brought, paid = _contributions(path, path.brought), _contributions(path, path.spent)
    left, received = _contributions(path, path.released), _contributions(path, path.received)
    for known in inputs.rows("rules"):
        for window, periods in _windows(path, known.window).items():
            rule = inputs.at(periods[-1]).keyed("rules")[known.rule]
            source = paid if rule.measure == "spend" else brought
            if rule.of in LEAVING:
                source = received if rule.measure == "spend" else left
            came = [
                part
                for t in periods
                for material, part in source.get(t, ())
                if rule.material is None or material in inputs.base.members(rule.material)
            ]
            for value in _values(path, rule):
                line_or_none = shown.pop((rule.rule, identity(str(value or "")), window), None)
                if record.fails(line_or_none is not None):
                    place = f"{rule.rule}, {value}, {window}" if value else f"{rule.rule}, {window}"
                    record.refuse("rules", f"{place} is not on the sheet", (rule, "rule"))
                if line_or_none is not None:
                    _kept(path, line_or_none, rule, value, came)
    for line in shown.values():
        record.refuse(line.where, f"{line.words('rule')} is no rule of the input")


def _contributions(
    path: PathAudit, amounts: Iterable[Brought | SupplierSpend | Released]
) -> dict[int, list[tuple[str, Contribution]]]:
    """Return what rules weigh, by period, with its material."""
    found: dict[int, list[tuple[str, Contribution]]] = defaultdict(list)
    for each in amounts:
        if isinstance(each, Released):
            party = path.inputs.at(each.t).keyed(each.table)[each.name]
        else:
            row = path.inputs.keyed(each.table)[each.name]
            party = path.inputs.at(each.t).suppliers[row.supplier]
        found[each.t].append(
            (each.material, Contribution(party, each.table, each.name, each.amount))
        )
    return found


class Observed(NamedTuple):
    """Describe what a plan makes of a rule.

    `low` is compared with its least, `high` with its most; None where nothing arrives. `noise` is
    that of both.
    """

    low: float | None
    high: float | None
    noise: float


def _observed(
    path: PathAudit, line: Line, rule: Any, value: str | None, came: list[Contribution]
) -> Observed:
    """Return the value of a rule in a window."""
    noise = (path.cent if rule.measure == "spend" else path.noise)(rule.material)
    if rule.measure == "count":
        return Observed(*_counted(path, line, rule, value, came, noise), 0.0)
    group = sum(part.amount * weight(path, rule, value, part) for part in came)
    if rule.measure != "share":
        return Observed(group, group, noise)
    total = sum(part.amount for part in came)
    share, noise = (group / total, noise / total) if total > noise else (None, 0.0)
    return Observed(share, share, noise)


def _kept(
    path: PathAudit, line: Line, rule: Any, value: str | None, came: list[Contribution]
) -> None:
    """Compare one row of the sheet: its value, its limits, and that it keeps them."""
    record = path.record
    low, high, noise = _observed(path, line, rule, value, came)
    for column in ("of", "material", "measure"):
        record.term(line, column, getattr(rule, column), (rule, column))
    for column in ("least", "most"):
        record.figure(line, column, getattr(rule, column), cell=(rule, column))
    record.figure(line, "observed", high if rule.least is None else low, noise)
    limits: list[float] = []
    gaps: list[float] = []
    for column, figure, fails in (("least", low, record.below), ("most", high, record.above)):
        limit = getattr(rule, column)
        limits += [] if limit is None else [abs(limit)]
        if limit is None or figure is None:
            continue
        gaps.append(figure - limit if column == "least" else limit - figure)
        if fails(limit, figure, noise):
            where, what = line.at("observed"), line.words("observed")
            relation: Relation = "least" if column == "least" else "most"
            record.add(where, what, limit, figure, relation, (rule, column))
    slack = max(0.0, min(gaps)) if gaps else None
    # A slack is a difference, which may be next to nothing of either.
    fine = noise + RELATIVE * max(limits, default=0.0)
    record.figure(line, "slack", slack, fine)
    if slack is None or slack > 100 * fine:
        record.term(line, "binding", False)
    elif slack == 0:
        record.term(line, "binding", True)


def _counted(
    path: PathAudit,
    line: Line,
    rule: Any,
    value: str | None,
    came: list[Contribution],
    noise: float,
) -> tuple[float, float]:
    """Return how many members bring `count_from` of all that arrives, and how many bring anything.

    Of members that are as near to either as noise the plan may say both.
    """
    brought: dict[str, float] = defaultdict(float)
    for part in came:
        member = _member(path, rule, value, part)
        if member is not None and (value is None or weight(path, rule, value, part)):
            brought[identity(str(member))] += part.amount
    least = rule.count_from * sum(part.amount for part in came)
    bring = [each for each in brought.values() if each > noise]
    enough = sum(each > least or not apart(least, each, noise) for each in bring)
    surely = sum(each > least and apart(least, each, noise) for each in bring)
    shown, any_ = line["observed"], sum(each > 0 for each in brought.values())
    if shown is None or rule.least is not None:
        known = shown is not None and surely <= shown <= enough
        return shown if known else float(enough), float(len(bring))
    return float(enough), shown if len(bring) <= shown <= any_ else float(len(bring))


def _member(path: PathAudit, rule: Any, value: str | None, part: Contribution) -> str | None:
    """Return the member that a rule counts for a contribution; None where it counts none."""
    found: str | None
    if rule.of == "foreign_feedstock":
        found = part.party.supplier if part.party.foreign_feedstock > 0 else None
    elif (table := _table(path, rule)) is not None:
        found = part.name if part.table == table else None
    else:
        leaves = rule.of in LEAVING
        found = _grouped(part, rule.of)
        if value is not None:
            found = part.name if leaves else part.party.supplier
    return found


def _grouped(part: Contribution, of: str) -> str | None:
    """Return the value of what a rule groups by, of a supplier or of the country of an outlet."""
    found: str | None = getattr(part.party, of.removeprefix("outlet_"))
    return found


def _table(path: PathAudit, rule: Any) -> str | None:
    """Return the table whose rows a rule speaks of; None where it speaks of suppliers."""
    table = f"{rule.of}s"
    return table if table in path.twins.sources or rule.of == "outlet" else None


def _windows(path: PathAudit, window: str) -> dict[str, list[int]]:
    """Return the periods of each window, by its name."""
    inputs = path.inputs
    found: dict[str, list[int]] = defaultdict(list)
    for t in range(inputs.periods):
        name = (
            "horizon"
            if window == "horizon"
            else f"{inputs.begins[t]:%Y-%m}"
            if window == "period"
            else f"FY{inputs.fiscal_year(t)}"
        )
        found[name].append(t)
    return found


def _values(path: PathAudit, rule: Any) -> list[str | None]:
    """Return the values of which a rule speaks: its own, each in turn, or (None) all together."""
    if rule.of == "foreign_feedstock" or rule.value is not None or rule.measure == "count":
        return [rule.value]
    if (table := _table(path, rule)) is not None:
        return [*path.inputs.keyed(table)]
    leaves = rule.of in LEAVING
    rows = path.inputs.keyed("outlets") if leaves else path.inputs.base.suppliers
    column = rule.of.removeprefix("outlet_")
    found = (getattr(row, column) for row in rows.values())
    return sorted({value for value in found if value is not None})


def weight(path: PathAudit, rule: Any, value: str | None, part: Contribution) -> float:
    """Return how much of an arrival or payment belongs to a rule's group [1].

    A look-through share weighs it by its feedstock.
    """
    if rule.of == "foreign_feedstock":
        return float(part.party.foreign_feedstock)
    wanted = identity(str(value or ""))
    if (table := _table(path, rule)) is not None:
        return float(part.table == table and identity(part.name) == wanted)
    return float(identity(str(_grouped(part, rule.of) or "")) == wanted)


TWIN = Twin(sheets=(AuditedSheet(name="rules", window="window"),), follow=(rules,))
