"""Policy: limits on shares and quantities by supplier, country, bloc, stage, feedstock, offer or contract."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.data import Dated, Problem, Result, Row, Stockpile, Supplier, column, columns, get, keys, nearest
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger, Money
from stockpile_model.scale import NOISE

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
        "`share` or `quantity` of what arrives from offers and contracts, `spend` on it, or `count` of members that bring it",
        default="share",
        choices=("share", "quantity", "spend", "count"),
    )
    window: str = column("over what it is summed", default="horizon", choices=("horizon", "fiscal_year", "period"))
    least: float | None = column("least value; blank = none", "1, quantity, money or members", least=0)
    most: float | None = column("most value; blank = none", "1, quantity, money or members", least=0)
    count_from: float = column(
        "share of the window's arrivals that a member must bring to count towards `least` of a `count`; against `most` counts who brings "
        "anything",
        "1",
        default=0.01,
        above=0,
        most=1,
    )


@dataclass(frozen=True, kw_only=True)
class RuleKept(Dated):
    SHEET = "rules"
    rule: str = column("rule")
    of: str = column("what it groups by")
    value: str | None = column("which supplier, country …")
    material: str | None = column("material; blank = all together")
    window: str = column("horizon, fiscal year or period")
    measure: str = column("share, quantity, spend or count")
    observed: float | None = column(
        "value in the plan; of a `count` with `least` the members that bring `count_from`; blank = nothing arrives",
        "1, quantity, money or members",
    )
    least: float | None = column("least value", "1, quantity, money or members")
    most: float | None = column("most value", "1, quantity, money or members")
    slack: float | None = column("distance to the nearer limit", "1, quantity, money or members")
    binding: bool = column("whether the limit is reached")


TABLES: tuple[type[Row], ...] = (Rule,)
IN = {"share": "quantity", "quantity": "quantity", "spend": "money", "count": "1"}  # what the row of a rule is measured in
UNITS = {"share": "1", "quantity": "quantity", "spend": "money", "count": "members"}


COUNT_FROM = next(each.default for each in columns(Rule) if each.name == "count_from")
ENOUGH = 1e-6  # part of its share that a member may miss by rounding and count [1]
TOKEN = 1e-2  # what a member that counts brings where nothing else arrives [units of the scale]
ALIKE = 1e-9  # two shares closer than this are one [1]


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


def group(stockpile: Stockpile, of: str, part: Share) -> tuple[str, float]:
    """The value whose group holds what is brought, and how much of it does [1]; a look-through share weighs it by its feedstock."""
    if of in ("offer", "contract"):
        return part.name if part.table == f"{of}s" else "", 1.0
    supplier = stockpile.at(part.node).keyed(Supplier)[part.supplier]
    return ("", supplier.foreign_feedstock) if of == "foreign_feedstock" else (getattr(supplier, of) or "", 1.0)


def weight(stockpile: Stockpile, of: str, value: str, part: Share) -> float:
    """How much of what is brought belongs to the group of a value [1]."""
    of_value, weight = group(stockpile, of, part)
    return weight if of_value == value else 0.0


def brought(ledger: Ledger) -> dict[int, list[Share]]:
    """What offers and contracts bring at each node; what comes back from an outlet is none of it."""
    found: dict[int, list[Share]] = {}
    for each in ledger.arrivals:
        if each.supplier is not None:
            share = Share(each.node, each.material, each.table, each.name, each.supplier, each.amount, each.most)
            found.setdefault(each.node, []).append(share)
    return found


def paid(stockpile: Stockpile, entries: Iterable[tuple[Money, Any]]) -> dict[int, list[Share]]:
    """What is paid under offers and contracts at each node, undiscounted, of entries with their amounts; receipts are not taken off."""
    tables = {"purchase": "offers", "contract": "contracts"}
    suppliers = {kind.TABLE: {get(row, keys(kind)[0]): get(row, "supplier") for row in rows} for kind, rows in stockpile.tables.items()
                 if kind.TABLE in tables.values()}  # fmt: skip
    found: dict[int, list[Share]] = {}
    for each, amount in entries:
        if (table := tables.get(str(each.use))) is not None:
            share = Share(each.node, each.material, table, each.name, suppliers[table][each.name], amount)
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
    return least["quantity"] + spent


def tokens(stockpile: Stockpile) -> float:
    """What rules that count may force to be bought beyond any use, as a share of all that is bought otherwise [1]: n members that
    bring a share f of T each raise T to T/(1 - n·f) at most; and what is of use is no less than one of them, f·T."""
    found = 0.0
    for name, rule in stockpile.keyed(Rule).items():
        rows = [view.keyed(Rule)[name] for view in stockpile.variants]
        least, share = max(row.least or 0.0 for row in rows), max(row.count_from for row in rows)
        if rule.measure == "count" and least > 0:
            together = least * share
            found += min(1 / share - 1, together / (1 - together) if together < 1 else math.inf)
    return found


@functools.lru_cache(maxsize=8)
def spend_at_least(stockpile: Stockpile) -> bool:
    """Whether a rule asks for spending: then nothing may be paid that is not owed."""
    return any(rule.measure == "spend" and rule.least for view in stockpile.variants for rule in view.rows(Rule))


@functools.lru_cache(maxsize=8)
def counts(stockpile: Stockpile) -> bool:
    """Whether a rule counts members: then each arrival needs a bound."""
    return any(rule.measure == "count" for rule in stockpile.rows(Rule))


def shares(stockpile: Stockpile) -> list[Rule]:
    """The rules on shares: under them what one brings makes room for what others may."""
    return [rule for rule in stockpile.rows(Rule) if rule.measure == "share"]


def binds_over_time(stockpile: Stockpile) -> bool:
    """Whether a share, or one that counts, is taken over more than one period."""
    return any(rule.window != "period" and rule.measure in ("share", "count") for rule in stockpile.rows(Rule))


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
                room = min((gap for each in weights if (gap := sign * (limit - each)) > ALIKE), default=math.inf)
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
        if row.measure == "count" and (row.least or 0.0) * row.count_from > 1 + ALIKE:
            share, found = amounts.quantity(100 * row.count_from), amounts.quantity(row.count_from)
            message = f"must be at most 1 / least: no {amounts.quantity(row.least or 0.0)} members bring {share} % each, found {found}"
            yield Problem(row.TABLE, row.line, "count_from", message)
        if row.measure != "count" and row.count_from != COUNT_FROM:
            yield Problem(row.TABLE, row.line, "count_from", f"has no effect on a {row.measure}: it says who is counted", warning=True)
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
    count:             least ≤ Σ_members counted,  Σ arrivals of a member ≥ f·arriving - f·(bound of others)·(1 - counted)
                       Σ_members present ≤ most,   each arrival of a member ≤ its bound·present

    with f the `count_from` of the rule and `arriving` all arrivals of the window; a member that is counted brings something.
    """
    rules = stockpile.keyed(Rule)
    spans = {r: windows(stockpile, rule) for r, rule in rules.items()}
    instances = [Instance(r, value, n) for r, rule in rules.items() for value in values(stockpile, rule) for n in spans[r]]
    m.RULES = pyo.Set(dimen=3, initialize=instances, doc="rule, value, node at which a window of it ends")
    arrivals = brought(ledger) if rules else {}
    spending = any(rule.measure == "spend" for rule in rules.values())
    outlays = paid(stockpile, ((each, each.amount) for each in ledger.money)) if spending else {}

    def limit_at(r: str, n: int, sense: str) -> float | None:
        """The least or most of a rule whose window ends at a node; None where it has none there."""
        found: float | None = getattr(stockpile.at(n).keyed(Rule)[r], sense)
        return found

    def parts(r: str, n: int) -> list[Share]:
        """What a rule weighs in a window."""
        of_node = outlays if rules[r].measure == "spend" else arrivals
        return [each for s in sorted(spans[r][n][1]) for each in of_node.get(s, ()) if rules[r].material in (None, each.material)]

    totals: dict[tuple[str, int], Any] = {}  # rule on a share, node -> all that arrives in the window
    groups: dict[tuple[str, str, int], list[Any]] = {}  # rule, value, node -> what its group brings in the window
    for r, n in ((name, node) for name, rule in rules.items() if rule.measure != "count" for node in spans[name]):
        weighed = parts(r, n)
        if rules[r].measure == "share" and weighed:
            totals[r, n] = summed(each.amount for each in weighed)
        for each in weighed:
            value, weighs = group(stockpile, rules[r].of, each)
            if weighs:
                groups.setdefault((r, value, n), []).append(weighs * each.amount)

    def bounded(brings: Sequence[Share]) -> dict[tuple[str, str, int], list[Share]]:
        """Arrivals with what brings them, and when: over all sites, which share one bound."""
        found: dict[tuple[str, str, int], list[Share]] = {}
        for each in brings:
            found.setdefault((each.table, each.name, each.node), []).append(each)
        return found

    def most_of(brings: Sequence[Share]) -> float:
        """The most that arrivals may come to [quantity]."""
        return sum((parts[0].most or 0.0) for parts in bounded(brings).values())

    own: dict[tuple[str, str, int], list[Share]] = {}  # rule, member, node -> what the member brings in the window
    total: dict[tuple[str, int], list[Share]] = {}  # rule, node -> all that arrives in the window
    for r, n in ((name, node) for name, rule in rules.items() if rule.measure == "count" for node in spans[name]):
        of, names = members(stockpile, rules[r])
        total[r, n] = parts(r, n)
        for name in names if total[r, n] else ():
            own[r, name, n] = [each for each in total[r, n] if weight(stockpile, of, name, each)]
    m.COUNTINGS = pyo.Set(
        dimen=2,
        initialize=[key for key, brings in total.items() if brings and limit_at(*key, "least") is not None],
        doc="rule that counts at least so many, node at which a window of it ends",
    )
    m.arriving = pyo.Var(m.COUNTINGS, domain=pyo.NonNegativeReals, doc="all that arrives in a window [quantity]")
    m.balance_arriving = pyo.Constraint(
        m.COUNTINGS,
        rule=lambda m, r, n: summed(each.amount for each in total[r, n]) == m.arriving[r, n],
        doc="what arrives in a window adds up [quantity]",
    )
    m.COUNTED = pyo.Set(
        dimen=3,
        initialize=[key for key in own if (key[0], key[2]) in m.COUNTINGS],
        doc="rule that counts at least so many, member, node at which a window of it ends",
    )
    m.counted = pyo.Var(m.COUNTED, domain=pyo.Binary, doc="whether a member brings enough in a window to count [1]")

    def hold_counted(m: pyo.ConcreteModel, r: str, v: str, n: int) -> object:
        share = stockpile.at(n).keyed(Rule)[r].count_from
        missing = share * (most_of(total[r, n]) - most_of(own[r, v, n]))
        return summed([each.amount for each in own[r, v, n]]) - share * m.arriving[r, n] >= -missing * (1 - m.counted[r, v, n])

    m.hold_counted = pyo.Constraint(m.COUNTED, rule=hold_counted, doc="a member counts when it brings its share of all [quantity]")
    m.hold_present = pyo.Constraint(
        m.COUNTED,
        rule=lambda m, r, v, n: summed([each.amount for each in own[r, v, n]]) >= TOKEN * stockpile.scale.quantity * m.counted[r, v, n],
        doc="a member counts when it brings something, also where nothing else arrives [quantity]",
    )
    m.PRESENT = pyo.Set(
        dimen=3,
        initialize=[key for key, brings in own.items() if brings and limit_at(key[0], key[2], "most") is not None],
        doc="rule that counts at most so many, member, node at which a window of it ends",
    )
    m.present = pyo.Var(m.PRESENT, domain=pyo.Binary, doc="whether a member brings anything in a window [1]")
    whole = {(*key, *at): brings for key in m.PRESENT for at, brings in bounded(own[key]).items()}
    m.cap_present = pyo.Constraint(
        pyo.Set(dimen=6, initialize=list(whole)),
        rule=lambda m, r, v, n, t, o, d: (
            summed(each.amount for each in whole[r, v, n, t, o, d]) <= whole[r, v, n, t, o, d][0].most * m.present[r, v, n]
        ),
        doc="a member that is not there brings nothing [quantity]",
    )

    tally: dict[tuple[str, str, int], list[Any]] = {}  # sense, rule, node -> the members
    for sense_, chosen in (("least", m.counted), ("most", m.present)):
        for (r, _, n), each in chosen.items():
            tally.setdefault((sense_, r, n), []).append(each)

    def body(r: str, value: str, n: int, sense: str, limit: float) -> Any:
        if rules[r].measure == "count":
            found = tally.get((sense, r, n), [])
            return summed(found) if found or (r, n) in m.COUNTINGS else None
        found = groups.get((r, value, n), [])
        if (r, n) in totals and limit:
            found = [-limit * totals[r, n], *found]
        return summed(found) if found else None

    def row(r: str, value: str, n: int, sense: str) -> object:
        limit = limit_at(r, n, sense) or 0.0
        bound = 0.0 if rules[r].measure == "share" else limit
        found = body(r, value, n, sense, limit)
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
        for key, each in rows.items():
            m.scaling_factor[each] = 1 / stockpile.scale.of(IN[rules[key[0]].measure])
        for r, value, n in limited:
            if (r, value, n) in rows:
                what = f"rule {r}" + (f" for {value}" if value else "") + f", {spans[r][n][0]}"
                limit, unit = limit_at(r, n, sense) or 0.0, UNITS[rules[r].measure]
                factor = totals[r, n] if unit == "1" else 1.0
                ledger.limit(rows[r, value, n], sense, limit, unit, what, rules[r], sense, n, factor=factor)


