"""The pages of other stages than training: data, evaluation, explanation, samples in a plane, the benchmark."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from boards import served, table, visitor

KINDS = {"evaluation": "lenet-evaluation", "explanation": "lenet-explanation", "data": "digits",
         "projector": "lenet-evaluation"}  # fmt: skip


@pytest.fixture(scope="module")
def real(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a board over real runs that lets everyone in."""
    benchmark = table(tmp_path_factory.mktemp("benchmark") / "table.json")
    with served(stages, token="", benchmark=benchmark) as url, visitor(url) as client:
        yield client


def made(client: httpx.Client, page: str, **words: str) -> dict[str, Any]:
    answer = client.get(f"/{page}.json", params={"at": KINDS.get(page, ""), **words})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("page", KINDS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_stage_has_a_page_in_both_languages(real: httpx.Client, page: str, language: str) -> None:
    answer = real.get(f"/{page}", params={"at": KINDS[page], "lang": language})
    assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
    real.cookies.clear()


def test_the_list_leads_to_the_page_that_tells_most_of_each(real: httpx.Client) -> None:
    rows = {row["key"]: row for row in real.get("/runs.json").json()["runs"]}
    pages = {key: row["page"] for key, row in rows.items()}
    assert pages == {
        "lenet": "run", "lenet-evaluation": "evaluation", "lenet-explanation": "explanation", "digits": "data",
    }  # fmt: skip
    assert rows["lenet-evaluation"]["parent"] == rows["lenet-explanation"]["parent"] == "lenet"
    below = real.get("/run.json", params={"at": "lenet"}).json()["below"]
    assert {row["key"] for row in below} == {"lenet-evaluation", "lenet-explanation"}


def test_an_evaluation_shows_the_numbers_that_were_kept(real: httpx.Client, stages: Path) -> None:
    page, kept = made(real, "evaluation"), json.loads((stages / "lenet-evaluation" / "evaluation.json").read_text())
    cells = [cell["value"] for series in page["charts"]["confusion"]["series"] for cell in series["data"]]
    assert {(y, x, n) for x, y, n, _ in cells} == {
        (i, j, n) for i, row in enumerate(kept["confusion"]) for j, n in enumerate(row) if n
    }
    assert page["samples"] == sum(map(sum, kept["confusion"])) == sum(cell[2] for cell in cells)
    assert {"reliability", "roc", "pr"} <= set(page["charts"])
    assert [s["index"] for s in page["galleries"]["hard"]] == [s["index"] for s in kept["hard"]]
    assert all(s["picture"].startswith("data:image/png;base64,") for s in page["galleries"]["hard"])
    assert len(page["slices"]) == len(kept["slices"]) and page["parent"] == "lenet"


def test_an_explanation_shows_maps_with_their_checks_filters_and_feature_maps(real: httpx.Client) -> None:
    page = made(real, "explanation")
    assert {"saliency", "grad-cam"} <= {m["method"] for m in page["maps"]}
    assert all(m["over"] and m["alone"] and m["checks"] for m in page["maps"])
    assert page["layers"][0]["filters"] and page["layers"][0]["maps"] and page["layers"][0]["patches"]
    assert sum(page["probabilities"].values()) <= 1.001


def test_the_projector_has_a_point_and_a_picture_for_every_sample(real: httpx.Client) -> None:
    page = made(real, "projector")
    for view in ("pca", "tsne"):
        points = [point for series in page["charts"][view]["series"] for point in series["data"]]
        assert sorted(p["sample"] for p in points) == list(range(len(page["samples"])))
        rings = sum("itemStyle" in p for p in points)
        assert rings == page["wrong"] == sum(s["truth"] != s["guess"] for s in page["samples"])
    assert all("picture" in s for s in page["samples"]) and 0 < sum(page["explained"]) <= 1


def test_data_are_shown_as_the_network_gets_them_with_their_balance(real: httpx.Client) -> None:
    page = made(real, "data")
    assert len(page["network"]) == 24 and all("picture" in s for s in page["network"])
    for bars in page["charts"]["balance"]["series"]:
        assert sum(bars["data"]) == pytest.approx(1, abs=0.01)
    assert page["sheet"] and page["tables"] and page["has_projection"]
    assert made(real, "projector", at="digits")["layer"] == ""


def test_the_benchmark_counts_what_was_found_missed_and_said_wrongly(real: httpx.Client) -> None:
    page = made(real, "benchmark")
    totals = page["totals"]
    assert (totals["faulty_runs"], totals["detection"], totals["first"]) == (2, 1.0, 0.5)
    assert (totals["precision"], totals["recall"], totals["alarms"]) == (0.5, pytest.approx(1 / 3), 1.0)
    assert page["rules"]["dead-units"] == {"right": 0, "missed": 0, "wrong": 1, "alarms": 1}
    assert page["rules"]["high-learning-rate"]["right"] == 1 and page["rules"]["low-learning-rate"]["missed"] == 1
    assert [r["case"] for r in made(real, "benchmark", q="sil")["rows"]["faulty"]] == ["silent"]
    for language in ("en", "zh"):
        assert real.get("/benchmark", params={"lang": language}).status_code == 200
    real.cookies.clear()


HARM: dict[str, Any] = {
    "nothing": {}, "a list": [1], "other types": {"kind": [], "measure": {}, "on": 3, "scores": 5},
    "of an evaluation but one field": {"kind": "classes", "on": "test", "scores": {"test": {"samples": "x"}}},
}  # fmt: skip


@pytest.mark.parametrize("how", HARM)
@pytest.mark.parametrize("name", ["evaluation.json", "explanation.json", "pictures.json"])
def test_what_commands_kept_may_be_damaged(stages: Path, tmp_path: Path, name: str, how: str) -> None:
    root = tmp_path / "runs"
    shutil.copytree(stages, root)
    for folder in root.iterdir():
        if (folder / name).exists():
            (folder / name).write_text(json.dumps(HARM[how]))
    with served(root, token="") as url, visitor(url) as client:
        for page, key in KINDS.items():
            answer = client.get(f"/{page}", params={"at": key})
            assert answer.status_code in (200, 422) and "Traceback" not in answer.text
        assert client.get("/").status_code == 200


def test_a_picture_that_is_none_is_left_out(stages: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    shutil.copytree(stages / "digits", root / "digits")
    file = root / "digits" / "pictures.json"
    kept = json.loads(file.read_text())
    kept["network"][0]["picture"] = "https://evil.example/x.png"
    kept["sheet"] = "javascript:alert(1)"
    file.write_text(json.dumps(kept))
    with served(root, token="") as url, visitor(url) as client:
        text = client.get("/data?at=digits").text
    assert "evil.example" not in text and "javascript:" not in text and text.count("data:image/png") > 20
