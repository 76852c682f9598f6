"""Value of information: what planning for the mean costs (VSS), and what knowing the future would
save (EVPI), by solving.

Birge, Louveaux: Introduction to Stochastic Programming (2011), chapter 4. RP is the plan under
scenarios; WS the mean of the plans for each scenario alone, known from the start; EEV what it costs
to decide for the mean of all inputs until the first scenario is known, and under scenarios from
then on. EVPI = RP - WS, VSS = EEV - RP. With a risk weight all three are weighed like the
objective.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine import views
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf
from optimiser.system.errors import Fault, InputError
from stockpile_model import amounts
from stockpile_model.block import ties
from stockpile_model.blocks.objective import cvar
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Result, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.tree import BASE


@dataclass(frozen=True, kw_only=True)
class Worth(Result):
    """One figure of what the uncertainty costs."""

    SHEET = "uncertainty"
    ABOUT = "what the uncertainty costs: VSS and EVPI"
    PLACE = 81
    ALWAYS = False
    BRIEF = "What the uncertainty costs"
    figure: str = column("RP, WS, EEV, EVPI or VSS")
    meaning: str = column("what it is", sentence=True)
    value: float | None = column("value; blank = there is none, see the meaning", "money")
    least: float | None = column("proven to be at least", "money")
    most: float | None = column("proven to be at most", "money")


def refuse(stockpile: Stockpile) -> None:
    """Raise InputError where nothing is uncertain, or costs are not what is minimised."""
    if not unfold(stockpile).scenarios:
        raise InputError(
            [Fault("scenarios", "--value needs scenarios: without them nothing is uncertain")]
        )
    tied = "holds over all scenarios together, and --value plans each alone: leave it blank"
    if faults := [Fault(stockpile.cell(*cell), tied) for cell in ties(stockpile)]:
        raise InputError(faults)
    if stockpile.settings.objective == "shortfall_first":
        cell = stockpile.address(Settings.TABLE, 0, "objective")
        raise InputError(
            [
                Fault(
                    cell,
                    "--value compares costs: it needs the objective cost, found shortfall_first",
                )
            ]
        )


def cases(plan: Plan) -> list[Case]:
    """Return a case for each scenario alone, and one for the mean of all, held."""
    return _cases(plan.stockpile)


def _cases(stockpile: Stockpile) -> list[Case]:
    names = unfold(stockpile).scenarios
    held = Case(
        view=(views.HELD,),
        note="decided for the mean of all inputs, until the first scenario is known",
    )
    return [
        *(Case(view=("scenario", name), note=f"{name} known from the start") for name in names),
        held,
    ]


def _weighed(stockpile: Stockpile, costs: Mapping[str, float | None]) -> float | None:
    """Return the scenarios' costs weighed like the objective; None where one is not known."""
    settings, probability = stockpile.settings, stockpile.tree.probability
    known = {
        name: (probability[stockpile.scenarios[name]], cost)
        for name, cost in costs.items()
        if cost is not None
    }
    if len(known) < len(costs):
        return None
    average = sum(weight * cost for weight, cost in known.values())
    tail = cvar(known, settings.risk_tail)
    return (1 - settings.risk_weight) * average + settings.risk_weight * tail


