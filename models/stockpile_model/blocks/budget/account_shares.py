"""Share what an account pays among its appropriations, once the plan is solved.

Whatever is obligated takes what is free of those that have come, the earliest first: what comes
later can be charged to anything that was there before, so nothing has to give way, and the account
has enough at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stockpile_model.blocks.budget.budget_terms import About, Appropriations


class Charged(NamedTuple):
    """Describe who is charged for what: an appropriation, an outlay, its obligation and its
    heading."""

    b: int
    about: About
    bound: int
    node: int
    name: str
    table: str
    heading: str = ""


@dataclass
class Settled:
    """Describe what is paid of an obligation, and what is released [money]."""

    paid: float = 0.0
    released: float = 0.0


class Occupied(NamedTuple):
    """Describe what an appropriation has obligated on a path, from a period until another (None: it
    is paid) [money].

    What is released in the period in which it was obligated is not free in it.
    """

    since: int
    until: int | None
    amount: float

    def holds(self, t: int) -> bool:
        """Return whether it is not free in a period after its obligation, or in that of it."""
        return self.until is None or self.until > t or self.since == t


def share_out(able: Appropriations, charges: Mapping[Charged, Settled]) -> dict[Charged, Settled]:
    """Return the charges with those of each account shared among its appropriations."""
    found: dict[Charged, Settled] = defaultdict(Settled)
    found.update((key, each) for key, each in charges.items() if key.b not in able.accounts)
    for account, members in able.accounts.items():
        own = {key: each for key, each in charges.items() if key.b == account}
        for order in (members, members[::-1]):
            shared, rest = _shared(able, order, own)
            if rest <= able.stockpile.scale.no_money * max(1, len(own)):
                break
        found.update(shared)
    return dict(found)


def _shared(
    able: Appropriations, members: Iterable[int], own: Mapping[Charged, Settled]
) -> tuple[dict[Charged, Settled], float]:
    """Return the charges of an account, which of its members takes each, and what none can take.

    The first of `members` that has come and is free on all paths takes it.
    """
    stockpile, tree = able.stockpile, able.stockpile.tree
    leaves = {n: [leaf for leaf in tree.leaves if n in tree.paths[leaf]] for n in tree.nodes}
    held: dict[tuple[int, int], list[Occupied]] = defaultdict(list)
    opens = {b: able.opens(b) for b in members}
    found: dict[Charged, Settled] = defaultdict(Settled)
    missing = 0.0
    for key in sorted(own, key=lambda key: (tree.period[key.bound], key.node, key)):
        now, each = tree.period[key.bound], own[key]
        for amount, until in ((each.paid, None), (each.released, tree.period[key.node])):
            rest = amount
            for b in members:
                if rest <= 0 or opens[b] > now:
                    continue
                paths = [held[b, leaf] for leaf in leaves[key.node]]
                part = min(rest, _free(able.row(b, key.node).amount, paths, now))
                if part > 0:
                    for path in paths:
                        path.append(Occupied(now, until, part))
                    settled = found[key._replace(b=b)]
                    settled.paid += part if until is None else 0.0
                    settled.released += 0.0 if until is None else part
                    rest -= part
            if rest > 0:  # noise, or no one appropriation is free on all paths
                last = found[key._replace(b=next(b for b in members if opens[b] <= now))]
                last.paid += rest if until is None else 0.0
                last.released += 0.0 if until is None else rest
                missing += rest
    return _visible(found, stockpile.scale.no_money), missing


def _free(amount: float, paths: Iterable[list[Occupied]], now: int) -> float:
    """Return what an appropriation has free on all paths in a period [money]."""
    used = (sum(each.amount for each in path if each.holds(now)) for path in paths)
    return max(0.0, amount - max(used, default=0.0))


def _visible(charges: Mapping[Charged, Settled], nothing: float) -> dict[Charged, Settled]:
    """Return the charges that are more than noise."""
    return {key: each for key, each in charges.items() if max(each.paid, each.released) > nothing}
