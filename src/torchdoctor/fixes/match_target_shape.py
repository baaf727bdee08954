"""Compare each output with its own target, not with everybody's."""

from __future__ import annotations

from dataclasses import replace

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "loss = loss_fn(output, target.view_as(output))   # (N,) against (N, 1) would compare all with all"


@fix(code=code)
def match_target_shape(parts: Parts) -> Parts:
    """Show the loss the targets in the shape of the outputs, so that (N,) and (N, 1) are not broadcast to (N, N).

    Raises BadParts when there are not as many targets as outputs.
    """
    from torchdoctor.fixes.surgery import first_batch, trial
    from torchdoctor.fixes.wrapping import MatchedLoss

    batch = first_batch(parts)
    output = trial(parts.model, batch)
    if output.numel() != batch.target.numel():
        shapes = f"{tuple(output.shape)} and {tuple(batch.target.shape)}"
        raise BadParts(f"Outputs and targets of {shapes} do not pair up. Give the model as many outputs as targets.")
    return replace(parts, loss_fn=MatchedLoss(parts.loss_fn))
