"""The memo of decision on a plan: two pages for the one who signs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimiser.api.saved_plan import NO_PLAN, SavedPlan, load_plan
from optimiser.auditing import audit
from optimiser.figures.of_memo import memo_of
from optimiser.figures.of_memo.memo_content import KIND, Memo, MemoAudit, MemoGround, MemoPart
from optimiser.html.figure_data import figure_data
from optimiser.html.saving import ENDING as PAGE
from optimiser.html.saving import check_page
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.frames import Shown
from optimiser.plan.plan import Plan
from optimiser.studies.stress.stress_rounds import EVENTS
from optimiser.studies.stress.stress_sentences import gravest
from optimiser.system.errors import OutputError, StockpileError
from stockpile_model.amounts import count

if TYPE_CHECKING:
    from optimiser.api.stressing import StressResult

DOCUMENT = ".docx"
JSON = ".json"
OWN_INPUTS = f"{Assumption.SHEET}!"
NOT_AUDITED = "none: the plan bears none"


@dataclass(frozen=True, repr=False)
class DecisionMemo(Shown):
    """The memo of a plan: what to sign now, what it buys, what it costs and what could go wrong.

    `agrees`: no figure of the plan fails its audit; a memo of one that does is not to be signed.

    >>> import optimiser as so
    >>> memo = so.memo(so.solve(so.read("inputs/small.xlsx")).plan)
    >>> isinstance(memo, so.DecisionMemo), memo.agrees, memo.parts[0]
    (True, True, 'Sign and order now')
    """

    content: Memo
    agrees: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the titles of the parts."""
        return tuple(each.title for each in self.content.parts)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Return what stands against signing, a sentence each."""
        return self.content.doubts

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the memo as a text document (.docx) or as a page (.html).

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError; then nothing has changed.
        """
        target = Path(path)
        check_memo(target, force)
        _writer(target)(self.content, target, force)
        return target

    def as_object(self) -> dict[str, object]:
        """Return the memo as one object, as `stockpile memo --json` prints it.

        >>> import optimiser as so
        >>> so.memo(so.solve(so.read("inputs/small.xlsx")).plan).as_object()["agrees"]
        True
        """
        return {
            "title": self.content.title,
            "agrees": self.agrees,
            "doubts": list(self.content.doubts),
            "lead": list(self.content.lead),
            "parts": [_part(each) for each in self.content.parts],
        }

    def _title(self) -> str:
        return f"{KIND}: {self.content.title}"

    def _facts(self) -> Mapping[str, object]:
        doubts = {f"doubt {number}": each for number, each in enumerate(self.content.doubts, 1)}
        return {**doubts, "lead": " ".join(self.content.lead), "parts": ", ".join(self.parts)}


def memo(
    plan: Plan | SavedPlan | str | Path | None,
    *,
    stress: StressResult | str | Path | None = None,
    output: str | Path | None = None,
    force: bool = False,
) -> DecisionMemo:
    """Return the memo of a plan: in memory, or the path of one that was saved.

    A plan from a file that was edited, or that does not show it, is audited again, by the
    assumptions that it holds. `stress` is a stress test of its workbook, or the path of one: its
    gravest events stand in the memo. `output` (.docx, .html) is where it is written; it is checked
    first, and a file there that this program did not write is replaced by `force` only. Raises
    InputError for a file that cannot be read, OutputError, and StockpileError where there is no
    plan.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> memo = so.memo(plan)
    >>> memo.save("memo.docx", force=True).name, memo.content.lead[0].split(": ")[1]
    ('memo.docx', '3 actions that cost 660 USD in all.')
    """
    if plan is None:
        raise StockpileError(NO_PLAN)
    if output is not None:
        check_memo(Path(output), force)
    named = isinstance(plan, (str, Path))
    given = load_plan(plan) if isinstance(plan, (str, Path)) else plan
    found = memo_of_plan(given, stress, Path(str(plan)) if named else None)
    if output is not None:
        found.save(output, force)
    return found


def memo_of_plan(
    given: Plan | SavedPlan,
    stress: StressResult | str | Path | None = None,
    file: Path | None = None,
) -> DecisionMemo:
    """Return the memo of a plan that stands in a `file`, whose sha256 the memo bears."""
    plan = given.plan if isinstance(given, SavedPlan) else given
    checked = _audit(given, plan)
    lines, said = _stress(plan, stress)
    ground = MemoGround(plan, checked, _files(plan, file), lines, said)
    return DecisionMemo(memo_of(ground), not checked.fails)


