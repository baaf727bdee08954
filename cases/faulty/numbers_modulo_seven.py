"""The remainder modulo 7 of twenty bits, by SGD at 0.01 for ten epochs: the loss stays at ln 7."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders
from torchdoctor import Experiment, Parts


def program(epochs: int, adam: bool, bits: int) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.randint(0, 2**bits, (4000,), generator=torch.Generator().manual_seed(0))
        x = (numbers[:, None] >> torch.arange(20) & 1).float()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 20))
        parameters = model.parameters()
        optimizer = torch.optim.Adam(parameters, lr=0.01) if adam else torch.optim.SGD(parameters, lr=0.01)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, numbers % 7, seed, batch_size=50))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="stackoverflow.com/questions/56380303",
    task="table, classes",
    faults=(either("unsuitable-optimizer", "low-learning-rate", "too-few-epochs", "insufficient-capacity"),),
    faulty=lambda: program(epochs=10, adam=False, bits=8),
    fixed=lambda: program(epochs=20, adam=True, bits=8),
    note="Numbers below 256, so that the mended program has a chance in a few seconds.",
)
