"""Picture files as tensors: upright, 8 bits a value, and of one size and number of channels.

May not: look for files, skip what cannot be read.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from torchdoctor.errors import BadParts, one_line

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # decoders that run no other program
SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by number of channels
DEEP = 257  # 65535 / 255: sixteen bits to eight


@dataclass(frozen=True)
class Pictures:
    """Paths, bytes or PIL images -> (N, channels, height, width) uint8, as `images` reads its files.

    size: (height, width) in pixels, reached by bilinear resizing of the whole picture. channels: 1 grey, 3 colour,
    4 colour and opacity; what is transparent lies on white where opacity is not kept.
    """

    size: tuple[int, int]
    channels: int

    def __call__(self, raw: Sequence[Any]) -> Tensor:
        """Raises BadParts naming the first that is no picture."""
        with decoding():
            return torch.stack([as_tensor(opened(item), self.channels, self.size) for item in raw])


@contextmanager
def decoding() -> Iterator[None]:
    """Inside, a picture so large that Pillow suspects an attack is an error, and senseless EXIF is nobody's concern.

    Filters of warnings belong to the whole process: enter it once, around all threads that decode.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def opened(item: Any, name: str | None = None) -> Image.Image:
    """The first frame of a path's, bytes' or PIL image's picture, decoded and upright. Raises BadParts, calling it
    `name`, when it is none, is cut off, or would decode to more pixels than Pillow's limit. To be called inside
    `decoding`."""
    try:
        if isinstance(item, Image.Image):
            item.load()
            return _upright(item)
        source = io.BytesIO(item) if isinstance(item, (bytes, bytearray)) else item
        with Image.open(source, formats=FORMATS) as image:
            image.load()
            return _upright(image)
    except Exception as error:  # noqa: BLE001 - bytes that are no picture can break a decoder in any way
        name = name or (Path(item).name if isinstance(item, (str, Path)) else "A picture")
        said = one_line(error).replace(str(item), name)
        raise BadParts(f"{name} cannot be read as a picture ({said}).") from None


def as_tensor(image: Image.Image, channels: int | None = None, size: tuple[int, int] | None = None) -> Tensor:
    """(C, H, W) uint8. channels, size: as of Pictures; default the picture's own."""
    image = _in_mode(_shallow(image), MODES[channels or channels_of(image)])
    if size is not None and image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    values = torch.from_numpy(np.array(image, np.uint8))  # a copy: the picture's own memory may not be written to
    return values[None] if values.ndim == 2 else values.permute(2, 0, 1).contiguous()


def channels_of(image: Image.Image) -> int:
    """How many channels keep what the picture says: a palette is colour, with opacity where it has transparent ones."""
    if image.mode in ("1", "L", "F") or image.mode.startswith("I"):
        return 1
    has_opacity = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or (
        image.mode == "P" and "transparency" in image.info
    )
    return 4 if has_opacity else 3


def _upright(image: Image.Image) -> Image.Image:
    """As the camera was held, by EXIF; nonsense in it turns nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - EXIF that is broken breaks Pillow's reader of it in many ways
        return image.copy()


def _shallow(image: Image.Image) -> Image.Image:
    """Eight bits a value, where Pillow would clip: sixteen-bit grey, and the CIE's L*a*b*."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((values // DEEP if values.max() > 255 else values).clip(0, 255).astype(np.uint8))
    if image.mode == "F":
        raise BadParts("A picture of 32-bit decimals has no known range; store it as 8 or 16 bits.")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # None only for changes in place
        return converted
    return image


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image
    if mode != "RGBA" and channels_of(image) == 4:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert(mode)
