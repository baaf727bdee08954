"""A convolutional net that takes noise away, by RMSprop at a rate of 0.2."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(),
            nn.Conv2d(12, 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


def program(lr):
    def build(seed):
        clean = nn.functional.avg_pool2d(mnist(1200, "fashion_mnist")[0] / 255, 2)
        noisy = clean + 0.25 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        torch.manual_seed(seed)
        model = Denoiser()
        optimizer = torch.optim.RMSprop(model.parameters(), lr=lr)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(noisy, clean, seed))

    def r2(model, loader):
        error = sum(float(((model(x) - y) ** 2).sum()) for x, y in loader)
        whole = torch.cat([y for _, y in loader])
        return 1 - error / float(((whole - whole.mean()) ** 2).sum())

    return Experiment(build, epochs=6, score=r2)


CASE = Case(
    source="a rate found for another loss",
    task="images, regression",
    faults=("high-learning-rate",),
    faulty=lambda: program(0.2),
    fixed=lambda: program(0.002),
)
