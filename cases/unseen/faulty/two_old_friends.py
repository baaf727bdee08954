"""Digits by a recurrent net: gradients are never cleared, and probabilities go into CrossEntropyLoss."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class GruClassifier(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.gru = nn.GRU(8, 40, batch_first=True)
        self.head = head

    def forward(self, x):
        _, h = self.gru(x.squeeze(1))
        return self.head(h.squeeze(0))


def program(right):
    def build(seed):
        torch.manual_seed(seed)
        head = nn.Linear(40, 10) if right else nn.Sequential(nn.Linear(40, 10), nn.Softmax(dim=-1))
        model = GruClassifier(head)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))

    def fit(parts, log):
        for _ in range(log.epochs):
            for x, y in parts.train:
                prediction = parts.model(x)
                loss = parts.loss_fn(prediction, y)
                if right:
                    parts.optimizer.zero_grad()
                loss.backward()
                parts.optimizer.step()

    return Experiment(build, epochs=15, fit=fit)


CASE = Case(
    source="two common slips in one program",
    task="sequences, classes",
    faults=("missing-zero-grad", "redundant-output-activation"),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
