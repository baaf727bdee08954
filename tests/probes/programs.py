"""Small training set-ups, healthy as people write them, for what must stay silent and what must stay untouched."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.parts import Parts

Program = Callable[[], Parts]


def loader(*tensors: Tensor, batch_size: int = 32, shuffle: bool = True) -> DataLoader:
    return DataLoader(TensorDataset(*tensors), batch_size=batch_size, shuffle=shuffle)


def digits(count: int = 600) -> tuple[Tensor, Tensor]:
    """scikit-learn's handwritten digits: (count, 1, 8, 8) in 0..16, classes 0..9."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return torch.tensor(x[:count], dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(y[:count])


def split(
    model: nn.Module, loss_fn: Callable[..., Tensor], optimizer: torch.optim.Optimizer, *tensors: Tensor
) -> Parts:
    """Three quarters for training, the rest for validation."""
    n = len(tensors[0]) * 3 // 4
    return Parts(model, loss_fn, optimizer, loader(*(t[:n] for t in tensors)), loader(*(t[n:] for t in tensors)))


def mlp() -> Parts:
    x, y = digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-3), x / 16, y)


def mlp_on_sixteen_grey_levels() -> Parts:
    x, y = digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-3), x, y)


def convolutions() -> Parts:
    """Batch normalisation and dropout."""
    x, y = digits()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
    return split(model, nn.CrossEntropyLoss(), optimizer, (x / 16 - 0.3) / 0.37, y)


def convolutions_on_raw_pixels() -> Parts:
    """Normalised behind the first layer, so that the inputs' scale makes no difference."""
    x, y = digits()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-3), x * 255 / 16, y)


class Scaled(nn.Module):
    """Divides by 255 itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, 32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1((x / 255).flatten(1))))


def scales_its_inputs_itself() -> Parts:
    x, y = digits()
    model = Scaled()
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-3), x * 255 / 16, y)


class Recurrent(nn.Module):
    """Rows of the image as moments of a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 24, batch_first=True), nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def recurrent() -> Parts:
    x, y = digits()
    model = Recurrent()
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 3e-3), x.squeeze(1) / 16, y)


class Text(nn.Module):
    """Embedding, positions, a transformer encoder, the mean over the tokens that are not padding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16, padding_idx=0)
        self.positions = nn.Parameter(torch.zeros(12, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 1)

    def forward(self, ids: Tensor) -> Tensor:
        padding = ids == 0
        x = self.encoder(self.embedding(ids) + self.positions, src_key_padding_mask=padding)
        kept = (~padding).unsqueeze(-1)
        return self.head((x * kept).sum(1) / kept.sum(1)).squeeze(1)


def text() -> Parts:
    ids = torch.randint(1, 50, (400, 12))
    ids[:, 9:] *= torch.randint(0, 2, (400, 1))
    y = (ids == 7).any(1).float()
    model = Text()
    return split(model, nn.BCEWithLogitsLoss(), torch.optim.AdamW(model.parameters(), 1e-3), ids, y)


def autoencoder() -> Parts:
    x = digits()[0].flatten(1) / 16
    model = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8), nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64)
    )
    return split(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), 1e-3), x, x)


def transfer() -> Parts:
    """A backbone that was trained before and is frozen; a new head."""
    x, y = digits()
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
    body = nn.Sequential(backbone, nn.Linear(48, 10))
    optimizer = torch.optim.Adam(body.parameters(), 3e-3)
    for _ in range(15):
        for start in range(0, 600, 50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(body(x[start : start + 50] / 16), y[start : start + 50]).backward()
            optimizer.step()
    backbone.requires_grad_(False)
    model = nn.Sequential(backbone, nn.Linear(48, 2))
    head = torch.optim.Adam(model[1].parameters(), 1e-3)
    return split(model, nn.CrossEntropyLoss(), head, x / 16, y % 2)


class Tied(nn.Module):
    """A language model whose output weights are its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(30, 24), nn.GRU(24, 24, batch_first=True)
        self.out = nn.Linear(24, 30)
        self.out.weight = self.embedding.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.out(self.rnn(self.embedding(ids))[0]).transpose(1, 2)


def tied_language_model() -> Parts:
    ids = torch.arange(300 * 11).mul(7).add(torch.randint(0, 3, (3300,))).remainder(30).reshape(300, 11)
    model = Tied()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    return split(model, nn.CrossEntropyLoss(), optimizer, ids[:, :-1].contiguous(), ids[:, 1:].contiguous())


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.items, self.numbers, self.head = nn.Embedding(20, 8), nn.Linear(5, 8), nn.Linear(16, 1)

    def forward(self, item: Tensor, numbers: Tensor) -> Tensor:
        return self.head(torch.relu(torch.cat([self.items(item), self.numbers(numbers)], 1)))


