"""`torchdoctor env`: what to paste into a bug report."""

from __future__ import annotations

from torchdoctor.cli.options import AsJson, print_json
from torchdoctor.cli.verb import verb


@verb
def env(as_json: AsJson = False) -> None:
    """Print the versions and the machine. Paste this into a bug report."""
    from torchdoctor.record.folder import environment

    found = environment()
    found = {**found.pop("versions"), **{k: v for k, v in found.items() if k not in ("command", "started")}}
    found["accelerators"] = _accelerators()
    if as_json:
        print_json(found)
        return
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {', '.join(value) or 'none' if isinstance(value, list) else value}")


def _accelerators() -> list[str]:
    """Names of the GPUs torch can use; none where torch is not installed."""
    try:
        import torch
    except ImportError:
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
