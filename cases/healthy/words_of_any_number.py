"""Sentences of 12 to 30 words, packed: every batch has another shape."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

from cases.case import Healthy
from cases.data import sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(201, 24, padding_idx=0)
        self.drop = nn.Dropout(0.2)
        self.gru = nn.GRU(24, 32, batch_first=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.drop(self.words(x)), lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.gru(packed)[1][0])


def collate(samples: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    texts, kinds = zip(*samples)
    return pad_sequence(texts, batch_first=True), torch.tensor([len(t) for t in texts]), torch.stack(kinds)


def build(seed: int) -> Parts:
    x, y = sentences(1200, length=30)
    lengths = torch.randint(12, 31, (1200,), generator=torch.Generator().manual_seed(3))
    samples = [(row[:n] + 1, kind) for row, n, kind in zip(x, lengths, y)]
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(samples[:900], 32, shuffle=True, generator=shuffling, collate_fn=collate)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(samples[900:], 128, collate_fn=collate))


CASE = Healthy("text, classes", "batches of many shapes, padding", lambda: Experiment(build, epochs=7))
