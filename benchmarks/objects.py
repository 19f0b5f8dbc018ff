"""Objects of the second class: found by ours and by scikit-image, and their F1.

Every way of finding them is a key: ``components`` connects what touches; ``split``
cuts what touches apart by shape, as one would choose for round objects. All drop what
has fewer voxels than `DUST`; nothing else is set for a volume but its voxel size.
"""

from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.measure import label
from skimage.segmentation import watershed
from splitting import f1_score

import napari_sashiko as ns
from napari_sashiko.pipeline import open_instances

OBJECTS = 1  # class from 0
DUST = 20  # voxels
APART = 5  # voxels between peaks, for ``split_spaced``


def of_prediction(path: Path, folder: Path) -> dict[str, np.ndarray]:
    """Find objects with the public functions, all other defaults untouched.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr of a prediction.
    folder : Path
        Where there is room for instances.

    Returns
    -------
    dict
        Labels ``(Z, Y, X)``: ``components`` and ``split`` (by distance).
    """
    found = {}
    for way, split in (("components", "no"), ("split", "distance")):
        out = folder / f"{way}.zarr"
        ns.segment_instances(
            path, out, label_class=OBJECTS + 1, dust=str(DUST), split=split
        )
        found[way] = np.asarray(open_instances(out).labels)
    return found


def of_probabilities(
    probabilities: np.ndarray, spacing: tuple[float, float, float]
) -> dict[str, np.ndarray]:
    """Find objects with scikit-image.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(K, Z, Y, X)``; objects are where the second class wins.
    spacing : tuple of float
        Voxel size (z, y, x). The example does not have it; without it, coarse planes
        cut objects to pieces.

    Returns
    -------
    dict
        Labels ``(Z, Y, X)``: ``components``; ``split``, the watershed on distance of
        scikit-image's gallery ("Watershed segmentation"), which in 3D makes many
        pieces of a rough object; ``split_spaced``, the same with peaks at least `APART`
        from each other but as near to the border as they are, which its user would find
        before long.
    """
    mask = probabilities.argmax(0) == OBJECTS
    depth = ndimage.distance_transform_edt(mask, sampling=spacing)
    found = {
        "components": label(mask),
        "split": _flooded(mask, depth, footprint=np.ones((3, 3, 3))),
        "split_spaced": _flooded(mask, depth, min_distance=APART, exclude_border=False),
    }
    return {way: _dusted(labels) for way, labels in found.items()}


def object_scores(found: dict[str, np.ndarray], truth: np.ndarray) -> dict[str, float]:
    """Score the objects of one answer.

    Objects that carry paint are scored as all others: a stroke covers a few voxels of
    an object, and does not tell how far it reaches.

    Parameters
    ----------
    found : dict
        Labels ``(Z, Y, X)`` by the way in which they were found.
    truth : numpy.ndarray
        ``(Z, Y, X)``: labels of the objects that there are.

    Returns
    -------
    dict
        ``f1_components``, ``f1_split`` and so on: F1 of objects that match by an IoU
        above one half.
    """
    return {
        f"f1_{way}": round(float(f1_score(labels, truth)), 5)
        for way, labels in found.items()
    }


def _flooded(mask, depth, **peaks):
    places = peak_local_max(depth, labels=mask.astype(np.uint8), **peaks)
    tops = np.zeros(mask.shape, bool)
    tops[tuple(places.T)] = True
    return watershed(-depth, ndimage.label(tops)[0], mask=mask)


def _dusted(labels):
    stays = np.bincount(labels.ravel()) >= DUST
    return np.where(stays[labels], labels, 0)
