"""A real model, trained once on balls in noise, for tests of what comes after."""

import numpy as np
from scipy import ndimage

from napari_sashiko import pipeline
from napari_sashiko.labels import LabelClass, labelled_voxels

SHAPE = (24, 64, 80)
VOXEL_SIZE = (2.0, 1.0, 1.0)
# Centre (z, y, x) and radius, all in voxels; none touches another.
BALLS = (
    ((5, 12, 12), 4),
    ((6, 42, 20), 5),
    ((12, 20, 52), 4),
    ((17, 50, 62), 5),
    ((18, 14, 24), 4),
    ((7, 50, 44), 3),
)
CLASSES = (
    LabelClass(id=1, name="background", color="#999999"),
    LabelClass(id=2, name="ball", color="#e69f00"),
)


def balls(shape=SHAPE):
    """Return an image (Z, Y, X) float32 and where the balls are, bool."""
    axes = np.indices(shape)
    truth = np.zeros(shape, bool)
    for center, radius in BALLS:
        squares = [(a - c) ** 2 for a, c in zip(axes, center, strict=True)]
        truth |= sum(squares) <= radius**2
    noise = np.random.default_rng(0).normal(0, 0.3, shape)
    image = ndimage.gaussian_filter(truth * 2.0 + noise, 0.7)
    return image.astype(np.float32), truth


def train_model(folder):
    """Train a forest and one small network; a few seconds."""
    image, truth = balls()
    labels = np.zeros(SHAPE, np.uint8)
    painted = np.random.default_rng(1).random(SHAPE) < 0.05
    labels[painted] = np.where(truth[painted], 2, 1)
    settings = pipeline.TrainingSettings(
        network="smsnet",
        members=1,
        epochs=1,
        trees=8,
        patch=16,
        batch=2,
        minutes=None,
        dims="2",
        device="cpu",
    )
    out = folder / "balls 2026-01-02 03.04.05.sashiko-model"
    volume = pipeline.as_volume(
        image, axes="zyx", voxel_size=VOXEL_SIZE, unit="micrometer", name="balls"
    )
    for _ in pipeline.train_steps(
        volume, labelled_voxels(labels), CLASSES, settings, out
    ):
        pass
    return out


def predict_balls(model, folder):
    """Segment the balls."""
    out = folder / "balls.zarr"
    volume = pipeline.as_volume(
        balls()[0], axes="zyx", voxel_size=VOXEL_SIZE, unit="micrometer"
    )
    for _ in pipeline.predict_steps(model, volume, out):
        pass
    return out


class SlowEngine:
    """The real engine with windows of 32 voxels and a rest after each block.

    `rest` is in seconds; it makes time to press a button in the middle.
    """

    def __init__(self):
        self.rest = 0.0
        self.window = (24, 32, 32)

    def __getattr__(self, name):
        return getattr(pipeline, name)

    def predict_steps(self, model, volume, out, settings):
        """Predict with small windows, so that there are several blocks."""
        import time  # noqa: PLC0415

        small = settings.model_copy(update={"window": self.window, "border": (0, 8, 8)})
        steps = pipeline.predict_steps(model, volume, out, small)
        try:
            for event in steps:
                yield event
                time.sleep(self.rest if type(event).__name__ == "CellDone" else 0)
        finally:
            steps.close()