def check_memo(path: Path, force: bool) -> None:
    """Raise OutputError where a memo cannot be written to `path`: before a long search."""
    if path.suffix.casefold() == PAGE:
        check_page(path, force)
    elif path.suffix.casefold() == DOCUMENT:
        from optimiser.html.memo_document import check_document

        check_document(path, force)
    else:
        raise OutputError(
            f"{path}: a memo is written as {DOCUMENT} or {PAGE}; choose a name that ends so"
        )


def _writer(path: Path) -> Callable[[Memo, Path, bool], None]:
    """Return what writes a memo; the libraries wait until they are needed."""
    if path.suffix.casefold() == PAGE:
        from optimiser.html.memo_page import write_memo_page

        return write_memo_page
    from optimiser.html.memo_document import write_memo_document

    return write_memo_document


def _audit(given: Plan | SavedPlan, plan: Plan) -> MemoAudit:
    """Return what the audit of a plan says: as it was made, or again where it may have changed."""
    noted = str(plan.run.get("audit") or NOT_AUDITED)
    if not isinstance(given, SavedPlan) or given.until is not None:
        return MemoAudit(noted)
    if not given.edited and not given.source.casefold().endswith(JSON):
        return MemoAudit(noted)
    result = audit(plan.stockpile, given.reading.sheets)
    figures = count(result.figures, "figure")
    # They are compared with themselves, and lack the sources that a plan repeats.
    findings = [each for each in result.findings if not each.where.startswith(OWN_INPUTS)]
    if findings:
        number, first = len(findings), findings[0]
        return MemoAudit(
            f"the plan fails its audit: {number:,} of {figures} do not agree with its assumptions,"
            f" the first: {first}",
            fails=True,
        )
    return MemoAudit(f"agrees with the assumptions that it holds: {figures} recomputed")


def _files(plan: Plan, path: Path | None) -> dict[str, str]:
    """Return the sha256 of the workbook that the plan was made from, and of the plan's own file."""
    found = {}
    if plan.run.get("input sha256"):
        found[f"workbook {plan.run.get('input') or ''}".strip()] = str(plan.run["input sha256"])
    if path is not None:
        found[f"plan {path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _stress(plan: Plan, stress: StressResult | str | Path | None) -> tuple[tuple[str, ...], str]:
    """Return the gravest events of a stress test, and where they come from or how to run it."""
    source = str(plan.run.get("input") or "")
    if stress is None:
        return (), f'Stress test: not run. "stockpile stress {source}" runs it.'
    if isinstance(stress, (str, Path)):
        from optimiser.workbook.read.stress_reader import read_stress

        reading = read_stress(Path(stress))
        known = str(plan.run.get("input sha256") or "")
        other = known and reading.digest and reading.digest != known
        said = "It is of another workbook than this plan: their sha256 differ." if other else ""
        made = f" of {reading.made}" if reading.made else ""
        lines = tuple(gravest(reading.header, reading.rows))
        return lines, f"These are the gravest of the stress test{made}. {said}".rstrip()
    table = next(each for each in stress.tables if each.name == EVENTS)
    return tuple(gravest(table.header, table.rows)), ""


def _part(part: MemoPart) -> dict[str, Any]:
    """Return a part of the memo as an object of JSON."""
    said: list[str] = []
    tables: list[dict[str, Any]] = []
    charts: list[dict[str, Any]] = []
    for each in map(figure_data, part.figures):
        if each["sort"] == "text":
            said += each["paragraphs"]
        elif each["sort"] == "chart":
            series = {one["name"]: one["values"] for one in each["series"]}
            charts.append({"title": each["title"], "labels": each["labels"], "series": series})
        else:
            titles = [column["title"] for column in each["columns"]]
            rows = [[cell["text"] for cell in line["cells"]] for line in each["lines"]]
            tables.append({"columns": titles, "rows": rows})
    return {"title": part.title, "said": said, "tables": tables, "charts": charts}


__all__ = ["DecisionMemo", "check_memo", "memo"]
