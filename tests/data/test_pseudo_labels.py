"""Pseudo-labels: the surest first, no class more than its share, and nothing kept that lowers the validation score."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from torchdoctor.data.digits import digits
from torchdoctor.data.pseudo_labels import confident, self_trained
from torchdoctor.errors import BadParts


def fit(x: Tensor, y: Tensor):
    model = LogisticRegression(max_iter=200).fit(x.numpy(), y.numpy())
    return lambda new: torch.from_numpy(model.predict_proba(new.numpy()))


def few_labels() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """60 labelled digits, 1200 without labels, 537 to validate."""
    data = digits()
    x, y = data.train_x.flatten(1).float() / 255, data.train_y
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    return x[:60], y[:60], x[60:1260], x[1260:], y[1260:]


def test_the_surest_are_taken_first_and_none_below_the_threshold():
    chosen = confident(torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.97, 0.03], [0.0, 1.0]]), threshold=0.8, most_share=1)
    assert chosen.rows.tolist() == [2, 0, 3] and chosen.labels.tolist() == [0, 0, 1]
    assert chosen.confidence.tolist() == pytest.approx([0.97, 0.9, 1.0])


def test_no_class_gets_more_than_its_share():
    leaning = torch.tensor([[0.99, 0.01]] * 90 + [[0.01, 0.99]] * 10)
    assert confident(leaning).labels.bincount().tolist() == [50, 10]
    assert confident(leaning, most_share=0.2).labels.bincount().tolist() == [20, 10]


@pytest.mark.parametrize(
    ("probabilities", "options"),
    [
        (torch.rand(3), {}),
        (torch.tensor([[2.0, -1.0]]), {}),
        (torch.tensor([[3.0, 1.0]]), {}),
        (torch.tensor([[0.5, 0.5]]), {"threshold": 0}),
        (torch.tensor([[0.5, 0.5]]), {"most_share": 2}),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(probabilities, options):
    with pytest.raises(BadParts):
        confident(probabilities, **options)


def test_digits_with_few_labels_are_learnt_no_worse_with_pseudo_labels():
    x, y, unlabelled, val_x, val_y = few_labels()
    grown = self_trained(
        x, y, unlabelled, fit, lambda p: (p(val_x).argmax(1) == val_y).double().mean().item(), threshold=0.7
    )
    kept = grown.scores[:-1] if grown.refused and "fell" in grown.refused else grown.scores
    assert grown.added > 100 and max(kept) == kept[-1] > kept[0]
    assert (grown.predict(val_x).argmax(1) == val_y).double().mean().item() == pytest.approx(kept[-1])


def test_a_falling_validation_score_throws_the_new_model_away():
    x, y, unlabelled, val_x, val_y = few_labels()
    models = []

    def worse_each_time(x: Tensor, y: Tensor):
        models.append(fit(x, y if not models else y.flip(0)))
        return models[-1]

    def score(predict) -> float:
        return (predict(val_x).argmax(1) == val_y).double().mean().item()

    grown = self_trained(x, y, unlabelled, worse_each_time, score, threshold=0.5)
    assert grown.predict is models[0] and grown.added == 0 and len(models) == 2
    assert "validation score fell from" in grown.refused and grown.scores[1] < grown.scores[0]


def test_a_model_that_is_sure_of_nothing_labels_nothing():
    x, y, unlabelled, _, _ = few_labels()
    grown = self_trained(x, y, unlabelled, fit, lambda p: 0.0, threshold=1.0)
    assert grown.added == 0 and "of no sample" in grown.refused