@dataclass(frozen=True)
class Weighed:
    """What a plan brings, or pays, in a window of a rule: in all, of the group of each value, and by each member of a count."""

    total: float
    of_value: Mapping[str, float]
    of_member: Sequence[float]

    @classmethod
    def of(cls, stockpile: Stockpile, rule: Rule, parts: Sequence[tuple[Share, float]]) -> Weighed:
        """Weigh the parts of a window, each with its amount."""

        def sums(of: str) -> dict[str, float]:
            found: dict[str, float] = {}
            for each, amount in parts:
                value, weighs = group(stockpile, of, each)
                found[value] = found.get(value, 0.0) + weighs * amount
            return found

        of, names = members(stockpile, rule) if rule.measure == "count" else (rule.of, [])
        found = sums(of)
        return cls(sum(amount for _, amount in parts), found, [found.get(name, 0.0) for name in names])

    def observed(self, stockpile: Stockpile, rule: Rule, value: str, sense: str) -> float | None:
        """What a plan makes of a rule, as its `least` or `most` sees it; None for a share of nothing."""
        nothing = stockpile.scale.nothing
        if rule.measure == "count":
            enough = rule.count_from * self.total * (1 - ENOUGH) if sense == "least" else nothing
            return float(sum(each > max(enough, nothing) for each in self.of_member))
        found = self.of_value.get(value, 0.0)
        return found if rule.measure != "share" else found / self.total if self.total > nothing else None


