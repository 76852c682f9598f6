"""A plan whose decisions were edited by hand: what its audit comes to, in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from optimiser.api.edit_cost import Decision
from optimiser.auditing import Sheets
from optimiser.auditing.findings import Finding
from optimiser.plan.frames import Shown
from stockpile_model import amounts
from stockpile_model.block import results
from stockpile_model.schema import INSTRUCTION

MOST_NAMED = 3  # decisions, and limits, that the line names
TOTAL = "objective"  # what the audit calls the cost of a plan


@dataclass(frozen=True, repr=False)
class EditedPlan(Shown):
    """Describe what the edits of a plan come to, where its other sheets do not follow them.

    `decisions` are the edited ones, as rows of the sheet `commitments` with which `solve` plans
    around them. `cost` is what the plan then costs more than it says, as the audit recomputes it
    (None: as much as it says). `broken` are the limits that it breaks, a line each.

    >>> import optimiser as so
    >>> plan = so.solve("inputs/small.xlsx").plan
    >>> so.audit("inputs/small.xlsx", plan).edited is None
    True
    """

    decisions: tuple[Mapping[str, object], ...]
    cost: float | None
    broken: tuple[str, ...]
    currency: str

    @property
    def line(self) -> str:
        """Return what the edits cost and break, and how to plan around them."""
        names = [" ".join(str(v) for v in each.values() if v) for each in self.decisions]
        cost = "the plan costs as much as it says"  # by the money that the audit recomputes
        if self.cost is not None:
            more = "more" if self.cost >= 0 else "less"
            cost = f"the plan costs {amounts.rounded(abs(self.cost))} {self.currency} {more}"
        limits = "no limit was found broken on its own rows"
        if self.broken:
            number = amounts.count(len(self.broken), "limit")
            limits = f"{number} broken: {_few(self.broken)}"
        return (
            f"edited by hand: {_few(names)}; by its own rows {cost}; {limits}. To plan around it,"
            f" add {'that row' if len(names) == 1 else 'those rows'} to the sheet commitments of"
            " the workbook (kind, name, level, date, quantity) and solve again; --cost-of-edit says"
            " what the best such plan costs, or that there is none"
        )

    def as_object(self) -> dict[str, object]:
        """Return it as one object, as `stockpile audit --json` prints it."""
        return {**asdict(self), "line": self.line}

    def _title(self) -> str:
        return self.line

    def _facts(self) -> Mapping[str, object]:
        return {}


def edited_plan(sheets: Sheets, findings: Sequence[Finding], currency: str) -> EditedPlan | None:
    """Return what the edits of a plan come to; None where no decision was edited.

    A decision whose instruction says something else was edited after the plan was written.
    """
    decisions = tuple(_decisions(sheets, findings))
    if not decisions:
        return None
    totals = [each for each in findings if each.what == TOTAL and each.relation == "is"]
    cost = None
    for each in totals:
        cost = float(each.expected) - float(each.found)
    broken = tuple(
        f"{each.what} {_bound(each)}" for each in findings if each.relation in ("most", "least")
    )
    return EditedPlan(decisions, cost, tuple(dict.fromkeys(broken)), currency)


def _decisions(sheets: Sheets, findings: Sequence[Finding]) -> Iterator[Mapping[str, object]]:
    """Yield the decisions whose instruction says something else, as rows of commitments."""
    stale: dict[str, set[int]] = {}
    for each in findings:
        cell = re.fullmatch(r"(.*)!([A-Z]+)(\d+)", each.where)
        if cell and each.what.startswith(INSTRUCTION):
            stale.setdefault(cell[1], set()).add(int(cell[3]))
    for kind in results():
        of = kind.DEED
        for line in sheets[kind.SHEET] if of is not None and kind.SHEET in stale else ():
            assert of is not None
            if line.number not in stale[kind.SHEET]:
                continue
            name, date = line[of.name], line[of.date]
            if name is None or date is None:
                continue
            level = line[of.level] if of.level else None
            decision = Decision(of.kind, str(name), level, date)
            quantity = float(line[of.quantity]) if of.quantity else 1.0
            yield {
                "kind": decision.kind,
                "name": decision.name,
                "level": level,
                "date": date.isoformat(),
                "quantity": amounts.quantity(amounts.clean(quantity)) if of.quantity else "",
            }


def _bound(finding: Finding) -> str:
    """Return the bound that a figure breaks."""
    return f"{'above' if finding.relation == 'most' else 'below'} {finding.expected:,.10g}"


def _few(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
