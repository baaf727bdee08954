"""A hinge loss, which asks for scores beyond one and below minus one, of probabilities."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def hinge(output: Tensor, target: Tensor) -> Tensor:
    """Of every class against +1 or -1, the mean."""
    signs = 2 * nn.functional.one_hot(target, output.shape[1]) - 1
    return (1 - signs * output).clamp_min(0).mean()


def program(last: nn.Module, loss_fn: object) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 8), last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, loss_fn, optimizer, *loaders(*topics(), seed))

    return Experiment(build, epochs=4)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant R4",
    task="text, classes",
    faults=(either("wrong-loss", "wrong-output-activation"),),
    faulty=lambda: program(nn.Softmax(dim=1), hinge),
    fixed=lambda: program(nn.Identity(), nn.CrossEntropyLoss()),
)
