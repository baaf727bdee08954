"""Every class counts alike, however few samples it has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "counts = torch.bincount(train_labels)                                    # of the TRAINING data\n"
        "loss_fn = nn.CrossEntropyLoss(weight=len(train_labels) / (len(counts) * counts))"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"data.balance": "weights"}


@fix(code=code, patch=patch)
def balance_classes(parts: Parts) -> Parts:
    """Weigh the loss of each sample by how rare its class is among the training samples.

    Raises BadParts where targets are no class numbers (N,), or the loss takes no weight for each class.
    """
    import torch

    from torchdoctor.data.balance import class_weights
    from torchdoctor.fixes.surgery import device_of, first_batch, trial
    from torchdoctor.probes.bench import batches_of
    from torchdoctor.probes.fork import preserved, reading

    loss_fn: Any = copy.deepcopy(parts.loss_fn)
    if not hasattr(loss_fn, "weight"):
        raise BadParts(f"{type(loss_fn).__name__} takes no weights; draw samples of rare classes more often.")
    with preserved(parts):
        labels = torch.cat([b.target for b in batches_of(reading(parts.train), "train")])
    classes = trial(parts.model, first_batch(parts)).shape[1]
    loss_fn.weight = class_weights(labels, classes).to(device_of(parts.model))
    return replace(parts, loss_fn=loss_fn)
