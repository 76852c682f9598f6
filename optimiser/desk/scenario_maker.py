"""From a workbook to one with scenarios: read, sample, reduce, write.

The command line and a program both call it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from optimiser.scenarios.sampling.draw import SamplingOptions
from optimiser.scenarios.sampling.make import Made, make
from optimiser.system.errors import Fault, InputError, OutputError
from optimiser.workbook.read.input_reader import read_as_written
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from optimiser.workbook.write.scenario_book import write
from stockpile_model.amounts import count
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.stockpile import Stockpile

__all__ = ["SamplingOptions", "make_scenarios"]


def make_scenarios(
    source: Path,
    output: Path,
    options: SamplingOptions,
    say: Callable[[str], None],
    *,
    anew: bool = False,
    force: bool = False,
) -> Made:
    """Write to `output` the workbook `source` with scenarios and events of its own.

    `say` gets messages, a line each.

    Those that the workbook has already are refused, or left out by `anew`. A file at `output` that
    this program did not write, or that was edited since, is refused, or replaced by `force`. Raises
    InputError, OutputError and StockpileError.
    """
    if same_file(output, source):
        raise OutputError(
            f"{output}: is the input workbook, which is never written to; choose another name"
        )
    check_target(output, Kind.SCENARIOS)
    refuse_foreign(output, Kind.SCENARIOS, force)
    reading, given = read_as_written(source)
    for fault in reading.warnings:
        say(f"warning: {fault}")
    sampled = make(_without_scenarios(reading.stockpile, anew), options)
    for line in sampled.said:
        say(f"warning: {line}")
    write(sampled, given, source.name, reading.sha256, output)
    return sampled


def _without_scenarios(stockpile: Stockpile, anew: bool) -> Stockpile:
    kept = {kind: rows for kind, rows in stockpile.tables.items() if kind not in (Scenario, Event)}
    for kind in (Scenario, Event):
        if stockpile.rows(kind) and not anew:
            rows = count(len(stockpile.rows(kind)), "row")
            message = (
                f"has {rows} already; --replace leaves them out of the new workbook and puts new"
                " ones in their place"
            )
            raise InputError([Fault(stockpile.address(kind.TABLE, 0), message)])
    return replace(stockpile, tables=kept)
