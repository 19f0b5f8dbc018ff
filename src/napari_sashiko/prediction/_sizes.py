"""How large a window may be, and how much of its border is not trusted."""

import math
from collections.abc import Iterable

from napari_sashiko.errors import PlanError
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.runners import choose_device, free_memory

BYTES_PER_VOXEL = 1200  # feature maps of a network of 45 000 parameters, generous
VOXELS_ON_CPU = 96**3  # one member takes about a second
VOXELS_ON_GPU = 256**3
VOXELS_ON_MPS = 160**3  # Metal ends the process where a tensor has 4 GB: 256 maps
SHARE_OF_MEMORY = 0.5
THINNEST_CELL = 8  # thinner blocks are read more than they are used
BORDER_SHARE = 8  # a border takes an eighth of a window's side at most


def choose_sizes(
    shape: Triple,
    halo: Triple,
    align: Triple,
    settings: PredictionSettings,
    voxels: int | None = None,
) -> tuple[Triple, Triple]:
    """Window and border for a volume of `shape`.

    Strategy: among windows of as many voxels as the device bears, the share of voxels
    that is computed and thrown away is least when the kept part of each axis is
    proportional to its border. An axis that fits into the window is taken whole.

    Parameters
    ----------
    shape : (int, int, int)
        Volume.
    halo : (int, int, int)
        Context that the networks want.
    align : (int, int, int)
        Window starts are multiples of these.
    settings : PredictionSettings
        What the user set goes first.
    voxels : int, optional
        Of the largest window; None takes what the device bears.

    Returns
    -------
    window, border : (int, int, int)
        In voxels; the window fits into the volume. Volume faces are no border.

    Raises
    ------
    PlanError
        If the border leaves nothing of the window.
    """
    voxels = voxels or voxel_budget(settings.device)
    border = settings.border or _border(shape, halo, voxels, settings.window)
    window = settings.window or _window(shape, border, align, voxels)
    clipped: Triple = _triple(min(w, n) for w, n in zip(window, shape, strict=True))
    for w, b, n in zip(clipped, border, shape, strict=True):
        if w < n and w <= 2 * b:
            raise PlanError(
                f"A border of {border} leaves nothing of a window of {window} voxels.",
                f"Take a window above {2 * b} voxels on that axis, or less border.",
            )
    return clipped, border


def voxel_budget(device: str, bytes_per_voxel: int = BYTES_PER_VOXEL) -> int:
    """Voxels of the largest window that a device should see at a time."""
    name = str(choose_device(device))
    free = free_memory(name)
    known = {"cpu": VOXELS_ON_CPU, "mps": VOXELS_ON_MPS}
    most = known.get(name, VOXELS_ON_GPU)
    return max(32**3, min(most, int(free * SHARE_OF_MEMORY / bytes_per_voxel)))


def _border(shape: Triple, halo: Triple, voxels: int, window: Triple | None) -> Triple:
    if window is not None:
        return _triple(
            min(h, w // BORDER_SHARE) for h, w in zip(halo, window, strict=True)
        )
    active = [n for n, h in zip(shape, halo, strict=True) if h > 0]
    room = voxels
    for n, h in zip(shape, halo, strict=True):
        room = room if h > 0 else room // min(n, THINNEST_CELL)
    side = _equal_side(active, room)
    return _triple(min(h, max(1, side // BORDER_SHARE)) if h else 0 for h in halo)


def _equal_side(lengths: list[int], voxels: int) -> int:
    """Side of the largest window of equal sides, where short axes are taken whole."""
    rest = voxels
    for position, length in enumerate(sorted(lengths)):
        side = int(round(rest ** (1 / (len(lengths) - position)), 6))
        if length > side:
            return side
        rest //= length
    return max(lengths, default=1)


def _window(shape: Triple, border: Triple, align: Triple, voxels: int) -> Triple:
    low, high = 0.0, float(max(shape))
    for _ in range(40):
        middle = (low + high) / 2
        if math.prod(_sides(shape, border, align, middle)) <= voxels:
            low = middle
        else:
            high = middle
    return _sides(shape, border, align, low)


def _sides(shape: Triple, border: Triple, align: Triple, scale: float) -> Triple:
    flat = not any(border)
    sides = []
    for n, b, a in zip(shape, border, align, strict=True):
        kept = max(THINNEST_CELL, int(scale * (1 if flat else b)))
        sides.append(min(n, -(-(kept + 2 * b + a - 1) // a) * a))
    return _triple(sides)


def _triple(values: Iterable[int]) -> Triple:
    z, y, x = values
    return z, y, x
