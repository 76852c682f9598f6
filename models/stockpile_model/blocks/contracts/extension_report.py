"""Report where contracts are extended, and where they are left to end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, Act
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.contracts.extensions import extension_keys
from stockpile_model.blocks.contracts.option_value import saving
from stockpile_model.blocks.contracts.reliance import delivers
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import ComparedChoice, Dated, column
from stockpile_model.solved_plan import SolvedPlan
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class ExtensionOutcome(Dated):
    """The decision whether a contract that is signed goes on after its term."""

    SHEET = "extensions"
    ABOUT = "which contracts to extend, when and in which scenarios"
    PLACE = 24
    ALWAYS = False
    MEANS = ("date", "contract", "decision")
    DECIDED = "date"
    RANK = 2
    LETTER = "E"
    COMPARED = (ComparedChoice("extension", "contract", "decision", "date", "let it end"),)
    date: dt.date = column("first day of the period of the decision")
    contract: str = column("offtake")
    supplier: str = column("producer")
    material: str = column("material")
    level: str = column("level signed")
    decision: str = column("`extend` or `let it end`")
    months: float = column("by how long it can be extended", "months", given=True)
    paid: float | None = column("price of the option; blank = none paid", "money", given=True)
    first_delivery: dt.date = column("first day of the extension")
    last_delivery: dt.date = column("last day of the extension within the horizon")
    saving: float | None = column(
        "what the extension saves against its index at the even rate, less the option's price, "
        "expected at the decision, discounted; blank = no index",
        "money",
    )
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))

    def act(self, now: Stockpile) -> Act | None:
        """Return the extension to sign; None where the contract ends."""
        if self.decision != "extend":
            return None
        return Act(
            "extension",
            self.date,
            Contract.TABLE,
            self.contract,
            level=self.level,
            supplier=self.supplier,
            material=self.material,
            cost=self.paid,
            invoice=self.paid,
            due=self.date,
        )

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield which contracts are extended, and how likely that is."""
        likely: dict[str, float] = {}
        for each in plan.of(cls):
            chosen = each.probability if each.decision == "extend" else 0.0
            likely[each.contract] = likely.get(each.contract, 0.0) + chosen
        for name, probability in likely.items():
            if probability > 0:
                odds = f" with probability {amounts.percent(probability)}"
                yield f"Extend {name}{'' if probability > 1 - 1e-9 else odds}."


def report(formulation: Formulation) -> Iterator[ExtensionOutcome]:
    """Yield, for each contract that is signed, whether it is extended on each path."""
    m = formulation.m
    for k, f, s in m.SIGNINGS:
        if evaluate(m.sign[k, f, s]) > 0.5:
            for key in extension_keys(m, k, f, delivers(formulation, k, f, s)):
                yield _extension(formulation.stockpile, key, evaluate(m.extend[key]) > 0.5)


def _extension(
    stockpile: Stockpile, key: tuple[str, str, int, int], chosen: bool
) -> ExtensionOutcome:
    """Return the decision at a node, as a person would write it."""
    k, f, first, n = key
    row, calendar = stockpile.at(n).keyed(Contract)[k], stockpile.calendar
    span = terms.extension(stockpile, row, first)
    begin, end = calendar.begin(span.start), calendar.end(span[-1])
    paid = row.option_price if chosen else 0.0
    return ExtensionOutcome(
        **stockpile.where(n),
        date=stockpile.date(n),
        contract=k,
        supplier=row.supplier,
        material=row.material,
        level=f,
        decision="extend" if chosen else "let it end",
        months=row.option_months,
        paid=paid or None,
        first_delivery=begin,
        last_delivery=end,
        saving=saving(stockpile, k, f, first, n),
        instruction=_instruction(stockpile, row, n, begin, paid, chosen),
    )


def _instruction(
    stockpile: Stockpile, row: Contract, n: int, begin: dt.date, paid: float, chosen: bool
) -> str:
    """Return the sentence that extends a contract, or lets it end."""
    term = (
        f"extend {row.contract} with {row.supplier} by {amounts.count(row.option_months, 'month')}"
    )
    when, after = amounts.month(stockpile.date(n)), amounts.month(begin)
    if not chosen:
        return f"{when}: do not {term}: it ends before {after}"
    price = f", and pay {amounts.money(paid)} {stockpile.settings.currency}" if paid else ""
    return f"{when}: {term} from {after}{price}"
