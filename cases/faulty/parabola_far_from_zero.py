"""A parabola over 30..50, neither centred nor scaled, a large net and a rate of 1e-5."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from torchdoctor import Experiment, Parts


def total_error(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().sum()


def program(scaled: bool, lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        x = torch.arange(30.0, 51.0)[:, None]
        y = x**2 / 64 - 5 * x / 4 + 25
        if scaled:
            x = (x - x.mean()) / x.std()
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(1, 500),
            nn.ReLU(),
            nn.Linear(500, 500),
            nn.ReLU(),
            nn.Linear(500, 500),
            nn.ReLU(),
            nn.Linear(500, 1),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        return Parts(model, total_error, optimizer, [(x, y)])

    return Experiment(build, epochs=200)


CASE = Case(
    source="discuss.pytorch.org/t/89437",
    task="one number, regression",
    faults=("unscaled-inputs", either("low-learning-rate", "too-few-epochs")),
    faulty=lambda: program(scaled=False, lr=1e-5),
    fixed=lambda: program(scaled=True, lr=1e-3),
)
