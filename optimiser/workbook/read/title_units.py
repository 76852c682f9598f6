"""What the title of a column says in brackets, against the unit in which the column is read.

A text names units, or says something else: `[USD/kg]`, `[kUSD per tonne, real 2026]`,
`[assumption]`. Only what is a unit counts: a quantity, a currency, a span of time, a share in per
cent, and how many of it. What is left out is not another unit: `[USD]` over a price per kilogram
passes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from optimiser.workbook.column_units import unit_of
from optimiser.workbook.read.drafts import Bracket, Drafts
from stockpile_model.tables import Settings

Kind = Literal["quantity", "money", "time", "share", "scale"]

_LONGEST = 200  # characters of a title in which a unit is looked for
_MASSES = {
    "mg": 1e-6,
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramme", "grammes"), 1e-3),
    **dict.fromkeys(
        ("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramme", "kilogrammes"), 1.0
    ),
    **dict.fromkeys(("t", "te", "ton", "tons", "tonne", "tonnes", "mt", "mts", "dmt", "wmt"), 1e3),
    **dict.fromkeys(("kt", "kilotonne", "kilotonnes"), 1e6),
    **dict.fromkeys(("megatonne", "megatonnes"), 1e9),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 0.45359237),
    "klb": 453.59237,
    **dict.fromkeys(("oz", "ounce", "ounces"), 0.028349523125),
    **dict.fromkeys(("ozt", "toz", "troyounce"), 0.0311034768),
    "shortton": 907.18474,
    "longton": 1016.0469088,
    "mtu": 10.0,
    "stu": 9.0718474,
}
_OTHERS = {
    **dict.fromkeys(("l", "litre", "litres", "liter", "liters"), ("volume", 1.0)),
    **dict.fromkeys(("m3", "m^3", "cbm"), ("volume", 1e3)),
    **dict.fromkeys(("gal", "gallon", "gallons"), ("volume", 3.785411784)),
    **dict.fromkeys(("bbl", "barrel", "barrels"), ("volume", 158.987294928)),
    **dict.fromkeys(("pc", "pcs", "piece", "pieces"), ("pieces", 1.0)),
    **dict.fromkeys(("flask", "flasks"), ("flasks", 1.0)),
    **dict.fromkeys(("drum", "drums"), ("drums", 1.0)),
    **dict.fromkeys(("kwh",), ("energy", 1.0)),
    **dict.fromkeys(("mwh",), ("energy", 1e3)),
}
_DAY = 12 / 365.25  # months
_TIMES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), _DAY / 86_400),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), _DAY / 1440),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _DAY / 24),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("m", "mo", "mos", "mth", "mths", "month", "months"), 1.0),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarter", "quarters"), 3.0),
    **dict.fromkeys(("semester", "semesters"), 6.0),
    **dict.fromkeys(("y", "a", "yr", "yrs", "year", "years", "annum", "fy"), 12.0),
}
_OFTEN = {
    "daily": _DAY,
    "weekly": 7 * _DAY,
    "monthly": 1.0,
    "quarterly": 3.0,
    "annual": 12.0,
    "annually": 12.0,
    "yearly": 12.0,
}
_SCALES = {
    **dict.fromkeys(("k", "thousand", "thousands", "000", "000s", "tsd"), 1e3),
    **dict.fromkeys(("m", "mm", "mn", "mln", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("bn", "mrd", "billion", "billions"), 1e9),
    **dict.fromkeys(("c", "ct", "cts", "cent", "cents", "\u00a2", "pence"), 1e-2),
}
_CENTS = {name for name, size in _SCALES.items() if size < 1}
_SHARES = {"%": 1e-2, "pct": 1e-2, "\u2030": 1e-3, "bp": 1e-4, "bps": 1e-4, "ppm": 1e-6}
_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP"
    " BYN BZD CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP"
    " GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS"
    " KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR"
    " MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF"
    " SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS"
    " UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
_CODES = frozenset(_ISO_4217.split())
_WORDS = frozenset(  # codes that are words too: they count in capital letters
    (
        "ALL",
        "BAM",
        "BOB",
        "COP",
        "CUP",
        "GEL",
        "KGS",
        "LAK",
        "MAD",
        "MOP",
        "PEN",
        "RON",
        "SOS",
        "TOP",
        "TRY",
    )
)
_DOLLARS = (
    "AUD BMD BSD BZD CAD FJD GYD HKD JMD KYD NAD NZD SGD SRD TTD TWD USD XCD ARS CLP COP MXN UYU"
)
_SYMBOLS = {
    **dict.fromkeys(("$", "dollar", "dollars"), _DOLLARS),
    **dict.fromkeys(("us$", "u$s", "usd$"), "USD"),
    **dict.fromkeys(("a$", "au$"), "AUD"),
    **dict.fromkeys(("c$", "ca$"), "CAD"),
    "r$": "BRL",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "nt$": "TWD",
    **dict.fromkeys(("\u20ac", "euro", "euros"), "EUR"),
    **dict.fromkeys(("\u00a3", "sterling"), "GBP EGP FKP GIP SHP SYP LBP"),
    **dict.fromkeys(("\u00a5",), "JPY CNY CNH"),
    **dict.fromkeys(("yen",), "JPY"),
    **dict.fromkeys(("rmb", "yuan", "renminbi", "\u5143", "cny", "cnh"), "CNY CNH"),
    **dict.fromkeys(("\u20a9", "won"), "KRW"),
    **dict.fromkeys(("\u20b9", "rupee", "rupees"), "INR"),
    **dict.fromkeys(("\u20bd", "rouble", "roubles", "ruble", "rubles"), "RUB"),
}
_PHRASES = [
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"per\s?cent(?:age)?(?:\s+points?)?|percentages?(?:\s+points?)?", "%"),
        (r"basis\s+points?", "bp"),
        (r"\bp\.\s?a\.?|\bpa\b", "per year"),
        (r"\bmetric\s+(?:tonnes?|tons?)\b", "tonne"),
        (r"\bshort\s+tons?\b", "shortton"),
        (r"\blong\s+tons?\b", "longton"),
        (r"\btroy\s+(?:ounces?|oz)\b", "troyounce"),
        (r"\bhalf[\s-]?years?\b", "semester"),
        (r"\bfiscal\s+years?\b", "year"),
        (r"\b(?:an?|each|every)\s+(?=(?:day|week|month|quarter|year|period)\b)", "per "),
        (r"(?-i:\bMt\b)", "megatonne"),
    )
]
_RAISED = str.maketrans({"\u207b": "-", "\u2070": "0", "\u00b9": "1", "\u00b2": "2", "\u00b3": "3"})
_INVERSE = re.compile(r"([^\W\d_]+|[\ue000-\ue002])\^?-1(?!\d)")
_TOKEN = re.compile(
    r"(?P<power>10\^\d+)|(?P<number>\d+(?:[.,\u2019' ]\d{3})*(?:[.,]\d+)?)(?!\d)|(?P<mark>[/,;()])"
    r"|(?P<own>[\ue000-\ue002])|(?P<word>m\^3|(?:us|usd|u|a|au|c|ca|nz|hk|s|nt|r)?\$s?|[^\W\d_]+|[%\u2030\u20ac\u00a3\u00a5\u20a9\u20b9\u20bd\u00a2])",
    re.IGNORECASE,
)
_OWN = {"quantity": "\ue000", "money": "\ue001", "time": "\ue002"}


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
        """Those that the settings give."""
        default = Settings(start=None, periods=1)  # type: ignore[arg-type]
        quantity, currency = (
            str(settings.get(name) or getattr(default, name))
            for name in ("quantity_unit", "currency")
        )
        found = cls(quantity, currency, int(str(settings.get("period_months") or 1)))
        for kind, said in (("quantity", quantity), ("money", currency)):
            named = [
                unit
                for unit in _units(said, cls("", ""), kind)
                if unit.kind == kind and not unit.below
            ]
            found.sizes[kind] = named[0] if named else Unit(kind, 1.0, said.casefold())  # type: ignore[arg-type]
        found.sizes["time"] = Unit("time", float(found.period_months))
        return found


def judge(table: Drafts, book: WorkbookUnits) -> None:
    """Adds a fault for each title that names another unit than its column is read in."""
    for name, bracket in table.units.items():
        if (
            bracket.column.kind in ("number", "whole")
            and not bracket.column.many
            and (said := _wrong(name, bracket, table, book))
        ):
            table.faults.header(bracket.line, bracket.at, said)


def _wrong(name: str, bracket: Bracket, table: Drafts, book: WorkbookUnits) -> str:
    """What is wrong with what a title says; empty where nothing is."""
    own, said = unit_of(bracket.column.unit, book.quantity, book.currency), bracket.said[:_LONGEST]
    if _folded(said) == _folded(own):
        return ""
    found = list(_units(said, book, bracket.column.unit))
    meant = [_read_as(unit, book) for unit in re.split(r", | or ", bracket.column.unit)]
    wrong = [unit for unit in found if not any(_fits(unit, each, name) for each in meant)]
    if wrong:
        what = (
            f"in {own}"
            if own
            else "as a plain number"
            if not bracket.column.unit
            else "as a fraction (0.25 is 25 %)"
        )
        if "period" in own:
            what += f", with periods of {book.period_months} month{'s' * (book.period_months > 1)}"
        setting = {"quantity": "quantity_unit", "money": "currency"}.get(wrong[0].kind, "")
        change = (
            f", or change {setting} in the settings"
            if setting and wrong[0].kind in bracket.column.unit
            else ""
        )
        return (
            f"{name} is read {what}, and its title says [{said}]; convert its values and write"
            f" [{own or 'share'}]{change}"
        )
    if any(unit.kind == "share" for unit in found) and (whole := table.seen.whole.get(name)):
        line, value = whole
        return (
            f"{name} is read as a fraction (0.25 is 25 %), and its title says [{said}] over"
            f" {value:g} in row {line}; write {value / 100:.12g} for {value:g} %"
        )
    return ""


def _folded(text: str) -> str:
    return "".join(text.casefold().split())


def _read_as(unit: str, book: WorkbookUnits) -> list[Unit]:
    """The units in which a column is read."""
    found = []
    for at, part in enumerate(unit.split("/")):
        below = at > 0
        if part in ("quantity", "money"):
            size = book.sizes[part]
            found.append(Unit(size.kind, size.size, size.of, below))
        elif part in ("period", "periods"):
            found.append(Unit("time", float(book.period_months), "", below))
        elif part in _TIMES:
            found.append(Unit("time", _TIMES[part], "", below))
        elif part in ("1", "") and not below:
            found.append(Unit("share", 1e-2))
    return found


def _fits(unit: Unit, meant: list[Unit], name: str) -> bool:
    """Whether a unit that a title names is that of its column, or leaves it open."""
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


def _units(said: str, book: WorkbookUnits, column: str = "") -> Iterator[Unit]:
    """The units that a text names, as far as they are any; `column` is the unit of the column over
    which it stands.
    """
    text = unicodedata.normalize(
        "NFKC",
        re.sub(
            "[\u207b\u2070\u00b9\u00b2\u00b3]+",
            lambda raised: "^" + raised[0].translate(_RAISED),
            said,
        ),
    )
    for phrase, word in _PHRASES:
        text = phrase.sub(f" {word} ", text)
    for kind, own in (("quantity", book.quantity), ("money", book.currency)):
        if own:
            text = re.sub(
                rf"(?<![^\W_]){re.escape(own)}(?![^\W_])", _OWN[kind], text, flags=re.IGNORECASE
            )
    text = _INVERSE.sub(r" /\1 ", text)
    timed = column == "s" or any(word in column for word in ("month", "period", "year"))
    found, beside, scale = list[Unit](), list[Unit](), {False: 1.0, True: 1.0}
    below, number, after = False, 1.0, ""
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind == "mark":
            number = 1.0
            below = token == "/" or (below and (token == ")" or (token == "(" and after == "/")))
        elif kind == "power":
            scale[below] *= 10.0 ** min(int(token[3:]), 12)
        elif kind == "number" and token.startswith("000"):
            scale[below] *= 10.0 ** len(token)
        elif kind == "number":
            number = float(re.sub(r"[.,' \u2019](?=\d{3}(?!\d))", "", token).replace(",", "."))
        else:
            word = token.casefold()
            if word == "per":
                below = True
            elif (unit := _unit(token, book, below, column, timed)) is not None:
                times = number if unit.kind == "time" or _is_power(number) else 1.0
                if unit.kind == "scale":
                    scale[below] *= unit.size
                elif unit.kind != "share" or number in (1.0, 100.0):  # 99.99 % is how pure it is
                    found.append(Unit(unit.kind, unit.size * times, unit.of, unit.below))
            elif word in _TIMES and len(word) > 1:
                beside.append(Unit("time", _TIMES[word], "", below))
            elif word != "and" and found and found[-1].below:
                below = False
            number = 1.0
        after = token
    yield from _scaled(found or beside, scale, column)


def _is_power(number: float) -> bool:
    return number >= 1 and math.isclose(math.log10(number), round(math.log10(number)), abs_tol=1e-9)


def _scaled(found: list[Unit], scale: Mapping[bool, float], column: str) -> Iterator[Unit]:
    """The units, the first money or quantity on either side of the line times what thousands or
    millions are named there.
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


