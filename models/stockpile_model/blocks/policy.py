"""Policy: limits on shares and quantities by supplier, country, bloc, stage, feedstock, offer or contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pyomo.environ as pyo

from stockpile_model.data import NOTHING, Problem, Result, Row, Stockpile, Supplier, column, nearest
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Arrival, Ledger


@dataclass(frozen=True, kw_only=True)
class Rule(Row):
    TABLE = "rules"
    rule: str = column("name of the rule", required=True, key=True)
    of: str = column(
        "what the rule groups by",
        required=True,
        choices=("supplier", "country", "bloc", "stage", "foreign_feedstock", "offer", "contract"),
    )
    value: str | None = column("which supplier, country …; blank = each in turn")
    material: str | None = column("material; blank = all together", refers="materials")
    measure: str = column(
        "`share` or `quantity` of what arrives from offers and contracts, `spend` on it, or `count` of members with any arrival",
        default="share",
        choices=("share", "quantity", "spend", "count"),
    )
    window: str = column("over what it is summed", default="horizon", choices=("horizon", "fiscal_year", "period"))
    least: float | None = column("least value; blank = none", "1, quantity, money or members", least=0)
    most: float | None = column("most value; blank = none", "1, quantity, money or members", least=0)


@dataclass(frozen=True, kw_only=True)
class RuleKept(Result):
    SHEET = "rules"
    rule: str = column("rule")
    of: str = column("what it groups by")
    value: str | None = column("which supplier, country …")
    material: str | None = column("material; blank = all together")
    window: str = column("horizon, fiscal year or period")
    measure: str = column("share, quantity, spend or count")
    observed: float | None = column("value in the plan; blank = nothing arrives", "1, quantity, money or members")
    least: float | None = column("least value", "1, quantity, money or members")
    most: float | None = column("most value", "1, quantity, money or members")
    slack: float | None = column("distance to the nearer limit", "1, quantity, money or members")
    binding: bool = column("whether the limit is reached")


TABLES: tuple[type[Row], ...] = (Rule,)


class Instance(NamedTuple):
    """A rule for one value over one window, which ends at a node."""

    rule: str
    value: str
    node: int


def members(stockpile: Stockpile, rule: Rule) -> list[str]:
    """The values a rule speaks of: its own, or each in turn."""
    if rule.of == "foreign_feedstock":
        return [""]
    if rule.value is not None:
        return [rule.value]
    return known(stockpile, rule.of)


def known(stockpile: Stockpile, of: str) -> list[str]:
    """The values that the workbook holds for what rules group by."""
    if of in ("offer", "contract"):
        return list(stockpile.names(f"{of}s"))
    return sorted({str(value) for row in stockpile.rows(Supplier) if (value := getattr(row, of)) is not None})


def weight(stockpile: Stockpile, rule: Rule, value: str, arrival: Arrival) -> float:
    """How much of an arrival belongs to the group of a rule [1]; a look-through share weighs it by its feedstock."""
    supplier = stockpile.at(arrival.node).keyed(Supplier)[arrival.supplier]
    if rule.of == "foreign_feedstock":
        return supplier.foreign_feedstock
    if rule.of in ("offer", "contract"):
        belongs = arrival.table == f"{rule.of}s" and arrival.name.casefold() == value.casefold()
    else:
        belongs = str(getattr(supplier, rule.of) or "").casefold() == value.casefold()
    return 1.0 if belongs else 0.0


def windows(stockpile: Stockpile, rule: Rule) -> dict[int, tuple[str, set[int]]]:
    """For each node at which a window ends on its path: the window's name and its nodes."""
    tree, calendar = stockpile.tree, stockpile.calendar
    if rule.window == "horizon":
        return {leaf: ("horizon", set(tree.paths[leaf])) for leaf in tree.leaves}
    if rule.window == "period":
        return {n: (f"{calendar.begin(tree.period[n]):%Y-%m}", {n}) for n in tree.nodes}
    found = {}
    for n in tree.nodes:
        period = tree.period[n]
        year = calendar.fiscal_year(period)
        if period == calendar.periods - 1 or calendar.fiscal_year(period + 1) != year:
            found[n] = (f"FY{year}", {s for s in tree.paths[n] if calendar.fiscal_year(tree.period[s]) == year})
    return found


def forced(stockpile: Stockpile) -> float:
    """Quantity that rules may force to be bought beyond any use [quantity]: a term of the bound on an order."""
    return sum(rule.least or 0.0 for rule in stockpile.rows(Rule) if rule.measure == "quantity")


def shares(stockpile: Stockpile) -> list[Rule]:
    """The rules on shares: under them what one brings makes room for what others may."""
    return [rule for rule in stockpile.rows(Rule) if rule.measure == "share"]


def binds_over_time(stockpile: Stockpile) -> bool:
    """Whether a share is taken over more than one period."""
    return any(rule.window != "period" for rule in shares(stockpile))


