"""Shorten gradients that are too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts, rebuilt, rescheduled

if TYPE_CHECKING:
    from torch.optim import Optimizer


def code(max_norm: float = 1.0) -> str:
    return (
        "loss.backward()\n"
        f"torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={max_norm:g})   # between backward and step\n"
        "optimizer.step()"
    )


def patch(recipe: Mapping[str, Any], max_norm: float = 1.0) -> dict[str, Any]:
    return {"train.clip_norm": max_norm}


@fix(code=code, patch=patch)
def clip_gradients(parts: Parts, *, max_norm: float = 1.0) -> Parts:
    """Before each step, shorten all gradients together to an L2 norm of at most `max_norm`.

    The optimizer does it itself, in a subclass of its own class, so that any loop clips without a new line in it.
    """
    optimizer = rebuilt(parts.optimizer, parts.model, before=parts.model.parameters())
    optimizer.__class__ = clipping(type(optimizer), max_norm)
    return replace(parts, optimizer=optimizer, scheduler=rescheduled(parts.scheduler, optimizer))


def clipping(kind: type[Optimizer], max_norm: float) -> type[Optimizer]:
    """A subclass that clips first. A class, not a hook: hooks are lost when an optimizer is copied or made anew."""
    from torch.nn.utils import clip_grad_norm_

    def step(self: Optimizer, closure: Any = None) -> Any:
        clip_grad_norm_([p for group in self.param_groups for p in group["params"]], max_norm)
        return kind.step(self, closure)

    step.hooked = True  # type: ignore[attr-defined]  # torch wraps `step` for hooks; the inner one calls them already
    return type(f"Clipping{kind.__name__}", (kind,), {"step": step, "__init__": kind.__init__})
