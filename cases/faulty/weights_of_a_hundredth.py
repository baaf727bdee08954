"""A deep regression whose weights begin so small that nothing of the input reaches the output."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard
from torchdoctor import Experiment, Parts


def program(std: float | None) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(9)
        x = torch.randn(1000, 10, generator=numbers)
        y = standard((x[:, :3].prod(1) + x[:, 3] * 2)[:, None])
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.Linear(10, 64), nn.ReLU()]
        for _ in range(5):
            layers += [nn.Linear(64, 64), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(64, 1))
        for module in model[::2]:
            if std is None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            else:
                nn.init.normal_(module.weight, std=std)
            nn.init.zeros_(module.bias)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own",
    task="table, regression",
    faults=("badly-scaled-init",),
    faulty=lambda: program(std=0.01),
    fixed=lambda: program(std=None),
)
