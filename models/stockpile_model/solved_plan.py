"""A plan as its own result rows read it, to sum themselves up in sentences."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from stockpile_model.schema import Result
    from stockpile_model.stockpile import Stockpile

T = TypeVar("T", bound="Result")


class SolvedPlan(Protocol):
    """What a plan decides.

    Where `until` is a date, its rows are what is done before it.
    """

    @property
    def stockpile(self) -> Stockpile:
        """Return what was planned."""

    @property
    def unit(self) -> str:
        """Return the unit of quantity."""

    @property
    def currency(self) -> str:
        """Return the currency."""

    @property
    def until(self) -> dt.date | None:
        """Return the date before which all is done; None: the plan is of the whole horizon."""

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """Return the result rows of one type."""
