"""How a model sees samples: what enters its last weights, and where that lies in a plane.

    seen = embedded(model, inputs)          # (N, D)
    plane = projected(seen)                 # PCA and t-SNE, (N, 2) each

The model and its modes are as they were afterwards.
May not: train the model, draw from the global random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor, mapped, moved
from torchdoctor.errors import BadParts
from torchdoctor.models.hooks import hooked
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating

FEWEST = 10  # samples, below which there is nothing to see
KEPT = 50  # components that t-SNE looks at (L. van der Maaten, G. Hinton, JMLR 9, 2008)
PERPLEXITY = 30.0  # theirs too; at most a third of the samples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """pca, tsne: (N, 2). explained: the share of the variance that each axis of `pca` holds, 0..1."""

    pca: Floats
    tsne: Floats
    explained: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Embedding:
    """layer: the module that they enter, as named_modules() calls it. features: (N, D). output: of the model."""

    layer: str
    features: Floats
    output: Any


def embedded(model: nn.Module, inputs: tuple[Any, ...]) -> Embedding:
    """What enters the module with weights that runs last, in eval mode. Raises BadParts where no module has weights."""
    last: list[tuple[str, Tensor]] = []

    def entering(name: str) -> Any:
        def note(_: nn.Module, given: tuple[Any, ...]) -> None:
            if given and isinstance(given[0], Tensor):
                last[:] = [(name, given[0].detach())]

        return note

    leaves = [(name, m) for name, m in model.named_modules() if next(m.parameters(recurse=False), None) is not None]
    hooks = [module.register_forward_pre_hook(entering(name)) for name, module in leaves]
    device = device_of(model)
    with hooked(hooks), evaluating(model):
        output = model(*moved(inputs, device))
    rows = len(first_tensor(inputs))
    if not last or len(last[0][1]) != rows:
        raise BadParts("No module with weights takes one row per sample, so there is no embedding to show.")
    name, features = last[0]
    return Embedding(name, features.reshape(rows, -1).double().cpu().numpy(), mapped(output, torch.Tensor.cpu))


def projected(features: Floats, seed: int = 0) -> Plane:
    """features: (N, D) with N of at least ten. Raises BadParts for fewer, or where they are not finite or alike."""
    n = len(features)
    if n < FEWEST or not np.isfinite(features).all():
        raise BadParts(f"A projection needs at least {FEWEST} samples with finite features; here are {n}.")
    if (features == features[0]).all():
        raise BadParts("All samples have the same features, so there is nothing to lay out.")
    wide = np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1]))))
    pca = PCA(min(KEPT, n, wide.shape[1]), random_state=seed).fit(wide)
    parts = np.asarray(pca.transform(wide), np.float64)
    share = np.nan_to_num(pca.explained_variance_ratio_)
    near = TSNE(2, perplexity=min(PERPLEXITY, (n - 1) / 3), init="pca", random_state=seed).fit_transform(parts)
    return Plane(parts[:, :2], np.asarray(near, np.float64), (float(share[0]), float(share[1])))
