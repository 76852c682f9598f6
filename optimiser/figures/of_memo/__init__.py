"""The memo of decision on a plan: its parts, in no format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimiser.figures.figure import Figured
from optimiser.figures.of_memo import (
    cost_risk,
    left_choices,
    proof_facts,
    stock_bought,
    time_charts,
    to_sign,
    weighty_inputs,
)
from optimiser.figures.of_memo.memo_content import (
    SIGNERS,
    Memo,
    MemoGround,
    MemoPart,
)
from optimiser.figures.of_memo.memo_text import legible, legible_figure
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import doubts
from stockpile_model.amounts import count

PartMaker = Callable[[MemoGround], Iterator[Figured]]

PARTS: Sequence[tuple[str, PartMaker]] = (
    ("Sign and order now", to_sign.figures),
    ("What it buys", stock_bought.figures),
    ("What it costs, and what could go wrong", cost_risk.figures),
    ("Stock and cash over time", time_charts.figures),
    ("What was not chosen, and why", left_choices.figures),
    ("The assumptions that carry it", weighty_inputs.figures),
    ("Proof", proof_facts.figures),
)
"""The parts of a memo in the order in which they are read."""

LONGEST_TITLE = 120  # characters


def memo_of(ground: MemoGround) -> Memo:
    """Return the memo of a plan. Where its audit fails there is nothing to sign."""
    plan = ground.plan
    parts = (
        MemoPart(title, tuple(legible_figure(each) for each in figures(ground)))
        for title, figures in PARTS
    )
    return Memo(
        title=legible(plan.title or "Stockpile plan", LONGEST_TITLE),
        doubts=tuple(map(legible, _doubts(ground))),
        lead=(legible(to_sign.lead(plan)),),
        facts=legible(_facts(plan)),
        parts=tuple(each for each in parts if each.figures),
        signatures=() if ground.audit.fails else SIGNERS,
    )


def _doubts(ground: MemoGround) -> Iterator[str]:
    if ground.audit.fails:
        yield f"Do not sign: {ground.audit.said}"
    yield from doubts(ground.plan)


def _facts(plan: Plan) -> str:
    calendar = plan.stockpile.calendar
    return (
        f"{count(calendar.periods, 'period')} of {count(calendar.months, 'month')}, "
        f"{calendar.begin(0)} to {calendar.end(calendar.periods - 1)}. Quantities in {plan.unit},"
        f" money in {plan.currency} of {calendar.begin(0)}, undiscounted unless it says otherwise."
    )