def report(formulation: Formulation) -> Iterator[Result]:
    stockpile, ledger, rules = formulation.stockpile, formulation.ledger, formulation.stockpile.keyed(Rule)

    def solved(found: dict[int, list[Share]]) -> dict[int, list[tuple[Share, float]]]:
        return {n: [(each, evaluate(each.amount)) for each in parts] for n, parts in found.items()}

    arrivals = solved(brought(ledger)) if rules else {}
    spending = any(rule.measure == "spend" for rule in rules.values())
    outlays = solved(paid(stockpile, formulation.money)) if spending else {}
    spans: dict[int, dict[int, tuple[str, set[int]]]] = {}  # by the identity of a rule as it stands at some nodes
    weighed: dict[tuple[str, int], Weighed] = {}
    for r, value, n in formulation.m.RULES:
        rule = stockpile.at(n).keyed(Rule)[r]
        if id(rule) not in spans:
            spans[id(rule)] = windows(stockpile, rule)
        name, nodes = spans[id(rule)][n]
        if (r, n) not in weighed:
            of_node = outlays if rule.measure == "spend" else arrivals
            parts = [pair for s in sorted(nodes) for pair in of_node.get(s, ()) if rule.material in (None, pair[0].material)]
            weighed[r, n] = Weighed.of(stockpile, rule, parts)
        limits = {sense: limit for sense in ("least", "most") if (limit := getattr(rule, sense)) is not None}
        seen = {sense: weighed[r, n].observed(stockpile, rule, value, sense) for sense in limits}
        gaps = [
            max(0.0, found - limits[sense] if sense == "least" else limits[sense] - found)
            for sense, found in seen.items()
            if found is not None
        ]
        slack = min(gaps) if gaps else None
        yield RuleKept(
            **stockpile.where(n),
            rule=r,
            of=rule.of,
            value=value or None,
            material=rule.material,
            window=name,
            measure=rule.measure,
            observed=seen.get("least", seen.get("most")),
            least=rule.least,
            most=rule.most,
            slack=slack,
            binding=slack is not None and slack <= NOISE * max(stockpile.scale.of(UNITS[rule.measure]), *limits.values()),
        )
