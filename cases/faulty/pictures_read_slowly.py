"""Every picture is made from its text file anew, one by one, between two steps."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Texts(Dataset):
    """Pictures that are kept as text, parsed when asked for; once: when first asked for."""

    def __init__(self, x: Tensor, y: Tensor, once: bool) -> None:
        self.texts = [" ".join(f"{v:.6f}" for v in row.repeat(20)) for row in x.flatten(1)]
        self.y, self.once, self.kept = y, once, {}

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if index in self.kept:
            return self.kept[index]
        values = torch.tensor([float(word) for word in self.texts[index].split()])
        item = values.reshape(20, 1, 8, 8).mean(0), self.y[index]
        if self.once:
            self.kept[index] = item
        return item


def program(once: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*digits(images=True), seed)
        x, y = train.dataset.tensors
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        data = DataLoader(Texts(x[:400], y[:400], once), 32, shuffle=True, generator=shuffling)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, data, val)

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("slow-data-loading",),
    faulty=lambda: program(once=False),
    fixed=lambda: program(once=True),
)
