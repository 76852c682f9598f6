"""Policy and commitments: what the plan makes of each rule, and of each decision that was taken
before it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from optimiser.auditing.case import Case
from optimiser.auditing.findings import RELATIVE, apart
from optimiser.auditing.sheets import Line
from optimiser.auditing.together import Together
from stockpile_model.names import identity


class Part(NamedTuple):
    """What a rule weighs: what an offer or contract brings, or what is paid for it."""

    supplier: Any
    table: str
    name: str
    amount: float


def rules(case: Case) -> None:
    """Every rule over every window, for every value it speaks of, within its limits."""
    record, inputs = case.record, case.inputs
    suppliers = {("offers", row.offer): row.supplier for row in inputs.rows("offers")}
    suppliers |= {("contracts", row.contract): row.supplier for row in inputs.rows("contracts")}
    shown: dict[tuple[str, str, str], Line] = {}
    for line in case.sheets["rules"]:
        key = (line["rule"], identity(str(line["value"] or "")), line["window"])
        if record.fails(key not in shown):
            record.refuse(line.where, f"{line.told('rule')} stands twice")
        shown[key] = line
    brought: dict[int, list[tuple[str, Part]]] = defaultdict(list)
    paid: dict[int, list[tuple[str, Part]]] = defaultdict(list)
    for each in case.brought:
        part = Part(
            inputs.at(each.t).suppliers[suppliers[each.table, each.name]],
            each.table,
            each.name,
            each.quantity,
        )
        brought[each.t].append((each.material, part))
    for spent in case.spent:
        part = Part(
            inputs.at(spent.t).suppliers[suppliers[spent.table, spent.name]],
            spent.table,
            spent.name,
            spent.amount,
        )
        paid[spent.t].append((spent.material, part))
    for known in inputs.rows("rules"):
        for window, periods in _windows(case, known.window).items():
            rule = inputs.at(periods[-1]).keyed("rules")[known.rule]
            source = paid if rule.measure == "spend" else brought
            came = [
                part
                for t in periods
                for material, part in source.get(t, ())
                if rule.material in (None, material)
            ]
            for value in _values(case, rule):
                line_or_none = shown.pop((rule.rule, identity(str(value or "")), window), None)
                if record.fails(line_or_none is not None):
                    told = f"{rule.rule}, {value}, {window}" if value else f"{rule.rule}, {window}"
                    record.refuse("rules", f"{told} is not on the sheet", (rule, "rule"))
                if line_or_none is not None:
                    _kept(case, line_or_none, rule, value, came)
    for line in shown.values():
        record.refuse(line.where, f"{line.told('rule')} is no rule of the input")


def _kept(case: Case, line: Line, rule: Any, value: str | None, came: list[Part]) -> None:
    """One row of the sheet: its value, its limits, and that it keeps them."""
    record = case.record
    total, group = (
        sum(part.amount for part in came),
        sum(part.amount * weight(rule, value, part) for part in came),
    )
    noise = (case.cent if rule.measure == "spend" else case.noise)(rule.material)
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
    line: Line, rule: Any, value: str | None, came: list[Part], noise: float
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


def _windows(case: Case, window: str) -> dict[str, list[int]]:
    inputs = case.inputs
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


def _values(case: Case, rule: Any) -> list[str | None]:
    """What a rule speaks of: its own value, each in turn, or (None) all together."""
    if rule.of == "foreign_feedstock" or rule.value is not None or rule.measure == "count":
        return [rule.value]
    if rule.of in ("offer", "contract"):
        return [getattr(row, rule.of) for row in case.inputs.rows(f"{rule.of}s")]
    return sorted(
        {
            value
            for row in case.inputs.base.suppliers.values()
            if (value := getattr(row, rule.of)) is not None
        }
    )


def weight(rule: Any, value: str | None, part: Part) -> float:
    """How much of an arrival or payment belongs to a rule's group [1]; a look-through share weighs
    it by its feedstock.
    """
    if rule.of == "foreign_feedstock":
        return float(part.supplier.foreign_feedstock)
    wanted = identity(str(value or ""))
    if rule.of in ("offer", "contract"):
        return float(part.table == f"{rule.of}s" and identity(part.name) == wanted)
    return float(identity(str(getattr(part.supplier, rule.of) or "")) == wanted)


def commitments(case: Case) -> None:
    """What was decided before the plan is kept on every path: exactly, at least or at most."""
    inputs, record = case.inputs, case.record
    for k, row in enumerate(inputs.rows("commitments")):
        planned, asked = (
            _planned(case, row, None if row.date is None else inputs.period(row.date)),
            _asked(row),
        )
        noise = _noise(case.together, row)
        compare = {"exactly": record.equal, "at_least": record.reaches, "at_most": record.within}[
            row.how
        ]
        compare("commitments", _told(row), asked, planned, noise, (row, "quantity"))
        case.together.planned[k] += case.future.probability * planned


def _asked(row: Any) -> float:
    return 1.0 if row.quantity is None else float(row.quantity)


def _told(row: Any) -> str:
    return " ".join(
        [
            "commitment to",
            row.kind,
            row.name,
            *([row.level] if row.level else []),
            *([f"in {row.date}"] if row.date else []),
        ]
    )


def kept(together: Together) -> None:
    """The sheet of commitments tells what the plan makes of each, expected."""
    record, clock = together.record, together.clock
    columns = ("date", "kind", "name", "level", "how", "quantity")
    lines = list(together.sheets["commitments"])
    for k, row in enumerate(together.base.rows("commitments")):
        t, told, asked = (
            None if row.date is None else clock.period(row.date),
            _told(row),
            _asked(row),
        )
        key = [
            None if t is None else clock.begin(t),
            row.kind,
            identity(row.name),
            row.level,
            row.how,
            asked,
        ]
        shown = [[*(each[name] for name in columns)] for each in lines]
        line = next(
            (
                each
                for each, found in zip(lines, shown, strict=True)
                if [*found[:2], identity(found[2]), *found[3:]] == key
            ),
            None,
        )
        if record.fails(line is not None):
            record.refuse("commitments", f"{told} is not on the sheet", (row, "name"))
        if line is not None:
            lines.remove(line)
            record.figure(line, "planned", together.planned[k], _noise(together, row))
            record.term(line, "measure", "quantity" if row.kind in ("order", "rotate") else "times")
    for line in lines:
        record.refuse(line.where, f"{line.told('name')} is no commitment of the input")


def _noise(together: Together, row: Any) -> float:
    """The noise of what a plan does of a commitment: of a quantity, or of times, which are whole."""
    if (table := {"order": "offers", "rotate": "outlets"}.get(row.kind)) is None:
        return 0.0
    of = (
        each.material
        for name, each in together.base.keyed(table).items()
        if identity(name) == identity(row.name)
    )
    return together.noise.quantity(next(of, None))


def _planned(case: Case, row: Any, t: int | None) -> float:
    """What the plan does of a commitment, in its period or (None) over the horizon."""
    name, level = identity(row.name), None if row.level is None else identity(row.level)
    if row.kind == "sign":
        return float(
            sum(
                n
                for (k, f, s), n in case.called.items()
                if identity(k) == name and level in (None, identity(f)) and t in (None, s)
            )
        )
    if row.kind == "project":
        return float(
            sum(identity(each) == name and t in (None, s) for each, s in case.ahead.items())
        )
    found = case.ordered if row.kind == "order" else case.out
    return sum(
        quantity
        for (each, s), quantity in found.items()
        if identity(each) == name and t in (None, s)
    )
