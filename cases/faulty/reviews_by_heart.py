"""Documents as bags of words, few of them, and a network without anything against learning them by heart."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def program(p: float, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = topics(600)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Dropout(p), nn.Linear(600, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p),
            nn.Linear(64, 2),
        )  # fmt: skip
        flip = torch.rand(len(y), generator=torch.Generator().manual_seed(3)) < 0.2
        label = (y % 2) ^ flip.long()
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, label, seed))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="github.com/tautvydasversockas/MovieReviews_Keras",
    task="text, binary",
    faults=(either("weak-regularization", "too-many-epochs", "noisy-labels"),),
    faulty=lambda: program(p=0.0, epochs=25),
    fixed=lambda: program(p=0.5, epochs=5),
    note="A fifth of the labels is wrong, as opinions are.",
)
