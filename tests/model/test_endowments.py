"""Endowments: what a group of buyers could get without the others."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.endowments import Endowment, limited
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.part import alone
from tests.support.accept import (
    book,
    budget,
    commitment,
    contract,
    endowment,
    faults,
    floor,
    fund,
    least_cost,
    offer,
    site,
    warnings,
)

BUYERS = (site("depot", buyer="army"), site("base", buyer="navy"), site("port", buyer="guard"))
MEANS = (
    offer(capacity=10, total=40), offer("open"), contract(), floor(5, 60),
    fund(), budget(900),
)  # fmt: skip
PARTS = (
    endowment("spot", "army", 0.5), endowment("spot", "navy", 0.3), endowment("spot", "guard", 0.2),
    endowment("offtake", "army", 0.25), endowment("offtake", "navy", 0.75), endowment("nds", "guard", 1),
)  # fmt: skip


@pytest.mark.parametrize(
    ("group", "offers", "yearly", "money"),
    [
        (("army",), (5, 20), 15, 0),
        (("army", "navy"), (8, 32), 60, 0),
        (("guard",), (2, 8), 0, 900),
        (("guard", "navy"), (5, 20), 45, 900),
    ],
)
def test_a_group_has_the_parts_of_its_members(
    group: tuple[str, ...], offers: tuple[float, float], yearly: float, money: float
) -> None:
    found = alone(book(*BUYERS, *MEANS, *PARTS), group)
    spot, without_limit = found.rows(Offer)
    assert (spot.capacity, spot.total) == pytest.approx(offers)
    assert (without_limit.capacity, without_limit.total) == (None, None)
    assert [row.annual_quantity for row in found.rows(Floor)] == pytest.approx([yearly])
    assert [row.amount for row in found.rows(Budget)] == pytest.approx([money])
    assert found.rows(Endowment) == ()


def test_a_part_of_a_contract_binds_to_a_part_of_what_it_binds_to() -> None:
    whole = contract(least_total=80, prepayment=40, credit=2, option_price=12, upside_cap=8)
    means = (*MEANS[:2], whole, *MEANS[3:])
    (found,) = alone(book(*BUYERS, *means, *PARTS), ("army",)).rows(Contract)
    amounts = (found.least_total, found.prepayment, found.option_price, found.upside_cap)
    assert amounts == pytest.approx((20, 10, 3, 2))
    assert found.credit == 2  # of each unit


def test_a_part_of_a_contract_has_come_as_far_as_the_whole() -> None:
    """Of 40 called off, 20 of a prepayment left and 6 received a quarter is the army's."""
    far: dict[str, float] = {"called_off": 40, "prepayment_left": 20, "upside_received": 6}
    rows = (
        commitment("sign", "offtake", t=-3, level="low", **far),
        commitment("order", "spot", 8, 0),
    )
    for group, part in (("army",), 0.25), (("army", "navy"), 1.0), (("guard",), 0.0):
        signed, order = alone(book(*BUYERS, *MEANS, *PARTS, *rows), group).rows(Commitment)
        assert {name: getattr(signed, name) for name in far} == {
            name: amount * part for name, amount in far.items()
        }
        assert (order.quantity, order.called_off) == (8, None)
    blank = alone(book(*BUYERS, *MEANS, *PARTS, commitment("sign", "offtake", t=-3)), ("army",))
    assert [row.called_off for row in blank.rows(Commitment)] == [None]
    assert "offtake" in limited(book(*BUYERS, *MEANS, *PARTS, *rows))


def test_a_group_pays_what_its_part_of_a_running_contract_still_owes() -> None:
    """120 a year at 2 were signed in October, and 30 called off since. January to September owe 90
    more, and 30 of prepayment lessen them. The army's quarter owes 22.5 at 2, less 7.5: 37.5.
    """
    sites = (site("depot", buyer="army"), site("base", buyer="navy"))
    signed = commitment("sign", "offtake", t=-3, level="low", called_off=30, prepayment_left=30)
    parts = (endowment("offtake", "army", 0.25), endowment("offtake", "navy", 0.75))
    terms = contract(term_months=12, prepayment=60, credit=1, flex=12), floor(2, 120)
    whole = book(*sites, *terms, signed, *parts, periods=9)
    assert [least_cost(each) for each in (whole, alone(whole, ("army",)))] == pytest.approx(
        [150, 37.5]
    )


def test_what_has_no_row_is_had_whole() -> None:
    found = alone(book(*BUYERS, *MEANS, *PARTS[:3]), ("army",))
    assert [row.annual_quantity for row in found.rows(Floor)] == [60]
    assert limited(found) == ["spot", "offtake", "nds"]


def test_a_name_that_is_none_is_refused() -> None:
    assert faults(book(*BUYERS, *MEANS, endowment("spott", "army", 0.5))) == [
        "endowments.name: 'spott' is no offer, contract, or fund with appropriations (did you"
        " mean 'spot'?)"
    ]


def test_a_name_that_is_an_offer_and_a_contract_is_refused() -> None:
    """Both had the part, though the row may speak of one of them."""
    twins = (offer("offtake", capacity=10), contract(), floor(5, 60))
    assert faults(book(*BUYERS, *twins)) == []
    assert faults(book(*BUYERS, *twins, endowment("offtake", "army", 1))) == [
        "endowments.name: 'offtake' may be the offer offtake and the contract offtake: give one of"
        " them another name"
    ]


def test_more_than_the_whole_is_refused_and_less_is_remarked() -> None:
    parts = (endowment("spot", name, 0.4) for name in ("army", "navy", "guard"))
    most = (*BUYERS, *MEANS, *parts)
    assert [each.split(": ", 1)[1] for each in faults(book(*most))] == [
        "the shares of spot add up to 1.2, more than all of it; lower one"
    ]
    thirds = (endowment("spot", name, 1 / 3) for name in ("army", "navy", "guard"))
    assert faults(book(*BUYERS, *MEANS, *thirds)) == []
    assert any("add up to 0.8" in each for each in warnings(book(*most[:-1])))
