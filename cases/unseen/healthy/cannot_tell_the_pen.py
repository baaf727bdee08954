"""Domain-adversarial training (Ganin 2016): one head names the digit, another may not learn its pen."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Reversed(torch.autograd.Function):
    """Forward as it is, backward with the other sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -0.1 * gradient


class Adversarial(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
        self.digit = nn.Linear(48, 10)
        self.pen = nn.Sequential(nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 2))

    def forward(self, x: Tensor) -> Tensor:
        z = self.body(x)
        return torch.cat([self.digit(z), self.pen(Reversed.apply(z))], 1)


def both(output: Tensor, y: Tensor) -> Tensor:
    """y: the digit, plus ten where the pen was the soft one."""
    return F.cross_entropy(output[:, :10], y % 10) + F.cross_entropy(output[:, 10:], y // 10)


def score(model: nn.Module, loader: Any) -> float:
    model.eval()
    with torch.no_grad():
        return torch.cat([model(x)[:, :10].argmax(1) == y % 10 for x, y in loader]).float().mean().item()


def build(seed: int) -> Parts:
    x, y = digits()
    soft = torch.arange(len(x)) % 2 == 1
    blurred = F.avg_pool2d(F.pad(x.reshape(-1, 1, 8, 8), (1, 1, 1, 1)), 3, stride=1).flatten(1)
    x = torch.where(soft[:, None], 0.6 * x + 0.4 * blurred, x)
    torch.manual_seed(seed)
    model = Adversarial()
    return Parts(model, both, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, y + 10 * soft, seed))


CASE = Healthy("images, domains", "a head that never gets better", lambda: Experiment(build, epochs=25, score=score))
