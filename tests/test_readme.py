"""What the pages say exists and runs: links, files, commands and options, the example, the tests."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import optimiser as so
from optimiser.workbook.template.template_book import write_template
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from tests.support.commands import run

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "inputs/README.md",
    "inputs/WALK.md",
    "models/README.md",
    "optimiser/README.md",
    "outputs/README.md",
    "tests/README.md",
)
ROOMS = (
    ".",
    "optimiser",
    "models/stockpile_model",
    "models/stockpile_model/blocks",
    "models/stockpile_model/blocks/contracts",
)
"""Where a path of a page may begin, besides the folder of the page."""
SOURCES = [*(ROOT / "optimiser").rglob("*.py"), *(ROOT / "models").rglob("*.py")]


def text(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page that are written in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


def spans(page: str) -> list[str]:
    """What a page sets in the type of code, outside of blocks."""
    prose = re.sub(r"^```.*?^```$", "", text(page), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", prose)]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text(page))
    assert links or page == "outputs/README.md"
    for link in links:
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def paths(page: str) -> Iterator[str]:
    """The folders and modules that a page names."""
    for span in spans(page):
        if re.fullmatch(r"\w[\w./]*(/|\.py)", span):
            yield span


@pytest.mark.parametrize("page", PAGES)
def test_folders_and_modules_exist(page: str) -> None:
    bases = [(ROOT / page).parent, *(ROOT / room for room in ROOMS)]
    for name in paths(page):
        there = any((base / name).exists() for base in bases)
        assert there or any(source.match(f"*/{name}") for source in SOURCES), name


def test_the_rooms_are_all_there_are() -> None:
    """The tree of the README names each room of `optimiser/`, and no other."""
    (tree,) = (each for each in blocks("README.md", "") if "optimiser/" in each)
    named = re.findall(r"^  (\w+)/ ", tree.partition("\noptimiser/")[2], re.MULTILINE)
    rooms = {path.parent.name for path in (ROOT / "optimiser").glob("*/__init__.py")}
    assert sorted(named) == sorted(rooms)


def commands() -> list[tuple[str, str]]:
    """Each line of a page that runs the program: its command, and the whole of it."""
    found = []
    for page in PAGES:
        lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
        for line in [*lines, *spans(page)]:
            for command, rest in re.findall(r"\bstockpile ([a-z]+)\b([^`]*)", line):
                found.append((command, rest))
    return found


def test_commands_and_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, set[str]] = {}
    found = commands()
    assert len(found) > 20
    for command, rest in found:
        if command not in known:
            ran = run(capsys, command, "--help")
            assert ran.status == 0, command
            known[command] = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", ran.out))
        words = shlex.split(rest, comments=True)
        assert {word for word in words if word.startswith("-")} <= known[command], (command, rest)


def test_every_command_is_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "--help").out.partition("Commands:")[2]
    names = set(re.findall(r"^  (\w+)  ", listed, re.MULTILINE))
    assert names
    assert names <= {command for command, _ in commands()}


@pytest.mark.parametrize("page", PAGES)
def test_no_block_has_a_command_twice(page: str) -> None:
    for block in blocks(page, "sh"):
        lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
        assert len(lines) == len(set(lines)), block


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks("README.md", "python")
    (tmp_path / "inputs").symlink_to(ROOT / "inputs")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    said = io.StringIO()
    assert test.examples
    assert doctest.DocTestRunner().run(test, out=said.write).failed == 0, said.getvalue()


def test_the_public_names_of_the_readme_exist() -> None:
    table = text("README.md").partition("| name | what it does |")[2].partition("\n\n")[0]
    named = [name for line in table.splitlines() for name in re.findall(r"`([\w.]+)`", line[:40])]
    assert len(named) > 8
    for name in named:
        first, _, rest = name.partition(".")
        assert first in so.__all__, name
        assert not rest or hasattr(getattr(so, first), rest), name


def extensions() -> list[tuple[str, str]]:
    """What can be added, with the test that does it."""
    table = text("README.md").partition("| to add |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    return [(cells[1].strip(), cells[3].strip().strip("`")) for cells in rows]


def test_the_table_of_extensions_is_read() -> None:
    assert len(extensions()) >= 10


@pytest.mark.parametrize(("what", "node"), extensions())
def test_what_can_be_added_has_its_test(what: str, node: str) -> None:
    path, _, name = node.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, what


def test_what_python_is_called_with_exists() -> None:
    called = [words for page in PAGES for words in re.findall(r"\bpython3? ([^`\n]+)", text(page))]
    modules = [name for words in called for name in re.findall(r"^-m ([\w.]+)", words)]
    files = [name for words in called for name in re.findall(r"^([\w/]+\.py)", words)]
    assert files
    assert all((ROOT / name).is_file() for name in files)
    assert {name for name in modules if importlib.util.find_spec(name) is None} == set()


def test_five_pictures_are_shown_and_small() -> None:
    shown = re.findall(r"!\[[^\]]+\]\((outputs/[\w-]+\.png)\)", text("README.md"))
    assert len(set(shown)) == 5
    assert all((ROOT / path).stat().st_size < 200_000 for path in shown)


def test_the_mathematics_names_what_the_model_has() -> None:
    """Each constraint that the page names is one of the model, and each variable of its table."""
    page = text("models/README.md")
    rules = set(re.findall(r"\b(?:balance|cap|hold|link|forbid)_\w+", page))
    table = page.partition("## Variables")[2].partition("## Constraints")[0]
    variables = {name for line in table.splitlines() for name in re.findall(r"`(\w+)", line[:60])}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "models").rglob("*.py"))
    plain = set(re.findall(r"\bm\.(\w+) = ", code))
    begun = re.findall(r"add_component\(\s*f\"(\w+_)\{sense\}", code)
    built = plain | {f"{name}{sense}" for name in begun for sense in ("least", "most")}
    assert len(rules) > 30
    assert len(variables) > 30
    assert (rules | variables) - built == set()


def test_the_walk_states_what_its_plans_cost(tmp_path: Path) -> None:
    """Within the gap of the workbook: another search may end with another plan in it."""
    write_template(tmp_path / "gallium.xlsx", "gallium")
    walk = " ".join(text("inputs/WALK.md").replace("\n> ", " ").split())
    (cost,) = re.findall(r"minimised, discounted to 2027-01-01, is ([\d.]+\d) million USD", walk)
    (more,) = re.findall(r"the cost rises by ([\d,]+) USD", walk)
    (change,) = re.findall(r"--set '([^']+)'", walk)
    stated = 1e6 * float(cost)
    book = so.read(tmp_path / "gallium.xlsx")
    gap = book.stockpile.settings.mip_gap
    plan, less = so.solve(book).plan, so.solve(book.change(change)).plan
    assert plan is not None
    assert less is not None
    assert plan.objective == pytest.approx(stated, rel=gap)
    assert less.objective == pytest.approx(stated + float(more.replace(",", "")), rel=gap)
    signed = [row.level for row in plan.of(ContractOutcome) if row.decision == "sign"]
    assert signed == re.findall(r"Sign pavlodar_offtake at level (\w+)", walk)


def test_the_walk_states_what_its_plan_depends_on(tmp_path: Path) -> None:
    """Of all numbers an appropriation's date is ranked first, then a price; each moves the cost by
    what is stated, within the gap of the study: other searches may end with other plans in it."""
    write_template(tmp_path / "gallium.xlsx", "gallium")
    walk = " ".join(text("inputs/WALK.md").split())
    (date, price) = re.findall(r"by ([\d,]+) USD(?: where it comes a month late|\. Look)", walk)
    (said, *_) = so.run_studies(tmp_path / "gallium.xlsx", everything=True)["everything"].answers
    found = re.search(
        r"budgets\[row 3\]\.from add moves the cost most, by ([\d,]+) USD \(more at its high\);"
        r" next is prices\[2027-01-01\]\.rotterdam, by ([\d,]+) USD\. As it is the plan costs"
        r" ([\d.]+) million USD",
        said,
    )
    assert found is not None, said
    near = 0.01 * 1e6 * float(found[3])
    for stated, by in ((date, found[1]), (price, found[2])):
        assert number(by) == pytest.approx(number(stated), abs=near)


def number(written: str) -> float:
    """The number that a text writes with commas."""
    return float(written.replace(",", ""))
