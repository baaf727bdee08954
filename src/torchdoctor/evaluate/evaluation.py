"""Everything an evaluation found, as plain frozen records.

May not: import torch, compute, print.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torchdoctor.evaluate.bottlenecks import Bottlenecks
from torchdoctor.evaluate.calibration import Calibration
from torchdoctor.evaluate.classes import ClassScore, Curve
from torchdoctor.evaluate.compare import Comparison
from torchdoctor.evaluate.interval import Interval
from torchdoctor.evaluate.numbers import Residuals
from torchdoctor.evaluate.pixels import Region
from torchdoctor.evaluate.reading import Kind
from torchdoctor.evaluate.robustness.robustness import Robustness
from torchdoctor.evaluate.samples import Sample
from torchdoctor.evaluate.slices import SliceScore
from torchdoctor.evaluate.threshold import Threshold
from torchdoctor.judge.report import jsonable

SAVED = "evaluation.json"  # in the folder of a recorded evaluation


@dataclass(frozen=True)
class PartScore:
    """Of one part of the data. score: the measure that training reports, with its 95 % interval. loss: the mean of the
    model's own loss; NaN when none was given."""

    samples: int
    score: Interval
    loss: float


@dataclass(frozen=True)
class Evaluation:
    """on: the part that all but `scores` is about. measure: what a score is: accuracy, area under the ROC curve, or R2.

    classes: their names. by_class: of classes or labels. regions: of pixels what overlaps. averages: the means
    over all classes, by name (micro, macro, weighted). confusion: row the true class, column what it was called.
    suspect_count: labels in doubt in all, of which `suspects` are the first. left_out: {what was not done: why}.
    """

    kind: Kind
    measure: str
    on: str
    scores: Mapping[str, PartScore]
    classes: tuple[str, ...] = ()
    by_class: tuple[ClassScore, ...] = ()
    regions: tuple[Region, ...] = ()
    averages: Mapping[str, Interval] = field(default_factory=dict)
    thresholds: tuple[Threshold, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    slices: tuple[SliceScore, ...] = ()
    curves: tuple[Curve, ...] = ()
    calibration: Calibration | None = None
    residuals: Residuals | None = None
    baselines: tuple[Comparison, ...] = ()
    against: Comparison | None = None
    worst: tuple[Sample, ...] = ()
    hard: tuple[Sample, ...] = ()
    suspects: tuple[Sample, ...] = ()
    suspect_count: int = 0
    robustness: Robustness | None = None
    bottlenecks: Bottlenecks | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; NaN and infinity are kept as floats."""
        return asdict(self)

    def to_json(self) -> str:
        """Strict JSON: NaN and infinity as text."""
        return json.dumps(jsonable(self.to_dict()), indent=1, ensure_ascii=False, allow_nan=False)
