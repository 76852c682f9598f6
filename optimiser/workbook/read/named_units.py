"""The units that a text names: `[kUSD per tonne]` names thousands of a currency over a mass."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from optimiser.workbook.read.unit_words import (
    CENTS,
    CODES,
    INVERSE,
    MASSES,
    OFTEN,
    OTHERS,
    OWN,
    PHRASES,
    RAISED,
    SCALES,
    SHARES,
    SYMBOLS,
    TIMES,
    TOKEN,
    WORDS,
)
from stockpile_model.tables import Settings

Kind = Literal["quantity", "money", "time", "share", "scale"]


@dataclass(frozen=True)
class Unit:
    """A unit that a text names: how many kilograms, months or pieces of money it is, of what, and
    whether it stands below the line.
    """

    kind: Kind
    size: float
    of: str = ""  # codes of currencies, what a quantity measures
    below: bool = False


@dataclass(frozen=True)
class WorkbookUnits:
    """The units of a workbook."""

    quantity: str = "kg"
    currency: str = "USD"
    period_months: int = 1
    sizes: dict[str, Unit] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> WorkbookUnits:
        """Return the units that the settings give."""
        default = Settings(start=None, periods=1)  # type: ignore[arg-type]
        quantity, currency = (
            str(settings.get(name) or getattr(default, name))
            for name in ("quantity_unit", "currency")
        )
        found = cls(quantity, currency, int(str(settings.get("period_months") or 1)))
        own: tuple[tuple[Kind, str], ...] = (("quantity", quantity), ("money", currency))
        for kind, said in own:
            units = units_in(said, cls("", ""), kind)
            named = (unit for unit in units if unit.kind == kind and not unit.below)
            found.sizes[kind] = next(named, Unit(kind, 1.0, said.casefold()))
        found.sizes["time"] = Unit("time", float(found.period_months))
        return found


def units_in(said: str, own: WorkbookUnits, column: str = "") -> Iterator[Unit]:
    """Yield the units that a text names, as far as they are any; `column` is the unit of the column
    over which it stands.
    """
    reading = _UnitReading(own, column)
    for match in TOKEN.finditer(_prepared(said, own)):
        reading.take(str(match.lastgroup), match[0])
    yield from _scaled(reading.found or reading.spans, reading.scale, column)


def _prepared(said: str, own: WorkbookUnits) -> str:
    """Return a text with one spelling for each phrase, and a mark for the workbook's own units."""
    raised = re.sub(
        "[\u207b\u2070\u00b9\u00b2\u00b3]+",
        lambda found: "^" + found[0].translate(RAISED),
        said,
    )
    text = unicodedata.normalize("NFKC", raised)
    for phrase, word in PHRASES:
        text = phrase.sub(f" {word} ", text)
    for kind, name in (("quantity", own.quantity), ("money", own.currency)):
        if name:
            whole = rf"(?<![^\W_]){re.escape(name)}(?![^\W_])"
            text = re.sub(whole, OWN[kind], text, flags=re.IGNORECASE)
    return INVERSE.sub(r" /\1 ", text)


@dataclass
class _UnitReading:
    """The units of a text, read word by word from left to right.

    `spans` are spans of time, which count where the text names no other unit; `scale` holds the
    thousands and millions above and below the line.
    """

    own: WorkbookUnits
    column: str
    found: list[Unit] = field(default_factory=list)
    spans: list[Unit] = field(default_factory=list)
    scale: dict[bool, float] = field(default_factory=lambda: {False: 1.0, True: 1.0})
    below: bool = False
    number: float = 1.0
    before: str = ""

    def take(self, kind: str, token: str) -> None:
        """Take the next word, number or mark."""
        if kind == "mark":
            stays = token == ")" or (token == "(" and self.before == "/")
            self.below = token == "/" or (self.below and stays)
        elif kind == "power":
            self.scale[self.below] *= 10.0 ** min(int(token[3:]), 12)
        elif kind == "number" and token.startswith("000"):
            self.scale[self.below] *= 10.0 ** len(token)
        elif kind != "number":
            self._word(token)
        if kind == "number" and not token.startswith("000"):
            plain = re.sub(r"[.,' \u2019](?=\d{3}(?!\d))", "", token)
            self.number = float(plain.replace(",", "."))
        elif kind not in ("number", "power"):
            self.number = 1.0
        self.before = token

    def _word(self, token: str) -> None:
        word = token.casefold()
        if word == "per":
            self.below = True
        elif (unit := _unit(token, self.own, self.below, self.column)) is not None:
            self._add(unit)
        elif word in TIMES and len(word) > 1:
            self.spans.append(Unit("time", TIMES[word], "", self.below))
        elif word != "and" and self.found and self.found[-1].below:
            self.below = False

    def _add(self, unit: Unit) -> None:
        """Add a unit, times the number before it."""
        times = self.number if unit.kind == "time" or _is_power(self.number) else 1.0
        if unit.kind == "scale":
            self.scale[self.below] *= unit.size
        elif unit.kind != "share" or self.number in (1.0, 100.0):  # 99.99 % is how pure it is
            self.found.append(Unit(unit.kind, unit.size * times, unit.of, unit.below))


