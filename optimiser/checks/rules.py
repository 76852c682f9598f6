"""Rules that nothing can keep once anything arrives: shares that cannot add up to the whole, too
few members that could come.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimiser.checks.series import listed
from optimiser.checks.sources import Source, able
from stockpile_model import amounts
from stockpile_model.blocks.policy import terms as policy
from stockpile_model.blocks.policy.terms import Rule
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
        """The warning; `proven` says that metal must arrive, so that no plan exists."""
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
        says = (
            f"{nothing}{when}, so no plan exists: metal must arrive"
            if proven
            else f"{nothing}{when}"
        )
        return Problem(
            self.rule.TABLE,
            self.rule.line,
            self.column,
            f"the rule {self.rule.rule} {self.why}: {says}",
            warning=True,
        )


@functools.lru_cache(maxsize=16)
def shut(stockpile: Stockpile) -> Mapping[str, frozenset[int]]:
    """By material the periods in which rules let nothing arrive."""
    found: dict[str, frozenset[int]] = {}
    for each in clashes(stockpile):
        for material in each.materials:
            found[material] = found.get(material, frozenset()) | each.periods
    return found


@functools.lru_cache(maxsize=16)
def clashes(stockpile: Stockpile) -> tuple[Clash, ...]:
    """The rules that nothing which could come can keep; those of one kind, material and window are
    judged together.
    """
    together: dict[tuple[str, str | None, str], list[Rule]] = {}
    for rule in stockpile.rows(Rule):
        if rule.measure in ("share", "count"):
            together.setdefault((rule.of, rule.material, rule.window), []).append(rule)
    found: dict[tuple[str, str, str], tuple[Rule, list[str], set[int]]] = {}
    for rules in together.values():
        for name, periods in policy.windows(stockpile, rules[0]).values():
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
            frozenset(able(stockpile)) if rule.material is None else frozenset({rule.material}),
        )
        for (_, column, why), (rule, names, periods) in found.items()
    )


def _judged(
    stockpile: Stockpile, rules: Sequence[Rule], periods: set[int]
) -> Iterator[tuple[Rule, str, str]]:
    """The rules of one kind that nothing can keep in one window, each with the column and the
    reason.
    """
    coming = [
        each
        for material, sources in able(stockpile).items()
        if rules[0].material in (None, material)
        for each in sources
        if each.most > 0 and each.total > 0 and not periods.isdisjoint(each.periods)
    ]
    if not coming:
        return
    for rule in rules:
        if rule.measure == "count" and rule.least is not None:
            of, names = policy.members(stockpile, rule)
            able_ = [
                name for name in names if any(_weight(stockpile, of, name, each) for each in coming)
            ]
            if len(able_) < rule.least - _SLACK:
                asked = amounts.count(rule.least, of, "countries" if of == "country" else None)
                could = (
                    f"only {len(able_)} could ship ({listed(able_)})"
                    if able_
                    else "none could ship"
                )
                yield rule, "least", f"asks for {asked} at least, of which {could}"
    if rules[0].of == "foreign_feedstock":
        yield from _feedstock(stockpile, rules, coming)
    else:
        yield from _shares(stockpile, rules, coming)


def _feedstock(
    stockpile: Stockpile, rules: Sequence[Rule], coming: Sequence[Source]
) -> Iterator[tuple[Rule, str, str]]:
    shares = [stockpile.keyed(Supplier)[each.row.supplier].foreign_feedstock for each in coming]
    for rule in rules:
        if rule.measure != "share":
            continue
        if rule.most is not None and min(shares) > rule.most + _SLACK:
            said = (
                f"allows {_percent(rule.most)} of foreign feedstock, and what could ship has"
                f" {_percent(min(shares))} at least"
            )
            yield rule, "most", said
        if rule.least is not None and max(shares) < rule.least - _SLACK:
            said = (
                f"asks for {_percent(rule.least)} of foreign feedstock, and what could ship has"
                f" {_percent(max(shares))} at most"
            )
            yield rule, "least", said


def _shares(
    stockpile: Stockpile, rules: Sequence[Rule], coming: Sequence[Source]
) -> Iterator[tuple[Rule, str, str]]:
    of = rules[0].of
    groups: dict[str, Source] = {}  # by name what could ship of it; blank: what no rule speaks of
    for each in coming:
        groups.setdefault(
            next(
                (
                    name
                    for name in policy.known(stockpile, of)
                    if _weight(stockpile, of, name, each)
                ),
                "",
            ),
            each,
        )
    most, least = dict.fromkeys(groups, 1.0), dict.fromkeys(groups, 0.0)
    caps: list[Rule] = []
    asks: list[Rule] = []
    for rule in (each for each in rules if each.measure == "share"):
        for value in policy.values(stockpile, rule):
            own = [name for name, each in groups.items() if _weight(stockpile, of, value, each)]
            for name in own:
                most[name] = min(most[name], 1.0 if rule.most is None else rule.most)
                least[name] = max(least[name], rule.least or 0.0)
            if rule.least and not own:
                yield (
                    rule,
                    "least",
                    f"asks for {_percent(rule.least)} from {value}, which could ship nothing",
                )
        caps += [rule] if rule.most is not None else []
        asks += [rule] if rule.least else []
    names = listed(name or "the rest" for name in groups)
    if caps and sum(most.values()) < 1 - _SLACK:
        said = (
            f"lets {names} bring {_percent(sum(most.values()))} of the whole together at most, and"
            " nothing else could ship"
        )
        yield caps[0], "most", said
    if asks and sum(least.values()) > 1 + _SLACK:
        yield (
            asks[0],
            "least",
            f"asks for {_percent(sum(least.values()))} of the whole together, from {names}",
        )
    for name in groups:
        if caps and asks and least[name] > most[name] + _SLACK:
            said = (
                f"asks for {_percent(least[name])} from {name}, which may bring"
                f" {_percent(most[name])} at most"
            )
            yield asks[0], "least", said
    whole = sum(most.values()) >= 1 - _SLACK
    for rule in (
        each
        for each in rules
        if each.measure == "count" and each.most is not None and each.value is None and whole
    ):
        number = int((rule.most or 0.0) + _SLACK)
        largest = sorted((share for name, share in most.items() if name), reverse=True)[:number]
        if (share := most.get("", 0.0) + sum(largest)) < 1 - _SLACK:
            members = amounts.count(number, "member")
            yield (
                rule,
                "most",
                (
                    f"lets {members} come at most, which may bring {_percent(share)} of the whole"
                    " together"
                ),
            )


def _weight(stockpile: Stockpile, of: str, value: str, each: Source) -> float:
    """How much of what a source brings belongs to a group, as the model weighs it [1]."""
    row = each.row
    return policy.weight(
        stockpile,
        of,
        value,
        policy.Share(0, row.material, row.TABLE, get(row, keys(type(row))[0]), row.supplier, 0.0),
    )


def _percent(share: float) -> str:
    return f"{amounts.about(100 * share)} %"
