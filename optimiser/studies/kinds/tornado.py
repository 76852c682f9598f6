"""Tornado: each input at its low and at its high, all others as they are.

The inputs are ranked by the swing of the cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.study_sheet.study_inputs import Input

SHOWN = 3  # cells of a reason that a sentence names
ROUNDING = 1e-12  # share of a cost below which a difference of two is rounding


@dataclass(frozen=True)
class _Swings:
    """The inputs ranked by their swings, and those at an end of which there is no plan."""

    rows: list[tuple[object, ...]]
    without_plan: list[str]


def rounds(asked: Asked) -> Rounds:
    """Run each input at its ends, and rank the inputs."""
    base, *ends = yield _cases(asked)
    swings = _swings(asked, base, ends)
    money, unit = asked.money, asked.unit
    header = (
        "input",
        "low",
        "high",
        f"cost at low, more than as it is [{money}]",
        f"cost at high, more than as it is [{money}]",
        f"largest swing [{money}]",
        f"shortfall at low [{unit}]",
        f"shortfall at high [{unit}]",
        "unit",
        "remark",
    )
    axis = f"{asked.least}, more than as it is [{money}]"
    answer = _answer(asked, base, swings.rows, swings.without_plan)
    tables = [AnswerTable("tornado", answer, header, swings.rows, "tornado", (3, 4), axis)]
    return [*tables, *_left_out(asked)]


def _cases(asked: Asked) -> list[Case]:
    """Return the case as it is, and one for each end of each input."""
    nothing: list[float | None] = [None] * len(asked.inputs)
    cases = [asked.case(*nothing, note="as it is")]
    for k, each in enumerate(asked.inputs):
        for side, value in (("low", each.low), ("high", each.high)):
            values = [*nothing[:k], value, *nothing[k + 1 :]]
            cases.append(asked.case(*values, note=f"{side} of {each.name}"))
    return cases


def _swings(asked: Asked, base: CaseResult, ends: Sequence[CaseResult]) -> _Swings:
    """Return the swing of each input, the largest first.

    What leaves no plan at an end matters most, and stands first: it has no swing.
    """
    pairs = [*zip(ends[::2], ends[1::2], strict=True)]
    without = [
        each.name
        for each, pair in zip(asked.inputs, pairs, strict=True)
        if any(end.status == "infeasible" for end in pair)
    ]
    rows = [_row(asked, base, each, *pair) for each, pair in zip(asked.inputs, pairs, strict=True)]
    rows.sort(key=lambda row: (row[0] not in without, -figure(row[5] or 0.0)))
    return _Swings(rows, without)


def _row(
    asked: Asked, base: CaseResult, each: Input, low: CaseResult, high: CaseResult
) -> tuple[object, ...]:
    """Return the row of an input, given how it ended at its low and at its high."""
    changes = [_change(base, low), _change(base, high)]
    swing = max((abs(one) for one in changes if one is not None), default=None)
    blind = swing is not None and swing <= asked.gap * abs(base.objective or 0.0)
    ended = [
        f"{side}: {end.ended}" for side, end in (("low", low), ("high", high)) if not end.planned
    ]
    remark = "; ".join(ended) or ("within the gap: may be nothing" if blind else "")
    short = low.number("shortfall"), high.number("shortfall")
    return (each.name, each.low, each.high, *changes, swing, *short, each.unit, remark)


def _left_out(asked: Asked) -> Iterator[AnswerTable]:
    """Yield the cells that a study of all inputs leaves out."""
    if asked.left_out:
        left = [(reason, cell) for reason, cells in asked.left_out.items() for cell in cells]
        counts = "; ".join(
            f"{len(cells):,} of {reason}" for reason, cells in asked.left_out.items()
        )
        said = f"{len(left):,} cells were not moved: {counts}."
        yield AnswerTable("left out", said, ("reason", "cell"), left)


def _answer(
    asked: Asked, base: CaseResult, rows: Sequence[Sequence[object]], first: Sequence[str]
) -> str:
    """Say which input moves the cost most, and by how much."""
    if base.objective is None:
        return f"As it is there is no plan to compare with: {base.ended}."
    parts = (
        [
            f"At an end of {', '.join(first[:SHOWN])}{' and others' if len(first) > SHOWN else ''}"
            " no plan keeps every limit."
        ]
        if first
        else []
    )
    swings = [(str(row[0]), row[3], row[4]) for row in rows if row[5]]
    swings.sort(
        key=lambda each: -max(abs(float(one)) for one in each[1:] if isinstance(one, float))
    )
    if not swings:
        parts.append("No other input moves the cost." if first else "No input moves the cost.")
    else:
        name, low, high = swings[0]
        at, by = max(
            ((end, one) for end, one in (("low", low), ("high", high)) if isinstance(one, float)),
            key=lambda each: abs(each[1]),
        )
        parts.append(
            f"{name} moves the cost most, by {asked.paid(abs(by))} ({'more' if by > 0 else 'less'}"
            f" at its {at})"
        )
        if abs(by) <= asked.gap * abs(base.objective):
            parts[-1] += ", which is within the gap and may be nothing"
        elif len(swings) > 1:
            other = max(abs(float(one)) for one in swings[1][1:] if isinstance(one, float))
            parts[-1] += f"; next is {swings[1][0]}, by {asked.paid(other)}"
        parts[-1] += "."
    parts.append(f"As it is the plan costs {asked.paid(base.objective)}.")
    open_ = sum("not run" in str(row[-1]) for row in rows)
    return " ".join([*parts, f"{open_:,} inputs were not run at both ends."] if open_ else parts)


def _change(base: CaseResult, end: CaseResult) -> float | None:
    """Return how much more an end costs than the base; 0 where that is only rounding."""
    if base.objective is None or end.objective is None:
        return None
    more = end.objective - base.objective
    return 0.0 if abs(more) <= ROUNDING * abs(base.objective) else more
