"""Rows as pandas frames, and objects that show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stockpile_model.schema import columns

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 10  # of an object that prints itself


def frame(kind: type, rows: Sequence[Any]) -> pd.DataFrame:
    """Return rows of one type as a frame: a column for each of theirs, with its unit in `attrs`."""
    import pandas as pd  # its import takes as long as a small plan

    known = columns(kind)
    data = {each.name: [getattr(row, each.field) for row in rows] for each in known}
    for index in dict.fromkeys(name for row in rows for name in getattr(row, "values", {})):
        data[index] = [row.values.get(index) for row in rows]
    table = pd.DataFrame(data)
    table.attrs["units"] = {each.name: each.unit for each in known if each.unit}
    return table


def of_lines(names: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows that are mappings as a frame with these columns."""
    import pandas as pd

    return pd.DataFrame([{name: line.get(name) for name in names} for line in lines], columns=names)


class Shown:
    """An object that shows itself by a title and a few lines of names and values."""

    def _title(self) -> str:
        raise NotImplementedError

    def _facts(self) -> Mapping[str, object]:
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = [f"  {name}: {value}" for name, value in self._facts().items()]
        if len(facts) >= MOST_LINES:
            facts = [*facts[: MOST_LINES - 2], f"  … {len(facts) - MOST_LINES + 2} more"]
        return "\n".join([self._title(), *facts])

    def _repr_html_(self) -> str:
        import html

        facts = "".join(
            f"<tr><th style='text-align:left'>{html.escape(str(name))}</th><td"
            f" style='text-align:left'>{html.escape(str(value))}</td></tr>"
            for name, value in self._facts().items()
        )
        return f"<p><b>{html.escape(self._title())}</b></p><table>{facts}</table>"
