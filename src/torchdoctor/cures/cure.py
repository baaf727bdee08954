"""cure: examine, train once under watch, judge, race remedies for what was found, and hand over what won.

    cure = td.cure(td.Experiment(build, epochs=20))
    cure.show()
    parts = cure.parts(seed=0)

Order: probes and one whole watched run give one trace, and the rules a report. No alarm: healthy, nothing is changed.
Alarms without a remedy: refused. Else a search over remedies by paired races, and at last whole runs of the unchanged
and the cured experiment on the same seeds. What loses is never handed over.
May not: print, know a rule, a fix or a probe by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torchdoctor.cures.arm import INTERRUPTED, Outcome
from torchdoctor.cures.budget import Budget
from torchdoctor.cures.candidates import alarms, candidates
from torchdoctor.cures.hopeless import Doubts, as_well, beyond_help, with_doubts
from torchdoctor.cures.meeting import Meeting, remedies_of
from torchdoctor.cures.progress import ReportProgress
from torchdoctor.cures.remedies import names_of
from torchdoctor.cures.result import Cure, Scores
from torchdoctor.cures.runner import Runner
from torchdoctor.cures.search import Search
from torchdoctor.cures.shelf import ASKED, PATCH, RESULT, Shelf
from torchdoctor.cures.source import in_source
from torchdoctor.cures.standing import Standing
from torchdoctor.cures.track import SEED, Track
from torchdoctor.cures.verdict import Verdict, after_search, without_search
from torchdoctor.errors import BadParts, BadRun, one_line
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.probes.check import with_reasons
from torchdoctor.train.seed import random_state, set_random_state

FIRST_LOOK, SECOND_LOOK = 60.0, 30.0  # seconds for the probes, at most: what is left out on a busy machine is not found
EXCHANGED = 0.25  # share of a run that the network is given to learn labels that say nothing


def cure(
    experiment: Experiment,
    *,
    budget: str | float = "3x",
    seeds: int = 3,
    folder: str | Path | None = None,
    resume: bool = False,
    on: Runner | None = None,
    report_progress: ReportProgress | None = None,
) -> Cure:
    """Find what keeps an experiment from learning, prove it by races, and return what cures it.

    budget: "3x" (training runs on top of the first, unchanged one), "10min" or "20 trials". seeds: of each race.
    folder: a new one, in which every arm of every race is kept as a run, beside cure.json, which says at any time what
    is being tried and what came out, and fix.patch where the fix can be said in the user's own files; default: nothing
    is kept. resume: go on with the cure in that folder, after a
    Ctrl-C, a crash or with a larger budget; what was run is not run again.
    on: who trains the arms, for example torchdoctor.connect.ray.cluster(); default: this process, one by one.
    report_progress: called with a Progress whenever something begins or an epoch has ended.

    Nothing of the user's is changed, and random numbers are afterwards where they were. Ctrl-C ends it early: what was
    shown by then is told; what no whole run has confirmed yet is not handed over. Raises BadParts when the experiment
    cannot be examined or trained at all, BadRun when the folder holds another cure or cannot be written.
    """
    if not isinstance(experiment, Experiment):
        raise BadParts(
            f"cure needs an Experiment, not {type(experiment).__name__}: td.cure(td.Experiment(build, epochs=20)), or "
            "td.cure(td.Recipe.load(path).experiment())."
        )
    if not isinstance(seeds, int) or seeds < 1:
        raise BadParts(f"seeds = {seeds}: a race needs at least one, and two for an interval.")
    shelf = _shelf(folder, resume, budget, seeds)
    track = Track(experiment, Budget.parse(budget), seeds, report_progress, shelf, on)
    numbers, standing = random_state(), Standing(track, shelf)
    try:
        found = _cured(track, standing)
    except BaseException as end:
        standing.stopped("It was interrupted." if isinstance(end, KeyboardInterrupt) else f"{one_line(end)}.")
        raise
    finally:
        set_random_state(numbers)
    if shelf.folder is not None:
        shelf.write({RESULT: found.to_json(), PATCH: found.source.diff})
    return found


def _shelf(folder: str | Path | None, resume: bool, budget: str | float, seeds: int) -> Shelf:
    shelf = Shelf(None if folder is None else Path(folder))
    if resume and not shelf.asked:
        raise BadRun(f"{folder or 'resume=True without a folder'} holds no cure to go on with: it has no {ASKED}.")
    if not resume and shelf.asked:
        raise BadRun(f"{folder} already holds a cure. Give another folder, or go on with it by resume=True.")
    shelf.asked |= {"budget": budget, "seeds": seeds}
    return shelf


def _cured(track: Track, standing: Standing) -> Cure:
    track.tell("examine", "probes", "small experiments on copies, before anything is trained")
    track.meet()
    standing.follow()
    trace = track.examined((), FIRST_LOOK)
    first = track.first_run()
    report = standing.report = _judged(track.experiment, trace, first)
    standing.score = first.score
    report, doubts = _with_doubts(track, report, first)
    done = without_search(report, first, track.ruler, doubts)
    if done is not None:
        return _result(track, report, first, None, *done, first.error == INTERRUPTED)
    interrupted = False
    search = standing.search = Search(Meeting(track), lambda given, share: _second_look(track, given, share))
    standing.report = report
    try:
        search.found = candidates(report, track.experiment)
        search.run()
    except KeyboardInterrupt:
        interrupted = True
    return _result(track, report, first, search, *after_search(report, search, interrupted, doubts), interrupted)


def _with_doubts(track: Track, report: Report, first: Outcome) -> tuple[Report, Doubts]:
    """Where something is wrong: what the data say by themselves. Where the network does no better than guessing, small
    models are asked too, and the network itself on labels that were exchanged."""
    lost = track.ruler.is_chance(first.score)
    if first.error == INTERRUPTED or not (lost or alarms(report)):
        return report, Doubts()
    causes = beyond_help(track.data(with_models=lost))
    if not causes or not lost:
        return with_doubts(report, causes), Doubts(causes)
    exchanged = track.exchanged(EXCHANGED)
    said = "" if exchanged is None else as_well(track.ruler, first.score, exchanged.score)
    return with_doubts(report, causes), Doubts(causes, said)


def _second_look(track: Track, given: Sequence[Remedy], share: float) -> Report:
    """What the rules say of the experiment with these remedies: faults that others hid come to light."""
    track.tell(track.stage, names_of(given), "a second look: what did the first faults hide?")
    return _judged(track.experiment, track.examined(given, SECOND_LOOK), track.run(given, SEED, share))


def _judged(experiment: Experiment, probed: Trace, first: Outcome) -> Report:
    trace = probed.merged(first.trace) if first.trace is not None else probed
    return with_reasons(judge(trace, title=experiment.name), trace)


def _result(
    track: Track,
    report: Report,
    first: Outcome,
    search: Search | None,
    verdict: Verdict,
    reason: str,
    interrupted: bool,
) -> Cure:
    fix = remedies_of(search.kept) if search is not None and verdict == "cured" else ()
    final = search.final if search is not None else None
    if first.error and first.error != INTERRUPTED:
        reason = f"{reason} The unchanged run ended with {first.error}."
    return Cure(
        report=report,
        races=tuple(search.meeting.races) if search else (),
        verdict=verdict,
        reason=reason,
        fix=fix,
        before=Scores(final.without if final is not None and fix else {SEED: first.score}),
        after=Scores(final.with_it if final is not None and fix else {}),
        experiment=track.experiment_with(fix),
        original=track.experiment,
        interrupted=interrupted,
        uncovered=search.uncovered if search is not None else (),
        report_after=search.report_after if search is not None and fix else None,
        useless=search.found.useless if search is not None else {},
        cost=track.purse.runs,
        seconds=track.purse.elapsed,
        source=in_source(track.experiment, fix, SEED),
    )
