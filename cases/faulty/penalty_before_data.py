"""An L1 penalty over all weights, ten thousand times what it should be."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(strength: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

        def loss_fn(output: Tensor, target: Tensor) -> Tensor:
            penalty = torch.stack([p.abs().sum() for p in model.parameters()]).sum()
            return nn.functional.cross_entropy(output, target) + strength * penalty

        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, loss_fn, optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("dominant-penalty", "strong-regularization"),),
    faulty=lambda: program(0.1),
    fixed=lambda: program(1e-5),
)
