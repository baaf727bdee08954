"""Pre-trained weights reach the model they fit and no other; what is frozen stays, bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from torchdoctor.errors import BadCheckpoint, BadParts, BadRecipe
from torchdoctor.models.freezing import freeze
from torchdoctor.models.pretrained import load_pretrained, weights_of
from torchdoctor.models.resnet import resnet18
from torchdoctor.models.resnet_cifar import ResNetCifar, resnet20
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History

DIGITS: dict[str, Any] = {
    "data": {"limit": 96, "scale": "standard", "batch_size": 32},
    "model": {"name": "resnet20"},
    "train": {"epochs": 2, "device": "cpu"},
}


def net(outputs: int = 10, seed: int = 0, channels: int = 1) -> ResNetCifar:
    torch.manual_seed(seed)
    return ResNetCifar((channels, 8, 8), outputs, depth=8)


def plain(model: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def written(path: Path, form: str, model: nn.Module) -> str:
    state = plain(model)
    if form == "safetensors":
        save_file(state, path / "w.safetensors")
        return str(path / "w.safetensors")
    if form == "folder":
        (path / "run" / "best").mkdir(parents=True)
        save_file(state, path / "run" / "best" / "model.safetensors")
        return str(path / "run")
    if form == "wrapped":
        state = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    torch.save(state, path / "w.pt")
    return str(path / "w.pt")


@pytest.mark.parametrize("form", ["safetensors", "folder", "torch", "wrapped"])
def test_weights_come_from_every_form_people_keep_them_in(tmp_path: Path, form: str) -> None:
    known, fresh = net(seed=1), net(seed=2)
    assert load_pretrained(fresh, written(tmp_path, form, known)) == []
    assert all(torch.equal(t, known.state_dict()[k]) for k, t in fresh.state_dict().items())


def test_a_head_for_other_classes_is_left_as_drawn_and_named(tmp_path: Path) -> None:
    known, fresh = net(10, seed=1), net(3, seed=2)
    drawn = fresh.fc.weight.detach().clone()
    assert load_pretrained(fresh, written(tmp_path, "safetensors", known)) == ["fc.weight", "fc.bias"]
    assert torch.equal(fresh.fc.weight, drawn) and torch.equal(fresh.conv.weight, known.conv.weight)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: net(channels=3), r"conv.weight is \(16, 3, 3, 3\) there and \(16, 1, 3, 3\) here"),
        (lambda: ResNetCifar((1, 8, 8), 10, depth=14), r"blocks.1.conv1.weight is .* there and"),
        (lambda: nn.Sequential(nn.Linear(3, 2)), r"it has no conv.weight"),
    ],
)
def test_weights_of_another_model_are_refused_and_change_nothing(tmp_path: Path, other: Any, said: str) -> None:
    model = net()
    before = plain(model)
    with pytest.raises(BadCheckpoint, match=said):
        load_pretrained(model, written(tmp_path, "safetensors", other()))
    assert all(torch.equal(t, before[k]) for k, t in model.state_dict().items())


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("executed",))


def test_files_that_are_damaged_absent_or_programs_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    torch.save({"a": Evil()}, tmp_path / "evil.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"a": torch.ones(1)}, tmp_path / "newer.pt", pickle_protocol=4)  # of which torch warns, too
    said = {
        "cut.safetensors": "cannot be read as safetensors",
        "evil.pt": "without executing",
        "newer.pt": "without executing",
        "list.pt": "no state_dict",
        "absent.pt": "no file or checkpoint",
    }
    for name, words in said.items():
        with pytest.raises(BadCheckpoint, match=words) as refused:
            weights_of(str(tmp_path / name))
        assert "\n" not in str(refused.value)
    assert "executed" not in capsys.readouterr().out


def test_torchvisions_weights_by_name_are_read_from_its_own_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that torchvision would fetch, laid where it would lay it."""
    from torchvision.models import ResNet18_Weights, get_model

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    torch.manual_seed(3)
    known = get_model("resnet18")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(known.state_dict(), tmp_path / "hub" / "checkpoints" / name)
    model = resnet18((3, 64, 64), 5)

    assert load_pretrained(model, "ResNet18_Weights.IMAGENET1K_V1") == ["fc.weight", "fc.bias"]
    assert torch.equal(model.layer4[1].conv2.weight, known.layer4[1].conv2.weight)
    with pytest.raises(BadCheckpoint, match="torchvision has no weights"):
        weights_of("ResNet18_Weights.IMAGENET9K")
    with pytest.raises(BadCheckpoint, match="torchvision has no weights"):
        weights_of("ResNet19_Weights.DEFAULT")


def test_what_cannot_be_fetched_is_told_with_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(BadCheckpoint, match=r"could not be fetched from https://.*give its path"):
        weights_of("AlexNet_Weights.IMAGENET1K_V1")


# -- freezing ---------------------------------------------------------------------------------------------------------


def frozen(model: nn.Module) -> list[str]:
    return [n for n, p in model.named_parameters() if not p.requires_grad]


