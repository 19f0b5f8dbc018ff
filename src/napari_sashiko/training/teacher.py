"""What the forest says about places without paint, for networks to learn from.

Between a few strokes a network is free to say anything, and does: it takes whatever is
near an object for the object, and what it has never seen for anything. A forest looks
at each voxel's filters only, and goes on alike where nothing is painted. So networks
learn from strokes what is true, and from the forest's probabilities at random places
what is likely: distillation, Hinton, Vinyals & Dean (2015), arXiv:1503.02531.
"""

import time
from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.runners import Event, Tick, torch_threads
from napari_sashiko.training._desk import Desk
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.tiles import Triple, read_mirrored
from napari_sashiko.volumes import Region, grow

MOST_VOXELS = 1 << 19  # in all patches together
FEWEST, MOST = 8, 96  # patches
PATIENCE = 0.15  # share of the time for training that reading may take


def read_lessons(desk: Desk, patch: Triple) -> Generator[Event, None, Lessons | None]:
    """Ask the forest about patches at random places.

    Parameters
    ----------
    desk : Desk
        The volume is read in pieces of a patch with the halo of the forest's filters.
    patch : tuple of int
        (z, y, x) size; z = 1 for 2D.

    Returns
    -------
    Lessons or None
        None without a forest, or where nobody is to listen to it.
    """
    if desk.forest is None or not desk.settings.teacher:
        return None
    rng = np.random.default_rng(desk.settings.seed)
    count = int(np.clip(MOST_VOXELS // np.prod(patch), FEWEST, MOST))
    images, answers = [], []
    started = time.monotonic()
    for start in _places(desk.volume.shape, patch, count, rng):
        image, answer = _lesson(desk, start, patch)
        images.append(image)
        answers.append(answer)
        yield Tick()
        if len(images) >= FEWEST and _is_late(desk, started):
            break
    desk.reasons.append(
        f"The forest teaches networks at {len(images)} places without paint."
    )
    return Lessons(
        torch.stack(images).to(desk.device),
        torch.stack(answers).to(desk.device),
        desk.settings.teacher,
    )


def _places(
    shape: Triple, patch: Triple, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Corners ``(count, 3)`` in random order, spread evenly over the depth."""
    room = np.maximum(np.array(shape) - patch, 0) + 1
    places = rng.integers(room, size=(count, 3))
    places[:, 0] = (np.arange(count) + rng.random(count)) * room[0] / count
    return rng.permutation(places)


def _lesson(
    desk: Desk, start: NDArray[np.int64], patch: Triple
) -> tuple[torch.Tensor, torch.Tensor]:
    flat = desk.choices.dims == 2
    stop, shape = start + patch, desk.volume.shape
    margin = (desk.choices.neighbours if flat else 0, 0, 0)
    image = torch.from_numpy(
        read_mirrored(desk.volume, desk.normalisation, start, stop, margin)
    )
    answer = _ask(desk, start, np.minimum(stop, shape))
    # Mirrored like the image where the volume is smaller than a patch.
    missing = np.array(patch) - answer.shape[1:]
    pad = [(0, 0), *((0, int(n)) for n in missing)]
    told = torch.from_numpy(np.pad(answer, pad, mode="symmetric"))
    return (image.flatten(0, 1), told[:, 0]) if flat else (image, told)


def _ask(
    desk: Desk, start: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The forest's probabilities ``(K, z, y, x)`` of a part of the volume."""
    assert desk.forest is not None
    core: Region = tuple(  # type: ignore[assignment]
        slice(int(a), int(b)) for a, b in zip(start, stop, strict=True)
    )
    region = grow(core, desk.forest.halo, desk.volume.shape)
    box = tuple(
        (c.start - r.start, c.stop - r.start) for c, r in zip(core, region, strict=True)
    )
    surroundings = desk.normalisation.apply(desk.volume.read(region))
    with torch_threads(1), torch.inference_mode():
        return desk.forest.probabilities(torch.from_numpy(surroundings), box).numpy()


def _is_late(desk: Desk, started: float) -> bool:
    minutes = desk.settings.minutes
    if minutes is None:
        return False
    return time.monotonic() - started > PATIENCE * 60 * minutes
