"""One number near 92 decides between two classes; through a layer of sigmoids the net sees hardly any difference."""

import torch
from torch import nn

from cases.case import Case
from torchdoctor import Experiment, Parts


def program(scaled: bool, lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        x = 92 + 5 * torch.randn(400, 1, generator=torch.Generator().manual_seed(2))
        y = (x > 91).float()
        if scaled:
            x = (x - x.mean()) / x.std()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(1, 16), nn.Sigmoid(), nn.Linear(16, 1), nn.Sigmoid())
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        return Parts(model, nn.BCELoss(), optimizer, [(x[:300], y[:300])], [(x[300:], y[300:])])

    return Experiment(build, epochs=1000)


CASE = Case(
    source="PyTorch forum, classification of heart rates",
    task="one number, binary",
    faults=("unscaled-inputs", "low-learning-rate"),
    faulty=lambda: program(scaled=False, lr=1e-3),
    fixed=lambda: program(scaled=True, lr=1e-2),
)
