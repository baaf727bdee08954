"""The healthy set-ups with one fault each, and the name the fault must be found under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from programs import Recurrent, digits, loader, split
from torch import Tensor, nn

from torchdoctor.parts import Parts

Classes = nn.CrossEntropyLoss


def plain(width: int = 32, outputs: int = 10) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, outputs))


def on_digits(model: nn.Module, scale: float = 1 / 16, optimizer: torch.optim.Optimizer | None = None) -> Parts:
    x, y = digits()
    return split(model, Classes(), optimizer or torch.optim.Adam(model.parameters(), 1e-3), x * scale, y)


def raw_pixels() -> Parts:
    return on_digits(plain(), 255 / 16)


def raw_pixels_into_tanh() -> Parts:
    return on_digits(nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)), 255 / 16)


def raw_pixels_into_convolutions() -> Parts:
    return on_digits(nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)), 255 / 16)


def scaled_down_twice() -> Parts:
    return on_digits(plain(), 1 / 16 / 255)


def table(scales: Tensor, offset: float = 0.0, norm: bool = False) -> Parts:
    x = torch.randn(400, len(scales))
    y = (x.sum(1, keepdim=True) > 0).float()
    layers = [nn.Linear(len(scales), 16), *([nn.BatchNorm1d(16)] if norm else []), nn.ReLU(), nn.Linear(16, 1)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    return split(model, nn.BCEWithLogitsLoss(), optimizer, x * scales + offset, y)


def one_column_of_salaries() -> Parts:
    return table(torch.tensor([1.0, 1.0, 2e4]))


def columns_of_unlike_scale_before_a_norm() -> Parts:
    return table(torch.tensor([0.1, 1.0, 2e4]), norm=True)


def years() -> Parts:
    return table(torch.tensor([10.0, 1.0]), offset=2000.0)


def regression(mean: float, std: float) -> Parts:
    x = torch.randn(400, 5)
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    return split(model, nn.MSELoss(), optimizer, x, x.sum(1, keepdim=True) * std + mean)


def prices() -> Parts:
    return regression(2e5, 8e4)


def pressures() -> Parts:
    return regression(1013.0, 5.0)


def missing_value() -> Parts:
    x, y = digits()
    x = x / 16
    x[7, 0, 3, 3] = float("nan")
    model = plain()
    return split(model, Classes(), torch.optim.Adam(model.parameters(), 1e-3), x, y)


def missing_target() -> Parts:
    parts = regression(0.0, 1.0)
    parts.train.dataset.tensors[1][11] = float("inf")
    return parts


def labelled(change: Callable[[Tensor], Tensor], loss_fn: nn.Module | None = None, outputs: int = 10) -> Parts:
    x, y = digits()
    model = plain(outputs=outputs)
    return split(model, loss_fn or Classes(), torch.optim.Adam(model.parameters(), 1e-3), x / 16, change(y))


def classes_from_one() -> Parts:
    return labelled(lambda y: y + 1)


def rare_label_out_of_range() -> Parts:
    return labelled(lambda y: torch.where(torch.arange(len(y)) == 301, 42, y))


def classes_as_float_column() -> Parts:
    return labelled(lambda y: y.float().unsqueeze(1))


def binary_labels_as_integers() -> Parts:
    return labelled(lambda y: (y > 4).long().unsqueeze(1), nn.BCEWithLogitsLoss(), 1)


def binary_labels_without_column() -> Parts:
    return labelled(lambda y: (y > 4).float(), nn.BCEWithLogitsLoss(), 1)


def binary_labels_one_and_two() -> Parts:
    return labelled(lambda y: (y > 4).float().unsqueeze(1) + 1, nn.BCEWithLogitsLoss(), 1)


def frozen_layer() -> Parts:
    model = plain()
    model[1].requires_grad_(False)
    return on_digits(model)


def frozen_model() -> Parts:
    model = plain()
    model.requires_grad_(False)
    return on_digits(model)


def head_in_no_optimizer() -> Parts:
    model = plain()
    return on_digits(model, optimizer=torch.optim.Adam(model[1].parameters(), 1e-3))


def body_in_no_optimizer() -> Parts:
    model = plain()
    return on_digits(model, optimizer=torch.optim.Adam(model[3].parameters(), 1e-3))


def head_replaced_later() -> Parts:
    model = plain()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    model[3] = nn.Linear(32, 10)
    return on_digits(model, optimizer=optimizer)


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = nn.Linear(64, 32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.encoder(x.flatten(1))).detach())


def detached_encoder() -> Parts:
    return on_digits(Cut())


def loss_cut_off() -> Parts:
    parts = on_digits(plain())
    return replace(
        parts, loss_fn=lambda o, t: torch.tensor(nn.functional.cross_entropy(o, t).item(), requires_grad=True)
    )


class OverBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.flatten(1)).softmax(0)


def softmax_over_the_batch() -> Parts:
    return on_digits(OverBatch())


def lstm_that_takes_samples_for_time() -> Parts:
    x, y = digits()
    model = Recurrent()
    model.lstm = nn.LSTM(8, 24)
    return split(model, Classes(), torch.optim.Adam(model.parameters(), 1e-3), x.squeeze(1) / 16, y)


class Ids(nn.Module):
    """view(-1) where a flatten per sample was meant: rolls the tokens of neighbours into each other."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 8), nn.Linear(8 * 6, 2)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)  # (N, 6, 8)
        return self.head(x.permute(1, 0, 2).reshape(len(ids), -1))


def view_for_permute_on_ids() -> Parts:
    ids = torch.randint(0, 20, (320, 6))
    model = Ids()
    return split(model, Classes(), torch.optim.Adam(model.parameters(), 1e-3), ids, (ids[:, 0] > 9).long())


def constant(value: float, *layers: int, biases: bool = True, dropout: float = 0.0) -> Parts:
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10)
    )
    for i in layers:
        nn.init.constant_(model[i].weight, value)
        if biases:
            nn.init.zeros_(model[i].bias)
    return on_digits(model)


def all_zero() -> Parts:
    return constant(0.0, 1, 4, 6)


def all_alike() -> Parts:
    return constant(0.05, 1, 4, 6)


def all_alike_with_dropout() -> Parts:
    return constant(0.05, 1, 4, 6, dropout=0.5)


def ones_in_the_first_layer() -> Parts:
    return constant(1.0, 1, biases=False)


def unshuffled(parts: Parts) -> Parts:
    return replace(parts, train=loader(*parts.train.dataset.tensors, shuffle=False))


FAULTY: dict[str, list[Callable[[], Parts]]] = {
    "unscaled-inputs": [
        raw_pixels, raw_pixels_into_tanh, raw_pixels_into_convolutions, scaled_down_twice, one_column_of_salaries,
        columns_of_unlike_scale_before_a_norm, years,
    ],
    "unscaled-targets": [prices, pressures],
    "non-finite-inputs": [missing_value, missing_target],
    "invalid-labels": [
        classes_from_one, rare_label_out_of_range, classes_as_float_column, binary_labels_as_integers,
        binary_labels_without_column, binary_labels_one_and_two,
    ],
    "frozen-parameters": [frozen_layer, frozen_model],
    "missing-parameters": [head_in_no_optimizer, body_in_no_optimizer],
    "stale-optimizer": [head_replaced_later],
    "detached-graph": [detached_encoder, loss_cut_off],
    "mixed-batch": [softmax_over_the_batch, lstm_that_takes_samples_for_time, view_for_permute_on_ids],
    "symmetric-init": [all_zero, all_alike, all_alike_with_dropout, ones_in_the_first_layer],
}  # fmt: skip
