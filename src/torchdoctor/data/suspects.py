"""Training samples whose labels are in doubt, left out or relabelled as an examination of the same data found them.

    torchdoctor data -c recipe.yaml --run runs/data          # look at the suspects first
    torchdoctor train -c recipe.yaml --set data.suspects=runs/data

May not: judge a label itself, touch validation or test samples.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from torchdoctor.data.samples import Samples
from torchdoctor.errors import BadRun
from torchdoctor.record.run import Run


def without_suspects(train: Samples, examined: str, *, relabel: bool = False) -> Samples:
    """The training samples without those that the run `examined` doubts; relabel: with the class that each looks like
    instead. Raises BadRun when it is no examination, or one of other samples."""
    trace = Run(examined).trace()
    rows, classes = trace.facts.get("label_suspect_rows"), trace.facts.get("label_suspect_classes")
    if rows is None or classes is None:
        raise BadRun(
            f"{examined} says of no label whether it is in doubt. Examine the data first: torchdoctor data -c RECIPE "
            f"--run FOLDER (with the extra `labels`), and give its folder."
        )
    if (there := trace.value("samples", "train")) != len(train):
        raise BadRun(f"{examined} is of other data: it saw {there or 0:,.0f} training samples; here are {len(train)}.")
    if not relabel:
        return train.take(np.setdiff1d(np.arange(len(train)), np.asarray(rows, np.int64)))
    y = train.y.clone()
    y[torch.as_tensor(rows, dtype=torch.long)] = torch.as_tensor(classes, dtype=y.dtype)
    return replace(train, y=y)
