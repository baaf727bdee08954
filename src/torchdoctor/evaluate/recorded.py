"""An evaluation as a run of its own: numbers as signals, all of it as JSON, so that the rules can judge it.

    report = recorded(found, "runs/2026-11-20-lenet-evaluation", parent="runs/2026-11-20-lenet")

May not: train, change the run that was evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from torchdoctor.errors import BadRun
from torchdoctor.evaluate.evaluation import SAVED, Evaluation
from torchdoctor.evaluate.interval import Interval
from torchdoctor.judge.trace import WHOLE
from torchdoctor.record.run import Writer

Numbers = Mapping[str, float]  # subject -> value


def recorded(found: Evaluation, folder: str | Path, *, parent: str | Path | None = None, recipe: str | None = None,
             checkpoint: str = "") -> Path:  # fmt: skip
    """Write the run folder; raises BadRun when it holds a run already or cannot be written.

    parent: the run whose model was evaluated, with the checkpoint's name. recipe: its recipe as YAML.
    """
    path = Path(folder)
    writer = Writer(path, recipe)
    for name, numbers in signals_of(found):
        values = {subject: value for subject, value in numbers.items() if math.isfinite(value)}
        if values:
            writer.append(name, tuple(values), np.zeros(1, np.int64), np.array([list(values.values())]))
    facts = {"stage": "evaluation", "parent": None if parent is None else str(parent), "checkpoint": checkpoint,
             "on": found.on, "measure": found.measure, "samples": found.scores[found.on].samples,
             "left_out": dict(found.left_out)}  # fmt: skip
    for name, value in facts.items():
        writer.fact(name, value)
    writer.commit()
    writer.close()
    try:
        (path / SAVED).write_text(found.to_json(), "utf-8")
    except OSError as error:
        raise BadRun(
            f"Cannot write {path / SAVED}: {error.strerror}. Free some space, or choose another folder."
        ) from None
    return path


def signals_of(found: Evaluation) -> Iterator[tuple[str, Numbers]]:
    """(signal, {subject: value}) of everything that rules decide by."""
    for part, got in found.scores.items():
        yield f"{part}_score", {WHOLE: got.score.value}
    yield "score_error", {part: _error(got.score) for part, got in found.scores.items()}
    yield "baseline_score", {c.other: c.score.value for c in found.baselines}
    yield "baseline_error", {c.other: _error(c.score) for c in found.baselines}
    if found.calibration is not None:
        c = found.calibration
        yield "calibration_error", {WHOLE: c.error}
        yield "calibration_noise", {WHOLE: c.noise}
        yield "confidence_gap", {WHOLE: c.gap}
        yield "temperature", {WHOLE: math.nan if c.temperature is None else c.temperature}
    yield "class_count", {c.name: float(c.count) for c in found.by_class}
    yield "class_recall", {c.name: c.recall.value for c in found.by_class}
    yield "class_precision", {c.name: c.precision.value for c in found.by_class}
    yield "confusions", _confusions(found)
    yield "region_overlap", {r.name: r.iou.value for r in found.regions}
    yield from _disturbed(found)
    if found.bottlenecks is not None:
        yield "layer_score", {p.layer: p.score.value for p in found.bottlenecks.probes}
        yield "layer_error", {p.layer: _error(p.score) for p in found.bottlenecks.probes}
        yield "layer_width", {p.layer: float(p.width) for p in found.bottlenecks.probes}
        yield "answer_time", dict(found.bottlenecks.answers)
        yield "layer_time", {t.layer: t.milliseconds / 1000 for t in found.bottlenecks.times}


def _error(interval: Interval) -> float:
    """Half the width of the 95 % interval."""
    return (interval.high - interval.low) / 2


def _confusions(found: Evaluation) -> Numbers:
    """{"7 as 1": samples} of every pair that was mixed up."""
    return {
        f"{found.classes[i]} as {found.classes[j]}": float(count)
        for i, row in enumerate(found.confusion)
        for j, count in enumerate(row)
        if i != j and count
    }


def _disturbed(found: Evaluation) -> Iterator[tuple[str, Numbers]]:
    if found.robustness is None or found.kind != "classes":
        return
    r = found.robustness
    points = {f"{name} {p.degree:.3g}": p.score.value for name, curve in r.curves.items() for p in curve}
    yield "disturbed_score", {"none": r.clean.value, **points}
    yield "attack_test", {test.name: float(test.passed) for test in r.self_tests}
