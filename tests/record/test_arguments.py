"""Wrong arguments end in one line that says what to do; what cannot be listened to is said in the fact signals_off."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchdoctor.errors import BadParts, BadRun
from torchdoctor.judge.judge import judge
from torchdoctor.record.facts import describe
from torchdoctor.record.watch import Watch, watch


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def sgd(model: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), 0.1)


class Wrapping(torch.optim.Optimizer):
    """As some libraries do: an Optimizer in name, which passes everything on."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        self.inner = inner

    @property
    def param_groups(self) -> Any:
        return self.inner.param_groups


class ListOfLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(2, 2)]


MODEL = net()
WRONG: dict[str, tuple[Callable[[], Watch], str]] = {
    "model": (lambda: watch("lenet", sgd(MODEL)), r"model as a torch\.nn\.Module, not str"),
    "swapped": (lambda: watch(sgd(MODEL), MODEL), r"model as a torch\.nn\.Module, not SGD"),  # type: ignore[arg-type]
    "class": (lambda: watch(nn.Linear, sgd(MODEL)), r"model as a torch\.nn\.Module, not type"),  # type: ignore[arg-type]
    "optimizers": (lambda: watch(MODEL, [sgd(MODEL)]), r"torch\.optim\.Optimizer, not list.*GAN"),  # type: ignore[arg-type]
    "schedule": (
        lambda: watch(MODEL, torch.optim.lr_scheduler.StepLR(sgd(MODEL), 1)),  # type: ignore[arg-type]
        r"torch\.optim\.Optimizer, not StepLR",
    ),
    "wrapper": (lambda: watch(MODEL, Wrapping(sgd(MODEL))), r"Wrapping does not call Optimizer\.__init__.*it wraps"),
    "no parameters": (lambda: watch(nn.ReLU(), sgd(MODEL)), r"ReLU has no parameters.*ModuleList"),
    "layers in a list": (lambda: watch(ListOfLayers(), sgd(MODEL)), r"ListOfLayers has no parameters.*ModuleList"),
    "lazy": (lambda: watch(nn.LazyLinear(3), sgd(MODEL)), r"'weight' has no shape yet\. Call the model once"),
    "loss": (lambda: watch(MODEL, sgd(MODEL), "mse"), r"loss_fn='mse'.*nn\.CrossEntropyLoss\(\)"),
    "loss value": (lambda: watch(MODEL, sgd(MODEL), torch.zeros(())), r"loss_fn=tensor\(0\.\)"),
    "run": (lambda: watch(MODEL, sgd(MODEL), run=5), r"run=5.*path of a new folder"),  # type: ignore[arg-type]
    "cost 0": (lambda: watch(MODEL, sgd(MODEL), cost=0), r"cost=0\).*above 0 and up to 1"),
    "cost 2": (lambda: watch(MODEL, sgd(MODEL), cost=2), r"cost=2\).*above 0 and up to 1"),
    "cost nan": (lambda: watch(MODEL, sgd(MODEL), cost=float("nan")), r"cost=nan\)"),
    "cost text": (lambda: watch(MODEL, sgd(MODEL), cost="2%"), r"cost='2%'\)"),  # type: ignore[arg-type]
    "cost none": (lambda: watch(MODEL, sgd(MODEL), cost=None), r"cost=None\)"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named_with_its_value_and_what_to_do(case: str) -> None:
    make, message = WRONG[case]
    with pytest.raises(BadParts, match=message) as error:
        make()
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


def test_a_wrong_argument_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(BadParts):
        watch(nn.ReLU(), sgd(MODEL), run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    watch(MODEL, sgd(MODEL), run=tmp_path / "run").close()


def test_a_folder_that_holds_a_run_is_refused_before_training(tmp_path: Path) -> None:
    with watch(MODEL, sgd(MODEL), run=tmp_path / "run", tell=False):
        pass
    with pytest.raises(BadRun, match="already holds a run"):
        watch(MODEL, sgd(MODEL), run=str(tmp_path / "run"))


@pytest.mark.parametrize("cost", [1, 0.5, np.float64(0.02)])
def test_any_real_number_up_to_one_is_a_ceiling(cost: Any) -> None:
    assert watch(MODEL, sgd(MODEL), cost=cost)._ceiling.share == cost


# -- what is off ------------------------------------------------------------------------------------------------------


def trained(
    model: Any,
    forward: Callable[[Any, Tensor], Tensor] = lambda model, x: model(x),
    loss_fn: Any = None,
    backward: Callable[[Tensor], None] = lambda loss: loss.backward(),
    optimizer: Callable[[torch.optim.Optimizer], torch.optim.Optimizer] = lambda optimizer: optimizer,
    steps: int = 30,
) -> Watch:
    watched = sgd(model)
    with watch(model, watched, loss_fn, tell=False) as w:
        used = optimizer(watched)
        for _ in range(steps):
            used.zero_grad()
            x, y = torch.randn(8, 6), torch.randint(3, (8,))
            backward((loss_fn or F.cross_entropy)(forward(model, x), y))
            used.step()
    return w


def off(w: Watch) -> dict[str, str]:
    found = dict(w.trace().facts["signals_off"])
    assert all("\n" not in why and len(why) < 160 for why in found.values())
    return found


def test_an_ordinary_loop_with_a_loss_module_has_nothing_off() -> None:
    assert off(trained(net(), loss_fn=nn.CrossEntropyLoss())) == {}


def test_without_a_loss_module_the_targets_are_off() -> None:
    for loss_fn in (None, F.cross_entropy, lambda out, y: F.cross_entropy(out, y)):
        w = trained(net(), loss_fn=loss_fn)
        assert set(off(w)) == {"target_mean", "target_std", "target_absmax"}
        assert w.trace()["loss"].steps.tolist() == list(range(30))


def test_a_loss_module_that_is_not_called_as_one_is_said() -> None:
    loss_fn = nn.CrossEntropyLoss()
    model = net()
    optimizer = sgd(model)
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            loss_fn.forward(model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
            optimizer.step()
    assert "not seen being called" in off(w)["target_mean"]
    assert len(w.trace()["loss"]) == 3 and w.trace().facts["loss_from"] == "backward"


@pytest.mark.parametrize("in_place", [False, True])
def test_in_a_compiled_model_the_layers_are_off_and_the_rest_is_there(in_place: bool) -> None:
    torch._dynamo.reset()
    model: Any = net()
    if in_place:
        model.compile(backend="eager")
    else:
        model = torch.compile(model, backend="eager")
    w = trained(model)
    found = off(w)
    assert {"activation_mean", "dead_share", "unit_zero_share"} <= set(found)
    assert not set(found) & {"loss", "grad_norm", "update_ratio", "phase_time"}
    trace = w.trace()
    assert trace["loss"].steps.tolist() == trace["grad_norm"].steps.tolist() == list(range(30))
    assert trace.has("update_ratio") and trace.has("param_grad_norm")
    assert not any(trace.has(name) for name in found)


def test_a_compiled_model_is_compiled_as_often_as_without_a_watch() -> None:
    graphs = []

    def backend(graph: Any, _inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    counts = []
    for watched in (False, True):
        torch._dynamo.reset()
        model: Any = torch.compile(net(), backend=backend)
        optimizer = sgd(model)
        w = watch(model, optimizer, tell=False)
        if watched:
            w.__enter__()
        for _ in range(5):
            model(torch.randn(8, 6)).sum().backward()
            optimizer.step()
        w.close()
        counts.append(len(graphs))
        graphs.clear()
    assert counts[0] == counts[1] == 1


def test_a_model_called_by_its_forward_has_what_its_call_would_have_shown_off() -> None:
    w = trained(net(), forward=lambda model, x: model.forward(x))
    found = off(w)
    assert "no call model(x) was seen" in found["training_mode"]
    # Its layers are called, but nobody says when a forward pass begins.
    assert {"training_mode", "input_std", "output_mean", "activation_std", "dead_share"} <= set(found)
    trace = w.trace()
    assert len(trace["loss"]) == 30 and trace.has("update_ratio") and trace.has("stale_grad_norm")
    assert not any(trace.has(name) for name in found)


def test_another_optimizer_that_takes_the_steps_is_suspected() -> None:
    w = trained(net(), optimizer=lambda o: torch.optim.SGD(o.param_groups[0]["params"], 0.1))
    assert "no step of the watched optimizer was seen in the last 30 backward passes" in off(w)["update_ratio"]
    assert w.trace().facts["unstepped_backwards"] == 30


def test_an_optimizer_whose_step_is_compiled_shows_no_steps_and_that_is_said() -> None:
    torch._dynamo.reset()
    model = net()
    optimizer = sgd(model)
    step = torch.compile(optimizer.step, backend="eager")
    with warnings.catch_warnings(), watch(model, optimizer, tell=False) as w:
        warnings.simplefilter("ignore")  # torch's, of the profiler
        for _ in range(30):
            optimizer.zero_grad()
            model(torch.randn(8, 6)).sum().backward()
            step()
    assert {"loss", "grad_norm", "update_ratio"} <= set(off(w))


def test_an_optimizer_replaced_after_some_steps_is_suspected() -> None:
    model = net()
    first = sgd(model)
    with watch(model, first, tell=False) as w:
        optimizer: torch.optim.Optimizer = first
        for i in range(60):
            if i == 20:
                optimizer = torch.optim.Adam(model.parameters())
            optimizer.zero_grad()
            model(torch.randn(8, 6)).sum().backward()
            optimizer.step()
    assert "no step of the watched optimizer was seen in the last 40 backward passes" in off(w)["update_ratio"]
    assert len(w.trace()["loss"]) == 20


def test_long_accumulation_is_no_lost_optimizer() -> None:
    model = net()
    optimizer = sgd(model)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            for _ in range(40):
                model(torch.randn(2, 6)).sum().backward()
            optimizer.step()
        for _ in range(39):  # the loop ends in the middle of a step
            model(torch.randn(2, 6)).sum().backward()
    assert "update_ratio" not in off(w)


def test_a_loss_that_is_never_seen_is_off_and_says_how_to_give_it() -> None:
    def by_hand(model: nn.Module) -> Callable[[Tensor], None]:
        def backward(loss: Tensor) -> None:
            for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
                p.grad = g

        return backward

    model = net()
    w = trained(model, backward=by_hand(model))
    assert "watch.log(loss=...)" in off(w)["loss"]
    assert not w.trace().has("loss") and len(w.trace()["grad_norm"]) == 30


def test_backward_on_several_values_at_once_gives_no_loss() -> None:
    w = trained(net(), backward=lambda loss: torch.stack([loss, loss]).backward(torch.ones(2)))
    assert "on a single number" in off(w)["loss"]
    assert len(w.trace()["grad_norm"]) == 30


def test_a_logged_loss_is_enough() -> None:
    model = net()
    optimizer = sgd(model)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            for p in model.parameters():
                p.grad = torch.ones_like(p)
            optimizer.step()
            w.log(loss=1.0)
    assert "loss" not in off(w)


def test_a_detached_loss_is_still_the_loss() -> None:
    """A graph cut in the middle: backward runs, and reaches another parameter only."""
    model, scale = net(), nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([*model.parameters(), scale], 0.1)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(4):
            optimizer.zero_grad()
            (model(torch.randn(8, 6)).detach().square().mean() * scale).backward()
            optimizer.step()
    trace = w.trace()
    assert len(trace["loss"]) == 4 and trace["grad_norm"].values.tolist() == [0.0] * 4
    assert {s.last for _, s in trace.each("has_grad")} == {0.0}
    assert not trace.takes_turns


# -- facts ------------------------------------------------------------------------------------------------------------


def test_the_facts_name_modules_parameters_and_settings() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.0), nn.Dropout(0.1), nn.Linear(3, 1))
    model[4].bias.requires_grad_(False)
    stranger = nn.Parameter(torch.ones(1))
    groups = [{"params": model[0].parameters()}, {"params": [stranger], "lr": torch.tensor(0.5)}]
    facts = describe(model, torch.optim.Adam(groups, 0.1, weight_decay=0.01), nn.MSELoss())
    assert facts["modules"]["1"] == "BatchNorm1d" and facts["loss_fn"] == "MSELoss"
    assert facts["parameters"]["0.weight"] == {"shape": [3, 2], "trainable": True, "in_optimizer": 1}
    assert facts["parameters"]["4.bias"] == {"shape": [1], "trainable": False, "in_optimizer": 0}
    assert facts["foreign_parameters"] == 1 and facts["mode_layers"] == ["1", "3"]
    assert facts["optimizer"]["type"] == "Adam"
    assert [g["lr"] for g in facts["optimizer"]["groups"]] == [0.1, 0.5]
    assert facts["optimizer"]["groups"][0]["weight_decay"] == 0.01


def test_the_report_tells_itself_at_the_end_only_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    model = net()
    optimizer = sgd(model)
    with watch(model, optimizer):
        for _ in range(4):
            F.cross_entropy(model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
            optimizer.step()  # and no zero_grad
    assert "missing-zero-grad" in capsys.readouterr().err
    with watch(model, optimizer) as w:
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
            optimizer.step()
    assert bool(capsys.readouterr().err) == any(f.alarm for f in judge(w.trace()))


def test_a_block_in_which_nothing_was_stepped_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    model, other = net(), net()
    optimizer = sgd(other)
    with watch(model, sgd(model)):
        pass
    assert "watched no step: the watched optimizer has not stepped yet." in capsys.readouterr().err
    with watch(model, sgd(model)):
        for _ in range(40):
            F.cross_entropy(model(torch.randn(4, 6)), torch.zeros(4).long()).backward()
            optimizer.step()
    assert "watched no step: no step of the watched optimizer was seen" in capsys.readouterr().err
    with watch(model, sgd(model), tell=False):
        pass
    assert capsys.readouterr().err == ""
