"""Firm supply: what the plan would cost and miss if it counted on no plant that is merely
announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine import views
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.plan_figures import COST, DELIVERED, FLOOR, figures
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.repairs.repair_search import diagnose
from optimiser.studies.what_ifs.what_if import WhatIf
from stockpile_model import amounts
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.schema import Result, column
from stockpile_model.solved_plan import several_metals
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

VIEW = "firm supply"


@dataclass(frozen=True, kw_only=True)
class FirmSupplyRow(Result):
    """One figure of the plan, and the same with firm supply only."""

    SHEET = "firm_supply"
    ABOUT = "this plan and one that counts on no plant that is merely announced"
    PLACE = 83
    ALWAYS = False
    BRIEF = "Firm supply only"
    figure: str = column("what is compared")
    of: str | None = column("supplier or contract")
    unit: str = column("unit of the figure")
    planned: float | None = column(
        "in this plan; blank = nothing, or not signed", "quantity, money or 1"
    )
    firm: float | None = column(
        "with firm supply only: no plant that is merely announced", "quantity, money or 1"
    )
    difference: float | None = column("firm less planned", "quantity, money or 1")


def compare(
    planned: CaseResult, firm: CaseResult, contracts: Sequence[str]
) -> Iterator[FirmSupplyRow]:
    """Yield the figures of a plan and those with firm supply only, which may have no plan."""
    there = firm.objective is not None

    def row(
        figure: str, unit: str, one: float | None, other: float | None, of: str | None = None
    ) -> FirmSupplyRow:
        difference = (other or 0.0) - (one or 0.0) if there else None
        return FirmSupplyRow(
            figure=figure,
            of=of,
            unit=unit,
            planned=one,
            firm=other if there else None,
            difference=difference,
        )

    def pair(name: str) -> tuple[float, float]:
        return float(planned.figures.get(name, 0.0)), float(firm.figures.get(name, 0.0))

    yield row("objective", "money", planned.objective, firm.objective)
    yield row("proven bound", "money", planned.bound, firm.bound)
    for name in _of(COST, planned):
        if any(pair(name)):
            yield row(name.removeprefix(COST).strip().replace("_", " "), "money", *pair(name))
    yield row("shortfall", "quantity", *pair("shortfall"))
    yield row("waste", "quantity", *pair("waste"))
    for name in sorted({*_of(DELIVERED, planned), *_of(DELIVERED, firm)}):
        yield row("delivered", "quantity", *pair(name), name.removeprefix(DELIVERED).strip())
    for contract in contracts:
        one, other = (each.number(f"{FLOOR} {contract}") for each in (planned, firm))
        found = row("floor signed", "money/quantity", one, other, contract)
        yield replace(found, difference=None) if one is None or other is None else found


def _of(part: str, result: CaseResult) -> list[str]:
    return [name for name in result.figures if name.startswith(f"{part} ")]


def _as_result(plan: Plan) -> CaseResult:
    """Return a plan as the result of a case."""
    return CaseResult("optimal", plan.objective, plan.bound, figures=figures(plan))


def refuse(stockpile: Stockpile) -> None:
    """Raise InputError where no stage of supplier is firm."""
    views.firm(stockpile)


def cases(plan: Plan) -> list[Case]:
    """Return the case of firm supply only."""
    return [Case(view=(VIEW,), note="firm supply only")]


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with the comparison, and what is short where firm supply has no plan."""
    (firm,) = results
    if firm.objective is not None:
        more = firm.objective - plan.objective
        missing = amounts.about(firm.number("shortfall") or 0.0)
        short = (
            ""
            if several_metals(plan)
            else f", and its shortfall is {missing} {plan.unit} instead of"
            f" {amounts.about(plan.shortfall)}"
        )
        said = (
            "With firm supply only, no plant that is merely announced, the plan costs"
            f" {amounts.rounded(firm.objective)} {plan.currency},"
            f" {amounts.rounded(abs(more))} {'more' if more >= 0 else 'less'}{short}."
        )
    else:
        said = f"With firm supply only, no plant that is merely announced, {firm.ended}."
        plan = replace(plan, warnings=(*plan.warnings, *_short(plan, firm, options)))
    contracts = [*dict.fromkeys(each.contract for each in plan.of(ContractOutcome))]
    rows = {**plan.rows, FirmSupplyRow: tuple(compare(_as_result(plan), firm, contracts))}
    return replace(plan, rows=rows, verdict=plan.verdict_with(said))


def _short(plan: Plan, firm: CaseResult, options: Options) -> Iterator[str]:
    """Yield what firm supply is short of and what would make a plan with it alone, in words.

    To count on other stages would be no repair.
    """
    if firm.status == "infeasible":
        held = {(Settings.TABLE, "supply_stages")}
        stockpile = views.firm(views.folded(plan.stockpile))
        found = diagnose(stockpile, options, proven=True, held=held)
        yield from (f"with firm supply only: {line.strip()}" for line in found.lines())


def rounds(asked: Asked) -> Rounds:
    """Plan with all supply, and with firm supply only."""
    refuse(asked.stockpile)
    planned, firm = yield [
        Case(view=("as it is",), note="as it is"),
        Case(view=(VIEW,), note="firm supply only"),
    ]
    if planned.objective is None:
        return [
            AnswerTable(
                "firm supply",
                f"As it is there is no plan to compare with: {planned.ended}.",
                ("figure",),
                [],
            )
        ]
    contracts = list(
        dict.fromkeys(
            name.removeprefix(FLOOR).strip()
            for each in (planned, firm)
            for name in _of(FLOOR, each)
        )
    )
    rows = [
        (each.figure, each.of, each.unit, each.planned, each.firm, each.difference)
        for each in compare(planned, firm, contracts)
    ]
    said = f"With firm supply only there is no plan: {firm.ended}."
    if firm.objective is not None:
        more = firm.objective - planned.objective
        said = (
            f"With firm supply only the plan costs {asked.paid(abs(more))}"
            f" {'more' if more >= 0 else 'less'}."
        )
    header = ("figure", "of", "unit", "as it is", "with firm supply only", "difference")
    return [AnswerTable("firm supply", said, header, rows)]


FIRM_SUPPLY = WhatIf(
    kind="firm_supply",
    refuse=refuse,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(FirmSupplyRow,),
)
