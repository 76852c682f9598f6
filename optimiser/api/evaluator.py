"""A workbook as a function of some of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimiser.api.book import Book
from optimiser.api.study_conductor import GAP, StudyConductor
from optimiser.api.study_questions import Inputs, inputs_of
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import Asked
from optimiser.studies.study_sheet.study_table import Study


class Evaluator:
    """A workbook as a function of some of its inputs, as SALib and other libraries of sensitivity
    call it.

    >>> import optimiser as so
    >>> model = so.Evaluator(so.read("inputs/small.xlsx"), {"demand[*].quantity": (5, 15)})
    >>> model.problem
    {'num_vars': 1, 'names': ['demand[*].quantity'], 'bounds': [[5.0, 15.0]]}
    >>> model.evaluate([[10.0]]).round().tolist()
    [630.0]
    """

    def __init__(
        self, book: Book, inputs: Inputs, *, gap: float = GAP, figure: str = "objective"
    ) -> None:
        self.inputs = tuple(inputs_of(book, inputs))
        self.figure = figure
        study = Study(study="evaluate", kind="sweep")
        self._asked = Asked(study, self.inputs, book.stockpile, gap)
        self._runner = StudyConductor(book, gap).runner(self._asked)

    @property
    def problem(self) -> dict[str, Any]:
        """Return the inputs as SALib describes them."""
        bounds = [[float(each.low), float(each.high)] for each in self.inputs]
        return {
            "num_vars": len(self.inputs),
            "names": [each.name for each in self.inputs],
            "bounds": bounds,
        }

    def run(self, X: Any) -> list[CaseResult]:
        """Return the result of each row of X (samples x inputs)."""
        cases: list[Case] = [
            self._asked.case(*map(float, row))
            for row in np.atleast_2d(np.asarray(X, dtype=np.float64))
        ]
        return self._runner.run(cases)

    def evaluate(self, X: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the figure of each row of X (samples x inputs): an array of samples; nan where
        there is no plan.
        """
        values = (each.number(self.figure) for each in self.run(X))
        return np.array([np.nan if each is None else each for each in values])

    __call__ = evaluate
