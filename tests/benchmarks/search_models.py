"""The models of the benchmark of the search: changes of the workbooks of `inputs/`, and books of
made-up figures that grow.
"""

from __future__ import annotations

import dataclasses
import pickle
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optimiser.scenarios.sampling.draw import SamplingOptions
from optimiser.scenarios.sampling.make import make
from optimiser.solving.model_file import write_model
from optimiser.solving.solve import scenario_tree
from optimiser.solving.standard_form import standard_form
from optimiser.solving.structure import structure
from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.build import build
from stockpile_model.calendar import add_months
from stockpile_model.changes import parse
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.benchmarks import synthetic
from tests.benchmarks.show import ROOT
from tests.support.books import book

WHOLE = "settings.firm_periods="  # all orders are whole
SOFT = "targets[gallium].hard set no"
# by how much the prices of a seed differ from those of the workbook, and the premiums of one
# offer's copies
APART = 0.02
Rows = tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A workbook with changes of its cells and of its rows.

    `wanted`: the search, in times of the best other solver; `command`: the whole command [s].
    """

    workbook: str = "gallium"
    changes: tuple[str, ...] = (WHOLE,)
    remade: Callable[[Stockpile], Stockpile] | None = None
    wanted: float = 0.15
    command: float | None = None
    note: str = ""


def base(stockpile: Stockpile) -> Stockpile:
    """Without scenarios."""
    return with_rows(stockpile, {Scenario: (), Event: ()})


def more_offers(stockpile: Stockpile) -> Stockpile:
    """Every offer three times, under names of their own and at premiums that lie APART."""
    offers = stockpile.rows(Offer)
    copies = (
        dataclasses.replace(
            row, offer=f"{row.offer}_{k}" if k else row.offer, premium=row.premium + APART * k
        )
        for row in offers
        for k in range(3)
    )
    return with_rows(stockpile, {Offer: tuple(copies)})


def more_money(stockpile: Stockpile) -> Stockpile:
    """Every appropriation a second time, five years later."""
    budgets = stockpile.rows(Budget)
    later = (
        dataclasses.replace(
            row,
            from_=add_months(row.from_, 60),
            expires=row.expires and add_months(row.expires, 60),
        )
        for row in budgets
    )
    return with_rows(stockpile, {Budget: (*budgets, *later)})


def sampled(scenarios: int) -> Callable[[Stockpile], Stockpile]:
    """With scenarios that are sampled as its sheet `uncertainty` says, in the place of its own."""
    return lambda stockpile: make(base(stockpile), SamplingOptions(keep=scenarios)).stockpile


MODELS = {
    "small": Model(workbook="small", changes=(), wanted=0.5, command=1.5),
    "indium": Model(workbook="indium", changes=(), wanted=0.5, command=3.0),
    "portfolio": Model(workbook="portfolio", changes=(), wanted=0.5, command=5.0),
    "gallium": Model(wanted=0.1, command=15.0, note="all orders whole"),
    "firm-12": Model(changes=("settings.firm_periods=12",), note="orders after a year relaxed"),
    "firm-24": Model(changes=("settings.firm_periods=24",), note="orders after two years relaxed"),
    "base": Model(remade=base, note="without scenarios"),
    "offers-24": Model(remade=more_offers, note="24 offers"),
    "scenarios-10": Model(remade=sampled(10), note="10 sampled scenarios"),
    "scenarios-20": Model(remade=sampled(20), wanted=0.25, note="20 sampled scenarios"),
    "risk": Model(
        changes=(WHOLE, "settings.risk_weight=0.5"), note="half of the weight on the worst outcomes"
    ),
    "months-120": Model(
        changes=(WHOLE, "settings.periods=120", SOFT),
        remade=more_money,
        wanted=0.25,
        note=(
            "120 months; money comes again in the second half and targets are soft: else there is"
            " no plan"
        ),
    ),
}


def stockpile_of(name: str, seed: int = 0) -> Stockpile:
    """Return the case of a model, at prices that a seed other than 0 moves; or of a book of made-up
    figures, as `sizes` names it.
    """
    if name not in MODELS:
        return _grown(
            seed=seed,
            **{key: int(value) for key, value in (part.split("=") for part in name.split(","))},
        )
    model = MODELS[name]
    stockpile = read(
        ROOT / "inputs" / f"{model.workbook}.xlsx", map(parse, model.changes)
    ).stockpile
    if model.remade is not None:
        stockpile = model.remade(stockpile)
    if not seed:
        return stockpile
    r = random.Random(seed)
    moved = (
        dataclasses.replace(
            row,
            values={
                index: price and price * r.uniform(1 - APART, 1 + APART)
                for index, price in row.values.items()
            },
        )
        for row in stockpile.rows(Price)
    )
    return with_rows(stockpile, {Price: tuple(moved)})


def with_rows(stockpile: Stockpile, rows: dict[type[Row], Rows]) -> Stockpile:
    """Return the stockpile with the rows of some tables put in the place of its own."""
    return dataclasses.replace(stockpile, tables={**stockpile.tables, **rows}, classes=None)


def sizes(**of: int) -> str:
    """Return the name of a book of made-up figures."""
    return ",".join(f"{key}={value}" for key, value in of.items())


def _grown(seed: int, **of: int) -> Stockpile:
    with tempfile.TemporaryDirectory() as folder:
        tables = synthetic.scenario_tree(**of, ages=True, seed=seed)
        tables["settings"]["firm_periods"] = None
        return read(book(Path(folder) / "grown.xlsx", tables)).stockpile


def prepare(name: str, seed: int, folder: Path) -> None:
    """Write the program of a model with its structure, and its MPS file; print its columns, rows,
    integers and gap.
    """
    stockpile = stockpile_of(name, seed)
    formulation = build(stockpile)
    form = standard_form(formulation.m)
    shape = structure(form.program, form.labels, form.priority, scenario_tree(formulation))
    judged = write_model(formulation.m, folder / "model.mps")
    (folder / "program.pickle").write_bytes(
        pickle.dumps((form.program, shape, form.sizes.objective[judged]))
    )
    print(
        form.program.columns,
        form.program.rows,
        int(form.program.integer.sum()),
        stockpile.settings.mip_gap,
    )


if __name__ == "__main__":
    prepare(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
