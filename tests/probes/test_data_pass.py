"""The data pass counts what a plain loop over the data would count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from measuring import measured
from programs import digits, mlp, text
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.data_pass import data_pass
from torchdoctor.probes.survey import Moments, survey


def over(train: object, val: object = None) -> Parts:
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    model(next(iter(train))[0].float())  # type: ignore[call-overload]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), train, val)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(2, 30), st.integers(1, 5)), elements=st.floats(-1e3, 1e3, width=32)),
    st.integers(1, 7),
)
def test_running_moments_are_those_of_all_the_data(x: np.ndarray, batch: int) -> None:
    moments = Moments()
    for start in range(0, len(x), batch):
        moments.add(0, torch.from_numpy(x[start : start + batch]))
    mean, std, varies = moments.by_feature()
    wide = x.astype(np.float64)
    assert moments.mean == pytest.approx(wide.mean(), rel=1e-9, abs=1e-9)
    assert moments.std == pytest.approx(wide.std(), rel=1e-4, abs=1e-4)
    assert moments.absmax == pytest.approx(np.abs(wide).max())
    np.testing.assert_allclose(mean.numpy(), wide.mean(0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(std.numpy(), wide.std(0), rtol=1e-4, atol=1e-4)
    assert varies.tolist() == (np.ptp(x, axis=0) > 0).tolist()


def test_numbers_of_a_small_table() -> None:
    x = torch.tensor([[0.0, 5.0, 100.0], [2.0, 5.0, 300.0], [4.0, 5.0, 200.0], [2.0, 5.0, 400.0]])
    values, facts = measured(data_pass, over(DataLoader(TensorDataset(x, torch.tensor([0, 1, 1, 3])), 2)))
    assert values["constant_feature_share", ""] == pytest.approx(1 / 3)
    assert values["feature_scale_spread", ""] == pytest.approx(np.std([1, 3, 2, 4]) * 100 / np.std([0, 2, 4, 2]))
    assert values["input_absmax", ""] == 400
    assert values["label_counts", ""] == [1, 2, 0, 1]
    assert (values["label_min", ""], values["label_max", ""]) == (0, 3)
    assert values["label_run_share", ""] == pytest.approx(1 / 3)
    assert values["samples", "train"] == 4 and values["batch_size", ""] == 2
    assert facts["inputs"] == {"shape": [2, 3], "dtype": "float32"}
    assert facts["targets"] == {"shape": [2], "dtype": "int64", "kind": "classes"}
    assert facts["features"]["mean"] == [2.0, 5.0, 250.0]


def test_bad_samples_are_named_by_their_index_in_the_dataset_whatever_the_order() -> None:
    x, y = digits(90)
    x[[3, 41], 0, 2, 2] = torch.tensor([float("nan"), float("inf")])
    values, facts = measured(data_pass, over(DataLoader(TensorDataset(x, y), 16, shuffle=True)))
    assert sorted(facts["nonfinite_samples"]["train"]) == [3, 41]
    assert values["input_nonfinite_share", ""] == pytest.approx(2 / 90)
    assert np.isfinite(values["input_mean", ""])


def test_bad_samples_of_a_plain_list_of_batches_are_named_by_position() -> None:
    x, y = digits(40)
    x[25] = float("inf")
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8)]
    assert measured(data_pass, over(batches))[1]["nonfinite_samples"]["train"] == [25]


def test_samples_of_both_splits_are_counted() -> None:
    x, y = digits(100)
    train, val = TensorDataset(x[:80], y[:80]), TensorDataset(x[60:], y[60:])
    values, _ = measured(data_pass, over(DataLoader(train, 16, shuffle=True), DataLoader(val, 16)))
    assert values["split_overlap_share", ""] == 0.5
    assert values["samples", "val"] == 40
    assert values["val_input_std", ""] == pytest.approx(float(x[60:].std(correction=0)), rel=1e-4)


def test_a_batch_that_comes_again_and_again_is_counted() -> None:
    x, y = digits(16)
    assert measured(data_pass, over([(x, y)] * 5))[0]["batch_repeat_share", ""] == 0.8
    assert measured(data_pass, mlp())[0]["batch_repeat_share", ""] == 0


def test_token_ids_have_no_scale() -> None:
    values, _ = measured(data_pass, text())
    assert ("input_std", "") not in values and values["label_max", ""] == 1


def test_an_endless_stream_is_read_until_the_patience_ends() -> None:
    class Endless(IterableDataset):
        def __iter__(self):  # type: ignore[no-untyped-def]
            while True:
                yield torch.randn(3), torch.tensor(1)

    seen = survey(DataLoader(Endless(), 8), "train", 0.05)
    assert seen.samples >= 8 and not seen.complete


def test_validation_may_be_a_stream_without_a_length() -> None:
    class Stream(IterableDataset):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield from zip(*digits(20))

    parts = mlp()
    assert Bench(replace(parts, val=DataLoader(Stream(), 8))).val_batches[0].size == 8


def test_masks_as_targets_are_not_kept_whole() -> None:
    images, masks = torch.rand(8, 1, 64, 64), torch.randint(0, 3, (8, 64, 64))
    seen = survey(DataLoader(TensorDataset(images, masks), 4), "train", 5.0)
    assert sum(t.numel() for t in seen.labels) <= 8 * 64
    assert torch.cat(seen.labels).unique().tolist() == [0, 1, 2]


def test_a_custom_collate_and_a_subset_are_read_as_the_loader_reads_them() -> None:
    x, y = digits(50)

    def collate(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        return torch.stack([i[0] for i in items]) / 16, torch.stack([i[1] for i in items])

    chosen = Subset(TensorDataset(x, y), range(10, 50))
    values, _ = measured(data_pass, over(DataLoader(chosen, 8, collate_fn=collate)))
    assert values["input_absmax", ""] == pytest.approx(float(x[10:].max()) / 16)
    assert values["samples", "train"] == 40


def test_float16_and_boolean_inputs_are_read() -> None:
    x, y = digits(32)
    assert measured(data_pass, over([(x.half(), y)] * 2))[0]["input_absmax", ""] == 16
    assert ("input_std", "") not in measured(data_pass, over([(x > 8, y)] * 2))[0]