def _is_power(number: float) -> bool:
    return number >= 1 and math.isclose(math.log10(number), round(math.log10(number)), abs_tol=1e-9)


def _scaled(found: list[Unit], scale: Mapping[bool, float], column: str) -> Iterator[Unit]:
    """Yield the units, the first money or quantity above the line and below it times the thousands
    or millions that are named there.
    """
    for below in (False, True):
        size = scale[below]
        side = [unit for unit in found if unit.below == below]
        for unit in side:
            if unit.kind in ("money", "quantity") and size != 1.0:
                yield Unit(unit.kind, unit.size * size, unit.of, below)
                size = 1.0
            else:
                yield unit
        if size != 1.0 and not below and column.partition("/")[0] in ("money", "quantity"):
            yield Unit("scale", size)


def _unit(token: str, own: WorkbookUnits, below: bool, column: str) -> Unit | None:
    """Return what a word means; None where it is no unit.

    A letter is one where its column leaves no doubt.
    """
    word, above = token.casefold(), column.partition("/")[0]
    for kind, mark in OWN.items():
        if token == mark:
            size = own.sizes[kind]
            return Unit(size.kind, size.size, size.of, below)
    if word in SHARES:
        return Unit("share", SHARES[word], "", below)
    if word in SCALES and not (
        (word == "m" and above not in ("money", "quantity")) or (word in CENTS and above != "money")
    ):
        return Unit("scale", SCALES[word])
    return _amount(token, below, above) or _time(word, own, below, column)


def _amount(token: str, below: bool, above: str) -> Unit | None:
    """Return the money or the quantity that a word means; `above` stands above the line of its
    column.
    """
    word = token.casefold()
    if above == "money" and not below and word in ("pound", "pounds"):
        return Unit("money", 1.0, "GBP")
    if word in MASSES:
        return Unit("quantity", MASSES[word], "mass", below)
    if (codes := _codes(token)) is not None:
        return Unit("money", codes[0], codes[1], below)
    if word in OTHERS:
        return Unit("quantity", OTHERS[word][1], OTHERS[word][0], below)
    return None


def _time(word: str, own: WorkbookUnits, below: bool, column: str) -> Unit | None:
    """Return the span of time that a word means."""
    timed = column == "s" or any(each in column for each in ("month", "period", "year"))
    if word in ("period", "periods"):
        return Unit("time", float(own.period_months), "", below)
    counts = below or column.partition("/")[0] not in ("money", "quantity", "1")
    if word in TIMES and counts and (len(word) > 1 or timed):
        return Unit("time", TIMES[word], "", below)
    if word in OFTEN and "/" in column and timed:
        return Unit("time", OFTEN[word], "", True)
    return None


def _codes(token: str) -> tuple[float, str] | None:
    """Return how many of which currencies a word is: `USD`, `$`, `kUSD`, `EURm`; None where it is
    none.
    """
    word = token.casefold()
    if word in SYMBOLS:
        return 1.0, SYMBOLS[word]
    if token.upper() in CODES and (token.isupper() or token.upper() not in WORDS):
        return 1.0, token.upper()
    if match := re.fullmatch(r"(k|m|mm|mn|mln|mio|bn)?([a-z]{3})(k|m|mm|mn|mln|mio|bn)?", word):
        front, code, behind = match.groups()
        if (front is None) != (behind is None) and code.upper() in CODES - WORDS:
            return SCALES[front or behind], code.upper()
    return None
