"""Let parameters learn that were kept from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts, rebuilt, rescheduled


def code(names: Sequence[str] = ()) -> str:
    which = f"\n    if name.startswith({tuple(names)!r}):" if names else ""
    indent = "    " * (2 if names else 1)
    return (
        f"for name, parameter in model.named_parameters():{which}\n"
        f"{indent}parameter.requires_grad_(True)\n"
        "optimizer = ...   # make it after this, over model.parameters()"
    )


def patch(recipe: Mapping[str, Any], names: Sequence[str] = ()) -> dict[str, Any]:
    if not recipe["model"].get("freeze"):
        raise BadRecipe("model.freeze freezes nothing; what is frozen is so by the model's own code.")
    return {"model.freeze": []}


@fix(code=code, patch=patch)
def unfreeze(parts: Parts, *, names: Sequence[str] = ()) -> Parts:
    """Set requires_grad on parameters and give them to the optimizer.

    names: of parameters or modules; default: all that are frozen. Raises BadParts when nothing of that name is frozen.
    """
    from torchdoctor.probes.fork import forked

    twin = forked(parts)
    frozen = [p for n, p in twin.model.named_parameters() if not p.requires_grad and _is_meant(n, names)]
    if not frozen:
        raise BadParts(f"No parameter {'of ' + ', '.join(names) if names else 'of the model'} is frozen.")
    kept_out = [p for p in twin.model.parameters() if not any(p is f for f in frozen)]
    for parameter in frozen:
        parameter.requires_grad_(True)
    optimizer = rebuilt(twin.optimizer, twin.model, before=kept_out)
    return replace(twin, optimizer=optimizer, scheduler=rescheduled(twin.scheduler, optimizer))


def _is_meant(name: str, names: Sequence[str]) -> bool:
    return not names or any(name == n or name.startswith(f"{n}.") for n in names)
