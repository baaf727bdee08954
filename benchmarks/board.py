"""How long the board's pages take, and how much memory they need, where there is much to show.

    python -m benchmarks.board [--points 10000000] [--runs 2000] [--live 10] [--repeats 20]

A run of ten million numbers (a ResNet-20, all signals a watch records of it) and a folder of 2,000 runs are written;
the board serves them in a process of its own. A page that takes long to make for the first time says so at once, and
shows it when it is there: both are timed. Each page is opened once, then timed. Then ten runs are written to while
their pages are asked for in turn. After its first opening nine of ten times a page must answer in 200 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

import numpy as np

from benchmarks.judging import _write  # the run of a ResNet-20
from torchdoctor.record.run import Writer

MOST = 0.2  # seconds of a page after its first opening
MEMORY = 1.5e9  # bytes of the board's process, at its highest
STEPS = 300  # of a small run


def main() -> None:
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        _, points = _write(root / "long", options.points)
        _many(root / "many", options.runs)
        load = os.getloadavg()[0]
        print(f"a run of {points:,} numbers and a folder of {options.runs:,} runs; load of this machine {load:.1f}")
        server, url = _served(root)
        try:
            slow = _pages(url, options.repeats) + _live(url, root, options.live, options.repeats)
            peak = _peak(server.pid)
        finally:
            server.terminate()
            server.wait()
    print(f"\nhighest memory of the board's process: {peak / 1e6:,.0f} MB (at most {MEMORY / 1e6:,.0f})")
    if slow or peak > MEMORY:
        sys.exit(f"slower than {MOST * 1000:.0f} ms: {', '.join(slow)}" if slow else "too much memory")


def _pages(url: str, repeats: int) -> list[str]:
    """Names of those that are too slow."""
    one: dict[str, object] = {"at": "long"}
    two: dict[str, object] = {"at": ["long", "many/run-0000"]}
    listed = _get(url, "", {})[0]
    shown = _get(url, "run", one)[0]
    opened, text = _get(url, "run.json", one)
    print(
        f"a first page: of all runs after {listed:.2f} s, of the long run after {shown:.2f} s; all of it, read, judged "
        f"and drawn for the first time, {opened:.1f} s later"
    )
    found = [f["name"] for f in json.loads(text)["findings"]]
    asked: dict[str, tuple[str, dict[str, object]]] = {
        "all runs": ("", {}),
        "all runs, filtered": ("runs", {"q": "run-17"}),
        "all runs, page 20": ("runs", {"page": 20}),
        "all runs, by loss": ("runs", {"sort": "loss"}),
        "all runs, JSON": ("runs.json", {}),
        "the long run": ("run", one),
        "the long run, JSON": ("run.json", one),
        "a closer look, JSON": ("run.json", {**one, "from": 1000, "to": 3000, "only": "curve-loss"}),
        **{f"finding {name}"[:24]: ("finding", {**one, "finding": name}) for name in found[:1]},
        "comparison": ("compare", two),
        "comparison, JSON": ("compare.json", two),
        "a small run": ("run", {"at": "many/run-0007"}),
    }
    print(f"\n{'page':<24}{'first':>9}{'median':>9}{'90 %':>9}{'slowest':>9}{'kB':>8}   ms, of {repeats}")
    slow = []
    for name, (page, words) in asked.items():
        first, text = _get(url, page, words)
        times = [_get(url, page, words)[0] for _ in range(repeats)]
        _line(name, first, times, len(text))
        slow += [name] if _tenth(times) > MOST else []
    return slow


def _live(url: str, root: Path, many: int, repeats: int) -> list[str]:
    """The pages of `many` runs while each gets a flush of 50 steps a second."""
    names = [f"live/run-{i}" for i in range(many)]
    writers = [Writer(root / name) for name in names]
    stop = Event()

    def write() -> None:
        step = 0
        while not stop.is_set():
            steps = np.arange(step, step + 50)
            for writer in writers:
                _flush(writer, steps)
            step += 50
            stop.wait(1.0)

    writing = Thread(target=write)
    writing.start()
    try:
        time.sleep(1.0)
        first = [_get(url, "run.json", {"at": name})[0] for name in names]
        times = []
        for _ in range(repeats):
            times += [_get(url, "run.json", {"at": name})[0] for name in names]
            time.sleep(1.0)
    finally:
        stop.set()
        writing.join()
    _line(f"{many} live runs, JSON", max(first), times, 0)
    return ["live runs"] if _tenth(times) > MOST else []


def _line(name: str, first: float, times: list[float], size: int) -> None:
    ms = [f"{1000 * t:>9.0f}" for t in (first, statistics.median(times), _tenth(times), max(times))]
    print(f"{name:<24}{''.join(ms)}{size / 1e3:>8.0f}", flush=True)


def _tenth(times: list[float]) -> float:
    """What nine of ten are below."""
    return statistics.quantiles(times, n=10)[-1]


def _get(url: str, page: str, words: dict[str, object]) -> tuple[float, bytes]:
    """(seconds, what came)."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"{url}{page}?{urlencode(words, doseq=True)}") as answer:
        text = answer.read()
    return time.perf_counter() - began, text


def _many(folder: Path, runs: int) -> None:
    """One small run, copied; every tenth the child of the one before."""
    for i in range(min(runs, 20)):
        writer = Writer(folder / f"run-{i:04}", recipe=f"name: run\nseed: {i}\n")
        _flush(writer, np.arange(STEPS))
        writer.fact("steps", STEPS)
        if i % 10 == 9:
            writer.fact("parent", f"runs/run-{i - 1:04}")
        writer.commit()
        writer.close()
    for i in range(20, runs):
        shutil.copytree(folder / f"run-{i % 20:04}", folder / f"run-{i:04}")


def _flush(writer: Writer, steps: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    draw = np.random.default_rng(int(steps[0]))
    layers = tuple(f"layer{i}.weight" for i in range(20))
    writer.append("loss", ("",), steps, np.exp(-steps[:, None] / 500) + 0.01 * draw.random((len(steps), 1)))
    writer.append("grad_norm", ("",), steps, draw.random((len(steps), 1)))
    writer.append("phase_time", ("data", "forward", "backward"), steps, draw.random((len(steps), 3)))
    writer.append("param_grad_norm", layers, steps[::10], draw.random((len(steps[::10]), 20)))
    writer.append("val_score", ("",), steps[-1:], draw.random((1, 1)))
    writer.commit()


def _served(root: Path) -> tuple[subprocess.Popen[str], str]:
    start = "from torchdoctor.cli.main import main; main()"
    command = [sys.executable, "-c", start, "board", str(root), "--port", "0", "--no-token"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


def _peak(process: int) -> float:
    """Bytes, from /proc; 0 where there is none."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--live", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
