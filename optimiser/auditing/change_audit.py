"""Changes of what was announced: what the plan does now of each decision, and that the sheet adds
up and leaves none out.

What was announced stands in another plan, and what keeping it would cost only a solver knows.
"""

from __future__ import annotations

from collections import defaultdict

from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedDeed, AuditedSheet, Twin
from stockpile_model.names import identity

CHANGES = "changes"
WORDS = ("as announced", "more", "less", "new", "dropped")
SAME = 1e-6  # share of a quantity by which a decision is still as announced


def changes(path: PathAudit) -> None:
    """Compare what each row says is done now with this path, and the path with the rows."""
    lines = path.sheets[CHANGES]
    if not lines:
        return
    shown: dict[tuple[str, str, int], float] = defaultdict(float)
    for line in lines:
        deed, t = path.twins.deeds.get(line["what"]), path.when(line)
        if path.record.fails(deed is not None):
            what = f"{line.words('what')}: {line['what']!r} is no decision of a plan"
            path.record.refuse(line.at("what"), what)
        if deed is None or t is None:
            continue
        level = None if line["level"] is None else identity(line["level"])
        done = deed.planned(path, identity(line["name"]), level, t)
        path.mean(line, "now", done, _noise(path, deed, line["name"]))
        shown[deed.kind, identity(line["name"]), t] += line["now"]
    first, last = (path.inputs.period(end(each["date"] for each in lines)) for end in (min, max))
    for deed in path.twins.deeds.values():
        for name in path.inputs.base.keyed(deed.table) if deed.table else ():
            for t in range(max(0, first), last + 1):
                done = deed.planned(path, identity(name), None, t)
                noise, of = _noise(path, deed, name), (deed.kind, identity(name), t)
                if done > noise or of in shown:
                    what = f"{deed.kind} {name} of {path.together.clock.begins[t]} on the sheet"
                    path.record.equal(CHANGES, what, done, shown[of], noise)


def _noise(path: PathAudit, deed: AuditedDeed, name: str) -> float:
    """Return the noise of a decision; times are whole and have none."""
    rows = path.inputs.base.keyed(deed.table) if deed.table else {}
    found = (row for each, row in rows.items() if identity(each) == identity(name))
    row = next(found, None)
    return 0.0 if row is None else path.noise(row.material)


def added(together: Together) -> None:
    """Compare differences and their values with what they follow from."""
    record = together.record
    for line in together.sheets[CHANGES]:
        now, then = line["now"], line["announced"]
        record.figure(line, "difference", now - then, SAME * max(abs(now), abs(then)))
        record.figure(line, "value", abs(line["difference"]) * line["unit_value"])
        deed = together.twins.deeds.get(line["what"])
        if deed is not None:
            record.term(line, "measure", "quantity" if deed.table else "times")
        record.term(line, "change", _word(line))


def _word(line: Line) -> str:
    """Return what has become of a decision, by its figures."""
    kept, more, less, new, dropped = WORDS
    now, then = line["now"], line["announced"]
    if abs(now - then) <= SAME * max(abs(now), abs(then)):
        return kept
    if not then:
        return new
    if not now:
        return dropped
    return more if now > then else less


TWIN = Twin(
    sheets=(
        AuditedSheet(
            name=CHANGES,
            solved=("announced", "unit_value", "keeping", "cell", "before", "after", "reason"),
        ),
    ),
    settle=(changes,),
    conclude=(added,),
)
