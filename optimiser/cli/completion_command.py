"""`stockpile completion`: complete commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from optimiser.cli.messages import answer

PROGRAM, VARIABLE = "stockpile", "_STOCKPILE_COMPLETE"


@click.command(epilog='Example: eval "$(stockpile completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a SHELL complete the commands, options and files of stockpile.

    Write it into the file that the shell reads at its start, such as ~/.bashrc.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click knows each shell of the choice
    answer(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
