"""Policy: limits on shares and quantities by supplier, country, bloc, stage, feedstock, offer or contract."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.data import NOTHING, Dated, Problem, Result, Row, Stockpile, Supplier, column, columns, get, keys, nearest
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger

KEYED = ("supplier", "offer", "contract")  # what rules group by that has a table
_CHOICES = {each.name: each for each in columns(Supplier)}


@dataclass(frozen=True, kw_only=True)
class Rule(Row):
    TABLE = "rules"
    rule: str = column("name of the rule", required=True, key=True)
    of: str = column(
        "what the rule groups by",
        required=True,
        choices=("supplier", "country", "bloc", "stage", "foreign_feedstock", "offer", "contract"),
    )
    value: str | None = column(
        "which supplier, country …; blank = each in turn", names=lambda row: f"{row.of}s" if row.of in KEYED else row.of
    )
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
class RuleKept(Dated):
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
UNITS = {"share": "1", "quantity": "quantity", "spend": "money", "count": "members"}


ANY = 1e-3  # what a member must bring in a window to count [quantity]: less is no delivery


class Instance(NamedTuple):
    """A rule for one value over one window, which ends at a node."""

    rule: str
    value: str
    node: int


def values(stockpile: Stockpile, rule: Rule) -> list[str]:
    """The values a rule speaks of: its own, or each in turn; blank where it speaks of all together."""
    if rule.of == "foreign_feedstock" or (rule.measure == "count" and rule.value is None):
        return [""]
    if rule.value is not None:
        return [rule.value]
    return known(stockpile, rule.of)


def members(stockpile: Stockpile, rule: Rule) -> tuple[str, list[str]]:
    """What a rule counts, and the members: the values of what it groups by; of one country, bloc or stage its suppliers."""
    if rule.of == "foreign_feedstock":
        return "supplier", [row.supplier for row in stockpile.rows(Supplier) if row.foreign_feedstock > 0]
    if rule.value is None:
        return rule.of, known(stockpile, rule.of)
    if rule.of in KEYED:
        return rule.of, [rule.value]
    return "supplier", [row.supplier for row in stockpile.rows(Supplier) if getattr(row, rule.of) == rule.value]


def known(stockpile: Stockpile, of: str) -> list[str]:
    """The values that the workbook holds for what rules group by."""
    if of in ("offer", "contract"):
        return list(stockpile.names(f"{of}s"))
    return sorted({str(value) for row in stockpile.rows(Supplier) if (value := getattr(row, of)) is not None})


class Share(NamedTuple):
    """What a rule weighs: what an offer or contract brings, or what is paid for it, at a node."""

    node: int
    material: str | None
    table: str
    name: str
    supplier: str
    amount: Any
    most: float | None = None


def weight(stockpile: Stockpile, of: str, value: str, part: Share) -> float:
    """How much of what is brought belongs to a group [1]; a look-through share weighs it by its feedstock."""
    supplier = stockpile.at(part.node).keyed(Supplier)[part.supplier]
    if of == "foreign_feedstock":
        return supplier.foreign_feedstock
    of_its_own = part.table == f"{of}s" and part.name == value
    return float(of_its_own if of in ("offer", "contract") else getattr(supplier, of) == value)


def brought(ledger: Ledger) -> dict[int, list[Share]]:
    """What offers and contracts bring at each node; what comes back from an outlet is none of it."""
    found: dict[int, list[Share]] = {}
    for each in ledger.arrivals:
        if each.supplier is not None:
            share = Share(each.node, each.material, each.table, each.name, each.supplier, each.amount, each.most)
            found.setdefault(each.node, []).append(share)
    return found


def paid(stockpile: Stockpile, ledger: Ledger) -> dict[int, list[Share]]:
    """What is paid under offers and contracts at each node, undiscounted; receipts are not taken off."""
    tables = {"purchase": "offers", "contract": "contracts"}
    suppliers = {kind.TABLE: {get(row, keys(kind)[0]): get(row, "supplier") for row in rows} for kind, rows in stockpile.tables.items()
                 if kind.TABLE in tables.values()}  # fmt: skip
    found: dict[int, list[Share]] = {}
    for each in ledger.outlays():
        if (table := tables.get(str(each.use))) is not None:
            share = Share(each.node, each.material, table, each.name, suppliers[table][each.name], each.amount)
            found.setdefault(each.node, []).append(share)
    return found


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


def forced(stockpile: Stockpile, cheapest: float) -> float:
    """Quantity that rules may force to be bought beyond any use, where the cheapest costs `cheapest` [quantity]: a term of the
    bound on an order."""
    least = dict.fromkeys(UNITS, 0.0)
    for name, rule in stockpile.keyed(Rule).items():
        least[rule.measure] += max(view.keyed(Rule)[name].least or 0.0 for view in stockpile.variants)
    spent = 0.0 if least["spend"] == 0 else least["spend"] / cheapest if cheapest > 0 else math.inf
    return least["quantity"] + spent + ANY * sum(rule.measure == "count" for rule in stockpile.rows(Rule))


@functools.lru_cache(maxsize=8)
def spend_at_least(stockpile: Stockpile) -> bool:
    """Whether a rule asks for spending: then nothing may be paid that is not owed."""
    return any(rule.measure == "spend" and rule.least for view in stockpile.variants for rule in view.rows(Rule))


@functools.lru_cache(maxsize=8)
def counts_at_most(stockpile: Stockpile) -> bool:
    """Whether a rule lets only so many members bring anything: then each arrival needs a bound."""
    return any(rule.measure == "count" and rule.most is not None for view in stockpile.variants for rule in view.rows(Rule))


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
        weights = [1.0, 0.0]
        if rule.of == "foreign_feedstock":
            weights = [row.foreign_feedstock for view in stockpile.variants for row in view.rows(Supplier)]
        for name, sign in (("most", 1), ("least", -1)):
            stretched = 1.0
            for limit in (each for view in stockpile.variants if (each := getattr(view.keyed(Rule)[rule.rule], name)) is not None):
                # What is beyond the limit weighs this much against it, what makes room for it at least that much.
                beyond = max((sign * (each - limit) for each in weights), default=0.0)
                room = min((gap for each in weights if (gap := sign * (limit - each)) > NOTHING), default=math.inf)
                stretched = max(stretched, 1 + max(0.0, beyond) / room)
            found *= stretched
    return found


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Rule):
        if row.least is None and row.most is None:
            yield Problem(row.TABLE, row.line, "most", "the rule has no limit: give least or most")
        for name, limit in (("least", row.least), ("most", row.most)):
            if row.measure == "share" and limit is not None and limit > 1:
                yield Problem(row.TABLE, row.line, name, f"must be at most 1 for a share (0.25 is 25 %), found {amounts.quantity(limit)}")
        if row.least is not None and row.most is not None and row.least > row.most:
            message = f"must not be above most ({amounts.quantity(row.most)}), found {amounts.quantity(row.least)}"
            yield Problem(row.TABLE, row.line, "least", message)
        if row.of == "foreign_feedstock":
            if row.value is not None:
                yield Problem(row.TABLE, row.line, "value", "must be blank for foreign_feedstock: each supplier counts by its own share")
        elif row.value is not None and row.of in KEYED:
            if row.value not in (names := stockpile.names(f"{row.of}s")):
                yield Problem(row.TABLE, row.line, "value", f"no {row.of} {row.value!r} in the sheet {row.of}s{nearest(row.value, names)}")
        elif row.value is not None and (said := _CHOICES[row.of].fault(row.value)):
            yield Problem(row.TABLE, row.line, "value", said)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Over each window, along each path:

    share:             least·Σ arrivals ≤ Σ_group arrivals ≤ most·Σ arrivals
    quantity, spend:   least ≤ Σ_group ≤ most
    count:             least ≤ Σ_members present ≤ most,  Σ arrivals of a member ≥ ANY·present,  each of its arrivals ≤ cap·present
    """
    rules = stockpile.keyed(Rule)
    spans = {r: windows(stockpile, rule) for r, rule in rules.items()}
    instances = [Instance(r, value, n) for r, rule in rules.items() for value in values(stockpile, rule) for n in spans[r]]
    m.RULES = pyo.Set(dimen=3, initialize=instances, doc="rule, value, node at which a window of it ends")
    arrivals = brought(ledger) if rules else {}
    outlays = paid(stockpile, ledger) if any(rule.measure == "spend" for rule in rules.values()) else {}

    def limit_at(r: str, n: int, sense: str) -> float | None:
        """The least or most of a rule whose window ends at a node; None where it has none there."""
        found: float | None = getattr(stockpile.at(n).keyed(Rule)[r], sense)
        return found

    def parts(r: str, n: int) -> list[Share]:
        """What a rule weighs in a window."""
        of_node = outlays if rules[r].measure == "spend" else arrivals
        return [each for s in sorted(spans[r][n][1]) for each in of_node.get(s, ()) if rules[r].material in (None, each.material)]

    def gathered(r: str, n: int, weigh: Callable[[Share], float]) -> Any:
        """Σ of what a rule weighs in a window; None where there is nothing."""
        terms = [factor * each.amount for each in parts(r, n) if (factor := weigh(each))]
        return pyo.quicksum(terms) if terms else None

    totals = {(r, n): gathered(r, n, lambda each: 1.0) for r, rule in rules.items() if rule.measure == "share" for n in spans[r]}

    counted: dict[tuple[str, str, int], list[Share]] = {}  # rule, member, node -> what the member brings in the window
    for r, n in ((name, node) for name, rule in rules.items() if rule.measure == "count" for node in spans[name]):
        of, names = members(stockpile, rules[r])
        for name in names:
            if own := [each for each in parts(r, n) if weight(stockpile, of, name, each)]:
                counted[r, name, n] = own
    m.MEMBERS = pyo.Set(dimen=3, initialize=list(counted), doc="rule that counts, member, node at which a window of it ends")
    m.present = pyo.Var(m.MEMBERS, domain=pyo.Binary, doc="whether a member brings anything in a window [1]")
    m.hold_present = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in counted if limit_at(key[0], key[2], "least") is not None]),
        rule=lambda m, r, v, n: pyo.quicksum(each.amount for each in counted[r, v, n]) >= ANY * m.present[r, v, n],
        doc="a member counts when it brings something [quantity]",
    )
    whole: dict[tuple[str, str, int, str, str, int], list[Share]] = {}  # with what brings it, and when: over all sites
    for (r, v, n), own in counted.items():
        for each in own if limit_at(r, n, "most") is not None else ():
            whole.setdefault((r, v, n, each.table, each.name, each.node), []).append(each)
    m.cap_present = pyo.Constraint(
        pyo.Set(dimen=6, initialize=list(whole)),
        rule=lambda m, r, v, n, t, o, d: (
            pyo.quicksum(each.amount for each in whole[r, v, n, t, o, d]) <= whole[r, v, n, t, o, d][0].most * m.present[r, v, n]
        ),
        doc="a member that does not count brings nothing [quantity]",
    )

    def body(r: str, value: str, n: int, limit: float) -> Any:
        if rules[r].measure == "count":
            found = [m.present[key] for key in counted if (key[0], key[2]) == (r, n)]
            return pyo.quicksum(found) if found else None
        share = limit if rules[r].measure == "share" else 0.0
        return gathered(r, n, lambda each: weight(stockpile, rules[r].of, value, each) - share)

    def row(r: str, value: str, n: int, sense: str) -> object:
        limit = limit_at(r, n, sense) or 0.0
        bound = 0.0 if rules[r].measure == "share" else limit
        found = body(r, value, n, limit)
        if found is None:
            return summed([]) >= bound if sense == "least" and bound > 0 else pyo.Constraint.Feasible
        return found >= bound if sense == "least" else found <= bound

    senses: tuple[tuple[Literal["least", "most"], str], ...] = (("least", "at least its least value"), ("most", "at most its most value"))
    for sense, doc in senses:
        limited = [key for key in instances if limit_at(key.rule, key.node, sense) is not None]
        rows = pyo.Constraint(
            pyo.Set(dimen=3, initialize=limited),
            rule=lambda m, r, v, n, sense=sense: row(r, v, n, sense),
            doc=f"a rule's group has {doc} [quantity]",
        )
        m.add_component(f"hold_rule_{sense}", rows)
        for r, value, n in limited:
            if (r, value, n) in rows:
                what = f"rule {r}" + (f" for {value}" if value else "") + f", {spans[r][n][0]}"
                limit, unit = limit_at(r, n, sense) or 0.0, UNITS[rules[r].measure]
                factor = totals[r, n] if unit == "1" else 1.0
                ledger.limit(rows[r, value, n], sense, limit, unit, what, rules[r], sense, n, factor=factor)