def _unit(token: str, book: WorkbookUnits, below: bool, column: str, timed: bool) -> Unit | None:
    """What a word means; None where it is no unit.

    A letter is one where its column leaves no doubt.
    """
    word, above = token.casefold(), column.partition("/")[0]
    for kind, own in _OWN.items():
        if token == own:
            size = book.sizes[kind]
            return Unit(size.kind, size.size, size.of, below)
    if word in _SHARES:
        return Unit("share", _SHARES[word], "", below)
    if (
        word in _SCALES
        and not (word == "m" and above not in ("money", "quantity"))
        and not (word in _CENTS and above != "money")
    ):
        return Unit("scale", _SCALES[word])
    if above == "money" and not below and word in ("pound", "pounds"):
        return Unit("money", 1.0, "GBP")
    if word in _MASSES:
        return Unit("quantity", _MASSES[word], "mass", below)
    if (codes := _codes(token)) is not None:
        return Unit("money", codes[0], codes[1], below)
    if word in _OTHERS:
        return Unit("quantity", _OTHERS[word][1], _OTHERS[word][0], below)
    if word in ("period", "periods"):
        return Unit("time", float(book.period_months), "", below)
    if (
        word in _TIMES
        and (below or above not in ("money", "quantity", "1"))
        and (len(word) > 1 or timed)
    ):
        return Unit("time", _TIMES[word], "", below)
    if word in _OFTEN and "/" in column and timed:
        return Unit("time", _OFTEN[word], "", True)
    return None


def _codes(token: str) -> tuple[float, str] | None:
    """How many of which currencies a word is: `USD`, `$`, `kUSD`, `EURm`; None where it is none."""
    word = token.casefold()
    if word in _SYMBOLS:
        return 1.0, _SYMBOLS[word]
    if token.upper() in _CODES and (token.isupper() or token.upper() not in _WORDS):
        return 1.0, token.upper()
    if match := re.fullmatch(r"(k|m|mm|mn|mln|mio|bn)?([a-z]{3})(k|m|mm|mn|mln|mio|bn)?", word):
        front, code, behind = match.groups()
        if (front is None) != (behind is None) and code.upper() in _CODES - _WORDS:
            return _SCALES[front or behind], code.upper()
    return None
