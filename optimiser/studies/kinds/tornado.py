"""Tornado: each input at its low and at its high, all others as they are, ranked by how far the cost swings."""

from __future__ import annotations

from optimiser.studies.case import Result
from optimiser.studies.kinds.asked import Asked, Rounds, Table


def rounds(asked: Asked) -> Rounds:
    cases = [asked.case(*[None] * len(asked.inputs), note="as it is")]
    for k, each in enumerate(asked.inputs):
        for side, value in (("low", each.low), ("high", each.high)):
            values: list[float | None] = [None] * len(asked.inputs)
            values[k] = value
            cases.append(asked.case(*values, note=f"{side} of {each.name}"))
    base, *ends = yield cases
    rows = []
    for k, each in enumerate(asked.inputs):
        low, high = ends[2 * k : 2 * k + 2]
        changes = [_change(base, low), _change(base, high)]
        swing = max((abs(one) for one in changes if one is not None), default=None)
        blind = swing is not None and swing <= asked.gap * abs(base.objective or 0.0)
        said = "; ".join(f"{side}: {one.status}" for side, one in (("low", low), ("high", high)) if not one.planned)
        told = said or ("within the gap: may be nothing" if blind else "")
        rows.append((each.name, each.low, each.high, *changes, swing, low.number("shortfall"), high.number("shortfall"), told))
    # What leaves no plan at an end matters most; what cannot be changed so is no swing.
    rows.sort(key=lambda row: ("infeasible" not in str(row[8]), -float(row[5] or 0.0)))
    header = (
        *("input", "low", "high", f"cost at low, more than as it is [{asked.money}]", f"cost at high, more than as it is [{asked.money}]"),
        *(f"largest swing [{asked.money}]", f"shortfall at low [{asked.unit}]", f"shortfall at high [{asked.unit}]", "remark"),
    )
    shown = "no plan as it is" if base.objective is None else f"as it is the plan costs {base.objective:,.0f} {asked.money}"
    return [Table("tornado", f"What moves the cost most; {shown}.", header, rows, "tornado")]


def _change(base: Result, end: Result) -> float | None:
    return None if base.objective is None or end.objective is None else end.objective - base.objective
