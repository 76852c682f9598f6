"""Decide how to build, hold and rotate a stockpile of a critical metal.

Everything here works in memory and prints nothing; what is wrong is raised as one of the errors.

>>> import optimiser as so
>>> result = so.solve(so.read("inputs/small.xlsx"))
>>> result.status
'optimal'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimiser.api.book import Book, from_tables, read
    from optimiser.api.solution import (
        SavedPlan,
        SideBySide,
        Solution,
        audit,
        compare,
        load_plan,
        solve,
    )
    from optimiser.api.studying import Evaluator, StudyResult, sample, study
    from optimiser.plan.plan import Plan
    from optimiser.system.errors import Fault, InputError, OutputError, StockpileError

__all__ = [
    "Book",
    "Evaluator",
    "Fault",
    "InputError",
    "OutputError",
    "Plan",
    "SavedPlan",
    "SideBySide",
    "Solution",
    "StockpileError",
    "StudyResult",
    "audit",
    "compare",
    "from_tables",
    "load_plan",
    "read",
    "sample",
    "solve",
    "study",
]

_MODULES = {
    "optimiser.api.book": ("Book", "from_tables", "read"),
    "optimiser.api.solution": (
        *("SavedPlan", "SideBySide", "Solution", "audit", "compare", "load_plan", "solve"),
    ),
    "optimiser.api.studying": ("Evaluator", "StudyResult", "sample", "study"),
    "optimiser.plan.plan": ("Plan",),
    "optimiser.system.errors": ("Fault", "InputError", "OutputError", "StockpileError"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a command must listen for Ctrl-C before it
    imports the rest.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
