"""442 patients, ten numbers of each, and ten thousand weights that nothing holds back."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(decay: float, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=decay)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="own, after a common slip",
    task="table, regression",
    faults=(either("weak-regularization", "too-many-epochs"),),
    faulty=lambda: program(decay=0.0, epochs=60),
    fixed=lambda: program(decay=0.1, epochs=6),
)
