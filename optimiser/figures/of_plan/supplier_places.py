"""Where the money for metal goes: what is paid to suppliers, by country."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model import amounts
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.tables import Supplier

NAME = "supplier countries"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the payments of each country with suppliers, where the workbook names countries; one
    from which nothing is bought is at zero."""
    plan = rows.plan
    suppliers = plan.stockpile.keyed(Supplier)
    where = {name: each.country for name, each in suppliers.items() if each.country}
    if not where:
        return
    paid: dict[str, dict[str, float]] = {country: {} for country in where.values()}
    names, money = rows.column(Delivery, "supplier"), rows.expected(Delivery, "paid")
    for name, each in zip(names, money, strict=True):
        if name in where:
            of = paid[where[name]]
            of[name] = of.get(name, 0.0) + each
    sums = {country: sum(each.values()) for country, each in paid.items()}
    countries = sorted(sums, key=lambda name: (-sums[name], name))
    scale, unit = scaled(sums.values(), plan.currency)
    notes = (
        "; ".join(
            f"{name} {amounts.money(paid[country][name])} {plan.currency}"
            for name in sorted(paid[country], key=lambda name: -paid[country][name])
        )
        or "nothing is bought here"
        for country in countries
    )
    yield ChartFigure(
        NAME,
        "Where the metal is paid for: suppliers by country",
        "what is paid for metal as it is delivered, with adder, without duty and freight,"
        f" undiscounted [{unit}]",
        FigureAxis("country"),
        FigureAxis("paid", unit, least=0),
        tuple(countries),
        (
            FigureSeries(
                "paid",
                tuple(sums[each] / scale for each in countries),
                "place",
                notes=tuple(notes),
            ),
        ),
        expected=rows.scenarios,
    )
