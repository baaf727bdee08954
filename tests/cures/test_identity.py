"""Two experiments are told apart by what they build, to the bit, by their data and by their code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from torchdoctor.cures.cure import cure
from torchdoctor.cures.identity import difference, identity
from torchdoctor.errors import BadRun
from torchdoctor.experiment import Experiment, Log
from torchdoctor.parts import Parts

STEPS = 3


def parts(seed: int = 0, lr: float = 0.1, **data: Any) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=lr), loader(**data))


def loader(samples: int = 40, at: int = 0, by: float = 0.0, shuffle: bool = True) -> DataLoader[Any]:
    numbers = torch.Generator().manual_seed(0)
    x = torch.randn(samples, 4, generator=numbers)
    x[at] += by
    return DataLoader(TensorDataset(x, x[:, :3]), 8, shuffle=shuffle)


def experiment(epochs: int = 3, **more: Any) -> Experiment:
    return Experiment(parts, epochs, **more)


def nudged(made: Parts) -> Parts:
    with torch.no_grad():
        made.model[0].bias[0] += 1e-7  # type: ignore[index]
    return made


def counted(made: Parts) -> Parts:
    made.model[1].num_batches_tracked += 1  # type: ignore[index, operator]
    return made


def taught(parts: Parts, log: Log) -> None:
    for _ in range(STEPS):
        stepped(parts)


def stepped(parts: Parts) -> None:
    for x, y in parts.train:
        parts.loss_fn(parts.model(x), y).backward()


def variant(change: Callable[[str], str]) -> Any:
    """taught, as if its file had been edited."""
    import inspect

    source = "".join(inspect.getsource(f) for f in (taught, stepped))
    names: dict[str, Any] = {"STEPS": STEPS, "Parts": Parts, "Log": Log, "__name__": __name__}
    exec(compile("from __future__ import annotations\n" + change(source), "edited", "exec"), names)
    return names["taught"]


def test_the_same_is_the_same() -> None:
    assert identity(parts(), experiment(fit=taught)) == identity(parts(), experiment(fit=taught))
    assert not difference(identity(parts(), experiment()), identity(parts(), experiment()))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda: parts(seed=1), "setup"),
        (lambda: parts(lr=0.2), "setup"),
        (lambda: nudged(parts()), "setup"),
        (lambda: counted(parts()), "setup"),
        (lambda: replace(parts(), optimizer=torch.optim.Adam(parts().model.parameters(), lr=0.1)), "setup"),
        (lambda: parts(samples=48), "data"),
        (lambda: parts(at=39, by=1e-6), "data"),
        (lambda: parts(shuffle=False), "data"),
        (lambda: replace(parts(), val=loader()), "data"),
        (lambda: replace(parts(), loss_fn=nn.L1Loss()), "code"),
    ],
    ids=["weights", "a rate", "the last bit", "a buffer", "an optimizer", "more data", "a number in the data",
         "the order", "validation", "a loss"],
)  # fmt: skip
def test_what_differs_in_anything_that_a_run_begins_with_is_another(other: Callable[[], Parts], what: str) -> None:
    mine, theirs = (identity(made, experiment()) for made in (parts(), other()))

    assert [name for name in mine if mine[name] != theirs[name]] == [what]
    assert difference(mine, theirs)


def test_another_length_is_another_experiment() -> None:
    assert identity(parts(), experiment(3)) != identity(parts(), experiment(4))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda s: s.replace("\n", "\n\n", 1), True),
        (lambda s: s.replace("range(STEPS):", "range(STEPS):  # as often as it takes"), True),
        (lambda s: s.replace(".backward()", ".sum().backward()"), False),
        (lambda s: s.replace("range(STEPS)", "range(2)"), False),
    ],
    ids=["an empty line", "a comment", "what it calls", "a number"],
)
def test_a_loop_is_another_when_it_does_another_thing(change: Callable[[str], str], same: bool) -> None:
    before, after = (identity(parts(), experiment(fit=variant(c)))["code"] for c in (lambda s: s, change))

    assert (before == after) == same


def test_a_constant_that_a_loop_reads_and_an_argument_it_is_given_are_part_of_it() -> None:
    def given(parts: Parts, log: Log, times: int = 1) -> None:
        stepped(parts)

    two, three = (identity(parts(), experiment(fit=partial(given, times=n)))["code"] for n in (2, 3))
    assert two != three
    before = variant(lambda s: s)
    after = variant(lambda s: s)
    after.__globals__["STEPS"] = 4
    assert identity(parts(), experiment(fit=before))["code"] != identity(parts(), experiment(fit=after))["code"]


def test_data_that_come_out_anew_each_time_are_no_difference() -> None:
    class Counting(Dataset[Any]):
        read = 0

        def __len__(self) -> int:
            return 20

        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            Counting.read += 1
            return torch.full((4,), float(Counting.read)), torch.zeros(3)

    anew = [identity(replace(parts(), train=DataLoader(Counting(), 5)), experiment()) for _ in range(2)]

    assert anew[0]["data"] == "" and not difference(*anew)


def test_weights_of_every_kind_have_bits() -> None:
    odd = nn.Module()
    for name, value in (("flag", torch.tensor(True)), ("none", torch.empty(0)), ("small", torch.ones(2).bfloat16())):
        odd.register_buffer(name, value)
    odd.weight = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    made = Parts(odd, nn.MSELoss(), torch.optim.SGD(odd.parameters(), lr=0.1), [])

    assert len(identity(made, experiment())["setup"]) == 16


@pytest.mark.parametrize(
    ("change", "said"),
    [({"at": 1, "by": 2.0}, "other data"), ({"fit": taught}, "the loop"), ({"lr": 0.2}, "another optimizer")],
)
def test_a_cure_is_not_gone_on_with_where_data_or_loop_are_others(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """Its folder stays as it was."""
    folder = tmp_path / "cure"
    cure(experiment(1), folder=folder, budget="1 trials", seeds=1)
    kept = (folder / "cure.json").read_text("utf-8")
    fit = change.pop("fit", None)

    with pytest.raises(BadRun, match=f"another experiment: .*{said}"):
        cure(Experiment(lambda seed: parts(seed, **change), 1, fit=fit), folder=folder, resume=True)
    assert (folder / "cure.json").read_text("utf-8") == kept
    assert json.loads((folder / "asked.json").read_text("utf-8"))["identity"]["data"]
