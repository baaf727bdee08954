"""Messages of any length through a bidirectional GRU: packed, so that no step is spent on padding."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

from cases.case import Healthy
from cases.readers import messages, vocabulary
from torchdoctor import Experiment, Parts


class Texts(Dataset):
    def __init__(self, texts: list[list[str]], y: Tensor, known: dict[str, int]) -> None:
        self.numbers = [torch.tensor([known.get(w, 1) for w in t[:40]]) for t in texts]
        self.y = y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.numbers[i], self.y[i]


def padded(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    numbers, y = zip(*batch)
    return pad_sequence(numbers, batch_first=True), torch.tensor([len(n) for n in numbers]), torch.stack(y)


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1500, 16, padding_idx=0)
        self.drop = nn.Dropout(0.3)
        self.gru = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.out = nn.Linear(48, 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.drop(self.embed(x)), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)
        return self.out(self.drop(torch.cat([last[0], last[1]], 1)))


def build(seed: int) -> Parts:
    texts, y = messages(2400)
    known = vocabulary(texts[:1900], 1500)
    torch.manual_seed(seed)
    model = Reader()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(Texts(texts[:1900], y[:1900], known), 32, True, collate_fn=padded, generator=shuffling)
    val = DataLoader(Texts(texts[1900:], y[1900:], known), 100, collate_fn=padded)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3), train, val)


CASE = Healthy("text, classes", "batches of ever other lengths", lambda: Experiment(build, epochs=8))
