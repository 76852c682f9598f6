"""What to sign and order now: date, whom, how much, at which price, from which money, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import DAYS, MemoGround
from optimiser.figures.of_memo.memo_text import legible, named
from optimiser.figures.of_memo.signed_steps import every_step, net, steps_now, weight, window
from optimiser.plan.action_rows import Action
from optimiser.plan.plan import Plan
from optimiser.plan.reasons import Reason, is_beaten, stop_of
from stockpile_model import amounts
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.name_lists import names_in
from stockpile_model.solved_plan import counted, parts

NAME = "to sign"
MOST = 10  # steps that are shown
MOST_PAYERS = 1  # appropriations that are named
TIMES = "times"  # the unit of an action that is done once, not by quantity
MOST_OTHERS = 3  # scenarios whose steps are summed up
LONGEST_ACTION, LONGEST_REASON = 64, 130  # characters


def lead(plan: Plan) -> str:
    """Return what is to be decided now, in one sentence."""
    now, (first, last) = steps_now(plan), window(plan)
    if not now:
        return f"Nothing is to be signed or ordered from {first} to {last} ({DAYS} days)."
    return f"To decide from {first} to {last} ({DAYS} days): {_summed(plan, now)}."


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield the steps of the first days, those that carry most money where there are many."""
    plan, now = ground.plan, steps_now(ground.plan)
    weightiest = sorted(now, key=weight)[:MOST]
    shown = [each for each in now if each in weightiest]
    if shown:
        yield _table(plan, shown)
    rest = [each for each in now if each not in weightiest]
    said = [*_more(plan, rest), *_next(plan, now), *_others(plan)]
    if said:
        yield TextFigure("on what to sign", "", tuple(said))


def _summed(plan: Plan, steps: Sequence[Action]) -> str:
    """Return how many steps there are, what they cost and what they bring in."""
    amounts_of = [net(each) or 0.0 for each in steps]
    paid = math.fsum(each for each in amounts_of if each > 0)
    got = math.fsum(-each for each in amounts_of if each < 0)
    said = amounts.count(len(steps), "action")
    if paid or not got:
        said += f" that cost {_money(plan, paid)} in all"
    if got:
        said += f"{' and' if paid else ' that'} bring in {_money(plan, got)}"
    return said


def _more(plan: Plan, rest: Sequence[Action]) -> Iterator[str]:
    """Yield what is not shown, and where it stands."""
    if rest:
        sheets = amounts.listed([*dict.fromkeys(each.sheet for each in rest)])
        many = "s" if len({each.sheet for each in rest}) > 1 else ""
        yield f"And more: {_summed(plan, rest)}. See the sheet{many} {sheets}."


def _next(plan: Plan, now: Sequence[Action]) -> Iterator[str]:
    """Yield what comes first where nothing is to be done now."""
    first, _ = window(plan)
    after = next((each for each in every_step(plan) if each.date >= first), None)
    if not now and after is not None:
        yield f"The first action: {after.details}."


def _others(plan: Plan) -> Iterator[str]:
    """Yield in which scenarios something else is done in these days."""
    if not parts(plan):
        return
    (first, last), base = window(plan), counted(plan.stockpile)
    early = [
        each
        for each in plan.of(ScenarioOutcome)
        if each.scenario != base and first <= (each.revealed or last) <= last and each.revealed
    ]
    if not early:
        yield "They are the same in every scenario: none is known before these days are over."
        return
    for each in early[:MOST_OTHERS]:
        assert each.revealed is not None
        yield (
            f"What is due from {amounts.month(each.revealed)} on is that of {base}. Should"
            f" {each.scenario} be known by then, it is {_summed(plan, _since(plan, each))}."
        )
    if len(early) > MOST_OTHERS:
        yield f"So it is of {len(early) - MOST_OTHERS:,} more scenarios."


def _since(plan: Plan, outcome: ScenarioOutcome) -> list[Action]:
    """Return the steps of a scenario from the day on which it is known."""
    begins = outcome.revealed or window(plan)[0]
    return [each for each in steps_now(plan, outcome.scenario) if each.date >= begins]


# --- The table ------------------------------------------------------------------------------------


