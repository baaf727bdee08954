"""Tags: the one thing about a run that may change, and the one thing that a request can change."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from boards import COOKIE, TOKEN, served, visitor, written
from hypothesis import given
from hypothesis import strategies as st

import torchdoctor as td
from torchdoctor.errors import BadRun
from torchdoctor.record.tags import LONGEST, MOST, TAGS, tag, tags_of

Board = tuple[Path, httpx.Client]
WORD = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters=","), min_size=1, max_size=LONGEST)


def sent(client: httpx.Client, at: str, tags: str, **headers: str) -> httpx.Response:
    origin = {"origin": str(client.base_url).rstrip("/")}
    return client.post("/tags", data={"at": at, "tags": tags}, headers={**origin, **headers})


@given(st.lists(WORD, max_size=MOST), st.data())
def test_tags_are_kept_in_order_once_each_and_can_be_taken_away(names: list[str], data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "cure.json").write_text("{}")
        assert tag(path, *names) == tuple(dict.fromkeys(names)) == tags_of(path)
        gone = data.draw(st.sets(st.sampled_from(names))) if names else set()
        assert tag(path, remove=gone) == tuple(name for name in dict.fromkeys(names) if name not in gone)


@pytest.mark.parametrize("name", ["", "  ", "a,b", "x" * (LONGEST + 1), "line\nbreak", "\x1b[31m"])
def test_what_is_no_tag_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path / "a")
    with pytest.raises(BadRun, match="is no tag"):
        td.tag(tmp_path / "a", name)


def test_only_a_run_can_be_tagged_and_not_without_end(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="no run to tag"):
        td.tag(tmp_path, "x")
    written(tmp_path / "a")
    with pytest.raises(BadRun, match="21 tags"):
        td.tag(tmp_path / "a", *map(str, range(21)))
    assert not (tmp_path / "a" / TAGS).exists()


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', '[1, null, [], ""]', "[" * 10_000, json.dumps("x" * 99)])
def test_damaged_tags_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / TAGS).write_text(text)
    assert tags_of(tmp_path) == ()


def test_tags_set_on_the_page_are_in_the_folder_in_the_list_and_filter_it(board: Board) -> None:
    root, client = board
    written(root / "a")
    written(root / "b")
    assert sent(client, "a", "good,  to keep ,").status_code == 303
    assert tags_of(root / "a") == ("good", "to keep")
    rows = {r["key"]: r["tags"] for r in client.get("/runs.json").json()["runs"]}
    found = [r["key"] for r in client.get("/runs.json", params={"q": "#good"}).json()["runs"]]
    assert (rows["a"], rows["b"]) == (["good", "to keep"], []) and found == ["a"]
    assert sent(client, "a", "to keep").status_code == 303
    assert tags_of(root / "a") == ("to keep",)


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""}, {"sec-fetch-site": "cross-site"}],
)
def test_another_site_cannot_set_tags(board: Board, headers: dict[str, str]) -> None:
    root, client = board
    written(root / "a")
    assert sent(client, "a", "evil", **headers).status_code == 403
    assert client.post("/tags", data={"at": "a", "tags": "evil"}).status_code == 403, "no browser says where it is from"
    assert tags_of(root / "a") == ()


def test_without_the_token_nobody_sets_tags(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a")
    with served(tmp_path / "runs") as url, visitor(url) as stranger:
        assert sent(stranger, "a", "x").status_code == 403
        stranger.cookies.set(COOKIE, "wrong")
        assert sent(stranger, "a", "x").status_code == 403
        assert stranger.post(f"/tags?token={TOKEN}", data={"at": "a", "tags": "x"}).status_code == 403
    with served(tmp_path / "runs", token="") as url, visitor(url) as anyone:
        assert sent(anyone, "a", "x").status_code == 405, "a board without a token is only read"
        assert 'action="/tags"' not in anyone.get("/run", params={"at": "a"}).text
    assert tags_of(tmp_path / "runs" / "a") == ()


@pytest.mark.parametrize(
    ("at", "tags", "status"),
    [("..", "x", 404), ("nowhere", "x", 404), ("a", "x" * 50, 422), ("a", "x" * 5000, 413), ("a/../a", "x", 404)],
)
def test_what_cannot_be_tagged_is_said(board: Board, at: str, tags: str, status: int) -> None:
    root, client = board
    written(root / "a")
    assert sent(client, at, tags).status_code == status
    assert tags_of(root / "a") == ()


def test_a_link_in_the_place_of_the_tags_is_not_followed(board: Board) -> None:
    root, client = board
    written(root / "a")
    outside = root.parent / "outside.json"
    outside.write_text("[]")
    (root / "a" / TAGS).symlink_to(outside)
    assert sent(client, "a", "x").status_code == 404 and outside.read_text() == "[]"


def test_another_tag_judges_nothing_anew(board: Board) -> None:
    root, client = board
    written(root / "a")
    client.get("/run.json", params={"at": "a"})
    sent(client, "a", "x")
    rows = {r["key"]: r for r in client.get("/runs.json").json()["runs"]}
    assert rows["a"]["tags"] == ["x"] and rows["a"]["findings"] is not None, "what was judged is still known"
