"""A run folder: what is written is read again, and every way in which it can be broken ends in one clear line."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from waiting import HANGS

from torchdoctor.errors import BadRun
from torchdoctor.judge.trace import Trace
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.run import FORMAT, Block, Run, Writer

NAMES = st.text(max_size=12) | st.sampled_from(
    ['"', "'; DROP TABLE block;--", "<b>&amp;</b>", "层.0", "\x00", "\ud800", "a.b"]
)
FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@st.composite
def recordings(draw: st.DrawFn) -> list[list[Block]]:
    """Flushes of blocks; steps never decrease, subjects change on the way, some signals are vectors."""
    signals = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    width = {signal: draw(st.sampled_from([0, 0, 1, 3])) for signal in signals}
    flushes, step = [], 0
    for _ in range(draw(st.integers(0, 4))):
        blocks = []
        for signal in draw(st.lists(st.sampled_from(signals), max_size=3)):
            subjects = tuple(draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)))
            n = draw(st.integers(1, 3))
            shape = (n, len(subjects), width[signal]) if width[signal] else (n, len(subjects))
            values = draw(hnp.arrays(np.float64, shape, elements=FLOATS))
            blocks.append((signal, subjects, np.arange(step, step + n, dtype=np.int64), values))
            step += n
        flushes.append(blocks)
    return flushes


def expected(flushes: list[list[Block]]) -> dict[tuple[str, str], list[tuple[int, bytes]]]:
    points: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
    for signal, subjects, steps, values in (b for blocks in flushes for b in blocks):
        for row, step in enumerate(steps):
            for column, subject in enumerate(subjects):
                key = (signal.encode("utf-8", "replace").decode(), subject)
                points.setdefault(key, []).append((int(step), values[row, column].tobytes()))
    return points


def found(trace: Trace) -> dict[tuple[str, str], list[tuple[int, bytes]]]:
    return {
        (signal, subject): [(int(k), v.tobytes()) for k, v in zip(series.steps, series.values)]
        for signal, group in trace.data.items()
        for subject, series in group.items()
    }


@settings(max_examples=60, deadline=None)
@given(
    flushes=recordings(), facts=st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(), max_size=3)
)
def test_what_was_written_is_read_again_bit_for_bit(flushes: list[list[Block]], facts: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a run's <folder> 层"
        writer = Writer(path)
        memory = Writer(None)
        for blocks in flushes:
            for w in (writer, memory):
                for block in blocks:
                    w.append(*block)
                w.commit()
        for name, value in facts.items():
            writer.fact(name, value)
        assert found(writer.trace()) == found(memory.trace()) == expected(flushes)
        writer.close()
        run = Run(path)
        trace = run.trace()
        run.close()
    assert found(trace) == expected(flushes)
    assert dict(trace.facts) == facts


def test_vectors_whose_length_changes_are_read_with_their_last_length() -> None:
    writer = Writer(None)
    for step, length in ((0, 3), (1, 5), (2, 5)):
        writer.append("v", ("a",), np.array([step]), np.zeros((1, 1, length)))
    assert writer.trace().data["v"]["a"].values.shape == (2, 5)


# -- folders ----------------------------------------------------------------------------------------------------------


def a_run(path: Path, points: int = 300, close: bool = True) -> Writer:
    writer = Writer(path, recipe="seed: 0\n")
    for flush in range(3):
        steps = np.arange(flush * points, (flush + 1) * points)
        writer.append("loss", ("",), steps, np.sin(steps)[:, None])
        writer.append("norm", ("a", "b"), steps, np.stack([steps, -steps], 1).astype(float))
        writer.fact("steps", int(steps[-1]))
        writer.commit()
    if close:
        writer.close()
    return writer


def read(path: Path) -> Trace:
    run = Run(path)
    try:
        return run.trace()
    finally:
        run.close()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user of this machine may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_finished_run_is_one_database_and_two_texts(tmp_path: Path) -> None:
    a_run(tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["environment.json", "recipe.yaml", DATABASE]
    run = Run(tmp_path / "run")
    assert run.recipe == "seed: 0\n"
    assert run.environment["versions"]["torchdoctor"]
    run.close()


def test_a_folder_that_holds_a_run_is_not_written_to(tmp_path: Path) -> None:
    a_run(tmp_path / "run")
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    with pytest.raises(BadRun, match=r"already holds a run.*Choose another folder"):
        Writer(tmp_path / "run")
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text and len(text) < 400 and text.endswith((".", "-U torchdoctor", "recover"))
    return text


@pytest.mark.parametrize("made", ["nothing", "an empty folder", "a file"])
def test_a_place_without_a_run_says_so(tmp_path: Path, made: str) -> None:
    path = tmp_path / "run"
    if made == "an empty folder":
        path.mkdir()
    if made == "a file":
        path.write_text("text")
    with pytest.raises(BadRun, match="holds no run") as error:
        Run(path)
    one_line(error.value)


@pytest.mark.parametrize("path", ["x" * 5000, "\x00", "a\x00b"])
def test_a_path_that_no_file_can_have_is_refused_for_reading_and_writing(path: str) -> None:
    with pytest.raises(BadRun, match="holds no run"):
        Run(path)
    with pytest.raises(BadRun, match="Cannot write") as error:
        Writer(Path(path))
    assert "\n" not in str(error.value)


def test_a_run_cannot_be_made_where_a_file_is_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(BadRun, match=r"Cannot write.*Choose another folder"):
        Writer(tmp_path / "file")
    with pytest.raises(BadRun, match="Cannot write"):
        Writer(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "precious"
    (tmp_path / "run" / DATABASE).mkdir(parents=True)
    with pytest.raises(BadRun, match="Cannot write"):
        Writer(tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [DATABASE]


def test_a_run_from_a_newer_version_says_how_to_upgrade(tmp_path: Path) -> None:
    a_run(tmp_path)
    db = sqlite3.connect(tmp_path / DATABASE)
    db.execute(f"PRAGMA user_version={FORMAT + 1}")
    db.close()
    with pytest.raises(BadRun, match=f"newer torchdoctor.*format {FORMAT + 1}.*pip install -U") as error:
        Run(tmp_path)
    one_line(error.value)


@pytest.mark.parametrize("table", ["fact", "columns", "block"])
def test_a_database_without_one_of_its_tables_is_damaged(tmp_path: Path, table: str) -> None:
    a_run(tmp_path)
    db = sqlite3.connect(tmp_path / DATABASE)
    db.execute(f"DROP TABLE {table}")
    db.close()
    with pytest.raises(BadRun, match="damaged or cut off") as error:
        Run(tmp_path)
    one_line(error.value)


@pytest.mark.parametrize("content", [b"", b"\x00" * 9999, b"SQLite format 3\x00" + b"x" * 5000, b"loss,step\n1,2\n"])
def test_another_file_under_the_databases_name_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(BadRun, match="damaged or cut off") as error:
        read(tmp_path)
    one_line(error.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE block SET steps = x'00' WHERE rowid = 1",
        "UPDATE block SET vals = x'0011223344556677' WHERE rowid = 1",
        "UPDATE block SET vals = 7 WHERE rowid = 1",
        "UPDATE block SET columns = 99 WHERE rowid = 1",
        "UPDATE columns SET subjects = '7' WHERE rowid = 1",
        "UPDATE columns SET subjects = '{' WHERE rowid = 1",
        "UPDATE columns SET subjects = '[]' WHERE rowid = 1",
        "UPDATE columns SET width = 'x' WHERE rowid = 1",
        "UPDATE fact SET json = 'not json'",
    ],
)
def test_rows_that_make_no_sense_are_damage_not_a_crash(tmp_path: Path, statement: str) -> None:
    a_run(tmp_path)
    db = sqlite3.connect(tmp_path / DATABASE)
    db.execute(statement)
    db.commit()
    db.close()
    with pytest.raises(BadRun, match="damaged or cut off") as error:
        read(tmp_path)
    one_line(error.value)


@pytest.mark.parametrize("name", ["environment.json", "recipe.yaml"])
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'{"cut of'])
def test_a_damaged_text_beside_the_database_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    a_run(tmp_path)
    (tmp_path / name).write_bytes(content)
    run = Run(tmp_path)
    if name == "recipe.yaml" and content.isascii():
        assert run.recipe == content.decode()  # what a recipe may hold is the recipe's own affair
    else:
        with pytest.raises(BadRun, match=f"{name} is damaged or cut off"):
            _ = run.environment if name == "environment.json" else run.recipe
    assert len(run.trace()["loss"]) == 900
    run.close()


def test_a_database_cut_off_anywhere_is_damaged_or_whole(tmp_path: Path) -> None:
    a_run(tmp_path / "run")
    whole = (tmp_path / "run" / DATABASE).read_bytes()
    original = found(read(tmp_path / "run"))
    draw = random.Random(0)
    for number in range(100):
        cut = tmp_path / str(number)
        cut.mkdir()
        (cut / DATABASE).write_bytes(whole[: draw.randrange(len(whole))])
        try:
            assert found(read(cut)) == original
        except BadRun as error:
            one_line(error)


def test_flipped_bytes_never_end_in_another_error_than_bad_run(tmp_path: Path) -> None:
    a_run(tmp_path / "run")
    whole = (tmp_path / "run" / DATABASE).read_bytes()
    draw = random.Random(1)
    for number in range(150):
        broken = bytearray(whole)
        for _ in range(draw.choice([1, 20, 500])):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        bad = tmp_path / str(number)
        bad.mkdir()
        (bad / DATABASE).write_bytes(broken)
        try:
            read(bad)
        except BadRun as error:
            assert "\n" not in str(error)


# -- while it is written, and after a crash ---------------------------------------------------------------------------


def test_a_run_is_read_while_it_is_written_and_grows(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run")
    run = Run(tmp_path / "run")
    for step in range(5):
        writer.append("loss", ("",), np.array([step]), np.array([[0.5]]))
        assert len(run.trace()["loss"]) == step  # what is not committed is not seen
        writer.commit()
        assert len(run.trace()["loss"]) == step + 1
    run.close()
    writer.close()
    assert len(read(tmp_path / "run")["loss"]) == 5


def test_a_reader_that_is_still_looking_does_not_hold_up_the_end_of_a_run(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run")
    for step in range(9):
        writer.append("loss", ("",), np.array([step]), np.ones((1, 1)))
    writer.commit()
    run = Run(tmp_path / "run")
    cursor = run._db.execute("SELECT * FROM block")
    cursor.fetchone()
    writer._db.execute(f"PRAGMA busy_timeout={2000 * HANGS:.0f}")  # milliseconds that SQLite would wait for the reader
    closing = Thread(target=writer.close, daemon=True)
    closing.start()
    closing.join(HANGS)
    assert not closing.is_alive()
    assert len(run.trace()["loss"]) == 9
    cursor.close()
    run.close()
    assert len(read(tmp_path / "run")["loss"]) == 9


CRASH = """
import os, sys
from pathlib import Path
import numpy as np
from torchdoctor.record.run import Writer
writer = Writer(Path(sys.argv[1]))
for step in range(7):
    writer.append("loss", ("",), np.array([step]), np.array([[step / 2]]))
    if step < 5:
        writer.commit()
