"""File > Open Sample: an image, with what there is to learn from beside it."""

import numpy as np

from napari_sashiko.gui.label_layer import class_colormap
from napari_sashiko.pipeline import Sample, load_sample

LayerData = tuple[np.ndarray, dict[str, object], str]
PERCENTILES = (0.5, 99.5)
AXES = ("t", "z", "y", "x")
# What may be known of a sample: the name of its layer, and the kind of that.
KNOWN = {
    "labels": ("strokes", "labels"),
    "truth": ("truth", "labels"),
    "target": ("as it should be", "image"),
    "gaps": ("gaps", "labels"),
    "phantom": ("known slices", "image"),
}
OF_CLASSES = ("labels", "truth")


def fibres() -> list[LayerData]:
    """Fibre-reinforced cement, computed tomography."""
    return sample_layers(load_sample("fibres"))


def filaments() -> list[LayerData]:
    """Filaments, like cryo-electron tomography."""
    return sample_layers(load_sample("filaments"))


def dendrites() -> list[LayerData]:
    """Dendrites in a melt, micrographs."""
    return sample_layers(load_sample("dendrites"))


def shapes() -> list[LayerData]:
    """One shape in each picture, to explore."""
    return sample_layers(load_sample("shapes"))


def noisy() -> list[LayerData]:
    """Foam with few photons, and without noise."""
    return sample_layers(load_sample("noisy"))


def scattering() -> list[LayerData]:
    """X-ray scattering with gaps between detector modules, and without."""
    return sample_layers(load_sample("scattering"))


def sinograms() -> list[LayerData]:
    """Slices of a phantom as a tomograph sees them, and the slices."""
    return sample_layers(load_sample("sinograms"))


def nuclei() -> list[LayerData]:
    """Fetch a real volume, once."""
    return sample_layers(load_sample("nuclei"))


def moving_nuclei() -> list[LayerData]:
    """Nuclei that wander: a volume at several times."""
    return sample_layers(load_sample("moving-nuclei"))


def sample_layers(sample: Sample) -> list[LayerData]:
    """The image and its strokes as layers, and what is known of it, which is hidden."""
    layers: list[LayerData] = [(sample.image, _look(sample), "image")]
    for key, (words, kind) in KNOWN.items():
        array = sample.arrays.get(key)
        if array is None:
            continue
        look: dict[str, object] = {"name": f"{sample.name} - {words}"}
        look["visible"] = key == "labels"
        if array.shape == sample.image.shape:
            look |= _place(sample)
        if key in OF_CLASSES:
            look |= _classes(sample)
        layers.append((array, look, kind))
    # napari selects the layer on top: strokes, not a truth that nobody sees.
    image, *known = layers
    return [image, *sorted(known, key=lambda each: bool(each[1]["visible"]))]


def _classes(sample: Sample) -> dict[str, object]:
    """Colours and names of the classes."""
    return {
        "colormap": class_colormap(sample.classes),
        "features": {
            "index": [0, *(each.id for each in sample.classes)],
            "class": ["not labelled", *(each.name for each in sample.classes)],
        },
    }


def _look(sample: Sample) -> dict[str, object]:
    """Name, contrast and place of the image."""
    part = sample.image[:: max(1, len(sample.image) // 16)]
    return {
        "name": sample.name,
        "contrast_limits": [float(v) for v in np.nanpercentile(part, PERCENTILES)],
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
