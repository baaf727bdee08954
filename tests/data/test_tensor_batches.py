"""Batches out of tensors: each sample once, in an order that only seed and pass decide, resumable to the batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts


def numbered(n: int, batch_size: int = 4, shuffle: bool = True, seed: int = 0) -> TensorBatches:
    return TensorBatches(torch.arange(n).float()[:, None], torch.arange(n), batch_size, shuffle, seed)


def rows(loader: TensorBatches) -> list[int]:
    return [int(i) for _, y in loader for i in y]


@given(n=st.integers(1, 60), batch_size=st.integers(1, 20), shuffle=st.booleans(), seed=st.integers(0, 2**31))
def test_each_sample_comes_once_and_the_length_is_the_number_of_batches(n, batch_size, shuffle, seed):
    loader = numbered(n, batch_size, shuffle, seed)
    batches = list(loader)
    seen = [int(i) for _, y in batches for i in y]
    assert len(loader) == len(batches)
    assert len(seen) == len(set(seen))
    left_out = shuffle and n > batch_size > 1 and n % batch_size == 1
    assert len(seen) == n - left_out
    assert all(torch.equal(x[:, 0].long(), y) for x, y in batches)


def test_the_order_depends_on_the_seed_and_the_pass_and_nothing_else():
    one, other = numbered(20, seed=3), numbered(20, seed=3)
    first = rows(one)
    torch.manual_seed(99)
    torch.rand(7)
    assert rows(other) == first
    assert rows(one) == rows(other) != first
    assert rows(numbered(20, seed=4)) != first


def test_without_shuffling_the_order_is_that_of_the_samples_and_nothing_is_left_out():
    assert rows(numbered(9, shuffle=False)) == list(range(9))


@given(taken=st.integers(0, 6), passes=st.integers(0, 2), shuffle=st.booleans())
def test_a_restored_loader_gives_exactly_what_was_left(taken, passes, shuffle):
    loader = numbered(26, shuffle=shuffle)
    for _ in range(passes):
        rows(loader)
    going = iter(loader)
    for _ in range(taken):
        next(going)
    state = loader.state_dict()
    rest = [int(i) for _, y in going for i in y]
    twin = numbered(26, shuffle=shuffle, seed=1)
    twin.load_state_dict(state)
    assert rows(twin) == rest
    assert rows(twin) == rows(loader)


def test_a_reader_that_stops_early_does_not_disturb_the_place_of_another():
    loader, twin = numbered(24), numbered(24)
    going = iter(loader)
    next(going)
    generator = loader.generator.get_state()
    next(iter(loader))  # as an examination does, which puts the generator back
    loader.generator.set_state(generator)
    next(going)
    twin.load_state_dict(loader.state_dict())
    assert rows(twin) == [int(i) for _, y in going for i in y]


@pytest.mark.parametrize(("x", "y", "size"), [(3, 4, 2), (0, 0, 2), (3, 3, 0)])
def test_what_cannot_be_batched_is_refused(x, y, size):
    with pytest.raises(BadParts):
        TensorBatches(torch.zeros(x, 2), torch.zeros(y), size)


@pytest.mark.parametrize(("n", "size", "says"), [(24, 8, "batch_size is 4 there and 8 here"), (20, 4, "samples is 24")])
def test_a_state_of_other_batches_is_refused(n, size, says):
    state = TensorBatches(torch.zeros(24, 2), torch.zeros(24), 4).state_dict()
    with pytest.raises(ValueError, match=says):
        TensorBatches(torch.zeros(n, 2), torch.zeros(n), size).load_state_dict(state)
