"""A check sees what the data alone say: labels that say nothing or are wrong, twins, samples far from all others."""

from __future__ import annotations

import pytest
import torch
from judging import judged, names
from sklearn.datasets import load_diabetes, load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.examine.duplicates import blank
from torchdoctor.parts import Parts
from torchdoctor.probes.data_look import data_look
from torchdoctor.probes.data_pass import data_pass
from torchdoctor.probes.outputs_at_start import outputs_at_start
from torchdoctor.rules.data.corrupted_labels import corrupted_labels
from torchdoctor.rules.data.duplicate_samples import duplicate_samples
from torchdoctor.rules.data.noisy_labels import noisy_labels
from torchdoctor.rules.data.outlying_samples import outlying_samples

RULES = (corrupted_labels, noisy_labels, duplicate_samples, outlying_samples)


def digits() -> tuple[Tensor, Tensor]:
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x[:1000] / 16, dtype=torch.float32), torch.tensor(y[:1000])


def diabetes() -> tuple[Tensor, Tensor]:
    x, y = load_diabetes(return_X_y=True)
    return torch.tensor(20 * x, dtype=torch.float32), torch.tensor((y - 150) / 75, dtype=torch.float32)[:, None]


def parts(x: Tensor, y: Tensor, loss_fn: nn.Module | None = None) -> Parts:
    torch.manual_seed(0)
    model = nn.Linear(x.shape[1], 10 if loss_fn is None else 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return Parts(model, loss_fn or nn.CrossEntropyLoss(), optimizer, DataLoader(TensorDataset(x, y), 64, shuffle=True))


def found(given: Parts) -> list[str]:
    return names(judged(given, [data_pass, outputs_at_start, data_look], *RULES))


def test_sound_data_have_no_alarm() -> None:
    assert found(parts(*digits())) == []
    assert found(parts(*diabetes(), nn.MSELoss())) == []


def test_labels_of_other_samples_are_told_from_true_ones() -> None:
    x, y = digits()
    assert found(parts(x, y[torch.randperm(len(y))])) == ["corrupted-labels"]


def test_wrong_labels_are_named_by_the_datasets_own_numbers() -> None:
    pytest.importorskip("cleanlab", reason="confident learning needs the extra `labels`")
    x, y = digits()
    wrong = set(range(0, 1000, 12))
    y = torch.tensor([(int(k) + 5) % 10 if i in wrong else int(k) for i, k in enumerate(y)])
    report = judged(parts(x, y), [data_pass, outputs_at_start, data_look], *RULES)
    assert names(report) == ["noisy-labels"]
    named = [w for f in report if f.name == "noisy-labels" for w in f.where]
    assert sum(w in wrong for w in named) > 0.8 * len(named) > 20


def test_rows_that_come_twice_are_counted_and_a_sample_drawn_twice_is_not_one_of_them() -> None:
    x, y = diabetes()
    twice = TensorDataset(torch.cat([x, x[:60]]), torch.cat([y, y[:60]]))
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    assert found(Parts(model, nn.MSELoss(), optimizer, DataLoader(twice, 32))) == ["duplicate-samples"]
    drawn = torch.utils.data.RandomSampler(TensorDataset(x, y), replacement=True, num_samples=800)
    again = DataLoader(TensorDataset(x, y), 32, sampler=drawn)
    assert found(Parts(model, nn.MSELoss(), optimizer, again)) == []


def test_blank_samples_are_no_twins() -> None:
    x, y = digits()
    x[::7] = 0
    assert "duplicate-samples" not in found(parts(x, y))
    assert [blank(torch.tensor(s)) for s in ([[0.0, 0.0], [0.0, 1.0]], [3.0, 3.0], 1.0)] == [
        [True, False],
        [False] * 2,
        [False],
    ]
    assert blank(torch.empty(0, 5)) == []


def test_a_sample_in_another_unit_is_named() -> None:
    x, y = diabetes()
    x[17, 2] = 1e5
    report = judged(parts(x, y, nn.MSELoss()), [data_pass, outputs_at_start, data_look], *RULES)
    assert names(report) == ["outlying-samples"]
    assert [f.where[0] for f in report if f.name == "outlying-samples"] == [17]


def test_targets_of_another_form_are_left_alone() -> None:
    x = torch.randn(64, 5)
    model = nn.Linear(5, 3)
    data = DataLoader(TensorDataset(x, torch.randn(64, 3)), 16)
    assert found(Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), data)) == []
