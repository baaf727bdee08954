"""A GRU reads a picture row by row, and its answer is taken from out[:, 0], the first row. Besides, a warm-up that was
counted in steps is stepped once an epoch: the rate never comes near what was meant."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Rows(nn.Module):
    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.gru = nn.GRU(28, 48, batch_first=True)
        self.head = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.gru(x.squeeze(1))
        return self.head(out[:, self.at])


def build(seed: int, at: int, warm: int) -> Parts:
    x, y = mnist(1600)
    torch.manual_seed(seed)
    model = Rows(at)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warm))
    # from below, where there is ink at once
    data = loaders(x[:, :, 6:24].flip(2) / 255, y, seed, batch_size=32)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *data, scheduler=schedule)


CASE = Case(
    source="the wrong step of a recurrent net, and a schedule of steps stepped by epochs, both from the PyTorch forum",
    task="images as sequences, classes",
    faults=("ignored-input", either("misused-scheduler", "low-learning-rate")),
    faulty=lambda: Experiment(partial(build, at=0, warm=1000), epochs=10),
    fixed=lambda: Experiment(partial(build, at=-1, warm=2), epochs=10),
)
