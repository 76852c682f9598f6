"""`stockpile explain`: why there is no plan, and what would make one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import (
    FORCE,
    WORKBOOK,
    changes,
    json_output,
    output,
    quiet_option,
    time_limit,
)
from optimiser.cli.exit_statuses import INFEASIBLE, NO_PLAN, PLANNED
from optimiser.cli.messages import answer, say


@click.command(epilog="Example: stockpile explain gallium.xlsx --apply 1 -o fixed.xlsx")
@quiet_option
@WORKBOOK
@output(
    "The explanation, .xlsx (linked to the cells) or .html; with --apply the repaired workbook."
)
@changes("Change a cell for this run: 'budgets[nds].amount scale 0.8'.")
@time_limit("Time limit of the whole search in seconds.")
@click.option(
    "--apply",
    "apply",
    type=click.IntRange(1),
    metavar="K",
    help="Write the workbook with repair K to the output, its other cells as they are.",
)
@FORCE
@json_output("Print the explanation as one JSON object on standard output.")
def explain(
    workbook: Path,
    output: Path | None,
    changes: tuple[str, ...],
    time_limit: float | None,
    apply: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Explain why a WORKBOOK has no plan: the sums that show it, the least changes of cells that
    make a plan, and the rules that clash.
    """
    if apply is not None and output is None:
        raise click.UsageError("--apply needs -o, the name of the repaired workbook")
    from optimiser.cli.progress import waiting

    with waiting("explaining"):
        found = so.explain(
            workbook,
            changes=changes,
            time_limit=time_limit,
            apply=apply,
            output=output,
            force=force,
            on_message=say,
        )
    if as_json:
        answer(json.dumps(found.as_object(), indent=2))
    else:
        for line in found.lines():
            answer(line)
    if output is not None:
        what = "explanation" if apply is None else "repaired workbook"
        say(f"the {what} is in {output}")
    sys.exit({"feasible": PLANNED, "infeasible": INFEASIBLE}.get(found.status, NO_PLAN))
