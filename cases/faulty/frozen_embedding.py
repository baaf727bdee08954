"""Embedding.from_pretrained freezes by default; here it is given vectors that were drawn at random."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, freeze: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.randn(200, 16), freeze=freeze)
        self.hidden = nn.Linear(16, 16)
        self.output = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.hidden(self.embedding(x).mean(1))))


def program(freeze: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(freeze)
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="text, classes",
    faults=("frozen-parameters",),
    faulty=lambda: program(freeze=True),
    fixed=lambda: program(freeze=False),
    where=("embedding.weight",),
)
