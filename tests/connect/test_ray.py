"""A cure on a Ray cluster of two nodes on this machine, one of which is killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.arm import Length
from torchdoctor.cures.cure import cure
from torchdoctor.cures.remedies import treated
from torchdoctor.cures.result import Cure
from torchdoctor.cures.runner import Job
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'torchdoctor[ray]'"),
]
SMALL = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@dataclass
class Telling:
    """A loader that notes on which node it is read, one that takes a little longer than it must."""

    loader: Any
    folder: Path

    def __iter__(self) -> Iterator[Any]:
        import ray

        if ray.is_initialized() and ray.get_runtime_context().worker.mode == ray.WORKER_MODE:
            (self.folder / ray.get_runtime_context().get_node_id()).touch()
            time.sleep(0.1)
        yield from self.loader

    def __len__(self) -> int:
        return len(self.loader)


def experiment(folder: Path) -> Experiment:
    def build(seed: int) -> Parts:
        pixels, digits = load_digits(return_X_y=True)
        x, y = torch.tensor(pixels[:900], dtype=torch.float32) / 16, torch.tensor(digits[:900])
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        train = DataLoader(TensorDataset(x[:500], y[:500]), 25, shuffle=True)
        val = DataLoader(TensorDataset(x[500:], y[500:]), 400)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, Telling(train, folder), val)

    return Experiment(build, epochs=10)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("RAY_worker_niceness", "0")  # by default an arm waits for everything else on a busy machine
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args=SMALL)
        made.add_node(**SMALL)
        yield made
        made.shutdown()


def said(found: Cure) -> Any:
    """All that does not hang on the clock, to the last bit."""
    races = [(r.name, r.with_it, r.without, r.share, r.effect, r.proven) for r in found.races]
    return races, found.verdict, found.reason, found.fix, found.before, found.after, found.cost


def once(condition: Callable[[], bool], over: Event, then: Callable[[], object]) -> Thread:
    """over: it will not come true any more."""

    def wait() -> None:
        while not condition() and not over.wait(0.02):
            pass
        then()

    thread = Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["a recipe", "own code"])
def test_an_experiment_travels_whole_whatever_it_is_made_of(kind: str, tmp_path: Path) -> None:
    from ray import cloudpickle

    from torchdoctor.connect.ray import _packed

    recipe = Recipe.from_dict({"data": {"limit": 300}, "model": {"name": "mlp"}, "train": {"device": "cpu"}})
    made = recipe.experiment() if kind == "a recipe" else experiment(tmp_path)
    there = cloudpickle.loads(_packed(made, cloudpickle))
    job = Job(made, (Remedy("set-learning-rate", {"factor": 10.0}),), 1, Length(1))

    assert job.trained(treated(there, job.remedies)).score == job.trained(treated(made, job.remedies)).score


def test_an_experiment_that_cannot_travel_is_told_in_one_line() -> None:
    from ray import cloudpickle

    from torchdoctor.connect.ray import _packed

    lock = Lock()
    with pytest.raises(BadParts, match=r"cannot be sent to another machine: TypeError: cannot pickle"):
        _packed(Experiment(lambda seed: lock, epochs=1), cloudpickle)  # type: ignore[arg-type, return-value]


@pytest.mark.filterwarnings("ignore")
def test_a_cure_on_two_nodes_loses_nothing_when_one_of_them_is_killed(nodes: Any, tmp_path: Path) -> None:
    import ray

    from torchdoctor.connect.ray import cluster

    seen = tmp_path / "seen"
    seen.mkdir()
    alone = cure(experiment(seen))
    with cluster(nodes.address) as here:
        second = next(iter(nodes.worker_nodes))
        dying = second.node_id if hasattr(second, "node_id") else second.unique_id
        over = Event()
        killed = once((seen / dying).exists, over, lambda: nodes.remove_node(second, allow_graceful=False))
        try:
            together = cure(experiment(seen), on=here, folder=tmp_path / "cure")
        finally:
            over.set()
            killed.join()
        assert (seen / dying).exists(), "no arm ran on the node that was killed"
        assert [n["NodeID"] for n in ray.nodes() if n["Alive"]] != [] and len(nodes.worker_nodes) == 0

    assert together.verdict == "cured"
    assert said(together) == said(alone)


@pytest.mark.filterwarnings("ignore")
def test_the_workers_of_a_cluster_that_is_made_here_are_no_nicer_than_this_process() -> None:
    """In a process of its own, since Ray reads its settings when it starts."""
    code = (
        "import os\n"
        "from torchdoctor.connect.ray import cluster\n"
        f"with cluster('local', **{SMALL!r}) as nodes:\n"
        "    ray = nodes._ray\n"
        "    print(ray.get(ray.remote(lambda: os.nice(0)).remote()) - os.nice(0))\n"
    )
    left = {name: value for name, value in os.environ.items() if name != "RAY_worker_niceness"}
    done = subprocess.run([sys.executable, "-c", code], env=left, capture_output=True, text=True, timeout=300)

    assert done.stdout.strip() == "0", done.stderr
