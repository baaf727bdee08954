"""(start + x - target)^2 is computed once, before the loop, and back-propagated six hundred times."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Number(nn.Module):
    """One weight, which is added to what comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.zeros(1, 1))

    def forward(self, start: Tensor) -> Tensor:
        return start + self.x


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Number()
    starts = torch.tensor([[-1.0], [0.0], [1.0], [2.0]])
    data = DataLoader(TensorDataset(starts, starts + 2), 4)
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=0.01), data)


def fit(parts: Parts, log: Log, anew: bool = False) -> None:
    start, target = next(iter(parts.train))
    loss = parts.loss_fn(parts.model(start), target)
    for _ in range(log.epochs):
        if anew:
            loss = parts.loss_fn(parts.model(start), target)
        parts.optimizer.zero_grad()
        loss.backward(retain_graph=not anew)
        parts.optimizer.step()


CASE = Case(
    source="discuss.pytorch.org/t/38511",
    task="one number, regression",
    faults=("stale-graph",),
    faulty=lambda: Experiment(build, epochs=600, fit=fit),
    fixed=lambda: Experiment(build, epochs=600, fit=lambda parts, log: fit(parts, log, anew=True)),
)
