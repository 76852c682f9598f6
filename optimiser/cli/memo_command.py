"""`stockpile memo`: write the memo of a plan, for the one who signs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import FORCE, json_output, output, quiet_option
from optimiser.cli.exit_statuses import DISAGREES
from optimiser.cli.messages import answer, say


@click.command(
    epilog="Example: stockpile memo gallium-plan.xlsx --stress gallium-stress.xlsx -o memo.docx"
)
@quiet_option
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN.xlsx")
@output("The memo, .docx or .html; by default PLAN-memo.docx in the folder of the plan.")
@click.option(
    "--stress",
    type=click.Path(path_type=Path),
    metavar="STRESS.xlsx",
    help="A stress test of the same workbook: its three gravest events stand in the memo.",
)
@FORCE
@json_output("Print the memo as one JSON object on standard output.")
def memo(plan: Path, output: Path | None, stress: Path | None, force: bool, as_json: bool) -> None:
    """Write the memo of a PLAN, as solve wrote it (.xlsx or .json): two pages for the one who
    signs.

    It says what to sign and order in the next 90 days and why, what that buys and costs, what could
    go wrong, what was not chosen, and what is proven. A plan that was edited is audited again; the
    memo of one that fails says so first, has no place to sign, and ends with status 1.
    """
    from optimiser.cli.progress import waiting

    target = output or plan.with_name(f"{plan.stem}-memo.docx")
    with waiting("writing the memo"):
        found = so.memo(plan, stress=stress, output=target, force=force)
    if as_json:
        answer(json.dumps({**found.as_object(), "memo": str(target)}, indent=2))
    else:
        for line in (*found.doubts, *found.content.lead):
            answer(line)
        answer(f"The memo is in {target}")
    if not found.agrees:
        say(f"{plan}: fails its audit: the memo is not to be signed")
        sys.exit(DISAGREES)
