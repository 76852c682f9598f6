"""The notebook of the worked example runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "inputs" / "gallium.ipynb"
FEWER = {"steps=5": "steps=2", "sample(model.problem, 4,": "sample(model.problem, 1,"}
"""What the notebook asks for, and less of it: each plans the case again."""


def test_the_notebook_runs() -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    for many, few in FEWER.items():
        (cell,) = (cell for cell in book.cells if many in cell.source)
        cell.source = cell.source.replace(many, few)
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=where).execute()
    (last,) = (cell for cell in book.cells if cell.source.rstrip().endswith("agrees"))
    assert last.outputs[0].data["text/plain"] == "True"
