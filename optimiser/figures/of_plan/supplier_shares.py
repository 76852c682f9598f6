"""What each supplier brings, and its share of all deliveries."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows, cell
from optimiser.figures.of_plan.quantities import NAME as QUANTITIES
from optimiser.figures.of_plan.quantities import materials_of, together
from optimiser.figures.origins import Above, Quotient
from stockpile_model.blocks.stock.lot_outcomes import Delivery

NAME, TITLE = "suppliers", "Suppliers"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield what each supplier brings, the one with most first, and how much that is of all."""
    if not rows.height(Delivery):
        return
    delivered = cell(earlier, QUANTITIES, Delivery.SUMMED[0].label)
    brought: dict[str, float] = {}
    pairs = zip(rows.column(Delivery, "supplier"), rows.column(Delivery, "quantity"), strict=True)
    for supplier, quantity in pairs:
        brought[supplier] = brought.get(supplier, 0.0) + quantity
    lines, shares = [], []
    for supplier in sorted(brought, key=lambda name: (-brought[name], name)):
        total = rows.total_of(Delivery, "quantity", "supplier", supplier)
        shares.append(total.value / delivered.value if delivered.value else 0.0)
        lines.append(FigureLine((supplier, total, Quotient(1, delivered, shares[-1]))))
    number = Above("count", 1, len(lines), float(sum(each > 0 for each in brought.values())))
    most = Above("largest", 2, len(lines), max(shares))
    yield TableFigure(
        NAME,
        f"{TITLE}{together(materials_of(rows, Delivery))}",
        (
            FigureColumn("Supplier"),
            FigureColumn(
                f"Delivered [{rows.plan.unit}]", Precision("quantity", [*brought.values()])
            ),
            FigureColumn("Share", Precision("1")),
        ),
        (
            *lines,
            FigureLine(("Number of suppliers", number), precisions=(Precision("count"),)),
            FigureLine(("Largest share", most), precisions=(Precision("1"),)),
        ),
    )
