"""A low-rank layer of one's own whose two factors are plain tensors with requires_grad, and no parameters."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class LowRank(nn.Module):
    def __init__(self, inputs: int, outputs: int, rank: int, mended: bool) -> None:
        super().__init__()
        down = torch.randn(inputs, rank) / inputs**0.5
        up = torch.randn(rank, outputs) * (2 / rank) ** 0.5
        if mended:
            self.down, self.up = nn.Parameter(down), nn.Parameter(up)
        else:
            self.down, self.up = down.requires_grad_(), up.requires_grad_()
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.down @ self.up + self.bias


def build(seed: int, mended: bool) -> Parts:
    x, y = houses(3000)
    x = standard(torch.cat([x[:, :3], x[:, 3:7].log(), x[:, 7:]], 1))
    torch.manual_seed(seed)
    model = nn.Sequential(LowRank(8, 64, 4, mended), nn.ReLU(), LowRank(64, 64, 4, mended), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))


CASE = Case(
    source="tensors with requires_grad in a layer of one's own, as asked about on StackOverflow",
    task="table, regression",
    faults=("unregistered-parameter",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15),
    where=("0", "2"),
)
