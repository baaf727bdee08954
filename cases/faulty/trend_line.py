"""A straight line through t = 0..99 by gradient descent at 0.5: the error grows without bound."""

import torch
from torch import nn

from cases.case import Case, either
from torchdoctor import Experiment, Parts


def program(scaled: bool, lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        t = torch.arange(100.0)[:, None]
        y = 0.3 * t + 2 + torch.randn(100, 1, generator=torch.Generator().manual_seed(0))
        if scaled:
            t, y = (t - t.mean()) / t.std(), (y - y.mean()) / y.std()
        torch.manual_seed(seed)
        model = nn.Linear(1, 1)
        return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=lr), [(t, y)])

    return Experiment(build, epochs=200)


CASE = Case(
    source="Tensorflow program bugs (ISSTA 2018), IPS-15",
    task="one number, regression",
    faults=(either("high-learning-rate", "unscaled-inputs"), either("unscaled-inputs", "high-learning-rate")),
    faulty=lambda: program(scaled=False, lr=0.5),
    fixed=lambda: program(scaled=True, lr=0.1),
    note="Either change alone mends it.",
)
