"""Processes are killed in the middle of their work; what was finished is there.

Killed means SIGKILL, on Windows TerminateProcess: nobody cleans up.
"""

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import journeys_victims as victims
import numpy as np
import pandas as pd
import pytest
import zarr

from napari_sashiko import pipeline
from napari_sashiko.checkpoints import load_card, load_ensemble
from napari_sashiko.labels import LabelStore
from napari_sashiko.session import paint as paints
from napari_sashiko.training import crew
from napari_sashiko.volumes import remove_abandoned
from napari_sashiko.volumes.temporary import DAMAGED, ENDING

pytestmark = pytest.mark.slow
SCRIPT = Path(victims.__file__)


@contextmanager
def victim(work, folder, number=0):
    """Start a process; it is killed in the end."""
    words = [sys.executable, "-W", "ignore", str(SCRIPT), work, str(folder)]
    with subprocess.Popen(
        [*words, str(number)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def killed(work, folder, number, lines, rest):
    """Let a process tell so many lines, wait a moment, kill it; return its lines."""
    told = []
    with victim(work, folder, number) as process:
        while len(told) <= lines and (line := process.stdout.readline()):
            told.append(line.split())
        time.sleep(rest)
        process.kill()
        told += [line.split() for line in process.stdout]  # said before it died
    assert len(told) > lines, f"it died before it was killed: {told}"
    return told


def leftovers(folder):
    return [p for p in folder.rglob("*") if p.name.endswith(ENDING) and p.is_file()]


def damaged(folder):
    return [p for p in folder.rglob("*") if DAMAGED in p.name]


def make_scan(folder):
    image, _ = victims.make_volume()
    np.save(folder / "scan.npy", image)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of a forest and a network, and a prediction that nobody disturbed."""
    folder = tmp_path_factory.mktemp("trained")
    make_scan(folder)
    image, labels = victims.make_volume()
    quick = {**victims.TRAINING, "epochs": 1, "members": 1, "forest": True, "trees": 4}
    model = folder / "net.sashiko-model"
    pipeline.train(image, labels, model, classes=victims.CLASSES, **quick)
    pipeline.predict(model, folder / "scan.npy", folder / "net.zarr", **victims.WINDOW)
    return folder


def test_every_stroke_outlives_the_process(tmp_path):
    make_scan(tmp_path)
    rng = np.random.default_rng(1)
    expected = np.zeros(victims.SHAPE, np.uint8)
    first = 0
    for _ in range(3):
        lines, rest = int(rng.integers(30, 300)), float(rng.uniform(0, 0.2))
        told = killed("paint", tmp_path, first, lines, rest)
        assert not [words for words in told if words[0] == "message"], told
        drawn = [int(words[1]) for words in told if words[0] == "stroke"]
        assert drawn == list(range(first, first + len(drawn)))
        for number in drawn:
            boxes, value = victims.stroke(number)
            for box in boxes:
                expected[box] = value
        folder = tmp_path / "scan.npy.sashiko" / "labels"
        store = LabelStore.rescue(folder, victims.SHAPE)
        assert store.mended == ()
        found = np.array(store.array)
        # The stroke that was being drawn may be there in part.
        unsure = np.zeros(victims.SHAPE, bool)
        boxes, _ = victims.stroke(drawn[-1] + 1)
        for box in boxes:
            unsure[box] = True
        np.testing.assert_array_equal(found[~unsure], expected[~unsure])
        assert len(store.labelled()) == np.count_nonzero(found)
        _check_names(told, store)
        store.close()
        expected, first = found, drawn[-1] + 1
    project = pipeline.Project.open(tmp_path / "scan.npy.sashiko")
    assert project.image == tmp_path / "scan.npy"
    assert not damaged(tmp_path)


def _check_names(told, store):
    """A name that was given before a save is there."""
    saves = [place for place, words in enumerate(told) if words[0] == "saved"]
    names = [(i, int(w[1])) for i, w in enumerate(told) if w[0] == "named"]
    # A save that ended may have begun before the last name.
    sure = [n for i, n in names if len([s for s in saves if s > i]) > 1]
    found = store.classes[0].name
    if sure:
        assert int(found.removeprefix("name ")) >= sure[-1]


def test_paint_is_on_the_disk_itself_within_a_second():
    assert paints.QUIET_SECONDS <= paints.LONGEST_SECONDS < 1
    assert crew.LONGEST <= 1


def test_every_finished_epoch_is_in_the_model(tmp_path):
    project = tmp_path / "scan.sashiko"
    rng = np.random.default_rng(2)
    image, _ = victims.make_volume()
    for seed in range(3):
        lines, rest = int(rng.integers(1, 12)), float(rng.uniform(0, 0.3))
        told = killed("train", project, seed, lines, rest)
        path = project / "models" / f"run {seed}.sashiko-model"
        done = {}
        for words in told:
            if words[0] == "epoch":
                done[int(words[1])] = int(words[2])
        assert done
        history = load_card(path).training["history"]
        for member, epochs in done.items():
            assert len(history[member]) >= epochs
        ensemble = load_ensemble(path)
        assert len(ensemble.members) == len(done)
        found = pipeline.preview(
            path, pipeline.as_volume(image), np.s_[3:4, 0:60, 0:70]
        )
        assert np.isfinite(found.mean).all()
        assert set(np.unique(found.classes)) <= {1, 2}
    found = _reopened(project)
    assert found.findings == ()
    assert found.trained.path == path
    assert len(found.trained.epochs) >= sum(done.values())
    assert found.settings["train"]["seed"] == 2
    assert not leftovers(project)


def test_quick_epochs_are_in_the_model_after_a_second(tmp_path):
    seed, seconds = 1, 4
    told = killed("learn", tmp_path, seed, 1, seconds)
    epochs = [words[1:] for words in told if words[0] == "epoch"]
    long_ago = float(epochs[-1][2]) - 2 * crew.LONGEST
    path = tmp_path / "models" / f"run {seed}.sashiko-model"
    history = load_card(path).training["history"]
    sure = [(int(m), int(epoch)) for m, epoch, at in epochs if float(at) < long_ago]
    assert sure
    for member, epoch in sure:
        assert len(history[member]) >= epoch
    load_ensemble(path)


def test_neither_strokes_nor_networks_are_lost_while_both_go_on(tmp_path):
    make_scan(tmp_path)
    project = tmp_path / "scan.npy.sashiko"
    rng = np.random.default_rng(5)
    expected, first, models = None, 0, set()
    for _ in range(2):
        lines, rest = int(rng.integers(12, 30)), float(rng.uniform(2.2, 3))
        told = killed("live", tmp_path, first, lines, rest)
        assert not [words for words in told if words[:2] == ["message", "error"]], told
        assert [words for words in told if words[0] == "saved"]
        drawn = [int(words[1]) for words in told if words[0] == "stroke"]
        if expected is None:
            expected = victims.make_volume()[1]
        for number in drawn:
            boxes, value = victims.stroke(number)
            for box in boxes:
                expected[box] = value
        store = LabelStore.rescue(project / "labels", victims.SHAPE)
        assert store.mended == ()
        found = np.array(store.array)
        unsure = np.zeros(victims.SHAPE, bool)
        boxes, _ = victims.stroke(drawn[-1] + 1)
        for box in boxes:
            unsure[box] = True
        np.testing.assert_array_equal(found[~unsure], expected[~unsure])
        store.close()
        expected, first = found, drawn[-1] + 1
        (model,) = set((project / "models").glob("*.sashiko-model")) - models
        models.add(model)
        _check_live_model(model, told)
    found = _reopened(project)
    assert found.findings == ()
    assert found.trained.path == model
    assert not leftovers(project)


def _check_live_model(model, told):
    """Epochs that were over two seconds before the end are in it; it can be used."""
    times = [float(words[-1]) for words in told if words[0] in ("epoch", "saved")]
    long_ago = max(times) - 2 * crew.LONGEST
    history = load_card(model).training["history"]
    epochs = [words[1:] for words in told if words[0] == "epoch"]
    for member, epoch, at in epochs:
        if float(at) < long_ago:
            assert len(history[int(member)]) >= int(epoch)
    assert load_card(model).members[0].kind == "forest"
    image = pipeline.as_volume(victims.make_volume()[0])
    found = pipeline.preview(model, image, np.s_[3:4, 0:60, 0:70])
    assert np.isfinite(found.mean).all()


def _reopened(project):
    steps = pipeline.reopen_project(project)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_every_finished_block_is_kept_and_the_rest_is_the_same(trained, tmp_path):
    make_scan(tmp_path)
    name = "net.sashiko-model"
    shutil.copytree(trained / name, tmp_path / name)
    rng = np.random.default_rng(3)
    before = 0
    for _ in range(3):
        lines, rest = int(rng.integers(2, 7)), float(rng.uniform(0, 0.1))
        told = killed("predict", tmp_path, 0, lines, rest)
        assert not [words for words in told if words[0] == "message"], told
        (ready,) = [int(words[1]) for words in told if words[0] == "ready"]
        assert ready >= before
        before = max(int(words[1]) for words in told if words[0] in ("cell", "ready"))
    with victim("predict", tmp_path) as process:
        told = [line.split() for line in process.stdout]
    assert told[-1] == ["done"]
    assert int(told[0][1]) >= before
    assert _bytes(tmp_path / "killed.zarr") == _bytes(trained / "net.zarr")


def _bytes(path):
    found = sorted(p for p in path.rglob("*") if p.is_file())
    return {
        p.relative_to(path): p.read_bytes()
        for p in found
        if p != path / "zarr.json"  # says when it was begun
    }


def test_objects_are_there_whole_or_as_they_were(trained, tmp_path):
    project = tmp_path / "scan.sashiko"
    shutil.copytree(trained / "net.zarr", project / "net.zarr")
    rng, seen = np.random.default_rng(4), 0
    for _ in range(3):
        told = killed(
            *("find", project, seen, int(rng.integers(1, 3))), float(rng.uniform(0, 1))
        )
        done = [int(words[1]) for words in told if words[0] == "found"]
        seen = done[-1]
        found = _reopened(project)
        assert found.instances is not None
        labels = np.asarray(found.instances.labels)
        if found.findings:  # killed between the table and the labels
            (words,) = found.findings
            assert "belongs to other objects" in words
        else:
            table = pd.read_csv(found.instances.table)
            counts = np.bincount(labels.ravel())[1:]
            np.testing.assert_array_equal(table["voxels"], counts)
        assert not leftovers(project)
        names = {path.name for path in (project / "instances").iterdir()}
        assert names == {"net.zarr", "net.csv"}


def test_what_is_saved_over_and_over_is_whole_at_any_moment(trained, tmp_path):
    project = tmp_path / "scan.sashiko"
    shutil.copytree(trained / "net.sashiko-model", project / "first.sashiko-model")
    store = LabelStore.create(project / "labels", victims.SHAPE, victims.CLASSES)
    store.close()
    image, _ = victims.make_volume()
    rng, seen = np.random.default_rng(5), 0
    for _ in range(4):
        lines, rest = int(rng.integers(1, 4)), float(rng.uniform(0, 0.5))
        told = killed("save", project, seen, lines, rest)
        assert told[0] == ["ready"], told
        seen = max(int(words[1]) for words in told if words[0] == "saved")
        model = project / "net.sashiko-model"
        assert int(load_card(model).name) in (seen, seen + 1)
        load_ensemble(model).predict(image[None, :4, :32, :32].astype(np.float32))
        record = pipeline.Project.open(project).record
        assert record.settings["predict"]["workers"] in (seen, seen + 1)
        store = LabelStore.open(project / "labels")
        assert int(store.classes[0].name) in (seen, seen + 1)
        store.close()
        for folder in (project, project / "labels", model):
            remove_abandoned(folder)
        assert not leftovers(project)
        tensors = {path.name for path in model.glob("*.safetensors")}
        assert {m.file for m in load_card(model).members} <= tensors
        seen += 1
    assert not damaged(project)


def test_a_ledger_never_calls_finished_what_is_not(trained):
    marks = np.asarray(zarr.open_array(str(trained / "net.zarr/ledger"), mode="r"))
    assert (marks == 1).all()
