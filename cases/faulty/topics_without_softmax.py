"""Topics of documents with a hand-written cross-entropy that takes probabilities and is given scores."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def cross_entropy(probabilities: Tensor, target: Tensor) -> Tensor:
    chosen = probabilities.gather(1, target[:, None])
    return -torch.log(chosen.clamp(1e-7, 1 - 1e-7)).mean()


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 12), *last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, cross_entropy, optimizer, *loaders(*topics(1600, classes=12), seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant R7",
    task="text, classes",
    faults=(either("missing-output-activation", "wrong-output-activation"),),
    faulty=program,
    fixed=lambda: program(nn.Softmax(dim=1)),
    where=("3",),
)
