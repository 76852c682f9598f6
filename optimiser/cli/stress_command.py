"""`stockpile stress`: hold the first decisions of a plan, and let one thing happen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

import optimiser as so
from optimiser.cli.command_options import (
    FORCE,
    RECORD,
    WORKBOOK,
    WORKERS,
    changes,
    gap,
    json_output,
    next_to,
    output,
    quiet_option,
    time_limit,
)
from optimiser.cli.exit_statuses import INFEASIBLE, INTERNAL, NO_PLAN, PLANNED
from optimiser.cli.messages import answer, say
from optimiser.system.interrupts import INTERRUPTED
from stockpile_model import amounts

MOST_SHOWN = 15  # events in the terminal


@click.command(epilog="Example: stockpile stress gallium.xlsx --hold 6")
@quiet_option
@WORKBOOK
@output("The stress test, .xlsx or .html; by default NAME-stress.xlsx in the folder of NAME.xlsx.")
@RECORD
@click.option(
    "--hold",
    type=click.FloatRange(0, min_open=True),
    metavar="MONTHS",
    help="Months of decisions that are held; by default 12, or half of a horizon that is no"
    " longer.",
)
@click.option(
    "--scenarios",
    is_flag=True,
    help="In all scenarios of the workbook, not in its base path: each run plans all of them.",
)
@changes("Change a cell for all runs: 'budgets[nds].amount scale 0.8'.")
@gap("Proven relative gap of every run; by default that of the settings.")
@time_limit("Time limit of each run in seconds; by default that of the settings.")
@WORKERS
@FORCE
@json_output("Print one JSON object on standard output.")
def stress(
    workbook: Path, output: Path | None, record: Path | None, as_json: bool, **options: Any
) -> None:
    """Put the plan of a WORKBOOK under stress: hold what it decides first, let one thing happen,
    decide the rest again, and compare with a plan that knew it from the start.

    Plants are late by 6 and 12 months, suppliers are gone, prices move by 20 %, appropriations lose
    a fifth and shelf lives a quarter, one at a time. A plan by a rule of thumb stands beside it.
    Finished runs are kept in the record: the same command goes on where it was interrupted.
    """
    from optimiser.cli.progress import study_progress

    target = output or next_to(workbook, "stress")
    place = record or target.with_suffix(".sqlite")
    with study_progress() as watch:
        found = so.stress(
            workbook, output=target, record=place, on_message=say, on_progress=watch, **options
        )
    if as_json:
        answer(json.dumps(found.as_object(), indent=2))
    else:
        _show(found)
        answer(f"The stress test is in {target}, every run in {place} ({found.seconds:.1f} s)")
    if found.failed:
        say(f"{found.failed:,} runs failed: the sheet runs says why; the same command tries again")
    if found.interrupted:
        say("interrupted: incomplete; the same command goes on from there")
        sys.exit(INTERRUPTED)
    if found.failed:
        sys.exit(INTERNAL)
    sys.exit({"infeasible": INFEASIBLE, "no_plan": NO_PLAN}.get(found.status, PLANNED))


def _show(found: so.StressResult) -> None:
    """Print what the test says, and its gravest events."""
    from rich.table import Table

    from optimiser.cli.terminal import Plain

    for sentence in found.answers:
        answer(sentence)
    events = found.brief
    if not events.rows:
        return
    console, table = Plain(highlight=False), Table(box=None, pad_edge=False)
    for c, title in enumerate(events.header):
        words = all(isinstance(row[c], str) for row in events.rows)
        table.add_column(title, justify="left" if words else "right", overflow="fold")
    for row in events.rows[:MOST_SHOWN]:
        table.add_row(*map(_cell, row))
    console.print(table)
    if len(events.rows) > MOST_SHOWN:
        answer(f"and {len(events.rows) - MOST_SHOWN:,} more events in the workbook")
    for sentence in found.impossible:
        answer(sentence)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return amounts.rounded(value)
    return "-" if value is None else str(value)
