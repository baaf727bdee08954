"""Checkpoints: a folder with the weights (model.safetensors) and all else that training needs to go on (state.pt).

A folder is written beside the old one and then takes its place, so whenever the process is killed, one that is whole
can be read. Nothing is unpickled: weights are safetensors, the rest is read with torch's weights_only.
May not: train, decide when to save.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from torchdoctor.errors import BadCheckpoint

WEIGHTS, STATE = "model.safetensors", "state.pt"


def save(folder: Path, model: nn.Module | dict[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write the checkpoint `folder`, of a model or of weights by name, in place of one that is there. Raises
    BadCheckpoint when it cannot be written; the old one is then as it was."""
    new = folder.with_name(folder.name + ".new")
    try:
        _finish_move(folder)
        _write(new, model, state)
        _take_place(new, folder)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise BadCheckpoint(f"Cannot write {folder}: {error}. Free some space, or choose another folder.") from None


def keep(folder: Path, name: str) -> None:
    """Keep the checkpoint under another name beside it. Its files are never changed in place, so a link is enough."""
    new, other = folder.with_name(name + ".new"), folder.with_name(name)
    try:
        _finish_move(other)
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(folder, new, copy_function=_linked)
        _take_place(new, other)
    except OSError as error:
        raise BadCheckpoint(f"Cannot write {other}: {error}. Free some space, or choose another folder.") from None


def load(folder: str | Path, model: nn.Module) -> dict[str, Any]:
    """Put the weights of a checkpoint into the model and return the rest of it. Raises BadCheckpoint when there is
    none, when it is damaged, or when it is of another model; the model is then as it was."""
    state = state_of(folder)
    load_weights(folder, model)
    return state


def state_of(folder: str | Path) -> dict[str, Any]:
    """All of a checkpoint but its weights. Raises BadCheckpoint when there is none, or when it is damaged."""
    file = _whole(Path(folder)) / STATE
    try:
        return dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # noqa: BLE001 - bytes that are no checkpoint can break torch's reader in any way
        raise _damaged(file, error) from None


def weights_of(folder: str | Path) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, on the CPU. Raises BadCheckpoint when they cannot be read."""
    file = _whole(Path(folder)) / WEIGHTS
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise _damaged(file, error) from None


def load_weights(folder: str | Path, model: nn.Module) -> None:
    """Put the weights of a checkpoint into the model. Raises BadCheckpoint as `load` does."""
    file = _whole(Path(folder)) / WEIGHTS
    try:
        with safe_open(file, framework="pt") as there:
            shapes = {name: tuple(there.get_slice(name).get_shape()) for name in there.keys()}  # noqa: SIM118
        _compare(shapes, model, file)
        load_model(model, file)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise _damaged(file, error) from None


def _compare(saved: Mapping[str, tuple[int, ...]], model: nn.Module, file: Path) -> None:
    """Name the first tensor that differs, before anything is changed."""
    own = {name: tuple(t.shape) for name, t in model.state_dict().items()}
    places = {name: t.data_ptr() for name, t in model.state_dict().items() if t.numel()}
    kept = {places[name] for name in saved if name in places}  # of weights that share memory only one name is saved
    for name, shape in own.items():
        if name in saved and saved[name] != shape:
            raise BadCheckpoint(f"{file} is of another model: {name} is {saved[name]} there and {shape} here.")
        if name not in saved and places.get(name) not in kept:
            raise BadCheckpoint(f"{file} is of another model: it has no {name}, which is {shape} here.")
    if extra := [name for name in saved if name not in own]:
        raise BadCheckpoint(f"{file} is of another model: it has {extra[0]} {saved[extra[0]]}, which is not here.")


def _write(new: Path, model: nn.Module | dict[str, Tensor], state: Mapping[str, Any]) -> None:
    """Both files, complete and on the disk; nothing at all when anything stops it."""
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        if isinstance(model, nn.Module):
            save_model(model, str(new / WEIGHTS))
        else:
            save_file(model, new / WEIGHTS)
        torch.save(dict(state), new / STATE)
        for file in (new / WEIGHTS, new / STATE):
            _onto_disk(file)
    except BaseException:  # Ctrl-C too leaves no half-written folder
        shutil.rmtree(new, ignore_errors=True)
        raise


def _take_place(new: Path, folder: Path) -> None:
    """A folder cannot replace another in one move. Between the two moves `new` is the whole one, and `old` says so."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    new.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _whole(folder: Path) -> Path:
    """The folder to read: itself, or the new one when the process was killed between the two moves."""
    if folder.is_dir():
        return folder
    new, old = (folder.parent / (folder.name + end) for end in (".new", ".old"))  # "." has no name to change
    if new.is_dir() and old.is_dir():
        return new
    raise BadCheckpoint(f"There is no checkpoint {folder}. Give the folder of one, such as RUN/last.")


def _finish_move(folder: Path) -> None:
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    if not folder.exists() and new.is_dir() and old.is_dir():
        new.replace(folder)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _onto_disk(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _damaged(file: Path, error: Exception) -> BadCheckpoint:
    said = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
    return BadCheckpoint(f"{file} is damaged or cut off ({said}). Use another checkpoint, or train again.")
