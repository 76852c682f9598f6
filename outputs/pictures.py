"""Draw the pictures of the folders' pages: `python outputs/pictures.py [PLAN.xlsx]`.

They are parts of the page and of the memo of a plan, of gallium unless a plan is named, as Chromium
shows them. The other pictures here are of workbooks that a spreadsheet program printed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import optimiser as so
from tests.support.browser import Opened, browser

HERE = Path(__file__).resolve().parent
CASE = HERE.parent / "inputs" / "gallium.xlsx"
WIDTH, HEIGHT = 900, 620
MOST_BYTES = 150_000
PARTS = {
    "stock": ".figure[data-name^='stock']",
    "checks": ".figure[data-name='checks']",
    "evidence": ".figure[data-name='evidence']",
}
"""The figures of the page by the name of their picture."""


def draw(plan: Path) -> None:
    """Draw the pictures of a plan beside this file."""
    saved = so.load_plan(plan)
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        page = saved.save(Path(folder) / "page.html")
        memo = so.memo(saved).save(Path(folder) / "memo.html")
        opened = Opened(started, page, viewport={"width": WIDTH, "height": HEIGHT})
        opened.page.screenshot(path=HERE / "page.png")
        for name, place in PARTS.items():
            part = opened.page.locator(place).first
            part.scroll_into_view_if_needed()
            opened.page.wait_for_timeout(1500)  # a chart is drawn as it comes into view
            part.screenshot(path=HERE / f"{name}.png")
        opened = Opened(started, memo, viewport={"width": WIDTH, "height": HEIGHT})
        opened.page.screenshot(path=HERE / "memo.png")
    for name in (*PARTS, "page", "memo"):
        size = (HERE / f"{name}.png").stat().st_size
        assert size < MOST_BYTES, f"{name}.png has {size:,} bytes"


def main() -> None:
    """Draw the pictures of the plan that is named, or of gallium."""
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "gallium-plan.xlsx"
        so.solve(CASE, output=plan)
        draw(plan)


if __name__ == "__main__":
    main()
