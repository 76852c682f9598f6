"""`stockpile report`: write the page of a plan."""

from __future__ import annotations

from pathlib import Path

import click

import optimiser as so
from optimiser.cli.command_options import FORCE, output, quiet_option
from optimiser.cli.messages import answer, say


@click.command(epilog="Example: stockpile report gallium-plan.xlsx")
@quiet_option
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN.xlsx")
@output("The page; by default PLAN.html in the folder of the plan.")
@FORCE
def report(plan: Path, output: Path | None, force: bool) -> None:
    """Write a PLAN, as solve wrote it (.xlsx or .json), as a page for any browser: one file that
    needs no network.

    A plan that was edited since says so on its page: nothing is proven of it.
    """
    from optimiser.cli.progress import waiting

    target = output or plan.with_suffix(".html")
    with waiting("reading the plan"):
        saved = so.load_plan(plan)
    if saved.edited:
        say(f"note: {plan} was changed after it was written: its page says that nothing is proven")
    with waiting("drawing the page"):
        saved.save(target, force)
    answer(f"The page is in {target}")
