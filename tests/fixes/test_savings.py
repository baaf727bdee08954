"""What another structure would save is measured on the changed model itself."""

from __future__ import annotations

import torch
from torch import nn

from torchdoctor.fixes.fix import resolve
from torchdoctor.fixes.savings import WAYS, savings
from torchdoctor.models.alexnet import AlexNet
from torchdoctor.models.gru import GRU
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe


def alexnet() -> Parts:
    torch.manual_seed(0)
    model = AlexNet((3, 32, 32), 10, hidden=64)
    batches = [(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)


def test_numbers_are_those_of_the_model_the_fix_makes() -> None:
    parts = alexnet()
    found, not_here = savings(parts, repeats=1)
    assert {*not_here, *(s.what for s in found)} == set(WAYS) and not not_here
    assert [s.parameters[1] for s in found] == sorted(s.parameters[1] for s in found)
    for saving in found:
        changed = resolve(saving.remedy).apply(parts, **saving.remedy.options).model
        assert saving.parameters[1] == sum(p.numel() for p in changed.parameters()) < saving.parameters[0]
        assert saving.flops[1] < saving.flops[0] and min(saving.seconds) > 0
        assert saving.code and saving.patch is None


def test_two_small_kernels_save_the_share_of_the_paper_where_channels_agree() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(32, 32, 5, padding=2, bias=False), nn.Flatten(), nn.LazyLinear(2, bias=False))
    x = torch.randn(1, 32, 9, 9)
    model(x)
    model[2] = nn.Identity()
    parts = Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1), [(x, torch.zeros(1, 2592))])
    found, _ = savings(parts, repeats=1)
    by_way = {s.what: s for s in found}
    two = by_way["3 x 3 kernels one after the other for larger ones"]
    assert two.flops[1] / two.flops[0] == 18 / 25
    assert two.parameters[1] == 2 * 9 * 32 * 32 + 32  # with the bias of the layer between


def test_a_patch_comes_with_what_a_recipe_can_say() -> None:
    recipe = Recipe.from_dict({"data": {"limit": 64, "batch_size": 8}, "train": {"device": "cpu"}})
    found, not_here = savings(recipe.experiment().build(0), recipe.to_dict(), repeats=1)
    patches = {s.remedy.fix: s.patch for s in found}
    assert patches["use-global-pooling"] == {"model.args.head": "global"} and patches["use-depthwise"] is None
    assert list(not_here) == ["1 x 1 convolutions that narrow around wide kernels"]


def test_a_model_without_convolutions_is_told_why_nothing_applies() -> None:
    model = GRU((6,), 2, vocabulary=9, width=4)
    batches = [(torch.randint(9, (4, 6)), torch.tensor([0, 1, 0, 1]))]
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)
    found, not_here = savings(parts, repeats=1)
    assert found == [] and set(not_here) == set(WAYS) and all(not_here.values())


def test_measuring_leaves_the_parts_as_they_were() -> None:
    parts = alexnet()
    weights, numbers = {k: v.clone() for k, v in parts.model.state_dict().items()}, torch.get_rng_state()
    savings(parts, repeats=1)
    assert all(torch.equal(v, weights[k]) for k, v in parts.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), numbers) and all(m.training for m in parts.model.modules())
