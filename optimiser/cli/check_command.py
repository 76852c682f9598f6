"""`stockpile check`: list every problem of a workbook."""

from __future__ import annotations

from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import FORCE, WORKBOOK, quiet_option
from optimiser.cli.messages import answer, say
from stockpile_model.amounts import count


@click.command(epilog="Example: stockpile check gallium.xlsx --errors errors.xlsx")
@quiet_option
@WORKBOOK
@click.option(
    "--errors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the errors as a workbook whose rows lead to the cells: E.xlsx.",
)
@FORCE
def check(workbook: Path, errors: Path | None, force: bool) -> None:
    """Check a WORKBOOK (or a folder of CSV files): every problem at once, a line each, with sheet
    and cell.
    """
    from optimiser.cli.progress import waiting

    with waiting(f"reading and checking {workbook.name}"):
        book = so.check(workbook, errors, force)
    for fault in book.warnings:
        say(f"warning: {fault}")
    answer(
        f"{workbook}: no error in {count(sum(book.sizes.values()), 'row')} of"
        f" {count(len(book.tables), 'table')} ({', '.join(book.tables)})"
    )
