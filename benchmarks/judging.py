"""How long it takes to open and judge a large recorded run, beside the plainest way of storing one.

    python -m benchmarks.judging [--points 1000000] [--repeats 5]

A run of a ResNet-20 is written with every signal that a watch records of it, about a million numbers. A fresh Python
opens it and judges it by all installed rules. The rival is the same run in one long table (signal, subject, step,
value), read with SQLite and sorted into the same series (of vectors, one after another), judged by the same rules.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.record.blocks import Block
from torchdoctor.record.facts import describe
from torchdoctor.record.run import Writer

MOST = 2.0  # seconds that opening and judging a million points may take
FLUSH = 100  # steps between two flushes of a loop of ten milliseconds a step
EVERY = 10  # steps between two sampled ones
PHASES = ("data", "forward", "backward", "optimizer", "rest")
OF_PARAMETERS = {"param_grad_norm": 0.05, "weight_norm": 3.0, "update_ratio": 1e-3}
OF_LAYERS = {"activation_mean": 0.2, "activation_std": 1.0, "zero_share": 0.4, "saturated_share": 0.02}
OF_UNITS = {"unit_mean": 0.2, "unit_variance": 1.0, "unit_zero_share": 0.4, "unit_saturated_share": 0.02}
OF_THE_RUN = {"input_mean": 0.0, "input_std": 1.0, "output_mean": 0.0, "output_std": 2.0, "output_max": 6.0}

READ = """
import json, sys, time
begin = time.perf_counter()
import torchdoctor as td
trace = td.Run(sys.argv[1]).trace()
opened = time.perf_counter()
"""
READ_LONG = """
import json, sys, time
begin = time.perf_counter()
import sqlite3
import numpy as np
import torchdoctor as td
from torchdoctor.judge.series import Series
db = sqlite3.connect(sys.argv[1])
points = {}
for signal, subject, step, value in db.execute("SELECT signal, subject, step, value FROM point"):
    steps, values = points.setdefault((signal, subject), ([], []))
    steps.append(step)
    values.append(float("nan") if value is None else value)
data = {}
for (signal, subject), (steps, values) in points.items():
    data.setdefault(signal, {})[subject] = Series(np.array(steps, np.int64), np.array(values))
