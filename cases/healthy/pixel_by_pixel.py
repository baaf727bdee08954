"""Each pixel from those before it, by masked weights; the targets are the inputs, and the floor is their entropy."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Masked(nn.Linear):
    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float())

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


class Made(nn.Module):
    """Logits of 64 pixels, the k-th from the pixels before it (M. Germain et al., 2015)."""

    def __init__(self) -> None:
        super().__init__()
        pixel, unit = torch.arange(64), torch.arange(160) % 63
        self.body = nn.Sequential(
            Masked(unit[:, None] >= pixel), nn.ReLU(), Masked(unit[:, None] >= unit), nn.ReLU(),
            Masked(pixel[:, None] > unit),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def build(seed: int) -> Parts:
    x = (digits()[0] > 0.5).float()
    torch.manual_seed(seed)
    model = Made()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, x, seed, 64))


CASE = Healthy("images, density", "weights that are masked, pixels never set", lambda: Experiment(build, epochs=40))
