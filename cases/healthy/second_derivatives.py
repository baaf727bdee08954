"""A net that solves u' = -u: the loss holds its derivative by the input, so backward goes through a gradient."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Solution(nn.Module):
    """Gives u(t) and u'(t) beside each other."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, t: Tensor) -> Tensor:
        t = t.detach().requires_grad_()
        with torch.enable_grad():
            u = 1 + t * self.body(t)
            slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        return torch.cat([u, slope], dim=1)


def residual(output: Tensor, target: Tensor) -> Tensor:
    return ((output[:, 1:] + output[:, :1] - target) ** 2).mean()


def build(seed: int) -> Parts:
    t = torch.linspace(0, 2, 64)[:, None]
    torch.manual_seed(seed)
    model = Solution()
    return Parts(model, residual, torch.optim.Adam(model.parameters(), lr=3e-3), [(t, torch.zeros(64, 1))])


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for t, target in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(t), target).backward()
            parts.optimizer.step()


def score(model: nn.Module, loader: object) -> float:
    return -sum(residual(model(t), target).item() for t, target in loader)


CASE = Healthy(
    "points, equation", "targets of zero, gradients of gradients", lambda: Experiment(build, 400, fit=fit, score=score)
)