trace = td.Trace(data, json.loads(db.execute("SELECT json FROM facts").fetchone()[0]))
opened = time.perf_counter()
"""
JUDGE = """
from torchdoctor.judge.judge import judge
report = judge(trace)
end = time.perf_counter()
ran = len({f.name for f in report}) + len(report.quiet)
print(json.dumps([opened - begin, end - opened, ran, len(report.crashed), "torch" in sys.modules]))
"""


def main() -> None:
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        run, table = Path(folder) / "run", Path(folder) / "points.db"
        wrote, points = _write(run, options.points)
        wrote_long = _write_long(table, run)
        print(f"{points:,} numbers of a ResNet-20, {options.repeats} fresh Pythons each, medians")
        ours = _report("blocks (torchdoctor)", READ, run, wrote, run / "signals.db", options.repeats)
        theirs = _report("one long table", READ_LONG, table, wrote_long, table, options.repeats)
    print(f"\nopened and judged {theirs / ours:.1f} times faster than the long table; {ours:.2f} s (at most {MOST} s)")
    if ours > MOST:
        sys.exit(1)


def _report(name: str, read: str, path: Path, wrote: float, file: Path, repeats: int) -> float:
    """Median seconds from the start of Python to the verdict."""
    size = file.stat().st_size / 1e6
    whole, opening, judging = [], [], []
    for _ in range(repeats):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", read + JUDGE, str(path)], capture_output=True, text=True, check=True
        )
        whole.append(time.perf_counter() - start)
        opened, judged, ran, crashed, torch_imported = json.loads(done.stdout)
        opening.append(opened)
        judging.append(judged)
        if crashed or torch_imported:
            sys.exit(f"{crashed} rules crashed; torch imported: {torch_imported}")
    seconds = statistics.median(whole)
    print(
        f"\n{name}: {seconds:.2f} s [{min(whole):.2f} .. {max(whole):.2f}] from the start of Python to the verdict\n"
        f"  of it opening {statistics.median(opening):.2f} s, {ran} rules {statistics.median(judging):.2f} s, "
        f"torch not imported\n"
        f"  written in {wrote:.2f} s, {size:.1f} MB"
    )
    return seconds


# -- a run ------------------------------------------------------------------------------------------------------------


def _write(path: Path, points: int) -> tuple[float, int]:
    """Seconds it took, and how many numbers were written: the first multiple of a flush that reaches `points`."""
    model = resnet20((3, 32, 32), 10)
    flushes = _flushes(model, np.random.default_rng(0))
    writer, written, wrote = Writer(path), 0, 0.0
    for name, value in describe(model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)).items():
        writer.fact(name, value)
    while written < points:
        blocks = next(flushes)
        start = time.perf_counter()
        for block in blocks:
            writer.append(*block)
        writer.commit()
        wrote += time.perf_counter() - start
        written += sum(block[3].size for block in blocks)
    writer.close()
    return wrote, written


def _flushes(model: nn.Module, draw: np.random.Generator) -> Iterator[list[Block]]:
    """What a watch appends flush by flush, of a network that learns."""
    parameters = tuple(name for name, _ in model.named_parameters())
    weights = tuple(name for name, p in model.named_parameters() if p.dim() >= 2)
    layers = [(n, m) for n, m in model.named_modules() if n and next(m.children(), None) is None]
    units = {n: next((len(p) for p in m.parameters()), 16) for n, m in layers}
    names = tuple(units)
    step = 0
    while True:
        all_steps = np.arange(step, step + FLUSH)
        sampled = all_steps[::EVERY]

        def some(level: float, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
            return level * (1 + 0.05 * draw.standard_normal(shape))

        level = 0.2 + 2.1 * np.exp(-all_steps / 3000)
        n, k = len(all_steps), len(sampled)
        yield [
            ("loss", ("",), all_steps, (level * (1 + 0.05 * draw.standard_normal(n)))[:, None]),
            ("grad_norm", ("",), all_steps, some(0.5, n, 1)),
            ("phase_time", PHASES, all_steps, some(2e-3, n, len(PHASES))),
            *[(s, ("",), sampled, some(v, k, 1)) for s, v in OF_THE_RUN.items()],
            *[(s, ("",), sampled, np.zeros((k, 1))) for s in ("stale_grad_norm", "input_absmax")],
            ("step_grad_norm", ("",), sampled, some(0.5, k, 1)),
            ("training_mode", ("",), sampled, np.ones((k, 1))),
            ("has_grad", parameters, sampled, np.ones((k, len(parameters)))),
            ("identical_rows", weights, sampled, np.zeros((k, len(weights)))),
            *[(s, parameters, sampled, some(v, k, len(parameters))) for s, v in OF_PARAMETERS.items()],
            *[(s, names, sampled, some(v, k, len(names))) for s, v in OF_LAYERS.items()],
            ("dead_share", names, sampled[-1:], np.zeros((1, len(names)))),
            *[(s, (m,), sampled[-1:], some(v, 1, 1, u)) for s, v in OF_UNITS.items() for m, u in units.items()],
        ]
        step += FLUSH


def _write_long(path: Path, run: Path) -> float:
    """The same numbers in one long table, without an index: a key makes it seven times slower. Seconds it took."""
    from torchdoctor.record.run import Run

    opened = Run(run)
    trace = opened.trace()
    opened.close()
    rows = [
        (signal, subject, int(step), float(value))
        for signal, group in trace.data.items()
        for subject, series in group.items()
        for step, values in zip(series.steps, series.values)
        for value in np.atleast_1d(values)
    ]
    start = time.perf_counter()
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
    db.execute("CREATE TABLE point (signal TEXT, subject TEXT, step INTEGER, value REAL)")
    db.execute("CREATE TABLE facts (json TEXT)")
    db.execute("INSERT INTO facts VALUES (?)", (json.dumps(dict(trace.facts)),))
    for first in range(0, len(rows), 10_000):  # as many commits as there were flushes
        db.executemany("INSERT INTO point VALUES (?,?,?,?)", rows[first : first + 10_000])
        db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return time.perf_counter() - start


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
