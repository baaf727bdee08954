"""Initial weights by name.

he: variance 2/fan_in, for the ReLU family (arXiv:1502.01852). xavier: 2/(fan_in + fan_out), for tanh and sigmoid
(Glorot and Bengio 2010). lecun: 1/fan_in, for SELU (arXiv:1706.02515). orthogonal: arXiv:1312.6120. default: torch's.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.models.names import INITS

DENSE = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_GAINS = {"leaky-relu": "leaky_relu", "tanh": "tanh", "sigmoid": "sigmoid", "selu": "selu", "identity": "linear"}


def initialize(model: nn.Module, scheme: str, activation: str = "relu") -> None:
    """Draw the weights of all dense and convolutional layers anew, in place; biases become zero.

    activation: what follows the layers, by its name in recipes; it sets the gain. "default" leaves all as it is.
    """
    if scheme not in INITS:
        raise BadParts(f"There is no initialisation {scheme!r}. {did_you_mean(scheme, INITS)}")
    if scheme == "default":
        return
    for module in model.modules():
        if isinstance(module, DENSE):
            _draw(module.weight, scheme, activation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _draw(weight: Tensor, scheme: str, activation: str) -> None:
    kind = _GAINS.get(activation, "relu")  # GELU, SiLU and ELU pass about as much as ReLU
    if scheme == "he":
        nn.init.kaiming_normal_(weight, nonlinearity=kind)  # type: ignore[arg-type]
    elif scheme == "xavier":
        nn.init.xavier_uniform_(weight, gain=nn.init.calculate_gain(kind))  # type: ignore[arg-type]
    elif scheme == "lecun":
        nn.init.normal_(weight, std=1 / math.sqrt(weight[0].numel()))
    elif scheme == "orthogonal":
        nn.init.orthogonal_(weight, gain=nn.init.calculate_gain(kind))  # type: ignore[arg-type]
    else:
        nn.init.zeros_(weight)
