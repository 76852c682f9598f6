"""Policy and commitments: what the plan makes of each rule and of each decision that was taken before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from optimiser.audit.case import Case
from optimiser.audit.findings import NOISE
from optimiser.audit.sheets import Line

LEAST_COUNTED = 1e-3  # of a member's arrivals in a window, to count [quantity]


def rules(case: Case) -> None:
    """Every rule over every window, for every value it speaks of, within its limits."""
    inputs, record = case.inputs, case.record
    suppliers = {("offers", row.offer): row.supplier for row in inputs.rows("offers")}
    suppliers |= {("contracts", row.contract): row.supplier for row in inputs.rows("contracts")}
    shown: dict[tuple[str, str, str], Line] = {}
    for line in case.sheets["rules"]:
        key = (line["rule"], str(line["value"] or "").casefold(), line["window"])
        record.holds(key not in shown, line.where, "stands twice")
        shown[key] = line
    for rule in inputs.rows("rules"):
        for window, periods in _windows(case, rule.window).items():
            source: Iterable[Any] = case.spent if rule.measure == "spend" else case.brought
            came = []
            for each in source:
                if each.t in periods and rule.material in (None, each.material):
                    supplier = inputs.suppliers[suppliers[each.table, each.name]]
                    came.append((supplier, each.table, each.name, each.amount if rule.measure == "spend" else each.quantity))
            for value in [None] if rule.measure == "count" and rule.value is None else _values(case, rule):
                line = shown.pop((rule.rule, str(value or "").casefold(), window), None)
                where = f"rule {rule.rule} {value or ''} {window}".replace("  ", " ")
                if record.holds(line is not None, "rules", f"{where} is not on the sheet", inputs.cell(rule, "rule")) and line is not None:
                    _kept(case, line, rule, value, came, where)
    for line in shown.values():
        record.holds(False, line.where, f"{line.told('rule')} is no rule of the input")


def _kept(case: Case, line: Line, rule: Any, value: str | None, came: list[tuple[Any, str, str, float]], where: str) -> None:
    record, inputs = case.record, case.inputs
    group = sum(amount * weight(rule, value, supplier, table, name) for supplier, table, name, amount in came)
    noise = case.cent if rule.measure == "spend" else NOISE
    observed: float | None = group
    least = most = group
    scale = 1.0
    if rule.measure == "share":
        scale = sum(amount for *_, amount in came)
        observed = group / scale if scale > NOISE else None
    elif rule.measure == "count":
        least, most = (float(each) for each in _counted(case, rule, value, came))
        # Between nothing and what counts a member counts as one only against `most`.
        observed = line["observed"] if line["observed"] in (least, most) else least
        noise = 1e-6
    for column, sense in (("of", rule.of), ("material", rule.material), ("measure", rule.measure)):
        record.term(line, column, sense, inputs.cell(rule, column))
    for column in ("least", "most"):
        record.figure(line, column, getattr(rule, column), cell=inputs.cell(rule, column))
    fine = NOISE / max(1.0, scale) + 1e-6 if rule.measure == "share" else noise
    record.figure(line, "observed", observed, fine)
    limits = [(None if limit is None else limit * scale) for limit in (rule.least, rule.most)]
    record.least(line.at("observed"), where, limits[0], least, 10 * noise, inputs.cell(rule, "least"))
    record.most(line.at("observed"), where, limits[1], most, 10 * noise, inputs.cell(rule, "most"))
    gaps = [] if observed is None else [
        gap for limit, gap in ((rule.least, observed - (rule.least or 0.0)), (rule.most, (rule.most or 0.0) - observed)) if limit is not None
    ]  # fmt: skip
    slack = max(0.0, min(gaps)) if gaps else None
    record.figure(line, "slack", slack, fine)
    if slack is None or abs(slack) > 2 * fine:
        record.term(line, "binding", slack is not None and slack <= 2 * fine)


def _counted(case: Case, rule: Any, value: str | None, came: list[tuple[Any, str, str, float]]) -> tuple[int, int]:
    """How many members bring anything: that count towards `least`, and against `most`."""
    brought: dict[str, float] = defaultdict(float)
    for supplier, table, name, amount in came:
        if rule.of in ("offer", "contract"):
            member = name if table == f"{rule.of}s" else ""
        elif rule.of == "foreign_feedstock":
            member = supplier.supplier if supplier.foreign_feedstock > 0 else ""
        else:
            member = (getattr(supplier, rule.of) or "") if value is None else supplier.supplier
        if value is not None and weight(rule, value, supplier, table, name) == 0:
            member = ""
        if member:
            brought[member.casefold()] += amount
    return sum(each >= LEAST_COUNTED - NOISE for each in brought.values()), sum(each > NOISE for each in brought.values())


def _windows(case: Case, window: str) -> dict[str, set[int]]:
    inputs = case.inputs
    found: dict[str, set[int]] = defaultdict(set)
    for t in range(inputs.periods):
        name = "horizon" if window == "horizon" else f"{inputs.begins[t]:%Y-%m}" if window == "period" else f"FY{inputs.fiscal_year(t)}"
        found[name].add(t)
    return found


def _values(case: Case, rule: Any) -> list[str | None]:
    """What a rule speaks of: its own value, or each in turn."""
    if rule.of == "foreign_feedstock" or rule.value is not None:
        return [rule.value]
    if rule.of in ("offer", "contract"):
        return [getattr(row, rule.of) for row in case.inputs.rows(f"{rule.of}s")]
    return sorted({value for row in case.inputs.suppliers.values() if (value := getattr(row, rule.of)) is not None})


def weight(rule: Any, value: str | None, supplier: Any, table: str, name: str) -> float:
    """How much of an arrival or payment belongs to a rule's group [1]; a look-through share weighs it by its feedstock."""
    if rule.of == "foreign_feedstock":
        return float(supplier.foreign_feedstock)
    if rule.of in ("offer", "contract"):
        return float(table == f"{rule.of}s" and name.casefold() == str(value).casefold())
    return float(str(getattr(supplier, rule.of) or "").casefold() == str(value).casefold())


