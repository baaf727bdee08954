"""What the tests of the board share: a board over a folder, asked over HTTP like by anyone, and runs to show."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import uvicorn
from waiting import HANGS, until

from cases.table import Row, plain
from torchdoctor.board.app import app
from torchdoctor.board.cache import Cache
from torchdoctor.board.guard import names_of
from torchdoctor.cures.effect import Ruler, effect_of
from torchdoctor.cures.race import Race
from torchdoctor.cures.result import Cure, Scores
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.report import Report
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Writer

TOKEN, COOKIE = "a-token", "torchdoctor-test"
SICK = {
    "name": "sick", "data": {"name": "digits", "batch_size": 64, "scale": "none", "limit": 400},
    "model": {"name": "mlp"}, "optimizer": {"name": "sgd", "lr": 2.0, "momentum": 0.9},
    "train": {"epochs": 4, "threads": 1},
}  # fmt: skip


@contextmanager
def served(
    root: Path, token: str = TOKEN, language: str = "", benchmark: Path | None = None, cache: Cache | None = None
) -> Iterator[str]:
    """The address of a board over `root`. Without a cache of its own its pages wait until they can show everything,
    as they do on a fast machine, or what they show would hang on what else this one does."""
    hosts, cache = names_of("127.0.0.1"), cache or Cache(slow=math.inf, patience=None)
    made = app(root, token=token, hosts=hosts, cookie=COOKIE, language=language, benchmark=benchmark, cache=cache)
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = Thread(target=server.run)
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert server.started
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def visitor(url: str, **options: Any) -> httpx.Client:
    """Asks a board, and waits for its answer."""
    return httpx.Client(base_url=url, timeout=HANGS, **options)


def written(path: Path, steps: int = 200, close: bool = True, facts: dict[str, object] | None = None) -> Writer:
    """A run written by hand: a loss that falls, with a spike and a NaN in it."""
    writer = Writer(path)
    loss = np.exp(-np.arange(steps) / 50)[:, None]
    loss[steps // 2], loss[steps // 3] = 50.0, np.nan
    writer.append("loss", ("",), np.arange(steps), loss)
    for name, value in (facts or {}).items():
        writer.fact(name, value)
    writer.commit()
    if close:
        writer.close()
    return writer


def table(path: Path) -> Path:
    """A benchmark as `python -m cases.run` writes it: a fault found, a fault missed, a healthy run with an alarm."""
    found = Row("shuffled", 0, (("high-learning-rate",), ("unscaled-inputs",)), ("high-learning-rate", "dead-units"),
                ("high-learning-rate",), True, 2.5, 0.1)  # fmt: skip
    missed = Row("silent", 0, (("low-learning-rate",),), ("dead-units",), ("dead-units",), None, 1.5, 0.2)
    sound = Row("sound", 0, (), ("dead-units",), ("dead-units",), None, 0.5, 0.9)
    path.write_text(json.dumps({"faulty": plain([found, missed]), "healthy": plain([sound])}), "utf-8")
    return path


def example_cure(sick: Recipe, report: Report) -> Cure:
    """A cure as it would come out, without the minutes it takes: two races, one quick trial, one arm that broke."""
    scale, rate = Remedy("standardize-inputs"), Remedy("set-learning-rate", {"factor": 0.01})
    both = _race((scale, rate), (), {0: 0.91, 1: 0.93, 2: 0.9}, {0: 0.11, 1: 0.1, 2: 0.12}, share=1.0)
    alone = _race((scale,), (rate,), {0: 0.91, 1: 0.93, 2: 0.9}, {0: 0.88, 1: 0.93, 2: float("nan")}, share=0.25)
    quick = _race((rate,), (), {0: 0.5}, {0: 0.1}, share=0.1)
    fixed = sick.patched({"optimizer.lr": 0.02, "data.scale": "standard"})
    return Cure(
        report=report, races=(quick, both, alone), verdict="cured", reason="both together: +0.81 on 3 seeds.",
        fix=(scale, rate), before=Scores(both.without), after=Scores(both.with_it), experiment=fixed.experiment(),
        original=sick.experiment(), useless={"dead-units": "its remedies change nothing here"}, cost=5.2, seconds=61.0,
    )  # fmt: skip


def _race(
    changed: tuple[Remedy, ...],
    on_top: tuple[Remedy, ...],
    more: dict[int, float],
    less: dict[int, float],
    share: float,
) -> Race:
    errors = ("RuntimeError: it broke",) if any(v != v for v in less.values()) else ()
    effect = effect_of(more, less, Ruler(samples=200))
    return Race(changed, on_top, ("high-learning-rate",), more, less, effect, share, 9.0, "is it missed?", errors)
