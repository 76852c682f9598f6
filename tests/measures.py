"""Measure the structure of the project, and print a table: `python -m tests.measures`.

The measures that must not slip have a limit; `tests/test_measures.py` fails where one is passed.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from radon.complexity import cc_visit_ast

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("optimiser", "models/stockpile_model")
BLOCKS = ROOT / "models" / "stockpile_model" / "blocks"
WIDEST = 100  # characters of a line


@dataclass(frozen=True)
class Measure:
    """A figure of the project, the most that it may be (None: no limit), and where it is reached or
    passed.
    """

    name: str
    value: float
    most: float | None
    where: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Return whether the figure is within its limit."""
        return self.most is None or self.value <= self.most


def files() -> list[Path]:
    """Return the source files of the project."""
    return sorted(path for source in SOURCES for path in (ROOT / source).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of the syntax tree of a file."""
    return tuple(ast.walk(tree(path)))


def measures() -> Iterator[Measure]:
    """Yield all measures."""
    yield _most("rooms", sorted({room(path) for path in files()}), 18)
    yield _most("arrows between rooms", sorted(f"{a} -> {b}" for a, b in arrows()), 75)
    yield _largest("complexity of a function", 20, _complexities())
    yield _largest("lines of a function", 60, _lengths())
    yield _most("class names used twice", repeated(_classes), 0)
    yield _most("module names used twice", repeated(_modules), 0)
    yield _most("lists of other rooms' names", lists(), 0)
    yield _most(f"lines over {WIDEST} columns", list(_wide()), 0)
    yield _most("public names without a docstring", list(_undocumented()), 0)
    yield _most("docstrings that begin with no verb", list(_wordless()), 0)
    yield Measure("source files", len(files()), None)
    yield Measure("lines of source", sum(len(_lines(path)) for path in files()), None)


def _most(name: str, found: list[str], most: float) -> Measure:
    return Measure(name, len(found), most, tuple(found))


def _largest(name: str, most: float, found: Iterator[tuple[float, str]]) -> Measure:
    ranked = sorted(found, reverse=True)
    above = tuple(f"{where} ({value:g})" for value, where in ranked if value > most)
    return Measure(name, ranked[0][0], most, above)


# --- Rooms ----------------------------------------------------------------------------------------


def room(path: Path) -> str:
    """Return the room of a file: a package or module of `optimiser`, or the model."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "models" else parts[1].removesuffix(".py")


def arrows() -> set[tuple[str, str]]:
    """Return the pairs of rooms of which one imports the other."""
    found = set()
    for path in files():
        for module in _imports(path):
            parts = module.split(".")
            if parts[0] == "stockpile_model":
                found.add((room(path), parts[0]))
            elif parts[0] == "optimiser" and len(parts) > 1:
                found.add((room(path), parts[1]))
    return {(a, b) for a, b in found if a != b}


def _imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


# --- Functions, classes, lines --------------------------------------------------------------------


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _lengths() -> Iterator[tuple[float, str]]:
    for path in files():
        for node in _functions(path):
            yield (node.end_lineno or 0) - node.lineno + 1, _named(path, node.name)


def _complexities() -> Iterator[tuple[float, str]]:
    for path in files():
        for block in cc_visit_ast(tree(path)):
            if block.letter in "FM":
                yield block.complexity, _named(path, block.name)


def _classes(path: Path) -> Iterator[str]:
    return (node.name for node in nodes(path) if isinstance(node, ast.ClassDef))


def _modules(path: Path) -> Iterator[str]:
    return iter(() if path.stem in ("__init__", "__main__") else (path.stem,))


def repeated(names: Callable[[Path], Iterator[str]]) -> list[str]:
    """Return the names that more than one file gives."""
    counted = Counter(name for path in files() for name in names(path))
    return sorted(name for name, count in counted.items() if count > 1)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _wide() -> Iterator[str]:
    for path in files():
        for number, line in enumerate(_lines(path), start=1):
            if len(line) > WIDEST:
                yield f"{_place(path)}:{number}"


NO_VERBS = {
    "function": "The For All A An Whether What Every Each By Of Where How",
    "class": "What How Where Whether Which When Who Why",
}
"""The words with which docstrings of functions, and of classes, do not begin."""


def _wordless() -> Iterator[str]:
    for path in files():
        for node in nodes(path):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function or isinstance(node, ast.ClassDef):
                said = (ast.get_docstring(node) or "Return").split()[0]
                if said in NO_VERBS["function" if function else "class"].split():
                    yield f"{path}: {node.name}"


def _undocumented() -> Iterator[str]:
    for path in files():
        if ast.get_docstring(tree(path)) is None:
            yield _place(path)
        for node in tree(path).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                if ast.get_docstring(node) is None:
                    yield _named(path, node.name)
                for each in node.body if isinstance(node, ast.ClassDef) else ():
                    public = isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
                    if public and ast.get_docstring(each) is None:
                        yield _named(path, f"{node.name}.{each.name}")


# --- Lists of other rooms' names ------------------------------------------------------------------


Owners = dict[str, set[str | None]]
"""The blocks that own each name."""


def lists() -> list[str]:
    """Return the places where names that two or more blocks own stand together, outside of the
    block that owns them.

    They are the elements of one list, tuple, set, or the keys of one dictionary; the names of
    tables, sheets and classes also deeper within it, and those of tables and sheets in one function
    of a room that belongs to no block. The table of contents of the blocks is no such place.
    """
    words, tables, classes = _owned()
    found = []
    for path in (each for each in files() if each != BLOCKS / "__init__.py"):
        own = _block(path)
        alone = own is None and not _is_twin(path)
        for node in nodes(path):
            names = set[str]()
            if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
                names = _foreign(words, _elements(node), own)
                names |= _foreign(tables, _texts(node), own)
                names |= _foreign(classes, _names(node), own)
            elif isinstance(node, ast.FunctionDef) and alone:
                names = _foreign(tables, _texts(node), own)
            if names:
                found.append(f"{_place(path)}:{node.lineno} ({', '.join(sorted(names))})")  # type: ignore[attr-defined]
    return found


def _is_twin(path: Path) -> bool:
    """Return whether a file is the twin of a block: the half of it that the audit recomputes."""
    calls = (node.func for node in nodes(path) if isinstance(node, ast.Call))
    return any(isinstance(each, ast.Name) and each.id == "Twin" for each in calls)


def _foreign(owners: Owners, names: Iterable[str], own: str | None) -> set[str]:
    """Return those of some names that other blocks own, if they are of two blocks or more."""
    found = {name for name in names if own not in owners.get(name, {own})}
    if len(found) > 1 and not set.intersection(*(owners[name] for name in found)):
        return found
    return set()


def _block(path: Path) -> str | None:
    """Return the block that a file belongs to."""
    if not path.is_relative_to(BLOCKS):
        return None
    return path.relative_to(BLOCKS).parts[0].removesuffix(".py")


@cache
def _owned() -> tuple[Owners, Owners, Owners]:
    """Return the blocks that own each word (a table, a sheet, a variable, a heading), those of them
    that are tables and sheets, and each class.
    """
    words: Owners = {}
    tables: Owners = {}
    classes: Owners = {}
    for path in sorted(BLOCKS.rglob("*.py")):
        own = _block(path)
        for node in nodes(path):
            for name in _tables(node):
                tables.setdefault(name, set()).add(own)
            for name in (*_tables(node), *_words(node)):
                words.setdefault(name, set()).add(own)
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, set()).add(own)
    return words, tables, classes


