"""The record of a run: what an auditor needs to repeat it."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping

from optimiser.api.book import Book, parsed
from optimiser.solving.highs import version as highs_version
from optimiser.solving.search_options import Options
from optimiser.solving.solve import Outcome
from optimiser.system.versions import installed

PACKAGES = ("stockpile-optimiser", "pyomo", "highspy", "numpy", "openpyxl", "xlsxwriter")


def run_record(book: Book, options: Options, outcome: Outcome | None = None) -> dict[str, object]:
    """Return input, options, size, end and versions of a run by name."""
    return {
        "input": book.source or "tables",
        "input sha256": book.sha256,
        "changes": "; ".join(map(str, parsed(book.changes))),
        "objective": book.stockpile.settings.objective,
        "gap asked for": options.gap,
        "time limit [s]": options.time_limit,
        "threads": options.threads,
        "seed": options.seed,
        "solver": outcome.solver if outcome else highs_version(),
        **(_end(outcome) if outcome else {}),
        "planned at": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        **{f"version of {name}": installed(name) for name in PACKAGES},
        "version of Python": platform.python_version(),
        "system": platform.platform(),
    }


def _end(outcome: Outcome) -> Mapping[str, object]:
    """Return how the search ended, and the size of its program."""
    end = {
        "ended": "interrupted by the user" if outcome.interrupted else outcome.status,
        "nodes": outcome.nodes,
    }
    if outcome.form is None:
        return end
    program = outcome.form.program
    size = {"columns": program.columns, "rows": program.rows}
    return {**end, **size, "whole columns": int(program.integer.sum())}
