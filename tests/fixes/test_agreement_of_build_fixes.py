"""Fixes of the build, as a recipe patch and as surgery on live parts: the same network comes out."""

from __future__ import annotations

import torch
from test_agreement import answers, both

from torchdoctor.judge.finding import Remedy


def test_hidden_activations_come_out_alike_either_way() -> None:
    patched, operated = both({"model.activation": "identity"}, Remedy("add-hidden-activation"))

    assert torch.allclose(answers(patched), answers(operated), rtol=1e-3, atol=1e-4)


def test_a_mean_for_a_sum_comes_out_alike_either_way() -> None:
    summed = {"loss.args": {"reduction": "sum"}, "optimizer.lr": 1e-3}
    patched, operated = both(summed, Remedy("average-loss"))

    assert torch.allclose(answers(patched), answers(operated), rtol=1e-3, atol=1e-4)
