"""Changes of what was announced: what the plan does now of each decision, and that the sheet adds
up and leaves none out.

What was announced stands in another plan. Where that is given, its own sheets say what it announced
of each decision, and its assumptions what has changed since. What keeping a decision would cost
only a solver knows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line, Sheets
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedDeed, AuditedSheet, Twin
from stockpile_model import amounts
from stockpile_model.names import identity

CHANGES = "changes"
WORDS = ("as announced", "more", "less", "new", "dropped")
BASE, BLANK = "base", "blank"
SAME = 1e-6  # share of a quantity by which a decision is still as announced


@dataclass(frozen=True)
class AnnouncedPaths:
    """The paths of the plan that was announced, by scenario, each with what its rows show.

    `ends`: the day from which nothing was announced. `came`: the scenario that had come before it.
    """

    paths: Mapping[str, PathAudit]
    sheets: Sheets
    ends: dt.date
    came: str | None

    def of(self, path: PathAudit, t: int) -> PathAudit:
        """Return the announced path with which a period of a path is compared.

        It is that of the likeliest scenario that is still possible then and was announced, of the
        base before all. The base of a workbook that was rolled forward is what has come.
        """
        came = identity(path.inputs.settings.realised_scenario or BASE)
        base = came if came in self.paths and came != identity(self.came or BASE) else BASE
        still = path.together.nodes[t][path.future.name]
        if BASE in still and base in self.paths:
            return self.paths[base]
        known = [each for each in path.together.futures if each.name in still]
        known = [each for each in known if identity(each.name) in self.paths]
        if known:
            return self.paths[identity(max(known, key=lambda each: each.probability).name)]
        if base != BASE or BASE in self.paths:
            return self.paths[base]
        return max(self.paths.values(), key=lambda each: each.future.probability)

    def amount(
        self, path: PathAudit, deed: AuditedDeed, name: str, level: str | None, t: int
    ) -> float:
        """Return how much was announced of a decision in a period of a path."""
        of, inputs, found = self.of(path, t), path.inputs, 0.0
        for s in range(of.inputs.periods):
            day = of.inputs.begin(s)
            if inputs.settings.start <= day < self.ends and inputs.period(day) == t:
                found += deed.planned(of, name, level, s)
        return found if deed.metal else float(found > 0)


def changes(path: PathAudit) -> None:
    """Compare what each row says is done now with this path, and the path with the rows."""
    lines, announced = path.sheets[CHANGES], path.together.announced
    shown: dict[tuple[str, str, int], float] = defaultdict(float)
    for line in lines:
        deed, t = path.twins.deeds.get(line["what"]), path.when(line)
        if path.record.fails(deed is not None):
            what = f"{line.words('what')}: {line['what']!r} is no decision of a plan"
            path.record.refuse(line.at("what"), what)
        if deed is None or t is None:
            continue
        name = identity(line["name"])
        level = None if line["level"] is None else identity(line["level"])
        noise = _noise(path, deed, name)
        path.mean(line, "now", deed.planned(path, name, level, t), noise)
        shown[deed.kind, name, t] += line["now"]
        if announced is not None:
            path.mean(line, "announced", announced.amount(path, deed, name, level, t), noise)
            _worth(path, announced, line, deed, t)
    if lines:
        _done_now(path, shown)
    if announced is not None and CHANGES in path.together.sheets.rows:
        _left_out(path, announced, {*shown})


def _done_now(path: PathAudit, shown: Mapping[tuple[str, str, int], float]) -> None:
    """Compare what is done with the rows, in the periods from the first of them to the last."""
    periods = [t for _, _, t in shown]
    first, last = min(periods, default=0), max(periods, default=-1)
    for deed in path.twins.deeds.values():
        for name in path.inputs.base.keyed(deed.table):
            for t in range(first, last + 1):
                done = deed.planned(path, identity(name), None, t)
                noise, of = _noise(path, deed, name), (deed.kind, identity(name), t)
                if done > noise or of in shown:
                    what = f"{deed.kind} {name} of {path.together.clock.begins[t]} on the sheet"
                    path.record.equal(CHANGES, what, done, shown.get(of, 0.0), noise)


def _left_out(path: PathAudit, announced: AnnouncedPaths, shown: set[tuple[str, str, int]]) -> None:
    """Compare what was announced with the rows: each decision has one."""
    for t in range(path.inputs.periods):
        was = announced.of(path, t)
        for deed in path.twins.deeds.values():
            for name in was.inputs.base.keyed(deed.table):
                amount = announced.amount(path, deed, identity(name), None, t)
                noise = _noise(was, deed, name)
                if amount > noise and path.record.fails((deed.kind, identity(name), t) in shown):
                    day = path.together.clock.begins[t]
                    what = f"{deed.kind} {name} of {day} was announced and is not on the sheet"
                    path.record.refuse(CHANGES, what)


def _worth(
    path: PathAudit, announced: AnnouncedPaths, line: Line, deed: AuditedDeed, t: int
) -> None:
    """Compare what a unit of a decision moves: as the workbook has it, else as the announced one
    had it. Of what has no price nothing says it.
    """
    for of in (path, announced.of(path, t)):
        rows = of.inputs.base.keyed(deed.table)
        name = next((each for each in rows if identity(each) == identity(line["name"])), None)
        if name is None or not _listed(of, name, line["level"]):
            continue
        day = path.together.clock.begins[t]
        worth = deed.worth(of, name, line["level"], of.inputs.period(day))
        if worth:
            path.mean(line, "unit_value", worth)
        else:
            path.together.unseen.add((id(line), "unit_value"))
        return


def _listed(path: PathAudit, name: str, level: str | None) -> bool:
    """Return whether a contract has a level; all has none."""
    floors = path.inputs.base.rows("floors")
    asked = None if level is None else (identity(name), identity(level))
    return asked is None or asked in {(identity(f.contract), identity(f.level)) for f in floors}


def _noise(path: PathAudit, deed: AuditedDeed, name: str) -> float:
    """Return the noise of a decision; times are whole and have none."""
    rows = path.inputs.base.keyed(deed.table) if deed.metal else {}
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
            record.term(line, "measure", "quantity" if deed.metal else "times")
        record.term(line, "change", _word(line))


def cells(together: Together) -> None:
    """Compare the cells behind changes with the inputs of both plans."""
    if together.announced is None:
        return
    now, was = (_told(sheets) for sheets in (together.sheets, together.announced.sheets))
    at: dict[str, set[Place]] = defaultdict(set)
    for sheets in (together.announced.sheets, together.sheets):
        for each in sheets["assumptions"]:
            at[each["cell"] or ""].add(_place(each))
    for line in together.sheets[CHANGES]:
        said = line["before"] or BLANK, line["after"] or BLANK
        found = {(was.get(p, BLANK), now.get(p, BLANK)) for p in at[line["cell"] or ""]}
        given = line["cell"] is not None or said != (BLANK, BLANK)
        if given and together.record.fails(said in found and said[0] != said[1]):
            what = f"{line.words('cell')} is {line['cell']}: it did not become {said[1]}"
            together.record.refuse(line.at("cell"), f"{what} from {said[0]}")


Place = tuple[str, str, str]
"""The table, row and column of an input."""


def _place(line: Line) -> Place:
    return line["table"], identity(line["row"] or ""), identity(line["column"])


def _told(sheets: Sheets) -> dict[Place, str]:
    """Return the inputs that a plan lists, as the sheet of changes writes them."""
    return {_place(each): _written(each["value"]) for each in sheets["assumptions"]}


def _written(value: object) -> str:
    if value is None or value == "":
        return BLANK
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return amounts.quantity(amounts.clean(float(value)))
    return value.isoformat()[:10] if isinstance(value, dt.date) else str(value)


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
            solved=("keeping", "reason"),
            announced=("announced", "unit_value", "cell", "before", "after"),
        ),
    ),
    settle=(changes,),
    conclude=(added, cells),
)
