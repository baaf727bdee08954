"""Explain one answer of a model, and test whether the explanation can be believed.

    found = explain(model, test, sample=3)
    found.attributions, found.checks

The model, its modes, the loader and all global random numbers are as they were afterwards.
May not: train, print, write files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor, tensors_in
from torchdoctor.errors import BadParts
from torchdoctor.evaluate.answers import Answers, answered, samples_of
from torchdoctor.evaluate.evaluate import class_names
from torchdoctor.evaluate.in_order import in_order
from torchdoctor.evaluate.samples import in_words
from torchdoctor.explain.attribution import METHODS, SIGNED, Attribution, attributed
from torchdoctor.explain.checks import Check, completeness, deletion, randomisation
from torchdoctor.explain.explanation import Explanation
from torchdoctor.explain.seen import seen
from torchdoctor.explain.subject import Subject, convolutions
from torchdoctor.parts import Loader

LIKELIEST = 5
DATA = 500  # samples in which the most exciting patches are looked for
CHECKED = 16  # samples that the checks are made on, the explained one among them


def explain(
    model: nn.Module,
    loader: Loader,
    sample: int = 0,
    *,
    of: Literal["guess", "truth"] = "guess",
    classes: Sequence[str] = (),
    methods: Iterable[str] = tuple(METHODS),
    seed: int = 0,
) -> Explanation:
    """sample: its place in the loader, from 0. of: explain the class that was answered, or the true one.

    methods: of saliency, grad-cam, hires-cam, integrated-gradients, occlusion. seed: of the checks and their samples.
    Raises BadParts for a sample that is not there, inputs that are no decimals, or an unknown method; MissingExtra
    without captum.
    """
    loader = in_order(loader)
    answers = answered(model, loader)
    if answers.kind == "pixels":
        raise BadParts("The model answers for every pixel; wrap it so that it gives the one number to be explained.")
    at = np.flatnonzero(answers.rows == sample)
    if not len(at):
        raise BadParts(f"There is no sample {sample} with a label; they go from 0 to {int(answers.rows.max())}.")
    names = class_names(answers, classes) or tuple(f"output {k}" for k in range(answers.outputs.shape[1]))
    rows = _drawn(len(answers), int(at[0]), seed)
    data = _single(samples_of(answers, loader, rows)[0])
    subject = Subject.of(model, answers.reading, data)
    truths = answers.truth.argmax(1) if answers.kind == "labels" else answers.truth  # the first of the labels it has
    targets = torch.from_numpy(truths[rows] if of == "truth" else answers.outputs[rows].argmax(1)).long()
    if answers.kind == "numbers":
        targets = torch.zeros(len(rows), dtype=torch.long)  # the first output
    x, target = data[:1], targets[:1]

    left_out: dict[str, str] = {}
    attributions: list[Attribution] = []
    checks: list[Check] = []
    few, whose = data[:CHECKED], targets[:CHECKED]
    for method in methods:
        try:
            attributions.append(Attribution(method, attributed(subject, x, target, method)[0], method in SIGNED))
        except BadParts as why:
            if method not in METHODS:
                raise
            left_out[method] = str(why)
            continue
        checks += _checked(subject, few, whose, method, seed)
    layers = seen(subject.model, convolutions(subject.model, x), x, data) if subject.pictures else ()
    if not layers:
        left_out["filters, maps and patches"] = "the model has no convolutions whose maps are larger than one pixel"
    truth, guess = _told(answers, int(at[0]), names)
    return Explanation(
        sample, x[0], subject.baseline[0], truth, guess, names[int(target)], _likeliest(answers, int(at[0]), names),
        tuple(attributions), tuple(checks), layers, left_out,
    )  # fmt: skip


def _checked(subject: Subject, x: Tensor, target: Tensor, method: str, seed: int) -> list[Check]:
    """What each method must stand."""
    made: list[Callable[[], Check]] = []
    if method == "integrated-gradients":
        made.append(lambda: completeness(subject, x, target))
    made += [
        lambda: randomisation(subject, x, target, method, seed),
        lambda: deletion(subject, x, target, method, seed),
    ]
    return [check() for check in made]


def _drawn(count: int, first: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The explained row, then others at random."""
    others = np.random.default_rng(seed).permutation(count)
    return np.concatenate([[first], others[others != first]])[:DATA]


def _single(inputs: object) -> Tensor:
    if len(list(tensors_in(inputs))) != 1:
        raise BadParts("The model takes several inputs; wrap it so that it takes the one that is to be explained.")
    return first_tensor(inputs)


def _told(answers: Answers, row: int, names: Sequence[str]) -> tuple[str, str]:
    """(truth, guess) in words."""
    if answers.kind == "classes":
        return names[int(answers.truth[row])], names[int(answers.guesses[row])]
    return in_words(answers.at(np.array([row])), names)[0]


def _likeliest(answers: Answers, row: int, names: Sequence[str]) -> dict[str, float]:
    if answers.kind == "numbers":
        return {}
    p = 1 / (1 + np.exp(-answers.outputs[row])) if answers.kind == "labels" else answers.probabilities[row]
    return {names[k]: float(p[k]) for k in np.argsort(-p, kind="stable")[:LIKELIEST]}
