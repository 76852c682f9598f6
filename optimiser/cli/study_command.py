"""`stockpile study`: run the studies of a workbook."""

from __future__ import annotations

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
    next_to,
    output,
    quiet_option,
    time_limit,
)
from optimiser.cli.exit_statuses import INTERNAL, PLANNED
from optimiser.cli.messages import answer, say
from optimiser.system.interrupts import INTERRUPTED


@click.command(epilog="Example: stockpile study gallium.xlsx --everything")
@quiet_option
@WORKBOOK
@click.argument("names", nargs=-1, metavar="[STUDY]...")
@output("The studies; by default NAME-study.xlsx in the folder of NAME.xlsx.")
@RECORD
@click.option(
    "--everything",
    is_flag=True,
    help="A tornado over every number, by its _low and _high or 10 %; needs no sheet studies.",
)
@changes("Change a cell for all runs: 'budgets[nds].amount scale 0.8'.")
@gap("Proven relative gap of every run.", default=0.01, show_default=True)
@time_limit("Time limit of each run in seconds.")
@WORKERS
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run on a Dask cluster instead, as in tcp://10.0.0.5:8786 (needs the extra cluster).",
)
@FORCE
def study(
    workbook: Path,
    names: tuple[str, ...],
    output: Path | None,
    record: Path | None,
    **options: Any,
) -> None:
    """Run the studies of a WORKBOOK (all, or those named) and write them as a workbook of their
    own.

    Every finished run is kept in the record: the same command continues a study that was
    interrupted or is extended. Ctrl-C ends with a workbook of the runs that have ended. Use only a
    record of your own: whoever can write to it can falsify the results.
    """
    from optimiser.cli.progress import study_progress

    target = output or next_to(workbook, "study")
    place = record or target.with_suffix(".sqlite")
    with study_progress() as watch:
        outcome = so.run_studies(
            workbook,
            *names,
            output=target,
            record=place,
            on_message=say,
            on_progress=watch,
            **options,
        )
    for each in outcome:
        for sentence in each.answers:
            answer(f"{each.name}: {sentence}")
    answer(
        f"The studies are in {target}, every run in {place}"
        f" ({outcome.seconds:.1f} s, {outcome.kept:,} runs from the record)"
    )
    if outcome.failed:
        say(
            f"{outcome.failed:,} runs failed: the sheet runs says why; the same command tries them"
            " again"
        )
    if outcome.interrupted:
        say(
            "interrupted: the studies are incomplete; the runs that had ended are kept: the same"
            " command goes on from there"
        )
        sys.exit(INTERRUPTED)
    sys.exit(INTERNAL if outcome.failed else PLANNED)
