"""Training pictures are divided by 255 in the dataset; the validation set was built from the raw array."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


class Clothes(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i]
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


def normalise(image):
    return (image / 255 - 0.286) / 0.353


def program(for_validation):
    def build(seed):
        x, y = mnist(3500, "fashion_mnist")
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Flatten(), nn.Linear(16 * 36, 10),
        )  # fmt: skip
        train = DataLoader(
            Clothes(x[:2500], y[:2500], normalise), 50, shuffle=True, generator=torch.Generator().manual_seed(seed)
        )
        val = DataLoader(Clothes(x[2500:], y[2500:], for_validation), 250)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 2e-3), train, val)

    return Experiment(build, epochs=5)


CASE = Case(
    source="the transform argument of the second dataset, forgotten",
    task="images, classes",
    faults=("mismatched-splits",),
    faulty=lambda: program(None),
    fixed=lambda: program(normalise),
)
