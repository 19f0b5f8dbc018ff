"""Into which directions a class reaches, from the autocorrelation of its voxels.

Strategy: the autocorrelation of a mask is the inverse transform of its power spectrum
(Wiener & Khinchin). It is summed over blocks at random places, so that memory does not
grow with the volume. Each block is padded with as many zeros as the largest lag, so
that nothing wraps around, and each lag is divided by the number of voxel pairs that
have it. The mean of all blocks, the class's share, is taken off first: what is left is
0 for voxels that know nothing of each other, and 1 at the origin once it is divided by
the value there. Directions are physical: lags are measured with the voxel size.

Source: Roberts et al., "DLSIA", J. Appl. Cryst. 57, 392 (2024), figure 8b, where the
value at one radius, 30 voxels, is shown. Here it is the mean over a shell, which is
less noisy.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.plots._sampling import random_regions
from napari_sashiko.plots.settings import PlotSettings
from napari_sashiko.runners import Event, Progress, Tick
from napari_sashiko.volumes import Region

EDGE = 128  # of a block, in voxels of the finest axis
USUAL_RADIUS = 30.0  # voxels of the finest axis
THINNEST = 4.0  # outer radius below which directions mean nothing
RADII = 9  # steps from the inner to the outer radius
STEP = 2.0  # degrees of the map

Read = Callable[[Region], NDArray[np.bool_] | None]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shell:
    """Lags that are looked at.

    Parameters
    ----------
    inner, outer : float
        Radii, in units of the voxel size.
    lags : tuple of int
        Largest lag (z, y, x), voxels.
    block : tuple of int
        Block (z, y, x), voxels.
    """

    inner: float
    outer: float
    lags: tuple[int, int, int]
    block: tuple[int, int, int]


def choose_shell(
    shape: Sequence[int], voxel_size: Sequence[float], settings: PlotSettings
) -> Shell:
    """Fit the shell of lags and the blocks to a volume.

    Raises
    ------
    PlotError
        If the volume is too thin for any direction but those in its plane.
    """
    finest = min(voxel_size)
    extents = [n * size / finest for n, size in zip(shape, voxel_size, strict=True)]
    outer = settings.radius_to or min(USUAL_RADIUS, min(extents) / 2)
    if min(shape) < 2 or outer < THINNEST:
        raise PlotError(
            f"A volume of {' x '.join(map(str, shape))} voxels is too thin for a map "
            "of directions in space."
        )
    inner = settings.radius_from or outer * 2 / 3
    if inner >= outer:
        raise PlotError(
            f"The inner radius {inner:g} is not below the outer one, {outer:g} voxels.",
            "Set a smaller radius_from.",
        )
    lags, block = [], []
    for size, n in zip(voxel_size, shape, strict=True):
        wanted = int(np.ceil(outer * finest / size)) + 1
        block.append(min(int(n), max(round(EDGE * finest / size), 2 * wanted)))
        lags.append(min(wanted, block[-1] - 1))
    z, y, x = lags
    depth, height, width = block
    return Shell(inner * finest, outer * finest, (z, y, x), (depth, height, width))


def autocorrelation(
    read: Read, shape: Sequence[int], shell: Shell, settings: PlotSettings
) -> Generator[Event, None, tuple[Floats, int]]:
    """Measure the autocorrelation of a mask at all lags up to those of the shell.

    Parameters
    ----------
    read : callable
        The mask in a region, (z, y, x); None where it is not known.
    shape : sequence of int
        Volume (z, y, x).
    shell : Shell
        Lags and blocks.
    settings : PlotSettings
        How many blocks, and the seed of their places.

    Returns
    -------
    values : numpy.ndarray
        ``(2 z + 1, 2 y + 1, 2 x + 1)`` for the largest lags (z, y, x); 1 in the middle.
    blocks : int
        How many were looked at.

    Raises
    ------
    PlotError
        If no block is known, or the class takes none or all of their voxels.
    """
    regions = random_regions(shape, shell.block, settings.blocks, settings.seed)
    share, known = yield from _share(read, regions)
    total: Any = 0.0
    for number, region in enumerate(known, start=1):
        mask = read(region)
        if mask is not None:
            total = total + (yield from _sums(mask, share, shell.lags))
        yield Progress(number, len(known), "autocorrelation")
    sums = np.asarray(total) / (len(known) * _pairs(shell))
    return sums / sums[shell.lags], len(known)


def directions_of(
    values: Floats, shell: Shell, voxel_size: Sequence[float]
) -> tuple[Floats, Floats, Floats]:
    """Average the autocorrelation along each direction over the shell.

    Returns
    -------
    azimuth : numpy.ndarray
        ``(A + 1,)`` edges from -180 to 180 degrees: 0 is +x, 90 is +y.
    elevation : numpy.ndarray
        ``(E + 1,)`` edges from -90 to 90 degrees: 90 is +z.
    means : numpy.ndarray
        ``(E, A)``; NaN where the blocks are too thin.
    """
    from scipy.ndimage import map_coordinates  # noqa: PLC0415 - slow to load

    azimuth = np.arange(-180.0, 180.0 + STEP, STEP)
    elevation = np.arange(-90.0, 90.0 + STEP, STEP)
    z, y, x = unit_vectors(
        (elevation[:-1, np.newaxis] + elevation[1:, np.newaxis]) / 2,
        (azimuth[np.newaxis, :-1] + azimuth[np.newaxis, 1:]) / 2,
    )
    directions = np.stack([z, y, x]) / np.reshape(voxel_size, (3, 1, 1))
    middle = np.reshape(shell.lags, (3, 1, 1))
    along = [
        map_coordinates(
            values, radius * directions + middle, order=1, mode="constant", cval=np.nan
        )
        for radius in np.linspace(shell.inner, shell.outer, RADII)
    ]
    return azimuth, elevation, np.mean(along, axis=0)


def unit_vectors(elevation: Floats, azimuth: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vectors (z, y, x) of directions in degrees."""
    up, around = np.radians(elevation), np.radians(azimuth)
    flat = np.cos(up)
    z, y, x = np.broadcast_arrays(
        np.sin(up), flat * np.sin(around), flat * np.cos(around)
    )
    return z, y, x


