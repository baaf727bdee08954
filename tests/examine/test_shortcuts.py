"""A planted mark is found where it lies, and sets that are easy for honest reasons are left in peace."""

from __future__ import annotations

import pytest
import torch
from sklearn import datasets
from torch import Tensor

from torchdoctor.examine.material import Material, Part
from torchdoctor.examine.shortcuts import shortcuts
from torchdoctor.judge.finding import Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.record.measurement import Fact
from torchdoctor.rules.inference.shortcut_features import shortcut_features

Pair = tuple[Tensor, Tensor]


def trace(train: Pair, val: Pair | None = None) -> Trace:
    parts = {"train": Part(*train), **({} if val is None else {"val": Part(*val)})}
    said = list(shortcuts.run(Material(parts)))
    facts = {item.name: item.value for item in said if isinstance(item, Fact)}
    numbers = {item.signal: {"": Series.of(item.value)} for item in said if not isinstance(item, Fact)}
    assert set(numbers) <= set(shortcuts.measures)
    return Trace(numbers, facts)


def found(train: Pair, val: Pair | None = None) -> list[tuple[str, Severity | None]]:
    """(kind of the place, severity) of what is said."""
    seen = trace(train, val)
    return [(seen.facts["local_place"]["kind"], f.severity) for f in judge(seen, [shortcut_features])]


def real(name: str) -> Pair:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    target = torch.tensor(y) if name != "diabetes" else torch.tensor(y, dtype=torch.float32)
    return torch.tensor(x, dtype=torch.float32), target


def digits() -> Pair:
    x, y = real("digits")
    return x.reshape(-1, 1, 8, 8), y


def enlarged(side: int) -> Pair:
    x, y = digits()
    return torch.nn.functional.interpolate(x, size=(side, side)), y


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_nothing_is_said_of_real_sets(name: str) -> None:
    assert found(real(name)) == []


def test_nothing_is_said_of_pictures() -> None:
    assert found(digits()) == []


def test_nothing_is_said_of_a_series_whose_last_value_is_nearly_the_next() -> None:
    time = torch.arange(700.0)
    series = torch.sin(time / 6) + 0.5 * torch.sin(time / 17)
    assert found((series.unfold(0, 24, 1)[:-1], series[24:])) == []


@pytest.mark.parametrize("side", [8, 28, 64])
def test_a_stamp_in_the_corner_is_found_at_any_size(side: int) -> None:
    x, y = enlarged(side)
    x = x.clone()
    thick = max(1, side // 10)
    x[:, 0, :thick, :thick] = (16 * y / 9)[:, None, None].float()
    ((kind, severity),) = found((x, y))
    assert kind in ("patch", "edge") and severity is Severity.WARNING


def test_a_class_written_into_the_edge_is_found_though_no_patch_holds_all_of_it() -> None:
    x, y = enlarged(28)
    x = x.clone()
    x[:, 0, 0, :] = 0
    x[torch.arange(len(y)), 0, 0, 2 * y + 3] = 16.0
    seen = trace((x, y))
    assert seen.facts["local_place"] == {"kind": "edge", "name": "the upper edge", "others": pytest.approx(50, abs=14)}
    assert [f.severity for f in judge(seen, [shortcut_features])] == [Severity.WARNING]


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes"])
def test_an_answer_among_the_columns_is_found(name: str) -> None:
    x, y = real(name)
    answer = y.float() + 0.02 * y.float().std() * torch.randn(len(y))
    seen = trace((torch.cat([x, answer[:, None]], 1), y))
    (said,) = judge(seen, [shortcut_features])
    assert said.severity is Severity.WARNING and seen.facts["local_place"]["name"] == str(x.shape[1])


def test_a_signature_at_the_end_of_letters_is_found() -> None:
    words, y = torch.randint(20, 400, (600, 30)), torch.arange(600) % 3
    own = torch.randint(0, 12, (600, 6)) + 400 + 12 * y[:, None]
    words[:, 4:10] = torch.where(torch.rand(600, 6) < 0.5, own, words[:, 4:10])
    assert found((words, y)) == []
    signed = words.clone()
    signed[:, -1] = 1 + y
    assert [severity for _, severity in found((signed, y))] == [Severity.WARNING]


def test_a_word_of_each_class_that_may_stand_anywhere_is_found() -> None:
    words, y = torch.randint(20, 400, (600, 30)), torch.arange(600) % 3
    words[:, 4:8] = torch.where(torch.rand(600, 4) < 0.7, 400 + 20 * y[:, None] + torch.randint(0, 20, (600, 4)), 20)
    words[torch.arange(600), torch.randint(10, 30, (600,))] = 1 + y
    ((kind, severity),) = found((words, y))
    assert (kind, severity) == ("tokens", Severity.WARNING)


def test_one_column_that_matters_among_noise_is_only_a_hint() -> None:
    x = torch.randn(800, 8)
    assert found((x, (x[:, 3] > 0.2).long())) == [("column", Severity.INFO)]


def test_validation_without_the_mark_is_told() -> None:
    x = torch.randn(800, 8)
    y = (x[:, 3] > 0).long()
    held_out = torch.randn(300, 8)
    ((_, severity),) = found((x, y), (held_out, torch.randint(0, 2, (300,))))
    assert severity is Severity.WARNING
    assert found((x, y), (held_out, (held_out[:, 3] > 0).long())) == [("column", Severity.INFO)]


def test_what_has_no_other_place_or_too_few_samples_is_left_alone() -> None:
    x = torch.randn(400, 1)
    assert found((x, (x[:, 0] > 0).long())) == []
    few = torch.randn(40, 5)
    assert trace((few, (few[:, 0] > 0).long())).data == {}


def test_missing_values_constant_columns_and_several_targets_break_nothing() -> None:
    x, y = real("wine")
    x = x.clone()
    x[::9, 2], x[:, 5] = float("nan"), 3.0
    assert found((x, y)) == []
    assert trace((x, torch.randn(len(x), 2))).data == {}
    assert trace((torch.zeros(100, 4), torch.arange(100) % 2)).data == {}
