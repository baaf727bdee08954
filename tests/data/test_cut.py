"""Splits by group and by time: no group on both sides, and time never runs backwards."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.data.cut import cut, grouped, in_time
from torchdoctor.data.samples import Samples, as_divided, divided
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadParts

shares = st.tuples(st.floats(0.1, 1), st.floats(0, 1), st.floats(0, 1))


def all_once(parts, count: int) -> bool:
    return sorted(np.concatenate(parts).tolist()) == list(range(count))


@given(groups=st.lists(st.integers(0, 12), min_size=1, max_size=80), shares=shares, seed=st.integers(0, 99))
def test_no_group_is_on_both_sides(groups, shares, seed):
    groups = np.array([f"patient {g}" for g in groups])
    try:
        parts = grouped(groups, shares, seed)
    except BadParts:
        assert len(np.unique(groups)) < sum(share > 0 for share in shares)
        return
    assert all_once(parts, len(groups))
    homes = [set(groups[rows]) for rows in parts]
    assert not homes[0] & homes[1] and not homes[1] & homes[2] and not homes[0] & homes[2]
    assert all(not rows.size for rows, share in zip(parts, shares) if share == 0)
    again = grouped(groups, shares, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again))


def test_groups_of_equal_size_meet_the_shares():
    parts = grouped(np.repeat(np.arange(100), 7), (0.7, 0.2, 0.1), 0)
    assert [len(rows) for rows in parts] == [490, 140, 70]


@given(times=st.lists(st.integers(0, 15), min_size=1, max_size=60), shares=shares)
def test_time_never_runs_backwards(times, shares):
    times = np.array(times)
    try:
        parts = in_time(times, shares)
    except BadParts as refused:
        assert "earliest time" in str(refused)
        return
    assert all_once(parts, len(times))
    there = [times[rows] for rows in parts if rows.size]
    assert all(before.max() < after.min() for before, after in pairwise(there))


def test_a_split_by_time_meets_the_shares_and_takes_dates():
    days = np.datetime64("2026-01-01") + np.arange(100)
    parts = in_time(np.random.default_rng(0).permutation(days), (0.7, 0.2, 0.1))
    assert [len(rows) for rows in parts] == [70, 20, 10]


def test_a_random_split_takes_no_notice_of_classes_and_depends_on_the_seed():
    y = torch.arange(100) // 50
    one, other = cut(y, (0.5, 0.5), 0, "random"), cut(y, (0.5, 0.5), 1, "random")
    assert all_once(one, 100) and one[0].tolist() != other[0].tolist() and len(one[0]) == 50
    assert len(y[one[0]].unique()) == 2


def test_a_split_that_goes_by_what_is_not_there_says_which_column_to_name():
    with pytest.raises(BadParts, match=r"split_by = 'group', but these data have no groups.*data\.group"):
        divided(Samples(torch.zeros(4, 1), torch.zeros(4)), (0.5, 0.5, 0), 0, "group")
    with pytest.raises(BadParts, match=r"has 2 groups, too few for 3 parts"):
        grouped(np.array([1, 2, 2]), (0.7, 0.2, 0.1), 0)


def test_whatever_belongs_to_a_sample_goes_where_it_goes():
    n = 40
    data = Samples(
        {"a": np.arange(n).astype(float)},
        torch.arange(n) % 4,
        tuple("abcd"),
        np.array([f"row {i}" for i in range(n)]),
        np.arange(n) // 2,
        np.arange(n),
    )
    for by in ("stratified", "random", "group", "time"):
        parts = divided(data, (0.5, 0.25, 0.25), 1, by)
        assert sum(map(len, parts)) == n
        for part in parts:
            rows = part.x["a"].astype(int)
            assert part.names.tolist() == [f"row {i}" for i in rows] and part.y.tolist() == (rows % 4).tolist()
            assert part.groups.tolist() == (rows // 2).tolist() and part.times.tolist() == rows.tolist()


def test_what_comes_divided_is_not_divided_again():
    x, y = torch.arange(6.0)[:, None], torch.arange(6) % 2
    parts = divided(Samples(x, y, part=np.array([0, 0, 0, 1, 2, 2])), (0.7, 0.2, 0.1), 0)
    assert [len(part) for part in parts] == [3, 1, 2] and parts.val.x.item() == 3
    splits = divided(as_divided(Splits(x, y, x, y)), (0.7, 0.2, 0.1), 0)
    assert len(splits.train) == 6 and splits.test is None
    with pytest.raises(BadParts, match="no training samples"):
        as_divided(Samples(x, y, part=np.ones(6, np.int64)))
    with pytest.raises(BadParts, match="5 inputs and 6 targets"):
        Samples(x[:5], y)
