"""Cure a skorch net: the parts come out of it, and the cured ones go back into it.

    pip install 'torchdoctor[neighbours]'
    python examples/skorch_net.py

The module ends in a softmax, as skorch's own examples do, and is trained with PyTorch's cross-entropy, which applies
another; and the wines' measurements go in as they were written down, from 0.1 to 1,680.
"""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import Tensor, nn

import torchdoctor as td


class Grower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.layers(x), dim=1)


EPOCHS = 20
TABLE = load_wine()
TRAIN_X, VAL_X, TRAIN_Y, VAL_Y = train_test_split(TABLE.data.astype("float32"), TABLE.target, random_state=0)


def new_net() -> NeuralNetClassifier:
    return NeuralNetClassifier(
        Grower, criterion=nn.CrossEntropyLoss, lr=0.05, max_epochs=EPOCHS, batch_size=16, train_split=None,
        iterator_train__shuffle=True, verbose=0,
    ).initialize()  # fmt: skip


def build(seed: int) -> td.Parts:
    torch.manual_seed(seed)
    net = new_net()
    train = net.get_iterator(net.get_dataset(TRAIN_X, TRAIN_Y), training=True)
    val = net.get_iterator(net.get_dataset(VAL_X, VAL_Y), training=False)
    return td.Parts(net.module_, net.criterion_, net.optimizer_, train, val)


if __name__ == "__main__":
    torch.set_num_threads(2)
    cure = td.cure(td.Experiment(build, epochs=EPOCHS))
    cure.show()

    parts, net = cure.parts(seed=0), new_net()
    net.module_, net.criterion_, net.optimizer_ = parts.model, parts.loss_fn, parts.optimizer
    net.partial_fit(TRAIN_X, TRAIN_Y)
    print(f"share of wines told apart: {(net.predict(VAL_X) == VAL_Y).mean():.3f}")
