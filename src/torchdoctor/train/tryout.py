"""One batch, tried on a copy before there is a run folder: a loss that does not fit its targets is told, not met.

May not: train, leave a mark on the parts or on random numbers.
"""

from __future__ import annotations

import copy

import torch

from torchdoctor.data.batch import batches_of, scalar
from torchdoctor.errors import BadParts, TorchDoctorError, one_line
from torchdoctor.parts import Parts
from torchdoctor.train.device import device_of
from torchdoctor.train.standing import untouched


def tried(parts: Parts) -> None:
    """Raises BadParts when the first training batch has no loss. A model that cannot be copied is not tried."""
    try:
        model, loss_fn = copy.deepcopy((parts.model, parts.loss_fn))
    except Exception:  # noqa: BLE001 - whatever a user's object says when it is copied, training may work all the same
        return
    with untouched(parts.train) as loader, torch.no_grad():
        batch = next(iter(batches_of(loader, "train"))).to(device_of(parts.model))
        try:
            scalar(loss_fn(model(*batch.inputs), batch.target))
        except TorchDoctorError:
            raise
        except Exception as error:
            said = one_line(error)
            raise BadParts(f"The first batch cannot be trained on: {said}. torchdoctor check says more.") from error
