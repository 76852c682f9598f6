"""`stockpile audit`: recompute a plan from its workbook."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import WORKBOOK, changes, json_output, quiet_option
from optimiser.cli.exit_statuses import DISAGREES
from optimiser.cli.messages import answer, say
from stockpile_model.amounts import count


@click.command(epilog="Example: stockpile audit gallium.xlsx gallium-plan.xlsx")
@quiet_option
@WORKBOOK
@click.argument("plan", type=click.Path(path_type=Path))
@changes("Change a cell of the input first, on top of the plan's own changes.")
@click.option(
    "--near",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="ANNOUNCED",
    help="The announced plan near which it was made: recompute the sheet changes from it too.",
)
@click.option(
    "--cost-of-edit",
    is_flag=True,
    help="Plan again, with the edited decisions held and without: what the edits cost.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Of a plan that was edited by hand, print each figure that does not agree too.",
)
@json_output("Print one JSON object on standard output.")
def audit(
    workbook: Path,
    plan: Path,
    changes: tuple[str, ...],
    near: Path | None,
    cost_of_edit: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Recompute a PLAN from its WORKBOOK, without model and solver: a line for each figure that
    does not agree; of a plan that was edited by hand, what the edit comes to.
    """
    from optimiser.cli.progress import waiting

    with waiting("planning with the edits, and without") as now:
        edits = so.edit_cost(workbook, plan, changes=changes) if cost_of_edit else None
        result = so.audit(workbook, plan, changes=changes, near=near, on_phase=now)
    for note in result.notes:
        say(f"note: {note}")
    figures = count(result.figures, "figure")
    findings = [str(finding) for finding in result.findings]
    if as_json:
        report = {
            "agrees": not findings,
            "figures": result.figures,
            "findings": findings,
            "not_checked": list(result.unchecked),
            **({"edited": result.edited.as_object()} if result.edited else {}),
            **({"cost_of_edit": edits.as_object()} if edits else {}),
        }
        answer(json.dumps(report, indent=2))
    else:
        if result.edited is not None:
            answer(result.edited.line)
        if not findings:
            answer(f"{plan}: agrees with {workbook}, {figures} recomputed")
        for line in findings if everything or result.edited is None else ():
            answer(line)
        for line in edits.lines if edits else ():
            answer(line)
    if findings:
        do = "does" if len(findings) == 1 else "do"
        more = "" if everything or not result.edited else "; --all shows each"
        say(f"{plan}: {len(findings):,} of {figures} {do} not agree with {workbook}{more}")
    if result.unchecked:
        say(f"not checked: {', '.join(result.unchecked)}")
    if findings:
        sys.exit(DISAGREES)
