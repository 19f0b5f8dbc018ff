"""A sample as a folder of pictures: ``train|validate|test / images|labels``."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from napari_sashiko.errors import SampleError
from napari_sashiko.samples._sample import Sample

CLASSES = "classes.txt"  # of a folder: what the values of its labels are


def write_pictures(sample: Sample, folder: Path) -> dict[str, Path]:
    """Write slices as PNG, each in its part, and class ids as grey values.

    Returns
    -------
    dict of str to Path
        Folders by the names of the parts, and ``classes``.

    Raises
    ------
    SampleError
        If parts do not make up the sample, or there are no classes.
    """
    from imageio.v3 import imwrite  # noqa: PLC0415 - only where pictures are written

    truth, image = sample.truth, sample.image
    ends = np.cumsum([0, *(count for _, count in sample.parts)]).tolist()
    if truth is None or ends[-1] != len(image):
        raise SampleError(f"{sample.name!r} cannot be cut into {sample.parts}.")
    # From black to white, as label pictures mostly are.
    greys = np.linspace(0, 255, len(sample.classes)).round().astype(np.uint8)
    values = np.zeros(256, np.uint8)
    values[[each.id for each in sample.classes]] = greys
    files: dict[str, Path] = {}
    for (part, _), (start, stop) in zip(sample.parts, pairwise(ends), strict=True):
        files[part] = folder / part
        for kind, array in (("images", image), ("labels", values[truth])):
            (files[part] / kind).mkdir(parents=True, exist_ok=True)
            for number in range(start, stop):
                path = files[part] / kind / f"{sample.name}_{number:02}.png"
                imwrite(path, array[number], plugin="pillow")
    files["classes"] = folder / CLASSES
    names = zip(greys, sample.classes, strict=True)
    lines = [f"{grey}: {each.name}\n" for grey, each in names]
    files["classes"].write_text("".join(lines), encoding="utf-8")
    return files
