"""The data lie in eight shards; the Dataset finds the place inside a shard and always opens the first."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case, either
from cases.data import mnist
from torchdoctor import Experiment, Parts


class Sharded(Dataset):
    def __init__(self, x: Tensor, y: Tensor, shards: int, mended: bool) -> None:
        self.shards = list(zip(x.chunk(shards), y.chunk(shards)))
        self.length, self.size, self.mended = len(x), len(self.shards[0][0]), mended

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        shard, row = divmod(index, self.size)
        x, y = self.shards[shard if self.mended else 0]
        return x[row].float() / 255 - 0.5, y[row]


def build(seed: int, mended: bool) -> Parts:
    x, y = mnist(2048, "fashion_mnist")
    train = Sharded(x[:1536], y[:1536], 12, mended)
    val = Sharded(x[1536:], y[1536:], 1, True)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 5, stride=2), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 5, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(384, 10),
    )  # fmt: skip
    shuffled = DataLoader(train, 32, shuffle=True, generator=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, shuffled, DataLoader(val, 256))


CASE = Case(
    source="an index into shards worked out by hand",
    task="images, classes",
    faults=(either("duplicate-samples", "too-few-samples", "repeated-batch"),),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=8),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=8),
)
