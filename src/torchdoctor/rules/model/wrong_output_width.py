"""As many outputs as there are no targets for."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace


def _shapes(output: list[int], target: list[int]) -> dict[str, dict[str, object]]:
    return {"output": {"shape": output}, "targets": {"shape": target, "kind": "continuous"}}


FIRES = {
    "one output for three targets": Trace.of(_shapes([64, 1], [64, 3]), outputs_per_target=1 / 3),
    "three outputs for one target": Trace.of(_shapes([64, 3], [64, 1]), outputs_per_target=3.0),
    "twenty columns for seven classes: a hint": Trace.of(
        {"output": {"shape": [50, 20]}, "targets": {"shape": [50], "kind": "classes"}},
        label_max=6.0,
        loss_compares_classes=1,
    ),
}
QUIET = {
    "three outputs, three targets": Trace.of(_shapes([64, 3], [64, 3]), label_max=2.0),
    "three quantiles of one target": Trace.of(_shapes([64, 3], [64, 1])),
    "ten columns for ten classes": Trace.of(
        {"output": {"shape": [64, 10]}, "targets": {"shape": [64], "kind": "classes"}},
        label_max=9.0,
        loss_compares_classes=1,
    ),
    "a space of eight dimensions in which two kinds lie apart": Trace.of(
        {"output": {"shape": [64, 8]}, "targets": {"shape": [64], "kind": "classes"}},
        label_max=1.0,
        loss_compares_classes=0,
    ),
    "letters of a text, some of which are rare": Trace.of(
        {"output": {"shape": [32, 85, 64]}, "targets": {"shape": [32, 64], "kind": "classes"}},
        label_max=30.0,
        loss_compares_classes=1,
    ),
}


@rule(
    "M04",
    kind="cause",
    severity=Severity.ERROR,
    needs=["outputs_per_target|label_max"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "broadcast-loss", "wrong-output-activation"],
)
def wrong_output_width(trace: Trace, *, spare: float = 2.0) -> Iterator[Finding]:
    """The model gives more or fewer numbers for a sample than there are targets or classes.

    Why it hurts
        One output that is compared with three targets learns their mean. Three that are compared with one target learn
        the same thing three times, and nobody knows which of them to read. Columns for classes that do not occur only
        learn to be small.

    How it decides
        Output and target have one shape but for an axis on which one of them has a single entry, so that the loss
        spreads it; and the loss stays as it is when the entries of the other change places, which says that it does
        not tell them apart, as a loss of quantiles or of mean and variance does. Scores of classes: a hint when there
        are at least `spare` times as many columns as the highest label asks for.

    When it is wrong
        Several heads that are to learn one target independently, as an ensemble does. Classes that will come later.

    References
        The warning that torch.nn.functional.mse_loss prints for such shapes.
    """
    ratio = trace.value("outputs_per_target")
    output = list((trace.facts.get("output") or {}).get("shape") or [])
    target = list((trace.facts.get("targets") or {}).get("shape") or [])
    if ratio is not None and 0 < ratio != 1:
        yield _unlike(ratio, output, target)
    elif trace.value("loss_compares_classes") == 1 and len(output) == 2 and len(target) == 1:
        highest = trace.value("label_max")
        if highest is not None and highest >= 1 and output[1] >= spare * (highest + 1):
            yield _spare(output[1], int(highest))


def _unlike(ratio: float, output: list[int], target: list[int]) -> Finding:
    fewer = ratio < 1
    what = f"One output is compared with {1 / ratio:.3g} targets" if fewer else f"{ratio:.3g} outputs share one target"
    shapes = f" (output {tuple(output)}, target {tuple(target)})" if output and target else ""
    return Finding(
        f"{what} of the same sample{shapes}: give the model as many outputs as there are targets.",
        confidence=0.95 if fewer else 0.8,
        severity=Severity.ERROR if fewer else Severity.WARNING,
        evidence={"outputs_per_target": ratio},
        fixes=(Remedy("match-output-width"),),
    )


def _spare(columns: int, highest: int) -> Finding:
    return Finding(
        f"The model has {columns} class scores, and the highest label is {highest}.",
        confidence=0.5,
        severity=Severity.INFO,
        evidence={"columns": columns, "label_max": highest},
    )
