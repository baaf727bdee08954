"""Several labels a sample, and a class for every pixel: scored as scikit-learn does, with samples resampled whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, hamming_loss, jaccard_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.evaluate.answers import answered
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.labels import label_scores, macro_f1, marks, mean_area, micro_f1, weighted_f1
from torchdoctor.evaluate.options import QUICK
from torchdoctor.evaluate.pixels import counted, labelled_by_pixel, mean_iou
from torchdoctor.evaluate.recorded import recorded
from torchdoctor.explain.explain import explain
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.run import Run
from torchdoctor.show.evaluation_page import write_evaluation
from torchdoctor.show.evaluation_text import tables


class Answers(nn.Module):
    """Gives the columns or maps of its input that come first."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.first]


def labelled(seed: int = 0, n: int = 90) -> tuple[Tensor, Tensor]:
    """Inputs whose first three columns are logits of three labels, mostly right; the third is rare."""
    draw = torch.Generator().manual_seed(seed)
    truth = (torch.rand(n, 3, generator=draw) < torch.tensor([0.5, 0.3, 0.1])).float()
    truth[:2] = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return torch.cat([(2 * truth - 1) + torch.randn(n, 3, generator=draw), torch.zeros(n, 1)], 1), truth


def maps(seed: int = 0, n: int = 12, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Pictures whose channels are the scores of classes; some pixels have no label."""
    draw = torch.Generator().manual_seed(seed)
    truth = torch.randint(0, classes, (n, 5, 6), generator=draw)
    scores = 2 * F.one_hot(truth, classes).movedim(-1, 1) + torch.randn(n, classes, 5, 6, generator=draw)
    truth[:, 0, :2] = torch.tensor([-100, 255])
    return scores, truth


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500))
def test_labels_are_scored_as_scikit_learn_does(seed: int) -> None:
    x, truth = labelled(seed)
    answers = answered(Answers(3), TensorBatches(x, truth, 32))
    called, true = (x[:, :3] > 0).int().numpy(), truth.int().numpy()
    assert answers.kind == "labels"
    assert micro_f1(*marks(answers)) == pytest.approx(f1_score(true, called, average="micro"))
    assert macro_f1(*marks(answers)) == pytest.approx(f1_score(true, called, average="macro"))
    assert weighted_f1(*marks(answers)) == pytest.approx(f1_score(true, called, average="weighted"))
    assert answers.right_share.mean() == pytest.approx(1 - hamming_loss(true, called))
    assert mean_area(answers.log_odds, answers.truth) == pytest.approx(roc_auc_score(true, x[:, :3].numpy()))
    alone = [score.f1.value for score in label_scores(answers, "abc")]
    assert alone == pytest.approx(f1_score(true, called, average=None, zero_division=0))


def test_labels_given_as_probabilities_are_the_same_answers() -> None:
    x, truth = labelled()
    one = answered(Answers(3), TensorBatches(x, truth))
    two = answered(nn.Sequential(Answers(3), nn.Sigmoid()), TensorBatches(x, truth))
    assert (one.reading.means, two.reading.means) == ("labels", "label probabilities")
    assert np.allclose(one.outputs, two.outputs, atol=1e-4)
    nats = F.binary_cross_entropy_with_logits(x[:, :3], truth, reduction="none").mean(1)
    assert one.surprise == pytest.approx(nats.numpy(), abs=1e-6)


def test_an_evaluation_of_labels_has_each_label_and_the_averages(tmp_path: Path) -> None:
    x, truth = labelled()
    loader = TensorBatches(x, truth, 32)
    found = evaluate(Answers(3), loader, classes=("sea", "sky", "<ship>"), against=("twin", Answers(3)), options=QUICK)
    area = roc_auc_score(truth.numpy(), x[:, :3].numpy(), average="macro")
    assert found.scores["test"].score.value == pytest.approx(area) and found.measure == "mean area under the ROC curve"
    assert [c.name for c in found.by_class] == [c.name for c in found.curves] == ["sea", "sky", "<ship>"]
    assert found.against.lead.value == 0 and found.residuals is None and found.confusion == ()
    assert "labels, not one class" in found.left_out["suspects"]
    assert found.worst[0].truth in ("sea, sky", "sea", "sky", "sky, <ship>", "<ship>", "–", "sea, <ship>")
    exact = ((x[:, :3] > 0) == (truth == 1)).all(1).double().mean()
    assert found.averages["all labels right"].value == pytest.approx(float(exact))
    assert found.averages["micro F1"].low < found.averages["micro F1"].value < found.averages["micro F1"].high
    heads = [head[0] for head, _ in tables(found)]
    assert "label" in heads and "over all" in heads
    page = write_evaluation(found, tmp_path / "page.html", title="labels", loader=loader).read_text()
    assert "&lt;ship&gt;" in page and "micro F1" in page and "Labels" in page


def test_a_label_is_explained_by_itself() -> None:
    pytest.importorskip("captum")
    x, truth = labelled()
    found = explain(Answers(3), TensorBatches(x, truth), 0, methods=["saliency"], classes=("sea", "sky", "ship"))
    assert found.truth == "sea, sky" and set(found.probabilities) == {"sea", "sky", "ship"}
    assert found.probabilities["sea"] == pytest.approx(float(x[0, 0].sigmoid()), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), classes=st.integers(2, 4))
def test_overlap_is_that_of_scikit_learn_and_pixels_without_a_label_do_not_count(seed: int, classes: int) -> None:
    scores, truth = maps(seed, classes=classes)
    pixels = counted(scores, truth).pixels.double().numpy()
    known = ((truth >= 0) & (truth < classes)).flatten().numpy()
    true, called = truth.flatten().numpy()[known], scores.argmax(1).flatten().numpy()[known]
    assert pixels[:, 1].sum() == known.sum()
    assert mean_iou(pixels) == pytest.approx(jaccard_score(true, called, average="macro"))


@pytest.mark.parametrize("form", ["logit", "probability", "two scores"])
def test_one_yes_or_no_a_pixel_is_two_classes_in_every_form(form: str) -> None:
    draw = torch.Generator().manual_seed(0)
    truth = (torch.rand(8, 1, 4, 4, generator=draw) < 0.4).float()
    logit = 2 * truth - 1 + torch.randn(8, 1, 4, 4, generator=draw)
    output, target = {
        "logit": (logit, truth),
        "probability": (logit.sigmoid(), truth[:, 0]),
        "two scores": (torch.cat([-logit / 2, logit / 2], 1), truth[:, 0].long()),
    }[form]
    assert labelled_by_pixel(output, target)
    found = counted(output, target)
    assert torch.equal(found.pixels, counted(logit, truth).pixels)
    nats = F.binary_cross_entropy_with_logits(logit, truth, reduction="none").flatten(1).mean(1)
    assert torch.allclose(found.surprise, nats, atol=1e-5)


def test_an_evaluation_of_pixels_has_an_overlap_for_each_class(tmp_path: Path) -> None:
    scores, truth = maps()
    loader = TensorBatches(scores, truth, 5)
    found = evaluate(Answers(3), loader, train=loader, classes=("sky", "sea", "land"), against=("twin", Answers(3)))
    right = (scores.argmax(1) == truth)[(truth >= 0) & (truth < 3)].double().mean()
    assert found.measure == "pixel accuracy" and found.scores["test"].score.value == pytest.approx(float(right))
    assert [r.name for r in found.regions] == ["sky", "sea", "land"] and set(found.averages) >= {
        "mean IoU",
        "mean Dice",
    }
    assert found.averages["mean IoU"].low < found.averages["mean IoU"].value < found.averages["mean IoU"].high
    assert "pixels, not one answer per sample" in found.left_out["baselines"] and found.against.lead.value == 0
    assert found.worst[0].guess.endswith("%")
    trace = Run(recorded(found, tmp_path / "run")).trace()
    assert trace.value("region_overlap", "sea") == found.regions[1].iou.value
    assert diagnose(tmp_path / "run").crashed == {}
    page = write_evaluation(found, tmp_path / "page.html", title="pixels", loader=loader).read_text()
    assert (
        "mean IoU" in page and "Overlap" in page and ("class", "share of pixels") in [h[:2] for h, _ in tables(found)]
    )


def test_pixels_of_which_none_has_a_label_are_refused() -> None:
    scores, truth = maps()
    with pytest.raises(BadParts, match="No pixel has a label"):
        answered(Answers(3), TensorBatches(scores, torch.full_like(truth, -100)))
    yes_or_no, amounts = torch.ones(4, 1, 5, 6), torch.rand(4, 1, 5, 6)
    with pytest.raises(BadParts, match="goes on with targets that are none"):
        answered(nn.Identity(), TensorBatches(torch.rand(8, 1, 5, 6), torch.cat([yes_or_no, amounts]), 4))
