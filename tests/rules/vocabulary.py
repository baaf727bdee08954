"""The controlled vocabulary of faults, in the order of its tables; a star marks a symptom.

A name never changes once released. A rule's code is the letter of its place and the number of its row, so that no row
may be moved either: new names go to the end of a table.
"""

from __future__ import annotations

LETTERS = {
    "data": "D",
    "model": "M",
    "loss": "L",
    "step": "S",
    "hyperparameters": "H",
    "budget": "B",
    "optimisation": "O",
    "speed": "P",
    "inference": "I",
}
TABLES = {
    "data": """unscaled-inputs unscaled-targets non-finite-inputs constant-features outlying-samples invalid-labels
        corrupted-labels noisy-labels imbalanced-classes too-few-samples duplicate-samples leaked-validation
        mismatched-splits unshuffled-split unshuffled-training repeated-batch repeated-augmentation
        destructive-augmentation""",
    "model": """wrong-output-activation redundant-output-activation missing-output-activation wrong-output-width
        missing-hidden-activation saturating-activation symmetric-init badly-scaled-init missing-normalization
        narrow-bottleneck insufficient-capacity excessive-depth mixed-batch ignored-input swapped-dimensions
        mode-insensitive-layer unregistered-parameter oversized-layer""",
    "loss": "wrong-loss broadcast-loss summed-loss unstable-loss dominant-penalty",
    "step": """missing-zero-grad misplaced-zero-grad frozen-parameters missing-parameters stale-optimizer detached-graph
        stale-graph eval-mode-training train-mode-evaluation misused-scheduler diverged-replicas
        non-deterministic-run""",
    "hyperparameters": """high-learning-rate low-learning-rate negative-learning-rate small-batch large-batch
        strong-regularization strong-dropout weak-regularization unsuitable-optimizer tight-clipping""",
    "budget": "too-few-epochs too-many-epochs",
    "optimisation": """non-finite-loss* non-finite-gradient* exploding-gradients* vanishing-gradients* dead-units*
        saturated-units* oscillating-loss* loss-spike* stalled-loss* no-better-than-prior* abnormal-update-ratio*
        overfitting* underfitting* overconfident-model* confused-classes* precision-loss""",
    "speed": """slow-data-loading blocking-transfer growing-memory idle-device* slow-layer* unused-precision
        memory-overrun""",
    "inference": """grad-enabled-inference unbatched-inference slow-inference* drifted-inputs* drifted-predictions*
        training-serving-skew fragile-predictions* shortcut-features*""",
}
# name -> (place, kind, code)
FAULTS = {
    word.rstrip("*"): (place, "symptom" if word.endswith("*") else "cause", f"{LETTERS[place]}{row:02d}")
    for place, words in TABLES.items()
    for row, word in enumerate(words.split(), 1)
}
