"""Commands as the command line runs them, in this process."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass

import pytest

from optimiser.cli import main


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def run(capture: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Run `stockpile` with arguments: its exit status, and what it says."""
    capture.readouterr()
    known, sys.argv = sys.argv, ["stockpile", *map(str, arguments)]
    status = 0
    try:
        main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        sys.argv = known
        gc.enable()
    said = capture.readouterr()
    return Ran(status, said.out, said.err)
