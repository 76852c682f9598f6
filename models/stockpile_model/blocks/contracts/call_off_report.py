"""Report what is called off under contracts whose call-offs are decisions of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, Act
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class CallOff(Dated):
    """A quantity to call off under a contract with a least total, lots or a cost of call-offs."""

    SHEET = "call_offs"
    ABOUT = "what to call off under contracts, when and in which lots"
    PLACE = 22
    RENEWED = True
    ALWAYS = False
    MEANS = ("date", "contract")
    DECIDED = "date"
    RANK = 3
    LETTER = "C"
    date: dt.date = column("first day of the period")
    contract: str = column("offtake")
    supplier: str = column("producer")
    material: str = column("material")
    called_off: float = column("quantity called off", "quantity")
    lots: int | None = column("whole lots called off; blank = none asked for", "lots")
    arriving: float = column("quantity that arrives", "quantity")
    cost: float = column("cost of the call-off", "money")
    relaxed: bool = column("whether it is beyond firm_periods: lots and cost hold on average only")
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))

    def act(self, now: Stockpile) -> Act:
        """Return the call-off to send."""
        return Act(
            "call-off",
            self.date,
            Contract.TABLE,
            self.contract,
            supplier=self.supplier,
            material=self.material,
            quantity=self.called_off,
            expected=self.arriving,
            cost=self.cost or None,
            invoice=self.cost or None,
            due=self.date,
            adds=True,
            relaxed=self.relaxed,
        )


def report(formulation: Formulation) -> Iterator[CallOff]:
    """Yield what the plan calls off, where call-offs are decisions of their own."""
    m, stockpile = formulation.m, formulation.stockpile
    for k, f, d, n in m.TAKES:
        row = stockpile.at(n).keyed(Contract)[k]
        taken = evaluate(m.take[k, f, d, n])
        if terms.calls_off(stockpile, row) and taken > stockpile.scale.nothing:
            yield _call_off(formulation, row, (k, f, d, n))


def _call_off(formulation: Formulation, row: Contract, key: tuple[str, str, int, int]) -> CallOff:
    """Return a call-off under a contract, as a person would write it."""
    m, stockpile, n = formulation.m, formulation.stockpile, key[-1]
    floor = terms.menu(stockpile.at(n))[row.contract][key[1]]
    most, taken, lots = row.flex * terms.even(stockpile, floor), evaluate(m.take[key]), None
    quantity = amounts.snapped(taken, (terms.least_take(stockpile, row, floor),), (most,))
    if (row.contract, n) in m.LOT_CALL_OFFS:
        lots = round(evaluate(m.called_lots[row.contract, n]))
        whole = amounts.lots(lots, terms.lot(stockpile, row) or 0.0)
        quantity = whole if abs(whole - taken) <= amounts.NOISE * whole else taken
    firm = stockpile.firm(n)
    return CallOff(
        **stockpile.where(n),
        date=stockpile.date(n),
        contract=row.contract,
        supplier=row.supplier,
        material=row.material,
        called_off=quantity,
        lots=lots,
        arriving=row.availability * quantity,
        cost=row.call_off_cost * (1.0 if firm else quantity / most),
        relaxed=not firm,
        instruction=_instruction(stockpile, row, n, quantity, lots),
    )


def _instruction(
    stockpile: Stockpile, row: Contract, n: int, quantity: float, lots: int | None
) -> str:
    """Return the sentence that calls off a quantity."""
    indicative = "" if stockpile.firm(n) else ", indicative"
    called = amounts.stated(quantity) if lots is None else amounts.quantity(quantity)
    sentence = (
        f"{amounts.month(stockpile.date(n))}{indicative}: call off {called} "
        f"{stockpile.settings.quantity_unit} of {row.material} from {row.supplier} under "
        f"{row.contract}"
    )
    return sentence if lots is None else f"{sentence}, {amounts.count(lots, 'lot')}"
