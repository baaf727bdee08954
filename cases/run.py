"""Run the cases and print what was found: `python -m cases.run [--only NAME] [--seeds 3] [--jobs 2] [--write PAGE]`.

Writes build/cases/table.md and table.json. --unseen measures the programs of cases/unseen instead, which nothing was
fitted on, and writes into build/cases/unseen, where `python -m cases.likelihoods` does not look.
Recordings are kept beside them as soon as each is made, and used again while nothing that they depend on has changed
(measure.py says what), so a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.rivals import opinions
from cases.case import Case, Healthy, Program, faulty_cases, file_of, healthy_cases
from cases.data import Absent
from cases.measure import KEPT, examined
from cases.page import page as whole_page
from cases.table import Row, listed, markdown, plain, row
from cases.verdict import first_step
from torchdoctor.errors import one_line

FAULTY, HEALTHY, TWINS = "faulty", "healthy", "twins"


@dataclass(frozen=True)
class Job:
    kind: str
    name: str
    seed: int
    anew: bool = True
    budget: float | None = None
    unseen: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """0, whatever was found: a benchmark measures and does not pass."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.unseen and asked.write:
        parser.error("--write makes the page of the cases that rules were tuned on; it takes no --unseen.")
    rows: dict[str, list[Row]] = {FAULTY: [], HEALTHY: [], TWINS: []}
    jobs = list(_jobs(asked))
    for done, (job, result) in enumerate(_results(jobs, asked.jobs), 1):
        rows[job.kind].append(result)
        print(f"{done:4}/{len(jobs)} {_told(job, result)}", file=sys.stderr, flush=True)
    run = {kind: sorted((r for r in rs if not r.skipped), key=lambda r: (r.case, r.seed)) for kind, rs in rows.items()}
    skipped = [r for rs in rows.values() for r in rs if r.skipped]
    page = markdown(run[FAULTY], [*run[HEALTHY], *run[TWINS]], skipped)
    folder = KEPT / "unseen" if asked.unseen else KEPT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(page, "utf-8")
    (folder / "table.json").write_text(json.dumps({kind: plain(rs) for kind, rs in run.items()}, indent=1), "utf-8")
    print(page)
    if asked.write:
        asked.write.write_text(whole_page(run[FAULTY], run[HEALTHY], run[TWINS], skipped, asked.note), "utf-8")
    return 0


def measured(job: Job) -> Row:
    """One run of one case."""
    program, truths, where, file, task = _program(job)
    label = f"unseen/{job.kind}/{job.name}" if job.unseen else f"{job.kind}/{job.name}"
    try:
        report, told = examined(program, label, job.seed, file, job.anew, job.budget)
    except Exception as error:  # noqa: BLE001 - what breaks the doctor is a result, and must not end the benchmark
        if why := _absent(error):
            return Row(job.name, job.seed, skipped=why)
        traceback.print_exc()
        return Row(job.name, job.seed, truths=listed(truths), crashed=(one_line(error),), task=task)
    made = row(job.name, job.seed, truths, where, report, told)
    probed, watched = told["traces"]
    return replace(
        made,
        task=task,
        step=first_step(probed, watched, made.right) if made.rank is not None else None,
        rivals=opinions(probed, watched),
    )


def _absent(error: BaseException) -> str:
    """Which data are not on this machine, where that is what it died of: some programs ask for them when they build."""
    found = error if isinstance(error, Absent) else error.__cause__
    return str(found) if isinstance(found, Absent) else ""


def _program(job: Job) -> tuple[Program, tuple[frozenset[str], ...], tuple[str, ...] | None, Path, str]:
    if job.kind == HEALTHY:
        recipe = next(c for c in healthy_cases(job.unseen) if c.name == job.name)
        return recipe.experiment, (), None, file_of("healthy", job.name, job.unseen), recipe.task
    case = next(c for c in faulty_cases(job.unseen) if c.name == job.name)
    file = file_of("faulty", job.name, job.unseen)
    if job.kind == TWINS:
        return case.fixed, (), None, file, case.task
    return case.faulty, case.truths(), case.where, file, case.task


def _jobs(asked: argparse.Namespace) -> Iterator[Job]:
    kinds = [k for k in (FAULTY, HEALTHY, TWINS) if getattr(asked, k)] or [FAULTY, HEALTHY]
    names: dict[str, Sequence[Case | Healthy]] = {
        FAULTY: faulty_cases(asked.unseen),
        HEALTHY: healthy_cases(asked.unseen),
        TWINS: faulty_cases(asked.unseen),
    }
    for place in range(asked.seeds):
        for kind in kinds:
            for case in names[kind]:
                if place < len(case.seeds) and any(part in case.name for part in asked.only or [""]):
                    yield Job(kind, case.name, case.seeds[place], not asked.kept, asked.budget, asked.unseen)


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
    parser.add_argument("--unseen", action="store_true", help="those of cases/unseen, which nothing was fitted on")
    parser.add_argument("--budget", type=float, help="seconds for the probes of a run (default: as td.check has it)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the whole page, docs/benchmark.md")
    parser.add_argument("--note", default="", help="what a reader of the page must know of this edition")
    parser.add_argument("--kept", action="store_true", help="judge what is kept, however old; run what is not")
    return parser


if __name__ == "__main__":
    sys.exit(main())
