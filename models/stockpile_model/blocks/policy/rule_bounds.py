"""How much rules may make a plan buy beyond any use: terms of the bound on an order."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

from stockpile_model.block import Stretch
from stockpile_model.blocks.policy.rule_terms import ALIKE, LEAVING, UNITS, Rule
from stockpile_model.blocks.rotation.outlet_terms import lowest_price
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier


def forces(stockpile: Stockpile, cheapest: float) -> float:
    """Return what rules may make a plan buy beyond any use [quantity].

    `cheapest` is what the cheapest metal costs [money/quantity].
    """
    least, received = dict.fromkeys(UNITS, 0.0), 0.0
    for name, rule in stockpile.keyed(Rule).items():
        most = max(row.least or 0.0 for row in _variants(stockpile, name))
        if rule.measure == "spend" and rule.of in LEAVING:
            received += most
        else:
            least[rule.measure] += most
    spent, sold = _quantity(least["spend"], cheapest), _quantity(received, lowest_price(stockpile))
    return least["quantity"] + spent + sold


def _quantity(money: float, price: float) -> float:
    """Return what so much money is paid for at a price [quantity]."""
    return 0.0 if money == 0 else money / price if price > 0 else math.inf


def stretch(stockpile: Stockpile) -> Stretch:
    """Return by how much rules may make a plan buy beyond any use."""
    rules = stockpile.rows(Rule)
    return Stretch(
        shares=any(rule.measure == "share" for rule in rules),
        over_time=any(
            rule.window != "period" and rule.measure in ("share", "count") for rule in rules
        ),
        times=_times(stockpile),
        tokens=_tokens(stockpile),
    )


def bounds_orders(stockpile: Stockpile) -> str:
    """Return why every order needs a bound: a member that does not count must bring nothing."""
    counts = any(rule.measure == "count" for rule in stockpile.rows(Rule))
    return "a rule counts members" if counts else ""


@functools.lru_cache(maxsize=8)
def spend_at_least(stockpile: Stockpile) -> bool:
    """Return whether a rule asks for spending: then nothing may be paid that is not owed."""
    rules = (rule for view in stockpile.variants for rule in view.rows(Rule))
    return any(rule.measure == "spend" and rule.of not in LEAVING and rule.least for rule in rules)


def _variants(stockpile: Stockpile, name: str) -> list[Rule]:
    """Return a rule as it is anywhere in the tree."""
    return [view.keyed(Rule)[name] for view in stockpile.variants]


def _times(stockpile: Stockpile) -> float:
    """Return how many times shares may stretch what is bought [1].

    Buying s·T of a group makes T of all.
    """
    rules = (rule for rule in stockpile.rows(Rule) if rule.measure == "share")
    return math.prod(factor for rule in rules for factor in _factors(stockpile, rule))


def _factors(stockpile: Stockpile, rule: Rule) -> Iterator[float]:
    """Yield how many times `most` and `least` of a rule may stretch what is bought [1]."""
    weights = [1.0, 0.0]
    if rule.of == "foreign_feedstock":
        rows = (row for view in stockpile.variants for row in view.rows(Supplier))
        weights = [row.foreign_feedstock for row in rows]
    for name, sign in (("most", 1), ("least", -1)):
        stretched = 1.0
        limits = (getattr(row, name) for row in _variants(stockpile, rule.rule))
        for limit in (each for each in limits if each is not None):
            # What is beyond the limit weighs this much against it, what makes room for it at
            # least that much.
            beyond = max((sign * (each - limit) for each in weights), default=0.0)
            gaps = (sign * (limit - each) for each in weights)
            room = min((gap for gap in gaps if gap > ALIKE), default=math.inf)
            stretched = max(stretched, 1 + max(0.0, beyond) / room)
        yield stretched


def _tokens(stockpile: Stockpile) -> float:
    """Return what rules that count may add, as a share of all that is bought otherwise [1].

    n members that bring a share f of T each raise T to T/(1 - n·f) at most; and what is of use is
    no less than one of them, f·T.
    """
    found = 0.0
    for name, rule in stockpile.keyed(Rule).items():
        rows = _variants(stockpile, name)
        least, share = max(row.least or 0.0 for row in rows), max(row.count_from for row in rows)
        if rule.measure == "count" and least > 0:
            together = least * share
            found += min(1 / share - 1, together / (1 - together) if together < 1 else math.inf)
    return found
