"""What simple methods reach on the same data: the commonest class or the mean, a linear model, nearest neighbours.

May not: train a network. All of it is scikit-learn's, on a stated number of training samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from torchdoctor.data.batch import tensors_in
from torchdoctor.evaluate.answers import Answers, samples_of
from torchdoctor.evaluate.compare import Comparison, compared_hits, compared_numbers
from torchdoctor.evaluate.interval import Floats, Ints
from torchdoctor.parts import Loader

TRAIN_ROWS = 2000  # logistic regression on 784 pixels of so many takes about a second
ROWS = 5000
NEIGHBOURS = 5
PENALTIES = np.logspace(-3, 4, 8)


def baselines(
    answers: Answers, loader: Loader, trained: Answers, train: Loader, *, seed: int = 0, rows: int = TRAIN_ROWS
) -> tuple[Comparison, ...]:
    """The model against each, on the samples of `answers` (of `loader`; at most 5,000 of them, drawn by the seed), by
    baselines fitted on at most `rows` training samples.

    trained: answers over `train`, for its targets. Inputs are flattened; token ids are counted (a bag of words).
    """
    random = np.random.default_rng(seed)
    here, there = _drawn(len(answers), ROWS, random), _drawn(len(trained), rows, random)
    x = features(samples_of(answers, loader, here)[0])
    fit_x = features(samples_of(trained, train, there, "train")[0])
    width = max(x.shape[1], fit_x.shape[1])  # bags of words of two parts may differ in their largest id
    x, fit_x = (np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in (x, fit_x))
    note = f"fitted on {len(there):,} of {len(trained):,} training samples"
    return tuple(
        _compared(name, answers.at(here), _fitted(method, fit_x, trained.truth[there], x), note, seed)
        for name, method in _methods(answers.kind, len(there))
    )


def features(inputs: Any) -> Floats:
    """Nested tensors (N, ...) as (N, features): decimals flattened, whole numbers (N, T) as counts of each id."""
    columns = [_bag(t) if not t.is_floating_point() and t.ndim == 2 else t.flatten(1).double().numpy()
               for t in tensors_in(inputs)]  # fmt: skip
    return np.concatenate(columns, axis=1)


def _bag(ids: Tensor) -> Floats:
    counts = np.zeros((len(ids), 1 + max(0, int(ids.max()))))
    rows, columns = np.nonzero(ids.numpy() >= 0)
    np.add.at(counts, (rows, ids.numpy()[rows, columns]), 1.0)
    return counts


def _methods(kind: str, samples: int) -> Iterator[tuple[str, Any]]:
    near = max(1, min(NEIGHBOURS, samples))
    if kind == "classes":
        yield "majority class", DummyClassifier()
        yield "logistic regression", make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
        yield f"{near} nearest neighbours", KNeighborsClassifier(near)
    else:
        yield "mean", DummyRegressor()
        yield "ridge regression", make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
        yield f"{near} nearest neighbours", make_pipeline(StandardScaler(), KNeighborsRegressor(near))


def _fitted(method: Any, fit_x: Floats, fit_y: NDArray[Any], x: Floats) -> NDArray[Any]:
    if fit_y.ndim == 1 and len(np.unique(fit_y)) == 1:
        method = DummyClassifier()  # a classifier refuses a single class
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 steps are near enough to compare with
        given: NDArray[Any] = method.fit(fit_x, fit_y).predict(x)
    return given


def _compared(name: str, answers: Answers, given: NDArray[Any], note: str, seed: int) -> Comparison:
    if answers.kind == "classes":
        return compared_hits(name, answers.right, given == answers.truth, note=note, seed=seed)
    return compared_numbers(
        name, answers.truth, answers.outputs, given.reshape(answers.truth.shape), note=note, seed=seed
    )


def _drawn(count: int, most: int, random: np.random.Generator) -> Ints:
    return np.arange(count) if count <= most else np.sort(random.permutation(count)[:most])
