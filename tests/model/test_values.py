"""What a cell may hold, by the kind of its column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stockpile_model.schema import Column, Kind
from stockpile_model.values import Padded, blank, convert, normal, text


def column(kind: Kind, **rest: Any) -> Column:
    return Column(name="x", field="x", kind=kind, meaning="", **rest)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(" a ", "a"), (12.0, "12"), (1.5, "1.5"), (0.1, "0.1"), (1e22, "10000000000000000000000"), (float("inf"), "inf"),
     (True, "TRUE"), (False, "FALSE"), (Padded(7, 3), "007"), (Padded(7.5, 3), "7.5"),
     (dt.date(2027, 1, 2), "2027-01-02"), (dt.datetime(2027, 1, 2), "2027-01-02"), (dt.datetime(2027, 1, 2, 3), "2027-01-02T03:00:00")],
)  # fmt: skip
def test_text(given: Any, expected: str) -> None:
    assert text(given) == convert(column("text"), given) == expected


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [("number", 3, 3.0), ("number", "1e3", 1000.0), ("number", " -1.5 ", -1.5), ("number", ".5", 0.5), ("number", "5.", 5.0),
     ("number", Padded(7, 3), 7.0), ("whole", 12.0, 12), ("whole", "12.0", 12), ("whole", "1e2", 100),
     ("date", "2027-03-01", dt.date(2027, 3, 1)), ("date", " 2027-03-01 10:30 ", dt.date(2027, 3, 1)),
     ("date", "2027-03-01T10:30:00.5Z", dt.date(2027, 3, 1)), ("date", dt.datetime(2027, 3, 1, 23, 59), dt.date(2027, 3, 1)),
     ("yes_no", "Yes", True), ("yes_no", 0, False), ("yes_no", True, True), ("yes_no", " FALSE", False)],
)  # fmt: skip
def test_values(kind: Kind, given: Any, expected: Any) -> None:
    found = convert(column(kind), given)
    assert found == expected
    assert type(found) is type(expected)


ANY = "; write a number such as 1200.5, or leave it blank where there is none"


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [("number", "1_000", "must be a number, found '1_000'" + ANY),
     ("number", "1 200", "must be a number, found '1 200'; write it with a decimal point and without thousands separators, as in 1200.5"),
     ("number", "0,25", "must be a number, found '0,25'; write it with a decimal point and without thousands separators, as in 1200.5"),
     ("number", "$5", "must be a number, found '$5'; write the number alone, without a unit"),
     ("number", "12 months", "must be a number, found '12 months'; write the number alone, without a unit"),
     ("number", "50%", "must be a number, found '50%'; write it as the fraction 0.5"),
     ("number", True, "must be a number, found TRUE" + ANY),
     ("number", "Infinity", "must be a finite number, found 'Infinity'" + ANY),
     ("number", "\u0661", "must be a number, found '\u0661'" + ANY),
     ("whole", 12.5, "must be a whole number, found 12.5; write 12 or 13"),
     ("whole", "x", "must be a number, found 'x'" + ANY),
     ("whole", float("inf"), "must be a finite number, found inf" + ANY),
     ("date", "1.2.2027", "must be a date, found '1.2.2027'; write it as year-month-day, as in 2027-03-31"),
     ("date", "20270301", "must be a date, found '20270301'; write it as year-month-day, as in 2027-03-31"),
     ("date", "2027-13-01", "must be a date of the calendar, found '2027-13-01'; see the month and its last day"),
     ("date", 46000.0, "must be a date, found 46000; as the number of a day that is 2025-12-09: format the cell as a date"),
     ("date", True, "must be a date, found TRUE; write it as year-month-day, as in 2027-03-31"),
     ("date", dt.date(27, 1, 1), "must be a date between 1900 and 2500, found 0027-01-01"),
     ("yes_no", "ja", "must be yes or no, found 'ja'"),
     ("yes_no", 2, "must be yes or no, found '2'")],
)  # fmt: skip
def test_what_is_no_value(kind: Kind, given: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        convert(column(kind), given)
    assert str(caught.value) == message


def test_choices_in_any_case() -> None:
    choices = column("text", choices=("sale", "dispose"))
    assert (convert(choices, " SALE"), convert(choices, "gift")) == ("sale", "gift")
    assert choices.fault("gift").startswith("must be one of sale, dispose, found 'gift'")


def test_lists() -> None:
    names = column("text", many=True)
    assert convert(names, "a; b,c ,, a") == ("a", "b", "c")
    assert convert(names, " , ") == ()
    assert convert(names, 5.0) == ("5",)


def test_blank() -> None:
    assert all(blank(given) for given in (None, "", " \t\n\u00a0"))
    assert not any(blank(given) for given in (0, False, "x"))


def test_normal() -> None:
    assert {
        normal(title)
        for title in (
            "Lead time months",
            "lead_time_months",
            "Lead_time_months [months]",
            " LEAD  time\nmonths",
        )
    } == {"lead_time_months"}
    assert normal("price [USD] [per kg]") == "price_[usd]"
