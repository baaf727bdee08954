"""Dropout or normalisation that goes on training when the model does not."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "dropout by a function that was not told the mode": Trace.of(
        {"eval_chance_in": "fc1"}, eval_mask_share=1.0, batch_normed_in_eval=0
    ),
    "batch normalisation without running statistics": Trace.of(
        {"batch_normed_in_eval": ["norm1", "norm2"]}, eval_mask_share=0.0, batch_normed_in_eval=2
    ),
}
QUIET = {
    "the mode is followed": Trace.of(eval_mask_share=0.0, batch_normed_in_eval=0),
    "noise that a variational autoencoder adds, in both modes": Trace.of(
        {"eval_chance_in": ""}, eval_mask_share=0.0, batch_normed_in_eval=0
    ),
}


@rule(
    "M16",
    kind="cause",
    severity=Severity.WARNING,
    needs=["eval_mask_share|batch_normed_in_eval"],
    explains=["mixed-batch", "oscillating-loss", "underfitting", "too-few-epochs"],
)
def mode_insensitive_layer(trace: Trace, *, masked: float = 0.9) -> Iterator[Finding]:
    """In eval mode, something still drops numbers at random or normalises by the batch at hand.

    Why it hurts
        Answers differ from call to call, or with the other samples of the batch. Validation scores are worse than the
        network is, and what is deployed is worse still.

    How it decides
        Two passes in eval mode over the same batch. Where their numbers first differ, dropout has made one of the two
        zero in more than `masked` of the places; noise that is added (a variational autoencoder's) leaves none. A
        function normalises by the batch when scaling and shifting all its inputs changes nothing and other neighbours
        do. What functions are called is not looked at.

    When it is wrong
        Dropout that is left on to sample predictions (Monte Carlo dropout), random masks that are part of the model.

    References
        Y. Gal, Z. Ghahramani, "Dropout as a Bayesian approximation", 2016, for the case in which it is meant.
    """
    share = trace.value("eval_mask_share")
    if share is not None and share > masked:
        place = str(trace.facts.get("eval_chance_in") or "")
        yield Finding(
            f"In eval mode numbers are still dropped at random{_within(place)}: {share:.0%} of what first differs "
            "between two passes is zero in one of them.",
            where=(place,) if place else (),
            confidence=0.85,
            evidence={"eval_mask_share": share},
        )
    count = trace.value("batch_normed_in_eval")
    if count is not None and count >= 1:
        names = tuple(n for n in trace.facts.get("batch_normed_in_eval") or () if n)
        yield Finding(
            f"In eval mode {count:.0f} normalisations{_within(names[0] if names else '')} still use the batch at hand.",
            where=names,
            confidence=0.9,
            evidence={"batch_normed_in_eval": count},
        )


def _within(name: str) -> str:
    return f" in {name!r}" if name and len(name) < 40 else ""
