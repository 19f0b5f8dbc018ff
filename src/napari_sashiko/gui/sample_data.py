"""File > Open Sample: an image with a few strokes, so that Train works at once."""

import numpy as np

from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.pipeline import Sample, load_sample

LayerData = tuple[np.ndarray, dict[str, object], str]
PERCENTILES = (0.5, 99.5)
AXES = ("t", "z", "y", "x")


def fibres() -> list[LayerData]:
    """Fibre-reinforced cement, computed tomography."""
    return sample_layers(load_sample("fibres"))


def filaments() -> list[LayerData]:
    """Filaments, like cryo-electron tomography."""
    return sample_layers(load_sample("filaments"))


def dendrites() -> list[LayerData]:
    """Dendrites in a melt, micrographs."""
    return sample_layers(load_sample("dendrites"))


def sinograms() -> list[LayerData]:
    """Slices of a phantom as a tomograph sees them, and the slices."""
    sample = load_sample("sinograms")
    known = {"name": f"{sample.name} - known slices", "visible": False}
    return [
        (sample.image, _look(sample), "image"),
        (sample.arrays["phantom"], known, "image"),
    ]


def nuclei() -> list[LayerData]:
    """Fetch a real volume, once."""
    return sample_layers(load_sample("nuclei"))


def moving_nuclei() -> list[LayerData]:
    """Nuclei that wander: a volume at several times."""
    return sample_layers(load_sample("moving-nuclei"))


def sample_layers(sample: Sample) -> list[LayerData]:
    """Image and strokes, which it must have, as layers; the truth stays hidden."""
    labels = {
        "name": f"{sample.name} - strokes",
        "colormap": class_colormap(sample.classes),
        "features": {
            "index": [0, *(each.id for each in sample.classes)],
            "class": ["not labelled", *(each.name for each in sample.classes)],
        },
        **_place(sample),
    }
    image = _look(sample)
    return [(sample.image, image, "image"), (sample.sparse_labels, labels, "labels")]


def _look(sample: Sample) -> dict[str, object]:
    """Name, contrast and place of the image."""
    part = sample.image[:: max(1, len(sample.image) // 16)]
    return {
        "name": sample.name,
        "contrast_limits": [float(v) for v in np.percentile(part, PERCENTILES)],
        "metadata": {"title": sample.title, "source": sample.source},
        **_place(sample),
    }


def _place(sample: Sample) -> dict[str, object]:
    step, ndim = sample.time, sample.image.ndim
    before = 0 if step is None else 1
    space = ndim - before
    return {
        "scale": (*([] if step is None else [step.step]), *sample.voxel_size[-space:]),
        "units": (*([] if step is None else [step.unit]), *(sample.unit,) * space),
        "axis_labels": AXES[-ndim:],
    }
