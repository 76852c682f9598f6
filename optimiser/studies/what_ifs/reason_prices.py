"""Reasons by re-solves: at which price whole decisions turn, what each rule costs, and what another
month of a shelf life is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.marginal_values import MarginalValue, in_words
from optimiser.plan.plan import Plan
from optimiser.plan.reasons import (
    NOT_ASKED,
    NOT_FOUND,
    Reason,
    sentence,
    unsettled,
    with_change,
)
from optimiser.plan.turning_prices import RANGING, Changed, typed, unit_of
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import NO_TIME, Case, CaseResult, Commit
from optimiser.studies.engine.turning_case import CHANGE, LEAST, MOST, turn
from optimiser.studies.engine.views import WITHOUT
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf, no_refusal
from stockpile_model import amounts
from stockpile_model.block import choices, lives, waivers
from stockpile_model.changes import Change
from stockpile_model.choice import PlanChoice, Waiver
from stockpile_model.leads import TO_INPUT
from stockpile_model.name_lists import names_in
from stockpile_model.scale import NOISE
from stockpile_model.schema import Result, Row, column, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL

RESOLVE = "re-solve"
BOUND = "bound of a re-solve"
UNASKED = "not asked: time"


@dataclass(frozen=True, kw_only=True)
class RulePrice(Result):
    """Describe what a rule costs: the plan with it, and one without."""

    SHEET = "rule_prices"
    ABOUT = "what each rule costs, and all of a table together: the plan less one without"
    PLACE = 73
    ALWAYS = False
    BRIEF = "What each rule costs"
    rule: str = column("rule, hard target, commitment; or all of a table together")
    cell: str | None = column("cell that sets it; of several, the first", leads=(TO_INPUT,))
    cost_with: float | None = column("cost of the plan, which keeps it", "money")
    cost_without: float | None = column("cost of a plan without it; blank = none known", "money")
    price: float | None = column("the one less the other", "money")
    at_least: float | None = column("what the rule costs is proven to be at least this", "money")
    at_most: float | None = column("and at most this", "money")
    remark: str | None = column("why nothing is known", sentence=True)


Member = tuple[str, str | None]


@dataclass(frozen=True)
class Question:
    """A case, and what it is about: a choice with its name and level, rules, or a duration."""

    case: Case
    choice: PlanChoice | None = None
    member: Member = ("", None)
    used: bool = False
    waived: tuple[Waiver, ...] = ()
    life: tuple[Row, str] | None = None

    @property
    def lump(self) -> bool:
        """Return whether the case does the opposite, so that its cost is compared."""
        return bool(self.case.commits)


Used = Callable[[PlanChoice, Member], bool | None]
"""Whether a plan uses a choice; None where that needs no re-solve."""


def questions(stockpile: Stockpile, used: Used) -> Iterator[Question]:
    """Yield what is to be solved again: for each choice, rule and duration."""
    for choice in choices():
        for member in _members(stockpile, choice):
            uses = used(choice, member)
            if uses is not None and (case := _case(stockpile, choice, member, uses)) is not None:
                yield Question(case, choice, member, uses)
    for waived in _waived(stockpile):
        view = (WITHOUT, *(each.what for each in waived))
        note = f"without {named(waived)}"
        yield Question(Case(view=view, note=note, partial=True), waived=waived)
    for row, name in lives(stockpile):
        key, months = str(get(row, keys(type(row))[0])), float(stockpile.calendar.months)
        change = Change(row.TABLE, key, name, "add", months)
        yield Question(Case(changes=(change,), note=str(change)), life=(row, name))


def _waived(stockpile: Stockpile) -> Iterator[tuple[Waiver, ...]]:
    """Yield each rule alone, and all of a table together where it has several."""
    tables = dict[str, list[Waiver]]()
    for waiver in waivers(stockpile):
        yield (waiver,)
        tables.setdefault(waiver.row.TABLE, []).append(waiver)
    yield from (tuple(each) for each in tables.values() if len(each) > 1)


def named(waived: Sequence[Waiver]) -> str:
    """Return what rules are: the one, or all of a table together."""
    if len(waived) == 1:
        return waived[0].what
    return f"{waived[0].row.TABLE}: all {len(waived)} together"


def _case(stockpile: Stockpile, choice: PlanChoice, member: Member, used: bool) -> Case | None:
    """Return the case that says what would change a choice; None where none does."""
    name, level = member
    if choice.why_not is not None and choice.why_not(stockpile, name):
        return None
    if choice.lever is not None and choice.lever(stockpile, name, level) is not None:
        return turn(choice, name, level, used) if choice.deed else None
    if choice.lever is not None or not choice.deed:
        return None
    how, quantity = ("at_most", 0.0) if used else ("exactly", 1.0)
    note = f"{'without' if used else 'with'} {' '.join(filter(None, member))}"
    commit = Commit(choice.deed, name, level, how, quantity)
    return Case(commits=(commit,), note=note)


def _members(stockpile: Stockpile, choice: PlanChoice) -> Iterator[Member]:
    for name in stockpile.names(choice.table):
        levels = [None] if choice.levels is None else choice.levels(stockpile, name)
        yield from ((name, level) for level in levels)


def answer(
    stockpile: Stockpile, question: Question, result: CaseResult, base: CaseResult
) -> Changed | None:
    """Return what would change a choice, given how its case ended; None where that is not known."""
    choice, (name, level) = question.choice, question.member
    if choice is None or base.objective is None:
        return None
    if question.lump:
        return _lump(stockpile, question, result, base)
    if not result.planned:
        return None
    lever = None if choice.lever is None else choice.lever(stockpile, name, level)
    if lever is None:
        return None
    change, least, most = (result.number(each) for each in (CHANGE, LEAST, MOST))
    said = None if change is None else typed(lever, change, question.used)
    return Changed(change, least, most, unit_of(stockpile, lever), RESOLVE, said)


def _lump(
    stockpile: Stockpile, question: Question, result: CaseResult, base: CaseResult
) -> Changed | None:
    """Return what must come with a decision that is taken once, or be added to its cost."""
    unit = stockpile.settings.currency
    if result.status == "infeasible":
        how = f"{RESOLVE}: no plan {'does without it' if question.used else 'can have it'}"
        return Changed(None, None, None, None, how, None)
    if base.objective is None:
        return None
    least = None if result.bound is None else max(0.0, result.bound - base.objective)
    if result.objective is None:  # what a plan with it costs at least is known before one is found
        proven = least is not None and least > NOISE * abs(base.objective)
        return Changed(None, least, None, unit, BOUND, None) if proven else None
    most = None if base.bound is None else max(0.0, result.objective - base.bound)
    return Changed(max(0.0, result.objective - base.objective), least, most, unit, RESOLVE, None)


def rule_price(
    stockpile: Stockpile, waived: Sequence[Waiver], result: CaseResult, base: CaseResult
) -> RulePrice:
    """Return what rules cost, with what is proven of it: they never save anything."""
    cost, without = base.objective, result.objective
    known = cost is not None and without is not None
    least = most = None
    if known and base.bound is not None:
        least = max(0.0, base.bound - (without or 0.0))
    if known and result.bound is not None:
        most = max(0.0, (cost or 0.0) - result.bound)
    return RulePrice(
        rule=named(waived),
        cell=stockpile.cell(waived[0].row, waived[0].column),
        cost_with=cost,
        cost_without=without,
        price=max(0.0, (cost or 0.0) - (without or 0.0)) if known else None,
        at_least=least,
        at_most=most,
        remark=_remark(result, known),
    )


def _remark(result: CaseResult, known: bool) -> str | None:
    """Return why what rules cost is not known, or not known to within the gap."""
    if result.message == NO_TIME:
        return UNASKED
    if not known:
        return f"not known: {result.ended}"
    return None if result.status == "optimal" else "the time limit came before the gap was reached"


def life_value(
    stockpile: Stockpile, life: tuple[Row, str], result: CaseResult, base: CaseResult
) -> MarginalValue | None:
    """Return what one more month of a duration is worth, from one more period of it.

    None where it is not known whether it saves anything: the gaps of both plans hide that.
    """
    if result.objective is None or base.objective is None:
        return None
    row, name = life
    saved, tie = base.objective - result.objective, NOISE * abs(base.objective)
    least = -math.inf if base.bound is None else base.bound - result.objective
    most = math.inf if result.bound is None else base.objective - result.bound
    if least < tie and most > (-tie if saved < -tie else tie):
        return None
    months, stated = float(stockpile.calendar.months), float(get(row, name))
    found = MarginalValue(
        scenarios=ALL,
        probability=1.0,
        limit=f"{name.replace('_months', '').replace('_', ' ')} of {get(row, keys(type(row))[0])}",
        cell=stockpile.cell(row, name),
        date=stockpile.calendar.begin(0),
        sense="most",
        amount=stated,
        used=None,
        unit="months",
        worth=saved / months if abs(saved) > tie else 0.0,
        holds_from=stated,
        holds_to=stated + months,
    )
    return in_words(found, stockpile.settings.currency)


# --- Of a plan ------------------------------------------------------------------------------------


def _of_plan(plan: Plan) -> Used:
    """Return whether a plan uses a choice: of those for which ranging is not the whole answer."""
    rows = {
        (each.choice, each.name, each.level): each
        for each in plan.of(Reason)
        if each.fiscal_year is None
    }

    def used(choice: PlanChoice, member: Member) -> bool | None:
        row = rows.get((choice.kind, *member))
        return None if row is None or row.found_by == RANGING else row.used

    return used


def _asked_of(plan: Plan) -> list[Question]:
    """Return what is to be solved again for a plan: rules first, which the plan itself answers with
    a bound, and prices last, each of which takes several plans.
    """
    found = questions(plan.stockpile, _of_plan(plan))
    return sorted(found, key=lambda each: (not each.waived, not each.lump))


def cases(plan: Plan) -> list[Case]:
    """Return a case for each choice that ranging does not settle, each rule and each duration."""
    return [each.case for each in _asked_of(plan)]


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with its reasons by re-solves, the prices of its rules and of its lives."""
    stockpile = plan.stockpile
    base = CaseResult("optimal", plan.objective, plan.bound, plan.gap)
    changed: dict[tuple[str, str, str | None], Changed | str] = {}
    prices, values, known = list[RulePrice](), list[MarginalValue](), 0
    for each, result in zip(_asked_of(plan), results, strict=True):
        if each.waived:
            prices.append(rule_price(stockpile, each.waived, result, base))
            known += prices[-1].price is not None
        elif each.life is not None:
            value = life_value(stockpile, each.life, result, base)
            values += [] if value is None else [value]
            known += value is not None
        elif each.choice is not None:
            found = answer(stockpile, each, result, base) or _unknown(result)
            changed[each.choice.kind, *each.member] = found
            known += isinstance(found, Changed)
    reasons = tuple(_explained(plan, each, changed) for each in plan.of(Reason))
    rows = {
        **plan.rows,
        Reason: reasons,
        RulePrice: tuple(prices),
        MarginalValue: (*plan.of(MarginalValue), *values),
    }
    unasked = sum(each.message == NO_TIME for each in results)
    said = f"{known} of {amounts.count(len(results), 'question')} answered"
    said += f", {unasked} not asked: time" if unasked else ""
    return replace(plan, rows=rows, run={**plan.run, "reasons": said})


