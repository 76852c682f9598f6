"""A sound workbook as plain tables, for tests to plant faults in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read

Tables = dict[str, Any]

START = dt.date(2027, 1, 1)
SOUND: Tables = {
    "settings": {"title": "Test", "start": START, "periods": 12},
    "materials": [{"material": "gallium", "shelf_life_months": 12, "shortage_cost": 900}],
    "suppliers": [
        {"supplier": "Metlen", "country": "Greece", "bloc": "allied"},
        {"supplier": "Trader", "country": "China", "bloc": "other"},
    ],
    "offers": [
        {
            "offer": "spot",
            "supplier": "Trader",
            "material": "gallium",
            "price": 300,
            "lot_size": 50,
            "capacity": 500,
        },
        {
            "offer": "indexed",
            "supplier": "Metlen",
            "material": "gallium",
            "price_index": "Rotterdam",
            "premium": 0.1,
            "from": START,
        },
    ],
    "prices": [{"date": START, "Rotterdam": 400}, {"date": dt.date(2027, 7, 1), "Rotterdam": 500}],
    "demand": [{"material": "gallium", "from": START, "to": dt.date(2027, 12, 1), "quantity": 100}],
    "funds": [{"fund": "nds", "uses": "purchase, storage"}],
    "budgets": [{"fund": "nds", "from": START, "amount": 1_000_000}],
}


def faults(path: Path) -> list[str]:
    """What is wrong with a workbook, a line each."""
    with pytest.raises(InputError) as caught:
        read(path)
    told = [str(fault) for fault in caught.value.faults]
    assert str(caught.value).splitlines() == told
    return told
