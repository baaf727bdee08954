"""What a board must not do, whoever asks and whatever lies in the folder."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
from boards import COOKIE, TOKEN, served, visitor, written

from torchdoctor.board.folder import OWN

Board = tuple[Path, httpx.Client]
EVIL = "<script>alert(1)</script>\"' onload=x"
PAGES = ("run", "finding", "compare", "cure", "data", "evaluation", "explanation", "projector")


@pytest.mark.parametrize("cookie", ["", "a-tokem", "a-token-", "é"])
def test_without_the_token_nothing_is_shown(board: Board, cookie: str) -> None:
    root, client = board
    written(root / "secret-name")
    with visitor(str(client.base_url), headers={"cookie": f"{COOKIE}={cookie}".encode()}) as stranger:
        for path in (
            "/",
            "/runs.json",
            "/run?at=secret-name",
            "/events",
            "/static/board.js",
            "/nowhere",
            "/?token=wrong",
        ):
            answer = stranger.get(path)
            assert answer.status_code == 403 and "secret" not in answer.text


def test_the_token_is_taken_once_and_leaves_the_address(board: Board) -> None:
    _, client = board
    with visitor(str(client.base_url)) as comer:
        entered = comer.get("/", params={"token": TOKEN}, headers={"sec-fetch-site": "cross-site"})
        assert entered.status_code == 200 and 'url=/"' in entered.text
        assert "httponly" in entered.headers["set-cookie"].lower()
        assert "samesite=strict" in entered.headers["set-cookie"].lower()
        assert comer.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # another port of this machine
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
def test_requests_of_other_sites_are_refused_with_the_cookie_too(board: Board, headers: dict[str, str]) -> None:
    _, client = board
    assert client.get("/runs.json", headers=headers).status_code == 403
    assert client.get("/static/board.js", headers=headers).status_code == 403


def test_a_name_that_was_pointed_at_this_machine_is_not_answered(board: Board) -> None:
    _, client = board
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""):
        assert client.get("/", headers={"host": host}).status_code in (400, 421)
    assert client.get("/", headers={"host": "localhost:1"}).status_code == 200


def test_nothing_can_be_sent_to_a_board(board: Board) -> None:
    _, client = board
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.request(method, "/runs").status_code == 405


def test_every_answer_forbids_scripts_in_the_page_frames_and_strangers(board: Board) -> None:
    _, client = board
    for path in ("/", "/runs.json", "/run?at=none", "/static/board.js"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"] and "unsafe" not in str(headers)
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"


def test_huge_queries_are_refused_and_many_runs_cut(board: Board) -> None:
    root, client = board
    written(root / "a")
    assert client.get("/runs", params={"q": "x" * 9000}).status_code == 414
    assert client.get("/run", params={"at": "x/" * 600}).status_code == 404
    assert client.get("/compare", params={"at": ["a"] * 500}).status_code == 200
    for words in (
        {"page": "9" * 400},
        {"page": "-1"},
        {"page": "x"},
        {"page": "٣"},
        {"sort": "drop table"},
        {"down": "x"},
    ):
        assert client.get("/runs", params=words).status_code == 200
    for words in (
        {"from": "9" * 15, "to": "1"},
        {"from": "-5", "to": "nan"},
        {"from": "0", "to": "9" * 30, "only": EVIL},
    ):
        assert client.get("/run.json", params={"at": "a", **words}).status_code == 200


@pytest.mark.parametrize(
    "key",
    ["../outside", "a/../../outside", "/etc", "..", "", "a/", "a//b", "a/.", "%2e%2e", "..\\outside", "a\0b", "link",
     "link/deeper", "linked-file", "linked-recipe", "é" * 300, "a" * 300, "file.txt", "a/signals.db"],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(board: Board, key: str) -> None:
    root, client = board
    outside = root.parent / "outside"
    written(outside / "deeper")
    written(root.parent / "outside-run")
    written(root / "a")
    (root / "file.txt").write_text("private")
    (root / "link").symlink_to(root.parent / "outside-run")
    (root / "linked-file").mkdir()
    (root / "linked-file" / "signals.db").symlink_to(root / "a" / "signals.db")
    written(root / "linked-recipe")
    (root / "linked-recipe" / "recipe.yaml").symlink_to(root / "file.txt")
    for page in PAGES:
        for end in ("", ".json"):
            answer = client.get(f"/{page}{end}", params={"at": key, "finding": "x"})
            assert answer.status_code == 404, (page, answer.text)
            assert "private" not in answer.text
    listed = {row["key"] for row in client.get("/runs.json").json()["runs"]}
    assert listed == {"a"}


@pytest.mark.parametrize("name", OWN)
def test_no_file_of_a_run_may_be_a_link_out_of_it(board: Board, name: str) -> None:
    root, client = board
    secret = root.parent / "secret"
    secret.write_text('{"kind": "private", "reason": "private", "versions": {"private": 1}, "name": "private"}')
    written(root / "a")
    assert client.get("/run", params={"at": "a"}).status_code == 200
    (root / "a" / name).unlink(missing_ok=True)
    (root / "a" / name).symlink_to(secret)
    for page in PAGES:
        for end in ("", ".json"):
            answer = client.get(f"/{page}{end}", params={"at": "a", "finding": "x"})
            assert answer.status_code == 404 and "private" not in answer.text
    assert client.get("/runs.json").json()["runs"] == [] and "private" in secret.read_text()


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/../../etc/passwd"]
)
def test_no_static_path_leads_out(board: Board, path: str) -> None:
    _, client = board
    assert client.get(path).status_code == 404


def test_names_with_html_are_shown_not_obeyed(board: Board) -> None:
    root, client = board
    folder = "<img src=x onerror=alert(1)>"
    writer = written(root / folder, close=False, facts={"stage": EVIL, "parent": EVIL, "steps": EVIL})
    writer.append("param_grad_norm", (EVIL, "b"), np.arange(5), np.arange(10.0).reshape(5, 2))
    writer.append("lr", (EVIL,), np.arange(5), np.arange(5.0)[:, None])
    writer.close()
    (root / folder / "recipe.yaml").write_text(f"name: {json.dumps(EVIL)}\n{json.dumps(EVIL)}: 3\n")
    (root / folder / "environment.json").write_text(json.dumps({EVIL: EVIL, "versions": {EVIL: 1}, "started": EVIL}))
    finding = {
        "name": EVIL, "kind": "cause", "place": "data", "code": EVIL, "severity": "error", "confidence": 0.5,
        "message": EVIL, "where": [EVIL], "steps": [3, 9], "evidence": {EVIL: EVIL}, "explains": [EVIL],
        "explained_by": [EVIL], "fixes": [{"fix": EVIL, "options": {EVIL: EVIL}}],
    }  # fmt: skip
    report = {"title": EVIL, "findings": [finding], "quiet": [EVIL], "not_run": {EVIL: EVIL}, "crashed": {EVIL: EVIL}}
    (root / folder / "findings.json").write_text(json.dumps(report))
    for path, words in (
        ("/", {}), ("/", {"q": EVIL}), ("/", {"q": "img"}), ("/run", {"at": folder}), ("/run", {"at": EVIL}),
        ("/compare", {"at": [folder]}), ("/finding", {"at": folder, "finding": EVIL}), ("/cure", {"at": folder}),
        (f"/{EVIL}", {}),
    ):  # fmt: skip
        answer = client.get(path, params=words)
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
        assert "' onload=x" not in answer.text.replace("&#39; onload", "")


def with_html(value: object) -> object:
    """Every text of a JSON value made evil, but what says of which kind a thing is, pictures, and NaN."""
    if isinstance(value, dict):
        plain = {k: v for k, v in value.items() if k in ("kind", "on")}
        return {k: with_html(v) for k, v in value.items()} | plain
    if isinstance(value, list):
        return [with_html(v) for v in value]
    return EVIL if isinstance(value, str) and value != "nan" and not value.startswith("data:image/png") else value


def test_evaluations_explanations_and_pictures_with_html_are_shown_not_obeyed(stages: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    shutil.copytree(stages, root)
    for name in ("evaluation.json", "explanation.json", "pictures.json"):
        for file in root.rglob(name):
            file.write_text(json.dumps(with_html(json.loads(file.read_text("utf-8")))), "utf-8")
    with served(root, token="") as url, visitor(url) as client:
        for page, key in (("evaluation", "lenet-evaluation"), ("explanation", "lenet-explanation"), ("data", "digits"),
                          ("projector", "lenet-evaluation"), ("projector", "digits")):  # fmt: skip
            for language in ("en", "zh"):
                answer = client.get(f"/{page}", params={"at": key, "lang": language})
                assert answer.status_code == 200
                assert page == "projector" or "&lt;script&gt;alert" in answer.text
                assert "<script>alert" not in answer.text
                assert "' onload=x" not in answer.text.replace("&#39; onload", "")
            assert client.get(f"/{page}.json", params={"at": key}).headers["content-type"] == "application/json"


def pairs() -> list[tuple[str, str]]:
    return list(zip("abcdefghijk", "bcdefghijkl"))


def findings(**other: object) -> str:
    finding = {
        "name": "stalled-loss", "kind": "symptom", "place": "optimisation", "code": "O09", "severity": "error",
        "confidence": 0.5, "message": "", "where": [], "steps": None, "evidence": {}, "explains": [],
        "explained_by": [], "fixes": [],
    }  # fmt: skip
    return json.dumps({"title": "", "findings": [{**finding, **other}], "quiet": [], "not_run": {}, "crashed": {}})


def fact(folder: Path, name: str, text: str) -> None:
    with closing(sqlite3.connect(folder / "signals.db")) as db:
        db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, text))
        db.commit()


DAMAGE = {
    "empty": lambda f: (f / "signals.db").write_bytes(b""),
    "no database": lambda f: (f / "signals.db").write_bytes(b"x" * 9000),
    "cut off": lambda f: os.truncate(f / "signals.db", 4096),
    "a folder": lambda f: ((f / "signals.db").unlink(), (f / "signals.db").mkdir()),
    "recipe no YAML": lambda f: (f / "recipe.yaml").write_text("a: [1"),
    "recipe a program": lambda f: (f / "recipe.yaml").write_text(
        f"!!python/object/apply:os.system ['touch {f.parent}/owned']"
    ),
    "recipe a bomb": lambda f: (f / "recipe.yaml").write_text("a: " + "[" * 5000),
    "recipe a larger bomb": lambda f: (f / "recipe.yaml").write_text("a: " + "[" * 190_000),
    "recipe of references": lambda f: (f / "recipe.yaml").write_text(
        "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{b}, *{b}, *{b}, *{b}, *{b}, *{b}, *{b}, *{b}]\n" for b, c in pairs())
    ),
    "recipe not text": lambda f: (f / "recipe.yaml").write_bytes(b"\xff\xfe\0"),
    "recipe too large": lambda f: (f / "recipe.yaml").write_bytes(b"a: 1\n" * 400_000),
    "findings no JSON": lambda f: (f / "findings.json").write_text("{"),
    "findings a list": lambda f: (f / "findings.json").write_text("[1]"),
    "findings of others": lambda f: (f / "findings.json").write_text('{"findings": [{"severity": 3}]}'),
    "findings deep": lambda f: (f / "findings.json").write_text('{"findings": ' + "[" * 100_000),
    "findings of large numbers": lambda f: (f / "findings.json").write_text(
        findings(confidence=10**400, steps=[10**400, 1], evidence={"a": 10**400})
    ),
    "findings of other types": lambda f: (f / "findings.json").write_text(
        findings(message={"a": 1}, where=[[1]], steps=["a", "b"], evidence={"a": []})
    ),
    "facts deep": lambda f: fact(f, "stage", "[" * 5000 + "]" * 5000),
    "facts of large numbers": lambda f: fact(f, "steps", "1" * 500),
    "facts of other types": lambda f: [fact(f, name, "[1]") for name in ("steps", "parent", "stage")],
    "environment a number": lambda f: (f / "environment.json").write_text("3"),
    "cure no JSON": lambda f: (f / "cure.json").write_text("nonsense"),
    "cure empty": lambda f: (f / "cure.json").write_text("{}"),
    "cure of others": lambda f: (f / "cure.json").write_text('{"races": [{"effect": {}}], "verdict": 3}'),
    "cure of large numbers": lambda f: (f / "cure.json").write_text(
        '{"races": [], "verdict": "cured", "reason": "", "before": {"mean": 1e999, "by_seed": {"0": 1}}, "after": '
        '{"mean": 1, "by_seed": {}}, "diff": "", "by_hand": "", "code": "", "useless": {}, "report": {"findings": []}, '
        f'"cost": {10**400}, "seconds": 1}}'
    ),
    "deleted": shutil.rmtree,
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_run_damaged_while_it_is_open_is_said_on_its_page_and_stops_no_other(board: Board, how: str) -> None:
    root, client = board
    for name in ("good", "bad"):
        written(root / name)
        assert client.get("/run", params={"at": name}).status_code == 200
    DAMAGE[how](root / "bad")
    for path, words in (("/", {}), ("/run", {"at": "good"})):
        assert client.get(path, params=words).status_code == 200
    for page in PAGES:
        for end in ("", ".json"):
            answer = client.get(f"/{page}{end}", params={"at": ["bad", "good"], "finding": "stalled-loss"})
            assert answer.status_code in (200, 404, 422) and "Traceback" not in answer.text
    assert not (root / "owned").exists()


def test_a_board_over_a_folder_that_vanished_goes_on_empty(board: Board) -> None:
    root, client = board
    shutil.rmtree(root)
    assert client.get("/runs.json").json()["runs"] == []
    assert client.get("/run", params={"at": "."}).status_code == 404


def test_a_link_to_the_folder_itself_may_be_given(tmp_path: Path) -> None:
    written(tmp_path / "real" / "a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with served(tmp_path / "link", token="") as url, visitor(url) as client:
        assert client.get("/run?at=a").status_code == 200
