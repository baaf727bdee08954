"""A linear classifier on the features of each layer: how much of the answer can be read off there?

Alain, Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor, mapped
from torchdoctor.evaluate.interval import Floats, Interval, wilson
from torchdoctor.evaluate.layer_times import innermost
from torchdoctor.models.hooks import hooked
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating

FIT, SCORED = 1500, 1000  # samples the linear classifiers are fitted and scored on
WIDTH = 512  # features; wider ones are projected at random, which nearly keeps distances
LAYERS = 24  # at most; of more an even choice is probed
PENALTIES = np.logspace(-2, 4, 7)
SIGNIFICANT = 0.01
Samples = tuple[tuple[Any, ...], NDArray[Any]]  # inputs (n, ...), class numbers (n,)


@dataclass(frozen=True)
class LayerProbe:
    """layer: as named_modules() calls it; "input" is what the model is given. width: its features per sample. score:
    accuracy of a linear classifier on them. falls: significantly below the best before it."""

    layer: str
    type: str
    width: int
    score: Interval
    falls: bool


def layer_probes(model: nn.Module, fit: Samples, scored: Samples, seed: int = 0) -> tuple[LayerProbe, ...]:
    """Of the inputs and of every innermost module that gives one tensor (N, ...); each class must occur in `fit`."""
    before, after = features_of(model, fit[0]), features_of(model, scored[0])
    types = {"input": "", **{name: type(m).__name__ for name, m in innermost(model).items()}}
    made: list[LayerProbe] = []
    best: NDArray[np.bool_] | None = None
    for name in _even(list(before)):
        hits = _hits(before[name], fit[1], after[name], scored[1], seed)
        falls = best is not None and _significantly_below(hits, best)
        made.append(LayerProbe(name, types[name], before[name].shape[1], wilson(int(hits.sum()), len(hits)), falls))
        best = hits if best is None or hits.sum() > best.sum() else best
    return tuple(made)


def features_of(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Floats]:
    """{layer: (N, features)} in the order of execution, in eval mode; a layer that runs twice keeps its last output."""
    kept: dict[str, Tensor] = {}
    size = len(first_tensor(inputs))

    def keep(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim > 1 and len(output) == size and output.is_floating_point():
            kept.pop(name, None)
            kept[name] = output.detach().flatten(1).cpu()

    handles = [
        m.register_forward_hook(lambda _m, _i, out, name=n: keep(name, out)) for n, m in innermost(model).items()
    ]
    with hooked(handles), evaluating(model):
        model(*mapped(inputs, lambda t: t.to(device_of(model))))
    raw = first_tensor(inputs)
    first = {"input": raw.flatten(1).cpu()} if raw.is_floating_point() else {}
    return {name: t.double().numpy() for name, t in {**first, **kept}.items()}


def _hits(fit_x: Floats, fit_y: NDArray[Any], x: Floats, y: NDArray[Any], seed: int) -> NDArray[np.bool_]:
    steps: list[Any] = [StandardScaler(), RidgeClassifierCV(PENALTIES)]
    if fit_x.shape[1] > WIDTH:
        steps.insert(0, GaussianRandomProjection(WIDTH, random_state=seed))
    fit_x, x = (np.nan_to_num(part, posinf=0, neginf=0) for part in (fit_x, x))
    return np.asarray(make_pipeline(*steps).fit(fit_x, fit_y).predict(x) == y)


def _significantly_below(hits: NDArray[np.bool_], best: NDArray[np.bool_]) -> bool:
    lost, won = int((best & ~hits).sum()), int((hits & ~best).sum())
    return lost > won and float(binomtest(won, lost + won).pvalue) < SIGNIFICANT


def _even(names: list[str]) -> list[str]:
    if len(names) <= LAYERS:
        return names
    return [names[i] for i in np.unique(np.linspace(0, len(names) - 1, LAYERS).round().astype(int))]
