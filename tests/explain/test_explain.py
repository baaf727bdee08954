"""A whole explanation of a trained net and of a table; its page."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts, BadRun
from torchdoctor.evaluate.opened import Opened
from torchdoctor.evaluate.reading import Reading
from torchdoctor.explain.checks import deletion
from torchdoctor.explain.explain import explain
from torchdoctor.explain.recorded import recorded
from torchdoctor.explain.subject import Subject
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Run
from torchdoctor.show.explanation_page import write_explanation
from torchdoctor.train.run import train

pytest.importorskip("captum")
RECIPE = Recipe.from_dict({
    "data": {"scale": "standard"}, "optimizer": {"lr": 0.05, "momentum": 0.9},
    "train": {"epochs": 6, "device": "cpu", "threads": 1},
})  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return Opened.of(train(RECIPE, tmp_path_factory.mktemp("runs") / "lenet").folder)


@pytest.fixture(scope="module")
def found(opened):
    return explain(opened.model, opened.loader("test"), 3)


def test_it_is_about_the_sample_that_was_asked_for(opened, found):
    x, y = opened.test.x[3], int(opened.test.y[3])
    assert torch.equal(found.x, x) and found.truth == str(y)
    with torch.no_grad():
        p = opened.model(x[None]).softmax(1)[0]
    assert found.guess == found.target == next(iter(found.probabilities)) == str(int(p.argmax()))
    assert found.probabilities[found.guess] == pytest.approx(float(p.max()), abs=1e-5)


def test_it_holds_every_method_with_its_checks_and_every_convolution(found):
    methods = ["saliency", "grad-cam", "hires-cam", "integrated-gradients", "occlusion"]
    assert [a.method for a in found.attributions] == methods and found.left_out == {}
    assert {c.method for c in found.checks} == set(methods) and len(found.checks) == 11
    assert [(s.layer, s.field, s.channels) for s in found.layers] == [("conv1", (5, 5), 6), ("conv2", (8, 8), 16)]
    complete = next(c for c in found.checks if c.name == "completeness")
    assert complete.passed


def test_hires_cam_finds_what_counts_where_dense_layers_read_the_maps(opened):
    """Grad-CAM does not: its lead here is -0.5 or so, with an interval around zero."""
    x = opened.test.x[:64]
    subject = Subject.of(opened.model, Reading("scores"), x)
    with torch.no_grad():
        found = deletion(subject, x, opened.model(x).argmax(1), "hires-cam")
    assert found.passed, found.said


def test_the_same_seed_gives_the_same_explanation(opened, found):
    again = explain(opened.model, opened.loader("test"), 3)
    assert again.checks == found.checks
    assert all(torch.equal(a.values, b.values) for a, b in zip(again.attributions, found.attributions))


def test_the_true_class_can_be_explained_instead(opened):
    fixed = opened.test
    wrong = TensorBatches(fixed.x[:8], (fixed.y[:8] + 1) % 10)
    found = explain(opened.model, wrong, 0, of="truth", methods=["saliency"])
    assert found.target == found.truth != found.guess


def test_it_is_kept_in_a_folder_of_its_own_and_drawn_without_a_network(opened, found, tmp_path):
    folder = recorded(found, tmp_path / "explanation", parent=opened.folder, checkpoint="best")
    assert Run(folder).trace().facts["sample"] == 3
    kept = json.loads((folder / "explanation.json").read_text())
    assert len(kept["attributions"]["saliency"]) == 8 and kept["checks"][0]["method"] == "saliency"
    page = write_explanation(found, tmp_path / "page.html", title="<b>lenet</b>").read_text()
    assert page.count("<script") == 1 and "script-src &#39;sha256-" in page, "day and night, and nothing else"
    assert "http:" not in page and "https:" not in page and "&lt;b&gt;lenet" in page
    assert page.count("data:image/png;base64,") > 100
    with pytest.raises(BadRun, match="already holds"):
        recorded(found, folder, parent=opened.folder)


def test_rows_of_a_table_are_explained_by_feature(tmp_path):
    random = torch.Generator().manual_seed(0)
    x = torch.randn(120, 6, generator=random)
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.zero_()
        model.weight[1, 4] = 5.0
    y = (x[:, 4] > 0).long()
    sure = int(x[:, 4].argmax())
    found = explain(model, TensorBatches(x, y), sample=sure, classes=("a", "b", "c"))
    assert "convolution" in found.left_out["grad-cam"] and found.guess == "b" and found.layers == ()
    for a in found.attributions:
        assert int(a.values.abs().argmax()) == 4
    page = write_explanation(found, tmp_path / "page.html", title="table", names=["f0", "f1", "f2", "f3", "income"])
    text = page.read_text()
    assert text.index(">income<") < text.index(">f0<") and ">#5<" in text


def test_numbers_are_explained_by_their_first_output():
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    found = explain(nn.Linear(3, 1), TensorBatches(x, x[:, :1]), 0)
    assert found.probabilities == {} and found.target == "output 0" and len(found.attributions) == 3


@pytest.mark.parametrize(
    ("sample", "methods", "says"), [(999, ["saliency"], "from 0 to"), (0, ["salience"], "'saliency'")]
)
def test_what_is_not_there_is_refused_in_one_line(opened, sample, methods, says):
    with pytest.raises(BadParts, match=says) as refused:
        explain(opened.model, opened.loader("test"), sample, methods=methods)
    assert "\n" not in str(refused.value)


def test_a_model_of_several_inputs_is_refused():
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    x = torch.randn(8, 3)
    with pytest.raises(BadParts, match="several inputs"):
        explain(Two(), [(x, x, torch.arange(8) % 3)], 0)
