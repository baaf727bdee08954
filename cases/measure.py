"""One run of one program, as td.cure sees it before its races: probes, then one whole watched training.

What was recorded is kept under build/cases and used again while neither the program nor what records it has changed;
the rules are always applied anew, so that a change of a rule is measured in seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from cases.case import HERE, Program
from torchdoctor.cures.arm import Length, built, trained
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.probes.check import examine, with_reasons
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.record.run import Run, Writer

KEPT = HERE.parent / "build" / "cases"
SOURCE = HERE.parent / "src" / "torchdoctor"
# What a recording depends on; rules, ranking, fixes and everything that shows are left out on purpose.
PROBING = ("probes", "record/facts.py", "data", "parts.py", "train/score.py")
WATCHING = ("record", "signals", "train", "cures/arm.py", "cures/stream.py")
Recorded = tuple[Trace, dict[str, Any]]


def examined(
    program: Program, label: str, seed: int, file: Path, anew: bool = True, budget: float | None = None
) -> tuple[Report, dict[str, Any]]:
    """The report over probes and a watched run, with confidences as the rules gave them (likelihoods are counted from
    these), and what else is known: seconds, score, error, and what was recorded by each of the two.

    label: where the recordings are kept. file: that the program is written in. anew: False takes what is kept as it
    is, whatever has changed since. budget: seconds for the probes; more than the default is for busy machines.
    """
    torch.set_num_threads(1)
    common = (file, *_modules(file))
    folder = KEPT / label / str(seed)
    probed, first = _kept(
        folder / "probed", _key((*common, *_sources(PROBING)), anew), lambda: _probed(program, seed, budget)
    )
    watched, then = _kept(
        folder / "watched", _key((*common, *_sources(WATCHING)), anew), lambda: _watched(program, seed)
    )
    trace = probed.merged(watched)
    report = with_reasons(judge(trace, title=label, table=None), trace)
    return report, {**first, **then, "traces": (probed, watched)}


def _probed(program: Program, seed: int, budget: float | None) -> Recorded:
    parts, clock = built(program(), seed), Stopwatch()
    trace = examine(parts, budget=budget, seed=seed)
    return trace, {"probing_seconds": clock.seconds}


def _watched(program: Program, seed: int) -> Recorded:
    experiment = program()
    outcome = trained(experiment, seed, Length(experiment.epochs), watched=True)
    told = {"training_seconds": outcome.seconds, "score": outcome.score, "error": outcome.error}
    return outcome.trace or Trace({}), told


def _kept(folder: Path, key: str, make: Callable[[], Recorded]) -> Recorded:
    note = folder / "kept.json"
    if note.is_file():
        told = json.loads(note.read_text("utf-8"))
        written_by = told.pop("key")
        if key in ("", written_by):
            run = Run(folder)
            trace = run.trace()
            run.close()
            return trace, told
    shutil.rmtree(folder, ignore_errors=True)
    trace, told = make()
    _write(trace, folder)
    note.write_text(json.dumps({**told, "key": key}), "utf-8")
    return trace, told


def _write(trace: Trace, folder: Path) -> None:
    """As a run folder, which `torchdoctor diagnose` opens too."""
    writer = Writer(folder)
    for signal, group in trace.data.items():
        for subject, series in group.items():
            writer.append(signal, (subject,), series.steps, series.values[:, None])
    for name, value in trace.facts.items():
        writer.fact(name, value)
    writer.close()


def _modules(file: Path) -> list[Path]:
    """The files of cases/ that a program imports its data from; what else changes there does not concern it."""
    names = re.findall(r"^from cases\.(\w+) import", file.read_text("utf-8"), re.MULTILINE)
    return [HERE / f"{name}.py" for name in sorted(set(names) - {"case"})]


def _key(files: Iterable[Path], anew: bool) -> str:
    """A hash of the files' contents; "" fits whatever is kept."""
    if not anew:
        return ""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _sources(places: Iterable[str]) -> list[Path]:
    roots = [SOURCE / place for place in places]
    return sorted(f for root in roots for f in (root.rglob("*.py") if root.is_dir() else [root]))
