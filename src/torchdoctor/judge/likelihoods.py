"""The one table that ranking and confidence rest on: how often named causes were right, on programs with known faults.

Counted by `python -m cases.likelihoods` over the public benchmark (docs/benchmark.md), one run a program; read by
odds.py. A rule that is not listed begins with what all rules together have. Change a number here by hand, and only this
file's next review will know why: better add a case.
"""

from __future__ import annotations

from torchdoctor.judge.odds import Likelihoods

LIKELIHOODS = Likelihoods(
    alarms={
        "badly-scaled-init": (4, 0),
        "broadcast-loss": (3, 1),
        "detached-graph": (2, 0),
        "dominant-penalty": (2, 0),
        "eval-mode-training": (2, 0),
        "frozen-parameters": (2, 0),
        "growing-memory": (2, 0),
        "high-learning-rate": (7, 1),
        "ignored-input": (2, 0),
        "invalid-labels": (2, 0),
        "large-batch": (2, 0),
        "leaked-validation": (2, 0),
        "low-learning-rate": (6, 2),
        "misplaced-zero-grad": (2, 0),
        "missing-hidden-activation": (2, 0),
        "missing-normalization": (2, 0),
        "missing-output-activation": (3, 0),
        "missing-parameters": (1, 1),
        "missing-zero-grad": (2, 0),
        "misused-scheduler": (2, 0),
        "mixed-batch": (3, 0),
        "mode-insensitive-layer": (2, 0),
        "negative-learning-rate": (2, 0),
        "non-finite-inputs": (2, 0),
        "precision-loss": (2, 0),
        "redundant-output-activation": (5, 0),
        "repeated-batch": (2, 0),
        "saturating-activation": (3, 0),
        "slow-data-loading": (2, 0),
        "stale-graph": (2, 0),
        "stale-optimizer": (1, 0),
        "strong-dropout": (2, 0),
        "strong-regularization": (2, 0),
        "summed-loss": (2, 0),
        "symmetric-init": (3, 0),
        "tight-clipping": (2, 0),
        "too-few-epochs": (5, 4),
        "too-many-epochs": (0, 1),
        "train-mode-evaluation": (2, 0),
        "unregistered-parameter": (2, 0),
        "unscaled-inputs": (14, 0),
        "unscaled-targets": (2, 0),
        "unshuffled-split": (2, 0),
        "unshuffled-training": (2, 0),
        "unstable-loss": (5, 0),
        "weak-regularization": (2, 0),
        "wrong-loss": (4, 0),
        "wrong-output-activation": (12, 1),
        "wrong-output-width": (2, 0),
    },
    hints={
        "constant-features": (0, 45),
        "frozen-parameters": (0, 2),
        "leaked-validation": (0, 4),
        "missing-hidden-activation": (0, 1),
        "missing-parameters": (1, 0),
        "mixed-batch": (0, 1),
        "slow-data-loading": (0, 1),
        "summed-loss": (0, 4),
        "too-few-epochs": (1, 18),
        "too-many-epochs": (0, 11),
        "unscaled-targets": (0, 1),
        "unshuffled-training": (0, 8),
        "wrong-output-width": (0, 2),
    },
    severity={
        "error": (68, 4),
        "warning": (75, 7),
    },
    strength={
        "certain": (53, 3),
        "fair": (22, 5),
        "strong": (66, 1),
        "weak": (2, 2),
    },
    symptoms={
        "all": (67, 2),
        "some": (4, 1),
        "unseen": (72, 8),
    },
    beside={
        "alone": (134, 8),
        "explained": (9, 3),
    },
)
