"""`stockpile solve`: plan a workbook."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import click

import optimiser as so
from optimiser.cli.command_options import (
    FORCE,
    THREADS,
    WORKBOOK,
    changes,
    gap,
    json_output,
    next_to,
    output,
    quiet_option,
    time_limit,
)
from optimiser.cli.exit_statuses import INFEASIBLE, NO_PLAN, PLANNED
from optimiser.cli.messages import answer, lost, say
from optimiser.system.interrupts import INTERRUPTED, Interrupt
from optimiser.system.streams import Careful

WHAT_IFS = {
    "firm": "firm_supply",
    "shares": "cost_shares",
    "floors": "floor_levels",
    "value": "value_of_information",
    "adequacy": "adequacy",
    "reasons": "reasons",
}
"""The what-ifs by the options that request them."""
NOT_BUNDLED = {
    **{name: f"--{name}" for name in WHAT_IFS},
    "whole_orders": "--whole-orders",
    "near": "--near",
    "solver": "--solver",
    "model_file": "--write-model",
}
"""The options that plan all scenarios in one model."""


@click.command(
    epilog="Example: stockpile solve gallium.xlsx --set 'budgets[nds].amount scale 0.8' -o a.xlsx"
)
@quiet_option
@WORKBOOK
@output("The plan; by default NAME-plan.xlsx in the folder of NAME.xlsx.")
@click.option("--html", is_flag=True, help="Write a page of the plan too, next to it: PLAN.html.")
@click.option(
    "--memo",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="M.docx",
    help="Write a memo of decision too, two pages for the one who signs: .docx or .html.",
)
@changes("Change a cell for this run: 'budgets[nds].amount scale 0.8'.")
@gap("Proven relative gap at which the search may stop.")
@time_limit("Time limit of the search in seconds.")
@THREADS
@click.option(
    "--solver",
    metavar="NAME",
    help="Any solver that Pyomo knows, at Pyomo's own pace; by default HiGHS, directly.",
)
@click.option(
    "--write-model",
    "model_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the model too: M.mps or M.lp.",
)
@click.option(
    "--firm",
    is_flag=True,
    help="Plan with firm supply only too (no plant that is merely announced) and compare.",
)
@click.option(
    "--shares", is_flag=True, help="Plan for every group of buyers too, and split the cost fairly."
)
@click.option(
    "--floors",
    is_flag=True,
    help=(
        "Plan with each other level of each contract too: what it would cost, what would have to"
        " change."
    ),
)
@click.option(
    "--reasons",
    is_flag=True,
    help=(
        "Plan again for each reason: at which price each offer, level and project would enter or"
        " leave the plan, and what each rule costs. All searches together have the time limit;"
        " what is not asked says so. What ended is in NAME-plan.sqlite: the same command goes on."
    ),
)
@click.option(
    "--whole-orders",
    is_flag=True,
    help=(
        "Bound the cost of the orders that firm_periods relaxes: plan with all of them whole too."
    ),
)
@click.option(
    "--value",
    is_flag=True,
    help=(
        "Show what the uncertainty costs (VSS, EVPI): plan for each scenario alone and for their"
        " mean."
    ),
)
@click.option(
    "--adequacy",
    is_flag=True,
    help=(
        "Assess the supply of each fiscal year and scenario too: cover, and what an embargo would"
        " leave unmet."
    ),
)
@click.option(
    "--near",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PLAN",
    help=(
        "Stay near a plan that was announced: --near plan.xlsx. Of the plans within the"
        " gap the one that changes least; the sheet changes has each change with its reason."
    ),
)
@click.option(
    "--change-cost",
    type=click.FloatRange(0),
    metavar="SHARE",
    help="Price changes to that plan instead: 0.05 is 5 % of what a change moves.",
)
@click.option(
    "--bundles",
    type=click.IntRange(1),
    metavar="N",
    help=(
        "Plan thousands of scenarios as N bundles: first decisions for all, and a bound. The time"
        " limit is that of each search."
    ),
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=0,
    help="Processes that plan bundles; by default one for each core.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Print what is bought, costs by heading, reasons and scenarios too.",
)
@FORCE
@json_output("Print the outcome as one JSON object on standard output.")
@click.pass_obj
def solve(
    standard_output: Careful | None,
    /,
    workbook: Path,
    output: Path | None,
    html: bool,
    memo: Path | None,
    workers: int,
    everything: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Plan a WORKBOOK and write the plan as a workbook of its own.

    Ctrl-C keeps the best plan so far.
    """
    from optimiser.cli.progress import search_progress

    _refuse_together(options)
    everything = everything or options["reasons"]
    target = output or next_to(workbook, "plan")
    page = target.with_suffix(".html") if html else None
    common = {"workers": workers or None, "output": target, "page": page, "on_message": say}
    common["memo"] = memo
    with search_progress() as progress:
        result = _solved(workbook, target, options, on_progress=progress, **common)
    with Interrupt():  # the plan stands, and the exit status is its own
        _show(result, everything, as_json, page)
    if result.path is not None and lost(standard_output):
        say(f"The plan is in {result.path}")
    if result.plan is None and result.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit({"infeasible": INFEASIBLE, "no_plan": NO_PLAN}.get(result.status, PLANNED))


