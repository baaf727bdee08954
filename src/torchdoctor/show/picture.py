"""Arrays as PNG pictures inside a page: samples, heat maps over them, filters.

May not: read files, compute what is drawn.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating]
SMALLEST = 112  # pixels a side in the page; smaller pictures are enlarged by whole factors, so that pixels stay squares
# From nothing to much, on dark and on light: black, violet, red, orange, pale yellow.
HEAT = np.array([[12, 8, 38], [84, 15, 109], [187, 55, 84], [249, 142, 9], [252, 255, 164]], np.float64)
# Against, neither, for: blue, white, red.
SIGNED = np.array([[33, 80, 180], [250, 250, 250], [200, 40, 30]], np.float64)


def picture(x: Floats, low: float | None = None, high: float | None = None, smallest: int = SMALLEST) -> str:
    """A sample (C, H, W) or (H, W) as a data URI; one channel is grey, three are colours, of others the mean is shown.

    low, high: what is black and what is white; default its own extremes.
    """
    channels = np.asarray(x, np.float64)
    channels = channels[None] if channels.ndim == 2 else channels
    channels = channels if len(channels) in (1, 3) else channels.mean(0, keepdims=True)
    grey = np.repeat(unit(channels, low, high), 3 // len(channels), axis=0)
    return _png(255 * np.moveaxis(grey, 0, -1), smallest)


def heat(values: Floats, over: Floats | None = None, signed: bool = False, smallest: int = SMALLEST) -> str:
    """A map (H, W) in false colours as a data URI. over: a sample (C, H, W) or (H, W) that shines through.

    signed: blue below zero, white at zero, red above; else dark is the least, bright the most.
    """
    v = np.nan_to_num(np.asarray(values, np.float64))
    top = np.abs(v).max() or 1.0
    share = (v / top + 1) / 2 if signed else unit(v)
    colours = _coloured(share, SIGNED if signed else HEAT)
    if over is not None:
        sample = np.asarray(over, np.float64)
        grey = unit(sample if sample.ndim == 2 else sample.mean(0))
        colours = 0.35 * 255 * grey[..., None] + 0.65 * colours
    return _png(colours, smallest)


def unit(values: Floats, low: float | None = None, high: float | None = None) -> NDArray[np.float64]:
    """Values as 0..1 between low and high, by default their own extremes; what never varies is 0."""
    v = np.nan_to_num(np.asarray(values, np.float64))
    low, high = (float(v.min()) if low is None else low), (float(v.max()) if high is None else high)
    return np.asarray(np.clip((v - low) / ((high - low) or 1.0), 0, 1))


def _coloured(share: NDArray[np.float64], ramp: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.linspace(0, 1, len(ramp))
    return np.stack([np.interp(share, places, ramp[:, c]) for c in range(3)], axis=-1)


def _png(rgb: NDArray[np.float64], smallest: int) -> str:
    """rgb: (H, W, 3), 0..255."""
    image = Image.fromarray(rgb.round().astype(np.uint8), "RGB")
    factor = max(1, -(-smallest // max(1, min(image.size))))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
