"""A run while it trains, in a terminal: its curves as sparklines, and the findings as they come.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic

from rich.text import Text

from torchdoctor.discover import discover
from torchdoctor.errors import BadRun
from torchdoctor.judge.rule import Rule
from torchdoctor.record.run import Run
from torchdoctor.show.docstring import gist
from torchdoctor.show.sparkline import ends, sparkline
from torchdoctor.show.text import COLOUR
from torchdoctor.show.texts import Texts, texts

SIGNALS = ("loss", "val_loss", "train_score", "val_score", "grad_norm")
WIDTH = 40  # bars of a curve
SECONDS = 1.0  # between two looks at the run, and
SHARE = 0.01  # of the time they may take at most: looking must not slow the training


class LiveView:
    """lines(): what to show now. It reads what the run has written, and is asked ten times a second. t: the words that
    findings are told in."""

    def __init__(self, folder: Path, t: Texts | None = None) -> None:
        self.folder, self.texts = folder, t or texts("en")
        self._curves: list[Text] = []
        self._findings: list[Text] = []
        self._known: dict[str, int] = {}
        self._next, self._over = 0.0, False

    def found(self, names: Sequence[str], step: int) -> None:
        """The findings that are open now; a new one is shown with the step it came at, one that went is not."""
        if list(names) != list(self._known):
            self._known = {name: self._known.get(name, step) for name in names}
            rules = discover("rules", Rule)
            self._findings = [_told(rules.get(name), name, at, self.texts) for name, at in self._known.items()]

    def end(self) -> None:
        """The run is whole: its curves as they ended, and no findings, which the report tells at length."""
        self._findings, self._over = [], True

    def lines(self) -> Iterator[Text]:
        """The curves, then the findings."""
        began = monotonic()
        if self._over or began >= self._next:
            self._curves = list(self._read())
            now = monotonic()
            self._next = now + max(SECONDS, (now - began) / SHARE)
        yield from self._curves
        yield from self._findings

    def _read(self) -> Iterator[Text]:
        try:
            with closing(Run(self.folder)) as run:
                trace = run.trace(SIGNALS)
        except BadRun:  # nothing is written yet
            return
        for signal in SIGNALS:
            if len(series := trace[signal]) > 1:
                curve = (sparkline(series, WIDTH), "cyan")
                yield Text.assemble((f"  {signal:<12}", "dim"), curve, f" {ends(series)}", no_wrap=True)


def _told(rule: Rule | None, name: str, step: int, t: Texts) -> Text:
    what = t.said(name) or (gist(rule.doc) if rule is not None else "")
    style = COLOUR[rule.severity] if rule is not None else "bold"
    since = t("since_step", step=step)
    return Text.assemble((f"  {name}", style), (f" {since}", "dim"), what, no_wrap=True, overflow="ellipsis")
