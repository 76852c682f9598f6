"""The words by which titles name units: masses, spans of time, currencies, shares and multiples."""

from __future__ import annotations

import re

MASSES = {
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
OTHERS = {
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
TIMES = {
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
OFTEN = {
    "daily": _DAY,
    "weekly": 7 * _DAY,
    "monthly": 1.0,
    "quarterly": 3.0,
    "annual": 12.0,
    "annually": 12.0,
    "yearly": 12.0,
}
SCALES = {
    **dict.fromkeys(("k", "thousand", "thousands", "000", "000s", "tsd"), 1e3),
    **dict.fromkeys(("m", "mm", "mn", "mln", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("bn", "mrd", "billion", "billions"), 1e9),
    **dict.fromkeys(("c", "ct", "cts", "cent", "cents", "\u00a2", "pence"), 1e-2),
}
CENTS = {name for name, size in SCALES.items() if size < 1}
SHARES = {"%": 1e-2, "pct": 1e-2, "\u2030": 1e-3, "bp": 1e-4, "bps": 1e-4, "ppm": 1e-6}
_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP"
    " BYN BZD CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP"
    " GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS"
    " KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR"
    " MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF"
    " SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS"
    " UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CODES = frozenset(_ISO_4217.split())
_ALSO_WORDS = "ALL BAM BOB COP CUP GEL KGS LAK MAD MOP PEN RON SOS TOP TRY"
WORDS = frozenset(_ALSO_WORDS.split())
"""Codes that are words too: they count in capital letters."""

_DOLLARS = (
    "AUD BMD BSD BZD CAD FJD GYD HKD JMD KYD NAD NZD SGD SRD TTD TWD USD XCD ARS CLP COP MXN UYU"
)
SYMBOLS = {
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
PHRASES = [
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
RAISED = str.maketrans({"\u207b": "-", "\u2070": "0", "\u00b9": "1", "\u00b2": "2", "\u00b3": "3"})
INVERSE = re.compile(r"([^\W\d_]+|[\ue000-\ue002])\^?-1(?!\d)")
TOKEN = re.compile(
    r"(?P<power>10\^\d+)|(?P<number>\d+(?:[.,\u2019' ]\d{3})*(?:[.,]\d+)?)(?!\d)|(?P<mark>[/,;()])"
    r"|(?P<own>[\ue000-\ue002])"
    r"|(?P<word>m\^3|(?:us|usd|u|a|au|c|ca|nz|hk|s|nt|r)?\$s?|[^\W\d_]+"
    r"|[%\u2030\u20ac\u00a3\u00a5\u20a9\u20b9\u20bd\u00a2])",
    re.IGNORECASE,
)
OWN = {"quantity": "\ue000", "money": "\ue001", "time": "\ue002"}
