"""Processes that do real work until somebody kills them: ``python THIS WORK FOLDER N``.

What is finished is told on stdout, a line each.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np

from napari_sashiko import pipeline
from napari_sashiko.labels import LabelClass, LabelStore
from napari_sashiko.session import Session
from napari_sashiko.volumes import open_volume

SHAPE = (12, 60, 70)
CLASSES = (
    LabelClass(id=1, name="resin", color="#112233"),
    LabelClass(id=2, name="fibre", color="#445566"),
)
TRAINING = {
    "members": 2,
    "epochs": 200,
    "minutes": None,
    "forest": False,
    "batch": 1,
    "patch": 16,
    "dims": "2",
    "device": "cpu",
    "network": "smsnet",
    "network_settings": {"depth": 3},
}
WINDOW = {"window": (6, 24, 24), "border": (1, 4, 4), "device": "cpu"}
DABS = 12
BETWEEN_STROKES = 1.0  # seconds


def say(*words):
    """Tell the parent."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def make_volume():
    """Image and labels: bright bars in the dark, some strokes on them."""
    rng = np.random.default_rng(0)
    truth = np.ones(SHAPE, np.uint8)
    truth[:, 6:26, 6:64] = 2
    truth[3:9, 34:54, 6:46] = 2
    image = np.where(truth == 2, 130, 60) + rng.normal(0, 12, SHAPE)
    labels = np.where(rng.random(SHAPE) < 0.03, truth, 0).astype(np.uint8)
    return image.clip(0, 255).astype(np.uint8), labels


def stroke(number):
    """Boxes of a stroke's dabs, and its class."""
    rng = np.random.default_rng(number)
    z, y, x = rng.integers((SHAPE[0], SHAPE[1] - 5, SHAPE[2] - DABS - 5))
    boxes = [np.s_[z, y : y + 4, x + i : x + i + 4] for i in range(DABS)]
    return boxes, int(rng.integers(0, 3))


def paint(folder, first):
    """Paint one stroke after another, and rename a class now and then."""
    session = Session()
    session.message.connect(lambda text, _level: say("message", text))
    session.set_volume(open_volume(folder / "scan.npy"))
    store = session.labels.start()
    say("ready")
    number, saved = first, session.labels.paint.saved_at
    while True:
        boxes, value = stroke(number)
        for box in boxes:
            store.array[box] = value
        say("stroke", number)
        if number % 25 == 0:
            named = CLASSES[0].model_copy(update={"name": f"name {number}"})
            session.labels.set_classes((named, CLASSES[1]))
            say("named", number)
        session.pump()
        if session.labels.paint.saved_at > saved:
            saved = session.labels.paint.saved_at
            say("saved")
        number += 1


def train(folder, seed):
    """Train, saving each epoch however quick it is."""
    from napari_sashiko.training import crew  # noqa: PLC0415 - loads torch

    crew.MOST_SAVING = math.inf
    learn(folder, seed)


def learn(folder, seed):
    """Train as it is, and say when each epoch was done."""
    settings = pipeline.training_settings(**TRAINING, seed=seed)
    out = folder / "models" / f"run {seed}.sashiko-model"
    image, labels = make_volume()
    say("ready")
    for event in pipeline.train_steps(image, labels, CLASSES, settings, out):
        if isinstance(event, pipeline.EpochDone):
            say("epoch", event.member, event.epoch, time.monotonic())


def live(folder, first):
    """Train as the dock does, forest and networks, while strokes are added."""
    session = Session(pipeline)
    session.message.connect(lambda text, level: say("message", level, text))
    session.event.connect(_tell_of_learning)
    session.set_volume(open_volume(folder / "scan.npy"))
    store = session.labels.start()
    if not any(store.counts().values()):
        store.array[:] = make_volume()[1]
    settings = pipeline.training_settings(**TRAINING | {"forest": True, "trees": 8})
    session.steps.train(settings, stay=True)
    number, due = first, 0.0
    while True:
        if time.monotonic() > due:
            boxes, value = stroke(number)
            for box in boxes:
                store.array[box] = value
            say("stroke", number)
            number, due = number + 1, time.monotonic() + BETWEEN_STROKES
        session.pump()
        time.sleep(0.01)


