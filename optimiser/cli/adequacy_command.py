"""`stockpile adequacy`: assess the supply that the plan of a workbook brings."""

from __future__ import annotations

import json
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
from optimiser.system.interrupts import INTERRUPTED
from optimiser.system.streams import Careful


@click.command(epilog="Example: stockpile adequacy gallium.xlsx")
@quiet_option
@WORKBOOK
@output("The plan with its assessment; by default NAME-adequacy.xlsx in the folder of NAME.xlsx.")
@click.option("--html", is_flag=True, help="Write a page of the assessment too, next to it: .html.")
@changes("Change a cell for this run: 'budgets[nds].amount scale 0.8'.")
@click.option(
    "--months",
    type=click.FloatRange(0, min_open=True),
    help=(
        "How long an embargo lasts: a whole number of periods, in months (`--months 6`); by default"
        " what settings.embargo_months says, else 12."
    ),
)
@gap("Proven relative gap at which the search for the plan may stop.")
@time_limit("Time limit of each search in seconds.")
@THREADS
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=0,
    help="Processes that assess; by default one for each core.",
)
@FORCE
@json_output("Print the assessment as one JSON object on standard output.")
@click.pass_obj
def adequacy(
    standard_output: Careful | None,
    /,
    workbook: Path,
    output: Path | None,
    html: bool,
    workers: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Plan a WORKBOOK and assess its supply: for each fiscal year and scenario stock and days of
    cover, what an embargo from each month on would leave unmet, whose metal it relies on, and what
    plants that operate could do alone.
    """
    from optimiser.cli.progress import search_progress

    target = output or next_to(workbook, "adequacy")
    with search_progress() as progress:
        found = so.adequacy(
            workbook,
            output=target,
            page=target.with_suffix(".html") if html else None,
            record=target.with_suffix(".sqlite"),
            workers=workers or None,
            on_message=say,
            on_progress=progress,
            **options,
        )
    if as_json:
        answer(json.dumps(found.as_object(), indent=2))
    else:
        _show(found)
        if html and found.complete:
            answer(f"Its page is in {target.with_suffix('.html')}")
    result = found.solution
    if result.plan is None:
        for line in result.reasons:
            say(line)
    elif lost(standard_output):
        say(f"The assessment is in {result.path}")
    if result.interrupted and not found.complete:
        say("interrupted: the supply was not assessed")
        sys.exit(INTERRUPTED)
    sys.exit({"infeasible": INFEASIBLE, "no_plan": NO_PLAN}.get(result.status, PLANNED))


def _show(found: so.Adequacy) -> None:
    """Print the sentences of an assessment, and a line for each fiscal year."""
    plan = found.solution.plan
    if plan is None or not found.complete:
        return
    from optimiser.cli.terminal import Plain, drawn

    console = Plain(highlight=False)
    console.print(f"\n{plan.title or 'Plan'}: adequacy of its supply", style="bold")
    console.print(" ".join(found.said))
    for figure in found.figures.values():
        console.print(f"\n{figure.title}", style="bold")
        console.print(drawn(figure))
    console.print(
        f"The plan with the sheets adequacy and embargo is in {found.solution.path}"
        f" ({found.solution.seconds:.1f} s)",
        soft_wrap=True,
    )
