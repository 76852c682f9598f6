"""What the stock is for: demand met, targets held, the value of what is left at the end."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from optimiser.auditing.inputs import Inputs
from optimiser.auditing.metal import goes_out, lot_of
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedHeading, AuditedMovement, AuditedTotal, Size, Twin

LEAST_CHANCE = 1e-9  # noise of a sum of probabilities [1]

Need = tuple[int, str, str | None, int]
"""A period, a material or group, a buyer and the life that is asked for [periods]."""
Use = tuple[int, str, str | None]
"""A period, a material or group, and a buyer."""


def demand(path: PathAudit) -> None:
    """Compare demand with the input, and what is met with what left lots; price the rest."""
    inputs, record = path.inputs, path.record
    due = asked_for(path)
    required: dict[Need, float] = defaultdict(float)
    met: dict[Need, float] = defaultdict(float)
    for line in path.sheets["demand"]:
        t, named = path.when(line), _named(path, line)
        if t is None or named is None:
            continue
        name, row = named
        life = _life_asked(path, name, line["minimum_life"] or 0.0, t)
        required[t, name, line["buyer"], life] += line["required"]
        met[t, name, line["buyer"], life] += line["met"]
        noise, price = path.noise(name), inputs.at(t).least(name, "shortage_cost")
        record.figure(line, "unmet", line["required"] - line["met"], noise)
        record.least(line, "unmet", 0.0, noise)
        if price is None:
            record.most(line, "unmet", 0.0, noise, (row, "shortage_cost"))
        cost = (price or 0.0) * line["unmet"] * inputs.factor(t)
        path.total(line, "cost", cost, 0.0, (row, "shortage_cost"))
    listed = _in_words(path, due), _in_words(path, required)
    path.match("demand", "what is required", *listed, lambda key: path.noise(key[1]))
    used = _used_up(path, _whole(due), _whole(met))
    path.match("demand", "what is met", used, _whole(met), lambda key: path.noise(key[1]))
    _young_enough(path, met)
    for key, quantity in _whole(due).items():
        unmet = quantity - used.get(key, 0.0)
        unmet = unmet if unmet > path.noise(key[1]) else 0.0
        path.outcome.shortfall += unmet
        path.book(
            key[0],
            "shortage",
            (inputs.at(key[0]).least(key[1], "shortage_cost") or 0.0) * unmet,
            key[1],
            key[2],
            key[2],
        )


def _named(path: PathAudit, line: Line) -> tuple[str, Any] | None:
    """Return the material or group of a line, with the row of its first material.

    Where there is none that is a finding.
    """
    base = path.inputs.base
    first = {group: base.materials[names[0]] for group, names in base.groups.items()}
    row = path.known(line, "material", "materials", base.materials | first)
    return None if row is None else (line["material"], row)


def asked_for(path: PathAudit) -> dict[Need, float]:
    """Return what the input asks for in each period, by the life that it asks for [quantity]."""
    inputs, spans = path.inputs, dict[int, range]()
    due: dict[Need, float] = defaultdict(float)
    for t in range(inputs.periods):
        for row in inputs.at(t).rows("demand"):
            if row.quantity > 0:
                if id(row) not in spans:
                    spans[id(row)] = inputs.spans(row.from_, row.to or row.from_)
                if t in spans[id(row)]:
                    life = _life_asked(path, row.material, row.minimum_life_months, t)
                    due[t, row.material, row.buyer, life] += row.quantity
    return due


def _life_asked(path: PathAudit, name: str, months: float, t: int) -> int:
    """Return a life in whole periods: 0 where life is unlimited, at most one beyond it.

    Of a group the longest life of a material counts that has a limited one.
    """
    inputs = path.inputs
    lives = [inputs.life(each, t) or 0 for each in inputs.base.members(name)]
    return min(max(lives) + 1, math.ceil(months / inputs.months - 1e-9)) if any(lives) else 0


def _in_words(
    path: PathAudit, needs: Mapping[Need, float]
) -> dict[tuple[int, str, str | None, str], float]:
    """Return quantities with the life that is asked for as a message names it."""
    months = path.inputs.months
    return {
        (t, material, buyer, f"{life * months} months of life" if life else ""): quantity
        for (t, material, buyer, life), quantity in needs.items()
    }


def _whole(needs: Mapping[Need, float]) -> dict[Use, float]:
    """Return quantities by period, material or group, and buyer, of whatever life."""
    found: dict[Use, float] = defaultdict(float)
    for (t, material, buyer, _), quantity in needs.items():
        found[t, material, buyer] += quantity
    return found


def _used_up(
    path: PathAudit, due: Mapping[Use, float], met: Mapping[Use, float]
) -> dict[Use, float]:
    """Return what each demand took from lots [quantity].

    Of a material that is what the plan states as met; what is used beyond it is for the demand of
    its group, where there is any.
    """
    used = path.moves.sums("demand", lambda t, lot, name: (t, lot.material, name or None))
    group = {name: group for group, names in path.inputs.base.groups.items() for name in names}
    found: dict[Use, float] = defaultdict(float)
    for (t, name, buyer), quantity in used.items():
        of, own = (t, group.get(name, ""), buyer), quantity
        if of in due:
            own = min(quantity, met.get((t, name, buyer), 0.0))
            found[of] += quantity - own
        found[t, name, buyer] += own
    return found


def _young_enough(path: PathAudit, met: Mapping[Need, float]) -> None:
    """Compare what is met of a life or more with the metal used that has so much life left.

    Of a group it is what is left of each material by its own demand for that life or less.
    """
    inputs = path.inputs
    for t, name, buyer, least in (key for key in met if key[3] > 0):
        asked = _asking(met, t, name, buyer, least)
        if name in inputs.base.groups:
            parts = (_spare(path, met, (t, i, buyer), least) for i in inputs.base.members(name))
            enough = sum(parts)
        else:
            enough = _young(path, (t, name, buyer), least)
        months = least * inputs.months
        what = f"{name} used in {inputs.begins[t]} with {months} months of life or more left"
        path.record.reaches("movements", what, asked, enough, path.noise(name))


def _asking(met: Mapping[Need, float], t: int, name: str, buyer: str | None, least: int) -> float:
    """Return what is met of a demand for so many periods of life or more [quantity]."""
    place = t, name, buyer
    return sum(amount for key, amount in met.items() if key[:3] == place and key[3] >= least)


def _young(path: PathAudit, use: Use, least: int) -> float:
    """Return what a buyer used of a material with so many periods of life left [quantity]."""
    inputs, (t, name, _) = path.inputs, use
    life = inputs.life(name, t)
    used = path.moves.sums(
        "demand",
        lambda t, lot, buyer: (t, lot.material, buyer or None, t - inputs.period(lot.made)),
    )
    return sum(
        amount
        for key, amount in used.items()
        if key[:3] == use and (life is None or life - key[3] >= least)
    )


def _spare(path: PathAudit, met: Mapping[Need, float], use: Use, least: int) -> float:
    """Return what is used of a material with a life left beyond its own demand [quantity].

    Metal for its own demand for less life may have more, where there is no other.
    """
    own = {key[3] for key in met if key[:3] == use and key[3] <= least} | {0, least}
    return max(0.0, min(_young(path, use, k) - _asking(met, *use, k) for k in own))


def targets(path: PathAudit) -> None:
    """Compare targets with the input and the stock with enough life left; hard ones are met."""
    inputs, record = path.inputs, path.record
    stock: dict[tuple[int, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (period, material, site, age), quantity in path.held.items():
        if inputs.counts(material, age, period):
            stock[period, material][site] += quantity
    due = due_targets(path)
    for line in path.sheets["targets"]:
        t, named = path.when(line), _named(path, line)
        if t is None or named is None:
            continue
        wanted = due.pop((t, named[0], line["buyer"]), (0.0, None))
        held = sum(
            amount
            for material in inputs.base.members(named[0])
            for site, amount in stock[t, material].items()
            if inputs.serves(site, line["buyer"])
        )
        _target(path, line, t, named, wanted, held)
    for (begin, name, buyer), (quantity, row) in due.items():
        what = f"target for {name}{f' of {buyer}' if buyer else ''} in {inputs.begins[begin]}"
        record.equal("targets", what, quantity, 0.0, path.noise(name), (row, "quantity"))


def _target(
    path: PathAudit,
    line: Line,
    t: int,
    named: tuple[str, Any],
    wanted: tuple[float, Any],
    held: float,
) -> None:
    """Compare one line of the sheet with its target, what is held of it and what it costs."""
    inputs, record = path.inputs, path.record
    (quantity, row), (name, material) = wanted, named
    noise = path.noise(name)
    stated = "quantity" if row is None or row.days is None else "days"
    record.figure(line, "target", quantity, noise, (row, stated))
    if row is None:
        return
    hard = row.hard and row.probability is None
    record.term(line, "hard", hard, (row, "hard"))
    below = quantity - held
    below = below if below > noise else 0.0
    if path.idle and not hard:
        record.least(line, "below", below, noise)
        below = max(below, line["below"])
    record.figure(line, "stock", held, noise, (material, "count_life_months"))
    record.figure(line, "below", below, noise)
    missed = record.above(0.0, below, noise)
    if hard and missed:
        what = f"{line.words('stock')}, for a hard target,"
        record.add(line.at("stock"), what, quantity, held, "least", (row, "hard"))
    if row.probability is not None and missed:
        number = next(k for k, each in enumerate(inputs.at(t).rows("targets")) if each is row)
        path.together.missed[number].add(path.future.name)
    if held < quantity - noise:
        _kept_below(path, line, name, t, noise)
    rate = inputs.at(t).least(name, "below_target_cost") or 0.0
    cent = path.cent(name, "below_target")
    owed = rate * below * inputs.factor(t)
    path.total(line, "cost", owed, cent, (material, "below_target_cost"))
    path.outcome.shortfall += below
    path.book(t, "below_target", rate * below, name, line["buyer"], line["buyer"])


RELEASES = ("sale", "loan", "dispose")  # the forms by which a stockpile lets metal go


def _kept_below(path: PathAudit, line: Line, name: str, t: int, noise: float) -> None:
    """Compare what leaves while a target is missed: nothing that would count towards it."""
    inputs, record, released = path.inputs, path.record, 0.0
    if inputs.settings.release_below_target:
        return
    for each in path.sheets["rotation"]:
        age = t - inputs.period(each["made"])
        if (
            inputs.period(each["date"]) == t
            and each["material"] in inputs.base.members(name)
            and each["form"] in RELEASES
            and inputs.serves(each["site"], line["buyer"])
            and inputs.counts(each["material"], age, t)
            and path.tested_times(lot_of(each)) is not None
        ):
            released += each["quantity"]
    what = f"what leaves of {name} in {inputs.begins[t]} and would count"
    cell = inputs.settings, "release_below_target"
    record.within("rotation", what, 0.0, released, noise, cell)


def due_targets(path: PathAudit) -> dict[tuple[int, str, str | None], tuple[float, Any]]:
    """Return the targets above zero by period, material and buyer, and the rows that set them."""
    series: dict[int, dict[tuple[str, str | None], list[tuple[int, Any]]]] = {}
    found: dict[tuple[int, str, str | None], tuple[float, Any]] = {}
    for t in range(path.inputs.periods):
        rows = path.inputs.at(t)
        if id(rows) not in series:
            series[id(rows)] = defaultdict(list)
            for row in sorted(rows.rows("targets"), key=lambda row: row.from_):
                series[id(rows)][row.material, row.buyer].append(
                    (path.inputs.period(row.from_), row)
                )
        for (material, buyer), points in series[id(rows)].items():
            due = target(path, points, t)
            if due is not None and due[0] > 0:
                found[t, material, buyer] = due
    return found


def target(path: PathAudit, series: list[tuple[int, Any]], t: int) -> tuple[float, Any] | None:
    """Return the target at the end of a period and the row that sets it.

    That is the last row, or on the way of a ramp the next one. The first ramp rises from 0 at the
    start of the horizon.
    """
    before = next((point for point in reversed(series) if point[0] <= t), None)
    after = next((point for point in series if point[0] > t), None)
    if after is not None and after[1].path == "ramp" and (before is None or before[0] < t):
        begin, low = (0, 0.0) if before is None else (before[0], _level(path, before[1], t))
        high = _level(path, after[1], t)
        return low + (high - low) * (t - begin) / (after[0] - begin), after[1]
    return None if before is None else (_level(path, before[1], t), before[1])


def _level(path: PathAudit, row: Any, t: int) -> float:
    """Return what a row asks for at the end of a period: a quantity, or the demand of the days that
    follow, expected over the scenarios that are still the same; after the horizon it is that of
    the last period.
    """
    if row.days is None:
        return float(row.quantity)
    together = path.together
    same = together.nodes[t][path.future.name]
    weight = sum(together.probability[name] for name in same)
    left, needed = row.days, 0.0
    while left > 0:
        t += 1
        length = (path.inputs.begin(t + 1) - path.inputs.begin(t)).days
        rates = (together.probability[name] * _rate(together.inputs[name], row, t) for name in same)
        needed += sum(rates) / weight * min(1.0, left / length)
        left -= length
    return needed


def _rate(inputs: Inputs, target: Any, t: int) -> float:
    """Return the demand of a period, of the buyer of a target or of all.

    A target of a group looks to the demand of the group and of its materials.
    """
    t = min(t, inputs.periods - 1)
    return sum(
        float(row.quantity)
        for row in inputs.at(t).rows("demand")
        if row.material in (target.material, *inputs.base.members(target.material))
        and target.buyer in (None, row.buyer)
        and t in inputs.spans(row.from_, row.to or row.from_)
    )


def likely(together: Together) -> None:
    """Compare the scenarios in which targets with a probability are met with that probability."""
    record = together.record
    for number, row in enumerate(together.base.rows("targets")):
        if row.probability is None:
            continue
        missed = together.missed[number]
        met = sum(p for name, p in together.probability.items() if name not in missed)
        if record.below(row.probability, met, LEAST_CHANCE):
            what = f"probability of the scenarios that meet the target for {row.material}"
            record.add("targets", what, row.probability, met, "least", (row, "probability"))


def closing(path: PathAudit) -> None:
    """Credit stock at the end at the price of the last period, times what is left of its life."""
    inputs, last = path.inputs, path.inputs.periods - 1
    for (t, name, site, age), quantity in path.held.items():
        material = inputs.at(last).materials[name]
        if t == last and material.closing_value > 0:
            life = inputs.life(name, last)
            share = 1.0 if life is None else (life - 1 - age) / life
            worth = material.closing_value * inputs.price(material.price_index, last) * share
            path.book(
                inputs.periods,
                "closing_stock",
                -worth * quantity,
                name,
                site,
                inputs.base.sites[site].buyer,
            )


def _used(path: PathAudit, line: Line, t: int) -> None:
    """Compare what demand uses: it is usable, and of a site that serves its buyer."""
    goes_out(path, line, t)
    inputs, name = path.inputs, line["name"] or ""
    if path.record.fails(path.tested_times(lot_of(line)) is not None):
        message = f"{line.words('lot')}: lot {line['lot']} has failed a test"
        path.record.refuse(line.at("lot"), message, amount=abs(line["quantity"]))
    if path.record.fails(inputs.serves(line["site"], name)):
        path.record.refuse(
            line.at("site"),
            f"{line.words('site')}: {line['site']} does not serve {name}",
            (inputs.at(t).sites[line["site"]], "buyer"),
            abs(line["quantity"]),
        )


DEMAND = Twin(
    headings=(AuditedHeading("shortage", cash=False, penalty="shortage_cost"),),
    movements=(AuditedMovement("demand", False, _used),),
    totals=(
        AuditedTotal("Used by demand", "demand", "met", side="out"),
        AuditedTotal("Unmet demand", "demand", "unmet", side="missing"),
    ),
    needs=(Size("demand", "quantity"),),
    follow=(demand,),
)
TARGETS = Twin(
    headings=(AuditedHeading("below_target", cash=False, penalty="below_target_cost"),),
    totals=(AuditedTotal("Below targets", "targets", "below", side="missing"),),
    needs=(Size("targets", "quantity"),),
    follow=(targets,),
    conclude=(likely,),
)
CLOSING = Twin(
    headings=(AuditedHeading("closing_stock", cash=False, after=True),), follow=(closing,)
)
