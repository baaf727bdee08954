"""Lookahead: Adam runs five steps ahead, then the weights go half of the way (M. Zhang et al., 2019)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cases.case import Healthy
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Lookahead(torch.optim.Adam):
    def __init__(self, params: Any, lr: float = 1e-3, every: int = 5, share: float = 0.5) -> None:
        super().__init__(params, lr=lr)
        self.every, self.share, self.taken = every, share, 0
        self.slow = [[p.detach().clone() for p in group["params"]] for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Any:
        loss = super().step(closure)
        self.taken += 1
        if self.taken % self.every == 0:
            for group, slow in zip(self.param_groups, self.slow):
                for p, before in zip(group["params"], slow):
                    before.lerp_(p, self.share)
                    p.copy_(before)
        return loss


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    optimizer: Optimizer = Lookahead(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 20, 4), seed))


CASE = Healthy("table, classes", "every fifth step goes back", lambda: Experiment(build, epochs=15))
