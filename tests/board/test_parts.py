"""Down-sampling, the cache and the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import numpy as np
import pytest
from boards import written
from hypothesis import given
from hypothesis import strategies as st
from waiting import HANGS, until

from torchdoctor.board.cache import REST, SLOW, Cache
from torchdoctor.judge.series import Series
from torchdoctor.show.thin import POINTS, cells, thinned


@given(st.lists(st.floats(width=32), min_size=1, max_size=400), st.integers(4, 60))
def test_a_thinned_curve_keeps_its_ends_its_highest_its_lowest_and_a_sign_of_what_is_not_finite(
    values: list[float], points: int
) -> None:
    series = Series.of(values)
    thin = thinned(series, points)
    assert len(thin) <= max(points, 0) * 1.5 + 4 and set(thin.steps.tolist()) <= set(series.steps.tolist())
    assert thin.steps[0] == 0 and thin.steps[-1] == len(values) - 1
    assert np.array_equal(thin.values, series.values[thin.steps], equal_nan=True)
    good = series.finite().values
    if len(good):
        assert thin.finite().values.min() == good.min() and thin.finite().values.max() == good.max()
    assert np.isfinite(series.values).all() == np.isfinite(thin.values).all()


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python that takes: of arrays that are worked on as a whole as many, however long they are."""
    counted, before = 0, sys.gettrace()

    def count(*_: Any) -> Any:
        nonlocal counted
        counted += 1
        return count

    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted


def test_ten_million_points_are_thinned_without_a_loop_over_them() -> None:
    many, few = (Series(np.arange(n), np.random.default_rng(0).random(n)) for n in (10_000_000, 100_000))
    assert len(thinned(many)) <= 1.5 * POINTS
    assert lines_run(lambda: thinned(many)) == lines_run(lambda: thinned(few)) < 200


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=80), min_size=1, max_size=5), st.integers(2, 20))
def test_cells_hold_the_highest_of_their_steps_as_a_plain_loop_finds_it(rows: list[list[float]], many: int) -> None:
    group = {str(i): Series.of(values, every=i + 1) for i, values in enumerate(rows)}
    edges, table = cells(group, many)
    assert len(edges) <= many * len(rows) and table.shape == (len(rows), len(edges))
    for series, row in zip(group.values(), table):
        for i, edge in enumerate(edges):
            end = edges[i + 1] if i + 1 < len(edges) else np.inf
            inside = [v for s, v in zip(series.steps, series.values) if edge <= s < end]
            assert np.isnan(row[i]) if not inside else row[i] == max(inside)


def test_a_value_is_made_once_for_each_state_of_its_files() -> None:
    cache, made = Cache(), []
    for stamp in (1, 1, 2, 2, 1):
        cache.get(("run", "x"), stamp, lambda: made.append(0) or len(made))
    assert len(made) == 3
    cache.close()


def test_the_cache_stays_below_its_limit_and_forgets_the_longest_unused_first() -> None:
    cache = Cache(limit=1000)
    for i in range(50):
        cache.get((str(i),), 0, lambda: "x" * 90)
        cache.get(("0",), 0, lambda: "y" * 90)
        assert cache.weight <= 1000
    assert cache.get(("0",), 0, lambda: "made again") == "x" * 90
    assert cache.get(("1",), 0, lambda: "made again") == "made again"
    cache.close()


def test_what_is_slow_to_make_is_handed_out_old_while_it_is_made_anew_and_not_again_at_once() -> None:
    now, made = [0.0], []
    cache = Cache(clock=lambda: now[0])

    def make() -> int:
        now[0] += SLOW * 1.2
        made.append(0)
        return len(made)

    assert cache.get(("x",), 0, make) == 1
    now[0] += REST * SLOW * 1.1
    assert cache.get(("x",), 1, make) == 1, "it has just been made"
    now[0] += REST * SLOW * 0.2
    assert cache.get(("x",), 2, make) == 1, "it is made anew behind the one who asks"
    until(lambda: cache.renewed)
    assert cache.get(("x",), 2, make) == 2 == len(made), "for the third who asked, and not for the second"
    cache.close()


def test_two_pages_that_want_the_same_wait_for_one_to_make_it() -> None:
    cache, made = Cache(), []

    def make() -> int:
        time.sleep(0.03)
        made.append(0)
        return 1

    threads = [Thread(target=cache.get, args=(("x",), 0, make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    cache.close()


def test_what_takes_long_is_made_behind_a_page_that_does_not_wait_for_it() -> None:
    cache, go, made = Cache(), Event(), []

    def make() -> int:
        assert go.wait(HANGS)
        made.append(0)
        return 7

    assert cache.soon(("x",), 0, make) is None and cache.soon(("x",), 0, make) is None
    go.set()
    assert until(lambda: cache.soon(("x",), 0, make)) == 7 and len(made) == 1, "once, for all who asked"
    cache.patience = None
    with pytest.raises(ZeroDivisionError):
        cache.soon(("y",), 0, lambda: 1 // 0)
    cache.close()


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    cache = Cache()
    with pytest.raises(ZeroDivisionError):
        cache.get(("x",), 0, lambda: 1 // 0)
    assert cache.get(("x",), 0, lambda: 3) == 3
    cache.close()


def test_the_command_line_serves_until_it_is_ended_and_lets_in_who_has_the_token(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a")
    start = "from torchdoctor.cli.main import main; main()"
    command = [sys.executable, "-W", "error", "-c", start, "board", str(tmp_path / "runs"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:") and len(address.partition("?token=")[2]) >= 32
        with httpx.Client(timeout=HANGS) as client:
            assert client.get(address.partition("?")[0]).status_code == 403
            assert client.get(address).status_code == 200
            assert client.get(address.partition("?")[0] + "run", params={"at": "a"}).status_code == 200
        process.send_signal(2)
        assert process.wait(timeout=HANGS) in (0, 130)
        assert "Traceback" not in process.stderr.read()


def test_the_board_starts_without_torch() -> None:
    program = """
import sys
from torchdoctor.board.app import app
from torchdoctor.board.page import Page
from torchdoctor.discover import discover
assert len(discover("board.pages", Page)) == 10
assert not {"torch", "sklearn", "pydantic"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no folder"),
        ([".", "--lang", "fr"], "does not speak it"),
        ([".", "--host", "256.256.256.256"], "Cannot listen"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(words: list[str], said: str) -> None:
    start = "from torchdoctor.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", start, "board", *words], capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
