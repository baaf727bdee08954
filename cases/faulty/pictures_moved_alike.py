"""Pictures are moved at random by a generator that each worker copies anew in each epoch: always the same moves."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Moved(Dataset):
    """Digits moved by up to a pixel. own: by numbers of the dataset's own generator, else by torch's."""

    def __init__(self, x: Tensor, y: Tensor, own: bool) -> None:
        self.x, self.y, self.own = x, y, own
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        down, right = self.rng.integers(-1, 2, 2) if self.own else torch.randint(-1, 2, (2,)).tolist()
        return self.x[index].roll((int(down), int(right)), (1, 2)), self.y[index]


def program(own: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*digits(images=True), seed)
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(144, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        data = DataLoader(Moved(*train.dataset.tensors, own), 32, shuffle=True, generator=shuffling, num_workers=2)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3), data, val)

    return Experiment(build, epochs=4)


CASE = Case(
    source="own, after torch's note on workers and random numbers of other libraries",
    task="images, classes",
    faults=("repeated-augmentation",),
    faulty=lambda: program(own=True),
    fixed=lambda: program(own=False),
)
