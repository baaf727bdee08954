"""The first samples of training as the network gets them: scaled, changed by augmentation, with the numbers they hold.

May not: train.
"""

from __future__ import annotations

from typing import Any

from torchdoctor.data.batch import batches_of, first_tensor
from torchdoctor.evaluate.naming import Naming
from torchdoctor.parts import Loader
from torchdoctor.show.picture import picture
from torchdoctor.show.words import number

SHOWN = 24
SIDE = 84  # pixels


def as_the_network_sees(train: Loader, naming: Naming) -> list[dict[str, str]]:
    """[{"caption", "name", "picture" or "row"}] of the first batch. Pictures are drawn from its lowest value, black, to
    its highest, white."""
    batch = next(iter(batches_of(train, "train")))
    x, y = first_tensor(batch.inputs)[:SHOWN].cpu(), first_tensor(batch.target)[:SHOWN].cpu()
    pictures = x.ndim == 4 and x.is_floating_point()
    low, high = (float(x.min()), float(x.max())) if pictures else (0.0, 1.0)
    return [
        {"caption": _target(target, naming), "name": f"{number(float(one.min()))} .. {number(float(one.max()))}",
         **({"picture": picture(one.numpy(), low, high, SIDE)} if pictures else {"row": naming.row(one)})}
        for one, target in zip(x, y)
    ]  # fmt: skip


def _target(target: Any, naming: Naming) -> str:
    """A class by its name, a number, or of many the first."""
    if target.ndim == 0 and not target.is_floating_point() and 0 <= int(target) < len(naming.classes):
        return naming.classes[int(target)]
    values = target.flatten()
    return ", ".join(number(v) for v in values[:4].tolist()) + (", …" if len(values) > 4 else "")
