"""Threshold: the value of an input at which a decision flips, by bisection.

At each value the plan is made twice, with the decision forced and with it forbidden. The decision
is proven where what one costs at least is more than what the other costs at most, so the interval
that is given holds whatever the gap. Where the two overlap the decision is open: both are as good,
within the gap.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Literal

from optimiser.studies.engine.case import Case, CaseResult, Commit
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.study_sheet.study_table import TARGET, decision

STEPS = 10
Verdict = Literal["yes", "no", "open"]


def rounds(asked: Asked) -> Rounds:
    """Search the value at which a decision flips, by bisection."""
    (moved,) = asked.inputs
    rows: list[tuple[object, ...]] = []
    low, high = moved.low, moved.high
    results = yield [each for value in (low, high) for each in _cases(asked, value)]
    size = len(results) // 2
    ends = [_verdict(asked, results[:size]), _verdict(asked, results[size:])]
    rows += [_row(low, ends[0], results[:size]), _row(high, ends[1], results[size:])]
    if "open" not in ends and ends[0] != ends[1]:
        left, right = low, high  # the largest value proven as at low, the smallest as at high
        inner_left, inner_right = low, high
        for _ in range(asked.study.steps or STEPS):
            # Each side is narrowed against what is open in between.
            middle = moved.snap((inner_left + inner_right) / 2)
            if middle in (inner_left, inner_right):  # there is no value in between
                return [_table(asked, rows, left, right, ends)]
            found = yield _cases(asked, middle)
            verdict = _verdict(asked, found)
            rows.append(_row(middle, verdict, found))
            if verdict == ends[0]:
                left = inner_left = middle
            elif verdict == ends[1]:
                right = inner_right = middle
            else:
                break
        else:
            return [_table(asked, rows, left, right, ends)]
        left, right = yield from _around(asked, middle, left, right, ends, rows)
        return [_table(asked, rows, left, right, ends)]
    return [_table(asked, rows, None, None, ends)]


def _around(
    asked: Asked,
    middle: float,
    left: float,
    right: float,
    ends: list[Verdict],
    rows: list[tuple[object, ...]],
) -> Generator[Sequence[Case], list[CaseResult], tuple[float, float]]:
    """Return the proven ends around a value at which the decision is open."""
    for side in (0, 1):
        open_end = middle
        for _ in range((asked.study.steps or STEPS) // 2):
            value = asked.inputs[0].snap(((left if side == 0 else right) + open_end) / 2)
            if value in (left, right, open_end):
                break
            found = yield _cases(asked, value)
            verdict = _verdict(asked, found)
            rows.append(_row(value, verdict, found))
            if verdict == ends[side]:
                left, right = (value, right) if side == 0 else (left, value)
            else:
                open_end = value
    return left, right


def _cases(asked: Asked, value: float) -> list[Case]:
    kind, name, level = decision(asked.study)
    if kind == TARGET:
        return [asked.case(value, note="nothing short", limit=("shortfall", 0.0))]
    forced = Commit(kind, name, level, "at_least", 1.0)
    never = Commit(kind, name, level, "exactly", 0.0)
    return [
        asked.case(value, note=said, commits=(commit,))
        for said, commit in (("done", forced), ("not done", never))
    ]


def _verdict(asked: Asked, found: list[CaseResult]) -> Verdict:
    if decision(asked.study)[0] == TARGET:
        return "yes" if found[0].planned else "no" if found[0].status == "infeasible" else "open"
    done, undone = found
    if _dearer(undone, done):
        return "yes"
    return "no" if _dearer(done, undone) else "open"


def _dearer(one: CaseResult, other: CaseResult) -> bool:
    """Return whether one is proven to cost more, or to be impossible where the other is not.

    A decision that cannot be taken is refused.
    """
    if not other.planned or other.objective is None:
        return False
    if one.status in ("infeasible", "refused"):
        return True
    return one.bound is not None and one.bound > other.objective + 1e-9 * abs(other.objective)


def _row(value: float, verdict: Verdict, found: list[CaseResult]) -> tuple[object, ...]:
    return (
        value,
        verdict,
        *(each for one in found for each in (one.objective, one.bound, one.status)),
    )


def _table(
    asked: Asked,
    rows: list[tuple[object, ...]],
    left: float | None,
    right: float | None,
    ends: list[Verdict],
) -> AnswerTable:
    kind, name, level = decision(asked.study)
    what = (
        "every target and all demand can be met"
        if kind == TARGET
        else f"{kind} {name}" + (f" at {level}" if level else "")
    )
    (moved,) = asked.inputs
    shown = (
        {"yes": "yes", "no": "no", "open": "not known"}
        if kind == TARGET
        else {"yes": "is right", "no": "is not", "open": "is as good as not, within the gap"}
    )
    unit = f" {moved.unit}" if moved.unit else ""
    if left is None or right is None:
        said = (
            f"{what}: {shown[ends[0]]} at {moved.low:.6g}{unit}, {shown[ends[1]]} at"
            f" {moved.high:.6g}{unit} of {moved.name}: "
        )
        said += "no flip is proven."
    else:
        said = (
            f"{what}: {shown[ends[0]]} up to {left:.6g}{unit}, {shown[ends[1]]} from"
            f" {right:.6g}{unit} of {moved.name} on, both proven."
        )
    failed = [one for row in rows for one in row[2:] if one in ("failed", "crashed", "not run")]
    if failed:
        said += (
            f" {len(failed)} runs have no result ({', '.join(map(str, dict.fromkeys(failed)))}): it"
            " is open what they would say."
        )
    names = ["nothing short"] if kind == TARGET else ["done", "not done"]
    header = (
        moved.label,
        "decision",
        *(
            f"{one} {each}"
            for one in names
            for each in (f"cost [{asked.money}]", f"bound [{asked.money}]", "status")
        ),
    )
    drawn, axis = ((2,), (2, 5))[kind != TARGET], f"{asked.least} [{asked.money}]"
    return AnswerTable(
        "threshold", said, header, sorted(rows, key=lambda row: figure(row[0])), "line", drawn, axis
    )
