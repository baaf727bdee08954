"""Every class is drawn equally often, however few samples it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "counts = torch.bincount(train_labels)                                    # of the TRAINING data\n"
        "sampler = WeightedRandomSampler(1 / counts[train_labels], num_samples=len(train_labels))\n"
        "train = DataLoader(dataset, batch_size=batch_size, sampler=sampler)      # in the place of shuffle=True"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"data.balance": "sampler"}


@fix(code=code, patch=patch)
def draw_classes_equally(parts: Parts) -> Parts:
    """Draw training samples, as many an epoch as before and with replacement, so that each class comes equally often.

    It needs no loss that takes weights; but a rare sample that is drawn many times is learnt by heart the sooner.
    Raises BadParts where targets are no class numbers (N,), or the loader's samples have no numbers.
    """
    import torch

    from torchdoctor.data.balance import sample_weights
    from torchdoctor.fixes.loaders import in_order, weighted
    from torchdoctor.probes.bench import batches_of
    from torchdoctor.probes.fork import preserved

    with preserved(parts):
        labels = torch.cat([b.target for b in batches_of(in_order(parts.train), "train")])
    if labels.is_floating_point() or labels.ndim != 1 or not len(labels) or int(labels.min()) < 0:
        raise BadParts(
            f"The targets are {labels.dtype} of shape {tuple(labels.shape)}; classes are numbers from 0, (N,)."
        )
    return replace(parts, train=weighted(parts.train, sample_weights(labels, int(labels.max()) + 1)))
