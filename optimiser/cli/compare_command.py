"""`stockpile compare`: put plans side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import optimiser as so
from optimiser.cli.command_options import (
    FORCE,
    changes,
    gap,
    json_output,
    output,
    quiet_option,
    time_limit,
)
from optimiser.cli.messages import answer, say
from stockpile_model.amounts import count, percent

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MOST_COMPARED = 40  # rows of each part of a comparison in the terminal


@click.command(epilog="Example: stockpile compare plan.xlsx less-money.xlsx -o compared.xlsx")
@quiet_option
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="A.xlsx B.xlsx..."
)
@output("Write the comparison as a workbook too; by default none.")
@click.option("--all", "everything", is_flag=True, help="Show what does not differ too.")
@changes("Change a cell of the workbooks that are planned now.")
@gap("Proven relative gap for the workbooks that are planned now.")
@time_limit("Time limit in seconds for each that is planned now.")
@FORCE
@json_output("Print all rows as one JSON object on standard output.")
def compare(
    files: tuple[Path, ...],
    everything: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Put plans side by side: what they cost, risk and miss, and the decisions that differ from
    those of the first.

    An input workbook among the files is planned now, in memory: compare PLAN.xlsx WORKBOOK.xlsx
    compares a plan with a new plan of its workbook, edited since. A plan is stale where its
    workbook, among the files or in its folder, has changed since.
    """
    from optimiser.cli.progress import search_progress

    if len(files) < 2:
        raise click.UsageError(
            "name two plans or workbooks at least, the first of which the others are compared with"
        )
    with search_progress() as progress:
        comparison = so.compare(*files, on_message=say, on_progress=progress, **options)
    for note in comparison.notes:
        say(f"note: {note}")
    if as_json:
        answer(json.dumps(comparison.as_object(), indent=2))
        return
    show_comparison(comparison, everything)
    if options["output"]:
        answer(f"The comparison is in {options['output']}")


def show_comparison(comparison: so.SideBySide, everything: bool) -> None:
    """Print a comparison: red where a plan costs or misses more than the first, green where less,
    yellow where it differs otherwise.
    """
    from optimiser.cli.terminal import Plain

    console = Plain(highlight=False)
    console.print(comparison.opening, style="bold")
    for figure in comparison.figures.values():
        lines = [line for line in figure.lines if everything or line.differs]
        shown = lines if everything else lines[:MOST_COMPARED]
        if shown:
            console.print(f"\n{figure.title}", style="bold")
            console.print(_table(figure, shown))
        if len(lines) > len(shown):
            console.print(f"and {len(lines) - len(shown):,} more: --all or -o shows them")
    differing = len(comparison.differing)
    differ = "differs" if differing == 1 else "differ"
    rows = count(len(comparison.rows), "row")
    console.print(f"\n{differing:,} of {rows} {differ}" if differing else "Nothing differs")


def _table(figure: so.ComparisonPart, lines: Sequence[so.ComparedLine]) -> Table:
    """Return lines of a part of a comparison as a table of the terminal, a column for each plan."""
    from rich.table import Table

    table = Table("", "", "", box=None, pad_edge=False)
    for name in figure.plans:
        table.add_column(name, justify="right", overflow="fold")
    for line in lines:
        what, of, unit = map(str, line.values[:3])
        pairs = zip(line.of_plans, line.changes, strict=True)
        table.add_row(what, of, unit, *(_cell(line, value, by) for value, by in pairs))
    return table


def _cell(line: so.ComparedLine, value: object, by: float | None) -> Text:
    """Return a value, and its difference from the first plan's."""
    from optimiser.cli.terminal import coloured

    unit = line.precisions[0].unit
    if isinstance(value, (int, float)):
        text = _amount(value, unit)
    else:
        text = "-" if value is None else str(value)
    if by is None:
        return coloured(text, "")
    if not math.isfinite(by):
        return coloured(text, "yellow")
    colour = "yellow" if not line.costly else "red" if by > 0 else "green"
    return coloured(f"{text} ({_amount(by, unit, '+')})", colour)


def _amount(amount: float, unit: str, sign: str = "") -> str:
    """Return an amount in words; a ratio in percent."""
    if unit == "1":
        return percent(amount, 3, sign)
    whole = abs(amount) >= 100 or amount == round(amount)
    return f"{amount:{sign},.0f}" if whole else f"{Decimal(f'{amount:.4g}'):{sign},f}"
