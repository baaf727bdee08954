"""What is exported is what TensorBoard reads: by its own reader, and over HTTP from its own server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import torch
from torch import nn
from waiting import HANGS, until

from torchdoctor.cli.main import main
from torchdoctor.connect.tensorboard import Histograms, exported
from torchdoctor.errors import BadRun, MissingExtra
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Run
from torchdoctor.train.run import Trained, train

pytest.importorskip("tensorboard")
RECIPE = Recipe.from_dict({
    "data": {"limit": 96, "scale": "unit", "batch_size": 32}, "optimizer": {"lr": 0.1},
    "train": {"epochs": 3, "device": "cpu", "threads": 1},
})  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("tensorboard")
    return train(RECIPE, folder / "run", on_epoch=Histograms(folder / "board"))


@pytest.fixture(scope="module")
def board(run: Trained) -> Path:
    folder = run.folder.parent / "board"
    done = exported(run.folder, folder, run.parts)
    assert done.missing == {} and done.written["projector"] == len(run.parts.val.x) and done.written["images"] == 32
    return folder


@pytest.mark.filterwarnings("ignore")  # TensorBoard's own imports
def test_its_reader_finds_every_signal_weight_picture_and_the_graph(run: Trained, board: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(board), size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    reader.Reload()
    tags = reader.Tags()
    trace = Run(run.folder).trace()
    read = [(event.step, event.value) for event in reader.Scalars("loss")]
    assert [step for step, _ in read] == trace["loss"].steps.tolist()
    assert [value for _, value in read] == pytest.approx(trace["loss"].values.tolist())
    assert [event.value for event in reader.Scalars("val_score")] == pytest.approx(run.history["val_score"])
    layers = [subject for subject, _ in trace.each("activation_mean")]
    assert layers and {f"activation_mean/{layer}" for layer in layers} <= set(tags["scalars"])
    names = [name for name, _ in run.model.named_parameters()]
    assert {f"{kind}/{name}" for kind in ("weights", "gradients", "last") for name in names} <= set(tags["histograms"])
    of_epochs = reader.Histograms(f"weights/{names[0]}")
    assert [event.step for event in of_epochs] == [epoch * len(run.parts.train) for epoch in (1, 2, 3)]
    weights = run.model.get_parameter(names[0]).detach()
    last = reader.Histograms(f"last/{names[0]}")[-1].histogram_value
    assert last.num == weights.numel() and last.min == pytest.approx(weights.min().item())
    (picture,) = reader.Images("validation samples")
    assert picture.width * picture.height == 32 * 8 * 8 and tags["graph"]
    assert b"Conv" in reader.Graph().SerializeToString()


def test_the_projector_has_a_row_a_sample_with_its_class_and_picture(run: Trained, board: Path):
    (table,) = board.rglob("tensors.tsv")
    (labels,) = board.rglob("metadata.tsv")
    x, y = run.parts.val.x, run.parts.val.y
    assert labels.read_text().split() == [str(label) for label in y.tolist()]
    rows = [[float(value) for value in line.split("\t")] for line in table.read_text().splitlines()]
    *_, last = (m for m in run.model.modules() if isinstance(m, nn.Linear))
    assert len(rows) == len(x) and len(rows[0]) == last.in_features
    run.model.eval()
    with torch.no_grad():
        assert torch.allclose(last(torch.tensor(rows)), run.model(x), atol=1e-3)
    assert next(board.rglob("sprite.png")).stat().st_size > 1000


@pytest.fixture(scope="module")
def get(board: Path) -> Iterator[Callable[..., object]]:
    """Reads an address of a real TensorBoard that shows the board."""
    # It takes a port that is free, and listens when it has read everything.
    words = ["--logdir", str(board), "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"]
    words += ["--reload_interval", "0", "--reload_task", "blocking"]
    said = board.parent / "said.txt"
    with said.open("w") as file:
        server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *words], stdout=file, stderr=file)

    def read(path: str) -> object:
        with urlopen(f"{address[1]}/data/{path}", timeout=HANGS) as answer:
            return json.loads(answer.read())

    try:
        until(lambda: " at http://" in said.read_text() or server.poll() is not None)
        address = re.search(r" at (http://127\.0\.0\.1:\d+)/ ", said.read_text())
        assert address is not None, said.read_text()
        yield read
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
def test_its_server_shows_scalars_histograms_graph_images_and_projector(run: Trained, get: Callable[..., object]):
    assert get("runs") == ["."]
    scalars = get("plugin/scalars/tags")["."]
    assert {"loss", "val_score", "grad_norm"} <= set(scalars)
    losses = get("plugin/scalars/scalars?run=.&tag=loss")
    assert [row[2] for row in losses] == pytest.approx(Run(run.folder).trace()["loss"].values.tolist())
    name = f"weights/{next(name for name, _ in run.model.named_parameters())}"
    assert len(get(f"plugin/histograms/histograms?run=.&tag={quote(name, safe='')}")) == 3
    assert len(get(f"plugin/distributions/distributions?run=.&tag={quote(name, safe='')}")) == 3
    assert get("plugin/images/tags")["."] and get("plugin/graphs/info")["."]["run_graph"] is True
    info = get("plugin/projector/info?run=.")
    assert info["embeddings"][0]["tensorShape"][0] == len(run.parts.val.x)


def test_what_cannot_be_shown_is_told_and_the_rest_is_written(tmp_path: Path, run: Trained):
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return self.layer(x) if float(x.sum()) < 1e9 else x

    model, data = Table(), [(torch.randn(8, 3), torch.randint(0, 2, (8,)))]
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), data)
    before = torch.get_rng_state()
    done = exported(run.folder, tmp_path / "board", parts)
    assert "not pictures" in done.missing["images"] and done.written["projector"] == 8
    assert model.training and torch.equal(before, torch.get_rng_state())


def test_nothing_is_printed_where_results_go(tmp_path: Path, run: Trained, capsys):
    board = tmp_path / "board"
    exported(run.folder, board, run.parts)
    next(board.glob("events*")).unlink()  # the next time torch finds the projector's folder
    exported(run.folder, board, run.parts)
    assert capsys.readouterr().out == ""


def test_a_folder_that_shows_a_run_already_is_refused(tmp_path: Path, run: Trained, board: Path, capsys):
    with pytest.raises(BadRun, match="already shows a run"):
        exported(run.folder, board)
    with pytest.raises(BadRun, match="already shows a run"):
        Histograms(board)
    with pytest.raises(SystemExit) as end:
        main(["tensorboard", str(run.folder), str(board)])
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_verb_writes_a_recorded_run_and_says_what_there_is(tmp_path: Path, run: Trained, capsys):
    with pytest.raises(SystemExit) as end:
        main(["tensorboard", str(run.folder), str(tmp_path / "board"), "--json"])
    out, _ = capsys.readouterr()
    said = json.loads(out)
    assert end.value.code == 0 and said["missing"] == {} and said["written"]["graph"] == 1
    assert f"tensorboard --logdir {tmp_path / 'board'}" not in out
    assert list((tmp_path / "board").glob("events*"))


def test_without_the_library_the_pip_line_is_named(tmp_path: Path, run: Trained, monkeypatch):
    monkeypatch.setattr("torchdoctor.extra.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'torchdoctor\[tensorboard\]'"):
        exported(run.folder, tmp_path / "board")
