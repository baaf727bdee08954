"""A fix as a recipe patch and as surgery on live parts: the same network comes out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.data.batch import batches_of
from torchdoctor.discover import discover
from torchdoctor.experiment import Experiment
from torchdoctor.fixes.fix import Fix, resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit
from torchdoctor.train.score import evaluating, score

DIGITS: dict[str, Any] = {
    "data": {"name": "digits", "limit": 192, "batch_size": 32},
    "model": {"name": "mlp"},
    "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
    "train": {"epochs": 1, "device": "cpu"},
}


def both(changes: dict[str, Any], remedy: Remedy) -> tuple[Experiment, Experiment]:
    """The recipe with the fix as a patch, and with the fix as surgery."""
    recipe = Recipe.from_dict(DIGITS).patched(changes)
    fix = resolve(remedy)
    assert fix.patch is not None
    patched = recipe.patched(fix.patch(recipe.to_dict(), **remedy.options)).experiment()
    return patched, fix.on(recipe.experiment(), **remedy.options)


def answers(experiment: Experiment) -> Tensor:
    """What the trained network says of its validation data, the same seed each time."""
    parts = experiment.build(3)
    (experiment.fit or fit)(parts, History(experiment.epochs))
    assert parts.val is not None
    with evaluating(parts.model):
        return torch.cat([parts.model(*b.inputs) for b in batches_of(parts.val, "val")])


EXACT: dict[str, tuple[dict[str, Any], Remedy]] = {
    "inputs": ({}, Remedy("standardize-inputs")),
    "inputs, by given numbers": ({}, Remedy("standardize-inputs", {"mean": 5.0, "std": 6.0})),
    "softmax": ({"model.output": "softmax"}, Remedy("remove-output-activation")),
    "relu": ({"model.output": "relu"}, Remedy("use-linear-output")),
    "log-softmax": ({"loss.name": "nll"}, Remedy("add-log-softmax")),
    "logits": ({"loss.name": "nll", "data.scale": "unit"}, Remedy("use-logits-loss")),
    "sigmoid for softmax": ({"model.output": "softmax"}, Remedy("use-sigmoid-output")),
    "hidden": ({"model.activation": "sigmoid"}, Remedy("replace-activation", {"to": "relu"})),
    "rate": ({}, Remedy("set-learning-rate", {"lr": 0.01})),
    "rate by a factor": ({}, Remedy("set-learning-rate", {"factor": 0.1})),
    "rate of a schedule": ({"schedule.name": "cosine"}, Remedy("set-learning-rate", {"factor": 0.1})),
    "clipping": ({}, Remedy("clip-gradients", {"max_norm": 0.1})),
    "decay": ({}, Remedy("add-weight-decay", {"weight_decay": 0.1})),
    "adam": ({}, Remedy("use-adam")),
    "frozen": ({"model.freeze": ["fc1"]}, Remedy("unfreeze")),
    "adam on a schedule": ({"schedule.name": "exponential"}, Remedy("use-adam")),
    "epochs": ({}, Remedy("more-epochs", {"factor": 3})),
    "no schedule": ({"schedule.name": "exponential", "train.epochs": 3}, Remedy("drop-schedule")),
    "looser clipping": ({"train.clip_norm": 1e-3}, Remedy("loosen-clipping", {"max_norm": 2.0})),
    "bfloat16": ({"train.precision": "fp16"}, Remedy("use-bfloat16")),
    "shuffling": ({"data.shuffle": False}, Remedy("shuffle-training")),
    "batches": ({}, Remedy("set-batch-size", {"batch_size": 16})),
    "less dropout": ({"model.dropout": 0.8}, Remedy("weaken-dropout")),
    "no decay": ({"optimizer.weight_decay": 0.3}, Remedy("remove-weight-decay")),
    "classes of one weight": ({}, Remedy("balance-classes")),
    "classes drawn equally": ({}, Remedy("draw-classes-equally")),
    "annealing": ({"train.epochs": 3}, Remedy("anneal-rate")),
    "annealing in the place of steps": (
        {"schedule.name": "step", "train.epochs": 3, "optimizer.lr": 0.02},
        Remedy("anneal-rate"),
    ),
    "no penalty": ({"loss.l2": 0.3}, Remedy("drop-penalty")),
    "stopping": ({"train.epochs": 8, "optimizer.lr": 0.5}, Remedy("stop-early", {"patience": 1})),
}


@pytest.mark.parametrize(("changes", "remedy"), EXACT.values(), ids=EXACT.keys())
def test_patch_and_surgery_train_to_the_same_answers(changes: dict[str, Any], remedy: Remedy) -> None:
    patched, operated = both(changes, remedy)

    assert torch.allclose(answers(patched), answers(operated), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", EXACT)
def test_and_neither_leaves_things_as_they_were(name: str) -> None:
    changes, remedy = EXACT[name]
    before = Recipe.from_dict(DIGITS).patched(changes).experiment()

    assert not torch.allclose(answers(before), answers(both(changes, remedy)[0]), rtol=1e-3, atol=1e-4)


def numbers(seed: int) -> tuple[Tensor, Tensor]:
    """A regression task for a recipe, with targets of a size that plain steps blow up on."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(300, 4, generator=g)
    return x, 5000 + 300 * (x[:, :1] - x[:, 1:2])


