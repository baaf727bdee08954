"""Stopped anywhere and resumed, every option of training ends bit for bit where one ends that never stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from torchdoctor.errors import BadCheckpoint
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train import checkpoint
from torchdoctor.train.run import train
from torchdoctor.train.standing import Standing

RECIPE = Recipe.from_dict({
    "data": {"limit": 120, "scale": "standard", "batch_size": 16},
    "model": {"name": "mlp", "args": {"hidden": [12]}, "normalization": "batch"},
    "optimizer": {"lr": 0.05, "momentum": 0.9}, "train": {"epochs": 4, "device": "cpu", "threads": 1},
})  # fmt: skip
OPTIONS = {
    "plain": {},
    "dropout": {"model.args.dropout": 0.3},
    "cosine by steps, warm-up": {"schedule": {"name": "cosine", "per": "step", "warmup": 1.3}},
    "one-cycle": {"schedule.name": "one-cycle"},
    "plateau": {"schedule": {"name": "plateau", "args": {"patience": 0}}, "train.monitor": "val_score"},
    "ema": {"train.ema": 0.9},
    "ema, patience": {"train.ema": 0.9, "train.patience": 3},
    "swa": {"train.swa": 0.3},
    "accumulation": {"train.accumulate": 3, "train.clip_norm": 0.5, "train.clip_value": 0.1},
    "lbfgs": {"optimizer": {"name": "lbfgs", "args": {"max_iter": 3}}, "model.normalization": None},
    "adamw, bf16": {"optimizer": {"name": "adamw"}, "train.precision": "bf16"},
    "fp16": {"train.precision": "fp16"},
    "several losses, l1": {"loss.also": {"multi-margin": 0.5}, "loss.l1": 1e-4},
}


class Stop(BaseException):
    """As Ctrl-C would."""


@pytest.mark.parametrize("stop_at", [9, 16], ids=["in the middle of an epoch", "at the end of one"])
@pytest.mark.parametrize("name", OPTIONS)
def test_half_and_resume_and_half_is_bit_for_bit_the_whole(tmp_path: Path, name: str, stop_at: int):
    recipe = RECIPE.patched(OPTIONS[name])
    whole = train(recipe, tmp_path / "whole")
    stop_at = -(-stop_at // recipe.train.accumulate)

    def stop(at: Standing) -> None:
        if at.step == stop_at + 1:
            raise Stop

    with pytest.raises(Stop):
        train(recipe, tmp_path / "half", on_step=stop, checkpoint_steps=stop_at)
    torch.rand(7)  # nothing that happens before must matter
    rest = train(recipe, tmp_path / "rest", resume=tmp_path / "half")
    for one, other in zip(whole.model.state_dict().values(), rest.model.state_dict().values()):
        assert torch.equal(one, other)
    first = whole.history.epochs - rest.history.epochs
    assert 0 < rest.history.epochs < 4
    assert {k: v[first:] for k, v in whole.history.items()} == dict(rest.history)
    for kept in ("last", "best"):
        states = [checkpoint.load(tmp_path / run / kept, whole.model) for run in ("whole", "rest")]
        assert states[0]["epoch"] == states[1]["epoch"] or kept == "best"


def test_the_weights_of_a_checkpoint_are_the_averaged_ones_and_the_live_ones_are_beside_them(tmp_path: Path):
    run = train(RECIPE.patched({"train.ema": 0.9}), tmp_path / "run")
    twin = RECIPE.experiment().build(5).model
    state = checkpoint.load(tmp_path / "run" / "last", twin)
    assert all(torch.equal(a, b) for a, b in zip(twin.state_dict().values(), run.model.state_dict().values()))
    live = state["average"]["weights"]["fc1.weight"]
    assert state["average"]["averaged"] == state["step"] and not torch.equal(live, twin.fc1.weight)


def test_a_run_that_averages_is_not_resumed_from_one_that_does_not(tmp_path: Path):
    train(RECIPE.patched({"train.epochs": 1}), tmp_path / "run")
    with pytest.raises(BadCheckpoint, match=r"one averages weights \(train.ema, train.swa\), and the other does not"):
        train(RECIPE.patched({"train.ema": 0.9}), tmp_path / "more", resume=tmp_path / "run")
    assert not (tmp_path / "more").exists()


def test_patience_outlasts_a_temporary_rise_of_the_monitored_loss(tmp_path: Path):
    losses: list[float] = []

    def shake(at: Standing) -> None:
        """After the third epoch the weights are knocked off their way, once."""
        losses.append(at.numbers["val_loss"])
        if at.epoch == 3:
            for p in at.parts.model.parameters():
                p.data.add_(0.4 * torch.randn(p.shape, generator=torch.Generator().manual_seed(0)))

    recipe = RECIPE.patched({"train": {"epochs": 30, "patience": 6, "monitor": "val_loss", "device": "cpu"}})
    run = train(recipe, tmp_path / "run", on_epoch=shake)
    assert losses[3] > 1.2 * losses[2], "the knock is seen"
    best = losses.index(min(losses))
    assert best > 4, "and training went on until it was better than before"
    assert run.history.epochs in (30, best + 1 + 6)
