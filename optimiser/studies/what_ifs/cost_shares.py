"""Cost shares: what each buyer would pay alone, and its fair part of the cost for all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf
from optimiser.system.errors import Fault, InputError
from stockpile_model.schema import Result, column
from stockpile_model.stockpile import Stockpile

VIEW = "buyers"
MOST_BUYERS = 6  # of n buyers there are 2^n - 2 groups to plan for


@dataclass(frozen=True, kw_only=True)
class CostShare(Result):
    """What a buyer would pay alone and, by Shapley's rule, as its part of the plan for all: the
    average, over every order in which the buyers could have joined, of what its joining adds (L. S.
    Shapley, A value for n-person games, 1953).
    """

    SHEET = "shares"
    ABOUT = "what each buyer would pay alone, and its fair part of the cost"
    PLACE = 84
    ALWAYS = False
    BRIEF = "Buyers"
    buyer: str = column("buyer")
    alone: float | None = column(
        "cost of a plan for this buyer alone, with all offers, outlets and shared funds to itself;"
        " blank = it has none",
        "money",
    )
    share: float | None = column(
        "fair part of the cost of the plan for all; blank = a group of buyers has no plan", "money"
    )
    saving: float | None = column("what buying together saves it", "money")


def buyers(stockpile: Stockpile) -> list[str]:
    """Return the owners of sites, by name."""
    return sorted(buyer for buyer in stockpile.owners if buyer is not None)


def groups(stockpile: Stockpile) -> list[tuple[str, ...]]:
    """Return every group of buyers but none and all."""
    names = buyers(stockpile)
    return [group for size in range(1, len(names)) for group in itertools.combinations(names, size)]


def refuse(stockpile: Stockpile) -> None:
    """Raise InputError where there is nothing to split, or there are too many buyers."""
    found = len(buyers(stockpile))
    if not 2 <= found <= MOST_BUYERS:
        cell = stockpile.address("sites", 0)
        raise InputError(
            [Fault(cell, f"--shares needs 2 to {MOST_BUYERS} buyers that own sites, found {found}")]
        )


def cases(plan: Plan) -> list[Case]:
    """Return a case for each group of buyers."""
    return _cases(plan.stockpile)


def _cases(stockpile: Stockpile) -> list[Case]:
    return [
        Case(view=(VIEW, *group), note=f"{', '.join(group)} alone") for group in groups(stockpile)
    ]


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with a fair split of its cost over the buyers."""
    costs = {
        group: each.objective for group, each in zip(groups(plan.stockpile), results, strict=True)
    }
    return replace(
        plan,
        rows={**plan.rows, CostShare: tuple(shares(buyers(plan.stockpile), plan.objective, costs))},
    )


def shares(
    names: Sequence[str], whole: float, costs: Mapping[tuple[str, ...], float | None]
) -> Iterator[CostShare]:
    """Yield a row for each buyer.

    `whole` is the cost of the plan for all; `costs` that of every group, None where it has no plan.
    """
    known: dict[frozenset[str], float | None] = {
        frozenset(group): cost for group, cost in costs.items()
    }
    known |= {frozenset(): 0.0, frozenset(names): whole}
    game = {group: cost for group, cost in known.items() if cost is not None}
    parts = _shapley(names, game) if len(game) == len(known) else {}
    for name in names:
        own, part = known[frozenset([name])], parts.get(name)
        saving = None if own is None or part is None else own - part
        yield CostShare(buyer=name, alone=own, share=part, saving=saving)


def _shapley(names: Sequence[str], cost: Mapping[frozenset[str], float]) -> dict[str, float]:
    """Return the Shapley value of a game in which a group costs `cost` [money]."""
    found, many = dict.fromkeys(names, 0.0), math.factorial(len(names))
    for group, amount in cost.items():
        for name in names:
            if name not in group:
                weight = (
                    math.factorial(len(group)) * math.factorial(len(names) - len(group) - 1) / many
                )
                found[name] += weight * (cost[group | {name}] - amount)
    return found


def rounds(asked: Asked) -> Rounds:
    """Plan for all buyers, and for each group of them."""
    refuse(asked.stockpile)
    whole, *others = yield [Case(note="all buyers"), *_cases(asked.stockpile)]
    if whole.objective is None:
        return [
            AnswerTable(
                "shares", f"There is no plan for all buyers: {whole.ended}.", ("buyer",), []
            )
        ]
    costs = {
        group: each.objective for group, each in zip(groups(asked.stockpile), others, strict=True)
    }
    found = [*shares(buyers(asked.stockpile), whole.objective, costs)]
    saved = sum(each.saving or 0.0 for each in found)
    said = (
        f"Together the buyers pay {asked.paid(whole.objective)}, {asked.paid(saved)} less than each"
        " alone."
    )
    if any(each.share is None for each in found):
        said = (
            f"Together the buyers pay {asked.paid(whole.objective)}; some group of them has no"
            " plan, so no share is fair."
        )
    header = (
        "buyer",
        f"alone [{asked.money}]",
        f"share [{asked.money}]",
        f"saving [{asked.money}]",
    )
    return [
        AnswerTable(
            "shares",
            said,
            header,
            [(each.buyer, each.alone, each.share, each.saving) for each in found],
        )
    ]


COST_SHARES = WhatIf(
    kind="cost_shares",
    option="shares",
    refuse=refuse,
    cases=cases,
    attach=attach,
    rounds=rounds,
    result=CostShare,
)
