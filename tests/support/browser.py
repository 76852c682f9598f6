"""A browser for tests of pages, and a page that is opened from disk without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
READY = 20_000  # milliseconds


def chromium() -> str | None:
    """The path of Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    assert path is not None, f"no browser: install one of {', '.join(NAMES)}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


class Opened:
    """A page as it is opened from disk: what it said on its console, and what it asked for."""

    def __init__(self, started: Any, path: Path, **context: Any) -> None:
        self.context = started.new_context(offline=True, **context)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda each: self.said.append(each.text))
        self.page.on("pageerror", lambda each: self.said.append(str(each)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda each: self.requests.append(each.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]", timeout=READY, state="attached")

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def figure(self, name: str) -> Any:
        """The figure with a name."""
        return self.page.locator(f".figure[data-name='{name}']")

    def cells(self, name: str, label: str) -> list[str]:
        """The texts behind the label of a line of a table."""
        line = self.figure(name).locator("tr", has=self.page.locator(f"th:text-is('{label}')"))
        return [text.strip() for text in line.locator("td").all_inner_texts()]

    @contextmanager
    def rows(self, sheet: str) -> Iterator[Any]:
        """The rows of a sheet, opened and closed again."""
        found = self.page.locator(f"#sheet-{sheet}")
        found.evaluate("(each) => { each.open = true; }")
        found.locator(".held table").wait_for()
        try:
            yield found
        finally:
            found.evaluate("(each) => { each.open = false; }")

    def choose(self, name: str, value: str) -> None:
        """Choose one name."""
        self.page.select_option(f"select[name={name}]", label=value)

    def reset(self) -> None:
        """Choose nothing."""
        for select in self.page.locator("#choices select").all():
            if select.input_value() != "0":
                select.select_option("0")
