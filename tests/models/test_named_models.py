"""Every model that has a name takes any size and number of classes, has the size of its paper, and learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models.names import ACTIVATIONS, MODELS, NORMALIZATIONS, READS_IDS
from torchdoctor.recipe.imports import imported, takes

IMAGES = [name for name in MODELS if name not in (*READS_IDS, "mlp")]
HEAVY = ("alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
DEEP = ("vgg13", "resnet34", "resnet101", "resnet152")  # their shallow kin are built by the same lines
SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 9, 17), (3, 64, 64), (3, 97, 70)]
NARROW = {"mobilenet": {"width": 0.25}, "inception": {"width": 8}}


def made(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    function = imported(MODELS[name], {}, name)
    if takes(function, "vocabulary"):
        options = {"vocabulary": 30, **options}
    model: nn.Module = function(shape, outputs, **options)
    return model


def light(name: str) -> dict[str, Any]:
    """Few units in the dense layers of AlexNet and VGG."""
    return {"hidden": 16} if name == "alexnet" or name.startswith("vgg") else {}


def batch(name: str, n: int = 8, classes: int = 4) -> tuple[tuple[int, ...], Tensor, Tensor]:
    """Random inputs: what is learnt of them is learnt by heart."""
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(n) % classes
    if name in READS_IDS:
        return (10,), torch.randint(0, 30, (n, 10), generator=generator), y
    return (1, 12, 12), torch.randn(n, 1, 12, 12, generator=generator), y


def weights(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", [n for n in IMAGES if n not in DEEP])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_size_channels_and_classes(name: str, shape: tuple[int, ...]) -> None:
    model = made(name, shape, 3, **light(name)).eval()
    with torch.no_grad():
        assert model(torch.randn(2, *shape)).shape == (2, 3)


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_too_small_or_no_image_is_told_with_the_least_size(name: str) -> None:
    for shape in ((1, 7, 28), (64,), (1, 28)):
        with pytest.raises(BadParts, match=rf"{name} takes images .* at least 8 x 8"):
            made(name, shape, 10)


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "published"),
    [
        ("lenet5", (1, 28, 28), 10, 61_706),
        ("alexnet", (3, 224, 224), 1000, 61_100_840),
        ("vgg11", (3, 224, 224), 1000, 132_863_336),
        ("vgg16", (3, 224, 224), 1000, 138_357_544),
        ("vgg19", (3, 224, 224), 1000, 143_667_240),
        ("resnet18", (3, 224, 224), 1000, 11_689_512),
        ("resnet34", (3, 224, 224), 1000, 21_797_672),
        ("resnet50", (3, 224, 224), 1000, 25_557_032),
        ("resnet101", (3, 224, 224), 1000, 44_549_160),
        ("resnet152", (3, 224, 224), 1000, 60_192_808),
        ("mobilenet", (3, 224, 224), 1000, 4_231_976),
        ("plain20", (3, 32, 32), 10, 269_722),
        ("resnet20", (3, 32, 32), 10, 269_722 + 16 * 32 + 32 * 64),  # with two 1 x 1 convolutions as shortcuts
        ("resnet56", (3, 32, 32), 10, 853_018 + 16 * 32 + 32 * 64),
    ],
)
def test_as_many_weights_as_published(name: str, shape: tuple[int, ...], outputs: int, published: int) -> None:
    with torch.device("meta"):
        assert weights(made(name, shape, outputs)) == published


def test_state_keys_are_torchvisions() -> None:
    from torchvision import models

    for ours, theirs in (("alexnet", "alexnet"), ("vgg11", "vgg11"), ("resnet18", "resnet18")):
        with torch.device("meta"):
            own, known = made(ours, (3, 224, 224), 1000).state_dict(), models.get_model(theirs).state_dict()
        assert {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in known.items()}


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("resnet101", "resnet152")])
def test_every_weight_gets_a_gradient_and_a_short_step_lowers_the_loss(name: str) -> None:
    shape, x, y = batch(name)
    model = made(name, shape, 4, **light(name))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert missing == [] and all(p.grad.any() for p in model.parameters() if p.ndim > 1)

    length = nn.utils.get_total_norm(p.grad for p in model.parameters())
    torch.optim.SGD(model.parameters(), lr=0.01 / float(length)).step()
    assert nn.functional.cross_entropy(model(x), y) < loss


@pytest.mark.parametrize("name", [n for n in MODELS if n not in HEAVY and "56" not in n])
def test_a_batch_is_learnt_by_heart(name: str) -> None:
    shape, x, y = batch(name)
    model = made(name, shape, 4, **NARROW.get(name, {}))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2 if name in READS_IDS else 2e-3)
    for _ in range(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    assert loss < 0.1 and (model(x).argmax(1) == y).all()


@pytest.mark.parametrize(
    "name", ["alexnet", "vgg11", "resnet18", "resnet20", "mobilenet", "inception", "mlp", "lenet5"]
)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_each_normalisation_is_built_in_and_brings_weights_of_its_own(name: str, normalization: str) -> None:
    model = made(name, (3, 16, 16), 3, normalization=normalization, **light(name))
    kinds = {"batch": nn.modules.batchnorm._BatchNorm, "layer": nn.GroupNorm | nn.LayerNorm, "group": nn.GroupNorm}
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm | nn.GroupNorm | nn.LayerNorm)]

    assert all(isinstance(m, kinds[normalization]) for m in norms) and bool(norms) == (normalization != "none")
    if normalization == "layer":
        assert all(getattr(m, "num_groups", 1) == 1 for m in norms)
    assert model(torch.randn(4, 3, 16, 16)).isfinite().all()


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "mobilenet", "inception", "transformer"])
@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a != "relu"])
def test_each_activation_takes_the_place_of_every_relu(name: str, activation: str) -> None:
    shape = (10,) if name in READS_IDS else (1, 12, 12)
    model = made(name, shape, 3, activation=activation, **light(name))
    asked = imported(ACTIVATIONS[activation], {}, activation)

    assert not any(isinstance(m, nn.ReLU) for m in model.modules())
    assert any(isinstance(m, asked) for m in model.modules())
    assert model(batch(name)[1]).isfinite().all()


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("lenet5", "resnet101", "resnet152")])
def test_dropout_makes_training_passes_differ_and_eval_passes_not(name: str) -> None:
    shape, x, _ = batch(name)
    model = made(name, shape, 4, dropout=0.5, **light(name))
    if name == "mlp":
        assert any(isinstance(m, nn.Dropout) for m in model.modules())
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_plain_networks_are_the_residual_ones_without_their_shortcuts() -> None:
    shape, x, _ = batch("plain20")
    residual, plain = made("resnet20", shape, 4), made("plain20", shape, 4)
    state = {k: v for k, v in residual.state_dict().items() if "shortcut" not in k}
    plain.load_state_dict(state)
    assert not torch.allclose(residual.eval()(x), plain.eval()(x))

    for block in residual.blocks:
        block.shortcut = None
    assert torch.equal(residual(x), plain(x))


@pytest.mark.parametrize("name", ["alexnet", "vgg11"])
def test_a_global_head_has_one_layer_and_a_fraction_of_the_weights(name: str) -> None:
    dense, pooled = made(name, (3, 32, 32), 10), made(name, (3, 32, 32), 10, head="global")
    kept = weights(pooled) - weights(pooled.classifier)
    assert kept == weights(dense) - weights(dense.classifier)
    assert weights(pooled.classifier) == pooled.classifier[-1].in_features * 10 + 10
    with pytest.raises(BadParts, match="no head 'gobal'"):
        made(name, (3, 32, 32), 10, head="gobal")


def test_taking_kernels_apart_saves_weights_and_keeps_shapes() -> None:
    apart, whole = (made("inception", (3, 20, 20), 5, kernels=k) for k in ("factorized", "whole"))
    x = torch.randn(2, 3, 20, 20)
    assert apart(x).shape == whole(x).shape == (2, 5)
    assert weights(apart) < weights(whole)


@pytest.mark.parametrize("name", READS_IDS)
def test_padding_changes_no_answer(name: str) -> None:
    model = made(name, (10,), 3, padding=0).eval()
    if name == "gru":  # what a unit has read of padding stays in its state: only the mean leaves it out
        model = made(name, (10,), 3, padding=0, bidirectional=False).eval()
    ids = torch.randint(1, 30, (4, 6))
    padded = torch.cat([ids, torch.zeros(4, 4, dtype=torch.long)], dim=1)

    assert torch.allclose(model(ids), model(padded), atol=1e-5)
    assert model(torch.zeros(2, 10, dtype=torch.long)).isfinite().all()


@pytest.mark.parametrize("name", ["vgg15", "resnet19", "resnet21"])
def test_a_depth_that_no_paper_has_is_refused_with_those_there_are(name: str) -> None:
    from torchdoctor.models.resnet import ResNet
    from torchdoctor.models.resnet_cifar import ResNetCifar
    from torchdoctor.models.vgg import VGG

    makes: dict[str, Any] = {"vgg15": VGG, "resnet19": ResNet, "resnet21": ResNetCifar}
    with pytest.raises(BadParts, match=r"\d+, \d+"):
        makes[name]((3, 32, 32), 10, depth=int(name[-2:]))
