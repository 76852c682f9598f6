"""Terms of commitments: their rows, and those of decisions that were taken before the start.

It holds no variable. What was decided before the start is history: no plan can change it. Blocks
ask here what of theirs it was.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.block import Deed, deeds
from stockpile_model.calendar import overlap
from stockpile_model.giving import FACT, NEED, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


@dataclass(frozen=True, kw_only=True)
class Commitment(Row):
    """A decision that the plan must keep to."""

    TABLE = "commitments"
    PURPOSE = "Decisions already taken, or frozen by the officer. All others stay free."
    STEP = "limits"
    CERTAIN = True
    GIVES: ClassVar[Gives] = {
        "quantity": Give("either", NEED),
        "date": Give("default", NEED),
        "called_off": Give("more", FACT),
        "prepayment_left": Give("more", FACT),
    }
    kind: str = column("what is decided", required=True, choices=lambda: tuple(deeds()))
    name: str = column(
        "offer, contract, outlet or project, after its kind",
        required=True,
        names=lambda row: deed(row).table,
        lists_by="kind",
        lists=lambda: tuple((kind, each.table) for kind, each in deeds().items()),
    )
    level: str | None = column(
        "level of the contract (sign); blank = any",
        names=lambda row: f"floors/{row.name}",
        listed="levels",
    )
    date: dt.date | None = column(
        "date of the decision, which falls into its period; blank = over the whole horizon; before "
        "the start: a contract that was signed (what is left of its term is in the plan), a "
        "project that went ahead, an order that is under way, or what is out through an outlet "
        "that gives fresh metal back"
    )
    quantity: float | None = column(
        "quantity (order, rotate); 1 or blank: it is done, 0: it is not (sign, project)",
        "quantity",
        least=0,
    )
    how: str = column(
        "how the plan must keep to it",
        default="exactly",
        choices=("exactly", "at_least", "at_most"),
    )
    called_off: float | None = column(
        "of a contract signed before the start: called off so far in the contract year in which "
        "the plan starts, with least_total in the term; blank = what is left of the year, or of "
        "the term, counts pro rata",
        "quantity",
        least=0,
        lessens="name",
    )
    prepayment_left: float | None = column(
        "of a contract signed before the start: what is left of its prepayment; blank = prepayment "
        "less what was credited so far at the even rate; in the book's currency, whatever that of "
        "the contract is",
        "money",
        least=0,
        lessens="name",
    )
    upside_received: float | None = column(
        "of a contract signed before the start: upside received so far in the contract year in "
        "which the plan starts; blank = what is left of the year counts pro rata in upside_cap; in "
        "the book's currency, whatever that of the contract is",
        "money",
        least=0,
        lessens="name",
    )
    first_delivery: dt.date | None = column(
        "of a contract signed before the start: date of its first delivery, where that was before "
        "the start too; blank = as its terms, its plant and its supplier say now"
    )
    site: str | None = column(
        "of what went out through an outlet before the start: where it comes back; blank = the "
        "one site",
        refers="sites",
    )

    @classmethod
    def beyond(cls, rows: Sequence[Commitment], end: dt.date) -> Iterable[Commitment]:
        """Return the decisions of a later date."""
        return (row for row in rows if row.date is not None and row.date > end)


def deed(row: Commitment) -> Deed:
    """Return the kind of decision that a commitment is of."""
    return deeds()[row.kind]


def asked(row: Commitment) -> float:
    """Return what a commitment asks for: a quantity of metal, or how often it is done."""
    return 1.0 if row.quantity is None else row.quantity


def named(stockpile: Stockpile, row: Commitment) -> str | None:
    """Return the offer, contract, outlet or project of a commitment; None for an unknown one."""
    return row.name if row.name in stockpile.names(deed(row).table) else None


def span(stockpile: Stockpile, row: Commitment) -> range:
    """Return the periods of a commitment: that of its date, or all."""
    return overlap(stockpile.calendar, row.date, row.date)


def before(stockpile: Stockpile, row: Commitment) -> bool:
    """Return whether a commitment is of a decision that was taken before the start."""
    return row.date is not None and row.date < stockpile.settings.start


@functools.lru_cache(maxsize=256)
def earlier(stockpile: Stockpile, kind: str) -> Mapping[str, Sequence[Commitment]]:
    """Return the decisions of a kind that were taken before the start, by name."""
    found: dict[str, list[Commitment]] = {}
    for row in stockpile.rows(Commitment):
        if row.kind == kind and before(stockpile, row):
            found.setdefault(row.name, []).append(row)
    return found


def once(stockpile: Stockpile, kind: str, name: str | None) -> Commitment | None:
    """Return the one decision about a name that was taken before the start; None: there is none."""
    if not stockpile.rows(Commitment) or name is None:
        return None
    rows = earlier(stockpile, kind).get(name, ())
    return rows[0] if rows else None


def decided(stockpile: Stockpile, row: Commitment) -> int:
    """Return the period of a decision that was taken before the start: it is below 0."""
    if row.date is None:
        raise ValueError(f"{row.kind} of {row.name} has no date")
    return stockpile.calendar.period(row.date)


def gone_before(stockpile: Stockpile, project: str | None) -> int | None:
    """Return the period, below 0, in which a project went ahead before the start.

    None where it did not go ahead then.
    """
    row = once(stockpile, "project", project)
    return None if row is None else decided(stockpile, row)


def ready_before(stockpile: Stockpile, project: str | None) -> int | None:
    """Return the period in which a project is ready that went ahead before the start.

    It may be below 0. Its lag is that without events, which were not known then.
    """
    gone = gone_before(stockpile, project)
    if gone is None or project is None:
        return None
    row = stockpile.keyed(Project)[project]
    return gone + stockpile.calendar.count(row.ready_lag_months)
