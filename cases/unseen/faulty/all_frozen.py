"""Fine-tuning: everything is frozen but the classifier; the loop over 'features' froze the wrong half."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class SmallVgg(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(16 * 49, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


def program(prefix):
    def build(seed):
        x, y = mnist(2500)
        torch.manual_seed(seed)
        model = SmallVgg()
        for name, parameter in model.named_parameters():
            parameter.requires_grad = not name.startswith(prefix)
        trainable = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trainable, lr=0.01, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))

    return Experiment(build, epochs=5)


CASE = Case(
    source="startswith with the wrong name",
    task="images, classes",
    faults=("frozen-parameters",),
    faulty=lambda: program("classifier"),
    fixed=lambda: program("batch_norm"),  # this net has none: nothing is frozen
    where=("classifier",),
)
