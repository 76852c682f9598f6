"""What rules weigh: the arrivals and outlays of each window."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stockpile_model.block import headings, sources
from stockpile_model.blocks.policy.rule_terms import (
    LEAVING,
    Instance,
    Rule,
    Share,
    concerns,
    group,
    values,
)
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger, Money
from stockpile_model.schema import get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

Shares = Mapping[int, Sequence[Share]]
"""What is brought or paid, by node."""


def brought(ledger: Ledger) -> dict[int, list[Share]]:
    """Return what suppliers bring at each node; what comes back from an outlet is none of it."""
    found: dict[int, list[Share]] = {}
    for each in ledger.arrivals:
        if each.supplier is not None:
            what = each.table, each.name, each.supplier, each.amount, each.most, each.lot
            found.setdefault(each.node, []).append(Share(each.node, each.material, *what))
    return found


def left(ledger: Ledger) -> dict[int, list[Share]]:
    """Return what leaves through outlets at each node."""
    found: dict[int, list[Share]] = {}
    for n, material, _, _, amount, exit_, name, most in ledger.departures:
        if exit_.table == Outlet.TABLE:
            share = Share(n, material, exit_.table, name, "", amount, most)
            found.setdefault(n, []).append(share)
    return found


def received(stockpile: Stockpile, entries: Iterable[tuple[Money, Any]]) -> dict[int, list[Share]]:
    """Return what is received for what leaves through outlets, where a rule weighs it.

    `entries` are those of the ledger with their amounts, undiscounted and below zero.
    """
    if all(rule.measure != "spend" or rule.of not in LEAVING for rule in stockpile.rows(Rule)):
        return {}
    found: dict[int, list[Share]] = {}
    for each, amount in entries:
        if headings()[each.heading].receiver == Outlet.TABLE:
            share = Share(each.node, each.material, Outlet.TABLE, each.name, "", -amount)
            found.setdefault(each.node, []).append(share)
    return found


def spent(stockpile: Stockpile, entries: Iterable[tuple[Money, Any]]) -> dict[int, list[Share]]:
    """Return what is paid under offers and contracts at each node, where a rule weighs it.

    `entries` are those of the ledger with their amounts, undiscounted; receipts are not taken off.
    """
    if all(rule.measure != "spend" for rule in stockpile.rows(Rule)):
        return {}
    tables = {use: table for table, use in sources().items()}
    suppliers = {
        kind.TABLE: {get(row, keys(kind)[0]): get(row, "supplier") for row in rows}
        for kind, rows in stockpile.tables.items()
        if kind.TABLE in (*sources(), Supplier.TABLE)
    }
    found: dict[int, list[Share]] = {}
    for each, amount in entries:
        if (table := each.table or tables.get(str(each.use), "")) in suppliers:
            supplier = suppliers[table][each.name]
            share = Share(each.node, each.material, table, each.name, supplier, amount)
            found.setdefault(each.node, []).append(share)
    return found


@dataclass(frozen=True, eq=False)
class RuleFlows:
    """Describe what comes from suppliers and leaves through outlets by node, and the money for
    each."""

    arrivals: Shares
    outlays: Shares
    departures: Shares
    receipts: Shares

    def of(self, rule: Rule) -> Shares:
        """Return what a rule weighs."""
        if rule.of in LEAVING:
            return self.receipts if rule.measure == "spend" else self.departures
        return self.outlays if rule.measure == "spend" else self.arrivals


def rule_flows(
    stockpile: Stockpile, ledger: Ledger, entries: Sequence[tuple[Money, Any]]
) -> RuleFlows:
    """Return what comes and leaves, and its money; nothing where there are no rules.

    `entries`: see `spent`.
    """
    if not stockpile.rows(Rule):
        return RuleFlows({}, {}, {}, {})
    outlays, receipts = spent(stockpile, entries), received(stockpile, entries)
    return RuleFlows(brought(ledger), outlays, left(ledger), receipts)


@dataclass(frozen=True, eq=False)
class Weighing:
    """Describe what rules weigh. `spans`: of each rule the windows by the node at which they
    end."""

    stockpile: Stockpile
    rules: Mapping[str, Rule]
    spans: Mapping[str, Mapping[int, tuple[str, set[int]]]]
    flows: RuleFlows

    @functools.cached_property
    def instances(self) -> list[Instance]:
        """Return the rules, each for each of its values and windows."""
        return [
            Instance(r, value, n)
            for r, rule in self.rules.items()
            for value in values(self.stockpile, rule)
            for n in self.spans[r]
        ]

    @functools.cached_property
    def totals(self) -> dict[tuple[str, int], Any]:
        """Return all that arrives in the windows of rules on shares, where anything does."""
        found = {key: self.parts(*key) for key in self.of("share")}
        return {key: summed(each.amount for each in parts) for key, parts in found.items() if parts}

    @functools.cached_property
    def alike(self) -> dict[str, str]:
        """Return of each rule on shares the first that weighs the same in the same windows."""
        first: dict[Any, str] = {}
        shares = {r: rule for r, rule in self.rules.items() if rule.measure == "share"}
        return {
            r: first.setdefault((rule.of in LEAVING, rule.material, rule.window), r)
            for r, rule in shares.items()
        }

    @functools.cached_property
    def groups(self) -> dict[tuple[str, str, int], list[Any]]:
        """Return what the group of each value brings, or costs, in a window of a rule that is no
        count."""
        found: dict[tuple[str, str, int], list[Any]] = {}
        for measure in ("share", "quantity", "spend"):
            for r, n in self.of(measure):
                for each in self.parts(r, n):
                    value, weighs = group(self.stockpile, self.rules[r].of, each)
                    if weighs:
                        found.setdefault((r, value, n), []).append(weighs * each.amount)
        return found

    def of(self, measure: str) -> Iterator[tuple[str, int]]:
        """Yield the rules of a measure with the nodes at which their windows end."""
        rules = (r for r, rule in self.rules.items() if rule.measure == measure)
        return ((r, n) for r in rules for n in self.spans[r])

    def at(self, r: str, n: int) -> Rule:
        """Return a rule as it is at a node."""
        return self.stockpile.at(n).keyed(Rule)[r]

    def limit(self, r: str, n: int, sense: str) -> float | None:
        """Return the least or most of a rule whose window ends at a node; None: it has none."""
        found: float | None = getattr(self.at(r, n), sense)
        return found

    def limited(self, sense: str) -> list[Instance]:
        """Return the instances that have a least or most."""
        return [key for key in self.instances if self.limit(key.rule, key.node, sense) is not None]

    def parts(self, r: str, n: int) -> list[Share]:
        """Return what a rule weighs in a window."""
        rule = self.rules[r]
        of_node = self.flows.of(rule)
        found = (each for s in sorted(self.spans[r][n][1]) for each in of_node.get(s, ()))
        return [each for each in found if concerns(self.stockpile, rule, each.material)]


def weighing(stockpile: Stockpile, ledger: Ledger) -> Weighing:
    """Return what the rules of a stockpile weigh."""
    rules = stockpile.keyed(Rule)
    spans = {r: stockpile.windows(rule.window) for r, rule in rules.items()}
    entries = [(each, each.amount) for each in ledger.money] if rules else []
    return Weighing(stockpile, rules, spans, rule_flows(stockpile, ledger, entries))
