"""An explanation as one HTML page with its pictures in it: no server, nothing fetched.

May not: explain, judge, leave half a file behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torchdoctor.explain.explanation import Explanation
from torchdoctor.explain.seen import SeenLayer
from torchdoctor.show.html import written
from torchdoctor.show.on_disk import rendered
from torchdoctor.show.picture import heat, picture
from torchdoctor.show.texts import spoken

LARGE, SMALL = 168, 56  # pixels a side in the page
PATCHED = 12  # channels whose patches are shown


def write_explanation(
    found: Explanation, path: Path, *, title: str, names: Sequence[str] = (), lang: str = "en"
) -> Path:
    """The page; returns the path. names: of a table's features. Raises BadRun when it cannot be written there."""
    shown = pictures_of(found, names)
    return written(path, rendered("explanation_page.html.jinja", t=spoken(lang), title=title, found=found, **shown))


def pictures_of(found: Explanation, names: Sequence[str] = ()) -> dict[str, Any]:
    """What a page shows beside the numbers, as plain values: the sample, maps over it or features, layers."""
    pictures = found.x.ndim == 3
    return {
        "sample": picture(found.x.numpy(), smallest=LARGE) if pictures else None,
        "maps": _maps(found) if pictures else [],
        "features": [] if pictures else _features(found, names),
        "layers": [_layer(layer) for layer in found.layers],
    }


def _maps(found: Explanation) -> list[Mapping[str, Any]]:
    """Each method's map, alone and over the sample, with what the checks say of it."""
    x = found.x.numpy()
    return [
        {
            "method": a.method,
            "alone": heat(a.values.numpy(), signed=a.signed, smallest=LARGE),
            "over": heat(a.values.numpy(), over=x, signed=a.signed, smallest=LARGE),
            "checks": [asdict(c) for c in found.checks if c.method == a.method],
        }
        for a in found.attributions
    ]


def _features(found: Explanation, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Rows of a table: a feature, its value, and what each method says of it; the most important first."""
    every = {a.method: a.values.tolist() for a in found.attributions}
    sizes = {method: max(map(abs, values)) or 1.0 for method, values in every.items()}
    order = sorted(range(len(found.x)), key=lambda i: -sum(abs(v[i]) / sizes[m] for m, v in every.items()))
    return [
        {
            "name": names[i] if i < len(names) else f"#{i}",
            "value": float(found.x[i]),
            "baseline": float(found.baseline[i]),
            "shares": {method: values[i] / sizes[method] for method, values in every.items()},
            "given": {method: values[i] for method, values in every.items()},
        }
        for i in order
    ]


def _layer(layer: SeenLayer) -> Mapping[str, Any]:
    """Pictures of a layer: filters of as many channels as the first layer's inputs, maps, patches."""
    drawable = layer.filters.shape[1] in (1, 3)
    kernels = layer.filters if drawable else layer.filters.mean(1, keepdim=True)
    low, high = float(kernels.min()), float(kernels.max())
    return {
        "layer": layer.layer,
        "type": layer.type,
        "channels": layer.channels,
        "field": list(layer.field),
        "drawable": drawable,
        "filters": [picture(k.numpy(), low, high, smallest=SMALL) for k in kernels],
        "maps": [heat(m.numpy(), smallest=SMALL) for m in layer.maps],
        "patches": {
            str(channel): [
                {"sample": p.sample, "excitation": p.excitation, "picture": picture(p.pixels.numpy(), smallest=SMALL)}
                for p in patches
            ]
            for channel, patches in list(layer.patches.items())[:PATCHED]
        },
    }
