"""The rules that allow nothing of what an offer or a contract brings."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.block import ways
from stockpile_model.blocks.policy.rule_terms import (
    LEAVING,
    Rule,
    Share,
    concerns,
    values,
    weight,
)
from stockpile_model.choice import Bar
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Row, get, keys
from stockpile_model.stockpile import Stockpile

WEIGHED = ("share", "quantity")  # the measures of what arrives


def bars(formulation: Formulation, row: Row) -> Iterator[Bar]:
    """Yield the rules that allow nothing of the metal that a row brings, at any time."""
    stockpile = formulation.stockpile
    name, supplier = str(get(row, keys(type(row))[0])), getattr(row, "supplier", None)
    if supplier is None or (row.TABLE, name) not in {
        (way.table, way.name) for way in ways(stockpile, supplier)
    }:
        return
    for number, rule in enumerate(stockpile.rows(Rule)):
        arrives = rule.measure in WEIGHED and rule.of not in LEAVING
        if arrives and rule.most == 0:
            parts = [
                Share(n, get(row, "material"), row.TABLE, name, supplier, None)
                for n in stockpile.tree.nodes
            ]
            for value in values(stockpile, rule):
                if all(_none_allowed(stockpile, number, value, part) for part in parts):
                    said = f" for {value}" if value else ""
                    yield Bar(f"rule {rule.rule}{said}", rule, "most")


def _none_allowed(stockpile: Stockpile, number: int, value: str, part: Share) -> bool:
    """Return whether the rule in a row of its table allows nothing of a part at its node."""
    rule = stockpile.at(part.node).rows(Rule)[number]
    return (
        rule.most == 0
        and concerns(stockpile, rule, part.material)
        and weight(stockpile, rule.of, value, part) > 0
    )