def commitments(case: Case) -> None:
    """What was decided before the plan is kept by it: exactly, at least or at most."""
    inputs, record = case.inputs, case.record
    lines = list(case.sheets["commitments"])
    for row in inputs.rows("commitments"):
        t = None if row.date is None else inputs.period(row.date)
        planned = _planned(case, row, t)
        asked = row.quantity if row.quantity is not None else 1.0
        told = f"{row.kind} {row.name}" + (f" {row.level}" if row.level else "") + (f" in {row.date}" if row.date else "")
        noise = 10 * NOISE if row.kind in ("order", "rotate") else 1e-6
        compare = {"exactly": record.equal, "at_least": record.least, "at_most": record.most}[row.how]
        compare("commitments", f"commitment {told}", asked, planned, noise, inputs.cell(row, "quantity"))
        date = None if t is None else inputs.begin(t)
        key = (date, row.kind, row.name, row.level, row.how)
        line = next((each for each in lines if tuple(each[name] for name in ("date", "kind", "name", "level", "how")) == key), None)
        if record.holds(line is not None, "commitments", f"{told} is not on the sheet", inputs.cell(row, "name")) and line is not None:
            lines.remove(line)
            record.figure(line, "quantity", asked, cell=inputs.cell(row, "quantity"))
            record.figure(line, "planned", planned, 10 * NOISE)
    for line in lines:
        record.holds(False, line.where, f"{line.told('name')} is no commitment of the input")


def _planned(case: Case, row: Any, t: int | None) -> float:
    """What the plan does of a commitment, in its period or (None) over the horizon."""

    def named(found: dict[Any, float], first: int) -> float:
        return sum(amount for key, amount in found.items() if key[1 - first] == row.name and t in (None, key[first]))

    if row.kind == "order":
        return named(case.ordered, 1)
    if row.kind == "rotate":
        return named(case.out, 0)
    if row.kind == "sign":
        return float(sum(n for (k, f, s), n in case.called.items() if k == row.name and row.level in (None, f) and t in (None, s)))
    return float(sum(name == row.name and t in (None, s) for name, s in case.ahead.items()))