def worth(
    stockpile: Stockpile, plan: CaseResult, alone: Mapping[str, CaseResult], eev: CaseResult
) -> Iterator[Worth]:
    """Yield the five figures.

    `plan` is that of the scenarios, `alone` that of each, known from the start, `eev` that of the
    mean, held.
    """
    ws = _weighed(stockpile, {name: each.objective for name, each in alone.items()})
    ws_bound = _weighed(stockpile, {name: each.bound for name, each in alone.items()})

    def figure(
        name: str, meaning: str, value: float | None, least: float | None, most: float | None
    ) -> Worth:
        return Worth(figure=name, meaning=meaning, value=value, least=least, most=most)

    def less(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a - b

    yield figure(
        "RP", "this plan: objective under the scenarios", plan.objective, plan.bound, plan.objective
    )
    said = f"each scenario planned alone, as if known from the start ({BASE} included)"
    if missing := [name for name, each in alone.items() if each.objective is None]:
        said = f"no value: of {missing[0]} alone {alone[missing[0]].ended}"
    yield figure("WS", said, ws, ws_bound, ws)
    said = "the plan for the mean of all inputs, kept until the first scenario is known"
    if eev.objective is None and eev.status == "infeasible":
        said = (
            "no value: the mean of all inputs has no plan"
            if eev.message == views.NO_MEAN
            else f"no value: {said}, leaves some scenario without a plan"
        )
    elif eev.objective is None:
        said = f"no value: {said}: {eev.ended}"
    yield figure("EEV", said, eev.objective, eev.bound, eev.objective)
    yield figure(
        "EVPI",
        "what perfect foresight would save: RP - WS",
        less(plan.objective, ws),
        less(plan.bound, ws),
        less(plan.objective, ws_bound),
    )
    yield figure(
        "VSS",
        "what this plan saves against planning for the mean: EEV - RP",
        less(eev.objective, plan.objective),
        less(eev.bound, plan.objective),
        less(eev.objective, plan.bound),
    )


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with what the uncertainty costs."""
    *scenarios, eev = results
    alone = dict(zip(plan.stockpile.scenarios, scenarios, strict=True))
    found = tuple(
        worth(plan.stockpile, CaseResult("optimal", plan.objective, plan.bound), alone, eev)
    )
    by_name = {each.figure: each.value for each in found}
    parts: list[str] = []
    if (vss := by_name["VSS"]) is not None:
        parts.append(
            f"Planning for the mean of the scenarios would cost {amounts.rounded(vss)}"
            f" {plan.currency} more (VSS)."
        )
    else:
        parts.append(f"Planning for the mean of the scenarios {_no_mean(eev)} (VSS).")
    if (evpi := by_name["EVPI"]) is not None:
        saved = f"{amounts.rounded(evpi)} {plan.currency}"
        parts.append(f"To know the future would save {saved} (EVPI).")
    return replace(plan, rows={**plan.rows, Worth: found}, verdict=plan.verdict_with(*parts))


def _no_mean(eev: CaseResult) -> str:
    """Return what planning for the mean leads to where that is no plan."""
    known = eev.status == "infeasible"
    return "leads to no plan" if known else f"gave no plan: {eev.ended}"


def rounds(asked: Asked) -> Rounds:
    """Plan under the scenarios, for each of them alone, and for their mean."""
    refuse(asked.stockpile)
    plan, *scenarios, eev = yield [Case(note="under the scenarios"), *_cases(asked.stockpile)]
    if plan.objective is None:
        return [
            AnswerTable(
                "uncertainty",
                f"There is no plan under the scenarios: {plan.ended}.",
                ("figure",),
                [],
            )
        ]
    stockpile = unfold(asked.stockpile)
    found = [*worth(stockpile, plan, dict(zip(stockpile.scenarios, scenarios, strict=True)), eev)]
    values = {each.figure: each.value for each in found}
    vss, evpi = values["VSS"], values["EVPI"]
    said = (
        f"Planning for the mean {_no_mean(eev)}"
        if vss is None
        else f"Planning for the mean costs {asked.paid(vss)} more (VSS)"
    )
    said += "." if evpi is None else f"; to know the future would save {asked.paid(evpi)} (EVPI)."
    header = (
        "figure",
        "meaning",
        f"value [{asked.money}]",
        f"at least [{asked.money}]",
        f"at most [{asked.money}]",
    )
    return [
        AnswerTable(
            "uncertainty",
            said,
            header,
            [(each.figure, each.meaning, each.value, each.least, each.most) for each in found],
        )
    ]


INFORMATION = WhatIf(
    kind="value_of_information",
    refuse=refuse,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(Worth,),
)
