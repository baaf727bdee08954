from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from torchdoctor.cli import progress as module
from torchdoctor.cli.progress import progress

PROGRAM = """
import time
from torchdoctor.cli.progress import progress
with progress("training [bold]x[/]", 40, below=lambda: ["what is below"]) as advance:
    for step in range(1, 41):
        time.sleep(0.01)
        advance(step, "epoch [red]1[/], and words that need half of the width of a terminal")
"""


def test_where_there_is_no_terminal_lines_are_few_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("training", 10_000) as advance:
        for step in range(10_000):
            advance(step)
    err = capsys.readouterr().err
    assert re.fullmatch(r"training: done in \d+\.\d s\n", err)


def test_a_line_says_how_far_how_fast_and_how_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 12.0, 20.0, 30.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress("training", 100) as advance:
        advance(20, "epoch 1")
        advance(24, "not yet again")
        advance(5, "slow")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training: 20/100 steps, 2 steps/s, 40 s left: epoch 1",
        "training: 5/100 steps, 4 s/step, 380 s left: slow",
        "training: done in 30.0 s",
    ]


def test_a_total_may_become_known_on_the_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 20.0, 21.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress("cure", unit="runs") as advance:
        advance(1, "examine")
        advance(2, "race", total=4)
    assert capsys.readouterr().err.splitlines()[:2] == [
        "cure: 1 runs, 10 s/run: examine",
        "cure: 2/4 runs, 10 s/run, 20 s left: race",
    ]


def test_in_a_terminal_there_is_a_bar_and_names_are_not_markup(tmp_path: Path) -> None:
    main, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    job = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=other, env=environment, cwd=tmp_path)
    os.close(other)
    said = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:  # the other side has closed
            break
        said += piece
    assert job.wait() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    bar, note, below = plain.rstrip().splitlines()[-3:]
    assert "training [bold]x[/]" in bar and "100 %" in bar and "steps/s" in bar and "left" in bar
    assert note.strip() == "epoch [red]1[/], and words that need half of the width of a terminal"
    assert below.strip() == "what is below"


def test_steps_are_told_as_whole_numbers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 21.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress("training", 123_456) as advance:
        advance(10_460)
        advance(0.25)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("training: 10,460/123,456 steps") and lines[1].startswith("training: 0.25/")
