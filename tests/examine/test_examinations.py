"""Faults that were planted are found and named; data that are sound raise no alarm, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from torchdoctor.data.augment.geometry import Flip, Rotate, Shift
from torchdoctor.data.augment.pixels import Brightness, Noise
from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.splits import Splits
from torchdoctor.examine.examine import examine, measured
from torchdoctor.examine.material import Material
from torchdoctor.examine.reading import material_of
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.diagnose import diagnose

SHARED = Path(__file__).parents[3] / "shared" / "data"  # real data sets, kept beside the project where there are any
PENGUINS = SHARED / "tabular_penguins" / "penguins.csv"


def recipe(**data: Any) -> Recipe:
    return Recipe.from_dict({"data": data})


def material(**data: Any) -> Material:
    return material_of(recipe(**data))


def looked_at(of: Material) -> tuple[Trace, Report]:
    trace = examine(of)
    report = judge(trace)
    assert failures(trace) == {} and report.crashed == {}
    return trace, report


def failures(trace: Trace) -> dict[str, str]:
    """Of examinations, but for those that found a small model too weak to tell."""
    return {name: why for name, why in trace.facts["probe_errors"].items() if "a small model gets" not in why}


def alarms(report: Report) -> set[str]:
    return {f.name for f in report if f.alarm}


def changed(of: Material, **parts: tuple[torch.Tensor, torch.Tensor]) -> Material:
    """The same with other samples in some parts."""
    x_and_y = [parts.get(name, (part.x, part.y)) for name, part in of.parts.items()]
    return Material.of(Splits(*(t for pair in x_and_y for t in pair)), classes=of.classes, policy=of.policy)


# -- sound data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast-cancer"])
def test_sound_data_raise_no_alarm(name: str) -> None:
    _, report = looked_at(material(name=name))
    assert alarms(report) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_another_split_raises_none_either(seed: int) -> None:
    given = material_of(Recipe.from_dict({"seed": seed, "data": {"name": "digits"}}))
    assert alarms(looked_at(given)[1]) == set()


def test_a_table_with_gaps_and_words_raises_none() -> None:
    if not PENGUINS.is_file():
        pytest.skip("the real penguins are not beside the project")
    trace, report = looked_at(material(name="table", root=str(PENGUINS), target="species"))
    assert alarms(report) == set()
    assert sum(trace.facts["missing"]["train"].values()) > 0 and trace.facts["data"]["kind"] == "rows"
    assert trace.value("baseline_score") > 0.95
    assert "body_mass_g" in [column["name"] for column in trace.facts["columns"]]


def test_mnist_raises_none() -> None:
    if not (SHARED / "mnist").is_dir():
        pytest.skip("the real mnist is not beside the project")
    _, report = looked_at(material(name="mnist", root=str(SHARED / "mnist"), limit=1000))
    assert alarms(report) == set()


# -- planted faults ---------------------------------------------------------------------------------------------------


def wrong_labels(y: torch.Tensor, share: float, seed: int = 0) -> tuple[torch.Tensor, set[int]]:
    random = np.random.default_rng(seed)
    rows = random.choice(len(y), round(share * len(y)), replace=False)
    noisy, classes = y.clone(), int(y.max()) + 1
    noisy[rows] = (y[rows] + torch.from_numpy(random.integers(1, classes, len(rows)))) % classes
    return noisy, set(rows.tolist())


def test_two_wrong_labels_in_a_hundred_are_found_and_most_suspects_are_right() -> None:
    digits = material(name="digits")
    noisy, rows = wrong_labels(digits.train.y, 0.02)
    trace, report = looked_at(changed(digits, train=(digits.train.x, noisy)))
    assert alarms(report) == {"noisy-labels"}
    suspects = trace.facts["label_suspect_rows"]
    right = len(rows & set(suspects))
    assert right >= 0.9 * len(suspects) and right >= 0.6 * len(rows)
    named = next(f for f in report if f.name == "noisy-labels").where
    assert set(named[:10]) <= rows


def test_the_worst_suspect_is_told_with_the_class_it_looks_like() -> None:
    digits = material(name="digits")
    noisy, _ = wrong_labels(digits.train.y, 0.02)
    trace = examine(changed(digits, train=(digits.train.x, noisy)))
    first = trace.facts["label_suspects"][0]
    assert first["label"] == int(noisy[first["row"]]) and first["looks_like"] == int(digits.train.y[first["row"]])


def test_twenty_twins_across_the_split_are_found_and_no_other() -> None:
    digits = material(name="digits")
    x, y = digits.parts["val"].x.clone(), digits.parts["val"].y.clone()
    rows = np.random.default_rng(0).choice(len(x), 40, replace=False)
    copied = np.random.default_rng(1).choice(len(digits.train), 40, replace=False)
    x[rows], y[rows] = digits.train.x[copied], digits.train.y[copied]
    noise = torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.02 * 255
    x[rows[20:]] = (x[rows[20:]].float() + noise).round().clamp(0, 255).to(torch.uint8)
    trace, report = looked_at(changed(digits, val=(x, y)))
    assert alarms(report) == {"leaked-validation"}
    exact = {(row, there) for part, row, _, there in trace.facts["duplicates"] if part == "val"}
    near = {(row, there) for part, row, _, there in trace.facts["near_duplicates"] if part == "val"}
    assert exact == set(zip(rows[:20].tolist(), copied[:20].tolist()))
    assert near <= set(zip(rows.tolist(), copied.tolist())) and len(near) >= 18


def test_twins_within_training_that_have_other_labels_are_an_alarm() -> None:
    digits = material(name="digits")
    x, y = digits.train.x.clone(), digits.train.y.clone()
    x[:30] = x[30:60]
    y[:30] = (y[30:60] + 1) % 10
    trace, report = looked_at(changed(digits, train=(x, y)))
    assert "duplicate-samples" in alarms(report)
    assert trace.value("repeated_samples", "train") == trace.value("contradicting_samples") == 30


def test_labels_that_were_shuffled_say_nothing() -> None:
    digits = material(name="digits")
    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(0))
    _, report = looked_at(changed(digits, train=(digits.train.x, digits.train.y[order])))
    assert "corrupted-labels" in alarms(report)


def test_a_part_that_was_scaled_differently_is_told_apart() -> None:
    digits = material(name="digits")
    val = digits.parts["val"]
    trace, report = looked_at(changed(digits, val=((val.x.float() * 0.7).to(torch.uint8), val.y)))
    found = next(f for f in report if f.name == "mismatched-splits")
    assert found.alarm and "val" in found.message
    assert trace.value("drift_score", "val") > 0.9 and trace.value("drift_score", "test") < 0.6


def test_a_split_cut_from_sorted_data_lacks_classes() -> None:
    x, y = torch.rand(300, 5), torch.arange(300) // 30
    _, report = looked_at(Material.of(Splits(x[:210], y[:210], x[210:], y[210:])))
    found = next(f for f in report if f.name == "unshuffled-split")
    assert found.alarm and "10 classes" in found.message


def test_columns_that_never_vary_missing_values_and_a_value_far_out_are_named() -> None:
    wine = material(name="wine")
    x = wine.train.x.clone()
    x[11], x[7, 5] = x[11] * 1000, float("nan")
    x[:, 3] = 1.0
    _, report = looked_at(changed(wine, train=(x, wine.train.y)))
    assert {"non-finite-inputs", "outlying-samples"} <= alarms(report)
    named = {f.name: f for f in report}
    assert "3" in named["constant-features"].message and named["outlying-samples"].where == (11,)
    assert 7 in named["non-finite-inputs"].where


def test_rare_classes_and_tiny_ones_are_told() -> None:
    random = torch.Generator().manual_seed(0)
    y = torch.cat([torch.zeros(600), torch.ones(20)]).long()
    x = torch.randn(620, 4, generator=random) + y[:, None]
    assert "imbalanced-classes" in alarms(looked_at(Material.of(Splits(x, y)))[1])
    y[600:617] = 0
    assert "too-few-samples" in alarms(looked_at(Material.of(Splits(x, y)))[1])


@pytest.mark.parametrize(
    ("step", "alarm"),
    [
        (Flip(0, 1), True),
        (Flip(1, 1), True),
        (Flip(0, 0.5), True),
        (Noise(2.0), True),
        (Shift(0.1), False),
        (Rotate(15), False),
        (Brightness(0.3), False),
        (Noise(0.05), False),
    ],
    ids=str,
)
def test_augmentation_that_destroys_the_label_is_found_and_the_usual_kind_is_not(step: Any, alarm: bool) -> None:
    digits = material(name="digits")
    given = Material(digits.parts, digits.classes, policy=Policy((("it", step),)))
    report = looked_at(given)[1]
    assert alarms(report) == ({"destructive-augmentation"} if alarm else set())


def test_where_a_small_model_is_lost_its_doubts_are_not_told() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = torch.rand(600, 1, 6, 6, generator=random), torch.arange(600) % 6
    trace = examine(Material.of(Splits(x, y), policy=Policy((("noise", Noise()),))))
    assert set(trace.facts["probe_errors"]) == {"label-suspects", "augmentation"}
    assert "too few" in trace.facts["probe_errors"]["label-suspects"]
    report = judge(trace)
    assert alarms(report) == set() and not {"noisy-labels", "destructive-augmentation"} & {f.name for f in report}


def test_steps_that_are_not_examined_are_said_to_be_left_out() -> None:
    trace = examine(material(name="digits", limit=400, augment=[{"flip": {"horizontal": 0.01}}, "mixup", "rotate"]))
    left = trace.facts["augmentation_left_out"]
    assert set(left) == {"flip", "mixup"} and "labels" in left["mixup"] and "samples" in left["flip"]
    assert [step for step, _ in trace.each("label_kept")] == ["rotate"]


def test_files_that_cannot_be_read_are_named_and_the_rest_is_examined(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for i in range(30):
            Image.fromarray(random.integers(0, 255, (9, 9), dtype=np.uint8)).save(tmp_path / label / f"{i}.png")
    (tmp_path / "cat" / "broken.png").write_bytes((tmp_path / "cat" / "0.png").read_bytes()[:40])
    (tmp_path / "notes.txt").write_text("not a picture")
    trace, report = looked_at(material(name="images", root=str(tmp_path)))
    assert trace.value("unreadable_files") == 1 and trace.value("samples", "train") > 30
    found = next(f for f in report if f.name == "outlying-samples")
    assert found.alarm and "broken.png" in found.message


def test_words_are_examined_too() -> None:
    random = np.random.default_rng(0)
    y = torch.arange(400) % 2
    x = torch.from_numpy(random.integers(2, 40, (400, 12)) + 40 * (random.random((400, 12)) < 0.5) * y.numpy()[:, None])
    trace, report = looked_at(Material.of(Splits(x[:300], y[:300], x[300:], y[300:])))
    assert trace.facts["data"]["kind"] == "ids" and trace.value("baseline_score") > 0.95
    assert alarms(report) == set()


def test_amounts_are_examined_too() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(400, 5, generator=random)
    trace, report = looked_at(Material.of(Splits(x[:300], x[:300].sum(1), x[300:], x[300:].sum(1))))
    assert trace.value("baseline_score") > 0.5 and trace.value("label_suspects") is None
    assert alarms(report) == set()


# -- whatever it is ---------------------------------------------------------------------------------------------------


def test_it_says_the_same_twice_and_draws_from_no_global_generator() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, two = (examine(material(name="digits", limit=300, augment=["rotate"])) for _ in range(2))
    assert {s: {k: v.values.tolist() for k, v in g.items()} for s, g in one.data.items()} == {
        s: {k: v.values.tolist() for k, v in g.items()} for s, g in two.data.items()
    }
    assert one.facts == two.facts
    torch.manual_seed(1)
    assert torch.equal(before, torch.get_rng_state())


def test_ranges_and_moments_are_those_of_numpy_whatever_is_missing() -> None:
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * 5 + 1e4
    x[3, 1], x[8, 2] = float("nan"), float("inf")
    told = examine(Material.of(Splits(x, torch.arange(200) % 2))).facts["parts"]["train"]
    known = x[x.isfinite()].double().numpy()
    expected = {"min": known.min(), "max": known.max(), "mean": known.mean(), "std": known.std()}
    assert {name: told[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_what_could_not_be_examined_is_the_reason_why_its_rule_could_not_run() -> None:
    x, y = torch.rand(60, 4), torch.arange(60) % 2
    whole = Material.of(Splits(x, y))
    shorter = replace(whole, parts={"train": replace(whole.train, y=y[:50])})  # answers lack ten samples
    trace = examine(shorter)
    failed = trace.facts["probe_errors"]
    assert "label-suspects" in failed
    assert failed["label-suspects"] in judge(trace).not_run["noisy-labels"]


def test_what_is_measured_is_declared() -> None:
    trace = examine(material(name="digits", limit=400, augment=["rotate"]))
    assert set(trace.data) <= set(measured())


def test_it_is_a_run_that_diagnose_judges_alike(tmp_path: Path) -> None:
    trace = examine(material(name="wine"), tmp_path / "run", recipe=recipe(name="wine").to_yaml())
    assert diagnose(tmp_path / "run").to_dict() == judge(trace, title="run").to_dict()


NUMBER = st.one_of(st.sampled_from([0.0, 1.0, -1e30, 1e30, float("nan"), float("inf")]), st.floats(-9, 9, width=32))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n=st.integers(1, 60),
    shape=st.sampled_from([(1,), (3,), (2, 3), (1, 4, 4), (3, 2, 5)]),
    values=st.lists(NUMBER, min_size=1, max_size=12),
    classes=st.integers(0, 4),
    held_out=st.integers(0, 20),
)
def test_odd_data_break_nothing(n, shape, values, classes, held_out) -> None:
    whole = np.resize(np.array(values, np.float32), (n + held_out, *shape))
    x = torch.from_numpy(whole)
    y = torch.arange(n + held_out) % classes if classes else torch.arange(n + held_out).float()
    parts = (x[:n], y[:n], x[n:], y[n:]) if held_out else (x, y)
    trace = examine(Material.of(Splits(*parts), policy=Policy((("noise", Noise()),))))
    assert failures(trace) == {}
    assert judge(trace).crashed == {}


def test_blank_pictures_are_no_twins() -> None:
    digits = material(name="digits")
    x = digits.train.x.clone()
    x[::7] = 0
    trace = examine(changed(digits, train=(x, digits.train.y)))
    assert trace.value("repeated_samples", "train") == trace.value("shared_samples", "val") == 0
