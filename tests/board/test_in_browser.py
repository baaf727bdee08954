"""The board in a real browser: every page opened and used as a person would, without an error in its console.

Skipped, with a message, where no chromium is installed: apt install chromium.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boards import TOKEN, served, table, written
from waiting import HANGS, until

from torchdoctor.board import folder
from torchdoctor.record.diagnose import diagnose

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
if CHROMIUM is None:
    pytest.skip("needs a browser: apt install chromium", allow_module_level=True)

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright  # noqa: E402 - only where there is a browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text("utf-8")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
NOT_SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"  # true once charts have taken the new width
Open = Callable[..., Page]
WAIT = 1000 * HANGS  # milliseconds


@pytest.fixture(scope="module")
def root(runs: Path, stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real runs of all stages, and one more with a bad name."""
    copy = tmp_path_factory.mktemp("browser") / "runs"
    shutil.copytree(runs, copy)
    shutil.copytree(stages, copy / "stages")
    written(copy / "<b>evil")
    return copy


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with served(root, benchmark=table(root.parent / "table.json")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT)
        expect.set_options(timeout=WAIT)
        yield made
        made.close()


def context_of(browser: Browser, **options: Any) -> BrowserContext:
    """One that waits for what comes, however slow the machine."""
    context = browser.new_context(**options)
    context.set_default_timeout(WAIT)
    return context


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Open]:
    """Opens a page of the board with the token, of the one at `on` or of that with all runs; what the console said must
    be nothing."""
    said: list[str] = []
    contexts = []

    def opened(path: str, on: str = url, **options: Any) -> Page:
        context = context_of(browser, viewport=DESK, locale="en-US", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{path}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{path}: {error}"))
        page.goto(f"{on}/?token={TOKEN}")
        expect(page.locator("h1")).to_be_visible()
        assert "token" not in page.url
        page.goto(on + path)
        ready(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def becomes(page: Page, expression: str) -> bool:
    """Waits until it is true. (The browser's own way to wait needs eval, which the board forbids its pages.)"""
    return until(lambda: bool(page.evaluate(expression)))


def first_finding(page: Page) -> str:
    return str(page.locator(".finding h3 a").first.text_content())


def ready(page: Page) -> None:
    """It does not say any more that it is on its way."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("[data-waiting]")).to_have_count(0)


def drawn(page: Page) -> None:
    """All charts are there."""
    ready(page)
    for place in page.locator("[data-chart]").all():
        expect(place).to_have_attribute("data-drawn", "yes")
        expect(place.locator("canvas").first).to_be_visible()


def test_from_the_list_to_a_run_to_a_finding_and_back(open_page: Open) -> None:
    page = open_page("/")
    expect(page.locator("tbody tr")).to_have_count(9)
    page.get_by_role("link", name="demo/sick").click()
    expect(page.locator("h1")).to_have_text("demo/sick")
    drawn(page)
    assert page.locator("[data-chart]").count() >= 6
    name = first_finding(page)
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.locator("h1")).to_have_text(name)
    page.get_by_text("How it decides").click()
    drawn(page)
    page.locator("main").get_by_role("link", name="demo/sick").click()
    expect(page.locator("h1")).to_have_text("demo/sick")


def test_runs_are_filtered_sorted_and_compared(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("searchbox").fill("demo")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="validation score").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("validation score")
    for name in ("demo/cured", "demo/sick"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("Comparison")
    expect(page.locator("code", has_text="optimizer.lr").first).to_be_visible()
    drawn(page)


def test_a_cure_draws_its_races(open_page: Open) -> None:
    page = open_page("/cure?at=demo")
    drawn(page)
    expect(page.get_by_text("proven").first).to_be_visible()
    page.get_by_text("Quick trials").click()


def test_dragging_over_a_curve_fetches_its_steps_anew(open_page: Open) -> None:
    page = open_page("/run?at=demo/sick")
    drawn(page)
    box = page.locator('[data-chart="curve-loss"]').bounding_box()
    assert box is not None
    page.evaluate(
        """() => echarts.getInstanceByDom(document.querySelector('[data-chart="curve-loss"]'))
        .dispatchAction({type: 'takeGlobalCursor', key: 'dataZoomSelect', dataZoomSelectActive: true})"""
    )
    with page.expect_request(lambda request: "only=curve-loss" in request.url) as asked:
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 140, steps=4)
        page.mouse.up()
    answer = asked.value.response()
    assert answer is not None and answer.ok and "from=" in asked.value.url


def test_a_live_run_is_redrawn_while_it_trains(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "LIVE", math.inf)
    writer = written(tmp_path / "live", close=False)
    with served(tmp_path) as url, closing(writer):
        page = open_page("/run?at=live", on=url)
        expect(page.locator(".state.live")).to_be_visible()
        drawn(page)
        writer.append("loss", ("",), np.arange(200, 400), np.full((200, 1), 0.5))
        writer.commit()
        expect(page.locator(".facts")).to_contain_text("400")
        last = """() => echarts.getInstanceByDom(document.querySelector('[data-chart="curve-loss"]'))
            .getOption().series[0].data.at(-1)[0] === 399"""
        assert becomes(page, last)
        page.close()  # or its stream would keep the board open


def test_a_page_can_be_used_by_keyboard_alone(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "demo/sick":
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("demo/sick")


def test_the_language_is_changed_by_a_click_and_stays(open_page: Open) -> None:
    page = open_page("/run?at=demo/sick")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("h1")).to_have_text("demo/sick")
    drawn(page)
    page.get_by_role("link", name="运行").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")


@pytest.mark.parametrize(
    "path",
    ["/", "/run?at=demo/sick", "finding", "/compare?at=demo/sick&at=demo/cured", "/cure?at=demo",
     "/evaluation?at=stages/lenet-evaluation", "/explanation?at=stages/lenet-explanation", "/data?at=stages/digits",
     "/projector?at=stages/lenet-evaluation", "/benchmark"],
)  # fmt: skip
def test_every_page_is_accessible_by_day_by_night_and_on_a_phone(open_page: Open, path: str) -> None:
    page = open_page("/run?at=demo/sick" if path == "finding" else path, color_scheme="light")
    if path == "finding":
        page.locator(".finding h3 a").first.click()
        expect(page.locator("h2").first).to_be_visible()
    drawn(page)
    page.evaluate(AXE)
    for scheme, viewport in (("light", DESK), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(viewport)
        for details in page.locator("details").all():
            details.evaluate("it => it.open = true")
        assert becomes(page, NOT_SIDEWAYS), "it scrolls sideways"
        found = page.evaluate(
            "axe.run().then(r => [r.passes.length, r.violations.map(v => [v.impact, v.id, v.nodes[0].html])])"
        )
        assert found[0] > 10 and [v for v in found[1] if v[0] in ("serious", "critical")] == []
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    drawn(page)
    assert becomes(page, NOT_SIDEWAYS), "it scrolls sideways"


def test_a_point_of_the_projector_shows_its_sample(open_page: Open) -> None:
    page = open_page("/projector?at=stages/lenet-evaluation")
    drawn(page)
    page.get_by_role("button", name="next").click()
    expect(page.locator("#shown")).to_contain_text("#0")
    expect(page.locator("#shown img")).to_be_visible()


def test_a_run_is_tagged_on_its_page_and_found_by_its_tag(open_page: Open, tmp_path: Path) -> None:
    for name in ("child", "other"):
        written(tmp_path / name)
    with served(tmp_path) as url:
        page = open_page("/run?at=child", on=url)
        page.get_by_label("Tags").fill("baseline, to keep")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Tags")).to_have_value("baseline, to keep")
        page.get_by_role("link", name="Runs", exact=True).click()
        page.get_by_role("link", name="to keep").first.click()
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("child")
        page.close()


def test_night_is_chosen_by_a_button_and_stays(open_page: Open) -> None:
    page = open_page("/run?at=demo/sick", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    day = page.evaluate(ground)
    page.get_by_role("button", name="Night").click()
    assert page.evaluate(ground) != day
    page.reload()
    assert page.evaluate(ground) != day
    expect(page.get_by_role("button", name="Night")).to_have_attribute("aria-pressed", "true")


def test_a_report_opens_from_disk_and_draws_what_the_board_draws(browser: Browser, root: Path, tmp_path: Path) -> None:
    path = diagnose(root / "demo" / "sick").html(tmp_path / "report.html")
    context = context_of(browser, viewport=PHONE, color_scheme="dark")
    page, said, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    drawn(page)
    names = {place.get_attribute("data-chart") for place in page.locator("[data-chart]").all()}
    assert {"curve-loss", "heat-param_grad_norm", "phases"} <= names
    assert asked == [path.as_uri()] and said == []
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
    assert [v for v in found if v[0] in ("serious", "critical")] == []
    assert becomes(page, NOT_SIDEWAYS), "it scrolls sideways"
    context.close()


@pytest.mark.parametrize("kind", ["evaluate", "explain", "data"])
def test_every_page_from_disk_is_read_on_a_phone_by_day_and_by_night(browser: Browser, stages: Path, kind: str) -> None:
    path = stages.parent / f"{kind}.html"
    context = context_of(browser, viewport=PHONE, color_scheme="light")
    page, said, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.goto(path.as_uri())
    drawn(page)
    assert becomes(page, NOT_SIDEWAYS), "it scrolls sideways"
    day = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for pressed in ("false", "true"):
        expect(page.locator("#theme")).to_have_attribute("aria-pressed", pressed)
        page.evaluate(AXE)
        found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
        assert [v for v in found if v[0] in ("serious", "critical")] == []
        page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != day
    assert set(asked) <= {"file", "data"} and said == []
    context.close()


def test_a_page_that_is_not_there_says_so(browser: Browser, url: str) -> None:
    context = context_of(browser)
    page = context.new_page()
    page.goto(f"{url}/?token={TOKEN}")
    expect(page.locator("h1")).to_be_visible()
    page.goto(f"{url}/run?at=nowhere")
    expect(page.get_by_text("There is no run nowhere")).to_be_visible()
    context.close()
