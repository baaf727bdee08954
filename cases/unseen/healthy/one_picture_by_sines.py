"""SIREN (Sitzmann 2020): a net of sines learns one picture by heart, from half of its pixels to all of them."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import SHARED, Absent
from torchdoctor import Experiment, Parts


class Sine(nn.Module):
    """sin(w0 (Wx + b)); the first layer's weights within 1/n, the others' within sqrt(6/n)/w0."""

    def __init__(self, inputs: int, outputs: int, w0: float, first: bool = False) -> None:
        super().__init__()
        self.w0, self.linear = w0, nn.Linear(inputs, outputs)
        bound = 1 / inputs if first else math.sqrt(6 / inputs) / w0
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.w0 * self.linear(x))


def picture(size: int = 48) -> tuple[Tensor, Tensor]:
    from PIL import Image

    path = SHARED / "image_file_quirks" / "hopper.png"
    if not path.is_file():
        raise Absent("image_file_quirks/hopper.png is not beside the project")
    with Image.open(path) as image:
        grey = torch.tensor(np.asarray(image.convert("L").resize((size, size))), dtype=torch.float32)
    line = torch.linspace(-1, 1, size)
    return torch.cartesian_prod(line, line), (grey.reshape(-1, 1) - grey.mean()) / grey.std()


def build(seed: int) -> Parts:
    at, grey = picture()
    order = torch.randperm(len(at), generator=torch.Generator().manual_seed(3))
    known, asked = order[:1700], order[1700:]
    torch.manual_seed(seed)
    model = nn.Sequential(Sine(2, 96, 12.0, first=True), Sine(96, 96, 12.0), nn.Linear(96, 1))
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(at[known], grey[known]), 200, shuffle=True, generator=shuffling)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.96)
    return Parts(model, nn.MSELoss(), optimizer, train, [(at[asked], grey[asked])], scheduler=schedule)


CASE = Healthy("images, regression", "odd activations, weights drawn wide", lambda: Experiment(build, epochs=60))
