"""The command line: thin commands, each calls one function; error families meet exit statuses here
and nowhere else.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimiser.system import interrupts, streams
from optimiser.system.errors import InputError, StockpileError
from optimiser.system.interrupts import INTERRUPTED
from stockpile_model.amounts import count, money
from stockpile_model.names import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from optimiser.comparison.compared import Value
    from optimiser.desk.compare_maker import Comparison
    from optimiser.desk.planner import Answer
    from optimiser.figures.figure import TableFigure
    from optimiser.figures.of_comparison.side_by_side import ComparedLine, ComparisonPart
    from optimiser.plan.plan import Plan
    from optimiser.solving.solve import Progress
    from optimiser.studies.engine.runner import StudyProgress
    from stockpile_model.changes import Change

PLANNED, WRONG_INPUT, USAGE, INFEASIBLE, NO_PLAN, INTERNAL = 0, 1, 2, 3, 4, 70
TRACEBACK = (  # the environment variable that shows where a failure that nobody foresaw came from
    "STOCKPILE_TRACEBACK"
)
DISAGREES = WRONG_INPUT  # a plan that its input does not bear out
NOT_BUNDLED = {
    **{"firm": "--firm", "shares": "--shares", "floors": "--floors", "value": "--value"},
    **{"whole_orders": "--whole-orders", "solver": "--solver", "model_file": "--write-model"},
}
MOST_COMPARED = 40  # rows of each part of a comparison in the terminal


FORCE = click.option(
    "--force",
    is_flag=True,
    help="Replace any file at the output, not only what this program wrote.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stockpile-optimiser")
def cli() -> None:
    """Decide how to build, hold and rotate a stockpile of a critical metal: a workbook in, a proven
    plan out.
    """


@cli.command()
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--material",
    type=click.Choice(["gallium", "indium", "blank"]),
    default="gallium",
    show_default=True,
    help="The example in it.",
)
@FORCE
def template(new: Path, material: str, force: bool) -> None:
    """Write a NEW workbook (.xlsx) to fill in: a guide, every table with its columns, drop-downs
    and checks, an example.
    """
    from optimiser.workbook.template.template_book import write_template

    write_template(new, material, force)
    _answer(f"{new}: fill it in from its sheet guide, then: stockpile check {new}")


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option(
    "--errors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what is wrong as a workbook whose rows lead to the cells: E.xlsx.",
)
@FORCE
def check(workbook: Path, errors: Path | None, force: bool) -> None:
    """Check a WORKBOOK (or a folder of CSV files): every problem at once, a line each, with sheet
    and cell.
    """
    from optimiser.workbook.write.error_book import check_workbook

    reading = check_workbook(workbook, errors, force)
    for fault in reading.warnings:
        _say(f"warning: {fault}")
    tables = {kind.TABLE: len(rows) for kind, rows in reading.stockpile.tables.items() if rows}
    _answer(
        f"{workbook}: no error in {count(sum(tables.values()), 'row')} of"
        f" {count(len(tables), 'table')} ({', '.join(tables)})"
    )


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The plan; by default NAME-plan.xlsx beside NAME.xlsx.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Change a cell for this run: 'budgets[nds].amount scale 0.8'.",
)
@click.option(
    "--gap", type=click.FloatRange(0, 1), help="Proven relative gap at which the search may stop."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    help="Time limit of the search in seconds.",
)
@click.option(
    "--threads",
    type=click.IntRange(0),
    help="Threads of the solver; 0 = as many as it finds use for.",
)
@click.option(
    "--solver",
    metavar="NAME",
    help="Any solver that Pyomo knows, at Pyomo's own pace; by default HiGHS, directly.",
)
@click.option(
    "--write-model",
    "model_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the model too: M.mps or M.lp.",
)
@click.option(
    "--firm",
    is_flag=True,
    help="Plan with firm supply only too (no plant that is merely announced) and compare.",
)
@click.option(
    "--shares", is_flag=True, help="Plan for every group of buyers too, and split the cost fairly."
)
@click.option(
    "--floors",
    is_flag=True,
    help=(
        "Plan with each other level of each contract too: what it would cost, what would have to"
        " change."
    ),
)
@click.option(
    "--whole-orders",
    is_flag=True,
    help=(
        "Tell by how much orders that firm_periods relaxes can matter at most: plan with all of"
        " them whole too."
    ),
)
@click.option(
    "--value",
    is_flag=True,
    help=(
        "Tell what the uncertainty costs (VSS, EVPI): plan for each scenario alone and for their"
        " mean."
    ),
)
@click.option(
    "--bundles",
    type=click.IntRange(1),
    metavar="N",
    help=(
        "Plan thousands of scenarios as N bundles: first decisions for all, and a bound. The time"
        " limit is that of each search."
    ),
)
@click.option(
    "--decompose",
    type=click.Choice(["lagrangian", "ef"]),
    help=(
        "Bound the bundles by mpi-sppy (extra cluster): their Lagrangian dual, also under mpiexec"
        " -n N; or their extensive form."
    ),
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=0,
    help="Processes that plan bundles; by default one for each core.",
)
@FORCE
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the outcome as one JSON object on standard output.",
)
def solve(workbook: Path, changes: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Plan a WORKBOOK and write the plan as a workbook of its own.

    Ctrl-C keeps the best plan so far.
    """
    from optimiser.desk.planner import Request, hush_other_ranks, plan_workbook

    if (options["bundles"] or options["decompose"]) and (
        apart := [said for name, said in NOT_BUNDLED.items() if options[name]]
    ):
        raise click.UsageError(
            f"{apart[0]} plans all scenarios in one model: it cannot go with --bundles or"
            " --decompose"
        )
    if options["decompose"]:
        hush_other_ranks()
    request = Request(source=workbook, changes=_parsed(changes), **options)
    with _progress() as progress:
        answer = plan_workbook(request, _say, progress)
    if as_json:
        _answer(json.dumps(_as_json(answer), indent=2))
    else:
        _show(answer)
    if answer.explanation is not None:
        for line in answer.explanation.lines():
            _say(line)
    elif answer.plan is None:
        _say(
            "interrupted before a plan was found"
            if answer.interrupted
            else "no plan was found within the time limit; try a longer --time-limit"
        )
    if answer.path is not None and _lost():
        _say(f"The plan is in {answer.path}")
    if answer.plan is None and answer.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit({"infeasible": INFEASIBLE, "no_plan": NO_PLAN}.get(answer.status, PLANNED))


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Change a cell of the input first, on top of the plan's own changes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to standard output.")
def audit(workbook: Path, plan: Path, changes: tuple[str, ...], as_json: bool) -> None:
    """Recompute a PLAN from its WORKBOOK, without model and solver: a line for each figure that
    does not agree.
    """
    from optimiser.desk.planner import audit_workbook

    found = audit_workbook(workbook, plan, _parsed(changes))
    for note in found.notes:
        _say(f"note: {note}")
    told = found.audit
    figures, lines = count(told.figures, "figure"), [str(finding) for finding in told.findings]
    if as_json:
        said = {
            "agrees": not lines,
            "figures": told.figures,
            "findings": lines,
            "not_checked": list(told.unchecked),
        }
        _answer(json.dumps(said, indent=2))
    else:
        for line in lines or [f"{plan}: agrees with {workbook}, {figures} recomputed"]:
            _answer(line)
    if lines:
        _say(
            f"{plan}: {len(lines):,} of {figures} {'does' if len(lines) == 1 else 'do'} not agree"
            f" with {workbook}"
        )
    if told.unchecked:
        _say(f"not checked: {', '.join(told.unchecked)}")
    if lines:
        sys.exit(DISAGREES)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The new workbook; WORKBOOK is not touched.",
)
@click.option(
    "--samples",
    type=click.IntRange(2, 5000),
    default=1000,
    show_default=True,
    help="Scenarios that are sampled.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 500),
    default=10,
    show_default=True,
    help="Scenarios that are kept.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The same seed writes the same file.",
)
@click.option(
    "--method",
    type=click.Choice(["forward", "kmedoids"]),
    default="forward",
    show_default=True,
    help="How they are reduced.",
)
@click.option(
    "--revealed",
    type=click.DateTime(["%Y-%m-%d"]),
    help=(
        "Date on which the scenarios part; by default the first fiscal year that begins within the"
        " horizon."
    ),
)
@click.option(
    "--replace",
    "anew",
    is_flag=True,
    help="Put the new scenarios in the place of those that WORKBOOK has.",
)
@FORCE
def scenarios(
    workbook: Path,
    output: Path,
    anew: bool,
    force: bool,
    revealed: dt.datetime | None,
    **options: Any,
) -> None:
    """Sample prices, delays, outages and embargoes of a WORKBOOK, and write a new workbook with a
    few scenarios of them.

    What is uncertain stands in its sheet uncertainty (without one, in defaults that the new
    workbook shows) and in price_history.
    """
    from optimiser.desk.scenario_maker import make_scenarios
    from optimiser.scenarios.sampling.draw import SamplingOptions

    asked = SamplingOptions(revealed=revealed.date() if revealed else None, **options)
    made = make_scenarios(workbook, output, asked, _say, anew=anew, force=force)
    _answer(
        f"{output}: {count(len(made.names), 'scenario')} of {asked.samples} samples, relative"
        f" Kantorovich distance {made.reduction.relative:.1%}; its sheet guide says what was lost."
        f" Next: stockpile solve {output}"
    )


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[STUDY]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The studies; by default NAME-study.xlsx beside NAME.xlsx.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where finished runs are kept; by default as the output, .sqlite.",
)
@click.option(
    "--everything",
    is_flag=True,
    help="A tornado over every number, by its _low and _high or 10 %; needs no sheet studies.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Change a cell for all runs: 'budgets[nds].amount scale 0.8'.",
)
@click.option(
    "--gap",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Proven relative gap of every run.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    help="Time limit of each run in seconds.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this computer; by default one for each core.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run on a Dask cluster instead, as in tcp://10.0.0.5:8786 (needs the extra cluster).",
)
@FORCE
def study(workbook: Path, changes: tuple[str, ...], **options: Any) -> None:
    """Run the studies of a WORKBOOK (all, or those named) and write them as a workbook of their
    own.

    Every finished run is kept in the record: a study that was interrupted, or is extended, goes on
    where it was. Ctrl-C ends with a workbook of the runs that have ended. Use only a record of your
    own: whoever can write to it can make it say anything.
    """
    from optimiser.desk.study_maker import StudyRequest, make_studies

    request = StudyRequest(source=workbook, changes=_parsed(changes), **options)
    with _study_progress() as watch:
        made = make_studies(request, _say, watch)
    for each in made.answers:
        for table in each.tables:
            _answer(f"{each.name}: {table.said}")
    _answer(
        f"The studies are in {made.path}, every run in {made.record} ({made.seconds:.1f} s,"
        f" {made.kept:,} runs from the record)"
    )
    if made.failed:
        _say(
            f"{made.failed:,} runs failed: the sheet runs says why; the same command tries them"
            " again"
        )
    if made.interrupted:
        _say(
            "interrupted: the studies are incomplete; the runs that had ended are kept: the same"
            " command goes on from there"
        )
        sys.exit(INTERRUPTED)
    sys.exit(INTERNAL if made.failed else PLANNED)


