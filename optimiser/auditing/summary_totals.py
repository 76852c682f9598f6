"""The summary of a plan: every figure on it is a total of the other sheets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from optimiser.auditing.findings import EXACT
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
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
        told = expected.pop((part, label), None)
        if part == "Checks":
            if "B" in line:
                record.term(line, "B", AGREES)
        elif part == "To do first":
            if record.fails(
                label in instructions or label.startswith(("…", "Nothing to "))
            ):  # each once
                record.refuse(
                    line.at("A"),
                    f"{label!r} is no instruction of the other sheets, or is said twice",
                )
            instructions.discard(label)
        elif told is None:
            if not (part == "" and label.casefold() in CLAIMED) and any(
                isinstance(line.get(column), float) for column in COLUMNS
            ):
                record.unchecked[f"summary!{COLUMNS[0]}{line.number} ({label})"] = None
        else:
            # Sums of what the other sheets show, exactly; but a difference may be next to nothing
            # of what it is a difference of.
            noise = together.noise.money() if label in ("Total", "for all") else 0.0
            noise = together.noise.quantity() if label == "Rotated out" else noise
            for column, value in zip(COLUMNS, told, strict=False):
                if column not in line:
                    continue
                if record.fails(not isinstance(line[column], str)):
                    record.add(line.at(column), line.told(column), value, line[column])
                else:
                    record.figure(line, column, value, noise)
    for part, label in expected:
        if record.fails((part, label) not in expected):
            record.refuse("summary", f"{label} is not there, below {part}")


def _instructions(together: Together) -> set[str]:
    """The instructions of all sheets, each with the scenarios in which it holds where these are not
    all.
    """
    holds: dict[str, dict[str, float]] = {}
    for sheet, _ in together.twins.instructions():
        for line in together.sheets[sheet]:
            holds.setdefault(line["instruction"], {})[line["scenarios"]] = line["probability"]
    return {
        (
            said
            if ALL in names or sum(names.values()) > 1 - EXACT
            else f"{said} (in {', '.join(names)})"
        )
        for said, names in holds.items()
    }


def _totals(together: Together) -> Found:
    """What the summary must show, by its parts and labels."""
    sheets, clock = together.sheets, together.clock

    def total(sheet: str, column: str, where: Callable[[Line], bool] = lambda line: True) -> float:
        return math.fsum(
            line[column] * (1.0 if column == "discounted" else line["probability"])
            for line in sheets[sheet]
            if where(line)
        )

    def of(name: str, value: Any) -> Callable[[Line], bool]:
        return lambda line: bool(line[name] == value)

    found: Found = {}
    for heading in dict.fromkeys(line["heading"] for line in sheets["cash_flow"]):
        found["Cost by heading", heading] = tuple(
            total("cash_flow", each, of("heading", heading)) for each in ("discounted", "amount")
        )
    found["Cost by heading", "Total"] = (
        total("cash_flow", "discounted"),
        total("cash_flow", "amount"),
    )
    out, waste = total("rotation", "quantity"), total("rotation", "quantity", of("form", "expired"))
    missed = {"Unmet demand": total("demand", "unmet"), "Below targets": total("targets", "below")}
    quantities: Mapping[str, float] = {
        "Ordered": total("orders", "ordered"),
        "Opening stock": total("movements", "quantity", of("kind", "opening")),
        "Delivered": total("deliveries", "quantity"),
        "Returned": total("movements", "quantity", of("kind", "return")),
        "Used by demand": total("demand", "met"),
        "Rotated out": out - waste,
        "Waste": waste,
        "Stock at the end": total("lots", "quantity", of("date", clock.begins[clock.periods - 1])),
        **missed,
        "Shortfall": sum(missed.values()),
    }
    found |= {("Quantities", label): (value,) for label, value in quantities.items()}
    names = ("amount", "spent", "lapsed", "left")
    if rows := sheets["budget"]:
        found |= {
            ("Appropriations", line["appropriation"]): tuple(line[name] for name in names)
            for line in rows
        }
        found["Appropriations", "Total"] = tuple(
            math.fsum(line[name] for line in rows) for name in names
        )
    brought = {
        name: total("deliveries", "quantity", of("supplier", name))
        for name in {line["supplier"] for line in sheets["deliveries"]}
    }
    if brought:
        all_of = sum(brought.values())
        shares = {name: amount / all_of if all_of else 0.0 for name, amount in brought.items()}
        found |= {("Suppliers", name): (amount, shares[name]) for name, amount in brought.items()}
        found["Suppliers", "Number of suppliers"] = (
            float(sum(each > 0 for each in brought.values())),
        )
        found["Suppliers", "Largest share"] = (max(shares.values()),)
    owners = {site.buyer for site in together.base.sites.values()} - {None}
    if len({site.buyer for site in together.base.sites.values()}) > 1:
        paid = {name: total("cash_flow", "discounted", of("buyer", name)) for name in owners}
        found |= {
            ("Buyers", name): (total("deliveries", "quantity", of("buyer", name)), paid[name])
            for name in owners
        }
        found["Buyers", "for all"] = None, total("cash_flow", "discounted") - sum(paid.values())
    found |= {
        ("Sheets", sheet): (float(len(lines)),)
        for sheet, lines in sheets.rows.items()
        if sheet != "summary"
    }
    return found
