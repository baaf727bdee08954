"""What loaders have in common that are made from another one and change what it gives.

May not: iterate.
"""

from __future__ import annotations

from typing import Any


class Around:
    """Holds the other one as `loader`; how long it is, and all else asked of it (batch_size, dataset, sampler,
    generator ...), that one answers."""

    loader: Any

    def __len__(self) -> int:
        return len(self.loader)  # raises TypeError where the loader has no length, as it should

    def __getattr__(self, name: str) -> Any:
        if name == "loader":  # not there yet while being unpickled or copied
            raise AttributeError(name)
        return getattr(self.loader, name)
