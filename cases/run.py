"""Run the cases and print what was found: `python -m cases.run [--only NAME] [--seeds 3] [--jobs 2]`.

Writes build/cases/table.md and table.json. Recordings are kept beside them and used again while they are good.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from cases.case import HERE, Program, faulty_cases, healthy_cases
from cases.data import Absent
from cases.measure import KEPT, examined
from cases.table import Row, markdown, plain, row

FAULTY, HEALTHY, TWINS = "faulty", "healthy", "twins"


@dataclass(frozen=True)
class Job:
    kind: str
    name: str
    seed: int
    anew: bool = True
    budget: float | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """0, whatever was found: a benchmark measures and does not pass."""
    asked = _parser().parse_args(arguments)
    rows: dict[str, list[Row]] = {FAULTY: [], HEALTHY: [], TWINS: []}
    jobs = list(_jobs(asked))
    for done, (job, result) in enumerate(_results(jobs, asked.jobs), 1):
        rows[job.kind].append(result)
        print(f"{done:4}/{len(jobs)} {_told(job, result)}", file=sys.stderr, flush=True)
    run = {kind: sorted((r for r in rs if not r.skipped), key=lambda r: (r.case, r.seed)) for kind, rs in rows.items()}
    skipped = [r for rs in rows.values() for r in rs if r.skipped]
    page = markdown(run[FAULTY], [*run[HEALTHY], *run[TWINS]], skipped)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "table.md").write_text(page, "utf-8")
    (KEPT / "table.json").write_text(json.dumps({kind: plain(rs) for kind, rs in run.items()}, indent=1), "utf-8")
    print(page)
    return 0


def measured(job: Job) -> Row:
    """One run of one case."""
    program, truths, where, file = _program(job)
    label = f"{job.kind}/{job.name}"
    try:
        report, told = examined(program, label, job.seed, file, job.anew, job.budget)
    except Absent as why:
        return Row(job.name, job.seed, skipped=str(why))
    return row(job.name, job.seed, truths, where, report, told)


def _program(job: Job) -> tuple[Program, tuple[frozenset[str], ...], tuple[str, ...] | None, Path]:
    if job.kind == HEALTHY:
        recipe = next(c for c in healthy_cases() if c.name == job.name)
        return recipe.experiment, (), None, HERE / "healthy" / f"{job.name}.py"
    case = next(c for c in faulty_cases() if c.name == job.name)
    file = HERE / "faulty" / f"{job.name}.py"
    return (case.fixed, (), None, file) if job.kind == TWINS else (case.faulty, case.truths(), case.where, file)


def _jobs(asked: argparse.Namespace) -> Iterator[Job]:
    kinds = [k for k in (FAULTY, HEALTHY, TWINS) if getattr(asked, k)] or [FAULTY, HEALTHY]
    names = {FAULTY: faulty_cases(), HEALTHY: healthy_cases(), TWINS: faulty_cases()}
    for place in range(asked.seeds):
        for kind in kinds:
            for case in names[kind]:
                if place < len(case.seeds) and any(part in case.name for part in asked.only or [""]):
                    yield Job(kind, case.name, case.seeds[place], not asked.kept, asked.budget)


def _results(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Row]]:
    if workers == 1:
        yield from ((job, measured(job)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(measured, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _told(job: Job, result: Row) -> str:
    what = f"skipped: {result.skipped}" if result.skipped else ", ".join((*result.found, *result.crashed)) or "nothing"
    return f"{job.kind} {job.name} seed {job.seed} ({result.seconds:.1f} s): {what}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cases.run", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="cases whose name holds this; may be repeated")
    parser.add_argument("--seeds", type=int, default=3, help="seeds per case (default 3)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--faulty", action="store_true", help="the faulty programs")
    parser.add_argument("--healthy", action="store_true", help="the healthy recipes")
    parser.add_argument("--twins", action="store_true", help="the mended twins of the faulty programs, as healthy ones")
    parser.add_argument("--budget", type=float, help="seconds for the probes of a run (default: as td.check has it)")
    parser.add_argument("--kept", action="store_true", help="judge what is kept, however old; run what is not")
    return parser


if __name__ == "__main__":
    sys.exit(main())
