"""A cure as the engine would make it, for the tests of what shows one."""

from __future__ import annotations

import math
from dataclasses import replace

from torchdoctor.cures.effect import Effect
from torchdoctor.cures.race import Race
from torchdoctor.cures.result import Cure, Scores
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.recipe.schema import Recipe

RATE = Remedy("set-learning-rate", {"lr": 0.1})
SCALE = Remedy("standardize-inputs")
FINDING = Finding(
    "The rate is too low.", (), (0, 99), 0.9, Severity.ERROR, {}, (RATE,), "low-learning-rate", "cause",
    "hyperparameters", "H02",
)  # fmt: skip
TOGETHER = Race(
    (RATE, SCALE), (), ("low-learning-rate", "unscaled-inputs"), {0: 0.9, 1: 0.92, 2: 0.91}, {0: 0.1, 1: 0.12, 2: 0.1},
    Effect(0.803, 0.75, 0.86, 3), 0.25, 3.0, "all together, since faults hide one another",
)  # fmt: skip
LEFT_OUT = replace(
    TOGETHER, changed=(SCALE,), on_top_of=(RATE,), effect=Effect(0.01, -0.02, 0.04, 3), why="is it missed?"
)
QUICK = replace(
    TOGETHER, changed=(SCALE,), effect=Effect(0.5, -math.inf, math.inf, 1), share=0.1, with_it={0: math.nan}
)
SICK = Recipe.from_dict({"name": "sick", "optimizer": {"lr": 1e-5}})
EXPERIMENT = SICK.experiment()
CURED = Cure(
    Report((FINDING,), ("a",)), (TOGETHER, LEFT_OUT, QUICK), "cured", "set-learning-rate: +0.803.", (RATE,),
    Scores({0: 0.1, 1: 0.12}), Scores({0: 0.95, 1: 0.97}), SICK.patched({"optimizer.lr": 0.1}).experiment(), EXPERIMENT,
    cost=2.5, seconds=41.2,
)  # fmt: skip
