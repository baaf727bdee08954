"""Page `projector`: samples in a plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.board.listing import listed
from torchdoctor.board.opened import Board, pictures_of
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.errors import BadRun
from torchdoctor.show.charts.scattered import scattered
from torchdoctor.show.pictures import PICTURES

VIEWS = ("tsne", "pca")


@page
def projector(board: Board, asked: Asked) -> Made:
    """Samples as the network sees them, or as they are, laid into a plane by PCA and by t-SNE; a point shows its
    sample. `.json` holds the samples too."""
    at = board.place(asked.run)
    found = board.kept("pictures", at, lambda: pictures_of(at)).get("projection", {})
    if "tsne" not in found:
        raise BadRun(f"{at.key} holds no projection: {found.get('left_out', 'none was made')}. Make one: torchdoctor "
                     "evaluate RUN, or torchdoctor data -c RECIPE --run FOLDER")  # fmt: skip
    with damaged(at.key, PICTURES):
        samples = [_sample(s) for s in found["samples"]]
        truths, wrong = [s["truth"] for s in samples], [s["truth"] != s["guess"] for s in samples]
        places = {view: [(float(x), float(y)) for x, y in found[view]] for view in VIEWS}
        options = {view: scattered(places[view], truths, wrong, asked.texts) for view in VIEWS}
        return {
            "key": at.key, "parent": listed(board).get(at.key, {}).get("parent"), "layer": str(found["layer"]),
            "explained": [float(share) for share in found["explained"]], "samples": samples, "wrong": sum(wrong),
            "charts": {view: option for view, option in options.items() if option},
        }  # fmt: skip


def _sample(s: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(s[key]) for key in ("name", "truth", "guess", "picture", "row") if key in s}
