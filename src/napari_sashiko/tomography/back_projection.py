"""Filtered back-projection of one slice."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from skimage import transform

FilterName = Literal["ramp", "shepp-logan", "cosine", "hamming", "hann", "none"]
FILTERS: tuple[str, ...] = get_args(FilterName)

iradon: Any = transform.iradon  # scikit-image has no types


def filtered_back_projection(
    sinogram: NDArray[np.float32],
    angles: Sequence[float],
    *,
    filter_name: FilterName = "ramp",
    size: int | None = None,
    circle: bool = True,
) -> NDArray[np.float32]:
    """Reconstruct a slice from parallel projections, by scikit-image's ``iradon``.

    Kak & Slaney, Principles of Computerized Tomographic Imaging (1988), chapter 3.

    Parameters
    ----------
    sinogram : numpy.ndarray
        ``(angles, detectors)``; the axis of rotation is at ``detectors // 2``.
    angles : sequence of float
        Degrees, one for each row.
    filter_name : str
        What each row is filtered by; "none" gives the plain back-projection.
    size : int, optional
        Side of the image; as long as the detector when left out.
    circle : bool
        Whether nothing lies outside the circle that all angles see: there is 0 then.

    Returns
    -------
    numpy.ndarray
        ``(size, size)``.
    """
    image: NDArray[np.float32] = iradon(
        np.ascontiguousarray(sinogram.T, np.float32),
        theta=np.asarray(angles, float),
        output_size=size or sinogram.shape[1],
        filter_name=None if filter_name == "none" else filter_name,
        circle=circle,
    ).astype(np.float32, copy=False)
    return image
