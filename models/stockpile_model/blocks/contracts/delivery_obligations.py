"""Where what a contract asks for is obligated.

The deliveries of a fiscal year are obligated at its start, or at the signing (or the extension) of
the contract where that is later; a later year is not due before. Of a contract that was signed
before the start, what is left of a fiscal year that had begun was obligated before the start too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.contract_terms import signed_before
from stockpile_model.blocks.contracts.schedule import Cover, Schedule, Signature
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.formulation import summed
from stockpile_model.ledger import Binding

Covered = tuple[str, int, float]
"""A level, the period of its first delivery, and the most that is due under it [money]."""


BEFORE = -1
"""The node that stands for an obligation before the start."""


def by_node(schedule: Schedule, k: str, d: int, n: int) -> Mapping[int, Sequence[Cover]]:
    """Return the signatures that cover a delivery by the node at which it is obligated."""
    begins, found = schedule.year_begins[n], dict[int, list[Cover]]()
    before = day_before(schedule, k, n) is not None
    for cover in schedule.active[k, d, n]:
        past = before and isinstance(cover, Signature)
        found.setdefault(BEFORE if past else max(begins, cover.node), []).append(cover)
    return found


def day_before(schedule: Schedule, k: str, n: int) -> dt.date | None:
    """Return the day before the start on which what the term brings at a node was obligated.

    None where it is not: the contract is signed later, or the fiscal year begins later.
    """
    stockpile, signing = schedule.stockpile, signed_before(schedule.stockpile, k)
    calendar, period = stockpile.calendar, stockpile.tree.period[n]
    begin = calendar.fiscal_year_begin(period)
    if signing is None or signing.date is None or begin >= calendar.begin(0):
        return None
    return max(begin, signing.date)


def bound_at(schedule: Schedule, k: str, s: int, n: int) -> Binding:
    """Return the obligation at a node of what is paid at another."""
    return Binding(day=day_before(schedule, k, n)) if s == BEFORE else Binding((s,))


def obligation(
    m: pyo.ConcreteModel,
    schedule: Schedule,
    k: str,
    n: int,
    starts: Collection[int],
    due: Iterable[Covered],
    source: tuple[object, ...],
) -> Binding:
    """Return where what is due at a node is obligated.

    `starts`: the periods of first delivery of what is due; `due`: its levels, each with the most,
    read where that matters.
    Where a contract may be signed at several nodes, no more is obligated at one than is due under
    what is signed there.
    """
    nodes = {s for d in starts for s in by_node(schedule, k, d, n)}
    if len(nodes) == 1:
        return bound_at(schedule, k, next(iter(nodes)), n)
    most: dict[int, list[Any]] = {s: [] for s in sorted(nodes)}
    for f, d, amount in due:
        for s, covers in by_node(schedule, k, d, n).items():
            most[s].append(amount * signed(m, k, f, covers))
    caps = {s: summed(parts) for s, parts in most.items()}
    return Binding(tuple(caps), (*source, k, n), caps)
