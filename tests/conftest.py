"""For all tests: settings of the developer are left alone, no thread is left behind."""

import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

from napari_sashiko.config import Settings
from napari_sashiko.errors import ModelError
from napari_sashiko.runners import Event, Message, Progress, Tick

# How long an example takes says something about the machine, not about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Before napari is imported: its test fixtures erase the settings file otherwise.
os.environ["NAPARI_CONFIG"] = ""

# Threads that libraries keep for good.
POOLS = (
    *("ThreadPoolExecutor", "zarr", "asyncio", "Dask", "dask", "Profile"),
    *("IO loop", "tqdm_monitor"),
)
SECONDS = 30


@pytest.fixture(autouse=True)
def no_thread_left():
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + SECONDS
    left = _left(before)
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = _left(before)
    assert not left, f"Jobs were left running: {[t.name for t in left]}"


def _left(before):
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before
        and thread.is_alive()
        and not thread.name.startswith(POOLS)
        and not isinstance(thread, threading._DummyThread)
    ]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Projects of volumes without a file go here."""
    folder = tmp_path / "sashiko-home"
    monkeypatch.setenv("SASHIKO_HOME", str(folder))
    return folder


# The events of training, without torch; a test holds them against the real ones.


@dataclass(frozen=True)
class TrainingStarted(Event):
    text: str
    members: int
    parameters: int


@dataclass(frozen=True)
class EpochDone(Event):
    member: int
    epoch: int
    epochs: int
    loss: float
    valid_loss: float
    fraction: float
    seconds_left: float
    macro_f1: float = math.nan


@dataclass(frozen=True)
class MemberSaved(Event):
    member: int
    path: Path
    what: str


@dataclass(frozen=True)
class TrainingDone(Event):
    path: Path
    metrics: tuple[tuple[str, float], ...]
    seconds: float
    fairness: str = ""


@dataclass(frozen=True)
class TrainingRested(Event):
    path: Path
    metrics: tuple[tuple[str, float], ...]
    seconds: float
    fairness: str = ""


@dataclass(frozen=True)
class TrainingDecided(Message):
    summary: str = ""


@dataclass(frozen=True)
class TrainingWaits(Event):
    text: str


@dataclass(frozen=True)
class PaintTaken(Event):
    voxels: int


FAIRNESS = "Judged on strokes far away."


def _metrics(classes):
    scores = {"f1": 0.8, "f1_std": 0.05, "iou": 0.7}
    single = ((f"{k} {c.name}", v) for c in classes for k, v in scores.items())
    return (("macro_f1", 0.9), ("macro_f1_std", 0.03), ("mean_iou", 0.82), *single)


@dataclass(frozen=True)
class Place:
    coords: tuple[int, int, int]
    score: float
    kind: str
    classes: tuple[int, int]
    probability: float
    std: float


@dataclass(frozen=True)
class PlacesFound(Event):
    places: tuple[Place, ...]
    blocks: int
    total: int
    strokes: int
    reach: tuple[int, int, int]
    complete: bool
    seconds: float

    @property
    def unsure(self):
        return tuple(each for each in self.places if each.kind == "unsure")

    @property
    def disagrees(self):
        return tuple(each for each in self.places if each.kind == "disagrees")


class FakePart(Settings):
    depth: int = 2


class FakeEngine:
    """What the pipeline room offers, without learning anything.

    `seconds` is the length of an epoch; `fail` is raised in the middle of training.
    `places` are found, one in each of so many blocks that take `seconds`.
    """

    epochs = 4
    members = 2
    events = (
        TrainingStarted,
        TrainingDecided,
        EpochDone,
        MemberSaved,
        TrainingDone,
        TrainingRested,
        TrainingWaits,
        PaintTaken,
        PlacesFound,
        Place,
    )
    places = (
        Place((1, 10, 20), 0.3, "unsure", (1, 2), 0.55, 0.31),
        Place((4, 30, 40), 0.2, "unsure", (2, 1), 0.6, 0.0),
        Place((2, 10, 12), 0.9, "disagrees", (1, 2), 0.9, 0.1),
    )

    def __init__(self):
        self.seconds = 0.0
        self.fail = None
        self.closed = 0
        self.trained_on = self.started_from = None
        self.previewed = []
        self.noted = []
        self.searched = []
        self.seeds = []

    class TrainingSettings(Settings):
        members: int = 2

    class PlacesSettings(Settings):
        seed: int = 0

    def train_steps(self, volume, labelled, classes, settings, out, *, start=None):
        self.trained_on = (volume, labelled, classes, settings)
        self.started_from = start
        yield TrainingStarted("a fake, 2D, cpu", self.members, 10)
        try:
            yield from self._learn(out)
        finally:
            self.closed += 1
        yield TrainingDone(out, _metrics(classes), 1.0, FAIRNESS)

    def live_steps(self, volume, painting, settings, out, *, start=None):
        self.started_from = start
        version, told = None, False
        try:
            while True:
                if painting.version == version:
                    yield Tick()
                    time.sleep(0.01)
                    continue
                version = painting.version
                labelled, classes = painting.read()
                if len(np.unique(labelled.values)) < 2:
                    yield TrainingWaits("Paint at least two classes.")
                    continue
                self.trained_on = (volume, labelled, classes, settings)
                if not told:
                    yield TrainingStarted("a fake, 2D, cpu", self.members, 10)
                    told = True
                yield PaintTaken(len(labelled))
                yield from self._learn(out)
                yield TrainingRested(out, _metrics(classes), 1.0, FAIRNESS)
        finally:
            self.closed += 1

    def _learn(self, out):
        yield TrainingDecided("It turns.", summary="a fake, 2D, cpu\nIt turns.")
        for member in range(self.members):
            for epoch in range(1, self.epochs + 1):
                time.sleep(self.seconds)
                if self.fail is not None:
                    raise self.fail
                share = epoch / self.epochs
                done = member * self.epochs + epoch
                total = self.members * self.epochs
                yield Progress(done, total, "training", 9.0)
                yield EpochDone(
                    member, epoch, self.epochs, 1 - share / 2, 1.0, share, 9.0, share
                )
            out.mkdir(parents=True, exist_ok=True)
            (out / "model.json").write_text(str(member + 1))
            yield MemberSaved(member, out, f"fake {member + 1}")

    def place_steps(self, source, image, labels, settings):
        self.searched.append((source, image, labels))
        self.seeds.append(0 if settings is None else settings.seed)
        count = len(self.places)
        for number in range(1, count + 1):
            time.sleep(self.seconds)
            if self.fail is not None:
                raise self.fail
            yield Progress(number, count, "looking", 1.0)
            found, last = self.places[:number], number == count
            yield PlacesFound(found, number, 9, 2, (1, 6, 6), last, 0.1)
        if not count:
            yield PlacesFound((), 9, 9, 0, (1, 6, 6), True, 0.1)

    def part_names(self, kind):
        return ["fake"]

    def part_settings(self, kind, name):
        return FakePart

    def note_image(self, folder, volume, image, classes):
        self.noted.append((folder, volume, image, classes))

    def model_scores(self, path):
        classes = self.trained_on[2] if self.load_card(path).members else ()
        return SimpleNamespace(metrics=dict(_metrics(classes)), fairness=FAIRNESS)

    def load_card(self, path):
        return SimpleNamespace(
            members=[None] * _members(path),
            classes=[],
            channels=1,
            voxel_size=(1.0, 1.0, 1.0),
            unit="pixel",
            name=path.stem,
        )

    def preview(self, model, volume, region):
        self.previewed.append((model, region))
        image = volume.read(region)[0].astype(float)
        classes = np.where(image > np.mean(image), 2, 1).astype(np.uint8)
        mean = np.stack([classes == 1, classes == 2]).astype(np.float32)
        # The first member is a forest.
        voices = ("forest", *["network"] * (_members(model) - 1))
        return SimpleNamespace(mean=mean, std=mean / 5, classes=classes, voices=voices)


def _members(model):
    try:
        return int((model / "model.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{model} is not a model.") from error


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def blobs():
    """Smooth noise, (Z, Y, X), float32."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in (6, 40, 50)), indexing="ij")
    wave = np.sin(2 * math.pi * (x + y) / 13) + np.cos(z + y / 5)
    return wave.astype(np.float32)
