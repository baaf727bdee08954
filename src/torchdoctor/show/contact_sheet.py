"""A contact sheet: samples, and what augmentation makes of them, as one PNG to be looked at before it is used.

May not: augment, read data.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from torchdoctor.errors import BadRun

SIDE = 96  # pixels of a picture, at least; smaller ones are enlarged by whole factors, so that pixels stay squares
GAP, LINE = 6, 16  # pixels between pictures, and of a line of text
PAPER, INK, QUIET = (246, 247, 249), (29, 36, 48), (90, 101, 117)
FEWEST = 3  # pictures in a row, so that a title fits


@dataclass(frozen=True)
class SheetRow:
    """original: (C, H, W) in 0..1, above it `label`. copies: the same, changed; captions: under each, or nothing."""

    label: str
    original: NDArray[np.floating]
    copies: Sequence[NDArray[np.floating]]
    captions: Sequence[str] = ()


def contact_sheet(title: str, rows: Sequence[SheetRow]) -> bytes:
    """A PNG: a line a sample, the original at the left, apart from its copies."""
    width, height = _cell(rows[0].original)
    across = max(FEWEST, 1 + max(len(row.copies) for row in rows))
    step = height + LINE + GAP
    sheet = Image.new("RGB", (GAP + (width + GAP) * across + GAP, 2 * LINE + step * len(rows)), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    pen.text((GAP, 6), _fitting(title, sheet.width - 2 * GAP, font), INK, font)
    for i, row in enumerate(rows):
        top = 2 * LINE + i * step
        captions = [row.label, *row.captions]
        for j, picture in enumerate((row.original, *row.copies)):
            left = GAP + j * (width + GAP) + (GAP if j else 0)
            sheet.paste(_drawn(picture, (width, height)), (left, top))
            if j < len(captions):
                pen.text((left, top + height + 1), _fitting(captions[j], width, font), QUIET if j else INK, font)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def write_sheet(path: Path, png: bytes) -> Path:
    """The picture is at `path`. Raises BadRun when it cannot be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror}. Give another path, or free some space.") from None
    return path


def _cell(picture: NDArray[np.floating]) -> tuple[int, int]:
    height, width = picture.shape[1:]
    factor = max(1, -(-SIDE // max(1, min(width, height))))
    return width * factor, height * factor


def _drawn(picture: NDArray[np.floating], size: tuple[int, int]) -> Image.Image:
    """One channel is grey, three are colours, of others the mean is shown."""
    channels = picture if len(picture) in (1, 3) else picture.mean(0, keepdims=True)
    rgb = np.repeat(np.clip(np.nan_to_num(channels), 0, 1), 3 // len(channels), axis=0)
    return Image.fromarray((255 * np.moveaxis(rgb, 0, -1)).round().astype(np.uint8)).resize(
        size, Image.Resampling.NEAREST
    )


def _fitting(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """As much of the text as fits; control characters written out."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    while text and font.getlength(text) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text
