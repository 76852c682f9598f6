"""`stockpile stress`: hold the first decisions of a plan, and let one thing happen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

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
RANK, EVENT, MORE, COST = "rank", "event", "costs more than the plan", "cost"
IMPOSSIBLE = "what is impossible"
SHOWN = (RANK, EVENT, MORE, "shortfall", "regret")
"""The columns that the terminal shows, by their titles without a unit."""


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
    events = found.tables[0]
    if not events.rows:
        return
    console, table = Plain(highlight=False), Table(box=None, pad_edge=False)
    rank, event, cost, why = events.places(RANK, EVENT, COST, IMPOSSIBLE)
    shown = events.places(*SHOWN)
    for c in shown:
        justify: Literal["left", "right"] = "left" if c == event else "right"
        table.add_column(events.header[c], justify=justify, overflow="fold")
    for row in events.rows[:MOST_SHOWN]:
        cells = [_cell(row[c]) for c in shown]
        if row[cost] is None:
            cells[SHOWN.index(MORE)] = "no plan"
        table.add_row(*cells)
    console.print(table)
    if len(events.rows) > MOST_SHOWN:
        answer(f"and {len(events.rows) - MOST_SHOWN:,} more events in the workbook")
    for row in events.rows:
        if row[why]:
            answer(f"{row[rank]} {row[event]}: {row[why]}")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return amounts.rounded(value)
    return "-" if value is None else str(value)
