"""Layers that are not to be trained: no gradients, no update, and running statistics that stand still.

May not: train.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from torchdoctor.errors import BadParts, did_you_mean

ALL_BUT_HEAD = "all-but-head"


def freeze(model: nn.Module, which: str | Sequence[str], *, fresh: Iterable[str] = ()) -> list[str]:
    """Freeze parameters in place; gives their names.

    which: patterns of module or parameter names ("features", "layer[12].*", "*.bias"), or "all-but-head": all but the
    last layer and what is `fresh`, the parameters that pre-trained weights did not reach. Batch normalisation whose
    parameters are all frozen goes on with the statistics it has, whatever model.train() says.
    Raises BadParts for a pattern that matches nothing, and when nothing would be left to train.
    """
    names = [name for name, _ in model.named_parameters()]
    if isinstance(which, str):
        spared = {*fresh, *(n for n in names if n.rpartition(".")[0] == names[-1].rpartition(".")[0])}
        frozen = [n for n in names if n not in spared]
    else:
        chosen = {name for pattern in which for name in _matching(pattern, model)}
        frozen = [n for n in names if n in chosen]
    if frozen and len(frozen) == len(names):
        raise BadParts(f"model.freeze = {which!r} freezes all {len(names)} parameters; leave the last layer to train.")
    parameters = dict(model.named_parameters())
    for name in frozen:
        parameters[name].requires_grad_(False)
    _hold_statistics(model)
    return frozen


def _matching(pattern: str, model: nn.Module) -> list[str]:
    """Parameters whose name, or the name of a module they lie in, fits the pattern."""
    found = [name for name, _ in model.named_parameters() if any(fnmatchcase(n, pattern) for n in _lineage(name))]
    if not found:
        known = [n for n, _ in model.named_modules() if n] + [n for n, _ in model.named_parameters()]
        raise BadParts(f"model.freeze: no layer or parameter is called {pattern!r}. {did_you_mean(pattern, known)}")
    return found


def _lineage(name: str) -> list[str]:
    """layer1.0.conv1.weight, layer1.0.conv1, layer1.0, layer1"""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _hold_statistics(model: nn.Module) -> None:
    """By a hook and not by eval(), which the next model.train() would undo. A function of this module, so that a copy
    of the model has it too."""
    for module in model.modules():
        if isinstance(module, _NormBase) and module.track_running_stats:
            own = list(module.parameters(recurse=False))
            if own and not any(p.requires_grad for p in own):
                module.eval()
                module.register_forward_pre_hook(_to_eval)


def _to_eval(module: nn.Module, inputs: Any) -> None:
    """As long as it is frozen: who sets requires_grad again gets its statistics back too."""
    if not any(p.requires_grad for p in module.parameters(recurse=False)):
        module.training = False
