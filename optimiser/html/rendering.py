"""From a page to the text of one file that needs no network.

The scripts and styles stand in the file, and its content security policy lets no others run: it
names each by its hash (W3C, Content Security Policy Level 3, section 2.3.1). What comes from a
workbook is escaped by the template, or is data that the script writes as text.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from optimiser.html.page import GENERATOR, Page
from optimiser.html.places import places_of
from optimiser.html.plan_page import pooled

EMPTY = ""  # the style sheet that the charting library begins with, and fills rule by rule


def rendered(page: Page) -> str:
    """Return the text of a page."""
    pool, views = pooled(page)
    charts = any(each["sort"] == "chart" for each in pool)
    data = {
        "figures": pool,
        "views": views,
        "tables": list(page.tables),
        "choices": [{"name": each.name, "names": list(each.names)} for each in page.choices],
        "places": places_of(pool),
        **page.about,
    }
    script, style = static("page.js"), static("page.css")
    library, licence, library_hash = charting() if charts else ("", "", "")
    hashes = [hash_of(script), *([library_hash] if charts else [])]
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:;"
        f" script-src {' '.join(hashes)}; style-src {hash_of(style)} {hash_of(EMPTY)}"
    )
    template = environment().get_template("page.html")
    return template.render(
        page=page,
        generator=GENERATOR,
        policy=policy,
        style=Markup(style),
        script=Markup(script),
        library=library,
        licence=licence,
        data=Markup(embedded(data)),
    )


@cache
def environment() -> Environment:
    """Return the template engine: all that it inserts is escaped."""
    return Environment(
        loader=PackageLoader("optimiser.html", "static"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def static(name: str) -> str:
    """Return a file that stands in every page."""
    return files("optimiser.html").joinpath("static", name).read_text(encoding="utf-8")


@cache
def charting() -> tuple[str, str, str]:
    """Return the charting library, compressed to a third as base64, its licence, and its hash.

    The page's script unpacks it; the hash lets it run.
    """
    from plotly.offline import get_plotlyjs

    text = get_plotlyjs()
    packed = gzip.compress(text.encode(), mtime=0)
    return base64.b64encode(packed).decode(), text[: text.index("*/") + 2], hash_of(text)


def hash_of(text: str) -> str:
    """Return the source expression of an inline script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def embedded(data: Any) -> str:
    """Return data as JSON that ends no script element: no `<` stands in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate({ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"})
