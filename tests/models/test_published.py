"""Arithmetic and receptive fields of whole networks are those that papers tell. Nothing is computed: meta tensors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from torchdoctor.models.flops import flops_of
from torchdoctor.models.names import MODELS
from torchdoctor.models.receptive_field import receptive_fields
from torchdoctor.recipe.imports import imported


def on_meta(name: str, side: int) -> tuple[nn.Module, torch.Tensor]:
    with torch.device("meta"):
        return imported(MODELS[name], {}, name)((3, side, side), 1000), torch.zeros(1, 3, side, side)


@pytest.mark.parametrize(
    ("name", "side", "multiply_adds"),
    [
        ("alexnet", 224, 0.714e9),  # torchvision's table of weights, GFLOPS, which are multiply-adds
        ("vgg16", 224, 15.47e9),
        ("resnet18", 224, 1.814e9),
        ("resnet50", 224, 4.089e9),
        ("resnet101", 224, 7.801e9),
        ("mobilenet", 224, 569e6),  # arXiv:1704.04861, table 4
        ("resnet20", 32, 40.8e6),
    ],
)
def test_flops_are_twice_the_published_multiply_adds(name: str, side: int, multiply_adds: float) -> None:
    model, x = on_meta(name, side)
    assert sum(flops_of(model, (x,)).values()) == pytest.approx(2 * multiply_adds, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "layer", "pixels"),
    [
        # Araujo and others, Distill 2019, table 1; ResNets with a stride in their 3 x 3 (v1.5) see 427 and 971.
        ("alexnet", "features", 195),
        ("vgg16", "features", 212),
        ("resnet18", "layer4", 435),
        ("mobilenet", "blocks", 315),
        ("resnet50", "layer4", 427),
        ("resnet101", "layer4", 971),
    ],
)
def test_receptive_fields_are_the_published_ones(name: str, layer: str, pixels: int) -> None:
    model, _ = on_meta(name, 224)
    image = torch.zeros(1, 3, 1024, 1024, device="meta")
    assert receptive_fields(model, image)[layer] == (pixels, pixels)
