"""The code of the pages runs as it is written, on a volume that is small."""

import json
import os
import shlex
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from doc_pages import ROOT, blocks, command_lines

from napari_sashiko.cli import main
from napari_sashiko.training import fit, schedule

SHAPE = (12, 48, 56)
NAMES = ("cement", "fibre", "void", "aggregate")
SETUP = ("python", "python3", "pip", "xvfb-run")
TUTORIAL = ROOT / "docs" / "tutorials" / "fibres.md"
# These begin where the tutorial ends.
LATER = (
    "how-to/python.md",
    "how-to/resume.md",
    "how-to/another-volume.md",
    "how-to/split-touching.md",
    "how-to/error-bars.md",
    "how-to/report.md",
    "how-to/where-unsure.md",
    "how-to/restore.md",
    "how-to/explore.md",
    "how-to/export.md",
    "how-to/export-model.md",
    "reference/samples.md",
)
NEEDS = {"how-to/export-model.md": ("onnxscript", "onnxruntime", "bioimageio.core")}


def make_demo(folder):
    """Write what `sashiko sample fibres demo/` writes, but small."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    truth = np.ones(SHAPE, np.uint8)
    truth[:, 6:12, 4:50] = 2
    truth[3:9, 18:30, 6:20] = 3
    truth[2:10, 32:46, 26:50] = 4
    grey = np.array([0, 110, 60, 10, 200])[truth] + rng.normal(0, 8, SHAPE)
    labels = np.where(rng.random(SHAPE) < 0.03, truth, 0).astype(np.uint8)
    facts = {
        "imagej": True,
        "resolution": (1 / 1.2, 1 / 1.2),
        "metadata": {"axes": "ZYX", "unit": "um", "spacing": 1.2},
    }
    arrays = {"image": grey.clip(0, 255), "labels": labels, "truth": truth}
    for name, array in arrays.items():
        path = folder / f"{name}.tif"
        tifffile.imwrite(path, array.astype(np.uint8), **facts)
    rows = [
        {"id": number, "name": name, "color": "#999999"}
        for number, name in enumerate(NAMES, start=1)
    ]
    (folder / "labels.classes.json").write_text(json.dumps(rows), encoding="utf-8")


def make_micrographs(folder):
    """Write pictures of bright discs with their labels, of different sizes."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 4), ("validate", 1), ("test", 2)):
        for number in range(count):
            size = (60 + 9 * number, 80 - 7 * number)
            y, x = np.mgrid[: size[0], : size[1]]
            labels = np.where((y % 30 - 15) ** 2 + (x % 26 - 13) ** 2 < 60, 255, 0)
            grey = 70 + labels / 4 + rng.normal(0, 8, size)
            for kind, picture in (("images", grey.clip(0, 255)), ("labels", labels)):
                place = folder / part / kind
                place.mkdir(parents=True, exist_ok=True)
                iio.imwrite(place / f"{part}{number}.png", picture.astype(np.uint8))


def run_page(page):
    """Run the commands and the Python code of a page, from top to bottom."""
    names = {"__name__": "page"}
    for block in blocks(page):
        if not block.is_run:
            continue
        if block.language == "python":
            # One namespace for all: later blocks of a page use names of earlier ones.
            exec(compile(block.code, block.name, "exec"), names)
        if block.language == "bash":
            for line in command_lines(block):
                run_line(line, block.name)


def run_line(line, where):
    """Run one line of a shell block; what sets up the machine is left out."""
    words = shlex.split(line)
    if words[0] == "echo" and words[-2] == ">":
        with open(words[-1], "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(" ".join(words[1:-2]))
    elif words[0] == "sashiko" and words[1] != "sample":
        assert main(words[1:]) == 0, f"{where}: {line}"
    else:
        assert words[0] in ("sashiko", *SETUP), f"{where}: {line}"


def learn_little(monkeypatch):
    """Let networks learn one batch an epoch, and few epochs."""
    clock = schedule.Clock
    monkeypatch.setattr(fit, "STEPS", 1)
    monkeypatch.setattr(
        fit, "Clock", lambda steps, *rest, **more: clock(min(steps, 3), *rest, **more)
    )


@pytest.fixture
def few_steps(monkeypatch):
    learn_little(monkeypatch)


@pytest.fixture(scope="module")
def after_tutorial(tmp_path_factory):
    """A folder in which the tutorial was followed."""
    folder = tmp_path_factory.mktemp("tutorial")
    make_demo(folder / "demo")
    before = os.getcwd()  # noqa: PTH109 - not a path of ours
    with pytest.MonkeyPatch.context() as patch:
        learn_little(patch)
        os.chdir(folder)
        try:
            run_page(TUTORIAL)
        finally:
            os.chdir(before)
    return folder


@pytest.mark.slow
def test_the_tutorial_runs(after_tutorial):
    assert (after_tutorial / "fibres.sashiko-model" / "model.json").exists()
    table = (after_tutorial / "fibres.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].startswith("label,class,voxels,volume")
    assert len(table) > 1
    assert "fibre" in table[1]


@pytest.mark.slow
@pytest.mark.parametrize("page", LATER)
@pytest.mark.usefixtures("few_steps")
def test_later_pages_run(page, after_tutorial, tmp_path, monkeypatch):
    for package in NEEDS.get(page, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(shutil.copytree(after_tutorial, tmp_path / "copy"))
    run_page(ROOT / "docs" / page)


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_the_page_on_folders_runs(tmp_path, monkeypatch):
    make_micrographs(tmp_path / "micrographs")
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "how-to" / "folders.md")
    names = {path.name for path in (tmp_path / "segmented").iterdir()}
    assert {"test0.png", "test1.png", "test0-probabilities.tif"} <= names
    overlays = tmp_path / "again" / "evaluation" / "overlays" / "2-dendrite"
    assert len(list(overlays.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_the_page_on_reconstruction_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "how-to" / "reconstruct.md")
    assert (tmp_path / "volume.tif").exists()
    assert (tmp_path / "dense.zarr" / "fbp").is_dir()


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_the_page_on_time_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "how-to" / "time.md")
    rows = (tmp_path / "cells.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("label,class,voxels,frame,volume")
    assert (tmp_path / "movie-in-um.zarr").is_dir()


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_the_readme_runs(tmp_path, monkeypatch):
    make_demo(tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "README.md")
    assert (tmp_path / "fibres.csv").exists()
