"""Data sets by name. A name is short for an import path, so yours and ours are loaded the same way.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

DATA = {
    "digits": "torchdoctor.data.digits:digits",
    "iris": "torchdoctor.data.embedded:iris",
    "wine": "torchdoctor.data.embedded:wine",
    "breast-cancer": "torchdoctor.data.embedded:breast_cancer",
    "mnist": "torchdoctor.data.mnist:mnist",
    "fashion-mnist": "torchdoctor.data.fashion_mnist:fashion_mnist",
    "cifar10": "torchdoctor.data.cifar10:cifar10",
    "images": "torchdoctor.data.images:images",
    "table": "torchdoctor.data.tables:table",
    "text": "torchdoctor.data.texts:texts",
    "stored": "torchdoctor.data.prepared:stored",
}
CLASSES = {
    "digits": tuple("0123456789"),
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}  # what the numbers of a data set stand for, where its files do not say  # fmt: skip
STEPS = {
    "fill": "torchdoctor.data.steps.fill:Fill",
    "one-hot": "torchdoctor.data.steps.one_hot:OneHot",
    "buckets": "torchdoctor.data.steps.buckets:Buckets",
    "log": "torchdoctor.data.steps.log:Log",
    "words": "torchdoctor.data.steps.words:Words",
    "tokens": "torchdoctor.data.steps.tokens:Tokens",
    "matrix": "torchdoctor.data.steps.matrix:Matrix",
    "scale": "torchdoctor.data.steps.scale:Scale",
    "whiten": "torchdoctor.data.steps.whiten:Whiten",
}
READERS = {"pictures": "torchdoctor.data.pictures:Pictures"}