def report(formulation: Formulation) -> Iterator[Result]:
    stockpile, ledger, rules = formulation.stockpile, formulation.ledger, formulation.stockpile.keyed(Rule)

    def solved(found: dict[int, list[Share]]) -> dict[int, list[tuple[Share, float]]]:
        return {n: [(each, float(pyo.value(each.amount))) for each in parts] for n, parts in found.items()}

    arrivals = solved(brought(ledger)) if rules else {}
    outlays = solved(paid(stockpile, ledger)) if any(rule.measure == "spend" for rule in rules.values()) else {}
    for r, value, n in formulation.m.RULES:
        rule = stockpile.at(n).keyed(Rule)[r]
        name, nodes = windows(stockpile, rule)[n]
        of_node = outlays if rule.measure == "spend" else arrivals
        amounts = [pair for s in nodes for pair in of_node.get(s, ()) if rule.material in (None, pair[0].material)]
        observed = _observed(stockpile, rule, value, amounts)
        gaps = [] if observed is None else [gap for gap in _gaps(rule, observed) if gap is not None]
        slack = min(gaps) if gaps else None
        yield RuleKept(
            **stockpile.where(n),
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


def _observed(stockpile: Stockpile, rule: Rule, value: str, amounts: list[tuple[Share, float]]) -> float | None:
    """What a plan makes of a rule; None for a share of nothing."""
    if rule.measure == "count":
        of, names = members(stockpile, rule)
        return float(sum(sum(amount for each, amount in amounts if weight(stockpile, of, name, each)) >= ANY / 2 for name in names))
    total = sum(amount for _, amount in amounts)
    group = sum(weight(stockpile, rule.of, value, each) * amount for each, amount in amounts)
    return group if rule.measure != "share" else group / total if total > NOTHING else None


def _gaps(rule: Rule, observed: float) -> tuple[float | None, float | None]:
    return (
        None if rule.least is None else max(0.0, observed - rule.least),
        None if rule.most is None else max(0.0, rule.most - observed),
    )
