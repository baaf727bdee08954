"""Two optimizers, one for the word vectors and one for the rest; zero_grad is called on both, step on one."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders
from cases.readers import messages, numbered, vocabulary
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1200, 4, padding_idx=0)
        self.mix = nn.GRU(4, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.mix(self.embed(x))
        return self.fc(out.amax(1))


def build(seed: int) -> Parts:
    texts, y = messages(1600)
    x = numbered(texts, vocabulary(texts, 1200), 20)
    torch.manual_seed(seed)
    model = Classifier()
    rest = [*model.mix.parameters(), *model.fc.parameters()]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(rest, lr=1e-3), *loaders(x, y, seed))


def fit(parts: Parts, log: Log, mended: bool) -> None:
    of_words = torch.optim.Adam(parts.model.embed.parameters(), lr=1e-2)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            of_words.zero_grad()
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            if mended:
                of_words.step()
        parts.model.eval()
        with torch.no_grad():
            said, true = (torch.cat(v) for v in zip(*((parts.model(x).argmax(1), y) for x, y in parts.val)))
        hit = (said * true).sum()
        log(epoch=epoch, val_score=(2 * hit / (said.sum() + true.sum()).clamp(min=1)).item())  # F1 of spam


CASE = Case(
    source="several optimizers in one loop, as asked about on the PyTorch forum",
    task="text, classes",
    faults=("missing-parameters",),
    faulty=lambda: Experiment(build, epochs=18, fit=partial(fit, mended=False)),
    fixed=lambda: Experiment(build, epochs=18, fit=partial(fit, mended=True)),
    where=("embed", "embed.weight"),
)
