"""Prepared data on disk and behind URLs: read back equal, or refused."""

from __future__ import annotations

import json

import fsspec
import numpy as np
import pytest
import torch

from torchdoctor.data import store
from torchdoctor.data.digits import digits
from torchdoctor.data.embedded import iris
from torchdoctor.data.preparation import fitted
from torchdoctor.data.prepared import Prepared
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadParts, MissingExtra


def prepared() -> Prepared:
    data = iris()
    preparation, x = fitted(data, scale="standard")
    splits = Splits(x[:100], data.y[:100], x[100:], data.y[100:])
    names = np.array([f"flower {i}" for i in range(150)])
    return Prepared(splits, preparation, (names[:100], names[100:], None), ("bad.png cannot be read",))


@pytest.mark.parametrize("url", ["{}/deep/er/iris", "memory://team/iris", "file://{}/iris"])
def test_what_is_stored_is_read_back_equal(tmp_path, url):
    made, url = prepared(), url.format(tmp_path)
    made.save(url)
    again = Prepared.load(url)
    assert all(torch.equal(a, b) if a is not None else b is None for a, b in zip(made.splits, again.splits))
    assert again.classes == ("setosa", "versicolor", "virginica") and again.skipped == made.skipped
    assert again.names[0].tolist() == made.names[0].tolist() and again.names[2] is None
    raw = iris().x
    assert torch.equal(again.preparation(raw), made.preparation(raw))
    made.save(url)  # in place of what was there


def test_bytes_stay_bytes(tmp_path):
    data = digits()
    store.write(tmp_path / "d", {"x": data.train_x, "y": data.train_y[::2]}, {"n": 3})
    tensors, facts = store.read(tmp_path / "d")
    assert facts == {"n": 3} and torch.equal(tensors["x"], data.train_x) and tensors["x"].dtype == torch.uint8
    assert torch.equal(tensors["y"], data.train_y[::2])


def test_what_is_damaged_mixed_or_something_else_is_refused_in_one_line(tmp_path):
    prepared().save(tmp_path / "a")
    whole = (tmp_path / "a.safetensors").read_bytes()
    store.write(tmp_path / "b", {"x": torch.zeros(3)}, {})
    cases = {
        "damaged": lambda: (tmp_path / "a.safetensors").write_bytes(whole[:-1]),
        "not the one": lambda: (tmp_path / "a.safetensors").write_bytes((tmp_path / "b.safetensors").read_bytes()),
        "not what torchdoctor stores": lambda: (tmp_path / "a.json").write_text(json.dumps([1])),
        "nothing stored": lambda: (tmp_path / "a.json").unlink(),
    }
    for said, damage in cases.items():
        damage()
        with pytest.raises(BadParts, match=said) as error:
            Prepared.load(tmp_path / "a")
        assert "\n" not in str(error.value)
    with pytest.raises(BadParts, match="holds no prepared data"):
        Prepared.load(tmp_path / "b")


def test_places_that_cannot_be_used_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadParts, match="Cannot write"):
        store.write(tmp_path / "file" / "x", {}, {})
    with pytest.raises(BadParts, match="is no place to store at"):
        store.read("nosuchprotocol://x/y")


def test_a_protocol_whose_library_is_missing_says_so(monkeypatch):
    def missing(*args, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtra, match="Install s3fs"):
        store.read("s3://bucket/x")


def test_a_write_that_fails_leaves_the_old_pair_whole(tmp_path):
    store.write(tmp_path / "a", {"x": torch.ones(2)}, {"n": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write(tmp_path / "a", {"x": torch.zeros(2)}, {"n": float("nan")})
    tensors, facts = store.read(tmp_path / "a")
    assert facts == {"n": 1} and tensors["x"].tolist() == [1, 1]