def _tables(node: ast.AST) -> Iterator[str]:
    """Yield the table or the sheet that a statement of a block names its own."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in ("TABLE", "SHEET"):
            yield str(node.value.value)


def _words(node: ast.AST) -> Iterator[str]:
    """Yield the variables, headings, tallies and deeds that a statement of a block makes."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        if isinstance(node.value, ast.Name) and node.value.id == "m":
            yield node.attr
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        count = {"Heading": 1, "Tally": 1, "Deed": 2}.get(node.func.id, 0)
        yield from (str(each.value) for each in node.args[:count] if isinstance(each, ast.Constant))


def _elements(node: ast.AST) -> Iterator[str]:
    """Yield the texts of a list, a tuple, a set, or the keys of a dictionary."""
    members = [*node.keys] if isinstance(node, ast.Dict) else node.elts  # type: ignore[attr-defined]
    for each in members:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts within a piece of code."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names within a piece of code."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _named(path: Path, name: str) -> str:
    return f"{_place(path)}: {name}"


def main() -> None:
    """Print the measures, and where a limit is passed."""
    for each in measures():
        limit = "" if each.most is None else f", at most {each.most:g}"
        print(f"{each.name}: {each.value:g}{limit}{'' if each.kept else '  <-- passed'}")
        for where in each.where if not each.kept else ():
            print(f"    {where}")


if __name__ == "__main__":
    main()
