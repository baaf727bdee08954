"""A recurrent autoencoder of ten days of temperatures; decoder weights are missing from the list of parameters."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from cases.records import coldest
from torchdoctor import Experiment, Parts


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(1, 16, batch_first=True)
        self.bridge = nn.Linear(16, 8)
        self.decoder = nn.GRU(8, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        _, h = self.encoder(x)
        code = self.bridge(h[0])
        states, _ = self.decoder(code[:, None].expand(-1, x.shape[1], -1))
        return self.out(states)


def program(complete):
    def build(seed):
        values = coldest()
        weeks = ((values - values.mean()) / values.std()).unfold(0, 10, 3)[..., None]
        torch.manual_seed(seed)
        model = Seq2Seq()
        groups = [{"params": model.encoder.parameters()}, {"params": model.bridge.parameters()}]
        if complete:
            groups += [{"params": model.decoder.parameters()}, {"params": model.out.parameters()}]
        return Parts(model, nn.MSELoss(), torch.optim.Adam(groups, lr=5e-3), *loaders(weeks, weeks, seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="groups of parameters written out by hand",
    task="series, autoencoder",
    faults=("missing-parameters",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
    where=("decoder", "out"),
)
