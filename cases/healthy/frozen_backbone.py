"""Transfer: a body trained on five digits is frozen, in eval mode, and a head learns the other five."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Transferred(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body.requires_grad_(False)
        self.head = nn.Linear(64, 5)

    def train(self, mode: bool = True) -> "Transferred":
        super().train(mode)
        self.body.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def pretrained(x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    torch.manual_seed(0)
    body = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Flatten(), nn.Linear(256, 64), nn.ReLU(),
    )  # fmt: skip
    model = nn.Sequential(body, nn.Linear(64, 5))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return body


def build(seed: int) -> Parts:
    x, y = digits(images=True)
    body = pretrained(x[y < 5], y[y < 5])
    torch.manual_seed(seed)
    model = Transferred(body).train()
    optimizer = torch.optim.Adam(model.head.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x[y >= 5], y[y >= 5] - 5, seed))


CASE = Healthy("images, classes", "most parameters are frozen", lambda: Experiment(build, epochs=15))
