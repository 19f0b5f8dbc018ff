"""Nuclei in a light microscope: a real volume, fetched once from the internet."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pooch
import tifffile
from scipy import ndimage
from skimage import filters

from napari_sashiko.errors import SampleError
from napari_sashiko.labels import LabelClass
from napari_sashiko.samples._sample import SAMPLES, Report, Sample, silent
from napari_sashiko.samples._strokes import paint_strokes

URL = (
    "https://gitlab.com/scikit-image/data/-/raw/"
    "2cdc5ce89b334d28f06a58c9f0ca21aa6992a5ba/cells3d.tif"
)
SHA256 = "afc7c7d80d38bfde09788b4064ac1e64ec14e88454ab785ebdc8dbba5ca3b222"
NUCLEI_CHANNEL = 1  # of (Z, C, Y, X); 0 shows the membranes
BACKGROUND, NUCLEUS = 1, 2
CLASSES = (
    LabelClass(id=BACKGROUND, name="background", color="#999999"),
    LabelClass(id=NUCLEUS, name="nucleus", color="#e69f00"),
)


@SAMPLES.register("nuclei")
def nuclei(*, report: Report = silent) -> Sample:
    """Real nuclei, fluorescence microscopy; 20 MB from the internet, no truth.

    Raises
    ------
    SampleError
        If it cannot be fetched.
    """
    report(0, 1)
    image = _read(_fetch())
    report(1, 1)
    return Sample(
        name="nuclei",
        title="Nuclei of human cells, fluorescence microscopy (real)",
        arrays={"image": image, "labels": paint_strokes(clear_cases(image))},
        voxel_size=(0.29, 0.26, 0.26),
        unit="um",
        classes=CLASSES,
        source="cells3d of scikit-image, Allen Institute for Cell Science, CC0.",
    )


def clear_cases(image: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Voxels ``(Z, Y, X)`` that nobody would argue about, 0 where one might.

    Well above Otsu's threshold is a nucleus, well below it background.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), (1, 2, 2))
    otsu: Any = filters.threshold_otsu  # scikit-image has no types
    middle = float(otsu(smooth))
    cases = np.zeros(image.shape, np.uint8)
    cases[smooth < 0.6 * middle] = BACKGROUND
    cases[smooth > 1.2 * middle] = NUCLEUS
    return cases


def _fetch() -> Path:
    try:
        return Path(
            pooch.retrieve(
                URL,
                known_hash=f"sha256:{SHA256}",
                fname="cells3d.tif",
                path=pooch.os_cache("napari-sashiko") / "samples",
            )
        )
    except (OSError, ValueError) as error:  # no network, no disk; another file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SampleError(
            f"The sample 'nuclei' cannot be fetched from {URL}: {reason}.",
            "Connect to the internet, or take 'fibres' or 'filaments', which are "
            "generated on this computer.",
        ) from error


def _read(path: Path) -> npt.NDArray[np.integer]:
    stack = tifffile.imread(path)
    return np.ascontiguousarray(stack[:, NUCLEI_CHANNEL])
