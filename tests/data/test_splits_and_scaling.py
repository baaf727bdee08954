"""Splits keep the classes in proportion; scaling knows the training samples alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.data.batch import as_batch, batches_of
from torchdoctor.data.cut import stratified
from torchdoctor.data.digits import digits
from torchdoctor.data.pairs import Pairs
from torchdoctor.data.samples import as_divided, divided, limited
from torchdoctor.data.scaling import scaling
from torchdoctor.data.splits import Splits, as_splits
from torchdoctor.errors import BadParts


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    shares=st.tuples(st.floats(0.1, 1), st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 1000),
)
def test_every_sample_lands_in_one_part_and_every_class_is_divided_alike(counts, shares, seed):
    y = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    parts = stratified(y, shares, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
    for part, share in zip(parts, shares):
        for label, count in enumerate(counts):
            assert abs(int((y[part] == label).sum()) - count * share / sum(shares)) <= 1


def test_digits_are_divided_70_20_10_the_same_way_for_the_same_seed():
    whole = digits()
    assert whole.train_x.shape == (1797, 1, 8, 8) and whole.train_x.dtype == torch.uint8
    assert int(whole.train_x.max()) == 255 and whole.train_y.unique().tolist() == list(range(10))
    one, same, other = (divided(as_divided(whole), (0.7, 0.2, 0.1), seed) for seed in (0, 0, 1))
    assert [len(part) for part in one] == pytest.approx([1258, 360, 179], abs=3)
    assert torch.equal(one.train.x, same.train.x) and not torch.equal(one.train.x, other.train.x)


def test_a_test_set_of_its_own_is_kept_and_validation_is_cut_from_training():
    x, y = torch.arange(90.0)[:, None], torch.arange(90) % 2
    cut = divided(as_divided(Splits(x, y, None, None, x[:10] + 1000, y[:10])), (0.7, 0.2, 0.1), 0)
    assert len(cut.train) == 70 and len(cut.val) == 20 and torch.equal(cut.test.x, x[:10] + 1000)
    assert not set(cut.train.x[:, 0].tolist()) & set(cut.val.x[:, 0].tolist())


def test_a_share_of_zero_gives_no_part_rather_than_an_empty_one():
    cut = divided(as_divided(Splits(torch.zeros(10, 2), torch.zeros(10))), (1, 0, 0), 0)
    assert cut.val is None and cut.test is None and len(cut.train) == 10


def test_a_limit_keeps_the_classes_in_proportion():
    few = limited(divided(as_divided(digits()), (0.7, 0.2, 0.1), 0), 100, 0)
    assert [len(part) for part in few] == pytest.approx([100, 100, 100], abs=5)
    assert few.train.y.bincount().min() >= 8


@pytest.mark.parametrize("limit", [1, 4, 5, 15, 101])
def test_a_limit_is_met_also_where_classes_get_a_fraction_of_a_sample(limit):
    few = limited(divided(as_divided(digits()), (0.7, 0.2, 0.1), 0), limit, 0)
    assert [len(part) for part in few] == [limit] * 3


@pytest.mark.parametrize(
    "given",
    [
        torch.zeros(3),
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3),) * 4,
        (None, None),
        (np.array(["a", "b"]), np.zeros(2)),
        (np.zeros(3), np.zeros(3), np.zeros(2), None, None, None),
        (np.zeros((0, 2)), np.zeros(0)),
    ],
)
def test_what_is_no_data_set_is_refused_in_one_line_that_names_the_function(given):
    with pytest.raises(BadParts, match="my:data") as refused:
        as_splits(given, "my:data")
    assert "\n" not in str(refused.value)


def test_arrays_become_tensors_of_the_types_that_losses_take():
    made = as_splits((np.zeros((4, 3), np.uint8), np.zeros(4, np.uint8)), "f")
    assert (made.train_x.dtype, made.train_y.dtype) == (torch.uint8, torch.int64)
    made = as_splits(([[1.0], [2.0]], np.array([0.5, 1.5])), "f")
    assert (made.train_x.dtype, made.train_y.dtype) == (torch.float32, torch.float32)


def test_standard_scaling_is_that_of_numpy_per_channel_and_uses_training_samples_only():
    torch.manual_seed(0)
    x = torch.rand(50, 3, 4, 4) * torch.tensor([1.0, 10, 0]).reshape(3, 1, 1) + 5
    made = scaling(x[:40], "standard")
    reference = x[:40].double().numpy()
    mean, std = reference.mean((0, 2, 3), keepdims=True), reference.std((0, 2, 3), keepdims=True)
    expected = (x.double().numpy() - mean) / np.where(std > 1e-6, std, 1)
    assert np.allclose(made(x).numpy(), expected, atol=1e-4)
    assert made(x).std((0, 2, 3))[2] == 0  # a channel that never varies is centred and left alone


def test_unit_scaling_divides_by_the_largest_training_value():
    x = torch.tensor([[0], [128], [255]], dtype=torch.uint8)
    assert scaling(x, "unit")(x).squeeze(1).tolist() == pytest.approx([0, 128 / 255, 1])
    assert torch.equal(scaling(x, "none")(x), x.float())


def test_scaling_by_given_numbers_fits_one_number_or_one_per_channel():
    x = torch.ones(2, 3, 4)
    assert scaling(x, (1.0, [1.0, 2.0, 4.0]))(x + 4)[0, :, 0].tolist() == [4, 2, 1]
    with pytest.raises(BadParts, match="2 numbers for 3 channels"):
        scaling(x, ([1.0, 2.0], 1.0))


def test_pairs_reads_a_loader_of_dicts():
    class Dicts(TensorDataset):
        def __getitem__(self, i):
            return {"ids": self.tensors[0][i], "mask": self.tensors[0][i] > 0, "labels": self.tensors[1][i]}

    loader = Pairs(
        DataLoader(Dicts(torch.arange(6), torch.arange(6) * 2), batch_size=3), inputs=("ids", "mask"), target="labels"
    )
    inputs, target = as_batch(next(iter(loader)))
    assert inputs[0].tolist() == [0, 1, 2] and inputs[1].dtype == torch.bool and target.tolist() == [0, 2, 4]
    assert len(loader) == 2 and loader.batch_size == 3 and len(loader.dataset) == 6
    assert len(list(loader)) == len(list(loader)) == 2


def test_pairs_names_the_nearest_key_and_refuses_what_are_no_dicts():
    with pytest.raises(BadParts, match=r"no 'label'\. Did you mean 'labels'"):
        next(iter(Pairs([{"x": 1, "labels": 2}], inputs="x", target="label")))
    with pytest.raises(BadParts, match="tuples"):
        next(iter(Pairs([(1, 2)], inputs="x", target="y")))


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        ([], "empty"),
        (iter([(torch.zeros(1), torch.zeros(1))]), "only once"),
        ([torch.zeros(3)], "single Tensors"),
        ([(torch.zeros(3),)], "lists of 1"),
        ([{"x": torch.zeros(3)}], r"Pairs\(loader"),
        ([("a", torch.zeros(3))], "inputs of type str"),
        ([(torch.zeros(3), "b")], "targets of type str"),
    ],
)
def test_loaders_that_cannot_be_trained_on_are_refused_in_one_line(loader, said):
    with pytest.raises(BadParts, match=said) as refused:
        list(batches_of(loader, "train"))
    assert "\n" not in str(refused.value)
