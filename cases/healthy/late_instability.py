"""More weights than samples: Adam takes the loss to 1e-12, and now and then it jumps. There is nothing to mend.

After datascience.stackexchange.com/questions/25024.
"""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from torchdoctor import Experiment, Parts


def squares(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2).sum()


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(0)
    x, y = torch.randn(64, 1000, generator=numbers), torch.randn(64, 1, generator=numbers)
    torch.manual_seed(seed)
    model = nn.Linear(1000, 1)
    return Parts(model, squares, torch.optim.Adam(model.parameters(), lr=1e-3), [(x, y)])


CASE = Healthy("table, regression", "a summed loss that jumps near zero", lambda: Experiment(build, epochs=1500))