def _unknown(result: CaseResult) -> str:
    """Return why it is not known what would change a choice; blank where that is interrupted."""
    if result.message == NO_TIME:
        return NOT_ASKED
    return "" if result.status == "not run" else NOT_FOUND


def _explained(
    plan: Plan, row: Reason, changed: dict[tuple[str, str, str | None], Changed | str]
) -> Reason:
    """Return a reason with what its re-solve found."""
    found = changed.get((row.choice, row.name, row.level))
    if not found or row.fiscal_year is not None:
        return row
    if isinstance(found, str):  # what ranging says of it stays
        return row if row.found_by else unsettled(row, found)
    row = with_change(row, found)
    return replace(row, reason=sentence(row, plan.currency))


# --- As a study -----------------------------------------------------------------------------------


def _of_figures(base: CaseResult) -> Used:
    """Return whether a run does a choice, by what it notes of its decisions."""

    def used(choice: PlanChoice, member: Member) -> bool | None:
        if not choice.deed:
            return None
        name, level = member
        noted = base.figures.get(f"{choice.deed} {name}", 0.0)
        if level is not None:
            return level in names_in(str(noted))
        return bool(noted)

    return used


def rounds(asked: Asked) -> Rounds:
    """Plan as it is, then without each rule and with each choice done or left."""
    (base,) = yield [Case(note="as it is")]
    if base.objective is None:
        said = f"As it is there is no plan to compare with: {base.ended}."
        return [AnswerTable("reasons", said, ("choice",), [])]
    found = list(questions(asked.stockpile, _of_figures(base)))
    results = yield [each.case for each in found]
    turns, prices = list[tuple[object, ...]](), list[tuple[object, ...]]()
    for each, result in zip(found, results, strict=True):
        if each.waived:
            price = rule_price(asked.stockpile, each.waived, result, base)
            prices.append((price.rule, price.cell, price.price, price.at_least, price.at_most))
        elif each.choice is not None:
            change = answer(asked.stockpile, each, result, base)
            of = (each.choice.kind, *each.member, "yes" if each.used else "no")
            parts = (
                (None, None, None, "")
                if change is None
                else (
                    change.change,
                    change.least,
                    change.most,
                    change.unit,
                )
            )
            turns.append((*of, *parts))
    tables = [
        AnswerTable(
            "reasons",
            "By how much each price must better to enter the plan, or worsen to leave it.",
            ("choice", "name", "level", "used", "change", "at least", "at most", "unit"),
            turns,
        )
    ]
    if prices:
        said = "What each rule costs: the plan with it less one without it."
        header = (
            "rule",
            "cell",
            *(f"{each} [{asked.money}]" for each in ("price", "at least", "at most")),
        )
        tables.append(AnswerTable("rule prices", said, header, prices))
    return tables


REASON_PRICES = WhatIf(
    kind="reasons",
    refuse=no_refusal,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(RulePrice,),
    partial=True,
    together=True,
)
