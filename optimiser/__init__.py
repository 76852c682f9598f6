"""Decide how to build, hold and rotate a stockpile of a critical metal.

Nothing here prints; what is wrong is raised as an exception. A workbook is an object in memory, or
the path of a file. A file is written only where its path is given.

>>> import optimiser as so
>>> result = so.solve(so.read("inputs/small.xlsx"))
>>> result.status
'optimal'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimiser.api.assessing import Adequacy, adequacy
    from optimiser.api.book import Book, check, check_changes, from_tables, read
    from optimiser.api.comparing import SideBySide, compare
    from optimiser.api.decision_memo import DecisionMemo, memo
    from optimiser.api.edit_cost import EditCost, edit_cost
    from optimiser.api.edited_plan import EditedPlan
    from optimiser.api.evaluator import Evaluator
    from optimiser.api.explaining_plans import explain
    from optimiser.api.plan_audit import AuditReport, audit
    from optimiser.api.plan_drawing import figures_of
    from optimiser.api.planning.bundled_plan import solve_in_bundles
    from optimiser.api.planning.planner import solve
    from optimiser.api.planning.solution import Solution
    from optimiser.api.rolled_book import RolledBook, roll
    from optimiser.api.sampled_book import SampledBook, sample
    from optimiser.api.saved_plan import SavedPlan, load_plan
    from optimiser.api.stressing import StressResult, stress
    from optimiser.api.study_results import StudyResult, StudyResults
    from optimiser.api.studying import run_studies, study
    from optimiser.figures.figure import ChartFigure, TableFigure, TextFigure
    from optimiser.figures.of_comparison.side_by_side import ComparedLine, ComparisonPart
    from optimiser.plan.plan import Plan
    from optimiser.solving.search_options import Progress
    from optimiser.studies.engine.runner import StudyProgress
    from optimiser.studies.repairs.diagnosis import ClashingRule, ClashingRules, Diagnosis, Repair
    from optimiser.system.errors import (
        Fault,
        InputError,
        NoPlanError,
        OutputError,
        StockpileError,
    )
    from optimiser.workbook.template.template_book import write_template

__all__ = [
    "Adequacy",
    "AuditReport",
    "Book",
    "ChartFigure",
    "ClashingRule",
    "ClashingRules",
    "ComparedLine",
    "ComparisonPart",
    "DecisionMemo",
    "Diagnosis",
    "EditCost",
    "EditedPlan",
    "Evaluator",
    "Fault",
    "InputError",
    "NoPlanError",
    "OutputError",
    "Plan",
    "Progress",
    "Repair",
    "RolledBook",
    "SampledBook",
    "SavedPlan",
    "SideBySide",
    "Solution",
    "StockpileError",
    "StressResult",
    "StudyProgress",
    "StudyResult",
    "StudyResults",
    "TableFigure",
    "TextFigure",
    "adequacy",
    "audit",
    "check",
    "check_changes",
    "compare",
    "edit_cost",
    "explain",
    "figures_of",
    "from_tables",
    "load_plan",
    "memo",
    "read",
    "roll",
    "run_studies",
    "sample",
    "solve",
    "solve_in_bundles",
    "stress",
    "study",
    "write_template",
]

_MODULES = {
    "api.assessing": ("Adequacy", "adequacy"),
    "api.book": ("Book", "check", "check_changes", "from_tables", "read"),
    "api.comparing": ("SideBySide", "compare"),
    "api.decision_memo": ("DecisionMemo", "memo"),
    "api.edit_cost": ("EditCost", "edit_cost"),
    "api.edited_plan": ("EditedPlan",),
    "api.evaluator": ("Evaluator",),
    "api.explaining_plans": ("explain",),
    "api.plan_audit": ("AuditReport", "audit"),
    "api.plan_drawing": ("figures_of",),
    "api.planning.bundled_plan": ("solve_in_bundles",),
    "api.planning.planner": ("solve",),
    "api.planning.solution": ("Solution",),
    "api.rolled_book": ("RolledBook", "roll"),
    "api.sampled_book": ("SampledBook", "sample"),
    "api.saved_plan": ("SavedPlan", "load_plan"),
    "api.stressing": ("StressResult", "stress"),
    "api.study_results": ("StudyResult", "StudyResults"),
    "api.studying": ("run_studies", "study"),
    "figures.figure": ("ChartFigure", "TableFigure", "TextFigure"),
    "figures.of_comparison.side_by_side": ("ComparedLine", "ComparisonPart"),
    "plan.plan": ("Plan",),
    "solving.search_options": ("Progress",),
    "studies.engine.runner": ("StudyProgress",),
    "studies.repairs.diagnosis": ("ClashingRules", "ClashingRule", "Diagnosis", "Repair"),
    "system.errors": ("Fault", "InputError", "NoPlanError", "OutputError", "StockpileError"),
    "workbook.template.template_book": ("write_template",),
}
_HOME = {name: f"optimiser.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a command must listen for Ctrl-C before it
    imports the rest.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
