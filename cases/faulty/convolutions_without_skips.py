"""Sixteen convolutions over a series, one after the other, without a norm or a way around."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


class Around(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x)


def program(skips: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = next_values()
        torch.manual_seed(seed)
        blocks = [nn.Sequential(nn.Conv1d(12, 12, 3, padding=1), nn.ReLU()) for _ in range(16)]
        model = nn.Sequential(
            nn.Conv1d(1, 12, 3, padding=1), nn.ReLU(), *(Around(b) if skips else b for b in blocks), nn.Flatten(),
            nn.Linear(288, 1),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x.transpose(1, 2), y, seed))

    return Experiment(build, epochs=4)


CASE = Case(
    source="own, after the plain networks in arXiv:1512.03385",
    task="sequences, regression",
    faults=(either("missing-normalization", "excessive-depth", "badly-scaled-init"),),
    faulty=lambda: program(skips=False),
    fixed=lambda: program(skips=True),
)
