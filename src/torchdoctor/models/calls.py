"""Which modules a forward pass calls, in which order, and how long each is busy itself.

May not: change the model, decide by the name of a class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from torchdoctor.models.hooks import hooked


@dataclass
class Called:
    """output: shape of the last tensor it gave. own: time on the clock of all its calls, less that of the modules it
    calls. is_leaf: it calls no other. passes: it gives the very tensor it was given."""

    name: str
    module: nn.Module
    output: tuple[int, ...] = ()
    own: float = 0.0
    is_leaf: bool = True
    passes: bool = False


def called_modules(
    model: nn.Module,
    inputs: tuple[Any, ...],
    *,
    clock: Callable[[], float] = float,
    running: list[str] | None = None,
) -> list[Called]:
    """The modules of one pass model(*inputs), in the order in which they are finished the last time.

    running: is kept up to date with the names of the modules that are being called.
    """
    running = [""] if running is None else running
    found: dict[str, Called] = {}
    starts: list[float] = []

    def enter(name: str, module: nn.Module) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            outer = found.get(running[-1])
            if outer is not None and name != running[-1]:
                outer.is_leaf = False
            found.setdefault(name, Called(name, module))
            running.append(name)
            starts.append(clock())

        return hook

    def leave(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            elapsed = clock() - starts.pop()
            running.pop()
            this = found.pop(name)
            found[name] = this
            this.own += elapsed
            if starts:
                found[running[-1]].own -= elapsed
            shapes = [tuple(t.shape) for t in tree_leaves(output) if isinstance(t, Tensor)]
            this.passes = len(given) == 1 and output is given[0]
            this.output = shapes[0] if shapes else ()

        return hook

    handles = [m.register_forward_pre_hook(enter(n, m)) for n, m in model.named_modules()]
    handles += [m.register_forward_hook(leave(n)) for n, m in model.named_modules()]
    with hooked(handles):
        model(*inputs)
    return list(found.values())
