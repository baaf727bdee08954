"""Give the optimizer all that should learn, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts, rebuilt, rescheduled


def code() -> str:
    return (
        "optimizer = torch.optim.SGD(model.parameters(), lr=lr)   # your optimizer; make it after the model is complete"
    )


@fix(code=code)
def optimize_all_parameters(parts: Parts) -> Parts:
    """Make the optimizer anew over all trainable parameters of the model and of the loss; groups keep their settings.

    For parameters that were left out, and for an optimizer that still holds those of an earlier model.
    """
    from torch import nn

    roots = [m for m in (parts.model, parts.loss_fn) if isinstance(m, nn.Module)]
    everything = nn.ModuleList(roots)
    known = {id(p) for p in everything.parameters()}
    stale = [p for group in parts.optimizer.param_groups for p in group["params"] if id(p) not in known]
    optimizer = rebuilt(parts.optimizer, everything, before=stale)
    return replace(parts, optimizer=optimizer, scheduler=rescheduled(parts.scheduler, optimizer))
