"""Messages are batched with others of their length, shuffled among the batches only; real text, one in eight spam."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Sampler

from cases.case import Healthy
from cases.records import messages, numbered
from torchdoctor import Experiment, Parts


class Buckets(Sampler):
    """Lists of indices of samples that are about equally long."""

    def __init__(self, lengths: list[int], size: int, seed: int) -> None:
        self.order = sorted(range(len(lengths)), key=lengths.__getitem__)
        self.size, self.numbers = size, torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-len(self.order) // self.size)

    def __iter__(self):
        for k in torch.randperm(len(self), generator=self.numbers).tolist():
            yield self.order[k * self.size : (k + 1) * self.size]


class Reader(nn.Module):
    """The largest answer of each filter anywhere in the message."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(1002, 24, padding_idx=0)
        self.filters = nn.Conv1d(24, 32, 3, padding=1)
        self.head = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.filters(self.words(x).transpose(1, 2))).amax(2))


def collate(samples: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return pad_sequence([x for x, _ in samples], batch_first=True), torch.stack([y for _, y in samples])


def build(seed: int) -> Parts:
    texts, y = messages()
    samples = list(zip(numbered(texts, 1000), y))[:3000]
    torch.manual_seed(seed)
    model = Reader()
    buckets = Buckets([len(x) for x, _ in samples[:2400]], 32, seed)
    train = DataLoader(samples[:2400], batch_sampler=buckets, collate_fn=collate)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(samples[2400:], 100, collate_fn=collate))


CASE = Healthy("text, binary", "batches that are alike inside", lambda: Experiment(build, epochs=6))
