"""The summary of a plan: every figure on it is a total of the other sheets."""

from __future__ import annotations

import math
from typing import Any

from optimiser.auditing.findings import EXACT
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedTotal
from stockpile_model.schema import SIDES
from stockpile_model.tree import ALL

COLUMNS = "BCDEF"
CLAIMED = (
    "status",
    "objective",
    "expected cost",
    "cvar",
    "proven bound",
    "gap",
)  # at its top, compared with what the plan costs
AGREES = "agrees"

Found = dict[tuple[str, str], tuple[float | None, ...]]


def summary(together: Together) -> None:
    """Compare each figure; a plan that is not yet a workbook has no summary."""
    lines, record = together.sheets["summary"], together.record
    if not lines:
        return
    expected = _totals(together)
    instructions = _instructions(together)
    for line in lines:
        part, label = line["part"], line["label"]
        figures = expected.pop((part, label), None)
        if part == "Checks":
            if "B" in line:
                record.term(line, "B", AGREES)
        elif part == "To do first":
            if record.fails(
                label in instructions or label.startswith(("…", "Nothing to "))
            ):  # each once
                record.refuse(
                    line.at("A"),
                    f"{label!r} is no instruction of the other sheets, or stands twice",
                )
            instructions.discard(label)
        elif figures is None:
            if not (part == "" and label.casefold() in CLAIMED) and any(
                isinstance(line.get(column), float) for column in COLUMNS
            ):
                record.unchecked[f"summary!{COLUMNS[0]}{line.number} ({label})"] = None
        else:
            _compare(together, line, label, figures)
    for part, label in expected:
        if record.fails((part, label) not in expected):
            record.refuse("summary", f"{label} is not there, below {part}")


def _compare(together: Together, line: Line, label: str, figures: tuple[float | None, ...]) -> None:
    """Compare the figures of a line with sums of what the other sheets show.

    They agree exactly; but a difference may be next to nothing of what it is a difference of.
    """
    record, noise = together.record, 0.0
    if label in ("Total", "for all"):
        noise = together.noise.money()
    elif any(label == each.label for each in together.twins.totals if each.but):
        noise = together.noise.quantity()
    for column, value in zip(COLUMNS, figures, strict=False):
        if column not in line:
            continue
        if record.fails(not isinstance(line[column], str)):
            record.add(line.at(column), line.words(column), value, line[column])
        else:
            record.figure(line, column, value, noise)


def _instructions(together: Together) -> set[str]:
    """Return the instructions of all sheets, each with its scenarios where these are not all."""
    holds: dict[str, dict[str, float]] = {}
    for sheet, _ in together.twins.instructions():
        for line in together.sheets[sheet]:
            holds.setdefault(line["instruction"], {})[line["scenarios"]] = line["probability"]
    return {
        (
            instruction
            if ALL in names or sum(names.values()) > 1 - EXACT
            else f"{instruction} (in {', '.join(names)})"
        )
        for instruction, names in holds.items()
    }


class _Sums:
    """Totals over the sheets of a plan."""

    def __init__(self, together: Together) -> None:
        self.sheets, self.together = together.sheets, together

    def total(self, sheet: str, column: str, **values: Any) -> float:
        """Return the expected total of a column, over the rows that hold some values."""
        return math.fsum(
            line[column] * (1.0 if column == "discounted" else line["probability"])
            for line in self.sheets[sheet]
            if all(line[name] == value for name, value in values.items())
        )

    def costs(self) -> Found:
        """Return the cost by heading."""
        headings = dict.fromkeys(line["heading"] for line in self.sheets["cash_flow"])
        kinds = ("discounted", "amount")
        found: Found = {
            ("Cost by heading", heading.replace("_", " ")): tuple(
                self.total("cash_flow", each, heading=heading) for each in kinds
            )
            for heading in headings
        }
        totals = tuple(self.total("cash_flow", each) for each in kinds)
        return {**found, ("Cost by heading", "Total"): totals}

    def quantities(self) -> Found:
        """Return what comes in, goes out and is missing."""
        totals = self.together.twins.totals
        found = {each.label: self.audited(each) for each in totals}
        shortfall = math.fsum(found[each.label] for each in totals if each.side == "missing")
        found["Shortfall"] = shortfall
        return {("Quantities", label): (value,) for label, value in found.items()}

    def metals(self) -> Found:
        """Return the balance of each metal, and of each group that is needed, where there are
        several.
        """
        totals = self.together.twins.totals
        names = {
            line["material"] for each in totals if each.side for line in self.sheets[each.sheet]
        }
        if len(names) <= 1:
            return {}
        return {
            ("Metals", name): tuple(
                math.fsum(self.audited(each, material=name) for each in totals if each.side == side)
                for side in SIDES
                if side
            )
            for name in names
        }

    def audited(self, total: AuditedTotal, **of: object) -> float:
        """Return a total that a twin declares, of the rows that hold some values."""
        where, clock = {**total.where, **of}, self.together.clock
        if total.last:
            where["date"] = clock.begins[clock.periods - 1]
        whole = self.total(total.sheet, total.column, **where)
        if not total.but:
            return whole
        return whole - self.total(total.sheet, total.column, **where, **total.but)

    def appropriations(self) -> Found:
        """Return what becomes of each appropriation."""
        names = ("amount", "spent", "lapsed", "left", "obligated")
        rows = self.sheets["budget"]
        found: Found = {
            ("Appropriations", label): tuple(
                math.fsum(line[name] for line in rows if line["appropriation"] == label)
                for name in names
            )
            for label in dict.fromkeys(line["appropriation"] for line in rows)
        }
        if rows:
            totals = tuple(math.fsum(line[name] for line in rows) for name in names)
            found["Appropriations", "Total"] = totals
        return found

    def suppliers(self) -> Found:
        """Return what each supplier brings, and its share."""
        names = {line["supplier"] for line in self.sheets["deliveries"]}
        brought = {name: self.delivered(supplier=name) for name in names}
        if not brought:
            return {}
        whole = sum(brought.values())
        shares = {name: amount / whole if whole else 0.0 for name, amount in brought.items()}
        number = float(sum(each > 0 for each in brought.values()))
        return {
            **{("Suppliers", name): (amount, shares[name]) for name, amount in brought.items()},
            ("Suppliers", "Number of suppliers"): (number,),
            ("Suppliers", "Largest share"): (max(shares.values()),),
        }

    def delivered(self, **where: object) -> float:
        """Return what arrives by some deliveries."""
        return self.total("deliveries", "quantity", **where)

    def buyers(self) -> Found:
        """Return what arrives at the sites of each buyer and what it pays, where there are some."""
        buyers = {site.buyer for site in self.together.base.sites.values()}
        if len(buyers) <= 1:
            return {}
        paid = {name: self.total("cash_flow", "discounted", buyer=name) for name in buyers - {None}}
        rest = self.total("cash_flow", "discounted") - sum(paid.values())
        return {
            **{
                ("Buyers", name): (self.delivered(buyer=name), amount)
                for name, amount in paid.items()
            },
            ("Buyers", "for all"): (None, rest),
        }


def _totals(together: Together) -> Found:
    """Return what the summary must show, by its parts and labels."""
    sums = _Sums(together)
    rows = {
        ("Sheets", sheet): (float(len(lines)),)
        for sheet, lines in together.sheets.rows.items()
        if sheet != "summary"
    }
    return {
        **sums.costs(),
        **sums.quantities(),
        **sums.metals(),
        **sums.appropriations(),
        **sums.suppliers(),
        **sums.buyers(),
        **rows,
    }
