"""The layer that loses information is named, and so is the slow one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from steady import Hand
from torch import nn

from torchdoctor.evaluate import layer_times as module
from torchdoctor.evaluate.bottlenecks import bottlenecks
from torchdoctor.evaluate.layer_probes import features_of, layer_probes
from torchdoctor.evaluate.layer_times import layer_times


def clusters(n, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, 4, n)
    centres = np.random.default_rng(9).normal(0, 3, (4, 8))
    return (torch.from_numpy(centres[y] + random.normal(size=(n, 8))).float(),), y


def net(width, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, width), nn.ReLU(), nn.Linear(width, 4))


def test_a_narrow_layer_is_where_information_is_lost():
    model = net(1)
    found = bottlenecks(model, clusters(8)[0], clusters(300), clusters(400, 1))
    assert found.falls_at[0] == "2" and found.full_at == "input"
    scores = {p.layer: p.score.value for p in found.probes}
    assert scores["input"] > 0.95 > 0.75 > scores["2"]
    wide = bottlenecks(net(32), clusters(8)[0], clusters(300), clusters(400, 1))
    assert "2" not in wide.falls_at


def test_features_are_the_layers_outputs_in_eval_mode_and_hooks_are_gone():
    model = nn.Sequential(nn.Linear(8, 6), nn.Dropout(0.5), nn.Linear(6, 2)).train()
    inputs, _ = clusters(5)
    found = features_of(model, inputs)
    assert list(found) == ["input", "0", "1", "2"] and model.training
    assert np.allclose(found["1"], model[0](inputs[0]).detach().numpy(), atol=1e-6)
    assert not any(m._forward_hooks for m in model.modules())


def test_probes_repeat_themselves_and_leave_global_random_numbers_alone():
    model, state = net(600), np.random.get_state()[1].copy()  # noqa: NPY002 - the global generator is what is looked at
    one, two = (layer_probes(model, clusters(100), clusters(100, 1)) for _ in range(2))
    assert one == two and (np.random.get_state()[1] == state).all()  # noqa: NPY002


class Slow(nn.Module):
    def __init__(self, hand):
        super().__init__()
        self.hand = hand

    def forward(self, x):
        self.hand.passes(0.004)
        return x


def test_the_slow_layer_has_the_largest_share_and_shares_add_up(monkeypatch):
    hand = Hand()
    monkeypatch.setattr(module, "perf_counter", hand)
    twice = nn.Sequential(nn.Linear(8, 8), Slow(hand), nn.Linear(8, 8))
    times = layer_times(nn.Sequential(twice, nn.ReLU(), twice), clusters(4)[0])
    assert sum(t.share for t in times) == 1 or abs(sum(t.share for t in times) - 1) < 1e-9
    slow = max(times, key=lambda t: t.share)
    assert (
        slow.layer == "0.1" and slow.type == "Slow" and slow.milliseconds == pytest.approx(8, rel=0.01)
    )  # it runs twice a pass
