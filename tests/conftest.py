"""What holds for all tests."""

from __future__ import annotations

import torch

# With more, the workers on a small machine wait for each other in every matrix product.
torch.set_num_threads(1)
