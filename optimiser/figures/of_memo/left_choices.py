"""What was not chosen, and why, as far as that is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimiser.figures.figure import FigureColumn, FigureLine, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.figures.of_memo.memo_text import legible, named
from optimiser.plan.plan import Plan
from optimiser.plan.reasons import SHORT, TIMES, Reason, is_beaten, stop_of
from stockpile_model import amounts

NAME = "not chosen"
MOST = 6
LONGEST_REASON = 170  # characters
UNPROVEN = 'what keeps it out takes a re-solve: "stockpile solve --reasons"'


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield what is not used over the whole horizon, the best explained first."""
    plan = ground.plan
    rows = [each for each in plan.of(Reason) if each.choice != SHORT]
    whole = [each for each in rows if each.fiscal_year is None]
    left = [each for each in whole if not each.used]
    if not left:
        said = "Everything on offer is used." if whole else "The plan gives no reasons."
        yield TextFigure(NAME, "", (said,))
        return
    signed = {each.name for each in whole if each.used and each.level}
    others = [each for each in left if not (each.level and each.name in signed)]
    lines = [(each, _why(plan, each, rows)) for each in others]
    lines.sort(key=lambda each: each[1] == UNPROVEN)
    if lines:
        yield _table(plan, lines[:MOST])
    yield from _more(len(lines), len(left) - len(others))


def _more(choices: int, levels: int) -> Iterator[TextFigure]:
    """Yield how many choices the table leaves out, and how many levels of signed contracts."""
    more = []
    if choices > MOST:
        more.append(f"{amounts.count(choices - MOST, 'more choice')} not used")
    if levels:
        more.append(f"{amounts.count(levels, 'other level')} of contracts that are signed")
    if more:
        begin = "And " if choices else "Not chosen: "
        said = f"{begin}{' and '.join(more)}: see the sheet reasons."
        yield TextFigure("more not chosen", "", (said,))


def _table(plan: Plan, lines: Sequence[tuple[Reason, str]]) -> TableFigure:
    return TableFigure(
        NAME,
        "",
        (
            FigureColumn("Not chosen"),
            FigureColumn(f"Landed [{plan.currency}/{plan.unit}]"),
            FigureColumn("Why"),
        ),
        tuple(
            FigureLine(
                (
                    f"{each.choice} {named(each.name)}"
                    + (f" {named(each.level)}" if each.level and each.level != each.name else ""),
                    "" if each.landed is None or each.unit == TIMES else amounts.price(each.landed),
                    legible(why, LONGEST_REASON),
                )
            )
            for each, why in lines
        ),
    )


def _why(plan: Plan, row: Reason, rows: Sequence[Reason]) -> str:
    """Return why something is not used: what would change that, else what beats or stops it, by
    year."""
    if row.found_by and row.change is not None:
        unit = (row.change_unit or "").replace("money", plan.currency)
        return (
            f"enters the plan once it is {amounts.price(row.change)} {unit} better ({row.found_by})"
        )
    if row.stopped_by:
        return stop_of(row)
    own = [
        each
        for each in rows
        if (each.choice, each.name, each.level) == (row.choice, row.name, row.level)
        and each.fiscal_year is not None
    ]
    spans: list[tuple[str, str, str]] = []
    for each in own:
        why = f"beaten by {named(each.beaten_by)}" if is_beaten(each) else stop_of(each)
        year = str(each.fiscal_year)
        if spans and spans[-1][2] == why:
            spans[-1] = (spans[-1][0], year, why)
        else:
            spans.append((year, year, why))
    said = [
        f"{first if first == last else f'{first} to {last}'}: {why}"
        for first, last, why in spans
        if why
    ]
    if said:
        return "; ".join(said)
    return UNPROVEN if not row.found_by else row.reason
