"""`stockpile template`: write a workbook to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

import optimiser as so
from optimiser.cli.command_options import FORCE
from optimiser.cli.messages import answer


@click.command(epilog="Example: stockpile template new.xlsx --material indium")
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--material",
    type=click.Choice(["gallium", "indium", "blank"]),
    default="gallium",
    show_default=True,
    help="The example in it.",
)
@FORCE
def template(new: Path, material: Literal["gallium", "indium", "blank"], force: bool) -> None:
    """Write a NEW workbook (.xlsx) to fill in: a guide, every table with its columns, drop-downs
    and checks, an example.
    """
    so.write_template(new, material, force)
    answer(f"{new}: fill it in from its sheet guide, then: stockpile check {new}")