os._exit(9)
"""


def crashed(path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", CRASH, str(path)], check=False).returncode == 9
    assert (path / f"{DATABASE}-wal").stat().st_size > 0


def test_a_crash_loses_at_most_what_was_not_flushed(tmp_path: Path) -> None:
    crashed(tmp_path / "run")
    assert list(read(tmp_path / "run")["loss"].values) == [0, 0.5, 1, 1.5, 2]


@pytest.mark.parametrize("with_index", [True, False])
def test_a_run_copied_with_its_log_is_read_whole(tmp_path: Path, with_index: bool) -> None:
    crashed(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    if not with_index:
        (tmp_path / "copy" / f"{DATABASE}-shm").unlink()
    assert len(read(tmp_path / "copy")["loss"]) == 5


def test_a_run_copied_while_it_is_written_is_read_up_to_there(tmp_path: Path) -> None:
    writer = a_run(tmp_path / "run", close=False)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    writer.append("loss", ("",), np.array([999]), np.array([[1.0]]))
    writer.close()
    assert len(read(tmp_path / "copy")["loss"]) == 900
    assert len(read(tmp_path / "run")["loss"]) == 901


READ = """
import os, sys, tempfile
uid = int(sys.argv[2])
import torchdoctor.record.run as run
if uid:
    os.setgid(uid)
    os.setuid(uid)