@cli.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="A.xlsx B.xlsx..."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the comparison as a workbook too; by default none.",
)
@click.option("--all", "everything", is_flag=True, help="Show what does not differ too.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Change a cell of the workbooks that are planned now.",
)
@click.option(
    "--gap",
    type=click.FloatRange(0, 1),
    help="Proven relative gap for the workbooks that are planned now.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    help="Time limit in seconds for each that is planned now.",
)
@FORCE
@click.option(
    "--json", "as_json", is_flag=True, help="Print all rows as one JSON object on standard output."
)
def compare(
    files: tuple[Path, ...],
    everything: bool,
    changes: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Put plans side by side: what they cost, risk and miss, and the decisions that differ from
    those of the first.

    A file that is an input workbook is planned now, in memory: compare PLAN.xlsx WORKBOOK.xlsx
    shows a plan beside what its workbook, edited since, asks for. A plan is said to be stale where
    its workbook, among the files or beside the plan, has changed since.
    """
    from optimiser.desk.compare_maker import ComparisonRequest, make_comparison

    if len(files) < 2:
        raise click.UsageError(
            "name two plans or workbooks at least, the first of which the others are compared with"
        )
    with _progress() as progress:
        found = make_comparison(
            ComparisonRequest(sources=files, changes=_parsed(changes), **options), _say, progress
        )
    for note in found.notes:
        _say(f"note: {note}")
    if as_json:
        _answer(json.dumps(_compared(found), indent=2))
        return
    _show_compared(found, everything)
    if options["output"]:
        _answer(f"The comparison is in {options['output']}")


def _compared(found: Comparison) -> dict[str, object]:
    """A comparison as one object. What a plan does not have is null."""

    def plain(value: Value) -> float | str | None:
        if isinstance(value, (int, float)):
            return value if math.isfinite(value) else None
        return None if value is None else str(value)

    return {
        "plans": [
            {
                "name": each.name,
                "path": str(each.source),
                "input": each.input,
                "changes": each.changes,
                "planned_now": each.now,
                "stale": each.stale is not None,
            }
            for each in found.sides
        ],
        "units": found.units,
        "rows": [
            {
                **{
                    "part": row.part,
                    "what": row.what,
                    "of": row.of,
                    "unit": found.units.get(row.unit, row.unit),
                },
                **{"values": [plain(value) for value in row.values], "differs": row.differs},
            }
            for row in found.rows
        ],
    }


def _show_compared(found: Comparison, everything: bool) -> None:
    """Print a comparison: red where a plan costs or misses more than the first, green where less,
    yellow where it is other."""
    from optimiser.cli.terminal import Plain

    console = Plain(highlight=False)
    for figure in found.figures.values():
        lines = [line for line in figure.lines if everything or line.differs]
        shown = lines if everything else lines[:MOST_COMPARED]
        if shown:
            console.print(f"\n{figure.title}", style="bold")
            console.print(_plans_beside(figure, shown))
        if len(lines) > len(shown):
            console.print(f"and {len(lines) - len(shown):,} more: --all or -o shows them")
    differing = sum(row.differs for row in found.rows)
    console.print(
        f"\n{differing:,} of {count(len(found.rows), 'row')}"
        f" {'differs' if differing == 1 else 'differ'}"
        if differing
        else "Nothing differs"
    )


def _plans_beside(figure: ComparisonPart, lines: Sequence[ComparedLine]) -> Table:
    """Return lines of a part of a comparison as a table of the terminal, a column for each plan."""
    from rich.table import Table

    from optimiser.figures.of_comparison.side_by_side import FIRST

    table = Table("", "", "", box=None, pad_edge=False)
    for name in figure.plans:
        table.add_column(name, justify="right")
    for line in lines:
        what, of, unit = map(str, line.values[:3])
        pairs = zip(line.values[FIRST:], line.changes, strict=False)
        table.add_row(what, of, unit, *(_beside(line, value, by) for value, by in pairs))
    return table


def _beside(line: ComparedLine, value: object, by: float | None) -> Text:
    """Return a value, and by how much it differs from the first plan's."""
    from optimiser.cli.terminal import coloured

    def told(amount: float, sign: str = "") -> str:
        if line.precisions[0].unit == "1":
            return f"{amount:{sign}.3%}"
        whole = abs(amount) >= 100 or amount == round(amount)
        return f"{amount:{sign},.0f}" if whole else f"{amount:{sign},.4g}"

    said = "-" if value is None else told(value) if isinstance(value, (int, float)) else str(value)
    if by is None:
        return coloured(said, "")
    if not math.isfinite(by):
        return coloured(said, "yellow")
    colour = "yellow" if not line.costly else "red" if by > 0 else "green"
    return coloured(f"{said} ({told(by, '+')})", colour)


@contextlib.contextmanager
def _study_progress() -> Iterator[Callable[[StudyProgress], None]]:
    """A bar with rate and time left on a terminal; elsewhere a line now and then."""
    from rich.progress import BarColumn, Progress, TextColumn

    from optimiser.cli.terminal import Plain
    from optimiser.desk.study_maker import told

    console = Plain(stderr=True)
    if not console.is_terminal:
        said = [0.0]

        def tell(progress: StudyProgress) -> None:
            if progress.seconds - said[0] >= EVERY or (
                progress.ended == progress.asked and progress.ended > progress.kept
            ):
                said[0] = progress.seconds
                _say(told(progress))

        yield tell
        return
    with Progress(
        BarColumn(), TextColumn("{task.description}", markup=False), console=console
    ) as bar:
        task = bar.add_task("reading …", total=None)
        yield lambda progress: bar.update(
            task, total=progress.asked, completed=progress.ended, description=told(progress)
        )


EVERY = 10.0  # seconds between two lines of progress


def _parsed(changes: Sequence[str]) -> list[Change]:
    """The changes of --set."""
    from stockpile_model.changes import parse

    try:
        return [parse(change) for change in changes]
    except ValueError as error:
        raise click.UsageError(f"--set: {error}") from error


def _say(line: str) -> None:
    """A line on standard error."""
    click.echo(printable(line), err=True)


def _answer(line: str) -> None:
    """A line on standard output."""
    click.echo(printable(line))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Progress on standard error: one line that renews itself on a terminal, a line for each report
    elsewhere.
    """
    from optimiser.cli.terminal import Plain

    console = Plain(stderr=True)
    if not console.is_terminal:
        yield lambda progress: _say(_told(progress))
        return
    with console.status("reading …") as status:
        yield lambda progress: status.update(_told(progress))


def _told(progress: Progress) -> str:
    def number(value: float | None) -> str:
        return "-" if value is None or not math.isfinite(value) else money(value)

    gap = progress.gap
    stage = f"{progress.objective}: " if progress.stages > 1 else ""
    return "  ".join(
        (
            f"{progress.seconds:7.1f} s",
            f"{stage}{progress.phase or 'search'}",
            f"incumbent {number(progress.incumbent)}",
            f"bound {number(progress.bound)}",
            f"gap {'-' if gap is None or not math.isfinite(gap) else f'{gap:.3%}'}",
            f"nodes {progress.nodes}",
        )
    )


def _as_json(answer: Answer) -> dict[str, object]:
    """The object of the contract. What there is no plan for is null."""
    from optimiser.studies.what_ifs.cost_shares import CostShare
    from optimiser.studies.what_ifs.firm_supply import FirmSupplyRow
    from optimiser.studies.what_ifs.information import Worth
    from stockpile_model.blocks.objective import ScenarioOutcome

    plan = answer.plan
    found: dict[str, object] = {
        "status": answer.status,
        **_figures(plan),
        "plan": str(answer.path) if answer.path else None,
        "seconds": round(answer.seconds, 3),
        "audit": plan.run.get("audit") if plan else None,
    }
    if plan is not None and plan.cvar is not None:
        found["expected_cost"], found["cvar"] = plan.expected_cost, plan.cvar
        found["scenarios"] = {
            each.scenario: {
                "probability": each.probability,
                "cost": each.cost,
                "shortfall": each.shortfall,
            }
            for each in plan.of(ScenarioOutcome)
        }
    if plan is not None and plan.of(Worth):
        found["value"] = {each.figure.lower(): each.value for each in plan.of(Worth)}
    if answer.explanation is not None:
        found["explanation"] = list(answer.explanation.lines())
    if plan is not None and plan.of(FirmSupplyRow):
        found["firm"] = _firm(plan.of(FirmSupplyRow))
    if plan is not None and plan.of(CostShare):
        found["shares"] = {
            each.buyer: {"alone": each.alone, "share": each.share, "saving": each.saving}
            for each in plan.of(CostShare)
        }
    return found


def _firm(rows: Sequence[Any]) -> dict[str, object]:
    """The figures of the plan with firm supply only. What there is no plan for is null."""
    from optimiser.solving.search_options import relative_gap

    found = {each.figure: each.firm for each in rows if each.of is None}
    objective, bound = found.pop("objective"), found.pop("proven bound")
    return {
        "objective": objective,
        "bound": bound,
        "gap": relative_gap(objective, bound),
        "waste": found.pop("waste"),
        "shortfall": found.pop("shortfall"),
        "costs": {name.replace(" ", "_"): amount for name, amount in found.items()},
    }


def _figures(plan: Plan | None) -> dict[str, object]:
    """How good a plan is. What there is no plan for is null."""
    gap = None if plan is None or plan.gap is None or not math.isfinite(plan.gap) else plan.gap
    return {
        "objective": plan.objective if plan else None,
        "bound": plan.bound if plan else None,
        "gap": gap,
        "costs": dict(plan.costs) if plan else None,
        "waste": plan.waste if plan else None,
        "shortfall": plan.shortfall if plan else None,
    }


def _show(answer: Answer) -> None:
    """Print a plan: its verdict, and its figures in brief."""
    plan = answer.plan
    if plan is None:
        return
    from optimiser.cli.terminal import Plain
    from optimiser.figures.figure import ChartFigure, TableFigure
    from optimiser.figures.of_plan import brief_of
    from optimiser.figures.of_plan.plan_rows import PlanRows

    console = Plain(highlight=False)
    console.print(f"\n{plan.title or 'Plan'}: {plan.status}", style="bold")
    console.print(plan.verdict)
    for figure in brief_of(PlanRows(plan)).values():
        if isinstance(figure, ChartFigure):
            continue  # a terminal draws none
        if figure.title:
            console.print(f"\n{figure.title}", style="bold")
        if isinstance(figure, TableFigure):
            console.print(_drawn(figure))
        else:
            console.print("\n".join(filter(None, (*figure.paragraphs, figure.aside))))
    console.print(f"The plan is in {answer.path} ({answer.seconds:.1f} s)", soft_wrap=True)


def _drawn(figure: TableFigure) -> Table:
    """Return a figure as a table of the terminal: numbers to the right, to the digits that the
    largest of their column has."""
    from rich.table import Table

    from optimiser.figures.origins import known

    table = Table(*(each.title for each in figure.columns), box=None, pad_edge=False)
    largest: list[float] = []
    for column, drawn in zip(figure.columns, table.columns, strict=True):
        amounts = [abs(each) for each in column.precision.among if math.isfinite(each)]
        drawn.justify = "right" if amounts else "left"
        largest.append(max(amounts, default=0.0))
    for line in figure.lines:
        cells = (_shown(known(each), *of) for each, *of in zip(line.values, largest, strict=False))
        table.add_row(*cells, style="bold" if line.total else None)
    return table


def _shown(value: object, among: float) -> str:
    """Return a value in words, beside numbers of which the largest is `among`."""
    if isinstance(value, float):
        return money(value, among)
    return "-" if value is None else str(value)


def main() -> None:
    """Run a command; a failure the user can mend is told in words, and its family decides the exit
    status. So is one that nobody foresaw, where the environment variable STOCKPILE_TRACEBACK does
    not ask for its traceback.
    """
    # A command makes millions of small objects, keeps most of them and ends: collecting cycles is a
    # fifth of its time.
    gc.disable()
    global _output  # noqa: PLW0603
    _output = streams.guard()
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("interrupted; nothing was written")
        sys.exit(INTERRUPTED)
    except InputError as error:
        for fault in error.faults:
            _say(str(fault))
        sys.exit(WRONG_INPUT)
    except StockpileError as error:
        _say(str(error))
        sys.exit(_status(error))
    except Exception as error:
        if interrupts.seen():  # what an interrupt broke
            _say("interrupted; nothing was written")
            sys.exit(INTERRUPTED)
        if os.environ.get(TRACEBACK):
            raise
        _say(_unforeseen(error))
        sys.exit(INTERNAL)
    finally:
        if lost := _lost():
            _say(f"standard output cannot be written: {lost}")


def _unforeseen(error: Exception) -> str:
    """A failure of the program itself in one line, with the place of the code where it came out."""
    *_, last = traceback.extract_tb(error.__traceback__)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"internal error, please report it: {said} ({Path(last.filename).name}:{last.lineno};"
        f" {TRACEBACK}=1 shows where)"
    )


def _lost() -> str:
    """Why standard output cannot be written; nothing where it can."""
    sys.stdout.flush()
    return _output.lost if _output else ""


_output: streams.Careful | None = None


def _status(error: StockpileError) -> int:
    from optimiser.auditing import AuditError
    from optimiser.desk.compare_maker import NoPlanError
    from optimiser.plan.plan import Disagreement
    from optimiser.solving.search_options import SolverError, SolverUnavailable

    if isinstance(error, (AuditError, Disagreement)) or (
        isinstance(error, SolverError) and not isinstance(error, SolverUnavailable)
    ):
        return INTERNAL
    if isinstance(error, NoPlanError):
        if error.answer.interrupted:
            return INTERRUPTED
        return INFEASIBLE if error.answer.status == "infeasible" else NO_PLAN
    return USAGE


if __name__ == "__main__":
    main()
