"""Arms and examinations as they lie on the shelf of a cure: under which key, and as which signals and facts.

May not: train, judge, print.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from torchdoctor.cures.arm import Outcome
from torchdoctor.cures.remedies import key_of, names_of, without_length
from torchdoctor.cures.runner import Job
from torchdoctor.cures.shelf import Shelf, name_of
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import WHOLE, Trace
from torchdoctor.recipe.schema import Recipe

EXCHANGED = ", labels exchanged"


def is_kept(job: Job, shelf: Shelf) -> bool:
    """Whether an arm was run already."""
    return _key(job) in shelf


def outcome_of(job: Job, shelf: Shelf) -> Outcome | None:
    """Of an arm that was run already; None where it was not."""
    kept = shelf.find(_key(job))
    if kept is None:
        return None
    outcome = Outcome(**kept.told["outcome"])
    return replace(outcome, trace=kept.trace if job.watched else None)


def keep_arm(job: Job, outcome: Outcome, treated: Experiment, share: float, shelf: Shelf) -> Outcome:
    """The outcome as a resumed cure will read it."""
    fix = names_of(job.remedies) + (EXCHANGED if job.exchanged else "")
    trace = outcome.trace if outcome.trace is not None else _logged(outcome)
    kept = shelf.keep(
        _key(job), name_of(fix, job.seed), trace, {"outcome": outcome.to_dict()}, recipe_of(treated),
        fix=fix, remedies=[{"fix": r.fix, "options": dict(r.options)} for r in job.remedies], seed=job.seed,
        share=share, score=outcome.score,
    )  # fmt: skip
    return replace(outcome, trace=kept.trace if job.watched else None)


def measured(what: str, remedies: Sequence[Remedy], shelf: Shelf) -> tuple[Trace, float] | None:
    """What was measured without training, and the seconds that took; None where it was not done. what: "examined",
    with those remedies in place, or "data"."""
    kept = shelf.find(_measured(what, remedies))
    return None if kept is None else (kept.trace, float(kept.told["seconds"]))


def keep_measured(what: str, remedies: Sequence[Remedy], trace: Trace, seconds: float, shelf: Shelf) -> Trace:
    """The same, as a resumed cure will read it."""
    fix = names_of(remedies)
    name = name_of(f"{what}-{fix}" if remedies else what, 0)
    return shelf.keep(_measured(what, remedies), name, trace, {"seconds": seconds}, fix=fix, seed=0).trace


def _key(job: Job) -> str:
    length = job.length.epochs, job.length.at_most
    return json.dumps([key_of(without_length(job.remedies)), job.seed, *length, job.watched, job.exchanged])


def _measured(what: str, remedies: Sequence[Remedy]) -> str:
    return json.dumps([what, key_of(remedies)])


def _logged(outcome: Outcome) -> Trace:
    """Of a run that was not watched: what its loop logged, spread evenly over its steps, as epochs are."""
    signals = {name: {WHOLE: _spread(values, outcome.drawn)} for name, values in outcome.numbers.items()}
    ended = {"val_score": {WHOLE: Series.of([outcome.score], steps=[max(0, outcome.drawn - 1)])}}
    return Trace({**ended, **signals}, {"steps": outcome.drawn})


def _spread(values: Sequence[float], steps: int) -> Series:
    return Series.of(values, steps=[max(0, round((i + 1) * steps / len(values)) - 1) for i in range(len(values))])


def recipe_of(experiment: Experiment) -> str | None:
    """As YAML; None where the experiment came from none."""
    return None if experiment.recipe is None else Recipe.from_dict(experiment.recipe).to_yaml()
