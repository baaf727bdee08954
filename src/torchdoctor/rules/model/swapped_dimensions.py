"""Channels where a layer looks for neighbours, and neighbours where it looks for channels; axes exchanged by a view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _trace(
    along: list[int], channels: int, shape: list[int], *roughness: float | None, interleaved: float | None = None
) -> Trace:
    """roughness: along axis 1, 2 ...; None where there is one value only."""
    axes = {f"axis {i}": r for i, r in enumerate(roughness, 1) if r is not None}
    more = {} if interleaved is None else {"interleaved_roughness": interleaved}
    layer = {"name": "conv", "along": along, "channels": channels, "shape": [32, *shape]}
    return Trace.of({"first_layer": layer}, axis_roughness=axes, **more)


def _reshaped(before: list[int], after: list[int], *, samples: bool = False, in_loss: bool = False) -> Trace:
    told = {"where": "", "in_loss": in_loss, "from": before, "to": after, "samples": samples}
    return Trace.of({"axes_exchanged": [told]}, exchanging_reshapes=1)


FIRES = {
    "sensors over time, by reshape": _reshaped([32, 40, 4], [32, 4, 40]),
    "scores of each word put before a loss by view": _reshaped([32, 12, 50], [32, 50, 12], in_loss=True),
    "a picture's colours read as rows": _trace([2, 3], 1, [3, 32, 32], 0.9, 0.6, 0.2, interleaved=0.1),
    "a picture with its colours last": _trace([2, 3], 1, [32, 32, 3], 0.08, 0.07, 0.8),
    "a sequence whose steps are taken for channels": _trace([2], 1, [40, 3], 0.1, 0.95),
    "a recurrent network of one step": _trace([1], 2, [1, 40], None, 0.2),
}
QUIET = {
    "no reshape exchanges anything": Trace.of(exchanging_reshapes=0),
    "samples are torn apart, which mixes the batch": _reshaped([32, 16, 24], [16, 32, 24], samples=True),
    "a picture": _trace([2, 3], 1, [3, 32, 32], 0.5, 0.05, 0.05, interleaved=0.15),
    "a grey picture": _trace([2, 3], 1, [1, 8, 8], None, 0.3, 0.3),
    "noise": _trace([2, 3], 1, [3, 32, 32], 1.0, 1.0, 1.0, interleaved=1.0),
    "a sequence of sensors": _trace([2], 1, [3, 40], 0.9, 0.1),
    "prices that move together and at random": _trace([2], 1, [3, 40], 0.1, 1.0),
    "a spectrum over time is smooth both ways": _trace([2], 1, [64, 40], 0.2, 0.3),
}


@rule(
    "M15",
    kind="cause",
    needs=["axis_roughness|exchanging_reshapes"],
    explains=["underfitting", "no-better-than-prior", "stalled-loss", "too-few-epochs", "ignored-input",
              "insufficient-capacity", "overfitting"],
)  # fmt: skip
def swapped_dimensions(
    trace: Trace, *, smooth: float = 0.5, rough: float = 0.7, ratio: float = 0.6
) -> Iterator[Finding]:
    """A layer looks for neighbours along an axis that has none, or a reshape tears apart what belongs together.

    Why it hurts
        A convolution or a recurrence is worth its weights because values next to one another belong together. Along
        the wrong axis they do not, and the layer learns what it can from scrambled data. A reshape leaves the numbers
        in their order: (N, time, channels) made into (N, channels, time) puts bits of all channels into each.

    How it decides
        A view or reshape of the model or the loss whose new shape is the old one with axes exchanged, in batches of
        several sizes, needs no data. Otherwise by the data, not by names: how much neighbours along each axis differ,
        over what any two values differ.
        Channels last or first: the axis that the layer takes for channels is smooth (below `smooth`), and one along
        which it looks for neighbours is not (above `rough`, or it has one value only) and is shorter.
        A reshape where a permutation was meant: rows of the picture as far apart as it has channels are more alike, by
        `ratio`, than rows next to one another; in a picture in order they are less alike. Asked only where the first
        layer is a convolution or a recurrent layer that reads the batch as it comes. First guesses; pictures and waves
        in order have 0.02 to 0.4 along their axes.

    When it is wrong
        Channels that are in an order themselves, such as the frequencies of a spectrum, next to steps that are not.
        Steps taken together by k whose shape comes out exchanged by chance, in a model that takes one size only.

    References
        torch.nn.Conv2d reads (N, C, H, W), torch.nn.LSTM(batch_first=True) (N, L, C); pictures are often stored as
        (N, H, W, C). torch.Tensor.view: "the same data".
    """
    torn = [e for e in trace.facts.get("axes_exchanged") or () if not e["samples"]]
    yield from map(_torn, torn)
    if torn or not trace.has("axis_roughness"):
        return
    layer, axes = trace.facts.get("first_layer"), {name: s.last for name, s in trace.each("axis_roughness") if len(s)}
    if not isinstance(layer, dict) or not layer.get("along"):
        raise CannotSay("the first layer does not look for neighbours in the batch as it comes")
    rows, apart = axes.get("axis 2"), trace.value("interleaved_roughness")
    if rows is not None and apart is not None and apart < ratio * rows and apart < smooth:
        yield Finding(
            f"Rows of the pictures that are as far apart as there are channels differ by {apart:.2g}, neighbours by "
            f"{rows:.2g}: channels lie between pixels.",
            where=(str(layer["name"]),),
            confidence=0.85,
            evidence={"neighbours": rows, "apart": apart},
            fixes=(Remedy("take-channels-from-last"),),
        )
        return
    shape, across = layer["shape"], axes.get(f"axis {layer['channels']}")
    shorter = [a for a in layer["along"] if shape[a] < shape[layer["channels"]]]
    worst = max((axes.get(f"axis {a}", 1.0) for a in shorter), default=0.0)
    if across is not None and across < smooth and worst > max(rough, across / ratio):
        yield Finding(
            f"{layer['name']} takes axis {layer['channels']} of its inputs for channels, whose neighbours differ by "
            f"{across:.2g} only, and looks for neighbours where they differ by {worst:.2g}.",
            where=(str(layer["name"]),),
            confidence=0.7,
            evidence={"channels": across, "neighbours": worst},
        )


def _torn(exchange: Mapping[str, Any]) -> Finding:
    where, before, after = str(exchange["where"]), tuple(exchange["from"]), tuple(exchange["to"])
    who = "The loss" if exchange["in_loss"] else where or "The model"
    return Finding(
        f"{who} reshapes {before} to {after}: the numbers keep their order, so these axes are mixed; permute() "
        "exchanges them.",
        where=(where,) if where else (),
        confidence=0.9,
        evidence={"from": str(before), "to": str(after)},
    )