try:
    open(os.path.join(sys.argv[1], "probe"), "w")
    print("writable")
except OSError:
    r = run.Run(sys.argv[1])
    trace = r.trace()
    print(len(trace["loss"]), r.environment != {})
"""


def read_only(path: Path) -> str:
    """What a process prints that may read the folder and not write to it: another user, where the tests run as root,
    whom no mode stops."""
    for part in path.rglob("*"):
        part.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    path.chmod(0o555)
    uid = 65534 if os.geteuid() == 0 else 0
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(uid)], capture_output=True, text=True, check=False, cwd="/"
    )
    path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_finished_run_in_a_read_only_folder_is_read(shared: Path) -> None:
    a_run(shared / "run")
    assert read_only(shared / "run") == "900 True"
    assert not list((shared / "run").glob(f"{DATABASE}-*"))


@pytest.mark.parametrize("with_index", [True, False])
def test_a_crashed_run_in_a_read_only_folder_is_read_with_its_log(shared: Path, with_index: bool) -> None:
    crashed(shared / "run")
    if not with_index:
        (shared / "run" / f"{DATABASE}-shm").unlink()
    assert read_only(shared / "run") == "5 True"


def test_a_run_is_judged_from_its_folder_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run")
    loss = [2.0, 1.5, float("nan"), float("nan")]
    writer.append("loss", ("",), np.arange(4), np.array(loss)[:, None])
    writer.append("nonfinite_module", ("block.log",), np.array([2]), np.array([[1.0]]))
    writer.close()
    (finding,) = [f for f in diagnose(tmp_path / "run") if f.name == "non-finite-loss"]
    assert finding.where == ("block.log",) and finding.steps is not None and finding.steps[0] == 2


def test_reading_and_judging_a_run_needs_no_torch(tmp_path: Path) -> None:
    a_run(tmp_path / "run")
    code = "import sys, torchdoctor as td; td.diagnose(sys.argv[1]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_environment_names_versions_and_machine(tmp_path: Path) -> None:
    a_run(tmp_path)
    kept = json.loads((tmp_path / "environment.json").read_text("utf-8"))
    assert {"versions", "python", "system", "processors", "command", "started"} <= set(kept)


def test_an_empty_database_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "signals.db").touch()
    with pytest.raises(BadRun, match="it is empty"):
        Run(tmp_path)


def test_the_file_inside_a_run_is_answered_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "signals.db").touch()
    with pytest.raises(BadRun, match=f"give its folder: {tmp_path}"):
        Run(tmp_path / "signals.db")


def test_what_is_no_path_at_all_is_refused() -> None:
    with pytest.raises(BadRun, match=r"diagnose\(None\): give the folder"):
        diagnose(None)  # type: ignore[arg-type]


def test_free_space_is_asked_for_only_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRun, match="Choose another folder") as refused:
        Writer(tmp_path / "file" / "run")
    assert "some space" not in str(refused.value)
