"""A predictor that costs nothing and sees exactly as far as it says."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from scipy.ndimage import uniform_filter

from napari_sashiko.labels import LabelClass


@dataclass(frozen=True)
class Identity:
    """Normalisation that only changes the type."""

    levelled = False

    def apply(self, raw, out=None):
        if out is None:
            return np.asarray(raw, np.float32)
        out[...] = raw
        return out


def make_card(channels=1, **more):
    classes = (
        LabelClass(id=1, name="rest", color="#888888"),
        LabelClass(id=4, name="fibre", color="#cc3311"),
    )
    facts = {
        "voxel_size": (1.0, 1.0, 1.0),
        "unit": "pixel",
        "sets": None,
        "restoring": None,
        "outputs": len(classes),
        **more,
    }
    return SimpleNamespace(
        classes=classes, channels=channels, normalisation=Identity(), **facts
    )


@dataclass
class Blur:
    """Two members: the image, and its mean over a cube of 2 r + 1 voxels."""

    radius: int = 2
    align: tuple = (1, 1, 1)
    card: object = field(default_factory=make_card)
    digest: str = "blur"
    seconds: float = 0.0
    most_voxels: int | None = None
    windows: list = field(default_factory=list)

    @property
    def halo(self):
        return (self.radius,) * 3

    def predict(self, patch, *, core=None, tick=lambda: None):
        self.windows.append(patch.shape[1:])
        if self.most_voxels and patch[0].size > self.most_voxels:
            raise MemoryError
        members = []
        for size in (1, 2 * self.radius + 1):
            tick()
            time.sleep(self.seconds)
            members.append(uniform_filter(patch[0], size, mode="constant"))
        core = core or tuple((0, n) for n in patch.shape[1:])
        box = tuple(slice(*span) for span in core)
        both = np.stack([np.stack([1 - m, m])[(slice(None), *box)] for m in members])
        return both.mean(0, dtype=np.float32), both.std(0, dtype=np.float32)


@dataclass
class Voters:
    """Members that call class 4 what is brighter than a threshold of their own.

    Between two thresholds they contradict each other.
    """

    thresholds: tuple = (0.25, 0.75)
    align: tuple = (1, 1, 1)
    halo: tuple = (1, 1, 1)
    card: object = field(default_factory=make_card)
    seconds: float = 0.0
    windows: list = field(default_factory=list)

    def predict(self, patch, *, core=None, tick=lambda: None):
        self.windows.append(patch.shape[1:])
        core = core or tuple((0, n) for n in patch.shape[1:])
        values = patch[(0, *(slice(*span) for span in core))]
        shares = []
        for threshold in self.thresholds:
            tick()
            time.sleep(self.seconds)
            shares.append((values > threshold).astype(np.float32))
        both = np.stack([np.stack([1 - share, share]) for share in shares])
        return both.mean(0), both.std(0)


@dataclass
class Alone:
    """One member, whose probability of class 4 is the grey value."""

    align: tuple = (1, 1, 1)
    halo: tuple = (0, 0, 0)
    card: object = field(default_factory=make_card)

    def predict(self, patch, *, core=None, tick=lambda: None):
        tick()
        core = core or tuple((0, n) for n in patch.shape[1:])
        share = patch[(0, *(slice(*span) for span in core))].clip(0, 1)
        mean = np.stack([1 - share, share])
        return mean, np.zeros_like(mean)


def whole(predictor, image):
    """What the predictor says about the whole image at once."""
    return predictor.predict(np.asarray(image, np.float32)[None])


def image_of(shape, seed=0):
    """Values in [0, 1] that float16 holds exactly."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape).astype(np.float32) / 256
