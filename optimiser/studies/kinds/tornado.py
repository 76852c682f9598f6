"""Tornado: each input at its low and at its high, all others as they are, ranked by how far the
cost swings.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimiser.studies.engine.case import CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds

SHOWN = 3  # cells of a reason that a sentence names


def rounds(asked: Asked) -> Rounds:
    cases = [asked.case(*[None] * len(asked.inputs), note="as it is")]
    for k, each in enumerate(asked.inputs):
        for side, value in (("low", each.low), ("high", each.high)):
            values: list[float | None] = [None] * len(asked.inputs)
            values[k] = value
            cases.append(asked.case(*values, note=f"{side} of {each.name}"))
    base, *ends = yield cases
    rows, first = [], list[str]()  # first: those at an end of which there is no plan
    for k, each in enumerate(asked.inputs):
        low, high = ends[2 * k : 2 * k + 2]
        changes = [_change(base, low), _change(base, high)]
        swing = max((abs(one) for one in changes if one is not None), default=None)
        blind = swing is not None and swing <= asked.gap * abs(base.objective or 0.0)
        said = "; ".join(
            f"{side}: {one.ended}"
            for side, one in (("low", low), ("high", high))
            if not one.planned
        )
        remark = said or ("within the gap: may be nothing" if blind else "")
        rows.append(
            (
                each.name,
                each.low,
                each.high,
                *changes,
                swing,
                low.number("shortfall"),
                high.number("shortfall"),
                each.unit,
                remark,
            )
        )
        if any(one.status == "infeasible" for one in (low, high)):
            first.append(each.name)
    # What leaves no plan at an end matters most; what cannot be changed so is no swing.
    rows.sort(key=lambda row: (row[0] not in first, -float(row[5] or 0.0)))
    header = (
        *(
            "input",
            "low",
            "high",
            f"cost at low, more than as it is [{asked.money}]",
            f"cost at high, more than as it is [{asked.money}]",
        ),
        *(
            f"largest swing [{asked.money}]",
            f"shortfall at low [{asked.unit}]",
            f"shortfall at high [{asked.unit}]",
            "unit",
            "remark",
        ),
    )
    axis = f"{asked.least}, more than as it is [{asked.money}]"
    tables = [
        AnswerTable(
            "tornado", _answer(asked, base, rows, first), header, rows, "tornado", (3, 4), axis
        )
    ]
    if asked.left_out:
        left = [(reason, cell) for reason, cells in asked.left_out.items() for cell in cells]
        counts = "; ".join(
            f"{len(cells):,} of {reason}" for reason, cells in asked.left_out.items()
        )
        tables.append(
            AnswerTable(
                "left out",
                f"{len(left):,} cells were not moved: {counts}.",
                ("reason", "cell"),
                left,
            )
        )
    return tables


def _answer(
    asked: Asked, base: CaseResult, rows: Sequence[Sequence[object]], first: Sequence[str]
) -> str:
    """Which input moves the cost most, and by how much."""
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
    return (
        None if base.objective is None or end.objective is None else end.objective - base.objective
    )
