"""From a workbook and its plan to the audit of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optimiser.auditing import Audit, audit
from optimiser.scenarios.bundles.trunk_plan import DECIDED
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.read.plan_reader import read_plan, spelt_alike
from stockpile_model.changes import Change


@dataclass(frozen=True)
class Audited:
    """The audit of a plan workbook, and notes on it, a line each."""

    audit: Audit
    notes: tuple[str, ...]


def audit_workbook(source: Path, plan: Path, changes: Sequence[Change] = ()) -> Audited:
    """Recompute a plan workbook from its input, after the changes that the plan was made with and
    `changes`.

    Raises InputError for an input, or a plan, that cannot be read.
    """
    saved = read_plan(plan)
    if until := saved.run.get(DECIDED):
        message = (
            f"holds what is done before {until}, when the first scenario is known: what follows was"
            " audited when it was made, and cannot be recomputed from the workbook alone"
        )
        raise InputError([Fault(str(plan), message)])
    made_with = saved.changes
    notes = [
        *saved.notes,
        *(f"the plan was made with {change}: so it is audited" for change in made_with),
    ]
    reading = read(source, [*made_with, *changes])
    spelt_alike(saved.sheets, reading.stockpile)
    if saved.run.get("input sha256", "") not in ("", reading.sha256):
        notes.append(
            f"{source} is not, or no longer, the file that the plan was made from: its sha256"
            " differs"
        )
    return Audited(audit(reading.stockpile, saved.sheets), tuple(notes))
