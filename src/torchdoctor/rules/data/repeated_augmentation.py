"""Random numbers of an augmentation that come again, in every epoch or in every worker."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "a generator of the dataset's own": Trace.of(drawn_again_by_epoch=1.0, drawn_again_by_worker=1.0),
    "workers with one seed": Trace.of(drawn_again_by_epoch=0.0, drawn_again_by_worker=1.0),
}
QUIET = {
    "each draws its own": Trace.of(drawn_again_by_epoch=0.0, drawn_again_by_worker=0.0),
    "one of four by chance": Trace.of(drawn_again_by_epoch=0.25, drawn_again_by_worker=0.25),
}


@rule("D17", kind="cause", needs=["drawn_again_by_epoch"], explains=["overfitting", "weak-regularization"])
def repeated_augmentation(trace: Trace, *, share: float = 0.9) -> Iterator[Finding]:
    """The workers of the loader, or its epochs, draw the same random numbers.

    Why it hurts
        What is meant as ever new data is a few copies: each epoch the same, or the same once for every worker. So it
        protects from learning by heart less than it seems.

    How it decides
        By experiment, where the loader has workers and a sample read twice comes out different: two workers, started as
        the loader starts them, read one sample four times each, twice. Found where more than `share` of the draws are
        the same in the second round, or in the other worker. Independent draws of real augmentations are never all the
        same; flips of a coin would be once in 256.

    When it is wrong
        Augmentation with so few outcomes that equal draws are no accident.

    References
        P. Tanel, "Using PyTorch + NumPy? You're making a mistake", 2021, of 95,000 public repositories.
    """
    for unit, signal in (("epoch", "drawn_again_by_epoch"), ("worker", "drawn_again_by_worker")):
        found = trace.value(signal)
        if found is not None and found > share:
            yield Finding(
                f"In the next {unit} {found:.0%} of a sample's random draws are the same again.",
                confidence=0.9,
                evidence={"share": found, "again_by": unit},
                fixes=(Remedy("seed-workers"),),
            )
            return
