"""A CT scan as it happens: projections, photons, a detector with faults, and back.

Strategy: each slice is projected over half a turn (`skimage.transform.radon`), the beam
hardens a little, the detector blurs, counts photons and has pixels whose gain is wrong,
and filtered back projection returns the slice: rings, streaks, cupping and noise with
the grain of the filter all come from there.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import transform

from napari_sashiko.samples._sample import Report

Floats = npt.NDArray[np.float32]

radon: Any = transform.radon  # scikit-image has no types
iradon: Any = transform.iradon

ANGLES = 120
PHOTONS = 9000.0
HARDENING = 0.03  # share of p^2 that is missing from a projection p
DETECTOR_BLUR = (0.5, 0.7)  # pixels, along z and across
GAIN_SPREAD = 0.004
BAD_COLUMNS = 0.03  # share of detector columns with a gain far off
BAD_GAIN = 0.03
MARGIN = 4  # voxels of material beyond the slice, so that its rim is clean


def scan(attenuation: Floats, rng: np.random.Generator, report: Report) -> Floats:
    """Scan a volume and reconstruct it.

    Parameters
    ----------
    attenuation : numpy.ndarray
        ``(Z, Y, X)``, per voxel length; Y == X.
    rng : numpy.random.Generator
        Source of photons and detector faults.
    report : callable
        Called with slices done and their number, twice each.

    Returns
    -------
    numpy.ndarray
        Reconstructed attenuation, ``(Z, Y, X)`` float32.
    """
    angles = np.linspace(0, 180, ANGLES, endpoint=False)
    depth, size, _ = attenuation.shape
    sinograms = []
    for z, plane in enumerate(attenuation):
        more = np.pad(plane, MARGIN, mode="edge")
        sinograms.append(radon(more, angles, circle=False))
        report(z + 1, 2 * depth)
    seen = measure(np.stack(sinograms).astype(np.float32), rng)
    slices = np.empty_like(attenuation)
    for z, sinogram in enumerate(seen):
        whole = iradon(
            sinogram,
            angles,
            filter_name="hann",
            circle=False,
            output_size=size + 2 * MARGIN,
        )
        slices[z] = whole[MARGIN:-MARGIN, MARGIN:-MARGIN]
        report(depth + z + 1, 2 * depth)
    return slices


def measure(
    sinograms: Floats, rng: np.random.Generator, *, photons: float = PHOTONS
) -> Floats:
    """Projections ``(Z, detector, angle)`` as the detector sees them.

    Of `photons` that leave for a pixel of the detector, some arrive.
    """
    hardened = sinograms - HARDENING * sinograms**2
    light = ndimage.gaussian_filter(np.exp(-hardened), (*DETECTOR_BLUR, 0))
    gain = _gain(light.shape[:2], rng)[..., None]  # constant in time: rings
    counts = rng.poisson(photons * light * gain).clip(1)
    measured: Floats = -np.log(counts / photons).astype(np.float32)
    return measured


def _gain(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Gain of each detector pixel ``(Z, detector)``, alike in neighbouring rows."""
    along_z = ndimage.gaussian_filter1d(rng.normal(0, 1, shape), 3, axis=0)
    spread = GAIN_SPREAD * along_z / along_z.std()
    bad = rng.random(shape[1]) < BAD_COLUMNS
    gain: Floats = 1 + spread + BAD_GAIN * bad * rng.normal(0, 1, shape[1])
    return gain


def to_uint8(
    volume: Floats, low: float = 0.05, high: float = 99.95
) -> npt.NDArray[np.uint8]:
    """Stretch between two percentiles to 0..255, as beamlines export slices."""
    bottom, top = np.percentile(volume, (low, high))
    stretched = (volume - bottom) / (top - bottom) * 255
    grey: npt.NDArray[np.uint8] = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
    return grey
