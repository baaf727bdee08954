"""Measurements from 0.001 to 4,000 go as they are into three layers of sigmoids."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class NeuralNetwork(nn.Module):
    def __init__(self, bend: type[nn.Module]) -> None:
        super().__init__()
        self.hidden1, self.hidden2, self.hidden3 = nn.Linear(13, 20), nn.Linear(20, 20), nn.Linear(20, 20)
        self.output = nn.Linear(20, 3)
        self.act = bend()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.hidden1(x))
        x = self.act(self.hidden2(x))
        x = self.act(self.hidden3(x))
        return self.output(x)


def build(seed: int, mended: bool) -> Parts:
    x, y = wine()
    torch.manual_seed(seed)
    model = NeuralNetwork(nn.ReLU if mended else nn.Sigmoid)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    data = loaders(standard(x) if mended else x, y, seed, batch_size=16)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *data)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Case(
    source="an old net and a raw table, as asked about on StackOverflow",
    task="table, classes",
    faults=("unscaled-inputs", "saturating-activation"),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=40, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=40, fit=fit),
)
