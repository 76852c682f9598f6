"""Write the memo of a plan as a page: without a script, to print on two sheets of paper."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from optimiser.figures.of_memo.memo_content import KIND, SIGNED_BY, Memo
from optimiser.html.figure_data import figure_data
from optimiser.html.memo_charts import svg
from optimiser.html.page import GENERATOR
from optimiser.html.rendering import environment, hash_of, static
from optimiser.html.saving import check_page, sealed
from optimiser.system.atomic_files import replace


def memo_text(memo: Memo) -> str:
    """Return the text of the page."""
    style = static("memo.css")
    return (
        environment()
        .get_template("memo.html")
        .render(
            memo=memo,
            parts=[(each.title, [*map(figure_data, each.figures)]) for each in memo.parts],
            svg=svg,
            kind=KIND,
            signed_by=SIGNED_BY,
            generator=GENERATOR,
            style=Markup(style),
            policy=(
                "default-src 'none'; base-uri 'none'; form-action 'none';"
                f" style-src {hash_of(style)}"
            ),
        )
    )


def write_memo_page(memo: Memo, path: Path, force: bool = False) -> None:
    """Write the memo to `path`. Raises OutputError; then nothing has changed."""
    check_page(path, force)
    replace(path, sealed(memo_text(memo)))
