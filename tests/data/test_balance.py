"""Classes of unequal size: weights, a balanced sampler, and its shares among processes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from torchdoctor.data.balance import class_weights, sample_weights
from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts

Y = torch.repeat_interleave(torch.arange(3), torch.tensor([900, 90, 10]))


def loader(n: int = 50, size: int = 8, shuffle: bool = True, rank: int = 0, world: int = 1, seed: int = 0, **more):
    return TensorBatches(torch.arange(n), torch.arange(n), size, shuffle, seed, rank=rank, world=world, **more)


def test_class_weights_are_those_of_scikit_learn():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=Y.numpy())
    assert class_weights(Y, 3).tolist() == pytest.approx(expected.tolist())
    assert class_weights(Y, 3)[Y].mean().item() == pytest.approx(1)


def test_a_class_that_training_lacks_weighs_one_and_disturbs_nobody():
    assert class_weights(Y, 5)[:3].tolist() == class_weights(Y, 3).tolist() and class_weights(Y, 5)[3:].tolist() == [
        1,
        1,
    ]


@pytest.mark.parametrize("y", [torch.rand(5), torch.zeros(5, 2, dtype=torch.int64)])
def test_only_classes_are_balanced(y):
    with pytest.raises(BadParts, match=r"data\.balance is for classes"):
        class_weights(y, 2)


def test_a_balanced_sampler_draws_each_class_equally_often():
    batches = TensorBatches(Y, Y, 50, weights=sample_weights(Y, 3), seed=1)
    seen = torch.cat([y for _ in range(10) for _, y in batches])
    assert len(seen) == 10_000 and (seen.bincount() / len(seen)).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_what_is_drawn_depends_on_seed_and_pass_alone_and_goes_on_after_a_restart():
    def drawn(seed: int) -> TensorBatches:
        return TensorBatches(Y, Y, 64, weights=sample_weights(Y, 3), seed=seed)

    one, same, other = drawn(0), drawn(0), drawn(1)
    first = [y.tolist() for _, y in one]
    torch.manual_seed(5)
    assert [y.tolist() for _, y in same] == first != [y.tolist() for _, y in other]
    going = iter(one)
    next(going)
    state = one.state_dict()
    rest = [y.tolist() for _, y in going]
    other.load_state_dict(state)
    assert [y.tolist() for _, y in other] == rest != first[1:]


@given(
    n=st.integers(1, 70),
    each=st.integers(1, 5),
    world=st.integers(1, 4),
    shuffle=st.booleans(),
    weighted=st.booleans(),
)
def test_together_the_processes_get_the_batches_of_one(n, each, world, shuffle, weighted):
    more = {"weights": torch.rand(n, generator=torch.Generator().manual_seed(n)) + 0.01} if weighted else {}
    ranks = [loader(n, each * world, shuffle, rank, world, **more) for rank in range(world)]
    alone = loader(n, each * world, shuffle, **more)
    shares = [list(r) for r in ranks]
    assert {len(s) for s in shares} == {len(r) for r in ranks}  # else one would wait for ever
    whole = [y.tolist() for _, y in alone]
    for batch, pieces in zip(whole, zip(*shares)):
        together = [int(y) for _, piece in pieces for y in piece]
        assert sorted(together) == sorted(batch)
    left = n % (each * world)
    assert len(whole) - len(shares[0]) == (1 if (shuffle or weighted) and 2 <= left < world and n > left else 0)
    if shuffle or weighted:
        assert all(len(y) for s in shares for _, y in s) or n < world


def test_shares_of_a_whole_batch_are_equal_so_that_mean_gradients_average_to_its_own():
    for rank in range(4):
        assert [len(y) for _, y in loader(64, 16, True, rank, 4)] == [4, 4, 4, 4]


@pytest.mark.parametrize(
    "wrong",
    [{"size": 9, "world": 2}, {"rank": 2, "world": 2}, {"weights": torch.ones(3)}, {"weights": torch.zeros(50)},
     {"weights": -torch.ones(50)}],
)  # fmt: skip
def test_shares_and_weights_that_do_not_fit_are_refused(wrong):
    with pytest.raises(BadParts):
        loader(**wrong)
