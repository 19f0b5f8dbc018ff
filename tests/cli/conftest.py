"""A tiny volume on disk, a model of it, and a way to run commands."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from napari_sashiko.cli import main

SHAPE = (10, 40, 40)
FAST = ("--device", "cpu", "--set", "trees=4", "--set", "patch=16")
FOREST = ("--members", "0", *FAST)


@dataclass(frozen=True)
class Outcome:
    """Exit code, what was written to stdout and to stderr."""

    code: int
    out: str
    err: str

    @property
    def summary(self):
        return json.loads(self.out.splitlines()[-1])

    @property
    def complaint(self):
        return self.err.splitlines()[-1] if self.err else ""


def make_volume(folder):
    """Write image.npy, labels.npy and truth.npy: two bright bars in the dark."""
    rng = np.random.default_rng(0)
    truth = np.ones(SHAPE, np.uint8)
    truth[:, 6:16, 6:34] = 2
    truth[2:8, 24:34, 6:26] = 2
    image = np.where(truth == 2, 130, 60) + rng.normal(0, 12, SHAPE)
    labels = np.zeros(SHAPE, np.uint8)
    for z in (3, 5, 7):
        labels[z, 9:12, 8:32] = 2
        labels[z, 28:31, 8:24] = 2
        labels[z, 2:4, 4:36] = 1
        labels[z, 19:21, 4:36] = 1
    arrays = {"image": image.clip(0, 255).astype(np.uint8)}
    for name, array in (arrays | {"labels": labels, "truth": truth}).items():
        np.save(folder / f"{name}.npy", array)
    return folder


@pytest.fixture
def sashiko(capsys):
    """Run a command in this process."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        caught = capsys.readouterr()
        assert "Traceback" not in caught.err
        return Outcome(code, caught.out, caught.err)

    return run


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the volume, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return make_volume(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder with a volume, a forest and its prediction; not to be changed."""
    folder = make_volume(tmp_path_factory.mktemp("trained"))
    paths = [folder / name for name in ("image.npy", "labels.npy")]
    model, out = folder / "forest.sashiko-model", folder / "forest.zarr"
    words = ["train", *paths, "-o", model, "--classes", "resin,fibre", *FOREST]
    assert main([str(word) for word in words]) == 0
    words = ["predict", model, paths[0], "-o", out, "--device", "cpu"]
    assert main([str(word) for word in words]) == 0
    return Path(folder)
