"""Bags of four to nine digits, and one answer for each: is a nine among them? Attention says which one (Ilse 2018)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from cases.case import Healthy
from cases.data import digits
from torchdoctor import Experiment, Parts


class Bags(Dataset):
    """Bags drawn once; those with a nine and those without are about as many."""

    def __init__(self, x: Tensor, y: Tensor, n: int, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        nines, others = torch.nonzero(y == 9).flatten(), torch.nonzero(y != 9).flatten()
        self.bags, self.has = [], torch.randint(2, (n,), generator=random).float()
        for has in self.has:
            members = others[
                torch.randint(len(others), (int(torch.randint(4, 10, (), generator=random)),), generator=random)
            ]
            if has:
                members[0] = nines[int(torch.randint(len(nines), (), generator=random))]
            self.bags.append(x[members])

    def __len__(self) -> int:
        return len(self.bags)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.bags[i], self.has[i]


def together(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    bags, has = zip(*batch)
    full = pad_sequence([torch.ones(len(b), dtype=torch.bool) for b in bags], batch_first=True)
    return pad_sequence(bags, batch_first=True), full, torch.stack(has)[:, None]


class Finder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.weigh = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
        self.say = nn.Linear(32, 1)

    def forward(self, bags: Tensor, full: Tensor) -> Tensor:
        seen = self.see(bags)
        weights = self.weigh(seen).masked_fill(~full[..., None], -1e9).softmax(1)
        return self.say((weights * seen).sum(1))


def build(seed: int) -> Parts:
    x, y = digits()
    torch.manual_seed(seed)
    model = Finder()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(Bags(x[:1300], y[:1300], 1200, 1), 32, shuffle=True, collate_fn=together, generator=shuffling)
    val = DataLoader(Bags(x[1300:], y[1300:], 400, 2), 100, collate_fn=together)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, train, val)


CASE = Healthy("images, bags", "most of what a bag holds says nothing", lambda: Experiment(build, epochs=25))
