"""docs/benchmark.md: what was measured, how, and every run of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from benchmarks.rivals.searches import Searched, kept
from cases.beside import standings
from cases.case import HERE
from cases.likelihoods import by_fault, by_task, counted, first_right, log_loss, named, reliability, tried
from cases.table import RULES, RUNS, Row, by_rule, cells, figure, grid, plain, totals

# Faults of the loop and of the graph, which a step or two must show.
LOOP = (
    "missing-zero-grad", "misplaced-zero-grad", "detached-graph", "frozen-parameters", "missing-parameters",
    "stale-optimizer", "stale-graph", "eval-mode-training", "train-mode-evaluation", "mixed-batch", "broadcast-loss",
)  # fmt: skip

NOISY = 0.01  # a rule with more false alarms than this belongs into preview, or mended

INTRODUCTION = """\
Faulty programs as PyTorch users write them, and sound programs that look faulty to simple rules. Each is built from a
seed, probed (`td.check`) and trained once under watch, as `td.cure` sees it before its races; then the rules judge what
was recorded. A faulty program counts as detected when any finding is a warning or an error; a cause is right when it is
among the names that `cases/faulty/` gives as the program's faults. Written by

    python -m cases.run --seeds {seeds} --write docs/benchmark.md

at commit {commit}. The rules were written and mended while looking at these programs, so expect less of others."""

CACHING = """\
Recordings are kept in `build/cases` under a hash of all they depend on: the program's file, the data modules it
imports, the probes, the recorder, the training loop, torch's version. They are made again when one of these changes,
and only then; rules, ranking and rivals always run anew. Every recording is kept as soon as it is made, so that an
interrupted run goes on where it stopped. `--jobs` processes work at once."""

CONFIDENCE = """\
The confidence of a named cause is the chance that it is right, by the counts in `src/torchdoctor/judge/likelihoods.py`:
the odds of its rule (how often it was right when it spoke, drawn towards all rules), times, for each sign, how much
better the odds are where the sign was seen, to the power of {trust:g}. The table was made by counting without a family
of programs and trying on that family, for each family (programs of one task). Log loss {task:.3f} nats; with families
by main fault {fault:.3f}; when every alarm is given the share of all that are right, {plain:.3f}. Ordered by such a
table, the first cause is right in {first:.3f} of the faulty runs. Symptoms keep the confidence of their rules: they are
seen or not, and no label says which."""

BESIDE = """\
The same recordings, judged by rules of other tools as their papers and code have them (`benchmarks/rivals/`, one short
file each, with what stands for what). Their verdicts were mapped to our names generously: "learning rate" counts as
both too high and too low, and a verdict is right when any name it may mean is. `always` alarms on everything. Sound
programs here include the mended twins where they were run."""


SEARCHES = """\
Another way to find out is to train again with other settings: a program counts as faulty when a learning rate up to a
thousand times lower or higher, or settings drawn at random, score clearly better on validation. That takes seven
trainings each, so only programs that train fast were tried, on one seed (`python -m benchmarks.rivals.searches`)."""


def page(
    faulty: Sequence[Row], healthy: Sequence[Row], twins: Sequence[Row], skipped: Sequence[Row], note: str = ""
) -> str:
    """The whole page. twins: the mended ones of the faulty programs, counted as sound where they were run. note: what a
    reader must know of this edition."""
    sound = [*healthy, *twins]
    seeds = max((r.seed for r in faulty), default=0) + 1
    parts = {
        "# Benchmark": INTRODUCTION.format(seeds=seeds, commit=_commit()) + f"\n\n{note}".rstrip(),
        "## Totals": grid(("", ""), _totals(faulty, healthy, twins)),
        "## Other tools on the same runs": f"{BESIDE}\n\n{_beside(faulty, sound)}",
        "## Training again instead": _searches(),
        "## What confidence means": _confidence([*faulty, *sound]),
        "## Rules": grid(RULES, [(name, *counts.values()) for name, counts in by_rule(faulty, sound).items()]),
        "## Faulty programs": grid(RUNS, map(cells, faulty)),
        "## Sound programs": grid(RUNS, map(cells, sound)),
        "## Not run": "\n".join(f"{r.case}: {r.skipped}" for r in skipped) or "Nothing was left out.",
        "## How recordings are kept": CACHING,
    }
    return "\n\n".join(f"{title}\n\n{text}" for title, text in parts.items()) + "\n"


def _totals(faulty: Sequence[Row], healthy: Sequence[Row], twins: Sequence[Row]) -> list[tuple[str, str]]:
    sums = [(name, figure(name, value)) for name, value in totals(faulty, healthy).items()]
    alarmed = [r for r in twins if r.found]
    if twins:
        sums.append(("mended twins with an alarm", f"{len(alarmed)} of {len(twins)} runs"))
    loop = [r for r in faulty if r.right & set(LOOP)]
    early = [r for r in loop if r.step is not None and r.step <= 2]
    before = [r for r in faulty if r.step == 0]
    spoken = by_rule((), [*healthy, *twins])
    noisy = [name for name, counts in spoken.items() if counts["healthy"] > NOISY * len([*healthy, *twins])]
    return [
        *sums,
        (f"rules with an alarm on more than {NOISY:.0%} of sound runs", ", ".join(noisy) or "none"),
        ("faults of the loop named within two steps", f"{len(early)} of {len(loop)} runs"),
        ("a true cause named before training", f"{len(before)} of {len(faulty)} runs"),
    ]


def _searches() -> str:
    done = kept()
    sick, sound = ([s for s in done if s.kind == kind] for kind in ("faulty", "healthy"))
    if not done:
        return "Not run."
    seen = [
        ("sweep of the rate", _of(sick, lambda s: s.sweep_alarms), _of(sound, lambda s: s.sweep_alarms),
         _of(sick, lambda s: s.sweep_names in s.faults)),
        ("random search", _of(sick, lambda s: s.draw_alarms), _of(sound, lambda s: s.draw_alarms), "names nothing"),
    ]  # fmt: skip
    programs = f"Faulty ones: {_names(sick)}. Sound ones: {_names(sound)}."
    return f"{SEARCHES}\n\n{grid(('by', 'detected', 'sound alarmed', 'first right'), seen)}\n\n{programs}"


def _of(done: Sequence[Searched], holds: Callable[[Searched], bool]) -> str:
    return f"{sum(map(holds, done))} of {len(done)}"


def _names(done: Sequence[Searched]) -> str:
    return ", ".join(s.case for s in done) or "none"


def _beside(faulty: Sequence[Row], healthy: Sequence[Row]) -> str:
    head = ("tool", "detected", "sound alarmed", "first right", "precision", "recall", "causes a run")
    rows = [[f"{v:.2f}" if isinstance(v, float) else v for v in asdict(s).values()] for s in standings(faulty, healthy)]
    return grid(head, rows)


def _confidence(rows: Iterable[Row]) -> str:
    table = {"all": plain(rows)}
    found = named(table)
    given = tried(found, by_task)
    share = sum(right for _, right in given) / max(1, len(given))
    text = CONFIDENCE.format(
        trust=counted(found).trust,
        task=log_loss(given),
        first=first_right(table),
        fault=log_loss(tried(found, by_fault)),
        plain=log_loss([(share, right) for _, right in given]) if 0 < share < 1 else float("nan"),
    )
    head = ("confidence", "findings", "said on average", "were right")
    bins = [(f"{k.low:g} to {k.high:g}", k.findings, f"{k.mean:.2f}", f"{k.right:.2f}") for k in reliability(given)]
    return f"{text}\n\n{grid(head, bins)}"


def _commit() -> str:
    """Of the tree, and whether it has changes that are in no commit; "unknown" where there is no git."""
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return said.stdout.strip() or "unknown"
