"""Models by name fit any size they promise, learn, and are drawn as asked."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.models.init import initialize
from torchdoctor.models.layers import activation, with_output
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mlp import MLP
from torchdoctor.models.names import ACTIVATIONS, OUTPUTS
from torchdoctor.models.resnet_cifar import ResNetCifar, resnet20
from torchdoctor.models.transformer import TextTransformer


def weights(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("make", [LeNet5, resnet20, MLP])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 17), (1, 13, 28), (2, 28, 28), (3, 40, 33)])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_image_models_take_any_size_channels_and_classes(make, shape, normalization):
    model = make(shape, 7, normalization=normalization)
    assert model(torch.randn(2, *shape)).shape == (2, 7)
    assert any(isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d) for m in model.modules()) == (normalization == "batch")


def test_sizes_are_those_of_the_papers():
    assert weights(LeNet5((1, 28, 28), 10)) == 61_706
    # 269,722 in the paper with shortcuts without weights, plus two 1 x 1 convolutions (16 x 32 and 32 x 64).
    assert weights(resnet20((3, 32, 32), 10)) == 269_722 + 16 * 32 + 32 * 64
    assert weights(ResNetCifar((3, 32, 32), 10, depth=56)) == 853_018 + 16 * 32 + 32 * 64


@pytest.mark.parametrize("make", [LeNet5, resnet20])
def test_images_that_are_too_small_or_none_are_refused(make):
    for shape in ((1, 7, 28), (64,)):
        with pytest.raises(BadParts, match="at least 8 x 8"):
            make(shape, 10)


def test_every_weight_of_every_model_gets_a_gradient():
    ids, images = torch.randint(0, 50, (4, 12)), torch.randn(4, 3, 10, 12)
    for model, x in (
        (LeNet5((3, 10, 12), 5), images),
        (resnet20((3, 10, 12), 5), images),
        (MLP((3, 10, 12), 5, hidden=(20, 20), dropout=0.1, normalization="batch"), images),
        (TextTransformer((12,), 5, vocabulary=50), ids),
    ):
        nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 3])).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_transformer_reads_shorter_texts_and_minds_the_order_of_words():
    model = TextTransformer((12,), 3, vocabulary=50).eval()
    ids = torch.arange(8)[None]
    assert model(ids).shape == (1, 3)
    assert not torch.allclose(model(ids), model(ids.flip(1)), atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_name_makes_a_module(name):
    assert activation(name)(torch.ones(2, 2)).shape == (2, 2)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(BadParts, match="Did you mean 'relu'"):
        activation("rely")
    with pytest.raises(BadParts, match="Did you mean 'xavier'"):
        initialize(nn.Linear(2, 2), "xaver")
    with pytest.raises(BadParts, match="Did you mean 'softmax'"):
        with_output(nn.Linear(2, 2), "softmx")
    with pytest.raises(BadParts, match="Did you mean 'batch'"):
        MLP((3,), 2, normalization="bach")


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_activation_comes_last_and_the_other_layers_keep_their_names(output):
    torch.manual_seed(0)
    plain = MLP((5,), 3)
    x = torch.randn(4, 5)
    raw = plain(x)
    expected = {
        "softmax": raw.softmax(1),
        "log-softmax": raw.log_softmax(1),
        "sigmoid": raw.sigmoid(),
        "relu": raw.relu(),
    }
    model = with_output(plain, output)
    assert torch.allclose(model(x), expected.get(output, raw))
    assert set(dict(plain.named_parameters())) == set(dict(model.named_parameters()))


def test_an_output_activation_does_not_undo_the_forward_of_a_model_of_ones_own():
    class Doubled(nn.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    model = Doubled(nn.Linear(2, 2))
    x = torch.randn(3, 2)
    assert torch.allclose(with_output(model, "sigmoid")(x), model(x).sigmoid())
