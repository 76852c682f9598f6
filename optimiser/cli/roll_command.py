"""`stockpile roll`: write the workbook from which the next plan goes on."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import FORCE, json_output, output, quiet_option
from optimiser.cli.messages import answer, say


@click.command(epilog="Example: stockpile roll gallium-plan.xlsx -o february.xlsx --to 2027-02-01")
@quiet_option
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN.xlsx")
@output("The next workbook.", required=True)
@click.option(
    "--to",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The first day of the next plan: that of one of its periods.",
)
@click.option(
    "--actuals",
    type=click.Path(path_type=Path),
    help=(
        "A workbook with sheets of the plan as they really went before that day, and prices; they"
        " take the place of what was planned."
    ),
)
@click.option("--scenario", default="base", show_default=True, help="The scenario that has come.")
@FORCE
@json_output("Print the tables with their numbers of rows as one JSON object.")
def roll(
    plan: Path,
    output: Path,
    to: dt.datetime,
    actuals: Path | None,
    scenario: str,
    force: bool,
    as_json: bool,
) -> None:
    """Go on from a plan: its lots, what is in transit, signed contracts and what is left of the
    money on a day become the next workbook. The plan is not touched.
    """
    from optimiser.cli.progress import waiting

    with waiting("going on from the plan"):
        book = so.roll(
            plan,
            to.date(),
            scenario=scenario,
            actuals=actuals,
            output=output,
            force=force,
            on_message=say,
        )
    if as_json:
        found = {
            "workbook": str(output),
            "tables": dict(book.sizes),
            "remarks": [*book.remarks],
            "folded": [*book.folded],
        }
        answer(json.dumps(found, indent=2))
        return
    answer(f"{output}: the workbook from {to.date()} on. Next: stockpile solve {output}")
