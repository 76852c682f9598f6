"""On how few suppliers and countries each material depends, looked through to its feedstock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureColumn,
    Figured,
    FigureLine,
    FigureSeries,
    Precision,
    TableFigure,
)
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.tables import Supplier

NAME = "concentration"
UNKNOWN = "(no country)"
MOST_BARS = 25
Brought = dict[str, list[float]]
"""By supplier or country what is brought, and how much of it from restricted feedstock
[quantity]."""


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[Figured]:
    """Yield for each material the deliveries of each supplier and country, and their shares."""
    suppliers = rows.plan.stockpile.keyed(Supplier)
    found: dict[str, tuple[Brought, Brought]] = {}
    triples = zip(
        rows.column(Delivery, "material"),
        rows.column(Delivery, "supplier"),
        rows.expected(Delivery, "quantity"),
        strict=True,
    )
    for material, name, quantity in triples:
        supplier = suppliers.get(name)
        country = supplier.country if supplier and supplier.country else UNKNOWN
        foreign = quantity * (supplier.foreign_feedstock if supplier else 0.0)
        for brought, of in zip(found.setdefault(material, ({}, {})), (name, country), strict=True):
            both = brought.setdefault(of, [0.0, 0.0])
            both[0] += quantity
            both[1] += foreign
    for material in sorted(found):
        by_supplier, by_country = found[material]
        yield _table(rows, material, "supplier", by_supplier)
        yield _chart(rows, material, "supplier", by_supplier)
        if set(by_country) != {UNKNOWN}:
            yield _table(rows, material, "country", by_country)
            yield _chart(rows, material, "country", by_country)


def _order(brought: Mapping[str, list[float]]) -> list[str]:
    return sorted(brought, key=lambda name: (-brought[name][0], name))


def _table(rows: PlanRows, material: str, of: str, brought: Brought) -> TableFigure:
    """Return deliveries and shares, the Herfindahl-Hirschman index (US Merger Guidelines, 2023,
    guideline 1: sum of squared shares in percent), and the part that is restricted feedstock."""
    unit = rows.plan.unit
    whole = math.fsum(each[0] for each in brought.values())
    foreign = math.fsum(each[1] for each in brought.values())
    share = {name: each[0] / whole if whole else 0.0 for name, each in brought.items()}
    quantity, part = Precision("quantity", [each[0] for each in brought.values()]), Precision("1")
    index = math.fsum((100 * each) ** 2 for each in share.values())
    words = "expected, " if rows.scenarios else ""
    return TableFigure(
        f"{NAME} of {material} by {of}",
        f"{material} by {of}",
        (
            FigureColumn(of.capitalize()),
            FigureColumn(f"Delivered [{words}{unit}]", quantity),
            FigureColumn("Share", part),
            FigureColumn(f"From restricted feedstock [{unit}]", quantity),
            FigureColumn("Part of it", part),
        ),
        (
            *(
                FigureLine(
                    (
                        name,
                        brought[name][0],
                        share[name],
                        brought[name][1],
                        brought[name][1] / brought[name][0] if brought[name][0] else 0.0,
                    )
                )
                for name in _order(brought)
            ),
            FigureLine(("All", whole, 1.0, foreign, foreign / whole if whole else 0.0), total=True),
        ),
        f"Herfindahl-Hirschman index {index:,.0f}; above 1,800 a market counts as highly"
        " concentrated (US Merger Guidelines 2023).",
    )


def _chart(rows: PlanRows, material: str, of: str, brought: Brought) -> ChartFigure:
    names, unit = _order(brought)[:MOST_BARS], rows.plan.unit
    own = tuple(brought[name][0] - brought[name][1] for name in names)
    foreign = tuple(brought[name][1] for name in names)
    return ChartFigure(
        f"{NAME} of {material} by {of}, drawn",
        f"Deliveries of {material} by {of}, looked through to the feedstock",
        f"deliveries of {material} by {of} [{unit}]",
        FigureAxis(of),
        FigureAxis("deliveries", unit, least=0),
        tuple(names),
        (
            FigureSeries("own or free feedstock", own, "bar"),
            FigureSeries("feedstock of the restricted country", foreign, "bar", "lost"),
        ),
        stacked=True,
        spacing=40,
        expected=rows.scenarios,
    )
