"""Roll moves forward: the lots that are between two sites when the first periods are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from stockpile_model.blocks.moves import move_terms
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.moves.moved_lots import MovedLot
from stockpile_model.blocks.stock.lot_terms import OpeningLot, names_held, tests_of, unused
from stockpile_model.names import identity
from stockpile_model.passed import Passed
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield what is under way between two sites, each lot with the move that brings it."""
    taken, tested = names_held(passed), tests_of(passed)
    way: dict[tuple[str, str, dt.date, str, dt.date], float] = {}
    for row in passed.done(MovedLot.SHEET):
        if not passed.over(row["arrives"]):
            key = row["lot"], row["material"], row["made"], row["move"], row["arrives"]
            way[key] = way.get(key, 0.0) + row["quantity"]
    before = map(partial(_still, passed), move_terms.under_way(passed.stockpile))
    found = [lot for lot in before if lot is not None]
    taken |= {identity(each.lot) for each in found}
    moves = {row.move: row for row in passed.rows(SiteMove)}
    for (lot, material, made, name, arrives), quantity in way.items():
        times = tested.get((lot, material, made), 0)
        left = _left(passed, moves[name], passed.calendar.period(arrives), lot)
        if left is not None:
            called = unused(f"{lot} to {moves[name].to_site}", taken)
            found.append(
                OpeningLot(
                    lot=called,
                    material=material,
                    quantity=quantity,
                    made=made,
                    requalified=times or 0,
                    failed=times is None,
                    moved_by=name,
                    left=left,
                )
            )
    yield OpeningLot, found


def _still(passed: Passed, each: move_terms.UnderWay) -> OpeningLot | None:
    """Return a lot that was under way before the plan and still is; None where it has arrived."""
    if each.due < passed.gone:
        return None
    move = next(row for row in passed.rows(SiteMove) if row.move == each.move.move)
    left = _left(passed, move, each.due, each.lot.lot)
    return None if left is None else replace(each.lot, left=left)


def _left(passed: Passed, move: SiteMove, due: int, lot: str) -> dt.date | None:
    """Return the date on which a lot left that arrives when it does by the lead time that holds.

    None where that would not be over: it is said to be stuck.
    """
    left = passed.calendar.begin(due - move_terms.lead(passed.stockpile, move))
    if passed.over(left):
        return left
    passed.stuck.append(
        f"{lot} arrives at {move.to_site} on {passed.calendar.begin(due)}, which the lead time of "
        f"{move.move} now cannot say: go on from a later date"
    )
    return None
