"""Why a signal has nothing to show: what broke on the way, and what could not be listened to.

May not: warn (what breaks says so at once, see off.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from torchdoctor.record.units import KEPT

if TYPE_CHECKING:
    from torchdoctor.record.follow import Follower

LAYERS = ("activation_mean", "activation_std", "zero_share", "saturated_share", "dead_share", "window_samples", *KEPT)
FLAGS = ("nonfinite_module", "nonfinite_parameter", "nonfinite_gradient")
TARGETS = ("target_mean", "target_std", "target_absmax")


def unseen(follower: Follower) -> dict[str, str]:
    """Signal -> why it is off."""
    off, passes, signals = follower.off, follower.passes, follower.signals
    if not isinstance(follower.loss_fn, nn.Module):
        off.put(TARGETS, "no loss_fn was given that is a torch.nn.Module")
    elif follower.step and not follower.loss_called:
        off.put(TARGETS, "loss_fn was not seen being called as loss_fn(output, target)")
    if follower.step and not follower.forwards:
        forward = [*LAYERS, *(s.name for s in signals.get("forward", ()))]
        off.put(forward, "no call model(x) was seen: model.forward(x), or a compiled step, calls no hooks")
    if follower.step and not follower.loss_from:
        off.put(["loss"], "no backward() on a single number was seen; give loss_fn or watch.log(loss=...)")
    measured = [s.name for some in signals.values() for s in some if s.measure]
    if not follower.step and not passes.lost:
        return {**dict.fromkeys(measured, "the watched optimizer has not stepped yet"), **off.why}
    if passes.lost:
        why = f"no step of the watched optimizer was seen in the last {passes.unstepped} backward passes"
        off.put(measured, f"{why}: another one steps, or its step is compiled")
    return dict(off.why)
