"""Monte Carlo dropout (Gal 2016): dropout stays on when the net is asked, twenty times over."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import diabetes, loaders
from torchdoctor import Experiment, Parts


class Asked(nn.Module):
    def __init__(self, times: int = 20, share: float = 0.1) -> None:
        super().__init__()
        self.times, self.share = times, share
        self.one, self.two, self.out = nn.Linear(10, 48), nn.Linear(48, 48), nn.Linear(48, 1)

    def once(self, x: Tensor) -> Tensor:
        h = F.dropout(torch.relu(self.one(x)), self.share, training=True)
        return self.out(F.dropout(torch.relu(self.two(h)), self.share, training=True))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.once(x)
        return torch.stack([self.once(x) for _ in range(self.times)]).mean(0)


def build(seed: int) -> Parts:
    x, y = diabetes()
    torch.manual_seed(seed)
    model = Asked()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, (y - 152) / 77, seed, batch_size=16))


CASE = Healthy("table, regression", "another answer each time, on purpose", lambda: Experiment(build, epochs=12))
