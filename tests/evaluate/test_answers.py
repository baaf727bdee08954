"""What outputs mean is read off their values; rows keep their numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.evaluate.answers import answered, picked, samples_of
from torchdoctor.evaluate.in_order import in_order
from torchdoctor.evaluate.reading import reading_of


def table(n=50, features=3, seed=0):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed))


def test_answers_that_are_nan_are_counted_and_refused():
    x = table(9)
    x[2] = x[4] = torch.nan
    with pytest.raises(BadParts, match="answers 2 of 9 samples of test with NaN"):
        answered(nn.Linear(3, 2), TensorBatches(x, torch.arange(9) % 2, 4), "test")


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_answers_and_targets_that_are_not_finite_are_counted_and_refused(bad):
    layer, x, y = nn.Linear(3, 1), table(9), table(9, 1, 1)
    y[3] = bad
    with pytest.raises(BadParts, match="targets of 1 of 9 samples of test are NaN or infinite"):
        answered(layer, TensorBatches(x, y, 4), "test")
    x[2] = x[4] = bad
    with pytest.raises(BadParts, match="answers 2 of 9 samples of test with NaN or infinity"):
        answered(layer, TensorBatches(x, table(9, 1), 4), "test")


def test_a_class_may_be_ruled_out_by_a_score_of_minus_infinity():
    class Two(nn.Module):
        def forward(self, x):
            return torch.cat([x[:, :2], torch.full((len(x), 1), -torch.inf)], 1)

    found = answered(Two(), TensorBatches(table(9), torch.arange(9) % 2, 4))
    assert found.guesses.max() < 2 and np.isfinite(found.confidence).all()


@pytest.mark.parametrize(
    ("output", "target", "means"),
    [
        (table(9, 4), torch.arange(9) % 4, "scores"),
        (table(9, 4).log_softmax(1), torch.arange(9) % 4, "scores"),
        (table(9, 4).softmax(1), torch.arange(9)[:, None] % 4, "probabilities"),
        (table(9, 4), torch.eye(4)[torch.arange(9) % 4], "scores"),
        (table(9, 1), (torch.arange(9) % 2).float()[:, None], "logit"),
        (table(9, 1)[:, 0], torch.arange(9) % 2, "logit"),
        (table(9, 1).sigmoid(), (torch.arange(9) % 2).float(), "probability"),
        (table(9, 1), torch.arange(9.0)[:, None], "numbers"),
        (table(9, 2), table(9, 2, 1), "numbers"),
    ],
)
def test_outputs_are_read_by_their_values(output, target, means):
    assert reading_of(output, target).means == means


@pytest.mark.parametrize(
    ("output", "target"), [(table(9, 3), torch.zeros(9, 2)), (torch.zeros(9, 3, 4, 4), torch.zeros(9, 4, 4).long())]
)
def test_what_is_not_one_answer_per_sample_is_refused_with_the_shapes(output, target):
    with pytest.raises(BadParts, match=r"\(9, 3"):
        reading_of(output, target)


@given(seed=st.integers(0, 1000))
def test_scores_log_probabilities_and_probabilities_of_the_same_net_say_the_same(seed):
    logits, truth = table(20, 5, seed).double(), torch.arange(20) % 5
    given = [logits, logits.log_softmax(1), logits.softmax(1)]
    odds = [reading_of(o, truth).log_odds(o) for o in given]
    for other in odds[1:]:
        assert torch.allclose(odds[0], other, atol=1e-6)
    surprise = reading_of(logits, truth).surprise(logits, truth)
    assert torch.allclose(surprise, nn.functional.cross_entropy(logits, truth, reduction="none"))


def test_one_output_is_two_classes():
    logit, truth = table(30, 1).double(), (torch.arange(30) % 2).float()[:, None]
    for output in (logit, logit.sigmoid()):
        reading = reading_of(output, truth)
        reference = nn.functional.binary_cross_entropy_with_logits(logit, truth.double(), reduction="none")[:, 0]
        assert torch.allclose(reading.surprise(output, truth), reference, atol=1e-6)
        assert torch.allclose(reading.log_odds(output).exp().sum(1), torch.ones(30).double())


def test_a_pass_keeps_modes_gradients_and_random_numbers_as_they_were():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 3)).train()
    model[2].eval()
    state = torch.get_rng_state()
    found = answered(model, TensorBatches(table(), torch.arange(50) % 3, 7), loss_fn=nn.CrossEntropyLoss())
    assert torch.equal(state, torch.get_rng_state())
    assert [m.training for m in model] == [True, True, False] and model[0].weight.grad is None
    assert found.loss == pytest.approx(found.surprise.mean(), rel=1e-5)
    assert found.score == pytest.approx(found.right.mean()) and len(found) == 50


def test_samples_without_a_label_are_left_out_and_the_others_keep_their_number():
    target = torch.arange(20) % 3
    target[[2, 5]] = -100
    loader = TensorBatches(table(20), target, 6)
    found = answered(nn.Linear(3, 3), loader)
    assert len(found) == 18 and found.rows[2] == 3 and found.rows[-1] == 19
    inputs, labels = samples_of(found, loader, np.array([2, 0]))
    assert torch.equal(inputs[0], table(20)[[3, 0]]) and labels.tolist() == [0, 0]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_picked_gives_samples_in_the_order_they_were_asked_for(size):
    x = torch.arange(20.0)[:, None]
    loader = DataLoader(TensorDataset(x, 2 * x, x), size)
    inputs, target = picked(loader, [7, 0, 19, 7])
    assert inputs[0][:, 0].tolist() == [7, 0, 19, 7] and inputs[1][:, 0].tolist() == [14, 0, 38, 14]
    assert target[:, 0].tolist() == [7, 0, 19, 7]
    with pytest.raises(BadParts, match="20 samples"):
        picked(loader, [33])


def test_shuffled_loaders_are_put_in_order_and_others_that_shuffle_are_found_out():
    x, y = table(30), torch.arange(30) % 5
    for loader in (
        TensorBatches(x, y, 7, shuffle=True),
        DataLoader(TensorDataset(x, y), 7, shuffle=True, drop_last=True),
    ):
        given = torch.cat([batch for batch, _ in in_order(loader)])
        assert torch.equal(given, x)

    class Own:
        def __iter__(self):
            self.passes = getattr(self, "passes", 0) + 1
            order = torch.randperm(30, generator=torch.Generator().manual_seed(self.passes))
            yield x[order], y[order]

    loader = in_order(Own())
    found = answered(nn.Linear(3, 5), loader)
    with pytest.raises(BadParts, match="another order"):
        samples_of(found, loader, np.arange(30))
