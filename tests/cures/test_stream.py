"""The data of a race: one order for all arms, whatever their models draw."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

from torchdoctor.cures.stream import Stream


def loader() -> DataLoader[tuple[torch.Tensor, ...]]:
    return DataLoader(TensorDataset(torch.arange(40)), 8, shuffle=True)


class Augmented(Dataset[torch.Tensor]):
    """Adds noise, of torch and of Python, as augmentation does."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> torch.Tensor:
        return index + torch.rand(1) + random.random()


def order(stream: Stream, draws: int, passes: int = 2) -> list[list[float]]:
    """What the stream gives, to a model that draws that many random numbers for each batch."""
    seen = []
    for _ in range(passes):
        for batch in stream:
            torch.rand(draws)
            _ = [random.random() for _ in range(draws)]
            seen.append((batch[0] if isinstance(batch, list) else batch).flatten().tolist())
    return seen


@pytest.mark.parametrize("make", [loader, lambda: DataLoader(Augmented(), 4, shuffle=True)], ids=["order", "augmented"])
def test_what_a_model_draws_changes_nothing_of_what_it_is_fed(make: object) -> None:
    assert callable(make)
    torch.manual_seed(1)
    one = order(Stream(make(), seed=5), draws=0)
    torch.manual_seed(2)
    two = order(Stream(make(), seed=5), draws=7)

    assert one == two
    assert one[: len(one) // 2] != one[len(one) // 2 :]
    assert one != order(Stream(make(), seed=6), draws=0)


def test_and_what_it_is_fed_changes_nothing_of_what_a_model_draws() -> None:
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(4), random.random()
    torch.manual_seed(3)
    random.seed(3)
    order(Stream(loader(), seed=5), draws=0)

    assert torch.equal(torch.rand(4), expected[0])
    assert random.random() == expected[1]


@pytest.mark.parametrize(("at_most", "batches"), [(24, 3), (28, 3), (29, 4), (1, 1)])
def test_a_pass_can_be_cut_short_to_the_nearest_batch_and_all_is_counted(at_most: int, batches: int) -> None:
    stream = Stream(loader(), seed=0, at_most=at_most)
    order(stream, draws=0, passes=4)

    assert (stream.drawn, stream.samples, stream.passes) == (4 * batches, 32 * batches, 4)


def test_a_pass_that_never_ended_is_as_long_as_its_loader_says() -> None:
    broken, ended = Stream(loader(), seed=0), Stream(loader(), seed=0)
    next(iter(broken))
    order(ended, draws=0)

    assert (broken.samples, broken.per_pass) == (8, 40)
    assert ended.per_pass == 40


def test_it_answers_for_the_loader_and_can_be_copied() -> None:
    stream = Stream(loader(), seed=0)

    assert (stream.batch_size, len(stream.dataset), len(stream)) == (8, 40, 5)
    assert order(copy.copy(stream), 0) == order(Stream(loader(), seed=0), 0)
    with pytest.raises(AttributeError):
        stream.nonsense  # noqa: B018
    with pytest.raises(TypeError):
        len(Stream(iter([1]), seed=0))