def _tell_of_learning(_kind, event):
    if isinstance(event, pipeline.EpochDone):
        say("epoch", event.member, event.epoch, time.monotonic())
    elif isinstance(event, pipeline.MemberSaved):
        say("saved", time.monotonic())
    elif isinstance(event, pipeline.PaintTaken):
        say("taken", event.voxels)


def predict(folder, _number):
    """Predict, or go on with it."""
    settings = pipeline.PredictionSettings(**WINDOW)
    model, out = folder / "net.sashiko-model", folder / "killed.zarr"
    for event in pipeline.predict_steps(model, folder / "scan.npy", out, settings):
        if isinstance(event, pipeline.Message):
            say("message", event.text)
        if isinstance(event, pipeline.PredictionStarted):
            say("ready", event.done)
        if isinstance(event, pipeline.CellDone):
            say("cell", event.done)
    say("done")


def find(folder, number):
    """Find objects again and again, with other dust each time."""
    prediction, out = folder / "net.zarr", folder / "instances" / "net.zarr"
    say("ready")
    while True:
        number += 1
        settings = pipeline.InstanceSettings(label_class=2, dust=str(number % 2 * 9000))
        table = out.with_suffix(".csv")
        for _ in pipeline.instance_steps(prediction, out, settings, table):
            pass
        say("found", number)


class SlowFile:
    """A file on a disk so slow that most processes die while it is written."""

    def __init__(self, file):
        self._file = file

    def write(self, content):
        piece = len(content) // 10 + 1
        for start in range(0, len(content), piece):
            self._file.write(content[start : start + piece])
            time.sleep(0.005)
        return len(content)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


def slow_disk():
    """Let files that are written as bytes take their time."""
    quick = Path.open

    def slow(path, mode="r", *rest, **more):
        if mode not in ("wb", "xb"):
            return quick(path, mode, *rest, **more)
        return SlowFile(quick(path, mode, buffering=0))

    Path.open = slow


def save(folder, number):
    """Save a model, the record of the project and the index of the paint."""
    slow_disk()
    from napari_sashiko.checkpoints import (  # noqa: PLC0415 - loads torch
        load_card,
        save_model,
    )

    model = folder / "net.sashiko-model"
    card = load_card(folder / "first.sashiko-model")
    store = LabelStore.rescue(folder / "labels", SHAPE)
    rng = np.random.default_rng(number)
    say("ready", *store.mended)
    while True:
        number += 1
        tensors = [_stirred(folder, member, rng) for member in card.members]
        named = card.model_copy(update={"name": str(number)})
        save_model(model, named, tensors)
        settings = pipeline.PredictionSettings(workers=number)
        pipeline.Project.rescue(folder)[0].note(predict=settings)
        store.array[number % SHAPE[0], :5, :5] = number % 2 + 1
        renamed = CLASSES[0].model_copy(update={"name": str(number)})
        store.set_classes((renamed, CLASSES[1]))
        store.flush()
        say("saved", number)


def _stirred(folder, member, rng):
    from safetensors.numpy import load_file  # noqa: PLC0415

    arrays = load_file(folder / "first.sashiko-model" / member.file)
    if member.kind == "network":
        name = max(n for n, a in arrays.items() if a.dtype.kind == "f" and a.size > 1)
        arrays[name] = arrays[name] + rng.normal(0, 1e-3, arrays[name].shape).astype(
            arrays[name].dtype
        )
    return arrays


WORK = {
    each.__name__: each for each in (paint, train, learn, live, predict, find, save)
}

if __name__ == "__main__":
    WORK[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
