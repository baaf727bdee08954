"""Make known to the model the weights that lie in its lists, dicts and plain attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import Tensor, nn


def code() -> str:
    return (
        "self.layers = nn.ModuleList(layers)            # not a plain list; nn.ModuleDict for a dict\n"
        "self.scale = nn.Parameter(torch.ones(1))       # not a tensor with requires_grad=True"
    )


@fix(code=code)
def register_parameters(parts: Parts) -> Parts:
    """Register every weight that makes the output and is no parameter of the model, and give it to the optimizer.

    What holds it stays a list or dict, so that forward() goes on as it is; in the state_dict layers are called like
    "layers_0". Raises BadParts when there is none, or when it is made in forward() and lies nowhere.
    """
    from torchdoctor.fixes.surgery import first_batch, operated
    from torchdoctor.probes.fork import preserved
    from torchdoctor.probes.unlisted_weights import unlisted

    batch = first_batch(parts)

    def change(model: nn.Module) -> nn.Module:
        with preserved(parts):  # the search starts the random numbers anew
            wanted = {id(t) for t in unlisted(model, batch)}
        done = sum(_registered(module, wanted) for module in list(model.modules()))
        if not done:
            raise BadParts("No attribute of the model holds weights that it does not list, so none can be registered.")
        return model

    return operated(parts, change)


def _registered(module: nn.Module, wanted: set[int]) -> int:
    """How many were found in this module's own attributes and are now known to it."""
    count = 0
    for attribute, value in list(vars(module).items()):
        if attribute.startswith("_"):
            continue
        for name, holder, key, item in list(_items(value, attribute, vars(module), attribute)):
            count += _register(module, name, holder, key, item, wanted)
    return count


def _items(value: Any, name: str, holder: Any, key: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """(a name for it, what holds it, at which key, it) of each thing in nested lists and dicts."""
    if isinstance(value, dict):
        for k, item in value.items():
            yield from _items(item, f"{name}_{k}".replace(".", "_"), value, k)
    elif isinstance(value, (list, tuple)):
        for k, item in enumerate(value):
            yield from _items(item, f"{name}_{k}", value, k)
    else:
        yield name, holder, key, value


def _register(module: nn.Module, name: str, holder: Any, key: Any, item: Any, wanted: set[int]) -> bool:
    from torch import Tensor, nn

    if isinstance(item, nn.Module) and any(id(p) in wanted for p in item.parameters()):
        module.add_module(name, item)
        return True
    if not isinstance(item, Tensor) or id(item) not in wanted or isinstance(holder, tuple):
        return False
    parameter = _parameter(item)
    if holder is vars(module):
        setattr(module, key, parameter)
    else:
        holder[key] = parameter
        module.register_parameter(name, parameter)
    return True


def _parameter(tensor: Tensor) -> nn.Parameter:
    from torch import nn

    return tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor.detach())
