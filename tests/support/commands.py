"""Commands as the command line runs them, in this process: a process of their own takes a second to
start.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from optimiser.cli.main import main


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def run(capture: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Run `stockpile` with arguments: its exit status, and what it says."""
    capture.readouterr()
    status = _status(*arguments)
    said = capture.readouterr()
    return Ran(status, said.out, said.err)


def stockpile(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `stockpile` with arguments in a folder, in a wide terminal: what a shell sees of it."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, COLUMNS="200"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = _status(*arguments)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def _status(*arguments: object) -> int:
    """The exit status of a command."""
    try:
        with mock.patch.object(sys, "argv", ["stockpile", *map(str, arguments)]):
            main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        gc.enable()
    return 0
