"""What a rule limits: what it groups by, over which windows, who its members are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.giving import POLICY, Give, Gives
from stockpile_model.schema import Column, Row, column, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

KEYED = ("supplier", "offer", "contract", "outlet")  # what rules group by that has a table
LEAVING = ("outlet", "outlet_country")  # what rules group by that leaves through outlets
_OWN_NAMES = ("offer", "contract", "outlet")  # the row that brings or takes has the name
UNITS = {"share": "1", "quantity": "quantity", "spend": "money", "count": "members"}
"""The unit of the limits of each measure."""
ALIKE = 1e-9  # two shares closer than this are one [1]


@dataclass(frozen=True, kw_only=True)
class Rule(Row):
    """A limit on what a group brings, or is paid, over a window; of outlets on what they take."""

    TABLE = "rules"
    PURPOSE = (
        "Policy: limits on shares and quantities by supplier, country, bloc, stage, "
        "feedstock, offer or contract, and on what leaves by outlet or its country."
    )
    STEP = "limits"
    GIVES: ClassVar[Gives] = {
        "least": Give("less", POLICY),
        "most": Give("more", POLICY),
        "count_from": Give("less", POLICY),
        "window": Give("default", POLICY),
    }
    rule: str = column("name of the rule", required=True, key=True)
    of: str = column(
        "what the rule groups by",
        required=True,
        choices=(
            "supplier",
            "country",
            "bloc",
            "stage",
            "foreign_feedstock",
            "offer",
            "contract",
            *LEAVING,
        ),
    )
    value: str | None = column(
        "which supplier, country …; blank = each in turn",
        names=lambda row: f"{row.of}s" if row.of in KEYED else row.of.removeprefix("outlet_"),
        lists_by="of",
        lists=(
            *((each, f"{each}s") for each in (*KEYED, "bloc", "stage")),
            *((each, "countries") for each in ("country", "outlet_country")),
        ),
    )
    material: str | None = column(
        "material, or group of materials; blank = all together", refers="materials", grouped="group"
    )
    measure: str = column(
        "`share` or `quantity` of what arrives from offers and contracts, `spend` on it, or "
        "`count` of members that bring it; of an outlet or its country of what leaves through "
        "outlets in any form, `spend` being the receipts for it",
        default="share",
        choices=("share", "quantity", "spend", "count"),
    )
    window: str = column(
        "over what it is summed", default="horizon", choices=("horizon", "fiscal_year", "period")
    )
    least: float | None = column(
        "least value; blank = none", "1, quantity, money or members", least=0, limit="least"
    )
    most: float | None = column(
        "most value; blank = none", "1, quantity, money or members", least=0, limit="most"
    )
    count_from: float = column(
        "share of the window's arrivals that a member must bring (an outlet: take of what leaves) "
        "to count towards `least` of a `count`; against `most` counts who brings anything",
        "1",
        default=0.01,
        above=0,
        most=1,
    )

    def measured(self, about: Column) -> str:
        """Return the unit of a cell: of a limit that of what the rule measures."""
        return UNITS[self.measure] if about.name in ("least", "most") else about.unit


COUNT_FROM = next(each.default for each in columns(Rule) if each.name == "count_from")


class Instance(NamedTuple):
    """A rule for one value over one window, which ends at a node."""

    rule: str
    value: str
    node: int


class Share(NamedTuple):
    """Describe what a rule weighs at a node: what an offer or contract brings, or what is paid for
    it.

    Of an outlet it is what leaves, or what is received for it. `supplier`: blank for an outlet.
    `most` is the most that may arrive or leave; None where that is not known. `lot` names what was
    ordered before the start.
    """

    node: int
    material: str | None
    table: str
    name: str
    supplier: str
    amount: Any
    most: float | None = None
    lot: str = ""


def concerns(stockpile: Stockpile, rule: Rule, material: str | None) -> bool:
    """Return whether a rule weighs what is of a material: its own, one of its group, or any."""
    return rule.material is None or material in stockpile.members(rule.material)


def values(stockpile: Stockpile, rule: Rule) -> list[str]:
    """Return the values that a rule limits: its own, or each in turn; blank for all together."""
    if rule.of == "foreign_feedstock" or (rule.measure == "count" and rule.value is None):
        return [""]
    if rule.value is not None:
        return [rule.value]
    return known(stockpile, rule.of)


def members(stockpile: Stockpile, rule: Rule) -> tuple[str, list[str]]:
    """Return what a rule counts, and the members.

    They are the values of what it groups by; of one country, bloc or stage its suppliers, of one
    country of takers its outlets.
    """
    suppliers = stockpile.rows(Supplier)
    if rule.of == "foreign_feedstock":
        return "supplier", [row.supplier for row in suppliers if row.foreign_feedstock > 0]
    if rule.value is None:
        return rule.of, known(stockpile, rule.of)
    if rule.of in KEYED:
        return rule.of, [rule.value]
    if rule.of == "outlet_country":
        rows = stockpile.rows(Outlet)
        return "outlet", [row.outlet for row in rows if row.country == rule.value]
    return "supplier", [row.supplier for row in suppliers if getattr(row, rule.of) == rule.value]


def known(stockpile: Stockpile, of: str) -> list[str]:
    """Return the values that the workbook holds for what rules group by."""
    if of in _OWN_NAMES:
        return list(stockpile.names(f"{of}s"))
    if of == "outlet_country":
        return sorted({row.country for row in stockpile.rows(Outlet) if row.country is not None})
    found = (getattr(row, of) for row in stockpile.rows(Supplier))
    return sorted({str(value) for value in found if value is not None})


def group(stockpile: Stockpile, of: str, part: Share) -> tuple[str, float]:
    """Return the value whose group holds what is brought, and how much of it does [1].

    A look-through share weighs it by its feedstock.
    """
    if of in _OWN_NAMES:
        return part.name if part.table == f"{of}s" else "", 1.0
    if of == "outlet_country":
        return stockpile.at(part.node).keyed(Outlet)[part.name].country or "", 1.0
    supplier = stockpile.at(part.node).keyed(Supplier)[part.supplier]
    if of == "foreign_feedstock":
        return "", supplier.foreign_feedstock
    return getattr(supplier, of) or "", 1.0


def weight(stockpile: Stockpile, of: str, value: str, part: Share) -> float:
    """Return how much of what is brought belongs to the group of a value [1]."""
    of_value, weighs = group(stockpile, of, part)
    return weighs if of_value == value else 0.0
