"""Alternatives: plans that cost little more than the best and do as little as can be of what the
plans before them do.

Hop, skip and jump (Brill, Chang, Hopkins 1982): each next plan minimises the sum of the quantities
that earlier plans took, each weighed by its share in them. One that is like an earlier plan ends
the study.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimiser.studies.engine.case import UNLIKE, Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from stockpile_model import amounts
from stockpile_model.block import tallies

PLANS, SHARE = 5, 0.02
ALIKE = 0.005  # plans that are less unlike are the same


def rounds(asked: Asked) -> Rounds:
    """Search for one plan after the other, each as unlike those before it as can be."""
    share = SHARE if asked.study.high is None else asked.study.high
    (best,) = yield [Case(note="least cost")]
    if best.objective is None:
        said = f"There is no plan to find alternatives to: {best.ended}."
        return [AnswerTable("alternatives", said, ("plan",), [])]
    most = best.objective + share * abs(best.objective)
    plans, wanted, why = [best], asked.study.steps or PLANS, ""
    while len(plans) < wanted and not why:
        (found,) = yield [_next(plans, most)]
        why = _why_no_more(found, plans)
        if not why:
            plans.append(found)
    names = sorted({name for each in plans for name in _decisions(each)})
    header = (
        "plan",
        f"cost [{asked.money}]",
        "more than the best",
        "unlike those before",
        f"shortfall [{asked.unit}]",
        *names,
    )
    rows = [_row(k, plans, names) for k in range(len(plans))]
    said = _answer(asked, best.objective, rows, share)
    said += f". {len(rows)} of {wanted} plans were found: {why}." if why else "."
    return [
        AnswerTable("alternatives", f"{said} Unlike: 0 is the same, 1 nothing alike.", header, rows)
    ]


def _next(plans: list[CaseResult], most: float) -> Case:
    """Return the case of the next plan, which costs `most` at most."""
    return Case(
        note=f"plan {len(plans) + 1}",
        aim="distance",
        avoid=_weights(plans),
        limit=("cost", most),
    )


def _why_no_more(found: CaseResult, plans: list[CaseResult]) -> str:
    """Say why a search was the last; nothing where it brought another plan."""
    if not found.planned:
        return f"the search for the next ended so: {found.ended}"
    if min(_distance(found, other) for other in plans) >= ALIKE:
        return ""
    proven = (
        "there is none that is less alike"
        if found.gap is not None and found.gap <= UNLIKE
        else "none less alike was found in time"
    )
    return f"the next is like one of these to {amounts.percent(1 - ALIKE, 1)}, and {proven}"


def _row(k: int, plans: list[CaseResult], names: Sequence[str]) -> tuple[object, ...]:
    """Return the row of a plan: its cost, how unlike it is, and its decisions."""
    each, best = plans[k], plans[0].objective or 0.0
    cost = each.number("cost") if k else each.objective
    more = None if cost is None else (cost - best) / abs(best or 1.0)
    unlike = None if not k else min(_distance(each, other) for other in plans[:k])
    shown = [each.figures.get(name, 0.0) for name in names]
    return (k + 1, cost, more, unlike, each.number("shortfall"), *shown)


def _answer(asked: Asked, best: float, rows: Sequence[Sequence[object]], share: float) -> str:
    """Say how many other plans there are, and which does most otherwise."""
    said = f"The best plan costs {asked.paid(best)}"
    if len(rows) == 1:
        return said
    others = "1 other costs" if len(rows) == 2 else f"{len(rows) - 1} others cost"
    at, dear, _, far = max(rows[1:], key=lambda row: figure(row[3]))[:4]
    return (
        f"{said}; {others} at most {amounts.percent(share, 1)} more, and plan"
        f" {at}, for {asked.paid(figure(dear))}, does"
        f" {amounts.percent(figure(far))} of it otherwise"
    )


def _quantities() -> dict[str, str]:
    """Return the figures that say how alike plans are, each with its variable."""
    return {
        tally.figure: tally.variable for tally in tallies() if tally.alike and tally.how == "sum"
    }


def _decisions(result: CaseResult) -> dict[str, float]:
    """Return what a plan does, by name."""
    kinds = {tally.figure for tally in tallies() if tally.how in ("sum", "ever")}
    return {
        name: value
        for name, value in result.figures.items()
        if name.split(" ")[0] in kinds and isinstance(value, float) and value
    }


def _weights(plans: list[CaseResult]) -> tuple[tuple[str, float], ...]:
    """Return the share of each decision in all that the plans do, by variable and name."""
    sums: dict[str, float] = {}
    variables = _quantities()
    for each in plans:
        for name, value in _decisions(each).items():
            kind, _, of = name.partition(" ")
            if kind in variables:
                key = f"{variables[kind]} {of}"
                sums[key] = sums.get(key, 0.0) + value
    total = sum(sums.values())
    return tuple(sorted((name, round(value / total, 12)) for name, value in sums.items()))


def _distance(one: CaseResult, other: CaseResult) -> float:
    """Return 1 - Σ min / Σ max over the decisions (Ruzicka)."""
    first, second = _decisions(one), _decisions(other)
    names = first.keys() | second.keys()
    largest = sum(max(first.get(name, 0.0), second.get(name, 0.0)) for name in names)
    return (
        1.0 - sum(min(first.get(name, 0.0), second.get(name, 0.0)) for name in names) / largest
        if largest
        else 0.0
    )
