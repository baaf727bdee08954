"""Initial weights by name, with the gain of the activation behind them.

he: variance gain^2/fan_in, for the ReLU family (arXiv:1502.01852). xavier: 2 gain^2/(fan_in + fan_out), for tanh and
sigmoid (Glorot and Bengio 2010). lecun: 1/fan_in, for SELU (arXiv:1706.02515). orthogonal: arXiv:1312.6120.
truncated-normal: the variance of he, with no weight further out than two standard deviations of the uncut normal.
matched: the one of these that suits the activation, and for the last layer, behind which there is none, a gain of 1:
outputs of unit variance put the first loss near that of guessing. default: torch's.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.models.names import ACTIVATIONS, INITS

Dense = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
KEPT = 0.87962566103423978  # standard deviation of a standard normal that was cut at -2 and 2
# What a layer's weights are multiplied by so that its outputs are as large as its inputs. Of the first seven as torch
# has them; of the others 1/sqrt(E f(z)^2) for a standard normal z, as He and others derive it for ReLU.
_TORCH = {"relu": "relu", "leaky-relu": "leaky_relu", "selu": "selu", "tanh": "tanh", "sigmoid": "sigmoid"}
_OTHERS = {"identity": 1.0, "prelu": math.sqrt(2 / (1 + 0.25**2)), "elu": 1.2452, "gelu": 1.5336, "silu": 1.6766}
_SUITS = {"selu": "lecun", "tanh": "xavier", "sigmoid": "xavier", "identity": "xavier"}  # he for all others


def initialize(model: nn.Module, scheme: str, activation: str = "relu") -> None:
    """Draw the weights of all dense and convolutional layers anew, in place; biases become zero.

    activation: what follows the layers, by its name in recipes; it sets the gain. "default" leaves all as it is.
    Raises BadParts for a scheme or an activation that is not there.
    """
    if scheme not in INITS:
        raise BadParts(f"There is no initialisation {scheme!r}. {did_you_mean(scheme, INITS)}")
    factor = gain(activation)
    if scheme == "default":
        return
    layers = [module for module in model.modules() if isinstance(module, Dense)]
    for layer in layers:
        which = _SUITS.get(activation, "he") if scheme == "matched" else scheme
        if scheme == "matched" and layer is layers[-1]:
            which = "lecun"
        _draw(layer.weight, which, factor, getattr(layer, "groups", 1))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def gain(activation: str) -> float:
    """What keeps the size of the signal through a layer with this activation behind it. Raises BadParts."""
    if activation not in ACTIVATIONS:
        raise BadParts(f"There is no activation {activation!r}. {did_you_mean(activation, ACTIVATIONS)}")
    if activation in _TORCH:
        return float(nn.init.calculate_gain(_TORCH[activation]))  # type: ignore[arg-type]
    return _OTHERS[activation]


def _draw(weight: Tensor, scheme: str, gain: float, groups: int) -> None:
    fan_in = weight[0].numel()
    if scheme == "he":
        nn.init.normal_(weight, std=gain / math.sqrt(fan_in))
    elif scheme == "truncated-normal":
        std = gain / math.sqrt(fan_in) / KEPT
        nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
    elif scheme == "xavier":
        # As torch's xavier_uniform_, which takes no account of groups and draws depthwise filters next to zero.
        fan_out = len(weight) // groups * weight[0, 0].numel()
        bound = gain * math.sqrt(6 / (fan_in + fan_out))
        nn.init.uniform_(weight, -bound, bound)
    elif scheme == "lecun":
        nn.init.normal_(weight, std=1 / math.sqrt(fan_in))
    elif scheme == "orthogonal":
        nn.init.orthogonal_(weight, gain)
    else:
        nn.init.zeros_(weight)
