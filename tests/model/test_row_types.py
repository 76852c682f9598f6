"""What row types say of themselves: their sheets, their order, and what bundles need to know of
them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from optimiser.workbook.result_kinds import sheet_kinds
from stockpile_model.block import results, tables
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.calendar import Calendar
from stockpile_model.schema import Dated, Result, Row, column, columns, in_order

KINDS = sheet_kinds()


@dataclass(frozen=True, kw_only=True)
class Second(Row):
    TABLE, STEP = "second", "need"
    name: str = column("name", refers="first")


@dataclass(frozen=True, kw_only=True)
class First(Row):
    TABLE, STEP = "first", "need"
    name: str = column("name", key=True)


@dataclass(frozen=True, kw_only=True)
class Earlier(Row):
    TABLE, STEP = "earlier", "basis"
    name: str = column("name", refers="earlier")


def test_tables_stand_by_step_and_after_those_they_refer_to() -> None:
    assert in_order([Second, First, Earlier]) == [Earlier, First, Second]


def test_two_tables_that_refer_to_each_other_keep_their_order() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Third(Row):
        TABLE, STEP = "first", "need"
        name: str = column("name", refers="second")

    Third.__annotations__.update(name=str)
    assert in_order([Second, Third]) == [Second, Third]


@pytest.mark.parametrize("kind", tables(), ids=lambda kind: kind.TABLE)
def test_a_table_says_what_it_is_for(kind: type[Row]) -> None:
    assert kind.PURPOSE.endswith(".")


def test_no_two_sheets_stand_in_one_place() -> None:
    assert len({kind.PLACE for kind in KINDS}) == len({kind.SHEET for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.SHEET)
def test_a_sheet_says_what_it_holds(kind: type[Result]) -> None:
    assert kind.ABOUT
    assert not kind.ABOUT.endswith(".")


@pytest.mark.parametrize("kind", results(), ids=lambda kind: kind.SHEET)
def test_what_bundles_read_of_a_row_type_are_columns_of_it(kind: type[Result]) -> None:
    known = {each.name: each for each in columns(kind)}
    assert set(kind.MEANS) <= set(known)
    assert not kind.DECIDED or known[kind.DECIDED].kind == "date"
    for each in known.values():
        assert not each.per or known[each.per].kind == "number"
        assert not (each.per and each.given), "a mean is no input"
    assert kind.MEANS or not (
        kind.DECIDED or any(each.per or each.given or each.expected for each in known.values())
    )


WINDOWS = {
    "2027-02": dt.date(2027, 2, 1),
    "FY2027": dt.date(2027, 9, 1),
    "FY2028": dt.date(2027, 12, 1),
    "horizon": None,
}


@pytest.mark.parametrize(("window", "last"), WINDOWS.items())
def test_a_rule_is_about_its_window(window: str, last: dt.date | None) -> None:
    limits = {"observed": None, "least": None, "most": 1.0, "slack": None}
    row = RuleKept(
        rule="r",
        of="country",
        value=None,
        material=None,
        window=window,
        measure="share",
        binding=False,
        **limits,
    )
    assert row.last_day(Calendar(dt.date(2027, 1, 1), 12, 1, 10)) == last


def test_a_dated_row_is_about_its_date() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Day(Dated):
        date: dt.date = column("day")

    calendar = Calendar(dt.date(2027, 1, 1), 12, 1, 1)
    assert Day(date=dt.date(2027, 3, 1)).last_day(calendar) == dt.date(2027, 3, 1)
    assert Dated().last_day(calendar) is None
