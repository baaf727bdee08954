"""Which inputs an answer hangs on: saliency, Grad-CAM, HiResCAM, integrated gradients and occlusion, all captum's.

May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.explain.receptive import fields, placed
from torchdoctor.explain.subject import Subject, convolutions, last_maps
from torchdoctor.extra import needed

STEPS = 64  # of the integral, by Gauss and Legendre's rule
AT_ONCE = 64
WINDOWS = 7  # across the smaller side of a picture; each moves by half its width
Explain = Callable[[Subject, Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Attribution:
    """values: of the inputs' shape without the batch, (H, W) for pictures (channels are added up), else (features,).
    signed: above zero speaks for the answer, below against; else only how much counts."""

    method: str
    values: Tensor
    signed: bool


def attributed(subject: Subject, x: Tensor, target: Tensor, method: str) -> Tensor:
    """(N, H, W) or (N, features) for x (N, ...) and classes target (N,). Raises BadParts for an unknown method or one
    that needs pictures, MissingExtra without captum."""
    if method not in METHODS:
        raise BadParts(f"There is no method {method!r}. {did_you_mean(method, METHODS)}")
    values = METHODS[method](subject, x, target).detach()
    return values.sum(1) if values.ndim == 4 else values


def saliency(subject: Subject, x: Tensor, target: Tensor) -> Tensor:
    """The size of the gradient by each input.

    Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks", 2013.
    """
    made: Tensor = needed("captum.attr", extra="explain").Saliency(subject.scores).attribute(_leaf(x), target)
    return made


def grad_cam(subject: Subject, x: Tensor, target: Tensor) -> Tensor:
    """Maps after the last convolution, weighted by their mean gradient, where they speak for the class; laid over the
    input where the units look.

    A head of dense layers weighs every place by itself, which the mean over places loses: on LeNet-5 taking away what
    the map points at hurts no more than taking away anything else. `hires_cam` keeps the places.

    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks", ICCV 2017.
    """
    name = last_maps(subject.model, x) if subject.pictures else None
    if name is None:
        raise BadParts("Grad-CAM needs a convolution whose maps are larger than one pixel; this model has none.")
    layer = dict(subject.model.named_modules())[name]
    method = needed("captum.attr", extra="explain").LayerGradCam(subject.scores, layer)
    maps: Tensor = method.attribute(_leaf(x), target, relu_attributions=True)
    reach = fields(subject.model, (name,), x[:1])[name]
    return placed(maps.detach(), reach, (x.shape[2], x.shape[3]))


def hires_cam(subject: Subject, x: Tensor, target: Tensor) -> Tensor:
    """Maps of a convolution, each unit times its own gradient; laid over the input where the units look. Of the last
    convolution whose units do not see the whole picture: those that do cannot say where.

    Draelos, Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks", 2020.
    """
    every = convolutions(subject.model, x) if subject.pictures else ()
    if not every:
        raise BadParts("HiResCAM needs a convolution whose maps are larger than one pixel; this model has none.")
    size = (x.shape[2], x.shape[3])
    reach = fields(subject.model, every, x[:1])
    name = next((n for n in reversed(every) if reach[n].size[0] < size[0] and reach[n].size[1] < size[1]), every[-1])
    layer = dict(subject.model.named_modules())[name]
    method = needed("captum.attr", extra="explain").LayerGradientXActivation(subject.scores, layer)
    maps: Tensor = method.attribute(_leaf(x), target)
    return placed(maps.detach().sum(1, keepdim=True), reach[name], size)


def integrated_gradients(subject: Subject, x: Tensor, target: Tensor) -> Tensor:
    """The gradient, averaged along the straight way from the baseline to the input, times that way. Added up over the
    inputs it is the difference of the scores.

    Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.
    """
    method = needed("captum.attr", extra="explain").IntegratedGradients(subject.scores)
    made: Tensor = method.attribute(
        _leaf(x), subject.baseline, target, n_steps=STEPS, internal_batch_size=max(AT_ONCE, len(x))
    )
    return made


def occlusion(subject: Subject, x: Tensor, target: Tensor) -> Tensor:
    """By how much the score falls when a window, or a feature, is replaced by the baseline.

    Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
    """
    side = max(1, min(x.shape[2:]) // WINDOWS) if subject.pictures else 1
    window = (x.shape[1], 2 * side, 2 * side) if subject.pictures else (1,)
    strides = (x.shape[1], side, side) if subject.pictures else (1,)
    method = needed("captum.attr", extra="explain").Occlusion(subject.scores)
    with torch.no_grad():
        made: Tensor = method.attribute(x, window, strides, subject.baseline, target, perturbations_per_eval=AT_ONCE)
    return made


def _leaf(x: Tensor) -> Tensor:
    """captum asks for gradients of what it is given, and says so in a warning unless they are wanted already."""
    return x.detach().clone().requires_grad_()


METHODS: Mapping[str, Explain] = {
    "saliency": saliency, "grad-cam": grad_cam, "hires-cam": hires_cam, "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
}  # fmt: skip
SIGNED = ("hires-cam", "integrated-gradients", "occlusion")
