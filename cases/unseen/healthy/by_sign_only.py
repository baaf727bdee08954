"""An optimizer of the author's own, Lion (Chen et al. 2023): every weight moves by the same small amount."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            quick, slow = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * (quick * mean + (1 - quick) * p.grad).sign())
                mean.mul_(slow).add_(p.grad, alpha=1 - slow)


def build(seed):
    x, y = mnist(6000)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    optimizer = Lion(model.parameters(), lr=4e-4, weight_decay=0.5)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - 33) / 79, y, seed, 50))


CASE = Healthy("images, classes", "an unknown optimizer, a large decay, sign steps", lambda: Experiment(build, 10))
