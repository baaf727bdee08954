"""An echo state network (Jaeger 2001): the recurrent part is random for good, only the readout learns the sunspots."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.readers import series
from torchdoctor import Experiment, Parts


class Echo(nn.Module):
    def __init__(self, units: int = 120, radius: float = 0.8) -> None:
        super().__init__()
        around = torch.randn(units, units) * (torch.rand(units, units) < 0.1)
        around *= radius / torch.linalg.eigvals(around).abs().max()
        self.register_buffer("around", around)
        self.register_buffer("inward", 0.5 * torch.randn(1, units))
        self.readout = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            state = x.new_zeros(len(x), len(self.around))
            for value in x.unbind(1):
                state = torch.tanh(value @ self.inward + state @ self.around)
        return self.readout(state)


def build(seed: int) -> Parts:
    months = series("monthly-sunspots", "Sunspots").sqrt()
    months = (months - months[:2000].mean()) / months[:2000].std()
    x, y = months.unfold(0, 36, 1)[:-1, :, None], months[36:, None]
    torch.manual_seed(seed)
    model = Echo()
    generator = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:2000], y[:2000]), 50, shuffle=True, generator=generator)
    later = DataLoader(TensorDataset(x[2036:], y[2036:]), 250)
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), train, later)


CASE = Healthy("time series, regression", "nothing but the last layer can learn", lambda: Experiment(build, epochs=20))
