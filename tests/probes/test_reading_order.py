"""The order of reading: what is sorted, what is shuffled, what is left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from measuring import measured
from torch import Tensor, nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.reading_order import reading_order

X, Y = torch.randn(240, 3), torch.arange(240) // 60


def order(train: object, outputs: int = 4, loss_fn: nn.Module | None = None) -> dict[str, float]:
    model = nn.Linear(3, outputs)
    parts = Parts(model, loss_fn or nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), train)  # type: ignore[arg-type]
    return {signal: value for (signal, _), value in measured(reading_order, parts)[0].items()}


def test_the_place_in_a_sorted_pass_tells_the_label_and_in_a_shuffled_one_nothing() -> None:
    data = TensorDataset(X, Y)
    assert order(DataLoader(data, 12))["target_order"] > 0.8
    assert order(DataLoader(data, 12, shuffle=True))["target_order"] < 0.1


def test_labels_in_turns_within_a_batch_are_no_order() -> None:
    rows = torch.arange(240).reshape(4, 60).T.flatten()
    assert order(DataLoader(TensorDataset(X[rows], Y[rows]), 12))["target_order"] < 0.05


def test_sorted_numbers_are_told_by_their_place() -> None:
    y = torch.linspace(-1, 1, 240)[:, None]
    assert order(DataLoader(TensorDataset(X, y), 12), 1, nn.MSELoss())["target_order"] > 0.8
    shuffled = DataLoader(TensorDataset(X, y), 12, shuffle=True)
    assert order(shuffled, 1, nn.MSELoss())["target_order"] < 0.2


@pytest.mark.parametrize("shuffle", [True, False])
def test_two_passes_that_begin_alike_are_noticed(shuffle: bool) -> None:
    assert order(DataLoader(TensorDataset(X, Y), 12, shuffle=shuffle))["fixed_order"] == (not shuffle)


def test_a_sampler_that_leaves_samples_out_is_counted() -> None:
    assert order(DataLoader(TensorDataset(X, Y), 12, sampler=SubsetRandomSampler(range(60))))["fed_share"] == 0.25


def test_of_a_few_samples_and_of_a_loader_without_a_dataset_less_is_said() -> None:
    class Plain:
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            return zip(X.split(12), Y.split(12))

    assert set(order(DataLoader(TensorDataset(X[:8], Y[:8]), 1))) == {"batch_mean_spread", "fed_share", "fixed_order"}
    assert "fed_share" not in order(Plain())
