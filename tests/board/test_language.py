"""Chinese pages hold no English but names, code, and what is marked as English: rules' own words, remarks, reasons."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import torch
from boards import SICK, example_cure, served, table, visitor
from language import english_among, english_in
from torch import nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.discover import discover
from torchdoctor.errors import BadRecipe
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.evaluation import Evaluation
from torchdoctor.evaluate.options import QUICK
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.run import Run
from torchdoctor.show.evaluation_page import write_evaluation
from torchdoctor.show.evidence import shown
from torchdoctor.show.remedy import call, code
from torchdoctor.show.texts import texts
from torchdoctor.show.words import printable, reasons, sentence

PAGES = ("runs", "run?at=demo/sick", "compare?at=demo/sick&at=demo/cured", "cure?at=demo",
         "evaluation?at=stages/lenet-evaluation", "explanation?at=stages/lenet-explanation", "data?at=stages/digits",
         "projector?at=stages/lenet-evaluation", "projector?at=stages/digits", "benchmark",
         "run?at=nowhere")  # fmt: skip
METHODS = ("saliency", "grad-cam", "hires-cam", "integrated-gradients", "occlusion")
PARTS = ("train", "val", "test", "index")  # as recipes call them
EVERY_RULE = discover("rules", Rule).values()


@pytest.fixture(scope="module")
def root(runs: Path, stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real runs of all stages in one folder."""
    made = tmp_path_factory.mktemp("language") / "runs"
    shutil.copytree(runs, made)
    shutil.copytree(stages, made / "stages")
    return made


@pytest.fixture(scope="module")
def chinese(root: Path) -> Iterator[httpx.Client]:
    benchmark = table(root.parent / "table.json")
    address = served(root, token="", language="zh", benchmark=benchmark)
    with address as url, visitor(url) as client:
        yield client


@pytest.fixture(scope="module")
def sick(runs: Path) -> Report:
    return diagnose(runs / "demo" / "sick")


def names_in(root: Path) -> list[str]:
    """What the runs of a folder named: themselves, their layers, the types of these, and files."""
    folders = [path for path in root.rglob("*") if path.is_dir()]
    found = [*METHODS, *(str(path.relative_to(root)) for path in folders), *(path.name for path in folders)]
    for database in root.rglob("signals.db"):
        with closing(Run(database.parent)) as run:
            found += [name for subjects in run.signals.values() for name in subjects]
    types = [name for name in dir(nn) if name[0].isupper()]
    return [*found, *types, *PARTS, root.name, "table.json", "float32", "uint8"]


@pytest.mark.parametrize("page", PAGES)
def test_no_english_is_left_on_a_chinese_page_of_the_board(chinese: httpx.Client, root: Path, page: str) -> None:
    text = chinese.get(f"/{page}").text
    assert '<html lang="zh">' in text and english_in(text, [*names_in(root), "shuffled", "silent", "sound"]) == set()


def test_no_english_is_left_on_the_chinese_page_of_any_finding(chinese: httpx.Client, root: Path, sick: Report) -> None:
    names = names_in(root)
    for finding in sick:
        text = chinese.get("/finding", params={"at": "demo/sick", "finding": finding.name}).text
        assert english_in(text, names) == set() and texts("zh").said(finding.name) in text


@pytest.mark.parametrize("kind", ["evaluate", "explain", "data"])
def test_no_english_is_left_on_a_chinese_page_from_disk(stages: Path, kind: str) -> None:
    text = (stages.parent / f"{kind}.html").read_text("utf-8")
    assert '<html lang="zh">' in text and english_in(text, names_in(stages)) == set()


def numbers() -> tuple[nn.Module, TensorBatches]:
    x = torch.linspace(-1, 1, 80)[:, None]
    return nn.Identity(), TensorBatches(x, 1.1 * x + 0.05 * torch.sin(40 * x))


def labels() -> tuple[nn.Module, TensorBatches]:
    draw = torch.Generator().manual_seed(0)
    truth = (torch.rand(90, 3, generator=draw) < 0.4).float()
    return nn.Identity(), TensorBatches(2 * truth - 1 + torch.randn(90, 3, generator=draw), truth)