def _table(plan: Plan, shown: Sequence[Action]) -> TableFigure:
    funded = any(each.appropriation for each in shown)
    money = Precision("money", [found for each in shown if (found := net(each)) is not None])
    price = Precision("money/quantity", [each.price for each in shown if each.price is not None])
    columns = (
        FigureColumn("Sign by"),
        FigureColumn("Action"),
        FigureColumn("With"),
        FigureColumn("Quantity"),
        FigureColumn(f"Price [{plan.currency}/{plan.unit}]", price),
        FigureColumn(f"Cost in all [{plan.currency}]", money),
        *((FigureColumn("Appropriation"),) if funded else ()),
        FigureColumn("Why"),
    )
    lines = tuple(
        FigureLine(
            (
                each.sign_by.isoformat(),
                legible(f"{each.number} {each.what}", LONGEST_ACTION),
                named(each.supplier),
                _quantity(plan, each),
                each.price,
                net(each),
                *((_payers(each),) if funded else ()),
                _why(plan, each),
            )
        )
        for each in shown
    )
    return TableFigure(NAME, "", columns, lines, _caption(plan, shown))


def _caption(plan: Plan, shown: Sequence[Action]) -> str:
    """Return what prices and costs are."""
    mean = ", expected over the scenarios" if parts(plan) else ""
    said = [
        f"Costs are all that is paid for it in the horizon{mean}. Landed: with duty and freight, in"
        " its fiscal year; the place is among what is used of its kind."
    ]
    if any(each.measure == TIMES and each.price is not None for each in shown):
        said.append("The price of a signature is its floor.")
    if any((net(each) or 0.0) < 0 for each in shown):
        said.append("Below zero it is received.")
    return " ".join(said)


def _quantity(plan: Plan, step: Action) -> str:
    """Return what is signed: under a contract it is that of a year."""
    if step.signed_quantity is None:
        return ""
    year = "/year" if step.measure == TIMES else ""
    return f"{amounts.stated(step.signed_quantity)} {plan.unit}{year}"


def _payers(step: Action) -> str:
    """Return who pays for an action, those that pay first."""
    names = names_in(step.appropriation or "")
    more = f" and {len(names) - MOST_PAYERS} more" if len(names) > MOST_PAYERS else ""
    return ", ".join(map(named, names[:MOST_PAYERS])) + more


def _why(plan: Plan, step: Action) -> str:
    """Return what the sheet of reasons says of a step in its fiscal year: what a unit costs, what
    that beats, and which limit it fills."""
    calendar = plan.stockpile.calendar
    year = f"FY{calendar.fiscal_year(calendar.period(step.date))}"
    own = {
        each.fiscal_year: each
        for each in plan.of(Reason)
        if each.used and each.name == step.name and each.level == step.level
    }
    row, whole = own.get(year, own.get(None)), own.get(None)
    if row is None or whole is None:
        return ""
    said = []
    if row.landed is not None:
        earns = row.landed < 0
        amount = amounts.price(abs(row.landed))
        said.append(f"earns {amount}" if earns else f"{amount} landed")
    if rank := _rank(plan, row):
        said.append(rank)
    if beaten := _beaten(plan, row):
        said.append(f"beats {beaten}")
    if limit := stop_of(row) or stop_of(whole):
        itself = f" of {row.choice} {row.name} ("  # the line is about it
        said.append(f"limit: {limit.replace(itself, ' (')}")
    return legible("; ".join(said), LONGEST_REASON)


def _rank(plan: Plan, row: Reason) -> str:
    """Return the place of a source among those of its kind that are used in a year."""
    alike = [
        each
        for each in plan.of(Reason)
        if each.used
        and (each.choice, each.material, each.fiscal_year)
        == (row.choice, row.material, row.fiscal_year)
        and each.landed is not None
    ]
    if row.fiscal_year is None or row.landed is None:
        return ""
    if len(alike) == 1:
        return "the only one of its kind used"
    place = 1 + sum((each.landed or 0.0) < row.landed for each in alike)
    by = "receipts" if row.landed < 0 else "cost"
    return f"{_ordinal(place)} of {len(alike)} by {by}"


def _ordinal(place: int) -> str:
    """Return a place in words: 1st, 2nd, 3rd, 4th …"""
    teens = place % 100 in (11, 12, 13)
    return f"{place}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def _beaten(plan: Plan, row: Reason) -> str:
    """Return the cheapest of what a source beats in a year; blank where it beats nothing."""
    label = " ".join(filter(None, (row.name, row.level)))
    beaten = [
        each
        for each in plan.of(Reason)
        if each.fiscal_year == row.fiscal_year
        and each.material == row.material
        and each.beaten_by == label
        and each.name != row.name
        and is_beaten(each)
        and (each.landed or 0.0) > (row.landed or 0.0)
    ]
    if not beaten or row.fiscal_year is None:
        return ""
    least = min(beaten, key=lambda each: each.landed or 0.0)  # the next best
    cost = amounts.price(least.landed or 0.0)
    return f"{named(least.name)} at {cost}"


def _money(plan: Plan, amount: float) -> str:
    return f"{amounts.rounded(amount)} {plan.currency}"
