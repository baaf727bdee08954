"""Augmentation: the same as torchvision's, the same for the same seed, never on anything but training samples."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import InterpolationMode, functional

from torchdoctor.data.augment.geometry import Crop, Flip, Rotate, Scale, Shear, Shift, matrix, warped
from torchdoctor.data.augment.loader import Augmented, Range
from torchdoctor.data.augment.mix import Cutmix, Mixup
from torchdoctor.data.augment.pixels import Brightness, Erasing, Hue, Noise, Saturation, rectangles
from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.augment.step import Step
from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.probes.check import check
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.run import train

EVERY: tuple[Step, ...] = (
    Flip(0.5, 0.5), Rotate(), Shift(), Shear(), Scale(), Crop(), Hue(), Saturation(), Brightness(), Noise(), Erasing(),
    Mixup(), Cutmix(),
)  # fmt: skip
every_step = pytest.mark.parametrize("step", EVERY, ids=lambda s: type(s).__name__.lower())


def numbers(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def framed(n: int = 4, channels: int = 3, height: int = 20, width: int = 28) -> torch.Tensor:
    """Smooth pictures with a wide black frame, so that how the edge is filled makes no difference."""
    x = torch.zeros(n, channels, height, width)
    patch = torch.rand(n, channels, 3, 4, generator=torch.Generator().manual_seed(0))
    x[:, :, 7:13, 10:18] = torch.nn.functional.interpolate(patch, (6, 8), mode="bilinear")
    return x


def of(*steps: Step) -> Policy:
    return Policy(tuple((type(s).__name__.lower(), s) for s in steps))


def loader(policy: Policy, n: int = 26, shuffle: bool = True, seed: int = 0) -> Augmented:
    x = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 4 - 2
    return Augmented(TensorBatches(x, torch.arange(n) % 4, 4, shuffle, seed), policy, seed, 4)


def flat(batches: object) -> list[float]:
    return [float(v) for x, y in batches for t in (x, y) for v in t.flatten()]  # type: ignore[attr-defined]


@settings(deadline=None)
@given(angle=st.floats(-180, 180), dx=st.integers(-3, 3), dy=st.integers(-3, 3), times=st.floats(0.7, 1.4))
def test_rotating_shifting_and_scaling_are_those_of_torchvision_picture_by_picture(angle, dx, dy, times):
    x = framed()
    expected = functional.affine(
        x, angle, [dx, dy], times, [0.0, 0.0], interpolation=InterpolationMode.BILINEAR, fill=0.0
    )
    a = math.radians(angle)
    rotated = matrix(4, math.cos(a), math.sin(a), -math.sin(a), math.cos(a))  # the inverse of a turn is its transpose
    inverse = rotated @ matrix(4, 1 / times, 0, 0, 1 / times) @ matrix(4, dx=-dx, dy=-dy)
    assert torch.allclose(warped(x, inverse), expected, atol=2e-3)


def test_flips_are_exact_and_as_frequent_as_asked():
    x = torch.rand(400, 1, 5, 7)
    made, _ = of(Flip(0.5, 0.25))(x, x, numbers())
    kinds = {"": x, "h": x.flip(-1), "v": x.flip(-2), "hv": x.flip(-1, -2)}
    counts = {k: sum(torch.allclose(a, b, atol=1e-5) for a, b in zip(made, flipped)) for k, flipped in kinds.items()}
    assert sum(counts.values()) == 400
    assert abs(counts["h"] + counts["hv"] - 200) < 50 and abs(counts["v"] + counts["hv"] - 100) < 45


def test_colours_are_changed_by_torchvision_with_a_number_for_each_picture():
    x = torch.rand(3, 3, 6, 6)
    for step, function in ((Hue(0.4), functional.adjust_hue), (Saturation(0.9), functional.adjust_saturation)):
        drawn = numbers().uniform(-0.4, 0.4, 3) if function is functional.adjust_hue else numbers().uniform(0.1, 1.9, 3)
        made = step.changed(x, numbers())
        assert len(set(drawn.round(6))) == 3
        assert all(torch.allclose(m, function(p, float(v)), atol=1e-6) for m, p, v in zip(made, x, drawn))
    times = numbers().uniform(0.7, 1.3, 3)
    expected = [functional.adjust_brightness(p, float(v)) for p, v in zip(x, times)]
    assert torch.allclose(Brightness().changed(x, numbers()), torch.stack(expected), atol=1e-6)


@every_step
def test_every_step_draws_for_each_sample_and_from_its_own_generator_alone(step):
    x, y = torch.rand(12, 3, 16, 16), torch.eye(12)
    x = x[:1].expand(12, -1, -1, -1).clone() if not hasattr(step, "mixed") else x
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (of(step)(x, y, numbers(seed)) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    assert len({tuple(sample.flatten().tolist()) for sample in one[0]}) > 3
    assert one[0].shape == x.shape and one[0].min() >= -1e-6 and one[0].max() <= 1 + 1e-6


def test_geometry_that_follows_geometry_is_interpolated_once():
    x = framed()
    back_and_forth = Policy((("a", Fixed(matrix(4, dx=0.5))), ("b", Fixed(matrix(4, dx=-0.5)))))
    assert torch.allclose(back_and_forth(x, x, numbers())[0], x, atol=1e-5)  # twice half a pixel would blur it


class Fixed:
    def __init__(self, matrices: np.ndarray) -> None:
        self.made = matrices

    def matrices(self, random, n, height, width):
        return self.made


@settings(deadline=None)
@given(seed=st.integers(0, 1000), high=st.integers(0, 9), wide=st.integers(0, 7))
def test_a_rectangle_has_its_size_and_lies_within_the_picture(seed, high, wide):
    inside = rectangles(numbers(seed), np.array([high] * 5), np.array([wide] * 5), 9, 7)
    assert inside.shape == (5, 1, 9, 7) and inside.sum((1, 2, 3)).tolist() == [high * wide] * 5


def test_mixed_targets_are_shares_that_fit_what_was_mixed():
    x, y = torch.eye(8)[:, None, None, :].expand(-1, 1, 8, -1).contiguous(), torch.eye(8)
    for step in (Mixup(1.0), Cutmix()):
        made, shares = step.mixed(x, y, numbers())
        assert torch.allclose(shares.sum(1), torch.ones(8)) and 0.01 < float(shares.max(1).values.min()) < 0.99
    made, shares = Mixup(1.0).mixed(x, y, numbers())
    assert torch.allclose(made[:, 0, 0], shares, atol=1e-6)  # column k of a picture is lit where class k is
    white = torch.stack([torch.ones(1, 8, 8), torch.zeros(1, 8, 8)])
    cut, shares = Cutmix().mixed(white, torch.eye(2), numbers(1))
    assert torch.allclose(cut.mean((1, 2, 3)), shares[:, 0], atol=1e-6)


def test_scaled_samples_are_augmented_between_their_own_black_and_white():
    x = torch.rand(50, 3, 4, 4) * torch.tensor([1.0, 10, 0]).reshape(3, 1, 1) - 2
    between = Range.of(x)
    unit = between.unit(x)
    assert torch.allclose(between.back(unit), x, atol=1e-5)
    assert unit[:, :2].amin().item() == 0 and unit[:, :2].amax().item() == pytest.approx(1) and not unit[:, 2].any()
    black = Augmented(TensorBatches(x, torch.zeros(50).long()), of(Erasing(1, (1, 1), (1, 1))), 0)
    (first, _), *_ = black
    assert torch.allclose(first, x.amin((0, 2, 3), keepdim=True).expand_as(first), atol=1e-5)


def test_what_is_drawn_hangs_on_seed_pass_and_batch_alone():
    policy = of(Rotate(), Noise(), Mixup())
    one, same, other = loader(policy), loader(policy), loader(policy, seed=1)
    first = flat(one)
    torch.manual_seed(5)
    torch.rand(9)
    assert flat(same) == first and flat(other) != first
    assert flat(one) == flat(same) != first  # the second pass


def test_processes_that_train_together_draw_apart():
    x, y = torch.full((8, 1, 4, 4), 0.5), torch.zeros(8).long()
    x[0], x[1] = 0.0, 1.0  # the range
    one, other = (flat(Augmented(TensorBatches(x[:8], y, 4, rank=rank, world=2), of(Noise()), 0)) for rank in (0, 1))
    assert one != other


def test_without_shuffling_a_second_pass_still_draws_anew():
    still = loader(of(Noise()), shuffle=False)
    assert flat(still) != flat(still)


@settings(deadline=None)
@given(taken=st.integers(0, 7), passes=st.integers(0, 2), shuffle=st.booleans())
def test_a_restored_loader_gives_exactly_what_was_left(taken, passes, shuffle):
    going_on = loader(of(Noise(), Rotate()), shuffle=shuffle)
    for _ in range(passes):
        flat(going_on)
    going = iter(going_on)
    for _ in range(taken):
        next(going)
    state = going_on.state_dict()
    rest = flat(going)
    twin = loader(of(Noise(), Rotate()), shuffle=shuffle, seed=0)
    twin.load_state_dict(state)
    assert flat(twin) == rest
    assert flat(twin) == flat(going_on)


def test_an_examination_before_training_leaves_the_loader_where_it_stood():
    made = recipe("rotate", "noise").experiment().build(0)
    twin = recipe("rotate", "noise").experiment().build(0)
    check(made.model, made.loss_fn, made.optimizer, made.train, made.val, budget=0.5)
    assert flat(made.train) == flat(twin.train)


def recipe(*augment: object, **loss: object) -> Recipe:
    return Recipe.from_dict({"data": {"augment": list(augment), "limit": 60}, "loss": loss})


def test_a_recipe_augments_training_and_neither_validation_nor_test():
    plain, changed = recipe(), recipe("rotate", {"noise": {"std": 0.2}})
    a, b = (r.experiment().build(0) for r in (plain, changed))
    assert flat(a.train) != flat(b.train)
    assert flat(a.val) == flat(b.val) and flat(plain.test()) == flat(changed.test())
    assert isinstance(b.train, Augmented) and b.train.batch_size == 64 and len(b.train) == len(a.train)


def test_a_transform_of_torchvision_is_named_by_its_import_path():
    v2 = "torchvision.transforms.v2"
    made = recipe({f"{v2}:RandomSolarize": {"threshold": 0.5, "p": 0.5}}).experiment().build(0)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = flat(made.train)
    assert torch.equal(torch.get_rng_state(), before)
    assert one == flat(recipe({f"{v2}:RandomSolarize": {"threshold": 0.5}}).experiment().build(0).train)
    with pytest.raises(BadParts, match=r"RandomCrop made a sample of shape \(1, 4, 4\)"):
        flat(recipe({f"{v2}:RandomCrop": {"size": 4}}).experiment().build(0).train)


def test_mixed_classes_reach_the_loss_as_shares():
    made = recipe("mixup").experiment().build(0)
    x, y = next(iter(made.train))
    assert y.shape == (len(x), 10) and torch.allclose(y.sum(1), torch.ones(len(x)))
    assert made.loss_fn(made.model(x), y).isfinite()


@pytest.mark.parametrize("steps", [None, 5])
def test_a_run_stopped_and_resumed_ends_where_one_ends_that_was_not(tmp_path: Path, steps: int | None):
    whole = recipe("rotate", "noise", "mixup").patched({"train.epochs": 4, "data.batch_size": 16, "data.limit": 100})
    half = whole.patched({"train.epochs": 2})
    train(whole, tmp_path / "whole", checkpoint_steps=steps)
    train(half, tmp_path / "half", checkpoint_steps=steps)
    train(whole, tmp_path / "rest", resume=tmp_path / "half", checkpoint_steps=steps)
    one, two = ((tmp_path / run / "last" / "model.safetensors").read_bytes() for run in ("whole", "rest"))
    assert one == two


@pytest.mark.parametrize(
    ("augment", "loss", "said"),
    [
        (["flipp"], {}, "Did you mean 'flip'"),
        ([{"rotate": {"degree": 3}}], {}, "Did you mean 'degrees'"),
        ([{"rotate": {"degrees": 900}}], {}, "numbers from 0 to 180"),
        ([{"crop": {"area": [0.9, 0.2]}}], {}, "the smaller first"),
        ([{"a": {}, "b": {}}], {}, "must be a list of names"),
        (["hue"], {}, "3 channels"),
        (["mixup"], {"name": "nll"}, "Use loss.name=cross-entropy"),
        (["no.such.module:T"], {}, "no module"),
    ],
)
def test_what_cannot_be_augmented_is_one_clear_line_before_training(augment, loss, said):
    with pytest.raises((BadParts, BadRecipe), match=said) as refused:
        recipe(*augment, **loss).experiment().build(0)
    assert "\n" not in str(refused.value)


def test_rows_of_a_table_are_not_rotated_but_may_be_noisy_or_mixed():
    rows = TensorBatches(torch.rand(9, 5), torch.rand(9), 3)
    with pytest.raises(BadParts, match="rotate needs pictures"):
        Augmented(rows, of(Rotate()), 0)
    with pytest.raises(BadParts, match="whole numbers"):
        Augmented(TensorBatches(torch.ones(9, 5).long(), torch.rand(9)), of(Noise()), 0)
    assert all(torch.isfinite(x).all() for x, _ in Augmented(rows, of(Noise(), Mixup()), 0))