def pixels() -> tuple[nn.Module, TensorBatches]:
    draw = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 3, (12, 5, 6), generator=draw)
    scores = nn.functional.one_hot(truth, 3).movedim(-1, 1) + torch.randn(12, 3, 5, 6, generator=draw)
    return nn.Identity(), TensorBatches(scores, truth)


@pytest.mark.parametrize("kind", [numbers, labels, pixels])
def test_no_english_is_left_on_the_chinese_page_of_any_kind_of_answer(
    tmp_path: Path, kind: Callable[[], tuple[nn.Module, TensorBatches]]
) -> None:
    model, loader = kind()
    found: Evaluation = evaluate(model, loader, val=loader, against=("@", nn.Identity()), options=QUICK)
    page = write_evaluation(found, tmp_path / "page.html", title="1", loader=loader, lang="zh").read_text("utf-8")
    assert english_in(page, PARTS) == set()
    assert kind is numbers or texts("zh")("averages") in page


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.name)
def test_every_finding_is_told_in_chinese_in_the_terminal_and_in_its_report(rule: Rule, tmp_path: Path) -> None:
    trace = next(iter(rule.examples("FIRES").values()))
    report = judge(trace, title="1")
    page = report.html(tmp_path / "report.html", "zh").read_text("utf-8")
    names = [d.label for f in report if (d := shown(f, trace))] + [str(w) for f in report for w in f.where]
    assert texts("zh").said(rule.name) in page and english_in(page, names) == set()
    assert english_among(_told(report, "zh"), names) == set()


def test_no_english_is_left_in_a_chinese_cure(sick: Report, tmp_path: Path) -> None:
    cure = replace(example_cure(Recipe.from_dict(SICK), sick), interrupted=True)
    names = [str(w) for f in sick for w in f.where] + [d.label for f in sick if (d := shown(f, sick.trace))]
    page = cure.html(tmp_path / "cure.html", "zh").read_text("utf-8")
    assert english_in(page, [*names, "sick"]) == set() and texts("zh")("races_hint") in page
    file = io.StringIO()
    cure.show(file, "zh")
    own = [cure.reason, *cure.useless.values(), *cure.diff.splitlines(), *cure.by_hand.splitlines()]
    own += [text for race in cure.races for text in (sentence(race.why), *race.errors, *map(call, race.changed))]
    own += [text for left in cure.unproven for text in (left.what, left.why, left.look) if text]
    lines = _without(file.getvalue(), [*_own_words(cure.report), *own])
    assert english_among(lines, [*names, "sick"]) == set() and "已治愈，已中断：" in file.getvalue()


def test_a_language_that_is_not_spoken_is_refused(sick: Report, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="'fr' is not spoken here: en or zh"):
        sick.show(io.StringIO(), "fr")
    with pytest.raises(BadRecipe, match="Did you mean 'zh'"):
        sick.html(tmp_path / "report.html", "zhh")


def test_every_rule_has_its_finding_told_in_chinese() -> None:
    assert {rule.name for rule in EVERY_RULE} == set(texts("zh").findings)


def test_a_sentence_of_english_that_is_left_would_be_seen() -> None:
    page = '<p>{}</p><p lang="en">The loss rises.</p><img alt="{}"><code>loss.backward()</code>'
    assert english_in(page.format("损失上升。", "样本 3")) == set()
    assert english_in(page.format("The loss rises.", "sample 3")) == {"The loss rises.", "sample 3"}


def _told(report: Report, language: str) -> list[str]:
    file = io.StringIO()
    report.show(file, language)
    return _without(file.getvalue(), _own_words(report))


def _own_words(report: Report) -> list[str]:
    """What stays English in a terminal: the rules' own words, code, reasons."""
    lines = [line for f in report for remedy in f.fixes for line in (*code(remedy).splitlines(), call(remedy))]
    return [*(printable(f.message) for f in report), *lines, reasons(report.not_run)]


def _without(text: str, own: list[str]) -> list[str]:
    for words in sorted(filter(None, map(str.strip, own)), key=len, reverse=True):
        text = text.replace(words, "")
    return text.splitlines()
