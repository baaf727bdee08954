"""A loader of the user's own that draws its batch before the loop instead of in it."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


class Batches:
    """Random batches of 40, twenty a pass; once: one batch is drawn for all of them."""

    def __init__(self, x: Tensor, y: Tensor, seed: int, once: bool) -> None:
        self.x, self.y, self.once = x, y, once
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return 20

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rows = self.drawn()
        for _ in range(len(self)):
            rows = rows if self.once else self.drawn()
            yield self.x[rows], self.y[rows]

    def drawn(self) -> Tensor:
        return torch.randint(len(self.x), (40,), generator=self.generator)


def program(once: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*spots(), seed)
        x, y = train.dataset.tensors
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(144, 2),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, Batches(x, y, seed, once), val)

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after a common slip",
    task="images, regression",
    faults=("repeated-batch",),
    faulty=lambda: program(once=True),
    fixed=lambda: program(once=False),
)
