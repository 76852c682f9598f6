"""`stockpile scenarios`: sample scenarios, and write a workbook that has them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

import optimiser as so
from optimiser.cli.command_options import FORCE, WORKBOOK, output, quiet_option
from optimiser.cli.messages import answer, say
from stockpile_model.amounts import count, percent


@click.command(epilog="Example: stockpile scenarios gallium.xlsx --replace -o sampled.xlsx")
@quiet_option
@WORKBOOK
@output("The new workbook; WORKBOOK is not touched.", required=True)
@click.option(
    "--samples",
    type=click.IntRange(2, 5000),
    default=1000,
    show_default=True,
    help="Scenarios that are sampled.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 500),
    default=10,
    show_default=True,
    help="Scenarios that are kept.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The same seed writes the same file.",
)
@click.option(
    "--method",
    type=click.Choice(["forward", "kmedoids"]),
    default="forward",
    show_default=True,
    help="How they are reduced.",
)
@click.option(
    "--revealed",
    type=click.DateTime(["%Y-%m-%d"]),
    help=(
        "Date on which the scenarios part; by default the first fiscal year that begins within the"
        " horizon."
    ),
)
@click.option(
    "--replace",
    is_flag=True,
    help="Put the new scenarios in the place of those that WORKBOOK has.",
)
@FORCE
def scenarios(
    workbook: Path,
    output: Path,
    revealed: dt.datetime | None,
    **options: Any,
) -> None:
    """Sample prices, delays, outages and embargoes of a WORKBOOK, and write a new workbook with a
    few scenarios of them.

    The sheets uncertainty and price_history say what is uncertain. Without a sheet uncertainty,
    defaults hold, which the new workbook shows.
    """
    date = revealed.date() if revealed else None
    from optimiser.cli.progress import waiting

    with waiting("sampling scenarios"):
        sampled = so.sample(workbook, output=output, revealed=date, on_message=say, **options)
    kept = count(sampled.sizes["scenarios"], "scenario")
    answer(
        f"{output}: {kept} of {options['samples']} samples, relative Kantorovich distance"
        f" {percent(sampled.distance, 1)}; its sheet guide says what was lost."
        f" Next: stockpile solve {output}"
    )
