"""A Dataset that builds its own vocabulary: the one of the validation split gives the words other numbers."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.readers import messages, vocabulary
from torchdoctor import Experiment, Parts


class SmsDataset(Dataset):
    def __init__(self, texts: list[list[str]], labels: Tensor, vocab: dict[str, int] | None = None) -> None:
        self.texts, self.labels = texts, labels
        self.vocab = vocab or vocabulary(texts, 800)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.tensor([self.vocab.get(w, 1) for w in self.texts[index]]), self.labels[index]


def collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    texts, labels = zip(*batch)
    return nn.utils.rnn.pad_sequence(texts, batch_first=True), torch.stack(labels)


class MeanOfWords(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(800, 16, padding_idx=0)
        self.out = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.words(x))


def build(seed: int, mended: bool) -> Parts:
    texts, y = messages(2400)
    training = SmsDataset(texts[:1800], y[:1800])
    held = SmsDataset(texts[1800:], y[1800:], training.vocab if mended else None)
    torch.manual_seed(seed)
    model = MeanOfWords()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(training, 32, shuffle=True, collate_fn=collate, generator=shuffling)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(held, 64, collate_fn=collate))


CASE = Case(
    source="a vocabulary a split, as asked about on StackOverflow",
    task="text, classes",
    faults=("mismatched-splits",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=8),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=8),
)
