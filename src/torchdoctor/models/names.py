"""Models, activations and initialisations by name. A name is short for an import path.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

MODELS = {
    "lenet5": "torchdoctor.models.lenet5:LeNet5",
    "mlp": "torchdoctor.models.mlp:MLP",
    "resnet20": "torchdoctor.models.resnet_cifar:resnet20",
    "transformer": "torchdoctor.models.transformer:TextTransformer",
}
ACTIVATIONS = {
    "relu": "torch.nn:ReLU",
    "leaky-relu": "torch.nn:LeakyReLU",
    "prelu": "torch.nn:PReLU",
    "elu": "torch.nn:ELU",
    "selu": "torch.nn:SELU",
    "gelu": "torch.nn:GELU",
    "silu": "torch.nn:SiLU",
    "tanh": "torch.nn:Tanh",
    "sigmoid": "torch.nn:Sigmoid",
    "identity": "torch.nn:Identity",
}
OUTPUTS = ("none", "softmax", "log-softmax", "sigmoid", "relu")
INITS = ("default", "he", "xavier", "lecun", "orthogonal", "zeros")
NORMALIZATIONS = ("none", "batch")
