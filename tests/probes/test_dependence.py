"""What depends on inputs, labels, their scale and their form."""

from __future__ import annotations

import pytest
import torch
from faults import (
    binary_labels_one_and_two,
    classes_as_float_column,
    classes_from_one,
    columns_of_unlike_scale_before_a_norm,
    labelled,
    on_digits,
    plain,
    raw_pixels,
    regression,
)
from measuring import measured
from programs import convolutions_on_raw_pixels, counts, digits, mlp, scales_its_inputs_itself, text, two_inputs
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.dependence import dependence
from torchdoctor.probes.input_scale import input_scale
from torchdoctor.probes.label_trial import label_trial


def test_outputs_depend_on_inputs_and_the_loss_on_labels() -> None:
    values, _ = measured(dependence, mlp())
    assert values["input_dependence", ""] > 0.05
    assert values["label_dependence", ""] > 1e-4


def test_a_constant_net_depends_on_no_input() -> None:
    model = plain()
    nn.init.zeros_(model[3].weight)
    assert measured(dependence, on_digits(model))[0]["input_dependence", ""] == 0


def test_each_of_several_inputs_is_tried_alone() -> None:
    parts = two_inputs()
    nn.init.zeros_(parts.model.numbers.weight)
    values, _ = measured(dependence, parts)
    assert values["input_dependence", "0"] > 0.01
    assert values["input_dependence", "1"] == 0


def test_a_loss_that_broadcasts_does_not_depend_on_which_label_is_whose() -> None:
    x, y = digits(64)
    model = plain(outputs=1)
    optimizer = torch.optim.Adam(model.parameters())
    broadcast = Parts(model, nn.MSELoss(), optimizer, [(x / 16, y.float())])
    paired = Parts(model, nn.MSELoss(), optimizer, [(x / 16, y.float().unsqueeze(1))])
    assert measured(dependence, broadcast)[0]["label_dependence", ""] < 1e-5
    assert measured(dependence, paired)[0]["label_dependence", ""] > 1e-4


def test_targets_as_outputs_bring_a_plain_regression_loss_to_nothing() -> None:
    assert measured(dependence, regression(3.0, 1.0))[0]["target_as_output_loss", ""] == 0
    assert measured(dependence, counts())[0]["target_as_output_loss", ""] > 1


def test_what_enters_is_seen_after_the_models_own_scaling() -> None:
    values, _ = measured(input_scale, scales_its_inputs_itself())
    assert values["entering_absmax", "fc1"] == pytest.approx(1.0)
    assert measured(input_scale, raw_pixels())[0]["entering_absmax", "1"] == 255


def test_a_norm_behind_the_first_layer_makes_the_scale_indifferent() -> None:
    assert measured(input_scale, convolutions_on_raw_pixels())[0]["input_gain", ""] < 2
    assert measured(input_scale, raw_pixels())[0]["input_gain", ""] > 20


def test_a_norm_does_not_undo_columns_of_unlike_scale() -> None:
    values, _ = measured(input_scale, columns_of_unlike_scale_before_a_norm())
    assert values["entering_spread", "0"] > 1e4 and values["entering_feature", "0"] == 2


def test_what_is_looked_up_has_no_scale() -> None:
    assert measured(input_scale, text())[0] == {}


def test_a_leading_batch_norm_leaves_nothing_unscaled() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
    assert measured(input_scale, on_digits(model, 16.0))[0] == {}


def test_rare_flags_are_no_badly_scaled_features() -> None:
    x = torch.cat([torch.randn(96, 3), (torch.arange(96) % 50 == 0).float().unsqueeze(1)], 1)
    model = nn.Linear(4, 1)
    parts = Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), [(x, x[:, :1])] * 2)
    values, _ = measured(input_scale, parts)
    assert values["entering_shift", ""] < 1 and values["entering_spread", ""] < 2


def test_labels_out_of_range_are_named_with_their_samples() -> None:
    parts = classes_from_one()
    values, facts = measured(label_trial, parts)
    labels = parts.train.dataset.tensors[1]
    assert values["refused_label_share", ""] == pytest.approx(float((labels == 10).float().mean()))
    assert facts["refused_labels"]["labels"] == [10]
    assert all(labels[i] == 10 for i in facts["refused_labels"]["samples"])
    assert values["loss_refuses", ""] == 1


def test_a_change_that_makes_the_loss_take_the_targets_is_named() -> None:
    _, facts = measured(label_trial, classes_as_float_column())
    assert facts["loss_refusal"]["works_with"] == "target.squeeze(1).long()"


def test_what_only_broadcasts_is_no_cure() -> None:
    _, facts = measured(label_trial, labelled(lambda y: y.float(), nn.MSELoss()))
    assert facts["loss_refusal"]["works_with"] == ""


def test_a_label_for_which_the_loss_has_no_bottom_is_refused() -> None:
    values, facts = measured(label_trial, binary_labels_one_and_two())
    assert facts["refused_labels"]["labels"] == [2.0]
    assert 0.3 < values["refused_label_share", ""] < 0.7


def negated_score(output: Tensor, target: Tensor) -> Tensor:
    return -output.gather(1, target.unsqueeze(1)).mean()


HARMLESS = {
    "cross-entropy": lambda: labelled(lambda y: y),
    "some ignored": lambda: labelled(lambda y: torch.where(y == 3, -100, y)),
    "one-hot rows": lambda: labelled(lambda y: nn.functional.one_hot(y, 10).float()),
    "flags": lambda: labelled(lambda y: (y > 4).float().unsqueeze(1), nn.BCEWithLogitsLoss(), 1),
    "signs": lambda: labelled(lambda y: (y > 4).float().unsqueeze(1) * 2 - 1, nn.SoftMarginLoss(), 1),
    "negative for every label": lambda: labelled(lambda y: y, negated_score),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("build", HARMLESS.values(), ids=HARMLESS.keys())
def test_labels_that_the_loss_takes_are_not_refused(build: object) -> None:
    values, facts = measured(label_trial, build())  # type: ignore[operator]
    assert values["loss_refuses", ""] == 0 and values.get(("refused_label_share", ""), 0.0) == 0
    assert "refused_labels" not in facts
