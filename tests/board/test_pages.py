"""What pages show, by their JSON twins, and that the HTML says the same."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from boards import served, visitor, written
from waiting import HANGS

from torchdoctor.board import folder
from torchdoctor.board.cache import Cache
from torchdoctor.board.pages.runs import FOLDED
from torchdoctor.cures.shelf import Shelf
from torchdoctor.discover import discover
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import Writer
from torchdoctor.show.texts import LANGUAGES, preferred, texts

Board = tuple[Path, httpx.Client]
ROOT = Path(__file__).parents[2] / "src" / "torchdoctor"


@pytest.fixture(scope="module")
def real(runs: Path) -> Iterator[httpx.Client]:
    """A client of a board over real runs that lets everyone in."""
    with served(runs, token="") as url, visitor(url) as client:
        yield client


def test_runs_are_listed_with_their_state_scores_findings_and_children(real: httpx.Client) -> None:
    rows = {row["key"]: row for row in real.get("/runs.json").json()["runs"]}
    assert set(rows) == {"demo", "demo/sick", "demo/cured", "child"}
    assert rows["demo"]["stage"] == "cure" and rows["demo"]["verdict"] in ("cured", "not proven")
    assert rows["demo/sick"]["findings"]["error"] + rows["demo/sick"]["findings"]["warning"] > 0
    assert rows["demo/cured"]["val_score"] > 0.5 > rows["demo/sick"]["val_score"]
    assert rows["demo/sick"]["parent"] == "demo" and rows["demo/sick"]["depth"] == 1
    assert rows["child"]["parent"] == "demo/cured" and rows["child"]["depth"] == 2
    assert rows["demo/sick"]["state"] == "finished"
    page = real.get("/").text
    assert all(f">{key}</a>" in page for key in rows)


def test_runs_are_filtered_sorted_and_turned(board: Board) -> None:
    root, client = board
    for i in range(3):
        written(root / f"run-{i}", steps=100 + 50 * ((i + 1) % 3))
    (root / "bad").mkdir()
    (root / "bad" / "signals.db").write_bytes(b"x")

    def keys(**words: object) -> list[str]:
        return [row["key"] for row in client.get("/runs.json", params=words).json()["runs"]]

    assert keys(sort="name") == ["bad", "run-0", "run-1", "run-2"]
    assert keys(sort="name", down="1") == ["run-2", "run-1", "run-0", "bad"]
    assert keys(sort="steps") == ["run-2", "run-0", "run-1", "bad"]
    assert keys(sort="steps", down="1") == ["run-1", "run-0", "run-2", "bad"]
    assert keys(q="RUN-1") == ["run-1"] and keys(q="damaged") == ["bad"] and keys(q="nothing") == []
    assert keys(page="7") == keys() and "No run matches" in client.get("/runs", params={"q": "nothing"}).text


def test_a_run_that_nobody_judged_is_judged_when_it_is_opened(board: Board) -> None:
    root, client = board
    written(root / "a")

    def findings() -> dict[str, int] | None:
        return client.get("/runs.json").json()["runs"][0]["findings"]  # type: ignore[no-any-return]

    assert findings() is None and "open to judge" in client.get("/").text
    said = client.get("/run.json", params={"at": "a"}).json()["findings"]
    assert sum((findings() or {}).values()) == len(said) > 0


def test_two_runs_that_name_each_other_as_parent_are_both_listed(board: Board) -> None:
    root, client = board
    written(root / "a", facts={"parent": "b"})
    written(root / "b", facts={"parent": "a"})
    written(root / "c", facts={"parent": "c"})
    assert {row["key"] for row in client.get("/runs.json").json()["runs"]} == {"a", "b", "c"}


def test_a_run_shows_curves_with_findings_marked_layers_time_and_memory(real: httpx.Client) -> None:
    made = real.get("/run.json", params={"at": "demo/sick"}).json()
    charts = made["charts"]
    assert {"curve-loss", "curve-train_score", "heat-param_grad_norm", "heat-update_ratio", "phases"} <= set(charts)
    loss = charts["curve-loss"]["series"][0]
    assert loss["name"] == "loss" and [p[0] for p in loss["data"]] == sorted(p[0] for p in loss["data"])
    alarms = {f["code"] for f in made["findings"] if f["steps"] and f["severity"] != "info"}
    marked = " ".join(mark["name"] for mark in loss["markLine"]["data"])
    assert alarms and all(code in marked for code in alarms)
    heat = charts["heat-param_grad_norm"]
    cells = heat["series"][0]["data"]
    assert max(c[0] for c in cells) < len(heat["xAxis"]["data"]) and max(c[1] for c in cells) < len(
        heat["yAxis"]["data"]
    )
    page = real.get("/run", params={"at": "demo/sick"}).text
    assert all(f["message"].split("<")[0][:20] in page.replace("&#39;", "'") for f in made["findings"])
    assert all(f'data-chart="{name}"' in page for name in charts)


def test_a_finding_shows_its_evidence_what_it_explains_and_the_fix_as_code(real: httpx.Client) -> None:
    findings = real.get("/run.json", params={"at": "demo/sick"}).json()["findings"]
    causes = [f for f in findings if f["kind"] == "cause" and f["fixes"]]
    assert causes
    for f in findings:
        words = {"at": "demo/sick", "finding": f["name"], "nth": f["nth"]}
        made = real.get("/finding.json", params=words).json()
        assert made["message"] == f["message"] and made["rule"]["Why it hurts"]
        assert [r["call"].partition("(")[0] for r in made["remedies"]] == [r["fix"] for r in f["fixes"]]
        page = real.get("/finding", params=words)
        assert page.status_code == 200 and all(
            r["code"].splitlines()[0][:10] in page.text for r in made["remedies"] if r["code"]
        )
    explained = [f for f in findings if f["explained_by"]]
    for f in explained:
        cause = real.get("/finding.json", params={"at": "demo/sick", "finding": f["explained_by"][0]}).json()
        assert f["name"] in cause["under"]


def test_a_comparison_lays_curves_over_each_other_and_tells_what_recipes_differ_in(real: httpx.Client) -> None:
    made = real.get("/compare.json", params={"at": ["demo/sick", "demo/cured"]}).json()
    assert [s["name"] for s in made["charts"]["curve-loss"]["series"]] == ["sick", "cured"]
    assert made["settings"] == {
        "data.scale": {"demo/sick": "none", "demo/cured": "standard"},
        "optimizer.lr": {"demo/sick": "2.0", "demo/cured": "0.05"},
    }
    assert "-  lr: 2.0" in made["diff"] and "+  lr: 0.05" in made["diff"]
    assert "Choose at least two" in real.get("/compare").text


def test_runs_of_two_recipes_on_the_same_seeds_are_compared_in_pairs(board: Board) -> None:
    root, client = board
    scores = {("a", 0): 0.5, ("a", 1): 0.6, ("a", 2): 0.55, ("b", 0): 0.7, ("b", 1): 0.82, ("b", 2): 0.74}
    for (name, seed), score in scores.items():
        writer = Writer(
            root / f"{name}-{seed}", recipe=f"name: {name}{seed}\nseed: {seed}\noptimizer: {{lr: {name}}}\n"
        )
        writer.append("val_score", ("",), np.arange(2), np.array([[0.1], [score]]))
        writer.close()
    keys = [f"{name}-{seed}" for name, seed in scores]
    (pair,) = client.get("/compare.json", params={"at": keys}).json()["paired"]
    assert pair["seeds"] == 3 and pair["mean"] == pytest.approx(np.mean([0.2, 0.22, 0.19]))
    assert pair["low"] < pair["mean"] < pair["high"] and pair["differs"]
    assert client.get("/compare.json", params={"at": keys[:4]}).json()["paired"] == [], "one seed in common"
    assert "they differ" in client.get("/compare", params={"at": keys}).text


def test_the_arms_of_a_cure_stand_under_it_and_many_are_shown_when_they_are_asked_for(board: Board) -> None:
    root, client = board
    shelf = Shelf(root / "cure")
    shelf.begin({"budget": "3x"})
    for i in range(FOLDED + 2):
        told = {"fix": "use-adam", "seed": i, "share": 0.25, "score": 0.5 + i / 100}
        shelf.keep(f"key {i}", f"use-adam-seed-{i}", Trace.of(loss=[2.0, 1.0]), {}, **told)

    def rows(**words: str) -> list[dict[str, Any]]:
        return client.get("/runs.json", params=words).json()["runs"]  # type: ignore[no-any-return]

    (cure,) = rows()
    assert (cure["key"], cure["stage"], cure["hidden"]) == ("cure", "cure", FOLDED + 2)
    opened = rows(open="cure")
    assert [r["seed"] for r in opened[1:]] == list(range(FOLDED + 2)) and {r["depth"] for r in opened[1:]} == {1}
    assert opened[1]["fix"] == "use-adam" and opened[1]["score"] == 0.5
    assert len(rows(q="use-adam")) == FOLDED + 2
    assert "show 10 arms" in client.get("/").text
    below = client.get("/run.json", params={"at": "cure"}).json()["below"]
    assert len(below) == FOLDED + 2 and client.get("/run", params={"at": "cure"}).status_code == 200


def test_a_cure_shows_races_with_intervals_and_what_to_change(real: httpx.Client, runs: Path) -> None:
    made = real.get("/cure.json", params={"at": "demo"}).json()
    kept = json.loads((runs / "demo" / "cure.json").read_text())
    assert made["verdict"] == kept["verdict"] and len(made["races"]) == len(kept["races"]) > 0
    assert made["beside"] == ["demo/cured", "demo/sick"]
    page = real.get("/cure", params={"at": "demo"}).text
    assert kept["verdict"] in page and kept["reason"].split("<")[0][:30] in page
    assert real.get("/cure", params={"at": "demo/sick"}).status_code == 422


def test_a_closer_look_shows_steps_that_the_whole_left_out(board: Board) -> None:
    root, client = board
    written(root / "long", steps=50_000)

    def points(**words: object) -> list[list[float]]:
        made = client.get("/run.json", params={"at": "long", **words}).json()["charts"]
        return made["curve-loss"]["series"][0]["data"]  # type: ignore[no-any-return]

    whole, near = points(), points(**{"from": "24990", "to": "25010", "only": "curve-loss"})
    assert len(whole) < 1100 and [25_000, 50.0] in whole, "a spike of one step stays"
    assert [16_666, None] in whole, "and so does a NaN"
    assert [p[0] for p in near] == list(range(24_990, 25_011))


def test_a_live_run_goes_on_under_the_eyes_and_says_when_it_ends(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LIVE", math.inf)
    root, client = board
    writer = written(root / "live", close=False)
    made = client.get("/run.json", params={"at": "live"}).json()
    assert made["state"] == "live" and made["steps"] == 200
    with client.stream("GET", "/events", params={"at": "live"}) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")  # it has seen the run as it is
        writer.append("loss", ("",), np.arange(200, 300), np.ones((100, 1)))
        writer.commit()
        assert any(line.startswith("data:") for line in lines)
    assert client.get("/run.json", params={"at": "live"}).json()["steps"] == 300
    assert _loss(client, "live")[-1] == [299, 1.0]
    writer.close()
    assert client.get("/run.json", params={"at": "live"}).json()["state"] == "finished"


def test_a_run_that_is_deleted_while_it_streams_ends_in_a_message(board: Board) -> None:
    root, client = board
    written(root / "gone")
    with client.stream("GET", "/events", params={"at": "gone"}) as stream:
        lines = stream.iter_lines()
        next(lines)
        shutil.rmtree(root / "gone")
        assert any(line.startswith("data:") for line in lines)
    assert client.get("/run", params={"at": "gone"}).status_code == 404


def test_a_run_inside_which_the_board_is_opened_is_shown_too(tmp_path: Path) -> None:
    written(tmp_path / "alone")
    with served(tmp_path / "alone", token="") as url, visitor(url) as client:
        assert [row["key"] for row in client.get("/runs.json").json()["runs"]] == ["."]
        assert client.get("/run?at=.").status_code == 200


@pytest.mark.parametrize(("path", "twin"), [("/", "/runs.json"), ("/run?at=a", "/run.json?at=a")])
def test_a_page_that_takes_long_says_so_and_its_twin_waits(tmp_path: Path, path: str, twin: str) -> None:
    written(tmp_path / "a")
    cache, go = Cache(patience=0.0), Event()
    for busy in ("one", "other"):  # of the two that open what was never opened
        cache.soon((busy,), 0, lambda: go.wait(HANGS))
    with served(tmp_path, token="", cache=cache) as url, visitor(url) as client:
        assert "data-waiting" in client.get(path).text and not client.get(twin).json()["waiting"]
        go.set()
        cache.patience = None
        assert "data-waiting" not in client.get(path).text


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    catalogues = {
        name: yaml.safe_load((ROOT / "show" / "texts" / f"{name}.yaml").read_text("utf-8"))["words"]
        for name in LANGUAGES
    }
    assert len({tuple(sorted(words)) for words in catalogues.values()}) == 1
    for key, text in catalogues["en"].items():
        assert all(
            text.count(f"{{{p}") == catalogues["zh"][key].count(f"{{{p}") for p in ("total", "count", "page", "runs")
        )


def test_every_word_of_the_catalogue_is_used_and_every_used_one_is_there() -> None:
    files = (f for folder in ("board", "show") for f in (ROOT / folder).rglob("*") if f.suffix in (".py", ".jinja"))
    code = "\n".join(f.read_text("utf-8") for f in files)
    for key in texts("en").words:
        assert f'"{key}"' in code or f"'{key}'" in code or ("." in key and f'"{key.partition(".")[0]}.' in code), key


def test_what_is_said_of_findings_is_of_rules_that_there_are() -> None:
    assert set(texts("zh").findings) <= set(discover("rules", Rule)) and len(texts("zh").findings) > 50


@pytest.mark.parametrize(
    ("header", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de,en;q=0.5", "en"), ("fr", "en"), ("", "en"), ("," * 10_000 + "zh", "en")],
)
def test_the_browser_s_language_is_taken_where_it_is_spoken(header: str, language: str) -> None:
    assert preferred(header) == language


def test_a_chosen_language_stays(real: httpx.Client) -> None:
    assert '<html lang="zh">' in real.get("/runs", params={"lang": "zh"}).text
    assert "条规则未发现问题" in real.get("/run", params={"at": "demo/sick"}).text
    assert '<html lang="en">' in real.get("/runs", params={"lang": "en"}).text
    real.cookies.clear()


def test_every_page_and_its_twin_are_there_in_both_languages(real: httpx.Client) -> None:
    name = real.get("/run.json", params={"at": "demo/sick"}).json()["findings"][0]["name"]
    for page, words in (
        ("runs", {}), ("run", {"at": "demo/sick"}), ("finding", {"at": "demo/sick", "finding": name}),
        ("compare", {"at": ["demo/sick", "demo/cured"]}), ("cure", {"at": "demo"}),
    ):  # fmt: skip
        for language in LANGUAGES:
            answer = real.get(f"/{page}", params={**words, "lang": language})
            assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
            twin = real.get(f"/{page}.json", params={**words, "lang": language})
            assert all(math.isfinite(v) for v in _numbers(twin.json()))
    real.cookies.clear()


def _loss(client: httpx.Client, key: str) -> list[list[float]]:
    made = client.get("/run.json", params={"at": key}).json()
    return made["charts"]["curve-loss"]["series"][0]["data"]  # type: ignore[no-any-return]


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _numbers(inner)
