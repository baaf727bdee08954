"""A one-dimensional convolution net for DNA that ends in a softmax over its one unit."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, motifs
from torchdoctor import Experiment, Parts


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    convolution = nn.Conv1d(channels_in, channels_out, 4, padding="same")
    return nn.Sequential(convolution, nn.BatchNorm1d(channels_out), nn.LeakyReLU(), nn.Dropout(0.2))


def program(last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            block(4, 16), block(16, 8), nn.Flatten(),
            nn.Linear(160, 64), nn.BatchNorm1d(64), nn.LeakyReLU(), nn.Linear(64, 1), last,
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.BCELoss(), optimizer, *loaders(*motifs(), seed, batch_size=128))

    return Experiment(build, epochs=25)


CASE = Case(
    source="stackoverflow.com/questions/45378493",
    task="sequences, binary",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=-1)),
    fixed=lambda: program(nn.Sigmoid()),
    where=("7",),
)
