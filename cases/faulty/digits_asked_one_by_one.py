"""After each epoch the validation digits are put to the network one at a time, though all of them lie in one tensor."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))


def fit(parts: Parts, log: Log, together: bool = False) -> None:
    x, y = parts.val.dataset.tensors
    for epoch in range(log.epochs):
        parts.model.train()
        for pictures, kinds in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(pictures), kinds).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            if together:
                answers = parts.model(x).argmax(1)
            else:
                answers = torch.cat([parts.model(x[i : i + 1]).argmax(1) for i in range(len(x))])
        log(epoch=epoch, val_score=float((answers == y).float().mean()))


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("unbatched-inference",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, together=True)),
)
