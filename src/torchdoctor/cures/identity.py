"""Whose arms these are: a digest of what build() gives, so that no cure goes on with the arms of another experiment.

May not: train, judge, print.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from torchdoctor.parts import Parts


def identity(parts: Parts, epochs: int) -> str:
    """16 characters: of the weights and buffers to the bit, the optimizer's kind and settings, the length, and torch's
    version. Data and loops are not looked at: the one may be large, and the other's source may lie anywhere."""
    digest = hashlib.sha256(f"{torch.__version__} {epochs} {type(parts.optimizer).__qualname__}".encode())
    for group in parts.optimizer.param_groups:
        digest.update(repr(sorted((k, repr(v)) for k, v in group.items() if k != "params")).encode())
    for name, value in parts.model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, Tensor):
            digest.update(_bytes(value))
    return digest.hexdigest()[:16]


def _bytes(tensor: Tensor) -> bytes:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
