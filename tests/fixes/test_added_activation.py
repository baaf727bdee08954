"""A recipe without hidden activations gets them by its own setting or by surgery, with the same result."""

from __future__ import annotations

import torch
from test_agreement import answers, both

from torchdoctor.judge.finding import Remedy


def test_patch_and_surgery_train_to_the_same_answers() -> None:
    patched, operated = both({"model.activation": "identity"}, Remedy("add-hidden-activation"))

    assert torch.allclose(answers(patched), answers(operated), rtol=1e-3, atol=1e-4)
