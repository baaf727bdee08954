"""A graph of three circles of friends; everybody is in the one batch, and only some have a label to learn from."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from torchdoctor import Experiment, Parts

UNKNOWN = -100  # what torch's cross-entropy leaves out


class Graph(nn.Module):
    """Two graph convolutions (T. Kipf, M. Welling, 2017)."""

    def __init__(self, links: Tensor) -> None:
        super().__init__()
        self.register_buffer("links", links)
        self.first, self.last = nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.links @ torch.relu(self.first(self.links @ x)))


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(3)
    circle = torch.randint(3, (240,), generator=numbers)
    chance = torch.where(circle[:, None] == circle, 0.06, 0.008)
    friends = (torch.rand(240, 240, generator=numbers) < chance).triu(1).float()
    links = friends + friends.T + torch.eye(240)
    rooted = links.sum(1).rsqrt()
    x = torch.randn(240, 16, generator=numbers) + torch.nn.functional.one_hot(circle, 16)
    learnt = torch.rand(240, generator=numbers) < 0.3
    torch.manual_seed(seed)
    model = Graph(rooted[:, None] * links * rooted)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=5e-4)
    train, val = (circle.where(rows, torch.tensor(UNKNOWN)) for rows in (learnt, ~learnt))
    return Parts(model, nn.CrossEntropyLoss(), optimizer, [(x, train)], [(x, val)])


CASE = Healthy(
    "graph, classes",
    "samples that influence each other, the same inputs to validate",
    lambda: Experiment(build, epochs=80),
)
