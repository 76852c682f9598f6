"""Tables on standard output, and Python run in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
KIB = 1 if sys.platform == "darwin" else 1024  # bytes in a unit of ru_maxrss


class Ran(NamedTuple):
    output: str
    status: int
    seconds: float  # of the processor, so that what else the machine does is left out
    peak: float  # memory [GiB]


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [
        [f"{each:,.3f}" if isinstance(each, float) else str(each) for each in row]
        for row in [header, *rows]
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for k, (first, *others) in enumerate(cells):
        print(
            "  ".join(
                [
                    "",
                    first.ljust(widths[0]),
                    *(each.rjust(width) for each, width in zip(others, widths[1:], strict=True)),
                ]
            )
        )
        if k == 0:
            print("  ".join(["", *("-" * width for width in widths)]))


def verdict(what: str, measured: float, most: float, unit: str = "") -> None:
    print(
        f"  {what}: {measured:.2f}{unit}, at most {most:g}{unit} wanted:"
        f" {'reached' if measured <= most else 'NOT REACHED'}",
        flush=True,
    )


def python(*arguments: str, expected: Sequence[int] = (0,), **environment: str) -> Ran:
    """Run a Python process that sees the project to its end.

    Raises RuntimeError for an unexpected exit status.
    """
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "models")])
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=out,
            stderr=errors,
            env=os.environ | environment,
            cwd=ROOT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if process.returncode not in expected:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {process.returncode}:\n{errors.read()}"
            )
        return Ran(
            out.read(),
            process.returncode,
            used.ru_utime + used.ru_stime,
            used.ru_maxrss * KIB / 2**30,
        )
