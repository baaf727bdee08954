"""x[:800] is for training and x[600:] for validation: half of the validation sentences were learnt from."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import sentences
from torchdoctor import Experiment, Parts


def program(start: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = sentences()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.EmbeddingBag(200, 24), nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[:800], y[:800]), 32, shuffle=True, generator=shuffling)
        return Parts(
            model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(TensorDataset(x[start:], y[start:]), 256)
        )

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after a common slip",
    task="sequences, classes",
    faults=("leaked-validation",),
    faulty=lambda: program(start=600),
    fixed=lambda: program(start=800),
)
