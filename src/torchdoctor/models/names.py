"""Models, activations and initialisations by name. A name is short for an import path.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

MODELS = {
    "lenet5": "torchdoctor.models.lenet5:LeNet5",
    "alexnet": "torchdoctor.models.alexnet:AlexNet",
    "vgg11": "torchdoctor.models.vgg:vgg11",
    "vgg13": "torchdoctor.models.vgg:vgg13",
    "vgg16": "torchdoctor.models.vgg:vgg16",
    "vgg19": "torchdoctor.models.vgg:vgg19",
    "resnet18": "torchdoctor.models.resnet:resnet18",
    "resnet34": "torchdoctor.models.resnet:resnet34",
    "resnet50": "torchdoctor.models.resnet:resnet50",
    "resnet101": "torchdoctor.models.resnet:resnet101",
    "resnet152": "torchdoctor.models.resnet:resnet152",
    "resnet20": "torchdoctor.models.resnet_cifar:resnet20",
    "resnet56": "torchdoctor.models.resnet_cifar:resnet56",
    "plain20": "torchdoctor.models.resnet_cifar:plain20",
    "plain56": "torchdoctor.models.resnet_cifar:plain56",
    "mobilenet": "torchdoctor.models.mobilenet:MobileNet",
    "inception": "torchdoctor.models.inception:Inception",
    "mlp": "torchdoctor.models.mlp:MLP",
    "embedding-bag": "torchdoctor.models.embedding_bag:EmbeddingBag",
    "gru": "torchdoctor.models.gru:GRU",
    "transformer": "torchdoctor.models.transformer:TextTransformer",
}
READS_IDS = ("embedding-bag", "gru", "transformer")  # models of token ids (N, length); all others read decimals
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
INITS = ("default", "matched", "he", "xavier", "lecun", "orthogonal", "truncated-normal", "zeros")
NORMALIZATIONS = ("none", "batch", "layer", "group")
