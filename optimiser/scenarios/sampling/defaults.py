"""What `stockpile scenarios` assumes to be uncertain without a sheet `uncertainty`.

These figures are weak, and their notes say so: volatility is computed from few cited
points, most of the rest is assumed. The sheet is written into the new workbook, where the officer
corrects it and runs again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimiser.scenarios.sampling.uncertainty import Uncertainty

CITED: Mapping[str, tuple[tuple[float, float], ...]] = {
    "gallium, Rotterdam (Fastmarkets, CSIS, Argus copy)": (
        *(
            (2023.49, 257.5),
            (2023.72, 425.0),
            (2023.95, 550.0),
            (2024.25, 575.0),
            (2025.37, 687.0),
            (2025.97, 1375.0),
        ),
    ),
    "gallium, USGS MCS 2011": (
        (2006.5, 443.0),
        (2007.5, 530.0),
        (2008.5, 579.0),
        (2009.5, 449.0),
        (2010.5, 670.0),
    ),
    "indium, USGS MCS 2003 and 2005": (
        *(
            (1998.5, 296.0),
            (1999.5, 303.0),
            (2000.5, 188.0),
            (2001.5, 120.0),
            (2002.5, 97.0),
            (2003.5, 170.0),
            (2004.5, 600.0),
        ),
    ),
    "indium, New York, MCS 2017 and 2020": (
        *((2012.5, 540.0), (2013.5, 570.0), (2014.5, 705.0), (2015.5, 520.0)),
        *((2016.5, 345.0), (2017.5, 363.0), (2018.5, 375.0), (2019.5, 390.0)),
    ),
}
"""Years and prices [USD/kg] that the volatility below is computed from: the root of the sum of
squared log moves over the years.
"""

_ASSUMED: Mapping[str, Any] = {"source_date": "2026-11-21", "confidence": "assumption"}


def _delay(stage: str, mode: float, high: float, note: str) -> Uncertainty:
    return Uncertainty(
        name=f"delay_{stage}",
        kind="delay",
        of="stage",
        value=stage,
        delay_months=mode,
        ranges={"delay_months": (0.0, high)},
        source="assumption",
        note=note,
        **_ASSUMED,
    )


DEFAULTS = (
    Uncertainty(
        name="prices",
        kind="price",
        volatility=0.44,
        reversion=0.35,
        jump_factor=1.6,
        jumps_with="embargo_china",
        ranges={"volatility": (0.21, 0.63), "jump_factor": (1.2, 2.7)},
        source=(
            "computed from points in USGS MCS 2003, 2005, 2011, 2017, 2020, Fastmarkets, CSIS"
            " brief, Argus copy"
        ),
        source_date="2025-12-22",
        confidence="low",
        note=(
            "Each index moves on its own. Volatility: 0.44 pooled over 22 cited moves of gallium"
            " and indium prices in 19 years; the four series alone give 0.21 to 0.63. Weak: few"
            " points, and those of 2023 to 2025 hold the effect of export controls too. Jump: 1.2"
            " is 575 to 687 across the ban of December 2024, 2.7 is 257.5 before the controls to"
            " 687; 1.6 is an assumption. Reversion by half in two years is an assumption. Give an"
            " index quoted inside the country of the embargo a row of its own, without a jump."
        ),
    ),
    Uncertainty(
        name="embargo_china",
        kind="embargo",
        of="country",
        value="China",
        per_year=0.3,
        duration_months=11.0,
        ranges={"duration_months": (6.0, 24.0)},
        source="CSIS brief; businesstimes, fastmarkets, tomshardware",
        source_date="2025-11-10",
        confidence="low",
        note=(
            "One ban on the United States, 3 December 2024, suspended on 9 November 2025 (11"
            " months), in the 3.3 years from the first licences of August 2023 to November 2026:"
            " 0.3 a year from a single case. Low and high of the duration are assumptions."
        ),
    ),
    Uncertainty(
        name="outages",
        kind="outage",
        per_year=0.05,
        duration_months=6.0,
        ranges={"duration_months": (2.0, 16.0)},
        source="USGS Minerals Yearbook, Indium 2017 (advance release)",
        source_date="2017",
        confidence="assumption",
        note=(
            "Each plant on its own. Cited: Auby made no indium from November 2015 to the first"
            " quarter of 2017 after a fire, some 16 months: the high of the duration. Once in"
            " twenty years, and the rest of the duration, are assumptions."
        ),
    ),
    _delay(
        "commissioning",
        3,
        12,
        "ERG Pavlodar slipped from Q3 to Q4 2026 (cited); the triangle is an assumption.",
    ),
    _delay(
        "building",
        6,
        24,
        "Sources on Metlen's first year differ by a year (cited); the triangle is an assumption.",
    ),
    _delay(
        "announced",
        12,
        36,
        "Stade was given as 40 t/y by 2027 with no decision found in 2026 (cited). The triangle is"
        " an assumption; that a plant never comes is not drawn: solve --firm shows it.",
    ),
)
