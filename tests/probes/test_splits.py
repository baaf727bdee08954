"""Classes and samples that both parts hold, by what the loaders give."""

from __future__ import annotations

import torch
from measuring import measured
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from torchdoctor.parts import Parts
from torchdoctor.probes.splits import splits

X, Y = torch.randn(400, 3, generator=torch.Generator().manual_seed(0)), torch.arange(400) % 4


class Distances(nn.Module):
    """A loss of pairs of samples: it scores no class by itself."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        apart = (output[:, None] - output[None]).square().sum(2)
        return torch.where(target[:, None] == target[None], apart, (1 - apart).relu()).mean()


def found(train: slice | Tensor, val: slice | Tensor, loss_fn: nn.Module | None = None) -> dict[str, float]:
    model = nn.Linear(3, 4)
    data = [DataLoader(TensorDataset(X[rows], Y[rows]), 50, shuffle=True) for rows in (train, val)]
    parts = Parts(model, loss_fn or nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), *data)
    return {signal: value for (signal, _), value in measured(splits, parts)[0].items()}


def test_a_split_in_turns_has_no_distance_and_shares_nothing() -> None:
    seen = found(slice(0, 300), slice(300, 400))
    assert seen["class_distance"] < seen["class_distance_by_chance"]
    assert seen["shared_samples"] == 0 and seen["part_samples"] == 100 and seen["classes_missing"] == 0


def test_a_split_of_sorted_rows_lacks_classes() -> None:
    by_class = torch.argsort(Y, stable=True)
    seen = found(by_class[:300], by_class[300:])
    assert seen["class_distance"] == 1 and seen["classes_missing"] == 4


def test_a_sampler_that_draws_one_class_more_often_says_nothing_of_the_split() -> None:
    model = nn.Linear(3, 4)
    often = WeightedRandomSampler((1.0 + 20 * (Y[:300] == 0)).tolist(), 600, generator=torch.Generator().manual_seed(0))
    train = DataLoader(TensorDataset(X[:300], Y[:300]), 50, sampler=often)
    val = DataLoader(TensorDataset(X[300:], Y[300:]), 50)
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), train, val)
    seen = {signal: value for (signal, _), value in measured(splits, parts)[0].items()}
    assert "class_distance" not in seen and seen["shared_samples"] == 0


def test_rows_of_both_parts_are_counted_and_trainings_own_repeats_are_taken_off() -> None:
    assert found(slice(0, 300), slice(250, 350))["shared_samples"] == 50
    twice = torch.cat([torch.arange(0, 150), torch.arange(0, 150)])
    assert found(twice, torch.arange(100, 200))["shared_samples"] == 0


def test_a_loss_of_pairs_is_asked_for_no_classes_and_few_samples_for_nothing() -> None:
    assert "class_distance" not in found(slice(0, 300), slice(300, 400), Distances())
    assert found(slice(0, 300), slice(300, 310)) == {}
