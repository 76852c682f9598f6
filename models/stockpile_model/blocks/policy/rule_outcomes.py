"""What a plan makes of each rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stockpile_model.blocks.policy import rule_terms as terms
from stockpile_model.blocks.policy.rule_terms import UNITS, Rule, Share
from stockpile_model.blocks.policy.weighing import Shares, rule_flows
from stockpile_model.calendar import Calendar
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.scale import NOISE
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile

ENOUGH = 1e-6  # part of its share that a member may miss by rounding and count [1]

Solved = Sequence[tuple[Share, float]]


@dataclass(frozen=True, kw_only=True)
class RuleKept(Dated):
    """Describe what a plan makes of a rule for one value over one window."""

    SHEET = "rules"
    ABOUT = "each rule: value, limit and distance to it"
    PLACE = 70
    NAMED = ("rule", "material", "value", "window")
    rule: str = column("rule")
    of: str = column("what it groups by")
    value: str | None = column("which supplier, country …")
    material: str | None = column("material, or group of materials; blank = all together")
    window: str = column("horizon, fiscal year or period")
    measure: str = column("share, quantity, spend or count")
    observed: float | None = column(
        "value in the plan; of a `count` with `least` the members that bring `count_from`; "
        "blank = nothing arrives",
        "1, quantity, money or members",
    )
    least: float | None = column("least value", "1, quantity, money or members")
    most: float | None = column("most value", "1, quantity, money or members")
    slack: float | None = column("distance to the nearer limit", "1, quantity, money or members")
    binding: bool = column("whether the limit is reached")

    def last_day(self, calendar: Calendar) -> dt.date | None:
        """Return the first day of the last period of the window; None for the horizon."""
        days = (
            calendar.begin(t)
            for t in reversed(range(calendar.periods))
            if self.window in (f"{calendar.begin(t):%Y-%m}", f"FY{calendar.fiscal_year(t)}")
        )
        return next(days, None)


@dataclass(frozen=True)
class Weighed:
    """Describe what a plan brings, or pays, in a window of a rule.

    It is known in all, of the group of each value, and of each member that a count is of.
    """

    total: float
    of_value: Mapping[str, float]
    of_member: Sequence[float]

    @classmethod
    def of(cls, stockpile: Stockpile, rule: Rule, parts: Solved) -> Weighed:
        """Weigh the parts of a window, each with its amount."""
        counts = rule.measure == "count"
        of, names = terms.members(stockpile, rule) if counts else (rule.of, [])
        found: dict[str, float] = {}
        for each, amount in parts:
            value, weighs = terms.group(stockpile, of, each)
            found[value] = found.get(value, 0.0) + weighs * amount
        total = sum(amount for _, amount in parts)
        return cls(total, found, [found.get(name, 0.0) for name in names])

    def observed(self, stockpile: Stockpile, rule: Rule, value: str, sense: str) -> float | None:
        """Return the value of a rule as its `least` or `most` sees it; None: a share of nothing."""
        nothing = stockpile.scale.nothing
        if rule.measure == "count":
            least = rule.count_from * self.total * (1 - ENOUGH)
            enough = max(least, nothing) if sense == "least" else nothing
            return float(sum(each > enough for each in self.of_member))
        found = self.of_value.get(value, 0.0)
        if rule.measure != "share":
            return found
        return found / self.total if self.total > nothing else None


def report(formulation: Formulation) -> Iterator[RuleKept]:
    """Yield each rule for each of its values and windows."""
    stockpile, ledger = formulation.stockpile, formulation.ledger
    if not stockpile.rows(Rule):
        return
    known = rule_flows(stockpile, ledger, formulation.money)
    solved: dict[int, dict[int, Solved]] = {}  # by the identity of what a rule weighs
    spans: dict[int, dict[int, tuple[str, set[int]]]] = {}  # by the identity of a rule at a node
    weighed: dict[tuple[str, int], Weighed] = {}
    for r, value, n in formulation.m.RULES:
        rule = stockpile.at(n).keyed(Rule)[r]
        if id(rule) not in spans:
            spans[id(rule)] = stockpile.windows(rule.window)
        name, nodes = spans[id(rule)][n]
        if (r, n) not in weighed:
            weighs = known.of(rule)
            if id(weighs) not in solved:
                solved[id(weighs)] = _solved(weighs)
            pairs = (pair for s in sorted(nodes) for pair in solved[id(weighs)].get(s, ()))
            parts = [pair for pair in pairs if terms.concerns(stockpile, rule, pair[0].material)]
            weighed[r, n] = Weighed.of(stockpile, rule, parts)
        yield _kept(stockpile, rule, value, n, name, weighed[r, n])


def _solved(shares: Shares) -> dict[int, Solved]:
    return {n: [(each, evaluate(each.amount)) for each in parts] for n, parts in shares.items()}


def _kept(
    stockpile: Stockpile, rule: Rule, value: str, n: int, window: str, weighed: Weighed
) -> RuleKept:
    """Return the row of a rule for one value over one window."""
    given = (("least", rule.least), ("most", rule.most))
    limits = {sense: limit for sense, limit in given if limit is not None}
    seen = {sense: weighed.observed(stockpile, rule, value, sense) for sense in limits}
    slack = _slack(limits, seen)
    noise = NOISE * max(stockpile.scale.of(UNITS[rule.measure]), *limits.values())
    return RuleKept(
        **stockpile.where(n),
        rule=rule.rule,
        of=rule.of,
        value=value or None,
        material=rule.material,
        window=window,
        measure=rule.measure,
        observed=seen.get("least", seen.get("most")),
        least=rule.least,
        most=rule.most,
        slack=slack,
        binding=slack is not None and slack <= noise,
    )


def _slack(limits: Mapping[str, float], seen: Mapping[str, float | None]) -> float | None:
    """Return the distance to the nearer limit; None where nothing is observed."""
    gaps = [
        max(0.0, found - limits[sense] if sense == "least" else limits[sense] - found)
        for sense, found in seen.items()
        if found is not None
    ]
    return min(gaps) if gaps else None
