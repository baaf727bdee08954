"""A picture of a run: losses and scores by epoch. Needs the extra `plot`."""

from __future__ import annotations

import io
from typing import Any

from torchdoctor.extra import needed
from torchdoctor.train.table import Table

PARTS = {"train": "#1b6ca8", "val": "#c8553d"}  # blue and red that the colour-blind tell apart


def plotted(history: Table, title: str) -> Any:
    """A matplotlib Figure: the losses on the left and the scores on the right, training beside validation."""
    figure = _drawn()(figsize=(9, 3.4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "score")):
        for part, colour in PARTS.items():
            values = history.get(f"{part}_{kind}", [])
            if values:
                epochs = range(1, len(values) + 1)
                axes.plot(epochs, values, color=colour, label=f"{part}_{kind}", marker="o", markersize=3)
        axes.set_xlabel("epochs done")
        axes.set_ylabel(kind)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False)
    figure.suptitle(title)
    return figure


def _drawn() -> Any:
    """The Figure of matplotlib, which a notebook shows only where pyplot was imported; this one it shows always."""
    figure = needed("matplotlib.figure", extra="plot").Figure

    class Drawn(figure):  # type: ignore[misc, valid-type]
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return Drawn
