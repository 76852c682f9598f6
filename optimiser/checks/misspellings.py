"""Names that may be slips.

They are two of a group that are one letter apart, or names of a rule or fund that match nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model.block import tables as block_tables
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.funds import Fund
from stockpile_model.names import identity, slips
from stockpile_model.schema import Problem, Row, apart, closest, columns, get
from stockpile_model.spelling import GROUPS
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Site, Supplier


@dataclass
class _Use:
    """A name of a group: where it stands first, and in how many rows."""

    row: Row
    name: str
    rows: int = 0


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the names that may be slips, and those that match nothing."""
    found = [slip for group in GROUPS for slip in _slips(stockpile, group, _uses(stockpile, group))]
    yield from found
    covered = {(slip.table, slip.line, slip.column) for slip in found}
    yield from (
        problem
        for problem in _unmatched(stockpile)
        if (problem.table, problem.line, problem.column) not in covered
    )


def _uses(stockpile: Stockpile, group: str) -> dict[str, _Use]:
    """Return the names of a group that has no choices, by their identities.

    They stand in the order of the blocks: sites and suppliers come first.
    """
    found: dict[str, _Use] = {}
    for kind in block_tables():
        if any(column.name == group and not column.choices for column in columns(kind)):
            for row in stockpile.rows(kind):
                if (name := get(row, group)) is not None:
                    found.setdefault(identity(name), _Use(row, name)).rows += 1
    return found


def _slips(stockpile: Stockpile, group: str, uses: dict[str, _Use]) -> Iterator[Problem]:
    for pair in slips(uses):
        slip, meant = sorted(
            (uses[each] for each in reversed(pair)), key=lambda use: use.rows
        )  # of two as frequent the later
        message = (
            f"{group} {apart(slip.name, meant.name)} is one letter from"
            f" {apart(meant.name, slip.name)} in {stockpile.cell(meant.row, group)}: they count as"
            " two; write them alike where they mean one"
        )
        yield Problem(slip.row.TABLE, slip.row.line, group, message, warning=True)


def _unmatched(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield rules on a group without a supplier or outlet, and funds of a buyer without a site.

    Other values are keys, which must be there.
    """
    for rule in stockpile.rows(Rule):
        outlets = rule.of == "outlet_country"
        kind, group = (Outlet, "country") if outlets else (Supplier, rule.of)
        if rule.value is not None and group in GROUPS:
            yield from _match(
                stockpile, rule, "value", kind, group, f"the rule {rule.rule} counts nothing"
            )
    for fund in stockpile.rows(Fund):
        yield from _match(
            stockpile,
            fund,
            "buyer",
            Site,
            "buyer",
            f"the fund {fund.fund} pays for what serves all alone",
        )


def _match(
    stockpile: Stockpile, row: Row, column: str, kind: type[Row], group: str, follows: str
) -> Iterator[Problem]:
    name, known = (
        get(row, column),
        {get(each, group): each for each in reversed(stockpile.rows(kind))},
    )
    if name not in known and name is not None:
        close = closest(name, (each for each in known if each is not None))
        hint = (
            f"; did you mean {apart(close, name)} in {stockpile.cell(known[close], group)}?"
            if close is not None
            else ""
        )
        message = (
            f"no row of the sheet {kind.TABLE} has the {group} {apart(name, close or '')}:"
            f" {follows}{hint}"
        )
        yield Problem(row.TABLE, row.line, column, message, warning=True)
