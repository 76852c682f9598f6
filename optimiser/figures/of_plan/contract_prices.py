"""Of each contract that is signed: its floor, the range of its reference, and what is paid."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled
from optimiser.figures.of_plan.periods import label, labels, pivoted, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract, menu
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.solved_plan import counted

NAME = "contract"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield a chart for each contract that is signed in any scenario."""
    signed: dict[str, dict[str, float]] = {}
    for each in rows.of(ContractOutcome):
        if each.signed is not None and each.level is not None and each.floor is not None:
            signed.setdefault(each.contract, {})[each.level] = each.floor
    for name, floors in signed.items():
        yield _contract(rows, name, floors)


def _contract(rows: PlanRows, name: str, floors: dict[str, float]) -> ChartFigure:
    """Return the prices of a contract over the periods, and what is paid under it on the right."""
    plan, x = rows.plan, labels(rows.plan)
    price_unit = f"{plan.currency}/{plan.unit}"
    cells, paid = [], []
    amounts = weighed(rows, Delivery, "name", "paid")
    kinds = rows.column(Delivery, "kind")
    prices, quantities = rows.column(Delivery, "price"), rows.expected(Delivery, "quantity")
    for (day, of, money), kind, price, quantity in zip(
        amounts, kinds, prices, quantities, strict=True
    ):
        if of == name and kind == Contract.TABLE:
            paid.append((label(day), "paid", money))
            cells += [(label(day), "value", price * quantity), (label(day), "weight", quantity)]
    sums = pivoted(x.labels, cells, ("value", "weight"))
    mean = tuple(
        value / weight if weight > 0 else None
        for value, weight in zip(sums["value"], sums["weight"], strict=True)
    )
    money_columns = pivoted(x.labels, paid, ("paid",))["paid"]
    scale, unit = scaled(money_columns, plan.currency)
    series = [
        FigureSeries(
            "paid (right)", tuple(each / scale for each in money_columns), role="open", right=True
        ),
        *_reference(rows, name),
        *(
            FigureSeries(f"floor of level {level}", (floor,) * len(x.labels), "line", "aim")
            for level, floor in floors.items()
        ),
        FigureSeries("price paid", mean, "point", "sum"),
    ]
    stockpile = plan.stockpile
    rises = any(menu(stockpile)[name][level].escalation for level in floors)
    ties = any(menu(stockpile)[name][level].floor_index for level in floors)
    note = (" The floor is that at signing: it rises each contract year." if rises else "") + (
        " The floor is that at signing: it follows an index." if ties else ""
    )
    expected = "expected over the scenarios" if rows.scenarios else "as they are made"
    return ChartFigure(
        f"{NAME} {name}",
        f"{name}: floor, reference and payments",
        f"Prices [{price_unit}], and payments {expected} [{unit}].{note}",
        FigureAxis("period", every=x.every),
        FigureAxis("price", price_unit),
        tuple(x.labels),
        tuple(series),
        FigureAxis("paid", unit, least=0),
    )


def _reference(rows: PlanRows, name: str) -> Iterator[FigureSeries]:
    """Yield the reference of a contract: its range over the scenarios where there are any, and its
    path in the scenario that is counted."""
    stockpile = rows.plan.stockpile
    contract = stockpile.keyed(Contract)[name]
    if contract.price_index is None:
        return
    tree, share = stockpile.tree, 1 - contract.discount
    at: dict[int, list[float]] = {}
    for node in tree.nodes:
        price = share * stockpile.price(contract.price_index, node)
        at.setdefault(tree.period[node], []).append(price)
    if any(len(set(each)) > 1 for each in at.values()):
        low = tuple(min(at[t]) for t in sorted(at))
        width = tuple(max(at[t]) - min(at[t]) for t in sorted(at))
        yield FigureSeries("below", low, "band", "beneath")
        yield FigureSeries("reference over the scenarios", width, "band", "spread")
    leaf = stockpile.scenarios[counted(stockpile)] if stockpile.scenarios else tree.leaves[0]
    path = tuple(share * stockpile.price(contract.price_index, n) for n in tree.paths[leaf])
    of = f" in {counted(stockpile)}" if stockpile.scenarios else ""
    yield FigureSeries(f"reference{of}", path, "line", "base")