def stretch(stockpile: Stockpile) -> float:
    """By how much shares may stretch what is bought beyond any use [1]: buying s·T of a group makes T of all."""
    found = 1.0
    for rule in shares(stockpile):
        weights = (1.0, 0.0) if rule.of != "foreign_feedstock" else tuple(row.foreign_feedstock for row in stockpile.rows(Supplier))
        for limit, sign in ((rule.most, 1), (rule.least, -1)):
            if limit is not None:
                # What is beyond the limit weighs this much against it, what makes room for it at least that much.
                beyond = max((sign * (each - limit) for each in weights), default=0.0)
                room = min((gap for each in weights if (gap := sign * (limit - each)) > NOTHING), default=math.inf)
                found *= 1 + max(0.0, beyond) / room
    return found


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Rule):
        if row.least is None and row.most is None:
            yield Problem(row.TABLE, row.line, "most", "the rule has no limit: give least or most")
        for name, limit in (("least", row.least), ("most", row.most)):
            if row.measure == "share" and limit is not None and limit > 1:
                yield Problem(row.TABLE, row.line, name, f"must be at most 1 for a share (0.25 is 25 %), found {limit:g}")
        if row.least is not None and row.most is not None and row.least > row.most:
            yield Problem(row.TABLE, row.line, "least", f"must not be above most ({row.most:g}), found {row.least:g}")
        if row.of == "foreign_feedstock":
            if row.value is not None:
                yield Problem(row.TABLE, row.line, "value", "must be blank for foreign_feedstock: each supplier counts by its own share")
        elif row.value is not None:
            names = known(stockpile, row.of)
            if row.value.casefold() not in {name.casefold() for name in names}:
                where = f"{row.of}s" if row.of in ("offer", "contract") else "suppliers"
                yield Problem(row.TABLE, row.line, "value", f"no {row.of} {row.value!r} in the sheet {where}{nearest(row.value, names)}")


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Over each window, along each path: least·Σ arrivals ≤ Σ_group arrivals ≤ most·Σ arrivals; quantities without Σ."""
    rules = stockpile.keyed(Rule)
    spans = {r: windows(stockpile, rule) for r, rule in rules.items()}
    instances = [Instance(r, value, n) for r, rule in rules.items() for value in members(stockpile, rule) for n in spans[r]]
    m.RULES = pyo.Set(dimen=3, initialize=instances, doc="rule, value, node at which a window of it ends")
    by_node: dict[int, list[Arrival]] = {}
    for arrival in ledger.arrivals:
        by_node.setdefault(arrival.node, []).append(arrival)

    def gathered(r: str, n: int, weigh: Callable[[Arrival], float]) -> Any:
        """Σ of what arrives in a window, weighed; None where nothing can."""
        parts = ((weigh(each), each) for s in spans[r][n][1] for each in by_node.get(s, ()) if rules[r].material in (None, each.material))
        terms = [factor * each.amount for factor, each in parts if factor]
        return pyo.quicksum(terms) if terms else None

    totals = {(r, n): gathered(r, n, lambda each: 1.0) for r, rule in rules.items() if rule.measure == "share" for n in spans[r]}

    def row(r: str, value: str, n: int, sense: str) -> object:
        limit = float(getattr(rules[r], sense))
        share, bound = (limit, 0.0) if rules[r].measure == "share" else (0.0, limit)
        body = gathered(r, n, lambda each: weight(stockpile, rules[r], value, each) - share)
        if body is None:
            return summed([]) >= bound if sense == "least" and bound > 0 else pyo.Constraint.Feasible
        return body >= bound if sense == "least" else body <= bound

    senses: tuple[tuple[Literal["least", "most"], str], ...] = (("least", "at least its least value"), ("most", "at most its most value"))
    for sense, doc in senses:
        limited = [key for key in instances if getattr(rules[key.rule], sense) is not None]
        rows = pyo.Constraint(
            pyo.Set(dimen=3, initialize=limited),
            rule=lambda m, r, v, n, sense=sense: row(r, v, n, sense),
            doc=f"a rule's group has {doc} [quantity]",
        )
        m.add_component(f"hold_rule_{sense}", rows)
        for r, value, n in limited:
            if (r, value, n) in rows:
                what = f"rule {r}" + (f" for {value}" if value else "") + f", {spans[r][n][0]}"
                limit, share = float(getattr(rules[r], sense)), rules[r].measure == "share"
                factor = totals[r, n] if share else 1.0
                ledger.limit(rows[r, value, n], sense, limit, "1" if share else "quantity", what, rules[r], sense, n, factor=factor)


def report(formulation: Formulation) -> Iterator[Result]:
    stockpile, rules = formulation.stockpile, formulation.stockpile.keyed(Rule)
    solved: dict[int, list[tuple[Arrival, float]]] = {}
    for arrival in formulation.ledger.arrivals:
        solved.setdefault(arrival.node, []).append((arrival, float(pyo.value(arrival.amount))))
    for r, value, n in formulation.m.RULES:
        rule = rules[r]
        name, nodes = windows(stockpile, rule)[n]
        amounts = [pair for s in nodes for pair in solved.get(s, ()) if rule.material in (None, pair[0].material)]
        total = sum(amount for _, amount in amounts)
        group = sum(weight(stockpile, rule, value, arrival) * amount for arrival, amount in amounts)
        observed = group if rule.measure == "quantity" else group / total if total > NOTHING else None
        gaps = [] if observed is None else [gap for gap in _gaps(rule, observed) if gap is not None]
        slack = min(gaps) if gaps else None
        yield RuleKept(
            rule=r,
            of=rule.of,
            value=value or None,
            material=rule.material,
            window=name,
            measure=rule.measure,
            observed=observed,
            least=rule.least,
            most=rule.most,
            slack=slack,
            binding=slack is not None and slack <= 1e-6 * max(1.0, rule.most or 0.0, rule.least or 0.0),
        )


def _gaps(rule: Rule, observed: float) -> tuple[float | None, float | None]:
    return (
        None if rule.least is None else max(0.0, observed - rule.least),
        None if rule.most is None else max(0.0, rule.most - observed),
    )
