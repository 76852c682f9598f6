"""Reasons: what a plan does of each choice by fiscal year, and that its costs add up.

What a choice is beaten and stopped by, and what would change it, only a solver knows.
"""

from __future__ import annotations

from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedSheet, Done, Twin
from stockpile_model.names import identity

MISSING = "what is missing"
PARTS = ("price", "duty", "freight", "ordering", "handling", "other_costs")


def reasons(path: PathAudit) -> None:
    """Add what this path does of each choice to what its rows show, expected."""
    known: dict[str, Done] = {}
    for line in path.sheets["reasons"]:
        periods, level = _periods(path.together, line), line["level"]
        key = identity(line["name"]), None if level is None else identity(level)
        choice = path.twins.choices.get(line["choice"])
        deed = path.twins.deeds.get(line["choice"])
        if choice is not None and line["name"] not in choice.skips(path):
            if choice.kind not in known:
                known[choice.kind] = _folded(choice.done(path))
            amount = sum(known[choice.kind].get((*key, t), 0.0) for t in periods)
        elif choice is None and deed is not None:
            amount = sum(deed.planned(path, *key, t) for t in periods)
        else:
            continue
        noise = len(periods) * path.noise(line["material"])
        path.together.add(line, "quantity", path.future.probability * amount, None, noise, None)


def _folded(done: Done) -> Done:
    """Return what is done by names that are written in one way."""
    return {
        (identity(name), None if level is None else identity(level), t): amount
        for (name, level, t), amount in done.items()
    }


def _periods(together: Together, line: Line) -> list[int]:
    """Return the periods of a row's fiscal year; all where it has none."""
    clock, year = together.clock, line["fiscal_year"]
    return [t for t in range(clock.periods) if year in (None, f"FY{clock.fiscal_year(t)}")]


def added(together: Together) -> None:
    """Compare costs with the sum of their parts, and what is missing with its own sheets."""
    record, missing = together.record, 0.0
    for line in together.sheets["reasons"]:
        parts = [line[name] for name in PARTS]
        if None not in parts and line["landed"] is not None:
            size = max(map(abs, parts))
            record.figure(line, "landed", sum(parts), RELATIVE * size)
        if line["choice"] == MISSING:
            missing += line["quantity"]
        elif record.fails(bool(line["used"]) == (line["quantity"] > 0)):
            said = "used" if line["used"] else "not used"
            record.refuse(
                line.at("used"),
                f"{line.words('used')}: {said}, and its quantity is {line['quantity']:,.10g}",
            )
    if together.sheets["reasons"]:
        of = [total for total in together.twins.totals if total.side == "missing"]
        lines = [(each, total) for total in of for each in together.sheets[total.sheet]]
        asked = sum(each[total.column] for each, total in lines)
        noise = (1 + len(lines)) * together.noise.quantity(None)
        record.equal("reasons", "what is missing in all", asked, missing, noise)


RELATIVE = 1e-9  # of the largest part of a cost

TWIN = Twin(
    sheets=(
        AuditedSheet(
            name="reasons",
            solved=(
                "priced",
                *PARTS,
                "discounted",
                "beaten_by",
                "beaten_at",
                "stopped_by",
                "stopped_at",
                "change",
                "at_least",
                "at_most",
                "found_by",
                "to_type",
                "reason",
            ),
        ),
    ),
    settle=(reasons,),
    conclude=(added,),
)