def test_scaled_targets_score_alike_and_surgery_answers_in_the_units_of_the_data() -> None:
    changes = {
        "data.name": f"{__name__}:numbers", "data.limit": None, "loss.name": "mse", "optimizer.lr": 0.02,
        "train.epochs": 5,
    }  # fmt: skip
    patched, operated = both(changes, Remedy("standardize-targets"))
    scores = []
    for experiment in (patched, operated):
        parts = experiment.build(0)
        assert experiment.fit is not None and parts.val is not None
        experiment.fit(parts, History(experiment.epochs))
        scores.append(score(parts.model, parts.val))

    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert scores[1] > 0.9
    assert answers(operated).mean() == pytest.approx(5000, rel=0.05)


@pytest.mark.parametrize("scheme", ["default", "he", "xavier"])
def test_weights_drawn_anew_have_the_same_spread_either_way(scheme: str) -> None:
    """Not the same weights: surgery draws after the first weights were drawn."""
    changes = {"model.init": "zeros", "model.args": {"hidden": [256, 256]}}
    patched, operated = (e.build(0).model for e in both(changes, Remedy("reinitialize", {"scheme": scheme})))
    for one, other in zip(patched.parameters(), operated.parameters()):
        assert one.std().item() == pytest.approx(other.std().item(), rel=0.15, abs=0.02)


def test_normalised_layers_have_as_many_parameters_either_way() -> None:
    patched, operated = (e.build(0).model for e in both({}, Remedy("normalize-layers")))

    assert sum(isinstance(m, nn.BatchNorm1d) for m in patched.modules()) == sum(
        isinstance(m, nn.BatchNorm1d) for m in operated.modules()
    )
    assert sum(p.numel() for p in patched.parameters()) == sum(p.numel() for p in operated.parameters())


def test_a_recipe_is_all_a_patch_needs() -> None:
    """Every patch of every fix is one that the schema takes, and changes something in a recipe that has all faults."""
    faults = {
        "model.name": "lenet5",
        "model.output": "softmax",
        "model.init": "zeros",
        "loss.name": "bce",
        "model.activation": "sigmoid",
        "model.freeze": ["conv1"],
        "schedule.name": "cosine",
        "data.batch_size": 512,
        "data.shuffle": False,
        "model.dropout": 0.9,
        "optimizer.weight_decay": 1.0,
        "train.clip_norm": 1e-9,
        "train.precision": "fp16",
        "loss.l1": 1.0,
        "data.features": [{"one-hot": {}}],
    }
    recipe = Recipe.from_dict(DIGITS).patched(faults)
    for fix in discover("fixes", Fix).values():
        options = {"factor": 3.0} if "factor" in fix.options else {}
        if fix.patch is not None:
            assert recipe.patched(fix.patch(recipe.to_dict(), **options)).to_dict() != recipe.to_dict(), fix.name
