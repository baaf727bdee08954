"""Random search over the settings a cure may change: what one gets for as many trainings without any diagnosis.

Every trial draws each setting anew and trains whole, on one seed; the best score wins, and the first trial is the
program as it is. What cannot be applied to the program is drawn again at no charge.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from torchdoctor.cures.arm import Length, trained
from torchdoctor.cures.race import plain
from torchdoctor.cures.remedies import treated, why_not
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy

DRAWS = 10  # of one setting, until one can be applied
SEED = 0

# What a person would put into a search space. One remedy or none is drawn of each line.
SPACE: tuple[Callable[[random.Random], Remedy | None], ...] = (
    lambda r: r.choice([None, Remedy("standardize-inputs")]),
    lambda r: r.choice([None, Remedy("replace-activation", {"to": r.choice(["relu", "leaky-relu", "elu", "gelu"])})]),
    lambda r: r.choice([None, Remedy("reinitialize", {"scheme": r.choice(["default", "he", "xavier"])})]),
    lambda r: r.choice([None, Remedy("normalize-layers")]),
    lambda r: r.choice([None, Remedy("add-dropout", {"p": r.uniform(0.1, 0.5)})]),
    lambda r: r.choice([None, Remedy("set-batch-size", {"batch_size": 2 ** r.randint(3, 8)})]),
    lambda r: r.choice(
        [
            Remedy("set-learning-rate", {"factor": 10 ** r.uniform(-3, 3)}),
            Remedy("use-adam", {"lr": 10 ** r.uniform(-4, -1)}),
        ]
    ),
    lambda r: r.choice([None, Remedy("add-weight-decay", {"weight_decay": 10 ** r.uniform(-5, -2)})]),
)


def random_search(experiment: Experiment, trials: int, seed: int = 0) -> dict[str, Any]:
    """{"fix": [remedies as plain values], "score": of the best on its one seed, "trials": how many}."""
    numbers = random.Random(f"{seed} of random search")
    best: tuple[float, list[Remedy]] = (_score(experiment, []), [])
    for _ in range(trials - 1):
        chosen = _drawn(experiment, numbers)
        score = _score(experiment, chosen)
        if score > best[0] or best[0] != best[0]:
            best = score, chosen
    return {"fix": [plain(r) for r in best[1]], "score": best[0], "trials": trials}


def _drawn(experiment: Experiment, numbers: random.Random) -> list[Remedy]:
    chosen: list[Remedy] = []
    for setting in SPACE:
        for _ in range(DRAWS):
            remedy = setting(numbers)
            if remedy is None:
                break
            if not why_not(experiment, [*chosen, remedy]):
                chosen.append(remedy)
                break
    return chosen


def _score(experiment: Experiment, chosen: list[Remedy]) -> float:
    changed = treated(experiment, chosen)
    return trained(changed, SEED, Length(changed.epochs)).score
