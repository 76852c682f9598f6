"""Acts: what result rows ask an officer to do, in one form for all of them.

A result type whose rows are to be signed says so by its `LETTER` and its `act`. A list of actions,
the numbers that other rows refer to, and what can be pasted into `commitments`, follow from that.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stockpile_model.leads import Lead

if TYPE_CHECKING:
    from stockpile_model.stockpile import Stockpile

TO_ACTION = Lead("actions", (("number", ""),))
TO_LOT = Lead("movements", (("lot", ""),))
TO_PAYMENTS = Lead("payments", (("number", "number"),))
TO_BUDGET = Lead("budget", (("appropriation", ""),))
TO_PAYER = Lead("budget", (("appropriation", "appropriation"),))
"""Where clicks lead: to the action of a number, what becomes of a lot, what is paid, from what;
from another column to the first that pays."""

NUMBER = "number of the action, as on the sheet `actions`"
WHY = "why it is done, as far as the plan shows it"
"""What the columns of these names mean in the rows of all acts."""


class Act(NamedTuple):
    """Describe what a result row asks an officer to do, on a date, about a row of `table`.

    Rows with the same table, name, level and date are one action. Where they `add` up, each is a
    part of it; else all of them say the same of it.

    `what`: what it is, in a word or two. `deed`: the kind by which a commitment names it, blank
    where none can. `quantity`: as it is signed; `expected`: what arrives, or leaves, by it
    [quantity]. `times`: a commitment to it counts how often it is done, not metal. `price`: of a
    unit [money/quantity]. `cost`: all that is paid for it within the horizon, expected; `invoice`:
    the most that is to be paid for it at once, `receipt`: what is received [money]. `due`: first
    day of the period in which that is paid. `until`: the last day that the input leaves for it.
    `comes`: first day of the period in which its metal comes; of an act that `lasts` metal and
    money of any later period belong to it. `relaxed`: it lies beyond `firm_periods`.
    """

    what: str
    date: dt.date
    table: str
    name: str
    level: str | None = None
    supplier: str | None = None
    material: str | None = None
    deed: str = ""
    quantity: float | None = None
    expected: float | None = None
    times: bool = False
    price: float | None = None
    cost: float | None = None
    invoice: float | None = None
    receipt: float | None = None
    due: dt.date | None = None
    until: dt.date | None = None
    comes: dt.date | None = None
    lasts: bool = False
    adds: bool = False
    relaxed: bool = False


class Cause(NamedTuple):
    """The action from which a row follows: by its table, its name, and a date.

    `comes`: the date is that on which its metal comes, else that on which it was decided.
    """

    table: str
    name: str
    date: dt.date
    comes: bool = False


class RowFacts(Protocol):
    """Describe what is known of a plan at the date of a row, so that the row can say why it is
    done."""

    @property
    def now(self) -> Stockpile:
        """Return the rows of the input as they stand on that date."""

    def worth(self, material: str, day: dt.date, age: int) -> float | None:
        """Return what one more unit is worth to the plan at a date, at an age in periods.

        It is undiscounted, expected [money/quantity]; None where it is not known.
        """

    def below(self, material: str) -> float | None:
        """Return what is missing of the targets of a material [quantity]; None: it has none."""

    def stop(self, table: str, name: str) -> str | None:
        """Return the limit of a row of the input that keeps the plan from more of it, in words."""
