"""Figures in sentences: what an order says is what is to be done, to the last digit."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from optimiser.auditing.findings import apart
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.workbook.write.plan_book import write
from stockpile_model import amounts
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation.rotated import Rotated
from tests.support.planner import planned

SCALES = st.integers(-4, 4).map(lambda power: 10.0**power)


def said(sentence: str, before: str, after: str = " ") -> Decimal:
    """The figure of a sentence between two pieces of text."""
    found = re.search(rf"{re.escape(before)}(-?[\d,]+(?:\.\d+)?){re.escape(after)}", sentence)
    assert found, sentence
    return Decimal(found[1].replace(",", ""))


def order_of(quantity: float, price: float = 1.0, **offer: Any) -> Plan:
    """The plan of a workbook in which just one order makes sense."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 2, "mip_gap": 0},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [
            {
                "offer": "spot",
                "supplier": "plant",
                "material": "ga",
                "price": price,
                "to": "2027-01-31",
                **offer,
            }
        ],
        "demand": [{"material": "ga", "from": "2027-02-01", "quantity": quantity}],
    }
    return audited(make_plan(*planned(tables)))


@pytest.mark.parametrize(
    ("value", "quantity", "money"),
    [
        (12345.75, "12,345.75", "12,345.75"),
        (500.0, "500", "500"),
        (0.5, "0.5", "0.50"),
        (1e-6, "0.000001", "0.000001"),
        (1234567.5, "1,234,567.5", "1,234,567.50"),
        (1e12, "1,000,000,000,000", "1,000,000,000,000"),
        (-0.0, "0", "0"),
        (1e15 / 3, "333,333,333,333,333.3", "333,333,333,333,333.30"),
        (2 / 3, "0.6666666666666666", "0.6666667"),
        (62795.2568, "62,795.2568", "62,795.26"),
        (6.3e-7, "0.00000063", "0.00000063"),
    ],
)
def test_figures_are_written_out(value: float, quantity: str, money: str) -> None:
    assert (amounts.quantity(value), amounts.money(value)) == (quantity, money)


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        (270.18181818, "270.1818"),
        (1000000.49123, "1,000,000.5"),  # seven digits would be another quantity to the audit
        (2468013.5, "2,468,013.5"),
        (123456789.123, "123,456,789"),
        (500 - 2e-9, "500"),
        (2 / 3e4, "0.00006666667"),
        (-0.0, "0"),
        (math.inf, "inf"),
    ],
)
def test_what_is_to_be_done_is_stated_as_exactly_as_it_is_audited(
    value: float, stated: str
) -> None:
    assert amounts.stated(value) == stated


def test_noise_is_cleaned_and_what_was_typed_is_kept() -> None:
    for noisy, clean in [
        (499.99999999998, 500.0),
        (12345.750000000002, 12345.75),
        (0.1 + 0.2, 0.3),
        (12345.6789012, 12345.6789012),
    ]:
        assert amounts.clean(noisy) == clean
    assert amounts.clean(1000 / 3) == pytest.approx(1000 / 3, rel=1e-9)
    assert amounts.snapped(499.99999, [500]) == 500
    assert amounts.snapped(500.00001, most=[500]) == 500
    assert amounts.snapped(499.9, [500]) == 499.9  # no noise: for the audit to refuse
    assert amounts.lots(3, 0.1) == 0.3


def test_per_cent_are_written_one_way() -> None:
    assert [amounts.percent(0.4321), amounts.percent(-0.2, 3, "+")] == ["43 %", "-20.000 %"]
    assert amounts.percent(0.1, 1, "+") == "+10.0 %"


@settings(max_examples=60)
@given(st.floats(-1e12, 1e12).filter(lambda x: not x or abs(x) > 1e-9))
def test_figures_read_back(value: float) -> None:
    assert float(amounts.quantity(value).replace(",", "")) == value
    assert float(amounts.money(value).replace(",", "")) == pytest.approx(value, rel=5.01e-7)
    said = float(amounts.stated(value).replace(",", ""))
    assert said == pytest.approx(value, rel=2 * amounts.STATED, abs=0)
    assert not apart(value, said, noise=abs(value) * 1e-9)
    assert (
        amounts.clean(amounts.clean(value))
        == amounts.clean(value)
        == pytest.approx(value, rel=1e-9)
    )


def test_counts_agree_with_their_words() -> None:
    assert [amounts.count(n, "order") for n in (0, 1, 2, 1200)] == [
        "0 orders",
        "1 order",
        "2 orders",
        "1,200 orders",
    ]
    assert amounts.count(2, "country", "countries") == "2 countries"


@settings(max_examples=25)
@given(st.integers(1, 400), st.sampled_from([0.25, 0.1, 0.3, 7, 1 / 3]), SCALES, st.booleans())
def test_an_order_says_whole_lots_or_its_minimum(
    number: int, step: float, scale: float, lot: bool
) -> None:
    """Whatever the unit, and a need a little below what must be ordered at least."""
    size = float(repr(step * scale)) if lot else float(f"{number * step * scale:.7g}")
    plan = order_of(
        (number - 0.1) * size if lot else size * 0.75,
        3 / scale,
        **({"lot_size": size} if lot else {"minimum_order": size}),
    )
    (order,) = plan.of(Order)
    assert order.ordered == (float(number * Decimal(f"{size:.15g}")) if lot else size)
    assert float(said(order.instruction, "order ")) == order.ordered
    assert float(said(order.instruction, "for ", " USD in all")) == pytest.approx(
        order.paid, rel=5.01e-7
    )
    assert f"Order {amounts.quantity(order.ordered)} kg in 1 order from plant." in plan.verdict


def test_cells_show_what_sentences_say() -> None:
    """No number format rounds what an officer orders, from which lot it goes, or what it costs."""
    for quantity, price in ((12345.75, 1.07), (0.00001234, 700.125), (1234567.125, 1)):
        plan = order_of(quantity, price, lot_size=quantity)
        with TemporaryDirectory() as folder:
            write(plan, Path(folder) / "plan.xlsx")
            sheet = load_workbook(Path(folder) / "plan.xlsx")["orders"]
        (order,) = plan.of(Order)
        header = [str(cell.value).split(" [")[0].replace(" ", "_").lower() for cell in sheet[1]]
        for name in ("ordered", "arriving", "price", "paid"):
            cell = sheet.cell(2, header.index(name) + 1)
            places = cell.number_format.partition(".")[2].count("0")
            shown = f"{cell.value:,.{places}f}"
            assert Decimal(shown.replace(",", "")) == pytest.approx(
                Decimal(repr(getattr(order, name))),
                rel=Decimal("5.01e-7" if name in ("price", "paid") else "1e-8"),
            ), name
        assert math.isclose(float(said(order.instruction, "order ")), quantity, rel_tol=0)


def test_what_is_sold_says_every_digit() -> None:
    tables = {
        "settings": {"start": "2027-01-15", "periods": 1, "mip_gap": 0},
        "materials": [{"material": "ga", "shelf_life_months": 12}],
        "opening_stock": [
            {"lot": "L", "material": "ga", "quantity": 2468013.5, "made": "2026-03-15"}
        ],
        "outlets": [{"outlet": "sale", "material": "ga", "form": "sale", "price": 1.5}],
    }
    (row,) = audited(make_plan(*planned(tables))).of(Rotated)
    assert (
        row.instruction
        == "2027-01-15: sell 2,468,013.5 kg of lot L (ga, stockpile, made 2026-03-15), 2 months of"
        " life left, through sale, for 3,702,020.25 USD"
    )
