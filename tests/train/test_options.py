"""Optimizers, schedules, penalties, clipping and averages do what they say."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.losses.weighted import WeightedSum
from torchdoctor.parts import Parts
from torchdoctor.recipe.names import OPTIMIZERS
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History
from torchdoctor.train.loop import LoopOptions, fit, with_penalty
from torchdoctor.train.schedule import Schedules
from torchdoctor.train.standing import Standing

SMALL = Recipe.from_dict({
    "data": {"limit": 200, "scale": "standard"}, "model": {"name": "mlp", "args": {"hidden": [16]}},
    "train": {"device": "cpu", "threads": 1, "epochs": 4},
})  # fmt: skip


def parts(optimizer=None, *, norm: bool = False, lr: float = 0.1) -> Parts:
    torch.manual_seed(0)
    x = torch.randn(80, 6)
    y = (x[:, 0] > 0).long()
    middle = nn.BatchNorm1d(16) if norm else nn.Tanh()
    model = nn.Sequential(nn.Linear(6, 16), middle, nn.Linear(16, 2))
    made = (optimizer or (lambda p: torch.optim.SGD(p, lr=lr)))(model.parameters())
    return Parts(
        model, nn.CrossEntropyLoss(), made, TensorBatches(x[:64], y[:64], 16, True), TensorBatches(x[64:], y[64:])
    )


def rates(described: Recipe) -> list[float]:
    """Of each step of a run."""
    experiment, seen = described.experiment(), []
    made = experiment.build(0)
    # Before the step: what the optimizer used.
    made.optimizer.register_step_pre_hook(lambda o, *_: seen.append(o.param_groups[0]["lr"]))
    experiment.fit(made, History(described.train.epochs))
    return seen


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_at_its_usual_rate(name):
    epochs = 4 if name == "lbfgs" else 60  # twenty passes a step
    experiment = SMALL.patched({"optimizer": {"name": name}, "train.epochs": epochs}).experiment()
    history = History(epochs)
    experiment.fit(experiment.build(0), history)
    losses = history.numbers["train_loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_nesterov_looks_ahead():
    plain, ahead = (
        SMALL.patched({"optimizer.momentum": 0.9, "optimizer.args": {"nesterov": n}}).experiment()
        for n in (False, True)
    )
    assert ahead.build(0).optimizer.param_groups[0]["nesterov"] and not plain.build(0).optimizer.defaults["nesterov"]


def test_lbfgs_in_the_loop_is_lbfgs_by_hand():
    ours, plain = (parts(lambda p: torch.optim.LBFGS(p, lr=0.5, max_iter=4)) for _ in range(2))
    history = History(3)
    fit(ours, history)
    firsts: list[float] = []
    for _ in range(3):
        for x, y in plain.train:
            losses: list[float] = []

            def closure(x=x, y=y, losses=losses):
                plain.optimizer.zero_grad()
                loss = plain.loss_fn(plain.model(x), y)
                loss.backward()
                losses.append(loss.item())
                return loss

            plain.optimizer.step(closure)
            firsts.append(losses[0])
    assert all(torch.equal(a, b) for a, b in zip(ours.model.parameters(), plain.model.parameters()))
    assert history.numbers["train_loss"] == pytest.approx([sum(firsts[i : i + 4]) / 4 for i in (0, 4, 8)])


def test_lbfgs_in_half_precision_with_scaled_gradients_is_refused():
    with pytest.raises(BadParts, match=r"LBFGS computes its gradients itself.*bf16 or fp32"):
        fit(parts(torch.optim.LBFGS), History(1), LoopOptions(precision="fp16"))


def test_one_cycle_rises_to_the_rate_and_falls_by_the_last_step():
    seen = rates(SMALL.patched({"schedule.name": "one-cycle", "optimizer.lr": 0.5}))
    assert len(seen) == 16 and max(seen) == pytest.approx(0.5, rel=0.05)
    assert seen[0] < 0.05 and seen[-1] < 0.01 and seen.index(max(seen)) in (3, 4)


def test_cosine_by_epochs_and_by_steps():
    by_epoch, by_step = (
        rates(SMALL.patched({"schedule": {"name": "cosine", "per": per}})) for per in ("epoch", "step")
    )
    assert len(set(by_epoch)) == 4 and len(set(by_step)) == 16
    assert by_step[8] == pytest.approx(0.005) and by_epoch[8] == pytest.approx(0.005)


@pytest.mark.parametrize("name", ["none", "cosine", "step", "exponential", "plateau"])
def test_a_warm_up_multiplies_whatever_comes_after(name):
    with_it = rates(SMALL.patched({"schedule": {"name": name, "warmup": 1.5}}))
    without = rates(SMALL.patched({"schedule": {"name": name}}))
    assert [w / r for w, r in zip(with_it, without)][:6] == pytest.approx([0.01 + 0.99 * n / 6 for n in range(6)])
    assert with_it[6:] == pytest.approx(without[6:])


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"schedule": {"name": "cosine", "args": {"T_max": 9}}}, "schedule.args: CosineAnnealingLR is longer"),
        ({"schedule": {"name": "step", "args": {"step_size": 5}}}, "step_size is 5 epochs, and the run has 4"),
        ({"schedule": {"name": "one-cycle", "args": {"total_steps": 99}}}, "total_steps is 99 steps, and the run"),
        ({"schedule": {"warmup": 5}}, "LinearLR is longer than the run: total_iters is 20 steps"),
        ({"schedule": {"name": "one-cycle", "warmup": 1}}, "has a warm-up of its own"),
        ({"schedule": {"name": "plateau", "per": "step"}}, "once an epoch"),
        ({"loss.also": {"cross-entropy": 1.0}}, "that is loss.name already"),
        ({"loss.also_args": {"dice": {}}}, "loss.also has no 'dice'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_run_is_told_with_its_key(patch, said):
    with pytest.raises(BadRecipe) as refused:
        SMALL.patched(patch).experiment().build(0)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"train": {"monitor": "val_accuracy"}}, "train.monitor = 'val_accuracy': must be val_score, val_loss"),
        ({"train": {"ema": 0.9, "swa": 0.5}}, "ema and swa are two ways"),
        ({"train": {"ema": 1.0}}, "train.ema = 1.0: must be less than 1"),
        ({"loss": {"also": {"dyce": 1}}}, "Did you mean 'dice'?"),
    ],
)
def test_a_number_that_is_not_logged_is_no_recipe(values, said):
    with pytest.raises(BadRecipe) as refused:
        Recipe.from_dict(values)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_monitored_must_be_there_and_be_looked_at_in_the_right_direction():
    p = parts()
    blind = Parts(p.model, p.loss_fn, p.optimizer, p.train)
    with pytest.raises(BadParts, match="monitor = 'val_score': there are no validation data"):
        fit(blind, History(1), LoopOptions(monitor="val_score"))
    with pytest.raises(BadParts, match="Did you mean 'val_loss'"):
        fit(p, History(1), LoopOptions(monitor="val_los"))
    plateau = Parts(p.model, p.loss_fn, p.optimizer, p.train, p.val, ReduceLROnPlateau(p.optimizer, mode="min"))
    with pytest.raises(BadParts, match=r"ReduceLROnPlateau\(mode='min'\) goes by val_score, which needs mode='max'"):
        fit(plateau, History(1), LoopOptions(monitor="val_score"))


def test_the_best_epoch_is_by_what_is_monitored():
    at_end: list[Standing] = []
    history = History(6)
    fit(parts(lr=3.0), history, LoopOptions(monitor="val_loss"), on_epoch=at_end.append)
    losses = history.numbers["val_loss"]
    assert at_end[-1].best == -min(losses) and at_end[-1].best_epoch == 1 + losses.index(min(losses))


def test_a_plateau_lowers_the_rate_when_the_score_stands_still():
    described = SMALL.patched({
        "schedule": {"name": "plateau", "args": {"patience": 0, "factor": 0.1}}, "optimizer.lr": 0.0,
        "train.monitor": "val_score", "train.epochs": 3,
    })  # fmt: skip
    built = described.experiment().build(0)
    assert built.scheduler.by_epoch[0].mode == "max"
    fit(built, History(3), LoopOptions(monitor="val_score"))
    assert built.scheduler.by_epoch[0].num_bad_epochs == 0 and built.scheduler.by_epoch[0].last_epoch == 3


def test_penalties_are_of_weights_alone_and_their_gradient_is_theirs():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    zero = torch.zeros((), requires_grad=True)
    with_penalty(zero, model, LoopOptions(l1=0.1, l2=0.01)).backward()
    w = model[0].weight
    assert torch.allclose(w.grad, 0.1 * w.detach().sign() + 0.02 * w.detach())
    assert model[0].bias.grad is None and model[1].weight.grad is None


def test_an_l1_penalty_makes_weights_smaller_and_is_not_in_the_logged_loss():
    plain, held = parts(), parts()
    first, second = History(1), History(20)
    fit(plain, History(20))
    fit(held, second, LoopOptions(l1=0.02))
    sizes = [sum(p.abs().sum().item() for p in m.model.parameters() if p.ndim > 1) for m in (plain, held)]
    assert sizes[1] < 0.7 * sizes[0]
    fit(parts(lr=0.0), first, LoopOptions(l1=1e3))
    assert first.numbers["train_loss"][0] < 2


def test_no_value_of_a_gradient_is_larger_than_clipping_allows():
    p = parts(lr=1.0)
    before = [w.detach().clone() for w in p.model.parameters()]
    fit(Parts(p.model, p.loss_fn, p.optimizer, list(p.train)[:1]), History(1), LoopOptions(clip_value=1e-3))
    moved = max((a - b.detach()).abs().max().item() for a, b in zip(before, p.model.parameters()))
    assert 0.9e-3 < moved <= 1.001e-3


def test_the_shares_of_several_losses_are_in_the_history():
    p = parts()
    both = WeightedSum({"ce": (1.0, nn.CrossEntropyLoss()), "margin": (100.0, nn.MultiMarginLoss())})
    history = History(2)
    fit(Parts(p.model, both, p.optimizer, p.train, p.val), history)
    shares = history.numbers["loss_share_margin"]
    assert len(shares) == 2 and min(shares) > 0.9
    assert [a + b for a, b in zip(shares, history.numbers["loss_share_ce"])] == pytest.approx([1, 1])


def test_an_exponential_average_is_the_recursion_and_is_what_is_scored_and_given_back():
    p, ways = parts(norm=True), []
    history, scored = History(2), []

    def on_step(at: Standing) -> None:
        ways.append({name: t.detach().clone() for name, t in at.parts.model.state_dict().items()})

    def score(model: nn.Module, _loader: object) -> float:
        scored.append({name: t.detach().clone() for name, t in model.state_dict().items()})
        return 0.5

    fit(p, history, LoopOptions(ema=0.9, score=score), on_step=on_step)
    slow = ways[0]
    for n, weights in enumerate(ways[1:], start=1):
        decay = min(0.9, (1 + n) / (10 + n))
        slow = {k: decay * slow[k] + (1 - decay) * w if w.is_floating_point() else w for k, w in weights.items()}
    for given in (p.model.state_dict(), scored[-1]):
        assert all(torch.allclose(slow[name], t, atol=1e-6) for name, t in given.items())
    assert not torch.equal(ways[-1]["0.weight"], p.model[0].weight)


def test_swa_is_the_mean_of_the_last_epochs_with_statistics_of_its_own():
    p, ways = parts(norm=True), []
    fit(p, History(4), LoopOptions(swa=0.5), on_epoch=lambda at: ways.append(copy.deepcopy(at.parts.model)))
    reference = AveragedModel(ways[2])
    for model in ways[2:]:
        reference.update_parameters(model)
    assert torch.allclose(p.model[0].weight, reference.module[0].weight, atol=1e-6)
    x = torch.cat([x for x, _ in p.train])
    with torch.no_grad():
        assert torch.allclose(p.model[1].running_mean, p.model[0](x).mean(0), atol=1e-5)
    assert not torch.allclose(ways[-1][1].running_mean, p.model[1].running_mean)


def test_measuring_the_statistics_of_an_average_changes_no_order_of_the_data():
    with_it, without = parts(norm=True), parts(norm=True)
    steps: list[list[float]] = [[], []]
    for p, options, losses in ((with_it, LoopOptions(swa=0.2), steps[0]), (without, LoopOptions(), steps[1])):
        fit(p, History(4), options, on_step=lambda at, losses=losses: losses.append(at.loss.item()))
    assert steps[0] == steps[1]


def test_two_averages_are_one_too_many():
    with pytest.raises(BadParts, match="choose one"):
        fit(parts(), History(1), LoopOptions(ema=0.9, swa=0.5))


def test_schedules_of_parts_are_stepped_by_their_kind():
    for kind, steps in ((lambda o: OneCycleLR(o, 0.1, total_steps=8), 8), (lambda o: CosineAnnealingLR(o, 2), 2)):
        p = parts()
        scheduler = kind(p.optimizer)
        fit(Parts(p.model, p.loss_fn, p.optimizer, p.train, p.val, scheduler), History(2))
        assert scheduler.last_epoch == steps
    p = parts()
    both = Schedules(p.optimizer, [LinearLR(p.optimizer, 0.5, total_iters=4)], [CosineAnnealingLR(p.optimizer, 2)])
    fit(Parts(p.model, p.loss_fn, p.optimizer, p.train, p.val, both), History(2))
    assert [s.last_epoch for s in (*both.by_step, *both.by_epoch)] == [8, 2]
