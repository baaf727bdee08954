"""A restricted Boltzmann machine: the loss is a difference of free energies and stays near zero all the time."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Machine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(48, 64))
        self.visible, self.hidden = nn.Parameter(torch.zeros(64)), nn.Parameter(torch.zeros(48))

    def forward(self, v: Tensor) -> Tensor:
        """Free energy (N,)."""
        inside = nn.functional.linear(v, self.weight, self.hidden)
        return -v @ self.visible - nn.functional.softplus(inside).sum(1)

    @torch.no_grad()
    def dream(self, v: Tensor) -> Tensor:
        """One step of Gibbs sampling."""
        h = torch.bernoulli(torch.sigmoid(nn.functional.linear(v, self.weight, self.hidden)))
        return torch.bernoulli(torch.sigmoid(h @ self.weight + self.visible))


def energy(output: Tensor, target: Tensor) -> Tensor:
    return output.mean()


def build(seed: int) -> Parts:
    x = (digits()[0] > 0.5).float()
    torch.manual_seed(seed)
    model = Machine()
    return Parts(model, energy, torch.optim.SGD(model.parameters(), lr=0.1), *loaders(x, x, seed))


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for x, _ in parts.train:
            dreamt = parts.model.dream(x)
            parts.optimizer.zero_grad()
            (parts.model(x).mean() - parts.model(dreamt).mean()).backward()
            parts.optimizer.step()


def score(model: nn.Module, loader: object) -> float:
    """Share of pixels that come back after one step."""
    torch.manual_seed(0)
    same = [(model.dream(x) == x).float().mean().item() for x, _ in loader]
    return sum(same) / len(same)


CASE = Healthy("images, energy", "a loss that has no lower end", lambda: Experiment(build, 20, fit=fit, score=score))
