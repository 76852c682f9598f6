"""Cost shares: what each buyer would pay alone, and its fair part of the cost for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs import cooperative_games
from optimiser.studies.what_ifs.cooperative_games import Game
from optimiser.studies.what_ifs.what_if import WhatIf
from optimiser.system.errors import Fault, InputError
from stockpile_model.blocks.endowments import Endowment, limited
from stockpile_model.name_lists import list_of
from stockpile_model.part import alone
from stockpile_model.schema import Result, column
from stockpile_model.stockpile import Stockpile

VIEW = "buyers"
MOST_BUYERS = 6  # of n buyers there are 2^n - 2 groups to plan for


@dataclass(frozen=True, kw_only=True)
class CostShare(Result):
    """Describe what a buyer would pay alone, and its part of the plan for all by two rules of
    fairness."""

    SHEET = "shares"
    ABOUT = "what each buyer would pay alone, and its fair part of the cost"
    PLACE = 84
    ALWAYS = False
    BRIEF = "Buyers"
    buyer: str = column("buyer")
    alone: float | None = column(
        "cost of a plan for this buyer alone, with its part of what `endowments` names and all of"
        " the rest; blank = none is known",
        "money",
    )
    share: float | None = column(
        "part of the cost of the plan for all by Shapley's rule, the average of what its joining"
        " adds; blank = of a group of buyers no plan is known",
        "money",
    )
    saving: float | None = column("what buying together saves it by that rule", "money")
    nucleolus: float | None = column(
        "part of that cost by the nucleolus, which makes the group that saves least save most;"
        " blank = of a group of buyers no plan is known",
        "money",
    )
    all_of: str | None = column(
        "what is limited, shared and in no row of `endowments`: every group was planned with all of"
        " it, though together there is only as much",
        several=True,
    )


@dataclass(frozen=True, kw_only=True)
class GroupShare(Result):
    """Describe what a group of buyers would pay alone, and whether it would do better so."""

    SHEET = "groups"
    ABOUT = "what each group of buyers would pay alone, and whether it would do better so"
    PLACE = 85
    ALWAYS = False
    BRIEF = "Groups of buyers"
    group: str = column("buyers of the group", several=True)
    alone: float | None = column(
        "cost of a plan for this group alone; blank = none is known", "money"
    )
    alone_bound: float | None = column("proven least cost of any plan for this group", "money")
    share: float | None = column("what its buyers pay by Shapley's rule", "money")
    better_alone: str | None = column(
        "whether it would do better alone than by that rule: yes, no, or not proven within the gap"
    )
    nucleolus: float | None = column("what its buyers pay by the nucleolus", "money")
    better_than_nucleolus: str | None = column(
        "whether it would do better alone than by the nucleolus; where any group would, some group"
        " would whatever the split"
    )


@dataclass(frozen=True)
class Alone:
    """Describe how the plan for a group of buyers ends: its cost and proven bound, where there are
    any."""

    cost: float | None
    bound: float | None = None


def buyers(stockpile: Stockpile) -> list[str]:
    """Return the owners of sites, by name."""
    return sorted(buyer for buyer in stockpile.owners if buyer is not None)


def groups(stockpile: Stockpile) -> list[tuple[str, ...]]:
    """Return every group of buyers but none and all."""
    return cooperative_games.groups(buyers(stockpile))


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
    split = CostSplit.of(plan.stockpile, plan.objective, results)
    return replace(
        plan,
        rows={**plan.rows, CostShare: tuple(split.shares()), GroupShare: tuple(split.groups())},
    )


@dataclass(frozen=True)
class CostSplit:
    """The cost of a plan for all buyers, split among them.

    `all_of`: for each buyer the names of what every group was planned with all of. `alone`: how the
    plan for each group ends. `shapley` and `nucleolus`: what each buyer pays by the two rules
    [money]; empty where of a group no plan is known.
    """

    all_of: Mapping[str, Sequence[str]]
    alone: Mapping[tuple[str, ...], Alone]
    shapley: Mapping[str, float]
    nucleolus: Mapping[str, float]
    noise: float

    @classmethod
    def of(cls, stockpile: Stockpile, whole: float, results: Sequence[CaseResult]) -> CostSplit:
        """Return the split of a cost, given how the cases of all groups ended."""
        ended = {
            group: Alone(each.objective, each.bound)
            for group, each in zip(groups(stockpile), results, strict=True)
        }
        return cls.made(_all_of(stockpile), whole, ended)

    @classmethod
    def made(
        cls,
        all_of: Mapping[str, Sequence[str]],
        whole: float,
        ended: Mapping[tuple[str, ...], Alone],
    ) -> CostSplit:
        """Return the split of a cost among the buyers that `all_of` names."""
        names = sorted(all_of)
        game: Game = {frozenset(): 0.0, frozenset(names): whole} | {
            frozenset(group): each.cost for group, each in ended.items() if each.cost is not None
        }
        known = len(game) == len(ended) + 2
        return cls(
            all_of,
            ended,
            cooperative_games.shapley(names, game) if known else {},
            cooperative_games.nucleolus(names, game) if known else {},
            cooperative_games.noise(game),
        )

    def shares(self) -> Iterator[CostShare]:
        """Yield a row for each buyer."""
        for name in sorted(self.all_of):
            own, part = self.alone[name,].cost, self.shapley.get(name)
            yield CostShare(
                buyer=name,
                alone=own,
                share=part,
                saving=None if own is None or part is None else own - part,
                nucleolus=self.nucleolus.get(name),
                all_of=list_of(self.all_of[name]) or None,
            )

    def groups(self) -> Iterator[GroupShare]:
        """Yield a row for each group of buyers but none and all."""
        for group, ended in self.alone.items():
            fair = sum(self.shapley[name] for name in group) if self.shapley else None
            least = sum(self.nucleolus[name] for name in group) if self.nucleolus else None
            yield GroupShare(
                group=list_of(group),
                alone=ended.cost,
                alone_bound=ended.bound,
                share=fair,
                better_alone=self._better(ended, fair),
                nucleolus=least,
                better_than_nucleolus=self._better(ended, least),
            )

    def _better(self, ended: Alone, paid: float | None) -> str | None:
        """Return whether a group would do better alone than to pay so much [money]."""
        if paid is None or ended.cost is None:
            return None
        if paid > ended.cost + self.noise:
            return YES
        return NO if ended.bound is not None and paid <= ended.bound + self.noise else OPEN


YES, NO, OPEN = "yes", "no", "not proven"
"""Whether a group of buyers would do better alone."""


def _all_of(stockpile: Stockpile) -> dict[str, list[str]]:
    """Return for each buyer what it shares with others and was planned with all of, alone."""
    own = {name: limited(alone(stockpile, [name])) for name in buyers(stockpile)}
    named = {row.name for row in stockpile.rows(Endowment)}
    return {
        name: [
            each
            for each in found
            if each not in named
            and any(each in theirs for other, theirs in own.items() if other != name)
        ]
        for name, found in own.items()
    }


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
    split = CostSplit.of(asked.stockpile, whole.objective, others)
    return [_shares_table(asked, whole.objective, split), _groups_table(asked, split)]


def _shares_table(asked: Asked, whole: float, split: CostSplit) -> AnswerTable:
    found = [*split.shares()]
    saved = sum(each.saving or 0.0 for each in found)
    less = f"{asked.paid(abs(saved))} {'less' if saved >= 0 else 'more'}"
    said = (
        f"Together the buyers pay {asked.paid(whole)}, {less} than each alone."
        if split.shapley
        else f"Together the buyers pay {asked.paid(whole)}; of some group of them no plan is known,"
        " so no share is worked out."
    )
    header = (
        "buyer",
        f"alone [{asked.money}]",
        f"share [{asked.money}]",
        f"saving [{asked.money}]",
        f"nucleolus [{asked.money}]",
        "all of",
    )
    rows = [
        (each.buyer, each.alone, each.share, each.saving, each.nucleolus, each.all_of)
        for each in found
    ]
    return AnswerTable("shares", said, header, rows)


def _groups_table(asked: Asked, split: CostSplit) -> AnswerTable:
    found = [*split.groups()]
    header = (
        "group",
        f"alone [{asked.money}]",
        f"alone bound [{asked.money}]",
        f"share [{asked.money}]",
        "better alone",
        f"nucleolus [{asked.money}]",
        "better than nucleolus",
    )
    rows = [
        (
            each.group,
            each.alone,
            each.alone_bound,
            each.share,
            each.better_alone,
            each.nucleolus,
            each.better_than_nucleolus,
        )
        for each in found
    ]
    return AnswerTable("groups", stability(found), header, rows)


def stability(found: Sequence[GroupShare]) -> str:
    """Return in a sentence whether any group of buyers would do better alone."""
    better = [each.group for each in found if each.better_alone == YES]
    by_any = [each.group for each in found if each.better_than_nucleolus == YES]
    kept = all(each.better_alone == NO for each in found)
    if by_any:
        return (
            f"Whatever the split, some group would do better alone: by the nucleolus {by_any[0]}."
        )
    if better:
        return (
            f"By Shapley's rule {'; '.join(better)} would do better alone; by the nucleolus no"
            " group is known to."
        )
    if kept:
        return "By Shapley's rule no group of buyers would do better alone."
    return "No group of buyers is known to do better alone; for some that is not proven."


COST_SHARES = WhatIf(
    kind="cost_shares",
    refuse=refuse,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(CostShare, GroupShare),
)
