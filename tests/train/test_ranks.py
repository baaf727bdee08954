"""Two processes that train together take the steps of one on the whole batch; one records, both have the weights."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from torch import nn
from waiting import HANGS

from torchdoctor.data.batch import Batch
from torchdoctor.errors import BadCheckpoint, BadParts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Run
from torchdoctor.train import checkpoint
from torchdoctor.train.loop import LoopOptions, start
from torchdoctor.train.ranks import ALONE, Ranks, is_first, joined
from torchdoctor.train.run import train
from torchdoctor.train.sharded import sharded

RECIPE = """
data: {limit: 128, scale: standard, batch_size: 32}
model: {name: mlp, args: {hidden: [16]}}
optimizer: {lr: 0.1, momentum: 0.9}
train: {epochs: 3, device: cpu, threads: 1, accumulate: 2, clip_norm: 0.5, ema: 0.8}
"""


def run(tmp_path: Path, *words: object, world: int = 2) -> list[tuple[str, str]]:
    """(out, err) of each process of `torchrun -m -- torchdoctor WORDS`."""
    logs = Path(tempfile.mkdtemp(dir=tmp_path))
    options = ["--nproc-per-node", world, "--log-dir", logs, "--redirects", 3, "--standalone"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "--", "torchdoctor", *words]
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, timeout=HANGS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr, *(log.read_text() for log in logs.rglob("*.log")))
    folders = [next(logs.rglob(f"{rank}/stdout.log")).parent for rank in range(world)]
    return [((folder / "stdout.log").read_text(), (folder / "stderr.log").read_text()) for folder in folders]


@pytest.mark.slow
def test_two_processes_stopped_and_resumed_end_with_the_weights_of_one_on_the_same_batches(tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    whole = train(Recipe.load(tmp_path / "recipe.yaml"), tmp_path / "whole")
    words = ("train", "-c", "recipe.yaml", "--run")
    (out, err), (nothing, quiet) = run(tmp_path, *words, "half", "--set", "train.epochs=2")
    assert "val_score" in out and "Run: half" in err and (nothing, quiet) == ("", "")
    run(tmp_path, *words, "rest", "--resume", "half")
    ends = []
    for folder in ("whole", "rest"):
        state = checkpoint.load(tmp_path / folder / "last", whole.model)
        ends.append([*state["average"]["weights"].values(), *(t.clone() for t in whole.model.state_dict().values())])
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*ends))
    traces = [Run(tmp_path / folder).trace() for folder in ("half", "rest")]
    for number in ("train_loss", "train_score", "val_score"):
        found = [v for trace in traces for v in trace[number].values.tolist()]
        assert found == pytest.approx(whole.history[number], abs=1e-5)
    assert [len(trace["loss"]) for trace in traces] == [4, 2]


def test_a_batch_is_shared_row_by_row_and_all_get_as_many():
    batch = Batch((torch.arange(7), torch.arange(14).reshape(7, 2)), torch.arange(7))
    shares = [list(Ranks(rank, 3).shared([], [batch], 0)) for rank in range(3)]
    assert [share[0].target.tolist() for share in shares] == [[0, 3], [1, 4], [2, 5]]
    assert shares[1][0].inputs[1].tolist() == [[2, 3], [8, 9]]
    assert list(Ranks(0, 8).shared([], [batch], 0)) == [], "too few for all: none gets any"
    assert list(ALONE.shared([], [batch], 0)) == [batch]


def test_a_sampler_that_shares_by_itself_is_told_the_epoch():
    data = torch.utils.data.TensorDataset(torch.arange(12.0)[:, None], torch.arange(12))
    sampler = torch.utils.data.DistributedSampler(data, num_replicas=2, rank=0)
    loader = torch.utils.data.DataLoader(data, 3, sampler=sampler)
    ranks, orders = Ranks(0, 2), []
    for epoch in (0, 1, 0):
        ranks.shared(loader, [], epoch)
        orders.append(torch.cat([y for _, y in loader]).tolist())
    assert orders[0] == orders[2] != orders[1]


def test_where_nobody_started_several_there_is_one(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    with joined() as ranks:
        assert ranks == ALONE and ranks.first and is_first()
    model = nn.Linear(2, 2)
    assert ALONE.network(model) is model and ALONE.agreed({"val_loss": 1.0}, 3) == {"val_loss": 1.0}
    monkeypatch.setenv("RANK", "1")
    assert is_first(), "a RANK alone is not torchrun's"


def test_lbfgs_is_refused_where_each_process_would_see_another_loss():
    parts = Recipe.from_dict({"optimizer": {"name": "lbfgs"}, "train": {"device": "cpu"}}).experiment().build(0)
    with pytest.raises(BadParts, match="each of 2 processes sees its share"):
        start(parts, LoopOptions(), 1, Ranks(0, 2))


@pytest.mark.slow
def test_sharded_weights_stopped_and_resumed_end_as_whole_ones_and_lie_in_the_checkpoint(tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace(", ema: 0.8", "").replace("momentum: 0.9", "momentum: 0.8"))
    recipe = Recipe.load(tmp_path / "recipe.yaml")
    whole = train(recipe, tmp_path / "whole")
    words = ("train", "-c", "recipe.yaml", "--set", "train.shard=true", "--run")
    (out, _), (nothing, quiet) = run(tmp_path, *words, "half", "--set", "train.epochs=2")
    assert "test_score" in out and (nothing, quiet) == ("", "")
    run(tmp_path, *words, "rest", "--resume", "half")
    twin = recipe.experiment().build(1).model
    checkpoint.load_weights(tmp_path / "rest" / "last", twin)
    for one, other in zip(whole.model.state_dict().values(), twin.state_dict().values()):
        assert torch.allclose(one, other, atol=1e-5)
    traces = [Run(tmp_path / folder).trace() for folder in ("half", "rest")]
    assert [len(trace["loss"]) for trace in traces] == [4, 2]
    scores = [score for trace in traces for score in trace["val_score"].values.tolist()]
    assert scores == pytest.approx(whole.history["val_score"])
    assert "spread over processes" in traces[0].facts["signals_off"]["grad_norm"]
    with pytest.raises(BadCheckpoint, match=r"of a sharded run.*train\.shard=true"):
        train(recipe.patched({"train.epochs": 9}), tmp_path / "more", resume=tmp_path / "rest")


@pytest.mark.parametrize(("world", "patch", "said"), [(1, {}, "torchrun"), (2, {"ema": 0.9}, "does not go with ema")])
def test_what_cannot_be_sharded_is_refused(world, patch, said):
    parts = Recipe.from_dict({"train": {"device": "cpu"}}).experiment().build(0)
    with pytest.raises(BadParts, match=said):
        sharded(parts, world, **patch)
