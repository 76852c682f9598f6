"""The notebook of the worked example runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "inputs" / "gallium.ipynb"


def test_the_notebook_runs() -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=where).execute()
    (last,) = (cell for cell in book.cells if cell.source.rstrip().endswith("agrees"))
    assert last.outputs[0].data["text/plain"] == "True"
