"""What the gravest events of a stress test do to a plan, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimiser.studies.stress.stress_columns import EVENT, IMPOSSIBLE, MORE, SHORTER
from stockpile_model import amounts
from stockpile_model.values import parted


def gravest(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield a sentence for each event, in the order of the answer: the gravest first."""
    titles = [parted(each) for each in header]
    place = {title.strip().casefold(): c for c, (title, _) in enumerate(titles)}
    if not {EVENT, MORE, SHORTER, IMPOSSIBLE} <= {*place}:
        return
    money, unit = titles[place[MORE]][1], titles[place[SHORTER]][1]
    for row in rows:
        event, more, short, why = (row[place[name]] for name in (EVENT, MORE, SHORTER, IMPOSSIBLE))
        if why:
            yield f"{event}: {why}."
            continue
        said = []
        if isinstance(more, (int, float)):
            way = "less" if more < 0 else "more"
            said.append(f"costs {amounts.rounded(abs(more))} {money} {way}")
        if isinstance(short, (int, float)) and short:
            way = "less" if short < 0 else "more"
            said.append(f"{amounts.about(abs(short))} {unit} {way} are missing")
        yield f"{event}: {', '.join(said) or 'costs as much'}."
