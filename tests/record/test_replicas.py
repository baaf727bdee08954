"""Two real processes on one machine: copies that part are found, copies that stay equal are not, and nobody waits."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from torchdoctor.record.watch import watch

# Each process is this program. The barriers make sure that both have put their norms down before either looks for the
# last time; the last part has none inside of its watch, since there only one process watches.
PROGRAM = """
import json, sys
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
import torchdoctor as td

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def trained(model, wrapped, watches=True, steps=5):
    called = DistributedDataParallel(model) if wrapped else model
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    random = torch.Generator().manual_seed(100 + rank)  # each process has a share of the data of its own
    watch = td.watch(model, optimizer, tell=False) if watches else None
    if watch:
        watch.__enter__()
    for _ in range(steps):
        x, y = torch.randn(16, 6, generator=random), torch.randint(0, 3, (16,), generator=random)
        optimizer.zero_grad()
        nn.functional.cross_entropy(called(x), y).backward()
        optimizer.step()
    if watch is None:
        return {}
    if watches != "alone":
        distributed.barrier()
    watch.close()
    trace, report = watch.trace(), watch.report()
    spread = {name: [series.steps.tolist(), series.values.tolist()] for name, series in trace.each("replica_spread")}
    named = {f.name: [f.message, f.steps] for f in report if f.name == "diverged-replicas"}
    return {"spread": spread, "said": named, "not_run": report.not_run.get("diverged-replicas", "")}


told = {
    "wrapped": trained(network(0), wrapped=True),
    "forgotten": trained(network(0), wrapped=False),
    "own seeds": trained(network(rank), wrapped=False),
    "one watches": trained(network(0), wrapped=True, watches="alone" if rank == 0 else False),
}
distributed.barrier()
with open(f"{folder}/{rank}.json", "w") as file:
    json.dump(told, file)
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the two processes recorded and said."""
    folder = tmp_path_factory.mktemp("processes")
    program = folder / "program.py"
    program.write_text(PROGRAM, "utf-8")
    both = [
        subprocess.Popen([sys.executable, str(program), str(rank), str(folder)], stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    errors = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


def test_copies_that_share_their_gradients_are_equal_to_the_bit(told: list[dict[str, Any]]) -> None:
    for rank in told:
        spread = rank["wrapped"]["spread"]
        assert set(spread) == {"0.weight", "0.bias", "2.weight", "2.bias"}
        # Step 5 is the end, put down after the barrier: the other process may have closed its watch by then.
        assert all(steps[:4] == [0, 1, 2, 4] and set(values) == {0.0} for steps, values in spread.values())
        assert rank["wrapped"]["said"] == {} and rank["wrapped"]["not_run"] == ""


def test_copies_that_nothing_exchanges_are_found_from_their_first_step_on(told: list[dict[str, Any]]) -> None:
    for rank in told:
        message, steps = rank["forgotten"]["said"]["diverged-replicas"]
        assert steps[0] == 1 and "4 of 4 parameters" in message


def test_copies_that_were_drawn_apart_are_found_from_the_start(told: list[dict[str, Any]]) -> None:
    assert [rank["own seeds"]["said"]["diverged-replicas"][1][0] for rank in told] == [0, 0]


def test_a_process_that_watches_alone_waits_for_nobody_and_says_that_it_could_not_compare(
    told: list[dict[str, Any]],
) -> None:
    assert told[0]["one watches"]["spread"] == {}
    assert "no other process watched" in told[0]["one watches"]["not_run"]


def test_a_single_process_has_nothing_to_compare() -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as watched:
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.randn(4, 3)).sum().backward()
            optimizer.step()
    assert "needs replica_spread" in watched.report().not_run["diverged-replicas"]