def _show(result: so.Solution, everything: bool, as_json: bool, page: Path | None) -> None:
    """Print how a search ended."""
    if as_json:
        answer(json.dumps(result.as_object(), indent=2))
    else:
        show_plan(result, everything)
        if page is not None:
            answer(f"Its page is in {page}")
        if result.memo is not None:
            answer(f"Its memo is in {result.memo}")
    for line in _without_plan(result):
        say(line)


def _solved(workbook: Path, target: Path, options: dict[str, Any], **common: Any) -> so.Solution:
    """Plan a workbook: all scenarios in one model, or in bundles."""
    what_ifs = [kind for name, kind in WHAT_IFS.items() if options.pop(name)]
    bundles = options.pop("bundles")
    if bundles:
        limits = {name: options[name] for name in ("changes", "gap", "time_limit", "threads")}
        return so.solve_in_bundles(workbook, bundles, **limits, force=options["force"], **common)
    record = target.with_suffix(".sqlite")
    return so.solve(workbook, what_ifs=what_ifs, record=record, **options, **common)


def _refuse_together(options: dict[str, Any]) -> None:
    """Raise UsageError where options exclude each other, or one needs another."""
    price = options["change_cost"]
    if price is not None and options["near"] is None:
        raise click.UsageError("--change-cost prices changes to an announced plan: name it, --near")
    if price is not None and not math.isfinite(price):
        raise click.UsageError(f"--change-cost must be a finite share, found {price:g}")
    if not options["bundles"]:
        return
    for name, flag in NOT_BUNDLED.items():
        if options[name]:
            raise click.UsageError(
                f"{flag} plans all scenarios in one model: it cannot go with --bundles"
            )


def _without_plan(result: so.Solution) -> tuple[str, ...]:
    """Return the reason why there is no plan, a line each; nothing where there is one."""
    if result.plan is not None or result.explanation is not None:
        return result.reasons
    if result.interrupted:
        return ("interrupted before a plan was found",)
    return ("no plan was found within the time limit; try a longer --time-limit",)


def show_plan(result: so.Solution, everything: bool) -> None:
    """Print a plan in short; or `everything`: its verdict, and its figures in brief."""
    plan = result.plan
    if plan is None:
        return
    from optimiser.cli.terminal import Plain, drawn

    console = Plain(highlight=False)
    console.print(f"\n{plan.title or 'Plan'}: {plan.status}", style="bold")
    if everything:
        console.print(plan.verdict)
    for figure in so.figures_of(plan, brief=everything, short=not everything).values():
        if isinstance(figure, so.ChartFigure):
            continue  # a terminal draws none
        if figure.title:
            console.print(f"\n{figure.title}", style="bold")
        if isinstance(figure, so.TableFigure):
            console.print(drawn(figure))
        else:
            console.print("\n".join(filter(None, (*figure.paragraphs, figure.aside))))
    if not everything:
        console.print("\n--all prints what is bought, costs by heading, reasons and scenarios too.")
    console.print(f"The plan is in {result.path} ({result.seconds:.1f} s)", soft_wrap=True)
