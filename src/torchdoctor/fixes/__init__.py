"""One file per named change that removes a cause.

Their files import torch inside `apply` only: a report shows a fix's code on machines that have no torch.
"""

ENGINE = (
    "convolutions", "dense", "head", "fix", "hidden", "loaders", "moments", "output", "savings", "settings", "surgery",
    "wrapping",
)  # fmt: skip
