"""What makes two texts the same name, how a name is shown, and which names are nearly alike.

A spreadsheet hides much of what a text holds: a non-breaking space, a letter and its accent as two
characters, a soft hyphen that came with a paste. Wherever a text is an identity it counts by
`identity`, and only by that.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator

LONGEST = 255
"""Characters of a name: above any name that is meant, below what a sheet or chart cannot show."""

# What prints nothing: control characters but white space, soft hyphens, joiners, marks of
# direction, variation selectors …
_UNSEEN = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A second dot, as the small letter of a Turkish capital has it.
_DOTTED = re.compile("([ij])\u0307")
# Letters and marks that print as a Latin letter, or nearly, in small or in capitals.
_ALIKE = str.maketrans(
    "авсеніјкморѕтухӏԁԛԝһ" + "αβεζηικμνορτυχ" + "ıøłđħ" + "’‘ʼ`´‐‒–—−",
    "abcehijkmopstyxldqwh" + "abezhikmnoptyx" + "ioldh" + "'''''-----",
)


def clean(written: str) -> str:
    """Return a text as it is shown.

    It is composed (NFC), each run of white space as one space, trimmed, without characters that
    print nothing.
    """
    if not written.isascii() or not written.isprintable():
        written = unicodedata.normalize("NFC", _UNSEEN.sub("", written))
    return " ".join(written.split())


@functools.lru_cache(maxsize=1 << 16)
def identity(written: str) -> str:
    """Return what a text is as a name: two texts are one name where this is equal.

    It has any case, compatible forms of a letter (NFKC) as one, white space as in `clean`, and no
    characters that print nothing.
    """
    if written.isascii() and written.isprintable():
        return " ".join(written.split()).casefold()
    for _ in range(2):  # a folded letter may be one that composes, or folds, once more
        written = unicodedata.normalize(
            "NFKC", unicodedata.normalize("NFKC", _UNSEEN.sub("", written)).casefold()
        )
        written = unicodedata.normalize(
            "NFKC", _DOTTED.sub(r"\1", unicodedata.normalize("NFD", written))
        )
    return " ".join(_UNSEEN.sub("", written).split())


def outline(written: str) -> str:
    """Return what a reader sees of a name at a glance.

    It has no accents, and letters of other scripts as the Latin ones that they look like.
    """
    plain = unicodedata.normalize("NFKD", identity(written))
    return "".join(each for each in plain if not unicodedata.combining(each)).translate(_ALIKE)


def differing(written: str, other: str) -> str:
    """Return ` (with U+0301)`: the characters that another text which looks like it lacks.

    It is blank where the two look different, or are one in all but case.
    """
    if written == other or outline(written) != outline(other):
        return ""
    own = [
        each
        for each in dict.fromkeys(written)
        if each not in other and not (each.isascii() and each.isprintable())
    ]
    return f" (with {', '.join(f'U+{ord(each):04X}' for each in own)})" if own else ""


def printable(written: str) -> str:
    """Return a text as a terminal may show it; lines stay lines.

    What does not print, or turns the direction of what follows, stands as its escape.
    """
    if written.isprintable():
        return written
    return "".join(
        each if each == "\n" or unicodedata.category(each) not in _CONTROLS else repr(each)[1:-1]
        for each in written
    )


_CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")


# --- Slips of one letter ---


_MOST_NAMES = 5_000  # of more, what they name is no group


def slips(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the names that are one letter apart from another, each with the first such.

    Names are given by their identities. Two that exchange neighbours are one letter apart too.
    Names of three letters and less have no slips, nor has what numbers things: digits, a letter
    that stands alone, Roman numerals. Two names one letter apart are the same without one letter of
    each, so only those are compared that are: the time grows with the length of the names, not with
    the square of their number.
    """
    names = [*names]
    without: dict[int, list[int]] = {}
    for place, name in enumerate(names if len(names) <= _MOST_NAMES else ()):
        cut = {hash(name), *(hash(name[:k] + name[k + 1 :]) for k in range(len(name)))}
        near = sorted({other for each in cut for other in without.get(each, ())[:_MOST_ALIKE]})
        if found := next((names[k] for k in near if one_apart(names[k], name)), None):
            yield found, name
        for each in cut:
            without.setdefault(each, []).append(place)


_MOST_ALIKE = (
    20  # names that are the same without one letter: beyond these they are no slips of each other
)


def one_apart(one: str, other: str) -> bool:
    """Return whether two names differ by one letter: another, one more, or two exchanged."""
    if one == other or abs(len(one) - len(other)) > 1 or len(one) + len(other) < 7:
        return False
    k = next(
        (k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    short, long = sorted((one, other), key=len)
    same = len(one) == len(other)
    exchanged = same and one[k : k + 2] == other[k : k + 2][::-1] and one[k + 2 :] == other[k + 2 :]
    if not exchanged and (one[k + 1 :] != other[k + 1 :] if same else short[k:] != long[k + 1 :]):
        return False
    return not (_numbers(_word(one, k)) and _numbers(_word(other, k)))


def _word(name: str, k: int) -> str:
    """Return the word that holds a place of a name."""
    return name[name.rfind(" ", 0, k) + 1 :].partition(" ")[0]


def _numbers(word: str) -> bool:
    return (
        len(word) <= 1
        or any(each.isdigit() for each in word)
        or re.fullmatch("[ivx]+", word) is not None
    )
