"""Samples as a few dozen numbers each, so that distances and small models mean something and are fast.

Pictures: grey values or colours 0..1, made smaller, then their principal components. Rows: scaled columns.
Ids: which words occur, weighted by rarity, in a few dozen directions. All fitted to training samples alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from torch import Tensor
from torch.nn import functional as F

from torchdoctor.data.augment.loader import Range

Matrix = NDArray[np.float32]
Features = Mapping[str, Matrix]  # part -> (N, D)
Embed = Callable[[Tensor], Matrix]
FITTED = 10_000  # samples that components are fitted to; more change nothing that a distance would show
NUMBERS = 20_000_000  # made floats at once
WIDE = 50  # components kept: nine tenths of the variance of small pictures
NORMAL_QUARTILES = 1.349  # interquartile range of a normal distribution, in standard deviations
LARGEST = 1e6  # units; squares of more are not float32
SIDE = 32  # pixels a picture is made smaller to


def embedding(train: Tensor, kind: str, between: Range, seed: int = 0) -> Embed:
    """The function that makes features (N, D) of samples (N, ...), fitted to training samples; D is `WIDE` at most.

    kind: "pictures", "rows" or "ids". between: black and white of training, for pictures.
    """
    few = train[np.random.default_rng(seed).permutation(len(train))[:FITTED]]
    if kind == "ids":
        return _words(few, int(train.max()) + 1, seed)
    flatten = _pixels(between) if kind == "pictures" else _columns(train)
    flat = _in_pieces(few, flatten)
    if flat.shape[1] <= WIDE or len(flat) <= WIDE:
        return lambda x: _in_pieces(x, flatten)
    components = PCA(WIDE, svd_solver="randomized", random_state=seed).fit(flat)
    return lambda x: _in_pieces(x, lambda piece: components.transform(flatten(piece)))


def _pixels(between: Range) -> Embed:
    def flat(x: Tensor) -> Matrix:
        unit = between.unit(x.float().nan_to_num())
        small = F.adaptive_avg_pool2d(unit, (min(SIDE, x.shape[2]), min(SIDE, x.shape[3])))
        return np.asarray(small.flatten(1).numpy(), np.float32)

    return flat


def _columns(train: Tensor) -> Embed:
    """In units of the middle half of each column, so that a few wild values do not flatten all others, or of its
    standard deviation where most are equal. What is missing becomes the median; a column that never varies goes."""
    flat = train.flatten(1).double().numpy()
    known = np.where(np.isfinite(flat), flat, np.nan)
    known[:, np.isnan(known).all(0)] = 0
    low, middle, high = np.nanquantile(known, (0.25, 0.5, 0.75), axis=0)
    std = np.nanstd(known, axis=0)
    unit = np.where(high > low, (high - low) / NORMAL_QUARTILES, std)
    varies = std > 1e-12 * np.maximum(np.abs(middle), 1e-300)
    varies[0] |= not varies.any()  # some column there must be
    unit = np.where(unit > 0, unit, 1)

    def scaled(x: Tensor) -> Matrix:
        values = x.flatten(1).double().numpy()
        values = (np.where(np.isfinite(values), values, middle) - middle)[:, varies] / unit[varies]
        return np.asarray(np.clip(values, -LARGEST, LARGEST), np.float32)

    return scaled


def _words(few: Tensor, vocabulary: int, seed: int) -> Embed:
    """Word 0 pads the shorter texts and counts for nothing."""
    weigh = TfidfTransformer(sublinear_tf=True).fit(_counts(few, vocabulary))
    wide = min(WIDE, vocabulary - 1, len(few) - 1)
    directions = TruncatedSVD(max(1, wide), random_state=seed).fit(weigh.transform(_counts(few, vocabulary)))
    return lambda x: np.asarray(directions.transform(weigh.transform(_counts(x, vocabulary))), np.float32)


def _counts(ids: Tensor, vocabulary: int) -> sparse.csr_matrix:
    flat = ids.flatten(1).clamp(0, vocabulary - 1).numpy()
    rows = np.repeat(np.arange(len(flat)), flat.shape[1])
    counted = sparse.csr_matrix((np.ones(flat.size), (rows, flat.ravel())), shape=(len(flat), vocabulary))
    return counted[:, 1:]


def _in_pieces(x: Tensor, embed: Embed) -> Matrix:
    """Sixty thousand pictures as floats at once would be gigabytes."""
    rows = max(1, NUMBERS * len(x) // max(1, x.numel()))
    return np.concatenate([np.asarray(embed(piece), np.float32) for piece in torch.split(x, rows)])
