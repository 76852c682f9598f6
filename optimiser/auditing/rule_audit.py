"""Policy: what the plan makes of each rule, over each window and for each value."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from optimiser.auditing.findings import RELATIVE, apart
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import AuditedSheet, Twin
from stockpile_model.names import identity


class Contribution(NamedTuple):
    """What a rule weighs: what an offer or contract brings, or what is paid for it."""

    supplier: Any
    table: str
    name: str
    amount: float


def rules(path: PathAudit) -> None:
    """Every rule over every window, for every value it speaks of, within its limits."""
    record, inputs = path.record, path.inputs
    suppliers = {
        (table, name): row.supplier
        for table in path.twins.sources
        for name, row in inputs.keyed(table).items()
    }
    shown: dict[tuple[str, str, str], Line] = {}
    for line in path.sheets["rules"]:
        key = (line["rule"], identity(str(line["value"] or "")), line["window"])
        if record.fails(key not in shown):
            record.refuse(line.where, f"{line.told('rule')} stands twice")
        shown[key] = line
    brought: dict[int, list[tuple[str, Contribution]]] = defaultdict(list)
    paid: dict[int, list[tuple[str, Contribution]]] = defaultdict(list)
    for each in path.brought:
        part = Contribution(
            inputs.at(each.t).suppliers[suppliers[each.table, each.name]],
            each.table,
            each.name,
            each.quantity,
        )
        brought[each.t].append((each.material, part))
    for spent in path.spent:
        part = Contribution(
            inputs.at(spent.t).suppliers[suppliers[spent.table, spent.name]],
            spent.table,
            spent.name,
            spent.amount,
        )
        paid[spent.t].append((spent.material, part))
    for known in inputs.rows("rules"):
        for window, periods in _windows(path, known.window).items():
            rule = inputs.at(periods[-1]).keyed("rules")[known.rule]
            source = paid if rule.measure == "spend" else brought
            came = [
                part
                for t in periods
                for material, part in source.get(t, ())
                if rule.material in (None, material)
            ]
            for value in _values(path, rule):
                line_or_none = shown.pop((rule.rule, identity(str(value or "")), window), None)
                if record.fails(line_or_none is not None):
                    told = f"{rule.rule}, {value}, {window}" if value else f"{rule.rule}, {window}"
                    record.refuse("rules", f"{told} is not on the sheet", (rule, "rule"))
                if line_or_none is not None:
                    _kept(path, line_or_none, rule, value, came)
    for line in shown.values():
        record.refuse(line.where, f"{line.told('rule')} is no rule of the input")


def _kept(
    path: PathAudit, line: Line, rule: Any, value: str | None, came: list[Contribution]
) -> None:
    """One row of the sheet: its value, its limits, and that it keeps them."""
    record = path.record
    total, group = (
        sum(part.amount for part in came),
        sum(part.amount * weight(rule, value, part) for part in came),
    )
    noise = (path.cent if rule.measure == "spend" else path.noise)(rule.material)
    low: float | None = group
    if rule.measure == "share":
        low, noise = (group / total, noise / total) if total > noise else (None, 0.0)
    high = low
    if rule.measure == "count":
        low, high = _counted(line, rule, value, came, noise)
        noise = 0.0
    for column in ("of", "material", "measure"):
        record.term(line, column, getattr(rule, column), (rule, column))
    for column in ("least", "most"):
        record.figure(line, column, getattr(rule, column), cell=(rule, column))
    record.figure(line, "observed", high if rule.least is None else low, noise)
    gaps = []
    if rule.least is not None and low is not None:
        gaps.append(low - rule.least)
        if record.below(rule.least, low, noise):
            record.add(
                line.at("observed"),
                line.told("observed"),
                rule.least,
                low,
                "least",
                (rule, "least"),
            )
    if rule.most is not None and high is not None:
        gaps.append(rule.most - high)
        if record.above(rule.most, high, noise):
            record.add(
                line.at("observed"), line.told("observed"), rule.most, high, "most", (rule, "most")
            )
    slack = max(0.0, min(gaps)) if gaps else None
    # A slack is a difference, which may be next to nothing of either.
    fine = noise + RELATIVE * max(
        (abs(limit) for limit in (rule.least, rule.most) if limit is not None), default=0.0
    )
    record.figure(line, "slack", slack, fine)
    if slack is None or slack > 100 * fine:
        record.term(line, "binding", False)
    elif slack == 0:
        record.term(line, "binding", True)


def _counted(
    line: Line, rule: Any, value: str | None, came: list[Contribution], noise: float
) -> tuple[float, float]:
    """How many members bring `count_from` of all that arrives, and how many bring anything at all;
    of who is as near to either as noise the plan may say both.
    """
    brought: dict[str, float] = defaultdict(float)
    for part in came:
        if rule.of == "foreign_feedstock":
            member = part.supplier.supplier if part.supplier.foreign_feedstock > 0 else None
        elif rule.of in ("offer", "contract"):
            member = part.name if part.table == f"{rule.of}s" else None
        else:
            member = getattr(part.supplier, rule.of) if value is None else part.supplier.supplier
        if member is not None and (value is None or weight(rule, value, part)):
            brought[identity(str(member))] += part.amount
    least = rule.count_from * sum(part.amount for part in came)
    bring = [each for each in brought.values() if each > noise]
    enough = sum(each > least or not apart(least, each, noise) for each in bring)
    surely = sum(each > least and apart(least, each, noise) for each in bring)
    told, any_ = line["observed"], sum(each > 0 for each in brought.values())
    if told is None or rule.least is not None:
        return (told if told is not None and surely <= told <= enough else float(enough)), float(
            len(bring)
        )
    return float(enough), told if len(bring) <= told <= any_ else float(len(bring))


def _windows(path: PathAudit, window: str) -> dict[str, list[int]]:
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
    """What a rule speaks of: its own value, each in turn, or (None) all together."""
    if rule.of == "foreign_feedstock" or rule.value is not None or rule.measure == "count":
        return [rule.value]
    if rule.of in ("offer", "contract"):
        return [getattr(row, rule.of) for row in path.inputs.rows(f"{rule.of}s")]
    return sorted(
        {
            value
            for row in path.inputs.base.suppliers.values()
            if (value := getattr(row, rule.of)) is not None
        }
    )


def weight(rule: Any, value: str | None, part: Contribution) -> float:
    """How much of an arrival or payment belongs to a rule's group [1]; a look-through share weighs
    it by its feedstock.
    """
    if rule.of == "foreign_feedstock":
        return float(part.supplier.foreign_feedstock)
    wanted = identity(str(value or ""))
    if rule.of in ("offer", "contract"):
        return float(part.table == f"{rule.of}s" and identity(part.name) == wanted)
    return float(identity(str(getattr(part.supplier, rule.of) or "")) == wanted)


TWIN = Twin(sheets=(AuditedSheet(name="rules", window="window"),), follow=(rules,))
