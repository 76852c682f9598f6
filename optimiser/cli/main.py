"""The command line: its commands, and the exit status of each kind of failure."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

import optimiser as so
from optimiser.cli import (
    adequacy_command,
    audit_command,
    check_command,
    compare_command,
    completion_command,
    explain_command,
    memo_command,
    report_command,
    roll_command,
    scenarios_command,
    solve_command,
    stress_command,
    study_command,
    template_command,
)
from optimiser.cli.exit_statuses import INFEASIBLE, INTERNAL, NO_PLAN, USAGE, WRONG_INPUT
from optimiser.cli.messages import lost, say
from optimiser.system import interrupts, streams
from optimiser.system.interrupts import INTERRUPTED

COMMANDS = (
    adequacy_command.adequacy,
    audit_command.audit,
    check_command.check,
    compare_command.compare,
    completion_command.completion,
    explain_command.explain,
    memo_command.memo,
    report_command.report,
    roll_command.roll,
    scenarios_command.scenarios,
    solve_command.solve,
    stress_command.stress,
    study_command.study,
    template_command.template,
)
TRACEBACK = "STOCKPILE_TRACEBACK"
"""The environment variable that shows the traceback of an internal error."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stockpile-optimiser")
def cli() -> None:
    """Decide how to build, hold and rotate a stockpile of a critical metal: a workbook in, a proven
    plan out.
    """


for _command in COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run a command, report a failure in words, and exit with the status of its kind.

    The environment variable STOCKPILE_TRACEBACK shows the traceback of an internal error.
    """
    # A command makes millions of small objects, keeps most of them and ends: collecting cycles is a
    # fifth of its time.
    gc.disable()
    interrupts.begin()
    output = streams.guard()
    try:
        cli(standalone_mode=False, obj=output)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _interrupted()
    except so.InputError as error:
        for fault in error.faults:
            say(str(fault))
        sys.exit(WRONG_INPUT)
    except so.StockpileError as error:
        say(str(error))
        sys.exit(_status(error))
    except Exception as error:
        if interrupts.seen():  # an interrupt can break what runs
            _interrupted()
        if os.environ.get(TRACEBACK):
            raise
        say(_internal(error))
        sys.exit(INTERNAL)
    finally:
        if reason := lost(output):
            say(f"standard output cannot be written: {reason}")


def _interrupted() -> NoReturn:
    say(interrupts.interrupted())
    sys.exit(INTERRUPTED)


def _status(error: so.StockpileError) -> int:
    """Return the exit status of a failure."""
    if error.internal:
        return INTERNAL
    if isinstance(error, so.NoPlanError):
        if error.interrupted:
            return INTERRUPTED
        return INFEASIBLE if error.status == "infeasible" else NO_PLAN
    return USAGE


def _internal(error: Exception) -> str:
    """Return a failure of the program itself in one line, with the place of the code."""
    *_, last = traceback.extract_tb(error.__traceback__)
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"internal error, please report it: {message} ({Path(last.filename).name}:{last.lineno};"
        f" {TRACEBACK}=1 shows where)"
    )
