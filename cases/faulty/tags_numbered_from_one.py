"""Two tags called 1 and 2, three sigmoids for them, and ten epochs of one long batch after another."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import Pair, loaders
from torchdoctor import Experiment, Parts


class Tagger(nn.Module):
    def __init__(self, tags: int, sigmoid: bool) -> None:
        super().__init__()
        self.reader = nn.LSTM(5, 20, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(40, tags)
        self.sigmoid = sigmoid

    def forward(self, x: Tensor) -> Tensor:
        scores = self.output(self.dropout(self.reader(x)[0])).transpose(1, 2)
        return torch.sigmoid(scores) if self.sigmoid else scores


def tagged(n: int = 160, length: int = 20) -> Pair:
    """Sequences (n, length, 5); the tag of a place is whether it and the place before it sum to more than nought."""
    x = torch.randn(n, length, 5, generator=torch.Generator().manual_seed(0))
    return x, (x[..., 0] + x[..., 1].roll(1, 1) > 0).long()


def program(first_tag: int, tags: int, sigmoid: bool, lr: float, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        x, y = tagged()
        model = Tagger(tags, sigmoid)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y + first_tag, seed, batch_size=20))

    return Experiment(build, epochs)


CASE = Case(
    source="stackoverflow.com/questions/59282996",
    task="sequences, a class for each place",
    faults=(
        either("wrong-output-activation", "redundant-output-activation"),
        either("wrong-output-width", "invalid-labels"),
        "too-few-epochs",
    ),
    faulty=lambda: program(first_tag=1, tags=3, sigmoid=True, lr=0.01, epochs=10),
    fixed=lambda: program(first_tag=0, tags=2, sigmoid=False, lr=0.3, epochs=30),
    where=("output",),
)
