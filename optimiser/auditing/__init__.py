"""Recompute a plan from the input rows alone, without the model and without the solver.

Taken from the plan are its decisions: what is ordered, signed, granted, called off, handed out of
which lot and paid by which appropriation. All else follows from them and the input: what may be
decided when, what arrives, how old it is, what expires, what everything costs. Under scenarios each
is audited as a plan of its own, of the rows that hold in it and the input as it stands on its path
(`futures`: who knows what when; `together`: what paths share, and what is a mean over them). Each
concern has a twin (`twin`), which declares what the others need to know of it: `purchases`,
`price_rises` (what own buying adds), `contracts` and `projects` (what is decided), `after_audit`
(what is bound after the horizon), `menus` (what floors are worth), `metal` (lots and
ages), `outlets` (rotation), `move_audit` (moves between sites), `needs` (demand, targets, closing
stock), `rule_audit`,
`commitment_audit`, `appropriation_audit` (what each obligates and pays), `cash` (cash flow,
objective, proof), `adequacy_audit` (the assessment of supply), `reason_audit` (what is used of each
choice), `change_audit` (what changes of an announced plan), `action_audit` (what is to be signed,
and what follows from it). Of the plan as a whole are
`assumptions` (the inputs that it lists), `sentences` (instructions), `summary_totals` (totals of
the other sheets) and `scenario_view` (what they show of one scenario). `inputs` reads the input
with arithmetic of its own, so that an error in the model's is no error here too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from optimiser.auditing import (
    action_audit,
    adequacy_audit,
    after_audit,
    appropriation_audit,
    assumptions,
    call_off_audit,
    cash,
    change_audit,
    commitment_audit,
    contracts,
    extension_audit,
    joint_order_audit,
    menus,
    metal,
    move_audit,
    needs,
    outlets,
    pipeline,
    prepayment_audit,
    price_rises,
    projects,
    purchases,
    reason_audit,
    rule_audit,
    scenario_view,
    sentences,
    summary_totals,
)
from optimiser.auditing.change_audit import AnnouncedPaths
from optimiser.auditing.clock import AuditClock
from optimiser.auditing.findings import Finding, Findings
from optimiser.auditing.futures import futures
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line, Sheets, lines
from optimiser.auditing.together import Together
from optimiser.auditing.twin import Twin, Twins
from optimiser.system.errors import StockpileError
from stockpile_model.names import identity
from stockpile_model.stockpile import Stockpile

__all__ = [
    "TWINS",
    "AnnouncedSheets",
    "Audit",
    "AuditError",
    "Finding",
    "Line",
    "Sheets",
    "Twin",
    "audit",
    "lines",
]

MOST_SHOWN = 20
TWINS = [
    projects.TWIN,
    joint_order_audit.TWIN,
    purchases.TWIN,
    price_rises.TWIN,
    contracts.TWIN,
    after_audit.TWIN,
    call_off_audit.TWIN,
    extension_audit.TWIN,
    prepayment_audit.TWIN,
    pipeline.TWIN,
    menus.TWIN,
    metal.TWIN,
    outlets.TWIN,
    move_audit.TWIN,
    needs.DEMAND,
    needs.TARGETS,
    needs.CLOSING,
    rule_audit.TWIN,
    commitment_audit.TWIN,
    appropriation_audit.TWIN,
    cash.TWIN,
    adequacy_audit.TWIN,
    reason_audit.TWIN,
    change_audit.TWIN,
    action_audit.TWIN,
]
"""The twins of all concerns, in the order in which the phases of a path run them."""


@dataclass(frozen=True)
class Audit:
    """The result of an audit: how many figures were compared, and which differ.

    `unchecked` is what could not be compared: what only a solver knows, and figures that follow
    from nothing else.
    """

    figures: int
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()


class AuditError(StockpileError):
    """A plan of this program does not agree with its input.

    This is an error of the program, never of its user.
    """

    internal = True

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        shown = [f"  {each}" for each in findings[:MOST_SHOWN]]
        if len(findings) > MOST_SHOWN:
            shown.append(f"  … and {len(findings) - MOST_SHOWN:,} more")
        super().__init__(
            "\n".join(["the plan does not agree with its input and was not written:", *shown])
        )

    def __reduce__(self) -> tuple[type[AuditError], tuple[tuple[Finding, ...]]]:
        return type(self), (
            self.findings,
        )  # an error of a worker process reaches the one that waits for it


@dataclass(frozen=True)
class AnnouncedSheets:
    """A plan that was announced: its workbook, its sheets, the day from which it says nothing."""

    stockpile: Stockpile
    sheets: Sheets
    ends: dt.date


def audit(stockpile: Stockpile, sheets: Sheets, announced: AnnouncedSheets | None = None) -> Audit:
    """Recompute a plan, scenario by scenario. The stockpile's rows have passed their check.

    `announced`: the plan near which it was made, where what it announced is to be recomputed too.
    """
    twins = Twins(TWINS)
    near = None if announced is None else _announced(announced, twins)
    together, _ = _checked(stockpile, sheets, twins, near)
    record = together.record
    _listed(together)
    twins.check_together(together)
    together.compare()
    assumptions.assumptions(stockpile, sheets, record)
    sentences.sentences(together)
    summary_totals.summary(together)
    scenario_view.one_scenario(together)
    return Audit(record.figures, record.findings, (*_unchecked(together), *record.unchecked))


def _checked(
    stockpile: Stockpile, sheets: Sheets, twins: Twins, near: AnnouncedPaths | None
) -> tuple[Together, list[PathAudit]]:
    """Return the paths of a plan, each compared with its input."""
    base, found = futures(stockpile)
    record = Findings(stockpile, [each.name for each in found])
    clock = AuditClock(stockpile.settings)
    together = Together(clock, base, found, sheets, record, twins, near)
    rows, paths = together.paths(), []
    for future in found:
        record.scenario = future.name
        paths.append(PathAudit(together, future, rows[future.name]))
        twins.check_path(paths[-1])
    record.scenario = None
    return together, paths


def _announced(announced: AnnouncedSheets, twins: Twins) -> AnnouncedPaths:
    """Return the paths of a plan that was announced. What is wrong with it is no concern here."""
    _, paths = _checked(announced.stockpile, announced.sheets, twins, None)
    came = announced.stockpile.settings.realised_scenario
    found = {identity(each.future.name): each for each in paths}
    return AnnouncedPaths(found, announced.sheets, announced.ends, came)


def _unchecked(together: Together) -> Iterator[str]:
    """Yield what stands in a plan and is not recomputed."""
    sheets = together.sheets
    if sheets.bound is not None:
        yield "the proven bound"
    for audited in together.twins.sheets.values():
        lines = sheets[audited.name]
        of_other = audited.announced if together.announced is None else ()
        left = (*audited.solved, *of_other)
        names = [name for name in left if any(line[name] is not None for line in lines)]
        if names:
            yield f"{audited.name} ({', '.join(name.replace('_', ' ') for name in names)})"
    if sheets["summary"]:
        yield "the verdict and the warnings of the summary"
    if sheets.unread:
        yield f"the sheets {', '.join(sheets.unread)}"


def _listed(together: Together) -> None:
    """Compare each row of a table whose rows are all decided on with its sheet: it stands there."""
    for audited in together.twins.sheets.values():
        if not audited.member:
            continue
        sheet, name = audited.name, audited.member
        shown = {line[name] for line in together.sheets[sheet]}
        for key, row in together.base.keyed(sheet).items():
            if together.record.fails(key in shown):
                together.record.refuse(sheet, f"{name} {key} is not on the sheet", (row, name))
