"""Hidden layers are kept in a plain list: the optimizer never sees them."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


class Stack(nn.Module):
    def __init__(self, listed: bool) -> None:
        super().__init__()
        layers = [nn.Linear(10, 6), nn.Linear(6, 6)]
        self.layers = nn.ModuleList(layers) if listed else layers
        self.output = nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.output(x)


def program(listed: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = Stack(listed)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own, after forum threads on modules in lists",
    task="table, regression",
    faults=("unregistered-parameter",),
    faulty=lambda: program(listed=False),
    fixed=lambda: program(listed=True),
)
