"""The traces a rule fires on and stays quiet on, drawn in text: on its page and in `torchdoctor rules NAME`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from torchdoctor.judge.trace import Trace
from torchdoctor.show.sparkline import ends, sparkline
from torchdoctor.show.words import printable

SUBJECTS = 4  # drawn per signal; a layer more or less tells nothing new
FACT = 96  # characters of a fact


def drawn(trace: Trace) -> list[str]:
    """A line for each series and each fact of a small trace."""
    rows = list(_rows(trace))
    width = max((len(label) for label, _ in rows), default=0)
    return [f"{label:<{width}}  {what}" for label, what in rows]


def _rows(trace: Trace) -> Iterator[tuple[str, str]]:
    for signal, group in trace.data.items():
        for subject, series in list(group.items())[:SUBJECTS]:
            label = printable(f"{signal} of {subject}" if subject else signal)
            yield label, ends(series) if len(series) == 1 else f"{sparkline(series)} {ends(series)}"
        if len(group) > SUBJECTS:
            yield f"{printable(signal)} of ...", f"{len(group) - SUBJECTS} more"
    for name, value in trace.facts.items():
        text = json.dumps(value, default=str)
        yield printable(name), text if len(text) <= FACT else text[: FACT - 3] + "..."
