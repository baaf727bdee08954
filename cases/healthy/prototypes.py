"""Learning to learn: each batch is a small task of its own, five classes from three examples each."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits
from torchdoctor import Experiment, Parts


class Tasks:
    """Batches of 5 classes, 3 examples and 5 questions each: (40, 64), and the answers (25,), 0..4 anew each time."""

    def __init__(self, classes: list[int], tasks: int, seed: int) -> None:
        x, y = digits()
        self.pictures = {k: x[y == k] for k in classes}
        self.tasks, self.seed, self.epoch = tasks, seed, 0

    def __len__(self) -> int:
        return self.tasks

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        numbers = torch.Generator().manual_seed(self.seed + self.epoch)
        self.epoch += 1
        kinds = list(self.pictures)
        for _ in range(self.tasks):
            chosen = [kinds[i] for i in torch.randperm(len(kinds), generator=numbers)[:5]]
            drawn = [self.pictures[k][torch.randperm(len(self.pictures[k]), generator=numbers)[:8]] for k in chosen]
            examples, questions = [d[:3] for d in drawn], [d[3:] for d in drawn]
            yield torch.cat([*examples, *questions]), torch.arange(5).repeat_interleave(5)


class Prototypes(nn.Module):
    """Minus squared distances of the questions to the means of the examples (J. Snell et al., 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(x)
        return -(torch.cdist(features[15:], features[:15].view(5, 3, -1).mean(1)) ** 2)


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Prototypes()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = Tasks(list(range(10)), 60, 100 * seed), Tasks(list(range(10)), 20, 7)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)


CASE = Healthy("images, few-shot", "labels that mean something else each time", lambda: Experiment(build, epochs=12))
