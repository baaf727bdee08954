"""Loaders cut anew hold the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.fixes.loaders import in_order, recut, weighted, without

X, Y = torch.arange(40.0)[:, None], torch.arange(40)
LOADERS: dict[str, Any] = {
    "torch's": DataLoader(TensorDataset(X, Y), 10),
    "tensors": TensorBatches(X, Y, 10),
    "a list": list(zip(X.split(10), Y.split(10))),
}


def rows(loader: Any) -> list[int]:
    return [int(i) for _, y in loader for i in y]


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS.keys())
def test_shuffled_all_samples_come_in_a_new_order_and_the_old_loader_keeps_its_own(loader: Any) -> None:
    torch.manual_seed(0)
    new = recut(loader, shuffle=True)
    first, second = rows(new), rows(new)
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second and first != list(range(40))
    assert rows(loader) == list(range(40))


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS.keys())
def test_in_smaller_batches_the_order_stays(loader: Any) -> None:
    new = recut(loader, batch_size=4)
    assert [len(y) for _, y in new] == [4] * 10 and rows(new) == list(range(40))


def test_what_has_no_order_is_refused_in_one_line() -> None:
    class Endless(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield from zip(X, Y)

    with pytest.raises(BadParts, match="order of its own"):
        recut(DataLoader(Endless(), 4), shuffle=True)


@pytest.mark.parametrize("loader", [LOADERS["torch's"], LOADERS["tensors"]], ids=["torch's", "tensors"])
def test_rows_are_left_out_and_the_old_loader_keeps_them(loader: Any) -> None:
    assert rows(without(loader, {0, 7, 39})) == [i for i in range(40) if i not in (0, 7, 39)]
    assert rows(loader) == list(range(40))


@pytest.mark.parametrize("left_out", [{50}, set(range(40))])
def test_to_leave_out_nothing_or_everything_is_refused(left_out: set[int]) -> None:
    with pytest.raises(BadParts, match="nothing to do"):
        without(LOADERS["tensors"], left_out)


def test_samples_without_numbers_cannot_be_left_out() -> None:
    with pytest.raises(BadParts, match="no numbers"):
        without(LOADERS["a list"], {0})


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS.keys())
def test_drawn_with_chances_as_many_come_and_what_has_none_never(loader: Any) -> None:
    torch.manual_seed(0)
    new = weighted(loader, (Y < 8).float())
    first, second = rows(new), rows(new)
    assert len(first) == len(second) == 40 and first != second
    assert set(first) | set(second) == set(range(8))
    assert rows(loader) == list(range(40))


@pytest.mark.parametrize("loader", [recut(one, shuffle=True) for one in LOADERS.values()], ids=LOADERS.keys())
def test_what_is_shuffled_can_be_read_in_the_order_of_the_data_set(loader: Any) -> None:
    assert rows(in_order(loader)) == list(range(40))


def test_chances_for_samples_without_numbers_are_refused() -> None:
    with pytest.raises(BadParts, match="own way"):
        weighted(weighted(LOADERS["torch's"], torch.ones(40)), torch.ones(40))
