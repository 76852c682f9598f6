"""Commitments: what the plan makes of each decision that was taken before it."""

from __future__ import annotations

from typing import Any

from optimiser.auditing.findings import apart
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.together import Together
from optimiser.auditing.twin import Twin
from stockpile_model.names import identity


def commitments(path: PathAudit) -> None:
    """Compare what was decided before the plan with this path: exactly, at least or at most."""
    inputs, record = path.inputs, path.record
    for k, row in enumerate(inputs.rows("commitments")):
        planned, wanted = (
            _planned(path, row, None if row.date is None else inputs.period(row.date)),
            _asked(row),
        )
        noise = _noise(path.together, row)
        compare = {"exactly": record.equal, "at_least": record.reaches, "at_most": record.within}[
            row.how
        ]
        compare("commitments", _described(row), wanted, planned, noise, (row, "quantity"))
        path.together.planned[k] += path.future.probability * planned


def _asked(row: Any) -> float:
    return 1.0 if row.quantity is None else float(row.quantity)


def _described(row: Any) -> str:
    return " ".join(
        [
            "commitment to",
            row.kind,
            row.name,
            *([row.level] if row.level else []),
            *([f"in {row.date}"] if row.date else []),
        ]
    )


def kept(together: Together) -> None:
    """Compare the sheet of commitments with what the plan makes of each, expected."""
    record, clock = together.record, together.clock
    columns = ("date", "kind", "name", "level", "how", "quantity")
    lines = list(together.sheets["commitments"])
    for k, row in enumerate(together.base.rows("commitments")):
        t, what, wanted = (
            None if row.date is None else clock.period(row.date),
            _described(row),
            _asked(row),
        )
        key = [
            None if t is None else clock.begin(t),
            row.kind,
            identity(row.name),
            row.level,
            row.how,
        ]
        shown = [[*(each[name] for name in columns)] for each in lines]
        line = next(
            (
                each
                for each, found in zip(lines, shown, strict=True)
                if [*found[:2], identity(found[2]), *found[3:-1]] == key
                and found[-1] is not None
                and not apart(wanted, found[-1])
            ),
            None,
        )
        if record.fails(line is not None):
            record.refuse("commitments", f"{what} is not on the sheet", (row, "name"))
        if line is not None:
            lines.remove(line)
            record.figure(line, "planned", together.planned[k], _noise(together, row))
            deed = together.twins.deeds[row.kind]
            record.term(line, "measure", "quantity" if deed.metal else "times")
    for line in lines:
        record.refuse(line.where, f"{line.words('name')} is no commitment of the input")


def _noise(together: Together, row: Any) -> float:
    """Return the noise of what a plan does of a commitment; times are whole and have none."""
    deed = together.twins.deeds[row.kind]
    if not deed.metal:
        return 0.0
    of = (
        each.material
        for name, each in together.base.keyed(deed.table).items()
        if identity(name) == identity(row.name)
    )
    return together.noise.quantity(next(of, None))


def _planned(path: PathAudit, row: Any, t: int | None) -> float:
    """Return what the plan does of a commitment, in its period or (None) over the horizon.

    What was decided before the start was done.
    """
    if t is not None and t < 0:
        return _asked(row)
    level = None if row.level is None else identity(row.level)
    return path.twins.deeds[row.kind].planned(path, identity(row.name), level, t)


TWIN = Twin(follow=(commitments,), conclude=(kept,))
