"""The proof of a plan: its bound, its audit, and what it was made from."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.plan.audited import UNCHECKED
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import compared, proof
from stockpile_model import amounts

NAME = "proof"
PROGRAM, SOLVER, MADE = "version of stockpile-optimiser", "solver", "planned at"


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield what is proven, and a line for each fact by which it can be repeated."""
    yield TextFigure("proven", "", (proof(ground.plan),))
    lines = tuple(FigureLine(each) for each in _facts(ground) if each[1])
    yield TableFigure(NAME, "", (FigureColumn("Fact"), FigureColumn("Value")), lines)


def _facts(ground: MemoGround) -> Iterator[tuple[str, str]]:
    plan, run = ground.plan, ground.plan.run
    yield "Cost, bound, gap", _bound(plan)
    yield "Audit", _audited(ground.audit.said)
    for name, digest in ground.files.items():
        yield f"sha256 of {name}", digest
    yield "Changes to the workbook", str(run.get("changes", ""))
    made = [str(run[name]) for name in (MADE, SOLVER) if run.get(name)]
    if run.get(PROGRAM):
        made.append(f"stockpile-optimiser {run[PROGRAM]}")
    yield "Made", ", ".join(made)


def _audited(said: str) -> str:
    """Return what the audit says, without the columns that only a solver knows."""
    found, unchecked, _ = said.partition(UNCHECKED)
    return f"{found}; what was not checked stands on the sheet run" if unchecked else said


def _bound(plan: Plan) -> str:
    cost = f"{amounts.money(plan.objective)} {plan.currency}"
    if plan.bound is None or plan.gap is None:
        return f"{cost}; no bound is known"
    asked = plan.run.get("gap asked for")
    most = "" if asked in (None, "") else f", asked for {amounts.percent(float(str(asked)), 3)}"
    return (
        f"{cost}; no plan{compared(plan)} costs less than {amounts.money(plan.bound)}"
        f" {plan.currency}; gap {amounts.percent(plan.gap, 3)}{most}"
    )
