"""What makes two texts one name, how a name is shown, and which names are so alike that one may be
a slip.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile_model.names import clean, identity, one_apart, printable, slips
from stockpile_model.schema import apart, nearest
from stockpile_model.values import normal, unitless


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("South Korea", "South\xa0Korea"),
        ("South Korea", " south \t KOREA\n"),
        ("South Korea", "South\u2007\u3000Korea"),
        ("South Korea", "South\u200b Kor\u00adea\ufeff"),
        ("Cor\u00e9e", "Core\u0301e"),
        ("Cor\u00e9e", "CORE\u200d\u0301E"),
        ("Neo 1", "\uff2e\uff25\uff2f\u3000\uff11"),
        ("fluorite", "\ufb02uorite"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u0130stanbul", "ISTANBUL"),
        ("\u0130zmir", "i\u0307zmir"),
        ("\u03a3\u03af\u03c6\u03bd\u03bf\u03c2", "\u03a3\u038a\u03a6\u039d\u039f\u03a3"),
        ("a", "\x1ba\u202e\ufe0f"),
    ],
)
def test_one_name(one: str, other: str) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("China", "Ch\u00edna"), ("China", "Chin\u0430"), ("New York", "NewYork"), ("a-b", "a b")],
)
def test_two_names(one: str, other: str) -> None:
    assert identity(one) != identity(other)


@given(st.text(max_size=12), st.text(max_size=12))
def test_an_identity_is_its_own_and_that_of_what_is_shown(said: str, other: str) -> None:
    one = identity(said)
    assert identity(one) == one == identity(clean(said)) == identity(f"\u00a0{clean(said)}\u200b")
    assert clean(clean(said)) == clean(said)
    if identity(other) == one:
        assert one_apart(one, identity(other)) is False


def test_a_name_is_shown_as_it_is_written_without_what_does_not_print() -> None:
    assert clean(" Core\u0301e\xa0 du\u00ad \x1b Sud\u200b ") == "Cor\u00e9e du Sud"
    assert printable("\x1b[31ma\u202eb\nc\u00e9") == "\\x1b[31ma\\u202eb\nc\u00e9"


def test_names_that_look_alike_are_shown_with_what_differs() -> None:
    assert apart("Chi\u0301na", "China") == "'Chi\u0301na' (with U+0301)"
    assert apart("South\xa0Korea", "South Korea") == "'South\\xa0Korea' (with U+00A0)"
    assert apart("China", "Chin\u0430") == "'China'"
    assert nearest("\u041c\u0435\u0442\u0430", ["Meta", "Moto"]) == " (did you mean 'Meta'?)"
    assert nearest("Meta", ["\u041ceta"]) == " (did you mean '\u041ceta' (with U+041C)?)"
    assert apart("spot", "Trader") == "'spot'"


@pytest.mark.parametrize(
    ("one", "other"),
    [("germany", "germny"), ("germany", "germanyy"), ("germany", "gemrany"), ("germany", "garmany"), ("china", "chin\u0430"),
     ("army depot", "army depots")],
)  # fmt: skip
def test_names_one_letter_apart(one: str, other: str) -> None:
    assert one_apart(one, other)
    assert one_apart(other, one)
    assert [*slips(["peru", one, "chile", other])] == [(one, other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("lot 1", "lot 2"), ("lot 1", "lot 11"), ("nds25", "nds26"), ("depot a", "depot b"), ("phase i", "phase ii"), ("us", "uk"),
     ("dod", "doe"), ("germany", "germany"), ("germany", "gmany"), ("abcd", "bcde"), ("neo performance", "neo performances inc")],
)  # fmt: skip
def test_names_that_are_no_slips(one: str, other: str) -> None:
    assert not one_apart(one, other)
    assert [*slips([one, other])] == []


def test_of_several_near_names_the_first_is_named_in_every_process() -> None:
    """A set of hashes of text has another order in each process."""
    code = "from stockpile_model.names import slips; print([*slips(['marco', 'marta', 'marca'])])"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": "models"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(8)
    }
    assert said == {"[('marco', 'marca')]\n"}


def test_slips_are_looked_for_in_one_pass() -> None:
    """A thousand names that are far from each other, and a hundred that are all one letter apart:
    each is reported once.
    """
    far = [
        f"{'abcdefghij'[k % 10] * 3}{'klmnopqrst'[k // 10 % 10] * 3}{'uvwxyzabcd'[k // 100] * 3}"
        for k in range(1000)
    ]
    assert [*slips(far)] == []
    near = [f"depot {chr(ord('a') + k // 10)}x{chr(ord('a') + k % 10)}" for k in range(100)]
    assert len([*slips(near)]) == 99


@pytest.mark.parametrize(
    ("title", "name"),
    [("price [USD/kg]", "price"), ("price [USD [2026]/kg]", "price"), ("Lead\xa0time  months", "lead_time_months"),
     ("Pri\u00adce", "price"), ("\uff50rice \uff3bkg\uff3d", "price"), ("a [b", "a_[b"), ("a]", "a]"), ("[kg]", "")],
)  # fmt: skip
def test_titles(title: str, name: str) -> None:
    assert normal(title) == name
    assert identity(unitless(title)).replace(" ", "_") == name
