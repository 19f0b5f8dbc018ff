"""Live runs of a small volume, paint that may change meanwhile, what they left."""

import time

from training_runs import QUICK, make_image

from napari_sashiko.checkpoints import load_ensemble
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.runners import Tick
from napari_sashiko.training import Heritage, train_live
from napari_sashiko.volumes import as_volume

# A dark band in which nothing is painted at first.
BAND = slice(19, 25)
THIRD = (slice(1, 4, 2), slice(4, 36, 6), BAND)


class Canvas:
    """Paint in an array that may change at any time."""

    def __init__(self, labels, classes=3):
        self.labels = labels.copy()
        self.classes = default_classes(classes)
        self.version = 0

    def paint(self, key, value):
        self.labels[key] = value
        self.version += 1

    def call(self, place, name):
        """Rename the class at a place."""
        renamed = self.classes[place].model_copy(update={"name": name})
        self.classes = (*self.classes[:place], renamed, *self.classes[place + 1 :])
        self.version += 1

    def read(self):
        return labelled_voxels(self.labels), self.classes


class Live:
    """A live run that can be asked for its next event of a kind."""

    def __init__(self, canvas, out, image=None, heritage=(), **changes):
        volume = as_volume(make_image() if image is None else image)
        settings = QUICK.model_copy(update=changes)
        self.steps = train_live(volume, canvas, settings, out, heritage=heritage)
        self.seen = []

    def step(self):
        """The next event but ticks."""
        while isinstance(event := next(self.steps), Tick):
            pass
        return event

    def until(self, kind, **facts):
        for event in self.steps:
            self.seen.append(event)
            if isinstance(event, kind) and all(
                getattr(event, name) == value for name, value in facts.items()
            ):
                return event
        raise AssertionError(f"The run ended before {kind.__name__}.")

    def for_seconds(self, seconds):
        """What it says meanwhile."""
        end, said = time.monotonic() + seconds, []
        while time.monotonic() < end:
            said.append(next(self.steps))
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.steps.close()


def banded():
    image = make_image()
    image[..., BAND] -= 8
    return image


def heritage_of(path, ids=None):
    ensemble = load_ensemble(path)
    nets = [
        (member, entry)
        for member, entry in zip(ensemble.members, ensemble.card.members, strict=True)
        if entry.kind == "network"
    ]
    own = tuple(c.id for c in ensemble.card.classes)
    return [
        Heritage(entry.spec, member.network.state_dict(), ids or own)
        for member, entry in nets
    ]
