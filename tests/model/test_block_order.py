"""Blocks read each other in the order of `BLOCKS`: the model part of a block only those before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import stockpile_model.blocks as contents
from stockpile_model.block import Block, blocks, results
from stockpile_model.schema import ComparedChoice, Result, columns

ROOT = Path(contents.__file__).parent
MODULES = {name: each for name, each in vars(contents).items() if isinstance(each, ModuleType)}
PLACE = {
    name: blocks().index(each.BLOCK) for name, each in MODULES.items() if hasattr(each, "BLOCK")
}
"""The blocks by the name of their module or package, with their place."""


def imported(path: Path) -> Iterator[Path]:
    """The files of blocks that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(contents.__name__):
            inside = ROOT.joinpath(*(node.module or "").split(".")[2:])
            for name in (each.name for each in node.names):
                found = (inside / f"{name}.py", inside / name / "__init__.py")
                others = (inside.with_suffix(".py"), inside / "__init__.py")
                yield next(each for each in (*found, *others) if each.exists())


def block(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def has_variables(path: Path) -> bool:
    return "pyomo" in path.read_text(encoding="utf-8")


def test_every_block_stands_in_the_table_of_contents() -> None:
    files = {block(path) for path in ROOT.rglob("*.py")} - {"__init__"}
    assert files == PLACE.keys()


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_block_reads_the_model_of_blocks_before_it_only(path: Path) -> None:
    """Of later ones it may read the terms, in which there is no variable."""
    if path == ROOT / "__init__.py":
        return
    later = [
        other
        for other in imported(path)
        if PLACE[block(other)] > PLACE[block(path)] and has_variables(other)
    ]
    assert later == []


@pytest.mark.parametrize(
    "each", [each for each in blocks() if each.deeds], ids=lambda each: each.deeds[0].kind
)
def test_plans_are_compared_by_what_a_commitment_can_name(each: Block) -> None:
    """A block declares it as `COMPARED` of one of its result types."""
    assert any(kind.COMPARED for kind in each.results)


@pytest.mark.parametrize("kind", results(), ids=lambda kind: kind.SHEET)
def test_the_columns_that_a_result_type_declares_are_its_own(kind: type[Result]) -> None:
    own = {each.name for each in columns(kind)}
    summed = {
        name for each in kind.SUMMED for name in (each.column, *dict((*each.where, *each.but)))
    }
    compared = set[str]()
    for each in kind.COMPARED:
        if isinstance(each, ComparedChoice):
            compared |= {each.of, each.chosen, each.when}
        else:
            compared |= {each.of, each.column, *(["date"] if each.first or each.dated else [])}
    assert {*kind.named_by(), *summed, *compared} <= own
