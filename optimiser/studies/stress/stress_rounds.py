"""A stress test: the first decisions of the plan are held, the rest is decided again under each
event, and the cost is compared with that of a plan that knew the event from the start.

A rule of thumb stands beside it: what it would cost to plan without an optimiser.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from optimiser.studies.engine.case import DECISIONS, Case, CaseResult, HeldDecisions
from optimiser.studies.engine.plan_figures import COST
from optimiser.studies.engine.shocks import Shock
from optimiser.studies.kinds.asked import CELL, AnswerTable, Asked, Rounds
from optimiser.studies.stress import stress_columns as titles
from optimiser.studies.stress.rule_of_thumb import BY_THUMB, MOVED
from optimiser.studies.stress.stress_events import LeftOut, StressEvent, StressEvents
from optimiser.studies.stress.stress_rows import StressedPlan, ranked
from optimiser.system.errors import Fault, InputError
from stockpile_model.amounts import count, month, percent
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

KIND = "stress"
EVENTS, THUMB, LEFT_OUT = "stress", "rule of thumb", "left out"
"""The tables of the answer."""
YEAR = 12  # months that are held
AS_IT_IS = ("as it is",)
MOST_NAMED = 3  # events that a sentence names


@dataclass(frozen=True)
class StressAsked(Asked):
    """A stress test of a workbook.

    `hold`: how many months of decisions are held; None: twelve, or half of a horizon that is no
    longer. `scenarios`: in all scenarios of the workbook, not in its base path alone.
    """

    hold: float | None = None
    scenarios: bool = False


def held_periods(stockpile: Stockpile, hold: float | None) -> int:
    """Return how many periods of decisions are held. Raises InputError where there are none, or
    nothing is left to decide.
    """
    calendar = stockpile.calendar
    if hold is not None:
        periods = calendar.whole(hold)
        if periods is None or not 0 < periods < calendar.periods:
            most = (calendar.periods - 1) * calendar.months
            said = (
                f"must be a whole number of periods of {count(calendar.months, 'month')}, at least"
                f" one and at most {count(most, 'month')}, found {hold:g}"
            )
            raise InputError([Fault("hold", said)])
        return periods
    year = YEAR // calendar.months
    if year < calendar.periods:
        return year
    if calendar.periods > 1:
        return calendar.periods // 2
    cell = stockpile.address(Settings.TABLE, 0, "periods")
    raise InputError(
        [Fault(cell, "a horizon of one period leaves nothing to decide again: add some")]
    )


def rounds(asked: Asked) -> Rounds:
    """Plan as it is and by the rule of thumb, then under each event: held, and known."""
    hold, everywhere = (
        (asked.hold, asked.scenarios) if isinstance(asked, StressAsked) else (None, False)
    )
    until = held_periods(asked.stockpile, hold)
    since = asked.stockpile.calendar.begin(until)
    base = Case(view=AS_IT_IS, shock=Shock(since), decides=until, note="the plan")
    thumb = Case(view=(BY_THUMB,), shock=Shock(since), note="the plan by the rule of thumb")
    all_of_it = Case(
        view=AS_IT_IS, shock=Shock(since, (), everywhere), decides=until, note="the plan"
    )
    plan, alone, by_thumb = yield [all_of_it, base, thumb]
    found = StressEvents(asked.stockpile, until, everywhere)
    if plan.objective is None:
        said = f"There is no plan to be put under stress: {plan.ended}."
        return [AnswerTable(EVENTS, said, ("event",), [])]
    decisions = str(plan.figures[DECISIONS])
    pairs = [pair for each in found.events for pair in _pair(each, decisions)]
    ended = yield pairs
    scale, settings = asked.stockpile.scale, asked.stockpile.settings
    begin, first = asked.stockpile.calendar.begin, settings.objective == "shortfall_first"
    rows = [
        StressedPlan(each, begin(each.until), plan, *two, scale, first)
        for each, two in zip(found.events, zip(ended[::2], ended[1::2], strict=True), strict=True)
    ]
    page = StressPage(asked, until, everywhere, plan, ranked(rows))
    tables = [page.events(), _thumb_table(asked, alone, by_thumb)]
    return tables + ([_left_out(found.left_out)] if found.left_out else [])


def _pair(event: StressEvent, decisions: str) -> tuple[Case, Case]:
    """Return the case of an event with the first decisions held, and with it known from the
    start.
    """
    held = HeldDecisions(event.until, decisions) if event.until else None
    return (
        Case(view=AS_IT_IS, shock=event.shock, held=held, note=f"{event.what}, decisions held"),
        Case(view=AS_IT_IS, shock=event.shock, note=f"{event.what}, known from the start"),
    )


@dataclass(frozen=True)
class StressPage:
    """The page that an auditor reads: each event with its figures, the gravest first."""

    asked: Asked
    until: int
    everywhere: bool
    plan: CaseResult
    rows: Sequence[StressedPlan]

    def events(self) -> AnswerTable:
        """Return the table of the events."""
        rows = [[*self._row(k)] for k in range(len(self.rows))]
        return AnswerTable(EVENTS, "\n".join(self._said()), self._header(), rows)

    def _said(self) -> Iterator[str]:
        """Yield what the test says, in sentences."""
        calendar = self.asked.stockpile.calendar
        months = count(self.until * calendar.months, "month")
        where = "in all scenarios" if self.everywhere else "in the base path"
        yield (
            f"The plan costs {self.asked.paid(self.plan.objective or 0.0)} {where}. What it decides"
            f" in its first {months} ({month(calendar.begin(0))} to"
            f" {month(calendar.begin(self.until - 1))}) is held; then one of"
            f" {count(len(self.rows), 'event')} becomes known, and the rest is decided again."
        )
        yield from self._named("no plan keeps every limit", lambda each: each.stuck)
        yield from self._named("no plan is known", lambda each: each.unknown)
        costs = [each for each in self.rows if each.more[0] is not None]
        if costs:
            worst = max(costs, key=lambda each: each.more[0] or 0.0)
            yield (
                f"The dearest is {worst.event.what}: {self.asked.paid(worst.more[0] or 0.0)} more"
                f" ({self._span(worst.more)})."
            )
        regrets = [each for each in self.rows if each.regret[0] is not None]
        if regrets:
            worst = max(regrets, key=lambda each: each.regret[0] or 0.0)
            if self.asked.paid(worst.regret[0] or 0.0) == self.asked.paid(0.0):
                yield "To have known of one of them from the start would save nothing."
                return
            yield (
                f"The largest regret is {self.asked.paid(worst.regret[0] or 0.0)}"
                f" ({self._span(worst.regret)}): so much less it would cost to have known of"
                f" {worst.event.what} from the start."
            )

    def _named(self, ending: str, which: Callable[[StressedPlan], bool]) -> Iterator[str]:
        """Yield how many events end so, with the names of the first."""
        found = [each.event.what for each in self.rows if which(each)]
        if found:
            more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            names = ", ".join(found[:MOST_NAMED])
            yield f"After {count(len(found), 'event')} {ending}: {names}{more}."

    def _span(self, found: tuple[float | None, float | None, float | None]) -> str:
        """Return the proven range of a figure in words."""
        _, least, most = found
        if None not in found and len({self.asked.paid(each or 0.0) for each in found}) == 1:
            return "proven"
        low = "not proven from below" if least is None else f"at least {self.asked.paid(least)}"
        high = "not proven from above" if most is None else f"at most {self.asked.paid(most)}"
        return f"{low}, {high}"

    def _header(self) -> tuple[str, ...]:
        money, unit = self.asked.money, self.asked.unit
        return (
            titles.EVENT,
            titles.RANK,
            CELL,
            titles.KNOWN_FROM,
            f"{titles.MORE} [{money}]",
            f"{titles.MORE_LEAST} [{money}]",
            f"{titles.MORE_MOST} [{money}]",
            f"{titles.SHORT} [{unit}]",
            f"{titles.SHORTER} [{unit}]",
            f"{titles.REGRET} [{money}]",
            f"{titles.REGRET_LEAST} [{money}]",
            f"{titles.REGRET_MOST} [{money}]",
            f"{titles.COST} [{money}]",
            f"{titles.BOUND} [{money}]",
            f"{titles.KNOWN_COST} [{money}]",
            f"{titles.KNOWN_BOUND} [{money}]",
            titles.IMPOSSIBLE,
            titles.CHANGES,
        )

    def _row(self, k: int) -> Iterator[object]:
        each = self.rows[k]
        since: dt.date = each.since
        yield from (each.event.what, k + 1, each.event.cell, since, *each.more)
        yield from (each.short, each.shorter, *each.regret, each.held.objective, each.held.bound)
        yield from (each.least, each.known.bound, each.impossible or None)
        yield "; ".join(map(str, each.event.shock.changes))


def _thumb_table(asked: Asked, plan: CaseResult, thumb: CaseResult) -> AnswerTable:
    """Return the plan and the rule of thumb side by side, in the base path."""
    money, header = asked.money, ("figure", "unit", "plan", "rule of thumb", "saved by the plan")
    if thumb.objective is None or plan.objective is None:
        said = f"By the rule of thumb there is no plan in the base path: {thumb.ended}."
        return AnswerTable(THUMB, said, header, [])
    saved, moved = thumb.objective - plan.objective, thumb.number(MOVED) or 0.0
    least = "" if thumb.bound is None else f", at least {asked.paid(thumb.bound - plan.objective)}"
    said = (
        f"The plan saves {asked.paid(saved)} against the rule of thumb in the base path{least}:"
        " cheapest landed first, even buying from milestone to milestone of the targets, lowest"
        " floors, oldest out first. To keep every limit of the workbook"
        f" {percent(moved)} of what the rule asks for was ordered or signed otherwise."
    )
    rows: list[tuple[object, ...]] = [
        ("objective", money, plan.objective, thumb.objective, saved),
        ("proven bound", money, plan.bound, thumb.bound, None),
    ]
    names = [each for each in plan.figures if each.startswith(f"{COST} ")]
    for name, unit in [*((each, money) for each in names), *((q, asked.unit) for q in QUANTITIES)]:
        one, other = plan.number(name) or 0.0, thumb.number(name) or 0.0
        if one or other or name in QUANTITIES:
            label = name.removeprefix(f"{COST} ").replace("_", " ")
            rows.append((label, unit, one, other, other - one))
    return AnswerTable(THUMB, said, header, rows)


QUANTITIES = ("shortfall", "waste")  # figures of both plans


def _left_out(found: Sequence[LeftOut]) -> AnswerTable:
    """Return the cells that no event changes, with the reason."""
    said = f"{count(len(found), 'cell')} had no event."
    return AnswerTable(LEFT_OUT, said, (CELL, "why"), [(each.cell, each.why) for each in found])
