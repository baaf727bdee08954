"""Pictures whose channels lie between the pixels, put in order."""

from __future__ import annotations

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "x = x.permute(0, 3, 1, 2)   # of (N, H, W, C); not x.reshape(N, C, H, W), which leaves colours between pixels"
    )


@fix(code=code)
def take_channels_from_last(parts: Parts) -> Parts:
    """Read pictures of (N, C, H, W) as the (N, H, W, C) that they were before a reshape, and permute them."""
    from torchdoctor.fixes.surgery import first_batch
    from torchdoctor.fixes.wrapping import ChannelsFromLast, in_front
    from torchdoctor.probes.batch import tensors_in

    floats = [x for x in tensors_in(first_batch(parts).inputs) if x.is_floating_point()]
    return parts.with_model(in_front(parts.model, [ChannelsFromLast() for _ in floats]))
