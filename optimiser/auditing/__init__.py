"""Recomputes a plan from the input rows alone, without the model and without the solver.

Taken from the plan are its decisions: what is ordered, signed, granted, called off, handed out of
which lot and paid by which appropriation. All else follows from them and the input: what may be
decided when, what arrives, how old it is, what expires, what everything costs. Under scenarios each
is audited as a plan of its own, of the rows that hold in it and the input as it stands on its path
(`scenarios`: who knows what when; `together`: what paths share, and what is a mean over them). The
rooms: `purchases`, `contracts` and `projects` (what is decided), `options` (what floors are worth),
`metal` (lots and ages), `needs` (demand, targets, closing stock), `rules` (policy and commitments),
`money` (cash flow, appropriations, objective, proof), `assumptions` (the inputs that a plan lists),
`sentences` (instructions), `summary` (totals of the other sheets). `inputs` reads the input with
arithmetic of its own, so that an error in the model's is no error here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimiser.auditing import (
    assumptions,
    contracts,
    metal,
    money,
    needs,
    options,
    projects,
    purchases,
    rules,
    sentences,
    summary,
)
from optimiser.auditing.case import Case
from optimiser.auditing.clock import Clock
from optimiser.auditing.findings import Finding, Record
from optimiser.auditing.scenarios import futures
from optimiser.auditing.sheets import Line, Sheets, lines
from optimiser.auditing.together import Together
from optimiser.system.errors import StockpileError
from stockpile_model.stockpile import Stockpile

__all__ = ["Audit", "AuditError", "Finding", "Line", "Sheets", "audit", "lines"]

MOST_TOLD = 20
SOLVED: Mapping[str, tuple[str, ...]] = {
    "marginal_values": ("limit", "cell", "date", "sense", "amount", "used", "unit", "worth"),
    "floors": ("cost_difference", "difference_at_least", "to_change"),
}
"""What only a solver tells, by sheet and column: it is not recomputed, and the audit says so."""


@dataclass(frozen=True)
class Audit:
    """How many figures of a plan were compared, what was found to differ, and what could not be
    compared: what only a solver tells, and figures of which nothing else tells.
    """

    figures: int
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()


class AuditError(StockpileError):
    """A plan of this program that its input does not bear out: an error of the program, never of
    its user.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        told = [f"  {each}" for each in findings[:MOST_TOLD]]
        if len(findings) > MOST_TOLD:
            told.append(f"  … and {len(findings) - MOST_TOLD:,} more")
        super().__init__(
            "\n".join(["the plan does not agree with its input and was not written:", *told])
        )

    def __reduce__(self) -> tuple[type[AuditError], tuple[tuple[Finding, ...]]]:
        return type(self), (
            self.findings,
        )  # an error of a worker process reaches the one that waits for it


def audit(stockpile: Stockpile, sheets: Sheets) -> Audit:
    """Recompute a plan, scenario by scenario. The stockpile's rows have passed their check."""
    base, found = futures(stockpile)
    record = Record(stockpile, [each.name for each in found])
    together = Together(Clock(stockpile.settings), base, found, sheets, record)
    paths = together.paths()
    for future in found:
        record.scenario = future.name
        _path(Case(together, future, paths[future.name]))
    record.scenario = None
    _listed(together)
    contracts.begun(together)
    options.options(together)
    options.menus(together)
    rules.kept(together)
    money.budget(together)
    money.objective(together)
    together.compare()
    assumptions.assumptions(stockpile, sheets, record)
    sentences.sentences(together)
    summary.summary(together)
    return Audit(record.figures, record.findings, (*_unchecked(sheets), *record.unchecked))


def _unchecked(sheets: Sheets) -> Iterator[str]:
    """What stands in a plan and is not recomputed."""
    if sheets.bound is not None:
        yield "the proven bound"
    for sheet, names in SOLVED.items():
        if told := [
            name for name in names if any(line[name] is not None for line in sheets[sheet])
        ]:
            yield f"{sheet} ({', '.join(name.replace('_', ' ') for name in told)})"
    if sheets["summary"]:
        yield "the verdict and the warnings of the summary"
    if sheets.unread:
        yield f"the sheets {', '.join(sheets.unread)}"


def _path(case: Case) -> None:
    """What is decided on one path, and all that follows."""
    purchases.deliveries(case)
    projects.projects(case)
    purchases.orders(case)
    contracts.contracts(case)
    projects.carried(case)
    purchases.prices(case)
    moved = metal.metal(case)
    needs.demand(case, moved)
    needs.targets(case)
    needs.closing(case)
    rules.rules(case)
    rules.commitments(case)
    money.cash_flow(case)
    money.payments(case)
    money.costs(case)


def _listed(together: Together) -> None:
    """Each contract and project is told of, decided or not."""
    for table in ("contracts", "projects"):
        name = table.rstrip("s")
        told = {line[name] for line in together.sheets[table]}
        for key, row in together.base.keyed(table).items():
            if together.record.fails(key in told):
                together.record.refuse(table, f"{name} {key} is not on the sheet", (row, name))
