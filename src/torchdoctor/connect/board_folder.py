"""Whether a folder is free to hold a run for TensorBoard, which draws all that one folder holds as one run.

May not: import torch, write.
"""

from __future__ import annotations

from pathlib import Path

from torchdoctor.errors import BadRun

EVENTS = "events.out.tfevents."  # how the names of TensorBoard's files begin


def must_be_empty(folder: Path, but: str | None = None) -> None:
    """Raises BadRun when the folder holds files of TensorBoard already. but: files whose names end so do not count."""
    there = [f for f in folder.glob(f"{EVENTS}*") if but is None or not f.name.endswith(but)]
    if there:
        raise BadRun(
            f"{folder} already shows a run, and TensorBoard would draw both as one. Give each a folder of its own: "
            f"tensorboard --logdir {folder.parent} shows them side by side."
        )