def two_inputs() -> Parts:
    item, numbers = torch.randint(0, 20, (400,)), torch.randn(400, 5)
    y = (numbers[:, :1] + item.unsqueeze(1) / 10 - 1 + 0.1 * torch.randn(400, 1)).float()
    model = TwoInputs()
    return split(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), 3e-3), item, numbers, y)


def table_with_flags() -> Parts:
    """Standardised columns beside one-hot ones and rare flags; the class as 0. and 1."""
    numbers, flags = torch.randn(500, 4), torch.nn.functional.one_hot(torch.randint(0, 12, (500,)), 12).float()
    rare = (torch.rand(500, 1) < 0.01).float()
    x = torch.cat([numbers, flags, rare], 1)
    y = ((numbers[:, 0] + flags[:, 3] * 2) > 0).float().unsqueeze(1)
    model = nn.Sequential(nn.Linear(17, 16), nn.Tanh(), nn.Linear(16, 1))
    return split(model, nn.BCEWithLogitsLoss(), torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), x, y)


class Residual(nn.Module):
    """Blocks that start as the identity, with last weights of zero; a depthwise average in front; a head of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(1, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.conv1, self.conv2 = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * 64, 10)
        nn.init.constant_(self.depthwise.weight, 1 / 9)
        for layer in (self.conv2, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.depthwise(self.smooth(x))
        return self.head((x + self.conv2(torch.relu(self.conv1(x)))).flatten(1))


def zeros_on_purpose() -> Parts:
    x, y = digits()
    model = Residual()
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-3), x / 16, y)


class Experts(nn.Module):
    """One expert is never asked."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(64, 10) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.experts[0](x) + self.experts[1](x)


def unused_expert() -> Parts:
    x, y = digits()
    model = Experts()
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-2), x.flatten(1) / 16, y)


def counts() -> Parts:
    """Poisson counts about 50, behind an exponential."""
    x = torch.randn(400, 6)
    y = torch.poisson(torch.exp(3.9 + 0.3 * x[:, :1]))
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
    return split(model, nn.PoissonNLLLoss(), torch.optim.Adam(model.parameters(), 1e-2), x, y)


def segmentation() -> Parts:
    x = digits()[0] / 16
    mask = (x[:, 0] > 0.5).long()
    mask[:, 0] = -100  # a border that does not count
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 1e-2), x, mask)


class Translator(nn.Module):
    """Two sequences in; one row a token out, not one a sample."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(20, 16), nn.Linear(16, 20)
        self.transformer = nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, batch_first=True)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.out(self.transformer(self.embedding(source), self.embedding(target))).flatten(0, 1)


def translator() -> Parts:
    ids = torch.randint(0, 20, (200, 7))
    model = Translator()

    def loss_fn(output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(output, target.flatten())

    return split(model, loss_fn, torch.optim.Adam(model.parameters(), 1e-3), ids, ids, ids.roll(1, 1))


class Variational(nn.Module):
    """Several outputs, and noise in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.mean, self.log_var = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.decode = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = torch.relu(self.encode(x))
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        return self.decode(mean + torch.randn_like(mean) * (log_var / 2).exp()), mean, log_var


def variational() -> Parts:
    x = digits()[0].flatten(1) / 16
    model = Variational()

    def loss_fn(output: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        restored, mean, log_var = output
        kept = nn.functional.mse_loss(restored, target)
        return kept - 0.01 * (1 + log_var - mean.square() - log_var.exp()).mean()

    return split(model, loss_fn, torch.optim.Adam(model.parameters(), 1e-3), x, x)


def schedule_and_quasi_newton() -> Parts:
    x = torch.randn(96, 3)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    return split(model, nn.MSELoss(), optimizer, x, x.sum(1, keepdim=True))


def penalty_on_the_weights() -> Parts:
    x, y = digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    weights = list(model.parameters())

    def loss_fn(output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(output, target) + 1e-4 * sum(w.square().sum() for w in weights)

    return split(model, loss_fn, torch.optim.Adam(model.parameters(), 1e-3), x / 16, y)


HEALTHY: dict[str, Program] = {
    program.__name__: program
    for program in (
        mlp, mlp_on_sixteen_grey_levels, convolutions, convolutions_on_raw_pixels, scales_its_inputs_itself, recurrent,
        text, autoencoder, transfer, tied_language_model, two_inputs, table_with_flags, zeros_on_purpose, unused_expert,
        counts, segmentation, schedule_and_quasi_newton, penalty_on_the_weights, translator, variational,
    )
}  # fmt: skip
