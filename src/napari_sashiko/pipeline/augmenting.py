"""How training patches look after their random changes, to be looked at first."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.volumes import Region, Volume, measure_normalisation

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import TrainingSettings

COLUMNS, ROWS = 4, 3
GAP = 2  # voxels between patches
SHOWN = 64  # voxels of a patch where none is set: enough to see what it is


def augmented_patches(
    volume: Volume, settings: "TrainingSettings", center: tuple[float, float, float]
) -> npt.NDArray[np.float32]:
    """Show what training makes of the patch in view.

    Parameters
    ----------
    volume : Volume
        The image; the patch and a few small blocks are read.
    settings : TrainingSettings
        Size of a patch, rotations, augmentations.
    center : tuple of float
        Voxel (z, y, x) in the middle of the patch.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` in grey values of the first channel: the patch as it is, then eleven
        random changes of it, row by row, with NaN between them.

    Raises
    ------
    SettingsError
        If there is no such augmentation.
    """
    import torch  # noqa: PLC0415 - takes long to load

    from napari_sashiko.training import symmetry_transforms  # noqa: PLC0415
    from napari_sashiko.transforms import build_transforms  # noqa: PLC0415

    turned = symmetry_transforms(settings.rotations)
    change = build_transforms([*turned, *settings.augment], 2, volume.voxel_size)
    normalisation = measure_normalisation(volume, settings.seed)
    raw = volume.read(_region(volume, settings.patch or SHOWN, center))[:, 0]
    patch = torch.from_numpy(normalisation.apply(raw[:, None])[:, 0])[None]
    labels = torch.zeros(patch[:, 0].shape, dtype=torch.uint8)
    generator = torch.Generator().manual_seed(settings.seed)
    more = range(COLUMNS * ROWS - 1)
    patches = [patch, *(change(patch, labels, generator)[0] for _ in more)]
    shown = [each[0, :, None].numpy().copy() for each in patches]
    return _side_by_side([normalisation.undo(each)[0, 0] for each in shown])


def _region(volume: Volume, edge: int, center: tuple[float, float, float]) -> Region:
    """A patch of one slice around a voxel, moved inside where it would stick out."""
    spans = []
    for size, most, middle in zip(volume.shape, (1, edge, edge), center, strict=True):
        length = min(most, size)
        start = int(np.clip(round(middle) - length // 2, 0, size - length))
        spans.append(slice(start, start + length))
    return spans[0], spans[1], spans[2]


def _side_by_side(patches: list[Any]) -> npt.NDArray[np.float32]:
    height, width = np.array([patch.shape for patch in patches]).max(axis=0) + GAP
    page = np.full((ROWS * height - GAP, COLUMNS * width - GAP), np.nan, np.float32)
    for number, patch in enumerate(patches):
        row, column = divmod(number, COLUMNS)
        y, x = row * height, column * width
        page[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
    return page
