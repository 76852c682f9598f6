"""What the title of a column says in brackets, against the unit in which the column is read.

A text names units, or says something else: `[USD/kg]`, `[kUSD per tonne, real 2026]`,
`[assumption]`. Only what is a unit counts: a quantity, a currency, a span of time, a share in per
cent, and how many of it. What is left out is not another unit: `[USD]` over a price per kilogram
passes.
"""

from __future__ import annotations

import math
import re

from optimiser.figures.column_units import unit_of
from optimiser.workbook.read.drafts import Bracket, Drafts
from optimiser.workbook.read.named_units import Unit, WorkbookUnits, units_in
from optimiser.workbook.read.unit_words import TIMES

_LONGEST = 200  # characters of a title in which a unit is looked for


def judge(table: Drafts, own: WorkbookUnits) -> None:
    """Add a fault for each title that names another unit than its column is read in."""
    for name, bracket in table.units.items():
        column = bracket.column
        single = column.kind in ("number", "whole") and not column.many
        if single and (message := _fault(name, bracket, table, own)):
            table.faults.header(bracket.line, bracket.at, message)


def _fault(name: str, bracket: Bracket, table: Drafts, own: WorkbookUnits) -> str:
    """Return what is wrong with what a title says; empty where nothing is."""
    read_in, title = bracket.column.unit, bracket.said[:_LONGEST]
    shown = unit_of(read_in, own.quantity, own.currency)
    if _folded(title) == _folded(shown):
        return ""
    found = list(units_in(title, own, read_in))
    meant = [_read_as(unit, own) for unit in re.split(r", | or ", read_in)]
    wrong = [unit for unit in found if not any(_fits(unit, each, name) for each in meant)]
    if wrong:
        return (
            f"{name} is read {_how(read_in, shown, own)}, and its title says [{title}]; convert its"
            f" values and write [{shown or 'share'}]{_setting(wrong[0], read_in)}"
        )
    if any(unit.kind == "share" for unit in found) and (whole := table.seen.whole.get(name)):
        line, value = whole
        return (
            f"{name} is read as a fraction (0.25 is 25 %), and its title says [{title}] over"
            f" {value:g} in row {line}; write {value / 100:.12g} for {value:g} %"
        )
    return ""


def _how(read_in: str, shown: str, own: WorkbookUnits) -> str:
    """Return in words how a column is read."""
    if not shown:
        return "as a fraction (0.25 is 25 %)" if read_in else "as a plain number"
    if "period" not in shown:
        return f"in {shown}"
    return f"in {shown}, with periods of {own.period_months} month{'s' * (own.period_months > 1)}"


def _setting(wrong: Unit, read_in: str) -> str:
    """Return the setting that may be changed instead of the values of a column, in words."""
    setting = {"quantity": "quantity_unit", "money": "currency"}.get(wrong.kind, "")
    return f", or change {setting} in the settings" if setting and wrong.kind in read_in else ""


def _folded(text: str) -> str:
    return "".join(text.casefold().split())


def _read_as(unit: str, own: WorkbookUnits) -> list[Unit]:
    """Return the units in which a column is read."""
    found = []
    for at, part in enumerate(unit.split("/")):
        below = at > 0
        if part in ("quantity", "money"):
            size = own.sizes[part]
            found.append(Unit(size.kind, size.size, size.of, below))
        elif part in ("period", "periods"):
            found.append(Unit("time", float(own.period_months), "", below))
        elif part in TIMES:
            found.append(Unit("time", TIMES[part], "", below))
        elif part in ("1", "") and not below:
            found.append(Unit("share", 1e-2))
    return found


def _fits(unit: Unit, meant: list[Unit], name: str) -> bool:
    """Return whether a unit that a title names is that of its column, or leaves it open."""
    same = [each for each in meant if each.kind == unit.kind and each.below == unit.below]
    if (
        unit.kind == "money" and unit.below and name.upper() in unit.of.split()
    ):  # a rate of exchange: `EUR [USD/EUR]`
        return True
    if (
        unit.kind == "time"
        and unit.below
        and any(each.kind == "share" for each in meant)
        and not same
    ):
        return True
    return any(_alike(unit, each) for each in same)


def _alike(one: Unit, other: Unit) -> bool:
    if not math.isclose(one.size, other.size, rel_tol=1e-6):
        return False
    return one.of == other.of or not one.of or not set(one.of.split()).isdisjoint(other.of.split())
