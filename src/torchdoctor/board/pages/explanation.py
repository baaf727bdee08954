"""Page `explanation`: why a trained run answers a sample as it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.board.folder import EXPLANATION
from torchdoctor.board.listing import listed
from torchdoctor.board.opened import Board, kept_of, pictures_of
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.show.pictures import PICTURES, is_picture


@page
def explanation(board: Board, asked: Asked) -> Made:
    """Maps of what the answer hangs on, with what the checks say of them; filters, feature maps and exciting patches of
    the layers."""
    at = board.place(asked.run)
    found = board.kept("explanation", at, lambda: kept_of(at, EXPLANATION))
    seen = board.kept("pictures", at, lambda: pictures_of(at))
    with damaged(at.key, f"{EXPLANATION} or {PICTURES}"):
        return {
            "key": at.key, "parent": listed(board).get(at.key, {}).get("parent"), "sample": int(found["sample"]),
            "truth": str(found["truth"]), "guess": str(found["guess"]), "target": str(found["target"]),
            "probabilities": {str(name): float(p) for name, p in found["probabilities"].items()},
            "picture": seen["sample"] if is_picture(seen.get("sample")) else None,
            "maps": [_map(m) for m in seen.get("maps", [])],
            "features": [_feature(f) for f in seen.get("features", [])],
            "checks": [_check(c) for c in found["checks"]],
            "layers": [_layer(layer) for layer in seen.get("layers", [])],
            "left_out": {str(name): str(why) for name, why in found["left_out"].items()},
        }  # fmt: skip


def _map(m: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": str(m["method"]), "alone": m.get("alone"), "over": m.get("over"),
            "checks": [_check(c) for c in m["checks"]]}  # fmt: skip


def _check(c: Mapping[str, Any]) -> dict[str, Any]:
    """passed: None where it could not be tested."""
    passed = None if c["passed"] is None else bool(c["passed"])
    return {"method": str(c["method"]), "name": str(c["name"]), "said": str(c["said"]), "passed": passed}


def _feature(f: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": str(f["name"]), "value": float(f["value"]), "baseline": float(f["baseline"]),
            "given": {str(method): float(v) for method, v in f["given"].items()}}  # fmt: skip


def _layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    patches = {str(c): [p["picture"] for p in some if "picture" in p] for c, some in layer["patches"].items()}
    return {"layer": str(layer["layer"]), "type": str(layer["type"]), "channels": int(layer["channels"]),
            "field": [int(side) for side in layer["field"]], "drawable": bool(layer["drawable"]),
            "filters": [f for f in layer["filters"] if is_picture(f)],
            "maps": [m for m in layer["maps"] if is_picture(m)], "patches": patches}  # fmt: skip
