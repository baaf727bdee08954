"""Ordinal regression: four grades of a disease by three cumulative questions, one score and shared weights."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import diabetes, loaders
from torchdoctor import Experiment, Parts


class Grades(nn.Module):
    """Logits of "worse than grade k", (N, 3): one score against three thresholds."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1, bias=False))
        self.thresholds = nn.Parameter(torch.tensor([-1.0, 0.0, 1.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x) - self.thresholds


def build(seed: int) -> Parts:
    x, y = diabetes()
    cuts = y.quantile(torch.tensor([0.25, 0.5, 0.75]))
    torch.manual_seed(seed)
    model = Grades()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, (y > cuts).float(), seed, 16))


CASE = Healthy("table, ordinal", "one unit for three outputs, noisy grades", lambda: Experiment(build, epochs=15))
