"""The bias of the last layer, so that an untrained network already says how frequent each class is.

Lin, Goyal, Girshick, He, Dollar, Focal loss for dense object detection, arXiv:1708.02002, section 4.1; Karpathy, A
recipe for training neural networks (2019): without it the first steps go into learning the base rates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models.init import Dense

RARE = 0.5  # samples that a class without any is counted as, since log 0 is no bias


def set_output_bias(model: nn.Module, bias: Tensor | float) -> None:
    """Write the bias of the last layer, in place. bias: (outputs,), or one number for all.

    Raises BadParts when the last layer has no bias or another number of outputs.
    """
    name, last = output_layer(model)
    own, wanted = last.bias, 1 if isinstance(bias, float) else bias.numel()
    if own is None or (wanted > 1 and own.numel() != wanted):
        has = "no bias" if own is None else f"{own.numel()} outputs"
        raise BadParts(f"Layer {name!r} has {has}, but the targets ask for {wanted}. Set its bias in the model's code.")
    with torch.no_grad():
        own.copy_(torch.as_tensor(bias))


def output_layer(model: nn.Module) -> tuple[str, Dense]:
    """The name and the module of the last layer. Raises BadParts when there is none."""
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, Dense)]
    if not layers:
        raise BadParts("The model has no dense or convolutional layer, so there is no output bias to set.")
    return layers[-1]


def prior(targets: Tensor, outputs: int) -> Tensor:
    """The bias (outputs,) at which a network that ignores its inputs does best.

    targets: class numbers (N,) give log shares, 0/1 columns (N, C) their log odds, other numbers their means.
    """
    if not targets.is_floating_point():
        counts = torch.bincount(targets[targets >= 0], minlength=outputs).double()
        return (counts.clamp(min=RARE) / counts.sum()).log()
    columns = targets.reshape(len(targets), -1).double()
    mean = columns.mean(0)
    if bool(((columns == 0) | (columns == 1)).all()):
        edge = RARE / len(columns)
        return torch.logit(mean.clamp(edge, 1 - edge))
    return mean
