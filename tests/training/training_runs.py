"""A small volume whose halves differ, with a few strokes, and a run that is quick."""

import numpy as np
from safetensors.numpy import load_file

from napari_sashiko.checkpoints import load_card, load_ensemble
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.training import TrainingSettings, train
from napari_sashiko.volumes import as_seen, as_volume, full_region

QUICK = TrainingSettings(
    members=2,
    epochs=2,
    minutes=None,
    batch=2,
    patch=16,
    trees=8,
    device="cpu",
    network_settings={"depth": 2, "base_channels": 4},
)


def make_image(shape=(5, 40, 44), seed=0):
    """Noise, brighter on the right; neighbouring slices alike."""
    rng = np.random.default_rng(seed)
    image = np.repeat(rng.normal(size=(1, *shape[1:])), shape[0], axis=0)
    image += rng.normal(size=shape) / 2
    image[..., shape[2] // 2 :] += 2
    return image.astype(np.float32)


def make_labels(shape=(5, 40, 44)):
    """Strokes: class 1 on the left, class 2 on the right."""
    labels = np.zeros(shape, np.uint8)
    for z in range(0, shape[0], 2):
        for y in range(4, shape[1] - 3, 6):
            labels[z, y, 3 : shape[2] // 2 - 4] = 1
            labels[z, y, shape[2] // 2 + 4 : shape[2] - 3] = 2
    return labels


def run(out, image=None, labels=None, classes=None, heritage=(), **changes):
    """Train to the end; return all events."""
    image = make_image() if image is None else image
    labels = make_labels() if labels is None else labels
    volume = image if hasattr(image, "digest") else as_volume(image)
    settings = TrainingSettings(**QUICK.model_dump() | changes)
    chosen = classes or default_classes(2)
    painted = labelled_voxels(labels)
    return list(train(volume, painted, chosen, settings, out, heritage=heritage))


def probabilities(out, image=None):
    """What a model says about the image, mean ``(K, Z, Y, X)``."""
    image = make_image() if image is None else image
    ensemble = load_ensemble(out)
    known = ensemble.card.normalisation
    volume = as_seen(image if hasattr(image, "digest") else as_volume(image), known)
    patch = known.apply(volume.read(full_region(volume.shape)))
    return ensemble.predict(patch)[0]


def tensors(path):
    """Everything that a model has learned, by member."""
    return [load_file(path / member.file) for member in load_card(path).members]


def same(one, two):
    """Whether two models have learned the same, bit by bit."""
    return all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
        for a, b in zip(one, two, strict=True)
    )
