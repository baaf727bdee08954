"""Two of four experts are chosen for each sample: in some batches an expert has no gradient at all."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(20, 6)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 4)) for _ in range(6))

    def forward(self, x: Tensor) -> Tensor:
        weights, chosen = torch.softmax(self.gate(x), dim=1).topk(1)
        output = x.new_zeros(len(x), 4)
        for k, expert in enumerate(self.experts):
            rows, place = (chosen == k).nonzero(as_tuple=True)
            if len(rows):
                output = output.index_add(0, rows, weights[rows, place, None] * expert(x[rows]))
        return output


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Experts()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 20, 4), seed, batch_size=16))


CASE = Healthy("table, classes", "experts without a gradient", lambda: Experiment(build, epochs=15))
