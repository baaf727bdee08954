"""Word vectors are loaded by Embedding.from_pretrained, which freezes them, and most words had no vector to load."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders
from cases.readers import messages, numbered, vocabulary
from torchdoctor import Experiment, Parts


class TextCnn(nn.Module):
    def __init__(self, vectors: Tensor, mended: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(vectors, freeze=not mended)
        self.conv = nn.Conv1d(vectors.shape[1], 16, 3, padding=1)
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.conv(self.embedding(x).transpose(1, 2)))
        return self.fc(h.amax(2))


def build(seed: int, mended: bool) -> Parts:
    texts, y = messages(2000)
    known = vocabulary(texts, 1000)
    x = numbered(texts, known, 24)
    random = torch.Generator().manual_seed(4)
    vectors = torch.randn(1000, 8, generator=random) * 0.05
    vectors[torch.rand(1000, generator=random) < 0.8] = 0.0  # not in the file of vectors
    torch.manual_seed(seed)
    model = TextCnn(vectors, mended)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))


CASE = Case(
    source="the default of Embedding.from_pretrained, as asked about on StackOverflow",
    task="text, classes",
    faults=("frozen-parameters",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=8),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=8),
    where=("embedding", "embedding.weight"),
)