def _share(
    read: Read, regions: Sequence[Region]
) -> Generator[Event, None, tuple[float, list[Region]]]:
    """Share of the class in the blocks that are known, and these blocks."""
    inside, voxels, known = 0, 0, []
    for region in regions:
        mask = read(region)
        if mask is not None:
            inside, voxels = inside + int(mask.sum()), voxels + mask.size
            known.append(region)
        yield Tick()
    if not known:
        raise PlotError(
            f"None of {len(regions)} blocks is predicted as a whole.",
            "Finish the prediction first.",
        )
    if inside in (0, voxels):
        word = "no" if inside == 0 else "every"
        raise PlotError(
            f"In {len(known)} blocks {word} voxel belongs to the class: there are no "
            "directions."
        )
    return inside / voxels, known


def _sums(
    mask: NDArray[np.bool_], share: float, lags: tuple[int, int, int]
) -> Generator[Event, None, Floats]:
    """Sum products of voxel pairs of a block, by lag."""
    from scipy import fft  # noqa: PLC0415 - slow to load

    sizes = [
        fft.next_fast_len(n + lag, real=True)
        for n, lag in zip(mask.shape, lags, strict=True)
    ]
    spectrum = fft.rfftn(mask.astype(np.float32) - np.float32(share), sizes)
    yield Tick()
    power = spectrum.real**2 + spectrum.imag**2
    yield Tick()
    sums = fft.irfftn(power, sizes)
    for axis, lag in enumerate(lags):
        sums = np.take(sums, np.arange(-lag, lag + 1), axis=axis, mode="wrap")
    return np.asarray(sums, np.float64)


def _pairs(shell: Shell) -> Floats:
    """Voxel pairs of a block, by lag."""
    z, y, x = (
        n - np.abs(np.arange(-lag, lag + 1.0))
        for n, lag in zip(shell.block, shell.lags, strict=True)
    )
    return np.asarray(z[:, None, None] * y[:, None] * x)
