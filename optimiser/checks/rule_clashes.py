"""Rules that nothing can keep once anything arrives.

Their shares cannot add up to the whole, or too few members could come.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimiser.checks.series import listed
from optimiser.checks.sources import Source, able
from stockpile_model import amounts
from stockpile_model.blocks.policy import rule_terms as policy
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.schema import Problem, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

_SLACK = 1e-6  # share of the whole: within it shares add up


@dataclass(frozen=True)
class Clash:
    """A rule that lets nothing of some materials arrive in the periods of some windows, and why."""

    rule: Rule
    column: str
    why: str
    windows: tuple[str, ...]
    periods: frozenset[int]
    materials: frozenset[str]

    def problem(self, proven: bool) -> Problem:
        """Return the warning; `proven` says that metal must arrive, so that no plan exists."""
        more = (
            f", nor in {amounts.count(len(self.windows) - 1, 'window')} more"
            if len(self.windows) > 1
            else ""
        )
        nothing = (
            f"nothing {'' if self.rule.material is None else f'of {self.rule.material} '}can be"
            " bought"
        )
        when = "" if self.windows[0] == "horizon" else f" in {self.windows[0]}{more}"
        consequence = (
            f"{nothing}{when}, so no plan exists: metal must arrive"
            if proven
            else f"{nothing}{when}"
        )
        return Problem(
            self.rule.TABLE,
            self.rule.line,
            self.column,
            f"the rule {self.rule.rule} {self.why}: {consequence}",
            warning=True,
        )


@functools.lru_cache(maxsize=16)
def shut(stockpile: Stockpile) -> Mapping[str, frozenset[int]]:
    """Return the periods in which rules let nothing arrive, by material."""
    found: dict[str, frozenset[int]] = {}
    for each in clashes(stockpile):
        for material in each.materials:
            found[material] = found.get(material, frozenset()) | each.periods
    return found


@functools.lru_cache(maxsize=16)
def clashes(stockpile: Stockpile) -> tuple[Clash, ...]:
    """Return the rules that nothing which could come can keep.

    Those of one kind, material and window are judged together.
    """
    together: dict[tuple[str, str | None, str], list[Rule]] = {}
    for rule in stockpile.rows(Rule):
        if rule.measure in ("share", "count") and rule.of not in policy.LEAVING:
            together.setdefault((rule.of, rule.material, rule.window), []).append(rule)
    found: dict[tuple[str, str, str], tuple[Rule, list[str], set[int]]] = {}
    for rules in together.values():
        for name, periods in stockpile.windows(rules[0].window).values():
            for rule, column, why in _judged(stockpile, rules, periods):
                _, names, shut_ = found.setdefault((rule.rule, column, why), (rule, [], set()))
                names.append(name)
                shut_ |= periods
    return tuple(
        Clash(
            rule,
            column,
            why,
            tuple(names),
            frozenset(periods),
            frozenset(each for each in able(stockpile) if policy.concerns(stockpile, rule, each)),
        )
        for (_, column, why), (rule, names, periods) in found.items()
    )


def _judged(
    stockpile: Stockpile, rules: Sequence[Rule], periods: set[int]
) -> Iterator[tuple[Rule, str, str]]:
    """Yield the rules of one kind that nothing can keep in one window.

    Each comes with the column and the reason.
    """
    coming = [
        each
        for material, sources in able(stockpile).items()
        if policy.concerns(stockpile, rules[0], material)
        for each in sources
        if each.most > 0 and each.total > 0 and not periods.isdisjoint(each.periods)
    ]
    if not coming:
        return
    for rule in rules:
        yield from _too_few(stockpile, rule, coming)
    if rules[0].of == "foreign_feedstock":
        yield from _feedstock(stockpile, rules, coming)
    else:
        yield from _Shares(stockpile, rules, coming).clashes()


def _too_few(
    stockpile: Stockpile, rule: Rule, coming: Sequence[Source]
) -> Iterator[tuple[Rule, str, str]]:
    """Yield a rule that requires more members than could ship."""
    if rule.measure != "count" or rule.least is None:
        return
    of, names = policy.members(stockpile, rule)
    able_ = [name for name in names if any(_weight(stockpile, of, name, each) for each in coming)]
    if len(able_) < rule.least - _SLACK:
        required = _counted(rule.least, of)
        could = f"only {len(able_)} could ship ({listed(able_)})" if able_ else "none could ship"
        yield rule, "least", f"asks for {required} at least, of which {could}"


def _feedstock(
    stockpile: Stockpile, rules: Sequence[Rule], coming: Sequence[Source]
) -> Iterator[tuple[Rule, str, str]]:
    shares = [stockpile.keyed(Supplier)[each.row.supplier].foreign_feedstock for each in coming]
    for rule in rules:
        if rule.measure != "share":
            continue
        if rule.most is not None and min(shares) > rule.most + _SLACK:
            message = (
                f"allows {_percent(rule.most)} of foreign feedstock, and what could ship has"
                f" {_percent(min(shares))} at least"
            )
            yield rule, "most", message
        if rule.least is not None and max(shares) < rule.least - _SLACK:
            message = (
                f"asks for {_percent(rule.least)} of foreign feedstock, and what could ship has"
                f" {_percent(max(shares))} at most"
            )
            yield rule, "least", message


class _Shares:
    """The shares that rules of one kind allow and require of each member, over one window."""

    def __init__(
        self, stockpile: Stockpile, rules: Sequence[Rule], coming: Sequence[Source]
    ) -> None:
        self.stockpile, self.rules, self.of = stockpile, rules, rules[0].of
        # By name what could ship of it; blank: what no rule speaks of.
        self.groups: dict[str, Source] = {}
        for each in coming:
            self.groups.setdefault(self._name(each), each)
        self.most, self.least = dict.fromkeys(self.groups, 1.0), dict.fromkeys(self.groups, 0.0)
        shares = [each for each in rules if each.measure == "share"]
        self.caps = [each for each in shares if each.most is not None]
        self.asks = [each for each in shares if each.least]

    def _name(self, source: Source) -> str:
        names = policy.known(self.stockpile, self.of)
        weighed = (name for name in names if self._belongs(name, source))
        return next(weighed, "")

    def _belongs(self, name: str, source: Source) -> float:
        return _weight(self.stockpile, self.of, name, source)

    def clashes(self) -> Iterator[tuple[Rule, str, str]]:
        """Return the rules that nothing which could come can keep.

        Those of one kind, material and window are judged together.
        """
        yield from self._limits()
        yield from self._sums()
        yield from self._opposed()
        if sum(self.most.values()) >= 1 - _SLACK:
            yield from self._counts()

    def _limits(self) -> Iterator[tuple[Rule, str, str]]:
        """Work out the limits of each member; yield a rule on one that could ship nothing."""
        for rule in (each for each in self.rules if each.measure == "share"):
            for value in policy.values(self.stockpile, rule):
                own = [name for name, each in self.groups.items() if self._belongs(value, each)]
                for name in own:
                    most = 1.0 if rule.most is None else rule.most
                    self.most[name] = min(self.most[name], most)
                    self.least[name] = max(self.least[name], rule.least or 0.0)
                if rule.least and not own:
                    share = _percent(rule.least)
                    message = f"asks for {share} from {value}, which could ship nothing"
                    yield rule, "least", message

    def _sums(self) -> Iterator[tuple[Rule, str, str]]:
        """Yield limits that do not add up to the whole."""
        names = listed(name or "the rest" for name in self.groups)
        if self.caps and sum(self.most.values()) < 1 - _SLACK:
            yield self.caps[0], "most", f"{self._short(names)}, and nothing else could ship"
        if self.asks and sum(self.least.values()) > 1 + _SLACK:
            share = _percent(sum(self.least.values()))
            yield self.asks[0], "least", f"asks for {share} of the whole together, from {names}"

    def _short(self, names: str) -> str:
        """Return that what members may bring makes no whole: each the same share, or together."""
        together, shares = _percent(sum(self.most.values())), set(self.most.values())
        if len(shares) == 1 and len(self.most) > 1:
            members = _counted(len(self.most), self.of)
            return (
                f"lets {names} bring {_percent(shares.pop())} each at most, so {members} make"
                f" {together}, not 100 %"
            )
        return f"lets {names} bring {together} of the whole together at most"

    def _opposed(self) -> Iterator[tuple[Rule, str, str]]:
        """Yield a rule that requires more of a member than another allows."""
        for name in self.groups:
            if self.caps and self.asks and self.least[name] > self.most[name] + _SLACK:
                message = (
                    f"asks for {_percent(self.least[name])} from {name}, which may bring"
                    f" {_percent(self.most[name])} at most"
                )
                yield self.asks[0], "least", message

    def _counts(self) -> Iterator[tuple[Rule, str, str]]:
        """Yield a limit on the number of members that together may not bring the whole."""
        for rule in self.rules:
            if rule.measure != "count" or rule.most is None or rule.value is not None:
                continue
            number = int(rule.most + _SLACK)
            named = sorted((share for name, share in self.most.items() if name), reverse=True)
            share = self.most.get("", 0.0) + sum(named[:number])
            if share < 1 - _SLACK:
                members = amounts.count(number, "member")
                message = (
                    f"lets {members} come at most, which may bring {_percent(share)} of the whole"
                    " together"
                )
                yield rule, "most", message


def _weight(stockpile: Stockpile, of: str, value: str, each: Source) -> float:
    """Return how much of what a source brings belongs to a group, as the model weighs it [1]."""
    row = each.row
    return policy.weight(
        stockpile,
        of,
        value,
        policy.Share(0, row.material, row.TABLE, get(row, keys(type(row))[0]), row.supplier, 0.0),
    )


def _counted(number: float, of: str) -> str:
    """Return so many members of a kind, in words."""
    return amounts.count(number, of, "countries" if of == "country" else None)


def _percent(share: float) -> str:
    return f"{amounts.about(100 * share)} %"