@pytest.mark.parametrize(
    ("patterns", "begins"),
    [
        (["conv"], ("conv.",)),
        (["blocks.[01].*"], ("blocks.0.", "blocks.1.")),
        (["blocks.2.conv1.weight", "norm"], ("blocks.2.conv1.weight", "norm.")),
        (["*.bias"], ("norm.bias", "fc.bias")),
    ],
)
def test_patterns_name_layers_and_parameters(patterns: list[str], begins: tuple[str, ...]) -> None:
    model = net()
    names = freeze(model, patterns)
    assert names == frozen(model) and all(any(n.startswith(b) for n in names) for b in begins)
    if patterns != ["*.bias"]:
        assert all(n.startswith(begins) for n in names)


def test_all_but_the_head() -> None:
    model = net()
    freeze(model, "all-but-head")
    assert [n for n, p in model.named_parameters() if p.requires_grad] == ["fc.weight", "fc.bias"]
    other = net()
    freeze(other, "all-but-head", fresh=["conv.weight"])
    assert other.conv.weight.requires_grad


def test_a_pattern_that_matches_nothing_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(BadParts, match=r"no layer or parameter is called 'block'. Did you mean 'blocks'\?"):
        freeze(net(), ["conv", "block"])
    with pytest.raises(BadParts, match="freezes all"):
        freeze(net(), ["*"])


def test_frozen_normalisation_keeps_its_statistics_in_copies_too() -> None:
    model = net()
    freeze(model, ["norm", "blocks.0"])
    for one in (model, copy.deepcopy(model)):
        one.train()
        before = plain(one)
        one(torch.randn(16, 1, 8, 8) + 3)
        after = one.state_dict()
        assert torch.equal(after["norm.running_mean"], before["norm.running_mean"])
        assert torch.equal(after["blocks.0.norm2.running_var"], before["blocks.0.norm2.running_var"])
        assert not torch.equal(after["blocks.1.norm1.running_mean"], before["blocks.1.norm1.running_mean"])


def test_what_is_unfrozen_again_gets_its_statistics_back_too() -> None:
    from torchdoctor.fixes.fix import resolve
    from torchdoctor.judge.finding import Remedy
    from torchdoctor.parts import Parts

    model = net()
    freeze(model, ["norm"])
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    after = resolve(Remedy("unfreeze")).apply(Parts(model, nn.CrossEntropyLoss(), optimizer, [])).model.train()
    before = plain(after)
    after(torch.randn(16, 1, 8, 8) + 3)
    assert not torch.equal(after.norm.running_mean, before["norm.running_mean"])


# -- by recipe --------------------------------------------------------------------------------------------------------


def test_a_recipe_trains_the_head_alone_on_weights_that_were_learnt_before(tmp_path: Path) -> None:
    torch.manual_seed(5)
    source = written(tmp_path, "safetensors", resnet20((1, 8, 8), 4))
    described = Recipe.from_dict(DIGITS).patched({"model.pretrained": source, "model.freeze": "all-but-head"})
    experiment = described.experiment()
    parts = experiment.build(0)
    before = plain(parts.model)
    assert experiment.fit is not None
    experiment.fit(parts, History(2))
    changed = {k for k, t in parts.model.state_dict().items() if not torch.equal(t, before[k])}

    assert changed == {"fc.weight", "fc.bias"}
    assert torch.equal(before["conv.weight"], weights_of(source)["conv.weight"])
    held = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    assert held == {id(parts.model.fc.weight), id(parts.model.fc.bias)}


def test_models_of_torchvision_by_import_path_take_their_weights_too(tmp_path: Path) -> None:
    from torchvision.models import squeezenet1_1

    torch.manual_seed(4)
    known = squeezenet1_1(num_classes=7)
    described = Recipe.from_dict(DIGITS).patched(
        {
            "data.name": f"{__name__}:pictures",
            "data.scale": "none",
            "model.name": "torchvision.models:squeezenet1_1",
            "model.args": {"num_classes": 3},
            "model.pretrained": written(tmp_path, "torch", known),
            "model.freeze": ["features.[0-9]", "features.3.*"],
        }
    )
    model = described.experiment().build(0).model
    assert torch.equal(model.features[0].weight, known.features[0].weight)
    assert model.classifier[1].weight.shape[0] == 3
    assert not model.features[3].squeeze.weight.requires_grad and model.features[12].squeeze.weight.requires_grad


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(12, 3, 64, 64), torch.arange(12) % 3


@pytest.mark.parametrize("output", ["none", "log-softmax"])
def test_an_output_activation_does_not_hide_the_names(tmp_path: Path, output: str) -> None:
    source = written(tmp_path, "safetensors", resnet20((1, 8, 8), 10))
    described = Recipe.from_dict(DIGITS).patched({"model.pretrained": source, "model.output": output})
    state = described.experiment().build(0).model.state_dict()
    assert any(torch.equal(t, weights_of(source)["conv.weight"]) for t in state.values())


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"model.freeze": ["layer1"]}, "no layer or parameter is called 'layer1'"),
        ({"model.pretrained": "nowhere.safetensors"}, "There is no file or checkpoint 'nowhere.safetensors'"),
        ({"model.freeze": "all"}, "model.freeze = 'all': must be 'all-but-head'"),
    ],
)
def test_what_cannot_be_is_told_before_training(patch: dict[str, Any], said: str) -> None:
    with pytest.raises((BadParts, BadCheckpoint, BadRecipe)) as refused:
        Recipe.from_dict(DIGITS).patched(patch).experiment().build(0)
    assert said in str(refused.value) and "\n" not in str(refused.value)
