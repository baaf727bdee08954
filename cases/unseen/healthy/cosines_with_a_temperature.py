"""Class scores are cosines times a scale that is learnt, at a rate of its own and without decay."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Cosines(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 32))
        self.centres = nn.Parameter(torch.randn(10, 32))
        self.log_scale = nn.Parameter(torch.tensor(math.log(8.0)))

    def forward(self, x: Tensor) -> Tensor:
        cosines = F.normalize(self.body(x), dim=1) @ F.normalize(self.centres, dim=1).T
        return cosines * self.log_scale.clamp(max=math.log(100)).exp()


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Cosines()
    body = {"params": [*model.body.parameters()], "weight_decay": 0.05}
    rest = {"params": [model.centres], "weight_decay": 0.0}
    optimizer = torch.optim.AdamW([body, rest, {"params": [model.log_scale], "lr": 1e-2, "weight_decay": 0.0}], lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [4e-3, 4e-3, 1e-2], total_steps=32 * 43)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed), scheduler=schedule)


CASE = Healthy("images, classes", "a single number with a rate of its own", lambda: Experiment(build, epochs=30))
