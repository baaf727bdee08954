"""Evaluate a model on samples it was not trained on.

    found = evaluate(model, test, train=train, val=val)
    found.scores["test"].score          # 0.981 [0.949, 0.993]

The model, its modes, the loaders' order and all global random numbers are as they were afterwards.
May not: train the model, print, write files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor, mapped, tensors_in
from torchdoctor.errors import BadParts, MissingExtra
from torchdoctor.evaluate import labels, pixels
from torchdoctor.evaluate.answers import Answers, Column, answered, picked, samples_of
from torchdoctor.evaluate.baselines import baselines
from torchdoctor.evaluate.bottlenecks import Bottlenecks, bottlenecks
from torchdoctor.evaluate.calibration import calibration
from torchdoctor.evaluate.classes import averages, class_scores, confusion, curves
from torchdoctor.evaluate.compare import Comparison, compared_hits, compared_numbers, compared_shares, explained
from torchdoctor.evaluate.evaluation import Evaluation, PartScore
from torchdoctor.evaluate.in_order import in_order
from torchdoctor.evaluate.interval import Interval, bootstrap, wilson
from torchdoctor.evaluate.layer_probes import FIT, SCORED
from torchdoctor.evaluate.numbers import residuals
from torchdoctor.evaluate.options import DEFAULTS, EvaluateOptions
from torchdoctor.evaluate.robustness.robustness import Robustness, robustness
from torchdoctor.evaluate.samples import hard, suspects, worst
from torchdoctor.evaluate.slices import sliced
from torchdoctor.evaluate.threshold import thresholds
from torchdoctor.parts import Loader
from torchdoctor.train.score import area_under_curve

Given = Mapping[str, Loader]  # {part: loader}


def evaluate(
    model: nn.Module,
    loader: Loader,
    *,
    train: Loader | None = None,
    val: Loader | None = None,
    on: str = "test",
    loss_fn: Callable[[Any, Any], Tensor] | None = None,
    classes: Sequence[str] = (),
    slices: Mapping[str, Column] | None = None,
    against: tuple[str, nn.Module] | None = None,
    options: EvaluateOptions = DEFAULTS,
) -> Evaluation:
    """Everything about the answers to `loader`, in one pass over it and one over each other part.

    train, val: the other parts, for their scores; training also for baselines and probes, validation for temperature
    scaling. on: what `loader` is ("test", "val", "train"). classes: their names, in order. slices: {name: function of a
    batch's (inputs, target) that gives one value per sample}. against: (name, another model for the same inputs).

    Raises BadParts when there is not one answer per sample, or a loader cannot be read.
    """
    parts = {k: in_order(v) for k, v in (("train", train), ("val", val)) if v is not None and k != on}
    parts[on] = loader = in_order(loader)
    columns = {**({"brightness": brightness} if _pictures(loader) else {}), **(slices or {})}
    given = {
        part: answered(model, this, part, loss_fn=loss_fn, columns=columns if part == on else None)
        for part, this in parts.items()
    }
    answers = given[on]
    names = class_names(answers, classes)
    found = Evaluation(
        answers.kind,
        measure_of(answers),
        on,
        {part: PartScore(len(a), score_of(a, options.seed), a.loss) for part, a in given.items()},
        names,
        slices=sliced(answers, names, options.seed),
        worst=worst(answers, names, options.worst),
        hard=hard(answers, names, options.worst),
    )
    found = _of_its_kind(found, given, options)
    if against is not None:
        found = replace(found, against=_against(against, answers, loader, options.seed))
    return _further(found, model, parts, given, options)


def brightness(inputs: tuple[Any, ...], target: Any) -> Tensor:
    """The mean of each picture, in the unit of the inputs."""
    return first_tensor(inputs).flatten(1).mean(1)


def measure_of(answers: Answers) -> str:
    """What a score is, as training has it."""
    if answers.kind == "numbers":
        return "R2"
    if answers.kind == "pixels":
        return "pixel accuracy"
    if answers.kind == "labels":
        return "mean area under the ROC curve"
    return "area under the ROC curve" if answers.reading.single else "accuracy"


def score_of(answers: Answers, seed: int = 0) -> Interval:
    """The score that training reports, with its interval: Wilson's of accuracy, else by bootstrap."""
    if answers.kind == "numbers":
        return bootstrap(explained, (answers.truth, answers.outputs), seed)
    if answers.kind == "pixels":
        return bootstrap(pixels.accuracy, (answers.outputs,), seed, times=pixels.TIMES)
    if answers.kind == "labels":
        return bootstrap(labels.mean_area, (answers.log_odds, answers.truth), seed, times=labels.TIMES)
    if answers.reading.single:
        return bootstrap(area_under_curve, (answers.log_odds[:, 1], answers.truth), seed, times=400)
    return wilson(int(answers.right.sum()), len(answers))


def class_names(answers: Answers, given: Sequence[str] = ()) -> tuple[str, ...]:
    """One name per class; the numbers where none are given. Raises BadParts when there are too few."""
    if answers.kind == "numbers":
        return ()
    count = answers.outputs.shape[-1]
    if given and len(given) < count:
        raise BadParts(f"{len(given)} class names for {count} outputs; give one per class, in order.")
    return tuple(map(str, given[:count])) if given else tuple(map(str, range(count)))


def _of_its_kind(found: Evaluation, given: Mapping[str, Answers], options: EvaluateOptions) -> Evaluation:
    """What only classes have, or only labels, pixels or numbers."""
    answers = given[found.on]
    if answers.kind == "numbers":
        return replace(found, residuals=residuals(answers, options.seed))
    fitted_on = given.get("val") if found.on != "val" else None
    if fitted_on is not None and fitted_on.kind == answers.kind:
        found = replace(found, thresholds=thresholds(answers, fitted_on, found.classes, options.seed))
    if answers.kind == "labels":
        scores, drawn = labels.label_scores(answers, found.classes), labels.label_curves(answers, found.classes)
        return replace(found, by_class=scores, curves=drawn, averages=labels.averages(answers, options.seed))
    if answers.kind == "pixels":
        overlap = pixels.regions(answers.outputs, found.classes, options.seed)
        return replace(found, regions=overlap, averages=pixels.averages(answers.outputs, options.seed))
    matrix = confusion(answers, len(found.classes))
    calibrated = calibration(answers, fitted_on, options.bins, options.seed)
    why = "validation holds no mistake" if fitted_on is not None else "it is fitted on validation, which is not there"
    return replace(
        found,
        by_class=class_scores(matrix, found.classes),
        averages=averages(matrix, options.seed),
        confusion=tuple(tuple(map(int, row)) for row in matrix),
        curves=curves(answers, found.classes),
        calibration=calibrated,
        left_out={} if calibrated.temperature is not None else {"temperature scaling": why},
    )


def _further(
    found: Evaluation, model: nn.Module, parts: Given, given: Mapping[str, Answers], options: EvaluateOptions
) -> Evaluation:
    """Baselines, label suspects, robustness and bottlenecks; what is left out is said."""
    left_out = dict(found.left_out)
    made: dict[str, Any] = {}
    for name, make in (
        ("baselines", _baselines), ("suspects", _suspects), ("robustness", _robustness), ("bottlenecks", _bottlenecks)
    ):  # fmt: skip
        if not getattr(options, name):
            left_out[name] = "not asked for"
            continue
        try:
            made |= make(found, model, parts, given, options)
        except (BadParts, MissingExtra) as why:
            left_out[name] = str(why)
    return replace(found, **made, left_out=left_out)


def _baselines(found: Evaluation, _: nn.Module, parts: Given, given: Mapping[str, Answers], o: EvaluateOptions) -> Any:
    _one_answer(found)
    if found.on == "train" or "train" not in parts:
        raise BadParts("they need training samples beside others to be scored on")
    of = (given[found.on], parts[found.on], given["train"], parts["train"])
    return {"baselines": baselines(*of, seed=o.seed)}


def _suspects(found: Evaluation, _: nn.Module, parts: Given, given: Mapping[str, Answers], o: EvaluateOptions) -> Any:
    if found.kind != "classes":
        raise BadParts(f"the targets are {found.kind}, not one class each")
    if found.on == "train":
        raise BadParts("a model does not doubt what it was trained on; evaluate on val or test")
    samples, count = suspects(given[found.on], found.classes, o.worst)
    return {"suspects": samples, "suspect_count": count}


def _robustness(
    found: Evaluation, model: nn.Module, parts: Given, given: Mapping[str, Answers], o: EvaluateOptions
) -> dict[str, Robustness]:
    _one_answer(found)
    answers = given[found.on]
    rows = _rows(len(answers), o.attacked, o.seed)
    inputs, target = samples_of(answers, parts[found.on], rows)
    if len(list(tensors_in(inputs))) != 1 or not first_tensor(inputs).is_floating_point():
        raise BadParts("the inputs are not one tensor of decimals, which could be disturbed")
    return {"robustness": robustness(model, first_tensor(inputs), first_tensor(target), answers.reading, seed=o.seed)}


def _bottlenecks(
    found: Evaluation, model: nn.Module, parts: Given, given: Mapping[str, Answers], o: EvaluateOptions
) -> dict[str, Bottlenecks]:
    answers = given[found.on]
    rows = _rows(len(answers), SCORED, o.seed)
    scored = (picked(parts[found.on], answers.rows[rows])[0], answers.truth[rows])
    if found.kind == "classes":
        scored = (samples_of(answers, parts[found.on], rows)[0], answers.truth[rows])
    timed = mapped(scored[0], lambda t: t[:64])
    fit = None
    if found.kind == "classes" and "train" in given and found.on != "train":
        trained = given["train"]
        chosen = _rows(len(trained), FIT, o.seed)
        fit = (samples_of(trained, parts["train"], chosen, "train")[0], trained.truth[chosen])
        fit = None if len(np.unique(fit[1])) < 2 else fit
    return {"bottlenecks": bottlenecks(model, timed, fit, scored, o.seed)}


def _against(against: tuple[str, nn.Module], answers: Answers, loader: Loader, seed: int) -> Comparison:
    name, model = against
    other = answered(model, loader, f"the samples for {name}")
    if other.kind != answers.kind or len(other) != len(answers) or (other.truth != answers.truth).any():
        raise BadParts(f"{name} does not answer the same question: its outputs are read as {other.reading.means}.")
    if answers.kind == "classes":
        return compared_hits(name, answers.right, other.right, seed=seed)
    if answers.kind != "numbers":
        return compared_shares(name, answers.right_share, other.right_share, seed=seed)
    return compared_numbers(name, answers.truth, answers.outputs, other.outputs, seed=seed)


def _one_answer(found: Evaluation) -> None:
    """Raises BadParts for answers to several questions about one sample."""
    if found.kind not in ("classes", "numbers"):
        raise BadParts(f"the answers are {found.kind}, not one answer per sample")


def _rows(count: int, most: int, seed: int) -> Any:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def _pictures(loader: Loader) -> bool:
    """Are the first inputs of the first batch (N, C, H, W)?"""
    for raw in loader:
        first = next(tensors_in(raw), None)
        return first is not None and first.ndim == 4 and first.is_floating_point()
    return False
