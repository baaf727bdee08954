"""Small tables that scikit-learn brings with it, so nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from torchdoctor.data.samples import Samples


def iris() -> Samples:
    """150 flowers of three species, four measures in cm. Fisher, Annals of Eugenics 7(2), 1936."""
    return _samples(load_iris)


def wine() -> Samples:
    """178 wines from three growers, thirteen chemical measures. Forina and others, UCI 1991."""
    return _samples(load_wine)


def breast_cancer() -> Samples:
    """569 tumours, malignant or benign, thirty measures of cell nuclei. Wolberg, Street, Mangasarian, UCI 1995."""
    return _samples(load_breast_cancer)


def _samples(load: Callable[[], Any]) -> Samples:
    given = load()
    columns = {str(name): given.data[:, i].astype(np.float64) for i, name in enumerate(given.feature_names)}
    return Samples(columns, torch.from_numpy(given.target).long(), tuple(map(str, given.target_names)))
